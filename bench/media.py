"""python -m bench.media: a mesh of Python legs beside a mesh of bare aiortc connections, in turn, on the same machine.

Each run is a process of its own with all legs in it: N senders of VP8 320x180, 15 a second, and Opus, each to all
others, and everything received is decoded and thrown away.  `bare` makes the connections by hand, with signalling by
function call; `veche` has an Engine for each leg, with the same sources and the signalling as packets in memory.

Figures: milliseconds from the last leg's coming to its first picture from somebody, and from everybody; then CPU, in
per cent of one core, over `--secs` seconds of the standing mesh.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from veche.media.connection import LOOPBACK, Connection
from veche.media.engine import Engine
from veche.media.pattern import pattern, sources_of
from veche.media.streams import Shared, next_frame
from veche.packets.conference import Conference, ConferenceJoined, Leg, Signal, Signalled

SETTLE_S = 2.0


class Arrivals:
    """A sink that notes when the first picture of each leg came."""

    def __init__(self, others: int) -> None:
        self.at: dict[str, float] = {}
        self.frames = 0
        self.has_all = asyncio.Event()
        self._others = others

    async def take(self, leg: Leg, track: MediaStreamTrack) -> None:
        await self.read(leg.id, track)

    async def read(self, who: str, track: MediaStreamTrack) -> None:
        while True:
            try:
                await next_frame(track)
            except MediaStreamError:
                return
            if track.kind == "video":
                self.at.setdefault(who, time.perf_counter())
                self.frames += 1
                if len(self.at) == self._others:
                    self.has_all.set()

    def gone(self, leg: Leg) -> None:
        pass

    async def close(self) -> None:
        pass


async def veche(legs: int) -> tuple[list[Arrivals], Callable[[], Awaitable[None]], float]:
    """Legs that come one after the other; returns when the last one came."""
    loop = asyncio.get_running_loop()
    at = "1970-01-01T00:00:00Z"
    made = [
        Leg(id=f"leg{n}@bench/1", user=f"leg{n}@bench", epoch=n + 1, initiator="leg0@bench/1", at=at)
        for n in range(legs)
    ]
    engines: dict[str, Engine] = {}
    arrivals = [Arrivals(legs - 1) for _ in made]
    sources = [Shared(*sources_of(pattern(number))) for number in range(legs)]
    came = 0.0
    for number, leg in enumerate(made):
        if number == legs - 1:
            await asyncio.sleep(SETTLE_S)
        conference = Conference(id="b", name="b", owner="", at=at, epoch=number + 1, legs=made[: number + 1])

        def send(signal: Signal, me: str = leg.id) -> None:
            packet = Signalled(id="b", from_=me, epoch=signal.epoch, kind=signal.kind, sdp=signal.sdp)
            loop.call_soon(lambda: engines[signal.to].handle(packet))

        came = time.perf_counter()
        for engine in list(engines.values()):
            engine.handle(ConferenceJoined(id="b", leg=leg))
        engines[leg.id] = Engine(
            conference, leg.id, send, paths=LOOPBACK, source=sources[number], sinks=[arrivals[number]]
        )

    async def close() -> None:
        await asyncio.gather(*(engine.close() for engine in engines.values()))

    return arrivals, close, came


async def bare(legs: int) -> tuple[list[Arrivals], Callable[[], Awaitable[None]], float]:
    """The same by hand."""
    tracks = [sources_of(pattern(number)) for number in range(legs)]
    relays = [MediaRelay() for _ in range(legs)]
    arrivals = [Arrivals(legs - 1) for _ in range(legs)]
    made: list[RTCPeerConnection] = []
    readers: list[asyncio.Task[None]] = []

    def connection(me: int, other: int) -> RTCPeerConnection:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        made.append(pc)

        def took(track: MediaStreamTrack) -> None:
            readers.append(asyncio.create_task(arrivals[me].read(str(other), track)))

        pc.on("track", took)
        return pc

    def send(pc: RTCPeerConnection, me: int) -> None:
        for track in tracks[me]:
            pc.addTrack(relays[me].subscribe(track, buffered=track.kind == "audio"))

    async def describe(pc: RTCPeerConnection) -> Any:
        by_loopback = Connection.__new__(Connection)
        by_loopback.pc, by_loopback._paths, by_loopback._watched = pc, LOOPBACK, set()  # pyright: ignore[reportPrivateUsage]
        by_loopback._watch = lambda: None  # pyright: ignore[reportPrivateUsage]
        await by_loopback.describe()
        return pc.localDescription

    async def pair(caller: int, other: int) -> None:
        one, two = connection(caller, other), connection(other, caller)
        send(one, caller)
        offer = await describe(one)
        await two.setRemoteDescription(offer)
        send(two, other)
        await one.setRemoteDescription(await describe(two))

    for number in range(1, legs - 1):
        await asyncio.gather(*(pair(number, other) for other in range(number)))
    await asyncio.sleep(SETTLE_S)
    came = time.perf_counter()
    await asyncio.gather(*(pair(legs - 1, other) for other in range(legs - 1)))

    async def close() -> None:
        await asyncio.gather(*(pc.close() for pc in made))
        await asyncio.gather(*readers, return_exceptions=True)

    return arrivals, close, came


async def measure(kind: str, legs: int, secs: float) -> dict[str, float]:
    """One run in this process."""
    arrivals, close, came = await (veche if kind == "veche" else bare)(legs)
    last = arrivals[-1]
    await last.has_all.wait()
    await asyncio.sleep(SETTLE_S)
    frames, before, start = sum(one.frames for one in arrivals), cpu_s(), time.perf_counter()
    await asyncio.sleep(secs)
    took = time.perf_counter() - start
    figures = {
        "first_ms": (min(last.at.values()) - came) * 1000,
        "all_ms": (max(last.at.values()) - came) * 1000,
        "cpu_percent": (cpu_s() - before) / took * 100,
        "frames_s": (sum(one.frames for one in arrivals) - frames) / took,
    }
    await close()
    return figures


def cpu_s() -> float:
    """Of this process, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.media", description=__doc__)
    parser.add_argument("--legs", type=int, nargs="+", default=[2, 4], help="sizes of the mesh")
    parser.add_argument("--secs", type=float, default=6.0, help="of the standing mesh")
    parser.add_argument("--runs", type=int, default=3, help="of each kind, in turn")
    parser.add_argument("--one", choices=("veche", "bare"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(asyncio.run(measure(args.one, args.legs[0], args.secs))))
        return
    print(f"{'legs':>4} {'kind':<6} {'first picture':>14} {'all pictures':>13} {'CPU':>8} {'frames/s':>9}")
    for legs in args.legs:
        found: dict[str, list[dict[str, float]]] = {"bare": [], "veche": []}
        for _ in range(args.runs):
            for kind, runs in found.items():
                command = [sys.executable, "-m", "bench.media", "--one", kind, "--legs", str(legs)]
                done = subprocess.run([*command, "--secs", str(args.secs)], capture_output=True, text=True, check=True)
                runs.append(json.loads(done.stdout))
        for kind, runs in found.items():
            middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
            print(
                f"{legs:>4} {kind:<6} {middle['first_ms']:>11.0f} ms {middle['all_ms']:>10.0f} ms "
                f"{middle['cpu_percent']:>6.1f} % {middle['frames_s']:>9.1f}"
            )
        ratio = [statistics.median(run["cpu_percent"] for run in found[kind]) for kind in ("veche", "bare")]
        print(f"     CPU of veche over bare: {ratio[0] / ratio[1]:.2f}")


if __name__ == "__main__":
    main()
