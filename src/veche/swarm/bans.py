"""Bans over a history that forks: what stands when two halves of a group banned each other (rows B45-B47, X12).

A ban is known by its commit.  When two bans, neither in the past of the other, are against each other (each bans one
of those who decided the other), the one that more admins voted for stands; of equal ones, the one with the lower commit
hash.  Of many, the strongest is looked at first, and a ban falls only because of one that stands.  An admin who leaves
is gone whatever becomes of bans against them, so that is kept here too.  Nothing else decides: no dates, no order of
arrival.

A `Ban` names the bans right before it, so every device finds the same outcome from the commits alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from . import paths
from .paths import Target

Who = tuple[Target, str]
"""Where somebody, or a device, stood, and who it is."""


class Ban(NamedTuple):
    """A ban, the end of one, or that an admin has left, as its commit says."""

    commit: str
    where: Target
    target: str
    deciders: frozenset[str]
    """The admins whose votes it counts, and its author."""
    votes: int
    after: frozenset[str]
    """The commits right before it of those that are kept here."""
    is_end: bool = False
    is_leave: bool = False


class Outcome(NamedTuple):
    """What all bans of a history come to."""

    saved: frozenset[Who]
    """Whom a ban that fell would have banned, and no other bans."""
    left: frozenset[Who]
    """Admins who left by themselves."""
    banned: frozenset[Who]
    """Whom a ban that stands, and has not been ended, keeps out."""


NO_BANS = Outcome(frozenset(), frozenset(), frozenset())


def last(bans: Iterable[Ban]) -> frozenset[str]:
    """The commits of those that are in the past of no other."""
    bans = tuple(bans)
    named = {commit for ban in bans for commit in ban.after}
    return frozenset(ban.commit for ban in bans if ban.commit not in named)


@lru_cache(maxsize=64)
def outcome(bans: frozenset[Ban]) -> Outcome:
    """What a history with these bans, and no others, comes to."""
    if not bans:
        return NO_BANS
    past = _pasts(bans)
    number = {ban.commit: at for at, ban in enumerate(bans)}

    def is_before(one: Ban, other: Ban) -> bool:
        return bool(past[other.commit] >> number[one.commit] & 1)

    standing: dict[str, list[Ban]] = {}
    """By whom they are against."""
    fallen: set[str] = set()
    for ban in sorted(bans, key=lambda one: (-one.votes, one.commit)):
        if ban.is_end or ban.is_leave:
            continue
        stronger = (one for decider in ban.deciders for one in standing.get(decider, ()))
        if any(ban.target in one.deciders and not is_before(one, ban) and not is_before(ban, one) for one in stronger):
            fallen.add(ban.commit)
        else:
            standing.setdefault(ban.target, []).append(ban)
    ends: dict[Who, list[Ban]] = {}
    for ban in bans:
        if ban.is_end:
            ends.setdefault((ban.where, ban.target), []).append(ban)
    saved: set[Who] = set()
    banned: set[Who] = set()
    for ban in bans:
        who = (ban.where, ban.target)
        if not ban.is_end and not ban.is_leave and not any(is_before(ban, end) for end in ends.get(who, ())):
            (saved if ban.commit in fallen else banned).add(who)
    left = frozenset((ban.where, ban.target) for ban in bans if ban.is_leave)
    return Outcome(frozenset(saved - banned), left, frozenset(banned))


class Freed(NamedTuple):
    """The files that a merge need not have as its parents make them, because a ban meets a stronger one there."""

    standing: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()


def freed(ours: frozenset[Ban], theirs: frozenset[Ban]) -> Freed:
    """What the merge of two histories frees."""
    if ours <= theirs or theirs <= ours:
        return Freed()
    both = outcome(ours | theirs)
    saved = both.saved - outcome(ours).saved - outcome(theirs).saved
    return Freed(
        frozenset(paths.standing(*who) for who in saved - both.left), frozenset(paths.banned(*who) for who in saved)
    )


def _pasts(bans: frozenset[Ban]) -> dict[str, int]:
    """By commit: the set of bans in its past, a bit each, numbered as they are iterated."""
    by_commit = {ban.commit: ban for ban in bans}
    bits = {ban.commit: 1 << at for at, ban in enumerate(bans)}
    pasts: dict[str, int] = {}
    todo = list(by_commit)
    while todo:
        commit = todo[-1]
        if commit in pasts:
            todo.pop()
            continue
        before = [one for one in by_commit[commit].after if one in by_commit]
        missing = [one for one in before if one not in pasts]
        if missing:
            todo.extend(missing)
            continue
        todo.pop()
        found = 0
        for one in before:
            found |= pasts[one] | bits[one]
        pasts[commit] = found
    return pasts
