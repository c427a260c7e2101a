"""A SQLite file of ours: opening it, making it, bringing it up to date, asking it, and its errors in words."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path

from . import schema
from .database import Entry, Rows, Statement, StorageError, Words

BUSY_S = 5.0
"""How long a commit waits for another program's lock."""
FIND_BUSY_S = 0.2
"""As long may reading wait, which others hardly ever keep from; `find` holds up the loop."""


def connect(path: Path, *, writing: bool) -> sqlite3.Connection:
    """Open one connection.  It is used by one thread at a time, though not always by the one that opened it."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_S if writing else FIND_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        if writing:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
            db.execute("PRAGMA wal_autocheckpoint = 4000")
            db.execute("PRAGMA journal_size_limit = 67108864")
            db.execute("PRAGMA cache_size = -8000")
        else:
            db.execute("PRAGMA query_only = ON")
            db.execute("PRAGMA cache_size = -4000")
    except BaseException:
        db.close()
        raise
    return db


def is_current(path: Path) -> bool:
    """Return whether the file is a database of exactly our schema."""
    try:
        if path.stat().st_size == 0:
            return False
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(f"The database {path} cannot be opened: {error.strerror}.") from error
    db = connect(path, writing=False)
    try:
        return _revision(db, path) == schema.HEAD
    finally:
        db.close()


def _revision(db: sqlite3.Connection, path: Path) -> str | None:
    """Return the schema's revision, None if the file is empty.  Raises StorageError if it is not ours, or newer."""
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise StorageError(f"{path} is a database, but not one of Veche. Choose another file.")
    rows = db.execute("SELECT version_num FROM alembic_version").fetchall()
    if not rows:
        return None
    schema.check_known(rows[0][0])
    return rows[0][0]


def bring_up_to_date(path: Path, progress: Callable[[str], None]) -> None:
    """Make the database, or copy it and run the migrations."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds secrets; -wal and -shm get the same mode
    except OSError as error:
        raise StorageError(f"The database {path} cannot be opened: {error.strerror}.") from error
    db = connect(path, writing=True)
    try:
        revision = _revision(db, path)
        if revision is None:
            create(db)
        elif revision != schema.HEAD:
            saved = path.with_name(f"{path.name}.before-{schema.HEAD}")
            progress(f"Copying the database to {saved.name}.")
            _copy(db, saved)
            progress(f"Bringing the database from schema {revision} to {schema.HEAD}.")
            from . import migrations

            migrations.upgrade_sqlite(db, revision)
    finally:
        db.close()


def create(db: sqlite3.Connection) -> None:
    """Make our tables in an empty database, all or none."""
    db.executescript(
        f"BEGIN IMMEDIATE; {schema.sqlite_schema()}; {schema.VERSION_TABLE};"
        f"INSERT INTO alembic_version (version_num) VALUES ('{schema.HEAD}'); COMMIT"
    )


def _copy(db: sqlite3.Connection, to: Path) -> None:
    part = to.with_name(to.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_RDWR, 0o600))
    copy = sqlite3.connect(part)
    try:
        db.backup(copy)
    finally:
        copy.close()
    part.replace(to)


# -- asking


def answer(db: sqlite3.Connection, request: Statement | Entry | Words) -> Rows:
    if isinstance(request, Statement):
        return db.execute(numbered(request.sql), request.args).fetchall()
    if isinstance(request, Words):
        before = 2**62 if request.before is None else request.before
        own, seen = _match(request, "e"), _match(request, "c")
        return db.execute(_SEARCH, (seen, before, request.viewer, request.limit, own)).fetchall()
    raise TypeError("reading steps append nothing")


_SEARCH = """SELECT id FROM (
        SELECT m.id FROM message_words JOIN message m ON m.id = message_words.rowid
        WHERE message_words MATCH ?1 AND message_words.rowid < ?2 AND (m.hidden = 0 OR m.author_id = ?3)
            AND (m.own_edit_id IS NULL OR m.author_id <> ?3)
        ORDER BY message_words.rowid DESC LIMIT ?4)
    UNION ALL SELECT m.target_id FROM message_words JOIN message m ON m.id = message_words.rowid
        WHERE message_words MATCH ?5 AND m.target_id < ?2 AND m.author_id = ?3
    ORDER BY id DESC LIMIT ?4"""
"""What everybody sees, and what the viewer alone sees of their own: see `message_text` in the schema."""


def _match(request: Words, place: str) -> str:
    """Write a search in the language of FTS5; words are of letters and digits, so quoting them is enough."""
    words = " AND ".join(f'"{word}"' for word in request.words)
    return f'place : "{place}{request.conversation}" AND text : ({words} *)'


@cache
def numbered(sql: str) -> str:
    """Write `$1` as SQLite's `?1`: to Python `$1` would be a name."""
    return re.sub(r"\$(\d+)", r"?\1", sql)


# -- errors

HARMLESS = {0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT}
"""After these the connection is as good as before.  0: not of SQLite."""
OF_THE_STEPS = {
    0,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
}
"""The fault of the steps, not of the file: the rest of the commit goes on."""


def primary_code(error: BaseException) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def storage_error(error: BaseException) -> StorageError:
    """Say in words what SQLite could not do."""
    if isinstance(error, StorageError):
        return error
    code = primary_code(error)
    if code == sqlite3.SQLITE_FULL:
        told = StorageError("The disk is full.", full=True)
    elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        told = StorageError("Another program holds the database locked.")
    elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        told = StorageError(f"The database file is damaged ({error}). Restore a backup.")
    else:
        told = StorageError(f"The database failed: {error}.")
    told.__cause__ = error
    return told


def opening_failed(path: Path, error: sqlite3.Error) -> StorageError:
    if primary_code(error) == sqlite3.SQLITE_NOTADB:
        return StorageError(f"{path} is not a database. Choose another file.")
    return StorageError(f"The database {path} cannot be opened: {storage_error(error)}")
