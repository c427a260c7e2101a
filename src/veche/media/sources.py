"""Sources: a file that is played, and an echo of what somebody else says.

Source: aiortc.contrib.media (MediaPlayer); rows A63, A51.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.error import FFmpegError

from veche.packets.conference import Leg

from .streams import Shared, next_frame


class NotPlayable(Exception):
    """The file cannot be played.  Its message is a sentence."""


class Player(Shared):
    """A file of any format that FFmpeg reads, from its beginning when the first other leg is there.

    loop: again and again.  Raises NotPlayable.
    """

    def __init__(self, path: Path | str, *, loop: bool = False) -> None:
        path = Path(path)
        if not path.is_file():
            raise NotPlayable(f"{path} is no file." if path.exists() else f"There is no file {path}.")
        try:
            player = MediaPlayer(str(path), loop=loop)
        except (FFmpegError, OSError, ValueError, AssertionError) as error:
            raise NotPlayable(f"{path} cannot be played: {error}.") from None
        tracks = [track for track in (player.audio, player.video) if track is not None]
        if not tracks:
            raise NotPlayable(f"{path} has neither sound nor pictures.")
        super().__init__(*tracks)
        self._waiting = {track.kind for track in tracks}
        self.finished = asyncio.Event()
        """It has come to its end."""
        for track in tracks:
            track.on("ended", lambda kind=track.kind: self._ended(kind))

    @property
    def has_pictures(self) -> bool:
        """Not only sound."""
        return any(track.kind == "video" for track in self._tracks)

    def _ended(self, kind: str) -> None:
        self._waiting.discard(kind)
        if not self._waiting:
            self.finished.set()


class Echo:
    """A source and a sink at once: everybody gets what one leg sends, the one that has been inside longest.

    In a mesh there is one stream to each leg, and mixing costs much; so one leg is echoed, itself included, and when it
    goes, or sends nothing, the next.
    """

    def __init__(self) -> None:
        self._tracks: list[EchoTrack] = []
        self._sending: dict[str, Leg] = {}
        self._start_s, self._samples = time.monotonic(), 0

    def tracks(self, leg: Leg) -> Sequence[MediaStreamTrack]:
        tracks = [EchoTrack("audio"), EchoTrack("video")]
        self._tracks = [one for one in self._tracks if one.readyState == "live"] + tracks
        return tracks

    async def take(self, leg: Leg, track: MediaStreamTrack) -> None:
        self._sending[leg.id] = leg
        try:
            while True:
                frame = await next_frame(track)
                if self.echoed == leg.id:
                    self._stamp(frame)
                    for one in self._tracks:
                        if one.kind == track.kind:
                            one.put(frame)
        except MediaStreamError:
            return
        finally:
            self._sending.pop(leg.id, None)

    def _stamp(self, frame: Any) -> None:
        """One clock for whoever is echoed; encoders want time to go forward."""
        if isinstance(frame, av.AudioFrame):
            frame.pts, frame.time_base = self._samples, Fraction(1, frame.sample_rate)
            self._samples += frame.samples
        else:
            frame.pts, frame.time_base = int((time.monotonic() - self._start_s) * 90_000), Fraction(1, 90_000)

    @property
    def echoed(self) -> str | None:
        """Which leg is heard by all."""
        return min(self._sending, key=lambda id: (self._sending[id].epoch, id), default=None)

    def gone(self, leg: Leg) -> None:
        self._sending.pop(leg.id, None)

    async def close(self) -> None:
        for track in self._tracks:
            track.stop()


class EchoTrack(MediaStreamTrack):
    """A track whose frames are put in.  What is not taken within a second is forgotten."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._frames: deque[Any] = deque(maxlen=50 if kind == "audio" else 5)
        self._news = asyncio.Event()

    def put(self, frame: Any) -> None:
        """Send this frame."""
        self._frames.append(frame)
        self._news.set()

    def stop(self) -> None:
        super().stop()
        self._news.set()

    async def recv(self) -> Any:
        while not self._frames:
            if self.readyState != "live":
                raise MediaStreamError
            self._news.clear()
            await self._news.wait()
        return self._frames.popleft()
