"""Python legs in processes of their own, as tests drive them: what each says last, and what it has said."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.server import ServerProcess
from veche.media.pattern import pattern

PATIENCE_S = 40.0


class LegProcess:
    """tests/support/media_leg.py.  before: what stands before the command.  options: its flags."""

    def __init__(
        self,
        server: ServerProcess,
        login: str,
        number: int,
        conference: str,
        *options: str,
        host: str = "127.0.0.1",
        before: Sequence[str] = (),
    ) -> None:
        self.login, self.pattern = login, pattern(number)
        self.said: deque[dict[str, Any]] = deque(maxlen=1000)
        self.states: list[set[str]] = []
        self.process = subprocess.Popen(
            [
                *(*before, sys.executable, "-m", "tests.support.media_leg"),
                *(host, str(server.port), server.fingerprint, login, str(number), conference, *options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            self.states.append(set(said["states"].values()))
            self.said.append(said)

    @property
    def me(self) -> str:
        return self.said[-1]["me"] if self.said else ""

    def has_perceived(self, other: LegProcess) -> bool:
        """Picture and tone of the other, since the last `forget`."""
        return self.has_seen(other.me, other.pattern.left, other.pattern.right) and self.has_heard(
            other.me, other.pattern.tone_hz
        )

    def has_seen(self, leg: str, left: str, right: str) -> bool:
        """These colours, since the last `forget`.  leg: its id, or how it begins."""
        return any(
            id.startswith(leg) and colours == [left, right]
            for one in list(self.said)
            for id, colours in one["sees"].items()
        )

    def has_heard(self, leg: str, tone_hz: int) -> bool:
        """This tone, since the last `forget`."""
        return any(
            id.startswith(leg) and hertz == tone_hz for one in list(self.said) for id, hertz in one["hears"].items()
        )

    def number_with(self, leg: str) -> str:
        """The security number that it has now."""
        return next((number for id, number in self.said[-1]["numbers"].items() if id.startswith(leg)), "")

    def forget(self) -> None:
        self.said.clear()
        self.states.clear()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


def wait_until(is_so: Callable[[], bool], legs: Sequence[LegProcess], patience_s: float = PATIENCE_S) -> None:
    """Wait until this holds, while these run."""
    end = time.monotonic() + patience_s
    while not is_so():
        for leg in legs:
            if leg.process.poll() is not None:
                assert leg.process.stderr is not None
                raise AssertionError(leg.process.stderr.read())
        assert time.monotonic() < end, [list(leg.said)[-1:] for leg in legs]
        time.sleep(0.05)
