"""Mesh: which of two legs calls the other, so that every pair has exactly one caller and nobody has to ask.

The rule of document 004: a list of the initiator and all participants, sorted by the code points of their ids,
doubled. The initiator calls everybody; anybody else calls those who stand between their own first place in the list
and the next place of the initiator.  Whoever computes it gets the same answer.

People come and go, so the rule holds for an *epoch*: an initiator and the legs that were there when it opened.  Each
leg that comes, or comes again, opens one; the epoch of a pair is the later one of its two legs, and stays whatever
happens to others or to the owner (row X10).

For two legs the others in the list do not matter: read from the initiator on, and round, the list is the initiator,
then those after it, then those before it; the caller is whoever comes first.  So `calls` decides from three ids what
`session_list` says of the whole list; tests/properties/test_mesh.py holds the two against each other.

Ids are compared as the server writes them, logins normalised (RFC 8265), by code points; mind that JavaScript's `<`
compares UTF-16 units.

Source: document 004, "Choix des clients à appeler"; rows V05-V11, V20, X10.
"""

from __future__ import annotations

from collections.abc import Collection

from veche.packets.conference import Leg


def session_list(me: str, initiator: str, participants: Collection[str]) -> list[str]:
    """Whom `me` has to call, in the order of the doubled list.

    participants: everybody but the initiator (row V20), no one twice.  Raises ValueError if that is not so, or if `me`
    is not among them all.
    """
    everybody = sorted([initiator, *participants])
    if len(set(everybody)) != len(everybody):
        raise ValueError("participants are named once, and the initiator is none of them")
    doubled = everybody * 2
    first = doubled.index(me)
    return doubled[first + 1 : doubled.index(initiator, first + 1)]


def calls(me: str, other: str, initiator: str) -> bool:
    """Whether `me` calls `other` in an epoch of this initiator, which need be neither of the two."""
    return (me < initiator, me) < (other < initiator, other)


def pair_epoch(me: Leg, other: Leg) -> int:
    """The epoch of two legs, which SIGNAL names."""
    return max(me.epoch, other.epoch)


def is_caller(me: Leg, other: Leg) -> bool:
    """Whether `me` calls `other`, and so offers first and is the impolite peer (WebRTC 1.0, perfect negotiation)."""
    later = me if me.epoch > other.epoch else other
    return calls(me.id, other.id, later.initiator)
