"""A real server process for tests, on a free port of this machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

READY = re.compile(r"^ready https://(?P<host>\S+):(?P<port>\d+) fingerprint (?P<fingerprint>[0-9A-F:]+)$")


class ServerProcess:
    """`veche serve` on a data directory."""

    def __init__(self, data: Path, *flags: str, port: int = 0, env: dict[str, str] | None = None) -> None:
        self.data = data
        self.flags = flags
        self.env = env
        self.port = port
        self.fingerprint = ""
        self.said: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def command(self) -> Sequence[str]:
        flags = list(self.flags)
        if "--scram-iterations" not in flags:
            flags += ["--scram-iterations", "4096"]
        return [
            *(sys.executable, "-m", "veche.cli.main", "serve", "--data", str(self.data)),
            *("--listen", f"127.0.0.1:{self.port}", *flags),
        ]

    def start(self) -> ServerProcess:
        self.log = self.data.parent / f"{self.data.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "NO_COLOR": "1", **(self.env or {})},
            )
        assert self.process.stdout is not None
        self.said = []
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if match := READY.match(line.rstrip("\n")):
                self.port = int(match["port"])
                self.fingerprint = match["fingerprint"]
                return self
        raise AssertionError(f"the server did not start: {self.said} {self.log.read_text()[-2000:]}")

    def stop(self) -> int:
        """SIGTERM, as an administrator does; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(10)
        self._close()
        return code

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self._close()

    def _close(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.stdout.close()

    def logged(self) -> str:
        """All that went to standard error."""
        return self.log.read_text()

    def rss_kib(self) -> int:
        """Resident memory of the process."""
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")


def wait_for(condition: object, timeout_s: float = 10.0) -> None:
    """Wait until a call returns something true."""
    assert callable(condition)
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
