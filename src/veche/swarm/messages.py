"""What the message of a commit says: the one place where its JSON is shaped, written and read.

Written: keys in ascending order, no spaces, other characters than ASCII as \\uXXXX in lower case, `/` as it is.  All
values are strings but `mode`.  Read: any spelling of JSON, unknown keys skipped.  A merge has no JSON.

Source: repository facts §3, §4; rows B23, B104, B115-B117, B125-B129.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Struct, field

LARGEST_MESSAGE = 1024 * 1024
"""Bytes of a commit's message; more is refused."""

TEXT = "text/plain"
EDITED = "application/edited-message"
FILE = "application/data-transfer+json"
CALL = "application/call-history+json"
PROFILE = "application/update-profile"
MEMBER = "member"
VOTE = "vote"
INITIAL = "initial"
DOCUMENT = "application/collab-doc+json"
"""Written by other clients only."""


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """The base of all of them."""


class Initial(Message, frozen=True, kw_only=True, tag=INITIAL):
    """The first commit.  `invited` stands in conversations of two only."""

    mode: int
    invited: str = ""


class Member(Message, frozen=True, kw_only=True, tag=MEMBER):
    """Somebody is invited (add), comes (join), goes (remove), is banned or let in again (ban, unban)."""

    action: str
    uri: str


class Vote(Message, frozen=True, kw_only=True, tag=VOTE):
    """An admin votes about `uri`; what for stands in the path of the file alone."""

    uri: str


class Text(Message, frozen=True, kw_only=True, tag=TEXT):
    """A text; with `react_to`, a reaction whose body is the emoji."""

    body: str
    reply_to: str = field(name="reply-to", default="")
    react_to: str = field(name="react-to", default="")


class Edited(Message, frozen=True, kw_only=True, tag=EDITED):
    """Another text for message `edit`; an empty one deletes it."""

    body: str
    edit: str


class Profile(Message, frozen=True, kw_only=True, tag=PROFILE):
    """The card of the conversation is new."""


class File(Message, frozen=True, kw_only=True, tag=FILE):
    """A file that can be asked of any device that has it.  total_size: bytes, decimal; sha3sum: SHA3-512."""

    display_name: str = field(name="displayName")
    sha3sum: str
    tid: str
    total_size: str = field(name="totalSize")
    reply_to: str = field(name="reply-to", default="")

    def file_id(self, commit: str) -> str:
        """The name under which devices keep it and ask for it: never one that leads elsewhere (row B105)."""
        _, _, end = self.display_name.rpartition(".") if "." in self.display_name else ("", "", "")
        if not end or not self.tid.isdecimal() or any(letter in end for letter in "/\\\0"):
            end = ""
        tid = self.tid if self.tid.isdecimal() else "0"
        return f"{commit}_{tid}.{end}" if end else f"{commit}_{tid}"


class Call(Message, frozen=True, kw_only=True, tag=CALL):
    """A call of two has `to`; one of a group `confId`, `device`, `uri` of the host; its end `duration` in ms."""

    duration: str = ""
    to: str = ""
    conf_id: str = field(name="confId", default="")
    device: str = ""
    uri: str = ""


def encode(message: Message) -> bytes:
    """The bytes of a message, as every writer of swarms writes them."""
    fields = msgspec.to_builtins(message)
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")


def merge_message(theirs: str) -> bytes:
    """The message of a merge with a commit."""
    return f"Merge commit '{theirs}'".encode("ascii")


class Said(Struct, frozen=True):
    """What rules ask of any message.  A field that is no text counts as absent."""

    type: str
    action: str = ""
    uri: str = ""
    edit: str = ""
    invited: str = ""


class NotAMessage(Exception):
    """The message is no JSON object with a type."""


_any = msgspec.json.Decoder(dict[str, Any])


def said(message: bytes) -> Said:
    """Read what rules ask of a message.  Raises NotAMessage."""
    fields = read(message)
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise NotAMessage("It has no type.")
    action, uri, edit, invited = (fields.get(key, "") for key in ("action", "uri", "edit", "invited"))
    return Said(
        kind,
        action if isinstance(action, str) else "",
        uri if isinstance(uri, str) else "",
        edit if isinstance(edit, str) else "",
        invited if isinstance(invited, str) else "",
    )


def read(message: bytes) -> dict[str, Any]:
    """All fields of a message.  Raises NotAMessage, for any bytes, and nothing else."""
    try:
        return _any.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAMessage("It is no JSON object.") from error


def shown(message: bytes) -> dict[str, str]:
    """All fields of a message as texts, as clients are given them.  Raises NotAMessage."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in read(message).items()}
