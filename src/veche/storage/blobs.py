"""The bytes of files, kept by their SHA-256.  `DiskBlobs` keeps them in a directory:

    <directory>/ab/ab12...            a whole file, by its hash
    <directory>/ab/ab12....preview    a small picture of it
    <directory>/parts/<id>            what has arrived of one that is not whole

A part is written in order and hashed as it is written; it can be gone on with at any time, also after a crash.  A whole
file appears by a rename, so what has its hash for a name is whole; it is on the disk before `keep` returns.

Storage that is no disk (S3 and the like) implements `Blobs`: parts are multipart uploads there, reads are ranges.

Source: rows M48, X18.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Protocol, TypeVar

from .database import StorageError

T = TypeVar("T")

THREADS = 4
SYNC_BYTES = 64 * 1024 * 1024
"""A part is put on the disk after every so many bytes, while more come, so that its end need not wait for all of it."""
HASHES = 256
"""Of so many parts that nobody writes to now the hash so far is remembered; of others it is made anew."""
PIECES = 512
"""More than so many are put together before they are written; systems take 1,024."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Part(Protocol):
    """What has arrived of one file, open for more.  One caller at a time."""

    size: int
    """Bytes that are written."""
    waiting: int
    """Bytes that were added since."""

    def add(self, data: bytes) -> None:
        """Take the next bytes; they are hashed at once, and written by `write`."""
        ...

    async def write(self) -> None:
        """Write what waits; more may be added meanwhile.  Raises StorageError; then it is lost, and the part ends."""
        ...

    async def finish(self) -> str:
        """Make it durable, let go of it, return its SHA-256, hexadecimal.  Raises StorageError."""
        ...

    async def close(self) -> None:
        """Let go of it; what is written stays.  Idempotent."""
        ...


class Reader(Protocol):
    """Bytes to be read, open.  What is removed meanwhile can still be read to its end."""

    size: int

    async def read(self, offset: int, length: int) -> bytes:
        """Return so many bytes from there on, fewer at the end.  Raises StorageError.  One caller at a time."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


class Blobs(Protocol):
    """Files by their SHA-256, and parts by an id of letters, digits, `-` and `_`.  Everything raises StorageError."""

    async def part(self, id: str) -> Part:
        """Open a part, an empty one if there is none."""
        ...

    async def part_size(self, id: str) -> int:
        """Return how many bytes have arrived, 0 if there is no such part."""
        ...

    async def read_part(self, id: str) -> Reader:
        """Open a part for reading while it grows."""
        ...

    async def drop_part(self, id: str) -> None:
        """Remove a part, if there is one."""
        ...

    async def keep(self, id: str, sha256: str) -> None:
        """Make a finished part the file of this hash, durably.  The part is gone."""
        ...

    async def keep_preview(self, sha256: str, data: bytes) -> None:
        """Keep a small picture of a file."""
        ...

    async def read(self, sha256: str, *, preview: bool = False) -> Reader | None:
        """Open a file, or its preview; None: there is none."""
        ...

    async def remove(self, sha256: str) -> None:
        """Remove a file and its preview, if there are any."""
        ...

    async def listed(self) -> tuple[set[str], set[str]]:
        """Return the ids of all parts, and the hashes of all files."""
        ...

    async def free_bytes(self) -> int:
        """Return how much room there is."""
        ...

    async def close(self) -> None:
        """Finish what is under way."""
        ...


class DiskBlobs:
    """Files in a directory, readable by its owner only.  See `Blobs`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._parts = directory / "parts"
        self._pool = ThreadPoolExecutor(THREADS, "files")
        self._hashes: OrderedDict[str, tuple[int, Any]] = OrderedDict()
        """By part: its size, and the hash object that has seen so much of it."""
        self._is_closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """Do something with the disk, away from the event loop, and to its end.  Raises StorageError."""
        try:
            if self._is_closed:  # whom the end of the server cut off still lets go of a file
                return work()
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._pool, work))
        except OSError as error:
            full = error.errno in FULL
            told = "The disk is full." if full else f"The disk failed: {error.strerror or error}."
            raise StorageError(told, full=full) from error

    async def part(self, id: str) -> DiskPart:
        return DiskPart(self, id, *await self.run(lambda: self._open_part(id)))

    def _open_part(self, id: str) -> tuple[BinaryIO, int, Any]:
        self._parts.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = open(self._parts / id, "ab", buffering=0, opener=_private)  # noqa: SIM115 - it stays open
        try:
            size, (known, hashed) = os.fstat(file.fileno()).st_size, self._hashes.pop(id, (-1, None))
            if known != size:
                with (self._parts / id).open("rb", buffering=0) as before:
                    hashed = hashlib.file_digest(before, "sha256")  # pyright: ignore[reportArgumentType]
        except BaseException:
            file.close()
            raise
        return file, size, hashed

    def put_aside(self, id: str, size: int, hashed: Any) -> None:
        """Remember how far the hash of a part is."""
        self._hashes[id] = size, hashed
        if len(self._hashes) > HASHES:
            self._hashes.popitem(last=False)

    async def part_size(self, id: str) -> int:
        def size() -> int:
            try:
                return (self._parts / id).stat().st_size
            except FileNotFoundError:
                return 0

        return await self.run(size)

    async def read_part(self, id: str) -> DiskReader:
        return await self.run(lambda: DiskReader(self, self._parts / id))

    async def drop_part(self, id: str) -> None:
        self._hashes.pop(id, None)
        await self.run(lambda: (self._parts / id).unlink(missing_ok=True))

    async def keep(self, id: str, sha256: str) -> None:
        def rename() -> None:
            part, whole = self._parts / id, self._path(sha256)
            self._hashes.pop(id, None)
            if whole.exists():  # somebody else had sent it, too
                part.unlink()
                return
            if not whole.parent.exists():
                whole.parent.mkdir(mode=0o700, exist_ok=True)
                _sync_directory(self._directory)
            part.replace(whole)
            _sync_directory(whole.parent)

        await self.run(rename)

    async def keep_preview(self, sha256: str, data: bytes) -> None:
        def write() -> None:
            path = self._path(sha256, preview=True)
            new = path.with_suffix(".new")
            with open(new, "wb", opener=_private) as file:
                file.write(data)
            new.replace(path)

        await self.run(write)

    async def read(self, sha256: str, *, preview: bool = False) -> DiskReader | None:
        def find() -> DiskReader | None:
            try:
                return DiskReader(self, self._path(sha256, preview=preview))
            except FileNotFoundError:
                return None

        return await self.run(find)

    async def remove(self, sha256: str) -> None:
        def unlink() -> None:
            for preview in (True, False):
                self._path(sha256, preview=preview).unlink(missing_ok=True)

        await self.run(unlink)

    async def listed(self) -> tuple[set[str], set[str]]:
        def look() -> tuple[set[str], set[str]]:
            whole = {path.stem for path in self._directory.glob("??/*")}
            return {path.name for path in self._parts.glob("*")}, whole

        return await self.run(look)

    async def free_bytes(self) -> int:
        def free() -> int:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return shutil.disk_usage(self._directory).free

        return await self.run(free)

    async def close(self) -> None:
        self._is_closed = True
        await asyncio.to_thread(self._pool.shutdown)

    def _path(self, sha256: str, *, preview: bool = False) -> Path:
        return self._directory / sha256[:2] / f"{sha256}{'.preview' if preview else ''}"


