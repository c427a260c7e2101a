"""What kind of picture some bytes are, and its size, from the headers alone: nothing is decoded.

Source: W3C PNG §11.2.1; ITU T.81 §B.2.2; RFC 9649 §2 (WebP).
"""

from __future__ import annotations

from typing import NamedTuple


class BadPicture(ValueError):
    """The bytes are no picture that is taken.  Its message is a sentence for the person who sent it."""


class PictureInfo(NamedTuple):
    """A picture's media type, and its sides in pixels."""

    type: str
    width: int
    height: int


def inspect(data: bytes) -> PictureInfo:
    """Return what a PNG, JPEG or WebP file says of itself.  Raises BadPicture."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            return PictureInfo("image/png", _big(data, 16, 4), _big(data, 20, 4))
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except IndexError:
        raise BadPicture("The picture is cut short.") from None
    raise BadPicture("This is no PNG, JPEG or WebP picture.")


def _jpeg(data: bytes) -> PictureInfo:
    """Walk the segments up to the frame header, SOF0 to SOF15."""
    at = 2
    while True:
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0xD9, 0xDA):
            raise BadPicture("The picture has no size.")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return PictureInfo("image/jpeg", _big(data, at + 7, 2), _big(data, at + 5, 2))
        at += 1 if marker == 0xFF else 2 + max(2, _big(data, at + 2, 2))


def _webp(data: bytes) -> PictureInfo:
    match data[12:16]:
        case b"VP8 ":
            width, height = _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
        case b"VP8L":
            bits = _little(data, 21, 4)
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
        case _:
            raise BadPicture("The picture has no size.")
    return PictureInfo("image/webp", width, height)


def _big(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(_slice(data, at, size), "big")


def _little(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(_slice(data, at, size), "little")


def _slice(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise IndexError
    return data[at : at + size]
