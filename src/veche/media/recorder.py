"""Recording: what each leg sends goes into a file of its own, WebM with VP8 and Opus, which browsers and players show.

Rules:

1. A file begins `GATHER_S` after the first sound or picture of a leg, with the kinds that have come by then.  A kind
   that comes later (a camera switched on) begins the leg's next file, and so does a silence of `PART_S`.
2. Places in time are those of arrival at the first frame of a connection, and of the sender's clock after it; so a
   connection that was made anew goes on in the same file.  Gaps in sound are filled with silence.
3. Encoding and writing happen in a thread, one for each file.  A machine that is too slow for that loses frames, and
   says so once; the call goes on.
4. Pictures keep the size of the first one of their file.

Source: row A63; aiortc.contrib.media (MediaRecorder) for the idea.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, AudioResampler, VideoFrame

from veche.packets.conference import Leg

from .streams import next_frame

GATHER_S = 1.0
PART_S = 60.0
MAX_QUEUED = 300
RATE_HZ, SAMPLES = 48_000, 960
VIDEO_BASE, AUDIO_BASE = Fraction(1, 1000), Fraction(1, RATE_HZ)

logger = logging.getLogger(__name__)


class Recorder:
    """A sink that writes `FOLDER/WHO.webm` for each leg.

    folder: made when it is not there.  Raises OSError when it cannot be written.
    written: is told of each file once it is whole.
    """

    def __init__(self, folder: Path, written: Callable[[Path], None] = lambda _: None) -> None:
        self.folder, self._written = folder, written
        self._legs: dict[str, _LegRecorder] = {}
        self._ending: set[asyncio.Task[None]] = set()
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".veche-probe"
        probe.write_bytes(b"")
        probe.unlink()

    async def take(self, leg: Leg, track: MediaStreamTrack) -> None:
        """Record a track to its end."""
        recorder = self._legs.get(leg.id)
        if recorder is None:
            recorder = self._legs[leg.id] = _LegRecorder(self.folder, file_stem(leg.id), self._written)
        clock = _Clock(asyncio.get_running_loop())
        while True:
            try:
                frame = await next_frame(track)
            except MediaStreamError:
                return
            recorder.put(frame, clock.place_s(frame))

    def gone(self, leg: Leg) -> None:
        """The leg is no more: its file is finished."""
        recorder = self._legs.pop(leg.id, None)
        if recorder is not None:
            task = asyncio.get_running_loop().create_task(recorder.finish())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Finish all files."""
        recorders, self._legs = list(self._legs.values()), {}
        await asyncio.gather(*(one.finish() for one in recorders), *self._ending)


class _Clock:
    """Rule 2: where the frames of one track belong, in seconds on the loop's clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._offset: float | None = None

    def place_s(self, frame: Any) -> float:
        at = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else 0.0
        now = self._loop.time()
        if self._offset is None or abs(now - at - self._offset) > 5.0:  # the sender's clock jumped
            self._offset = now - at
        return at + self._offset


class _LegRecorder:
    """The files of one leg: the loop's side."""

    def __init__(self, folder: Path, stem: str, written: Callable[[Path], None]) -> None:
        self._folder, self._stem, self._written = folder, stem, written
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Any, float]] = []
        self._first_at = self._last_at = 0.0
        self._part: _Part | None = None
        self._closing: list[_Part] = []
        self._number = 0
        self._has_complained = False

    def put(self, frame: Any, at: float) -> None:
        kind = kind_of(frame)
        part = self._part
        if part is not None and (kind not in part.kinds or at - self._last_at > PART_S):
            self._end_part()
            part = None
        if part is None:
            if not self._waiting:
                self._first_at = at
            self._waiting.append((frame, at))
            if at - self._first_at >= GATHER_S or len(self._waiting) >= MAX_QUEUED // 2:
                self._begin_part()
        elif not part.put(frame, at) and not self._has_complained:
            self._has_complained = True
            logger.warning("%s: this machine is too slow to record all of it", self._stem)
        self._last_at = at

    async def finish(self) -> None:
        if self._part is None and self._waiting:
            self._begin_part()
        self._end_part()
        closing, self._closing = self._closing, []
        for part in closing:
            await asyncio.to_thread(part.thread.join)
            if part.error is not None:
                logger.error("%s cannot be written: %s", part.path, part.error)
            else:
                self._written(part.path)

    def _begin_part(self) -> None:
        path = self._free_path()
        part = self._part = _Part(path, self._waiting[0][1], frozenset(kind_of(frame) for frame, _ in self._waiting))
        for frame, at in self._waiting:
            part.put(frame, at)
        self._waiting.clear()

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            part.end()
            self._closing.append(part)

    def _free_path(self) -> Path:
        """A name that no file has, taken by making it: two recorders in one folder keep out of each other's way."""
        while True:
            self._number += 1
            suffix = "" if self._number == 1 else f"-{self._number}"
            path = self._folder / f"{self._stem}{suffix}.webm"
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                continue
            return path


