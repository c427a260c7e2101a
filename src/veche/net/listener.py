"""The one port.  Everything arrives at it and the first bytes say what it is.

A TLS record (first byte 0x16) starts TLS; ALPN then picks lines (`veche/1`) or HTTP (`http/1.1`), and without ALPN the
first decrypted bytes decide, as they do for plain text: an HTTP method means HTTP, `TRANSFER` the bytes of a file,
anything else lines.
Plain text is taken from this machine only, unless a proxy stands before us.

The listener accepts sockets itself and peeks one byte, so that no transport is made before it is known which.  Every
step has a deadline, and connections that have not said what they are are counted: a crowd of silent ones costs nobody
else.

Source: rows A07, A08, X19.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import Any

import structlog

from veche.packets import ERROR_TEXT, ErrorCode
from veche.packets.codec import JsonCodec
from veche.packets.link import Error

from .lines import Flusher, LineLink
from .tls import ALPN_HTTP, ALPN_LINES

try:  # faster transports for any loop; the standard ones do as well
    from aiofastnet import connect_accepted_socket as _fast_connect
except ImportError:  # pragma: no cover - a platform without the extension
    _fast_connect = None

log: structlog.stdlib.BoundLogger = structlog.get_logger()

TLS_HANDSHAKE = 0x16
FIRST_BYTE_S = 10.0
"""A connection must say its first byte, and finish its handshake, within this time."""
UNDECIDED = 2048
"""At most so many connections may be undecided at once; the oldest is dropped for a new one."""
ACCEPTS_A_TICK = 64
TRANSFER = b"TRANSFER "
HTTP_METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"TRACE ")
PLAIN_REFUSED = JsonCodec().encode(Error(code=ErrorCode.TLS_REQUIRED, reason=ERROR_TEXT[ErrorCode.TLS_REQUIRED]))


def looks_like_http(first: bytes) -> bool | None:
    """Whether these first bytes are an HTTP request; None when more are needed.  CONNECT is ours, not HTTP's."""
    if any(first.startswith(method) for method in HTTP_METHODS):
        return True
    if any(method.startswith(first) for method in HTTP_METHODS):
        return None
    return False


def looks_like_transfer(first: bytes) -> bool | None:
    """Whether these first bytes are the line before the raw bytes of a file (row M55); None when more are needed."""
    if first.startswith(TRANSFER):
        return True
    return None if TRANSFER.startswith(first) else False


def may_speak_plainly(ip: str, *, behind_proxy: bool) -> bool:
    """Whether this address may do without TLS: this machine, or a proxy that has done it (row A08)."""
    return behind_proxy or ipaddress.ip_address(ip.partition("%")[0]).is_loopback


