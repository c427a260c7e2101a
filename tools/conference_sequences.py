"""What happens to a client in protocol/vectors/conferences.json: named sequences, told by alice's device.

Each shows one thing that is easy to get wrong; see sequences.py, whose steps these are.
"""

from __future__ import annotations

from typing import Any

from veche.packets import ErrorCode
from veche.packets.conference import (
    Call,
    Called,
    CallStatus,
    Conference,
    ConferenceChanged,
    ConferenceEnded,
    ConferenceGetOk,
    ConferenceHistoryGet,
    ConferenceHistoryGetOk,
    ConferenceJoin,
    ConferenceJoined,
    ConferenceJoinFailed,
    ConferenceJoinOk,
    ConferenceLeave,
    ConferenceLeaveOk,
    ConferenceLeft,
    ConferenceLegChanged,
    ConferenceList,
    ConferenceListOk,
    ConferenceMessage,
    ConferenceMessageSend,
    ConferenceMessageSent,
    ConferenceSeen,
    ConferenceUnseen,
    ConferenceView,
    Leg,
    MediaKind,
    Policy,
    RoomMessage,
)

from .sequences import BOB, CAROL, LOGIN, ME, Answer, Lost, Step, at, snapshot

WEB, PHONE, BOBS, CAROLS = f"{ME}/web", f"{ME}/phone", f"{BOB}/desk", f"{CAROL}/desk"


def leg(id: str, epoch: int, **fields: Any) -> Leg:
    return Leg(id=id, user=id.partition("/")[0], epoch=epoch, initiator=WEB, at=at(epoch), **fields)


def shed(*legs: Leg, id: str = "c1", **fields: Any) -> Conference:
    usual: dict[str, Any] = {"name": "Shed", "owner": ME, "at": at(1), "epoch": max(one.epoch for one in legs)}
    return Conference(id=id, legs=list(legs), **{**usual, **fields})


def view(id: str, name: str, **fields: Any) -> ConferenceView:
    usual: dict[str, Any] = {"owner": BOB, "at": at(1), "people": [BOB], "count": 1, "may_join": True}
    return ConferenceView(id=id, name=name, **{**usual, **fields})


def joined(*legs: Leg, resumed: bool = False, **fields: Any) -> ConferenceJoinOk:
    return ConferenceJoinOk(conference=shed(*legs, **fields), leg=WEB, resumed=resumed)


def text(seq: int, by: str = BOB) -> ConferenceMessage:
    return ConferenceMessage(id="c1", seq=seq, from_=by, at=at(seq), text=f"text {seq}")


def kept(seq: int, by: str = BOB) -> RoomMessage:
    return RoomMessage(seq=seq, from_=by, at=at(seq), text=f"text {seq}")


def call(status: CallStatus, by: str, *users: str, id: str = "c9", initiator: str = BOB) -> Called:
    return Called(id=id, status=status, from_=by, initiator=initiator, users=list(users), name="bob, alice", at=at(9))


RING, AGAIN = CallStatus.INITIATE, CallStatus.REINVITE
ACCEPTED, ABORT, OCCUPIED, MISSED = (
    *(CallStatus.ACCEPTED, CallStatus.ABORT),
    *(CallStatus.OCCUPIED, CallStatus.MISSED),
)
SAY = ConferenceMessageSend(id="c1", text="mine", cookie="t-1")
RESUME = ConferenceJoin(id="c1", resume=True)

