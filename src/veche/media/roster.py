"""Who is in the conference, and to whom this leg has a connection.  Pure.

`conference_after` folds the packets that a leg is told into its conference; `links` says which pairs there ought to be,
each with the epoch of the pair and who calls (core/mesh).  A pair whose epoch or caller is new begins anew.  `sends`
and `takes` say what goes over one: a leg that is held neither sends nor hears, and what the owner has switched off is
not taken by the others either.

Source: rows A39, A44-A47, A69, V05-V11, X10; packets/conference.py.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from veche.core.mesh import is_caller, pair_epoch
from veche.packets import Packet
from veche.packets.conference import (
    Conference,
    ConferenceChanged,
    ConferenceGetOk,
    ConferenceJoined,
    ConferenceLeft,
    ConferenceLegChanged,
    Leg,
    MediaKind,
)


class Link(NamedTuple):
    """A connection that there ought to be."""

    epoch: int
    is_caller: bool


def conference_after(conference: Conference, packet: Packet) -> Conference:
    """The conference once this was told; itself when it changes nothing of it."""
    match packet:
        case ConferenceJoined(id=id, leg=leg) if id == conference.id:
            others = [one for one in conference.legs if one.id != leg.id]
            return replace(conference, legs=[*others, leg], epoch=max(conference.epoch, leg.epoch))
        case ConferenceLegChanged(id=id, leg=leg) if id == conference.id:
            return replace(conference, legs=[leg if one.id == leg.id else one for one in conference.legs])
        case ConferenceLeft(id=id, leg=gone) if id == conference.id:
            return replace(conference, legs=[one for one in conference.legs if one.id != gone])
        case ConferenceGetOk(conference=whole) if whole.id == conference.id:
            return whole
        case ConferenceChanged() if packet.id == conference.id:
            patch = {
                name: value
                for name in ("name", "owner", "acting_owner", "policy", "calls")
                if (value := getattr(packet, name)) is not None
            }
            return replace(conference, **patch)
        case _:
            return conference


def leg_of(conference: Conference, id: str) -> Leg | None:
    """The leg of this id."""
    return next((leg for leg in conference.legs if leg.id == id), None)


def links(conference: Conference, me: str) -> dict[str, Link]:
    """The connections of leg `me`, by the id of the other leg.  A leg of text alone has none."""
    mine = leg_of(conference, me)
    if mine is None or mine.media is MediaKind.TEXT:
        return {}
    return {
        other.id: Link(pair_epoch(mine, other), is_caller(mine, other))
        for other in conference.legs
        if other.id != me and other.media is not MediaKind.TEXT
    }


def sends(me: Leg | None, kind: str) -> bool:
    """Whether this leg sends that now.  kind: audio or video."""
    if me is None or me.held:
        return False
    if kind == "audio":
        return not (me.is_muted or me.muted_by)
    return not me.hidden_by and (me.is_sharing or not me.is_hidden)


def takes(me: Leg | None, other: Leg | None, kind: str) -> bool:
    """Whether this leg hears or sees now what the other sends."""
    if me is None or me.held or other is None or other.held:
        return False
    return not (other.muted_by if kind == "audio" else other.hidden_by)
