"""Histories and packs for tests: the fixtures, honest people with small keys, and packs that lie.

Keys of 2048 bits stand in for 4096: they are made ten times as fast.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from veche.peer import identity
from veche.peer.identity import Identity

FIXTURES = Path(__file__).parent.parent / "fixtures" / "swarm"
COMMIT, TREE, BLOB, BY_DISTANCE, BY_ID = 1, 2, 3, 6, 7


def fixtures(kind: str) -> list[str]:
    """The names of the histories that are `valid` or `invalid`."""
    return sorted(file.stem for file in (FIXTURES / kind).glob("*.bundle"))


def facts(kind: str, name: str) -> dict[str, Any]:
    """What is known of a fixture."""
    return json.loads((FIXTURES / kind / f"{name}.json").read_text("utf-8"))


def first_offender(told: dict[str, Any]) -> str:
    """The oldest commit of an invalid fixture that a validator refuses.

    The fixture whose first commit holds a file with no place is listed under the commit where an old client stopped.
    """
    return told["conversation_id"] if told["name"] == "initial_crl_file" else told["offending_commit"]


@cache
def person(name: str) -> Identity:
    """An account with one device; always the same one within a process."""
    return identity.make(name, bits=2048)


def entry(kind: int, content: bytes, *, claims: int | None = None, base: bytes = b"", level: int = 9) -> bytes:
    """One entry of a pack.  claims: the size that its header says, when it is not the real one."""
    size = len(content) if claims is None else claims
    byte, size = (kind << 4) | (size & 15), size >> 4
    header = bytearray()
    while size:
        header.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    header.append(byte)
    return bytes(header) + base + zlib.compress(content, level)


def pack(entries: Iterable[bytes], count: int | None = None) -> bytes:
    """A pack of some entries, with the right checksum."""
    found = list(entries)
    body = struct.pack(">4sLL", b"PACK", 2, len(found) if count is None else count) + b"".join(found)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def varint(value: int) -> bytes:
    """A size as deltas have it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def object_id(kind: bytes, content: bytes) -> bytes:
    return hashlib.sha1(b"%b %d\0" % (kind, len(content)) + content, usedforsecurity=False).digest()
