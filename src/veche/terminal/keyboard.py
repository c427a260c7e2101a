"""What others are told of this keyboard: that nobody sits before it, and to whom something is being written.

After `AWAY_AFTER_S` without a key, or when they say so, the person is away; the next key ends it (row X21).

Pure: `now`, everywhere, is in seconds on one monotonic clock.  Source: rows M21, M22, X21.
"""

from __future__ import annotations

AWAY_AFTER_S = 300.0
WRITING_AGAIN_S = 5.0
"""Who goes on writing is told of again so often."""


class Absence:
    """One person before one screen."""

    def __init__(self, now: float) -> None:
        self.is_away = False
        self._key_at = now

    def key_pressed(self, now: float) -> bool:
        """Returns whether that ends an absence."""
        was_away, self.is_away = self.is_away, False
        self._key_at = now
        return was_away

    def time_passed(self, now: float) -> bool:
        """Returns whether an absence begins now."""
        begins = not self.is_away and now - self._key_at >= AWAY_AFTER_S
        self.is_away = self.is_away or begins
        return begins

    def leave(self) -> None:
        """They say that they go."""
        self.is_away = True

    def since_key(self, now: float) -> float:
        """Seconds since the last key."""
        return now - self._key_at


class Writing:
    """To whom something is being written, as they know it."""

    def __init__(self) -> None:
        self._to: str | None = None
        self._told_at = 0.0

    def changed(self, to: str | None, text: str, now: float) -> tuple[str, bool] | None:
        """What stands in the line is this, for that person; None: for nobody.

        Returns whom to tell, and whether it has ended; None: nobody.  A command is for nobody.
        """
        if to is None or not text or text.startswith("/"):
            return self.ended()
        if self._to == to and now - self._told_at <= WRITING_AGAIN_S:
            return None
        self._to, self._told_at = to, now
        return to, False

    def ended(self) -> tuple[str, bool] | None:
        """Nothing is being written any more."""
        to = self._to
        self._to = None
        return None if to is None else (to, True)

    def sent(self) -> None:
        """A message ends it by itself."""
        self._to = None
