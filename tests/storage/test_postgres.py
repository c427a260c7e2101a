"""What only a server can suffer: several processes, lost connections, commits without an answer, schemas."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import asyncpg as untyped_asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest

from tests.support.storage import PostgresStorage, World
from veche.storage import facts, messages, migrations, schema
from veche.storage.database import Entry, Statement, Steps, StorageError, Stored
from veche.storage.postgres import open_postgres

asyncpg: Any = untyped_asyncpg


@pytest.fixture
def server(postgres_url: str) -> PostgresStorage:
    return PostgresStorage(postgres_url)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario, debug=True)


def test_several_processes_keep_one_order(server: PostgresStorage) -> None:
    """Rows: M14 (partly), M19 (partly), X15 (partly)."""

    async def scenario(world: World) -> None:
        alice, bob, talk = await world.pair()

        def steps(n: int) -> Steps[Stored]:
            return (yield bob.says(talk, f"step {n}"))

        async with server.opened() as second, server.opened() as third:
            everyone = (world, second, third)
            for n in range(40):
                for one in everyone:
                    one.database.append(alice.says(talk, f"{n}", cookie=f"{n}"), n)
                    one.database.append(bob.says(talk, f"{n}"), n)
                await asyncio.gather(*[one.database.write(steps(n)) for one in everyone])
                if n % 3 == 0:
                    for one in everyone:
                        await one.settled()
            for one in everyone:
                await one.settled()
                ids = [place.id for _, _, place in one.stored if not place.repeat]
                assert ids == sorted(ids)
            once = [place for one in everyone for _, _, place in one.stored if not place.repeat]
            assert len(once) == 40 + 3 * 40
        rows = await world.database.read(messages.owed(bob.id, 0, 1000))
        assert [row.seq for row in rows] == list(range(1, 40 + 3 * 40 + 3 * 40 + 1))
        assert [row.id for row in rows] == sorted(row.id for row in rows)

    server.play(scenario)


def test_a_connection_lost_while_idle_is_not_noticed(server: PostgresStorage) -> None:

    async def scenario(world: World) -> None:
        alice, bob, talk = await world.pair()
        for n in range(3):
            await cut_connections(server.url)
            (place,) = await world.append(alice.says(talk, f"{n}"))
            assert place.seq == n + 1
        await cut_connections(server.url)
        with contextlib.suppress(StorageError):
            await world.database.find(facts.get("x"))
        assert len(await world.database.read(messages.owed(bob.id, 0, 10))) == 3

    server.play(scenario)


async def cut_connections(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()"""
    )
    await connection.close()


def test_a_connection_lost_within_a_transaction_is_told(server: PostgresStorage) -> None:

    async def scenario(world: World) -> None:
        alice, bob, talk = await world.pair()

        def suicide() -> Steps[None]:
            yield alice.says(talk, "never")
            yield Statement("SELECT pg_terminate_backend(pg_backend_pid())")
            yield Statement("SELECT 1")

        world.database.append(alice.says(talk, "neither"), None)
        with pytest.raises(StorageError, match="cannot be reached"):
            await world.database.write(suicide())
        assert len(world.refused) == 1
        (place,) = await world.append(alice.says(talk, "later"))
        assert place.seq == 1
        assert len(await world.database.read(messages.owed(bob.id, 0, 10))) == 1

    server.play(scenario)


