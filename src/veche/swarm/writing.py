"""What a device writes: for each thing that people do, the files of its commit and its message.

The same state that judges commits of others says here what one's own is; what would be refused is refused before it is
written.  A device that writes for the first time in a conversation brings its certificate along (row B24).

Source: repository facts §4; rows B13-B20, B38-B42, B49-B55, B75, B104, B115-B117.
"""

from __future__ import annotations

from msgspec import Struct, structs

from . import card, messages, paths
from .bans import freed
from .certificates import BadCertificate, first_certificate
from .messages import Message
from .model import Mode, State
from .paths import Target


class CannotWrite(Exception):
    """What was asked for is not allowed in this conversation, or makes no sense; the text says why."""


class Author(Struct, frozen=True):
    """Whose device writes."""

    uri: str
    device: str
    """Long id."""
    account_pem: bytes
    """The account's certificate and its CA's."""
    device_pem: bytes


class Draft(Struct, frozen=True):
    """A commit to be: files that it writes, or removes (None), and its message."""

    files: dict[str, bytes | None]
    message: bytes


def create(author: Author, mode: Mode, invited: str = "") -> Draft:
    """The first commit.  invited: of a conversation of two, the other; oneself, for notes (rows B08, B13-B15)."""
    files: dict[str, bytes | None] = {
        paths.admin(author.uri): author.account_pem,
        paths.device(author.device): author.device_pem,
    }
    if mode is Mode.ONE_TO_ONE:
        _check_uri(invited)
        files[paths.invited(invited)] = b""
    elif invited:
        raise CannotWrite("Only a conversation of two begins with an invitation. Create it, then invite.")
    return Draft(files, messages.encode(messages.Initial(mode=int(mode), invited=invited)))


def say(state: State, author: Author, message: Message) -> Draft:
    """A commit that changes no file: a text, an edit, a reaction, a file, a call.

    Certificates that were renewed come along with it: only commits of these kinds may carry them.
    """
    _check_belongs(state, author)
    account = paths.admin(author.uri) if state.is_admin(author.uri) else paths.member(author.uri)
    own = {account: author.account_pem, paths.device(author.device): author.device_pem}
    files: dict[str, bytes | None] = {
        path: data for path, data in own.items() if path in state.files and _is_renewed(state.files[path], data)
    }
    return _draft(state, author, files, message)


def invite(state: State, author: Author, uri: str) -> Draft:
    """Invite somebody."""
    _check_belongs(state, author)
    _check_uri(uri)
    if uri == author.uri:
        raise CannotWrite("You are in this conversation already.")
    if state.is_member(uri):
        raise CannotWrite(f"{uri} is in this conversation already.")
    if state.mode is Mode.ONE_TO_ONE and uri not in state.initial:
        raise CannotWrite("This conversation is for two. Create a group to talk with more people.")
    if state.mode is Mode.ADMIN_INVITES_ONLY and not state.is_admin(author.uri):
        raise CannotWrite("Only admins invite people into this conversation. Ask one of them.")
    if any(paths.banned(where, uri) in state.files for where in (Target.ADMINS, Target.MEMBERS, Target.INVITED)):
        raise CannotWrite(f"{uri} is banned from this conversation. Admins can let them in again.")
    if state.has(paths.invited(uri)):
        raise CannotWrite(f"{uri} is invited already.")
    return _draft(state, author, {paths.invited(uri): b""}, messages.Member(action="add", uri=uri))


def join(state: State, author: Author) -> Draft:
    """Come in, invited."""
    if state.is_member(author.uri):
        raise CannotWrite("You are in this conversation already.")
    if not state.has(paths.invited(author.uri)):
        raise CannotWrite("You are not invited into this conversation. Ask somebody who is in it.")
    files: dict[str, bytes | None] = {
        paths.invited(author.uri): None,
        paths.member(author.uri): author.account_pem,
    }
    return _draft(state, author, files, messages.Member(action="join", uri=author.uri))


def leave(state: State, author: Author) -> Draft:
    """Go.  The device's certificate stays, so that what it wrote can still be checked by everyone."""
    _check_belongs(state, author)
    if not state.has(paths.device(author.device)):
        raise CannotWrite("This device has not written here yet, so it cannot leave. Write a word first.")
    own = [paths.admin(author.uri), paths.member(author.uri)]
    files: dict[str, bytes | None] = {path: None for path in own if state.has(path)}
    return _draft(state, author, files, messages.Member(action="remove", uri=author.uri))


def profile(state: State, author: Author, changed: dict[str, str]) -> Draft:
    """Change the card; what is not named stays.  Raises CannotWrite, BadCard (row B75)."""
    _check_admin(state, author)
    unknown = changed.keys() - {"title", "description", "avatar", "rdv_account", "rdv_device"}
    if unknown:
        raise CannotWrite(f"A card has no {sorted(unknown)[0]}.")
    old = card.read(state.card)
    new = structs.replace(old, **changed)
    data = card.write(new)
    if data == state.card:
        raise CannotWrite("The card says that already.")
    return _draft(state, author, {paths.PROFILE: data}, messages.Profile())


