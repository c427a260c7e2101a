"""What is fuzzed: each target takes any bytes and must return.  An exception is a bug.

A decoder gives a packet or raises BadPacket or UnknownPacket; a packet that it gave comes back from its own encoding.
What reads swarms gives what it read or its own error; a commit or folder that it read comes back byte for byte.
"""

from __future__ import annotations

import hashlib

from veche.packets.codec import BadPacket, Codec, JsonCodec, UnknownPacket
from veche.packets.text import TextCodec
from veche.peer import commits
from veche.peer.objects import Unreadable, parse_tree, write_tree
from veche.peer.pack import BLOB, BadPack, Limits, Object, object_id, resolve, scan
from veche.swarm import card, messages
from veche.swarm.certificates import BadCertificate, blocks, parse

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


BASE = object_id(BLOB, b"base")
SMALL = Limits(pack_bytes=1 << 20, objects=1000, object_bytes=1 << 16, total_bytes=1 << 20)


def pack(data: bytes) -> None:
    """A pack that a stranger sends.  Its checksum is set right, so that what is behind it is reached."""
    named: dict[bytes, Object] = {}

    def found(kind: int, content: bytes, number: int) -> None:
        assert len(content) <= SMALL.object_bytes
        id = object_id(kind, content)
        named[id] = Object(id, number, kind)

    whole = b"PACK\0\0\0\2" + data
    whole += hashlib.sha1(whole, usedforsecurity=False).digest()
    try:
        entries = scan(whole, SMALL, found)
        resolve(whole, entries, named, SMALL, lambda id: b"blob 4\0base" if id == BASE else None)
    except BadPack:
        return
    assert len(named) <= SMALL.objects


def commit(data: bytes) -> None:
    """The bytes of a commit: signed is what it is without its signature."""
    try:
        read = commits.parse(data)
    except commits.BadCommit:
        return
    assert read.message == data.partition(b"\n\n")[2]
    line = b"\nsignature " + read.signature + b"\n" if read.signature else b"\n"
    assert data.replace(line, b"\n", 1) == read.signed


def folder(data: bytes) -> None:
    """The bytes of a Git tree."""
    try:
        entries = parse_tree(data)
    except Unreadable:
        return
    assert write_tree(entries) == data


def certificate(data: bytes) -> None:
    """A file that should hold certificates, as PEM or DER."""
    for read in (blocks, parse):
        try:
            read(data)
        except BadCertificate:
            continue


def message(data: bytes) -> None:
    """What a commit says, and the card of a conversation."""
    try:
        messages.said(data)
        messages.shown(data)
    except messages.NotAMessage:
        pass
    card.read(data)
