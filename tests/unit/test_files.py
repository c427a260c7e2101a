"""What a file may be called, what it is, and the course of a direct transfer."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from veche.core.files import MAX_NAME_BYTES, UNKNOWN, clean_name, sniff, warning
from veche.core.transfer import TABLE, Course, State, Step, WrongStep, after, begun
from veche.packets.files import ACCEPT_S, STALL_S

# -- names


@pytest.mark.parametrize(
    ("given_name", "clean"),
    [
        ("harbour.jpg", "harbour.jpg"),
        ("Ünïcode 名前 🏳️\u200d🌈.txt", "Ünïcode 名前 🏳️\u200d🌈.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\System32\\cmd.exe", "cmd.exe"),
        ("folder/", "folder"),
        ("..", "file"),
        ("", "file"),
        ("\x00\x1b[31m", "[31m"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("invoice.pdf                              .exe", "invoice.pdf .exe"),
        ("line\r\nbreak.txt", "line break.txt"),
        (".bashrc", "bashrc"),
        ("dots... ", "dots"),
        ('a<b>:"c"|?*', "a_b___c____"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("COM¹", "_COM¹"),
        ("console.txt", "console.txt"),
        ("e\u0301te\u0301.txt", "été.txt"),
        ("x" * 300 + ".tar.gz", "x" * 197 + ".gz"),
        ("é" * 150 + ".jpeg", "é" * 97 + ".jpeg"),
        ("." + "y" * 300, "y" * 200),
    ],
)
def test_a_name_is_what_is_left_without_path_tricks_and_nonsense(given_name: str, clean: str) -> None:
    """Rows: M58 (partly), B105 (partly)."""
    assert clean_name(given_name) == clean


@given(st.text() | st.text("./\\ .\u202e\u200dCONconA1:\r\n\u0301é"))
@example("\u200d.\u200d")
@example("a" * 199 + "é")
def test_any_text_becomes_a_plain_name_that_stays_as_it_is(text: str) -> None:
    """Rows: M58 (partly)."""
    name = clean_name(text)
    assert clean_name(name) == name
    assert 0 < len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set('/\\<>:"|?*\r\n\t\x00\u202e')
    assert name not in (".", "..")
    assert name.strip(". ") == name


@pytest.mark.parametrize(
    ("name", "head", "told"),
    [
        ("virus.exe", b"", "program"),
        ("VIRUS.EXE", b"", "program"),
        ("photo.jpg.scr", b"", "program"),
        ("run.sh", b"", "program"),
        ("page.svg", b"", "program"),
        ("innocent.jpg", b"MZ\x90\x00", "program"),
        ("innocent", b"\x7fELF\x02", "program"),
        ("innocent.txt", b"#!/bin/sh\n", "program"),
        ("exe", b"", ""),
        ("exercise.pdf", b"%PDF-1.7", ""),
        ("harbour.jpg", b"\xff\xd8\xff\xe0", ""),
    ],
)
def test_what_may_run_when_it_is_opened_is_told(name: str, head: bytes, told: str) -> None:
    """By name or by content.  Rows: M58 (partly)."""
    assert warning(name, head) == told


# -- types


@pytest.mark.parametrize(
    ("head", "type"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF89a\1\0", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\x24\0\0\0AVI LIST", UNKNOWN),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "video/mp4"),
        (b"\0\0\0\x20ftypM4A \0\0\2\0", "audio/mp4"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "image/avif"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", UNKNOWN),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01B\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01B\x82\x88matroska", UNKNOWN),
        (b"OggS\0\2" + bytes(22) + b"\x01\x1e\x01vorbis", "audio/ogg"),
        (b"OggS\0\2" + bytes(22) + b"\x01*\x80theora", "video/ogg"),
        (b"OggS\0\2" + bytes(22), UNKNOWN),
        (b"ID3\4\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"fLaC\0\0\0\x22", "audio/flac"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04\x14\0", "application/zip"),
        (b"<!DOCTYPE html><script>alert(1)</script>", UNKNOWN),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', UNKNOWN),
        (b"MZ\x90\0", UNKNOWN),
        (b"plain text", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_the_type_is_what_the_first_bytes_say_of_a_list_of_harmless_ones(head: bytes, type: str) -> None:
    """Rows: M58 (partly)."""
    assert sniff(head) == type


# -- the course of a direct transfer

WAYS = {
    State.PENDING: [],
    State.ACCEPTED: [Step.ACCEPT],
    State.TRANSFERRING: [Step.ACCEPT, Step.MOVE],
    State.COMPLETED: [Step.ACCEPT, Step.MOVE, Step.COMPLETE],
    State.DECLINED: [Step.DECLINE],
    State.CANCELLED: [Step.CANCEL],
}
"""How to get there."""
OVER = {State.COMPLETED, State.DECLINED, State.CANCELLED}


def at(state: State, now: float = 0.0) -> Course:
    course = begun(now)
    for step in WAYS[state]:
        course = after(course, step, now)
    assert course.state is state
    return course


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, Step)))
def test_every_step_in_every_state_is_made_or_refused(state: State, step: Step) -> None:
    """Rows: M57 (partly)."""
    allowed = {
        Step.ACCEPT: {State.PENDING: State.ACCEPTED},
        Step.DECLINE: {State.PENDING: State.DECLINED},
        Step.MOVE: {State.ACCEPTED: State.TRANSFERRING, State.TRANSFERRING: State.TRANSFERRING},
        Step.COMPLETE: {State.TRANSFERRING: State.COMPLETED},
        Step.CANCEL: dict.fromkeys(set(State) - OVER, State.CANCELLED),
    }[step]
    course = at(state)
    assert course.is_over is (state in OVER)
    if state in allowed:
        assert after(course, step, 1.0).state is allowed[state]
    else:
        assert (state, step) not in TABLE
        with pytest.raises(WrongStep):
            after(course, step, 1.0)


def test_a_request_lasts_300_seconds_and_bytes_may_rest_for_600() -> None:
    """Rows: M57 (partly)."""
    assert (ACCEPT_S, STALL_S) == (300.0, 600.0)
    course = begun(1000.0)
    assert course.deadline == 1300.0
    with pytest.raises(WrongStep):
        after(course, Step.ACCEPT, 1300.0)
    assert after(course, Step.CANCEL, 1300.0).state is State.CANCELLED
    course = after(course, Step.ACCEPT, 1299.0)
    assert course.deadline == 1899.0
    course = after(course, Step.MOVE, 1800.0)
    assert course.deadline == 2400.0
    assert after(course, Step.MOVE, 2399.0).deadline == 2999.0
