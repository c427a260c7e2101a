"""Private sessions: off the record, device to device, by consent each time.  Nothing of them is stored, here or there.

    nothing --ask--> asking --a yes--> linking --they met--> open --stop, or they leave--> nothing
    nothing --they ask, `answer` yes--> linking

Rules:

1. One session with each person; with several people at once.  Each has certificates of its own, made for it.
2. Whoever asks somebody who has asked them says yes by that.  When two requests cross on their way, both devices keep
   the one whose certificate is the smaller text; who made the other takes it back and says yes.  Browsers have none,
   which is the smallest; two of them compare their offers.
3. A request needs the server; a session does not, and outlives the link to it.  A block made later does not end it.
4. Whoever talks here is at their device: the server is told so, at most every `ACTIVE_S` (row T56).
5. What the server says of a request that nobody waits for any more is answered by taking it back.
6. A session goes over TLS (net/direct.py).  With a `bearer` each side offers that way too; whoever asks tries TLS
   first, and whoever says yes takes what comes.

Source: rows T42-T57, X11, X22; packets/private.py.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine
from contextlib import closing, suppress
from functools import partial
from typing import Any, Protocol

from msgspec import Struct

from veche.net.direct import BadText, DirectLink, Identity, Listener, NoDirectPath, dial, own_addresses
from veche.packets import ERROR_TEXT, ErrorCode, Packet
from veche.packets import Failed as RequestRefused
from veche.packets.link import ErrorNotImplemented
from veche.packets.presence import PresenceSet
from veche.packets.private import (
    PRIVATE_ANSWER_S,
    PrivateAnswer,
    PrivateAnswered,
    PrivateAnswerFailed,
    PrivateAnswerOk,
    PrivateRequest,
    PrivateStart,
    PrivateStartFailed,
    PrivateStartOk,
    PrivateStop,
    PrivateStopFailed,
    PrivateStopOk,
    PrivateStopped,
)

from .errors import ClientError, RequestFailed

ACTIVE_S = 1.0
REQUESTS = (PrivateStart, PrivateAnswer, PrivateStop)
"""What becomes of these is told by events."""
NO_SERVER = "The link to the server was lost."


class PrivateError(ClientError):
    """What was asked for makes no sense now.  Its message is a sentence."""


class AlreadyThere(PrivateError):
    """There is a session, or a request for one."""


class NotOpen(PrivateError):
    """There is no session with this person."""


class PeerGone(NotOpen):
    """There was one, and it broke."""


class NotAsked(PrivateError):
    """Nobody waits for this answer."""


class CannotSay(PrivateError):
    """This text is none, or they do not take what they are told: `room` waits until they do."""


# -- what happens; peer: a full address


class Asked(Struct, frozen=True):
    """Somebody would like to talk.  Answer with the id, or their name."""

    peer: str
    id: str


class Waiting(Struct, frozen=True):
    """They are asked."""

    peer: str


class Opened(Struct, frozen=True):
    """The session stands."""

    peer: str


class Declined(Struct, frozen=True):
    """They said no."""

    peer: str


class Said(Struct, frozen=True):
    """They said something."""

    peer: str
    text: str


class Closed(Struct, frozen=True):
    """The session is over.

    by_peer: they ended it.  Else we did (code is None or that of `close`), or it broke: offline (they are gone), idle
    (they fell silent), bad-packet, too-large.
    """

    peer: str
    by_peer: bool
    code: ErrorCode | None


class Failed(Struct, frozen=True):
    """A request, theirs or mine, has come to nothing: see the codes of PRIVATE-START-FAILED and PRIVATE-STOPPED."""

    peer: str
    code: ErrorCode
    reason: str


PrivateEvent = Asked | Waiting | Opened | Declined | Said | Closed | Failed


class Meeting(Protocol):
    """Two devices on their way to each other by another bearer.  sdp: what the other is told."""

    sdp: str

    async def meet(self, answer: str = "") -> DirectLink:
        """The link.  answer: theirs, for the one who asks.  Raises NoDirectPath."""
        ...

    async def close(self) -> None:
        """Nobody will meet here.  Idempotent."""
        ...


class Bearer(Protocol):
    """Another way from device to device than TLS: media/channel.py is one."""

    async def offer(self) -> Meeting:
        """Ask.  Raises NoDirectPath."""
        ...

    async def answer(self, sdp: str) -> Meeting:
        """Say yes to what the other offers.  Raises NoDirectPath."""
        ...


class _Asking:
    """A request of mine.  tag: empty until it is sent; id: empty until the server has it."""

    __slots__ = ("certificate", "id", "identity", "meeting", "peer", "tag")

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.tag = self.id = self.certificate = ""
        self.identity: Identity | None = None
        self.meeting: Meeting | None = None


class PrivateSessions:
    """The private sessions of one device.

    send: puts a packet on the link to the server and returns the tag that its answer will carry (its own, or another
    that it was given on the way); raises ClientError when there is no link.
    happened: is told each PrivateEvent.  full_address: `login` as the server writes it.
    answer_s: how long a device that said yes waits for the other.
    Methods take a login or a full address, and raise PrivateError.
    """

    def __init__(
        self,
        send: Callable[[Packet], str],
        happened: Callable[[PrivateEvent], None],
        *,
        full_address: Callable[[str], str] = str,
        answer_s: float = PRIVATE_ANSWER_S,
    ) -> None:
        self._send, self._happened, self._full = send, happened, full_address
        self._answer_s = answer_s
        self.bearer: Bearer | None = None
        """Rule 6."""
        self._asking: dict[str, _Asking] = {}
        """My requests, by peer."""
        self._asked: dict[str, PrivateRequest] = {}
        """Theirs, by id."""
        self._untold: set[str] = set()
        """Those of them that nobody here was told of, since mine crossed them (rule 2)."""
        self._answering: dict[str, str] = {}
        """By tag of my yes: the peer."""
        self._linking: dict[str, asyncio.Task[None]] = {}
        self._open: dict[str, DirectLink] = {}
        self._broken: set[str] = set()
        """With whom a session broke, and none was asked for since."""
        self._working: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._is_paused = False
        self._active_at = float("-inf")
        self._take: dict[type[Packet], Callable[[Any], bool | None]] = {
            PrivateRequest: self._take_request,
            PrivateStartOk: self._take_start_ok,
            PrivateAnswered: self._take_answered,
            PrivateStopped: self._take_stopped,
            **dict.fromkeys((PrivateStartFailed, PrivateAnswerFailed), self._take_refusal),
            **dict.fromkeys((PrivateAnswerOk, PrivateStopOk, PrivateStopFailed), lambda _: None),
            ErrorNotImplemented: self._take_not_implemented,
        }

    # -- what a person does

    @property
    def sessions(self) -> list[str]:
        """With whom a session stands: full addresses, the oldest first."""
        return list(self._open)

    @property
    def requests(self) -> list[Asked]:
        """Who waits for an answer, the oldest first."""
        return [Asked(one.from_, id) for id, one in self._asked.items() if id not in self._untold]

    def ask(self, login: str) -> None:
        """Ask for a session; Waiting or Failed follows.  Raises AlreadyThere."""
        peer = self._full(login)
        if peer in self._open:
            raise AlreadyThere(f"A private session with {peer} is open.")
        if peer in self._asking or peer in self._linking:
            raise AlreadyThere(f"{peer} is asked already.")
        self._broken.discard(peer)
        request = self._request_of(peer)
        if request is not None:
            self._accept(request)
        else:
            asking = self._asking[peer] = _Asking(peer)
            self._work(self._start(asking))

    def answer(self, id_or_login: str, accepted: bool) -> None:
        """Say yes or no to a request; after a yes, Opened or Failed follows.  Raises NotAsked, and what `send` does."""
        request = self._asked.get(id_or_login) or self._request_of(self._full(id_or_login))
        if request is None:
            raise NotAsked(f"No request for a private session waits for this answer: {id_or_login}.")
        if accepted:
            self._accept(request)
        else:
            del self._asked[request.id]
            self._untold.discard(request.id)
            self._send(PrivateAnswer(id=request.id, accepted=False))

    def say(self, login: str, text: str) -> None:
        """Say something in the session with somebody.  Raises NotOpen, PeerGone, CannotSay."""
        peer = self._full(login)
        link = self._link_to(peer)
        if link.is_full:
            raise CannotSay(f"{peer} does not take what is said. Wait a little.")
        try:
            link.say(text)
        except BadText as error:
            raise CannotSay(str(error)) from None
        self._stay_active()

    async def room(self, login: str) -> None:
        """Wait until they take what is said, or the session is over.  Raises NotOpen, PeerGone."""
        await self._link_to(self._full(login)).room()

    def stop(self, login: str) -> None:
        """End the session with somebody, or take back what would become one.  Raises NotOpen, PeerGone."""
        peer = self._full(login)
        asking, linking = self._asking.get(peer), self._linking.pop(peer, None)
        if asking is not None:
            self._withdraw(asking)
        if linking is not None:
            linking.cancel()
        if asking is not None or linking is not None:
            self._come_to_nothing(peer, ErrorCode.WITHDRAWN)
        else:
            self._link_to(peer)
            self._close(peer, None)
        self._stay_active()

    def pause(self) -> None:
        """Take no more of what the others say for now.  Idempotent."""
        self._is_paused = True
        for link in self._open.values():
            link.pause()

    def resume(self) -> None:
        """Take it again.  Idempotent."""
        if self._is_paused:
            self._is_paused = False
            for link in self._open.values():
                link.resume()

    # -- the end

    def end(self, code: ErrorCode = ErrorCode.LOGGED_OUT) -> None:
        """Tell every peer goodbye, and why.  The requests end with the link to the server.  Idempotent."""
        for task in self._working:
            task.cancel()
        for peer in self.sessions:
            self._close(peer, code)
        for asking in self._asking.values():
            self._give_up(asking)
        for table in (self._asking, self._asked, self._untold, self._linking, self._broken):
            table.clear()

    async def close(self, code: ErrorCode = ErrorCode.LOGGED_OUT) -> None:
        """The same, and wait until nothing is left.  Takes at most `net.direct.GRACE_S`."""
        self.end(code)
        await asyncio.gather(*self._working, *self._leaving, return_exceptions=True)

    # -- what the server says

    def handle(self, packet: Packet) -> bool:
        """A packet of the server; returns whether it was one of ours."""
        take = self._take.get(type(packet))
        return take is not None and take(packet) is not False

    def server_lost(self) -> None:
        """The link to the server is gone, and with it every request.  Sessions live on (rule 3)."""
        asking, asked = [*self._asking], self.requests
        self._asking.clear()
        self._asked.clear()
        self._untold.clear()
        for peer in [*asking, *(one.peer for one in asked)]:
            self._come_to_nothing(peer, ErrorCode.TRY_AGAIN_LATER, NO_SERVER)

    def _take_request(self, packet: PrivateRequest) -> None:
        peer, mine = packet.from_, self._asking.get(packet.from_)
        self._asked[packet.id] = packet
        if mine is None:
            self._happened(Asked(peer, packet.id))
        elif mine.tag and mine.certificate < packet.certificate:
            self._untold.add(packet.id)
        else:
            self._accept(packet)

    def _take_start_ok(self, packet: PrivateStartOk) -> None:
        asking = self._asking_of(packet.tag)
        if asking is None:  # rule 5
            self._post(PrivateStop(id=packet.id))
            return
        del self._asking[asking.peer]
        asking.id, asking.peer = packet.id, packet.login
        self._asking[asking.peer] = asking
        self._happened(Waiting(asking.peer))

    def _take_answered(self, packet: PrivateAnswered) -> None:
        asking = next((one for one in self._asking.values() if one.id == packet.id), None)
        if asking is None:
            return
        del self._asking[asking.peer]
        if packet.accepted:
            self._link(asking.peer, partial(self._dial, asking, packet))
        else:
            self._give_up(asking)
            self._happened(Declined(asking.peer))
            self._tell_of(asking.peer)

    def _take_stopped(self, packet: PrivateStopped) -> None:
        asking = next((one for one in self._asking.values() if one.id == packet.id), None)
        asked = self._asked.pop(packet.id, None)
        if asking is not None:
            del self._asking[asking.peer]
            self._give_up(asking)
            self._come_to_nothing(asking.peer, packet.code, packet.reason)
        elif packet.id in self._untold:
            self._untold.discard(packet.id)
        elif asked is not None:
            self._come_to_nothing(asked.from_, packet.code, packet.reason)

    def _take_refusal(self, packet: RequestRefused) -> bool:
        asking, answering = self._asking_of(packet.tag), self._answering.get(packet.tag or "")
        if asking is not None:
            del self._asking[asking.peer]
            self._give_up(asking)
            self._come_to_nothing(asking.peer, packet.code, packet.reason)
        elif answering is not None:
            self._linking.pop(answering).cancel()
            self._come_to_nothing(answering, packet.code, packet.reason)
        return True

    def _take_not_implemented(self, packet: ErrorNotImplemented) -> bool:
        is_mine = self._asking_of(packet.tag) is not None
        if is_mine:
            code = ErrorCode.NOT_IMPLEMENTED
            self._take_refusal(PrivateStartFailed(code=code, reason=ERROR_TEXT[code], tag=packet.tag))
        return is_mine

    # -- requests

    async def _start(self, asking: _Asking) -> None:
        try:
            asking.identity = identity = await asyncio.to_thread(partial(Identity, is_listener=False))
            sdp = ""
            if self.bearer is not None:
                with suppress(NoDirectPath):  # then by TLS alone
                    asking.meeting = await self.bearer.offer()
                    sdp = asking.meeting.sdp
            if self._asking.get(asking.peer) is not asking:
                self._give_up(asking)
                return  # taken back meanwhile
            asking.certificate = _text(identity.certificate)
            asking.tag = self._send(PrivateStart(login=asking.peer, certificate=asking.certificate, sdp=sdp))
        except (NoDirectPath, ClientError) as error:
            self._give_up(asking)
            if self._asking.get(asking.peer) is asking:
                del self._asking[asking.peer]
                self._come_to_nothing(asking.peer, code_of(error), str(error))

    def _withdraw(self, asking: _Asking) -> None:
        del self._asking[asking.peer]
        self._give_up(asking)
        if asking.id:
            self._post(PrivateStop(id=asking.id))

    def _accept(self, request: PrivateRequest) -> None:
        del self._asked[request.id]
        self._untold.discard(request.id)
        mine = self._asking.get(request.from_)
        if mine is not None:
            self._withdraw(mine)
        self._link(request.from_, partial(self._listen, request))

    def _request_of(self, peer: str) -> PrivateRequest | None:
        return next((one for one in self._asked.values() if one.from_ == peer), None)

    def _asking_of(self, tag: str | None) -> _Asking | None:
        return next((one for one in self._asking.values() if one.tag == tag), None) if tag else None

    def _come_to_nothing(self, peer: str, code: ErrorCode, reason: str = "") -> None:
        self._happened(Failed(peer, code, reason or ERROR_TEXT[code]))
        self._tell_of(peer)

    def _tell_of(self, peer: str) -> None:
        """Mine is over; theirs, which it had crossed, is now the one that counts."""
        for id in [id for id in self._untold if self._asked[id].from_ == peer]:
            self._untold.discard(id)
            self._happened(Asked(peer, id))

    def _give_up(self, asking: _Asking) -> None:
        """Nobody will meet by the other bearer."""
        meeting, asking.meeting = asking.meeting, None
        if meeting is not None:
            self._working_on(self._leaving, meeting.close())

    # -- making the link

    def _link(self, peer: str, meeting: Callable[[], Coroutine[Any, Any, DirectLink]]) -> None:
        old = self._linking.get(peer)
        if old is not None:
            old.cancel()
        self._linking[peer] = self._work(self._meet(peer, meeting))

    async def _meet(self, peer: str, meeting: Callable[[], Coroutine[Any, Any, DirectLink]]) -> None:
        try:
            link = await meeting()
        except (NoDirectPath, ClientError) as error:
            del self._linking[peer]
            self._come_to_nothing(peer, code_of(error), str(error))
            return
        del self._linking[peer]
        if peer in self._open:  # from another device of theirs
            self._close(peer, None)
        self._broken.discard(peer)
        self._open[peer] = link
        self._happened(Opened(peer))
        if self._is_paused:
            link.pause()
        link.start(lambda text: self._happened(Said(peer, text)), partial(self._ended, peer))

    async def _dial(self, asking: _Asking, packet: PrivateAnswered) -> DirectLink:
        """Go where they said, by TLS first (rule 6)."""
        assert asking.identity is not None
        meeting, asking.meeting = asking.meeting, None
        try:
            if packet.port or meeting is None or not packet.sdp:
                try:
                    return await dial(asking.identity, _der(packet.certificate), packet.addresses, packet.port)
                except NoDirectPath:
                    if meeting is None or not packet.sdp:
                        raise
            mine, meeting = meeting, None
            return await mine.meet(packet.sdp)
        finally:
            if meeting is not None:
                self._working_on(self._leaving, meeting.close())

    async def _listen(self, request: PrivateRequest) -> DirectLink:
        """Say yes and where, and wait until they have come."""
        with contextlib.ExitStack() as stack:
            identity, listener, meeting = None, None, None
            try:
                if request.certificate or not (request.sdp and self.bearer):
                    identity = await asyncio.to_thread(partial(Identity, is_listener=True))
                    listener = stack.enter_context(closing(Listener(identity, _der(request.certificate))))
                if request.sdp and self.bearer is not None:
                    meeting = await self._met_half(request.sdp, is_needed=listener is None)
            except NoDirectPath:
                self._post(PrivateAnswer(id=request.id, accepted=False))
                raise
            try:
                return await self._wait_for(request, identity, listener, meeting)
            except BaseException:
                if meeting is not None:
                    self._working_on(self._leaving, meeting.close())
                raise

    async def _met_half(self, sdp: str, *, is_needed: bool) -> Meeting | None:
        assert self.bearer is not None
        try:
            return await self.bearer.answer(sdp)
        except NoDirectPath:
            if is_needed:
                raise
            return None

    async def _wait_for(
        self, request: PrivateRequest, identity: Identity | None, listener: Listener | None, meeting: Meeting | None
    ) -> DirectLink:
        """The link by whichever way they come."""
        tag = self._send(
            PrivateAnswer(
                id=request.id,
                accepted=True,
                port=0 if listener is None else listener.port,
                addresses=[] if listener is None else own_addresses(),
                certificate="" if identity is None else _text(identity.certificate),
                sdp="" if meeting is None else meeting.sdp,
            )
        )
        self._answering[tag] = request.from_
        ways: list[asyncio.Task[DirectLink]] = []
        try:
            if listener is not None:
                ways.append(asyncio.ensure_future(listener.accept(self._answer_s)))
            if meeting is not None:
                ways.append(asyncio.ensure_future(_within(self._answer_s, meeting)))
            return await _first(ways)
        finally:
            del self._answering[tag]
            await _cancel(ways)

    # -- sessions

    def _link_to(self, peer: str) -> DirectLink:
        link = self._open.get(peer)
        if link is None:
            if peer in self._broken:
                raise PeerGone(f"{peer} is gone: the private session with them has ended.")
            raise NotOpen(f"There is no private session with {peer}. Ask for one first.")
        return link

    def _ended(self, peer: str, by_peer: bool, code: ErrorCode | None) -> None:
        self._leave(self._open.pop(peer))
        if not by_peer:
            self._broken.add(peer)
        self._happened(Closed(peer, by_peer, code))

    def _close(self, peer: str, code: ErrorCode | None) -> None:
        link = self._open.pop(peer)
        link.close(code)
        self._leave(link)
        self._happened(Closed(peer, False, code))

    def _leave(self, link: DirectLink) -> None:
        self._working_on(self._leaving, link.closed())

    def _work(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._working_on(self._working, work)

    @staticmethod
    def _working_on(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    def _post(self, packet: Packet) -> None:
        """Send what matters only while there is a link."""
        with suppress(ClientError):
            self._send(packet)

    def _stay_active(self) -> None:
        """Rule 4."""
        now = asyncio.get_running_loop().time()
        if now - self._active_at >= ACTIVE_S:
            self._active_at = now
            self._post(PresenceSet())


async def _within(seconds: float, meeting: Meeting) -> DirectLink:
    try:
        async with asyncio.timeout(seconds):
            return await meeting.meet()
    except TimeoutError:
        raise NoDirectPath("The other device did not reach this one.") from None


async def _first(ways: list[asyncio.Task[DirectLink]]) -> DirectLink:
    """The first link that comes about; when none does, what the first way says of it."""
    waiting: set[asyncio.Task[DirectLink]] = set(ways)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            if way.exception() is None:
                return way.result()
    return ways[0].result()


async def _cancel(ways: list[asyncio.Task[DirectLink]]) -> None:
    for way in ways:
        way.cancel()
    await asyncio.gather(*ways, return_exceptions=True)


def code_of(error: Exception) -> ErrorCode:
    """Why no session came about, as far as the error knows."""
    if isinstance(error, NoDirectPath):
        return ErrorCode.NO_DIRECT_PATH
    return error.code if isinstance(error, RequestFailed) else ErrorCode.TRY_AGAIN_LATER


def _text(certificate: bytes) -> str:
    return base64.b64encode(certificate).decode()


def _der(certificate: str) -> bytes:
    """What is no Base64 is no certificate either, and is refused as none."""
    try:
        return base64.b64decode(certificate, validate=True)
    except ValueError:
        return b""
