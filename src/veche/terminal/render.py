"""A conversation as lines of a screen: pure, from the state to styled text.

Wide screens:    14:02 bob    the text of the message, wrapped                    #17 ✓✓
Narrow ones:     14:02 bob                    #17 ✓✓
                   the text

Every line carries a key, so that a screen that is scrolled back stays where it is while more arrives.

Source: rows T26, T39, M16, M21.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from types import MappingProxyType
from typing import NamedTuple

from prompt_toolkit.utils import get_cwidth

from veche.client.state import Conversation, Pending, Post, State
from veche.packets.files import FileInfo

from . import call_words, file_words
from .people_commands import Wrong
from .sentences import local
from .text import SECOND_COLUMN, harmless, on_one_line, short_name

Fragments = list[tuple[str, str]]
"""(style, text)"""
NARROW = 50
LONGEST_NAME = 14


class Line(NamedTuple):
    """One line of the screen.  key: of what it shows, stable over redraws."""

    key: tuple[str | int, int]
    fragments: Fragments


class Notice(NamedTuple):
    """Something this client says, between the messages.  after: the newest message at that time."""

    after: int
    number: int
    style: str
    text: str


class Marks(NamedTuple):
    """The signs: how far a message of mine has come, and the rest of the screen's."""

    sending: str
    stored: str
    delivered: str
    read: str
    failed: str
    rule: str
    reply: str
    online: str
    away: str
    offline: str
    unknown: str
    request: str
    asked: str
    below: str
    side: str
    up: str
    down: str
    full: str
    empty: str


UNICODE = Marks("…", "✓", "✓✓", "read", "✗", "─", "↪", "●", "◐", "○", "·", "◆", "◇", "▼", "│", "↑", "↓", "█", "░")
ASCII = Marks("..", "v", "vv", "read", "x", "-", ">", "*", "~", "o", ".", "!", "?", "v", "|", "^", "v", "#", "-")


class Numbers:
    """The numbers of files in one run: each gets the next one when it is first shown."""

    def __init__(self) -> None:
        self.files: dict[int, FileInfo] = {}
        """by number"""
        self._by_id: dict[str, int] = {}

    def of(self, file: FileInfo) -> int:
        """The number of a file."""
        number = self._by_id.setdefault(file.id, len(self._by_id) + 1)
        self.files[number] = file
        return number

    def find(self, which: str) -> FileInfo:
        """The file of a number, or the newest of a name.  Raises Wrong."""
        number = int(which) if re.fullmatch(r"[0-9]{1,9}", which) else 0
        named = (file for file in reversed(self.files.values()) if file.name == which)
        found = self.files.get(number) or next(named, None)
        if found is None:
            raise Wrong(f"There is no file {on_one_line(which)} here; /files shows those of this conversation.")
        return found


class Look(NamedTuple):
    """For whom, and onto what.  names: of those who are not shown by their login.  today: in `zone`.

    numbers: of files; None: they are named by their ids.
    """

    width: int
    me: str
    marks: Marks = UNICODE
    zone: tzinfo | None = None
    names: Mapping[str, str] = MappingProxyType({})
    today: date | None = None
    numbers: Numbers | None = None

    def name(self, address: str) -> str:
        """How somebody is called (row X23)."""
        if address == self.me:
            return "you"
        name = self.names.get(address)
        return self.login(address) if name is None else on_one_line(name, 60)

    def login(self, address: str) -> str:
        """What commands call them."""
        return short_name(address, self.me.rpartition("@")[2])


def width_of(text: str) -> int:
    """Cells that a text takes on a screen."""
    return get_cwidth(text)


def cut(text: str, width: int) -> str:
    """The beginning of a text that fits."""
    if width_of(text) <= width:
        return text
    used, kept = 0, ""
    for char in text:
        used += width_of(char)
        if used > width - 1:
            break
        kept += char
    return kept + "…"


def padded(text: str, width: int) -> str:
    return text + " " * max(0, width - width_of(text))


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines that fit, broken at spaces where there are any.  Spaces inside a line are kept."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if width_of(paragraph) <= width:
            lines.append(paragraph)
            continue
        line, used = "", 0
        for word in re.findall(r"\s+|\S+", paragraph):
            size = width_of(word)
            if used + size <= width:
                line, used = line + word, used + size
                continue
            if word.isspace():
                lines.append(line)
                line, used = "", 0
                continue
            if line.strip():
                lines.append(line.rstrip())
                line, used = "", 0
            for char in word:
                size = width_of(char)
                if used + size > width:
                    lines.append(line)
                    line, used = "", 0
                line, used = line + char, used + size
        if line:
            lines.append(line)
    return lines


# -- a conversation


