"""A private conversation on the screen: off the record, so it is kept nowhere and ends with this terminal.

It never stands among stored messages, and what is typed into it goes into it or nowhere.

Source: rows T42-T57, X11.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from .render import (
    LONGEST_NAME,
    Fragments,
    Line,
    Look,
    Notice,
    body_width,
    laid_out,
    notice_lines,
    rule,
    width_of,
    wrapped,
)
from .text import harmless

MAX_SAYINGS = 1000


class Stage(Enum):
    """How far a private conversation has come; its value is a word for people."""

    ASKING = "asked; waiting for the answer"
    ASKED = "they would like to talk: /accept or /decline"
    LINKING = "connecting"
    OPEN = "open"
    CLOSED = "ended"


class Saying(NamedTuple):
    """Something that was said.  number: counted from 1."""

    number: int
    at: datetime
    is_mine: bool
    text: str


class Talk:
    """One private conversation, with all that was said in it."""

    def __init__(self, peer: str, stage: Stage) -> None:
        self.peer, self.stage = peer, stage
        self.sayings: list[Saying] = []
        self.count = 0
        self.unread = 0

    def add(self, at: datetime, text: str, *, is_mine: bool) -> None:
        """Something was said."""
        self.count += 1
        self.sayings.append(Saying(self.count, at, is_mine, text))
        del self.sayings[:-MAX_SAYINGS]


def talk_lines(talk: Talk, look: Look, notices: Sequence[Notice] = ()) -> list[Line]:
    """All of a private conversation, oldest first, between two lines that say what it is."""
    column = min(LONGEST_NAME, max(width_of("you"), width_of(look.name(talk.peer))))
    lines = [rule("begin", "Off the record", look, "class:private")]
    what = f"Straight to the device of {look.name(talk.peer)}, past the server. Kept nowhere."
    lines += [
        Line(("begin", i + 1), [("class:notice", f"  {line}")]) for i, line in enumerate(wrapped(what, look.width - 3))
    ]
    waiting = list(notices)
    for one in talk.sayings:
        while waiting and waiting[0].after < one.number:
            lines += notice_lines(waiting.pop(0), look)
        body: list[Fragments] = [
            [("class:text", line)] for line in wrapped(harmless(one.text), body_width(look, column))
        ]
        who = ("class:me", "you") if one.is_mine else ("class:name", look.name(talk.peer))
        lines += laid_out(one.number, f"{one.at.astimezone(look.zone):%H:%M}", who, body, [], look, column)
    for notice in waiting:
        lines += notice_lines(notice, look)
    lines.append(rule("end", f"Off the record: {talk.stage.value}", look, "class:private"))
    return lines
