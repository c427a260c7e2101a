"""How a rule refuses: by raising, so that what follows it may rely on it.  Caught in `rules.judge` alone."""

from __future__ import annotations

from typing import NoReturn


class Refusal(Exception):
    """The name of the rule, which stays, and the reason for people."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


def refuse(rule: str, reason: str) -> NoReturn:
    """Raise Refusal."""
    raise Refusal(rule, reason)
