"""Packs that a stranger sends: named and indexed as Git does it, or refused before they cost anything."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import BLOB, BY_DISTANCE, BY_ID, COMMIT, TREE, entry, fixtures, object_id, pack, varint
from veche.peer.pack import BadPack, Limits, apply_delta
from veche.peer.pack_file import make_objects, store, write_pack
from veche.peer.source import read_bundle_header

FIXTURES = Path(__file__).parent.parent / "fixtures" / "swarm"


def stored(data: bytes, folder: Path, limits: Limits | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "in.pack").write_bytes(data)
    make_objects(folder / "objects")
    return store(folder / "in.pack", folder / "objects", limits=limits).index


@pytest.mark.parametrize("name", fixtures("valid"))
def test_the_index_is_the_one_that_git_makes(name: str, tmp_path: Path) -> None:
    bundle = FIXTURES / "valid" / f"{name}.bundle"
    _, start = read_bundle_header(bundle)
    data = bundle.read_bytes()[start:]
    index = stored(data, tmp_path)
    (tmp_path / "git.pack").write_bytes(data)
    subprocess.run(["git", "index-pack", str(tmp_path / "git.pack")], check=True, capture_output=True)
    assert index.read_bytes() == (tmp_path / "git.idx").read_bytes()


def test_deltas_by_id_in_any_order_are_named(tmp_path: Path) -> None:
    base, middle, last = b"a" * 100, b"a" * 100 + b"b", b"a" * 100 + b"bc"
    longer = varint(100) + varint(101) + bytes((0x90, 100, 1)) + b"b"
    longest = varint(101) + varint(102) + bytes((0x90, 101, 1)) + b"c"
    entries = [
        entry(BY_ID, longest, base=object_id(b"blob", middle)),
        entry(BY_ID, longer, base=object_id(b"blob", base)),
        entry(BLOB, base),
    ]
    index = stored(pack(entries), tmp_path).read_bytes()
    assert all(object_id(b"blob", content) in index for content in (base, middle, last))


LIES = {
    "object-bytes": pack([entry(BLOB, b"x", claims=262_000_000)]),
    "object-bytes, beyond its claim": pack([entry(BLOB, b"x" * 1_000_000, claims=10)]),
    "object-bytes, below its claim": pack([entry(BLOB, b"x" * 10, claims=1000)]),
    "object-bytes, made by a delta": pack(
        [entry(BLOB, b"x"), entry(BY_ID, varint(1) + varint(1 << 40), base=object_id(b"blob", b"x"))]
    ),
    "total-bytes": pack([entry(BLOB, bytes(15_000_000))] * 80),
    "pack-objects": pack([], count=4_000_000_000),
    "pack-objects, more than bytes": pack([], count=1_000_000),
    "object-kind": pack([entry(4, b"object tag")]),
    "object-kind, zero": pack([entry(0, b"")]),
    "delta-base": pack([entry(BY_ID, varint(1) + varint(1) + b"\x90\x01", base=b"n" * 20)]),
    "pack-format": b"PACK",
    "pack-format, nothing": b"\0" * 64,
    "pack-format, more at its end": pack([entry(BLOB, b"x"), b"more"], count=1),
    "pack-format, the same twice": pack([entry(BLOB, b"x"), entry(BLOB, b"x")]),
    "pack-format, a base that is nowhere": pack([entry(BY_DISTANCE, b"\1\1\x01x", base=b"\x7f")]),
    "pack-format, a size without end": pack([b"\xff" * 40]),
    "pack-checksum": pack([entry(BLOB, b"x")])[:-1] + b"?",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_pack_that_lies_is_refused(lie: str, tmp_path: Path) -> None:
    with pytest.raises(BadPack) as refused:
        stored(LIES[lie], tmp_path)
    assert refused.value.rule == lie.partition(",")[0]
    assert not list((tmp_path / "objects" / "pack").iterdir())


def chain(length: int, *, by_id: bool) -> bytes:
    """Deltas upon deltas, each of which adds one letter to what it stands upon."""
    content = b"x"
    entries = [entry(BLOB, content)]
    for _ in range(length):
        size = len(content)
        delta = varint(size) + varint(size + 1) + bytes((0xB0, size & 255, size >> 8, 1)) + b"y"
        if by_id:
            entries.append(entry(BY_ID, delta, base=object_id(b"blob", content)))
        else:
            distance = len(entries[-1])
            assert distance < 128
            entries.append(entry(BY_DISTANCE, delta, base=bytes((distance,))))
        content += b"y"
    return pack(entries)


@pytest.mark.parametrize("by_id", [True, False])
def test_deltas_upon_deltas_are_bounded(by_id: bool, tmp_path: Path) -> None:
    stored(chain(200, by_id=by_id), tmp_path / "usual")
    with pytest.raises(BadPack) as refused:
        stored(chain(2000, by_id=by_id), tmp_path / "deep")
    assert refused.value.rule == "delta-chain"


def test_limits_are_what_they_are_set_to(tmp_path: Path) -> None:
    """Rows: B31 (partly)."""
    three = pack([entry(COMMIT, b"%d" % n) for n in range(3)])
    for rule, limits in {
        "pack-bytes": Limits(pack_bytes=40),
        "pack-objects": Limits(objects=2),
        "pack-commits": Limits(commits=2),
        "total-bytes": Limits(total_bytes=2),
    }.items():
        with pytest.raises(BadPack) as refused:
            stored(three, tmp_path / rule, limits)
        assert refused.value.rule == rule
    stored(three, tmp_path / "enough", Limits(pack_bytes=200, objects=3, commits=3, total_bytes=3))


def test_bombs_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    """In a process that may have 64 MiB more than it begins with, and 20 seconds of a processor.

    Rows: B31 (partly).
    """
    for at, data in enumerate((*LIES.values(), chain(5000, by_id=True), chain(5000, by_id=False))):
        (tmp_path / f"{at}.pack").write_bytes(data)
    program = """
