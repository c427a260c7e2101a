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


def fold(oldest_first: Iterable[Entry]) -> list[Shown]:
    """What is shown of a history, oldest first.

    An edit of somebody else's message, or of none that came before, changes nothing; so does a reaction to none.
    """
    shown: dict[str, Shown] = {}
    for entry in oldest_first:
        edited, liked = entry.fields.get("edit", ""), entry.fields.get("react-to", "")
        if entry.type in QUIET:
            continue
        if edited:
            target = shown.get(edited)
            if target is not None and target.entry.author == entry.author:
                target.text, target.edited = entry.fields.get("body", ""), True
                target.deleted = not target.text
        elif liked:
            target, emoji = shown.get(liked), entry.fields.get("body", "")
            if target is not None and emoji and entry.author not in target.reactions.get(emoji, ()):
                target.reactions.setdefault(emoji, []).append(entry.author)
        else:
            shown[entry.id] = Shown(
                entry=entry, text=entry.fields.get("body", ""), is_unsupported=entry.type not in KNOWN
            )
    return list(shown.values())
