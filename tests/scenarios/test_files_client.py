"""Files by the client library, over a line that breaks; and what only time or a strange disk does to the server."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.line import Line
from tests.support.server import ServerProcess
from tests.support.wire import newcomer
from veche.client import CertificateChanged, Client, LinkLost, RequestFailed
from veche.client import files as client_files
from veche.client.files import Progress, download, fetch, place_for, preview, push, upload
from veche.packets import ErrorCode
from veche.packets.files import (
    ACCEPT_S,
    STALL_S,
    FileInfo,
    SendFileProxy,
    SendFileProxyAccept,
    SendFileProxyCancelled,
    SendFileProxyCompleted,
    SendFileProxyOk,
    SendFileProxyReady,
    SendFileProxyRequest,
)
from veche.packets.message import Message, MessageSend
from veche.server import filing
from veche.server.app import HomeServer
from veche.server.config import Registration, ServerConfig
from veche.storage import files as stored
from veche.storage.database import Rows, Statement, Steps, StorageError
from veche.storage.sqlite import open_sqlite

T = TypeVar("T")


@asynccontextmanager
async def people(server: ServerProcess, *names: str) -> AsyncGenerator[list[Client]]:
    """Fresh accounts, each with one device."""
    logins: list[str] = []
    for name in names:
        with newcomer(server.port, name) as wire:
            logins.append(wire.login)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                Client(
                    *("127.0.0.1", server.port, login),
                    password="a password",
                    device="first",
                    fingerprint=server.fingerprint,
                )
            )
            for login in logins
        ]


async def happens(client: Client, kind: type[T]) -> T:
    """The next event of this kind."""
    while not isinstance(event := await client.next_event(), kind):
        pass
    return event


def run(scenario: Awaitable[None]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(60):
            await scenario

    asyncio.run(timed())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(client_files, "FIRST_PAUSE_S", 0.01)


def name_of(client: Client) -> str:
    assert client.address is not None
    return client.address


def test_a_file_is_sent_and_fetched_and_checked_at_both_ends(server: ServerProcess, tmp_path: Path) -> None:
    """Rows: M48 (partly), X18 (partly)."""
    source, target = tmp_path / "harbour.bin", tmp_path / "fetched.bin"
    source.write_bytes(os.urandom(3_000_000))
    told: list[Progress] = []

    async def scenario() -> None:
        async with people(server, "alice", "bob") as (alice, bob):
            info = await upload(alice, source, progress=told.append)
            assert (info.name, info.bytes) == ("harbour.bin", 3_000_000)
            await alice.request(MessageSend(to=name_of(bob), files=[info.id]))
            event = await happens(bob, Message)
            assert event.files == [info]
            assert await download(bob, event.files[0], target, progress=told.append) == info
            assert await upload(alice, b"of bytes", name="notes.txt") != info
            with pytest.raises(RequestFailed) as refused:
                await download(bob, "nothing", tmp_path / "nothing")
            assert refused.value.code == ErrorCode.UNKNOWN_ID

    run(scenario())
    assert target.read_bytes() == source.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["fetched.bin", "harbour.bin"]
    assert told[-1].done == told[-1].total == 3_000_000
    assert all(one.done <= one.total and one.speed >= 0 for one in told)


def test_a_picture_has_a_preview_and_a_text_has_none(server: ServerProcess) -> None:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (700, 300), (9, 99, 9)).save(file, "PNG")

    async def scenario() -> None:
        async with people(server, "alice") as (alice,):
            info = await upload(alice, file.getvalue(), name="green.png")
            small = Image.open(io.BytesIO(await preview(alice, info)))
            assert small.size == (512, 219)
            with pytest.raises(RequestFailed):
                await preview(alice, await upload(alice, b"a text"))

    run(scenario())


def test_over_a_line_that_breaks_no_byte_goes_twice(server: ServerProcess, tmp_path: Path) -> None:
    """Rows: X18 (partly)."""
    data, target = os.urandom(4_000_000), tmp_path / "fetched"

    async def scenario() -> None:
        async with people(server, "alice") as (alice,), Line(server.port) as line:
            alice.port = line.port  # its link stays as it is; the bytes go by the line
            line.breaks = [1_500_000, 1_500_000, 800, 0]
            info = await upload(alice, data)
            assert info.sha256 == hashlib.sha256(data).hexdigest()
            assert line.passed < 6_500_000  # what was on its way when it broke goes again
            before, line.breaks = line.passed, [1_500_000, 1_500_000]
            await download(alice, info, target)
            assert line.passed - before < 6_500_000

    run(scenario())
    assert target.read_bytes() == data


def test_what_was_broken_off_in_one_run_is_gone_on_with_in_the_next(server: ServerProcess, tmp_path: Path) -> None:
    """Rows: X18 (partly)."""
    data, target = os.urandom(6_000_000), tmp_path / "fetched"

    async def scenario() -> None:
        async with people(server, "alice") as (alice,), Line(server.port) as line:
            alice.port = line.port

            async def twice(move: Callable[[], Awaitable[FileInfo]]) -> FileInfo:
                """Cancelled in the middle, then once more."""
                line.slow = True
                moving, before = asyncio.ensure_future(move()), line.passed
                await until(lambda: line.passed - before > 2_000_000)
                moving.cancel()
                with suppress(asyncio.CancelledError):
                    await moving
                line.slow, first = False, len(line.each)
                found = await move()
                assert sum(line.each[first:]) < 5_500_000
                return found

            info = await twice(lambda: upload(alice, data))
            assert await twice(lambda: download(alice, info, target)) == info

    run(scenario())
    assert target.read_bytes() == data


def test_a_line_that_always_breaks_is_given_up(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with people(server, "alice") as (alice,), Line(server.port) as line:
            alice.port, line.breaks = line.port, [2000] * 99
            with pytest.raises(LinkLost):
                await upload(alice, os.urandom(100_000))
            assert len(line.breaks) >= 99 - client_files.TRIES - 1

    run(scenario())


def test_a_server_that_is_another_gets_no_byte(server: ServerProcess, own_server: ServerProcess) -> None:
    """Rows: X18 (partly)."""

    async def scenario() -> None:
        async with people(server, "alice") as (alice,), Line(own_server.port) as line:
            alice.port = line.port
            with pytest.raises(CertificateChanged):
                await upload(alice, b"a secret" * 10_000)
            assert line.passed < 10_000

    run(scenario())


def test_a_file_that_changes_while_it_is_sent_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    source = tmp_path / "log"
    source.write_bytes(b"a" * 300_000)

    async def scenario() -> None:
        async with people(server, "alice") as (alice,), Line(server.port) as line:
            alice.port, line.breaks = line.port, [100_000]
            for change in (b"b" * 300_000, b"b"):
                source.write_bytes(b"a" * 300_000)
                line.breaks = [100_000]
                sending = asyncio.ensure_future(upload(alice, source))
                await until(lambda: not line.breaks)
                source.write_bytes(change)
                with pytest.raises(RequestFailed) as refused:
                    await sending
                assert refused.value.code == ErrorCode.WRONG_HASH

    run(scenario())


def test_what_is_fetched_wrongly_is_thrown_away(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with people(server, "alice") as (alice,):
            info = await upload(alice, b"0123456789")
            target = tmp_path / "target"
            target.write_bytes(b"as it was")
            part = client_files.beside(target, info.id)
            part.write_bytes(b"xx")
            with pytest.raises(RequestFailed) as refused:
                await download(alice, info, target)
            assert refused.value.code == ErrorCode.WRONG_HASH
            assert target.read_bytes() == b"as it was"
            assert not part.exists()
            await download(alice, info, target)
            assert target.read_bytes() == b"0123456789"
            with pytest.raises(FileNotFoundError):
                await download(alice, info, tmp_path / "no such folder" / "target")
            with pytest.raises(FileNotFoundError):
                await upload(alice, tmp_path / "no such file")

    run(scenario())


def test_what_comes_has_a_name_of_its_own(tmp_path: Path) -> None:
    assert place_for(tmp_path, "../a.tar.gz") == tmp_path / "a.tar.gz"
    (tmp_path / "a.tar.gz").touch()
    assert place_for(tmp_path, "a.tar.gz") == tmp_path / "a (1).tar.gz"
    (tmp_path / "a (1).tar.gz").touch()
    assert place_for(tmp_path, "a.tar.gz") == tmp_path / "a (2).tar.gz"


async def agreed(alice: Client, bob: Client, size: int, sha256: str | None = None) -> SendFileProxyOk:
    """Alice offers a file, bob says yes."""
    await alice.request(SendFileProxy(to=name_of(bob), filename="notes.txt", size=size, sha256=sha256))
    request = await happens(bob, SendFileProxyRequest)
    await bob.request(SendFileProxyAccept(transfer_id=request.transfer_id))
    return await happens(alice, SendFileProxyOk)


def test_a_file_goes_straight_through_a_line_that_breaks(server: ServerProcess, tmp_path: Path) -> None:
    """Rows: M55 (partly), X18 (partly)."""
    data, target = os.urandom(4_000_000), tmp_path / "fetched"

    async def scenario() -> None:
        async with people(server, "alice", "bob") as (alice, bob), Line(server.port) as line:
            ok = await agreed(alice, bob, len(data), hashlib.sha256(data).hexdigest())
            alice.port = bob.port = line.port
            line.breaks = [1_500_000, 1_200_000, 1_000_000]
            pushing = asyncio.ensure_future(push(alice, ok, data))
            ready = await happens(bob, SendFileProxyReady)
            found = await fetch(bob, ready, len(data), target)
            assert await pushing == found == hashlib.sha256(data).hexdigest()
            done = await happens(bob, SendFileProxyCompleted)
            assert done.sha256 == found
            with pytest.raises(RequestFailed) as refused:
                await push(alice, ok, data)
            assert refused.value.code == ErrorCode.UNKNOWN_ID

    run(scenario())
    assert target.read_bytes() == data


# -- time and strange disks


class World:
    """A server in this process, its clocks moved by the test."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.config = ServerConfig(
            data=folder,
            listen="127.0.0.1:0",
            registration=Registration.OPEN,
            scram_iterations=4096,
            away_after=1e6,
            **settings,
        )
        self.moved_s = 0.0

    async def __aenter__(self) -> World:
        database = await open_sqlite(self.config.data / "veche.db")
        self.app = HomeServer(self.config, database, wall_ns=lambda: time.time_ns() + int(self.moved_s * 1e9))
        self.app.monotonic = lambda: time.monotonic() + self.moved_s
        await self.app.start()
        self.clients: list[Client] = []
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self.clients:
            await one.close()
        await self.app.stop()

    async def person(self, name: str) -> Client:
        client = Client("127.0.0.1", int(self.app.url.rpartition(":")[2]), name, insecure=True)
        self.clients.append(client)
        await client.register("a password")
        await client.login()
        return client

    async def count(self, table: str) -> int:
        def steps() -> Steps[int]:
            rows: Rows = yield Statement(f"SELECT count(*) FROM {table}")
            return rows[0][0]

        return await self.app.database.find(steps())

    def lying(self) -> set[str]:
        folders = [self.config.data / folder for folder in ("files", "passing")]
        return {path.name for folder in folders for path in folder.rglob("*") if path.is_file()}


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)


