"""PostgreSQL (13 or newer) behind the contract of `database.py`, by asyncpg.

Several server processes may share one database.  Whoever writes holds one advisory lock until its transaction ends, so
ids ascend in the order of committing and every `seq` is free of gaps; nothing about ids is remembered between
transactions.  One commit carries everything that was asked for while the last one ran, and its entries go in by one
`INSERT ... SELECT unnest(...)`.

A lost connection: what had not reached COMMIT is refused, as nothing of it is stored; of a COMMIT that got no answer
the new connection asks how it ended (`pg_xact_status`).

At start an older schema is brought up to date in one transaction.  Unlike SQLite's, the database is not copied before:
use `pg_dump`.

PostgreSQL's text has no NUL character; it is stored as U+FFFD.  Search compares words as they are written but for case,
without an index, newest messages of the conversation first.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import asyncpg as untyped_asyncpg  # pyright: ignore[reportMissingTypeStubs]

from . import schema
from .database import Entry, Rows, Statement, Steps, StorageError, Stored, Words
from .group_commit import Group, GroupCommit, Job, Work

T = TypeVar("T")

asyncpg: Any = untyped_asyncpg

LOCK = 0x7665636865
"""The advisory lock of all writers ("veche")."""
CONNECT_S = 5.0
LOCK_S = 10
COMMAND_S = 60.0
READERS = 4

_Connection = Any


async def open_postgres(url: str, *, on_progress: Callable[[str], None] | None = None) -> PostgresDatabase:
    """Open the database at this URL, brought up to date if it is empty or older.

    on_progress: called with a sentence when something takes time.  Raises StorageError.
    """
    connection = await _connect(url)
    try:
        try:
            revision = await _revision(connection)
            if revision != schema.HEAD:
                if on_progress is not None:
                    on_progress(f"Bringing the database from schema {revision or 'none'} to {schema.HEAD}.")
                await _bring_up_to_date(connection)
        except BaseException:
            connection.terminate()
            raise
        await connection.close(timeout=CONNECT_S)
        pool = await asyncpg.create_pool(
            url, min_size=1, max_size=READERS, reset=_keep, **_SETTINGS, max_inactive_connection_lifetime=0
        )
    except _FAULTS as error:
        raise _Fault(error) from error
    return PostgresDatabase(url, pool)


class PostgresDatabase(GroupCommit):
    """One open database; see `Database`."""

    def __init__(self, url: str, pool: Any) -> None:
        """Take a database that `open_postgres` has prepared."""
        super().__init__()
        self._url = url
        self._pool = pool
        self._connection: _Connection | None = None
        """The one that writes."""
        self._commit_task: asyncio.Task[None] | None = None

    async def index_now(self, timeout_s: float = 2.0) -> bool:
        return True

    async def find(self, steps: Steps[T]) -> T:
        return await self._with_reader(steps, in_transaction=False)

    async def read(self, steps: Steps[T]) -> T:
        return await self._with_reader(steps, in_transaction=True)

    async def _with_reader(self, steps: Steps[T], *, in_transaction: bool) -> T:
        if self._drained.done():
            raise StorageError("The database is closed.")
        connection: Any = await _ask(self._pool.acquire(timeout=CONNECT_S))
        try:
            if in_transaction:
                await _ask(connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            try:
                return await _drive(steps, lambda request: _answer(connection, request))
            finally:
                if in_transaction and not connection.is_closed():
                    await _ask(connection.execute("ROLLBACK"))
        finally:
            await _ask(self._pool.release(connection))

    async def end(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(*_FAULTS):
                await self._connection.close(timeout=CONNECT_S)
        with contextlib.suppress(*_FAULTS):
            await asyncio.wait_for(self._pool.close(), COMMAND_S)

    # -- writing

    def hand_over(self, work: Sequence[Work]) -> None:
        self._commit_task = self._loop.create_task(self._commit(work))

    async def _commit(self, work: Sequence[Work]) -> None:
        error: StorageError | None = None
        try:
            writing = await self._begin()
            for item in work:
                if isinstance(item, Group):
                    item.stored = await writing.insert(item.entries)
                elif isinstance(item, Job):
                    await writing.do(item)
                else:
                    item.is_done = True
            await self._end_transaction(writing)
        except asyncio.CancelledError:
            error = StorageError("The server stops.")
            self._drop_connection()
        except Exception as fault:
            error = fault if isinstance(fault, StorageError) else _Fault(fault)
            self._drop_connection()
        self.done(work, error)

    async def _begin(self) -> _Writing:
        """Start a transaction; if the connection turns out to be dead, on a new one."""
        if self._connection is not None:
            try:
                return await _Writing.begin(self._connection)
            except _Fault as fault:
                self._drop_connection()
                if not fault.is_lost:
                    raise
        self._connection = await _connect(self._url)
        return await _Writing.begin(self._connection)

    async def _end_transaction(self, writing: _Writing) -> None:
        try:
            await _ask(writing.connection.execute("COMMIT"))
        except _Fault as fault:
            self._drop_connection()
            if not fault.is_lost or not await self._was_committed(writing.transaction):
                raise

    async def _was_committed(self, transaction: str) -> bool:
        """Ask how a transaction ended whose COMMIT got no answer.  Raises what keeps us from asking."""
        deadline = self._loop.time() + 3 * CONNECT_S
        while True:
            try:
                connection = self._connection = await _connect(self._url)
                status = await _ask(connection.fetchval("SELECT pg_xact_status($1::text::xid8)", transaction))
                if status != "in progress":
                    return status == "committed"
                fault = _Fault(TimeoutError("a commit does not end"))
            except _Fault as error:
                fault = error
            self._drop_connection()
            if self._loop.time() > deadline:
                raise fault
            await asyncio.sleep(0.1)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


class _Writing:
    """One transaction that holds the lock."""

    def __init__(self, connection: _Connection, transaction: str) -> None:
        self.connection = connection
        self.transaction = transaction
        self._last_id: int | None = None
        self._last_seqs: dict[int, int] = {}

    @classmethod
    async def begin(cls, connection: _Connection) -> _Writing:
        await _ask(connection.execute("BEGIN"))
        row = await _ask(connection.fetchrow("SELECT pg_current_xact_id()::text, pg_advisory_xact_lock($1)", LOCK))
        return cls(connection, row[0])

    async def insert(self, entries: Sequence[Entry]) -> list[Stored]:
        """Insert entries, all of them but for repeats."""
        keys = [(entry.device, _text(entry.cookie)) for entry in entries]
        known = await self._known([key for key in keys if key[1] is not None])
        unknown = sorted({entry.conversation for entry in entries} - self._last_seqs.keys())
        if unknown or self._last_id is None:
            for conversation, seq, last in await _ask(self.connection.fetch(_LAST, [0, *unknown])):
                self._last_seqs[conversation] = seq or 0
                self._last_id = last
        id = self._last_id or 0
        stored: list[Stored] = []
        fresh: list[tuple[Any, ...]] = []
        for key, entry in zip(keys, entries, strict=True):
            found = known.get(key) if key[1] is not None else None
            if found is not None:
                stored.append(found)
                continue
            id += 1
            seq = self._last_seqs[entry.conversation] = self._last_seqs[entry.conversation] + 1
            place = Stored(id, seq, entry.at, False)
            stored.append(place)
            if key[1] is not None:
                known[key] = place._replace(repeat=True)
            fresh.append((id, seq, key[1], _text(entry.text), *entry))
        if fresh:
            ids, seqs, cookies, texts, conversations, kinds, authors, devices, ats, _, targets, _, hiddens = map(
                list, zip(*fresh, strict=True)
            )
            await _ask(
                self.connection.execute(
                    _INSERT, ids, conversations, seqs, kinds, authors, devices, ats, texts, targets, cookies, hiddens
                )
            )
            self._last_id = id
        return stored

    async def _known(self, keys: list[tuple[int, str | None]]) -> dict[tuple[int, str | None], Stored]:
        if not keys:
            return {}
        rows = await _ask(self.connection.fetch(_KNOWN, [key[0] for key in keys], [key[1] for key in keys]))
        return {(row[0], row[1]): Stored(row[2], row[3], row[4], True) for row in rows}

    async def do(self, job: Job) -> None:
        """Run a job's steps; if they raise, they alone are rolled back."""
        appended = False

        async def answer(request: Statement | Entry | Words) -> Any:
            nonlocal appended
            if not isinstance(request, Entry):
                return await _answer(self.connection, request)
            appended = True
            return (await self.insert([request]))[0]

        await _ask(self.connection.execute("SAVEPOINT job"))
        try:
            job.result = await _drive(job.steps, answer)
        except Exception as error:
            if isinstance(error, _Fault) and not error.is_of_the_steps:
                raise
            job.error = error
            await _ask(self.connection.execute("ROLLBACK TO job"))
            if appended:
                self._last_seqs.clear()
        await _ask(self.connection.execute("RELEASE job"))


