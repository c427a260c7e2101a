"""Who calls whom: the example of document 004, and what the rule refuses."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tools.generated import ROOT
from veche.core.mesh import calls, is_caller, pair_epoch, session_list
from veche.packets.conference import Leg

A, B, C, D = (f"{name}@domain/res" for name in "abcd")


def leg(id: str, epoch: int, initiator: str) -> Leg:
    return Leg(id=id, user=id.partition("/")[0], epoch=epoch, initiator=initiator, at="2026-11-29T06:00:00.000Z")


def test_the_example_of_document_004() -> None:
    """Rows: V06, V07 (partly), V08, V09, V11."""
    assert session_list(B, B, [A, C, D]) == [C, D, A]
    assert session_list(C, B, [D, A, C]) == [D, A]
    assert session_list(D, B, [A, C, D]) == [A]
    assert session_list(A, B, [A, C, D]) == []


def test_the_order_is_that_of_code_points() -> None:
    """A language that compares UTF-16 units would put the second before the first.  Rows: V07 (partly)."""
    low, high = "\uffff@domain/res", "\U00010000@domain/res"
    assert session_list(low, A, [high, low]) == [high]
    assert calls(low, high, A)
    assert not calls(high, low, A)


@pytest.mark.parametrize("participants", [[A, B], [A, A], [C, D, B]])
def test_participants_do_not_hold_the_initiator_and_nobody_twice(participants: list[str]) -> None:
    """Rows: V20 (partly)."""
    with pytest.raises(ValueError, match="named once"):
        session_list(B, B, participants)


def test_whoever_is_in_no_list_has_none() -> None:
    with pytest.raises(ValueError, match="not in list"):
        session_list(D, B, [A, C])


def test_the_later_of_two_legs_decides_and_the_initiator_of_its_epoch() -> None:
    """B made the conference, and came again after C: between the two B's newest epoch counts.  Rows: X10 (partly)."""
    first, second = leg(B, 1, B), leg(C, 2, B)
    assert pair_epoch(first, second) == 2
    assert is_caller(first, second)
    again = leg(B, 3, C)
    assert pair_epoch(again, second) == 3
    assert is_caller(second, again)
    assert not is_caller(again, second)


@pytest.mark.parametrize("vector", json.loads((ROOT / "protocol/vectors/mesh.json").read_text(encoding="ascii")))
def test_the_vectors_say_what_we_say(vector: dict[str, Any]) -> None:
    """The browser is held to the same file.  Rows: V07 (partly), V10 (partly)."""
    if "lists" in vector:
        for me, called in vector["lists"].items():
            assert session_list(me, vector["initiator"], vector["participants"]) == called
        return
    one, other = (msgspec.convert(fields, Leg) for fields in vector["legs"])
    assert pair_epoch(one, other) == vector["epoch"]
    assert (one.id if is_caller(one, other) else other.id) == vector["caller"]
