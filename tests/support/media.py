"""Legs with media for tests: each sends a pattern and a tone of its own, and knows whose it sees and hears."""

from __future__ import annotations

import asyncio
import functools
from array import array
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aiortc.mediastreams import MediaStreamTrack

from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer
from veche.client import Client
from veche.media import LOOPBACK, Call, Identities, LinkState, Paths, Shared
from veche.media.pattern import Pattern, colours_of, pattern, samples_of, sources_of, strip_of, tone_of
from veche.media.streams import next_frame
from veche.packets.conference import Leg, MediaKind

TONE_SAMPLES = 4800
PATIENCE_S = 30.0


def timed(limit_s: float = 60.0) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Callable[..., None]]:
    """Makes a test of a coroutine, with a limit."""

    def decorate(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> None:
            async def limited() -> None:
                async with asyncio.timeout(limit_s):
                    await test(*args, **kwargs)

            asyncio.run(limited())

        return run

    return decorate


def befriended(one: Wire, other: Wire) -> None:
    """Make two people friends, and read what they are told of it."""
    one.ask("FRIEND-REQUEST", login=other.login)
    assert other.ask("FRIEND-ANSWER", login=one.login, accepted=True)["type"] == "FRIEND-ANSWER-OK"


def accounts(server: ServerProcess, *names: str) -> list[str]:
    """New accounts, all friends of each other; returns their logins."""
    wires = [newcomer(server.port, name) for name in names]
    for number, wire in enumerate(wires):
        for other in wires[number + 1 :]:
            befriended(wire, other)
    logins = [wire.login for wire in wires]
    for wire in wires:
        wire.send("GOODBYE")
        assert wire.is_closed()
        wire.close()
    return logins


class Watch:
    """A sink: what is seen and heard of each leg now."""

    def __init__(self) -> None:
        self.colours: dict[str, tuple[str, str]] = {}
        self.tones: dict[str, int | None] = {}
        self.strips: dict[str, set[int]] = {}
        self.frames: dict[str, int] = {}

    async def take(self, leg: Leg, track: MediaStreamTrack) -> None:
        samples: array[int] = array("h")
        while True:
            frame = await next_frame(track)
            if track.kind == "video":
                self.colours[leg.id] = colours_of(frame)
                self.strips.setdefault(leg.id, set()).add(strip_of(frame) // 64)
                self.frames[leg.id] = self.frames.get(leg.id, 0) + 1
            else:
                samples = samples + samples_of(frame)
                if len(samples) >= TONE_SAMPLES:
                    self.tones[leg.id] = tone_of(samples)
                    samples = array("h")

    def forget(self) -> None:
        """Look anew."""
        for table in (self.colours, self.tones, self.strips, self.frames):
            table.clear()

    def gone(self, leg: Leg) -> None:
        for table in (self.colours, self.tones, self.strips, self.frames):
            table.pop(leg.id, None)

    async def close(self) -> None:
        pass

    def perceives(self, leg: str, shown: Pattern, *, picture: bool = True) -> bool:
        """Its colours, moving, and its tone."""
        is_seen = not picture or (
            self.colours.get(leg) == (shown.left, shown.right) and len(self.strips.get(leg, ())) > 1
        )
        return is_seen and self.tones.get(leg) == shown.tone_hz


class Person:
    """One device of somebody, in a conference with a pattern of its own."""

    def __init__(self, server: ServerProcess, login: str, number: int, device: str = "leg") -> None:
        self.login, self.pattern = login, pattern(number)
        self.watch = Watch()
        self.client = Client(
            "127.0.0.1",
            server.port,
            login,
            password="a password",
            device=device,
            fingerprint=server.fingerprint,
            authorities=None,
        )
        self.call: Call | None = None

    async def join(
        self,
        where: str,
        *,
        create: bool = False,
        media: MediaKind = MediaKind.VIDEO,
        paths: Paths = LOOPBACK,
        is_dumb: bool = False,
        width: int = 160,
        height: int = 90,
        identities: Identities | None = None,
    ) -> Call:
        """Come in, with picture and tone unless `is_dumb`."""
        if not self.client.is_online:
            await self.client.login()
        source = None if is_dumb else Shared(*sources_of(self.pattern, width=width, height=height))
        self.call = Call(
            self.client,
            where,
            create=create,
            media=media,
            source=source,
            sinks=[self.watch],
            paths=paths,
            identities=identities,
        )
        await self.call.join()
        return self.call

    @property
    def leg(self) -> str:
        assert self.call is not None
        return self.call.engine.me

    def knows(self, other: Person) -> Leg:
        """The leg of somebody inside, as it is known here."""
        assert self.call is not None
        leg = self.call.engine.leg(other.leg)
        assert leg is not None
        return leg

    def perceives(self, *others: Person, picture: bool = True) -> bool:
        return all(self.watch.perceives(other.leg, other.pattern, picture=picture) for other in others)

    def is_connected(self, *others: Person) -> bool:
        assert self.call is not None
        return all(
            (state := self.call.states.get(other.leg)) is not None and state.state is LinkState.CONNECTED
            for other in others
        )

    def is_connected_with(self, leg: str) -> bool:
        assert self.call is not None
        state = self.call.states.get(leg)
        return state is not None and state.state is LinkState.CONNECTED

    async def leave(self) -> None:
        call, self.call = self.call, None
        if call is not None:
            await call.leave()

    async def close(self) -> None:
        await self.leave()
        await self.client.close()


@asynccontextmanager
async def people(server: ServerProcess, *names: str) -> AsyncGenerator[list[Person]]:
    """Friends with accounts of their own, not in any conference yet."""
    logins = await asyncio.to_thread(accounts, server, *names)
    made = [Person(server, login, number) for number, login in enumerate(logins)]
    try:
        yield made
    finally:
        await asyncio.gather(*(person.close() for person in made))


async def until(is_so: Callable[[], bool], what: str = "it", patience_s: float = PATIENCE_S) -> None:
    """Wait until this holds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience_s
    while not is_so():
        assert loop.time() < end, f"{what} did not happen"
        await asyncio.sleep(0.02)


async def all_perceive(*them: Person, picture: bool = True) -> None:
    """Everybody sees and hears everybody else, from now on."""
    for person in them:
        person.watch.forget()

    def is_so() -> bool:
        return all(
            person.perceives(*(other for other in them if other is not person), picture=picture) for person in them
        )

    try:
        await until(is_so)
    except AssertionError:
        told = [
            (person.leg, person.watch.colours, person.watch.tones, person.call and person.call.states)
            for person in them
        ]
        raise AssertionError(f"not everybody sees and hears everybody: {told}") from None
