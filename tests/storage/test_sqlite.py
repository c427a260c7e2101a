"""What only a file can suffer: full disk, locks, kill -9, damage, rights, and schemas of other versions."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.storage import SqliteStorage, World, until
from veche.storage import conversations, facts, messages, migrations, schema, sqlite_file, sqlite_writer
from veche.storage.database import Entry, Kind, Statement, Steps, StorageError
from veche.storage.sqlite import open_sqlite


@pytest.fixture
def file(tmp_path: Path) -> SqliteStorage:
    return SqliteStorage(tmp_path / "veche.db")


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario, debug=True)


def pragma(name: str) -> Steps[int]:
    """Run a pragma on the connection that writes."""
    rows = yield Statement(f"PRAGMA {name}")
    return rows[0][0]


def damage(path: Path, start: int) -> None:
    """Overwrite everything from there on."""
    with path.open("r+b") as raw:
        raw.seek(start)
        raw.write(os.urandom(path.stat().st_size - start))


def check(path: Path) -> None:
    """The file is sound and every conversation's sequence is free of gaps."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = db.execute(
            "SELECT conversation_id FROM message GROUP BY 1 HAVING count(*) <> max(seq) OR min(seq) <> 1"
            " OR count(DISTINCT seq) <> count(*)"
        )
        assert rows.fetchall() == []


# -- trouble while running


def test_a_full_disk_is_told_and_work_goes_on_when_there_is_room(file: SqliteStorage) -> None:
    """Rows: M14 (partly)."""

    async def scenario(world: World) -> None:
        alice, bob, talk = await world.pair()
        await world.append(alice.says(talk, "before"))
        pages = await world.database.write(pragma("page_count"))
        await world.database.write(pragma(f"max_page_count = {pages + 3}"))
        for n in range(200):
            world.database.append(alice.says(talk, "x" * 1000, cookie=f"{n}"), n)
        write = world.database.write(facts.set_default("big", b"x" * 100_000))
        await world.settled()
        assert [receipt for _, receipt in world.refused] == list(range(200))
        assert [error.full for error in world.errors] == [True]
        with pytest.raises(StorageError, match="full"):
            await write
        (small,) = await world.append(alice.says(talk, "small"))
        assert small.seq == 2
        await world.database.write(pragma("max_page_count = 100000"))
        after = await world.append(*[alice.says(talk, "x" * 1000, cookie=f"{n}") for n in range(200)])
        assert [place.seq for place in after] == list(range(3, 203))
        assert await world.database.write(facts.set_default("big", b"x" * 100_000))
        assert len(await world.database.read(messages.owed(bob.id, 0, 1000))) == 202

    file.play(scenario)
    check(file.path)


def test_a_file_locked_by_another_program_is_told_and_waited_for(
    file: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.1)

    async def scenario(world: World) -> None:
        alice, _, talk = await world.pair()
        with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await world.append(alice.says(talk, "no")) == []
            assert [error.full for error in world.errors] == [False]
            with pytest.raises(StorageError, match="locked"):
                await world.database.write(facts.set_default("a", b"b"))
            assert await world.database.find(facts.get("a")) is None
            other.execute("ROLLBACK")
        (place,) = await world.append(alice.says(talk, "yes"))
        assert place.seq == 1

    file.play(scenario)
    check(file.path)


def test_a_mark_that_met_a_lock_is_made_later(file: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.01)
    made: list[bytes] = []

    async def scenario(world: World) -> None:
        with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            tried: list[bool] = []

            def steps() -> Steps[bytes]:
                tried.append(True)
                return facts.set_default("mark", b"made")

            world.database.mark(steps, "key", made.append)
            await until(lambda: len(tried) == 2)
            other.execute("ROLLBACK")
        await until(lambda: made == [b"made"])

    file.play(scenario)


