"""Which paths media can take from this machine: what `veche doctor calls` finds out.

Each check is one real attempt with a time limit, and gives a `Finding`: addresses of this machine, a call from this
machine to itself with picture and tone, what each STUN server answers, and a call by nothing but each TURN server.

Source: RFC 8445 §5.1 (candidates), RFC 8489 (STUN), RFC 8656 (TURN).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aioice import Connection as IceConnection
from aioice.ice import TransportPolicy, get_host_addresses
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcconfiguration import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs
from msgspec import Struct

from veche.packets.conference import Conference, IceServer, Leg, Signal, Signalled

from .connection import LOOPBACK, Paths
from .engine import Engine, LegState
from .pair import LinkState
from .pattern import colours_of, pattern, samples_of, sources_of, tone_of
from .streams import Shared, next_frame

GATHER_S = 6.0
CALL_S = 12.0


class Finding(Struct, frozen=True):
    """What one check has found.  name: of the path.  sentence: what that means, and what to do."""

    name: str
    is_ok: bool
    sentence: str


async def check_paths(servers: Sequence[IceServer], *, loopback: bool = False) -> AsyncIterator[Finding]:
    """All checks, one after the other.  servers: as the home server names them.  loopback: by 127.0.0.1 alone."""
    yield check_addresses()
    local = LOOPBACK if loopback or not host_addresses() else Paths()
    yield await check_call("a call on this machine", local)
    for server in servers:
        for url in server.urls:
            one = IceServer(urls=[url], username=server.username, credential=server.credential)
            if url.startswith(("stun:", "stuns:")):
                yield await check_stun(one, loopback=loopback)
            elif url.startswith(("turn:", "turns:")):
                yield await check_turn(one)
            else:
                yield Finding(url, False, "This is no STUN or TURN address; it begins with stun: or turn:.")


def host_addresses() -> list[str]:
    """The addresses of this machine that calls use."""
    return get_host_addresses(use_ipv4=True, use_ipv6=True)


def check_addresses() -> Finding:
    """What this machine can be reached at."""
    found = host_addresses()
    if not found:
        return Finding(
            "addresses", False, "This machine has no network address but 127.0.0.1: it can call itself alone."
        )
    return Finding("addresses", True, f"This machine is offered to others as {', '.join(found)}.")


async def check_stun(server: IceServer, *, loopback: bool = False) -> Finding:
    """Ask a STUN server how the world sees this machine."""
    url = server.urls[0]
    if url.startswith("stuns:"):
        return Finding(url, False, "STUN over TLS is not tried here; browsers may use it.")
    try:
        kwargs = connection_kwargs([RTCIceServer(urls=[url])])
    except ValueError:
        return Finding(url, False, "This is no address of a STUN server; write stun:HOST:PORT.")
    connection: Any = IceConnection(ice_controlling=True, **kwargs)
    try:
        addresses = ["127.0.0.1"] if loopback else host_addresses()
        found = await connection.get_component_candidates(1, addresses, timeout=GATHER_S)
    finally:
        await connection.close()
    seen = sorted({one.host for one in found if one.type == "srflx"})
    if not seen:
        return Finding(url, False, "It does not answer. Is it running, and does a firewall let UDP through to it?")
    return Finding(
        url, True, f"It sees this machine at {', '.join(seen)}; so can others, unless their firewall forbids it."
    )


async def check_turn(server: IceServer) -> Finding:
    """Take a place at a TURN server, then make a call that goes through it both ways."""
    url = server.urls[0]
    try:
        kwargs = connection_kwargs(
            [RTCIceServer(urls=[url], username=server.username or None, credential=server.credential or None)]
        )
    except ValueError:
        kwargs = {}
    if not kwargs:
        return Finding(url, False, "This is no address of a TURN server; write turn:HOST:PORT?transport=udp.")
    connection: Any = IceConnection(ice_controlling=True, transport_policy=TransportPolicy.RELAY, **kwargs)
    try:
        found = await connection.get_component_candidates(1, [], timeout=GATHER_S)
    finally:
        await connection.close()
    places = [one.host for one in found if one.type == "relay"]
    if not places:
        return Finding(
            url,
            False,
            "It gives no place. Either it cannot be reached, or it does not know the credentials: its "
            "static-auth-secret must be the turn secret of the home server, and both clocks right.",
        )
    call = await check_call(url, Paths(ice_servers=(server,), relay_only=True))
    if not call.is_ok:
        return Finding(
            url, False, f"It gives a place at {places[0]}, but nothing comes through there. Are its relay ports open?"
        )
    return Finding(url, True, f"It relays by {places[0]}. {call.sentence}")


async def check_call(name: str, paths: Paths) -> Finding:
    """Two legs in this process call each other; picture and tone have to arrive at both."""
    loop = asyncio.get_running_loop()
    at = "1970-01-01T00:00:00Z"
    legs = [
        Leg(id=id, user=id.partition("/")[0], epoch=number, initiator="one@here/doctor", at=at)
        for number, id in enumerate(("one@here/doctor", "two@here/doctor"), 1)
    ]
    conference = Conference(id="doctor", name="doctor", owner="", at=at, legs=legs, epoch=2)
    engines: dict[str, Engine] = {}
    looks = [_Look(number) for number in (1, 0)]
    reasons: list[str] = []
    started = loop.time()

    def told(state: LegState) -> None:
        if state.state is LinkState.FAILED:
            reasons.append(state.reason)

    for number, leg in enumerate(legs):

        def send(signal: Signal, me: str = leg.id) -> None:
            packet = Signalled(id=signal.id, from_=me, epoch=signal.epoch, kind=signal.kind, sdp=signal.sdp)
            loop.call_soon(lambda: engines[signal.to].handle(packet))

        source = Shared(*sources_of(pattern(number)))
        engines[leg.id] = Engine(conference, leg.id, send, paths=paths, source=source, sinks=[looks[number]], told=told)
    try:
        async with asyncio.timeout(CALL_S):
            await asyncio.gather(*(look.is_satisfied.wait() for look in looks))
    except TimeoutError:
        missing = sorted({kind for look in looks for kind in look.missing})
        why = reasons[0] if reasons else f"Nothing of {' and '.join(missing)} arrived within {CALL_S:.0f} s."
        return Finding(name, False, why)
    finally:
        await asyncio.gather(*(engine.close() for engine in engines.values()))
    return Finding(name, True, f"Picture and tone arrive, {(loop.time() - started) * 1000:.0f} ms after the call.")


class _Look:
    """A sink that is satisfied once it has seen and heard the sender of this number."""

    def __init__(self, number: int) -> None:
        self._shown = pattern(number)
        self.missing = {"audio", "video"}
        self.is_satisfied = asyncio.Event()

    async def take(self, leg: Leg, track: MediaStreamTrack) -> None:
        samples: list[int] = []
        while track.kind in self.missing:
            frame = await next_frame(track)
            if track.kind == "video":
                is_right = colours_of(frame) == (self._shown.left, self._shown.right)
            else:
                samples = [*samples, *samples_of(frame)][-4800:]
                is_right = tone_of(samples) == self._shown.tone_hz
            if is_right:
                self.missing.discard(track.kind)
        if not self.missing:
            self.is_satisfied.set()

    def gone(self, leg: Leg) -> None:
        pass

    async def close(self) -> None:
        pass
