"""The home server: opens the one port, keeps the live accounts, announces what was stored, stops gracefully.

State of an account is touched from the event loop's thread only; the database's threads report back to it.

Source: ARCHITECTURE.md, "The path of one message"; rows A07, A08, M13, T29, X19.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import secrets
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Network
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog
from msgspec.structs import replace

from veche.core.budget import Bucket
from veche.core.lockout import Lockout
from veche.core.names import BadLogin, split_address
from veche.core.presence import Departures
from veche.net import tls
from veche.net.invites import Place
from veche.net.lines import LineLink, Link
from veche.net.listener import OnePort
from veche.packets import MAX_LINE_BYTES, ErrorCode, Packet, link, message
from veche.packets.admin import Announcement
from veche.packets.conference import CallStatus
from veche.storage import accounts, blocks, facts, invites, messages
from veche.storage.database import Database, Entry, Kind, StorageError, Stored

from . import features
from .classic import accounts as classic_accounts
from .classic import dialogue
from .classic.credentials import BadCredentials, Credentials
from .config import Registration, Rules, ServerConfig
from .counters import Counters
from .features import admin, call
from .features.account import token_hash
from .features.conference import RoomReceipt, refuse_text
from .features.conference_room import announce_texts
from .features.contacts import expire
from .features.files import sweep as sweep_transfers
from .features.login import send_snapshot
from .features.message import Receipt, announce, event_of_row, refuse
from .features.presence import changed as presence_changed
from .features.private import Introductions
from .features.private import session_left as end_introductions
from .features.private import sweep as sweep_introductions
from .features.signal import turn_secret
from .filing import Filing
from .halls import Halls
from .live import Directory, LiveAccount
from .relay import Transfers
from .session import JSON, PAGE, Handler, Session, not_implemented
from .transfers import make_protocol as make_transfer
from .web import WebLoader

log: structlog.stdlib.BoundLogger = structlog.get_logger()
T = TypeVar("T")

EPOCH = datetime(1970, 1, 1)
SWEEP_S = 1.0
EXPIRE_EVERY_S = 3600.0
"""Friend requests that are too old are looked for."""
STOP_S = 1.5
"""A graceful stop takes at most this long."""
PENDING_HIGH = 20_000
"""Messages of all connections that may wait for the commit before senders are slowed down."""
PAGE_BYTES = 1_000_000
"""A page of replay is cut at so many bytes of text."""
REGISTRATIONS, REGISTRATIONS_PER_S = 10.0, 1 / 30
FORGET_S = REGISTRATIONS / REGISTRATIONS_PER_S
"""New accounts one address may make: so many at once, so many a second in the long run; this machine excepted."""


class StartError(Exception):
    """The server cannot start; the text is one clear sentence that says what to do."""


class HomeServer:
    """One server process.  `start`, then `run` until `stop`."""

    def __init__(self, config: ServerConfig, database: Database, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self.config = config = replace(config, domain=config.domain.lower())
        self.database = database
        self.directory = Directory(config.domain)
        self.counters = Counters()
        self.lockout = Lockout(config.block_duration)
        self.is_classic = config.profile is Rules.CLASSIC
        """The rules of document 002: everyone is a friend of everyone, and a block is told."""
        self.credentials: Credentials | None = None
        """Of the classic profile, once started."""
        of_profile = dialogue.handlers(is_classic=self.is_classic)
        self.handlers: dict[type[Packet], Handler] = {**features.ALL, **of_profile}
        if self.is_classic:
            self.handlers |= dict.fromkeys(features.CONFERENCES, not_implemented)
        self.public_handlers: dict[type[Packet], Handler] = {**features.PUBLIC, **of_profile}
        self.sessions: set[Session] = set()
        self.full_links: dict[Session, float] = {}
        """Links whose buffer is full, and since when."""
        self.typing: dict[tuple[int, int], tuple[float, LiveAccount, LiveAccount]] = {}
        self.announced_id = 0
        """The last entry of the whole log that was announced."""
        self.pending_high = PENDING_HIGH
        self.secret = b""
        self.decoy_key = secrets.token_bytes(32)
        self.binding: bytes | None = None
        self.fingerprint = ""
        self.registration = config.registration or Registration.CLOSED
        """Who may make an account now."""
        self.announcement: Announcement | None = None
        self.place = Place(host="", port=0, domain=config.domain, fingerprint="")
        self.setup_code: str | None = None
        self.url = ""
        self.is_stopping = False
        self.online: dict[int, LiveAccount] = {}
        """Accounts that have a session."""
        self.departures = Departures()
        self.halls = Halls(self)
        """Conferences; the classic profile has none."""
        self.halls.on_over = lambda hall: call.conference_over(self, hall)
        self.halls.on_came = lambda hall, account: call.came(self, hall, account)
        self.halls.on_unanswered = lambda hall, user: call.over(self, hall, user, CallStatus.MISSED)
        self.halls.on_deleted = lambda hall, account: call.account_deleted(self, hall, account)
        self.turn_secret = ""
        self.files = Filing(self)
        self.transfers = Transfers()
        self.introductions = Introductions()
        """Requests for private sessions that wait for their answer."""
        self.monotonic = time.monotonic
        self._wall_ns = wall_ns
        self.origin_of = origin_of
        self.started_at = time.time()
        self._links_by_address: dict[str, int] = {}
        self._registrations: dict[str, tuple[Bucket, float]] = {}
        self._held: list[Session] = []
        self._last_us = 0
        self._instant: tuple[int, str] = (-1, "")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._hashing = concurrent.futures.ThreadPoolExecutor(1, "hash")
        self._loop: asyncio.AbstractEventLoop
        self._port: OnePort
        self._sweeper: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        self._expire_at = 0.0
        self.web = WebLoader(self)

    # -- start and stop

    async def start(self) -> None:
        """Open everything and listen.  Raises StartError, StorageError."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(on_loop_error)
        self.database.on_stored = self._on_stored
        self.database.on_refused = self._on_refused
        try:
            split_address(f"someone@{self.config.domain}")
        except BadLogin:
            raise StartError(
                f"{self.config.domain!r} is no domain. Give a host name with --domain, such as talk.example.org."
            ) from None
        self.secret = await self.database.write(facts.set_default("secret", secrets.token_bytes(32)))
        self.announced_id = await self.database.find(messages.last_id())
        await admin.load(self)
        await self.files.start()
        try:
            self.turn_secret = turn_secret(self.config)
        except OSError as error:
            raise StartError(f"The file of --turn-secret-file cannot be read: {error.strerror}.") from None
        if not self.is_classic:
            await self.halls.load()
        if self.is_classic:
            try:
                self.credentials = await classic_accounts.load(self)
            except BadCredentials as error:
                raise StartError(str(error)) from None
        else:
            await self._make_setup_code()
        context = self._tls()
        host, port = self.config.address()
        self._port = OnePort(
            tls=context,
            line_limit=MAX_LINE_BYTES,
            on_link=self._on_link,
            make_http=self.web.make_protocol,
            when_http=self.web.when_ready,
            make_transfer=lambda: make_transfer(self),
            may_connect=self._may_connect,
            behind_proxy=self.config.behind_proxy,
        )
        try:
            host, port = self._port.listen(host, port)
        except OSError as error:
            raise StartError(listen_error(error, host, port)) from None
        self.place = Place(
            host=host,
            port=port,
            domain=self.config.domain,
            fingerprint=self.fingerprint if self.config.tls_cert is None else "",
        )
        await self.database.write(facts.put("place", msgspec.json.encode(self.place)))
        shown = f"[{host}]" if ":" in host else host
        self.url = f"https://{shown}:{port}"
        self._heard_at = self.monotonic()
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    def _tls(self) -> Any:
        config = self.config
        certificate, key = config.tls_cert, config.tls_key
        is_self_made = certificate is None
        try:
            if certificate is None:
                certificate, key = config.data / "certificate.pem", config.data / "key.pem"
                if not certificate.exists() and not key.exists():
                    host, _ = config.address()
                    tls.make_certificate(config.data, [config.domain, host])
            elif key is None:
                key = certificate
            context = tls.server_context(certificate, key)
            der = tls.leaf(certificate)
        except tls.CertificateError as error:
            raise StartError(f"{error} Give another with --tls-cert and --tls-key.") from None
        self.fingerprint = tls.fingerprint(der)
        self.binding = tls.end_point_binding(der, is_self_made=is_self_made)
        return context

    async def _make_setup_code(self) -> None:
        """The first account is made with a code that only whoever started the server can read."""
        if await self.database.find(accounts.any_exists()):
            return
        code = "-".join(secrets.token_hex(2) for _ in range(4))
        await self.database.write(invites.clear_setup())
        await self.database.write(
            invites.create(token_hash(code), is_setup=True, uses=1, now=self.now_us(), expires_at=None)
        )
        self.setup_code = code

    async def stop(self) -> None:
        """Stop taking, store what was taken, say goodbye, close.  Takes at most STOP_S and a little."""
        if self.is_stopping:
            return
        self.is_stopping = True
        await self._port.close()
        for session in list(self.sessions):
            session.hold()
        deadline = self.monotonic() + STOP_S / 2
        while self.database.pending and self.monotonic() < deadline:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(0.005)
        for session in list(self.sessions):
            session.goodbye(ErrorCode.SHUTTING_DOWN, retry_after_s=2.0)
        deadline = self.monotonic() + STOP_S / 3
        while self.sessions and self.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        for session in list(self.sessions):
            session.link.abort()
        await self.web.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._hashing.shutdown(wait=False, cancel_futures=True)
        await self.files.close()
        await self.database.close()

    # -- time

    def now_us(self) -> int:
        """Microseconds since 1970; never steps back while this server runs, whatever the clock does."""
        now = self._wall_ns() // 1000
        if now < self._last_us:
            return self._last_us
        self._last_us = now
        return now

    def instant(self, us: int) -> str:
        """RFC 3339 with milliseconds, UTC."""
        ms = us // 1000
        last, text = self._instant
        if ms != last:
            # by strftime it takes twice as long; a snapshot writes one for each contact
            text = (EPOCH + timedelta(0, 0, ms * 1000)).isoformat("T", "milliseconds") + "Z"
            self._instant = ms, text
        return text

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call something later on the loop."""
        self._loop.call_later(delay_s, call)

    # -- links and tasks

    def _may_connect(self, address: str) -> bool:
        if self.is_stopping:
            return False
        return self._links_by_address.get(origin_of(address), 0) < self.config.connections or is_local(address)

    def _on_link(self, line_link: LineLink) -> None:
        if not self._may_connect(line_link.address):  # others came while this one shook hands
            line_link.abort()
            return
        line_link.attach(self.new_session(line_link))

    def new_session(self, carrier: Link) -> Session:
        """A connection that speaks packets has been made, whatever carries it."""
        session = Session(self, carrier)
        self.sessions.add(session)
        self.counters.links += 1
        self._links_by_address[session.origin] = self._links_by_address.get(session.origin, 0) + 1
        return session

    def session_left(self, session: Session) -> None:
        """The connection is closing or gone.  May be called twice."""
        account = session.account
        if account is not None and session in account.sessions:
            account.sessions.remove(session)
            if not self.is_stopping:
                self.halls.session_left(session, session.left_with)
            presence_changed(self, account)
            end_introductions(session)
        if not session.is_alive:
            left = self._links_by_address.get(session.origin, 1) - 1
            if left > 0:
                self._links_by_address[session.origin] = left
            else:
                self._links_by_address.pop(session.origin, None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine until the server stops; it handles its own errors."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _sweep(self) -> None:
        """Once a second: what has been silent, undecided or full for too long."""
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)
        now = self.monotonic()
        for session, since in list(self.full_links.items()):
            if now - since > self.config.slow_consumer_timeout:
                self.full_links.pop(session, None)
                self.counters.slow_consumers += 1
                session.goodbye(ErrorCode.SLOW_CONSUMER)
        for key, (deadline, author, peer) in list(self.typing.items()):
            if now > deadline:
                del self.typing[key]
                self.tell(peer, message.TypingEnd(from_=author.address))
        sweep_introductions(self)
        sweep_transfers(self)
        self.halls.sweep(now)
        self.files.sweep(now)
        is_ping_time = now - self._heard_at >= self.config.ping_interval
        if is_ping_time:
            self._heard_at = now
        idle_since = now - self.config.away_after
        for session in list(self.sessions):
            is_undecided = session.account is None and session.dialogue is None  # a person may take their time
            if is_undecided and now - session.connected_at > self.config.login_timeout:
                session.goodbye(ErrorCode.IDLE)
            elif is_ping_time:
                self._listen_for(session)
            if session.active_at < idle_since and not session.is_away and session.account is not None:
                self.set_away(session, True)
        if now >= self._expire_at:
            self._expire_at = now + EXPIRE_EVERY_S
            self.spawn(self._expire())
        for address in [one for one, (_, last) in self._registrations.items() if now - last > FORGET_S]:
            del self._registrations[address]

    async def _expire(self) -> None:
        try:
            await expire(self)
        except StorageError as error:
            log.warning("requests.not_expired", error=str(error))

    def _listen_for(self, session: Session) -> None:
        if session.was_heard:
            session.was_heard, session.silent_sweeps = False, 0
            return
        session.silent_sweeps += 1
        if session.silent_sweeps >= 3:
            session.goodbye(ErrorCode.IDLE)
        else:
            session.send(link.Ping())

    # -- accounts

    @property
    def keeps_case(self) -> bool:
        """Logins that differ by case are two people: row T03, of the classic profile only."""
        return self.is_classic

    def limit(self, account: LiveAccount) -> None:
        """Give an account its budget of messages."""
        if account.budget is None and self.config.message_rate > 0:
            rate = self.config.message_rate / 60
            account.budget = Bucket(rate, max(rate * 10, 100.0), self.monotonic())

    def registration_wait_s(self, address: str) -> float:
        """How long this address must wait before its next registration."""
        if is_local(address):
            return 0.0
        now, origin = self.monotonic(), origin_of(address)
        bucket, _ = self._registrations.get(origin) or (Bucket(REGISTRATIONS_PER_S, REGISTRATIONS, now), now)
        self._registrations[origin] = bucket, now
        return bucket.take(1.0, now)

    async def hash_slowly(self, work: Callable[[], T]) -> T:
        """Run a password hash away from the loop, one at a time."""
        return await self._loop.run_in_executor(self._hashing, work)

    async def is_blocked(self, *, by: int, who: int) -> bool:
        """Whether one account has blocked another."""
        return await self.database.find(blocks.is_blocked(by, who))

    def forget_routes_to(self, account: LiveAccount) -> None:
        """Nobody may write there any more without looking it up again."""
        for session in self.sessions:
            for name in [name for name, route in session.routes.items() if route.peer is account]:
                del session.routes[name]

    def delivered_to(self, reader: int, author: int, stored_id: int) -> int:
        """The author's messages that some device of the reader has: what is stored, or newer and not yet stored."""
        live = self.directory.find(reader)
        return stored_id if live is None else max(stored_id, live.delivered.get(author, 0))

    # -- telling

    def set_away(self, session: Session, is_away: bool) -> None:
        """The person has left this device alone, or is back."""
        session.is_away = is_away
        if session.account is not None:
            presence_changed(self, session.account)

    def tell_all(self, accounts: Iterable[LiveAccount], *packets: Packet) -> None:
        """Tell the same to every device of many accounts: it is encoded once."""
        lines = b"".join(map(JSON.encode, packets))
        for account in accounts:
            for session in account.sessions:
                feed = session.feed
                if feed is None:
                    continue
                if not feed.takes_marks:
                    feed.missed_marks = True
                elif session.is_json:
                    session.link.put(lines)
                else:
                    for packet in packets:
                        session.send(packet)

    def tell(self, account: LiveAccount, packet: Packet, but: Session | None = None) -> None:
        """Tell something that is not in the log to every device of an account.

        A link that is full is left out; it gets a fresh snapshot when it has drained.
        """
        for session in account.sessions:
            if session is but or session.feed is None:
                continue
            if session.feed.takes_marks:
                session.send(packet)
            else:
                session.feed.missed_marks = True

    def stored(self, id: int) -> None:
        """An entry was stored and is being announced."""
        self.announced_id = max(self.announced_id, id)

    def _on_stored(self, batch: Sequence[tuple[Entry, Receipt | RoomReceipt, Stored]]) -> None:
        """A commit reached the disk: announce what it holds, in the order of ids; rooms after conversations."""
        in_rooms: list[tuple[RoomReceipt, Stored]] = []
        self.counters.commits += 1
        self.counters.messages_stored += len(batch)
        for _, receipt, stored in batch:
            receipt.session.pending -= 1
            if not stored.repeat:
                self.announced_id = stored.id
            if isinstance(receipt, RoomReceipt):
                in_rooms.append((receipt, stored))
                continue
            try:
                announce(receipt, stored)
            except Exception as error:  # it concerns one; the others must still hear of theirs
                log.error("announce.failed", id=stored.id, exc_info=error)
        announce_texts(in_rooms)
        if self._held:
            self._release()

    def _on_refused(self, batch: Sequence[tuple[Entry, Receipt | RoomReceipt]], error: StorageError) -> None:
        """A commit failed: nothing of it is stored, and the senders are told."""
        log.error("storage.refused", entries=len(batch), error=str(error))
        self.counters.messages_refused += len(batch)
        for _, receipt in batch:
            receipt.session.pending -= 1
            if isinstance(receipt, RoomReceipt):
                refuse_text(receipt, error)
            else:
                refuse(receipt, error)
        if self._held:
            self._release()

    def hold(self, session: Session) -> None:
        """This connection has too much on its way to the disk: read no more of it until that is stored."""
        if not session.is_held:
            session.hold()
            self._held.append(session)

    def _release(self) -> None:
        if self.database.pending > self.pending_high // 2:
            return
        held, self._held = self._held, []
        for session in held:
            if session.pending * 2 > self.config.unacknowledged:
                self._held.append(session)
            elif not self.is_stopping:
                session.release()

    # -- replay

    def catch_up(self, session: Session) -> None:
        """Send a device what it has missed, a page at a time, as fast as it reads."""
        feed = session.feed
        if feed is not None and feed.wants_page and session.is_alive and not session.is_closing:
            self.spawn(self._replay_or_end(session, feed.page_started()))

    async def _replay_or_end(self, session: Session, after: int) -> None:
        """A device that cannot be told what it missed must not go on as if it had been."""
        try:
            await self._replay(session, after)
        except Exception as error:
            log.error("replay.failed", exc_info=None if isinstance(error, StorageError) else error, error=str(error))
            session.goodbye(ErrorCode.TRY_AGAIN_LATER, retry_after_s=5.0)

    async def _replay(self, session: Session, after: int) -> None:
        feed, account = session.feed, session.account
        assert feed is not None
        assert account is not None
        # Mostly nothing was missed, which `find` sees at once.  What was missed needs `read`, one view of all: `find`
        # may look at one conversation before a commit and at the next after it, and pass over what lies between.
        rows = await self.database.find(messages.owed(account.id, after, 1))
        if rows:
            rows = await self.database.read(messages.owed(account.id, after, PAGE))
        while True:
            if not session.is_alive or session.is_closing:
                return
            last, is_cut = self._put_page(session, rows)
            if feed.page_put(last, len(rows) >= PAGE or is_cut, account.announced_id):
                if feed.missed_marks:
                    await send_snapshot(session)
                    self.halls.tell_whole(session)
                session.send(message.ReplayEnd(upto=feed.sent_id))
                return
            await asyncio.sleep(0)  # let the page be written, and the link say that it is full
            if not feed.wants_page:
                return
            rows = await self.database.read(messages.owed(account.id, feed.page_started(), PAGE))

    def _put_page(self, session: Session, rows: Sequence[messages.LogRow]) -> tuple[int | None, bool]:
        """Put a page on the link.  Returns the id of the last entry put, and whether the page was cut short."""
        last: int | None = None
        size = 0
        assert session.account is not None
        me = session.account
        address = self.directory.address
        for row in rows:
            if size > PAGE_BYTES:
                return last, True
            last = row.id
            if row.device_id == session.device_id or (row.retracted_at is not None and row.kind != Kind.TEXT):
                continue  # its own, or there is nothing left to tell
            if row.author_id != me.id:
                author = self.directory.live(row.author_id, row.author_login)
                session.unacknowledged[author] = row.conversation, row.id
            session.send(event_of_row(row, address, self.instant(row.at)))
            self.counters.replayed += 1
            size += len(row.text) + len(row.files)
        return last, False