def test_two_programs_that_write_to_one_file_keep_the_order(file: SqliteStorage) -> None:

    async def scenario(world: World) -> None:
        alice, bob, talk = await world.pair()
        async with file.opened() as other:
            for n in range(30):
                await world.append(alice.says(talk, f"{n}", cookie=f"{n}"))
                await other.append(bob.says(talk, f"{n}"), alice.says(talk, f"{n}", cookie=f"{n}"))
        rows = await world.database.read(messages.owed(bob.id, 0, 100))
        assert [row.seq for row in rows] == list(range(1, 61))

    file.play(scenario)
    check(file.path)


def test_the_counters_of_many_conversations_are_bounded(file: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "COUNTERS", 3)

    async def scenario(world: World) -> None:
        bob = await world.account("bob")
        people = [await world.account(f"user{n}") for n in range(9)]
        talks = [await world.database.write(conversations.open_direct(bob.id, person.id, 1)) for person in people]
        for turn in range(1, 6):
            places = await world.append(*[bob.says(talk, "hi") for talk in talks])
            assert [place.seq for place in places] == [turn] * 9

    file.play(scenario)
    check(file.path)


WRITER = """
import asyncio, sys
from tests.support.storage import Person, SqliteStorage, World
from pathlib import Path

async def main():
    storage = SqliteStorage(Path(sys.argv[1]))
    async with storage.opened() as world:
        alice, bob, talk = await world.pair()
        def stored(group):
            sys.stdout.write("".join(f"{place.id} {entry.text}\\n" for entry, _, place in group))
            sys.stdout.flush()
        world.database.on_stored = stored
        n = 0
        while True:
            for _ in range(37):
                world.database.append(alice.says(talk, f"text{n}", cookie=f"{n}"), n)
                n += 1
            if n % 3 == 0:
                world.database.write(bob_answers(bob, talk, n))
            await asyncio.sleep(0.0005)

def bob_answers(bob, talk, n):
    yield bob.says(talk, f"answer{n}")

asyncio.run(main())
"""


