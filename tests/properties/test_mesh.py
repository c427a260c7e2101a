"""Laws of who calls whom: every pair has exactly one caller, whatever happens to the others."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from veche.core.conference import Attendance, Conference
from veche.core.mesh import calls, is_caller, pair_epoch, session_list
from veche.packets import ErrorCode
from veche.packets.conference import Leg

IDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), min_size=2, max_size=12, unique=True
)
AT = "2026-11-29T06:00:00.000Z"


@settings(deadline=None)
@given(IDS, st.data())
def test_every_pair_has_exactly_one_caller(ids: list[str], data: st.DataObject) -> None:
    """Rows: V05 (partly), V07, V10."""
    initiator = data.draw(st.sampled_from(ids))
    participants = [id for id in ids if id != initiator]
    lists = {id: session_list(id, initiator, participants) for id in ids}
    for n, one in enumerate(ids):
        for other in ids[:n]:
            assert (other in lists[one]) != (one in lists[other])
    assert sum(map(len, lists.values())) == len(ids) * (len(ids) - 1) // 2
    assert set(lists[initiator]) == set(participants)


@settings(deadline=None)
@given(IDS, st.data())
def test_two_legs_and_the_initiator_decide_what_the_whole_list_says(ids: list[str], data: st.DataObject) -> None:
    """Rows: V11 (partly), X10 (partly)."""
    initiator = data.draw(st.sampled_from(ids))
    participants = [id for id in ids if id != initiator]
    for me in ids:
        called = [other for other in ids if other != me and calls(me, other, initiator)]
        assert sorted(called) == sorted(session_list(me, initiator, participants))


COMING = ("join", "join", "join", "expect", "arrive", "arrive", "vain", "resume")
GOING = ("lose", "expire", "leave", "transfer", "call", "remove")
step = st.tuples(st.sampled_from((*COMING, *GOING)), st.integers(0, 11))


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 12), st.lists(step, max_size=60))
def test_whoever_comes_goes_or_comes_again_every_pair_keeps_one_caller(
    people: int, steps: list[tuple[str, int]]
) -> None:
    """The epoch of a pair does not change by what others do, nor by a change of owner, and its caller neither.

    Devices are expected before they come, as on the server, and come in any order, or do not.  The conference is
    permanent, so that nobody's leaving ends it.  Rows: V10 (partly), V31 (partly), X10.
    """
    conference = Conference(Attendance(), "id", "name", at=AT, owner="0@x", is_permanent=True)
    known: dict[frozenset[str], tuple[int, str]] = {}
    expected: list[Leg] = []
    for what, which in steps:
        user = f"{which % people}@x"
        id = f"{user}/d"
        inside = id in conference.legs
        touched: set[str] = {id}
        match what:
            case "join":
                conference.join(id, user, at=AT)
            case "expect":
                expected.append(conference.expect(id, user, at=AT))
                touched = set()
            case "arrive" if expected:
                leg = expected.pop(which % len(expected))
                conference.join(leg.id, leg.user, at=AT, expected=leg)
                touched = {leg.id}
            case "vain" if expected:
                conference.forget(expected.pop())
                touched = set()
            case "expire":
                touched = set(conference.lost)
                conference.expire(60.0)
            case "resume" if inside:
                conference.join(id, user, at=AT, resume=True)
                touched = set()
            case "lose" if inside:
                conference.lose(id, 0.0)
                touched = set()
            case "leave" if inside:
                conference.leave(id)
            case "transfer" if inside and conference.owner != user:
                conference.transfer(conference.owner, user)
                touched = set()
            case "call" if not inside and user not in conference.ringing:
                conference.call(conference.owner, [user], 0.0, again=True)
                touched = set()
            case "remove" if inside and conference.owner != user:
                conference.remove(conference.owner, id)
            case _:
                continue
        legs = list(conference.legs.values())
        now = {frozenset((one.id, other.id)): decided(one, other) for n, one in enumerate(legs) for other in legs[:n]}
        for pair, told in known.items():
            if pair in now and not pair & touched:
                assert now[pair] == told
        known = now


def decided(one: Leg, other: Leg) -> tuple[int, str]:
    """The epoch of two legs and who calls; both see it so."""
    assert one.epoch != other.epoch
    assert is_caller(one, other) != is_caller(other, one)
    assert pair_epoch(one, other) == pair_epoch(other, one)
    return pair_epoch(one, other), one.id if is_caller(one, other) else other.id


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_epochs_ascend_and_are_never_given_twice(who: list[int]) -> None:
    """Rows: X10 (partly)."""
    conference = Conference(Attendance(), "id", "name", at=AT, is_permanent=True)
    given_out: list[int] = []
    for n in who:
        id = f"{n}@x/d"
        given_out.append(conference.join(id, f"{n}@x", at=AT).leg.epoch)
        if n % 2:
            conference.drop([id], ErrorCode.OFFLINE)
    assert given_out == sorted(set(given_out))
