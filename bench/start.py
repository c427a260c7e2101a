"""How long `veche serve` takes until it is ready, and what it weighs when nothing happens."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from . import machine
from .peers.veche import fill, serve_command
from .plan import Plan
from .scenarios import Figures

STARTS = 5
SETTLE_S = 3.0


def measure(plan: Plan) -> Iterator[Figures]:
    """The very first start, and the median of some starts with a database of `count` messages (100,000)."""
    yield asyncio.run(_measure(plan.count or 100_000))


async def _measure(count: int) -> Figures:
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        first, _, first_rss = await _start(folder / "empty", folder / "first.log", settle=True)
        data = folder / "data"
        await asyncio.to_thread(fill, data, [f"u{i}" for i in range(100)], count)
        await _start(data, folder / "warm.log")
        times: list[float] = []
        costs: list[float] = []
        rss = 0
        with machine.measuring():
            for turn in range(STARTS):
                took, cost, rss = await _start(data, folder / f"{turn}.log", settle=turn == STARTS - 1)
                times.append(took)
                costs.append(cost)
        return {
            "count": count,
            "ready_ms": round(statistics.median(times) * 1e3),
            "ready_max_ms": round(max(times) * 1e3),
            "ready_cpu_ms": round(statistics.median(costs) * 1e3),
            "rss_mib": round(rss / 1024, 1),
            "first_ready_ms": round(first * 1e3),
            "first_rss_mib": round(first_rss / 1024, 1),
            "database_mib": round(sum(file.stat().st_size for file in data.iterdir() if file.is_file()) / 2**20, 1),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _start(data: Path, log: Path, *, settle: bool = False) -> tuple[float, float, int]:
    """Seconds to `ready`, CPU seconds until then, and RSS in KiB.  Python's modules are in the page cache."""
    since = time.perf_counter()
    process = machine.spawn(serve_command(data, machine.free_port()), log)
    try:
        took = await machine.wait_for_line(b"ready", process, log) - since
        family = machine.family([process.pid])
        cost = machine.cpu_seconds(family)
        if settle:
            await asyncio.sleep(SETTLE_S)
        return took, cost, machine.rss_kib(family)
    finally:
        machine.stop(process)