def test_everything_reported_before_kill_9_is_there_after_it(file: SqliteStorage) -> None:
    """Rows: M14 (partly), M19 (partly), T29 (partly), X04 (partly)."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(file.path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(700)]
        process.kill()
        told += process.stdout.read().splitlines(keepends=True)
    reported = [line.split() for line in told if line.endswith("\n")]

    async def scenario(world: World) -> None:
        with closing(sqlite3.connect(file.path)) as db:
            kept = {id: text for id, text in db.execute("SELECT id, text FROM message")}
            ((alice, device),) = db.execute("SELECT account_id, id FROM device ORDER BY id LIMIT 1").fetchall()
        for id, text in reported:
            assert kept[int(id)] == text
        n = max(int(text.removeprefix("text")) for text in kept.values() if text.startswith("text"))
        again = [Entry(1, Kind.TEXT, alice, device, 1, f"text{m}", None, f"{m}") for m in (0, n, n + 1)]
        places = await world.append(*again)
        assert [place.repeat for place in places] == [True, True, False]
        assert places[2].id > max(kept)
        assert places[2].seq == len(kept) + 1

    file.play(scenario)
    check(file.path)


def test_a_damaged_file_keeps_nobody_waiting(file: SqliteStorage) -> None:

    async def before(world: World) -> None:
        alice, _, talk = await world.pair()
        await world.append(*[alice.says(talk, "x" * 1000) for _ in range(500)])

    file.play(before)
    damage(file.path, 3 * 4096)

    async def after() -> None:
        async with asyncio.timeout(10), file.opened() as world:
            await world.append(*[Entry(1, 0, 1, 1, 1, "x" * 1000) for _ in range(50)])
            assert len(world.refused) + len(world.stored) == 50
            await world.database.read(messages.owed(1, 0, 1000))

    with pytest.raises(StorageError, match="damaged"):
        run(after())


def test_damage_while_running_keeps_nobody_waiting(file: SqliteStorage) -> None:

    async def scenario(world: World) -> None:
        alice, _, talk = await world.pair()
        await world.append(alice.says(talk, "before"))
        with closing(sqlite3.connect(file.path)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        damage(file.path, 4096)
        await world.append(*[alice.says(talk, "x" * 1000) for _ in range(50)])
        assert len(world.refused) + len(world.stored) == 51
        with pytest.raises(StorageError, match="damaged"):
            await world.database.read(messages.owed(alice.id, 0, 1000))
        with pytest.raises(StorageError, match="damaged"):
            await world.database.find(messages.owed(alice.id, 0, 1000))

    file.play(scenario)


# -- search


def test_search_is_indexed_in_time_of_rest(file: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "INDEX_IDLE_S", 0.01)
    monkeypatch.setattr(sqlite_writer, "INDEX_ROWS", 7)

    def matches() -> int:
        with closing(sqlite3.connect(file.path)) as db:
            return db.execute("SELECT count(*) FROM message_words WHERE message_words MATCH 'word'").fetchone()[0]

    async def scenario(world: World) -> None:
        alice, _, talk = await world.pair()
        places = await world.append(*[alice.says(talk, f"a word {n}") for n in range(100)])
        await until(lambda: matches() == 100)
        await world.database.write(messages.edit(alice.does(Kind.EDIT, talk, places[3].id, "nothing"), 1))
        await world.database.write(messages.retract(alice.does(Kind.RETRACT, talk, places[4].id), 1))
        assert matches() == 98
        for n in (5, 5, 6, 7):
            hidden = alice.does(Kind.EDIT, talk, places[n].id, f"a hidden word {n}", hidden=1)
            await world.database.write(messages.edit(hidden, 1))
            assert await world.database.index_now()
        assert matches() == 98 + 3
        await world.database.write(messages.edit(alice.does(Kind.EDIT, talk, places[5].id, "a plain word"), 1))
        await world.database.write(messages.retract(alice.does(Kind.RETRACT, talk, places[6].id), 1))
        assert await world.database.index_now()
        assert matches() == 97 + 1
        await world.database.write(integrity())

    def integrity() -> Steps[None]:
        yield Statement("INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)")

    file.play(scenario)


def test_what_is_stored_after_a_restart_is_indexed_too(file: SqliteStorage) -> None:
    """An id that was given out and taken back had been counted as indexed."""

    async def before(world: World) -> None:
        alice, _, talk = await world.pair()
        await world.append(alice.says(talk, "a word", cookie="1"))
        await world.append(alice.says(talk, "a word", cookie="1"))
        assert await world.database.index_now()

    async def after(world: World) -> None:
        await world.append(Entry(1, Kind.TEXT, 1, 1, 1, "another word"))
        assert await world.database.index_now()
        page = await world.database.read(messages.search(1, 1, "word", None, 10))
        assert [row.text for row in page.rows] == ["another word", "a word"]

    file.play(before)
    file.play(after)


def test_waiting_for_the_index_is_bounded(file: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "INDEX_ROWS", 1)

    async def scenario(world: World) -> None:
        alice, _, talk = await world.pair()
        await world.append(*[alice.says(talk, f"a word {n}") for n in range(100)])
        assert not await world.database.index_now(0)
        assert await world.database.index_now(20)

    file.play(scenario)


# -- opening


def test_opening_is_light_and_the_file_is_private(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from veche.storage.sqlite import open_sqlite
async def main():
    await (await open_sqlite(sys.argv[1])).close()
asyncio.run(main())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"alembic", "sqlalchemy", "asyncpg"}))
"""
    for _ in range(2):
        told = subprocess.check_output([sys.executable, "-c", program, str(tmp_path / "veche.db")], text=True)
        assert told == "[]\n"
    assert stat.S_IMODE((tmp_path / "veche.db").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["veche.db"]


def tables(db: sqlite3.Connection) -> list[tuple[str, ...]]:
    """The schema, comments and spacing aside."""
    rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
    return [(*row[:3], re.sub(r" ?([(),]) ?", r"\1", re.sub(r"(\s|--.*)+", " ", row[3] or ""))) for row in rows]


def test_the_migrations_make_what_the_schema_file_says() -> None:
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as migrated,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh,
    ):
        migrations.upgrade_sqlite(migrated, None)
        sqlite_file.create(fresh)
        assert tables(migrated) == tables(fresh)
        version = "SELECT version_num FROM alembic_version"
        assert migrated.execute(version).fetchall() == fresh.execute(version).fetchall() == [(schema.HEAD,)]


