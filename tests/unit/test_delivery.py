"""One device's place in the delivery: the rules of core/delivery.py, and the law that nothing is lost or sent twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from veche.core.delivery import DeviceFeed


def test_a_device_becomes_live_when_the_log_has_nothing_more() -> None:
    """Rows: T29 (partly)."""
    feed = DeviceFeed(10)
    assert feed.wants_page
    assert feed.page_started() == 10
    assert not feed.wants_page
    assert not feed.page_put(15, True, 20)
    assert feed.page_started() == 15
    assert feed.page_put(20, False, 20)
    assert feed.is_live
    assert not feed.wants_page


def test_what_was_announced_during_the_last_page_is_read_before_going_live() -> None:
    """Rows: T29 (partly)."""
    feed = DeviceFeed(0)
    feed.page_started()
    assert not feed.page_put(5, False, 6)
    assert feed.wants_page


def test_a_full_link_ends_liveness_and_a_drained_one_catches_up() -> None:
    """Rows: T29 (partly)."""
    feed = DeviceFeed(0)
    feed.page_started()
    assert feed.page_put(None, False, 0)
    feed.pause(7, now=1.0)
    assert not feed.is_live
    assert not feed.wants_page
    assert feed.sent_id == 7
    feed.resume()
    assert feed.page_started() == 7


def test_an_acknowledgement_moves_the_cursor_forward_and_not_beyond_what_was_sent() -> None:
    """Rows: T29 (partly)."""
    feed = DeviceFeed(3)
    assert not feed.acknowledge(9, 9)
    feed.page_started()
    feed.page_put(5, False, 5)
    assert feed.acknowledge(9, 6)
    assert feed.cursor_id == 6
    assert not feed.acknowledge(2, 6)
    assert feed.cursor_id == 6


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["commit", "page", "read", "pause", "resume"]), max_size=60))
def test_each_entry_is_put_once_and_in_order_whatever_happens(steps: list[str]) -> None:
    """Entries are committed, pages are read (and what is read may be newer than what was announced), links fill and
    drain.  Rows: T29 (partly), X05 (partly)."""
    feed = DeviceFeed(0)
    log: list[int] = []
    announced = 0
    put: list[int] = []
    reading: list[int] | None = None
    size = 3
    for step in [*steps, "resume", *["page", "read"] * 40]:
        if step == "commit":
            log.append(len(log) + 1)
            announced = log[-1]
            if feed.is_live and announced > feed.sent_id:
                put.append(announced)
        elif step == "page" and feed.wants_page:
            after = feed.page_started()
            reading = [id for id in log if id > after][:size]
        elif step == "read" and reading is not None:
            put.extend(reading)
            feed.page_put(reading[-1] if reading else None, len(reading) == size, announced)
            reading = None
        elif step == "pause":
            feed.pause(announced, now=0.0)
        elif step == "resume":
            feed.resume()
    assert feed.is_live
    assert put == log
