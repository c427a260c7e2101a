"""Who has been there: the order in which people left, so that asking for the last minutes costs what it finds.

Source: rows T23-T25.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator


class Departures:
    """Who has gone, the latest last, and when, in seconds on a monotonic clock that never steps back."""

    def __init__(self) -> None:
        self._gone: OrderedDict[int, tuple[float, str]] = OrderedDict()

    def came(self, id: int) -> None:
        """Somebody is there."""
        self._gone.pop(id, None)

    def went(self, id: int, address: str, now: float) -> None:
        """Somebody has gone."""
        self._gone[id] = now, address
        self._gone.move_to_end(id)

    def since(self, start: float) -> Iterator[tuple[int, str]]:
        """Those who went at `start` or later, the latest first: (id, address)."""
        for id, (gone, address) in reversed(self._gone.items()):
            if gone < start:
                return
            yield id, address
