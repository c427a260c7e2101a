"""What happens to a client in protocol/vectors/fold.json: named sequences of packets, told by alice's device.

Each shows one thing that is easy to get wrong: order, repeats, what a snapshot knows that the device does not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from veche.packets import ErrorCode, Packet
from veche.packets.account import ConnectOk
from veche.packets.admin import Announced, Announcement
from veche.packets.blocking import BlockOk, UnblockOk
from veche.packets.contacts import Contact, ContactsGetResponse, ContactUpdated, Relation
from veche.packets.files import FileInfo
from veche.packets.message import (
    ConversationState,
    Edit,
    Edited,
    EditOk,
    HistoryGet,
    HistoryGetOk,
    HistoryMessage,
    Message,
    MessageDelivered,
    MessageRead,
    MessageSend,
    MessageSendFailed,
    MessageSent,
    React,
    Reacted,
    Reaction,
    ReactOk,
    Retract,
    Retracted,
    RetractOk,
    Snapshot,
    TypingEnd,
    TypingStarted,
)
from veche.packets.presence import Status, UpdateLastSeen
from veche.packets.profile import Profile, ProfileUpdateOk


class Sending(NamedTuple):
    """This device is about to send a message under this key."""

    packet: MessageSend
    key: str


class Answer(NamedTuple):
    """A packet of the server that answers a request of this device."""

    packet: Packet
    request: Packet


class At(NamedTuple):
    """A packet that arrives at a time in seconds; None: only the time has passed."""

    now: float
    packet: Packet | None


class Lost(NamedTuple):
    """The link is lost at this instant."""

    at: str


Step = Packet | Sending | Answer | At | Lost

ME, BOB, CAROL, DAVE = "alice@home.example", "bob@home.example", "carol@home.example", "dave@far.example"
LOGIN = ConnectOk(login=ME, device="web", resume="vr_1")


def at(n: int) -> str:
    """An instant, n seconds into a day."""
    return f"2026-11-21T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000Z"


def message(n: int, text: str = "", author: str = BOB, peer: str = BOB, **fields: Any) -> Message:
    to = ME if author != ME else peer
    return Message(id=n, seq=n, from_=author, to=to, at=at(n), text=text or f"text {n}", **fields)


def told(n: int, text: str = "", author: str = BOB, **fields: Any) -> HistoryMessage:
    return HistoryMessage(id=n, seq=n, from_=author, at=at(n), text=text or f"text {n}", **fields)


def edited(n: int, target: int, text: str, author: str = BOB) -> Edited:
    to = ME if author != ME else BOB
    return Edited(id=n, seq=n, from_=author, to=to, at=at(n), target=target, text=text)


def retracted(n: int, target: int, author: str = BOB) -> Retracted:
    to = ME if author != ME else BOB
    return Retracted(id=n, seq=n, from_=author, to=to, at=at(n), target=target)


def reacted(n: int, target: int, emoji: str, author: str = BOB, *, removed: bool = False) -> Reacted:
    to = ME if author != ME else BOB
    return Reacted(id=n, seq=n, from_=author, to=to, at=at(n), target=target, emoji=emoji, removed=removed)


def snapshot(*conversations: ConversationState, **fields: Any) -> Snapshot:
    return Snapshot(conversations=list(conversations), **fields)


def page(*messages: HistoryMessage, more: bool = False) -> HistoryGetOk:
    return HistoryGetOk(peer=BOB, messages=list(messages), more=more)


def friend(id: str, **fields: Any) -> Contact:
    usual: dict[str, Any] = {"name": id.partition("@")[0], "relation": Relation.MUTUAL, "listed": True}
    return Contact(id=id, **{**usual, **fields})


def file(id: str, **fields: Any) -> FileInfo:
    usual: dict[str, Any] = {"name": f"{id}.jpg", "type": "image/jpeg", "bytes": 3, "sha256": "0" * 64}
    return FileInfo(id=id, **{**usual, **fields})


SHOTS = MessageSend(to="Bob", text="", cookie="t-2", files=["f1", "f2"])
HI = MessageSend(to="Bob", text="hi", cookie="t-1", reply_to=3)

SEQUENCES: dict[str, list[Step]] = {
    "a conversation": [
        LOGIN,
        snapshot(ConversationState(peer=BOB, last_id=2, unread=1, read_id=1, peer_read_id=1, peer_delivered_id=2)),
        message(3),
        message(4, author=ME),
        message(5, reply_to=3),
        MessageDelivered(id=4, peer=ME, by=BOB),
        MessageRead(id=3, peer=BOB, by=ME),
        MessageRead(id=4, peer=ME, by=BOB),
        MessageRead(id=5, peer=BOB, by=ME),
        message(6, author=CAROL),
    ],
    "marks only rise": [
        LOGIN,
        message(1, author=ME),
        message(2),
        MessageRead(id=2, peer=BOB, by=ME),
        MessageRead(id=1, peer=BOB, by=ME),
        MessageRead(id=1, peer=ME, by=BOB),
        MessageDelivered(id=1, peer=ME, by=BOB),
        MessageDelivered(id=2, peer=BOB, by=ME),
        snapshot(ConversationState(peer=BOB, last_id=1, read_id=1)),
    ],
    "changes out of order": [
        LOGIN,
        message(1),
        edited(5, 1, "third"),
        edited(4, 1, "second"),
        reacted(7, 1, "👍", removed=True),
        reacted(6, 1, "👍"),
        reacted(8, 1, "👍", ME),
        reacted(9, 1, "❤️"),
        retracted(10, 1),
        edited(11, 1, "too late"),
        reacted(12, 1, "👍"),
    ],
    "changes before their message": [
        LOGIN,
        edited(5, 1, "new"),
        reacted(6, 1, "👍"),
        message(1, "old"),
        retracted(7, 2),
        message(2, "gone"),
        retracted(8, 3),
        snapshot(ConversationState(peer=BOB, last_id=8, unread=2, read_id=0)),
        MessageRead(id=2, peer=BOB, by=ME),
    ],
    "repeats are harmless": [
        LOGIN,
        message(1),
        message(1),
        edited(2, 1, "once"),
        edited(2, 1, "once"),
        reacted(3, 1, "👍"),
        reacted(3, 1, "👍"),
        message(1),
        retracted(4, 1),
        retracted(4, 1),
        message(1),
        TypingEnd(from_=BOB),
    ],
    "messages out of order": [
        LOGIN,
        message(5),
        message(2),
        message(9),
        message(3),
        message(1),
        message(5, author=BOB),
    ],
    "a page that is older than what is known": [
        LOGIN,
        message(2),
        edited(4, 2, "new"),
        reacted(5, 2, "👍", removed=True),
        reacted(6, 2, "❤️", ME),
        Answer(
            page(
                told(1, reactions=[Reaction(by=ME, emoji="👍")]),
                told(2, "old", reactions=[Reaction(by=BOB, emoji="👍"), Reaction(by=ME, emoji="❤️")]),
                told(3, edited=True, author=ME),
            ),
            HistoryGet(peer=BOB),
        ),
        reacted(7, 1, "👍", ME, removed=True),
    ],
    "what was edited and taken back before it came": [
        LOGIN,
        message(1, "newest", edited=True),
        edited(3, 1, "newest"),
        Message(id=2, seq=2, from_=BOB, to=ME, at=at(2), text="", retracted=True),
        retracted(4, 2),
        Answer(page(told(1, "newest", edited=True)), HistoryGet(peer=BOB)),
    ],
    "pages that join and a page that does not": [
        LOGIN,
        message(30),
        Answer(page(told(20), told(25), told(30), more=True), HistoryGet(peer="bob")),
        Answer(page(told(3), told(4), more=True), HistoryGet(peer="bob", before=5)),
        Answer(page(told(10), told(15), more=True), HistoryGet(peer="bob", before=20)),
        Answer(page(told(15), told(20)), HistoryGet(peer="bob", after=10)),
        Answer(page(told(1), told(3), told(4)), HistoryGet(peer="bob", before=10)),
        page(told(31)),
    ],
    "an empty conversation": [LOGIN, Answer(page(), HistoryGet(peer="bob")), message(1)],
    "sending": [
        LOGIN,
        Sending(HI, "t-1"),
        Sending(MessageSend(to=BOB, text="again", cookie="t-2"), "t-2"),
        Answer(MessageSent(id=9, seq=4, at=at(9), cookie="t-1"), HI),
        Answer(MessageSent(id=9, seq=4, at=at(9), cookie="t-1"), HI),
        Answer(
            MessageSendFailed(code=ErrorCode.STORAGE_FULL, cookie="t-2"),
            MessageSend(to=BOB, text="again", cookie="t-2"),
        ),
        Sending(MessageSend(to="nobody", text="hello?", cookie="t-3"), "t-3"),
        Answer(
            MessageSendFailed(code=ErrorCode.UNKNOWN_USER, reason="Nobody is called so.", cookie="t-3"),
            MessageSend(to="nobody", text="hello?", cookie="t-3"),
        ),
        message(10, author=ME),
    ],
    "changes of our own": [
        LOGIN,
        message(1, author=ME),
        message(2, author=ME),
        message(3),
        Answer(EditOk(id=4), Edit(id=1, text="better")),
        Answer(ReactOk(id=5), React(id=3, emoji="👍")),
        Answer(RetractOk(id=6), Retract(id=2)),
        Answer(ReactOk(id=7), React(id=3, emoji="👍", remove=True)),
        Answer(EditOk(id=8), Edit(id=77, text="of what?")),
        edited(4, 1, "better", ME),
    ],
    "a newer snapshot after a reconnect": [
        LOGIN,
        snapshot(ConversationState(peer=BOB, last_id=2, unread=2)),
        message(3),
        message(4),
        Lost(at(100)),
        LOGIN,
        snapshot(ConversationState(peer=BOB, last_id=7, unread=4, read_id=2, peer_read_id=5, peer_delivered_id=6)),
        message(5, author=ME),
        message(6),
        message(7),
        message(8),
        MessageRead(id=6, peer=BOB, by=ME),
        retracted(9, 7),
        MessageRead(id=8, peer=BOB, by=ME),
    ],
    "unread messages that are taken back": [
        LOGIN,
        message(1),
        message(2),
        message(3),
        snapshot(ConversationState(peer=BOB, last_id=4, unread=2)),
        retracted(4, 1),
        retracted(5, 2),
        retracted(6, 3),
        message(7),
        retracted(8, 7),
    ],
    "a snapshot counts more than is known": [
        LOGIN,
        snapshot(ConversationState(peer=BOB, last_id=500, unread=300, read_id=10)),
        message(501),
        message(200),
        MessageRead(id=200, peer=BOB, by=ME),
        retracted(502, 300),
        MessageRead(id=501, peer=BOB, by=ME),
    ],
    "typing": [
        At(0, LOGIN),
        At(100, TypingStarted(from_=BOB)),
        At(109.5, None),
        At(110, None),
        At(111, TypingStarted(from_=BOB)),
        At(112, TypingStarted(from_=CAROL)),
        At(113, TypingEnd(from_=CAROL)),
        At(114, message(1)),
        At(115, TypingStarted(from_=BOB)),
        At(116, message(2, author=ME)),
        At(117, BlockOk(login=BOB)),
    ],
    "files of messages": [
        LOGIN,
        message(1, "look", files=[file("harbour", width=640, height=480, preview=True)]),
        edited(2, 1, "look here"),
        Sending(SHOTS, "t-2"),
        Answer(MessageSent(id=3, seq=3, at=at(3), cookie="t-2", files=[file("f1"), file("f2")]), SHOTS),
        page(told(1, "look", files=[file("harbour")]), told(3, author=ME, files=[file("f1"), file("f2")])),
        retracted(4, 1),
        Answer(RetractOk(id=5), Retract(id=3)),
        message(1, "look", files=[file("harbour")]),
    ],
    "announcements": [
        ConnectOk(login=ME, device="web", resume="vr_1", admin=True),
        Snapshot(announcement=Announcement(text="Tea at five", at=at(1), by=BOB)),
        Announced(text="Tea at six", at=at(2), by=BOB),
        Announced(text="", at=at(3), by=BOB),
        Announced(text="No tea", at=at(4), by=BOB),
        Snapshot(),
        LOGIN,
    ],
    "contacts by snapshot and patches": [
        LOGIN,
        Snapshot(
            contacts=[
                friend(BOB, presence=at(5), status=Status.OFFLINE, group="work/lab", note="on vacation"),
                Contact(id=CAROL, name="carol", relation=Relation.INCOMING),
            ],
            profile=Profile(name="Alice", note="here"),
        ),
        ContactUpdated(id=BOB, status=Status.ONLINE, presence=at(10)),
        UpdateLastSeen(id=BOB, at=at(10), status=Status.ONLINE),
        ContactUpdated(id=BOB, name="Bobby", own_name="Bobby"),
        ContactUpdated(id=BOB, note=""),
        ContactUpdated(id=CAROL, ignored=True),
        ContactUpdated(id=CAROL, relation=Relation.MUTUAL, listed=True, ignored=False),
        ContactUpdated(id=DAVE, relation=Relation.OUTGOING, listed=True, name="Dave", group="far"),
        ContactUpdated(id=BOB, relation=Relation.NONE, presence="", status=Status.UNKNOWN),
        ContactUpdated(id=BOB, listed=False, name="bob", own_name="", group="", memo=""),
        UpdateLastSeen(id=BOB, at=at(20), status=Status.ONLINE),
        ProfileUpdateOk(name="Al"),
        ContactsGetResponse(contacts=[friend(CAROL, status=Status.AWAY)]),
    ],
    "a friend request comes and goes": [
        LOGIN,
        ContactUpdated(id=BOB, relation=Relation.INCOMING, name="bob"),
        ContactUpdated(id=CAROL, relation=Relation.INCOMING, name="carol"),
        ContactUpdated(id=BOB, relation=Relation.NONE),
        ContactUpdated(id=BOB, relation=Relation.NONE),
        ContactUpdated(id=CAROL, relation=Relation.MUTUAL, listed=True),
    ],
    "last seen in the words of document 003": [
        LOGIN,
        ContactsGetResponse(contacts=[friend(BOB, status=Status.ONLINE, presence=at(1))]),
        UpdateLastSeen(id=BOB, at="2018-09-09T14:22:31+0300"),
        UpdateLastSeen(id=CAROL, at=at(9), status=Status.ONLINE),
        UpdateLastSeen(id=BOB, at=at(9), status=Status.OFFLINE),
    ],
    "blocking": [
        LOGIN,
        Snapshot(
            contacts=[friend(BOB, status=Status.ONLINE, presence=at(1))],
            conversations=[ConversationState(peer=BOB, last_id=1)],
        ),
        BlockOk(login=BOB),
        ContactUpdated(id=BOB, relation=Relation.BLOCKED, presence="", status=Status.UNKNOWN),
        BlockOk(login=BOB),
        BlockOk(login=CAROL),
        UnblockOk(login=CAROL),
        ContactUpdated(id=BOB, relation=Relation.MUTUAL, presence=at(9), status=Status.OFFLINE),
        UnblockOk(login=BOB),
        ContactUpdated(id=CAROL, relation=Relation.BLOCKED),
        Snapshot(blocked=[CAROL], contacts=[Contact(id=CAROL, name="carol", relation=Relation.BLOCKED)]),
    ],
    "names that could be somebody else's": [
        LOGIN,
        ContactsGetResponse(
            contacts=[
                friend(BOB, name="Robert"),
                friend(CAROL, name="bob"),
                friend(DAVE, name="You"),
            ]
        ),
        ContactUpdated(id=CAROL, name="Alice"),
        ContactUpdated(id=CAROL, name="robert"),
        ContactUpdated(id=CAROL, name="Caroline"),
        ContactUpdated(id=DAVE, name="dave"),
    ],
    "groups": [
        LOGIN,
        ContactsGetResponse(
            contacts=[
                friend(BOB, group="work/lab", status=Status.ONLINE),
                friend(CAROL, group="Family"),
                friend(DAVE, group=" work // lab /"),
                friend("erin@home.example", group="work"),
                friend("frank@home.example", status=Status.AWAY),
                friend("grace@home.example", listed=False),
                Contact(id="heidi@home.example", name="heidi", relation=Relation.INCOMING),
                Contact(id="ivan@home.example", name="ivan", relation=Relation.BLOCKED, listed=True),
            ]
        ),
        ContactUpdated(id=BOB, group=""),
    ],
    "presence when the link is lost": [
        LOGIN,
        Snapshot(
            contacts=[
                friend(BOB, status=Status.ONLINE, presence=at(1)),
                friend(CAROL, status=Status.OFFLINE, presence=at(2)),
                friend(DAVE),
            ]
        ),
        Lost(at(50)),
        Snapshot(contacts=[friend(BOB, status=Status.AWAY, presence=at(60))]),
    ],
}