class Drawn(NamedTuple):
    """A message as it was drawn last, and from what; it is drawn again only when some of that has changed."""

    post: Post
    answered: Post | None
    rest: tuple[Look, int, tuple[str, str]]
    day: date | None
    lines: list[Line]


def conversation_lines(
    state: State,
    peer: str,
    look: Look,
    *,
    new_after: int | None = None,
    notices: Sequence[Notice] = (),
    drawn: dict[int, Drawn] | None = None,
) -> list[Line]:
    """All that is known of a conversation, oldest first.

    new_after: a rule stands before the peer's first message after this id.  drawn: what was drawn before, kept up to
    date; for one conversation.
    """
    conversation = state.conversation(peer)
    posts = conversation.known()
    newest_read = max((p.id for p in posts if p.author == state.me and p.id <= conversation.peer_read_id), default=0)
    by_id = {post.id: post for post in posts}
    names = {look.name(post.author) for post in posts} | {look.name(state.me), look.name(peer)}
    column = min(LONGEST_NAME, max(map(width_of, names)))
    lines: list[Line] = []
    if conversation.complete_from:
        lines.append(rule("older", "PageUp for older messages", look, "class:day"))
    waiting = list(notices)
    day: date | None = None
    is_new_marked = new_after is None
    drawn = {} if drawn is None else drawn
    for post in posts:
        while waiting and waiting[0].after < post.id:
            lines += notice_lines(waiting.pop(0), look)
        tick = _tick(post, conversation, state.me, newest_read, look.marks)
        answered = by_id.get(post.reply_to) if post.reply_to is not None else None
        one = drawn.get(post.id)
        rest = look, column, tick
        if one is None or one.post is not post or one.answered is not answered or one.rest != rest:
            moment = local(post.at, look.zone)
            shown = post_lines(post, look, column, tick, answered, moment)
            one = drawn[post.id] = Drawn(post, answered, rest, moment.date() if moment is not None else None, shown)
        if one.day is not None and one.day != day:
            day = one.day
            lines.append(rule(f"day {day}", day_name(day), look, "class:day"))
        if not is_new_marked and new_after is not None and post.id > new_after and post.author == peer:
            is_new_marked = True
            lines.append(rule("new", "new", look, "class:new"))
        lines += one.lines
    for notice in waiting:
        lines += notice_lines(notice, look)
    for key, pending in conversation.pending.items():
        lines += pending_lines(key, pending, look, column)
    return lines