CONFERENCE_SEQUENCES: dict[str, list[Step]] = {
    "what may be seen, in its order": [
        LOGIN,
        snapshot(conferences=[view("c2", "Zoo"), view("c1", "attic"), view("v", "Veche", is_permanent=True)]),
        ConferenceSeen(conference=view("c3", "Barn", people=[BOB, CAROL], count=3)),
        ConferenceSeen(conference=view("c2", "Aviary", count=2)),
        ConferenceUnseen(id="c1"),
        ConferenceUnseen(id="c1"),
        Answer(ConferenceListOk(conferences=[view("c3", "Barn")]), ConferenceList()),
        snapshot(),
    ],
    "coming, going and changing": [
        LOGIN,
        joined(leg(WEB, 1)),
        ConferenceJoined(id="c1", leg=leg(BOBS, 2)),
        ConferenceJoined(id="c1", leg=leg(CAROLS, 3, media=MediaKind.AUDIO)),
        ConferenceLegChanged(id="c1", leg=leg(BOBS, 2, is_muted=True, muted_by=ME)),
        ConferenceJoined(id="c1", leg=leg(BOBS, 4)),
        ConferenceChanged(id="c1", name="Barn", by=ME),
        ConferenceChanged(id="c1", owner=BOB, by=ME),
        ConferenceChanged(id="c1", acting_owner=CAROL),
        ConferenceChanged(id="c1", acting_owner="", policy=Policy.OPEN),
        ConferenceChanged(id="c1", calls=[Call(user="dave@far.example", status=RING, by=BOB)]),
        ConferenceChanged(id="c1", calls=[]),
        ConferenceLeft(id="c1", leg=CAROLS, code=ErrorCode.LOGGED_OUT),
        ConferenceLeft(id="c1", leg=CAROLS, code=ErrorCode.LOGGED_OUT),
        ConferenceGetOk(conference=shed(leg(WEB, 1), leg(BOBS, 4), leg(PHONE, 5), name="Barn", owner=BOB)),
        ConferenceLeft(id="c1", leg=PHONE, code=ErrorCode.OFFLINE),
        ConferenceEnded(id="c1", name="Barn", code=ErrorCode.ENDED, by=BOB),
    ],
    "of a conference where this device is not, nothing is known": [
        LOGIN,
        ConferenceJoined(id="c1", leg=leg(BOBS, 2)),
        ConferenceChanged(id="c1", name="Barn"),
        text(1),
        ConferenceGetOk(conference=shed(leg(BOBS, 2))),
        ConferenceEnded(id="c1", name="Barn", code=ErrorCode.ENDED),
    ],
    "out by leaving, by being put out": [
        LOGIN,
        joined(leg(WEB, 1)),
        joined(leg(BOBS, 1), leg(WEB, 2), id="c2", name="Barn", owner=BOB),
        Answer(ConferenceLeaveOk(id="c1"), ConferenceLeave(id="c1")),
        ConferenceLeft(id="c2", leg=WEB, code=ErrorCode.REMOVED),
    ],
    "a place that is taken up again, and one that is lost": [
        LOGIN,
        joined(leg(WEB, 1), leg(BOBS, 2)),
        joined(leg(WEB, 1), id="c2", name="Barn"),
        text(1),
        Lost(at(100)),
        LOGIN,
        snapshot(conferences=[view("c1", "Shed", legs=[WEB])]),
        Answer(joined(leg(WEB, 1), leg(BOBS, 2, is_lost=True), resumed=True), RESUME),
        joined(leg(BOBS, 2), leg(WEB, 3)),
        Answer(ConferenceJoinFailed(code=ErrorCode.UNKNOWN_CONFERENCE), ConferenceJoin(id="c2", resume=True)),
        Answer(ConferenceJoinFailed(code=ErrorCode.FORBIDDEN), ConferenceJoin(id="c1")),
    ],
    "the texts of a room, each once": [
        LOGIN,
        joined(leg(WEB, 1), leg(BOBS, 2)),
        text(5),
        text(7),
        text(5),
        Answer(ConferenceMessageSent(id="c1", seq=6, at=at(6), cookie="t-1"), SAY),
        Answer(
            ConferenceHistoryGetOk(id="c1", messages=[kept(3), kept(4, CAROL), kept(5)], more=True),
            ConferenceHistoryGet(id="c1"),
        ),
        ConferenceMessageSent(id="c1", seq=8, at=at(8)),
    ],
    "a call that I answer on another device": [
        LOGIN,
        call(RING, BOB, ME, CAROL),
        call(ACCEPTED, CAROL),
        call(ACCEPTED, ME),
        call(RING, BOB, ME, id="c8"),
        call(ABORT, ME, id="c8"),
        call(RING, BOB, ME),
        call(OCCUPIED, ME),
        call(AGAIN, CAROL, ME),
        call(MISSED, ME),
    ],
    "a call that is given up, taken here, or over with its conference": [
        LOGIN,
        call(RING, BOB, ME, CAROL),
        call(ABORT, BOB, CAROL),
        call(ABORT, CAROL),
        call(ABORT, BOB),
        call(RING, BOB, ME, id="c1"),
        joined(leg(BOBS, 1), leg(WEB, 2)),
        call(RING, BOB, ME),
        ConferenceEnded(id="c9", name="bob, alice", code=ErrorCode.EMPTY),
        call(RING, BOB, ME),
        snapshot(),
    ],
    "calls that are not for me": [
        LOGIN,
        call(RING, ME, BOB, initiator=ME),
        call(RING, BOB, CAROL),
        call(MISSED, ME),
        call(ABORT, BOB, ME),
    ],
}
