"""What a call was, in the words of the conversation that keeps it.  Source: rows V33, B117."""

from __future__ import annotations

from veche.packets.conference import CallEntry, CallOutcome


def entry(call: CallEntry, author: str, me: str) -> str:
    """A call in a conversation (row V33)."""
    mine = author == me
    match call.outcome:
        case CallOutcome.ANSWERED:
            minutes, seconds = divmod(call.duration_s, 60)
            lasted = f", {minutes}:{seconds:02}" if call.duration_s else ""
            return f"(call{lasted})"
        case CallOutcome.MISSED:
            return "(called, nobody answered)" if mine else "(missed call)"
        case CallOutcome.DECLINED:
            return "(called, and was declined)" if mine else "(call, declined)"
        case CallOutcome.OCCUPIED:
            return "(called, the line was busy)" if mine else "(missed call, you were in another one)"
