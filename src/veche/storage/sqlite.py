"""SQLite behind the contract of `database.py`.

Three connections.  The *writer* thread has the one that writes.  The loop's thread has one for `find`: a few rows by
key cost less than waking another thread.  The *reader* thread has one for `read`: pages, searches, exports, each on one
snapshot.  A page is taken as one JSON text, in one step of its statement: sqlite3 lets go of the GIL at each step, and
gets it back from a busy loop only after up to 5 ms.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from .database import Entry, Rows, Statement, Steps, StorageError, Words, drive
from .group_commit import GroupCommit, Index, Work
from .sqlite_file import answer, bring_up_to_date, connect, is_current, numbered, opening_failed, storage_error
from .sqlite_writer import Writer

T = TypeVar("T")

SEARCH_S = 3.0
"""A search that takes longer is given up."""


async def open_sqlite(path: str | Path, *, on_progress: Callable[[str], None] | None = None) -> SqliteDatabase:
    """Open the database file, made if there is none, brought up to date if it is older (after a copy).

    on_progress: called on the loop with a sentence when something takes time.  Raises StorageError.
    """
    return await SqliteDatabase.open(path, on_progress=on_progress)


class SqliteDatabase(GroupCommit):
    """One open database file; see `Database`."""

    def __init__(self, path: Path) -> None:
        """Take a file that `open` has prepared."""
        super().__init__()
        self.path = path
        self._finder = connect(path, writing=False)
        self._reader = ThreadPoolExecutor(1, "veche-reader")
        self._reader_db: _Reader | None = None
        self._writer = Writer(path, self._loop, self.done)

    @classmethod
    async def open(cls, path: str | Path, *, on_progress: Callable[[str], None] | None = None) -> SqliteDatabase:
        """See `open_sqlite`."""
        path = Path(path)
        try:
            if not is_current(path):
                loop = asyncio.get_running_loop()

                def progress(sentence: str) -> None:
                    if on_progress is not None:
                        loop.call_soon_threadsafe(on_progress, sentence)

                await asyncio.to_thread(bring_up_to_date, path, progress)
            return cls(path)
        except sqlite3.Error as error:
            raise opening_failed(path, error) from error

    def hand_over(self, work: Sequence[Work]) -> None:
        self._writer.queue.put(work)

    async def index_now(self, timeout_s: float = 2.0) -> bool:
        deadline = self._loop.time() + timeout_s
        while True:
            future: asyncio.Future[bool] = self._loop.create_future()
            self._add(Index(future))
            if await future:
                return True
            if self._closing or self._loop.time() > deadline:
                return False

    async def find(self, steps: Steps[T]) -> T:
        if self._drained.done():
            raise StorageError("The database is closed.")
        try:
            return drive(steps, lambda request: answer(self._finder, request))
        except sqlite3.Error as error:
            raise storage_error(error) from error

    async def read(self, steps: Steps[T]) -> T:
        if self._closing:
            raise StorageError("The database is closed.")
        return await self._loop.run_in_executor(self._reader, self._read, steps)

    def _read(self, steps: Steps[T]) -> T:
        try:
            if self._reader_db is None:
                self._reader_db = _Reader(self.path)
            return self._reader_db.run(steps)
        except sqlite3.Error as error:
            raise storage_error(error) from error

    async def end(self) -> None:
        self._writer.queue.put(None)
        await asyncio.wrap_future(self._writer.ended)
        self._finder.close()
        await self._loop.run_in_executor(self._reader, self._close_reader)
        self._reader.shutdown(wait=False)

    def _close_reader(self) -> None:
        if self._reader_db is not None:
            self._reader_db.close()


class _Reader:
    """The connection of the reader thread."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path, writing=False)
        self._deadline = 0.0
        self._page_sql: dict[str, str] = {}
        self._db.set_progress_handler(self._is_too_late, 200_000)

    def run(self, steps: Steps[T]) -> T:
        self._deadline = time.monotonic() + 3600
        self._db.execute("BEGIN")
        try:
            return drive(steps, self._answer)
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _answer(self, request: Statement | Entry | Words) -> Any:
        if isinstance(request, Statement) and request.page:
            return self._page(request)
        if isinstance(request, Words):
            self._deadline = time.monotonic() + SEARCH_S
        return answer(self._db, request)

    def _page(self, request: Statement) -> Rows:
        """Take all rows as one JSON text, in one step of the statement."""
        sql = self._page_sql.get(request.sql)
        if sql is None:
            plain = numbered(request.sql)
            width = len(self._db.execute(f"SELECT * FROM ({plain}) LIMIT 0", request.args).description)
            names = ", ".join(f"c{n}" for n in range(width))
            sql = f"WITH page ({names}) AS ({plain}) SELECT json_group_array(json_array({names})) FROM page"
            self._page_sql[request.sql] = sql
        return _decode_rows(self._db.execute(sql, request.args).fetchone()[0])

    def _is_too_late(self) -> bool:
        return time.monotonic() > self._deadline

    def close(self) -> None:
        self._db.close()


_decode_rows = msgspec.json.Decoder(Rows).decode