class DiskPart:
    """See `Part`.

    Hashing 256 KiB takes 0.2 ms.  A thread that asks for Python's lock beside a busy loop waits up to 5 ms for it each
    time, so hashing there would take longer, and what a thread does is one call for many bytes.
    """

    def __init__(self, blobs: DiskBlobs, id: str, file: BinaryIO, size: int, hashed: Any) -> None:
        self.size, self.waiting = size, 0
        self._blobs, self._id, self._file, self._hashed = blobs, id, file, hashed
        self._added: list[bytes] = []
        self._is_spoiled = False
        """A write has failed: more is hashed than is written."""
        self._synced = size
        self._syncing: asyncio.Future[None] | None = None
        self._lock = Lock()
        """Who waited for a write may be gone while it still goes on."""

    def add(self, data: bytes) -> None:
        self._hashed.update(data)
        self._added.append(data)
        self.waiting += len(data)

    async def write(self) -> None:
        added, self._added, self.waiting = self._added, [], 0
        await self._blobs.run(lambda: self._write(added))
        if self.size - self._synced >= SYNC_BYTES and (self._syncing is None or self._syncing.done()):
            self._synced = self.size
            self._syncing = asyncio.ensure_future(self._blobs.run(self._sync))

    def _write(self, added: list[bytes]) -> None:
        with self._lock:
            try:
                self.size += _write_all(self._file, added)
            except OSError:
                self._file.truncate(self.size)
                self._is_spoiled = True
                raise

    def _sync(self) -> None:
        os.fsync(self._file.fileno())

    async def finish(self) -> str:
        if self._syncing is not None:
            await self._syncing
        await self._blobs.run(self._sync)
        await self.close()
        return self._hashed.hexdigest()

    async def close(self) -> None:
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
        await self._blobs.run(self._close)

    def _close(self) -> None:
        with self._lock:
            if not self._file.closed:
                if not self._is_spoiled and not self.waiting:
                    self._blobs.put_aside(self._id, self.size, self._hashed)
                self._file.close()


class DiskReader:
    """See `Reader`.  Who waited for a read may be gone while it still goes on, hence the lock."""

    def __init__(self, blobs: DiskBlobs, path: Path) -> None:
        self._blobs = blobs
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size
        self._lock = Lock()

    async def read(self, offset: int, length: int) -> bytes:
        return await self._blobs.run(lambda: self._read(offset, length))

    def _read(self, offset: int, length: int) -> bytes:
        with self._lock:
            self._file.seek(offset)
            return self._file.read(length)

    async def close(self) -> None:
        await self._blobs.run(self._close)

    def _close(self) -> None:
        with self._lock:
            self._file.close()


def _write_all(file: BinaryIO, pieces: list[bytes]) -> int:
    """Write pieces, by as few calls as the system allows; return their size."""
    size = sum(map(len, pieces))
    written = os.writev(file.fileno(), pieces) if hasattr(os, "writev") and 0 < len(pieces) <= PIECES else 0
    if written < size:
        left = memoryview(b"".join(pieces))[written:]
        while left:
            left = left[file.write(left) :]
    return size


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_directory(path: Path) -> None:
    """Make what was renamed into a directory durable, where systems know this."""
    with contextlib.suppress(OSError):
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
