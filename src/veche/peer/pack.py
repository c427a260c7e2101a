"""A pack that a stranger sent: looked through before anything believes it, then given an index.

A pack says how large its objects are before they are unpacked, so a few bytes can claim what no machine has: everything
claimed is counted first, and nothing is unpacked beyond what it claimed.

    pack := "PACK" version(4) count(4) entry* sha1(20)
    entry := kind and size (base 128, little end first), for a delta its base (a distance back, or an id), zlib stream
    delta := size of its base, size of its result, instructions

`scan` goes through the headers: bounded memory, one entry unpacked at a time.  `resolve` then names every object, by
unpacking each once and holding no more than a chain of deltas.  The result is what an index file needs.

Source: gitformat-pack(5); rows B30, B31; repository facts §5.2.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from mmap import mmap
from typing import NamedTuple

from msgspec import Struct

COMMIT, TREE, BLOB, TAG, BY_DISTANCE, BY_ID = 1, 2, 3, 4, 6, 7
NAMES = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}
_TRAILER = 20

Bytes = bytes | mmap


class BadPack(Exception):
    """The pack is refused: the name of the rule, which stays, and the reason for people."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


class Limits(Struct, frozen=True):
    """What a pack may be.  Other clients stop at 256 MiB of received bytes."""

    pack_bytes: int = 256 * 1024 * 1024
    objects: int = 2_000_000
    object_bytes: int = 16 * 1024 * 1024
    """Of one object, unpacked; of a delta too."""
    total_bytes: int = 1024 * 1024 * 1024
    """Of all objects, unpacked."""
    chain: int = 250
    """Deltas upon deltas; `git` makes 50, and 250 when asked to be thorough."""
    commits: int = 1_000_000


class Entries(NamedTuple):
    """All entries of a pack, by their number."""

    offsets: list[int]
    """Where each begins; one more at the end: where the trailer does."""
    starts: list[int]
    """Where each zlib stream begins."""
    kinds: bytearray
    sizes: list[int]
    """Unpacked, as claimed and found."""
    bases: dict[int, int | bytes]
    """Of a delta: the number of its base, or its id."""


class Object(NamedTuple):
    """An object of a pack that has been named."""

    id: bytes
    number: int
    kind: int


def scan(data: Bytes, limits: Limits, found: Callable[[int, bytes, int], None] | None = None) -> Entries:
    """Look through all entries of a pack.  Raises BadPack, for any bytes.

    found: is given the kind, content and number of every object that is no delta.
    """
    end = len(data) - _TRAILER
    if len(data) > limits.pack_bytes:
        raise BadPack("pack-bytes", f"It has {len(data)} bytes; {limits.pack_bytes} are allowed.")
    if end < 12 or data[:4] != b"PACK":
        raise BadPack("pack-format", "It does not begin as a pack does.")
    version, count = struct.unpack(">LL", data[4:12])
    if version not in (2, 3):
        raise BadPack("pack-format", f"It is of the unknown version {version}.")
    if count > limits.objects:
        raise BadPack("pack-objects", f"It claims {count} objects; {limits.objects} are allowed.")
    if count > end:
        raise BadPack("pack-objects", f"It claims {count} objects in {len(data)} bytes.")
    entries = Entries([], [], bytearray(), [], {})
    numbers: dict[int, int] = {}
    depths: dict[int, int] = {}
    at, total, commits = 12, 0, 0
    for number in range(count):
        begin = at
        kind, size, at = read_header(data, at, end)
        if size > limits.object_bytes:
            raise BadPack("object-bytes", f"An object claims {size} bytes; {limits.object_bytes} are allowed.")
        commits += kind == COMMIT
        if kind == BY_DISTANCE:
            distance, at = read_distance(data, at, end)
            base = numbers.get(begin - distance)
            if base is None:
                raise BadPack("pack-format", "A delta refers to where nothing begins.")
            entries.bases[number] = base
            depths[number] = depths.get(base, 0) + 1
            if depths[number] > limits.chain:
                raise BadPack("delta-chain", f"Deltas stand upon deltas, more than {limits.chain}.")
        elif kind == BY_ID:
            if at + 20 > end:
                raise BadPack("pack-format", "It ends in the middle of an object.")
            entries.bases[number] = data[at : at + 20]
            at += 20
        elif kind not in NAMES:
            raise BadPack("object-kind", f"It holds an object of the kind {kind}, which a conversation does not.")
        content, after = _inflate(data, at, end, size)
        result = size if kind in NAMES else _result_size(content)
        if result > limits.object_bytes:
            raise BadPack("object-bytes", f"A delta claims {result} bytes; {limits.object_bytes} are allowed.")
        total += result
        if total > limits.total_bytes:
            raise BadPack("total-bytes", f"Its objects claim more than {limits.total_bytes} bytes altogether.")
        if commits > limits.commits:
            raise BadPack("pack-commits", f"It holds more than {limits.commits} commits.")
        numbers[begin] = number
        entries.offsets.append(begin)
        entries.starts.append(at)
        entries.kinds.append(kind)
        entries.sizes.append(size)
        if found is not None and kind in NAMES:
            found(kind, content, number)
        at = after
    if at != end:
        raise BadPack("pack-format", "There is something after its last object.")
    if hashlib.sha1(memoryview(data)[:end], usedforsecurity=False).digest() != data[end:]:
        raise BadPack("pack-checksum", "Its checksum is wrong: it was damaged on its way.")
    entries.offsets.append(end)
    return entries