def test_the_list_of_revisions_is_alembics() -> None:
    assert list(schema.REVISIONS) == migrations.revisions()


def older(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Pretend that the schema has gone on to a revision 9999, by this script."""
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    monkeypatch.setattr(schema, "HEAD", "9999")
    monkeypatch.setattr(migrations, "script", lambda dialect, revision: script)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


def test_an_older_schema_is_copied_and_brought_up_to_date(file: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:

    async def before(world: World) -> None:
        alice, _, talk = await world.pair()
        await world.append(alice.says(talk, "kept"))

    file.play(before)
    told: list[str] = []
    older(monkeypatch, "CREATE TABLE novelty (id INTEGER); UPDATE alembic_version SET version_num = '9999'")

    async def after() -> None:
        database = await open_sqlite(file.path, on_progress=told.append)
        assert [row.text for row in await database.read(messages.owed(2, 0, 10))] == ["kept"]
        await database.close()

    run(after())
    assert len(told) == 2
    with closing(sqlite3.connect(file.path)) as db:
        assert db.execute("SELECT count(*) FROM novelty").fetchall() == [(0,)]
    copy = file.path.with_name("veche.db.before-9999")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    monkeypatch.undo()
    file.path = copy
    file.play(before_is_there)
    check(copy)


async def before_is_there(world: World) -> None:
    assert [row.text for row in await world.database.read(messages.owed(2, 0, 10))] == ["kept"]


def test_a_failing_migration_changes_nothing(file: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:

    async def nothing(world: World) -> None:
        await world.pair()

    file.play(nothing)
    with closing(sqlite3.connect(file.path)) as db:
        before = tables(db)
    older(monkeypatch, "CREATE TABLE novelty (id INTEGER); SELECT nonsense")
    with pytest.raises(StorageError, match="nonsense"):
        run(refused_open(file.path))
    with closing(sqlite3.connect(file.path)) as db:
        assert tables(db) == before


async def refused_open(path: Path) -> None:
    await (await open_sqlite(path)).close()


def test_a_newer_schema_is_refused_with_a_sentence(file: SqliteStorage) -> None:
    run(refused_open(file.path))
    with closing(sqlite3.connect(file.path)) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    with pytest.raises(StorageError, match="newer version of Veche"):
        run(refused_open(file.path))


def test_a_file_that_is_no_database_of_ours_is_refused(file: SqliteStorage) -> None:
    with closing(sqlite3.connect(file.path)) as db:
        db.execute("CREATE TABLE recipe (id INTEGER)")
    with pytest.raises(StorageError, match="not one of Veche"):
        run(refused_open(file.path))
    file.path.write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(StorageError, match="not a database"):
        run(refused_open(file.path))
    assert file.path.read_bytes() == b"Dear diary, " * 1000
    for path in (file.path.parent / "missing" / "veche.db", file.path / "veche.db", file.path.parent):
        with pytest.raises(StorageError, match="cannot be opened"):
            run(refused_open(path))


@contextmanager
def somebody_else() -> Generator[None]:
    """Not be root for a while."""
    if os.geteuid() == 0:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield


@pytest.mark.skipif(sys.platform == "win32", reason="rights of directories are another matter there")
def test_a_directory_that_may_not_be_written_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "veche.db"
        Path(name).chmod(0o555)
        with somebody_else(), pytest.raises(StorageError, match="cannot be opened"):
            run(refused_open(path))
        Path(name).chmod(0o755)
        run(refused_open(path))
        path.chmod(0o444)
        Path(name).chmod(0o555)
        with somebody_else(), pytest.raises(StorageError, match="cannot be opened"):
            run(refused_open(path))
        Path(name).chmod(0o755)
