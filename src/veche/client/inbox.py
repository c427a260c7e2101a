"""What has arrived and waits for its consumer, counted in bytes.

Asking for the next says that the last one given out has been handled.

Source: STYLE.md, "Backpressure is designed, not added".
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from .events import Arrived


class Online(NamedTuple):
    """The device is logged in, for the first time or again."""

    address: str
    device: str


class Offline(NamedTuple):
    """The link is lost.  retry_in_s: when the next one is tried."""

    reason: str
    retry_in_s: float | None


Item = Arrived | Online | Offline


class Inbox:
    """A queue of events, and those that the consumer is at."""

    def __init__(self) -> None:
        self.size_bytes = 0
        """of all lines that are not handled yet"""
        self._items: deque[Item] = deque()
        self._given: list[Item] = []

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def is_handled(self) -> bool:
        """Nothing waits, and nothing is being handled."""
        return not self._items and not self._given

    def put(self, item: Item) -> None:
        self._items.append(item)
        if isinstance(item, Arrived):
            self.size_bytes += len(item.line)

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
            if isinstance(item, Arrived):
                self.size_bytes -= len(item.line)
        return given
