"""What a leg sends and what becomes of what it receives: the two seams of the engine.

A `Source` gives tracks for each new connection; one camera or file serves all of them through a relay.  A `Sink` is
given each track of another leg, and reads it to its end; a track that nobody reads would fill the memory, so the engine
drains what no sink wants.

Source: aiortc.contrib.media (MediaRelay); rows A39, A63, A69.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from veche.packets.conference import Leg

logger = logging.getLogger(__name__)


class Source(Protocol):
    """What this leg sends."""

    def tracks(self, leg: Leg) -> Sequence[MediaStreamTrack]:
        """Fresh tracks for a connection to this leg, at most one of each kind; they are stopped with it."""
        ...

    async def close(self) -> None:
        """The leg leaves.  Idempotent."""
        ...


class Sink(Protocol):
    """What becomes of what the others send."""

    def take(self, leg: Leg, track: MediaStreamTrack) -> Coroutine[Any, Any, None]:
        """Read a track of this leg to its end, which is MediaStreamError.  Cancelled when the leg is gone."""
        ...

    def gone(self, leg: Leg) -> None:
        """The leg is no leg any more."""
        ...

    async def close(self) -> None:
        """This leg leaves; what was received is put in order.  Idempotent."""
        ...


class Nothing:
    """A source that sends nothing."""

    def tracks(self, leg: Leg) -> Sequence[MediaStreamTrack]:
        return ()

    async def close(self) -> None:
        pass


class Shared:
    """A source of tracks that are made once, such as those of a file: each connection gets a copy of what comes.

    Video that a connection does not take in time is passed over by it; sound is kept.
    """

    def __init__(self, *tracks: MediaStreamTrack) -> None:
        self._tracks = tracks
        self._relay = MediaRelay()

    def tracks(self, leg: Leg) -> Sequence[MediaStreamTrack]:
        return [
            self._relay.subscribe(track, buffered=track.kind == "audio")
            for track in self._tracks
            if track.readyState == "live"
        ]

    async def close(self) -> None:
        for track in self._tracks:
            track.stop()


class Gate(MediaStreamTrack):
    """A track that passes only while `is_open`; what comes meanwhile falls, so that nothing piles up behind it."""

    def __init__(self, track: MediaStreamTrack, is_open: Callable[[], bool]) -> None:
        super().__init__()
        self.kind = track.kind
        self._track, self._is_open = track, is_open

    async def recv(self) -> Any:
        while True:
            frame = await next_frame(self._track)
            if self._is_open():
                return frame

    def stop(self) -> None:
        super().stop()
        self._track.stop()


async def next_frame(track: MediaStreamTrack) -> Any:
    """The next av.AudioFrame or av.VideoFrame.  Raises MediaStreamError at the end."""
    untyped: Any = track
    return await untyped.recv()


async def drain(track: MediaStreamTrack) -> None:
    """Read a track to its end, for nobody."""
    while True:
        try:
            await next_frame(track)
        except MediaStreamError:
            return


async def feed(leg: Leg, track: MediaStreamTrack, sinks: Sequence[Sink]) -> None:
    """Give a track to all sinks, to its end.  One that fails is logged, and goes without."""
    if len(sinks) < 2:
        await _take(sinks[0] if sinks else None, leg, track)
    else:
        relay = MediaRelay()
        await asyncio.gather(*(_take(sink, leg, relay.subscribe(track)) for sink in sinks))


async def _take(sink: Sink | None, leg: Leg, track: MediaStreamTrack) -> None:
    try:
        if sink is not None:
            await sink.take(leg, track)
    except MediaStreamError:
        return
    except Exception:
        logger.exception("what %s sends could not be used by %s", leg.id, type(sink).__name__)
    await drain(track)
