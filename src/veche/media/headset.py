"""The sound of this device in all the conferences it is in: one microphone, one loudspeaker, an engine for each.

    headset = Headset(client, devices, paths=Paths(), told=print, changed=redraw)
    headset.take(packet)              each packet of the server, in its order
    headset.is_muted = True
    await headset.close()             the devices too

For who comes and goes by themselves, as the terminal does (`Call` joins for you, and is one conference).  What the
owner of a conference switches off is off here, and stays so until the person switches it on again.

Source: rows A39, A69, X07; packets/conference.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from veche.client import Client, ClientError
from veche.packets import Packet
from veche.packets.conference import (
    ConferenceJoin,
    ConferenceJoined,
    ConferenceJoinFailed,
    ConferenceJoinOk,
    ConferenceLeaveOk,
    ConferenceLegChanged,
    ConferenceLegSet,
    IceServer,
    IceServersGet,
    IceServersGetOk,
    Leg,
    MediaKind,
    Signal,
)

from .audio import AudioDevices
from .call import SERVERS_S
from .connection import Paths
from .engine import Engine, LegState
from .identity import Identities
from .pair import LinkState

LOOK_S = 0.25
"""So often it is looked who speaks."""


class Headset:
    """The engines of one client.

    told: is given each LegState, with the id of its conference.  changed: somebody begins or ends to speak, or a device
    is gone.  identities: what this device signs its calls with, and whom it has met.
    """

    def __init__(
        self,
        client: Client,
        devices: AudioDevices,
        *,
        paths: Paths | None = None,
        told: Callable[[str, LegState], None] = lambda _id, _state: None,
        changed: Callable[[], None] = lambda: None,
        identities: Identities | None = None,
    ) -> None:
        self._client, self._devices = client, devices
        self._identities = identities or Identities()
        self._base = self._paths = paths or Paths()
        self._told, self._changed = told, changed
        self._engines: dict[str, Engine] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._servers_at = self._now()
        self._seen = self._look()
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._on_timer)

    @property
    def conferences(self) -> list[str]:
        """Where this device takes part with sound."""
        return list(self._engines)

    @property
    def is_muted(self) -> bool:
        """Nobody hears the microphone."""
        return self._devices.is_muted

    @is_muted.setter
    def is_muted(self, value: bool) -> None:
        """Tells all conferences too."""
        self._devices.is_muted = value
        for id in self._engines:
            self._say(id)

    def states(self, id: str) -> dict[str, LegState]:
        """How it stands with each other leg of a conference that there is a connection to."""
        engine = self._engines.get(id)
        return {} if engine is None else engine.states

    def security_number(self, id: str, leg: str) -> str:
        """What both ends of a connection compare; empty: they are not connected."""
        engine = self._engines.get(id)
        return "" if engine is None else engine.security_number(leg)

    def speaking(self, id: str) -> frozenset[str]:
        """Which legs of a conference speak now, this device's among them."""
        engine = self._engines.get(id)
        if engine is None:
            return frozenset()
        heard = {leg for leg in self._devices.speaking() if engine.takes(leg, "audio")}
        if self._devices.is_speaking and engine.sends("audio"):
            heard.add(engine.me)
        return frozenset(heard)

    def lost(self) -> list[str]:
        """Which of the devices are gone: unplugged, say."""
        return self._devices.lost()

    # -- what happens

    def take(self, packet: Packet, request: Packet | None = None) -> None:
        """A packet of the server, whatever it is.  request: what it answers."""
        match packet:
            case ConferenceJoinOk():
                self._joined(packet)
            case ConferenceLeaveOk(id=id):
                self._end(id)
            case ConferenceJoinFailed() if isinstance(request, ConferenceJoin) and request.resume and request.id:
                self._end(request.id)
            case IceServersGetOk():
                self._use(packet.ice_servers)
            case _:
                for id, engine in list(self._engines.items()):
                    before = engine.leg(engine.me)
                    engine.handle(packet)
                    if engine.is_ended:
                        self._end(id)
                    elif isinstance(packet, ConferenceLegChanged | ConferenceJoined):
                        self._obey_owner(before, engine.leg(engine.me))

    async def close(self) -> None:
        """End all, and let go of the devices.  Idempotent."""
        self._timer.cancel()
        for id in list(self._engines):
            self._end(id)
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
        await self._devices.close()

    # -- inside

    def _joined(self, packet: ConferenceJoinOk) -> None:
        conference = packet.conference
        id, me = conference.id, next((leg for leg in conference.legs if leg.id == packet.leg), None)
        if me is None or me.media is MediaKind.TEXT:
            self._end(id)
            return
        self._use(packet.ice_servers)
        engine = self._engines.get(id)
        if engine is not None:
            engine.resumed(packet, self._paths)
        else:
            self._engines[id] = Engine(
                conference,
                packet.leg,
                self._send,
                paths=self._paths,
                source=_Lent(self._devices),
                sinks=[_Lent(self._devices)],
                told=lambda state: self._tell(id, state),
                identities=self._identities,
            )
        self._obey_owner(None, me)
        if me.is_muted != self.is_muted:
            self._say(id)

    def _end(self, id: str) -> None:
        engine = self._engines.pop(id, None)
        if engine is not None:
            engine.end()
            task = asyncio.get_running_loop().create_task(engine.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _obey_owner(self, before: Leg | None, leg: Leg | None) -> None:
        if leg is not None and leg.muted_by and not (before is not None and before.muted_by):
            self._devices.is_muted = True

    def _say(self, id: str) -> None:
        self._post(ConferenceLegSet(id=id, is_muted=self.is_muted))

    def _send(self, signal: Signal) -> None:
        if self._client.is_online:  # what waits for another link would come too late
            self._post(signal)

    def _post(self, packet: Packet) -> None:
        with suppress(ClientError):
            self._client.post(packet)

    def _use(self, servers: Sequence[IceServer]) -> None:
        self._servers_at = self._now()
        self._paths = self._base._replace(ice_servers=(*self._base.ice_servers, *servers))
        for engine in self._engines.values():
            engine.paths = self._paths

    def _tell(self, id: str, state: LegState) -> None:
        if state.state is LinkState.FAILED and self._now() - self._servers_at > SERVERS_S:
            self._servers_at = self._now()
            self._post(IceServersGet())
        self._told(id, state)

    def _look(self) -> object:
        return self._devices.speaking(), self._devices.is_speaking, self._devices.lost()

    def _on_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._on_timer)
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            self._changed()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class _Lent:
    """The devices as one engine has them: they are not closed with it."""

    def __init__(self, devices: AudioDevices) -> None:
        self.tracks, self.take, self.gone = devices.tracks, devices.take, devices.gone

    async def close(self) -> None:
        pass
