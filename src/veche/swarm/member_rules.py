"""Who comes, who goes, who is banned: the rules of commits of the type `member`.

Source: repository facts §5; rows B09-B11, B20, B38-B42, B48-B55.
"""

from __future__ import annotations

from . import paths
from .bans import Ban
from .certificates import BadCertificate, first_certificate
from .messages import Said
from .model import Change, Commit, Mode, State
from .paths import Target
from .refusal import refuse


def check_add(old: State, new: State, commit: Commit, said: Said, author: str) -> None:
    """An invitation (rows B09, B10, B38-B40)."""
    if not commit.changes:
        refuse("add-files", "It invites somebody, and brings no invitation.")
    if old.mode is Mode.ONE_TO_ONE and said.uri not in old.initial:
        refuse("one-to-one", "This conversation is for two; a third is invited.")
    if old.mode is Mode.ADMIN_INVITES_ONLY and not old.is_admin(author):
        refuse("add-admin", f"Only admins invite here, and {author} is none.")
    if said.uri == author:
        refuse("add-self", "They invite themselves.")
    invitation = paths.invited(said.uri)
    _only(commit, {paths.device(commit.device), invitation, paths.crl(author), paths.crl(said.uri)})
    if new.files.get(invitation) != b"":
        refuse("invited-file", "An invitation is an empty file of the name of the invited one.")
    if paths.banned(Target.MEMBERS, said.uri) in old.files:
        refuse("add-banned", f"{said.uri} is banned.")


def check_join(old: State, new: State, commit: Commit, said: Said, author: str) -> None:
    """Somebody invited comes (rows B11, B20, B41)."""
    invitation, own = paths.invited(said.uri), paths.member(said.uri)
    if said.uri != author:
        refuse("join-other", f"{author} cannot come for {said.uri}.")
    if invitation not in old.files:
        refuse("join-uninvited", f"{said.uri} was not invited.")
    _only(commit, {invitation, own, paths.device(commit.device)})
    if invitation in new.files:
        refuse("join-files", "The invitation of who comes is not taken away.")
    if own in old.files or own not in new.files:
        refuse("join-files", "Who comes puts their certificate among the members.")


def check_remove(old: State, commit: Commit, said: Said, author: str) -> Ban | None:
    """Somebody goes.  Of an admin, that is remembered like a ban: none that falls later brings them back."""
    if said.uri != author:
        refuse("remove-other", f"{author} cannot leave for {said.uri}.")
    own = {paths.admin(said.uri), paths.member(said.uri), paths.invited(said.uri)}
    mine = paths.device(commit.device)
    for change in commit.changes:
        if change.path in own:
            if change.new is not None:
                refuse("remove-files", f"Who leaves adds nothing, and {change.path} is new.")
        elif change.path.startswith("devices/"):
            is_theirs = change.old is not None and old.owner(paths.name_of(change.path)) == said.uri
            if change.path != mine and not (is_theirs and change.new is None):
                refuse("files", f"It changes {change.path}, which is not of who leaves.")
        elif change.path != paths.crl(said.uri):
            refuse("files", f"It changes {change.path}, which leaving does not.")
    if not any(change.path == paths.admin(author) for change in commit.changes):
        return None
    return Ban(commit.id, Target.ADMINS, author, frozenset([author]), 0, old.last_bans, is_leave=True)


def check_ban(old: State, commit: Commit, said: Said, author: str) -> Ban:
    """Votes are resolved: somebody, or a device, is banned or let in again (rows B42, B47-B55)."""
    if not old.is_admin(author):
        refuse("ban-admin", f"{author} is no admin, and resolves votes.")
    moved = [found for change in commit.changes if (found := paths.parse_banned(change.path)) is not None]
    if len(moved) != 1 or moved[0][1] != said.uri:
        refuse("ban-files", "A ban moves the file of the one whom it names, and of nobody else.")
    [(where, target)] = moved
    changed = {change.path: change for change in commit.changes}
    is_end = said.action == "unban"
    banned, standing = changed[paths.banned(where, target)], changed.get(paths.standing(where, target))
    gone, new = (banned, standing) if is_end else (standing, banned)
    if gone is None or gone.old is None or gone.new is not None:
        refuse("ban-files", f"{target} is not there to be moved." if gone is None else f"{gone.path} does not go.")
    stands_again = is_end and new is None and old.files.get(paths.standing(where, target)) == gone.old
    if not stands_again and (new is None or new.old is not None or new.new != gone.old):
        refuse("ban-files", f"The file of {target} does not come to where it belongs.")
    voters: set[str] = set()
    for change in commit.changes:
        if change in (banned, standing) or change.path in (paths.device(commit.device), paths.crl(target)):
            continue
        vote = paths.parse_vote(change.path)
        if vote is not None and (vote.kind, vote.target) == (said.action, target):
            if change.old is None or change.new is not None:
                refuse("ban-votes", "The votes that it resolves are not taken away.")
            if vote.where is where and old.is_admin(vote.voter):
                voters.add(vote.voter)
        elif not _moves_device_of(old, change, target, is_end=is_end):
            refuse("files", f"It changes {change.path}, which has nothing to do with {target}.")
    admins = sum(path.startswith("admins/") for path in old.files)
    if not voters or len(voters) * 2 < admins:
        refuse("ban-votes", f"{len(voters)} of {admins} admins have voted for it.")
    return Ban(
        commit=commit.id,
        where=where,
        target=target,
        deciders=frozenset({*voters, author}),
        votes=len(voters),
        after=old.last_bans,
        is_end=is_end,
    )


def _moves_device_of(old: State, change: Change, target: str, *, is_end: bool) -> bool:
    """Whether it is a device of `target` that a ban takes away, or the end of one brings back."""
    if not change.path.startswith("devices/"):
        return False
    if not is_end:
        return change.new is None and old.owner(paths.name_of(change.path)) == target
    try:
        return change.old is None and change.new is not None and first_certificate(change.new).issuer_uid == target
    except BadCertificate:
        return False


def _only(commit: Commit, allowed: set[str]) -> None:
    for change in commit.changes:
        if change.path not in allowed:
            refuse("files", f"It changes {change.path}, which a commit of this kind does not.")
