"""A classroom: server.py and client.py as people start them, each terminal a real pseudo-terminal.

Tests read what a person would see: rows of text.
"""

from __future__ import annotations

import os
import pty
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path

import pytest

from .wire import Wire

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = Path(sys.base_prefix) / "bin" / "python3"
"""Not the one of .venv: server.py and client.py find that themselves."""
PATIENCE_S = 20.0
WELCOME = "Welcome to the greatest messaging application ever!"
SAMPLE = {
    "hans": "falcon*solo",
    "yoda": "wise@!man",
    "vader": "sithlord**",
    "r2d2": "do*!@#dedo",
    "c3p0": "droid#gold",
    "leia": "$blasterpistol$",
    "obiwan": "(jedimaster)",
    "luke": "light==saber",
    "chewy": "wookie+aaaawww",
    "palpatine": "darkside_%$run",
}
"""credentials.txt of document 002."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("VECHE_", "PYTHON"))}


def free_port() -> int:
    """A port where nobody listens, of those that systems do not give to links of their own."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port


class Classroom:
    """A folder with credentials.txt, and the server that runs there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.credentials = folder / "credentials.txt"
        self.credentials.write_text("".join(f"{name} {password}\n" for name, password in SAMPLE.items()))
        self.port = 0
        self.seats: list[Seat] = []
        self.temporary = folder.parent / "temporary"
        """Where the server has what it will not keep."""
        self.temporary.mkdir(exist_ok=True)
        self.process: subprocess.Popen[str] | None = None

    def start(self, block_duration: int = 60, timeout: int = 120, *flags: str) -> Classroom:
        """Run server.py there, and wait until it listens."""
        self.port = self.port or free_port()
        words = [str(self.port), str(block_duration), str(timeout), *flags]
        self.process = subprocess.Popen(
            [SYSTEM_PYTHON, ROOT / "server.py", *words],
            cwd=self.folder,
            env={**ENVIRONMENT, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.process.poll() is None, self.process.communicate()
                assert time.monotonic() < end, "the server does not listen"
                time.sleep(0.02)
            else:
                return self

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """End the server; returns its exit code and what it has printed."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(sign)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err

    def close(self) -> None:
        """End everything that a test left."""
        for seat in self.seats:
            seat.close()
        if self.process is not None and self.process.returncode is None:
            self.stop()

    def sit(self, *, columns: int = 200, words: Sequence[str] = ()) -> Seat:
        """A terminal at which client.py has been started."""
        seat = Seat(words or [str(self.port)], columns=columns, folder=self.folder.parent)
        self.seats.append(seat)
        return seat

    def enter(self, name: str, password: str = "") -> Seat:
        """A terminal at which somebody has logged in."""
        seat = self.sit()
        seat.log_in(name, password or SAMPLE[name])
        seat.sees(WELCOME)
        return seat

    def wire(self, name: str) -> Wire:
        """A link spoken by hand, logged in by the dialogue."""
        wire = Wire(self.port, tls=False)
        wire.send("CLASSIC")
        for question, answer in (("Username: ", name), ("Password: ", SAMPLE[name])):
            wire.expect("RESPONSE", message=question, prompt=True)
            wire.send("INPUT", text=answer)
        wire.expect("RESPONSE", message=WELCOME)
        return wire

    def enter_all(self, *names: str) -> list[Seat]:
        """Several people, who have seen each other come."""
        seats: list[Seat] = []
        for name in names:
            newcomer = self.enter(name)
            for seat in seats:
                seat.sees(f"{name} logged in")
            seats.append(newcomer)
        return seats


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    """A classroom whose server a test starts as it likes."""
    classroom = Classroom(tmp_path / "class")
    yield classroom
    classroom.close()


