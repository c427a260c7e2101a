"""The packs of a repository that nobody vouches for, looked through before the library reads them.

Their indexes say where objects begin.  There, each header says a size, and of a delta what it stands upon: enough to
refuse what would cost more than `Limits` allow, without unpacking more than the first bytes of a delta.  Whatever the
library may read begins where an index says, so a delta that stands upon anything else is refused.

Source: gitformat-pack(5); row B31.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path

from .pack import BY_DISTANCE, BY_ID, NAMES, TAG, BadPack, Limits, read_distance, read_header, read_varint

_FAN = 8 + 256 * 4
_MOST_ALTERNATES = 8
_LARGEST_TEXT = 64 * 1024


def check_packs(objects: Path, limits: Limits) -> bool:
    """Look through all packs of a folder of objects, and of the folders that it names.  Raises BadPack, OSError.

    Returns whether that is everything there: no object lies outside a pack.
    """
    is_everything = True
    todo, seen = [objects], {objects.resolve()}
    while todo:
        folder = todo.pop()
        is_everything = is_everything and not any(len(one.name) == 2 for one in folder.iterdir())
        if (folder / "pack" / "multi-pack-index").exists():
            raise BadPack("pack-format", "It has a multi-pack-index. Make it anew with `git repack -ad`.")
        for index in sorted((folder / "pack").glob("*.idx")):
            _check_pack(index, limits)
        alternates = folder / "info" / "alternates"
        if not alternates.is_file():
            continue
        with alternates.open("rb") as file:
            lines = file.read(_LARGEST_TEXT).decode("utf-8", "replace").split("\n")
        for line in lines:
            if not line or line.startswith("#"):
                continue
            other = (folder / line).resolve()
            if other not in seen:
                seen.add(other)
                todo.append(other)
            if len(seen) > _MOST_ALTERNATES:
                raise BadPack("pack-format", "It borrows objects from too many places.")
    return is_everything


def _check_pack(index: Path, limits: Limits) -> None:
    pack = index.with_suffix(".pack")
    if index.stat().st_size < _FAN + 40 or not pack.is_file() or pack.stat().st_size < 32:
        raise BadPack("pack-format", f"{index.name} is no index, or has no pack.")
    with (
        index.open("rb") as index_file,
        pack.open("rb") as pack_file,
        mmap.mmap(index_file.fileno(), 0, access=mmap.ACCESS_READ) as table,
        mmap.mmap(pack_file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        _check_objects(data, *_places(table, limits), limits)


def _places(table: mmap.mmap, limits: Limits) -> tuple[list[int], dict[bytes, int]]:
    """Where objects begin, ascending; and where each id does, of which `_check_objects` may need some."""
    if table[:8] != b"\xfftOc\0\0\0\2":
        raise BadPack("pack-format", "An index is of an unknown version.")
    count = struct.unpack(">L", table[_FAN - 4 : _FAN])[0]
    if count > limits.objects:
        raise BadPack("pack-objects", f"It has {count} objects; {limits.objects} are allowed.")
    ids, offsets = _FAN, _FAN + count * 24
    large = offsets + count * 4
    if large + 40 > len(table):
        raise BadPack("pack-format", "An index is too short.")
    places = list(struct.unpack(f">{count}L", table[offsets:large]))
    for at, place in enumerate(places):
        if place & 0x80000000:
            begin = large + (place & 0x7FFFFFFF) * 8
            if begin + 8 > len(table) - 40:
                raise BadPack("pack-format", "An index is too short.")
            places[at] = struct.unpack(">Q", table[begin : begin + 8])[0]
    named = {table[ids + at * 20 : ids + at * 20 + 20]: place for at, place in enumerate(places)}
    return sorted(places), named


def _check_objects(data: mmap.mmap, places: list[int], named: dict[bytes, int], limits: Limits) -> None:
    end = len(data) - 20
    bases: dict[int, int] = {}
    known = set(places)
    total = 0
    for place in places:
        if not 12 <= place < end:
            raise BadPack("pack-format", "An index points to where no object is.")
        kind, size, at = read_header(data, place, end)
        if size > limits.object_bytes:
            raise BadPack("object-bytes", f"An object claims {size} bytes; {limits.object_bytes} are allowed.")
        if kind in (BY_DISTANCE, BY_ID):
            base: int | None
            if kind == BY_DISTANCE:
                distance, at = read_distance(data, at, end)
                base = place - distance
            else:
                base, at = named.get(data[at : at + 20]), at + 20
            if base is None or base not in known:
                raise BadPack("delta-base", "A delta stands upon what no index names.")
            bases[place] = base
            size = _result_size(data, at, end)
            if size > limits.object_bytes:
                raise BadPack("object-bytes", f"A delta claims {size} bytes; {limits.object_bytes} are allowed.")
        elif kind not in NAMES and kind != TAG:
            raise BadPack("object-kind", f"It holds an object of the unknown kind {kind}.")
        total += size
        if total > limits.total_bytes:
            raise BadPack("total-bytes", f"Its objects claim more than {limits.total_bytes} bytes altogether.")
    if bases:
        _check_chains(bases, limits.chain)


def _check_chains(bases: dict[int, int], most: int) -> None:
    """Refuse deltas upon deltas upon deltas, also those that stand upon themselves."""
    depths: dict[int, int] = {}
    for start in bases:
        chain: list[int] = []
        at = start
        while at in bases and at not in depths:
            chain.append(at)
            if len(chain) > most:
                raise BadPack("delta-chain", f"Deltas stand upon deltas, more than {most}.")
            at = bases[at]
        depth = depths.get(at, 0)
        for one in reversed(chain):
            depth += 1
            depths[one] = depth
        if depth > most:
            raise BadPack("delta-chain", f"Deltas stand upon deltas, more than {most}.")


def _result_size(data: mmap.mmap, at: int, end: int) -> int:
    """What a delta makes, by its first bytes."""
    try:
        start = zlib.decompressobj().decompress(data[at : min(at + 128, end)], 32)
    except zlib.error as error:
        raise BadPack("pack-format", "A delta cannot be unpacked.") from error
    _, after = read_varint(start, 0)
    return read_varint(start, after)[0]
