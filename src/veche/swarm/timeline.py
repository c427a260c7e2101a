"""What people see of a history: texts with their edits and reactions folded in, in the linear order.

Source: rows B23, B36, B43, B126-B130.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from . import messages


class Entry(Struct, frozen=True):
    """One commit as the log has it."""

    id: str
    author: str
    """A uri."""
    device: str
    type: str
    time: int
    fields: dict[str, str]


class Shown(Struct):
    """One line of a conversation."""

    entry: Entry
    text: str = ""
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, list[str]] = {}
    """By emoji: who."""
    is_unsupported: bool = False
    """Of a type that is not known here: kept, and said so (row B36)."""


QUIET = ("merge", messages.VOTE)
KNOWN = (messages.TEXT, messages.FILE, messages.CALL, messages.PROFILE, messages.MEMBER, messages.INITIAL)


class _Reaction(Struct):
    author: str
    to: str
    emoji: str


def fold(oldest_first: Iterable[Entry]) -> list[Shown]:
    """What is shown of a history, oldest first.

    An edit of somebody else's message, or of none that came before, changes nothing; so does a reaction to none.  A
    reaction is a message too: edited it is another one, and with an empty body it is taken back.
    """
    shown: dict[str, Shown] = {}
    reactions: dict[str, _Reaction] = {}
    for entry in oldest_first:
        body, edited, to = (entry.fields.get(key, "") for key in ("body", "edit", "react-to"))
        if entry.type in QUIET:
            continue
        if edited:
            if edited in reactions and reactions[edited].author == entry.author:
                reactions[edited].emoji = body
            elif edited in shown and shown[edited].entry.author == entry.author:
                target = shown[edited]
                target.text, target.edited, target.deleted = body, True, not body
        elif to:
            if to in shown:
                reactions[entry.id] = _Reaction(entry.author, to, body)
        else:
            shown[entry.id] = Shown(entry=entry, text=body, is_unsupported=entry.type not in KNOWN)
    for one in reactions.values():
        who = shown[one.to].reactions.setdefault(one.emoji, []) if one.emoji else []
        if one.author not in who:
            who.append(one.author)
    return list(shown.values())
