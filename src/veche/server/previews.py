"""Small pictures of pictures, made one at a time by a process that is started for each (preview_worker.py).

Source: row M48.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import NamedTuple

import structlog

from .preview_worker import MAX_BYTES

log: structlog.stdlib.BoundLogger = structlog.get_logger()

TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PREVIEW_TYPE = "image/webp"
PREVIEW_S = 10.0
"""A picture that takes longer has no preview."""
WAITING = 20
"""When so many wait already, the next one has none, so that nobody waits long for the end of an upload."""
PREVIEW_BYTES = 1024 * 1024
KEPT_ENVIRONMENT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "PATH")


class Preview(NamedTuple):
    """What was made of a picture."""

    width: int
    """Of the picture itself, as it is to be shown, in pixels."""
    height: int
    data: bytes
    """A WebP of at most 512 pixels a side."""


class Previews:
    """Makes them."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def make(self, size: int, content: AsyncIterator[bytes]) -> Preview | None:
        """The preview of a picture of so many bytes; None when there can be none, whatever the reason."""
        if size > MAX_BYTES or self._waiting >= WAITING:
            return None
        self._waiting += 1
        try:
            async with self._turn, asyncio.timeout(PREVIEW_S):
                return await made(content)
        except (OSError, TimeoutError, ValueError) as error:
            log.info("preview.failed", error=repr(error))
            return None
        finally:
            self._waiting -= 1


async def made(content: AsyncIterator[bytes]) -> Preview | None:
    """Run the worker.  Cancelled, it kills it.  Raises OSError, ValueError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "veche.server.preview_worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ},
        limit=PREVIEW_BYTES,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(ConnectionError):  # it does not want the rest
            async for chunk in content:
                process.stdin.write(chunk)
                await process.stdin.drain()
        process.stdin.close()
        head = await process.stdout.readline()
        data = await process.stdout.read(PREVIEW_BYTES + 1)
        while len(data) <= PREVIEW_BYTES and (more := await process.stdout.read(PREVIEW_BYTES)):
            data += more
        if await process.wait() != 0 or len(data) > PREVIEW_BYTES:
            return None
        width, height = json.loads(head)
        return Preview(int(width), int(height), data)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
