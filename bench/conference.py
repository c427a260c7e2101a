"""Conferences: one of 200 people, and 500 of four, beside a bare router that does nothing but tell a line to a room.

`work` says which.  In one conference: `texts`: eight people write, each as soon as a lot of theirs has reached all;
`texts alone`: the next text is written when all have the last one; `web texts`, `web texts alone`: the same over
WebSockets, as browsers have them, beside the same router; `legs`: people switch their microphones off and on;
`comings`: forty of them leave and come again.  In many: `create`, `join`, `many texts` (each conference has one under
way), `signals` (one under way for every second leg), `signals light` (1,000 a second), `restart`.

The router (`off`: it stores nothing; `full`: it stores like Veche) takes turns with Veche, `ROUNDS` times; rates are
medians, `ratio` is the median of the ratios of rounds that followed each other.  Some links keep what they are told,
and it is read afterwards: every `seq`, in order, once, and the conference's last `seq` must be the number of what was
written; `wrong` counts what was otherwise.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from . import machine
from .link import Link
from .peers import Router
from .peers.base import Peer, Setup
from .peers.veche import DEVICE, Veche, ask, fill, packet_of, serve_command
from .plan import Plan
from .scenarios import BODY, Figures, Pair, Tally, connect_all, percentiles, until

ROUNDS = 3
WRITERS = 8
WINDOW = 256
ALONE_S = 2.0
COMING = 40
LEGS = 4
KEPT = 12
"""So many of those who do not write keep what they are told."""
SIGNALS_S = 1000
AT_ONCE = 32
WEB = "web "
TEXT = b'"type":"CONFERENCE-MESSAGE",'
LEG = b'"type":"CONFERENCE-LEG",'
JOINED = b'"type":"CONFERENCE-JOINED",'
SIGNAL = b'"type":"SIGNAL",'
ROUTED = b'"t":"r",'
CANDIDATE = "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 192.168.1.20 rport 46154"

Sides = dict[str, "Side"]


def measure(plan: Plan) -> Iterator[Figures]:
    for work in (one_conference, many_conferences):
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            yield from uvloop.run(work(plan, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


# -- what takes turns


class Room:
    """Links that are told what any of them says.  The next is said when all have one that was said before.

    said: what is said in turn, by which link.  told: how many links are told of it.
    """

    def __init__(self, links: Sequence[Link], said: Sequence[tuple[Link, bytes]], told: int, marker: bytes) -> None:
        self.links = links
        self.told = told
        self.sent = self.delivered = 0
        self.seconds: list[float] = []
        """Of what was said alone: until all had it."""
        self._said = itertools.cycle(said)
        self._marker = marker
        self._window = self._lot = 0
        self._since = 0.0

    def listen(self) -> None:
        for link in self.links:
            link.count(self._marker, self._count)

    def begin(self, window: int, lot: int = 1) -> None:
        """lot: so many of one link go out in one write."""
        self._window, self._lot = window, lot
        self._say()

    def end(self) -> None:
        self._window = 0

    @property
    def missing(self) -> int:
        return self.sent * self.told - self.delivered

    def _count(self, number: int) -> None:
        self.delivered += number
        if self._window:
            self._say()

    def _say(self) -> None:
        while self._window - self.sent + self.delivered // self.told >= self._lot:
            now = time.perf_counter()
            if self._window == 1:
                self.seconds.append(now - self._since)
                self._since = now
            link, line = next(self._said)
            link.write(line * self._lot)
            self.sent += self._lot


@dataclass
class Side:
    """A server, with the rooms of its people."""

    peer: Peer
    rooms: list[Room] = field(default_factory=list[Room])
    rates: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    rounds: dict[str, list[Figures]] = field(default_factory=dict[str, list[Figures]])
    """By work; the rate stands first in each."""

    def note(self, work: str, name: str, rate: float, figures: Figures) -> None:
        """Keep the figures of a round."""
        self.rates.setdefault(work, []).append(rate)
        self.rounds.setdefault(work, []).append({name: rate, **figures, "load": os.getloadavg()[0]})

    def found_wrong(self, work: str, count: int) -> None:
        """Faults of the last round."""
        self.rounds[work][-1]["wrong"] = count

    def figures(self, work: str) -> Figures:
        """Medians of all rounds; what was lost or wrong in any."""
        rounds, rates = self.rounds[work], self.rates[work]
        found: Figures = {"work": work, "rounds": len(rounds), "range": [round(min(rates)), round(max(rates))]}
        for name in dict.fromkeys(name for one in rounds for name in one):
            values = [one[name] for one in rounds if one.get(name) is not None]
            if not values:
                continue
            middle = sum(values) if name in ("lost", "wrong") else statistics.median(values)
            found[name] = round(middle, None if middle >= 1000 else 3)
        return found

    @property
    def delivered(self) -> int:
        return sum(room.delivered for room in self.rooms)

    @property
    def missing(self) -> int:
        return sum(room.missing for room in self.rooms)


async def turn(side: Side, work: str, plan: Plan, window: int, lot: int, secs: float) -> None:
    """One round of one server."""
    for room in side.rooms:
        room.seconds.clear()
    meter = machine.Meter(side.peer.pids)
    with machine.measuring():
        for room in side.rooms:
            room.begin(window, lot)
        await asyncio.sleep(plan.warm)
        before = side.delivered
        meter.start()
        await asyncio.sleep(secs)
        delivered = side.delivered - before
        cost = meter.stop()
        for room in side.rooms:
            room.end()
        await until(lambda: side.missing == 0, 30)
    figures: Figures = {"window": window, "lost": side.missing, **cost}
    if window == 1 and len(side.rooms) == 1:
        figures |= percentiles(side.rooms[0].seconds[2:])
    side.note(work, "deliveries_s", delivered / meter.wall, figures)


def report(sides: Mapping[str, Side]) -> Iterator[Figures]:
    veche = sides["veche"]
    for work in veche.rounds:
        found = {"tls": 1, **veche.figures(work)}
        for name, side in sides.items():
            if side is not veche and (same := work.removeprefix(WEB)) in side.rates:
                pairs = zip(veche.rates[work], side.rates[same], strict=True)
                found[f"ratio_{name}"] = round(statistics.median(ours / theirs for ours, theirs in pairs), 2)
        yield found
        for name, side in sides.items():
            if side is not veche and work in side.rounds:
                yield {"tls": 1, "peer": "router", "persist": name, **side.figures(work)}


@asynccontextmanager
async def started(
    folder: Path, plan: Plan, users: Sequence[str], friends: Sequence[tuple[str, str]]
) -> AsyncGenerator[Sides]:
    """Veche and two routers."""
    veche = Veche(Setup(folder, True, "sqlite", {}, plan))
    sides = {"veche": Side(veche)}
    try:
        await asyncio.to_thread(fill, veche.folder / "data", users, friends=friends)
        await serve(veche)
        for persist in ("off", "full"):
            router = Router(Setup(Path(tempfile.mkdtemp(dir=folder)), True, persist, {}, plan))
            sides[persist] = Side(router)
            await router.start()
        yield sides
    except BaseException as error:
        error.add_note(machine.tail_of(veche.log))
        raise
    finally:
        for side in sides.values():
            await side.peer.stop()


async def serve(veche: Veche) -> float:
    """Start it on its data; returns the seconds until it was ready."""
    since = time.perf_counter()
    process = machine.spawn(serve_command(veche.folder / "data", veche.port), veche.log)
    veche.processes.append(process)
    return await machine.wait_for_line(b"ready", process, veche.log) - since


async def each(items: Sequence[Any], work: Callable[[Any], Awaitable[None]]) -> None:
    """Do it for all, some at once."""
    waiting = iter(items)

    async def some() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def room_of_router(side: Side, name: str, links: Sequence[Link], writers: int) -> Room:
    for link in links:
        link.write(packet_of(t="j", to=name))
        await link.expect(b'"ok"}\n')
    line = packet_of(t="r", to=name, id=123456, body=BODY)
    room = Room(links, [(link, line) for link in links[:writers]], len(links) - 1, ROUTED)
    side.rooms.append(room)
    return room


# -- one conference


async def one_conference(plan: Plan, folder: Path) -> list[Figures]:
    if plan.members <= WRITERS + KEPT + COMING:
        raise ValueError(f"it takes more than {WRITERS + KEPT + COMING} members")
    users = [f"u{n}" for n in range(plan.members)]
    by_web = [f"w{n}" for n in range(plan.members)]
    async with started(folder, plan, users + by_web, []) as sides:
        veche = sides["veche"]
        assert isinstance(veche.peer, Veche)
        hall = await OneHall.open(list((await connect_all(veche.peer, users)).values()))
        web_hall = await OneHall.open([await veche.peer.connect_web(user) for user in by_web])
        for name in ("off", "full"):
            links = list((await connect_all(sides[name].peer, users)).values())
            (await room_of_router(sides[name], "room", links, WRITERS)).listen()
        for one in (hall, web_hall):
            one.texts.listen()
        for _ in range(ROUNDS):
            for side in reversed(sides.values()):
                if side is not veche:
                    await turn(side, "texts", plan, WINDOW, WINDOW // WRITERS, plan.secs)
                    await turn(side, "texts alone", plan, 1, 1, ALONE_S)
            for one, web in ((hall, ""), (web_hall, WEB)):
                veche.rooms = [one.texts]
                one.keep()
                await turn(veche, f"{web}texts", plan, WINDOW, WINDOW // WRITERS, plan.secs)
                veche.found_wrong(f"{web}texts", await one.wrong_texts())
                await turn(veche, f"{web}texts alone", plan, 1, 1, ALONE_S)
        await hall.legs(veche, plan)
        await hall.comings(veche)
        return list(report(sides))


class OneHall:
    """The conference in which all are."""

    def __init__(self, id: str, links: Sequence[Link]) -> None:
        self.id = id
        self.links = links
        line = packet_of(type="CONFERENCE-MESSAGE", id=id, text=BODY)
        self.texts = Room(links, [(link, line) for link in links[:WRITERS]], len(links) - 1, TEXT)
        self.keepers = links[: WRITERS + KEPT]
        self._seen = 0

    @classmethod
    async def open(cls, links: Sequence[Link]) -> OneHall:
        made = await ask(
            links[0], "CONFERENCE-JOIN-OK", type="CONFERENCE-CREATE", name="all", policy="open", media="audio"
        )
        id = made["conference"]["id"]
        links[0].ignore()

        async def join(link: Link) -> None:
            link.write(packet_of(type="CONFERENCE-JOIN", id=id, media="text"))
            await link.expect(b'"type":"CONFERENCE-JOIN-OK"')
            link.ignore()

        await each(links[1:], join)
        return cls(id, links)

    def keep(self) -> None:
        self._seen = self.texts.sent
        for link in self.keepers:
            link.kept = []

    def _kept(self) -> Iterator[list[dict[str, Any]]]:
        """What each keeper was told."""
        for link in self.keepers:
            lines = link.lines(b"".join(link.kept or []))
            link.kept = None
            yield [msgspec.json.decode(line) for line in lines]

    async def wrong_texts(self) -> int:
        """Faults in what the keepers were told of texts, and in what is stored."""
        written = range(self._seen + 1, self.texts.sent + 1)
        wrong = 0
        for number, packets in enumerate(self._kept()):
            told = [one["seq"] for one in packets if one["type"] == "CONFERENCE-MESSAGE"]
            mine = [one["seq"] for one in packets if one["type"] == "CONFERENCE-MESSAGE-SENT"]
            wrong += (told != sorted(told)) + (mine != sorted(mine)) + (bool(mine) != (number < WRITERS))
            wrong += sorted(told + mine) != list(written)
        link = self.links[-1]
        link.talk()
        page = await ask(link, "CONFERENCE-HISTORY-GET-OK", type="CONFERENCE-HISTORY-GET", id=self.id, limit=1)
        self.texts.listen()
        return wrong + (page["messages"][-1]["seq"] != self.texts.sent)

    async def legs(self, side: Side, plan: Plan) -> None:
        """Everybody is told of every leg, which says so itself too."""

        def said(is_muted: bool) -> list[tuple[Link, bytes]]:
            line = packet_of(type="CONFERENCE-LEG-SET", id=self.id, is_muted=is_muted)
            return [(link, line) for link in self.links]

        room = Room(self.links, said(True) + said(False), len(self.links), LEG)
        side.rooms = [room]
        room.listen()
        for work, window, secs in (("legs", 64, plan.secs), ("legs alone", 1, ALONE_S)):
            for _ in range(ROUNDS):
                before = room.sent
                self.keep()
                await turn(side, work, plan, window, 1, secs)
                ids = [
                    [one["leg"]["id"] for one in packets if one["type"] == "CONFERENCE-LEG"] for packets in self._kept()
                ]
                count = room.sent - before
                side.found_wrong(work, sum(one != ids[0] for one in ids) + (len(ids[0]) != count))

    async def comings(self, side: Side) -> None:
        """Some leave and come again; JOINED of the others is counted, and each has its LEFT."""
        comers, others = self.links[-COMING:], self.links[:-COMING]
        room = Room(others, [], len(others), JOINED)
        room.listen()
        going = True

        async def come_and_go(link: Link) -> None:
            link.talk()
            while going:
                link.write(packet_of(type="CONFERENCE-LEAVE", id=self.id))
                await link.expect(b'"type":"CONFERENCE-LEAVE-OK"')
                link.write(packet_of(type="CONFERENCE-JOIN", id=self.id, media="text"))
                await link.expect(b'"type":"CONFERENCE-JOIN-OK"')
                room.sent += 1

        for _ in range(ROUNDS):
            going = True
            before, delivered = room.sent, room.delivered
            self.keep()
            meter = machine.Meter(side.peer.pids)
            with machine.measuring():
                meter.start()
                running = asyncio.gather(*map(come_and_go, comers))
                await asyncio.sleep(ALONE_S)
                going = False
                await running
                await until(lambda: room.missing == 0, 30)
                cost = meter.stop()
            count = room.sent - before
            wrong = 0
            for packets in self._kept():
                wrong += sum(one["type"] == "CONFERENCE-LEFT" for one in packets) != count
            told = 2 * (room.delivered - delivered) / meter.wall
            figures = {"lost": room.missing, "wrong": wrong, "deliveries_s": round(told), **cost}
            side.note("comings", "comings_s", count / meter.wall, figures)


# -- many


async def many_conferences(plan: Plan, folder: Path) -> list[Figures]:
    users = [f"u{n}" for n in range(plan.sessions)]
    halls = [users[n : n + LEGS] for n in range(0, len(users), LEGS)]
    friends = [pair for hall in halls for pair in itertools.combinations(hall, 2)]
    async with started(folder, plan, users, friends) as sides:
        veche = sides["veche"]
        links = await connect_all(veche.peer, users)
        before = await settled_kib(veche)
        found = [Small(hall, [links[user] for user in hall]) for hall in halls]
        await timed(veche, "create", found, Small.create)
        await timed(veche, "join", [(hall, n) for hall in found for n in range(1, LEGS)], Small.join)
        after = await settled_kib(veche)
        veche.rounds["join"][-1]["kib_per_conference"] = (after - before) / len(found)
        await asyncio.gather(*(hall.look() for hall in found))
        for name in ("off", "full"):
            side = sides[name]
            there = await connect_all(side.peer, users)
            for n, hall in enumerate(halls):
                (await room_of_router(side, f"room{n}", [there[user] for user in hall], LEGS)).listen()
        for hall in found:
            veche.rooms.append(hall.texts)
            hall.texts.listen()
        for _ in range(ROUNDS):
            for side in reversed(sides.values()):
                await turn(side, "many texts", plan, 1, 1, plan.secs)
        wrong = await asyncio.gather(*(hall.wrong_texts() for hall in found))
        veche.found_wrong("many texts", sum(wrong))
        await signals(sides, found, halls, plan)
        await restart(veche, found)
        return list(report(sides))


class Small:
    """One of the many conferences."""

    def __init__(self, users: Sequence[str], links: list[Link]) -> None:
        self.users = users
        self.links = links
        self.id = ""
        self.epochs: dict[str, int] = {}
        """By leg."""

    async def create(self) -> None:
        made = await ask(
            self.links[0], "CONFERENCE-JOIN-OK", type="CONFERENCE-CREATE", name=f"of {self.users[0]}", media="audio"
        )
        self.id = made["conference"]["id"]

    @staticmethod
    async def join(whose: tuple[Small, int]) -> None:
        hall, number = whose
        await ask(hall.links[number], "CONFERENCE-JOIN-OK", type="CONFERENCE-JOIN", id=hall.id, media="audio")

    async def look(self) -> None:
        """How it stands."""
        self.epochs = await self.legs()
        line = packet_of(type="CONFERENCE-MESSAGE", id=self.id, text=BODY)
        self.texts = Room(self.links, [(link, line) for link in self.links], len(self.links) - 1, TEXT)

    async def legs(self) -> dict[str, int]:
        """The epochs of the legs that are there."""
        link = self.links[0]
        link.talk()
        got = await ask(link, "CONFERENCE-GET-OK", type="CONFERENCE-GET", id=self.id)
        return {leg["id"]: leg["epoch"] for leg in got["conference"]["legs"] if not leg.get("is_lost")}

    async def wrong_texts(self) -> int:
        link = self.links[0]
        link.talk()
        page = await ask(link, "CONFERENCE-HISTORY-GET-OK", type="CONFERENCE-HISTORY-GET", id=self.id, limit=1)
        return page["messages"][-1]["seq"] != self.texts.sent

    def signal(self, from_: int, to: int) -> bytes:
        leg, other = (f"{self.users[n]}@localhost/{DEVICE}" for n in (from_, to))
        epoch = max(self.epochs[leg], self.epochs[other])
        return packet_of(
            type="SIGNAL", id=self.id, to=other, epoch=epoch, kind="candidate", candidate=CANDIDATE, mid="0"
        )

    async def resume(self, peer: Peer) -> None:
        """After a restart: all come back."""

        async def back(number: int) -> None:
            link = self.links[number] = await peer.connect(self.users[number])
            said = await ask(link, "CONFERENCE-JOIN-OK", type="CONFERENCE-JOIN", id=self.id, media="audio", resume=True)
            if not said.get("resumed"):
                raise RuntimeError(f"not resumed: {said}")

        for number in range(LEGS):
            await back(number)


async def settled_kib(side: Side) -> int:
    await asyncio.sleep(3)
    return machine.rss_kib(machine.family(side.peer.pids))


async def timed(side: Side, work: str, items: Sequence[Any], do: Callable[[Any], Awaitable[None]]) -> None:
    """Do it for all of them, once."""
    meter = machine.Meter(side.peer.pids)
    with machine.measuring():
        meter.start()
        await each(items, do)
        cost = meter.stop()
    side.note(work, f"{work}s_s", len(items) / meter.wall, {"count": len(items), **cost})


async def signals(sides: Sides, found: Sequence[Small], halls: Sequence[Sequence[str]], plan: Plan) -> None:
    """Every second leg to the one after it.  The router passes as long a line on from one user to another."""
    router = sides["off"]
    tallies = {"veche": Tally(), "off": Tally()}
    pairs: dict[str, list[Pair]] = {"veche": [], "off": []}
    for n, (hall, names) in enumerate(zip(found, halls, strict=True)):
        others = router.rooms[n].links
        for one in range(0, LEGS, 2):
            line = hall.signal(one, one + 1)
            pairs["veche"].append(
                Pair(SIGNAL, None, hall.links[one], hall.links[one + 1], line.__mul__, tallies["veche"])
            )
            same = packet_of(t="m", to=names[one + 1], id=123456, body="x" * (len(line) - 50))
            pairs["off"].append(Pair(b'"t":"m"', None, others[one], others[one + 1], same.__mul__, tallies["off"]))
    for _ in range(ROUNDS):
        for name in ("off", "veche"):
            await all_signals(sides[name], pairs[name], tallies[name], plan.secs)
        for name in ("off", "veche"):
            await light_signals(sides[name], pairs[name], tallies[name], plan.secs)


async def all_signals(side: Side, pairs: Sequence[Pair], tally: Tally, secs: float) -> None:
    tally.latencies.clear()
    meter = machine.Meter(side.peer.pids)
    with machine.measuring():
        tally.refill = True
        for pair in pairs:
            pair.send(1)
        await asyncio.sleep(0.5)
        before, tally.timed = tally.delivered, True
        meter.start()
        await asyncio.sleep(secs)
        count, tally.timed = tally.delivered - before, False
        cost = meter.stop()
        tally.refill = False
        await until(lambda: tally.delivered >= tally.sent, 20)
    lost = tally.sent - tally.delivered
    side.note("signals", "signals_s", count / meter.wall, {"lost": lost, **percentiles(tally.latencies), **cost})


async def light_signals(side: Side, pairs: Sequence[Pair], tally: Tally, secs: float) -> None:
    """At a fixed rate."""
    tally.latencies.clear()
    meter = machine.Meter(side.peer.pids)
    total = int(SIGNALS_S * secs)
    first = tally.sent
    with machine.measuring():
        tally.timed = True
        meter.start()
        while (sent := tally.sent - first) < total:
            due = min(total, int((time.perf_counter() - meter.started_at) * SIGNALS_S) + 1)
            for n in range(sent, due):
                pairs[n % len(pairs)].send(1)
            await asyncio.sleep(max(0.0, meter.started_at + due / SIGNALS_S - time.perf_counter()))
        await until(lambda: tally.delivered >= tally.sent, 20)
        cost = meter.stop()
        tally.timed = False
    lost = tally.sent - tally.delivered
    side.note("signals light", "signals_s", total / meter.wall, {"lost": lost, **percentiles(tally.latencies), **cost})


async def restart(side: Side, found: Sequence[Small]) -> None:
    """The server is stopped and started; everybody comes back by their devices."""
    peer = side.peer
    assert isinstance(peer, Veche)
    with machine.measuring():
        since = time.perf_counter()
        machine.stop(peer.processes.pop())
        stopped = time.perf_counter() - since
        peer.log.unlink()
        ready = await serve(peer)
        for hall in found:
            for link in hall.links:
                link.close()
        meter = machine.Meter(peer.pids)
        meter.start()
        await each(found, lambda hall: hall.resume(peer))
        cost = meter.stop()
    legs = [await hall.legs() for hall in found]
    wrong = sum(now != hall.epochs for now, hall in zip(legs, found, strict=True))
    figures = {
        "stopped_ms": round(stopped * 1e3),
        "ready_ms": round(ready * 1e3),
        "back_s": round(meter.wall, 2),
        "conferences": len(found),
        "wrong": wrong,
        **cost,
    }
    side.note("restart", "legs_s", LEGS * len(found) / meter.wall, figures)
