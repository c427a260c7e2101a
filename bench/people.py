"""What friends and presence cost: a change that a thousand see, a login with many contacts, ten thousand who are there.

`work` says which.  `fan-out alone`: the next change is sent when all have seen the last one; `fan-out together`: 20 are
sent at once.  `snapshot N`: the server's own time for the snapshot of a login with N contacts, and as many
conversations.  `whoelsesince N`: its time for an answer in the classic profile, when N accounts have left and a
thousand of them in the time asked for.  `online`: `sessions` accounts (2,000 unless --sessions says more) are there at
once, each a friend of 20 others.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvloop

from veche.core.delivery import DeviceFeed
from veche.packets import presence
from veche.server.app import HomeServer
from veche.server.config import ServerConfig
from veche.server.features.login import send_snapshot
from veche.server.features.presence import who_else_since
from veche.server.session import Session
from veche.storage import accounts
from veche.storage.sqlite import open_sqlite

from . import machine
from .link import Link
from .peers.base import Setup
from .peers.veche import Veche, fill, serve_command
from .plan import Plan
from .scenarios import Figures, connect_all, until

FRIENDS = 1000
TOGETHER = 20
CHANGES = 400
NEIGHBOURS = 20
CONTACTS = (0, 100, 500)
ROUNDS = 60
CLASS = 100_000
MARKER = b'"type":"CONTACT-UPDATED"'
AWAY = b'{"type":"PRESENCE","away":true}\r\n'
BACK = b'{"type":"PRESENCE"}\r\n'


def measure(plan: Plan) -> Iterator[Figures]:
    for work in (fan_out, online):
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            yield from uvloop.run(work(plan, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    for count in CONTACTS:
        yield uvloop.run(in_process(count, snapshot))
    yield uvloop.run(in_process(0, since))


async def started(plan: Plan, folder: Path, users: Sequence[str], friends: Sequence[tuple[str, str]]) -> Veche:
    peer = Veche(Setup(folder, True, "sqlite", {}, plan))
    data = folder / "data"
    await asyncio.to_thread(fill, data, users, friends=friends)
    process = machine.spawn(serve_command(data, peer.port), peer.log)
    peer.processes.append(process)
    await machine.wait_for_line(b"ready", process, peer.log)
    return peer


async def fan_out(plan: Plan, folder: Path) -> list[Figures]:
    """One person comes back and goes away, and a thousand friends are told."""
    watchers = [f"f{n}" for n in range(FRIENDS)]
    peer = await started(plan, folder, ["star", *watchers], [("star", one) for one in watchers])
    found: list[Figures] = []
    try:
        links = await connect_all(peer, watchers)
        star = await peer.connect("star")
        star.ignore()
        seen = 0

        def count(number: int) -> None:
            nonlocal seen
            seen += number

        for link in links.values():
            link.count(MARKER, count)
        await until(lambda: False, 1.0)
        for name, window in (("fan-out alone", 1), ("fan-out together", TOGETHER)):
            with machine.measuring():
                meter = machine.Meter(peer.pids)
                meter.start()
                sent = expected = seen
                expected = seen
                for number in range(0, CHANGES, window):
                    star.write(b"".join(AWAY if n % 2 == 0 else BACK for n in range(number, number + window)))
                    expected += window * FRIENDS
                    await until(lambda expected=expected: seen >= expected, 30, 0.0005)
                cost = meter.stop()
                found.append(
                    {
                        "work": name,
                        "deliveries_s": round((seen - sent) / meter.wall),
                        "lost": expected - seen,
                        **cost,
                    }
                )
    finally:
        await peer.stop()
    return found


async def online(plan: Plan, folder: Path) -> list[Figures]:
    """Everyone comes, is there, and then some come and go."""
    users = [f"u{n}" for n in range(plan.sessions)]
    ring = [
        (users[n], users[(n + step) % len(users)]) for n in range(len(users)) for step in range(1, NEIGHBOURS // 2 + 1)
    ]
    peer = await started(plan, folder, users, ring)
    try:
        with machine.measuring():
            for link in (await connect_all(peer, users[:20])).values():  # so that pools and code are there
                link.close()
            await asyncio.sleep(2)
            before = machine.rss_kib(machine.family(peer.pids))
            coming = machine.Meter(peer.pids)
            coming.start()
            links = await connect_all(peer, users)
            came = coming.stop()
            for link in links.values():
                link.ignore()
            await asyncio.sleep(5)
            silence = machine.Meter(peer.pids)
            silence.start()
            await asyncio.sleep(5)
            silent = silence.stop()
            after = machine.rss_kib(machine.family(peer.pids))
            alive = sum(not link.closed for link in links.values())
            leavers: list[Link] = [links[user] for user in users[::10]]
            leaving = machine.Meter(peer.pids)
            leaving.start()
            for link in leavers:
                link.close()
            await connect_all(peer, users[::10])
            left = leaving.stop()
        return [
            {
                "work": "online",
                "sessions": alive,
                "lost": len(links) - alive,
                "login_s": round(len(users) / coming.wall),
                "kib_per_session": round((after - before) / max(1, alive), 1),
                "idle_server_cpu": silent["server_cpu"],
                "again_s": round(len(leavers) / leaving.wall),
                "again_server_cpu": left["server_cpu"],
                **came,
            }
        ]
    finally:
        await peer.stop()


class Sink:
    """A link that takes everything and keeps nothing."""

    address = "127.0.0.1"
    is_secure = True

    def put(self, line: bytes) -> None:
        self.size = len(line)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args: None


async def in_process(count: int, work: Callable[[HomeServer, Session], Any]) -> Figures:
    """A server without its port, so that nothing but the feature is timed: the median of some rounds."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        data = folder / "data"
        friends = [f"f{n}" for n in range(count)]
        await asyncio.to_thread(fill, data, ["me", *friends], 2 * count, [("me", one) for one in friends], star=True)
        database = await open_sqlite(data / "veche.db")
        app = HomeServer(ServerConfig(data=data), database)
        found = await database.find(accounts.find("me"))
        assert found is not None
        session = Session(app, Sink())  # type: ignore[arg-type]
        session.logged_in(app.directory.live(found.id, found.login), "bench", 1, 0)
        session.feed = DeviceFeed(0)
        try:
            with machine.measuring():
                name = await work(app, session)
                times: list[float] = []
                for _ in range(ROUNDS):
                    since = time.perf_counter()
                    await work(app, session)
                    times.append(time.perf_counter() - since)
        finally:
            await database.close()
        return {
            "work": name,
            "ms": round(statistics.median(times) * 1e3, 2),
            "max_ms": round(max(times) * 1e3, 2),
            "line_kib": round(session.link.size / 1024, 1),  # type: ignore[attr-defined]
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def snapshot(app: HomeServer, session: Session) -> str:
    await send_snapshot(session)
    assert session.account is not None
    return f"snapshot {len(session.account.friends)}"


async def since(app: HomeServer, session: Session) -> str:
    if not app.is_classic:
        app.is_classic = True
        now = app.monotonic()
        for id in range(CLASS):
            app.departures.went(id + 100, f"u{id}@localhost", now - (CLASS - id) / 1000 * 60)
    await who_else_since(session, presence.WhoElseSince(seconds=60))
    return f"whoelsesince {CLASS}"