def test_who_is_asked_has_300_seconds_and_bytes_may_rest_for_600(tmp_path: Path) -> None:
    """On a clock that the test moves.  Rows: M57, X22 (partly)."""

    async def scenario() -> None:
        async with World(tmp_path) as world:
            alice, bob = await world.person("alice"), await world.person("bob")
            await alice.request(SendFileProxy(to="bob", filename="x", size=9))
            await happens(bob, SendFileProxyRequest)
            world.moved_s += ACCEPT_S
            for one in (alice, bob):
                assert (await happens(one, SendFileProxyCancelled)).code == ErrorCode.NO_ANSWER
            for has_begun in (False, True):
                ok = await agreed(alice, bob, 2_000_000)
                if has_begun:
                    async with Line(port := alice.port) as line:
                        alice.port, line.breaks = line.port, [9_000, 900_000, *[0] * 99]
                        with pytest.raises(LinkLost):
                            await push(alice, ok, os.urandom(2_000_000))
                    alice.port = port
                    await happens(bob, SendFileProxyReady)
                    assert world.lying() == {ok.transfer_id}
                world.moved_s += STALL_S
                for one in (alice, bob):
                    assert (await happens(one, SendFileProxyCancelled)).code == ErrorCode.NO_ANSWER
                await until(lambda: not world.lying())

    run(scenario())


