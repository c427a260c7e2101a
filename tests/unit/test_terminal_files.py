"""Files in the terminal, as far as it is pure: what is typed, how sizes, transfers and messages with files read."""

from __future__ import annotations

import asyncio
import errno
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veche.client import LinkLost, RequestFailed
from veche.client.files import Progress
from veche.client.state import Pending, State, fold
from veche.packets import ErrorCode
from veche.packets.files import FileInfo
from veche.packets.message import Message, MessageSend
from veche.terminal import file_words, plain_commands
from veche.terminal.file_commands import to_send, which_and_where
from veche.terminal.people_commands import Wrong
from veche.terminal.plain_commands import AcceptFile, CancelFile, Download, Files, Offer, Offers, RefuseFile, SendFiles
from veche.terminal.render import Look, Numbers, conversation_lines, pending_lines, width_of
from veche.terminal.screen_commands import completions, parse
from veche.terminal.transfer import Stage, Transfer, Way, why

ME, BOB = "alice@home", "bob@home"
FILE = FileInfo(id="f1", name="harbour.jpg", bytes=2_100_000, sha256="0" * 64)
PROGRAM = FileInfo(id="f2", name="setup.exe", bytes=1, sha256="0" * 64, warning="program")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("send bob a.jpg", SendFiles("bob", (Path("a.jpg"),), "")),
        ('send bob "a b" c -- d  "e"', SendFiles("bob", (Path("a b"), Path("c")), 'd  "e"')),
        ("files", Files("")),
        ("files bob", Files("bob")),
        ('download "a b.jpg" "out of here/"', Download("a b.jpg", "out of here/")),
        ("download f1", Download("f1", "")),
        ("offer bob a.jpg", Offer("bob", Path("a.jpg"))),
        ("offers", Offers()),
        ("accept-file", AcceptFile("", "")),
        ("accept-file 3 out/", AcceptFile("3", "out/")),
        ("refuse-file 3", RefuseFile("3")),
        ("cancel-file", CancelFile("")),
    ],
)
def test_a_line_about_files(line: str, command: object) -> None:
    assert plain_commands.parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        *("send", "send bob", "send bob -- text", 'send bob "a', "files a b", "download", "download a b c"),
        *("offer bob", "offer bob a b", "accept-file 1 a b", "refuse-file a b"),
    ],
)
def test_a_line_about_files_that_is_no_command_is_refused(line: str) -> None:
    """Rows: T38 (partly)."""
    with pytest.raises(Wrong):
        plain_commands.parse(line)


@given(st.text(max_size=60))
def test_any_text_after_a_command_is_understood_or_refused(text: str) -> None:
    for parse_it in (to_send, which_and_where):
        try:
            parse_it(text, "usage")
        except Wrong:
            continue


def test_a_path_that_is_there_needs_no_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it's two words.txt").touch()
    assert to_send("it's two words.txt", "") == ((Path("it's two words.txt"),), "")
    assert to_send("it's two words.txt -- look", "") == ((Path("it's two words.txt"),), "look")


def test_paths_and_files_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("photo.jpg", "photos/a.jpg", ".hidden", "bad\x1b[2J"):
        (tmp_path / name).touch()

    def found(text: str) -> list[str]:
        return [one[0] for one in completions(text, [], [("2", "setup.exe"), ("1", "harbour.jpg")])]

    assert found("/send ") == ["photo.jpg", "photos/"]
    assert found("/send photos/") == ["a.jpg"]
    assert found("/send .h") == [".hidden"]
    assert found('/send a "photos/a') == ["a.jpg"]
    assert found("/download ") == ["2", "1"]
    assert found("/download harb") == ["1"]
    assert found("/download 1 pho") == ["photo.jpg", "photos/"]
    assert found("/accept-file 1 photos") == ["photos/"]
    assert parse("/acc bob") == ("accept", "bob", None), "what is typed by its beginning stays what it was"


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        *((0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (2_100_000, "2.1 MB")),
        *((999_999, "1.0 MB"), (10**12, "1.0 TB"), (10**16, "10000.0 TB")),
    ],
)
def test_a_size_for_people(count: int, shown: str) -> None:
    assert file_words.size(count) == shown


