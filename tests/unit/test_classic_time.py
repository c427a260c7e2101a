"""What the classic server does with time, on a clock that the test moves: a real server, real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from veche.core.presence import Departures
from veche.server.app import HomeServer
from veche.server.config import Registration, Rules, ServerConfig
from veche.storage.sqlite import open_sqlite

WELCOME = "Welcome to the greatest messaging application ever!"
WRONG = "Invalid Password. Please try again"
NOW_BLOCKED = "Invalid Password. Your account has been blocked. Please try again later"
BLOCKED = "Your account is blocked due to multiple login failures. Please try again later"
TIMED_OUT = "You were logged out: no command came for too long."


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        if delay_s == 0:
            asyncio.get_running_loop().call_soon(call)
        else:
            self._timers.append((self.now + delay_s, call))

    def advance(self, seconds: float) -> None:
        """Let time pass; what is due in it happens at its instant."""
        end = self.now + seconds
        while due := [timer for timer in self._timers if timer[0] <= end]:
            timer = min(due, key=lambda one: one[0])
            self._timers.remove(timer)
            self.now = timer[0]
            timer[1]()
        self.now = end


class Desk:
    """A terminal's link, spoken by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, type: str, **fields: Any) -> None:
        self._writer.write(json.dumps({"type": type, **fields}).encode() + b"\r\n")

    def type(self, text: str) -> None:
        self.send("INPUT", text=text)

    async def receive(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self._reader.readline(), 20))

    async def sees(self, *messages: str) -> None:
        """The next RESPONSEs are these."""
        for message in messages:
            packet = await self.receive()
            assert packet["type"] == "RESPONSE", packet
            assert packet["message"] == message

    async def answers(self, text: str) -> list[str]:
        """Type a line; all that is said until it has been obeyed."""
        self.type(text)
        self.type("whatsthetime")
        said: list[str] = []
        while (message := (await self.receive())["message"]) != "Error. Invalid command":
            said.append(message)
        return said

    async def logs_in(self, name: str, password: str = "secret") -> None:
        await self.sees("Username: ")
        self.type(name)
        await self.sees("Password: ")
        self.type(password)

    async def is_over(self, code: int) -> None:
        """The terminal is told to end with this code, and the link is closed."""
        packet = await self.receive()
        assert packet == {"type": "RESPONSE", "message": packet["message"], "from_server": True, "exit": code}
        assert await self._reader.read() == b""

    async def leaves(self) -> None:
        """Log out, and pass over what was said until then."""
        self.type("logout")
        while "exit" not in await self.receive():
            pass

    def close(self) -> None:
        self._writer.close()


class Room:
    """A classic server in this process, and its clock."""

    def __init__(self, app: HomeServer, clock: Clock) -> None:
        self.app, self.clock = app, clock
        self._desks: list[Desk] = []

    async def sit(self) -> Desk:
        port = int(self.app.url.rpartition(":")[2])
        desk = Desk(*await asyncio.open_connection("127.0.0.1", port))
        self._desks.append(desk)
        desk.send("CLASSIC")
        return desk

    async def enter(self, name: str) -> Desk:
        desk = await self.sit()
        await desk.logs_in(name)
        await desk.sees(WELCOME)
        return desk

    def close(self) -> None:
        for desk in self._desks:
            desk.close()


@asynccontextmanager
async def classroom(folder: Path, *names: str) -> AsyncGenerator[Room]:
    """Everybody's password is `secret`."""
    credentials = folder / "credentials.txt"
    credentials.write_text("".join(f"{name} secret\n" for name in names))
    config = ServerConfig(
        data=folder,
        listen="127.0.0.1:0",
        profile=Rules.CLASSIC,
        credentials=credentials,
        block_duration=60,
        timeout=120,
        registration=Registration.OPEN,
        scram_iterations=4096,
    )
    clock = Clock()
    app = HomeServer(config, await open_sqlite(folder / "veche.db"))
    real = app.monotonic, app.call_later
    app.monotonic, app.call_later = clock.time, clock.call_later
    await app.start()
    room = Room(app, clock)
    try:
        yield room
    finally:
        room.close()
        app.monotonic, app.call_later = real
        await app.stop()


Scene = Callable[[Path], Coroutine[Any, Any, None]]


def plays(scene: Scene) -> Callable[[Path], None]:
    """A test of a scene."""

    def test(tmp_path: Path) -> None:
        asyncio.run(scene(tmp_path))

    test.__name__, test.__doc__, test.__module__ = scene.__name__, scene.__doc__, scene.__module__
    return test


# -- the lock


@plays
async def test_the_third_failure_blocks_for_block_duration(folder: Path) -> None:
    """Rows: T09 (partly), T10 (partly), T11 (partly), T12 (partly)."""
    async with classroom(folder, "yoda") as room:
        first, second = await room.sit(), await room.sit()
        await first.logs_in("yoda", "wrong")
        await first.sees(WRONG, "Password: ")
        await second.logs_in("yoda", "wrong")
        await second.sees(WRONG, "Password: ")
        room.clock.advance(3600)  # failures in a row do not age
        first.type("wrong")
        await first.sees(NOW_BLOCKED)
        await first.is_over(1)
        room.clock.advance(30)
        second.type("secret")  # the right one, at a terminal that was there before
        await second.sees(BLOCKED)
        await second.is_over(1)
        third = await room.sit()
        room.clock.advance(29.9)
        await third.logs_in("yoda")
        await third.sees(BLOCKED)
        await third.is_over(1)
        room.clock.advance(0.2)  # the attempts have not prolonged it
        await (await room.enter("yoda")).leaves()


