"""Bytes of files on their way through the server: what comes in, what goes out, who may, and what is swept away.

Rules:

1. A *ticket* lets whoever holds its token move the bytes of one file, one way.  It lives in memory, ends `TICKET_S`
   after it was last used, and with its purpose: an upload when it is whole, a download when its last byte was sent.
   (Of a file that passes through nobody could ask for another, so that one lingers.)
2. An *intake* takes bytes in order from an offset, from one connection at a time; a newer one interrupts the older,
   which may be gone without knowing it.  What has arrived stays, so it can be gone on with, also after a restart.
3. Memory is flat: while a batch is being written and hashed in a thread the next one is received, and no more; outwards
   likewise.
4. A content that no file has any more is removed; so is what lies there and nothing names (`tidy`).

HTTP and the line TRANSFER (transfers.py) are two ways to the same intakes and outlets.

Source: rows M48, M53, M55, X18.
"""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from veche.core.files import HEAD_BYTES, sniff, warning
from veche.packets import ErrorCode
from veche.packets.files import FileInfo
from veche.storage import files
from veche.storage.blobs import Blobs, DiskBlobs, Part, Reader
from veche.storage.database import StorageError

from .previews import PREVIEW_TYPE, TYPES, Previews
from .session import Refused

if TYPE_CHECKING:
    from .app import HomeServer

log: structlog.stdlib.BoundLogger = structlog.get_logger()

TICKET_S = 300.0
TICKETS = 500
"""Of one account; the oldest goes for a new one."""
BUSY = 8
"""Tickets of one account that are in use at once."""
BATCH_BYTES, BATCH_S = 512 * 1024, 1.0
"""A batch is written when it has so many bytes, or is so old."""
MOST_BYTES = 8 * BATCH_BYTES
"""While one is being written the next one may grow to this."""
IDLE_S = 60.0
"""Some bytes must come, or a batch be taken, within this time."""
OPEN_PARTS = 20
"""Unfinished uploads of one account."""
DAY_US = 86_400_000_000
TIDY_EVERY_S = 3600.0


class Interrupted(Exception):
    """Another connection goes on with this."""


