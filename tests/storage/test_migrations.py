"""A database of the first schema, with people and messages in it, brought up to date."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg as untyped_asyncpg  # pyright: ignore[reportMissingTypeStubs]

from tests.support.storage import Person, PostgresStorage, SqliteStorage, Storage, World
from veche.core.contacts import Pair, State
from veche.storage import accounts, contacts, conversations, devices, messages
from veche.storage.database import Kind, Rows, Statement, Steps
from veche.storage.schema import VERSION_TABLE

asyncpg: Any = untyped_asyncpg
FIRST: Any = import_module("veche.storage.migrations.versions.0001_first")

LOGINS = ("Alice", "alice", "BOB", "Bob", "Dan", "dan-7", "DAN", "Ünal", "eve")
LOWER = ("alice-1", "alice", "bob", "bob-4", "dan", "dan-7", "dan-7-1007", "Ünal", "eve")
"""The older of two has the name, unless somebody has it already; only ASCII is changed."""


def filled(empty: str) -> str:
    """The first schema's rows: nine accounts, the second of which talks with the third."""
    people = ", ".join(
        f"('{login}', {empty}, 1, {empty}, {empty}, {1000 + n})" for n, login in enumerate(LOGINS, start=1)
    )
    return f"""{VERSION_TABLE}; INSERT INTO alembic_version (version_num) VALUES ('0001');
    INSERT INTO account (login, salt, iterations, stored_key, server_key, created_at) VALUES {people};
    INSERT INTO device (account_id, name, cursor_id, created_at, seen_at) VALUES (2, 'laptop', 0, 1, 1);
    INSERT INTO conversation (low_id, high_id, created_at) VALUES (2, 3, 1);
    INSERT INTO member (account_id, conversation_id, peer_id, read_id) VALUES (2, 1, 3, 0), (3, 1, 2, 2);
    INSERT INTO message (id, conversation_id, seq, kind, author_id, device_id, at, text)
        VALUES (1, 1, 1, 0, 2, 1, 1, 'an old word'), (2, 1, 2, 0, 2, 1, 1, 'another word'),
            (3, 1, 3, 0, 2, 1, 1, 'last');
    INSERT INTO reaction (message_id, account_id, emoji, at) VALUES (1, 3, '+', 1);
    INSERT INTO block (account_id, blocked_id, at) VALUES (2, 9, 5)"""


def test_a_file_of_the_first_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    """Rows: X04 (partly)."""
    storage = SqliteStorage(tmp_path / "veche.db")
    with closing(sqlite3.connect(storage.path)) as db:
        db.executescript(FIRST.SQLITE + filled("x''"))
        db.execute("INSERT INTO message_words (rowid, text, place) SELECT id, text, place FROM message_text")
        db.execute("INSERT INTO fact (name, value) VALUES ('indexed', ?)", (b"3",))
        db.commit()
    goes_on(storage)
    with closing(sqlite3.connect(storage.path)) as db:
        db.execute("INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)")
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_server_of_the_first_schema_is_brought_up_to_date(blank_postgres_url: str) -> None:
    """Rows: X04 (partly)."""

    async def make() -> None:
        connection = await asyncpg.connect(blank_postgres_url)
        await connection.execute(FIRST.POSTGRESQL + filled("''"))
        await connection.close()

    asyncio.run(make())
    goes_on(PostgresStorage(blank_postgres_url))


def goes_on(storage: Storage) -> None:
    """What was there is there, and everything new can be done with it."""

    async def scenario(world: World) -> None:
        database = world.database
        rows = await database.read(select("SELECT login FROM account ORDER BY id"))
        assert tuple(row[0] for row in rows) == LOWER
        (summary,) = await database.find(conversations.snapshot(3))
        assert (summary.unread, summary.read_id, summary.peer_read_id) == (1, 2, 0)
        (summary,) = await database.find(conversations.snapshot(2))
        assert (summary.unread, summary.read_id, summary.peer_read_id) == (0, 0, 2)
        (blocked,) = await database.find(contacts.all(2))
        assert (blocked.login, blocked.blocked_at) == ("eve", 5)
        page = await database.read(messages.history(1, 3, None, None, 9))
        assert [row.text for row in page.rows] == ["an old word", "another word", "last"]
        assert [[one.emoji for one in told] for told in page.reactions.values()] == [["+"]]

        alice = Person("alice", 2, devices.Device(1, 2, "laptop", "", 0, 1, 1))
        await database.write(messages.edit(alice.does(Kind.EDIT, 1, 1, "a hidden word", hidden=1), 5))
        await database.write(messages.edit(alice.does(Kind.EDIT, 1, 2, "a plain word"), 5))
        assert await database.index_now()
        for viewer, texts in ((2, ["a plain word", "a hidden word"]), (3, ["a plain word", "an old word"])):
            found = await database.read(messages.search(1, viewer, "word", None, 9))
            assert [row.text for row in found.rows] == texts
        await database.write(contacts.change(2, 3, lambda _: Pair(State.FRIENDS, at=6)))
        assert (await database.find(contacts.get(3, 2))).pair.state is State.FRIENDS
        await database.write(accounts.delete(2, 7))

    storage.play(scenario)


def select(sql: str) -> Steps[Rows]:
    return (yield Statement(sql))
