"""Laws of what two people are to each other."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from veche.core.contacts import (
    DAY_US,
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

LOGINS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)


@given(LOGINS, LOGINS)
@example("\uffff", "\U00010000")
@example("e\u0301", "é")
def test_two_logins_have_one_order_which_is_that_of_both_databases(a: str, b: str) -> None:
    """The databases compare bytes of UTF-8.  Rows: A24 (partly)."""
    assert in_order(a, b) == in_order(b, a)
    assert [login.encode() for login in in_order(a, b)] == sorted((a.encode(), b.encode()))


# -- any life of a pair

Operation = Callable[[Pair, int, int], Pair]
OPERATIONS: dict[str, Operation] = {
    "request": request,
    "yes": lambda pair, me, now: answer(pair, me, True, now),
    "no": lambda pair, me, now: answer(pair, me, False, now),
    "ignore": lambda pair, me, now: ignore(pair, me),
    "cancel": lambda pair, me, now: cancel(pair, me),
    "remove": lambda pair, me, now: remove(pair, me),
    "delete": lambda pair, me, now: delete(pair, me),
    "expire": lambda pair, me, now: expire(pair, now),
}
Turn = tuple[str, int, int]
"""An operation, who of 1 and 2 makes it, after how many days."""


def turns(*operations: str) -> st.SearchStrategy[list[Turn]]:
    return st.lists(
        st.tuples(st.sampled_from(operations), st.integers(1, 2), st.sampled_from([0, 0, 1, 5, 7, 30])), max_size=30
    )


def play(pair: Pair, operation: str, me: int, now: int) -> tuple[Pair, str | None]:
    """The pair afterwards, and why the operation was refused, if it was."""
    try:
        return OPERATIONS[operation](pair, me, now), None
    except Refusal as refusal:
        return pair, refusal.code


@given(turns(*OPERATIONS))
def test_whatever_is_done_the_two_sides_fit(life: list[Turn]) -> None:
    """Rows: A19 (partly), A29 (partly), X01 (partly)."""
    pair, now = NOTHING, 0
    for operation, me, days in life:
        now += days * DAY_US
        pair, _ = play(pair, operation, me, now)
        sides = {relation(pair, 1), relation(pair, 2)}
        if pair.state == State.REFUSED:
            assert sides == {Relation.OUTGOING, Relation.NONE}
        else:
            assert sides in ({Relation.NONE}, {Relation.MUTUAL}, {Relation.OUTGOING, Relation.INCOMING})
        assert (pair.asker in (1, 2)) == (pair.state in (State.ASKED, State.REFUSED, State.WITHDRAWN))
        assert pair.state == State.ASKED or not pair.is_ignored
        assert (pair == NOTHING) == (pair.state == State.NONE)


@settings(max_examples=500)
@given(
    st.lists(st.tuples(st.sampled_from(["request", "cancel"]), st.sampled_from([0, 1, 8, 29])), min_size=2, max_size=6),
    st.sets(st.integers(0, 5)),
    st.sets(st.integers(0, 5)),
)
@example([("request", 0), ("request", 8), ("cancel", 29)], {0}, set())
@example([("request", 0), ("cancel", 1), ("request", 1), ("cancel", 29)], {0}, set())
def test_who_is_refused_cannot_tell_it_from_being_ignored(
    asked: list[tuple[str, int]], refused: set[int], ignored: set[int]
) -> None:
    """One addressee ignores, the other refuses now and then: who asks sees the same.

    Rows: A19 (partly), A23 (partly), X22 (partly).
    """
    left, right, now = NOTHING, NOTHING, 0
    for turn, (operation, days) in enumerate(asked):
        now += days * DAY_US
        seen: list[object] = []
        for pair, answers in ((left, ignored), (right, refused)):
            pair = expire(pair, now)
            pair, code = play(pair, operation, 1, now)
            seen.append((relation(pair, 1), code))
            if turn in answers:
                pair, _ = play(pair, "ignore" if answers is ignored else "no", 2, now)
            if answers is ignored:
                left = pair
            else:
                right = pair
        assert seen[0] == seen[1]
