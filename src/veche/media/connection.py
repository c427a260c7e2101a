"""One WebRTC connection of this leg to another, over aiortc.

What aiortc does otherwise than a browser, and what is made of it here:

- It gathers all candidates before it gives a description away, so none of ours are trickled; theirs are taken.
- It leaves loopback addresses out and asks a server of Google's when it is told of none: `Paths` says which addresses
  and which servers, and nothing else is used.
- It resolves `.local` candidates (mDNS) before it goes on, and fails where there is no multicast: they are taken out
  of the description and tried beside it.
- It has no "disconnected": `heard_at` says when something came last, connectivity checks among it.
- It has no ICE restart: another connection replaces this one (pair.py, rule 4).
- After a gap its video receiver waits for packets that never come, for half a minute: `_begin_anew` lets it forget
  them, and asks for a whole picture.
- A track that nobody reads fills the memory: whoever is given one by `took` reads it to its end.

Source: W3C WebRTC 1.0; RFC 8445, RFC 8839, RFC 7675; aiortc 1.16 (`_ssl` is its private name), aioice 0.13
(`_connection`).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import certificate_digest
from aiortc.sdp import candidate_from_sdp

from veche.packets.conference import IceServer

GATHER_S = 3.0
"""So long STUN and TURN servers are waited for."""
MAX_SECTIONS, MAX_CANDIDATES = 8, 100
"""Of a description of theirs; more is nonsense, and would cost us a socket each."""
GAP_S = 1.0
"""Nothing but silence for so long: what was missed is not worth waiting for."""
SECTION = re.compile(r"^m=", re.MULTILINE)
CANDIDATE_LINE = re.compile(r"^a=candidate:(?P<candidate>\S+ \d+ \S+ \d+ (?P<host>\S+) .*?)\r?\n", re.MULTILINE)
END_LINE = re.compile(r"^a=end-of-candidates\r?\n", re.MULTILINE)

logger = logging.getLogger(__name__)


class BadDescription(Exception):
    """The other leg's offer or answer cannot be used.  Its message is a sentence."""


class NoAddress(Exception):
    """There is no path from here to anybody.  Its message is a sentence."""


class Paths(NamedTuple):
    """Which ways media may take.

    addresses: of this machine, offered to the other; None: all but loopback ones.
    ice_servers: as the server named them.  relay_only: through a TURN server alone.
    """

    addresses: tuple[str, ...] | None = None
    ice_servers: tuple[IceServer, ...] = ()
    relay_only: bool = False

    def configuration(self) -> RTCConfiguration:
        """The same in aiortc's words."""
        from aiortc.rtcconfiguration import RTCIceTransportPolicy

        servers = [
            RTCIceServer(urls=list(one.urls), username=one.username or None, credential=one.credential or None)
            for one in usable(self.ice_servers)
        ]
        policy = RTCIceTransportPolicy.RELAY if self.relay_only else RTCIceTransportPolicy.ALL
        return RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE, iceTransportPolicy=policy)


LOOPBACK = Paths(addresses=("127.0.0.1",))


def usable(servers: Sequence[IceServer]) -> list[IceServer]:
    """Those that aiortc can speak to; it takes the first STUN and the first TURN server of them, so UDP comes first."""
    from aiortc.rtcicetransport import parse_stun_turn_uri

    found: list[IceServer] = []
    for server in servers:
        for url in server.urls:
            with suppress(ValueError):
                parsed = parse_stun_turn_uri(url)
                if parsed["scheme"] != "stuns":
                    found.append(IceServer(urls=[url], username=server.username, credential=server.credential))
    return sorted(found, key=lambda one: "transport=tcp" in one.urls[0] or one.urls[0].startswith("turns:"))