_LAST = """SELECT c.id, (SELECT m.seq FROM message m WHERE m.conversation_id = c.id ORDER BY m.id DESC LIMIT 1),
    (SELECT max(id) FROM message) FROM unnest($1::bigint[]) AS c (id)"""
_KNOWN = """SELECT m.device_id, m.cookie, m.id, m.seq, m.at
    FROM unnest($1::bigint[], $2::text[]) AS k (device_id, cookie)
    JOIN message m ON m.device_id = k.device_id AND m.cookie = k.cookie"""
_INSERT = """INSERT INTO message
    (id, conversation_id, seq, kind, author_id, device_id, at, text, target_id, cookie, hidden)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::text[], $9::bigint[], $10::text[], $11::smallint[])"""


# -- asking


async def _drive(steps: Steps[T], answer: Callable[[Statement | Entry | Words], Awaitable[Any]]) -> T:
    try:
        request = next(steps)
        while True:
            request = steps.send(await answer(request))
    except StopIteration as stop:
        return stop.value
    finally:
        steps.close()


async def _answer(connection: Any, request: Statement | Entry | Words) -> Rows:
    if isinstance(request, Statement):
        args = [_text(arg) if isinstance(arg, str) else arg for arg in request.args]
        return [tuple(row) for row in await _ask(connection.fetch(request.sql, *args))]
    if isinstance(request, Words):
        words = " & ".join(f"'{word}'" for word in request.words)
        before = 2**62 if request.before is None else request.before
        found = await _ask(
            connection.fetch(_SEARCH, request.conversation, before, request.viewer, f"{words}:*", request.limit)
        )
        return [tuple(row) for row in found]
    raise TypeError("reading steps append nothing")


