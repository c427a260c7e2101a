"""The scenarios.  Each takes a started peer and a plan, and returns figures; counts and times are bounded."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from .link import Link
from .machine import Meter, family, measuring, rss_kib
from .peers.base import Frames, Peer
from .plan import Plan

BODY = "x" * 100
Figures = dict[str, Any]

_clock = time.perf_counter


async def connect_all(peer: Peer, users: Iterable[str], *, present: bool = True, at_once: int = 16) -> dict[str, Link]:
    links: dict[str, Link] = {}
    waiting = iter(users)

    async def work() -> None:
        for user in waiting:
            links[user] = await peer.connect(user, present=present)

    await asyncio.gather(*(work() for _ in range(at_once)))
    return links


async def until(done: Callable[[], bool], patience: float, step: float = 0.02) -> None:
    end = _clock() + patience
    while not done() and _clock() < end:  # noqa: ASYNC110
        await asyncio.sleep(step)


def percentiles(seconds: list[float]) -> Figures:
    if not seconds:
        return {"p50_ms": None, "p99_ms": None}
    seconds.sort()
    n = len(seconds)
    return {
        "p50_ms": round(1e3 * seconds[n // 2], 3),
        "p99_ms": round(1e3 * seconds[min(n - 1, int(n * 0.99))], 3),
    }


class Tally:
    """What all pairs of a measurement add to."""

    def __init__(self) -> None:
        self.sent = self.delivered = self.confirmed = 0
        self.refill = self.timed = False
        self.latencies: list[float] = []

    def confirm(self, count: int) -> None:
        self.confirmed += count

    def figures(self, peer: Peer) -> Figures:
        lost: Figures = {"lost": self.sent - self.delivered}
        if peer.confirmation is not None:
            lost["unconfirmed"] = self.sent - self.confirmed
        return {**lost, **percentiles(self.latencies)}

    async def settle(self, peer: Peer) -> None:
        """Wait for what is still under way."""
        await until(
            lambda: self.delivered >= self.sent and (peer.confirmation is None or self.confirmed >= self.sent),
            20,
        )


class Pair:
    """One sender and one receiver.  The k-th delivery answers the k-th message, so no delivery need be read."""

    __slots__ = ("_frames", "_sender", "_tally", "_under_way")

    def __init__(
        self, marker: bytes, confirmation: bytes | None, sender: Link, receiver: Link, frames: Frames, tally: Tally
    ) -> None:
        self._sender, self._frames, self._tally = sender, frames, tally
        self._under_way: deque[float] = deque()
        if confirmation is not None:
            sender.count(confirmation, tally.confirm)
        else:
            sender.ignore()
        receiver.count(marker, self._delivered)

    def send(self, count: int) -> None:
        self._under_way.extend([_clock()] * count)
        self._tally.sent += count
        self._sender.write(self._frames(count))

    def _delivered(self, count: int) -> None:
        tally, taken = self._tally, self._under_way.popleft
        now = _clock()
        tally.delivered += count
        if tally.timed:
            latencies = tally.latencies
            for _ in range(count):
                latencies.append(now - taken())
        else:
            for _ in range(count):
                taken()
        if tally.refill:
            self.send(count)


async def _make_pairs(peer: Peer, plan: Plan, tally: Tally) -> list[Pair]:
    links = await connect_all(peer, plan.senders + plan.receivers)
    return [
        Pair(peer.marker, peer.confirmation, links[a], links[b], peer.message(a, b, BODY), tally)
        for a, b in zip(plan.senders, plan.receivers, strict=True)
    ]


async def direct(peer: Peer, plan: Plan) -> Figures:
    """Every pair keeps `window` messages under way, for `secs` after `warm`."""
    window = plan.window or peer.window
    tally = Tally()
    pairs = await _make_pairs(peer, plan, tally)
    meter = Meter(peer.pids)
    with measuring():
        tally.refill = True
        for pair in pairs:
            pair.send(window)
        await asyncio.sleep(plan.warm)
        before, tally.timed = tally.delivered, True
        meter.start()
        await asyncio.sleep(plan.secs)
        delivered, tally.timed = tally.delivered - before, False
        cost = meter.stop()
        tally.refill = False
        await tally.settle(peer)
    rate = {"msgs_s": round(delivered / meter.wall), "pairs": plan.pairs, "window": window}
    return {**rate, **tally.figures(peer), **cost}


async def light(peer: Peer, plan: Plan) -> Figures:
    """A fixed rate, spread over the pairs: the latency of a server that is not loaded."""
    tally = Tally()
    pairs = await _make_pairs(peer, plan, tally)
    meter = Meter(peer.pids)
    total = int(plan.rate * plan.secs)
    tally.timed = True
    with measuring():
        meter.start()
        while tally.sent < total:
            due = min(total, int((_clock() - meter.started_at) * plan.rate) + 1)
            while tally.sent < due:
                pairs[tally.sent % len(pairs)].send(1)
            await asyncio.sleep(max(0.0, meter.started_at + tally.sent / plan.rate - _clock()))
        cost = meter.stop()
        await tally.settle(peer)
    return {"rate": plan.rate, "pairs": plan.pairs, **tally.figures(peer), **cost}


async def offline(peer: Peer, plan: Plan) -> Figures:
    """Messages for people who are away, 32 at a time and each lot confirmed; then they log in and take them."""
    links = await connect_all(peer, plan.senders)
    each = (plan.count or 20_000) // plan.pairs
    total = each * plan.pairs
    meter = Meter(peer.pids)

    async def store(sender: str, receiver: str) -> None:
        frames, link = peer.message(sender, receiver, BODY), links[sender]
        for lot in range(0, each, 32):
            size = min(32, each - lot)
            link.write(frames(size))
            await peer.taken_in(link, size)

    with measuring():
        meter.start()
        await asyncio.gather(*(store(a, b) for a, b in zip(plan.senders, plan.receivers, strict=True)))
        storing = meter.stop()
        storing_s = meter.wall

    delivered = 0

    def count(found: int) -> None:
        nonlocal delivered
        delivered += found

    receivers = await connect_all(peer, plan.receivers, present=False)
    with measuring():
        meter.start()
        for link in receivers.values():
            link.count(peer.marker, count)
            peer.ask_for_stored(link)
        seen, last = 0, meter.started_at
        while delivered < total and _clock() - last < 10:
            if delivered != seen:
                seen, last = delivered, _clock()
            await asyncio.sleep(0.005)
        wall = (_clock() if delivered >= total else last) - meter.started_at
        draining = meter.stop()
    return {
        "count": total,
        "stored_s": round(total / storing_s),
        "drained_s": round(delivered / wall) if wall else 0,
        "lost": total - delivered,
        **{key: storing[key] for key in ("server_cpu", "gen_cpu", "other_cpu")},
        "drain_server_cpu": draining["server_cpu"],
        "drain_gen_cpu": draining["gen_cpu"],
    }


async def login(peer: Peer, plan: Plan) -> Figures:
    """Whole logins: connect, TLS handshake without resumption, authentication, ready.  Salted keys are cached."""
    users = plan.users
    for link in (await connect_all(peer, users)).values():
        link.close()
    await asyncio.sleep(0.5)
    meter = Meter(peer.pids)
    left = plan.count or 1000
    seconds: list[float] = []

    async def work(mine: list[str]) -> None:
        nonlocal left
        turn = 0
        while left > 0:
            left -= 1
            since = _clock()
            link = await peer.connect(mine[turn % len(mine)])
            seconds.append(_clock() - since)
            turn += 1
            link.close()

    with measuring():
        meter.start()
        await asyncio.gather(*(work(users[i :: plan.at_once]) for i in range(plan.at_once)))
        cost = meter.stop()
    return {
        "logins_s": round(len(seconds) / meter.wall, 1),
        "count": len(seconds),
        **percentiles(seconds),
        **cost,
    }


async def idle(peer: Peer, plan: Plan) -> Figures:
    """The server's memory for each session that is connected, logged in, present, and silent."""
    users = plan.users
    with measuring():
        for link in (await connect_all(peer, users[:20])).values():  # so that pools and code are there
            link.close()
        await asyncio.sleep(2)
        before = rss_kib(family(peer.pids))
        meter = Meter(peer.pids)
        meter.start()
        links = await connect_all(peer, users)
        cost = meter.stop()
        for link in links.values():
            link.ignore()
        await asyncio.sleep(5)
        silence = Meter(peer.pids)
        silence.start()
        await asyncio.sleep(3)
        silent = silence.stop()
        after = rss_kib(family(peer.pids))
        alive = sum(not link.closed for link in links.values())
    return {
        "sessions": alive,
        "lost": len(links) - alive,
        "rss_before_mib": round(before / 1024, 1),
        "rss_after_mib": round(after / 1024, 1),
        "kib_per_session": round((after - before) / max(1, alive), 1),
        "login_s": round(alive / meter.wall),
        "idle_server_cpu": silent["server_cpu"],
        **cost,
    }


SCENARIOS: dict[str, Callable[[Peer, Plan], Awaitable[Figures]]] = {
    "direct": direct,
    "light": light,
    "offline": offline,
    "login": login,
    "idle": idle,
}
