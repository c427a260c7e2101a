"""A direct link: TLS 1.3 between two devices, each of which expects one certificate and lets in nobody else.

Each end makes a certificate for the one link and learns the other's beforehand (the server introduces them).  It trusts
that one alone, so TLS itself refuses everybody else, at both ends.  One listens, on a port that the system picks; the
other dials, one address after the other.

With TLS 1.3 a client is ready before the server has looked at its certificate (RFC 8446 §2, figure 1), so the listener
says PING first, and the dialer has a link when that has come.  Lines are JSON, as on the link to a server; a line that
is no packet of `DirectPacket` ends the link, and so does silence that PING cannot break.

Source: rows T43, T48, T49, T52, X11; RFC 8446.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import secrets
import socket
import ssl
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec

from veche.packets import MAX_LINE_BYTES, MAX_TEXT, ErrorCode
from veche.packets.codec import LINE_END
from veche.packets.link import Ping, Pong
from veche.packets.private import DirectPacket, PrivateBye, PrivateText

from .lines import Flusher, LineLink
from .tls import self_signed

HANDSHAKE_S = 5.0
"""Who knocks must have shown a certificate by then."""
KNOCKING = 16
"""So many may knock at once; one more, and the oldest of them is dropped."""
DIAL_S = 4.0
"""One address is tried for so long."""
ADDRESSES = 16
"""Further addresses are not tried."""
PULSE_S = 15.0
"""PING is sent so often; three times without a line of the other, and they are gone."""
GRACE_S = 2.0
"""What a farewell has to reach the other side before the link is cut."""

STARTS = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
ENDS = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
"""Clocks of two devices may differ; what bounds the trust in these certificates is the link (RFC 5280 §4.1.2.5)."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DirectPacket).decode


class NoDirectPath(Exception):
    """The two devices did not meet.  Its message is a sentence for a person."""


class BadText(ValueError):
    """This text cannot be said.  Its message is a sentence for a person."""


class Identity:
    """What a device shows on one direct link.  Its key is in memory only.

    Making one takes milliseconds (the first of a process some more), so it belongs in a thread.
    is_listener: it is for the end that listens.  Raises NoDirectPath: there is no place for a temporary file.
    """

    def __init__(self, *, is_listener: bool) -> None:
        password = secrets.token_bytes(32)
        name = secrets.token_hex(8)  # of its own, since OpenSSL looks for those it trusts by their name
        certificate, key = self_signed(name, [], STARTS, ENDS, password)
        self.certificate = ssl.PEM_cert_to_DER_cert(certificate.decode())
        """DER"""
        self._context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_listener else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # nobody has a name here, each has one certificate
        context.verify_mode = ssl.CERT_REQUIRED
        if is_listener:
            context.num_tickets = 0  # nobody comes twice
        try:
            with tempfile.TemporaryDirectory() as directory:  # ssl takes keys from files only; this one is encrypted
                path = Path(directory) / "identity.pem"
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(certificate + key)
                context.load_cert_chain(path, password=password)
        except OSError as error:
            raise NoDirectPath(f"This device cannot make a certificate: {error.strerror or error}.") from None

    def expecting(self, peer: bytes) -> ssl.SSLContext:
        """The context of a link with whoever shows this certificate (DER).  Raises NoDirectPath: it is none."""
        try:
            self._context.load_verify_locations(cadata=peer)
        except (ssl.SSLError, ValueError):
            raise NoDirectPath("The other device sent a certificate that cannot be read.") from None
        return self._context


