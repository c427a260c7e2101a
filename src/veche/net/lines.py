"""A link of lines: bytes in, lines out to whoever handles them; what is put during a loop tick is written once.

Writing each line at once costs a factor of six to eight against one write a tick, so `put` only remembers, and the
`Flusher` of the loop writes every touched link at the end of the tick.

Backpressure: above the high mark of unwritten bytes the handler is told to pause, below the low mark to resume.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from veche.core.lines import LineBuffer, LineTooLong

HIGH_BYTES = 256 * 1024
LOW_BYTES = 64 * 1024


class LineHandler(Protocol):
    """What stands above a link."""

    def receive_line(self, line: bytes) -> None:
        """One line, without its LF."""
        ...

    def line_too_long(self) -> None:
        """The other side sent more than a line may hold; the link will not be read any further."""
        ...

    def pause_sending(self) -> None:
        """The other side does not read; put as little as possible until `resume_sending`."""
        ...

    def resume_sending(self) -> None:
        """The buffer has drained."""
        ...

    def link_lost(self, error: Exception | None) -> None:
        """The link is gone.  Called exactly once."""
        ...


class Link(Protocol):
    """What a handler may do with its link, whatever carries it."""

    is_secure: bool
    address: str
    """The other side's IP address."""

    def put(self, line: bytes) -> None:
        """Send a line (its end included) at the end of this loop tick."""
        ...

    def pause_reading(self) -> None:
        """Take no further lines for now.  Idempotent."""
        ...

    def resume_reading(self) -> None:
        """Take lines again.  Idempotent."""
        ...

    def close(self) -> None:
        """Write what was put, then close."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Flusher:
    """Writes each touched link once per loop tick.  One per event loop."""

    __slots__ = ("_call_soon", "_dirty")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._call_soon = loop.call_soon
        self._dirty: list[LineLink] = []

    def touch(self, link: LineLink) -> None:
        """This link has something to write."""
        if not self._dirty:
            self._call_soon(self._flush)
        self._dirty.append(link)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for link in dirty:
            link.flush()


class LineLink(asyncio.Protocol):
    """The protocol of a TCP or TLS connection that carries lines."""

    __slots__ = (
        "_buffer",
        "_flusher",
        "_handler",
        "_is_closed",
        "_is_reading",
        "_out",
        "_transport",
        "address",
        "is_secure",
    )

    def __init__(self, flusher: Flusher, line_limit: int, *, address: str, is_secure: bool) -> None:
        self._flusher = flusher
        self._buffer = LineBuffer(line_limit)
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._handler: LineHandler | None = None
        self._is_closed = False
        self._is_reading = True
        self.address = address
        self.is_secure = is_secure

    def attach(self, handler: LineHandler) -> None:
        """Say who handles this link; before the first byte."""
        self._handler = handler

    # -- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        self._transport.set_write_buffer_limits(HIGH_BYTES, LOW_BYTES)  # type: ignore[union-attr]

    def data_received(self, data: bytes) -> None:
        handler = self._handler
        if handler is None or self._is_closed:
            return
        try:
            lines = self._buffer.feed(data)
        except LineTooLong as error:
            for line in error.lines:
                handler.receive_line(line)
            self.pause_reading()
            handler.line_too_long()
            return
        receive = handler.receive_line
        for line in lines:
            receive(line)

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        if self._handler is not None:
            self._handler.pause_sending()

    def resume_writing(self) -> None:
        if self._handler is not None:
            self._handler.resume_sending()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closed = True
        self._transport = None
        self._out = []
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.link_lost(exc)

    # -- called by the handler

    def put(self, line: bytes) -> None:
        out = self._out
        if not out:
            self._flusher.touch(self)
        out.append(line)

    def flush(self) -> None:
        """Write what was put."""
        out = self._out
        if not out:
            return
        self._out = []
        transport = self._transport
        if transport is not None:
            transport.write(out[0] if len(out) == 1 else b"".join(out))

    def pause_reading(self) -> None:
        if self._is_reading and self._transport is not None and not self._is_closed:
            self._is_reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._is_reading and self._transport is not None and not self._is_closed:
            self._is_reading = True
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is None or self._is_closed:
            return
        self.flush()
        self._is_closed = True
        self._transport.close()

    def abort(self) -> None:
        self._is_closed = True
        if self._transport is not None:
            self._transport.abort()
