"""Token buckets with debt."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veche.core.budget import Bucket


def test_a_burst_passes_and_the_next_one_waits() -> None:
    """Rows: X15 (partly)."""
    bucket = Bucket(2.0, 5.0, now=100.0)
    assert [bucket.take(1, 100.0) for _ in range(5)] == [0.0] * 5
    assert bucket.take(1, 100.0) == 0.5
    assert bucket.take(1, 100.0) == 1.0


def test_a_debt_is_paid_by_waiting_as_long_as_was_said() -> None:
    """Rows: X15 (partly)."""
    bucket = Bucket(10.0, 5.0, now=0.0)
    pause_s = bucket.take(25, 0.0)
    assert pause_s == 2.0
    assert bucket.take(0, 1.5) == 0.5
    assert bucket.take(0, pause_s) == 0.0
    assert bucket.take(1, pause_s) == 0.1


def test_idle_time_gathers_no_more_than_the_burst() -> None:
    """Rows: X15 (partly)."""
    bucket = Bucket(1.0, 3.0, now=0.0)
    assert bucket.take(3, 1000.0) == 0.0
    assert bucket.take(1, 1000.0) == 1.0


def test_an_infinite_rate_never_waits() -> None:
    """Rows: X15 (partly)."""
    bucket = Bucket(math.inf, 1.0, now=0.0)
    assert bucket.take(10**9, 0.0) == 0.0
    assert bucket.take(10**9, 1.0) == 0.0


@pytest.mark.parametrize(("rate_per_s", "burst"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (math.nan, 1.0)])
def test_a_budget_of_nothing_is_a_mistake_of_the_caller(rate_per_s: float, burst: float) -> None:
    """Rows: X15 (partly)."""
    with pytest.raises(ValueError, match="must be above 0"):
        Bucket(rate_per_s, burst, now=0.0)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(-1000, 1000)), max_size=60),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_who_pauses_as_told_never_exceeds_the_rate(steps: list[tuple[int, int]], rate: int, burst: int) -> None:
    """However the amounts are cut and wherever the clock steps back to.  Rows: X15 (partly)."""
    bucket, now, forward_s, taken = Bucket(rate, burst, now=0.0), 0.0, 0.0, 0.0
    for amount, step_s in steps:
        now += step_s
        forward_s += max(step_s, 0)
        pause_s = bucket.take(amount, now)
        taken += amount
        assert pause_s >= 0.0
        assert taken - pause_s * rate <= burst + rate * forward_s + 1e-6
        now += pause_s
        forward_s += pause_s