def resolve(
    data: Bytes, entries: Entries, named: dict[bytes, Object], limits: Limits, outside: Callable[[bytes], bytes | None]
) -> set[bytes]:
    """Name all deltas; `named` holds what is no delta, and is filled.  Returns the ids of bases outside the pack.

    outside: gives an object of one's own as "kind space size NUL content", or None.  Raises BadPack.
    """
    kinds = {one.number: one.kind for one in named.values()}
    waiting: dict[int | bytes, list[int]] = {}
    for number, base in entries.bases.items():
        waiting.setdefault(base, []).append(number)
    used: set[bytes] = set()
    total = 0

    def children(number: int, id: bytes) -> list[int]:
        return waiting.pop(number, []) + waiting.pop(id, [])

    roots: list[tuple[int, bytes]] = [(one.number, id) for id, one in named.items()]
    for number, id in roots:
        todo = [(child, number) for child in children(number, id)]
        if todo:
            total += _resolve_from(
                data, entries, _unpack(data, entries, number), kinds[number], todo, children, named, limits
            )
    for base in [base for base in waiting if isinstance(base, bytes)]:
        if base not in waiting:
            continue
        found = outside(base)
        if found is None:
            continue
        header, _, content = found.partition(b"\0")
        kind = {name: kind for kind, name in NAMES.items()}[header.partition(b" ")[0]]
        used.add(base)
        todo = [(child, -1) for child in waiting.pop(base)]
        total += _resolve_from(data, entries, content, kind, todo, children, named, limits)
    if waiting:
        raise BadPack("delta-base", f"{sum(map(len, waiting.values()))} deltas stand upon what is not there.")
    return used


def _resolve_from(
    data: Bytes,
    entries: Entries,
    content: bytes,
    kind: int,
    todo: list[tuple[int, int]],
    children: Callable[[int, bytes], list[int]],
    named: dict[bytes, Object],
    limits: Limits,
) -> int:
    """Name everything that stands upon one object, depth first: a chain at a time is in memory, its size bounded."""
    done = 0
    stack: list[tuple[bytes, list[int]]] = [(content, [number for number, _ in todo])]
    held = len(content)
    while stack:
        base, numbers = stack[-1]
        if not numbers:
            held -= len(base)
            stack.pop()
            continue
        number = numbers.pop()
        made = apply_delta(base, _unpack(data, entries, number))
        id = object_id(kind, made)
        done += 1
        named.setdefault(id, Object(id, number, kind))
        below = children(number, id)
        if below:
            if len(stack) > limits.chain:
                raise BadPack("delta-chain", f"Deltas stand upon deltas, more than {limits.chain}.")
            held += len(made)
            if held > 8 * limits.object_bytes:
                raise BadPack("delta-chain", "Large objects stand upon large objects.")
            stack.append((made, below))
    return done


