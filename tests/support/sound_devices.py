"""Sound devices for machines that have none: devices of ALSA that are files."""

from __future__ import annotations

import math
import os
from array import array
from pathlib import Path

from veche.media.pattern import RATE_HZ, tone_of

HEARD_S = 120
"""Longer than any test: what follows is silence."""


def devices(folder: Path, tone_hz: int) -> dict[str, str]:
    """An environment with a microphone that hears a tone for `HEARD_S`, and a loudspeaker that writes a file."""
    wave = array("h", [int(9000 * math.sin(2 * math.pi * tone_hz * n / RATE_HZ)) for n in range(RATE_HZ)])
    stereo = array("h", [one for one in wave for _ in (0, 1)])
    (folder / "heard.raw").write_bytes(stereo.tobytes() * HEARD_S)
    (folder / "asound.conf").write_text(
        f"pcm.microphone {{ type file; slave.pcm {{ type null }}; file /dev/null; infile {folder}/heard.raw; "
        "format raw }\n"
        f"pcm.loudspeaker {{ type file; slave.pcm {{ type null }}; file {folder}/played.raw; format raw }}\n"
    )
    return {**os.environ, "ALSA_CONFIG_PATH": str(folder / "asound.conf"), "PYTHONUNBUFFERED": "1"}


def hears(path: Path, tone_hz: int) -> bool:
    """The file holds this tone in some tenth of a second."""
    if not path.exists():
        return False
    samples = array("h", path.read_bytes()[: path.stat().st_size // 2 * 2])
    return any(tone_of(samples[n : n + 4800]) == tone_hz for n in range(0, len(samples) - 4800, 4800))