import resource, sys
from pathlib import Path
from veche.peer.pack import BadPack
from veche.peer.pack_file import make_objects, store
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + 64 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (most, most))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
make_objects(Path(sys.argv[1]) / "objects")
for file in sorted(Path(sys.argv[1]).glob("*.pack")):
    try:
        store(file, Path(sys.argv[1]) / "objects")
    except BadPack as error:
        print(error.rule)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True, text=True, timeout=100
    )
    assert len(done.stdout.split()) == len(LIES) + 2


def test_a_pack_that_stands_upon_our_objects_is_made_whole(tmp_path: Path) -> None:
    ours = b"ours" * 25
    delta = varint(100) + varint(101) + bytes((0x90, 100, 1)) + b"!"
    (tmp_path / "in.pack").write_bytes(pack([entry(BY_ID, delta, base=object_id(b"blob", ours))]))
    make_objects(tmp_path / "objects")
    made = store(
        tmp_path / "in.pack",
        tmp_path / "objects",
        outside=lambda id: b"blob 100\0" + ours if id == object_id(b"blob", ours) else None,
    )
    assert made.objects == 2
    subprocess.run(["git", "verify-pack", str(made.index)], check=True)


def test_what_we_write_as_a_pack_git_reads(tmp_path: Path) -> None:
    write_pack(tmp_path / "ours.pack", [(BLOB, b"hello"), (TREE, b""), (BLOB, bytes(100_000))], 3)
    subprocess.run(["git", "index-pack", "--strict", str(tmp_path / "ours.pack")], check=True, capture_output=True)


@settings(max_examples=300)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_delta_makes_bytes_or_the_one_error(base: bytes, delta: bytes) -> None:
    with contextlib.suppress(BadPack):
        assert isinstance(apply_delta(base, delta), bytes)


@settings(max_examples=200)
@given(st.data())
def test_a_pack_with_one_byte_changed_is_refused_or_the_same(data: st.DataObject) -> None:
    import tempfile

    whole = bytearray(pack([entry(BLOB, b"some content"), entry(TREE, b"")]))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder, pytest.raises(BadPack):
        stored(bytes(whole), Path(folder) / "x")