def object_id(kind: int, content: bytes) -> bytes:
    """The id of an object."""
    header = b"%b %d\0" % (NAMES[kind], len(content))
    return hashlib.sha1(header + content, usedforsecurity=False).digest()


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """What a delta makes of its base.  Raises BadPack.  Never more than it claims."""
    size, at = read_varint(delta, 0)
    result_size, at = read_varint(delta, at)
    if size != len(base):
        raise BadPack("delta-base", "A delta stands upon an object of another size.")
    parts: list[bytes] = []
    made = 0
    try:
        while at < len(delta):
            code = delta[at]
            at += 1
            if code & 0x80:
                offset = length = 0
                for bit in range(4):
                    if code & (1 << bit):
                        offset |= delta[at] << (8 * bit)
                        at += 1
                for bit in range(3):
                    if code & (0x10 << bit):
                        length |= delta[at] << (8 * bit)
                        at += 1
                length = length or 0x10000
                if offset + length > size:
                    raise BadPack("delta-base", "A delta copies what its base does not have.")
                parts.append(base[offset : offset + length])
            elif code:
                length = code
                parts.append(delta[at : at + length])
                if len(parts[-1]) != length:
                    raise BadPack("pack-format", "A delta ends too early.")
                at += length
            else:
                raise BadPack("pack-format", "A delta has an unknown instruction.")
            made += length
            if made > result_size:
                raise BadPack("object-bytes", "A delta makes more than it claims.")
    except IndexError:
        raise BadPack("pack-format", "A delta ends too early.") from None
    if made != result_size:
        raise BadPack("object-bytes", "A delta makes less than it claims.")
    return b"".join(parts)


# -- the pieces of an entry


def _unpack(data: Bytes, entries: Entries, number: int) -> bytes:
    return _inflate(data, entries.starts[number], entries.offsets[number + 1], entries.sizes[number])[0]


def read_header(data: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Kind, size, and where the rest begins."""
    byte = data[at] if at < end else -1
    at += 1
    if byte < 0:
        raise BadPack("pack-format", "It ends before its last object.")
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80:
        if at >= end or shift > 60:
            raise BadPack("pack-format", "It ends in the middle of an object, or claims a size that is none.")
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
    return kind, size, at


def read_distance(data: Bytes, at: int, end: int) -> tuple[int, int]:
    if at >= end:
        raise BadPack("pack-format", "It ends in the middle of an object.")
    byte = data[at]
    at += 1
    distance = byte & 0x7F
    while byte & 0x80:
        if at >= end or distance > 1 << 48:
            raise BadPack("pack-format", "It ends in the middle of an object.")
        byte = data[at]
        at += 1
        distance = ((distance + 1) << 7) | (byte & 0x7F)
    return distance, at


def _inflate(data: Bytes, at: int, end: int, size: int) -> tuple[bytes, int]:
    """The content of a zlib stream, which has exactly `size` bytes, and where the stream ends.

    It is fed by pieces: what is not used of one is copied, and a piece is about what the content can need.
    """
    stream = zlib.decompressobj()
    piece = size + (size >> 10) + 64
    parts: list[bytes] = []
    made = 0
    try:
        while True:
            stop = min(at + piece, end)
            if stop <= at:
                raise BadPack("pack-format", "It ends in the middle of an object.")
            part = stream.decompress(data[at:stop], size - made + 1)
            made += len(part)
            parts.append(part)
            if made > size:
                raise BadPack("object-bytes", "An object has more bytes than it claims.")
            at = stop - len(stream.unused_data) - len(stream.unconsumed_tail)
            if stream.eof:
                break
            piece *= 2
    except zlib.error as error:
        raise BadPack("pack-format", "An object cannot be unpacked.") from error
    if made != size:
        raise BadPack("object-bytes", f"An object claims {size} bytes and has {made}.")
    return (parts[0] if len(parts) == 1 else b"".join(parts)), at


def _result_size(delta: bytes) -> int:
    _, at = read_varint(delta, 0)
    return read_varint(delta, at)[0]


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 60:
            raise BadPack("pack-format", "A delta ends too early.")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
