"""One connection of the server: lines in, packets out, and the device's place in the delivery.

Packets of one connection are handled in their order.  Most handlers are plain calls; one that must wait is a coroutine,
and what arrives meanwhile waits in a short backlog, with reading paused.

Refusals are made here, in one place: a handler raises `Refused`, a line that is no packet never reaches a handler, and
an unknown error is logged once with its traceback and answered `internal-error`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from veche.core import conference
from veche.core.budget import Bucket
from veche.core.delivery import DeviceFeed
from veche.core.scram import ServerScram
from veche.net.lines import Link
from veche.packets import (
    ERROR_TEXT,
    FAILED_BY_REQUEST,
    ClientPacket,
    ErrorCode,
    Failed,
    Packet,
    classic,
    link,
    message,
    presence,
    type_name,
)
from veche.packets.codec import BadPacket, Codec, JsonCodec, UnknownPacket
from veche.packets.conference import ConferenceMessageFailed, Signal
from veche.packets.text import TextCodec
from veche.storage.database import StorageError

from .live import LiveAccount, Route

if TYPE_CHECKING:
    from .app import HomeServer
    from .classic.dialogue import Dialogue

log: structlog.stdlib.BoundLogger = structlog.get_logger()

JSON = JsonCodec()
TEXT = TextCodec()

BAD_LINES, BAD_LINES_PER_S = 20.0, 0.5
"""A connection may send so many bad lines at once, and so many a second in the long run."""
PACKETS, PACKETS_PER_S = 200.0, 20.0
"""The same for packets before login; above it reading pauses."""
BACKLOG = 64
"""Lines that may wait behind a handler before reading pauses."""
GRACE_S = 2.0
"""What GOODBYE has to reach the other side before the link is cut."""
PAGE = 500
"""Entries of the log read at once for a device that has been away."""

BY_ITSELF = {
    link.Ping,
    link.Pong,
    link.ClientHello,
    message.MessageDeliveredUpTo,
    presence.PresenceSet,
    Signal,
    classic.Input,
}
"""What a client may send while nobody sits before it; and INPUT, which after log-in is a line that is no command."""

Handler = Callable[["Session", Any], "Coroutine[Any, Any, None] | None"]


class Refused(Exception):
    """A request is refused.  The session answers with the request's own -FAILED packet."""

    def __init__(self, code: ErrorCode, reason: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason or ERROR_TEXT[code]
        self.retry_after_s = retry_after_s


class Session:
    """One connection, before and after login."""

    __slots__ = (
        "_backlog",
        "_backlog_waits",
        "_bad_lines",
        "_codec",
        "_decode",
        "_handlers",
        "_is_busy",
        "_is_held",
        "_packets",
        "_slow_until",
        "account",
        "active_at",
        "app",
        "connected_at",
        "device",
        "device_id",
        "dialogue",
        "feed",
        "is_alive",
        "is_away",
        "is_closing",
        "is_json",
        "left_with",
        "link",
        "login_name",
        "origin",
        "pending",
        "routes",
        "scram",
        "signals",
        "silent_sweeps",
        "token_id",
        "unacknowledged",
        "was_heard",
    )

    def __init__(self, app: HomeServer, link: Link) -> None:
        now = app.monotonic()
        self.app = app
        self.link = link
        self.connected_at = now
        self.origin = app.origin_of(link.address)
        """What failures are counted by."""
        self.account: LiveAccount | None = None
        self.device = ""
        self.device_id = 0
        self.token_id: int | None = None
        self.feed: DeviceFeed | None = None
        self.routes: dict[str, Route] = {}
        self.scram: tuple[ServerScram, Any, Any] | None = None
        self.login_name = ""
        self.dialogue: Dialogue | None = None
        """With a classic terminal."""
        self.pending = 0
        """Messages that wait for their MESSAGE-SENT."""
        self.unacknowledged: dict[LiveAccount, tuple[int, int]] = {}
        """By author: (conversation, last id put on this link and not yet acknowledged by the device)."""
        self.was_heard = True
        self.silent_sweeps = 0
        self.active_at = now
        """When the person last asked for something; what a client does by itself does not count."""
        self.is_away = False
        self.signals: Bucket | None = None
        """How much it may still say to other legs."""
        self.left_with: ErrorCode | None = None
        """What the connection was closed with; None: it broke."""
        self.is_alive = True
        self.is_closing = False
        self.is_json = True
        self._codec: Codec | None = None
        self._decode: Callable[[bytes], ClientPacket] = self._decode_first
        self._handlers: dict[type[Packet], Handler] = app.public_handlers
        self._is_busy = False
        self._is_held = False
        self._slow_until = now
        self._backlog_waits = False
        """The backlog waits until the link has drained, else answers to who does not read them would pile up; or until
        a budget lets it go on."""
        self._backlog: deque[bytes] = deque()
        self._bad_lines: Bucket | None = None
        self._packets: Bucket | None = Bucket(PACKETS_PER_S, PACKETS, now)

    # -- lines in

    def receive_line(self, line: bytes) -> None:
        """Handle one line, in its turn."""
        if self._is_busy:
            self._backlog.append(line)
            if len(self._backlog) >= BACKLOG:
                self.link.pause_reading()
            return
        if self.is_closing:
            return
        self.was_heard = True
        try:
            packet = self._decode(line)
        except BadPacket as error:
            self._bad_packet(error, line)
            return
        except UnknownPacket as error:
            self.send(link.ErrorNotImplemented(request_type=error.request, tag=error.tag))
            self._spend()
            return
        handler = self._handlers.get(type(packet))
        if handler is None:
            self._refuse(packet, Refused(ErrorCode.NOT_LOGGED_IN))
            self._spend()
            return
        if self._packets is not None:
            self._spend()
        elif type(packet) not in BY_ITSELF:
            self.active_at = self.app.monotonic()
            if self.is_away:
                self.app.set_away(self, False)
        try:
            waiting = handler(self, packet)
        except Exception as error:
            self._failed(packet, error)
            return
        if waiting is not None:
            self._is_busy = True
            self.app.spawn(self._finish(packet, waiting))

    async def _finish(self, packet: Packet, waiting: Coroutine[Any, Any, None]) -> None:
        try:
            await waiting
        except Exception as error:
            self._failed(packet, error)
        self._go_on()

    def _go_on(self) -> None:
        """Handle what waits in the backlog, then take further lines."""
        self._is_busy = False
        while self._backlog and not self._is_busy:
            if self in self.app.full_links or self._is_held:
                self._is_busy = self._backlog_waits = True
                return
            self.receive_line(self._backlog.popleft())
        self._read_on()

    def _take_on(self) -> None:
        """Something is no longer in the way."""
        if self._backlog_waits:
            self._backlog_waits = False
            self._go_on()
        else:
            self._read_on()

    def _read_on(self) -> None:
        """Take further lines, unless something is in the way; whatever it is calls this when it has gone."""
        if not (self._is_busy or self._is_held or self.is_closing) and self not in self.app.full_links:
            self.link.resume_reading()

    def line_too_long(self) -> None:
        self.send(link.Error(code=ErrorCode.TOO_LARGE, reason=ERROR_TEXT[ErrorCode.TOO_LARGE]))
        self.goodbye(ErrorCode.TOO_LARGE)

    def _decode_first(self, line: bytes) -> ClientPacket:
        """The first line decides the form: JSON begins with a brace."""
        start = line.lstrip()[:1]
        if not start:
            return JSON.decode_client(line)  # an empty line decides nothing
        self.is_json = start in (b"{", b"[")
        self._codec = JSON if self.is_json else TEXT
        self._decode = self._codec.decode_client
        return self._decode(line)

    def speak(self, codec: Codec) -> None:
        """From here on the lines have this form, both ways."""
        self.is_json = False
        self._codec = codec
        self._decode = codec.decode_client

    def _bad_packet(self, error: BadPacket, line: bytes) -> None:
        if error.request is None and not line.strip():
            failure: Packet | None = None  # an empty line means nothing, but it costs
        elif (failed := FAILED_BY_REQUEST.get(error.request or "")) is not None:
            failure = failure_of(failed, Refused(error.code, error.reason), error.tag, error.cookie)
        else:
            failure = link.Error(code=error.code, reason=error.reason, tag=error.tag)
        if failure is not None:
            self.send(failure)
        now = self.app.monotonic()
        if self._bad_lines is None:
            self._bad_lines = Bucket(BAD_LINES_PER_S, BAD_LINES, now)
        if self._bad_lines.take(1.0 if failure is not None else 0.02, now) > 0:
            self.goodbye(ErrorCode.TOO_MANY_ERRORS)

    def _spend(self) -> None:
        """Count a packet against the budget of a connection that is not logged in."""
        if self._packets is not None:
            wait_s = self._packets.take(1.0, self.app.monotonic())
            if wait_s > 0:
                self.slow_down(wait_s)

    # -- refusals

    def _failed(self, packet: Packet, error: Exception) -> None:
        if isinstance(error, Refused):
            self._refuse(packet, error)
        elif isinstance(error, conference.Refusal):
            self._refuse(packet, Refused(error.code, error.reason))
        elif isinstance(error, StorageError):
            self._refuse(packet, refused_by_storage(error))
        else:
            log.error("request.failed", request=type_name(packet), exc_info=error)
            self._refuse(packet, Refused(ErrorCode.INTERNAL_ERROR, retry_after_s=5.0))

    def _refuse(self, packet: Packet, refused: Refused) -> None:
        failed = FAILED_BY_REQUEST.get(type_name(packet))
        tag = getattr(packet, "tag", None)
        if failed is None:
            self.send(link.Error(code=refused.code, reason=refused.reason, tag=tag))
            return
        self.send(failure_of(failed, refused, tag, getattr(packet, "cookie", None)))

    # -- packets out

    def send(self, packet: Packet) -> None:
        """Put one packet on the link.  A form of the line may have no words for it."""
        if self.is_alive and (line := (self._codec or JSON).encode(packet)):
            self.link.put(line)

    def goodbye(self, code: ErrorCode, *, retry_after_s: float | None = None) -> None:
        """Say why, and close."""
        if self.is_closing or not self.is_alive:
            return
        self.is_closing = True
        self.left_with = code
        self.send(link.Goodbye(code=code, reason=ERROR_TEXT[code], retry_after_s=retry_after_s))
        self.app.session_left(self)
        self.link.close()
        self.app.call_later(GRACE_S, self.link.abort)

    # -- reading, slowed

    def slow_down(self, wait_s: float) -> None:
        """Take no further lines for a while; what of them is received already is paid for by waiting longer."""
        wait_s = min(wait_s, 60.0)
        self._slow_until = max(self._slow_until, self.app.monotonic() + wait_s)
        if not self._is_held:
            self.hold()
            self.app.call_later(wait_s, self.release)

    def hold(self) -> None:
        """Take no further lines until `release`."""
        self._is_held = True
        self.link.pause_reading()

    def release(self) -> None:
        left_s = self._slow_until - self.app.monotonic()
        if left_s > 0 and not self.is_closing:
            self.app.call_later(left_s, self.release)
            return
        self._is_held = False
        self._take_on()

    @property
    def is_held(self) -> bool:
        return self._is_held

    # -- login

    def logged_in(self, account: LiveAccount, device: str, device_id: int, cursor: int) -> None:
        """This connection is now a device of an account."""
        self.account = account
        self.device = device
        self.device_id = device_id
        self.feed = DeviceFeed(cursor)
        self.scram = None
        self._packets = None
        self._handlers = self.app.handlers
        self.active_at = self.app.monotonic()
        account.sessions.append(self)

    # -- delivery

    def pause_sending(self) -> None:
        """The link's buffer is full."""
        now = self.app.monotonic()
        if self.feed is not None and self.account is not None:
            self.feed.pause(self.account.announced_id, now)
        self.app.full_links[self] = now
        self.link.pause_reading()

    def resume_sending(self) -> None:
        """The link's buffer has drained."""
        self.app.full_links.pop(self, None)
        self._take_on()
        if self.feed is not None:
            self.feed.resume()
            self.app.catch_up(self)

    def link_lost(self, error: Exception | None) -> None:
        self.is_alive = False
        self._backlog.clear()
        self.app.full_links.pop(self, None)
        self.app.session_left(self)
        self.app.sessions.discard(self)


def not_implemented(session: Session, packet: Packet) -> None:
    """The answer to what this server knows and does not have."""
    session.send(link.ErrorNotImplemented(request_type=type_name(packet), tag=getattr(packet, "tag", None)))


def failure_of(failed: type[Failed], refused: Refused, tag: str | None, cookie: str | None) -> Failed:
    """The -FAILED packet of a refusal; that of a message carries its cookie too."""
    code, reason, retry_after_s = refused.code, refused.reason, refused.retry_after_s
    if failed is message.MessageSendFailed:
        return message.MessageSendFailed(code=code, reason=reason, retry_after_s=retry_after_s, tag=tag, cookie=cookie)
    if failed is ConferenceMessageFailed:
        return ConferenceMessageFailed(code=code, reason=reason, retry_after_s=retry_after_s, tag=tag, cookie=cookie)
    return failed(code=code, reason=reason, retry_after_s=retry_after_s, tag=tag)


def refused_by_storage(error: StorageError) -> Refused:
    """What a client is told when the database could not."""
    if error.full:
        return Refused(ErrorCode.STORAGE_FULL, retry_after_s=60.0)
    return Refused(ErrorCode.TRY_AGAIN_LATER, retry_after_s=2.0)
