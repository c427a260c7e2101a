"""What two people are to each other: one row for the two of them, changed by either, seen by each from their side.

The two are kept in the order of their logins (Unicode code points), so (a, b) and (b, a) are one row (row A24).

A refusal is never told: whoever was refused goes on seeing `outgoing`, as if nobody had answered, and may ask again
after `COOL_DOWN_US`; until then asking again does nothing.  A request that nobody answered ends after `EXPIRY_US`, a
refused one at the same time, so that neither the waiting nor its end tells one from the other (rows A19, A23, X22).
So asking again never moves `at`, unless the request had been taken back; and a cool-down outlives its request.

Blocking is no state of this row: it hides the row from the one who blocks, and is kept elsewhere.

Source: rows A15-A29, X01; document 000 §4.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from veche.packets import ErrorCode
from veche.packets.contacts import Relation

DAY_US = 86_400_000_000
EXPIRY_US = 30 * DAY_US
COOL_DOWN_US = 7 * DAY_US


class State(IntEnum):
    """Of the row; there is no row for NONE."""

    NONE = 0
    ASKED = 1
    REFUSED = 2
    """Who asked does not know, and sees ASKED."""
    WITHDRAWN = 3
    """Refused, then taken back by who asked: nothing for both, but the cool-down still runs."""
    FRIENDS = 4


class Pair(NamedTuple):
    """The row of two people."""

    state: State = State.NONE
    asker: int = 0
    """The account that asked; 0 when nobody does."""
    is_ignored: bool = False
    at: int = 0
    """When it was asked, or became a friendship: microseconds since 1970."""
    refused_at: int = 0


NOTHING = Pair()


class Refusal(Exception):
    """The operation makes no sense now.  Nothing changes."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code)
        self.code = code


def in_order(a: str, b: str) -> tuple[str, str]:
    """Two logins in the order in which the row holds them."""
    return (a, b) if a <= b else (b, a)


def relation(pair: Pair, me: int) -> Relation:
    """What one of the two sees."""
    match pair.state:
        case State.FRIENDS:
            return Relation.MUTUAL
        case State.ASKED:
            return Relation.OUTGOING if pair.asker == me else Relation.INCOMING
        case State.REFUSED:
            return Relation.OUTGOING if pair.asker == me else Relation.NONE
        case _:
            return Relation.NONE


def request(pair: Pair, me: int, now: int) -> Pair:
    """`me` asks the other.  Raises Refusal: already-there."""
    match relation(pair, me):
        case Relation.MUTUAL:
            raise Refusal(ErrorCode.ALREADY_THERE)
        case Relation.INCOMING:
            return Pair(State.FRIENDS, at=now)  # crossed (row A29)
        case _:
            pass
    if pair.state == State.REFUSED and pair.asker != me:
        return Pair(State.FRIENDS, at=now)  # the other still asks, as they see it
    if pair.state == State.ASKED:
        return pair
    at = pair.at if pair.state == State.REFUSED else now
    if pair.asker == me and is_cooling(pair, now):
        return pair._replace(state=State.REFUSED, at=at)
    return Pair(State.ASKED, asker=me, at=at)


def answer(pair: Pair, me: int, accepted: bool, now: int) -> Pair:
    """`me` answers the other's request.  Raises Refusal: unknown-request."""
    if relation(pair, me) is not Relation.INCOMING:
        raise Refusal(ErrorCode.UNKNOWN_REQUEST)
    if accepted:
        return Pair(State.FRIENDS, at=now)
    return pair._replace(state=State.REFUSED, is_ignored=False, refused_at=now)


def ignore(pair: Pair, me: int) -> Pair:
    """`me` leaves the other's request unanswered.  Raises Refusal: unknown-request."""
    if relation(pair, me) is not Relation.INCOMING:
        raise Refusal(ErrorCode.UNKNOWN_REQUEST)
    return pair._replace(is_ignored=True)


def cancel(pair: Pair, me: int) -> Pair:
    """`me` takes the own request back.  Raises Refusal: unknown-request."""
    if relation(pair, me) is not Relation.OUTGOING:
        raise Refusal(ErrorCode.UNKNOWN_REQUEST)
    return NOTHING if pair.state == State.ASKED else pair._replace(state=State.WITHDRAWN)


def remove(pair: Pair, me: int) -> Pair:
    """`me` ends the friendship.  Raises Refusal: not-friends."""
    if relation(pair, me) is not Relation.MUTUAL:
        raise Refusal(ErrorCode.NOT_FRIENDS)
    return NOTHING


def delete(pair: Pair, me: int) -> Pair:
    """`me` takes the other off the list: the friendship ends, an own request is taken back, theirs stays."""
    match relation(pair, me):
        case Relation.MUTUAL:
            return NOTHING
        case Relation.OUTGOING:
            return cancel(pair, me)
        case _:
            return pair


def is_cooling(pair: Pair, now: int) -> bool:
    """The request was refused a short while ago: until this ends, asking again reaches nobody."""
    return pair.state in (State.REFUSED, State.WITHDRAWN) and now - pair.refused_at < COOL_DOWN_US


def expire(pair: Pair, now: int) -> Pair:
    """End a request that is too old, answered by no or not at all; of a refused one its cool-down stays."""
    if pair.state in (State.NONE, State.FRIENDS) or now - pair.at < EXPIRY_US:
        return pair
    return pair._replace(state=State.WITHDRAWN) if is_cooling(pair, now) else NOTHING
