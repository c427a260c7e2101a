"""Group commit, the loop's side: what waits, what goes into one commit, and who is told of it.

The other side is a writer, one for each kind of database: it gets the work of one commit at a time by `hand_over`, and
says `done` on the loop when it is durable or refused.  A commit is handed over as soon as the writer is idle, at the
end of the loop's tick; whatever comes meanwhile goes into the next one.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, TypeVar

from .database import Entry, Steps, StorageError, Stored

T = TypeVar("T")

COMMIT_ROWS = 4096
"""Entries of one commit at most; bounds how long those behind wait."""
JOB_ROWS = 16
"""What a piece of work counts for in it."""
MARK_S = 0.5
MARKS_PER_COMMIT = 200


class Group:
    """Entries that go in together, and the receipts of those who sent them."""

    __slots__ = ("entries", "receipts", "stored")

    def __init__(self, entries: list[Entry] | None = None, receipts: list[Any] | None = None) -> None:
        self.entries: list[Entry] = [] if entries is None else entries
        self.receipts: list[Any] = [] if receipts is None else receipts
        self.stored: list[Stored] = []


class Mark:
    """Steps to be made when the time has come."""

    __slots__ = ("steps", "then")

    def __init__(self, steps: Callable[[], Steps[Any]], then: Callable[[Any], None] | None) -> None:
        self.steps = steps
        self.then = then


class Job:
    """Steps of one piece of work, and what came of them."""

    __slots__ = ("error", "future", "mark", "result", "steps", "then")

    def __init__(
        self,
        steps: Steps[Any],
        then: Callable[[Any], None] | None,
        future: asyncio.Future[Any] | None,
        mark: tuple[object, Mark] | None = None,
    ) -> None:
        self.steps = steps
        self.then = then
        self.future = future
        self.mark = mark
        self.result: Any = None
        self.error: BaseException | None = None


class Index:
    """A wish that search be indexed; done in part."""

    __slots__ = ("future", "is_done")

    def __init__(self, future: asyncio.Future[bool]) -> None:
        self.future = future
        self.is_done = False


Work = Group | Job | Index


class GroupCommit(ABC):
    """The writing half of a `Database`."""

    def __init__(self) -> None:
        self.on_stored: Callable[[Sequence[tuple[Entry, Any, Stored]]], None] = lambda group: None
        self.on_refused: Callable[[Sequence[tuple[Entry, Any]], StorageError], None] = lambda group, error: None
        self._loop = asyncio.get_running_loop()
        self._group = Group()
        self._work: list[Work] = []
        self._marks: dict[object, Mark] = {}
        self._mark_timer: asyncio.TimerHandle | None = None
        self._pending = 0
        self._kicked = False
        """A kick is coming, or the writer is busy and `done` will kick."""
        self._closing = False
        self._drained: asyncio.Future[None] = self._loop.create_future()
        """Done: everything is reported, and what comes now comes too late."""
        self._closer: asyncio.Task[None] | None = None

    @abstractmethod
    def hand_over(self, work: Sequence[Work]) -> None:
        """Start one commit; `done` is called on the loop when it has ended."""

    @abstractmethod
    async def end(self) -> None:
        """Close everything; nothing is under way."""

    # -- the log

    def append(self, entry: Entry, receipt: Any) -> None:
        self._group.entries.append(entry)
        self._group.receipts.append(receipt)
        self._pending += 1
        if not self._kicked:
            self._kick_soon()

    @property
    def pending(self) -> int:
        return self._pending

    def write(self, steps: Steps[T], then: Callable[[T], None] | None = None) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._add(Job(steps, then, future))
        return future

    def mark(self, steps: Callable[[], Steps[T]], key: object, then: Callable[[T], None] | None = None) -> None:
        if self._closing:
            return
        self._marks[key] = Mark(steps, then)
        if self._mark_timer is None:
            self._mark_timer = self._loop.call_later(MARK_S, self._marks_due)

    async def index_now(self, timeout_s: float = 2.0) -> bool:
        deadline = self._loop.time() + timeout_s
        while True:
            future: asyncio.Future[bool] = self._loop.create_future()
            self._add(Index(future))
            if await future:
                return True
            if self._loop.time() > deadline:
                return False

    # -- the loop's side of the writer

    def _add(self, item: Work) -> None:
        if self._closing:
            self._loop.call_soon(self._refuse, item, StorageError("The database is closed."))
            return
        self._end_group()
        self._work.append(item)
        if not self._kicked:
            self._kick_soon()

    def _end_group(self) -> None:
        if self._group.entries:
            self._work.append(self._group)
            self._group = Group()

    def _kick_soon(self) -> None:
        self._kicked = True
        self._loop.call_soon(self._kick)

    def _kick(self) -> None:
        """Hand what waits to the writer, which is idle."""
        if self._drained.done():
            self._kicked = False
            self._end_group()
            work, self._work = self._work, []
            for item in work:
                self._refuse(item, StorageError("The database is closed."))
        elif work := self._take():
            self.hand_over(work)
        else:
            self._kicked = False
            if self._closing:
                self._drained.set_result(None)

    def _take(self) -> list[Work]:
        """Take the work of one commit off the front of what waits."""
        self._end_group()
        room = COMMIT_ROWS
        for n, item in enumerate(self._work):
            size = len(item.entries) if isinstance(item, Group) else JOB_ROWS
            if size > room:
                taken, self._work = self._work[:n], self._work[n:]
                if isinstance(item, Group) and room:
                    taken.append(Group(item.entries[:room], item.receipts[:room]))
                    self._work[0] = Group(item.entries[room:], item.receipts[room:])
                return taken
            room -= size
        taken, self._work = self._work, []
        return taken

    def _marks_due(self) -> None:
        self._mark_timer = None
        for key in list(islice(self._marks, MARKS_PER_COMMIT)):
            mark = self._marks.pop(key)
            try:
                steps = mark.steps()
            except Exception as error:
                self._complain("A mark could not be made", error)
            else:
                self._add(Job(steps, mark.then, None, (key, mark)))
        if self._marks:
            self._mark_timer = self._loop.call_later(0 if self._closing else MARK_S / 10, self._marks_due)

    def done(self, work: Sequence[Work], error: StorageError | None) -> None:
        """Report one commit.  The next one starts first, so that the writer and the loop work side by side."""
        self._kick()
        for item in work:
            if error is None:
                self._report(item)
            else:
                self._refuse(item, error)

    def _report(self, item: Work) -> None:
        if isinstance(item, Group):
            self._pending -= len(item.entries)
            try:
                self.on_stored(list(zip(item.entries, item.receipts, item.stored, strict=True)))
            except Exception as error:
                self._complain("on_stored failed", error)
        elif isinstance(item, Index):
            if not item.future.done():
                item.future.set_result(item.is_done)
        elif item.error is not None:
            self._fail(item, item.error)
        else:
            if item.then is not None:
                try:
                    item.then(item.result)
                except Exception as error:
                    self._complain("What follows a write failed", error)
            if item.future is not None and not item.future.done():
                item.future.set_result(item.result)

    def _refuse(self, item: Work, error: StorageError) -> None:
        if isinstance(item, Group):
            self._pending -= len(item.entries)
            try:
                self.on_refused(list(zip(item.entries, item.receipts, strict=True)), error)
            except Exception as fault:
                self._complain("on_refused failed", fault)
        elif isinstance(item, Index):
            if not item.future.done():
                item.future.set_result(False)
        else:
            self._fail(item, item.error or error)

    def _fail(self, job: Job, error: BaseException) -> None:
        if job.future is not None:
            if not job.future.done():
                job.future.set_exception(error)
        elif not isinstance(error, StorageError):
            self._complain("A mark failed", error)
        elif job.mark is not None and not self._closing:
            key, mark = job.mark
            self._marks.setdefault(key, mark)
            if self._mark_timer is None:
                self._mark_timer = self._loop.call_later(MARK_S, self._marks_due)

    def _complain(self, message: str, error: BaseException) -> None:
        self._loop.call_exception_handler({"message": message, "exception": error})

    async def close(self) -> None:
        if self._closer is None:
            if self._mark_timer is not None:
                self._mark_timer.cancel()
            while self._marks:
                self._marks_due()
            self._closing = True
            if not self._kicked:
                self._kick_soon()
            self._closer = self._loop.create_task(self._close())
        await asyncio.shield(self._closer)

    async def _close(self) -> None:
        await self._drained
        await self.end()
