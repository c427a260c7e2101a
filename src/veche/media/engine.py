"""The media of this device in one conference: a connection to each other leg, kept as the conference goes on.

    engine = Engine(joined.conference, joined.leg, send, paths=Paths(ice_servers=...), source=..., sinks=[...])
    engine.handle(packet)            each packet of the server that may concern it
    engine.resumed(join_ok, paths)   the server was away, while media went on: what has changed is made up for
    await engine.close()

Each other leg has a runner: its `Pair` decides, its newest `Connection` does, one task carries the pair's commands out
in their order.  SIGNALs that come before the epoch they belong to is known wait for it, at most `MAX_AHEAD` of them.

While this leg is held its connections stand, and nothing goes over them in either direction (row A39); so it is for
what the leg says it has switched off, and for what the owner has (row A69).

Source: DESIGN §7; rows A39, A45, A51, A63, A69, V05-V11, V26, V31, X10.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiortc.mediastreams import MediaStreamTrack
from msgspec import Struct

from veche.core import security_number
from veche.packets import Packet
from veche.packets.conference import (
    Conference,
    ConferenceEnded,
    ConferenceJoinOk,
    ConferenceLeft,
    Leg,
    MediaKind,
    Signal,
    SignalKind,
    Signalled,
)

from .connection import BadDescription, Connection, NoAddress, Paths
from .identity import BadProof, Claim, Identities
from .pair import NO_PROOF, Accept, Answer, Candidate, Changed, Drop, LinkState, Offer, Pair, Proof, Tell
from .roster import Link, conference_after, leg_of, links, sends, takes
from .streams import Gate, Nothing, Sink, Source, feed

MAX_AHEAD = 64
SILENT_S = 7.0
"""Connectivity checks come every 2.5 to 6 s, whatever is sent; without any for so long a connection is weak."""
LOOK_S = 0.5

logger = logging.getLogger(__name__)


class LegState(Struct, frozen=True):
    """How it stands with another leg, told whenever it is new.  retry_in_s: of a failed one.

    identity: the account that vouches for the connection (identity.py), 40 hexadecimal digits; empty: none does.
    """

    leg: str
    state: LinkState
    reason: str = ""
    retry_in_s: float | None = None
    identity: str = ""


class Engine:
    """All connections of one leg.

    send: puts a SIGNAL on the link to the server; what it cannot send is lost, and tried again by the pairs.
    told: is given each LegState.
    identities: what this device signs with, and whom it has met; without: nothing is signed, and all is forgotten.
    """

    def __init__(
        self,
        conference: Conference,
        me: str,
        send: Callable[[Signal], object],
        *,
        paths: Paths | None = None,
        source: Source | None = None,
        sinks: Sequence[Sink] = (),
        told: Callable[[LegState], None] = lambda _: None,
        identities: Identities | None = None,
    ) -> None:
        self.conference, self.me = conference, me
        self.paths = paths or Paths()
        self.source: Source = source or Nothing()
        self.sinks = list(sinks)
        self._send, self._told = send, told
        self.identities = identities or Identities()
        self._runners: dict[str, _Runner] = {}
        self._closing: dict[str, asyncio.Task[None]] = {}
        self._ahead: list[Signalled] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_ended = False
        self._settle()

    @property
    def states(self) -> dict[str, LegState]:
        """How it stands with each leg that there is a connection to."""
        return {id: runner.told for id, runner in self._runners.items()}

    def leg(self, id: str) -> Leg | None:
        """A leg of the conference."""
        return leg_of(self.conference, id)

    def security_number(self, leg: str) -> str:
        """What people compare to know that nobody sits between this leg and that one; empty: they are not connected."""
        runner = self._runners.get(leg)
        found = runner.fingerprints if runner is not None else None
        return "" if found is None else security_number.of(*found)

    def sends(self, kind: str) -> bool:
        """Whether that goes out now: audio or video."""
        return sends(self.leg(self.me), kind)

    def takes(self, other: str, kind: str) -> bool:
        """Whether the sinks are given now what another leg sends."""
        return takes(self.leg(self.me), self.leg(other), kind)

    # -- what happens

    def handle(self, packet: Packet) -> None:
        """A packet of the server; those of other conferences are passed over."""
        if self.is_ended:
            return
        match packet:
            case Signalled() if packet.id == self.conference.id:
                self._signalled(packet)
            case ConferenceEnded() if packet.id == self.conference.id:
                self.end()
            case ConferenceLeft() if packet.id == self.conference.id and packet.leg == self.me:
                self.end()
            case _:
                after = conference_after(self.conference, packet)
                if after is not self.conference:
                    was_lost = {leg.id for leg in self.conference.legs if leg.is_lost}
                    self._become(after)
                    for leg in after.legs:  # what was said to a leg that had no link is lost
                        if leg.id in was_lost and not leg.is_lost and leg.id in self._runners:
                            self._runners[leg.id].signalling_is_back()

    def resumed(self, joined: ConferenceJoinOk, paths: Paths) -> None:
        """The server is back, and this is how the conference stands.  paths: from now on."""
        self.me, self.paths = joined.leg, paths
        old = set(self._runners.values())
        self._become(joined.conference)
        for runner in self._runners.values():
            if runner in old:
                runner.signalling_is_back()

    def end(self) -> None:
        """Let go of all connections; nothing more is sent or told.  Idempotent."""
        self.is_ended = True
        for id in list(self._runners):
            self._remove(id)

    async def close(self) -> None:
        """The same, and wait until all is let go of, the source and the sinks too."""
        self.end()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.source.close()
        for sink in self.sinks:
            await sink.close()

    # -- inside

    def _become(self, conference: Conference) -> None:
        left = {leg.id: leg for leg in self.conference.legs}
        self.conference = conference
        for leg in conference.legs:
            left.pop(leg.id, None)
        self._settle()
        for leg in left.values():
            self.spawn(self._gone(leg, self._closing.get(leg.id)))

    async def _gone(self, leg: Leg, closing: asyncio.Task[None] | None) -> None:
        """Tell the sinks of a leg that left, once nothing more of it can come."""
        if closing is not None:
            await asyncio.wait([closing])
        for sink in self.sinks:
            sink.gone(leg)

    def _settle(self) -> None:
        """Make the connections those that there ought to be."""
        wanted = links(self.conference, self.me)
        for id, runner in list(self._runners.items()):
            if wanted.get(id) != runner.link:
                self._remove(id)
        for id, link in wanted.items():
            if id not in self._runners:
                runner = self._runners[id] = _Runner(self, id, link)
                runner.begin()
        ahead, self._ahead = self._ahead, []
        for signal in ahead:
            self._signalled(signal)

    def _signalled(self, signal: Signalled) -> None:
        runner = self._runners.get(signal.from_)
        if runner is not None and signal.epoch <= runner.link.epoch:
            runner.receive(signal)
        elif len(self._ahead) < MAX_AHEAD and signal.epoch > (runner.link.epoch if runner else self.conference.epoch):
            self._ahead.append(signal)

    def _remove(self, id: str) -> None:
        closing = self._closing[id] = self.spawn(self._runners.pop(id).close())
        closing.add_done_callback(lambda task: self._closing.pop(id) if self._closing.get(id) is task else None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """For the runners only: a task that `close` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def signal(self, to: str, epoch: int, kind: SignalKind, sdp: str, proof: Proof) -> None:
        """For the runners only."""
        if not self.is_ended:
            self._send(
                Signal(
                    id=self.conference.id,
                    to=to,
                    epoch=epoch,
                    kind=kind,
                    sdp=sdp,
                    identity=proof.identity,
                    signature=proof.signature,
                )
            )

    def tell(self, state: LegState) -> None:
        """For the runners only."""
        if not self.is_ended:
            self._told(state)


