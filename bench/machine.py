"""The machine under a measurement: cores, processes and their cost, one measurement at a time.

The server runs on core 0 and the generator on core 1, so that each one's share can be told apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import resource
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

SERVER_CORE, GENERATOR_CORE = 0, 1
QUIET = 20
"""A measurement during which other work took more than this many percent of a core is disturbed."""
LOCK = Path(tempfile.gettempdir()) / "bench.lock"
PR_SET_PDEATHSIG, SIGKILL = 1, 9

_libc = ctypes.CDLL(None)
_spawned: list[subprocess.Popen[bytes]] = []


def become_generator() -> None:
    """Pin this process, and allow it (and the servers it starts) as many sockets as the machine permits."""
    os.sched_setaffinity(0, {GENERATOR_CORE})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def spawn(
    command: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a server on its core, its output in `log`.  It dies with the harness."""

    def in_child() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, SIGKILL)
        os.sched_setaffinity(0, {SERVER_CORE})

    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            preexec_fn=in_child,
        )
    _spawned.append(process)
    return process


def stop(process: subprocess.Popen[bytes], patience: float = 5.0) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _read(log: Path) -> bytes:
    return log.read_bytes() if log.exists() else b""


def tail_of(log: Path, size: int = 1000) -> str:
    return _read(log)[-size:].decode(errors="replace").strip()


async def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, patience: float = 40) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError(f"nobody listens on {port}")


async def wait_for_line(start: bytes, process: subprocess.Popen[bytes], log: Path, patience: float = 60) -> float:
    """Wait until a line of `log` begins with `start`; returns the instant (perf_counter) at which it was seen."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        written = _read(log)
        if written.startswith(start) or b"\n" + start in written:
            return time.perf_counter()
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        await asyncio.sleep(0.001)
    raise TimeoutError(f"no line {start.decode()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Certificate:
    key: Path
    certificate: Path
    both: Path


def make_certificate(folder: Path) -> Certificate:
    """A self-signed certificate on ECDSA P-256, the same kind for every server."""
    made = Certificate(folder / "key.pem", folder / "crt.pem", folder / "both.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(made.key), "-out", str(made.certificate), "-days", "30", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,DNS:conference.localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    made.both.write_bytes(made.certificate.read_bytes() + made.key.read_bytes())
    for file in (made.key, made.certificate, made.both):
        file.chmod(0o644)
    return made


# -- what a process costs


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """These processes and all that they started."""
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            for process in [root, *root.children(recursive=True)]:
                found[process.pid] = process
    return list(found.values())


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def rss_kib(processes: Iterable[psutil.Process]) -> int:
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total // 1024


def busy_seconds() -> float:
    """Time that all cores together have worked since the machine started."""
    times: Any = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait


class Meter:
    """Shares of one core over a timed window: the server's, the generator's, and of whatever else ran."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._server = family(pids)
        self.started_at = self.wall = 0.0
        self._before = (0.0, 0.0, 0.0)

    def _now(self) -> tuple[float, float, float]:
        return cpu_seconds(self._server), time.process_time(), busy_seconds()

    def start(self) -> None:
        self._before = self._now()
        self.started_at = time.perf_counter()

    def stop(self) -> dict[str, Any]:
        self.wall = time.perf_counter() - self.started_at
        server, generator, machine = (now - before for now, before in zip(self._now(), self._before, strict=True))
        return {
            "wall_s": round(self.wall, 2),
            "server_cpu": round(100 * server / self.wall),
            "gen_cpu": round(100 * generator / self.wall),
            "other_cpu": max(0, round(100 * (machine - server - generator) / self.wall)),
        }


# -- one at a time


def _set_priority(nice: int) -> None:
    """Server and generator go before whatever else runs on the machine.  Without the right to do so: no change."""
    running = family([os.getpid(), *(process.pid for process in _spawned if process.poll() is None)])
    for process in running:
        proc = Path("/proc", str(process.pid))
        with contextlib.suppress(OSError):  # nice counts only within a session otherwise
            (proc / "autogroup").write_text(str(nice))
        with contextlib.suppress(OSError):
            for thread in (proc / "task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(thread.name), nice)


@contextlib.contextmanager
def measuring(looks: int = 3) -> Generator[None]:
    """The timed part: alone on this machine, begun when it is quiet (or after so many looks), and with priority.

    BENCH_LOCKED=1 says that the caller holds the lock already.
    """
    with LOCK.open("a") as lock:
        if not os.environ.get("BENCH_LOCKED"):
            for look in range(looks):
                fcntl.flock(lock, fcntl.LOCK_EX)
                busy, since = busy_seconds(), time.perf_counter()
                time.sleep(0.25)
                if look == looks - 1 or (busy_seconds() - busy) / (time.perf_counter() - since) < 0.25:
                    break
                fcntl.flock(lock, fcntl.LOCK_UN)
                time.sleep(0.75)
        _set_priority(-19)
        try:
            yield
        finally:
            _set_priority(0)
