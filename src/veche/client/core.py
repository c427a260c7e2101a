"""One device's side of the protocol: lines and the time in, lines and events out.  No sockets, no clock, no chance.

Rules:

1. A link begins with HELLO, both ways; then the device logs in (login.py), and requests go out (outbox.py).
2. Entries of the log (MESSAGE, EDITED, RETRACTED, REACTED) arrive in the order of their ids; one that is not above the
   last is a repeat and is dropped.
3. What the consumer has handled is acknowledged, the highest id once a flush; it is the cursor of the next login.  A
   cursor beyond what the server has (it was restored from a backup) is taken back.
4. A silent link is asked PING; one that stays silent is lost.
5. A lost link is dialled again after a growing, jittered pause, unless the server said that this is the end; but not
   before the device has been logged in once, in this run or an earlier one (`persist`): until then the person decides.

Source: rows M04-M09, M13-M19, T29, X03; XEP-0198 §5 for acknowledgement and resumption.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from veche.core.scram import ScramFailed
from veche.packets import ERROR_TEXT, ErrorCode, Packet, ServerPacket
from veche.packets.account import (
    ConnectAck,
    ConnectContinue,
    ConnectFailed,
    ConnectOk,
    PasswordChange,
    PasswordChangeOk,
    Register,
)
from veche.packets.codec import BadPacket, UnknownPacket
from veche.packets.conference import Signal
from veche.packets.link import ClientHello, Error, ErrorNotImplemented, Goodbye, Ping, Pong, ServerHello
from veche.packets.message import (
    Edited,
    Message,
    MessageDeliveredUpTo,
    Reacted,
    ReplayEnd,
    Retracted,
    Snapshot,
    TypingEndTo,
    TypingStartedTo,
)
from veche.packets.presence import PresenceSet

from .events import Arrived, CoreEvent, Credentials, DialDue, LoggedIn, Lost, NotAPacket, Place, Refused, Unanswered
from .login import Login
from .outbox import CODEC, Outbox

VERSION = 1
HELLO_S = 15.0
"""The server must say HELLO within this time."""
LOGIN_S = 60.0
SILENCE_S = 30.0
"""After so much silence PING is sent; after so much more the link is lost."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STABLE_S = 10.0
"""A link that held so long was good: the next pause is a short one again."""

FOREIGN = "What answers there does not speak as Veche does."

FOR_THE_MOMENT = (TypingStartedTo, TypingEndTo, PresenceSet, Signal)
"""Worth nothing later: not sent unless the device is logged in."""
ENTRIES = (Message, Edited, Retracted, Reacted)

FINAL = frozenset(
    {
        ErrorCode.REPLACED,
        ErrorCode.REVOKED,
        ErrorCode.ACCOUNT_DELETED,
        ErrorCode.DISABLED,
        ErrorCode.LOGGED_OUT,
        ErrorCode.INACTIVE,
        ErrorCode.TLS_REQUIRED,
        ErrorCode.TOO_LARGE,
        ErrorCode.TOO_MANY_ERRORS,
        ErrorCode.WRONG_CREDENTIALS,
        ErrorCode.UNKNOWN_MECHANISM,
    }
)
"""Rule 5: connecting again would end in the same way."""


class Phase(Enum):
    """Where a device stands."""

    NO_LINK = "no link"
    HELLO = "hello"
    READY = "ready"
    """HELLO was said; nobody is logged in."""
    LOGIN = "login"
    ONLINE = "online"


