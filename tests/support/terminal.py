"""`veche chat` on a real pseudo-terminal, and a terminal emulator that keeps what a person would see.

Tests look at rows of text, not at escape sequences.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.server import ServerProcess
from tests.support.wire import unique

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are POSIX", allow_module_level=True)

import fcntl
import pty
import struct
import termios

PATIENCE_S = 20.0
SEQUENCE = re.compile(
    r"\x1b\[(?P<arguments>[?>]?[\d;]*)(?P<final>[A-Za-z@`])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>78()][AB0]?|\x1b[^\[\]]"
)


class Emulator:
    """As much of a VT100 as prompt_toolkit writes."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.x = self.y = 0
        self.bells = 0
        self._rest = ""

    def feed(self, text: str) -> None:
        text = self._rest + text
        self._rest = ""
        at = 0
        while at < len(text):
            char = text[at]
            if char == "\x1b":
                match = SEQUENCE.match(text, at)
                if match is None or (match.end() == len(text) and not match["final"]):
                    self._rest = text[at:]
                    return
                if match["final"]:
                    self._obey(match["arguments"], match["final"])
                at = match.end()
                continue
            at += 1
            self._put(char)

    def _put(self, char: str) -> None:
        match char:
            case "\r":
                self.x = 0
            case "\n":
                self._down()
            case "\b":
                self.x = max(0, self.x - 1)
            case "\x07":
                self.bells += 1
            case _ if char >= " ":
                if self.x >= self.columns:
                    self.x = 0
                    self._down()
                self.cells[self.y][self.x] = char
                self.x += 1
            case _:
                pass

    def _down(self) -> None:
        if self.y == self.rows - 1:
            self.cells = [*self.cells[1:], [" "] * self.columns]
        else:
            self.y += 1

    def _obey(self, arguments: str, final: str) -> None:
        numbers = [int(one or 0) for one in arguments.strip("?>").split(";")]
        n = numbers[0]
        match final:
            case "A":
                self.y = max(0, self.y - max(1, n))
            case "B":
                self.y = min(self.rows - 1, self.y + max(1, n))
            case "C":
                self.x = min(self.columns - 1, self.x + max(1, n))
            case "D":
                self.x = max(0, self.x - max(1, n))
            case "H":
                self.y, self.x = max(1, n) - 1, max(1, numbers[1] if len(numbers) > 1 else 1) - 1
            case "K":
                self.cells[self.y][self.x :] = [" "] * (self.columns - self.x)
            case "J":
                if n == 2:
                    self.cells = [[" "] * self.columns for _ in range(self.rows)]
                else:
                    self.cells[self.y][self.x :] = [" "] * (self.columns - self.x)
                    for y in range(self.y + 1, self.rows):
                        self.cells[y] = [" "] * self.columns
            case _:
                pass

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.cells]


class Terminal:
    """One `veche chat` on a pseudo-terminal."""

    def __init__(
        self, state: Path, target: str, *flags: str, columns: int = 80, rows: int = 24, **environ: str
    ) -> None:
        self.screen = Emulator(columns, rows)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.colours = False
        self._fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        clean = {name: value for name, value in os.environ.items() if name not in ("VECHE_PASSWORD", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "veche.cli.main", "chat", "--state-dir", str(state), *flags, target],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={
                **clean,
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                "PYTHONUTF8": "1",
                "VECHE_AUDIO": "off",
                **environ,
            },
            start_new_session=True,
        )
        os.close(slave)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def enter(self, text: str) -> None:
        self.type(text + "\r")

    def paste(self, text: str) -> None:
        self.type(f"\x1b[200~{text}\x1b[201~")

    def pump(self, timeout_s: float = 0.05) -> bool:
        """Take what was written; False when there is nothing, or never will be."""
        ready, _, _ = select.select([self._fd], [], [], timeout_s)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # the other end is closed
            return False
        self.colours = self.colours or re.search(rb"\x1b\[0;(\d+;)*3\d", data) is not None
        self.screen.feed(self._decoder.decode(data))
        if b"\x1b[6n" in data:  # where is the cursor?
            os.write(self._fd, f"\x1b[{self.screen.y + 1};{self.screen.x + 1}R".encode())
        return bool(data)

    def until(self, is_so: Callable[[list[str]], object], what: str = "it") -> list[str]:
        end = time.monotonic() + PATIENCE_S
        while not is_so(self.screen.lines):
            self.pump()
            shown = "\n".join(self.screen.lines)
            assert time.monotonic() < end, f"{what} was not shown:\n{shown}"
        return self.screen.lines

    def until_shown(self, text: str) -> list[str]:
        return self.until(lambda lines: any(text in line for line in lines), repr(text))

    def until_gone(self, text: str) -> list[str]:
        return self.until(lambda lines: not any(text in line for line in lines), f"a screen without {text!r}")

    def wait(self) -> int:
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            self.pump()
            assert time.monotonic() < end, "\n".join(self.screen.lines)
        while self.pump():
            pass
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        with suppress(OSError):
            os.close(self._fd)


class Terminals:
    """Opens terminals and ends those that a test leaves behind."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._open: list[Terminal] = []

    def __call__(self, target: str, *flags: str, **options: object) -> Terminal:
        terminal = Terminal(self.state, target, *flags, **options)  # type: ignore[arg-type]
        self._open.append(terminal)
        return terminal

    def registered(self, server: ServerProcess, name: str = "alice", **options: object) -> tuple[Terminal, str]:
        """A newcomer with a screen before them."""
        login = unique(name)
        terminal = self(
            *(f"{login}@127.0.0.1:{server.port}", "--register", "--fingerprint", server.fingerprint),
            VECHE_PASSWORD="a password",
            **options,
        )
        terminal.until_shown("/to NAME opens")
        return terminal, login

    def close(self) -> None:
        for terminal in self._open:
            terminal.close()
