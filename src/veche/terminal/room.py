"""A conference on the screen as lines: who is inside, what was said in its room, what has happened.  Pure.

Source: rows A44, A57, A58, A63, A68.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veche.client.conferences import Inside

from .conference_words import NO_MARKS, legs_in_words
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
from .sentences import Reader, local
from .text import harmless

HINT = "What you write here goes to everyone inside. /conference leave goes, /conference invite NAME calls somebody."


def last_seq(inside: Inside | None) -> int:
    """The newest text of a room, 0 for none."""
    return inside.room[-1].seq if inside is not None and inside.room else 0


def room_lines(
    inside: Inside, look: Look, reader: Reader, notices: Sequence[Notice] = (), marks: Mapping[str, str] = NO_MARKS
) -> list[Line]:
    """All of a conference that is known here, oldest first.  marks: what is to be said of legs besides."""
    people = ", ".join(legs_in_words(inside.conference, reader, marks))
    lines: list[Line] = []
    if inside.room and inside.room[0].seq > 1:
        lines.append(rule("older", "PageUp for older texts", look, "class:day"))
    lines += _wrapped("hint", HINT, "class:notice", look)
    column = min(LONGEST_NAME, max((width_of(look.name(one.from_)) for one in inside.room), default=3))
    waiting = list(notices)
    for one in inside.room:
        while waiting and waiting[0].after < one.seq:
            lines += notice_lines(waiting.pop(0), look)
        body: list[Fragments] = [
            [("class:text", line)] for line in wrapped(harmless(one.text), body_width(look, column))
        ]
        who = ("class:me" if one.from_ == look.me else "class:name", look.name(one.from_))
        moment = local(one.at, look.zone)
        when = f"{moment:%H:%M}" if moment is not None else "--:--"
        lines += laid_out(one.seq, when, who, body, [], look, column)
    for notice in waiting:
        lines += notice_lines(notice, look)
    return [*lines, rule("end", "inside", look, "class:day"), *_wrapped("inside", people, "class:text", look)]


def _wrapped(key: str, text: str, style: str, look: Look) -> list[Line]:
    return [Line((key, i), [(style, f"  {line}")]) for i, line in enumerate(wrapped(text, max(8, look.width - 3)))]
