"""Files that are whole or not there: written aside, flushed to the disk, moved into their place.  And locks.

What holds secrets can be read by its owner only, from the moment it exists.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

PRIVATE, PLAIN = 0o600, 0o644


class Busy(Exception):
    """Another process has what was asked for; the text says what to do."""


def write_whole(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Put a file in its place, or leave what was there.  Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        try:
            os.fchmod(handle, mode) if hasattr(os, "fchmod") else os.chmod(name, mode)
            written = 0
            while written < len(data):
                written += os.write(handle, data[written:])
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make sure that a name in a folder outlives a power cut.  Systems without such a thing do it by themselves."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_private(folder: Path) -> None:
    """Make a folder, and those above it, that its owner alone can look into.  Raises OSError."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True, busy: str = "Another process is writing there.") -> Generator[None]:
    """Hold a lock file, against other processes and other threads.  It goes when its process does.

    Raises Busy when it is taken and `wait` is false; OSError.
    """
    with path.open("ab+") as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:
                raise Busy(busy) from None
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Busy(busy) from None
            yield