class WrongOffset(Exception):
    """`offset` bytes have arrived; the next ones begin there."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class Received(NamedTuple):
    """What has arrived.  sha256: of all of it, once it is whole; file: what became of it, when it is kept."""

    offset: int
    sha256: str = ""
    file: FileInfo | None = None


class Intake(ABC):
    """Bytes of one file that are to come in.  parts: where they go; id: under which name."""

    ticket: Ticket | None = None

    def __init__(self, id: str, size: int, sha256: str, parts: Blobs) -> None:
        self.id, self.size, self.parts = id, size, parts
        self.sha256 = sha256
        """What they must have; empty: anything."""
        self.arrived = 0
        self._turn = asyncio.Lock()
        self._interrupt: Callable[[], None] = nothing

    @abstractmethod
    async def whole(self, sha256: str) -> FileInfo | None:
        """All bytes are there, as they were announced."""

    @abstractmethod
    async def abandon(self, code: ErrorCode) -> None:
        """Keep nothing of it."""

    def moved(self) -> None:  # noqa: B027 - most need not know
        """`arrived` has grown."""

    async def offset(self) -> int:
        """How much has arrived, once who still sends has been interrupted."""
        self._interrupt()
        async with self._turn:
            self.arrived = await self.parts.part_size(self.id)
            return self.arrived

    async def take(self, offset: int, read: Callable[[], Awaitable[bytes]], interrupt: Callable[[], None]) -> Received:
        """Take bytes from `read` until it gives none.  interrupt: is called to make it raise ConnectionError.

        Raises Refused (too-large, wrong-hash, storage-full), WrongOffset, Interrupted, StorageError, and what `read`
        raises; then what had arrived is kept.
        """
        before, self._interrupt = self._interrupt, interrupt
        before()
        async with self._turn:
            if self._interrupt is not interrupt:
                raise Interrupted
            try:
                return await self._take(offset, read)
            except StorageError as error:
                if not error.full:
                    raise
                await self.abandon(ErrorCode.STORAGE_FULL)
                raise Refused(ErrorCode.STORAGE_FULL) from error
            finally:
                if self._interrupt is interrupt:
                    self._interrupt = nothing

    async def _take(self, offset: int, read: Callable[[], Awaitable[bytes]]) -> Received:
        part = await self.parts.part(self.id)
        try:
            if part.size != offset:
                raise WrongOffset(part.size)
            await self._fill(part, read)
            if part.size < self.size:
                return Received(part.size)
            sha256 = await part.finish()
        finally:
            await part.close()
        if self.sha256 not in ("", sha256):
            await self.abandon(ErrorCode.WRONG_HASH)
            raise Refused(ErrorCode.WRONG_HASH)
        return Received(self.size, sha256, await self.whole(sha256))

    async def _fill(self, part: Part, read: Callable[[], Awaitable[bytes]]) -> None:
        """Rule 3."""
        loop = asyncio.get_running_loop()
        at, begun = part.size, loop.time()
        writing: asyncio.Task[None] | None = None

        async def write() -> None:
            while part.waiting:
                await part.write()
                self.arrived = part.size
                self.moved()

        try:
            while True:
                async with asyncio.timeout(IDLE_S):
                    data = await read()
                at += len(data)
                if at > self.size:
                    raise Refused(ErrorCode.TOO_LARGE, f"There are {self.size} bytes to come, and no more.")
                if not data:
                    break
                part.add(data)
                if writing is not None and (writing.done() or part.waiting >= MOST_BYTES):
                    await writing
                    writing = None
                if writing is None and (part.waiting >= BATCH_BYTES or loop.time() - begun >= BATCH_S):
                    writing, begun = loop.create_task(write()), loop.time()
        finally:  # what had arrived is kept, whatever happened
            if writing is not None:
                await writing
            await write()


class Bytes(Protocol):
    """What an outlet gives out; see `Reader`."""

    async def read(self, offset: int, length: int) -> bytes: ...
    async def close(self) -> None: ...


class Outlet(ABC):
    """Bytes of one file that may be fetched."""

    ticket: Ticket | None = None
    id: str
    name: str
    type: str
    size: int
    etag: str
    """Empty: not known yet."""
    is_inline: bool
    """It may be shown in a page: it was made here."""
    is_once = True
    """Its ticket ends with the last byte."""

    @abstractmethod
    async def open(self) -> Bytes | None:
        """None: it is gone."""

    def sent(self, upto: int) -> None:  # noqa: B027 - most need not know
        """The receiver has taken bytes up to here; at `size` it is done."""


async def batches(source: Bytes, start: int, end: int) -> AsyncGenerator[bytes]:
    """Bytes from `start` to `end`, the next batch read while the last one is sent.  Rule 3."""

    def read(at: int) -> asyncio.Future[bytes]:
        return asyncio.ensure_future(source.read(at, min(BATCH_BYTES, end - at)))

    reading = read(start)
    try:
        while start < end:
            data = await reading
            if not data:
                raise StorageError("The file is shorter than it was.")
            start += len(data)
            if start < end:
                reading = read(start)
            yield data
    finally:
        reading.cancel()
        await asyncio.wait([reading])


class Ticket:
    """Rule 1."""

    __slots__ = ("account_id", "deadline", "subject", "token", "uses")

    def __init__(self, account_id: int, subject: Intake | Outlet, deadline: float) -> None:
        self.token = secrets.token_urlsafe(24)
        self.account_id, self.subject, self.deadline = account_id, subject, deadline
        self.uses = 0
        """Connections that use it now."""

    @property
    def url(self) -> str:
        return f"/files/{'up' if isinstance(self.subject, Intake) else 'down'}/{self.token}"


class Tickets:
    """All of them.  now: seconds on a monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._by_token: dict[str, Ticket] = {}
        self._of: dict[int, dict[str, Ticket]] = {}

    def issue(self, account_id: int, subject: Intake | Outlet) -> Ticket:
        """A new ticket; an older one for the same purpose is void."""
        self.end(subject)
        if len(mine := self._of.get(account_id, {})) >= TICKETS:
            self._remove(next(iter(mine.values())))
        ticket = subject.ticket = Ticket(account_id, subject, self._now() + TICKET_S)
        self._by_token[ticket.token] = ticket
        self._of.setdefault(account_id, {})[ticket.token] = ticket
        return ticket

    def find(self, token: str) -> Ticket | None:
        """The ticket of this token, unless it has ended."""
        ticket = self._by_token.get(token)
        return ticket if ticket is not None and (ticket.uses or ticket.deadline > self._now()) else None

    def start(self, ticket: Ticket) -> None:
        """A connection begins to use it.  Raises Refused: try-again-later, when the account has too many of those."""
        if sum(one.uses for one in self._of.get(ticket.account_id, {}).values()) >= BUSY:
            raise Refused(ErrorCode.TRY_AGAIN_LATER, "Too many transfers at once.", retry_after_s=2.0)
        ticket.uses += 1

    def stop(self, ticket: Ticket) -> None:
        """A connection has used it."""
        ticket.uses -= 1
        ticket.deadline = self._now() + TICKET_S

    def end(self, subject: Intake | Outlet) -> None:
        """There is nothing more to move."""
        if subject.ticket is not None:
            self._remove(subject.ticket)

    def end_all(self, account_id: int) -> None:
        """The account is gone."""
        for ticket in list(self._of.get(account_id, {}).values()):
            self._remove(ticket)

    def sweep(self) -> Iterable[Ticket]:
        """Remove those that have ended by time, and return them."""
        now = self._now()
        ended = [one for one in self._by_token.values() if not one.uses and one.deadline <= now]
        for ticket in ended:
            self._remove(ticket)
        return ended

    def _remove(self, ticket: Ticket) -> None:
        if self._by_token.pop(ticket.token, None) is not None:
            mine = self._of[ticket.account_id]
            del mine[ticket.token]
            if not mine:
                del self._of[ticket.account_id]


