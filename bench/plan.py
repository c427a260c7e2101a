"""What one measurement is asked to do, and who takes part in it."""

from __future__ import annotations

from dataclasses import dataclass

PAIRED = ("direct", "light", "offline")
"""Scenarios of pairs a0 -> b0, a1 -> b1 ...; the others have users u0, u1 ..."""


@dataclass(frozen=True)
class Plan:
    """One case: a scenario and its sizes."""

    scenario: str
    pairs: int = 50
    window: int = 0
    """Messages of one pair that may be undelivered; 0: the peer's own."""
    rate: float = 500
    """light: messages a second, of all pairs together."""
    count: int = 0
    """offline: messages (20,000); login: logins (1,000); start: messages in the database (100,000)."""
    members: int = 200
    """login: accounts that take turns."""
    at_once: int = 32
    """login: connections at a time."""
    sessions: int = 2000
    """idle: sessions."""
    secs: float = 4
    warm: float = 1.5
    limit: float = 400
    """A run that takes longer, waiting for the lock included, has failed."""

    @property
    def senders(self) -> list[str]:
        return [f"a{i}" for i in range(self.pairs)]

    @property
    def receivers(self) -> list[str]:
        return [f"b{i}" for i in range(self.pairs)]

    @property
    def users(self) -> list[str]:
        """The accounts that the peer must have."""
        if self.scenario in PAIRED:
            return self.senders + self.receivers
        return [f"u{i}" for i in range(self.sessions if self.scenario == "idle" else self.members)]