class Connection:
    """One RTCPeerConnection.  Not used again once closed.

    tracks: what is sent.  up, down: told once each; down with a sentence.  took: is given each track of the other.
    Descriptions of theirs that cannot be used raise BadDescription.
    """

    def __init__(
        self,
        paths: Paths,
        tracks: Sequence[MediaStreamTrack],
        *,
        up: Callable[[], None],
        down: Callable[[str], None],
        took: Callable[[MediaStreamTrack], None],
    ) -> None:
        self._paths, self._tracks = paths, list(tracks)
        self._up, self._down = up, down
        self._is_up = self._is_down = self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._side_tasks: set[asyncio.Task[None]] = set()
        self._watched: set[int] = set()
        self.heard_at = self._loop.time()
        """When something came from the other last, on the loop's clock."""
        self._data_at: float | None = None
        self.pc = RTCPeerConnection(paths.configuration())
        self.pc.on("track", took)
        self.pc.on("connectionstatechange", self._changed)

    # -- descriptions

    async def offer(self) -> str:
        """Our offer, with all our candidates: sends what there is to send, and is ready to receive both kinds."""
        for kind in ("audio", "video"):
            track = next((one for one in self._tracks if one.kind == kind), None)
            if track is None:
                self.pc.addTransceiver(kind, direction="recvonly")
            else:
                self.pc.addTrack(track)
        return await self.describe()

    async def answer(self, sdp: str) -> str:
        """Our answer to theirs; also to one that changes this connection."""
        await self._take(sdp, "offer")
        try:
            self._send_what_they_take()
            return await self.describe()
        except NoAddress:
            raise
        except Exception as error:  # their offer was accepted, and makes no sense all the same
            raise BadDescription(f"The offer of the other side cannot be answered ({error}).") from error

    def _send_what_they_take(self) -> None:
        free = {
            transceiver.kind
            for transceiver in self.pc.getTransceivers()
            if sending(transceiver.sender) is None and transceiver.mid is not None
        }
        for track in self._tracks:
            if track.kind in free and all(sending(sender) is not track for sender in self.pc.getSenders()):
                self.pc.addTrack(track)

    async def accept(self, sdp: str) -> None:
        """Their answer to ours."""
        await self._take(sdp, "answer")

    async def candidate(self, candidate: str, mid: str, mline: int) -> None:
        """A way to them.  One that cannot be used is passed over."""
        if self._is_closed:
            return
        if not candidate:
            return  # the deadline of the pair says when there was no way; more may still come
        with suppress(Exception):  # aioice and mDNS raise whatever they meet: ValueError, OSError, AssertionError
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = mid or None, None if mid else mline
            await self.pc.addIceCandidate(parsed)

    async def _take(self, sdp: str, kind: str) -> None:
        if len(SECTION.findall(sdp)) > MAX_SECTIONS or sdp.count("a=candidate:") > MAX_CANDIDATES:
            raise BadDescription(f"The {kind} of the other side has too much in it.")
        sdp, hidden = without_hidden(sdp)
        try:
            await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type=kind))
        except Exception as error:  # aiortc's parser raises whatever it meets: ValueError, KeyError, IndexError ...
            raise BadDescription(f"The {kind} of the other side cannot be understood ({error}).") from error
        self._watch()
        for candidate in hidden:
            self._beside(self.candidate(candidate, "", 0))

    async def describe(self) -> str:
        """Our description of what is there, once our candidates are gathered.  Raises NoAddress."""
        for transport in self._transports():
            connection: Any = transport._connection
            connection.get_component_candidates = partial(
                limited_gather,
                connection.get_component_candidates,
                () if self._paths.relay_only else self._paths.addresses,
            )
        self._watch()
        await self.pc.setLocalDescription()
        if not any(transport._connection.local_candidates for transport in self._transports()):
            raise NoAddress(
                "The TURN server gives no place: it cannot be reached, or refuses the credentials."
                if self._paths.relay_only
                else "This device has no network address that the other side could reach."
            )
        return self.pc.localDescription.sdp

    # -- what is compared

    @property
    def fingerprints(self) -> tuple[str, str] | None:
        """SHA-256, of our certificate and of theirs, as the handshake had it; None: there is no connection."""
        for transceiver in self.pc.getTransceivers():
            transport: Any = transceiver.receiver.transport
            if transport is not None and transport.state == "connected":
                mine = next(one for one in transport.getLocalParameters().fingerprints if one.algorithm == "sha-256")
                theirs = transport._ssl.get_peer_certificate(as_cryptography=True)
                return mine.value, certificate_digest(theirs, "sha-256")
        return None

    # -- the end

    async def close(self) -> None:
        """Let go of everything.  Idempotent."""
        self._is_closed = self._is_down = True
        for task in self._side_tasks:
            task.cancel()
        try:
            await self.pc.close()
        except Exception:  # nonsense from the other side has left it half made
            logger.debug("closing", exc_info=True)
            for transport in self._transports():
                with suppress(Exception):
                    await transport.stop()
        await asyncio.gather(*self._side_tasks, return_exceptions=True)

    # -- inside

    def _changed(self) -> None:
        match self.pc.connectionState:
            case "connected" if not self._is_up and not self._is_down:
                self._is_up = True
                self._up()
            case "failed" | "closed" if not self._is_down:
                self._is_down = True
                self._down(
                    "The connection to the other side was lost."
                    if self._is_up
                    else "No path to the other side was found: a firewall may be between."
                )
            case _:
                pass

    def _transports(self) -> list[Any]:
        holders: list[Any] = [one.receiver for one in self.pc.getTransceivers()]
        if self.pc.sctp is not None:
            holders.append(self.pc.sctp)
        found = [one.transport.transport for one in holders if one.transport is not None]
        return list({id(one): one for one in found}.values())

    def _watch(self) -> None:
        """Note when datagrams come, connectivity checks among them."""
        for transport in self._transports():
            connection: Any = transport._connection
            if id(connection) in self._watched:
                continue
            self._watched.add(id(connection))
            for name in ("data_received", "request_received"):
                self._wrap(connection, name)

    def _wrap(self, connection: Any, name: str) -> None:
        inner = getattr(connection, name)
        time = self._loop.time

        def heard(*args: Any) -> None:
            self.heard_at = now = time()
            if name == "data_received":
                if self._data_at is not None and now - self._data_at > GAP_S:
                    self._begin_anew()
                self._data_at = now
            inner(*args)

        setattr(connection, name, heard)

    def _begin_anew(self) -> None:
        """Pictures go on from the next whole one."""
        if self._is_closed:
            return
        for transceiver in self.pc.getTransceivers():
            receiver: Any = transceiver.receiver
            buffer = getattr(receiver, "_RTCRtpReceiver__jitter_buffer", None)
            if transceiver.kind != "video" or buffer is None or buffer._origin is None:
                continue  # nothing of a picture has come yet
            buffer.remove(buffer.capacity)
            buffer._origin = None
            missed = getattr(receiver, "_RTCRtpReceiver__nack_generator", None)
            if missed is not None:  # what is asked for again comes late, and is taken for the beginning
                missed.missing.clear()
                missed.max_seq = None
            for ssrc in list(getattr(receiver, "_RTCRtpReceiver__remote_streams", ())):
                self._beside(receiver._send_rtcp_pli(ssrc))

    def _beside(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._side_tasks.add(task)
        task.add_done_callback(self._side_tasks.discard)


def sending(sender: Any) -> MediaStreamTrack | None:
    """What a sender sends; aiortc's annotation leaves the None out."""
    return sender.track


async def limited_gather(
    gather: Any,
    chosen: tuple[str, ...] | None,
    component: int,
    addresses: list[str],
    timeout: float = GATHER_S,  # noqa: ASYNC109 - aioice's own parameter
) -> Any:
    """aioice's gathering over the chosen addresses, and in our time.  chosen: None: all that aioice finds."""
    return await gather(component, addresses if chosen is None else list(chosen), timeout=GATHER_S)


def without_hidden(sdp: str) -> tuple[str, list[str]]:
    """The description without its `.local` candidates, and these.  Where there are some, the list has no end."""
    hidden = [found["candidate"] for found in CANDIDATE_LINE.finditer(sdp) if found["host"].lower().endswith(".local")]
    if not hidden:
        return sdp, []
    sdp = CANDIDATE_LINE.sub(lambda found: "" if found["candidate"] in hidden else found[0], sdp)
    return END_LINE.sub("", sdp), hidden
