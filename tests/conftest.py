"""Fixtures of all tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.networks import networks
from tests.support.postgres import blank_postgres_url, postgres_server, postgres_url
from tests.support.server import ServerProcess
from tests.support.wire import Wire, home, newcomer

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background so, and the programs that tests press Ctrl-C on would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["blank_postgres_url", "networks", "postgres_server", "postgres_url"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One real server that all conversations share; every test makes its own accounts."""
    data = tmp_path_factory.mktemp("server") / "data"
    running = ServerProcess(data, "--registration", "open", "--block-duration", "2").start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of this test alone, started and stopped at will."""
    running = ServerProcess(tmp_path / "data", "--registration", "open").start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture(autouse=True)
def _new_home() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    home.move()
    yield
    home.leave()


@pytest.fixture
def alice(server: ServerProcess) -> Iterator[Wire]:
    with newcomer(server.port, "alice") as wire:
        yield wire


@pytest.fixture
def bob(server: ServerProcess) -> Iterator[Wire]:
    with newcomer(server.port, "bob") as wire:
        yield wire


@pytest.fixture
def mallory(server: ServerProcess) -> Iterator[Wire]:
    with newcomer(server.port, "mallory") as wire:
        yield wire
