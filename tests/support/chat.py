"""`veche chat --plain`, as a script uses it: lines in, lines out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Protocol

PATIENCE_S = 20.0


class Listening(Protocol):
    """A server, in whatever process."""

    port: int


class Chat:
    """One `veche chat --plain`."""

    def __init__(
        self,
        state: Path,
        port: int,
        login: str,
        *flags: str,
        password: str | None = "a password",
        host: str = "127.0.0.1",
        target: str = "",
        env: dict[str, str] | None = None,
    ) -> None:
        environ = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        environ.pop("VECHE_PASSWORD", None)
        if password is not None:
            environ["VECHE_PASSWORD"] = password
        who = target or (f"{login}@{host}:{port}" if login else f"{host}:{port}")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "veche.cli.main", "chat", "--plain", "--state-dir", str(state), *flags, who],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
        )
        self.said: Queue[str] = Queue()
        self.complained: list[str] = []
        self._connected = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.said.put)),
            threading.Thread(target=self._read, args=(self.process.stderr, self._complain)),
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _read(stream: Any, keep: Any) -> None:
        for line in stream:
            keep(line.decode().rstrip("\n"))

    def _complain(self, line: str) -> None:
        self.complained.append(line)
        if "connected as" in line:
            self._connected.set()

    def connected(self) -> Chat:
        """Itself, once it has signed in."""
        assert self._connected.wait(PATIENCE_S), self.complained
        return self

    def write(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()

    def line(self) -> str:
        try:
            return self.said.get(timeout=PATIENCE_S)
        except Empty:
            raise AssertionError(f"nothing was said; standard error: {self.complained}") from None

    def until(self, text: str) -> list[str]:
        """Lines up to and with the first that begins like this."""
        found = [self.line()]
        while not found[-1].startswith(text):
            found.append(self.line())
        return found

    def until_text(self, text: str) -> str:
        """The first line that holds this."""
        while text not in (line := self.line()):
            pass
        return line

    def packet(self, name: str) -> dict[str, Any]:
        """The next packet of this type, with --json."""
        while (packet := json.loads(self.line()))["type"] != name:
            pass
        return packet

    def end(self) -> int:
        """End the input; returns the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        for thread in self._threads:
            thread.join()
        return code

    def rest(self) -> list[str]:
        lines: list[str] = []
        while not self.said.empty():
            lines.append(self.said.get())
        return lines

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


class Chats:
    """Starts terminals and ends those that a test leaves behind."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._open: list[Chat] = []

    def __call__(self, server: Listening, login: str, *flags: str, **options: Any) -> Chat:
        chat = Chat(self.state, server.port, login, *flags, **options)
        self._open.append(chat)
        return chat

    def to(self, target: str, *flags: str, **options: Any) -> Chat:
        """A terminal that is given this in the place of a server."""
        chat = Chat(self.state, 0, "", *flags, target=target, **options)
        self._open.append(chat)
        return chat

    def close(self) -> None:
        for chat in self._open:
            chat.close()