@plays
async def test_a_success_resets_the_count(folder: Path) -> None:
    """Rows: T10 (partly), T12 (partly)."""
    async with classroom(folder, "yoda") as room:
        for _ in range(3):
            yoda = await room.sit()
            await yoda.logs_in("yoda", "wrong")
            await yoda.sees(WRONG, "Password: ")
            yoda.type("wrong")
            await yoda.sees(WRONG, "Password: ")
            yoda.type("secret")
            await yoda.sees(WELCOME)
            await yoda.leaves()


@plays
async def test_failures_for_other_names_block_nobody(folder: Path) -> None:
    """A class sits behind one address.  Rows: T10 (partly)."""
    names = [f"pupil{number}" for number in range(6)]
    async with classroom(folder, *names) as room:
        for name in names:
            desk = await room.sit()
            await desk.logs_in(name, "wrong")
            await desk.sees(WRONG, "Password: ")
            desk.close()
        await room.enter(names[-1])


# -- activity


@plays
async def test_whoever_gives_no_command_is_logged_out_and_the_others_are_told(folder: Path) -> None:
    """Rows: T16 (partly), T17 (partly), T18 (partly)."""
    async with classroom(folder, "hans", "yoda", "luke") as room:
        hans, yoda, luke = await room.enter("hans"), await room.enter("yoda"), await room.enter("luke")
        await hans.sees("yoda logged in", "luke logged in")
        await yoda.sees("luke logged in")
        room.clock.advance(100)
        assert await hans.answers("message yoda Are you there?") == []  # a valid command, and one that is none
        await yoda.sees("hans: Are you there?")  # receiving
        assert await luke.answers("message") == ["Error. Usage: message <user> <message>"]
        room.clock.advance(19.9)
        assert await hans.answers("whoelse") == ["yoda", "luke"]
        room.clock.advance(0.2)
        packet = await yoda.receive()
        assert (packet["message"], packet["exit"]) == (TIMED_OUT, 0)
        assert (await luke.receive())["message"] == "yoda logged out"
        packet = await luke.receive()
        assert (packet["message"], packet["exit"]) == (TIMED_OUT, 0)
        await hans.sees("yoda logged out", "luke logged out")
        room.clock.advance(119.7)
        assert await hans.answers("whoelse") == []
        room.clock.advance(120)
        assert (await hans.receive())["message"] == TIMED_OUT


@plays
async def test_private_commands_are_activity(folder: Path) -> None:
    """The terminal says PRESENCE with each of them.  Rows: T17 (partly), T56 (partly)."""
    async with classroom(folder, "hans") as room:
        hans = await room.enter("hans")
        for _ in range(5):
            room.clock.advance(100)
            hans.send("PRESENCE")
            await hans.answers("block")
        room.clock.advance(100)
        hans.send("PRESENCE", away=True)  # a client may say so by itself
        await hans.answers("block")
        room.clock.advance(19.9)
        await hans.answers("block")
        room.clock.advance(0.2)
        await hans.is_over(0)


@plays
async def test_nobody_is_hurried_at_the_question_who_they_are(folder: Path) -> None:
    """Rows: T16 (partly)."""
    async with classroom(folder, "hans") as room:
        hans = await room.sit()
        await hans.sees("Username: ")
        room.clock.advance(3600)
        hans.type("hans")
        await hans.sees("Password: ")
        room.clock.advance(3600)
        hans.type("secret")
        await hans.sees(WELCOME)
        room.clock.advance(119)
        assert await hans.answers("whoelse") == []


# -- who was here


@plays
async def test_the_transcript_of_whoelsesince_with_its_minutes(folder: Path) -> None:
    """Vader came 5 minutes ago and left 2 ago, R2D2 10 and 5.  Rows: T23, T24."""
    async with classroom(folder, "hans", "yoda", "luke", "vader", "r2d2", "chewy") as room:
        room.app.config = replace(room.app.config, timeout=10_000)
        chewy, hans, yoda, luke = [await room.enter(name) for name in ("chewy", "hans", "yoda", "luke")]
        await chewy.leaves()
        room.clock.advance(1000)
        r2d2 = await room.enter("r2d2")
        room.clock.advance(300)
        vader = await room.enter("vader")
        await r2d2.leaves()
        room.clock.advance(180)
        await vader.leaves()
        room.clock.advance(120)
        for desk in (hans, yoda, luke):
            await desk.answers("whoelse")
        assert sorted(await luke.answers("whoelsesince 200")) == ["hans", "vader", "yoda"]
        assert sorted(await yoda.answers("whoelsesince 500")) == ["hans", "luke", "r2d2", "vader"]
        assert sorted(await yoda.answers("whoelsesince 100000")) == ["chewy", "hans", "luke", "r2d2", "vader"]
        assert await yoda.answers("block luke") == ["luke is blocked"]
        assert sorted(await luke.answers("whoelsesince 200")) == ["hans", "vader"]
        assert await yoda.answers("unblock luke") == ["luke is unblocked"]
        assert sorted(await luke.answers("whoelsesince 200")) == ["hans", "vader", "yoda"]
        for wrong in ("whoelsesince", "whoelsesince x", "whoelsesince -1", "whoelsesince 1.5", "whoelsesince 1 2"):
            assert await luke.answers(wrong) == ["Error. Usage: whoelsesince <seconds>"]


def test_of_a_hundred_thousand_people_who_left_only_those_who_are_asked_for_are_looked_at() -> None:
    """Rows: T25."""
    departures = Departures()
    for number in range(100_000):
        departures.went(number, f"user{number}@class", float(number))
    departures.came(99_998)
    assert [id for id, _ in departures.since(99_996.0)] == [99_999, 99_997, 99_996]
