"""Lines become the messages of a WebSocket, one each, whatever their length."""

from __future__ import annotations

import pytest

from veche.server.web import KEPT_BYTES, framed


def messages(frames: bytes) -> list[bytes]:
    """RFC 6455 §5.2, read without the code that writes: the shortest form of a length must be used."""
    found: list[bytes] = []
    while frames:
        assert frames[0] == 0x81, "a whole message of text"
        size, start = frames[1], 2
        assert size < 0x80, "a server does not mask"
        if size == 126:
            size, start = int.from_bytes(frames[2:4], "big"), 4
            assert size > 125
        elif size == 127:
            size, start = int.from_bytes(frames[2:10], "big"), 10
            assert size > 65535
        assert len(frames) >= start + size
        found.append(frames[start : start + size])
        frames = frames[start + size :]
    return found


@pytest.mark.parametrize("size", [1, 125, 126, 127, 65_535, 65_536, KEPT_BYTES + 1])
def test_a_line_of_any_length_is_one_message(size: int) -> None:
    line = b"x" * size
    assert messages(framed(line + b"\r\n")) == [line]
    assert messages(framed(line + b"\r\n")) == [line], "also when it is said again"


def test_many_lines_are_as_many_messages_in_order() -> None:
    lines = [b"short", "längst nicht kurz".encode() * 20, b"y" * 70_000, b"{}"]
    assert messages(framed(b"".join(line + b"\r\n" for line in lines))) == lines
    assert framed(b"") == b""
