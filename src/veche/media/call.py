"""This device in one conference: joined, with its media, until it leaves or the conference ends.

    async with Client(host, port, "bot", token=..., fingerprint=...) as client:
        async with Call(client, "Friday", source=Player("hello.webm"), sinks=[Recorder(folder)]) as call:
            await call.say("Good evening.")
            async for event in call.events():
                print(event)

`Call` reads the client's events and gives them on by `events`; who reads them elsewhere, as the terminal does, makes
the call with `reads=False` and gives them to `handle`.  A lost link to the server is made anew by the client; the call
then takes its place up again, and media goes on meanwhile.

Source: rows A41, A42, A45, X07, X10; packets/conference.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from veche.client import Client, ClientEnded, ClientError, RequestFailed
from veche.client.inbox import Offline, Online
from veche.packets import ErrorCode
from veche.packets.conference import (
    Conference,
    ConferenceCreate,
    ConferenceEnded,
    ConferenceJoin,
    ConferenceJoinOk,
    ConferenceLeave,
    ConferenceLeft,
    ConferenceLegSet,
    ConferenceList,
    ConferenceListOk,
    ConferenceMessageSend,
    ConferenceMessageSent,
    ConferenceView,
    IceServer,
    IceServersGet,
    IceServersGetOk,
    Leg,
    MediaKind,
    Signal,
)

from .connection import Paths
from .engine import Engine, LegState
from .identity import Identities
from .pair import LinkState
from .streams import Sink, Source

MAX_UNREAD = 10_000
"""Events that nobody reads; then the oldest are forgotten."""
SERVERS_S = 6 * 3600.0
"""TURN credentials older than this are asked for anew when a connection breaks; they work for half a day."""
LINK = "/#/join/"
"""In a link, before its code."""


class NoSuchConference(ClientError):
    """Nothing that this account may see is called so.  Its message is a sentence."""


class Ended(Struct, frozen=True):
    """The call is over, and not by `leave`.  reason: a sentence."""

    code: ErrorCode
    reason: str


Event = Any
"""What happens: packets of the server (packets/conference.py), LegState, Online, Offline, Ended."""


class Call:
    """One conference, this device in it.

    where: the id, the name, the link, or a friend who is inside.  create: make it if there is none of that name.
    media: what is asked for; the server may give less (`leg.media`).
    source, sinks: what is sent, and what becomes of what is received; closed with the call.
    paths: see connection.Paths; the server's STUN and TURN servers are added.
    identities: what this device signs its fingerprints with, and whom it has met (identity.py).
    """

    def __init__(
        self,
        client: Client,
        where: str,
        *,
        create: bool = False,
        media: MediaKind = MediaKind.VIDEO,
        source: Source | None = None,
        sinks: Sequence[Sink] = (),
        paths: Paths | None = None,
        reads: bool = True,
        identities: Identities | None = None,
    ) -> None:
        self.client = client
        self._where, self._create, self._media = where, create, media
        self._source, self._sinks, self._paths = source, sinks, paths or Paths()
        self._reads, self._identities = reads, identities
        self._engine: Engine | None = None
        self._unread: deque[Event] = deque(maxlen=MAX_UNREAD)
        self._news = asyncio.Event()
        self._ended: Ended | None = None
        self._reader: asyncio.Task[None] | None = None
        self._resuming: asyncio.Task[None] | None = None
        self._was_offline = False
        self._servers_at = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._held: deque[Event] = deque()
        """What came while the place was being taken up again: it is newer than the answer, or in it."""
        self.note = ""
        """What the server said when it gave less media than was asked for."""

    # -- coming and going

    async def __aenter__(self) -> Call:
        await self.join()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def join(self) -> Conference:
        """Come in.  Raises NoSuchConference, RequestFailed."""
        early: deque[Event] = deque(maxlen=MAX_UNREAD)
        if self._reads:
            self._reader = asyncio.create_task(self._read(early))
        try:
            joined = await self._enter()
        except BaseException:
            await self._stop_reading()
            raise
        self.note = joined.reason if joined.code is not None else ""
        self._engine = Engine(
            joined.conference,
            joined.leg,
            self._send,
            paths=self._paths_of(joined.ice_servers),
            source=self._source,
            sinks=self._sinks,
            told=self._told,
            identities=self._identities,
        )
        self._servers_at = asyncio.get_running_loop().time()
        while early:
            self.handle(early.popleft())
        return joined.conference

    def _paths_of(self, servers: Sequence[IceServer]) -> Paths:
        return self._paths._replace(ice_servers=(*self._paths.ice_servers, *servers))

    async def _enter(self) -> ConferenceJoinOk:
        how: dict[str, str] = {}
        try:
            how = await find(self.client, self._where)
            return await self.client.request(_join(how, self._media))
        except NoSuchConference:
            if not self._create:
                raise
        except RequestFailed as error:
            if "friend" not in how or error.code not in (ErrorCode.UNKNOWN_USER, ErrorCode.NOT_FRIENDS):
                raise
            if not self._create:
                raise NoSuchConference(
                    f"There is no conference {self._where!r} that you may see, and no friend of that name. "
                    "Ask somebody inside to invite you, or create it."
                ) from None
        return await self.client.request(ConferenceCreate(name=self._where, media=self._media))

    async def leave(self) -> None:
        """Go out; the connections are closed, and what was received is put in order.  Idempotent."""
        for task in (self._resuming, self._asking):
            if task is not None:
                task.cancel()
        engine, self._engine = self._engine, None
        if engine is not None:
            if not engine.is_ended and self.client.is_online:
                with suppress(ClientError, TimeoutError):
                    async with asyncio.timeout(3):
                        await self.client.request(ConferenceLeave(id=engine.conference.id))
            await engine.close()
        await self._stop_reading()
        self._news.set()

    async def _stop_reading(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def restart(self) -> None:
        """Begin anew: this leg gets a new epoch, and a fresh connection to each other one."""
        if self._resuming is None:
            self._resuming = asyncio.create_task(self._rejoin(resume=False))
        await asyncio.wait([self._resuming])

    # -- what is known

    @property
    def engine(self) -> Engine:
        """The media.  Only while joined."""
        assert self._engine is not None, "not joined"
        return self._engine

    @property
    def conference(self) -> Conference:
        """As it stands.  Only while joined."""
        return self.engine.conference

    @property
    def leg(self) -> Leg:
        """This device's leg.  Only while joined."""
        leg = self.engine.leg(self.engine.me)
        assert leg is not None
        return leg

    @property
    def states(self) -> dict[str, LegState]:
        """How it stands with each other leg that there is a connection to."""
        return self.engine.states

    @property
    def ended(self) -> Ended | None:
        """Why the call is over, if it is."""
        return self._ended

    async def events(self) -> AsyncIterator[Event]:
        """What happens, oldest first; Ended is the last."""
        while True:
            while self._unread:
                yield self._unread.popleft()
            if self._ended is not None or self._engine is None:
                return
            self._news.clear()
            await self._news.wait()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until this holds, looking again whenever something happens.  Events are passed over by that."""
        while not is_so() and self._ended is None:
            self._unread.clear()
            self._news.clear()
            await self._news.wait()

    # -- what it says

    async def say(self, text: str) -> ConferenceMessageSent:
        """A text for the room.  Raises RequestFailed."""
        return await self.client.request(ConferenceMessageSend(id=self.conference.id, text=text))

    async def set(
        self, *, is_muted: bool | None = None, is_hidden: bool | None = None, held: bool | None = None
    ) -> None:
        """Switch the microphone, the camera off, or on again, and tell the others; None stays as it is.

        held: neither send nor hear, until it is switched back.  The server holds a device where it was when it comes
        into another conference with sound or pictures.  Raises RequestFailed.
        """
        id = self.conference.id
        await self.client.request(ConferenceLegSet(id=id, is_muted=is_muted, is_hidden=is_hidden, held=held))

    # -- what happens

    def handle(self, event: Event) -> None:
        """One event of the client."""
        engine = self._engine
        if engine is None:
            return
        if self._resuming is not None and not isinstance(event, Online | Offline):
            self._held.append(event)
            return
        match event:
            case Offline():
                self._was_offline = True
            case Online() if self._was_offline:  # the first one tells of the login before the join
                self._was_offline = False
                if self._resuming is not None:
                    self._resuming.cancel()
                self._resuming = asyncio.create_task(self._rejoin(resume=True))
            case ConferenceEnded() if event.id == engine.conference.id:
                engine.handle(event)
                self._put(event)
                self._end(event.code, event.reason or f"{event.name} is over.")
                return
            case ConferenceLeft() if event.id == engine.conference.id and event.leg == engine.me:
                engine.handle(event)
                self._put(event)
                self._end(event.code, event.reason)
                return
            case Online():
                pass
            case _:
                engine.handle(event)
        self._put(event)

    async def _read(self, early: deque[Event]) -> None:
        try:
            async for event in self.client.events():
                if self._engine is None:
                    early.append(event)
                else:
                    self.handle(event)
        except ClientEnded as error:
            self._end(error.code, error.reason)
        else:
            self._end(ErrorCode.LOGGED_OUT, "Logged out.")

    async def _rejoin(self, *, resume: bool) -> None:
        """Take the place up again (row X07), or begin anew."""
        engine = self._engine
        if engine is None or engine.is_ended:
            return
        request = ConferenceJoin(id=engine.conference.id, media=self._media, resume=resume)
        try:
            joined: ConferenceJoinOk = await self.client.request(request)
            engine.resumed(joined, self._paths_of(joined.ice_servers))
            self._servers_at = asyncio.get_running_loop().time()
        except RequestFailed as error:
            engine.end()
            self._end(error.code, error.reason)
        except ClientError:
            pass  # the link broke again; the next Online comes
        self._resuming = None
        held, self._held = self._held, deque()
        for event in held:
            self.handle(event)
        self._news.set()

    def _send(self, signal: Signal) -> None:
        if self.client.is_online:  # what waits for another link would come too late
            with suppress(ClientError):
                self.client.post(signal)

    def _told(self, state: LegState) -> None:
        self._put(state)
        now = asyncio.get_running_loop().time()
        if state.state is LinkState.FAILED and now - self._servers_at > SERVERS_S:
            self._servers_at = now
            self._asking = asyncio.create_task(self._ask_for_servers())

    async def _ask_for_servers(self) -> None:
        """In time for the next try: credentials of the first day are of no use on the second."""
        with suppress(ClientError):
            answer: IceServersGetOk = await self.client.request(IceServersGet())
            if self._engine is not None:
                self._engine.paths = self._paths_of(answer.ice_servers)

    def _put(self, event: Event) -> None:
        self._unread.append(event)
        self._news.set()

    def _end(self, code: ErrorCode, reason: str) -> None:
        if self._ended is None:
            self._ended = Ended(code, reason)
            self._put(self._ended)


async def find(client: Client, where: str) -> dict[str, str]:
    """How to join what is called so: the fields of a ConferenceJoin.  Raises NoSuchConference, RequestFailed."""
    if LINK in where:
        return {"link": where.rpartition(LINK)[2].strip("/")}
    listed: ConferenceListOk = await client.request(ConferenceList())
    if any(one.id == where for one in listed.conferences):
        return {"id": where}
    named = [one for one in listed.conferences if one.name.casefold() == where.casefold()]
    if len(named) > 1:
        raise NoSuchConference(
            f"There are {len(named)} conferences called {where!r}. Say which by its id: "
            + "; ".join(f"{one.id} ({_who(one)})" for one in named)
        )
    if named:
        return {"id": named[0].id}
    if where.isascii() and len(where) <= 64 and " " not in where:
        return {"friend": where}
    raise NoSuchConference(f"There is no conference {where!r} that you may see. Ask somebody inside to invite you.")


def _who(view: ConferenceView) -> str:
    people = ", ".join(view.people)
    return f"{people} inside" if people else f"{view.count} inside"


def _join(how: dict[str, str], media: MediaKind) -> ConferenceJoin:
    fields: dict[str, Any] = {"media": media, **how}
    return ConferenceJoin(**fields)