class _Part:
    """One file, and the thread that writes it."""

    def __init__(self, path: Path, start_s: float, kinds: frozenset[str]) -> None:
        self.path, self.kinds = path, kinds
        self.error: Exception | None = None
        self._start_s = start_s
        self._queue: queue.Queue[tuple[Any, float] | None] = queue.Queue(MAX_QUEUED)
        self.thread = threading.Thread(target=self._run, name=f"record {path.name}", daemon=True)
        self.thread.start()

    def put(self, frame: Any, at: float) -> bool:
        """Returns whether there was room (rule 3)."""
        try:
            self._queue.put_nowait((frame, max(0.0, at - self._start_s)))
        except queue.Full:
            return False
        return True

    def end(self) -> None:
        """Nothing more comes."""
        while True:
            with suppress(queue.Full):
                self._queue.put_nowait(None)
                return
            with suppress(queue.Empty):
                self._queue.get_nowait()

    # -- in the thread

    def _run(self) -> None:
        try:
            self._write()
        except Exception as error:  # a full disk, a codec: told by `finish`
            self.error = error
            while self._queue.get() is not None:
                pass

    def _write(self) -> None:
        first: list[tuple[Any, float]] = []
        size: tuple[int, int] | None = None
        if "video" in self.kinds:  # its size is in the head of the file
            while size is None:
                item = self._queue.get()
                if item is None:
                    break
                first.append(item)
                if isinstance(item[0], VideoFrame):
                    size = (item[0].width // 2 * 2, item[0].height // 2 * 2)
        opened: Any = av.open(str(self.path), "w", format="webm")
        with opened as container:
            video = _Video(container, *size) if size is not None else None
            audio = _Audio(container) if "audio" in self.kinds else None
            for frame, at in first:
                self._encode(container, video, audio, frame, at)
            while (item := self._queue.get()) is not None:
                self._encode(container, video, audio, *item)
            for stream in (video, audio):
                if stream is not None:
                    container.mux(stream.end())

    @staticmethod
    def _encode(container: Any, video: _Video | None, audio: _Audio | None, frame: Any, at: float) -> None:
        if isinstance(frame, VideoFrame):
            if video is not None:
                container.mux(video.packets(frame, at))
        elif audio is not None:
            container.mux(audio.packets(frame, at))


class _Video:
    """The stream of pictures."""

    def __init__(self, container: Any, width: int, height: int) -> None:
        self._stream = container.add_stream("libvpx", rate=30)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.bit_rate = 800_000
        self._stream.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        self._stream.codec_context.time_base = VIDEO_BASE
        self._last = -1

    def packets(self, frame: VideoFrame, at: float) -> Any:
        place = max(self._last + 1, int(at * 1000))
        self._last = place
        if (frame.width, frame.height, frame.format.name) != (self._stream.width, self._stream.height, "yuv420p"):
            frame = frame.reformat(self._stream.width, self._stream.height, "yuv420p")
        frame.pts, frame.time_base = place, VIDEO_BASE
        frame.pict_type = 0
        return self._stream.encode(frame)

    def end(self) -> Any:
        return self._stream.encode(None)


class _Audio:
    """The stream of sound: without gaps (rule 2)."""

    def __init__(self, container: Any) -> None:
        self._stream = container.add_stream("libopus", rate=RATE_HZ)
        self._stream.layout = "stereo"
        self._stream.bit_rate = 64_000
        self._resampler = AudioResampler("s16", "stereo", RATE_HZ, frame_size=SAMPLES)
        self._done = 0
        """Samples that were written."""

    def packets(self, frame: AudioFrame, at: float) -> list[Any]:
        due = int(at * RATE_HZ)
        found: list[Any] = []
        while due - self._done > SAMPLES * 5:
            found += self._encode(silence())
        frame.pts = None
        for piece in self._resampler.resample(frame):
            found += self._encode(piece)
        return found

    def end(self) -> list[Any]:
        return list(self._stream.encode(None))

    def _encode(self, frame: AudioFrame) -> list[Any]:
        frame.pts, frame.time_base = self._done, AUDIO_BASE
        self._done += frame.samples
        return list(self._stream.encode(frame))


def silence() -> AudioFrame:
    """A fiftieth of a second of nothing."""
    frame = AudioFrame("s16", "stereo", SAMPLES)
    frame.sample_rate = RATE_HZ
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    return frame


def kind_of(frame: Any) -> str:
    return "video" if isinstance(frame, VideoFrame) else "audio"


def file_stem(leg: str) -> str:
    """The leg's id as the name of a file on any system: `alice@example.org laptop`."""
    return re.sub(r"[^\w@.+-]+", " ", leg.replace("/", " "))[:100].strip(" .") or "leg"