class Core:
    """One device across all its links.

    run: see Outbox.  chance: gives numbers from 0 to 1 for the jitter.  client, nonce, may_resume: see Login.
    `now`, everywhere, is in seconds on one monotonic clock.
    """

    def __init__(
        self,
        *,
        run: str,
        client: str,
        chance: Callable[[], float],
        nonce: Callable[[], str],
        place: Place | None = None,
        may_resume: bool = True,
    ) -> None:
        self.phase = Phase.NO_LINK
        self.hello: ServerHello | None = None
        self.address: str | None = None
        """`login@domain`, once logged in"""
        self.is_final = False
        """This device will not be dialled again."""
        self.outbox = Outbox(run)

        self._client, self._chance = client, chance
        self._login = Login(client, nonce, may_resume=may_resume)
        self.move_to(place or Place(None, None, 0))
        self._encode, self._decode = CODEC.encode, CODEC.decode_server
        self._out: list[bytes] = []
        self._events: deque[CoreEvent] = deque()

        self._binding: bytes | None = None
        self._goodbye: Goodbye | None = None
        self._has_been_online = False
        self._awaits_snapshot = False
        self._is_leaving_out = False
        self._is_paused = False

        self._heard_at = 0.0
        self._asked_ping = False
        self._online_since: float | None = None
        self._phase_deadline: float | None = None
        self._redial_at: float | None = None
        self._failures = 0
        self._take: dict[type[Packet], Callable[[Any, bytes, float], None]] = {
            ServerHello: self._take_hello,
            Ping: self._take_ping,
            Pong: self._take_pong,
            Goodbye: self._take_goodbye,
            Error: self._take_error,
            ErrorNotImplemented: self._take_not_implemented,
            ConnectAck: self._take_connect_ack,
            ConnectOk: self._take_connect_ok,
            ConnectFailed: self._take_connect_failed,
            PasswordChangeOk: self._take_password_change_ok,
            Snapshot: self._take_snapshot,
            ReplayEnd: self._take_replay_end,
            **dict.fromkeys(ENTRIES, self._take_entry),
        }

    # -- the device

    def move_to(self, place: Place) -> None:
        """Be this device; before the first login."""
        self._login.device, self._login.resume = place.device, place.resume
        self._cursor = self._seen = self._acknowledged = place.cursor

    @property
    def place(self) -> Place:
        """What to keep for the next run."""
        return self._login.place(self._cursor)

    # -- what the shell reports

    def link_made(self, now: float, binding: bytes | None) -> None:
        """There is a link.  binding: channel binding data of its TLS, if any."""
        self.phase = Phase.HELLO
        self.hello = None
        self._binding = binding
        self._goodbye = None
        self._is_leaving_out = self._is_paused = False
        self._heard_at, self._asked_ping = now, False
        self._phase_deadline = now + HELLO_S
        self._redial_at = None
        self._seen = max(self._seen, self._cursor)
        self._out = [self._encode(ClientHello(client=self._client))]

    def link_lost(self, now: float, reason: str) -> None:
        """The link is gone.  Harmless when that was known."""
        if self.phase == Phase.NO_LINK:
            return
        if self.phase == Phase.ONLINE and self._online_since is not None and now - self._online_since >= STABLE_S:
            self._failures = 0
        self.phase = Phase.NO_LINK
        self._phase_deadline = None
        self._out = []
        self._events.extend(Unanswered(asked.key, asked.packet) for asked in self.outbox.link_lost())
        goodbye, self._goodbye = self._goodbye, None
        code = goodbye.code if goodbye is not None else None
        if goodbye is not None:
            reason = goodbye.reason or (ERROR_TEXT[code] if code is not None else reason)
        if code in (ErrorCode.REVOKED, ErrorCode.ACCOUNT_DELETED):
            self._login.resume = None
        if code in FINAL:
            self.is_final = True
        if self.is_final or not self._has_been_online:
            self._events.append(Lost(code, reason, None))
        else:
            self._wait(now, code, reason, goodbye.retry_after_s if goodbye is not None else None)

    def persist(self, credentials: Credentials, now: float, reason: str) -> None:
        """The server knows this device and cannot be reached: try again, as after a lost link (rule 5, row M37)."""
        self._login.take(credentials)
        self._has_been_online = True
        self.dial_failed(now, reason)

    def dial_failed(self, now: float, reason: str) -> None:
        """The dialling that `DialDue` asked for made no link."""
        if not self.is_final:
            self._wait(now, None, reason, None)

    def _wait(self, now: float, code: ErrorCode | None, reason: str, at_least_s: float | None) -> None:
        """Rule 5."""
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures, 16)) * (0.5 + self._chance() / 2)
        if at_least_s:
            pause = max(pause, at_least_s * (1 + self._chance() / 5))
        self._failures += 1
        self._redial_at = now + pause
        self._events.append(Lost(code, reason, pause))

    def dial_at_once(self, now: float) -> None:
        """Do not wait any longer for the next link."""
        if self._redial_at is not None:
            self._redial_at = now

    def pause(self) -> None:
        """The shell has stopped reading from the link: silence means nothing."""
        self._is_paused = True

    def resume(self, now: float) -> None:
        """The shell reads again."""
        self._is_paused = False
        self._heard_at, self._asked_ping = now, False

    def receive_line(self, line: bytes, now: float) -> None:
        """One line of the server, without its LF."""
        if self.phase == Phase.NO_LINK:
            return
        self._heard_at, self._asked_ping = now, False
        try:
            packet = self._decode(line)
        except UnknownPacket as unknown:
            self._answered(unknown.tag, None, line)
        except BadPacket as bad:
            if bad.request is None:
                self.link_lost(now, FOREIGN)
            else:
                self._answered(bad.cookie or bad.tag, None, line)
        else:
            self._take.get(type(packet), self._take_any)(packet, line, now)

    def prove(self, proof: str | ScramFailed) -> None:
        """The answer to `Challenged`."""
        if self.phase != Phase.LOGIN:
            return
        if isinstance(proof, ScramFailed):
            self._not_in(ErrorCode.WRONG_CREDENTIALS, str(proof))
        else:
            self._out.append(self._encode(ConnectContinue(hash=proof)))

    def handled(self, entry_id: int) -> None:
        """The consumer has handled everything up to this entry of the log."""
        if entry_id > self._cursor:
            self._cursor = entry_id

    def leave_out(self, entry_id: int) -> None:
        """The consumer is too slow: this entry was left out, and so will be all that follow on this link.

        They come again on the next one; the shell loses this one when the consumer has caught up.
        """
        self._is_leaving_out = True
        self._seen = min(self._seen, entry_id - 1)

    # -- what the shell asks for

    def login(self, credentials: Credentials, now: float) -> None:
        """Log in, now or as soon as the server has said HELLO; and again whenever the link had to be made anew."""
        self._login.take(credentials)
        if self.phase == Phase.READY:
            self._connect(now)

    def submit(self, packet: Packet) -> str:
        """Ask for something; returns the key under which the answer arrives.  Raises NotAPacket."""
        if isinstance(packet, Register):
            if self.phase != Phase.READY:
                raise NotAPacket(ErrorCode.ALREADY_LOGGED_IN, "Registering comes before logging in.")
            self._out.append(self.outbox.ask_at_once(packet))
        elif isinstance(packet, FOR_THE_MOMENT) and self.phase != Phase.ONLINE:
            return ""
        else:
            self.outbox.ask(packet)
        return self.outbox.last_key

    def say_goodbye(self) -> None:
        """Log out: nothing but GOODBYE is sent any more, and no link is made after this one."""
        if self.phase == Phase.ONLINE:
            self._acknowledge()
        if self.phase != Phase.NO_LINK and not self.is_final:
            self._out.append(self._encode(Goodbye()))
        self.is_final = True
        self._redial_at = None

    # -- what the shell carries out

    def lines_to_send(self) -> list[bytes]:
        """Lines for the link, their ends included."""
        if self.phase == Phase.ONLINE and not self.is_final:
            self._acknowledge()
            self.outbox.send(self._out)
        out = self._out
        if out:
            self._out = []
        return out

    def events(self) -> Iterator[CoreEvent]:
        """All that happened, oldest first."""
        while self._events:
            yield self._events.popleft()

    def next_deadline(self) -> float | None:
        """When `handle_timer` wants to be called, if nothing happens before."""
        if self._redial_at is not None:
            return self._redial_at
        if self._phase_deadline is not None:
            return self._phase_deadline
        if self.phase in (Phase.ONLINE, Phase.READY) and not self._is_paused:
            return self._heard_at + (2 * SILENCE_S if self._asked_ping else SILENCE_S)
        return None

    def handle_timer(self, now: float) -> None:
        """Some deadline may have passed."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return
        if self._redial_at is not None:
            self._redial_at = None
            self._events.append(DialDue())
        elif self._phase_deadline is not None:
            self.link_lost(now, "The server does not answer.")
        elif self._asked_ping:
            self.link_lost(now, "The server has fallen silent.")
        else:
            self._asked_ping = True
            self._out.append(self._encode(Ping()))

    def _acknowledge(self) -> None:
        if self._cursor > self._acknowledged:
            self._acknowledged = self._cursor
            self._out.append(self._encode(MessageDeliveredUpTo(id=self._cursor)))

    # -- login

    def _take_hello(self, packet: ServerHello, line: bytes, now: float) -> None:
        if packet.version != VERSION:
            self.link_lost(now, f"The server speaks version {packet.version} of the protocol, we speak {VERSION}.")
            return
        self.hello = packet
        self.outbox.limits = packet.limits
        self._take_any(packet, line, now)
        if self.phase == Phase.HELLO:
            self.phase = Phase.READY
            self._phase_deadline = None
            if self._login.credentials is not None:
                self._connect(now)

    def _connect(self, now: float) -> None:
        assert self.hello is not None
        self.phase = Phase.LOGIN
        self._phase_deadline = now + LOGIN_S
        try:
            self._out.append(self.outbox.checked(self._login.start(self.hello, self._binding, self._cursor)))
        except NotAPacket as error:
            self._not_in(error.code, str(error))

    def _take_connect_ack(self, packet: ConnectAck, line: bytes, now: float) -> None:
        challenged = self._login.challenged(packet)
        if challenged is not None and self.phase == Phase.LOGIN:
            self._events.append(challenged)

    def _take_connect_ok(self, packet: ConnectOk, line: bytes, now: float) -> None:
        if self.phase != Phase.LOGIN:
            return
        try:
            self._login.succeeded(packet)
        except ScramFailed as error:
            self.is_final = True
            self._events.append(Refused(ErrorCode.WRONG_CREDENTIALS, str(error)))
            self.link_lost(now, str(error))
            return
        self.phase = Phase.ONLINE
        self._phase_deadline = None
        self.address = packet.login
        self._has_been_online = True
        self._online_since = now
        self._awaits_snapshot = True
        self._acknowledged = self._cursor
        self._events.append(LoggedIn(packet))
        self._events.append(Arrived(packet, line))

    def _take_connect_failed(self, packet: ConnectFailed, line: bytes, now: float) -> None:
        if self.phase != Phase.LOGIN:
            self._take_any(packet, line, now)
        elif self._login.failed(packet.code):
            self._connect(now)
        elif self._has_been_online:
            self._goodbye = Goodbye(code=packet.code, reason=packet.reason, retry_after_s=packet.retry_after_s)
            self.link_lost(now, packet.reason)
        else:
            self._events.append(Arrived(packet, line))
            self._not_in(packet.code, packet.reason, packet.retry_after_s)

    def _not_in(self, code: ErrorCode, reason: str, retry_after_s: float | None = None) -> None:
        self.phase = Phase.READY
        self._phase_deadline = None
        self._login.credentials = None
        self._events.append(Refused(code, reason, retry_after_s))

    def _take_password_change_ok(self, packet: PasswordChangeOk, line: bytes, now: float) -> None:
        request = self.outbox.on_the_way(packet.tag)
        self._login.password_changed(request.password if isinstance(request, PasswordChange) else None, packet.resume)
        self._take_any(packet, line, now)

    # -- what arrives

    def _take_entry(self, packet: Any, line: bytes, now: float) -> None:
        entry_id: int = packet.id
        if entry_id <= self._seen or self._is_leaving_out:
            return
        self._seen = entry_id
        self._events.append(Arrived(packet, line))

    def _take_replay_end(self, packet: ReplayEnd, line: bytes, now: float) -> None:
        if not self._is_leaving_out:
            self._seen = max(self._seen, packet.upto)
            self._events.append(Arrived(packet, line))

    def _take_snapshot(self, packet: Snapshot, line: bytes, now: float) -> None:
        if self._awaits_snapshot and packet.upto < self._seen:  # rule 3; no entry has come on this link yet
            self._seen = packet.upto
            self._cursor = self._acknowledged = min(self._cursor, packet.upto)
        self._awaits_snapshot = False
        self._events.append(Arrived(packet, line))

    def _take_ping(self, packet: Ping, line: bytes, now: float) -> None:
        self._out.append(self._encode(Pong(tag=packet.tag)))

    def _take_pong(self, packet: Pong, line: bytes, now: float) -> None:
        """That it came is enough."""

    def _take_goodbye(self, packet: Goodbye, line: bytes, now: float) -> None:
        self._goodbye = packet
        self._events.append(Arrived(packet, line))
        self.link_lost(now, packet.reason)

    def _take_error(self, packet: Error, line: bytes, now: float) -> None:
        if self.phase == Phase.HELLO:
            self._take_goodbye(Goodbye(code=packet.code, reason=packet.reason), line, now)
        else:
            self._answered(packet.tag, packet, line)

    def _take_not_implemented(self, packet: ErrorNotImplemented, line: bytes, now: float) -> None:
        self._answered(packet.tag or self.outbox.oldest(packet.request_type), packet, line)

    def _take_any(self, packet: Any, line: bytes, now: float) -> None:
        self._answered(getattr(packet, "cookie", None) or getattr(packet, "tag", None), packet, line)

    def _answered(self, key: str | None, packet: ServerPacket | None, line: bytes) -> None:
        asked = self.outbox.answered(key)
        if asked is None:
            self._events.append(Arrived(packet, line))
        else:
            self._events.append(Arrived(packet, line, asked.key, asked.packet))