class DirectLink:
    """One end of a direct link: texts in, texts out, and the pulse of the other end.

    Until `start` what came is kept, and no more is read.  pulse_s: see PULSE_S.
    """

    def __init__(self, pulse_s: float = PULSE_S) -> None:
        self._loop = asyncio.get_running_loop()
        self.lines = LineLink(Flusher(self._loop), MAX_LINE_BYTES, address="", is_secure=True)
        """The protocol of the transport; it has no other user."""
        self.lines.attach(self)
        self.is_over = False
        """Nothing is sent or told any more."""
        self._pulse_s, self._silent = pulse_s, 0
        self._timer = self._loop.call_later(pulse_s, self._beat)
        self._is_paused = False
        self._said: Callable[[str], None] | None = None
        self._ended: Callable[[bool, ErrorCode | None], None] | None = None
        self._early: list[str] = []
        self._end: tuple[bool, ErrorCode | None] | None = None
        self._heard = asyncio.Event()
        self._gone = asyncio.Event()
        self._may_send = asyncio.Event()
        self._may_send.set()

    def start(self, said: Callable[[str], None], ended: Callable[[bool, ErrorCode | None], None]) -> None:
        """Hand on what the other says, from the first text, and once, as the last, that the link has ended.

        ended(by_peer, code): whether the other said so; else it broke, and the code is why.  After `close` nothing is.
        """
        self._said, self._ended = said, ended
        early, self._early = self._early, []
        for text in early:
            self._take(text)
        if self._end is not None:
            ended(*self._end)
        elif not self._is_paused:
            self.lines.resume_reading()

    async def heard(self) -> bool:
        """Wait for the first line of the other end; False: there was none, and the link has ended."""
        await self._heard.wait()
        return not self.is_over

    # -- out

    @property
    def is_full(self) -> bool:
        """The other end does not take what it is sent."""
        return not self._may_send.is_set()

    async def room(self) -> None:
        """Wait until it does, or the link has ended."""
        await self._may_send.wait()

    def say(self, text: str) -> None:
        """Send a text; once the link is over it goes nowhere.  Raises BadText."""
        if not 0 < len(text) <= MAX_TEXT:
            raise BadText(f"A text has 1 to {MAX_TEXT:,} characters.")
        try:
            line = _encode(PrivateText(text=text)) + LINE_END
        except UnicodeEncodeError:
            raise BadText("The text has characters that are not Unicode.") from None
        if len(line) > MAX_LINE_BYTES:
            raise BadText("The text is too long for one message.")
        self._put(line)

    def greet(self) -> None:
        """Say that the other end is let in."""
        self._put(_encode(Ping()) + LINE_END)

    def close(self, code: ErrorCode | None = None) -> None:
        """Say goodbye, and close.  Idempotent."""
        if not self.is_over:
            self._put(_encode(PrivateBye(code=code)) + LINE_END)
            self._finish()

    async def closed(self) -> None:
        """Wait until nothing is left of the link."""
        await self._gone.wait()

    def abort(self) -> None:
        """Close at once."""
        self.is_over = True
        self._timer.cancel()
        self.lines.abort()

    def _put(self, line: bytes) -> None:
        if not self.is_over:
            self.lines.put(line)
            self.lines.flush()  # at once, so that the transport says when it is full

    def _finish(self) -> None:
        """Nothing is said any more; what was said has GRACE_S to leave."""
        self.is_over = True
        self._timer.cancel()
        self.lines.close()
        self._timer = self._loop.call_later(GRACE_S, self.lines.abort)

    def _tell_end(self, by_peer: bool, code: ErrorCode | None) -> None:
        self._end = by_peer, code
        self._heard.set()
        if self._ended is not None:
            self._ended(by_peer, code)

    # -- in

    def pause(self) -> None:
        """Read no further for now.  Idempotent."""
        self._is_paused = True
        self.lines.pause_reading()

    def resume(self) -> None:
        """Read on.  Idempotent."""
        self._is_paused = False
        if self._said is not None:
            self.lines.resume_reading()

    def _take(self, text: str) -> None:
        if self._said is None:
            self._early.append(text)
        elif not self.is_over:
            self._said(text)

    def _beat(self) -> None:
        self._silent += 1
        if self._is_paused or self._said is None:
            self._silent = 0  # we do not listen
        if self._silent > 3:
            self._broke(ErrorCode.IDLE)
            return
        if not self.is_full:
            self.greet()
        self._timer = self._loop.call_later(self._pulse_s, self._beat)

    def _broke(self, code: ErrorCode) -> None:
        """We end it, by no wish of anybody."""
        self.close(code)
        self._tell_end(False, code)

    # -- what the lines report

    def receive_line(self, line: bytes) -> None:
        if self.is_over:
            return
        self._silent = 0
        try:
            packet = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._broke(ErrorCode.BAD_PACKET)
            return
        match packet:
            case PrivateText(text=text):
                self._take(text)
            case PrivateBye(code=code):
                self._finish()
                self._tell_end(True, code)
            case Ping(tag=tag) if not self.is_full:
                self._put(_encode(Pong(tag=tag)) + LINE_END)
            case _:
                pass
        self._heard.set()
        if self._said is None:
            self.lines.pause_reading()

    def line_too_long(self) -> None:
        if not self.is_over:
            self._broke(ErrorCode.TOO_LARGE)

    def pause_sending(self) -> None:
        self._may_send.clear()

    def resume_sending(self) -> None:
        self._may_send.set()

    def link_lost(self, error: Exception | None) -> None:
        self._timer.cancel()
        self._gone.set()
        self._may_send.set()
        if not self.is_over:
            self.is_over = True
            self._tell_end(False, ErrorCode.OFFLINE)
        self._heard.set()


