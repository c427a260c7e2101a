"""Which commits a conversation accepts, and what follows from them.  One commit at a time, its parents before it.

    judge        everything but the signature: the state that follows, and the key that must have signed
    check        the signature
    apply        both

What is refused: everything that today's other clients refuse, and four things that they let through although no honest
device writes them: a device's certificate that its account did not sign, the removal of somebody else, an invitation by
a plain member where admins alone invite, a first commit whose signature does not hold or a second one.  Unknown types
are accepted when they change nothing, votes count from a half on, certificates of people who left may stay.

Every commit but the first is by a device that its tree allows: devices/, its account among members/ or admins/, both
certificates valid at the commit's own time, the device's signed by the account.  For who leaves, the tree before it
counts.  So no commit of another kind takes its own device's or account's certificate away.

Source: repository facts §5, §5.1; rows B28-B55, X12, X13.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from . import messages, paths
from .bans import freed
from .card import LARGEST_CARD
from .certificates import BadCertificate, first_certificate, is_issued, is_signature
from .member_rules import check_add, check_ban, check_join, check_remove
from .messages import NotAMessage, Said
from .model import Change, Commit, MergedPath, Mode, NotAuthorised, Rejected, Signer, State, Told
from .refusal import Refusal, refuse
from .vote_rules import check_vote

SHA512 = hashes.SHA512()
EDITABLE = (messages.TEXT, messages.FILE, messages.DOCUMENT)

Lookup = Callable[[str], Told | None]
"""Who wrote an accepted commit of this conversation, and of what type; None: there is none of that id."""


class Verdict(NamedTuple):
    """What follows from a commit, if `key` signed it."""

    state: State
    key: RSAPublicKey
    told: Told


def apply(state: State | None, commit: Commit, lookup: Lookup) -> State | Rejected:
    """The state after a commit, or why it is refused.

    state: after the first parent; None before the first commit.  Every bytes give one of the two, and no exception.
    """
    verdict = judge(state, commit, lookup)
    if isinstance(verdict, Rejected):
        return verdict
    return check(commit, verdict.key) or verdict.state


def judge(state: State | None, commit: Commit, lookup: Lookup, theirs: State | None = None) -> Verdict | Rejected:
    """All but the signature.  theirs: the state after the second parent, of a merge."""
    try:
        if len(commit.message) > messages.LARGEST_MESSAGE:
            refuse("message-size", f"Its message has {len(commit.message)} bytes.")
        if not commit.parents:
            return _first(state, commit)
        if state is None:
            refuse("root", "It does not begin with the first commit of a conversation.")
        for change in commit.changes:
            _check_file(change)
        if len(commit.parents) > 1:
            return _merge(state, commit, theirs)
        return _ordinary(state, commit, lookup)
    except Refusal as error:
        return Rejected(commit.id, error.rule, error.reason)
    except NotAuthorised as error:
        return Rejected(commit.id, error.rule, error.reason)


def check(commit: Commit, key: RSAPublicKey) -> Rejected | None:
    """Whether that key signed the commit (RSASSA-PKCS1-v1_5 with SHA-512).  Releases the interpreter meanwhile."""
    try:
        signature = base64.b64decode(commit.signature, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if signature and is_signature(key, signature, commit.signed, SHA512):
        return None
    why = "does not hold" if commit.signature else "is missing"
    return Rejected(commit.id, "signature", f"Its signature {why}.")


# -- the kinds of commits


def _first(state: State | None, commit: Commit) -> Verdict:
    if state is not None:
        refuse("second-root", "A conversation has one first commit.")
    for change in commit.changes:
        _check_file(change)
    said = _said(commit)
    fields = messages.read(commit.message)
    number = fields.get("mode")
    if said.type != messages.INITIAL:
        refuse("initial-type", "The first commit of a conversation is of the type initial.")
    if not isinstance(number, int) or isinstance(number, bool) or number not in tuple(Mode):
        refuse("initial-mode", "The first commit does not say how people come into the conversation.")
    mode = Mode(number)
    files = {change.path: change.new or b"" for change in commit.changes if change.new is not None}
    creators = [paths.name_of(path) for path in files if path.startswith("admins/")]
    if len(creators) != 1 or paths.device(commit.device) not in files:
        refuse("initial-files", "The first commit holds the creator's certificate, and that of their device.")
    [creator] = creators
    allowed = {paths.admin(creator), paths.device(commit.device), paths.crl(creator)}
    initial: tuple[str, ...] = (creator,)
    if mode is Mode.ONE_TO_ONE:
        if not paths.is_uri(said.invited):
            refuse("initial-invited", "The first commit of a conversation of two says who the other is.")
        allowed.add(paths.invited(said.invited))
        initial = (creator,) if said.invited == creator else (creator, said.invited)
    _only(files, allowed, "initial-files")
    if any(change.path.startswith("invited/") and change.new for change in commit.changes):
        refuse("invited-file", "The file of an invitation is empty.")
    after = State(commit.id, mode, initial, files)
    signer = _authorised(after, commit)  # of the creator: nobody else is in that tree
    return Verdict(after, signer.key, Told(creator, said.type))


def _merge(state: State, commit: Commit, theirs: State | None) -> Verdict:
    """Row B33, hardened (X13): nothing is in it that its parents and their common past do not give."""
    if len(commit.parents) != 2 or theirs is None or commit.parents[0] == commit.parents[1]:
        refuse("merge-parents", f"A merge has two parents, and this one {len(set(commit.parents))}.")
    ours_id, theirs_id = commit.parents
    free = freed(state.bans, theirs.bans)
    for one in commit.merged:
        if (one.path in free.standing or one.path in free.banned) and one.result in (one.ours, one.theirs):
            continue  # with the ban that fell, as other clients merge, or without it, as `writing.merge` does
        if one.result not in _merged(one, is_theirs_greater=theirs_id > ours_id):
            refuse("merge-files", f"It has {one.path} otherwise than a merge of its parents has it.")
    after = state.after_merge(commit, theirs)
    signer = _authorised(after, commit)
    return Verdict(after, signer.key, Told(signer.uri, "merge"))


def _merged(one: MergedPath, *, is_theirs_greater: bool) -> set[str | None]:
    """What a merge may have of a path: two, where several common pasts disagree; none, where the parents conflict."""
    if one.ours == one.theirs:
        return {one.ours}
    allowed: set[str | None] = set()
    if one.theirs in one.bases:
        allowed.add(one.ours)
    if one.ours in one.bases:
        allowed.add(one.theirs)
    if not allowed and one.path == paths.PROFILE:  # both have a new card: that of the greater head (row B78)
        allowed.add(one.theirs if is_theirs_greater else one.ours)
    return allowed


def _ordinary(state: State, commit: Commit, lookup: Lookup) -> Verdict:
    said = _said(commit)
    after = state.after(commit)
    leaves = said.type == messages.MEMBER and said.action == "remove"
    signer = _authorised(state if leaves else after, commit)
    told = Told(signer.uri, said.type)
    if said.type == messages.INITIAL:
        refuse("initial-again", "How people come into a conversation is said once and for all, by its first commit.")
    if said.type == messages.VOTE:
        check_vote(state, commit, said, signer.uri)
    elif said.type == messages.MEMBER:
        if not paths.is_uri(said.uri) and not (said.action in ("ban", "unban") and paths.is_device(said.uri)):
            refuse("member-uri", "It names nobody.")
        match said.action:
            case "add":
                check_add(state, after, commit, said, signer.uri)
            case "join":
                check_join(state, after, commit, said, signer.uri)
            case "remove":
                leave = check_remove(state, commit, said, signer.uri)
                after = state.after_ban(commit, leave) if leave else after
            case "ban" | "unban":
                ban = check_ban(state, commit, said, signer.uri)
                after = state.after_ban(commit, ban)
            case _:
                refuse("member-action", f"It does something unknown with members: {said.action[:40]!r}.")
    elif said.type == messages.PROFILE:
        _check_profile(after, commit, signer)
    else:
        if said.type == messages.EDITED or said.edit:
            _check_edit(said, signer, lookup)
        _only_own(state, commit, signer)
    for change in commit.changes:
        _check_certificate(after, change)
    return Verdict(after, signer.key, told)


def _check_profile(after: State, commit: Commit, signer: Signer) -> None:
    if not after.is_admin(signer.uri):
        refuse("profile-admin", f"{signer.uri} is no admin, and changes the card of the conversation.")
    for change in commit.changes:
        if change.path not in (paths.PROFILE, paths.device(commit.device)):
            refuse("files", f"It changes {change.path} besides the card.")
        if change.path == paths.PROFILE and len(change.new or b"") > LARGEST_CARD:
            refuse("profile-size", f"The card has {len(change.new or b'')} bytes; {LARGEST_CARD} are allowed.")


def _check_edit(said: Said, signer: Signer, lookup: Lookup) -> None:
    edited = lookup(said.edit)
    if edited is None:
        refuse("edit-unknown", "It changes a message that is not there.")
    if edited.author != signer.uri:
        refuse("edit-author", "It changes somebody else's message.")
    if edited.type not in EDITABLE:
        refuse("edit-type", "It changes something that is no text and no file.")


# -- what all of them share


def _said(commit: Commit) -> Said:
    try:
        said = messages.said(commit.message)
    except NotAMessage as error:
        refuse("message", str(error))
    if not said.type:
        refuse("message", "It has no type.")
    return said


def _authorised(state: State, commit: Commit) -> Signer:
    """Who the author is in that tree.  Raises NotAuthorised, Refusal."""
    signer = state.signer(commit.device)
    if commit.time > signer.expires:
        refuse("expired", f"A certificate of {signer.uri} had ended before it was written.")
    return signer


def _check_file(change: Change) -> None:
    if not paths.is_allowed(change.path):
        refuse("path", f"A conversation holds no file {change.path[:200]!r}.")
    if change.new is not None and change.mode != paths.PLAIN_FILE:
        refuse("file-mode", f"{change.path} is no plain file.")


def _only(changed: dict[str, bytes] | tuple[Change, ...], allowed: set[str], rule: str) -> None:
    for path in changed if isinstance(changed, dict) else (change.path for change in changed):
        if path not in allowed:
            refuse(rule, f"It changes {path}, which a commit of this kind does not.")


def _only_own(state: State, commit: Commit, signer: Signer) -> None:
    """A commit without files may still add its device's certificate, or renew its own ones (row B36)."""
    if not commit.changes:
        return
    own = {paths.device(commit.device)}
    own |= {path for path in (paths.admin(signer.uri), paths.member(signer.uri)) if path in state.files}
    _only(commit.changes, own, "files")
    for change in commit.changes:
        if change.new is None:
            refuse("files", f"It removes {change.path}.")


def _check_certificate(after: State, change: Change) -> None:
    """A certificate that is new is that of whom it is filed under; one that is renewed has the same key."""
    kind = change.path.partition("/")[0]
    if change.new is None or kind not in ("admins", "members", "devices"):
        return
    name = paths.name_of(change.path)
    try:
        new = first_certificate(change.new)
        old = first_certificate(change.old) if change.old is not None else None
        if kind == "devices":
            account = after.files.get(paths.member(new.issuer_uid)) or after.files.get(paths.admin(new.issuer_uid))
            if new.long_id != name or account is None or not is_issued(change.new, account):
                refuse(
                    "certificate", f"{change.path} is not that device's certificate, or its account did not sign it."
                )
        elif new.key_id != name:
            refuse("certificate", f"{change.path} is not the certificate of that account.")
    except BadCertificate as error:
        refuse("certificate", f"{change.path} is no certificate. {error}")
    if old is not None and (old.key_id, old.issuer_uid) != (new.key_id, new.issuer_uid):
        refuse("certificate", f"{change.path} is renewed for another key.")
