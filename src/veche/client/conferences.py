"""Conferences as a client knows them, as a pure fold of packets: what it may see, where this device is, what rings.

Rules:

1. SNAPSHOT and CONFERENCE-LIST-OK replace all that may be seen; CONFERENCE-SEEN and -UNSEEN change one.
2. This device is inside from CONFERENCE-JOIN-OK on, until it leaves, is put out, or the conference ends.  What that
   answer says and the events that follow give what CONFERENCE-GET-OK says.  A lost link changes nothing of it: the
   device asks for its place again (`resumptions`).
3. A call rings from CALL on until somebody of this account has answered on any device, who called has given up, nobody
   came in time, or the conference is over.
4. Texts of a room are known by their `seq`, each once, ascending.

Source: rows A14, A28, A33, A44-A50, V22-V33, X07; packets/conference.py; STYLE.md, Laws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from veche.packets import Packet
from veche.packets.conference import (
    Called,
    CallStatus,
    Conference,
    ConferenceChanged,
    ConferenceEnded,
    ConferenceGetOk,
    ConferenceHistoryGetOk,
    ConferenceJoin,
    ConferenceJoined,
    ConferenceJoinFailed,
    ConferenceJoinOk,
    ConferenceLeaveOk,
    ConferenceLeft,
    ConferenceLegChanged,
    ConferenceListOk,
    ConferenceMessage,
    ConferenceMessageSend,
    ConferenceMessageSent,
    ConferenceSeen,
    ConferenceUnseen,
    ConferenceView,
    Leg,
    MediaKind,
    RoomMessage,
)
from veche.packets.message import Snapshot

from .people import People, fold_people

MAX_ROOM = 1000
"""A room keeps at most so many texts; older ones are on the server."""
_PATCHED = ("name", "owner", "acting_owner", "policy", "calls")
RINGS = (CallStatus.INITIATE, CallStatus.REINVITE)


class Inside(Struct, frozen=True, kw_only=True):
    """A conference in which this device is."""

    conference: Conference
    leg: str
    """Which of its legs this device is."""
    room: tuple[RoomMessage, ...] = ()
    """Ascending by seq."""

    @property
    def me(self) -> Leg | None:
        """This device's leg."""
        return leg_of(self.conference, self.leg)

    @property
    def owner(self) -> str:
        """Who may do what an owner may."""
        return self.conference.acting_owner or self.conference.owner

    @property
    def people(self) -> list[str]:
        """Who is inside, each once, in the order in which they came."""
        return list(dict.fromkeys(leg.user for leg in self.conference.legs))


class Conferences(People, frozen=True, kw_only=True):
    """The people, and the conferences that one account may see."""

    conferences: dict[str, ConferenceView] = field(default_factory=dict[str, ConferenceView])
    """By id."""
    inside: dict[str, Inside] = field(default_factory=dict[str, Inside])
    """By id, in the order of joining."""
    calls: dict[str, Called] = field(default_factory=dict[str, Called])
    """What rings, by conference, the oldest first."""

    @property
    def current(self) -> Inside | None:
        """The conference that this device joined last, of those that it does not hold (row A39)."""
        inside = list(reversed(self.inside.values()))
        return next((one for one in inside if one.me is None or not one.me.held), next(iter(inside), None))

    @property
    def heard(self) -> list[Inside]:
        """The conferences that this device hears, and is heard in: one, unless it says otherwise (row A39)."""
        legs = [(one, one.me) for one in self.inside.values()]
        return [one for one, me in legs if me is not None and me.media is not MediaKind.TEXT and not me.held]

    @property
    def held(self) -> list[Inside]:
        """Those that it does not, for the sake of another."""
        return [one for one in self.inside.values() if one.me is not None and one.me.held]

    @property
    def is_talking(self) -> bool:
        """This device is in a call with sound, and not alone there: who calls is told that it is busy (row V32)."""
        return any(len(one.conference.legs) > 1 for one in self.heard)

    def of_friend(self, address: str) -> list[ConferenceView]:
        """The conferences in which somebody is, as far as I may see."""
        return [view for view in self.conferences.values() if address in view.people]

    def named(self, name: str) -> list[ConferenceView]:
        """The conferences of that name that I may see."""
        wanted = " ".join(name.split()).casefold()
        return [view for view in self.conferences.values() if " ".join(view.name.split()).casefold() == wanted]


C = TypeVar("C", bound=Conferences)


def leg_of(conference: Conference, id: str) -> Leg | None:
    """The leg of that id."""
    return next((leg for leg in conference.legs if leg.id == id), None)


def order(view: ConferenceView) -> tuple[bool, str, str]:
    """THE CONFERENCE first, then by name: as CONFERENCE-LIST-OK has them."""
    return not view.is_permanent, view.name.casefold(), view.id


def resumptions(state: Conferences) -> list[ConferenceJoin]:
    """What to ask for when the link is there again: the places that this device had."""
    return [
        ConferenceJoin(id=id, media=one.me.media if one.me is not None else MediaKind.TEXT, resume=True)
        for id, one in state.inside.items()
    ]


