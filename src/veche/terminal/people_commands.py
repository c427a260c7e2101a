"""What a person types about people, the same in the plain mode and on the screen.

    friend accept bob
    contact set bob name="Bob Smith" group=work/kitchen memo=
    profile note="on vacation" avatar=me.png

Source: rows A15-A29, M31-M33, M39-M47, T33-T36.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from veche.client.requests import picture
from veche.packets import Packet
from veche.packets.contacts import (
    ContactsAdd,
    ContactsChange,
    ContactsDelete,
    FriendAnswer,
    FriendCancel,
    FriendIgnore,
    FriendRemove,
    FriendRequest,
)
from veche.packets.profile import MAX_AVATAR_BYTES, ProfileGet, ProfileUpdate

FRIEND: dict[str, tuple[str, Callable[[str], Packet]]] = {
    "add": ("ask LOGIN to be your friend", lambda login: FriendRequest(login=login)),
    "accept": ("say yes to the request of LOGIN", lambda login: FriendAnswer(login=login, accepted=True)),
    "refuse": ("say no; LOGIN is not told", lambda login: FriendAnswer(login=login, accepted=False)),
    "ignore": ("leave the request unanswered", lambda login: FriendIgnore(login=login)),
    "cancel": ("take your own request back", lambda login: FriendCancel(login=login)),
    "remove": ("end the friendship with LOGIN", lambda login: FriendRemove(login=login)),
}
"""What can be done about a friend -> what it means, and its request."""
CONTACT = {
    "add": ("list LOGIN, and ask to be friends", "LOGIN [name=... group=... memo=...]"),
    "set": ("your own name, group (a/b: b in a), memo", "LOGIN name=... group=... memo=..."),
    "remove": ("take LOGIN off the list; ends a friendship", "LOGIN"),
}
"""What can be done about a contact -> what it means, and its arguments."""


class Wrong(ValueError):
    """This is no command.  Its message is a sentence that says what to write."""


class ProfileChange(NamedTuple):
    """`profile name=... note=... avatar=FILE`; None: stays, empty: is removed."""

    name: str | None
    note: str | None
    avatar: str | None
    """path of a picture file"""

    def request(self) -> ProfileUpdate:
        """Read the file.  Raises Wrong."""
        if not self.avatar:
            return ProfileUpdate(name=self.name, note=self.note, avatar=self.avatar)
        try:
            with Path(self.avatar).expanduser().open("rb") as file:
                content = file.read(MAX_AVATAR_BYTES + 1)
        except (OSError, ValueError, RuntimeError) as error:
            raise Wrong(f"{self.avatar} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
        if len(content) > MAX_AVATAR_BYTES:
            raise Wrong(f"{self.avatar} is larger than {MAX_AVATAR_BYTES // 1024} KiB; make the picture smaller.")
        return ProfileUpdate(name=self.name, note=self.note, avatar=picture(content))


def friend(rest: str, usage: str) -> Packet:
    """The request of `friend VERB LOGIN`.  usage: for the sentence when it is none.  Raises Wrong."""
    verb, _, login = rest.strip().partition(" ")
    if verb not in FRIEND or not is_word(login.strip()):
        raise Wrong(f"Write: {usage}")
    return FRIEND[verb][1](login.strip())


def contact(rest: str, usage: str) -> Packet:
    """The request of `contact VERB LOGIN ...`.  Raises Wrong."""
    verb, _, rest = rest.strip().partition(" ")
    login, _, rest = rest.strip().partition(" ")
    if verb not in CONTACT or not login or "=" in login:
        raise Wrong(f"Write: {usage}")
    fields = settings(rest, ("name", "group", "memo"), usage)
    match verb:
        case "add":
            return ContactsAdd(id=login, **fields)
        case "set" if fields:
            return ContactsChange(id=login, **fields)
        case "remove" if not rest.strip():
            return ContactsDelete(id=login)
        case _:
            raise Wrong(f"Write: {usage}")


def profile(rest: str, usage: str, me: str = "") -> ProfileGet | ProfileChange:
    """What `profile ...` asks for.  me: whose profile is meant when nobody is named.  Raises Wrong."""
    if "=" not in rest:
        login = rest.strip()
        if login and not is_word(login):
            raise Wrong(f"Write: {usage}")
        return ProfileGet(login=login or me)
    fields = settings(rest, ("name", "note", "avatar"), usage)
    return ProfileChange(fields.get("name"), fields.get("note"), fields.get("avatar"))


def settings(rest: str, names: tuple[str, ...], usage: str) -> dict[str, str]:
    """What `name=value` words say; a value with spaces stands in quotes, a backslash is itself.  Raises Wrong."""
    lexer = shlex.shlex(rest, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    found: dict[str, str] = {}
    try:
        for word in lexer:
            name, equals, value = word.partition("=")
            if not equals or name not in names or name in found:
                raise Wrong(f"Write: {usage} (a value with spaces in quotes)")
            found[name] = value
    except ValueError as error:
        if isinstance(error, Wrong):
            raise
        raise Wrong("A quote is not closed; a value that holds ' stands in double quotes.") from None
    return found


def is_word(text: str) -> bool:
    """One word, such as a login."""
    return bool(text) and len(text.split()) == 1
