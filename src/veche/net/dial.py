"""The client's side of a link: reach the server, speak TLS, and be sure that it is the one that was meant.

A certificate is trusted when its SHA-256 fingerprint is the pinned one, or when the system's authorities vouch for it
and for the host's name.  With nothing pinned, a certificate that nobody vouches for is not trusted: `dial` says so with
its fingerprint, the person decides, and the next `dial` has it pinned.  No byte of ours goes to a server that is not
trusted.  Plain text goes to this machine only.

Source: rows A07, A08, X03; RFC 5929 §4 (tls-server-end-point).
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from .lines import Flusher, LineHandler, LineLink
from .tls import ALPN_LINES, end_point_binding, fingerprint, readable

ANSWER_BYTES = 32 * 1024 * 1024
"""Longest line that we take from a server; a page of history may be long."""


class DialError(Exception):
    """No link was made.  Its message is a sentence for the person at the terminal."""


class CannotConnect(DialError):
    """Nobody answers there, now; later may be better."""


class NotVeche(DialError):
    """Somebody answers there, but does not speak our protocol."""


class UntrustedCertificate(DialError):
    """Nothing is pinned for this server, and no authority vouches for its certificate."""

    def __init__(self, where: str, found: str) -> None:
        super().__init__(f"Nobody vouches for the certificate of {where}. Its fingerprint is {readable(found)}.")
        self.found = found
        """fingerprint of the certificate that was shown, 64 hexadecimal digits"""


class CertificateChanged(DialError):
    """The server shows another certificate than the pinned one: it has a new one, or somebody stands between."""

    def __init__(self, where: str, expected: str, found: str) -> None:
        was = readable(expected) if expected else "one that an authority vouched for"
        super().__init__(
            f"THE CERTIFICATE OF {where} HAS CHANGED: it was {was}, it is {readable(found)}. "
            "Either the server was set up anew, or somebody reads along. Nothing was sent."
        )
        self.expected, self.found = expected, found


class Dialled(NamedTuple):
    """A link that is ready, and what is known of the other end."""

    link: LineLink
    certificate: bytes | None
    """DER; None without TLS"""
    fingerprint: str | None
    vouched: bool
    """An authority of the system vouches for the certificate, so it needs no pin."""

    @property
    def binding(self) -> bytes | None:
        """Channel binding data `tls-server-end-point`; None when there is nothing to bind to."""
        if self.certificate is None:
            return None
        try:
            return end_point_binding(self.certificate)
        except ValueError:
            return None


def system_authorities() -> ssl.SSLContext:
    """A context that trusts whom this system trusts."""
    return ssl.create_default_context()


async def dial(
    host: str,
    port: int,
    handler: LineHandler,
    *,
    tls: bool = True,
    pinned: str | None = None,
    authorities: Callable[[], ssl.SSLContext] | None = system_authorities,
    insecure: bool = False,
    timeout_s: float = 15.0,
) -> Dialled:
    """Make a link whose lines go to `handler`, or raise one of the DialErrors.

    pinned: the fingerprint that the certificate must have, 64 hexadecimal digits, with colons or without; `authorities`
    are asked about any other, None: nobody is.  insecure: whatever certificate is shown will do.
    tls=False: plain text, to an address of this machine only.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    pinned = None if pinned is None else pinned.replace(":", "").lower()
    try:
        async with asyncio.timeout(timeout_s):
            if not tls:
                link = await _connect(host, port, where, None)
                _check_loopback(link, where)
                return _ready(link, handler, None, vouched=False)
            if pinned is None and authorities is not None and not insecure:
                try:
                    link = await _connect(host, port, where, _context(authorities()))
                except ssl.SSLCertVerificationError:
                    pass
                else:
                    return _ready(link, handler, _certificate(link), vouched=True)
            link = await _connect(host, port, where, _context(None))
            shown = _certificate(link)
            if insecure or (pinned is not None and hmac.compare_digest(fingerprint(shown), pinned)):
                return _ready(link, handler, shown, vouched=False)
            link.abort()
            if pinned is None:
                raise UntrustedCertificate(where, fingerprint(shown))
            if authorities is not None:
                try:
                    link = await _connect(host, port, where, _context(authorities()))
                except ssl.SSLCertVerificationError:
                    pass
                else:
                    return _ready(link, handler, _certificate(link), vouched=True)
            raise CertificateChanged(where, pinned, fingerprint(shown))
    except TimeoutError:
        raise CannotConnect(f"{where} does not answer.") from None


class _QuietLink(LineLink):
    """Reads nothing until it is known whom it reads from."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.pause_reading()

    def extra(self, name: str) -> Any:
        return None if self._transport is None else self._transport.get_extra_info(name)


async def _connect(host: str, port: int, where: str, context: ssl.SSLContext | None) -> _QuietLink:
    """Raises SSLCertVerificationError, or one of the DialErrors."""
    loop = asyncio.get_running_loop()

    def make() -> _QuietLink:
        return _QuietLink(Flusher(loop), ANSWER_BYTES, address=host, is_secure=context is not None)

    options: dict[str, Any] = {"ssl": context, "server_hostname": host} if context is not None else {}
    try:
        _, link = await loop.create_connection(make, host, port, happy_eyeballs_delay=0.25, **options)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise NotVeche(f"What answers at {where} does not speak TLS as Veche does ({_reason(error)}).") from None
    except socket.gaierror:
        raise CannotConnect(f"There is no host named {host}, or no network to ask.") from None
    except ConnectionRefusedError:
        raise CannotConnect(f"Nobody listens at {where}. Is the server running?") from None
    except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
        raise CannotConnect(f"{where} closed the connection at once.") from None
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that IDNA refuses
        raise CannotConnect(f"{where} cannot be reached: {_reason(error)}.") from None
    sock = link.extra("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return str(reason).replace("_", " ").lower().rstrip(".")


def _context(authorities: ssl.SSLContext | None) -> ssl.SSLContext:
    context = authorities
    if context is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ALPN_LINES])
    return context


def _certificate(link: _QuietLink) -> bytes:
    ssl_object = link.extra("ssl_object")
    der = ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None
    if not der:
        link.abort()
        raise CannotConnect("The server closed the connection before it showed its certificate.")
    return bytes(der)


def _check_loopback(link: _QuietLink, where: str) -> None:
    peer = link.extra("peername")
    if not peer or not ipaddress.ip_address(str(peer[0]).partition("%")[0]).is_loopback:
        link.abort()
        raise CannotConnect(f"Without TLS only a server on this machine is spoken to, and {where} is not.")


def _ready(link: _QuietLink, handler: LineHandler, certificate: bytes | None, *, vouched: bool) -> Dialled:
    if link.extra("peername") is None:
        raise CannotConnect("The server closed the connection at once.")
    link.attach(handler)
    link.resume_reading()
    return Dialled(link, certificate, None if certificate is None else fingerprint(certificate), vouched)