_SEARCH = r"""SELECT m.id FROM message m LEFT JOIN message e ON e.id = m.own_edit_id AND m.author_id = $3
    WHERE m.conversation_id = $1 AND m.id < $2 AND m.kind = 0 AND m.retracted_at IS NULL
        AND (m.hidden = 0 OR m.author_id = $3)
        AND to_tsvector('simple', translate(
            coalesce(e.text, m.text), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)))
            @@ to_tsquery('simple', $4)
    ORDER BY m.id DESC LIMIT $5"""
"""Without the translation the parser would keep addresses and the like as one word."""


def _text(text: Any) -> Any:
    return text.replace("\0", "\ufffd") if text is not None and "\0" in text else text


# -- the connection

_SETTINGS: dict[str, Any] = {
    "command_timeout": COMMAND_S,
    "server_settings": {
        "application_name": "veche",
        "synchronous_commit": "on",
        "lock_timeout": f"{LOCK_S}s",
        "jit": "off",
    },
}


async def _connect(url: str) -> _Connection:
    return await _ask(asyncpg.connect(url, timeout=CONNECT_S, **_SETTINGS))


async def _keep(connection: Any) -> None:
    """Nothing is left behind on a connection that a reader gives back."""


async def _revision(connection: _Connection) -> str | None:
    """Return the schema's revision, None if there is none.  Raises StorageError if it is newer."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')::text") is None:
        return None
    revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    if revision is not None:
        schema.check_known(revision)
    return revision


async def _bring_up_to_date(connection: _Connection) -> None:
    from . import migrations

    # The lock comes first: a transaction begun before another process made the tables may not see them yet.
    await connection.execute("SET lock_timeout = 0")
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
    async with connection.transaction():
        revision = await _revision(connection)
        if revision != schema.HEAD:
            await connection.execute(await asyncio.to_thread(migrations.script, "postgresql", revision))
    await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)


# -- errors

_LOST: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
_FAULTS: tuple[type[BaseException], ...] = (*_LOST, asyncpg.PostgresError, ValueError)
_OF_THE_STEPS = ("21", "22", "23", "42")
"""Classes of errors: cardinality, data, constraints, syntax."""


class _Fault(StorageError):
    """What PostgreSQL could not do, in words.  The URL, which may hold a password, is never said."""

    def __init__(self, error: BaseException) -> None:
        self.is_of_the_steps = isinstance(error, ValueError) or str(getattr(error, "sqlstate", ""))[:2] in _OF_THE_STEPS
        self.is_lost = isinstance(error, _LOST) and not self.is_of_the_steps
        is_full = isinstance(error, asyncpg.DiskFullError)
        if is_full:
            reason = "The disk of the database is full."
        elif isinstance(error, asyncpg.LockNotAvailableError):
            reason = "Another program holds the database locked."
        elif self.is_lost:
            reason = f"The database cannot be reached: {str(error) or type(error).__name__}."
        else:
            reason = f"The database failed: {error}."
        super().__init__(reason, full=is_full)


async def _ask(answer: Awaitable[Any]) -> Any:
    """Wait for an answer of asyncpg.  Raises _Fault for whatever the database or the way to it may do."""
    try:
        return await answer
    except _FAULTS as error:
        raise _Fault(error) from error
