"""Whatever a stranger's repository holds, it is read or refused: the targets of the fuzzer, with Hypothesis's bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import targets
from tests.support.histories import BLOB, BY_DISTANCE, BY_ID, COMMIT, TREE, entry, varint

HEX = "0123456789abcdef" * 3
LINES = [
    b"tree " + HEX[:40].encode(),
    b"parent " + HEX[:40].encode(),
    b"author A <" + b"d" * 64 + b"> 1795000000 +0000",
    b"committer A <" + b"d" * 64 + b"> 1795000000 +0000",
    b"signature " + b"QUJD" * 8,
    b"encoding UTF-8",
    b"gpgsig -----BEGIN",
    b" more",
    b"",
]


def as_delta(parts: tuple[int, int, bytes]) -> bytes:
    return varint(parts[0]) + varint(parts[1]) + parts[2]


def as_entry(parts: tuple[int, bytes, int | None, bytes]) -> bytes:
    kind, content, claims, base = parts
    return entry(kind, content, claims=claims, base=base)


def as_pack(parts: tuple[list[bytes], int]) -> bytes:
    """What comes after the version."""
    entries, more = parts
    return struct.pack(">L", len(entries) + more) + b"".join(entries)


def as_commit(parts: tuple[list[bytes], bytes]) -> bytes:
    return b"\n".join(parts[0]) + b"\n\n" + parts[1]


def as_folder(parts: Sequence[tuple[bytes, bytes, bytes]]) -> bytes:
    return b"".join(mode + b" " + name + b"\0" + id for mode, name, id in parts)


deltas = st.tuples(st.integers(0, 99), st.integers(0, 99), st.binary(max_size=20)).map(as_delta)
entries = st.tuples(
    st.sampled_from((COMMIT, TREE, BLOB, BY_DISTANCE, BY_ID)),
    st.binary(max_size=40) | deltas,
    st.none() | st.integers(0, 1 << 40),
    st.binary(max_size=3) | st.just(targets.BASE) | st.binary(min_size=20, max_size=20),
).map(as_entry)
packs = st.tuples(st.lists(entries, max_size=6), st.sampled_from((0, 0, 0, 1, 1 << 20))).map(as_pack)
headers = st.permutations(LINES[:5]) | st.just(LINES[:5]) | st.lists(st.sampled_from(LINES), max_size=9)
modes = st.sampled_from((b"100644", b"40000", b"040000", b"120000", b"160000", b"7", b"x"))
folders = st.lists(st.tuples(modes, st.binary(max_size=4), st.binary(min_size=19, max_size=20)), max_size=4)


def in_pem(data: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + data


def in_json(data: bytes) -> bytes:
    return b'{"type":"text/plain","body":"' + data + b'"}'


KINDS: dict[Callable[[bytes], None], st.SearchStrategy[bytes]] = {
    targets.pack: packs,
    targets.commit: st.tuples(headers, st.binary(max_size=20)).map(as_commit),
    targets.folder: folders.map(as_folder),
    targets.certificate: st.binary(max_size=60).map(in_pem),
    targets.message: st.binary(max_size=60).map(in_json),
}


@pytest.mark.parametrize("name", [target.__name__ for target in KINDS])
@settings(max_examples=200)
@given(st.data())
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """Rows: B31 (partly)."""
    [(target, usual)] = [one for one in KINDS.items() if one[0].__name__ == name]
    target(data.draw(usual | st.binary(max_size=200)))