def vote(state: State, author: Author, kind: str, target: str) -> Draft:
    """Vote to ban somebody or a device, or to let somebody in again (rows B49, B50)."""
    _check_admin(state, author)
    where = where_stands(state, kind, target)
    path = paths.vote(kind, where, target, author.uri)
    if target == author.uri or target == author.device:
        raise CannotWrite("One cannot vote about oneself. To go, leave the conversation.")
    if where is Target.DEVICES and kind == "unban":
        raise CannotWrite("A banned device stays banned. Its owner can add another one.")
    if state.has(path):
        raise CannotWrite("You have voted for that already.")
    return _draft(state, author, {path: b""}, messages.Vote(uri=target))


def where_stands(state: State, kind: str, target: str) -> Target:
    """As what a target stands in the conversation; for unban, as what it stood.  Raises CannotWrite."""
    if kind not in ("ban", "unban"):
        raise CannotWrite("A vote is to ban or to unban.")
    file = paths.standing if kind == "ban" else paths.banned
    for where in Target:
        if (paths.is_device if where is Target.DEVICES else paths.is_uri)(target) and file(
            where, target
        ) in state.files:
            return where
    raise CannotWrite(f"{target} is not in this conversation." if kind == "ban" else f"{target} is not banned here.")


def is_decided(state: State, kind: str, target: str) -> bool:
    """Whether more than half of the admins have voted for it (row B51)."""
    where = where_stands(state, kind, target)
    voted = sum(paths.vote(kind, where, target, admin) in state.files for admin in _tree_admins(state))
    return voted * 2 > len(_tree_admins(state))


def resolve(state: State, author: Author, kind: str, target: str) -> Draft:
    """Do what was voted for.  Raises CannotWrite while it is not decided (rows B51-B55)."""
    _check_admin(state, author)
    where = where_stands(state, kind, target)
    if not is_decided(state, kind, target):
        raise CannotWrite("It is not decided: more than half of the admins must vote for it.")
    prefix = f"votes/{kind}/{where}/{target}/"
    files: dict[str, bytes | None] = {path: None for path in state.files if path.startswith(prefix)}
    here, there = paths.standing(where, target), paths.banned(where, target)
    gone, new = (here, there) if kind == "ban" else (there, here)
    if kind == "ban" and state.has(there):
        raise CannotWrite(f"{target} is banned already. Let them in again first, then ban them.")
    files[new] = state.files[gone]
    files[gone] = None
    return _draft(state, author, files, messages.Member(action=kind, uri=target))


def merge(ours: State, base: State, theirs: State, heads: tuple[str, str]) -> dict[str, bytes | None]:
    """The files by which a merge differs from `ours`.  heads: ours and theirs.  Raises CannotWrite on a conflict.

    base: the state after the last commit that both have in common; of several such commits, `blend` them.  A card
    that both changed is that of the greater head, as hexadecimal text (row B78).  Where a ban meets a stronger one that
    is against it, the tree is as without it (rows B46, X12): each such file stays as the half without that ban has it,
    which everybody accepts of a merge.
    """
    free = freed(ours.bans, theirs.bans)
    files: dict[str, bytes | None] = {}
    for path in sorted({*ours.files, *theirs.files}):
        mine, other, old = ours.files.get(path), theirs.files.get(path), base.files.get(path)
        if mine == other:
            continue
        if path in free.standing and None in (mine, other):
            chosen = other if mine is None else mine
        elif path in free.banned and None in (mine, other):
            chosen = None
        elif other == old:
            chosen = mine
        elif mine == old:
            chosen = other
        elif path == paths.PROFILE and old is not None and mine is not None and other is not None:
            chosen = other if heads[1] > heads[0] else mine
        else:
            raise CannotWrite(f"Both sides have changed {path}.")
        if chosen != mine:
            files[path] = chosen
    return files


def blend(one: State, base: State, other: State) -> State:
    """What two merge bases have in common with both sides: their own merge, which nobody writes.

    base: the state after the last commit that these two have in common.  Where they conflict, `one` is believed.
    """
    files = dict(one.files)
    for path in {*base.files, *other.files}:
        if one.files.get(path) == base.files.get(path):
            data = other.files.get(path)
            if data is None:
                files.pop(path, None)
            else:
                files[path] = data
    return State(one.conversation, one.mode, one.initial, files)


# -- what all of them share


def _draft(state: State, author: Author, files: dict[str, bytes | None], message: Message) -> Draft:
    own = paths.device(author.device)
    if not state.has(own):
        if state.has(paths.banned(Target.DEVICES, author.device)):
            raise CannotWrite("This device is banned from the conversation.")
        files = {**files, own: author.device_pem}
    return Draft(files, messages.encode(message))


def _is_renewed(old: bytes, new: bytes) -> bool:
    try:
        was, now = first_certificate(old), first_certificate(new)
    except BadCertificate:
        return False
    return (was.key_id, was.issuer_uid) == (now.key_id, now.issuer_uid) and now.not_after > was.not_after


def _tree_admins(state: State) -> list[str]:
    return [paths.name_of(path) for path in state.files if path.startswith("admins/")]


def _check_uri(uri: str) -> None:
    if not paths.is_uri(uri):
        raise CannotWrite("An account is named by 40 hexadecimal digits in lower case.")


def _check_belongs(state: State, author: Author) -> None:
    if not state.is_member(author.uri):
        raise CannotWrite("You are not in this conversation, or no longer.")


def _check_admin(state: State, author: Author) -> None:
    _check_belongs(state, author)
    if not state.is_admin(author.uri):
        raise CannotWrite("Only admins can do this here.")