class Proxy:
    """Stands between us and PostgreSQL; loses the connection at a COMMIT, before or after it gets through."""

    def __init__(self, server: str, directory: str) -> None:
        self.server = server
        self.path = f"{directory}/.s.PGSQL.5432"
        self.lose: str | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self.listener = await asyncio.start_unix_server(self.serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.listener.close()
        await asyncio.gather(*self.tasks)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        back, forth = await asyncio.open_unix_connection(self.server)
        answers = asyncio.create_task(pump(back, writer))
        try:
            while data := await reader.read(65536):
                if self.lose is not None and b"COMMIT" in data:
                    when, self.lose = self.lose, None
                    answers.cancel()
                    if when == "after":
                        forth.write(data)
                        await back.read(1)
                    return
                forth.write(data)
        finally:
            answers.cancel()
            writer.close()
            forth.close()
            self.tasks.discard(task)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_without_an_answer_is_told_as_it_ended(
    server: PostgresStorage, postgres_server: Any, when: str
) -> None:
    """Rows: M14 (partly), M19 (partly)."""

    async def scenario() -> None:
        with tempfile.TemporaryDirectory() as directory:
            real = str(postgres_server.get_postmaster_info().socket_path)
            async with Proxy(real, directory) as proxy:
                through = PostgresStorage(f"postgresql://postgres@/veche?host={directory}")
                async with through.opened() as world:
                    alice, bob, talk = await world.pair()
                    proxy.lose = when
                    write = world.database.write(facts.set_default("a", b"b"))
                    places = await world.append(alice.says(talk, "one"), alice.says(talk, "two"))
                    rows = await world.database.read(messages.owed(bob.id, 0, 10))
                    if when == "after":
                        assert [place.seq for place in places] == [1, 2]
                        assert [row.text for row in rows] == ["one", "two"]
                        assert await write == b"b"
                    else:
                        assert places == []
                        assert rows == []
                        with pytest.raises(StorageError):
                            await write
                    (place,) = await world.append(alice.says(talk, "three"))
                    assert place.seq == len(rows) + 1

    run(scenario())


def test_a_blank_database_is_made_ours_by_whoever_comes_first(blank_postgres_url: str) -> None:

    async def scenario() -> None:
        told: list[str] = []
        databases = await asyncio.gather(
            *[open_postgres(blank_postgres_url, on_progress=told.append) for _ in range(3)]
        )
        assert told
        for database in databases:
            assert await database.write(facts.set_default("domain", b"one")) == b"one"
            await database.close()
        assert migrations.script("postgresql", schema.HEAD).strip() == ""

    run(scenario())


def test_a_newer_schema_is_refused_with_a_sentence(blank_postgres_url: str) -> None:

    async def scenario() -> None:
        await (await open_postgres(blank_postgres_url)).close()
        connection = await asyncpg.connect(blank_postgres_url)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()
        with pytest.raises(StorageError, match="newer version of Veche"):
            await open_postgres(blank_postgres_url)

    run(scenario())


def test_an_older_schema_is_brought_up_to_date_or_left_alone(
    blank_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = [
        "CREATE TABLE novelty (id BIGINT); SELECT nonsense",
        "CREATE TABLE novelty (id BIGINT); UPDATE alembic_version SET version_num = '9999'",
    ]

    async def scenario() -> None:
        await (await open_postgres(blank_postgres_url)).close()
        monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
        monkeypatch.setattr(schema, "HEAD", "9999")
        monkeypatch.setattr(migrations, "script", lambda dialect, revision: scripts.pop(0))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        with pytest.raises(StorageError, match="nonsense"):
            await open_postgres(blank_postgres_url)
        await (await open_postgres(blank_postgres_url)).close()

    run(scenario())


def test_no_server_is_told_without_the_password(tmp_path: Path) -> None:
    for url in (
        f"postgresql://veche:hunter2@/veche?host={tmp_path}",
        "postgresql://veche:hunter2@127.0.0.1:1/veche",
        "postgresql://veche:hunter2@127.0.0.1:notaport/veche",
    ):
        with pytest.raises(StorageError) as caught:
            asyncio.run(open_postgres(url))
        assert "hunter2" not in str(caught.value)


def test_wrong_data_of_one_is_no_trouble_of_others(server: PostgresStorage) -> None:

    async def scenario(world: World) -> None:
        alice, _, talk = await world.pair()

        def wrong(entry: Entry) -> Steps[None]:
            yield entry
            yield Statement("SELECT id FROM account WHERE id = $1", ("not a number",))

        failing = world.database.write(wrong(alice.says(talk, "never")))
        world.database.append(alice.says(talk, "always"), None)
        with pytest.raises(StorageError):
            await failing
        await world.settled()
        assert [place.seq for _, _, place in world.stored] == [1]

    server.play(scenario)