def test_a_ticket_ends_five_minutes_after_it_was_last_used(tmp_path: Path) -> None:
    """Rows: M55 (partly)."""

    async def scenario() -> None:
        async with World(tmp_path) as world:
            alice = await world.person("alice")
            info = await upload(alice, b"content")
            tickets = world.app.files.tickets
            ticket = world.app.files.download(1, info, preview=False)
            world.moved_s += filing.TICKET_S - 1
            assert tickets.find(ticket.token) is ticket
            tickets.start(ticket)
            world.moved_s += 10_000
            assert tickets.find(ticket.token) is ticket
            tickets.stop(ticket)
            world.moved_s += filing.TICKET_S - 1
            assert tickets.find(ticket.token) is ticket
            world.moved_s += 1
            assert tickets.find(ticket.token) is None
            many = [world.app.files.download(1, info, preview=False) for _ in range(filing.TICKETS + 1)]
            assert [tickets.find(one.token) is one for one in many] == [False, *[True] * filing.TICKETS]

    run(scenario())


def test_what_is_too_old_idle_or_too_much_goes(tmp_path: Path) -> None:
    """And what lies there for nobody.  Rows: M48 (partly)."""
    day = 86_400

    async def scenario() -> None:
        async with World(tmp_path, file_days=10, files_bytes=10_000) as world:
            alice, bob = await world.person("alice"), await world.person("bob")
            old = await upload(alice, b"old")
            await alice.request(MessageSend(to="bob", files=[old.id]))
            await upload(alice, b"never sent")
            part = await world.app.database.write(
                stored.begin("part", 1, "part", 9, "", world.app.now_us(), stored.Quota(9, 999, 999))
            )
            writing = await world.app.files.blobs.part(part.id)
            writing.add(b"part")
            await writing.write()
            await writing.close()
            orphan = tmp_path / "files" / "ab" / ("ab" * 32)
            orphan.parent.mkdir(exist_ok=True)
            orphan.write_bytes(b"of a crash")
            assert len(world.lying()) == 4
            await world.app.files.tidy()
            assert len(world.lying()) == 3
            world.moved_s += 2 * day
            await world.app.files.tidy()
            assert world.lying() == {old.sha256}
            fresh = await upload(bob, b"fresh" * 10)
            await bob.request(MessageSend(to="alice", files=[fresh.id]))
            world.moved_s += 9 * day
            await world.app.files.tidy()
            assert world.lying() == {fresh.sha256}
            (page,) = [page async for page in alice.export()]
            assert [[file.id for file in one.files] for one in page.messages] == [[old.id], [fresh.id]]
            with pytest.raises(RequestFailed):
                await download(bob, old, tmp_path / "old")
            assert await world.count("file") == await world.count("message_file") == await world.count("blob") == 1

    run(scenario())


