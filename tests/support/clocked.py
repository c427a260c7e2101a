"""A server in this process, in a thread of its own, whose clock a test moves."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from veche.server.app import HomeServer
from veche.server.config import Registration, ServerConfig
from veche.storage.postgres import open_postgres
from veche.storage.sqlite import open_sqlite

T = TypeVar("T")


class ClockedServer:
    """Start it with `with`; it listens on `port`.  storage: a PostgreSQL, instead of SQLite."""

    def __init__(self, data: Path, *, storage: str = "", **settings: Any) -> None:
        data.mkdir(exist_ok=True)
        self.config = ServerConfig(
            data=data,
            storage=storage,
            listen="127.0.0.1:0",
            registration=Registration.OPEN,
            scram_iterations=4096,
            away_after=1e6,
            ping_interval=1e6,
            **settings,
        )
        self.moved_s = 0.0
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> ClockedServer:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        self.loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        url = self.config.storage
        database = await (open_postgres(url) if url else open_sqlite(self.config.data / "veche.db"))
        self.app = HomeServer(self.config, database, wall_ns=lambda: time.time_ns() + int(self.moved_s * 1e9))
        self.app.monotonic = lambda: time.monotonic() + self.moved_s
        await self.app.start()
        self.port = int(self.app.url.rpartition(":")[2])
        self._ready.set()
        await self._stop.wait()
        await self.app.stop()

    def do(self, what: Callable[[HomeServer], T]) -> T:
        """Do something on the server's loop."""

        async def now() -> T:
            return what(self.app)

        return asyncio.run_coroutine_threadsafe(now(), self.loop).result(20)

    def move(self, seconds: float) -> None:
        """So much time passes, and what is over by then is over."""
        self.moved_s += seconds
        self.do(lambda app: app.halls.sweep(app.monotonic()))
