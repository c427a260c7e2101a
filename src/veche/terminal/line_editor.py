"""One line that is typed while lines of others arrive: bytes of the keyboard in, text for the terminal out.

The editor keeps one row of the terminal.  What arrives is written above that row, and the half-typed line is drawn
again below it (row T39).  A line longer than the row scrolls sideways; once ended it is shown as a whole.

A *prompt* stands before what is typed, and the line answers it.  A *question* puts the half-typed line aside until it
is answered (row T47).  Only lines that answer neither are kept in the history: the others may be passwords.

The terminal must echo nothing and hand on every byte.  All that is written to it is text, line ends, and, when the row
has to be drawn anew, CR and `ESC [K`; Ctrl-L clears the screen.

Source: rows T39, T47; ECMA-48 §8.3.41 (EL), §5.4 (control sequences); Unicode Standard Annex 11 for wide characters.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from enum import Enum
from typing import ClassVar, NamedTuple

from wcwidth import wcwidth

from .text import on_one_line

ERASED = "\r\x1b[K"
CLEARED = "\x1b[H\x1b[2J"
MAX_LINE = 20_000
"""More than a line may hold anywhere; what is typed beyond it is dropped."""
MAX_HISTORY = 1000
MAX_SEQUENCE = 32


class Key(Enum):
    """What a person asks of the program instead of typing a line."""

    INTERRUPT = "Ctrl-C"
    END = "Ctrl-D"
    """On an empty line; elsewhere it deletes."""


class _Draft(NamedTuple):
    """A line that is not ended."""

    prompt: str = ""
    text: str = ""
    cursor: int = 0


class LineEditor:
    """The row of one terminal.  columns: how wide the terminal is now."""

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self._prompt = ""
        self._text = ""
        self._cursor = 0
        """Between code points of the text, never inside what is shown as one."""
        self._aside: _Draft | None = None
        self._history: list[str] = []
        self._place = 0
        """Which line of the history is shown; its length: the line that is typed."""
        self._newest = ""
        """That line, while an older one is shown."""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._sequence: str | None = None
        """What has come of a control sequence."""
        self._was_return = False
        self._out: list[str] = []
        self._shown, self._shown_at = "", 0
        """What stands in the row, and where the terminal's cursor is in it."""

    @property
    def text(self) -> str:
        """What is typed and not ended."""
        return self._text

    # -- in

    def feed(self, data: bytes) -> Iterator[str | Key]:
        """Give what comes of typed bytes, one at a time: lines without their ends, and keys.

        The line may be given a prompt or a question between two of them.
        """
        for char in self._decode(data):
            if self._sequence is not None and char >= " ":
                self._continue_sequence(char)
                continue
            self._sequence = None
            was_return, self._was_return = self._was_return, char == "\r"
            if char in "\r\n":
                if not (char == "\n" and was_return):
                    yield self._ended()
            elif char == "\x03":
                yield Key.INTERRUPT
            elif char == "\x04" and not self._text:
                yield Key.END
            elif char == "\x1b":
                self._sequence = ""
            elif (obey := self._KEYS.get(char)) is not None:
                obey(self)
            else:
                self._insert(" " if char == "\t" else char)

    def _continue_sequence(self, char: str) -> None:
        """ESC [ parameters final, ESC O final, or ESC and any character; those that mean nothing here are dropped."""
        sequence = self._sequence = f"{self._sequence}{char}"
        is_open = sequence in ("[", "O") or (sequence[0] == "[" and not "@" <= char <= "~")
        if is_open and len(sequence) < MAX_SEQUENCE:
            return
        self._sequence = None
        obey = self._SEQUENCES.get(sequence)
        if obey is not None:
            obey(self)

    def _ended(self) -> str:
        self._show(self._prompt + self._text, len(self._prompt) + len(self._text))
        self._out.append("\n")
        self._shown, self._shown_at = "", 0
        line = self._text
        if line and not self._prompt and self._history[-1:] != [line]:
            self._history = [*self._history[1 - MAX_HISTORY :], line]
        self._prompt, self._text, self._cursor = "", "", 0
        self._place = len(self._history)
        return line

    def _insert(self, char: str) -> None:
        if wcwidth(char) < 0 or on_one_line(char) != char or len(self._text) >= MAX_LINE:
            return
        self._text = self._text[: self._cursor] + char + self._text[self._cursor :]
        self._cursor += len(char)

    # -- keys

    def _before(self) -> int:
        """The place one shown character to the left."""
        at = max(0, self._cursor - 1)
        while at and not wcwidth(self._text[at]):
            at -= 1
        return at

    def _after(self) -> int:
        """The place one shown character to the right."""
        at = min(len(self._text), self._cursor + 1)
        while at < len(self._text) and not wcwidth(self._text[at]):
            at += 1
        return at

    def _cut(self, start: int, end: int) -> None:
        self._text = self._text[:start] + self._text[end:]
        self._cursor = start

    def _backspace(self) -> None:
        self._cut(self._before(), self._cursor)

    def _delete(self) -> None:
        self._cut(self._cursor, self._after())

    def _delete_line(self) -> None:
        self._cut(0, self._cursor)

    def _delete_rest(self) -> None:
        self._cut(self._cursor, len(self._text))

    def _delete_word(self) -> None:
        head = self._text[: self._cursor].rstrip()
        self._cut(len(head) - len(head.split(" ")[-1]), self._cursor)

    def _left(self) -> None:
        self._cursor = self._before()

    def _right(self) -> None:
        self._cursor = self._after()

    def _home(self) -> None:
        self._cursor = 0

    def _end(self) -> None:
        self._cursor = len(self._text)

    def _older(self) -> None:
        self._go_to(self._place - 1)

    def _newer(self) -> None:
        self._go_to(self._place + 1)

    def _go_to(self, place: int) -> None:
        if self._prompt or not 0 <= place <= len(self._history):
            return
        if self._place == len(self._history):
            self._newest = self._text
        self._place = place
        self._text = self._newest if place == len(self._history) else self._history[place]
        self._cursor = len(self._text)

    def _clear(self) -> None:
        self._out.append(CLEARED)
        self._shown, self._shown_at = "", 0

    _KEYS: ClassVar[dict[str, Callable[[LineEditor], None]]] = {
        "\x01": _home,
        "\x02": _left,
        "\x04": _delete,
        "\x05": _end,
        "\x06": _right,
        "\x08": _backspace,
        "\x0b": _delete_rest,
        "\x0c": _clear,
        "\x0e": _newer,
        "\x10": _older,
        "\x15": _delete_line,
        "\x17": _delete_word,
        "\x7f": _backspace,
    }
    _SEQUENCES: ClassVar[dict[str, Callable[[LineEditor], None]]] = {
        **dict.fromkeys(("[A", "OA"), _older),
        **dict.fromkeys(("[B", "OB"), _newer),
        **dict.fromkeys(("[C", "OC"), _right),
        **dict.fromkeys(("[D", "OD"), _left),
        **dict.fromkeys(("[H", "OH", "[1~", "[7~"), _home),
        **dict.fromkeys(("[F", "OF", "[4~", "[8~"), _end),
        "[3~": _delete,
    }

    # -- what others have to say

    def say(self, line: str) -> None:
        """Write a line above the row."""
        if self._shown:
            self._out.append(ERASED)
            self._shown, self._shown_at = "", 0
        self._out.append(f"{line}\n")

    def prompt(self, text: str) -> None:
        """The line is an answer to this; what is typed of it stays."""
        self._prompt = text

    def ask(self, question: str) -> None:
        """Put what is typed aside, if nothing is; the next line answers this."""
        if self._aside is None:
            self._aside = _Draft(self._prompt, self._text, self._cursor)
        self._prompt, self._text, self._cursor = question, "", 0

    def resume(self) -> None:
        """The question is over: the line that was put aside is typed on."""
        if self._aside is not None:
            (self._prompt, self._text, self._cursor), self._aside = self._aside, None

    def redraw(self) -> None:
        """The row shows no longer what it did."""
        if self._shown:
            self._out.append(ERASED)
            self._shown, self._shown_at = "", 0

    def leave(self) -> None:
        """Nothing more is typed: what others write begins in a row of its own."""
        if self._shown:
            self._out.append("\n")
        self._prompt, self._text, self._cursor, self._aside = "", "", 0, None
        self._shown, self._shown_at = "", 0

    # -- out

    def take(self) -> str:
        """What is to be written so that the terminal shows everything as it is."""
        self._show(*self._visible())
        out, self._out = self._out, []
        return "".join(out)

    def _visible(self) -> tuple[str, int]:
        """The part of the line that the row has room for, and where in it the cursor stands.

        The last column stays free: writing there makes some terminals go to the next row.
        """
        line, at, room = self._prompt + self._text, len(self._prompt) + self._cursor, max(2, self.columns - 1)
        if _width(line) <= room:
            return line, at
        before = _fitting(reversed(line[:at]), room - 1 if at == len(line) else room * 3 // 4)
        start = at - before
        return line[start : start + _fitting(line[start:], room)], before

    def _show(self, visible: str, at: int) -> None:
        """Make the row show this, by writing as little as may be."""
        if (visible, at) == (self._shown, self._shown_at):
            return
        if visible.startswith(self._shown) and self._shown_at == len(self._shown) and at == len(visible):
            self._out.append(visible[len(self._shown) :])
        else:
            self._out.append(f"\r{visible}" if visible.startswith(self._shown) else f"{ERASED}{visible}")
            if at != len(visible):
                self._out.append(f"\r{visible[:at]}")
        self._shown, self._shown_at = visible, at


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(wcwidth, text))


def _fitting(chars: Iterator[str] | str, room: int) -> int:
    """How many of these characters fit into so many columns."""
    number = 0
    for char in chars:
        room -= wcwidth(char)
        if room < 0:
            break
        number += 1
    return number
