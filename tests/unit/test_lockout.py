"""Who has failed too often, with made-up time."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veche.core.lockout import Lockout

BLOCK_S = 60.0


def fail(lockout: Lockout, account: str, address: str, now: float, times: int = 1) -> float:
    """Fail several times at once; the wait after the last."""
    return [lockout.failed(account, address, now) for _ in range(times)][-1]


def test_the_third_failure_in_a_row_locks_the_account_for_everybody() -> None:
    """Rows: T10 (partly), T11 (partly), M09."""
    lockout = Lockout(BLOCK_S)
    assert lockout.failed("hans", "a", 10.0) == 0.0
    assert lockout.failed("hans", "b", 20.0) == 0.0
    assert lockout.failed("hans", "c", 30.0) == BLOCK_S
    assert lockout.wait_s("hans", "elsewhere", 40.0) == 50.0
    assert lockout.wait_s("yoda", "a", 40.0) == 0.0


def test_a_failure_long_ago_still_counts() -> None:
    """Rows: T10 (partly)."""
    lockout = Lockout(BLOCK_S)
    fail(lockout, "hans", "a", 0.0, times=2)
    assert lockout.failed("hans", "a", 1_000_000.0) == BLOCK_S


def test_attempts_during_a_lock_do_not_prolong_it() -> None:
    """Rows: T11 (partly)."""
    lockout = Lockout(BLOCK_S)
    fail(lockout, "hans", "a", 0.0, times=3)
    assert lockout.failed("hans", "b", 59.0) == 1.0
    assert lockout.wait_s("hans", "a", 60.0) == 0.0


def test_after_the_lock_the_counting_starts_anew() -> None:
    """Rows: T12 (partly)."""
    lockout = Lockout(BLOCK_S)
    fail(lockout, "hans", "a", 0.0, times=5)
    assert fail(lockout, "hans", "a", 60.0, times=2) == 0.0
    assert lockout.failed("hans", "a", 60.0) == BLOCK_S


def test_a_success_ends_the_row_of_failures() -> None:
    """Rows: T12 (partly)."""
    lockout = Lockout(BLOCK_S)
    fail(lockout, "hans", "a", 0.0, times=2)
    lockout.succeeded("hans", "a", 1.0)
    assert fail(lockout, "hans", "a", 2.0, times=2) == 0.0
    assert lockout.failed("hans", "a", 2.0) == BLOCK_S


def test_a_success_that_was_under_way_does_not_lift_a_lock() -> None:
    """Rows: T11 (partly)."""
    lockout = Lockout(BLOCK_S)
    fail(lockout, "hans", "a", 0.0, times=3)
    lockout.succeeded("hans", "a", 1.0)
    assert lockout.wait_s("hans", "a", 1.0) == 59.0


def test_an_address_that_fails_for_three_accounts_is_locked_for_all_accounts() -> None:
    """Password spraying.  Rows: M09, X03."""
    lockout = Lockout(BLOCK_S)
    assert lockout.failed("hans", "bad", 0.0) == 0.0
    assert lockout.failed("yoda", "bad", 10.0) == 0.0
    assert lockout.failed("luke", "bad", 20.0) == BLOCK_S
    assert lockout.wait_s("vader", "bad", 30.0) == 50.0
    assert lockout.wait_s("luke", "good", 30.0) == 0.0
    assert lockout.failed("vader", "bad", 79.0) == 1.0
    assert lockout.failed("vader", "bad", 80.0) == 0.0


def test_failures_for_one_account_do_not_lock_the_address_for_others() -> None:
    """Rows: M09."""
    lockout = Lockout(BLOCK_S)
    assert fail(lockout, "hans", "home", 0.0, times=3) == BLOCK_S
    assert lockout.wait_s("yoda", "home", 0.0) == 0.0


def test_an_address_is_not_locked_by_failures_far_apart() -> None:
    """Rows: M09."""
    lockout = Lockout(BLOCK_S)
    assert lockout.failed("hans", "home", 0.0) == 0.0
    assert lockout.failed("yoda", "home", 59.0) == 0.0
    assert lockout.failed("luke", "home", 60.0) == 0.0
    assert lockout.failed("vader", "home", 61.0) == BLOCK_S


def test_a_success_forgets_the_failures_of_its_address() -> None:
    """Rows: M09, T12 (partly)."""
    lockout = Lockout(BLOCK_S)
    lockout.failed("hans", "home", 0.0)
    lockout.failed("yoda", "home", 0.0)
    lockout.succeeded("leia", "home", 1.0)
    assert lockout.failed("luke", "home", 2.0) == 0.0


def test_a_block_of_zero_seconds_switches_the_lockout_off() -> None:
    """Rows: T10 (partly)."""
    lockout = Lockout(0.0)
    assert fail(lockout, "hans", "a", 0.0, times=10) == 0.0
    assert lockout.wait_s("hans", "a", 0.0) == 0.0


def test_a_flood_of_failures_elsewhere_does_not_lift_a_lock() -> None:
    """Rows: T11 (partly), X03."""
    lockout = Lockout(BLOCK_S, capacity=10)
    fail(lockout, "hans", "a", 0.0, times=3)
    for n in range(1000):
        fail(lockout, f"nobody{n}", f"bot{n}", 1.0, times=2)
    assert lockout.wait_s("hans", "a", 1.0) == 59.0


def test_a_full_table_forgets_what_is_oldest() -> None:
    """Memory is bounded; the price is in the module's docstring.  Rows: X03."""
    lockout = Lockout(BLOCK_S, capacity=10)
    fail(lockout, "hans", "a", 0.0, times=2)
    fail(lockout, "yoda", "b", 0.0, times=2)
    for n in range(9):
        lockout.failed(f"nobody{n}", f"bot{n}", 1.0)
    assert lockout.failed("yoda", "b", 2.0) == BLOCK_S
    assert fail(lockout, "hans", "a", 2.0, times=2) == 0.0


