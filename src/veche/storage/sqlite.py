"""SQLite behind the contract of `database.py`.

Three connections.  The *writer* thread has the one that writes.  The loop's thread has one for `find`: a few rows by
key cost less than waking another thread.  The *reader* thread has one for `read`: pages, searches, exports, each on one
snapshot.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from .database import Steps, StorageError, drive
from .group_commit import GroupCommit, Index, Work
from .sqlite_file import answer, bring_up_to_date, connect, is_current, opening_failed, storage_error
from .sqlite_writer import Writer

T = TypeVar("T")


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
        self._reader_db: sqlite3.Connection | None = None
        try:
            self._writer = Writer(path, self._loop, self.done)
        except BaseException:
            self._finder.close()
            raise

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
            db = self._reader_db
            if db is None:
                db = self._reader_db = connect(self.path, writing=False)
            db.execute("BEGIN")
            try:
                return drive(steps, lambda request: answer(db, request))
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
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