def test_how_far_a_transfer_has_come() -> None:
    assert file_words.course(Progress(45, 100, 2_100_000.0, 30.4)) == "45 %, 2.1 MB/s, 30 s left"
    assert file_words.course(Progress(0, 100, 0.0, None)) == "0 %"
    assert file_words.course(Progress(0, 0, 0.0, 0.0)) == "100 %"
    broken = file_words.course(Progress(45, 100, 1.0, 1.0, "The connection broke: x."))
    assert broken == "45 %, waiting for the connection (The connection broke: x); goes on by itself"


def test_why_a_transfer_failed_and_what_to_do() -> None:
    """Rows: M57 (partly)."""

    async def scenario() -> None:
        sent, fetched = (Transfer(1, way, "a\u202eb\n", 5, BOB) for way in (Way.UPLOAD, Way.DOWNLOAD))
        fetched.path = Path("x")
        assert why(OSError(errno.ENOSPC, "No space left on device"), fetched).startswith("The disc is full.")
        assert why(OSError(errno.EIO, "Input/output error"), fetched) == "x: Input/output error."
        assert "has changed while it was sent" in why(RequestFailed(ErrorCode.WRONG_HASH), sent)
        assert "is damaged" in why(RequestFailed(ErrorCode.WRONG_HASH), fetched)
        assert why(RequestFailed(ErrorCode.TOO_LARGE, "A file may have 2 GiB here."), sent).endswith("2 GiB here.")
        assert why(LinkLost("It broke."), sent) == "It broke. The same command goes on where it stopped."
        for stage in Stage:
            for way in Way:
                one = Transfer(1, way, "a\u202eb\n\x1b", 5, BOB)
                one.stage, one.code = stage, ErrorCode.WITHDRAWN
                said = file_words.sentence(one, "bob", "/")
                assert said
                assert said.isprintable()
                assert "\u202e" not in said

    asyncio.run(scenario())


def test_a_message_shows_its_files_with_numbers_that_stay() -> None:
    """Rows: M48 (partly), M58 (partly), T39 (partly)."""
    nasty = FileInfo(id="f3", name="a\u202ecod.exe\x1b[2J" + "x" * 150, bytes=5, sha256="0" * 64)
    message = Message(
        id=1, seq=1, from_=BOB, to=ME, at="2026-01-01T10:01:00Z", text="", files=[FILE, PROGRAM, nasty], reply_to=None
    )
    state, numbers = fold(State(me=ME), message), Numbers()
    for width in (70, 70, 30):
        lines = conversation_lines(state, BOB, Look(width, ME, zone=UTC, numbers=numbers))
        shown = ["".join(text for _, text in line.fragments) for line in lines]
        assert all(width_of(line) <= width for line in shown)
        assert "[1] harbour.jpg  2.1 MB" in "\n".join(shown)
        assert "[2] setup.exe  1 byte" in "\n".join(shown)
        assert "<202E>cod.exe␛" in "".join(line.strip() for line in shown)
    assert "10:01 bob [1] harbour.jpg  2.1 MB  /download 1" in "".join(
        text for _, text in conversation_lines(state, BOB, Look(70, ME, zone=UTC, numbers=numbers))[1].fragments
    )
    assert numbers.find("2") == numbers.find("setup.exe") == PROGRAM
    with pytest.raises(Wrong):
        numbers.find("4")
    on_its_way = fold(State(me=ME), MessageSend(to=BOB, files=["f1"]), key="k").conversation(BOB).pending["k"]
    (line,) = pending_lines("k", on_its_way, Look(70, ME), 5)
    assert "(1 file)" in "".join(text for _, text in line.fragments)
    (line,) = pending_lines("k", Pending(text="hi", files=("a", "b")), Look(70, ME), 5)
    assert "hi (2 files)" in "".join(text for _, text in line.fragments)
