"""What two people are to each other: each state, each operation, from each side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from veche.core.contacts import (
    COOL_DOWN_US,
    DAY_US,
    EXPIRY_US,
    NOTHING,
    Pair,
    Refusal,
    State,
    answer,
    cancel,
    delete,
    expire,
    ignore,
    in_order,
    relation,
    remove,
    request,
)
from veche.packets.contacts import Relation

ME, THEM = 1, 2
NOW = 100 * DAY_US
ASKED_AT, LATELY, LONG_AGO = NOW - 20 * DAY_US, NOW - DAY_US, NOW - COOL_DOWN_US

asked, asks = Pair(State.ASKED, ME, at=ASKED_AT), Pair(State.ASKED, THEM, at=ASKED_AT)
ROWS = {
    "nothing": NOTHING,
    "I ask": asked,
    "they ask": asks,
    "they ask, ignored": asks._replace(is_ignored=True),
    "I was refused": asked._replace(state=State.REFUSED, refused_at=LATELY),
    "I was refused long ago": asked._replace(state=State.REFUSED, refused_at=LONG_AGO),
    "they were refused": asks._replace(state=State.REFUSED, refused_at=LATELY),
    "I withdrew": asked._replace(state=State.WITHDRAWN, refused_at=LATELY),
    "I withdrew long ago": asked._replace(state=State.WITHDRAWN, refused_at=LONG_AGO),
    "they withdrew": asks._replace(state=State.WITHDRAWN, refused_at=LATELY),
    "friends": Pair(State.FRIENDS, at=ASKED_AT),
    # what only comes of an operation
    "I ask now": asked._replace(at=NOW),
    "friends now": Pair(State.FRIENDS, at=NOW),
    "they were refused now": asks._replace(state=State.REFUSED, refused_at=NOW),
    "I was refused, and ask now": asked._replace(state=State.REFUSED, refused_at=LATELY, at=NOW),
}
OPERATIONS: dict[str, Callable[[Pair], Pair]] = {
    "request": lambda pair: request(pair, ME, NOW),
    "yes": lambda pair: answer(pair, ME, True, NOW),
    "no": lambda pair: answer(pair, ME, False, NOW),
    "ignore": lambda pair: ignore(pair, ME),
    "cancel": lambda pair: cancel(pair, ME),
    "remove": lambda pair: remove(pair, ME),
    "delete": lambda pair: delete(pair, ME),
}
SAME, NO_REQUEST, NO_FRIEND, FRIENDS_ALREADY = "same", "unknown-request", "not-friends", "already-there"
TABLE: dict[str, tuple[Relation, dict[str, str]]] = {
    "nothing": (Relation.NONE, {"request": "I ask now"}),
    "I ask": (Relation.OUTGOING, {"request": SAME, "cancel": "nothing", "delete": "nothing"}),
    "they ask": (
        Relation.INCOMING,
        {"request": "friends now", "yes": "friends now", "no": "they were refused now", "ignore": "they ask, ignored"},
    ),
    "they ask, ignored": (
        Relation.INCOMING,
        {"request": "friends now", "yes": "friends now", "no": "they were refused now", "ignore": SAME},
    ),
    "I was refused": (Relation.OUTGOING, {"request": SAME, "cancel": "I withdrew", "delete": "I withdrew"}),
    "I was refused long ago": (
        Relation.OUTGOING,
        {"request": "I ask", "cancel": "I withdrew long ago", "delete": "I withdrew long ago"},
    ),
    "they were refused": (Relation.NONE, {"request": "friends now"}),
    "I withdrew": (Relation.NONE, {"request": "I was refused, and ask now"}),
    "I withdrew long ago": (Relation.NONE, {"request": "I ask now"}),
    "they withdrew": (Relation.NONE, {"request": "I ask now"}),
    "friends": (Relation.MUTUAL, {"request": FRIENDS_ALREADY, "remove": "nothing", "delete": "nothing"}),
}
"""What I see, and what my operations make of it; what is not said is refused, and changes nothing."""
REFUSED = dict.fromkeys(("yes", "no", "ignore", "cancel"), NO_REQUEST) | {"remove": NO_FRIEND, "delete": SAME}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("row", TABLE)
def test_each_operation_on_each_row_does_what_the_table_says(row: str, operation: str) -> None:
    """Rows: A19 (partly), A20 (partly), A23 (partly), A26 (partly), A29 (partly), X01 (partly), X22 (partly)."""
    pair = ROWS[row]
    expected = (REFUSED | TABLE[row][1])[operation]
    if expected in (NO_REQUEST, NO_FRIEND, FRIENDS_ALREADY):
        with pytest.raises(Refusal) as refusal:
            OPERATIONS[operation](pair)
        assert refusal.value.code == expected
    else:
        assert OPERATIONS[operation](pair) == (pair if expected == SAME else ROWS[expected])


@pytest.mark.parametrize("row", TABLE)
def test_each_of_the_two_sees_their_side(row: str) -> None:
    """Rows: A19 (partly), A23 (partly), X22 (partly)."""
    pair = ROWS[row]
    assert relation(pair, ME) is TABLE[row][0]
    mirrored = {Relation.OUTGOING: Relation.INCOMING, Relation.INCOMING: Relation.OUTGOING}
    told = mirrored.get(TABLE[row][0], TABLE[row][0])
    if pair.state == State.REFUSED:  # who refused sees nothing, who asked sees no refusal
        told = Relation.NONE if pair.asker == ME else Relation.OUTGOING
    assert relation(pair, THEM) is told


def test_the_order_of_two_logins_is_that_of_their_code_points() -> None:
    """Rows: A24 (partly)."""
    assert in_order("bob", "alice") == in_order("alice", "bob") == ("alice", "bob")
    assert in_order("\U0001f409", "\uff5e") == ("\uff5e", "\U0001f409")  # in UTF-16 it were the other way round


# -- the time


@pytest.mark.parametrize(
    ("row", "days", "after"),
    [
        ("nothing", 99, SAME),
        ("friends", 99, SAME),
        ("they ask", 9, SAME),
        ("they ask", 10, "nothing"),
        ("they ask, ignored", 10, "nothing"),
        ("I was refused", 9, SAME),
        ("I was refused", 10, "nothing"),
        ("they withdrew", 9, SAME),
        ("they withdrew", 10, "nothing"),
    ],
)
def test_a_request_ends_after_thirty_days_refused_or_not(row: str, days: int, after: str) -> None:
    """Rows: A23 (partly), X22 (partly)."""
    pair = ROWS[row]
    assert expire(pair, NOW + days * DAY_US) == (pair if after == SAME else ROWS[after])


def test_a_cool_down_outlives_its_request() -> None:
    """Rows: A23 (partly)."""
    asked_at, refused_at = 0, EXPIRY_US - DAY_US
    pair = answer(Pair(State.ASKED, ME, at=asked_at), THEM, False, refused_at)
    pair = expire(pair, EXPIRY_US)
    assert relation(pair, ME) is Relation.NONE
    assert relation(request(pair, ME, EXPIRY_US), THEM) is Relation.NONE
    end = refused_at + COOL_DOWN_US
    assert expire(pair, end - 1) == pair
    assert relation(request(pair, ME, end), THEM) is Relation.INCOMING
    assert expire(pair, end) == NOTHING


def test_who_was_refused_may_ask_again_after_a_week() -> None:
    """Rows: A23 (partly)."""
    pair = answer(request(NOTHING, ME, 0), THEM, False, DAY_US)
    for again in (DAY_US, 7 * DAY_US, 8 * DAY_US - 1):
        pair = request(pair, ME, again)
        assert relation(pair, THEM) is Relation.NONE
    assert relation(request(pair, ME, 8 * DAY_US), THEM) is Relation.INCOMING
