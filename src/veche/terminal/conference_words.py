"""Conferences and calls in words, for people who read lines.

Source: rows A14, A33, A39, A44, A57, A58, A69, A70, V22-V33, X25.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from veche.client.conferences import RINGS, Conferences, Inside, leg_of
from veche.packets import ERROR_TEXT, ErrorCode, Packet
from veche.packets.conference import (
    Called,
    CallOk,
    CallStatus,
    Conference,
    ConferenceChanged,
    ConferenceDeleteOk,
    ConferenceEnded,
    ConferenceGetOk,
    ConferenceHistoryGetOk,
    ConferenceJoined,
    ConferenceJoinOk,
    ConferenceLeaveOk,
    ConferenceLeft,
    ConferenceLegChanged,
    ConferenceLinkOk,
    ConferenceListOk,
    ConferenceMessage,
    ConferenceSeen,
    ConferenceView,
    Leg,
    MediaKind,
    Policy,
)
from veche.packets.message import Snapshot

from .sentences import Reader, indented
from .text import count, on_one_line

POLICY = {
    Policy.FRIENDS: "friends of who is inside may come",
    Policy.INVITE: "the invited may come",
    Policy.LINK: "whoever has the link may come",
    Policy.OPEN: "everybody may come",
}


NO_MARKS: Mapping[str, str] = MappingProxyType({})


def said(packet: Packet, known: Conferences, reader: Reader, marks: Mapping[str, str] = NO_MARKS) -> str:
    """What to print for a packet about conferences; empty: nothing.

    known: before the packet.  marks: what is to be said of legs besides, by leg (sound.py).
    """
    name = reader.name
    match packet:
        case ConferenceJoinOk():
            return _joined(packet, reader)
        case ConferenceGetOk():
            return _inside(packet.conference, reader, marks)
        case ConferenceListOk():
            return "\n".join(view_line(one, reader) for one in packet.conferences) or "there are no conferences"
        case ConferenceSeen():
            return "\n".join(_news(known.conferences.get(packet.conference.id), packet.conference, known, reader))
        case ConferenceJoined():
            inside = known.inside.get(packet.id)
            return "" if inside is None else _came(packet.leg, inside, reader)
        case ConferenceLeft():
            return _left(packet, known, reader)
        case ConferenceLegChanged():
            inside = known.inside.get(packet.id)
            old = None if inside is None else leg_of(inside.conference, packet.leg.id)
            return "" if inside is None or old is None else "\n".join(_leg_news(inside, old, packet.leg, reader))
        case ConferenceChanged():
            inside = known.inside.get(packet.id)
            return "" if inside is None else "\n".join(_changed(packet, inside, reader))
        case ConferenceMessage():
            return f"{name(packet.from_)} in {_name_of(packet.id, known)}: {indented(packet.text)}"
        case ConferenceHistoryGetOk():
            texts = [f"{reader.when(one.at)} {name(one.from_)}: {indented(one.text)}" for one in packet.messages]
            return "\n".join(texts) or "nothing was said yet"
        case ConferenceLeaveOk():
            return "\n".join([f"you have left {_name_of(packet.id, known)}", *_waiting(packet.id, known, reader)])
        case ConferenceDeleteOk():
            return ""  # CONFERENCE-ENDED tells
        case ConferenceLinkOk():
            return f"the code of its link: {on_one_line(packet.code)}; in a browser: /#/join/{on_one_line(packet.code)}"
        case ConferenceEnded():
            over = f"{on_one_line(packet.name)} is over: {on_one_line(_reason(packet.code, packet.reason), 300)}"
            return "\n".join([over, *_waiting(packet.id, known, reader)])
        case CallOk():
            return _call_ok(packet)
        case Called():
            return _called(packet, reader)
        case Snapshot():
            return "\n".join(line for one in packet.conferences for line in _news(None, one, known, reader))
        case _:
            return ""


def view_line(view: ConferenceView, reader: Reader) -> str:
    """A conference as one sees it from outside, and how to come in."""
    who, *rest = view_parts(view, reader)
    return "; ".join([f"{on_one_line(view.name)}: {who}", *rest])


def view_parts(view: ConferenceView, reader: Reader) -> list[str]:
    """Who is inside, whose it is, who has invited me; last, how to come in."""
    people = ", ".join("you" if one == reader.address else reader.name(one) for one in view.people)
    others = view.count - len(view.people)
    if others > 0:
        people = f"{people} and {count(others)} more" if people else f"{count(others)} inside"
    said = [people or "nobody inside"]
    if view.owner:
        said.append(f"owner {reader.name(view.owner)}")
    if view.invited_by:
        said.append(f"{reader.name(view.invited_by)} has invited you")
    if view.id in reader.people.inside:
        said.append(f"you are inside: /room {on_one_line(view.name)}" if reader.slash else "you are inside")
    elif view.legs:
        said.append(f"you are inside with another device; {how_to_join(view, reader)}")
    elif view.may_join:
        said.append(how_to_join(view, reader))
    else:
        said.append(POLICY[view.policy])
    return said


def how_to_join(view: ConferenceView, reader: Reader) -> str:
    """The command: by name where that says which one is meant, else by id."""
    is_plain = view.name == on_one_line(view.name) and view.name
    is_only = all(one.id == view.id for one in reader.people.named(view.name))
    return f"{reader.slash}conference join {view.name if is_plain and is_only else view.id}"


# -- the parts


def _name_of(id: str, known: Conferences) -> str:
    inside, view = known.inside.get(id), known.conferences.get(id)
    name = inside.conference.name if inside else view.name if view else "a conference"
    return on_one_line(name)


def _reason(code: ErrorCode, reason: str) -> str:
    return reason or ERROR_TEXT[code]


def _joined(packet: ConferenceJoinOk, reader: Reader) -> str:
    again = " again" if packet.resumed else ""
    lines = [f"you are in{again} {_inside(packet.conference, reader)}"]
    if packet.reason:
        lines.append(on_one_line(packet.reason, 300))
    return "\n".join(lines)


def _inside(conference: Conference, reader: Reader, marks: Mapping[str, str] = NO_MARKS) -> str:
    return f"{on_one_line(conference.name)}: " + ", ".join(legs_in_words(conference, reader, marks))


def legs_in_words(conference: Conference, reader: Reader, said: Mapping[str, str] = NO_MARKS) -> list[str]:
    """People, each once, with what is to be known of them.  said: what else, by leg."""
    owner = conference.acting_owner or conference.owner
    found: list[str] = []
    for user in dict.fromkeys(leg.user for leg in conference.legs):
        legs = [leg for leg in conference.legs if leg.user == user]
        marks = ["owner"] if user == owner else []
        marks += [f"{len(legs)} devices"] if len(legs) > 1 else []
        if all(leg.media is MediaKind.TEXT for leg in legs):
            marks.append("text")
        elif all(leg.held for leg in legs):
            marks.append("on hold")
        elif all(leg.is_muted or leg.muted_by for leg in legs):
            marks.append("muted")
        marks += ["lost"] if all(leg.is_lost for leg in legs) else []
        marks += dict.fromkeys(said[leg.id] for leg in legs if leg.id in said and not leg.held)
        login = "you" if user == reader.address else reader.name(user)
        found.append(f"{login} ({', '.join(marks)})" if marks else login)
    return found


def _came(leg: Leg, inside: Inside, reader: Reader) -> str:
    if leg.id == inside.leg or leg_of(inside.conference, leg.id) is not None:
        return ""
    who = "you have" if leg.user == reader.address else f"{reader.name(leg.user)} has"
    device = " with another device" if leg.user in inside.people else ""
    return f"{who} come into {on_one_line(inside.conference.name)}{device}"


def _left(packet: ConferenceLeft, known: Conferences, reader: Reader) -> str:
    inside = known.inside.get(packet.id)
    if inside is None:
        return ""
    name = on_one_line(inside.conference.name)
    if packet.leg == inside.leg:
        out = f"you are out of {name}: {on_one_line(_reason(packet.code, packet.reason), 300)}"
        return "\n".join([out, *_waiting(packet.id, known, reader)])
    gone = leg_of(inside.conference, packet.leg)
    if gone is None:
        return ""
    user = reader.name(gone.user)
    how = {ErrorCode.OFFLINE: "is gone from", ErrorCode.REMOVED: "was put out of"}.get(packet.code, "has left")
    return f"{user} {how} {name}"


def _leg_news(inside: Inside, old: Leg, new: Leg, reader: Reader) -> list[str]:
    user, is_me = "you" if new.user == reader.address else reader.name(new.user), new.id == inside.leg
    lines: list[str] = []
    if old.held != new.held:
        lines.append(_hold(inside, new, user, reader))
    for before, after, what in ((old.muted_by, new.muted_by, "microphone"), (old.hidden_by, new.hidden_by, "camera")):
        if before != after:
            whose = "your" if user == "you" else f"{user}'s"
            how = f": {reader.slash}microphone on" if is_me and what == "microphone" else ""
            by = "you have" if after == reader.address else f"{reader.name(after)} has"
            lines.append(f"{by} switched {whose} {what} off" if after else f"{whose} {what} may be on again{how}")
    if old.asks != new.asks and new.asks:
        lines.append(f"{user} asks to be heard")
    if old.is_sharing != new.is_sharing:
        lines.append(f"{user} {'shows' if new.is_sharing else 'no longer shows'} the screen")
    if old.is_lost != new.is_lost:
        lines.append(f"the link of {user} is {'lost' if new.is_lost else 'there again'}")
    return lines


def _hold(inside: Inside, leg: Leg, user: str, reader: Reader) -> str:
    """This device, or somebody, hears another conference now, or is back."""
    name = on_one_line(inside.conference.name)
    if leg.id == inside.leg:
        return _on_hold(inside, reader) if leg.held else f"you are back in {name}"
    device = "you with another device" if user == "you" else user
    verb = "are" if user == "you" else "is"
    return f"{device} {verb} {'on hold' if leg.held else 'back'} in {name}"


def _on_hold(inside: Inside, reader: Reader) -> str:
    name = on_one_line(inside.conference.name)
    return f"{name} is on hold, you neither hear it nor are heard: {reader.slash}conference resume {name}"


def _waiting(gone: str, known: Conferences, reader: Reader) -> list[str]:
    """What is still on hold, when the conference that was heard is over for this device."""
    if gone not in known.inside or any(one.conference.id != gone for one in known.heard):
        return []
    return [_on_hold(one, reader) for one in known.held if one.conference.id != gone]


def _changed(packet: ConferenceChanged, inside: Inside, reader: Reader) -> list[str]:
    old = inside.conference
    by = f", by {reader.name(packet.by)}" if packet.by and packet.by != reader.address else ""
    lines: list[str] = []
    if packet.name is not None and packet.name != old.name:
        lines.append(f"{on_one_line(old.name)} is called {on_one_line(packet.name)} now{by}")
    name = on_one_line(packet.name or old.name)
    if packet.owner is not None and packet.owner != old.owner:
        who = "you are" if packet.owner == reader.address else f"{reader.name(packet.owner)} is"
        lines.append(f"{who} the owner of {name} now")
    if packet.acting_owner is not None and packet.acting_owner != old.acting_owner:
        if packet.acting_owner:
            who = "you act" if packet.acting_owner == reader.address else f"{reader.name(packet.acting_owner)} acts"
            lines.append(f"{who} as owner of {name} until {reader.name(old.owner)} is back")
        else:
            lines.append(f"{reader.name(packet.owner or old.owner)} owns {name} again")
    if packet.policy is not None and packet.policy != old.policy:
        lines.append(f"{name}: {POLICY[packet.policy]}{by}")
    return lines


def _news(old: ConferenceView | None, new: ConferenceView, known: Conferences, reader: Reader) -> list[str]:
    """What somebody outside wants to know: which friends have come and gone, and invitations."""
    if new.id in known.inside or new.legs:
        return []  # its legs are told of it as it happens
    before = set(old.people) if old else set[str]()
    came = [one for one in new.people if one not in before and one != reader.address]
    went = sorted(one for one in before if one not in new.people and one != reader.address)
    name = on_one_line(new.name)
    how = f": {how_to_join(new, reader)}" if new.may_join else ""
    lines = [f"{reader.name(one)} is in {name}{how}" for one in came]
    lines += [f"{reader.name(one)} has left {name}" for one in went]
    if old is not None and old.name != new.name:
        lines.append(f"{on_one_line(old.name)} is called {name} now")
    return lines


def _call_ok(packet: CallOk) -> str:
    match packet.status:
        case status if status in RINGS:
            return "it rings"
        case CallStatus.ABORT:
            return "the call is over"
        case _:
            return ""


def _called(packet: Called, reader: Reader) -> str:
    who = reader.name(packet.from_)
    is_me = packet.from_ == reader.address
    match packet.status:
        case status if status in RINGS:
            if reader.address not in packet.users or is_me:
                return ""
            others = [reader.name(one) for one in packet.users if one != reader.address]
            beside = f" and {', '.join(others)}" if others else ""
            said = f": {on_one_line(packet.message, 300)}" if packet.message else ""
            answers = f"{reader.slash}accept, or {reader.slash}decline"
            return f"{who} calls you{beside} into {on_one_line(packet.name)}{said}. {answers}"
        case CallStatus.ACCEPTED:
            return "" if is_me else f"{who} has taken the call"
        case CallStatus.ABORT:
            if is_me:
                return "you have declined" if packet.initiator != reader.address else ""
            return f"{who} has given up" if packet.from_ == packet.initiator else f"{who} has declined"
        case CallStatus.OCCUPIED:
            return "" if is_me else f"{who} is in another call"
        case CallStatus.MISSED:
            return f"you have missed a call of {reader.name(packet.initiator)}" if is_me else f"{who} does not answer"
        case _:
            return ""