class Switch(asyncio.Protocol):
    """Stands on a connection until it is known what it carries, then gives it to its real protocol."""

    __slots__ = ("_first", "_listener", "_timer", "_transport", "_waits_for_http", "address", "is_secure")

    def __init__(self, listener: OnePort, address: str, is_secure: bool) -> None:
        self._listener = listener
        self._transport: Any = None
        self._first = b""
        self._waits_for_http = False
        self._timer: asyncio.TimerHandle | None = None
        self.address = address
        self.is_secure = is_secure

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        protocol = None
        if self.is_secure:
            protocol = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        if protocol == ALPN_LINES:
            self._become_lines()
        elif protocol == ALPN_HTTP:
            self._become_http()
        else:
            self._timer = self._listener.loop.call_later(FIRST_BYTE_S, transport.abort)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._first += data
        if self._waits_for_http:
            self._transport.pause_reading()  # there is enough to begin with
            return
        is_http, is_transfer = looks_like_http(self._first), looks_like_transfer(self._first)
        if is_http is None or is_transfer is None:
            return
        if is_http:
            self._become_http()
        elif is_transfer:
            self._become(self._listener.make_transfer())
        else:
            self._become_lines()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _become(self, protocol: asyncio.Protocol) -> None:
        self._cancel()
        transport, self._transport = self._transport, None
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self._first:
            protocol.data_received(self._first)

    def _become_lines(self) -> None:
        listener = self._listener
        link = LineLink(listener.flusher, listener.line_limit, address=self.address, is_secure=self.is_secure)
        self._cancel()
        transport, self._transport = self._transport, None
        transport.set_protocol(link)
        link.connection_made(transport)
        listener.on_link(link)
        if self._first:
            link.data_received(self._first)

    def _become_http(self) -> None:
        protocol = self._listener.make_http(self)
        if protocol is not None:
            self._become(protocol)
        elif not self._waits_for_http:  # the web part is still being loaded
            self._waits_for_http = True
            self._listener.when_http(self._resume_http)

    def _resume_http(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._become_http()


class OnePort:
    """Listens on one address and hands out links and HTTP connections."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext,
        line_limit: int,
        on_link: Callable[[LineLink], None],
        make_http: Callable[[Switch], asyncio.Protocol | None],
        when_http: Callable[[Callable[[], None]], None],
        make_transfer: Callable[[], asyncio.Protocol],
        may_connect: Callable[[str], bool],
        behind_proxy: bool = False,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.flusher = Flusher(self.loop)
        self.line_limit = line_limit
        self.on_link = on_link
        self.make_http = make_http
        self.when_http = when_http
        self.make_transfer = make_transfer
        self._may_connect = may_connect
        self._tls = tls
        self._behind_proxy = behind_proxy
        self._socket: socket.socket | None = None
        self._undecided: dict[int, tuple[socket.socket, str, asyncio.TimerHandle]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, host: str, port: int) -> tuple[str, int]:
        """Start listening; returns the real address.  Raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        info = socket.getaddrinfo(host or None, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listening = socket.socket(info[0][0], socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listening.setblocking(False)
            listening.bind(info[0][4])
            listening.listen(4096)
        except BaseException:
            listening.close()
            raise
        self._socket = listening
        self.loop.add_reader(listening.fileno(), self._accept)
        address = listening.getsockname()
        return address[0], address[1]

    def _accept(self) -> None:
        assert self._socket is not None
        for _ in range(ACCEPTS_A_TICK):
            try:
                accepted, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    log.error("accept.no_resources", error=str(error))
                    self.loop.remove_reader(self._socket.fileno())
                    self.loop.call_later(1.0, self._listen_again)
                    return
                raise
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ip = str(address[0]).removeprefix("::ffff:")
            if not self._may_connect(ip):
                accepted.close()
                continue
            self._peek(accepted, ip)

    def _listen_again(self) -> None:
        if self._socket is not None:
            self.loop.add_reader(self._socket.fileno(), self._accept)

    def _peek(self, accepted: socket.socket, ip: str) -> None:
        try:
            first = accepted.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            self._wait_for_first(accepted, ip)
            return
        except OSError:
            accepted.close()
            return
        self._decide(accepted, ip, first)

    def _wait_for_first(self, accepted: socket.socket, ip: str) -> None:
        if len(self._undecided) >= UNDECIDED:
            self._drop_undecided(next(iter(self._undecided)))
        number = accepted.fileno()
        timer = self.loop.call_later(FIRST_BYTE_S, self._drop_undecided, number)
        self._undecided[number] = accepted, ip, timer
        self.loop.add_reader(number, self._first_byte, number)

    def _drop_undecided(self, number: int) -> None:
        accepted, _, timer = self._undecided.pop(number)
        timer.cancel()
        self.loop.remove_reader(number)
        accepted.close()

    def _first_byte(self, number: int) -> None:
        accepted, ip, timer = self._undecided.pop(number)
        timer.cancel()
        self.loop.remove_reader(number)
        self._peek(accepted, ip)

    def _decide(self, accepted: socket.socket, ip: str, first: bytes) -> None:
        if not first:
            accepted.close()
            return
        is_tls = first[0] == TLS_HANDSHAKE
        if not is_tls and not may_speak_plainly(ip, behind_proxy=self._behind_proxy):
            with contextlib.suppress(OSError):
                accepted.send(PLAIN_REFUSED)
            accepted.close()
            return
        task = self.loop.create_task(self._connect(accepted, Switch(self, ip, is_tls), is_tls))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, accepted: socket.socket, switch: Switch, is_tls: bool) -> None:
        try:
            options: dict[str, Any] = {"ssl": self._tls, "ssl_handshake_timeout": FIRST_BYTE_S} if is_tls else {}
            if _fast_connect is not None:
                await _fast_connect(self.loop, lambda: switch, accepted, **options)
            else:
                await self.loop.connect_accepted_socket(lambda: switch, accepted, **options)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            # the other side's fault: a scanner, a client that refuses our certificate, a lost connection
            log.debug("link.handshake_failed", address=switch.address, error=str(error))
            accepted.close()

    async def close(self) -> None:
        """Stop listening; links that exist live on."""
        if self._socket is not None:
            self.loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        for number in list(self._undecided):
            self._drop_undecided(number)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
