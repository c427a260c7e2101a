"""What came of a call, kept as an entry of the conversation of the two.

An entry is of the kind CALL, or MISSED, which counts as unread; its text is a `CallEntry` as JSON.  It is the caller's,
of none of their devices.  When the called one blocks the caller, the caller alone sees it (row X06).

Source: rows V33, X06.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from veche.packets.conference import CallEntry, CallOutcome

from . import blocks, conversations
from .database import Entry, Kind, Rows, Statement, Steps, Stored

CALLS = (Kind.CALL, Kind.MISSED)


class Noted(NamedTuple):
    """A call that stands in a conversation."""

    stored: Stored
    conversation: int
    is_hidden: bool


def note(caller: int, called: int, entry: CallEntry, now: int) -> Steps[Noted]:
    """Write down what came of a call."""
    conversation = yield from conversations.open_direct(caller, called, now)
    is_hidden = yield from blocks.is_blocked(called, caller)
    kind = Kind.MISSED if entry.outcome is CallOutcome.MISSED else Kind.CALL
    text = msgspec.json.encode(entry).decode()
    stored: Stored = yield Entry(conversation, kind, caller, 0, now, text, hidden=int(is_hidden))
    return Noted(stored, conversation, is_hidden)


def ended(message_id: int, now: int) -> Steps[None]:
    """The conference of an answered call is over: write down how long it took."""
    rows: Rows = yield Statement(
        f"SELECT at, text FROM message WHERE id = $1 AND kind = {int(Kind.CALL)} AND retracted_at IS NULL",
        (message_id,),
    )
    if rows and (entry := entry_of(rows[0][1])) is not None:
        duration_s = max(0, (now - rows[0][0]) // 1_000_000)
        text = msgspec.json.encode(replace(entry, duration_s=duration_s)).decode()
        yield Statement("UPDATE message SET text = $2 WHERE id = $1", (message_id, text))


def entry_of(text: str) -> CallEntry | None:
    """What an entry says; None when its author took everything back."""
    return msgspec.json.decode(text, type=CallEntry) if text else None
