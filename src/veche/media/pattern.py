"""Test pictures and tones: what a leg can send without a camera, and how a receiver knows it again.

The picture is two colours, one in each half, over a strip that changes with every frame; the tone is a sine.  Both
survive VP8 and Opus, so whoever receives can tell by pixels and tones from whom they come, and a frozen picture from a
moving one.

Source: ITU-R BT.601 (colours), Goertzel's algorithm (tones).
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame

COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (235, 128, 128),
    "red": (81, 90, 240),
    "green": (145, 54, 34),
    "blue": (41, 240, 110),
    "yellow": (210, 16, 146),
    "cyan": (170, 166, 16),
    "magenta": (107, 202, 222),
    "black": (16, 128, 128),
}
"""Y, Cb, Cr."""
TONES_HZ = (350, 440, 550, 690, 860, 1080, 1350, 1690)
"""Far enough from each other to be told apart in a tenth of a second."""
RATE_HZ = 48_000
FRAME_SAMPLES = 960


class Pattern(NamedTuple):
    """What one sender looks and sounds like."""

    left: str
    right: str
    tone_hz: int


def pattern(number: int) -> Pattern:
    """The pattern of the sender with this number; the first eight differ in every part."""
    names = list(COLOURS)
    return Pattern(names[number % 8], names[(number * 3 + 1) % 8], TONES_HZ[number % 8])


class PictureTrack(MediaStreamTrack):
    """The picture, `rate` times a second."""

    kind = "video"

    def __init__(self, shown: Pattern, width: int = 320, height: int = 180, rate: int = 15) -> None:
        super().__init__()
        self._frames = [picture(shown, width, height, strip) for strip in (40, 200)]
        self._rate = rate
        self._count = 0
        self._start_at: float | None = None

    async def recv(self) -> VideoFrame:
        self._start_at = await pace(self, self._start_at, self._count / self._rate)
        template = self._frames[self._count % 2]
        frame = VideoFrame(template.width, template.height, "yuv420p")
        for mine, plane in zip(template.planes, frame.planes, strict=True):
            plane.update(bytes(mine))
        frame.pts, frame.time_base = self._count * 90_000 // self._rate, Fraction(1, 90_000)
        self._count += 1
        return frame


class ToneTrack(MediaStreamTrack):
    """The tone."""

    kind = "audio"

    def __init__(self, shown: Pattern, volume: float = 0.3) -> None:
        super().__init__()
        wave = array(
            "h",
            (int(32_767 * volume * math.sin(2 * math.pi * shown.tone_hz * n / RATE_HZ)) for n in range(RATE_HZ)),
        )
        self._seconds = [wave[n : n + FRAME_SAMPLES].tobytes() for n in range(0, RATE_HZ, FRAME_SAMPLES)]
        self._count = 0
        self._start_at: float | None = None

    async def recv(self) -> AudioFrame:
        self._start_at = await pace(self, self._start_at, self._count * FRAME_SAMPLES / RATE_HZ)
        frame = AudioFrame("s16", "mono", FRAME_SAMPLES)
        frame.planes[0].update(self._seconds[self._count % len(self._seconds)])
        frame.sample_rate = RATE_HZ
        frame.pts, frame.time_base = self._count * FRAME_SAMPLES, Fraction(1, RATE_HZ)
        self._count += 1
        return frame


async def pace(track: MediaStreamTrack, start_at: float | None, due_s: float) -> float:
    """Wait until this long after the start, and return the start, on the loop's clock.  Raises MediaStreamError."""
    if track.readyState != "live":
        raise MediaStreamError
    now = asyncio.get_running_loop().time()
    if start_at is None or now - start_at - due_s > 1.0:  # nobody has asked for a while: go on from here
        return now - due_s
    await asyncio.sleep(max(0.0, start_at + due_s - now))
    return start_at


def picture(shown: Pattern, width: int, height: int, strip: int) -> VideoFrame:
    """One frame.  width, height: even.  strip: brightness of the lowest eighth, 16 to 235."""
    frame = VideoFrame(width, height, "yuv420p")
    left, right = COLOURS[shown.left], COLOURS[shown.right]
    for index, plane in enumerate(frame.planes):
        columns, rows = (width, height) if index == 0 else (width // 2, height // 2)
        half = columns // 2
        padding = bytes(plane.line_size - columns)
        line = bytes([left[index]]) * half + bytes([right[index]]) * (columns - half) + padding
        lowest = bytes([strip if index == 0 else 128]) * columns + padding
        cut = rows - rows // 8
        plane.update(line * cut + lowest * (rows - cut))
    return frame


def colours_of(frame: VideoFrame) -> tuple[str, str]:
    """The two colours of a frame, as the nearest of COLOURS."""
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p")
    found: list[tuple[int, ...]] = []
    for part in (0.25, 0.75):
        found.append(
            tuple(
                bytes(plane)[int(plane.height * 0.4) * plane.line_size + int(plane.width * part)]
                for plane in frame.planes
            )
        )
    nearest = [
        min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], colour, strict=True)))
        for colour in found
    ]
    return nearest[0], nearest[1]


def strip_of(frame: VideoFrame) -> int:
    """How bright the strip below is."""
    plane = frame.planes[0]
    return bytes(plane)[int(plane.height * 0.95) * plane.line_size + plane.width // 2]


def samples_of(frame: AudioFrame) -> array[int]:
    """The first channel of a frame of s16."""
    all_samples = array("h", bytes(frame.planes[0])[: frame.samples * len(frame.layout.channels) * 2])
    return all_samples[:: len(frame.layout.channels)]


def tone_of(samples: Iterable[int], rate_hz: int = RATE_HZ, tones_hz: Iterable[int] = TONES_HZ) -> int | None:
    """Which tone these samples are; None: silence, noise, or a mixture.  A tenth of a second is enough."""
    signal = list(samples)[:: max(1, rate_hz // 8_000)]
    energy = sum(one * one for one in signal)
    if not signal or energy / len(signal) < 1_000:
        return None
    powers = {hz: goertzel(signal, hz, rate_hz / max(1, rate_hz // 8_000)) for hz in tones_hz}
    loudest = max(powers, key=lambda hz: powers[hz])
    return loudest if powers[loudest] > 0.3 * energy * len(signal) / 2 else None


def goertzel(signal: list[int], hz: float, rate_hz: float) -> float:
    """The power of one frequency; of a pure sine it is half the energy times the number of samples."""
    factor = 2 * math.cos(2 * math.pi * hz / rate_hz)
    before = before_that = 0.0
    for one in signal:
        before, before_that = one + factor * before - before_that, before
    return before**2 + before_that**2 - factor * before * before_that


def sources_of(shown: Pattern, **options: Any) -> tuple[ToneTrack, PictureTrack]:
    """Both tracks of a pattern."""
    return ToneTrack(shown), PictureTrack(shown, **options)
