"""The same conversations as test_message.py, on a server that keeps everything in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asyncpg as untyped_asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest

from tests.scenarios.test_message import *  # noqa: F403 - the tests themselves
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

asyncpg: Any = untyped_asyncpg


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any) -> Iterator[ServerProcess]:
    """Takes the place of the SQLite server for every test of this module."""
    import asyncio

    async def make() -> None:
        connection = await asyncpg.connect(postgres_server.get_uri())
        await connection.execute("CREATE DATABASE scenarios")
        await connection.close()

    asyncio.run(make())
    data = tmp_path_factory.mktemp("postgres-server") / "data"
    url = postgres_server.get_uri("scenarios")
    running = ServerProcess(data, "--registration", "open", "--storage", url).start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


def test_accounts_and_messages_are_in_postgresql_and_survive_a_killed_server(server: ServerProcess) -> None:
    """Rows: X04 (partly), A10 (partly)."""
    with newcomer(server.port, "ann", device="d") as ann, newcomer(server.port, "ben", device="d") as ben:
        sent = ann.say(ben.login, "remember", cookie="c1")
        server.kill()
        server.start()
        assert not (server.data / "veche.db").exists()
        with Wire(server.port).resumed(ben.resume) as again:
            assert [one["text"] for one in again.replayed] == ["remember"]
        with Wire(server.port).resumed(ann.resume) as again:
            assert again.say(ben.login, "remember", cookie="c1")["id"] == sent["id"]
