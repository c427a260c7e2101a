"""What the server asks of a database, whichever it is.

A piece of work is a generator of *steps*: it yields statements and gets their rows back, and what it returns is the
result.  It does no I/O of its own, so the same steps run in SQLite's writer thread and on a PostgreSQL connection
(the one SQL text uses `$1`, `$2` ... for its arguments).  A write is one transaction: all of its steps or none.

The log is the part that must be fast.  `append` queues one entry and returns at once; entries that arrive while a
commit runs go into the next one (group commit).  Nothing is reported as stored before the commit has reached the disk.

`mark` is for facts that may be late, `read` and `find` for reading.  Searching by words is the one thing that the two
databases do differently, so steps ask for it by `Words` instead of by SQL.

Order: ids ascend in the order of committing, appends and writes alike, and the callbacks (`on_stored`, `then`) run
in that order too, on the event loop.  So whoever announces from the callbacks announces in the order of ids.

Source: DESIGN of the storage in ARCHITECTURE.md; rows M14, M19, T29, X04, X15.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Kind(IntEnum):
    """What an entry of a conversation's log is."""

    TEXT = 0
    EDIT = 1
    RETRACT = 2
    REACT = 3
    UNREACT = 4
    CALL = 5
    """What came of a call; see `calls`."""
    MISSED = 6
    """The same, for one that is to be read."""
    ROOM = 7
    """A text of a conference's room."""


class Statement(NamedTuple):
    """One SQL statement.  Arguments are int, str, bytes or None."""

    sql: str
    args: tuple[int | str | bytes | None, ...] = ()


class Entry(NamedTuple):
    """One entry to be appended to a conversation's log.  `id` and `seq` are given by the database."""

    conversation: int
    kind: int
    author: int
    device: int
    at: int
    """microseconds since 1970, UTC"""
    text: str
    """The message, the new text, or the emoji."""
    target: int | None = None
    """The message that is answered, edited, retracted or reacted to."""
    cookie: str | None = None
    hidden: int = 0
    """1: the other person has blocked the author; only the author ever sees the entry."""


class Stored(NamedTuple):
    """An entry's place, durable."""

    id: int
    seq: int
    at: int
    repeat: bool
    """The same device had stored the same cookie before; `id`, `seq` and `at` are those of that time."""


class Words(NamedTuple):
    """A search: the messages of one conversation that hold all the words, the newest first."""

    conversation: int
    viewer: int
    """Entries hidden from this account are not found."""
    words: tuple[str, ...]
    """Letters and digits only; the last one may be a beginning."""
    before: int | None
    limit: int


Rows = list[tuple[Any, ...]]

Steps = Generator[Statement | Entry | Words, Any, T]
"""Yields a Statement, receives its `Rows`; an Entry, receives `Stored`; Words, receives rows of one id each."""


def drive(steps: Steps[T], answer: Callable[[Statement | Entry | Words], Any]) -> T:
    """Run steps to their end, with this way to answer them."""
    try:
        request = next(steps)
        while True:
            request = steps.send(answer(request))
    except StopIteration as stop:
        return stop.value
    finally:
        steps.close()


class StorageError(Exception):
    """The database refused or is away.  Nothing of the work was stored.

    full: there is no room left on the disk.
    """

    def __init__(self, reason: str, *, full: bool = False) -> None:
        super().__init__(reason)
        self.full = full


class Database(Protocol):
    """One open database.  Every method is called from the event loop's thread."""

    on_stored: Callable[[Sequence[tuple[Entry, Any, Stored]]], None]
    """Called after each commit with what was appended: (entry, its receipt, its place), in the order of ids."""
    on_refused: Callable[[Sequence[tuple[Entry, Any]], StorageError], None]
    """Called when a group could not be committed: none of it is stored."""

    def append(self, entry: Entry, receipt: Any) -> None:
        """Queue one entry.  Cheap; never blocks.  `pending` tells how many wait."""
        ...

    @property
    def pending(self) -> int:
        """Entries queued and not yet reported."""
        ...

    def write(self, steps: Steps[T], then: Callable[[T], None] | None = None) -> asyncio.Future[T]:
        """Run steps as one transaction; `then(result)` is called in commit order, before the future is done.

        The future raises StorageError, or whatever the steps raised (nothing was stored).
        """
        ...

    def mark(self, steps: Callable[[], Steps[T]], key: object, then: Callable[[T], None] | None = None) -> None:
        """Run steps with some later commit, within a second; of several with one key only the last is run.

        `steps` is called on the loop when its time has come, again if that commit failed.  For facts that may be
        lost in a crash without harm, such as a device's place that the client knows too.
        """
        ...

    async def read(self, steps: Steps[T]) -> T:
        """Run reading steps on one consistent view, away from the event loop: pages, searches, exports."""
        ...

    async def find(self, steps: Steps[T]) -> T:
        """Run reading steps that touch a few rows by key; may run at once, without suspending."""
        ...

    async def index_now(self, timeout_s: float = 2.0) -> bool:
        """Wait until a search finds everything stored so far, at most so long; False: it is still behind."""
        ...

    async def close(self) -> None:
        """Finish what is queued, commit, close.  Idempotent."""
        ...
