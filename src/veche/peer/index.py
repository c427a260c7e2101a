"""What a device notes beside a repository so that nothing costs more as a history grows: who is whose parent, who wrote
what, and how many children each commit has.

The repository is the truth.  The index is a cache in SQLite: when it is missing, damaged, or of another head, it is
brought up to date or made anew.  `n` is a commit's place: greater than those of its past.

    newest(50)      the newest of the linear order, by looking at little more than those 50

Source: repository facts §7; rows B05, B97.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from veche.swarm.bans import Ban
from veche.swarm.model import Told
from veche.swarm.order import Heap

from .walk import Past

VERSION = 1
_COLUMNS = "id, parents, time, device, author, type"
_SCHEMA = f"""
PRAGMA user_version = {VERSION};
CREATE TABLE entry (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    parents BLOB NOT NULL,
    time INTEGER NOT NULL,
    device BLOB NOT NULL,
    author BLOB NOT NULL,
    type TEXT NOT NULL,
    children INTEGER NOT NULL
) STRICT;
CREATE TABLE meta (head BLOB NOT NULL, facts BLOB NOT NULL) STRICT;
"""


class Row(NamedTuple):
    """A commit as the index has it."""

    id: str
    parents: tuple[str, ...]
    time: int
    device: str
    author: str
    type: str


class Facts(Struct, frozen=True):
    """What of the state after the head is not in its tree."""

    conversation: str
    mode: int
    initial: tuple[str, ...]
    bans: list[Ban]


class IndexUnusable(Exception):
    """The index is missing, damaged, or of another version: make it anew."""


class Index(Past):
    """The index of one conversation.  One thread uses it."""

    def __init__(self, path: Path) -> None:
        """Open what is there.  Raises IndexUnusable."""
        self._path = path
        if not path.exists():
            raise IndexUnusable("there is none")
        try:
            self._db = _connect(path)
            if self._db.execute("PRAGMA user_version").fetchone() != (VERSION,):
                raise IndexUnusable("another version")
            found = self._db.execute("SELECT head, facts FROM meta").fetchall()
            if len(found) != 1:
                raise IndexUnusable("it was not finished")
            self.head: str = found[0][0].hex()
            self.facts = msgspec.msgpack.decode(found[0][1], type=Facts)
            self._count = int(self._db.execute("SELECT coalesce(max(n), -1) + 1 FROM entry").fetchone()[0])
            if self.number(self.head) >= self._count:
                raise IndexUnusable("its head is not in it")
        except (sqlite3.Error, msgspec.DecodeError, KeyError) as error:
            raise IndexUnusable(str(error)) from error

    @staticmethod
    def make(path: Path, rows: Iterable[Row], head: str, facts: Facts) -> Index:
        """Make an index anew.  Raises OSError, IndexUnusable."""
        for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            name.unlink(missing_ok=True)
        try:
            db = _connect(path)
            db.executescript(_SCHEMA)
            _insert(db, rows, 0)
            db.execute("INSERT INTO meta (head, facts) VALUES (?, ?)", _meta(head, facts))
            db.commit()
            db.close()
        except sqlite3.Error as error:
            raise IndexUnusable(str(error)) from error
        return Index(path)

    def add(self, rows: list[Row], head: str, facts: Facts) -> None:
        """Note new commits, oldest first, and the new head, whose past holds everything.  Raises IndexUnusable."""
        try:
            _insert(self._db, rows, self._count)
            self._db.execute("UPDATE meta SET head = ?, facts = ?", _meta(head, facts))
            self._db.commit()
        except sqlite3.Error as error:
            raise IndexUnusable(str(error)) from error
        self._count += len(rows)
        self.head, self.facts = head, facts

    def is_current(self) -> bool:
        """Whether no other process has added to it since it was opened here."""
        try:
            return self._db.execute("SELECT head FROM meta").fetchone() == (bytes.fromhex(self.head),)
        except sqlite3.Error:
            return False

    def close(self) -> None:
        self._db.close()

    # -- what is known of commits

    def knows(self, id: str) -> bool:
        return self._one("SELECT 1 FROM entry WHERE id = ?", id) is not None

    def parents(self, id: str) -> tuple[str, ...]:
        return self.row(id).parents

    def number(self, id: str) -> int:
        found = self._one("SELECT n FROM entry WHERE id = ?", id)
        if found is None:
            raise KeyError(id)
        return int(found[0])

    def count(self) -> int:
        return self._count

    def row(self, id: str) -> Row:
        """Raises KeyError."""
        found = self._one(f"SELECT {_COLUMNS} FROM entry WHERE id = ?", id)
        if found is None:
            raise KeyError(id)
        return _row(found)

    def told(self, id: str) -> Told | None:
        """Who wrote a commit, and of what type; None for one that is not here."""
        try:
            row = self.row(id)
        except (KeyError, ValueError):
            return None
        return Told(row.author, row.type)

    def is_before(self, old: str, id: str) -> bool:
        """Whether `old` is in the past of `id`, or is it."""
        floor = self.number(old)
        todo, seen = [id], {id}
        while todo:
            one = todo.pop()
            if one == old:
                return True
            for parent in self.parents(one):
                if parent not in seen and self.number(parent) >= floor:
                    seen.add(parent)
                    todo.append(parent)
        return False

    def newest(self, count: int | None = None) -> Iterator[Row]:
        """The linear order from the newest on; `count` of it, or all.  As it is now, whatever is added meanwhile."""
        db = _connect(self._path)
        try:
            db.execute("BEGIN")  # what is read from here on is of one moment
            [(head,)] = db.execute("SELECT head FROM meta").fetchall()
            rows: dict[str, Row] = {}
            waiting: dict[str, int] = {}

            def fetch(id: str) -> None:
                found = db.execute(
                    f"SELECT {_COLUMNS}, children FROM entry WHERE id = ?", (bytes.fromhex(id),)
                ).fetchone()
                if found is None:
                    raise IndexUnusable(f"{id} is not in it")
                rows[id] = _row(found[:6])
                waiting[id] = int(found[6])

            heap = Heap(lambda id: rows[id].time)
            fetch(head.hex())
            heap.push(head.hex())
            given = 0
            while heap and (count is None or given < count):
                row = rows.pop(heap.pop())
                given += 1
                yield row
                for parent in row.parents:
                    if parent not in waiting:
                        fetch(parent)
                    waiting[parent] -= 1
                    if not waiting[parent]:
                        heap.push(parent)
                        del waiting[parent]
        except (sqlite3.Error, ValueError) as error:
            raise IndexUnusable(str(error)) from error
        finally:
            db.close()

    def _one(self, query: str, id: str) -> tuple[bytes, ...] | None:
        try:
            return self._db.execute(query, (bytes.fromhex(id),)).fetchone()
        except sqlite3.Error as error:
            raise IndexUnusable(str(error)) from error


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=10, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes is made anew
    return db


def _insert(db: sqlite3.Connection, rows: Iterable[Row], first: int) -> None:
    def counted() -> Iterator[tuple[int, bytes, bytes, int, bytes, bytes, str]]:
        for n, row in enumerate(rows, first):
            children.extend((bytes.fromhex(parent),) for parent in row.parents)
            yield (
                n,
                bytes.fromhex(row.id),
                bytes.fromhex("".join(row.parents)),
                row.time,
                bytes.fromhex(row.device),
                bytes.fromhex(row.author),
                row.type,
            )

    children: list[tuple[bytes]] = []
    db.executemany(
        "INSERT INTO entry (n, id, parents, time, device, author, type, children) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        counted(),
    )
    db.executemany("UPDATE entry SET children = children + 1 WHERE id = ?", children)


def _row(found: tuple[bytes, ...]) -> Row:
    id, parents, time, device, author, type = found
    ids = tuple(parents[at : at + 20].hex() for at in range(0, len(parents), 20))
    return Row(id.hex(), ids, int(time), device.hex(), author.hex(), str(type))


def _meta(head: str, facts: Facts) -> tuple[bytes, bytes]:
    return bytes.fromhex(head), msgspec.msgpack.encode(facts)
