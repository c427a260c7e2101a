"""What is fuzzed: each target takes any bytes and must return.  An exception is a bug.

A decoder gives a packet or raises BadPacket or UnknownPacket; a packet that it gave comes back from its own encoding.
"""

from __future__ import annotations

from veche.packets.codec import BadPacket, Codec, JsonCodec, UnknownPacket
from veche.packets.text import TextCodec

_JSON, _TEXT = JsonCodec(), TextCodec()


def json_line(data: bytes) -> None:
    _line(_JSON, data)


def text_line(data: bytes) -> None:
    _line(_TEXT, data)


def _line(codec: Codec, line: bytes) -> None:
    for decode in (codec.decode_client, codec.decode_server):
        try:
            packet = decode(line)
        except (BadPacket, UnknownPacket):
            continue
        assert decode(codec.encode(packet)) == packet