def on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody else caught.  A connection that breaks or fails its handshake is the other side's matter."""
    error: object = context.get("exception")
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, OSError):  # ssl.SSLError and TimeoutError are OSErrors too
        log.debug("link.broken", what=context.get("message"), error=str(error))
    else:
        log.error("loop.error", what=context.get("message"), error=repr(error))


def is_local(address: str) -> bool:
    """This machine's own address."""
    return address.startswith("127.") or address == "::1"


def origin_of(address: str) -> str:
    """What failures and budgets are counted by: an IPv4 address, or the /64 network that one household gets of IPv6."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def listen_error(error: OSError, host: str, port: int) -> str:
    """Why the port could not be opened, and what to do."""
    import errno

    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: another server listens on {where}. Stop it, or choose another with --listen."
    if error.errno == errno.EACCES:
        return f"This user may not listen on {where}. Choose a port above 1023 with --listen."
    return f"Cannot listen on {where}: {error.strerror or error}. Choose another address with --listen."


def take_directory(path: Path) -> sqlite3.Connection:
    """Make the data directory, readable by its owner only, and hold it for this server.  Raises StartError.

    What is returned holds the lock until it is closed or the process ends, however it ends.  It is a locked SQLite
    file, since that is a lock on every system that we run on.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"The data directory {path} cannot be written ({error.strerror}). Choose another with --data."
        ) from None
    lock = sqlite3.connect(path / "server.lock", timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        lock.close()
        raise StartError(
            f"Another server runs on the data directory {path}. Stop it, or choose another directory with --data."
        ) from None
    return lock


__all__ = ["HomeServer", "Registration", "StartError", "take_directory"]