# -- files that are kept


class Upload(Intake):
    """A file that comes to be kept."""

    def __init__(self, filing: Filing, file: files.File) -> None:
        super().__init__(file.id, file.bytes, file.sha256, filing.blobs)
        self._filing, self._name = filing, file.name

    async def whole(self, sha256: str) -> FileInfo | None:
        return await self._filing.keep(self, self._name, sha256)

    async def abandon(self, code: ErrorCode) -> None:
        await self._filing.forget(self)


class Download(Outlet):
    """A file that is kept, or its preview."""

    def __init__(self, blobs: Blobs, file: FileInfo, *, preview: bool) -> None:
        self.id, self.name, self.size = file.id, file.name, file.bytes
        self.type = PREVIEW_TYPE if preview else file.type
        self.etag = f"{file.sha256}-preview" if preview else file.sha256
        self.is_inline = preview
        self._blobs, self._sha256 = blobs, file.sha256

    async def open(self) -> Reader | None:
        reader = await self._blobs.read(self._sha256, preview=self.is_inline)
        if reader is not None:
            self.size = reader.size
        return reader


class Filing:
    """The files of one server."""

    def __init__(self, app: HomeServer, blobs: Blobs | None = None) -> None:
        self.blobs: Blobs = blobs or DiskBlobs(app.config.data / "files")
        self.spool = DiskBlobs(app.config.data / "passing")
        """What passes through from one person to another; nothing of it outlives the server's run."""
        self.tickets = Tickets(lambda: app.monotonic())
        self.uploads: dict[str, Upload] = {}
        self._app = app
        self._previews = Previews()
        self._keeping = asyncio.Lock()
        """Held while bytes and rows may differ."""
        self._tidy_at = 0.0

    # -- coming in

    async def upload(self, account_id: int, file: files.File) -> tuple[Ticket, int]:
        """A ticket to send a file that is not whole, and where to go on."""
        upload = self.uploads.setdefault(file.id, Upload(self, file))
        offset = await upload.offset()
        upload = self.uploads.setdefault(file.id, upload)
        return self.tickets.issue(account_id, upload), offset

    async def check_room(self, size: int) -> None:
        """Raises Refused: storage-full, when the disk would have less room left than it must."""
        coming = sum(one.size - one.arrived for one in self.uploads.values())
        if await self.blobs.free_bytes() - coming - size < self._app.config.free_bytes:
            raise Refused(ErrorCode.STORAGE_FULL)

    async def keep(self, upload: Upload, name: str, sha256: str) -> FileInfo:
        """An upload is whole: from now on it is a file.  Raises Refused: unknown-id, when its account is gone."""
        head = await self._head(upload.id)
        find = files.complete(upload.id, sha256, sniff(head), warning(name, head), self._app.now_us())
        async with self._keeping:
            await self.blobs.keep(upload.id, sha256)
            try:
                file = await self._app.database.write(find)
            except files.UnknownFile:
                await self._bury(sha256)
                raise Refused(ErrorCode.UNKNOWN_ID) from None
        self._left(upload)
        return (await self._with_preview(file)).info()

    async def _head(self, id: str) -> bytes:
        reader = await self.blobs.read_part(id)
        try:
            return await reader.read(0, HEAD_BYTES)
        finally:
            await reader.close()

    async def _with_preview(self, file: files.File) -> files.File:
        """Make a preview if it is a picture and there is none; whatever goes wrong, the file is there."""
        if self._app.config.no_previews or file.has_preview or file.type not in TYPES:
            return file
        try:
            reader = await self.blobs.read(file.sha256)
            if reader is None:
                return file
            try:
                preview = await self._previews.make(file.bytes, batches(reader, 0, file.bytes))
            finally:
                await reader.close()
            if preview is None:
                return file
            await self.blobs.keep_preview(file.sha256, preview.data)
            seen = files.seen(file.id, file.sha256, preview.width, preview.height)
            return await self._app.database.write(seen) or file
        except StorageError as error:
            log.warning("preview.not_kept", error=str(error))
            return file

    async def forget(self, upload: Upload) -> None:
        """Keep nothing of an upload."""
        self._left(upload)
        await self._app.database.write(files.drop_part(upload.id))
        await self.blobs.drop_part(upload.id)

    def _left(self, upload: Upload) -> None:
        self.tickets.end(upload)
        self.uploads.pop(upload.id, None)

    # -- going out

    def download(self, account_id: int, file: FileInfo, *, preview: bool) -> Ticket:
        """A ticket to fetch a file."""
        return self.tickets.issue(account_id, Download(self.blobs, file, preview=preview))

    # -- going away

    def sweep(self, now: float) -> None:
        """Once a second."""
        for ticket in self.tickets.sweep():
            if isinstance(ticket.subject, Upload):
                self.uploads.pop(ticket.subject.id, None)
        if now >= self._tidy_at:
            self._app.spawn(self.tidy())

    def account_left(self, account_id: int) -> None:
        """An account was deleted."""
        self.tickets.end_all(account_id)
        self._app.spawn(self.tidy())

    def message_left(self, told: Sequence[FileInfo]) -> None:
        """A message with these files was taken back."""
        if told:
            self._app.spawn(self._quietly(self._bury_all({file.sha256 for file in told})))

    async def _bury_all(self, hashes: Iterable[str]) -> None:
        async with self._keeping:
            for sha256 in hashes:
                await self._bury(sha256)

    async def _bury(self, sha256: str) -> None:
        if await self._app.database.write(files.bury(sha256)):
            await self.blobs.remove(sha256)

    async def tidy(self) -> None:
        """Remove what is too old, what is too much, and what nothing names.  At the start and every hour."""
        self._tidy_at = self._app.monotonic() + TIDY_EVERY_S
        await self._quietly(self._tidy())

    async def _tidy(self) -> None:
        app = self._app
        now = app.now_us()
        idle = now - DAY_US
        while ids := await app.database.read(files.stale(now - app.config.file_days * DAY_US, idle)):
            ids = [id for id in ids if id not in self.uploads]
            if not await app.database.write(files.remove(ids, idle)):
                break
        while ids := await app.database.read(files.surplus(app.config.files_bytes)):
            if not await app.database.write(files.remove(ids, now)):
                break
            await self._bury_unused()
        await self._bury_unused()
        async with self._keeping:
            lying_parts, lying = await self.blobs.listed()
            parts, named = await app.database.read(files.named())
            for id in lying_parts - parts:
                await self.blobs.drop_part(id)
            for sha256 in lying - named:
                await self.blobs.remove(sha256)

    async def _bury_unused(self) -> None:
        while hashes := await self._app.database.read(files.unused()):
            await self._bury_all(hashes)

    async def _quietly(self, work: Awaitable[None]) -> None:
        try:
            await work
        except StorageError as error:
            log.warning("files.not_tidied", error=str(error))

    async def start(self) -> None:
        """What passed through when the server ended is of no use to anybody.  Raises StorageError."""
        lying, _ = await self.spool.listed()
        for id in lying:
            await self.spool.drop_part(id)

    async def close(self) -> None:
        """Finish what is under way with the disk."""
        await self.blobs.close()
        await self.spool.close()


def nothing() -> None:
    """There is nobody to interrupt."""
