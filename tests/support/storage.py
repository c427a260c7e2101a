"""Databases for tests: both kinds behind one fixture, and a small world of accounts in one of them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg as untyped_asyncpg  # pyright: ignore[reportMissingTypeStubs]

from veche.storage import accounts, conversations, devices
from veche.storage.database import Database, Entry, Kind, StorageError, Stored
from veche.storage.devices import Device
from veche.storage.postgres import PostgresDatabase, open_postgres
from veche.storage.sqlite import SqliteDatabase, open_sqlite

asyncpg: Any = untyped_asyncpg


class Storage(ABC):
    """One kind of database, empty at first; it keeps what it holds from one `open` to the next."""

    @abstractmethod
    async def open(self) -> Database: ...

    @abstractmethod
    async def empty(self) -> None:
        """Forget everything; it is not open."""

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[World]:
        database = await self.open()
        try:
            yield World(self, database)
        finally:
            await database.close()

    def play(self, scenario: Callable[[World], Awaitable[None]]) -> None:
        async def body() -> None:
            async with self.opened() as world:
                await scenario(world)

        asyncio.run(body(), debug=True)


class SqliteStorage(Storage):
    def __init__(self, path: Path) -> None:
        self.path = path

    async def open(self) -> SqliteDatabase:
        return await open_sqlite(self.path)

    async def empty(self) -> None:
        for file in self.path.parent.glob(f"{self.path.name}*"):
            file.unlink()


async def connected(url: str, patience: int = 20) -> Any:
    """A connection to PostgreSQL, which on a busy machine refuses for a moment now and then."""
    for _ in range(patience):
        try:
            return await asyncpg.connect(url)
        except (ConnectionRefusedError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.5)
    return await asyncpg.connect(url)


class PostgresStorage(Storage):
    def __init__(self, url: str) -> None:
        self.url = url

    async def open(self) -> PostgresDatabase:
        return await open_postgres(self.url)

    async def empty(self) -> None:
        connection = await connected(self.url)
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = ", ".join(row[0] for row in tables if row[0] != "alembic_version")
        await connection.execute(f"TRUNCATE {names} RESTART IDENTITY")
        await connection.close()


class World:
    """An open database, what it has reported, and short names for what tests do all the time."""

    def __init__(self, storage: Storage, database: Database) -> None:
        self.storage = storage
        self.database = database
        self.stored: list[tuple[Entry, Any, Stored]] = []
        self.refused: list[tuple[Entry, Any]] = []
        self.errors: list[StorageError] = []
        self.groups: list[int] = []
        """The size of each group that was reported."""
        database.on_stored = self._on_stored
        database.on_refused = self._on_refused

    def _on_stored(self, group: Sequence[tuple[Entry, Any, Stored]]) -> None:
        self.groups.append(len(group))
        self.stored += group

    def _on_refused(self, group: Sequence[tuple[Entry, Any]], error: StorageError) -> None:
        self.refused += group
        self.errors.append(error)

    async def account(self, login: str) -> Person:
        """An account with one device."""
        id, _ = await self.database.write(accounts.create(login, b"salt", 4096, b"stored", b"server", now=1))
        device = await self.database.write(devices.create(id, "laptop", "test", 1))
        return Person(login, id, device)

    async def pair(self) -> tuple[Person, Person, int]:
        """Alice, bob and their conversation."""
        alice, bob = await self.account("alice"), await self.account("bob")
        return alice, bob, await self.database.write(conversations.open_direct(alice.id, bob.id, 1))

    async def append(self, *entries: Entry) -> list[Stored]:
        """Append entries and wait until all of them are reported."""
        receipts = [object() for _ in entries]
        for entry, receipt in zip(entries, receipts, strict=True):
            self.database.append(entry, receipt)
        await self.settled()
        places = {id(receipt): place for _, receipt, place in self.stored}
        return [places[id(receipt)] for receipt in receipts if id(receipt) in places]

    async def settled(self) -> None:
        """Wait until nothing is pending."""
        await until(lambda: self.database.pending == 0)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that the database tells nobody."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


class Person:
    """An account of a test."""

    def __init__(self, login: str, id: int, device: Device) -> None:
        self.login = login
        self.id = id
        self.device = device

    def says(self, conversation: int, text: str, *, at: int = 1, cookie: str | None = None, hidden: int = 0) -> Entry:
        return Entry(conversation, Kind.TEXT, self.id, self.device.id, at, text, None, cookie, hidden)

    def does(
        self, kind: Kind, conversation: int, target: int, text: str = "", *, cookie: str | None = None, hidden: int = 0
    ) -> Entry:
        """An edit, retraction or reaction."""
        return Entry(conversation, kind, self.id, self.device.id, 1, text, target, cookie, hidden)


def plays(scenario: Callable[[World], Awaitable[None]]) -> Callable[[Storage], None]:
    """A test of the suite that runs on both databases."""

    def test(storage: Storage) -> None:
        storage.play(scenario)

    test.__name__ = scenario.__name__
    test.__doc__ = scenario.__doc__
    test.__module__ = scenario.__module__
    return test
