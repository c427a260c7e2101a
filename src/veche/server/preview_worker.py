"""`python -m veche.server.preview_worker`: a picture on standard input, a small one on standard output.

A process of its own for each picture: what decodes files of strangers may crash, run out of memory or be taken over
here, not in the server.  It opens no file and makes no process; its memory, and so the pictures it takes, are bounded.
Of the picture nothing is kept but how it looks: no EXIF, no place, no colour profile; it stands upright.

Output: a line of JSON, [width, height] of the picture itself, then the WebP.  Exit code 1: there can be none.

Source: row M48; Exif 2.32 §4.6.4 (Orientation).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import warnings
from typing import Any

MAX_BYTES = 64 * 1024 * 1024
"""Of the picture's file."""
MAX_PIXELS = 120_000_000
"""What phones make; JPEG is decoded at a fraction of that, of other formats MEMORY_BYTES takes some 80 million."""
MAX_SIDE = 512
"""Pixels of the preview."""
MEMORY_BYTES = 384 * 1024 * 1024
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
ORIENTATION = 0x0112
"""The EXIF tag; from 5 on width and height change places."""


def limit() -> None:
    """Take from this process what it does not need, where the system can do that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        for what, most in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NPROC, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(what, (most, most))
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)


def of_8_bits(level: Any) -> Any:
    """16 bits of grey, as Pillow's arithmetic wants it."""
    return level * (1 / 256)


def preview(data: bytes) -> tuple[int, int, bytes]:
    """The picture's width and height as it is to be shown, and a small WebP of it.  Raises anything."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        width, height = picture.size
        if picture.getexif().get(ORIENTATION, 1) >= 5:
            width, height = height, width
        if picture.mode.startswith("I"):
            grey: Any = picture.convert("I")
            picture = grey.point(of_8_bits).convert("L")
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        picture.draft(mode, (2 * MAX_SIDE, 2 * MAX_SIDE))
        small = picture if picture.mode == mode else picture.convert(mode)
        small.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
        small = ImageOps.exif_transpose(small)
        bare = Image.new(mode, small.size)
        bare.paste(small)
        written = io.BytesIO()
        bare.save(written, "WEBP", quality=75, method=4)
    return width, height, written.getvalue()


def main() -> int:
    limit()
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return 1
    try:
        width, height, small = preview(data)
    except Exception:
        return 1
    sys.stdout.buffer.write(json.dumps([width, height]).encode() + b"\n" + small)
    return 0


if __name__ == "__main__":
    sys.exit(main())
