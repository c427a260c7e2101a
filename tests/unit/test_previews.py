"""Small pictures of pictures, made by a real worker process: how they look, and what is in none of them."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import zlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from PIL import Image

from veche.server import previews
from veche.server.preview_worker import MAX_BYTES, MAX_SIDE
from veche.server.previews import Preview, Previews

RED, BLUE = (220, 20, 20), (20, 20, 220)
ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x927C


def written(picture: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def flag(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Red above blue."""
    picture = Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (0, 0, width, height // 2))
    return picture.convert(mode)


async def chunks(data: bytes) -> AsyncGenerator[bytes]:
    for at in range(0, len(data), 100_000):
        yield data[at : at + 100_000]


def preview(data: bytes) -> Preview | None:
    return asyncio.run(Previews().make(len(data), chunks(data)))


def shown(data: bytes) -> tuple[Preview, Image.Image]:
    """The preview and the picture that it holds."""
    made = preview(data)
    assert made is not None
    picture = Image.open(io.BytesIO(made.data))
    assert picture.format == "WEBP"
    return made, picture


def is_like(colour: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(colour, wanted, strict=False))


@pytest.mark.parametrize(
    ("format", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "RGBA"), ("GIF", "P"), ("WEBP", "RGB")],
)
def test_a_picture_becomes_a_small_webp_of_the_same_look(format: str, mode: str) -> None:
    """Rows: M48 (partly)."""
    made, picture = shown(written(flag(1600, 1200, mode), format))
    assert (made.width, made.height) == (1600, 1200)
    assert picture.size == (512, 384)
    colours = picture.convert("RGB")
    assert is_like(colours.getpixel((256, 50)), RED)
    assert is_like(colours.getpixel((256, 330)), BLUE)


def test_a_picture_of_16_bits_of_grey_is_not_white() -> None:
    _, picture = shown(written(Image.new("I;16", (60, 40), 30_000), "PNG"))
    assert is_like(picture.convert("RGB").getpixel((30, 20)), (117, 117, 117))


def test_a_small_picture_is_not_blown_up_and_stays_transparent() -> None:
    made, picture = shown(written(Image.new("RGBA", (40, 30), (*RED, 0)), "PNG"))
    assert (made.width, made.height) == picture.size == (40, 30)
    assert picture.mode == "RGBA"
    assert picture.getchannel("A").getextrema() == (0, 0)


def test_a_turned_picture_stands_upright_and_its_metadata_are_gone() -> None:
    """Where it was taken, too.  Rows: M48 (partly)."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned by 90 degrees clockwise
    exif.get_ifd(GPS)[2] = (59.0, 56.0, 0.0)
    exif[MAKER] = b"a secret of the camera"
    turned = flag(1200, 900).rotate(90, expand=True)
    data = written(turned, "JPEG", exif=exif, icc_profile=b"a profile" * 10, comment=b"a secret comment")
    assert b"a secret" in data
    made, picture = shown(data)
    assert (made.width, made.height) == (1200, 900)
    assert picture.size == (512, 384)
    assert is_like(picture.convert("RGB").getpixel((256, 40)), RED)
    assert not picture.getexif()
    assert not {"exif", "icc_profile", "xmp", "comment"} & picture.info.keys()
    assert b"secret" not in made.data


def png(width: int, height: int, data: bytes) -> bytes:
    """A PNG that claims to be so large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + os.urandom(500), id="nonsense"),
        pytest.param(written(flag(640, 480), "JPEG")[:2000], id="cut short"),
        pytest.param(png(60_000, 60_000, bytes(1000)), id="too many pixels"),
        pytest.param(png(10_000, 12_000, bytes(30_001) * 12_000), id="too much memory"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', id="svg"),
        pytest.param(written(flag(64, 64), "BMP"), id="another format"),
        pytest.param(written(flag(64, 64), "PDF"), id="no picture"),
    ],
)
def test_a_bomb_or_a_broken_picture_has_none(data: bytes) -> None:
    """Rows: M48 (partly)."""
    assert preview(data) is None


def test_a_file_that_is_too_large_is_not_even_looked_at() -> None:
    async def never() -> AsyncGenerator[bytes]:
        raise AssertionError("nobody reads this")
        yield b""

    assert asyncio.run(Previews().make(MAX_BYTES + 1, never())) is None


def test_a_worker_that_takes_too_long_is_killed_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        maker = Previews()
        waits = asyncio.Event()

        async def endless() -> AsyncGenerator[bytes]:
            yield b"\x89PNG\r\n\x1a\n"
            await waits.wait()

        with monkeypatch.context() as patch:
            patch.setattr(previews, "PREVIEW_S", 0.5)
            assert await maker.make(100, endless()) is None
        data = written(flag(MAX_SIDE, 10), "PNG")
        assert await maker.make(len(data), chunks(data)) is not None

    asyncio.run(scenario())


def test_one_is_made_at_a_time_and_too_many_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "WAITING", 2)
    data = written(flag(20, 20), "PNG")

    async def scenario() -> None:
        maker = Previews()
        made = await asyncio.gather(*(maker.make(len(data), chunks(data)) for _ in range(4)))
        assert [one is not None for one in made] == [True, True, False, False]
        assert await maker.make(len(data), chunks(data)) is not None

    asyncio.run(scenario())
