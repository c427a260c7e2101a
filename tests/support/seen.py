"""What is seen and heard in the conference window: browsers with a colour and a tone of their own, and what arrives.

Each person has a browser process, whose camera shows one colour and whose microphone gives a pulsing tone; so what a
receiver shows and plays tells whom it comes from.  `framesDecoded` would not: garbage is decoded too.
"""

from __future__ import annotations

import math
import shlex
import struct
import time
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserType, Page

from veche.media import pattern

from .browser import CHROMIUM, FLAGS, until

TONES = {"red": 440, "green": 1080, "blue": 1690}
"""Hz; of those that a Python leg knows again (veche.media.pattern)."""
WIDTH, HEIGHT, FPS = 160, 90, 10
RATE = 48_000


def film(path: Path, colour: str) -> Path:
    """A Y4M file of that colour."""
    y, cb, cr = pattern.COLOURS[colour]
    quarter = (WIDTH // 2) * (HEIGHT // 2)
    frame = b"FRAME\n" + bytes([y]) * (WIDTH * HEIGHT) + bytes([cb]) * quarter + bytes([cr]) * quarter
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode() + frame * FPS)
    return path


def tone(path: Path, colour: str) -> Path:
    """A WAV file in which the tone comes and goes, as speech does: what is steady is taken for noise and suppressed."""
    samples = bytearray()
    for index in range(RATE * 2):
        is_on = (index // (RATE // 5)) % 2 == 0
        samples += struct.pack("<h", int(12_000 * math.sin(2 * math.pi * TONES[colour] * index / RATE)) if is_on else 0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(samples))
    return path


def launch(chromium: BrowserType, folder: Path, colour: str, machine: Sequence[str] = ()) -> Browser:
    """A browser with a camera and a microphone of its own.

    machine: what stands before a command that runs on another machine; without it all traffic stays on loopback.
    """
    program = CHROMIUM
    if machine:
        path = folder / f"chromium-{colour}"
        path.write_text(f'#!/bin/sh\nexec {shlex.join(machine)} {CHROMIUM} "$@"\n')
        path.chmod(0o755)
        program = str(path)
    return start(
        chromium,
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film(folder / f'{colour}.y4m', colour)}",
        f"--use-file-for-fake-audio-capture={tone(folder / f'{colour}.wav', colour)}",
        program=program,
    )


def start(chromium: BrowserType, *devices: str, program: str | None = CHROMIUM) -> Browser:
    """A browser with devices by these flags."""
    flags = [
        *FLAGS,
        "--disable-gpu",
        "--allow-loopback-in-peer-connection",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        "--auto-select-desktop-capture-source=Entire screen",
        "--use-fake-ui-for-media-stream",
        *devices,
    ]
    return chromium.launch(executable_path=program, args=flags)


COLOURS_OF = """(login) => {
  const figures = [...document.querySelectorAll("figure")].filter((one) => one.dataset.leg.startsWith(login + "@"));
  const video = (figures.find((one) => !one.closest("[inert]")) ?? figures[0])?.querySelector("video");
  if (!video || video.videoWidth === 0 || video.readyState < 2 || getComputedStyle(video).opacity === "0") return [];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [16, 16];
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 16, 16);
  const names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
  return [4, 12].map((x) => {
    const [red, green, blue] = context.getImageData(x, 6, 1, 1).data;
    return names[(red > 128) + 2 * (green > 128) + 4 * (blue > 128)];
  });
}"""
"""What the tile of a person shows in its left and its right half; empty: nothing."""

PERCEIVED = """async () => {
  const colours = ({COLOURS_OF});
  const isOutOfSight = (figure) => figure.closest("[inert]") !== null;
  const tiles = [...document.querySelectorAll("figure")]
    .sort((one, other) => isOutOfSight(other) - isOutOfSight(one)) // what is shown comes last, and counts
    .map((figure) => [figure, figure.querySelector("video")]);
  const frames = (video) => video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
  const before = new Map(tiles.map(([, video]) => [video, frames(video)]));
  const context = new AudioContext();
  const ears = tiles.flatMap(([figure, video]) => {
    if (!video?.srcObject || video.muted || video.srcObject.getAudioTracks().length === 0) return [];
    const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(video.srcObject).connect(analyser);
    return [{ figure, analyser, loudest: -70, hertz: 0 }];
  });
  const levels = new Float32Array(2048);
  for (let look = 0; look < 10; look++) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    for (const ear of ears) {
      ear.analyser.getFloatFrequencyData(levels);
      levels.forEach((level, bin) => {
        if (level > ear.loudest) [ear.loudest, ear.hertz] = [level, (bin * context.sampleRate) / 4096];
      });
    }
  }
  await context.close();
  return Object.fromEntries(tiles.map(([figure, video]) => {
    const login = figure.dataset.leg.split("@")[0];
    const hertz = ears.find((one) => one.figure === figure)?.hertz ?? 0;
    return [login, { colours: colours(login), moves: frames(video) > before.get(video), hertz }];
  }));
}""".replace("{COLOURS_OF}", COLOURS_OF)
"""By login, in 0.6 s: the colours of both halves, whether pictures come, and the loudest tone in Hz, 0 for silence."""


SILENCE = """async (login) => {
  const video = [...document.querySelectorAll("figure")].find((one) => one.dataset.leg.startsWith(login + "@"))
    .querySelector("video");
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(video.srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let loudest = 0;
  for (let look = 0; look < 12; look++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    analyser.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples.map(Math.abs));
  }
  await context.close();
  return loudest < 0.005;
}"""


class Shown(NamedTuple):
    """What somebody looks and sounds like."""

    left: str
    right: str
    hertz: int


def shown(colour: str) -> Shown:
    """Of a browser with that camera."""
    return Shown(colour, colour, TONES[colour])


def perceives(page: Page, wanted: Mapping[str, Shown], within_s: float = 30) -> None:
    """Wait until the tile of each of them shows their colours, moving, and gives their tone."""
    deadline = time.monotonic() + within_s
    while True:
        found = page.evaluate(PERCEIVED)
        missing = [login for login, one in wanted.items() if not is_perceived(found.get(login), one)]
        if not missing:
            return
        assert time.monotonic() < deadline, f"{missing} of {found}"


def is_perceived(found: dict[str, Any] | None, wanted: Shown) -> bool:
    return (
        found is not None
        and found["colours"] == [wanted.left, wanted.right]
        and found["moves"]
        and abs(found["hertz"] - wanted.hertz) < 30
    )


def sees(page: Page, login: str, colour: str, within_s: float = 20) -> None:
    """Wait until the tile of that person shows that colour."""
    until(
        page, f"([login, wanted]) => ({COLOURS_OF})(login).join() === wanted", [login, f"{colour},{colour}"], within_s
    )


def hears(page: Page, login: str, colour: str, within_s: float = 20) -> None:
    """Wait until that person's tone is heard from their tile."""
    until(
        page,
        f"async (login) => Math.abs((await ({PERCEIVED})())[login]?.hertz - {TONES[colour]}) < 30",
        login,
        within_s,
    )


def heard(page: Page, login: str) -> float:
    """The loudest frequency that comes from the tile of that person, in Hz; 0: silence."""
    return float(page.evaluate(PERCEIVED)[login]["hertz"])


def is_silent(page: Page, login: str, within_s: float = 20) -> None:
    """Wait until nothing is heard from that person's tile for half a second."""
    until(page, SILENCE, login, within_s)
