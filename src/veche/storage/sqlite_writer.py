"""The thread that writes to SQLite.

It owns the one connection that writes (WAL, synchronous=FULL).  Its rules:
- It alone gives out ids, ascending from the largest there is, and `seq`s, from a bounded cache of counters.  The
  counters are forgotten after any rollback, and when another program has written to the file.
- Repeated cookies are found by the unique index failing: then the rows go in again without the repeats.
- A piece of work that raises rolls back itself alone; trouble with the file refuses everything of that commit, and the
  next commit tries anew.
- Search is indexed when there is nothing else to do.

The sqlite3 module lets go of the GIL at each step of a statement, and a busy loop gives it back only after up to 5 ms.
So the writer takes few steps: many rows go into one statement.  Measured with 2,000 rows of 100 bytes a commit, CPU per
row, and rows/s beside a thread that never rests: executemany 7 us, 17,000; json_each 11 us, 23,000; VALUES of 1,024
rows 5 us, 35,000.  The pragmas of the connection (cache, checkpoints, page size, secure_delete) change it by less than
what two runs differ by.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import cache
from itertools import chain, count, islice, repeat
from pathlib import Path
from typing import Any, cast

from .database import Entry, Statement, StorageError, Stored, Words, drive
from .group_commit import Group, Job, Work
from .sqlite_file import HARMLESS, OF_THE_STEPS, answer, connect, primary_code, storage_error

INDEX_IDLE_S = 0.5
"""Search is indexed after so much rest,"""
INDEX_PAUSE_S = 0.005
"""in batches with such a pause between them,"""
INDEX_ROWS = 2000
"""of so many entries, about 20 ms."""
COUNTERS = 20_000
"""Conversations whose next `seq` is kept in memory, about 200 bytes each."""

_new = cast("Callable[..., Stored]", tuple.__new__)  # pyright: ignore[reportUnknownMemberType]
_FULL = (
    "INSERT INTO message (id, conversation_id, seq, author_id, device_id, at, text, cookie, kind, target_id, hidden)"
)
_PLAIN = "INSERT INTO message (id, conversation_id, seq, author_id, device_id, at, text, cookie, kind)"
_MANY = 10
"""Rows go in by powers of two, at most 2**10 in one statement."""


class Counters(dict[int, Iterator[int]]):
    """The next `seq` of each conversation, looked up in the database when it is not known."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__()
        self._db = db

    def __missing__(self, conversation: int) -> Iterator[int]:
        rows = self._db.execute(
            "SELECT seq FROM message WHERE conversation_id = ?1 ORDER BY id DESC LIMIT 1", (conversation,)
        ).fetchall()
        counter = self[conversation] = count(rows[0][0] + 1 if rows else 1)
        return counter

    def trim(self) -> None:
        """Forget the older half when there are too many."""
        if len(self) > COUNTERS:
            for conversation in list(islice(self, len(self) // 2)):
                del self[conversation]


class Writer:
    """The thread that writes."""

    def __init__(
        self,
        path: Path,
        loop: asyncio.AbstractEventLoop,
        report: Callable[[Sequence[Work], StorageError | None], None],
    ) -> None:
        self.queue: queue.SimpleQueue[Sequence[Work] | None] = queue.SimpleQueue()
        self.ended: Future[None] = Future()
        self._path = path
        self._loop = loop
        self._report = report
        self._db: sqlite3.Connection | None = None
        self._open()
        threading.Thread(target=self._run, name="veche-writer", daemon=True).start()

    def _open(self) -> sqlite3.Connection:
        db = self._db = connect(self._path, writing=True)
        self._counters = Counters(db)
        self._seen_version = -1
        """`PRAGMA data_version`: it changes when another connection has written."""
        self._next_id = 0
        self._indexed = 0
        return db

    def _run(self) -> None:
        try:
            wait: float | None = INDEX_IDLE_S
            while True:
                try:
                    work = self.queue.get(timeout=wait)
                except queue.Empty:
                    wait = None if self._index_when_idle() else INDEX_PAUSE_S
                    continue
                if work is None:
                    break
                error = self._commit(work)
                self._loop.call_soon_threadsafe(self._report, work, error)
                wait = INDEX_IDLE_S
                del work
        except RuntimeError:
            pass  # the loop was closed without `close`: nobody is left to report to
        finally:
            if self._db is not None:
                self._db.close()
            self.ended.set_result(None)

    def _commit(self, work: Sequence[Work]) -> StorageError | None:
        """Do the work in one transaction; return why none of it is stored, None if it is."""
        try:
            db = self._db or self._open()
            db.execute("BEGIN IMMEDIATE")
            self._look_around(db)
            for item in work:
                if isinstance(item, Group):
                    item.stored = self._insert(db, item.entries)
                elif isinstance(item, Job):
                    self._do(db, item)
                else:
                    item.is_done = self._index(db)
            db.execute("COMMIT")
        except BaseException as error:
            self._recover(error)
            return storage_error(error)
        self._counters.trim()
        return None

    def _recover(self, error: BaseException) -> None:
        """Roll back; after trouble with the file itself open it anew next time."""
        self._seen_version = -1
        db = self._db
        if db is None:
            return
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if primary_code(error) in HARMLESS:
                return
        except sqlite3.Error:
            pass
        self._db = None
        with contextlib.suppress(sqlite3.Error):
            db.close()

    def _look_around(self, db: sqlite3.Connection) -> None:
        """Inside a transaction: if somebody else has written, learn the file's state again."""
        version = db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen_version:
            self._counters.clear()
            last = db.execute("SELECT max(id) FROM message").fetchone()[0] or 0
            fact = db.execute("SELECT value FROM fact WHERE name = 'indexed'").fetchone()
            self._indexed = int(fact[0]) if fact else 0
            self._next_id = max(self._next_id, last + 1, self._indexed + 1)
            self._seen_version = version

    # -- entries

    def _insert(self, db: sqlite3.Connection, entries: Sequence[Entry]) -> list[Stored]:
        """Insert entries; all of them, but for repeats."""
        if not any(entry[7] for entry in entries):
            return self._insert_new(db, entries)
        db.execute("SAVEPOINT entries")
        try:
            stored = self._insert_new(db, entries)
        except sqlite3.IntegrityError as error:
            db.execute("ROLLBACK TO entries")
            self._counters.clear()
            stored = self._insert_but_repeats(db, entries, error)
        db.execute("RELEASE entries")
        return stored

    def _insert_new(self, db: sqlite3.Connection, entries: Sequence[Entry]) -> list[Stored]:
        columns: tuple[tuple[Any, ...], ...] = tuple(zip(*entries, strict=True))
        conversations, kinds, authors, devices, ats, texts, targets, cookies, hiddens = columns
        first = self._next_id
        self._next_id += len(entries)
        ids = range(first, self._next_id)
        seqs = list(map(next, map(self._counters.__getitem__, conversations)))
        rows: Iterable[tuple[Any, ...]]
        if any(kinds) or any(targets) or any(hiddens):
            width = 11
            rows = zip(
                ids, conversations, seqs, authors, devices, ats, texts, cookies, kinds, targets, hiddens, strict=True
            )
        else:
            width = 8
            rows = zip(ids, conversations, seqs, authors, devices, ats, texts, cookies, strict=True)
        values = list(chain.from_iterable(rows))
        start, left = 0, len(entries)
        while left:
            power = min(_MANY, left.bit_length() - 1)
            end = start + (width << power)
            db.execute(_insert_sql(width, power), values[start:end])
            start = end
            left -= 1 << power
        # as Stored(*row) of each row, in a third of the time
        return list(map(_new, repeat(Stored), zip(ids, seqs, ats, repeat(False))))

    def _insert_but_repeats(
        self, db: sqlite3.Connection, entries: Sequence[Entry], error: sqlite3.IntegrityError
    ) -> list[Stored]:
        """Insert the entries whose cookies are new; say of the others where they are.  No repeats: raise the error."""
        keys = [(entry.device, entry.cookie) for entry in entries]
        known = _places(db, [key for key in keys if key[1] is not None])
        fresh: list[Entry] = []
        mine: dict[tuple[int, str | None], int] = {}
        """Where in `fresh` a key is."""
        places: list[Stored | int] = []
        for key, entry in zip(keys, entries, strict=True):
            if key[1] is None:
                places.append(len(fresh))
                fresh.append(entry)
            elif key in known:
                places.append(known[key])
            elif key in mine:
                places.append(-1 - mine[key])
            else:
                places.append(len(fresh))
                mine[key] = len(fresh)
                fresh.append(entry)
        if len(fresh) == len(entries):
            raise error
        new = self._insert_new(db, fresh) if fresh else []
        return [
            place if isinstance(place, Stored) else new[place] if place >= 0 else new[-1 - place]._replace(repeat=True)
            for place in places
        ]

    # -- steps

    def _do(self, db: sqlite3.Connection, job: Job) -> None:
        appended = False

        def answer_job(request: Statement | Entry | Words) -> Any:
            nonlocal appended
            if not isinstance(request, Entry):
                return answer(db, request)
            appended = True
            return self._insert(db, [request])[0]

        db.execute("SAVEPOINT job")
        try:
            job.result = drive(job.steps, answer_job)
        except BaseException as error:
            if not db.in_transaction or (isinstance(error, sqlite3.Error) and primary_code(error) not in OF_THE_STEPS):
                raise
            db.execute("ROLLBACK TO job")
            job.error = storage_error(error) if isinstance(error, sqlite3.Error) else error
            if appended:
                self._counters.clear()
        db.execute("RELEASE job")

    # -- search

    def _index_when_idle(self) -> bool:
        """Index a batch in a transaction of its own; True: nothing is left to do, or it cannot be done now."""
        try:
            db = self._db or self._open()
            db.execute("BEGIN IMMEDIATE")
            self._look_around(db)
            is_done = self._index(db)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._recover(error)
            return True
        return is_done

    def _index(self, db: sqlite3.Connection) -> bool:
        """Index some more entries; True: all that are stored are indexed."""
        if self._indexed >= self._next_id - 1:
            return True
        upto = min(self._indexed + INDEX_ROWS, self._next_id - 1)
        db.execute(
            "INSERT INTO message_words (rowid, text, place) SELECT id, text, place FROM message_text"
            " WHERE id > ?1 AND id <= ?2",
            (self._indexed, upto),
        )
        db.execute(
            "INSERT INTO fact (name, value) VALUES ('indexed', ?1)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (str(upto).encode(),),
        )
        self._indexed = upto
        return upto >= self._next_id - 1


def _places(db: sqlite3.Connection, keys: Sequence[tuple[int, str | None]]) -> dict[tuple[int, str | None], Stored]:
    """Find those of these (device, cookie) that are stored."""
    found: dict[tuple[int, str | None], Stored] = {}
    for start in range(0, len(keys), 1 << _MANY):
        part = keys[start : start + (1 << _MANY)]
        power = (len(part) - 1).bit_length()
        values = [*chain.from_iterable(part), *part[-1] * ((1 << power) - len(part))]
        for device, cookie, *place in db.execute(_places_sql(power), values).fetchall():
            found[device, cookie] = Stored(*place, repeat=True)
    return found


@cache
def _places_sql(power: int) -> str:
    return f"""WITH wanted (device_id, cookie) AS (VALUES {",".join(["(?,?)"] * (1 << power))})
        SELECT m.device_id, m.cookie, m.id, m.seq, m.at FROM wanted CROSS JOIN message AS m
            ON m.device_id = wanted.device_id AND m.cookie = wanted.cookie"""


@cache
def _insert_sql(width: int, power: int) -> str:
    head, row = (_FULL, "(?,?,?,?,?,?,?,?,?,?,?)") if width == 11 else (_PLAIN, "(?,?,?,?,?,?,?,?,0)")
    return f"{head} VALUES {','.join([row] * (1 << power))}"
