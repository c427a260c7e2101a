"""The asyncio shell around `core.Core`: one device, one link at a time, requests that can be awaited, events in order.

    async with Client("chat.example.org", login="echo", token="...") as client:
        async for event in client.events():
            if isinstance(event, Message):
                await client.send(event.from_, event.text)

Asking for the next event says that the last one has been handled; only then is it acknowledged to the server, so what a
crash interrupts comes again.  After the first login a lost link is made anew by itself; what was sent meanwhile waits,
and is delivered exactly once.

A consumer that is slower than the server makes the link pause.  While somebody awaits an answer, the link is read
regardless; entries beyond `OVERFLOW_BYTES` are then left out, and asked for again once the consumer has caught up.

Source: ARCHITECTURE.md; rows M13-M23, T29, X05.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import veche
from veche.core.scram import ScramFailed
from veche.net.dial import (
    CannotConnect,
    CertificateChanged,
    DialError,
    NotVeche,
    UntrustedCertificate,
    dial,
    system_authorities,
)
from veche.net.lines import LineLink
from veche.packets import ErrorCode, Packet, ServerPacket
from veche.packets.account import ConnectOk, Register, RegisterOk
from veche.packets.link import ServerHello
from veche.packets.message import ReplayEnd, Snapshot

from .core import ENTRIES, FOREIGN, Core, Phase
from .errors import UNANSWERED, ClientEnded, LinkLost, LoginRefused, RequestFailed, checked
from .events import Arrived, Challenged, Credentials, DialDue, LoggedIn, Lost, NotAPacket, Place, Refused, Unanswered
from .inbox import Inbox, Item, Offline, Online
from .people import CLASSIC, full_address
from .private import NO_SERVER, REQUESTS, PrivateEvent, PrivateSessions
from .requests import Requests

DEFAULT_PORT = 3215
HIGH_BYTES, LOW_BYTES = 1024 * 1024, 256 * 1024
"""Unhandled events: above the one the link is not read, below the other it is again."""
OVERFLOW_BYTES = 16 * 1024 * 1024
KEEP_S = 0.5
"""The place in the delivery is kept at most so often."""
GOODBYE_S = 2.0


Event = ServerPacket | Online | Offline | PrivateEvent


class Client(Requests):
    """One device of one account.

    login and password, or an access token, or a `place` with a resumption token: how to log in.
    device: a name for this installation; the same name is the same device, with its own place in the delivery.
    place, keep: what `keep` was last given in an earlier run, and what is called with it.
    fingerprint: the pinned certificate; authorities, insecure, tls: see `net.dial.dial`.
    everything: answers to requests are events too (`batches`); by default only those who await them get them.
    """

    def __init__(
        self,
        host: str,
        port: int = DEFAULT_PORT,
        login: str | None = None,
        *,
        password: str | None = None,
        token: str | None = None,
        device: str | None = None,
        place: Place | None = None,
        keep: Callable[[Place], None] | None = None,
        tls: bool = True,
        fingerprint: str | None = None,
        authorities: Callable[[], ssl.SSLContext] | None = system_authorities,
        insecure: bool = False,
        name: str = "",
        everything: bool = False,
    ) -> None:
        self.host, self.port = host, port
        self.hello: ServerHello | None = None
        self.fingerprint = fingerprint
        """Of the certificate that the server has shown, once there is a link."""
        self.is_vouched = False
        """An authority vouches for that certificate."""
        self._credentials = Credentials(login, password, token)
        self._tls, self._authorities, self._insecure = tls, authorities, insecure
        self._pinned = fingerprint
        self._keep = keep
        self._kept = place or Place(device, None, 0)
        self._everything = everything
        self._core = Core(
            run=f"{time.time_ns() // 1_000_000:x}{secrets.token_hex(2)}",
            client=name or f"veche/{veche.__version__}",
            chance=random.random,
            nonce=lambda: secrets.token_urlsafe(24),
            place=self._kept,
            may_resume=not insecure,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._link: LineLink | None = None
        self._handler: _Handler | None = None
        self._is_reading = True
        self._can_write = True
        self._pump_is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._keep_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hello: asyncio.Future[ServerHello] | None = None
        self._login: asyncio.Future[ConnectOk] | None = None
        self._answers: dict[str, asyncio.Future[ServerPacket | None]] = {}
        self._waiters: list[asyncio.Future[None]] = []
        self._inbox = Inbox()
        self._is_overflowing = False
        self._ended: Exception | None = None
        self._last_ids: dict[str, int] = {}
        self.private = PrivateSessions(self._post_now, self._happened_privately, full_address=self.full_address)
        """The private sessions of this device; what happens in them is among the events."""

    def __repr__(self) -> str:
        return f"<Client {self._credentials.login or ''}@{self.host}:{self.port}>"

    # -- coming and going

    async def __aenter__(self) -> Client:
        try:
            await self.connect()
            await self.login()
        except BaseException:
            await self.close(handled=False)
            raise
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        await self.close(handled=error is None)

    async def connect(self) -> ServerHello:
        """Make a link and learn what this server is.  Raises one of the DialErrors."""
        self._loop = asyncio.get_running_loop()
        if self._core.phase == Phase.NO_LINK:
            await self._dial()
            self._hello = self._loop.create_future()
        elif self.hello is not None:
            return self.hello
        assert self._hello is not None
        return await self._hello

    async def login(self, *, login: str | None = None, password: str | None = None) -> ConnectOk:
        """Log in with what the client was made with, or with this.  Raises LoginRefused, or one of the DialErrors."""
        if login is not None or password is not None:
            old = self._credentials
            self._credentials = Credentials(login or old.login, password or old.password, old.token)
        await self.connect()
        self._login = self._running().create_future()
        self._core.login(self._credentials, self._now())
        self._touch()
        return await self._login

    def persist(self, reason: str) -> None:
        """Go on trying to reach the server, and log in then: for a device that is known there, in place of `login`.

        reason: why `connect` failed.  Online, Offline and ClientEnded tell how it goes.
        """
        self._core.persist(self._credentials, self._running().time(), reason)
        self._touch()

    def move_to(self, place: Place, keep: Callable[[Place], None] | None) -> None:
        """Be this device, which `keep` remembers; between `connect` and the first `login`."""
        self._kept, self._keep = place, keep
        self._core.move_to(place)

    async def register(self, password: str, code: str | None = None, *, login: str | None = None) -> RegisterOk:
        """Make the account; log in after that.  Raises RequestFailed, or one of the DialErrors."""
        await self.connect()
        name = login or self._credentials.login or ""
        answer: RegisterOk = await self.request(Register(login=name, password=password, code=code or None))
        self._credentials = Credentials(name, password, None)
        return answer

    async def close(self, *, handled: bool = True) -> None:
        """Log out and let go of everything.  handled: what was given out last has been handled.  Idempotent."""
        if handled:
            self._finish_given()
        await self.private.close()
        if self._link is not None:
            self._core.say_goodbye()
            self._pump()
            try:
                async with asyncio.timeout(GOODBYE_S):
                    await self._until(lambda: self._link is None)
            except TimeoutError:
                pass
        self._end(ClientEnded(ErrorCode.LOGGED_OUT))
        self._drop_link()
        if self._timer is not None:
            self._timer.cancel()
        self._keep_now()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # an aborted link is told so in the next tick

    # -- what happened

    async def events(self) -> AsyncIterator[Event]:
        """All that happens, oldest first: packets of the server that answer nothing, Online, Offline.

        Ends when the client is closed; raises ClientEnded when the server ended it (revoked, deleted, replaced).
        """
        while True:
            event = await self.next_event()
            if event is None:
                return
            yield event

    async def next_event(self) -> Event | None:
        """The next of `events`; None at their end."""
        while True:
            self._finish_given()
            if not await self._has_events():
                return None
            item = self._inbox.give_one()
            if isinstance(item, Arrived):
                if item.packet is not None and item.key is None:
                    return item.packet
            elif not isinstance(item, Unanswered):
                return item

    async def batches(self) -> AsyncIterator[list[Item]]:
        """The same, all that is there at a time, with lines and requests.  Asking for more says these are handled."""
        while True:
            self._finish_given()
            if not await self._has_events():
                return
            yield self._inbox.give_all()

    async def _has_events(self) -> bool:
        await self._until(lambda: bool(self._inbox) or self._ended is not None)
        if self._inbox:
            return True
        if isinstance(self._ended, ClientEnded) and self._ended.code == ErrorCode.LOGGED_OUT:
            return False
        assert self._ended is not None
        raise self._ended

    def _finish_given(self) -> None:
        """The consumer has handled what it was given."""
        given = self._inbox.handled()
        if not given:
            return
        for item in given:
            packet = item.packet if isinstance(item, Arrived) else None
            if isinstance(packet, ENTRIES):
                self._core.handled(packet.id)
            elif isinstance(packet, ReplayEnd):
                self._core.handled(packet.upto)
        self._touch()
        if self._inbox.size_bytes < LOW_BYTES:
            self.private.resume()
            if not self._is_reading:
                self._read_on()
        if self._is_overflowing and not self._inbox:
            self._is_overflowing = False
            self._core.link_lost(self._now(), "Behind; reading on from the last that was handled.")
            self._core.dial_at_once(self._now())

    # -- requests

    def post(self, packet: Packet) -> str:
        """Ask without waiting; the answer is an event with the key that is returned.

        Raises RequestFailed if it cannot be sent, ClientEnded if nothing can be sent any more.
        """
        if self._ended is not None:
            raise self._ended
        try:
            key = self._core.submit(packet)
        except NotAPacket as error:
            raise RequestFailed(error.code, str(error)) from None
        self._touch()
        return key

    async def request(self, packet: Packet) -> Any:
        """Ask, and return the answer.

        Raises RequestFailed; LinkLost when the link broke before an answer that cannot be asked for again.  Cancelled
        (by a timeout, say) before it was sent, it will not be sent.
        """
        key = self.post(packet)
        answer = self._answers[key] = self._running().create_future()
        if not self._is_reading:
            self._read_on()
        try:
            return checked(await answer)
        except asyncio.CancelledError:
            self._core.outbox.forget(key)
            raise
        finally:
            del self._answers[key]

    @property
    def has_room(self) -> bool:
        """Another `post` would be sent soon, not only queued."""
        return self._core.outbox.has_room

    async def room(self) -> None:
        """Wait until there is room for another `post`."""
        if not self._core.outbox.has_room:
            await self._until(lambda: self._core.outbox.has_room or self._ended is not None)

    @property
    def unfinished(self) -> int:
        """Requests that wait for their answer."""
        return self._core.outbox.unfinished

    async def handled_all(self) -> None:
        """Wait until the consumer of the events has handled all that has arrived."""
        await self._until(lambda: self._inbox.is_handled or self._ended is not None)

    async def settled(self, patience_s: float) -> bool:
        """Wait until everything is answered.  Gives up, with False, when nothing was answered for so long."""
        while self._core.outbox.unfinished and self._ended is None:
            before = self._core.outbox.unfinished
            try:
                async with asyncio.timeout(patience_s):
                    await self._until(lambda: self._core.outbox.unfinished < before or self._ended is not None)  # noqa: B023
            except TimeoutError:
                return False
        return self._core.outbox.unfinished == 0

    # -- what is known

    @property
    def address(self) -> str | None:
        """`login@domain` of this account, once logged in."""
        return self._core.address

    @property
    def is_online(self) -> bool:
        """Logged in, with a link."""
        return self._core.phase == Phase.ONLINE

    @property
    def place(self) -> Place:
        """This device's name, resumption token and cursor."""
        return self._core.place

    def full_address(self, login: str) -> str:
        """`login` as this server writes it.  What is no login stays as it is; the server will say so."""
        hello, me = self.hello, self.address or ""
        domain = hello.server if hello is not None else me.rpartition("@")[2]
        return full_address(login, domain, keeps_case=hello is None or hello.profile == CLASSIC)

    def last_id(self, peer: str) -> int:
        """The newest entry known of the conversation with `peer`, 0 for none."""
        return self._last_ids.get(self.full_address(peer), 0)

    # -- inside: the link

    async def _dial(self) -> None:
        handler = _Handler(self)
        dialled = await dial(
            self.host,
            self.port,
            handler,
            tls=self._tls,
            pinned=self._pinned,
            authorities=self._authorities,
            insecure=self._insecure,
        )
        self._link, self._handler = dialled.link, handler
        self._is_reading = self._can_write = True
        self.fingerprint, self.is_vouched = dialled.fingerprint, dialled.vouched
        self._core.link_made(self._now(), dialled.binding)
        self._core.resume(self._now())
        self._touch()

    async def _dial_again(self) -> None:
        try:
            await self._dial()
        except DialError as error:
            if isinstance(error, CertificateChanged | UntrustedCertificate):
                self._end(error)
            else:
                self._core.dial_failed(self._now(), str(error))
                self._touch()

    def receive_line(self, line: bytes) -> None:
        """For the link's handler only."""
        self._core.receive_line(line, self._now())
        if not self._pump_is_due:
            self._touch()

    def link_lost(self, reason: str) -> None:
        """For the link's handler only."""
        self._drop_link()
        self._core.link_lost(self._now(), reason)
        self._touch()

    def writing(self, can_write: bool) -> None:
        """For the link's handler only."""
        self._can_write = can_write
        self._touch()

    def _drop_link(self) -> None:
        link, self._link, self._handler = self._link, None, None
        if link is not None:
            link.abort()

    def _read_on(self) -> None:
        self._is_reading = True
        self._core.resume(self._now())
        if self._link is not None:
            self._link.resume_reading()
        self._touch()

    def is_from(self, handler: _Handler) -> bool:
        """For the link's handler only: whether it is still that of the link."""
        return handler is self._handler

    # -- inside: events of the core

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _now(self) -> float:
        return self._running().time()

    def _touch(self) -> None:
        if not self._pump_is_due:
            self._pump_is_due = True
            self._running().call_soon(self._pump)

    def _pump(self) -> None:
        """Carry out what the core wants: once a loop tick, whatever happened in it."""
        self._pump_is_due = False
        core = self._core
        for event in core.events():
            if type(event) is Arrived:
                self._arrived(event)
            else:
                self._happened(event)
        link = self._link
        if link is not None and self._can_write:
            for line in core.lines_to_send():
                link.put(line)
        if self._inbox.size_bytes > HIGH_BYTES and self._is_reading and not self._answers and link is not None:
            self._is_reading = False
            core.pause()
            link.pause_reading()
        if self._keep is not None and self._keep_timer is None and core.place != self._kept:
            self._keep_timer = self._running().call_later(KEEP_S, self._keep_now)
        self._arm()
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _arrived(self, event: Arrived) -> None:
        packet = event.packet
        if packet is not None and event.key not in self._answers:
            before = len(self._inbox)
            if self.private.handle(packet):
                if self._everything:
                    self._inbox.put(event, before)  # it stands before what follows from it
                return
        if event.key is not None:
            answer = self._answers.get(event.key)
            if answer is not None and not answer.done():
                answer.set_result(packet)
            if not self._everything:
                return
        if isinstance(packet, ENTRIES):
            self._learn(packet.from_, packet.to, packet.id)
        elif isinstance(packet, Snapshot):
            for conversation in packet.conversations:
                self._last_ids[conversation.peer] = max(self._last_ids.get(conversation.peer, 0), conversation.last_id)
        elif isinstance(packet, ServerHello):
            self.hello = packet
            if self._hello is not None and not self._hello.done():
                self._hello.set_result(packet)
        if event.key is None and (self._is_overflowing or self._inbox.size_bytes > OVERFLOW_BYTES):
            self._is_overflowing = True
            if isinstance(packet, ENTRIES):
                self._core.leave_out(packet.id)
            return
        self._inbox.put(event)

    def _learn(self, author: str, to: str, entry_id: int) -> None:
        peer = to if author == self._core.address else author
        if entry_id > self._last_ids.get(peer, 0):
            self._last_ids[peer] = entry_id

    def _happened(self, event: Any) -> None:
        match event:
            case LoggedIn(packet):
                self._inbox.put(Online(packet.login, packet.device))
                self._keep_now()
                if self._login is not None and not self._login.done():
                    self._login.set_result(packet)
            case Challenged():
                self._spawn(self._prove(event))
            case Refused(code, reason, retry_after_s):
                fail(self._login, LoginRefused(code, reason, retry_after_s))
            case Unanswered(key):
                if key in self._answers:
                    fail(self._answers[key], LinkLost(UNANSWERED))
                elif self._everything and not isinstance(event.request, REQUESTS):
                    self._inbox.put(event)
            case DialDue():
                self._spawn(self._dial_again())
            case Lost():
                self._lost(event)
            case _:
                raise AssertionError(event)

    def _lost(self, event: Lost) -> None:
        self._drop_link()
        self.private.server_lost()
        where = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        if event.reason == FOREIGN:
            fail(self._hello, NotVeche(f"{where} is no Veche server: what answers there speaks another language."))
        fail(self._hello, CannotConnect(f"{where} did not say HELLO. {event.reason}"))
        if event.code is not None:
            fail(self._login, LoginRefused(event.code, event.reason))
        fail(self._login, CannotConnect(f"The link to {where} was lost. {event.reason}"))
        self._inbox.put(Offline(event.reason, event.retry_in_s))
        if self._core.is_final:
            self._end(ClientEnded(event.code or ErrorCode.LOGGED_OUT, event.reason))

    async def _prove(self, event: Challenged) -> None:
        def compute() -> str | ScramFailed:
            try:
                return event.scram.answer(event.salt, event.iterations, event.nonce)
            except ScramFailed as error:
                return error

        self._core.prove(await asyncio.to_thread(compute))
        self._touch()

    def _end(self, error: Exception) -> None:
        if self._ended is not None:
            return
        self._ended = error
        self.private.end(error.code if isinstance(error, ClientEnded) else ErrorCode.LOGGED_OUT)
        for answer in self._answers.values():
            fail(answer, error)
        fail(self._login, error)
        fail(self._hello, error)
        self._drop_link()
        if self._loop is not None:
            self._touch()

    # -- inside: private sessions

    def _post_now(self, packet: Packet) -> str:
        """Their requests are for the moment."""
        if not self.is_online:
            raise LinkLost(NO_SERVER)
        return self.post(packet)

    def _happened_privately(self, event: PrivateEvent) -> None:
        self._inbox.put(event)
        if self._inbox.size_bytes > HIGH_BYTES:
            self.private.pause()
        self._touch()

    # -- inside: waiting, time, tasks

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            waiter: asyncio.Future[None] = self._running().create_future()
            self._waiters.append(waiter)
            await waiter

    def _arm(self) -> None:
        deadline = self._core.next_deadline()
        if deadline is None or self._ended is not None:
            return
        if self._timer is not None:
            if self._timer.when() <= deadline and not self._timer.cancelled():
                return  # it fires early, sees that there is nothing to do, and is set again
            self._timer.cancel()
        self._timer = self._running().call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._ended is None:
            self._core.handle_timer(self._now())
            self._pump()

    def _keep_now(self) -> None:
        if self._keep_timer is not None:
            self._keep_timer.cancel()
            self._keep_timer = None
        place = self._core.place
        if self._keep is not None and place != self._kept:
            self._kept = place
            self._keep(place)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._running().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Handler:
    """What stands above one link of a client."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        self._client = client

    def receive_line(self, line: bytes) -> None:
        if self._client.is_from(self):
            self._client.receive_line(line)

    def line_too_long(self) -> None:
        if self._client.is_from(self):
            self._client.link_lost("The server sent a line longer than any packet.")

    def pause_sending(self) -> None:
        if self._client.is_from(self):
            self._client.writing(False)

    def resume_sending(self) -> None:
        if self._client.is_from(self):
            self._client.writing(True)

    def link_lost(self, error: Exception | None) -> None:
        if self._client.is_from(self):
            self._client.link_lost("The connection was closed." if error is None else f"The connection broke: {error}.")


def fail(future: asyncio.Future[Any] | None, error: Exception) -> None:
    """Make the one who waits raise this, if anyone still waits."""
    if future is not None and not future.done():
        future.set_exception(error)
