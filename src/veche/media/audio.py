"""The microphone and the loudspeaker of this machine, where it has some, through the FFmpeg that PyAV brings (ALSA).

    try:
        devices = await asyncio.to_thread(open_devices)
    except NoDevices as error:
        say(error)                                        # and stay a text leg
    else:
        Call(client, where, media=MediaKind.AUDIO, source=devices, sinks=[devices])

Everybody's sound is mixed, 20 ms at a time, in a thread that the loudspeaker paces; of somebody who comes faster than
that, what is older than `MAX_WAITING_S` is left out.  There is no echo cancellation: wear headphones.

PyAV's ALSA looks for its configuration, and for the plugins that lead to PulseAudio and PipeWire, where it was built,
so it is told where the system has them (ALSA_CONFIG_DIR, ALSA_PLUGIN_DIR).  It complains on standard error, where a
screen may be; what it complains of becomes the end of a sentence.

Source: rows A45, A63.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import re
import tempfile
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import av
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.error import FFmpegError

from veche.packets.conference import Leg

from .streams import Shared, next_frame

CONFIGURATION = Path("/usr/share/alsa")
LIBRARIES = (f"usr/lib/{platform.machine()}-linux-*/alsa-lib", "usr/lib64/alsa-lib", "usr/lib/alsa-lib")
RATE_HZ, SAMPLES = 48_000, 960
MAX_WAITING_S = 0.4
SILENCE = array("h", bytes(2 * SAMPLES))
LOUD = 1600
"""Whose samples reach this speaks, of 32767."""
SPEECH_PAUSE_S = 0.8
COMPLAINT = re.compile(rb"^ALSA lib [^\n]*?:\(\w+\) (?P<what>[^\n]*)$", re.MULTILINE)


class NoDevices(Exception):
    """This machine has no sound to take part with.  Its message is a sentence."""


def open_devices(microphone: str = "default", loudspeaker: str = "default") -> AudioDevices:
    """The sound devices.  Blocks for some milliseconds.  Raises NoDevices.

    microphone, loudspeaker: names of ALSA.
    """
    if "alsa" not in av.formats_available:
        raise NoDevices("Sound devices are reached through ALSA, which this machine does not have.")
    if "ALSA_CONFIG_PATH" not in os.environ and (CONFIGURATION / "alsa.conf").is_file():
        os.environ.setdefault("ALSA_CONFIG_DIR", str(CONFIGURATION))
    plugins = next((path for pattern in LIBRARIES for path in Path("/").glob(pattern)), None)
    if plugins is not None:
        os.environ.setdefault("ALSA_PLUGIN_DIR", str(plugins))
    if microphone == loudspeaker == "default" and not any(Path("/dev/snd").glob("pcm*")):
        raise NoDevices("This machine has no sound device.")
    options = {"sample_rate": str(RATE_HZ), "channels": "2"}
    player: MediaPlayer = _opened("microphone", microphone, lambda: MediaPlayer(microphone, "alsa", options))
    try:
        speaker: Loudspeaker = _opened("loudspeaker", loudspeaker, lambda: Loudspeaker(loudspeaker))
    except NoDevices:
        assert player.audio is not None
        player.audio.stop()
        raise
    return AudioDevices(player, speaker)


def _opened(what: str, name: str, make: Callable[[], Any]) -> Any:
    with _complaints() as complaints:
        try:
            return make()
        except (FFmpegError, OSError, ValueError) as error:
            found = complaints()
            why = found if found else getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NoDevices(f"The {what} {name!r} cannot be used ({why}).") from None


@contextlib.contextmanager
def _complaints() -> Generator[Callable[[], str]]:
    """Keep what ALSA writes to standard error; what others write meanwhile is written in the end."""
    with tempfile.TemporaryFile() as file:
        before = os.dup(2)
        os.dup2(file.fileno(), 2)

        def last() -> str:
            file.seek(0)
            found = [match["what"].strip() for match in COMPLAINT.finditer(file.read())]
            return found[0].decode(errors="replace") if found else ""

        try:
            yield last
        finally:
            os.dup2(before, 2)
            file.seek(0)
            rest = COMPLAINT.sub(b"", file.read()).strip()
            if rest:
                os.write(before, rest + b"\n")
            os.close(before)


class AudioDevices(Shared):
    """A source that is the microphone, and a sink that is the loudspeaker."""

    def __init__(self, player: MediaPlayer, loudspeaker: Loudspeaker) -> None:
        assert player.audio is not None
        self._microphone = Microphone(player.audio)
        super().__init__(self._microphone)
        self._loudspeaker = loudspeaker
        self._heard: dict[str, float] = {}
        """leg -> when it was loud last"""

    @property
    def is_muted(self) -> bool:
        """The others get silence."""
        return self._microphone.is_muted

    @is_muted.setter
    def is_muted(self, value: bool) -> None:
        self._microphone.is_muted = value

    @property
    def is_speaking(self) -> bool:
        """The microphone hears something."""
        return not self.is_muted and time.monotonic() - self._microphone.heard_at < SPEECH_PAUSE_S

    def speaking(self) -> frozenset[str]:
        """Which legs are heard."""
        now = time.monotonic()
        return frozenset(leg for leg, at in self._heard.items() if now - at < SPEECH_PAUSE_S)

    def lost(self) -> list[str]:
        """Which of the devices are gone: unplugged, say."""
        is_gone = {"microphone": self._microphone.is_gone, "loudspeaker": self._loudspeaker.is_gone}
        return [name for name, value in is_gone.items() if value]

    async def take(self, leg: Leg, track: MediaStreamTrack) -> None:
        if track.kind != "audio":
            return  # the engine drains what is not wanted
        voice = self._loudspeaker.voice()
        to_mono = av.AudioResampler("s16", "mono", RATE_HZ)
        try:
            while True:
                frame = await next_frame(track)
                frame.pts = None
                for piece in to_mono.resample(frame):
                    samples = array("h", bytes(piece.planes[0])[: piece.samples * 2])
                    voice.put(samples)
                    if is_loud(samples):
                        self._heard[leg.id] = time.monotonic()
        finally:
            self._loudspeaker.forget(voice)

    def gone(self, leg: Leg) -> None:
        self._heard.pop(leg.id, None)

    async def close(self) -> None:
        await super().close()
        await asyncio.to_thread(self._loudspeaker.close)


class Microphone(MediaStreamTrack):
    """What the microphone hears, or silence."""

    kind = "audio"

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self._source = source
        self.is_muted = self.is_gone = False
        self.heard_at = -SPEECH_PAUSE_S

    async def recv(self) -> Any:
        try:
            frame = await next_frame(self._source)
        except MediaStreamError:
            self.is_gone = self.readyState == "live"
            raise
        if self.is_muted:
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
        elif is_loud(array("h", bytes(frame.planes[0])[: frame.samples * 2])):
            self.heard_at = time.monotonic()
        return frame

    def stop(self) -> None:
        super().stop()
        self._source.stop()


class Voice:
    """What somebody has said and nobody has heard yet: samples of 48 kHz, one channel."""

    def __init__(self) -> None:
        self._pieces: deque[array[int]] = deque()
        self._length = 0
        self._lock = threading.Lock()

    def put(self, samples: array[int]) -> None:
        """Say this.  What waits for too long is left out."""
        with self._lock:
            self._pieces.append(samples)
            self._length += len(samples)
            while self._length > MAX_WAITING_S * RATE_HZ:
                self._length -= len(self._pieces.popleft())

    def take(self) -> array[int] | None:
        """The next 20 ms; None while they are not there."""
        with self._lock:
            if self._length < SAMPLES:
                return None
            taken = array("h")
            while len(taken) < SAMPLES:
                piece = self._pieces.popleft()
                rest = SAMPLES - len(taken)
                taken.extend(piece[:rest])
                if len(piece) > rest:
                    self._pieces.appendleft(piece[rest:])
            self._length -= SAMPLES
            return taken


def is_loud(samples: array[int]) -> bool:
    """Somebody speaks."""
    return bool(samples) and max(max(samples), -min(samples)) >= LOUD


def mixed(voices: Sequence[array[int]]) -> array[int]:
    """Several voices at once, none of them quieter for that, cut off where it is too loud."""
    if not voices:
        return SILENCE
    if len(voices) == 1:
        return voices[0]
    return array("h", [max(-32_768, min(32_767, sum(one))) for one in zip(*voices, strict=True)])


class Loudspeaker:
    """A device that plays what the voices say, in a thread of its own.  Raises FFmpegError, OSError."""

    def __init__(self, device: str) -> None:
        self._container: Any = av.open(device, mode="w", format="alsa")
        self._stream = self._container.add_stream("pcm_s16le", rate=RATE_HZ)
        self._stream.layout = "mono"
        self._voices: list[Voice] = []
        self._is_closed = threading.Event()
        self.is_gone = False
        self._thread = threading.Thread(target=self._play, name="loudspeaker", daemon=True)
        try:
            self._write(SILENCE, 0)  # opens the device
        except BaseException:
            self._container.close()
            raise
        self._thread.start()

    def voice(self) -> Voice:
        """Somebody who may speak."""
        voice = Voice()
        self._voices = [*self._voices, voice]
        return voice

    def forget(self, voice: Voice) -> None:
        """They are gone."""
        self._voices = [one for one in self._voices if one is not voice]

    def close(self) -> None:
        """Be silent.  Idempotent."""
        if not self._is_closed.is_set():
            self._is_closed.set()
            self._thread.join(1.0)

    def _write(self, samples: array[int], pts: int) -> None:
        frame = av.AudioFrame("s16", "mono", SAMPLES)
        frame.sample_rate, frame.pts = RATE_HZ, pts
        frame.planes[0].update(samples.tobytes())
        self._container.mux(self._stream.encode(frame))

    def _play(self) -> None:
        """A device that takes what it is given sooner than it plays it is paced by the clock."""
        pts, due = SAMPLES, time.monotonic()
        try:
            while not self._is_closed.is_set():
                self._write(mixed([one for voice in self._voices if (one := voice.take()) is not None]), pts)
                pts += SAMPLES
                due = max(due + SAMPLES / RATE_HZ, time.monotonic() - 0.1)
                self._is_closed.wait(max(0.0, due - time.monotonic()))
        except (FFmpegError, OSError):
            self.is_gone = True
        finally:
            self._container.close()
