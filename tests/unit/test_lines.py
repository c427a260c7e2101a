"""Bytes to lines."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veche.core.lines import LineBuffer, LineTooLong

LIMIT = 8
STREAM = st.lists(st.sampled_from([b"\n", b"\r\n", b"a", b"bcd", b"efghij"]), max_size=40).map(b"".join)


def read(chunks: list[bytes], limit: int) -> tuple[list[bytes], bool]:
    """All lines of the chunks, and whether the stream ended in LineTooLong."""
    buffer, lines = LineBuffer(limit), list[bytes]()
    for chunk in chunks:
        try:
            lines += buffer.feed(chunk)
        except LineTooLong as error:
            return lines + error.lines, True
    return lines, False


def expected(stream: bytes, limit: int) -> tuple[list[bytes], bool]:
    """The same, by looking at the whole stream."""
    *lines, tail = stream.split(b"\n")
    for index, line in enumerate(lines):
        if len(line) + 1 > limit:
            return lines[:index], True
    return lines, len(tail) + 1 > limit


def cut(stream: bytes, places: set[int]) -> list[bytes]:
    """The stream cut at these places."""
    ends = sorted(place for place in places if place < len(stream))
    return [stream[start:end] for start, end in zip([0, *ends], [*ends, len(stream)], strict=True)]


def test_lines_come_out_without_their_lf_and_the_rest_is_kept() -> None:
    """Rows: M01, M02."""
    buffer = LineBuffer(100)
    assert buffer.feed(b"one\ntwo\r\nthr") == [b"one", b"two\r"]
    assert buffer.feed(b"") == []
    assert buffer.feed(b"ee") == []
    assert buffer.feed(b"\n\nfour\n") == [b"three", b"", b"four"]
    assert buffer.feed(b"five\n") == [b"five"]


@given(STREAM, st.sets(st.integers(1, 200)))
def test_however_a_stream_is_cut_the_lines_are_the_same(stream: bytes, places: set[int]) -> None:
    """Too long a line too is found at the same line.  Rows: M01, M02."""
    assert read(cut(stream, places), LIMIT) == read([stream], LIMIT) == expected(stream, LIMIT)
    assert read(cut(stream, places), 1000) == expected(stream, 1000)


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 40))
def test_any_bytes_give_lines_or_the_one_error(chunks: list[bytes], limit: int) -> None:
    """Rows: M01, M02."""
    assert read(chunks, limit) == expected(b"".join(chunks), limit)


def test_the_limit_counts_the_end_of_the_line() -> None:
    """Rows: M02."""
    assert LineBuffer(LIMIT).feed(b"1234567\n") == [b"1234567"]
    with pytest.raises(LineTooLong):
        LineBuffer(LIMIT).feed(b"12345678\n")
    assert LineBuffer(LIMIT).feed(b"1234567") == []
    with pytest.raises(LineTooLong):
        LineBuffer(LIMIT).feed(b"12345678")


def test_the_lines_before_too_long_a_one_are_not_lost() -> None:
    """Rows: M02."""
    with pytest.raises(LineTooLong) as caught:
        LineBuffer(LIMIT).feed(b"one\ntwo\n123456789\nthree\n")
    assert caught.value.lines == [b"one", b"two"]


def test_a_line_in_single_bytes_takes_no_more_memory_than_the_limit() -> None:
    """A list of the chunks would take eight bytes for each.  Rows: M02."""
    limit = 1 << 16
    buffer = LineBuffer(limit)
    tracemalloc.start()
    try:
        for _ in range(limit - 1):
            buffer.feed(b"x")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 3 * limit
    assert buffer.feed(b"\n") == [b"x" * (limit - 1)]
