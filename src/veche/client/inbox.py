"""What has arrived and waits for its consumer, counted in bytes.

Asking for the next says that the last one given out has been handled.

Source: STYLE.md, "Backpressure is designed, not added".
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from .events import Arrived, Unanswered
from .private import PrivateEvent, Said


class Online(NamedTuple):
    """The device is logged in, for the first time or again."""

    address: str
    device: str


class Offline(NamedTuple):
    """The link is lost.  retry_in_s: when the next one is tried."""

    reason: str
    retry_in_s: float | None


Item = Arrived | Online | Offline | Unanswered | PrivateEvent


class Inbox:
    """A queue of events, and those that the consumer is at."""

    def __init__(self) -> None:
        self.size_bytes = 0
        """of all lines and private texts that are not handled yet"""
        self._items: deque[Item] = deque()
        self._given: list[Item] = []

    @property
    def is_handled(self) -> bool:
        """Nothing waits, and nothing is being handled."""
        return not self._items and not self._given

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item, at: int | None = None) -> None:
        """Put an event at the end, or behind the first `at` that wait."""
        self._items.insert(len(self._items) if at is None else at, item)
        self.size_bytes += size_of(item)

    def give_one(self) -> Item:
        """The next one."""
        item = self._items.popleft()
        self._given = [item]
        return item

    def give_all(self) -> list[Item]:
        """All that there are."""
        self._given = list(self._items)
        self._items.clear()
        return self._given

    def handled(self) -> list[Item]:
        """What was given out last, now handled; nothing when that was asked before."""
        given, self._given = self._given, []
        for item in given:
            self.size_bytes -= size_of(item)
        return given


def size_of(item: Item) -> int:
    """What an event holds, in bytes; a private text as if it were ASCII."""
    if isinstance(item, Arrived):
        return len(item.line)
    return len(item.text) if isinstance(item, Said) else 0
