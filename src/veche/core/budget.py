"""Token buckets: how fast somebody may go on.

A bucket holds up to `burst` tokens and gains `rate_per_s` of them a second.  It knows *debt*: what has been received
cannot be un-received, so `take` always takes, and says for how long to stop reading until the debt is paid.  So the
long-run rate holds exactly, whatever the sizes, and one amount above `burst` is possible: it only pauses for longer.

Source: DESIGN §5 (budgets); RFC 2697 §3 for the token bucket, with debt where it has the colour red.
"""

from __future__ import annotations


class Bucket:
    """One budget.  Tokens are whatever the caller counts: packets, bytes, failures.

    rate_per_s: > 0, may be infinite (no limit).  burst: > 0.  now: monotonic seconds; the bucket starts full.
    """

    __slots__ = ("_at", "_burst", "_level", "_rate_per_s")

    def __init__(self, rate_per_s: float, burst: float, now: float) -> None:
        if not (rate_per_s > 0 and burst > 0):
            raise ValueError(f"rate_per_s and burst must be above 0, not {rate_per_s} and {burst}")
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._level = burst
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take `amount` (>= 0) at `now`; return 0.0, or the seconds to pause until the debt is paid.

        Takes in every case.  A `now` that steps back gains nothing and loses nothing but the time stepped over.
        """
        self._level = level = self._filled(now) - amount
        return 0.0 if level >= 0 else -level / self._rate_per_s

    def ask(self, amount: float, now: float) -> float:
        """Take `amount` if it is there and return 0.0; else take nothing and return the seconds until it is.

        For requests, which can be refused and made again later.
        """
        self._level = level = self._filled(now)
        if level < amount:
            return (amount - level) / self._rate_per_s
        self._level = level - amount
        return 0.0

    def _filled(self, now: float) -> float:
        """The level at `now`."""
        elapsed_s = now - self._at
        self._at = now
        return min(self._level + elapsed_s * self._rate_per_s, self._burst) if elapsed_s > 0 else self._level