def day_name(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def rule(key: str, text: str, look: Look, style: str) -> Line:
    """A line across the screen with a word in it."""
    text = cut(f" {text} ", max(2, look.width))
    left = max(0, (look.width - width_of(text)) // 2)
    right = max(0, look.width - width_of(text) - left)
    return Line((key, 0), [(style, look.marks.rule * left + text + look.marks.rule * right)])


def _tick(post: Post, conversation: Conversation, me: str, newest_read: int, marks: Marks) -> tuple[str, str]:
    if post.author != me or post.retracted:
        return "class:meta", ""
    if post.id <= conversation.peer_read_id:
        return "class:read", marks.read if post.id == newest_read else marks.delivered
    if post.id <= conversation.peer_delivered_id:
        return "class:meta", marks.delivered
    return "class:meta", marks.stored


def post_lines(
    post: Post, look: Look, column: int, tick: tuple[str, str], answered: Post | None, moment: datetime | None
) -> list[Line]:
    """One message."""
    body: list[Fragments] = []
    width = body_width(look, column)
    if post.reply_to is not None:
        quoted = "a message further up" if answered is None else f"{look.name(answered.author)}: {_quote(answered)}"
        body.append([("class:reply", cut(f"{look.marks.reply} {quoted}", width))])
    if post.retracted:
        body.append([("class:retracted", "taken back")])
    else:
        text = harmless(post.text) if post.call is None else call_words.entry(post.call, post.author, look.me)
        lines: list[Fragments] = [[("class:text", line)] for line in wrapped(text, width)] if text else []
        if post.edited:
            if not lines or width_of(lines[-1][-1][1]) + 9 > width:
                lines.append([])
            lines[-1].append(("class:edited", " (edited)" if lines[-1] else "(edited)"))
        body += lines
        for file in post.files:
            body += file_lines(file, look, width)
    if post.reactions:
        body += [[("class:reaction", line)] for line in wrapped(_reactions(post, look), width)]
    when = f"{moment:%H:%M}" if moment is not None else "--:--"
    style = "class:me" if post.author == look.me else "class:name"
    meta: Fragments = [("class:meta", f"#{post.id}"), (tick[0], f" {tick[1]}" if tick[1] else "")]
    return list(laid_out(post.id, when, (style, look.name(post.author)), body, meta, look, column))


def file_lines(file: FileInfo, look: Look, width: int) -> list[Fragments]:
    """A file of a message: its number, name and size, how to have it, and a warning of a program."""
    which = str(look.numbers.of(file)) if look.numbers is not None else on_one_line(file.id)
    start, end = f"[{which}] ", f"  {file_words.size(file.bytes)}  /download {which}"
    name = cut(file_words.name(file.name), max(16, width - width_of(start) - width_of(end)))
    lines: list[Fragments] = [[("class:file", line)] for line in wrapped(start + name + end, width)]
    if file.warning:
        lines += [[("class:error", line)] for line in wrapped(file_words.WARNING, width)]
    return lines


def pending_lines(key: str, pending: Pending, look: Look, column: int) -> list[Line]:
    """A message of mine that is on its way, or was refused."""
    text = harmless(pending.text)
    if pending.files:
        text += f"{' ' if text else ''}({len(pending.files)} file{'s' if len(pending.files) > 1 else ''})"
    body: list[Fragments] = [[("class:text", line)] for line in wrapped(text, body_width(look, column))]
    if pending.failed:
        body += [
            [("class:error", line)]
            for line in wrapped(f"Not sent. {harmless(pending.failed)}", body_width(look, column))
        ]
    mark = look.marks.failed if pending.failed else look.marks.sending
    meta: Fragments = [("class:error" if pending.failed else "class:meta", mark)]
    return list(laid_out(key, "", ("class:me", "you"), body, meta, look, column))


def notice_lines(notice: Notice, look: Look) -> list[Line]:
    """Something this client says."""
    lines = wrapped(notice.text, max(8, look.width - 2))
    return [Line((f"notice {notice.number}", i), [(notice.style, f"  {line}")]) for i, line in enumerate(lines)]


def page_lines(text: str, look: Look) -> list[Line]:
    """A text of our own that takes the whole screen."""
    lines = [line for paragraph in text.split("\n") for line in _hanging(paragraph, look.width - 1)]
    return [Line(("page", i), [("class:text", f" {line}")]) for i, line in enumerate(lines)]


def _hanging(paragraph: str, width: int) -> list[str]:
    """A line of help; what does not fit goes below where it begins."""
    has_columns = paragraph.startswith("  ") and paragraph[SECOND_COLUMN - 1 : SECOND_COLUMN] == " "
    begins = SECOND_COLUMN if has_columns and width > 2 * SECOND_COLUMN else 4 if paragraph.startswith(" ") else 0
    first, *_ = wrapped(paragraph, max(8, width))
    rest = wrapped(paragraph[len(first) :].strip(), max(8, width - begins)) if len(first) < len(paragraph) else []
    return [first, *(" " * begins + line for line in rest)]


def body_width(look: Look, column: int) -> int:
    """Cells for the text of a message."""
    if look.width < NARROW:
        return max(8, look.width - 2)
    return look.width - 6 - column - 1 - 12


def laid_out(
    key: str | int, when: str, who: tuple[str, str], body: list[Fragments], meta: Fragments, look: Look, column: int
) -> Iterator[Line]:
    """A message: when, who (style, name), what, and at the end of its first line the signs."""
    name = cut(who[1], column)
    meta_width = sum(width_of(text) for _, text in meta)
    if look.width < NARROW:
        gap = max(1, look.width - 6 - width_of(name) - meta_width)
        yield Line((key, 0), [("class:time", padded(when, 6)), (who[0], name), ("", " " * gap), *meta])
        for i, fragments in enumerate(body, 1):
            yield Line((key, i), [("", "  "), *fragments])
        return
    for i, fragments in enumerate(body):
        left: Fragments = [("", " " * (6 + column + 1))]
        right: Fragments = []
        if i == 0:
            left = [("class:time", padded(when, 6)), (who[0], padded(name, column)), ("", " ")]
            used = 6 + column + 1 + sum(width_of(text) for _, text in fragments)
            right = [("", " " * max(1, look.width - used - meta_width)), *meta]
        yield Line((key, i), [*left, *fragments, *right])


def _quote(post: Post) -> str:
    said = call_words.entry(post.call, post.author, "") if post.call is not None else post.text
    said = said or ", ".join(file.name for file in post.files)
    return "taken back" if post.retracted else on_one_line(said, 120)


def _reactions(post: Post, look: Look) -> str:
    by_emoji: dict[str, list[str]] = {}
    for who, emoji in post.reactions:
        by_emoji.setdefault(on_one_line(emoji), []).append(look.name(who))
    return "  ".join(f"{emoji} {', '.join(names)}" for emoji, names in by_emoji.items())


def by_recency(state: State) -> list[Conversation]:
    """The conversations, the one with the newest entry first."""
    return sorted(state.conversations.values(), key=lambda one: -one.last_id)