def test_files_that_are_too_much_together_go_the_oldest_first(tmp_path: Path) -> None:
    """The administrator has made the bound smaller.  Rows: M48 (partly)."""

    async def scenario() -> None:
        async with World(tmp_path) as world:
            alice = await world.person("alice")
            infos: list[FileInfo] = []
            for n in range(4):
                world.moved_s += 1
                infos.append(await upload(alice, bytes([n]) * 1000))
        async with World(tmp_path, files_bytes=2500) as world:
            world.moved_s += 60
            await world.app.files.tidy()
            assert world.lying() == {info.sha256 for info in infos[2:]}

    run(scenario())


def test_a_disk_that_fails_in_between_is_answered_and_gone_on_with(tmp_path: Path) -> None:
    """Rows: M48 (partly)."""

    async def scenario() -> None:
        async with World(tmp_path) as world:
            alice = await world.person("alice")
            blobs: Any = world.app.files.blobs
            whole, failures = blobs.part, [False, True, False, True, True]

            async def part(id: str) -> Any:
                opened = await whole(id)
                write = opened.write

                async def failing() -> None:
                    if failures and failures.pop(0):
                        raise StorageError("The disk failed.")
                    await write()

                opened.write = failing
                return opened

            blobs.part = part
            data = os.urandom(3_000_000)
            info = await upload(alice, data)
            assert info.sha256 == hashlib.sha256(data).hexdigest()
            assert not failures
            await download(alice, info, tmp_path / "fetched")
        assert (tmp_path / "fetched").read_bytes() == data

    run(scenario())