def without(state: C, id: str) -> C:
    """The state once this device is not in that conference: its place could not be taken up again, say."""
    return replace(state, inside={key: one for key, one in state.inside.items() if key != id})


def fold_conferences(state: C, packet: Packet, request: Packet | None = None) -> C:
    """Return the state after `packet`, people included.  request: what it answers."""
    match packet:
        case Snapshot():
            seen = {one.id: one for one in sorted(packet.conferences, key=order)}
            return fold_people(replace(state, conferences=seen, calls={}), packet)
        case ConferenceListOk():
            return replace(state, conferences={one.id: one for one in sorted(packet.conferences, key=order)})
        case ConferenceSeen():
            seen = {**state.conferences, packet.conference.id: packet.conference}
            return replace(state, conferences=dict(sorted(seen.items(), key=lambda one: order(one[1]))))
        case ConferenceUnseen():
            return replace(state, conferences={k: v for k, v in state.conferences.items() if k != packet.id})
        case ConferenceJoinOk():
            id = packet.conference.id
            known = state.inside.get(id)
            new = Inside(conference=packet.conference, leg=packet.leg, room=known.room if known else ())
            others = {key: one for key, one in state.inside.items() if key != id or packet.resumed}
            return _silent(replace(state, inside={**others, id: new}), id)
        case ConferenceJoinFailed() if isinstance(request, ConferenceJoin) and request.resume and request.id:
            return without(state, request.id)
        case ConferenceGetOk():
            return _changed(state, packet.conference.id, lambda old: replace(old, conference=packet.conference))
        case ConferenceLeaveOk():
            return without(state, packet.id)
        case ConferenceLeft():
            known = state.inside.get(packet.id)
            if known is not None and known.leg == packet.leg:
                return without(state, packet.id)
            return _legs(state, packet.id, lambda legs: [leg for leg in legs if leg.id != packet.leg])
        case ConferenceJoined() | ConferenceLegChanged():
            return _legs(state, packet.id, lambda legs: _put(legs, packet.leg))
        case ConferenceChanged():
            patch: dict[str, Any] = {key: value for key in _PATCHED if (value := getattr(packet, key)) is not None}
            return _changed(state, packet.id, lambda old: replace(old, conference=replace(old.conference, **patch)))
        case ConferenceEnded():
            return _silent(without(state, packet.id), packet.id)
        case ConferenceMessage():
            return _said(state, packet.id, [_room_message(packet)])
        case ConferenceMessageSent() if isinstance(request, ConferenceMessageSend):
            mine = RoomMessage(seq=packet.seq, from_=state.me, at=packet.at, text=request.text)
            return _said(state, packet.id, [mine])
        case ConferenceHistoryGetOk():
            return _said(state, packet.id, packet.messages)
        case Called():
            return _called(state, packet)
        case _:
            return fold_people(state, packet)


def _changed(state: C, id: str, change: Callable[[Inside], Inside]) -> C:
    known = state.inside.get(id)
    return state if known is None else replace(state, inside={**state.inside, id: change(known)})


def _legs(state: C, id: str, change: Callable[[list[Leg]], list[Leg]]) -> C:
    def changed(old: Inside) -> Inside:
        legs = change(old.conference.legs)
        epoch = max([old.conference.epoch, *(leg.epoch for leg in legs)])
        return replace(old, conference=replace(old.conference, legs=legs, epoch=epoch))

    return _changed(state, id, changed)


def _put(legs: list[Leg], leg: Leg) -> list[Leg]:
    """The legs with this one, at its place if it has one."""
    if any(one.id == leg.id for one in legs):
        return [leg if one.id == leg.id else one for one in legs]
    return [*legs, leg]


def _room_message(packet: ConferenceMessage) -> RoomMessage:
    return RoomMessage(seq=packet.seq, from_=packet.from_, at=packet.at, text=packet.text)


def _said(state: C, id: str, messages: list[RoomMessage]) -> C:
    def changed(old: Inside) -> Inside:
        known = {one.seq: one for one in [*messages, *old.room]}
        return replace(old, room=tuple(known[seq] for seq in sorted(known))[-MAX_ROOM:])

    return _changed(state, id, changed)


def _silent(state: C, id: str) -> C:
    return replace(state, calls={key: one for key, one in state.calls.items() if key != id})


def _called(state: C, packet: Called) -> C:
    if packet.status in RINGS:
        is_for_me = state.me in packet.users and packet.from_ != state.me
        return replace(state, calls={**state.calls, packet.id: packet}) if is_for_me else state
    ringing = state.calls.get(packet.id)
    if ringing is None:
        return state
    from_caller = packet.from_ == ringing.from_ and packet.status is CallStatus.ABORT
    is_over = packet.from_ == state.me or (from_caller and (not packet.users or state.me in packet.users))
    return _silent(state, packet.id) if is_over else state