class Listener:
    """Waits for one device, on a port of every interface that the system picks.  Raises NoDirectPath.

    peer: the certificate that will be shown, DER.
    """

    def __init__(self, identity: Identity, peer: bytes, *, pulse_s: float = PULSE_S) -> None:
        self._context, self._peer, self._pulse_s = identity.expecting(peer), peer, pulse_s
        try:
            self._socket = _listening_socket()
        except OSError as error:
            raise NoDirectPath(f"This device cannot listen: {error.strerror or error}.") from None
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._found: asyncio.Future[DirectLink] = asyncio.get_running_loop().create_future()
        self._knocking: dict[asyncio.Task[None], socket.socket] = {}

    async def accept(self, timeout_s: float) -> DirectLink:
        """The link, once the device has come; then, or when nobody came, nobody listens any more.

        Raises NoDirectPath.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._until_found()
        except BaseException as error:
            if self._found.done():
                self._found.result().abort()
            if isinstance(error, TimeoutError):
                raise NoDirectPath("The other device did not reach this one.") from None
            raise
        return self._found.result()

    async def _until_found(self) -> None:
        taking = asyncio.create_task(self._take())
        with closing(self):
            try:
                await asyncio.wait([self._found])
            finally:
                tasks = [taking, *self._knocking]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """Listen no longer.  Idempotent."""
        self._socket.close()

    async def _take(self) -> None:
        """Let people knock."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(self._socket)
            except OSError:  # they left again, or this process has too many files open
                await asyncio.sleep(0.1)
                continue
            if len(self._knocking) >= KNOCKING:
                next(iter(self._knocking)).cancel()
            task = asyncio.create_task(self._greet(sock))
            self._knocking[task] = sock
            task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        sock = self._knocking.pop(task)
        if task.cancelled():  # perhaps before a transport had it
            sock.close()

    async def _greet(self, sock: socket.socket) -> None:
        """See who it is."""
        loop = asyncio.get_running_loop()
        link = DirectLink(self._pulse_s)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: link.lines, sock, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError:  # ssl.SSLError is one
            link.abort()
        except BaseException:
            link.abort()
            raise
        else:
            if self._found.done() or not _is_peer(transport, self._peer):
                link.abort()
            else:
                link.greet()
                self._found.set_result(link)


async def dial(
    identity: Identity,
    peer: bytes,
    addresses: Sequence[str],
    port: int,
    *,
    patience_s: float = DIAL_S,
    pulse_s: float = PULSE_S,
) -> DirectLink:
    """A link to the device that shows the certificate `peer` (DER), at the first address where it listens.

    addresses: of IPv4 and IPv6; names are not looked up.  patience_s: for each of them.  Raises NoDirectPath.
    """
    context = identity.expecting(peer)
    for address in addresses[:ADDRESSES]:
        link = DirectLink(pulse_s)
        try:
            async with asyncio.timeout(patience_s):
                if await _is_there(link, context, peer, address, port):
                    return link
        except (OSError, ValueError, OverflowError):  # ssl.SSLError and TimeoutError are OSErrors; or it is no address
            pass
        except BaseException:
            link.abort()
            raise
        link.abort()
    raise NoDirectPath(
        "There is no direct path to the other device: it does not answer at " + ", ".join(addresses[:ADDRESSES]) + "."
        if addresses
        else "There is no direct path to the other device: it has no address that could be tried."
    )


async def _is_there(link: DirectLink, context: ssl.SSLContext, peer: bytes, address: str, port: int) -> bool:
    """Connect, see who it is, and wait to be let in."""
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: link.lines, address, port, ssl=context, server_hostname="", flags=socket.AI_NUMERICHOST
    )
    return _is_peer(transport, peer) and await link.heard()


def _is_peer(transport: asyncio.BaseTransport, peer: bytes) -> bool:
    """The very certificate, not another that it has signed or that came with it."""
    ssl_object: Any = transport.get_extra_info("ssl_object")
    return ssl_object is not None and ssl_object.getpeercert(binary_form=True) == peer


def _listening_socket() -> socket.socket:
    """On every interface and one port, for IPv6 and IPv4 where the system has both."""
    if socket.has_dualstack_ipv6():
        with suppress(OSError):
            return socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=KNOCKING)
    return socket.create_server(("", 0), backlog=KNOCKING)


def own_addresses() -> list[str]:
    """The addresses of this machine from which it reaches others, IPv4 first; none on a machine without a network."""
    found: list[str] = []
    for family, somewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):  # RFC 5737, RFC 3849
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((somewhere, 9))  # of UDP: nothing is sent, a route is chosen
            found.append(probe.getsockname()[0])
    return found
