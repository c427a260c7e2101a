"""How far somebody has read, in its five cases, and what a conversation may look like."""

from __future__ import annotations

import pytest

from veche.swarm.reading import BadPreference, Marker, check_preference, fetched, own_message, remote_marker


def is_later(one: str, other: str) -> bool:
    return one > other


def told(mine: Marker, theirs: str, *, is_here: bool = True) -> Marker:
    return remote_marker(mine, theirs, is_here=is_here, is_later=is_later)


def test_the_same_changes_nothing() -> None:
    """Rows: B80."""
    assert told(Marker("5"), "5") == told(Marker("5"), "5", is_here=False) == Marker("5")


def test_without_a_marker_the_other_is_taken() -> None:
    """Rows: B81."""
    assert told(Marker(), "5") == Marker("5")


def test_a_commit_that_is_not_here_waits_until_it_is() -> None:
    """Rows: B82."""
    waiting = told(Marker("3"), "5", is_here=False)
    assert waiting == Marker("3", "5")
    assert fetched(waiting, "4", is_later) == waiting
    assert fetched(waiting, "5", is_later) == Marker("5")
    assert fetched(told(Marker("7"), "5", is_here=False), "5", is_later) == Marker("7")


def test_the_later_of_two_stays() -> None:
    """Rows: B83."""
    assert told(Marker("3"), "5") == Marker("5")
    assert told(Marker("7"), "5") == Marker("7")
    assert told(Marker("3", "9"), "5") == Marker("5", "9")
    assert told(Marker("3", "5"), "5") == Marker("5")


def test_who_writes_has_read_what_they_wrote() -> None:
    """Rows: B84."""
    assert own_message(Marker("3"), "4") == Marker("4")
    assert own_message(Marker("", "9"), "4") == Marker("4", "9")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("color", "#3A7BD5"),
        ("color", "#000000"),
        ("ignoreNotifications", "true"),
        ("ignoreNotifications", "false"),
        ("symbol", "🐟"),
        ("symbol", "👩‍👩‍👧"),
        ("fileSizeLimit", "0"),
        ("fileSizeLimit", "20000000"),
        ("unknown to us", "kept"),
    ],
)
def test_preferences_are_kept(name: str, value: str) -> None:
    """Rows: B85 (partly), B86 (partly), B87 (partly), B88 (partly)."""
    assert check_preference(name, value) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("color", "red"),
        ("color", "#12345"),
        ("color", "#12345g"),
        ("color", "#123456\n"),
        ("ignoreNotifications", "yes"),
        ("symbol", ""),
        ("symbol", "a b"),
        ("symbol", "x" * 33),
        ("fileSizeLimit", "-1"),
        ("fileSizeLimit", "1 MB"),
        ("fileSizeLimit", "9" * 16),
    ],
)
def test_preferences_that_mean_nothing_are_refused(name: str, value: str) -> None:
    """Rows: B85, B86 (partly), B87 (partly), B88 (partly)."""
    with pytest.raises(BadPreference):
        check_preference(name, value)