class _Runner:
    """One other leg: carries out what its pair decides."""

    def __init__(self, engine: Engine, id: str, link: Link) -> None:
        self.engine, self.id, self.link = engine, id, link
        self.told = LegState(id, LinkState.CONNECTING)
        self._pair = Pair(link.epoch, is_caller=link.is_caller)
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._serial = 0
        self._due: asyncio.Queue[Any] = asyncio.Queue()
        self._readers: dict[int, set[asyncio.Task[None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._is_silent = False
        self._worker: asyncio.Task[None] | None = None
        self._proof = NO_PROOF
        """Of the description that was made last."""
        self._identity = ""
        """Who vouches for the connection that stands, or is being made."""

    @property
    def fingerprints(self) -> tuple[str, str] | None:
        return None if self._connection is None else self._connection.fingerprints

    def begin(self) -> None:
        self._worker = self._loop.create_task(self._work())
        self._pair.begin(self._loop.time())
        self.engine.tell(self.told)
        self._look_on()
        self._pump()

    def receive(self, signal: Signalled) -> None:
        self._pair.receive(
            signal.kind,
            signal.epoch,
            self._loop.time(),
            sdp=signal.sdp,
            candidate=signal.candidate,
            mid=signal.mid,
            mline=signal.mline,
            proof=Proof(signal.identity, signal.signature),
        )
        self._pump()

    def signalling_is_back(self) -> None:
        self._pair.signalling_is_back(self._loop.time())
        self._pump()

    async def close(self) -> None:
        for timer in (self._timer, self._look):
            if timer is not None:
                timer.cancel()
        self._timer = self._look = None
        self._pair.end()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        await self._drop()

    # -- inside: what the pair wants

    def _pump(self) -> None:
        if self._worker is None:
            return
        for command in self._pair.commands():
            match command:
                case Tell(kind, sdp):
                    proof = self._proof if sdp else NO_PROOF
                    self.engine.signal(self.id, self.link.epoch, kind, sdp, proof)
                case Changed(state, reason, retry_in_s):
                    is_there = state in (LinkState.CONNECTED, LinkState.WEAK)
                    self.told = LegState(self.id, state, reason, retry_in_s, self._identity if is_there else "")
                    self.engine.tell(self.told)
                case _:
                    self._due.put_nowait(command)
        self._arm()

    async def _work(self) -> None:
        """Carry the commands out, one after the other."""
        while True:
            command = await self._due.get()
            try:
                await self._do(command)
            except (BadDescription, BadProof, NoAddress) as error:
                self._broke(command.serial, str(error))
            except Exception as error:  # aiortc raises whatever it meets; the pair tries again
                logger.debug("%s: %s failed", self.id, type(command).__name__, exc_info=True)
                self._broke(command.serial, f"The connection cannot be made: {error or type(error).__name__}.")

    async def _do(self, command: Any) -> None:
        if command.serial != self._pair.serial and not isinstance(command, Drop):
            return  # another has replaced it while it waited its turn
        connection = self._connection if command.serial == self._serial else None
        match command:
            case Drop(serial):
                if serial == self._serial:
                    await self._drop()
            case Offer(serial):
                await self._made(serial, (await self._connect(serial)).offer())
            case Answer(serial, sdp, renews, proof):
                self._judge(sdp, proof)
                if connection is None and not renews:
                    connection = await self._connect(serial)
                if connection is not None:
                    await self._made(serial, connection.answer(sdp))
            case Accept(_, sdp, proof) if connection is not None:
                self._judge(sdp, proof)
                await connection.accept(sdp)
            case Candidate(_, candidate, mid, mline) if connection is not None:
                await connection.candidate(candidate, mid, mline)
            case _:
                pass

    async def _made(self, serial: int, making: Coroutine[Any, Any, str]) -> None:
        sdp = await making
        engine = self.engine
        self._proof = await engine.identities.prove(
            Claim(engine.conference.id, engine.me, self.id, self.link.epoch, sdp)
        )
        self._pair.made(serial, sdp, self._loop.time())
        self._pump()

    def _judge(self, sdp: str, proof: Proof) -> None:
        """Before anything is made of a description of theirs.  Raises BadProof."""
        engine = self.engine
        claim = Claim(engine.conference.id, self.id, engine.me, self.link.epoch, sdp)
        leg = engine.leg(self.id)
        self._identity = engine.identities.judge(claim, proof, self.id if leg is None else leg.user)

    async def _connect(self, serial: int) -> Connection:
        await self._drop()
        leg = self.engine.leg(self.id)
        assert leg is not None
        engine = self.engine
        mine = engine.leg(engine.me)
        may = ("audio", "video") if mine is None or mine.media is MediaKind.VIDEO else ("audio",)
        self._serial = serial
        self._readers[serial] = set()
        self._connection = Connection(
            engine.paths,
            [
                Gate(track, lambda kind=track.kind: engine.sends(kind))
                for track in engine.source.tracks(leg)
                if track.kind in may
            ],
            up=lambda: self._up(serial),
            down=lambda reason: self._broke(serial, reason),
            took=lambda track: self._took(serial, leg, track),
        )
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        readers = self._readers.pop(self._serial, set())
        await connection.close()
        for task in readers:
            task.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    # -- inside: what a connection reports

    def _up(self, serial: int) -> None:
        self._is_silent = False
        if self._connection is not None:
            self._connection.heard_at = self._loop.time()
        self._pair.up(serial, self._loop.time())
        self._pump()

    def _broke(self, serial: int, reason: str) -> None:
        self._pair.broke(serial, reason, self._loop.time())
        self._pump()

    def _took(self, serial: int, leg: Leg, track: MediaStreamTrack) -> None:
        readers = self._readers.get(serial)
        if readers is not None:
            heard = Gate(track, lambda: self.engine.takes(self.id, track.kind))
            task = self._loop.create_task(feed(leg, heard, self.engine.sinks))
            readers.add(task)
            task.add_done_callback(readers.discard)

    # -- inside: time

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._pair.next_deadline()
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._pair.handle_timer(self._loop.time())
        self._pump()

    def _look_on(self) -> None:
        """See whether something still comes."""
        self._look = self._loop.call_later(LOOK_S, self._look_on)
        if self._connection is None or self._pair.state not in (LinkState.CONNECTED, LinkState.WEAK):
            return
        now = self._loop.time()
        is_silent = now - self._connection.heard_at > SILENT_S
        if is_silent != self._is_silent:
            self._is_silent = is_silent
            if is_silent:
                self._pair.silent(self._serial, now)
            else:
                self._pair.heard(self._serial)
            self._pump()