def test_ended_locks_make_room_before_live_ones() -> None:
    """Rows: X03."""
    lockout = Lockout(BLOCK_S, capacity=2)
    fail(lockout, "hans", "a", 0.0, times=3)
    fail(lockout, "yoda", "b", 50.0, times=3)
    fail(lockout, "luke", "c", 70.0, times=3)
    assert lockout.wait_s("yoda", "b", 70.0) == 40.0
    assert lockout.wait_s("luke", "c", 70.0) == BLOCK_S


@pytest.mark.parametrize(("limit", "capacity"), [(0, 1), (1, 0)])
def test_a_lockout_of_nothing_is_a_mistake_of_the_caller(limit: int, capacity: int) -> None:
    """Rows: T10 (partly)."""
    with pytest.raises(ValueError, match="at least 1"):
        Lockout(BLOCK_S, limit, capacity)


class Attempt(NamedTuple):
    """One attempt, `after_s` the one before."""

    right: bool
    account: str
    address: str
    after_s: int


ATTEMPTS = st.lists(
    st.builds(
        Attempt,
        right=st.sampled_from([False, False, False, False, True]),
        account=st.sampled_from(["hans", "yoda", "luke", "leia"]),
        address=st.sampled_from(["a", "b", "c"]),
        after_s=st.sampled_from([0, 0, 1, 20, 59, 60, 61]),
    ),
    max_size=60,
)


class Model:
    """The rules as they are written, over the whole history."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, str, float]] = []
        self.locked_at: dict[str, float] = {}
        self.forgotten: dict[str, int] = {}
        """Of an account or address: how much of `failures` no longer counts."""

    def wait_s(self, key: str, now: float) -> float:
        return max(0.0, self.locked_at.get(key, -BLOCK_S) + BLOCK_S - now)

    def forget(self, key: str) -> None:
        self.forgotten[key] = len(self.failures)

    def attempt(self, attempt: Attempt, now: float) -> None:
        keys = (attempt.account, attempt.address)
        if any(self.wait_s(key, now) for key in keys):
            return  # the server does not even judge it
        if attempt.right:
            for key in keys:
                self.forget(key)
            return
        self.failures.append((attempt.account, attempt.address, now))
        row = [f for f in self.failures[self.forgotten.get(attempt.account, 0) :] if f[0] == attempt.account]
        tried = {
            account
            for account, address, at in self.failures[self.forgotten.get(attempt.address, 0) :]
            if address == attempt.address and now - at < BLOCK_S
        }
        for key, count in zip(keys, (len(row), len(tried)), strict=True):
            if count == 3:
                self.locked_at[key] = now
                self.forget(key)


@given(ATTEMPTS)
def test_the_lockout_does_what_its_rules_say(attempts: list[Attempt]) -> None:
    """Rows: M09, T10 (partly), T11 (partly), T12 (partly)."""
    lockout, model, now = Lockout(BLOCK_S), Model(), 0.0
    for attempt in attempts:
        now += attempt.after_s
        _, account, address, _ = attempt
        if not attempt.right:
            lockout.failed(account, address, now)
        elif lockout.wait_s(account, address, now) == 0.0:
            lockout.succeeded(account, address, now)
        model.attempt(attempt, now)
        assert lockout.wait_s(account, address, now) == max(model.wait_s(account, now), model.wait_s(address, now))


@given(ATTEMPTS, st.lists(st.integers(-10_000, 10_000), min_size=60, max_size=60), st.integers(1, 3))
def test_a_clock_that_steps_back_locks_nobody_for_ever(
    attempts: list[Attempt], steps: list[int], capacity: int
) -> None:
    """Rows: T12 (partly)."""
    lockout, now = Lockout(BLOCK_S, capacity=capacity), 0.0
    for attempt, step in zip(attempts, steps, strict=False):
        now += step
        _, account, address, _ = attempt
        if attempt.right:
            lockout.succeeded(account, address, now)
        else:
            lockout.failed(account, address, now)
        wait_s = lockout.wait_s(account, address, now)
        assert 0.0 <= wait_s <= BLOCK_S
        assert lockout.wait_s(account, address, now + wait_s) == 0.0
