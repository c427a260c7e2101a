"""The generator's end of a connection.  While a measurement runs nothing is parsed: a marker that occurs once in
every delivery is counted in the bytes as they come."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

import aiofastnet

L = TypeVar("L", bound="Link")


class Link(asyncio.Protocol):
    """One connection: a dialogue first (`expect`), then counted (`count`) or thrown away (`ignore`)."""

    def __init__(self) -> None:
        self.closed = False
        self.buffer = b""
        """What arrived and was not yet expected."""
        self.kept: list[bytes] | None = None
        """What is counted is kept here too, to be read when the measurement is over."""
        self._transport: Any = None
        self._arrived: asyncio.Future[None] | None = None
        self._take: Callable[[bytes], object] = self._collect
        self._marker = self._tail = b""
        self._on_count: Callable[[int], None] = lambda _: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_exception(ConnectionError(f"closed: {exc!r}; last heard {self.buffer[-300:]!r}"))

    def data_received(self, data: bytes) -> None:
        self._take(data)

    # -- dialogue

    def _collect(self, data: bytes) -> None:
        self.buffer += data
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    async def expect(self, *ends: bytes, patience: float = 30) -> bytes:
        """What arrives up to the first of `ends`, it included."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    for end in ends:
                        at = self.buffer.find(end)
                        if at >= 0:
                            at += len(end)
                            heard, self.buffer = self.buffer[:at], self.buffer[at:]
                            return heard
                    if self.closed:
                        raise ConnectionError(f"closed; last heard {self.buffer[-300:]!r}")
                    self._arrived = asyncio.get_running_loop().create_future()
                    await self._arrived
        except TimeoutError:
            raise TimeoutError(f"expected {ends!r}, heard {self.buffer[-300:]!r}") from None
        finally:
            self._arrived = None

    # -- measurement

    def count(self, marker: bytes, on_count: Callable[[int], None]) -> None:
        """From now on (what was not expected included) tell how often `marker` arrived."""
        self._marker, self._tail, self._on_count = marker, b"", on_count
        self._take = self._count
        waiting, self.buffer = self.buffer, b""
        if waiting:
            self._count(waiting)

    def _count(self, data: bytes) -> int:
        if self.kept is not None:
            self.kept.append(data)
        if self._tail:
            data = self._tail + data
        found = data.count(self._marker)
        self._tail = data[1 - len(self._marker) :]
        if found:
            self._on_count(found)
        return found

    def talk(self) -> None:
        """From now on keep what arrives, for `expect`."""
        self.buffer, self._take = b"", self._collect

    def ignore(self) -> None:
        """From now on throw away what arrives."""
        self.buffer, self._take = b"", _drop

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def lines(self, heard: bytes) -> list[bytes]:
        """The lines in bytes that were kept."""
        return [line for line in heard.split(b"\r\n") if line]

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(OSError):
                self._transport.abort()


class WebLink(Link):
    """The same over a WebSocket, once `shake_hands` was called: a message a line, either way."""

    def __init__(self) -> None:
        super().__init__()
        self._is_open = False
        self._rest = b""

    async def shake_hands(self, path: bytes) -> None:
        """RFC 6455 §4."""
        self._transport.write(
            b"GET %b HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" % path
        )
        if b" 101 " not in await self.expect(b"\r\n\r\n"):
            raise ConnectionError("no WebSocket")
        self._is_open = True

    def write(self, data: bytes) -> None:
        """Masked with zeros, which costs nothing."""
        self._transport.write(
            b"".join(
                [
                    (b"\x81" + bytes([0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big"))
                    + b"\0\0\0\0"
                    + line
                    for line in data.splitlines()
                    if (size := len(line))
                ]
            )
        )

    def _collect(self, data: bytes) -> None:
        if not self._is_open:
            super()._collect(data)
            return
        found, self._rest = messages(self._rest + data)
        super()._collect(b"".join([line + b"\r\n" for line in found]))

    def talk(self) -> None:
        super().talk()
        self._rest = b""

    def lines(self, heard: bytes) -> list[bytes]:
        return messages(heard)[0]


def messages(heard: bytes) -> tuple[list[bytes], bytes]:
    """What whole, unmasked frames hold, and what is left."""
    found: list[bytes] = []
    at, end = 0, len(heard)
    while end - at >= 2:
        start, size = at + 2, heard[at + 1]
        if size > 125:
            start += 2 if size == 126 else 8
            size = int.from_bytes(heard[at + 2 : start], "big")
        if end < start + size:
            break
        if heard[at] == 0x81:
            found.append(heard[start : start + size])
        at = start + size
    return found, heard[at:]


def _drop(data: bytes) -> None:
    """Nobody asked for this."""


@functools.cache
def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def open_link(port: int, tls: bool, kind: Callable[[], L]) -> L:
    """Connect to this machine.  aiofastnet costs less than uvloop's transports: the generator must not be the limit."""
    loop = asyncio.get_running_loop()
    _, link = await aiofastnet.create_connection(
        loop,
        kind,
        "127.0.0.1",
        port,
        ssl=_context() if tls else None,
        server_hostname="localhost" if tls else None,
    )
    return link
