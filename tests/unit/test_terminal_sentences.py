"""Packets as lines of plain text."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from msgspec.structs import replace

from veche.client.conferences import Conferences
from veche.client.people import fold_people
from veche.packets import ErrorCode, Packet
from veche.packets.account import SessionEntry, SessionsGetOk, TokenCreateOk
from veche.packets.blocking import BlockOk, UnblockOk
from veche.packets.broadcast import Broadcast, BroadcastOk
from veche.packets.contacts import (
    Contact,
    ContactsAddOk,
    ContactsChangeOk,
    ContactsDeleteOk,
    ContactsGetResponse,
    ContactUpdated,
    FriendAnswerOk,
    FriendCancelOk,
    FriendIgnoreOk,
    FriendRequested,
    FriendRequestFailed,
    FriendRequestOk,
    Relation,
)
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
from veche.packets.presence import Status, UpdateLastSeen, WhoElseOk, WhoElseSinceOk
from veche.packets.profile import ProfileGetOk, ProfileUpdateOk
from veche.terminal.sentences import Reader, lines

ME, BOB = "alice@home", "bob@home"
AT = "2026-01-02T03:04:05.678Z"
READER = Reader(Conferences(me=ME), UTC)
ENTRY: dict[str, Any] = {"id": 9, "seq": 9, "from_": BOB, "to": ME, "at": AT}

CAROL, DAVE, EVE = "carol@home", "dave@home", "eve@home"


def reader() -> Reader:
    """Somebody with two friends, one of them online, and one who waits for an answer."""
    friends = [
        Contact(id=BOB, name="bob", status=Status.ONLINE, presence=AT, relation=Relation.MUTUAL),
        Contact(id=DAVE, name="dave", note="here", relation=Relation.MUTUAL),
        Contact(id=CAROL, name="carol", relation=Relation.INCOMING),
    ]
    return Reader(Conferences(me=ME, contacts={one.id: one for one in friends}), UTC)


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
        (FriendRequested(from_=EVE), "eve wants to be your friend: friend accept eve"),
        (FriendRequested(from_=EVE, name="Eve E."), "eve (Eve E.) wants to be your friend: friend accept eve"),
        (FriendRequestOk(login=EVE, relation=Relation.OUTGOING), "eve is asked to be your friend"),
        (FriendRequestOk(login=EVE, relation=Relation.MUTUAL), ""),
        (FriendAnswerOk(login=EVE, accepted=False), "you have refused eve, who is not told"),
        (FriendIgnoreOk(login=EVE), "eve waits, and you are not reminded; friend accept eve still works"),
        (FriendCancelOk(login=EVE), "your request to eve is taken back"),
        (FriendRequestFailed(code=ErrorCode.ALREADY_THERE), "Error. It is so already."),
        (FriendRequestFailed(code=ErrorCode.FORBIDDEN), "Error. This is not yours to change."),
        (ContactsAddOk(id=EVE, relation=Relation.OUTGOING), "eve is listed and asked to be your friend"),
        (ContactsChangeOk(id=EVE), "eve is changed in your list"),
        (ContactsDeleteOk(id=EVE), "eve is off your list"),
        (ContactsGetResponse(contacts=[]), "nobody"),
        (WhoElseOk(users=[BOB, "eve@elsewhere"]), "bob\neve@elsewhere"),
        (WhoElseOk(users=[]), "nobody else is online"),
        (WhoElseSinceOk(users=[]), "nobody else was online"),
        (Broadcast(from_=BOB, at=AT, text="hi\nall"), "bob to all: hi\n    all"),
        (BroadcastOk(), "told to those who are online"),
        (BroadcastOk(skipped=True), "told to those who are online, but for some who have blocked you"),
        (ProfileUpdateOk(name="Al", avatar="00"), "your profile: name: Al; picture: yes"),
        (ProfileUpdateOk(), "your profile: nothing is said"),
        (
            ProfileGetOk(id=BOB, note="busy", avatar_type="image/png", avatar="iVBORw=="),
            "bob: note: busy; picture: image/png, 4 bytes",
        ),
    ],
)
def test_a_packet_is_a_line(packet: Packet, line: str) -> None:
    """Rows: T26 (partly), T27 (partly), T33 (partly), T36 (partly), M16, M21."""
    assert lines(packet, None, READER) == line


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (ContactUpdated(id=EVE, relation=Relation.INCOMING), ""),
        (ContactUpdated(id=EVE, relation=Relation.OUTGOING), ""),
        (ContactUpdated(id=EVE, relation=Relation.MUTUAL, status=Status.OFFLINE), "eve is your friend now"),
        (
            ContactUpdated(id=EVE, relation=Relation.MUTUAL, status=Status.ONLINE),
            "eve is your friend now\neve is online",
        ),
        (ContactUpdated(id=BOB, relation=Relation.NONE, listed=False), "bob is no longer your friend"),
        (ContactUpdated(id=BOB, relation=Relation.BLOCKED, status=Status.UNKNOWN), ""),
        (ContactUpdated(id=CAROL, relation=Relation.NONE, listed=False), "carol no longer waits for your answer"),
        (ContactUpdated(id=BOB, status=Status.AWAY), "bob is away"),
        (ContactUpdated(id=BOB, status=Status.OFFLINE, presence=AT), "bob went offline"),
        (ContactUpdated(id=BOB, status=Status.UNKNOWN, presence=""), ""),
        (ContactUpdated(id=BOB, status=Status.ONLINE, presence=AT), ""),
        (ContactUpdated(id=DAVE, status=Status.OFFLINE), ""),
        (ContactUpdated(id=DAVE, status=Status.ONLINE), "dave is online"),
        (UpdateLastSeen(id=BOB, at=AT, status=Status.OFFLINE), "bob went offline"),
        (UpdateLastSeen(id=BOB, at="nonsense"), ""),
        (UpdateLastSeen(id="yoda@home", at=AT, status=Status.ONLINE), "yoda is online"),
        (ContactUpdated(id=BOB, name="Robert \x1b[2J"), "bob is called Robert ␛[2J now"),
        (ContactUpdated(id=BOB, name="Bobby", own_name="Bobby"), ""),
        (ContactUpdated(id=BOB, note="on\nvacation"), "bob says: on ↵ vacation"),
        (ContactUpdated(id=DAVE, note=""), "dave has no note any more"),
        (ContactUpdated(id=BOB, group="x", memo="y", listed=True), ""),
    ],
)
def test_a_patch_is_told_as_what_is_new(packet: Packet, line: str) -> None:
    """Rows: A22 (partly), M27 (partly), T20 (partly), X02 (partly), X21 (partly)."""
    assert lines(packet, None, reader()) == line


def test_one_coming_is_told_once() -> None:
    """The same news in two packets.  Rows: X02 (partly)."""
    who = reader()
    told = [
        UpdateLastSeen(id=DAVE, at=AT, status=Status.ONLINE),
        ContactUpdated(id=DAVE, presence=AT, status=Status.ONLINE),
    ]
    said: list[str] = []
    for packet in told:
        said.append(lines(packet, None, who))
        who.people = fold_people(who.people, packet)
    assert said == ["dave is online", ""]


def test_one_line_for_each_contact() -> None:
    """Rows: M29 (partly), M37 (partly), M42 (partly), X21 (partly)."""
    asking = Contact(id=CAROL, name="carol", relation=Relation.INCOMING, ignored=True)
    packet = ContactsGetResponse(
        contacts=[
            Contact(id=BOB, name="Robert", note="busy", status=Status.ONLINE, relation=Relation.MUTUAL, group="a/b"),
            Contact(id=DAVE, name="dave", status=Status.OFFLINE, presence=AT, relation=Relation.MUTUAL, memo="owes 5"),
            Contact(id=DAVE, name="dave", status=Status.OFFLINE, presence="?", relation=Relation.MUTUAL),
            Contact(id=DAVE, name="dave", relation=Relation.MUTUAL),
            asking,
            Contact(id=EVE, name="eve", relation=Relation.OUTGOING),
            Contact(id=EVE, name="eve", relation=Relation.BLOCKED, note="hm"),
            Contact(id="x@elsewhere", name="x", listed=True),
        ]
    )
    assert lines(packet, None, READER).split("\n") == [
        "bob (Robert): online; note: busy; group: a/b",
        "dave: offline, last seen 2026-01-02 03:04; memo: owes 5",
        "dave: offline",
        "dave: presence unknown",
        "carol wants to be your friend: friend accept carol (ignored)",
        "you have asked eve: friend cancel eve",
        "eve: blocked; note: hm",
        "x@elsewhere (x): not a friend",
    ]
    snapshot = Snapshot(contacts=[asking, replace(asking, ignored=False)])
    assert (
        lines(snapshot, None, Reader(Conferences(me=ME), slash="/"))
        == "carol wants to be your friend: /friend accept carol"
    )


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
