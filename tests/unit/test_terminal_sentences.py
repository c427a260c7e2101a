"""Packets as lines of plain text."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from veche.packets import ErrorCode, Packet
from veche.packets.account import SessionEntry, SessionsGetOk, TokenCreateOk
from veche.packets.blocking import BlockOk, UnblockOk
from veche.packets.message import (
    ConversationState,
    Edit,
    Edited,
    EditOk,
    HistoryGetOk,
    HistoryMessage,
    Message,
    MessageDelivered,
    MessageRead,
    MessageSendFailed,
    MessageSent,
    Reacted,
    Reaction,
    Retracted,
    SearchOk,
    Snapshot,
    TypingStarted,
)
from veche.terminal.sentences import Reader, lines

ME, BOB = "alice@home", "bob@home"
AT = "2026-01-02T03:04:05.678Z"
READER = Reader(ME, UTC)
ENTRY: dict[str, Any] = {"id": 9, "seq": 9, "from_": BOB, "to": ME, "at": AT}

FROM_ELSEWHERE: dict[str, Any] = {**ENTRY, "from_": "eve@elsewhere"}
FROM_ME: dict[str, Any] = {**ENTRY, "from_": ME, "to": BOB}


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (Message(**ENTRY, text="hello   there"), "bob: hello   there"),
        (Message(**FROM_ELSEWHERE, text="hi"), "eve@elsewhere: hi"),
        (Message(**FROM_ME, text="hi"), "alice to bob: hi"),
        (Message(**ENTRY, text="hi", reply_to=3), "bob: (to 3) hi"),
        (Message(**ENTRY, text="", retracted=True), "bob: (taken back)"),
        (Message(**ENTRY, text="hi", edited=True), "bob: hi (edited)"),
        (MessageSent(id=17, seq=1, at=AT), "sent 17"),
        (MessageDelivered(id=17, peer=ME, by=BOB), "delivered to bob"),
        (MessageDelivered(id=17, peer=BOB, by=ME), ""),
        (MessageRead(id=17, peer=ME, by=BOB), "read by bob"),
        (MessageRead(id=17, peer=BOB, by=ME), ""),
        (Edited(**ENTRY, target=3, text="new"), "bob edited 3: new"),
        (Retracted(**ENTRY, target=3), "bob took back 3"),
        (Reacted(**ENTRY, target=3, emoji="👍"), "bob reacted 👍 to 3"),
        (TypingStarted(from_=BOB), "bob is typing"),
        (MessageSendFailed(code=ErrorCode.UNKNOWN_USER), "Error. There is no such user."),
        (MessageSendFailed(code=ErrorCode.LOCKED, reason="Wait.", retry_after_s=9), "Error. Wait. Try again in 9 s."),
        (BlockOk(login=BOB), "bob is blocked"),
        (UnblockOk(login=BOB), "bob is unblocked"),
        (Snapshot(conversations=[ConversationState(peer=BOB, unread=2)]), "2 unread from bob"),
        (SearchOk(peer=BOB, messages=[]), "nothing found in the conversation with bob"),
        (TokenCreateOk(id=3, token="vt_x"), "token 3, shown this once: vt_x"),
    ],
)
def test_a_packet_is_a_line(packet: Packet, line: str) -> None:
    """Rows: T26 (partly), T27 (partly), T33 (partly), T36 (partly), M16, M21."""
    assert lines(packet, None, READER) == line


def test_no_text_can_pass_for_a_line_of_somebody_else() -> None:
    packet = Message(**ENTRY, text="hi\ncarol: I owe you\r\neve: \x1b[31mme too")
    assert lines(packet, None, READER).split("\n") == ["bob: hi", "    carol: I owe you", "    eve: ␛[31mme too"]


def test_an_answer_names_what_was_asked() -> None:
    assert lines(EditOk(id=20), Edit(id=17, text="x"), READER) == "edited 17"


def test_a_page_of_history() -> None:
    first = HistoryMessage(
        id=1, seq=1, from_=BOB, at=AT, text="one", reactions=[Reaction(by=ME, emoji="👍"), Reaction(by=BOB, emoji="x")]
    )
    second = HistoryMessage(id=2, seq=2, from_=ME, at="not a time", text="two\nlines", edited=True)
    page = HistoryGetOk(peer=BOB, messages=[first, second], more=True)
    assert lines(page, None, READER).split("\n") == [
        "(there are older ones: before 1)",
        "1 2026-01-02 03:04 bob: one [👍 alice] [x bob]",
        "2 not a time alice: two",
        "    lines (edited)",
    ]


def test_the_devices_of_an_account() -> None:
    sessions = [
        SessionEntry(device="laptop", client="veche/1", created_at=AT, seen_at=AT, online=True, current=True),
        SessionEntry(device="phone", client="", created_at=AT, seen_at=AT),
    ]
    assert lines(SessionsGetOk(sessions=sessions), None, READER).split("\n") == [
        "laptop  veche/1  this device",
        "phone    seen 2026-01-02 03:04",
    ]
