"""Bans over a history that forks: what stands when two halves of a group banned each other (rows B45-B47, X12).

A ban is known by its commit, and holds for everything that is not in its past.  When two bans, neither in the past of
the other, are against each other (each bans one of those who decided the other), the one that more admins voted
for stands; of equal ones, the one with the lower commit hash.  Nothing else decides: no dates, no order of arrival.

A `Ban` carries the bans of its own past, so every device finds the same outcome from the commits alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from .paths import Target


class Ban(NamedTuple):
    """A ban, or the end of one, as its commit says."""

    commit: str
    where: Target
    target: str
    deciders: frozenset[str]
    """The admins whose votes it counts, and its author."""
    votes: int
    past: frozenset[str]
    """Commits of bans and of their ends before it."""
    is_end: bool = False


@lru_cache(maxsize=256)
def outcome(bans: frozenset[Ban]) -> tuple[frozenset[tuple[Target, str]], frozenset[tuple[Target, str]]]:
    """Return whom an overruled ban would have banned and nothing else does, and who is banned: (where, target)."""
    if not bans:
        return frozenset(), frozenset()
    overruled = {ban.commit for ban in bans for other in bans if is_overruled(ban, other)}
    ended = {
        ban.commit
        for ban in bans
        for end in bans
        if end.is_end and (end.where, end.target) == (ban.where, ban.target) and ban.commit in end.past
    }
    real = [ban for ban in bans if not ban.is_end]
    standing = frozenset((b.where, b.target) for b in real if b.commit not in overruled and b.commit not in ended)
    saved = frozenset((b.where, b.target) for b in real if b.commit in overruled and b.commit not in ended) - standing
    return saved, standing


def is_overruled(ban: Ban, other: Ban) -> bool:
    """Whether `ban` falls because of `other`."""
    if ban.is_end or other.is_end or ban.commit == other.commit:
        return False
    if other.commit in ban.past or ban.commit in other.past:
        return False
    against_each_other = ban.target in other.deciders and other.target in ban.deciders
    return against_each_other and (-other.votes, other.commit) < (-ban.votes, ban.commit)
