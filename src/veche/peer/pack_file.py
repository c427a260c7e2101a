"""Packs as files in a folder of objects: one that came from outside is given its index; one of ours is written.

Nothing of a pack is in its folder before it is whole: the pack comes first, then its index, which makes it count.

Source: gitformat-pack(5); rows B30, B31, B98.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from .files import flush_folder, write_whole
from .pack import COMMIT, NAMES, BadPack, Limits, Object, object_id, resolve, scan

_LARGE = 1 << 31


class Stored(Struct, frozen=True):
    """A pack that was put into a folder."""

    pack: Path
    index: Path
    objects: int
    commits: int


def make_objects(folder: Path) -> None:
    """An empty folder of objects."""
    (folder / "pack").mkdir(parents=True)
    (folder / "info").mkdir()


def store(
    source: Path, objects: Path, *, limits: Limits | None = None, outside: Callable[[bytes], bytes | None] | None = None
) -> Stored:
    """Scan the pack in a file, name its objects, and put it with an index into a folder of objects.

    outside: gives objects that deltas may stand upon without being in the pack; they are put into it.
    Raises BadPack, OSError.
    """
    limits = limits or Limits()
    size = source.stat().st_size
    if size > limits.pack_bytes:
        raise BadPack("pack-bytes", f"It has {size} bytes; {limits.pack_bytes} are allowed.")
    if size == 0:
        raise BadPack("pack-format", "It is empty.")
    named: dict[bytes, Object] = {}

    def found(kind: int, content: bytes, number: int) -> None:
        id = object_id(kind, content)
        named[id] = Object(id, number, kind)

    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        entries = scan(data, limits, found)
        count = len(entries.kinds)
        used = resolve(data, entries, named, limits, outside or (lambda id: None)) if entries.bases else set[bytes]()
        if len(named) != count:
            raise BadPack("pack-format", "It holds the same object twice.")
        commits = sum(one.kind == COMMIT for one in named.values())
        if commits > limits.commits:
            raise BadPack("pack-commits", f"It holds {commits} commits; {limits.commits} are allowed.")
        offsets = entries.offsets
        whole = memoryview(data)
        try:
            rows = [
                (id, zlib.crc32(whole[offsets[one.number] : offsets[one.number + 1]]), offsets[one.number])
                for id, one in named.items()
            ]
            parts: list[bytes | memoryview] = [whole]
            if used and outside is not None:
                parts = [struct.pack(">4sLL", b"PACK", 2, count + len(used)), whole[12:-20]]
                at = len(data) - 20
                for base in sorted(used):
                    kind, content = _split(outside(base) or b"")
                    entry = _entry(kind, content)
                    rows.append((base, zlib.crc32(entry), at))
                    parts.append(entry)
                    at += len(entry)
                checksum = hashlib.sha1(usedforsecurity=False)
                for part in parts:
                    checksum.update(part)
                parts.append(checksum.digest())
            stored = _put(objects, parts, rows, commits)
        finally:
            parts = []
            whole.release()
        return stored


def write_pack(target: Path, objects: Iterable[tuple[int, bytes]], count: int) -> None:
    """Write a pack of some objects, kind and content each, none of them as a delta.  Raises OSError."""
    checksum = hashlib.sha1(usedforsecurity=False)
    with target.open("wb") as file:
        header = struct.pack(">4sLL", b"PACK", 2, count)
        checksum.update(header)
        file.write(header)
        for kind, content in objects:
            entry = _entry(kind, content)
            checksum.update(entry)
            file.write(entry)
        file.write(checksum.digest())


def index_bytes(rows: list[tuple[bytes, int, int]], checksum: bytes) -> bytes:
    """An index, version 2.  rows: id, CRC-32 of the entry, where it begins.  checksum: the pack's."""
    rows = sorted(rows)
    fan = [0] * 256
    for id, _, _ in rows:
        fan[id[0]] += 1
    total = 0
    for at, number in enumerate(fan):
        total += number
        fan[at] = total
    large: list[int] = []
    places: list[int] = []
    for _, _, offset in rows:
        if offset < _LARGE:
            places.append(offset)
        else:
            places.append(_LARGE | len(large))
            large.append(offset)
    body = b"".join(
        [
            b"\xfftOc\0\0\0\2",
            struct.pack(">256L", *fan),
            *(id for id, _, _ in rows),
            struct.pack(f">{len(rows)}L", *(crc for _, crc, _ in rows)),
            struct.pack(f">{len(rows)}L", *places),
            struct.pack(f">{len(large)}Q", *large),
            checksum,
        ]
    )
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def _put(objects: Path, parts: list[bytes | memoryview], rows: list[tuple[bytes, int, int]], commits: int) -> Stored:
    folder = objects / "pack"
    checksum = bytes(parts[-1][-20:])
    name = f"pack-{checksum.hex()}"
    pack, index = folder / f"{name}.pack", folder / f"{name}.idx"
    aside = folder / f".new-{os.getpid()}-{name}"
    try:
        with aside.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(pack)
    finally:
        aside.unlink(missing_ok=True)
    write_whole(index, index_bytes(rows, checksum), 0o444)
    flush_folder(folder)
    return Stored(pack, index, len(rows), commits)


def _entry(kind: int, content: bytes) -> bytes:
    size = len(content)
    byte, size = (kind << 4) | (size & 15), size >> 4
    header = bytearray()
    while size:
        header.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    header.append(byte)
    return bytes(header) + zlib.compress(content, 1)


def _split(raw: bytes) -> tuple[int, bytes]:
    header, _, content = raw.partition(b"\0")
    kinds = {name: kind for kind, name in NAMES.items()}
    return kinds[header.partition(b" ")[0]], content