class Seat:
    """One terminal, and client.py in it."""

    def __init__(self, words: Sequence[str], *, columns: int, folder: Path) -> None:
        self.rows: list[str] = []
        """What stands above the row of the cursor."""
        self.raw = ""
        """All that was written to the terminal."""
        self._cells: list[str] = []
        self._x = 0
        self._seen = 0
        self._unread = b""
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.modes = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            [SYSTEM_PYTHON, ROOT / "client.py", *words],
            cwd=folder,
            env=ENVIRONMENT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
        )

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        for descriptor in (self._master, self._slave):
            with suppress(OSError):
                os.close(descriptor)

    # -- typing

    def press(self, keys: str) -> Seat:
        """Type without ending the line."""
        os.write(self._master, keys.encode())
        return self

    def type(self, line: str) -> Seat:
        """Type a line."""
        return self.press(f"{line}\r")

    def log_in(self, name: str, password: str) -> Seat:
        """Answer both questions, each when it stands there."""
        self.asks("Username: ").type(name)
        return self.asks("Password: ").type(password)

    # -- seeing

    @property
    def row(self) -> str:
        """The row of the cursor."""
        return "".join(self._cells)

    def asks(self, question: str) -> Seat:
        """Wait until the cursor's row begins so."""
        return self.wait_for(lambda: self.row.startswith(question), question)

    def shows(self, row: str) -> Seat:
        """Wait until the cursor's row is this."""
        return self.wait_for(lambda: self.row == row, row)

    def sees(self, *rows: str) -> Seat:
        """Wait for these rows, in this order; others may stand between, and what was seen before is passed over."""
        for row in rows:
            self.wait_for(lambda row=row: row in self.rows[self._seen :], row)
            self._seen = self.rows.index(row, self._seen) + 1
        return self

    def since(self, row: str) -> list[str]:
        """All rows after the first one like this."""
        return self.rows[self.rows.index(row) + 1 :]

    def answers(self, line: str) -> list[str]:
        """Type a line, and return all that is shown until it has been obeyed."""
        self.type(line).sees(line)
        start = self._seen
        self.marker()
        return [row for row in self.rows[start : self._seen - 1] if row != "whatsthetime"]

    def marker(self) -> Seat:
        """Everything that was sent here until now has been shown: `whatsthetime` is answered after it."""
        return self.type("whatsthetime").sees("whatsthetime", "Error. Invalid command")

    def does_not_see(self, row: str) -> Seat:
        """It was not shown, and did not come until now either."""
        self.marker()
        assert row not in self.rows, self.rows
        return self

    @property
    def has_left(self) -> bool:
        """The program has ended."""
        return self.process.poll() is not None

    def leaves(self) -> int:
        """Wait for the end of the program; returns its exit code."""
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self.rows} {self.row!r}"
            self._read(0.05)
        self._read(0)
        return self.process.returncode

    def is_restored(self) -> bool:
        """The terminal's modes are those of before."""
        return termios.tcgetattr(self._slave) == self.modes

    def wait_for(self, is_so: Callable[[], bool], what: object = "") -> Seat:
        """Wait until what is shown makes this true."""
        end = time.monotonic() + PATIENCE_S
        self._read(0)
        while not is_so():
            assert time.monotonic() < end, f"not seen: {what!r}; {self.rows[self._seen :]} {self.row!r}"
            self._read(0.2)
        return self

    def _read(self, patience_s: float) -> None:
        """Take what has been written, waiting so long for the first of it."""
        while select.select([self._master], [], [], patience_s)[0]:
            patience_s = 0
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self._unread += data
            self._show()

    def _show(self) -> None:
        """Obey CR, LF and ESC [K, all that the terminal uses."""
        try:
            text = self._unread.decode()
        except UnicodeDecodeError:  # half of a character
            return
        if text.endswith(("\x1b", "\x1b[")):
            return
        self._unread = b""
        self.raw += text
        parts = text.split("\x1b[K")
        for number, part in enumerate(parts):
            if number:
                del self._cells[self._x :]
            for char in part:
                self._put(char)

    def _put(self, char: str) -> None:
        if char == "\r":
            self._x = 0
        elif char == "\n":
            self.rows.append(self.row)
            self._cells, self._x = [], 0
        else:
            self._cells[self._x : self._x + 1] = [char]
            self._x += 1
