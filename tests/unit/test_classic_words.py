"""The words of document 002: what a typed line means, and what is said of a packet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.examples import SERVER_EXAMPLES
from veche.packets import ERROR_TEXT, MAX_TEXT, ErrorCode, Failed, Packet, ServerPacket, link, message, packet_types
from veche.packets.blocking import Block, BlockFailed, BlockOk, Unblock, UnblockFailed
from veche.packets.broadcast import Broadcast, BroadcastOk, BroadcastSend
from veche.packets.classic import Response
from veche.packets.codec import JsonCodec
from veche.packets.files import FileInfo
from veche.packets.message import Message, MessageSend, MessageSendFailed
from veche.packets.presence import Status, UpdateLastSeen, WhoElse, WhoElseOk, WhoElseSince
from veche.packets.private import PrivateStartFailed
from veche.server.classic.commands import parse
from veche.server.classic.rendering import rendered

AT = "2026-11-21T12:00:00.000Z"
ME = "luke@class"
PHOTO = FileInfo(id="f1", name="photo.jpg", bytes=5, sha256="0" * 64)


@pytest.mark.parametrize(
    ("line", "packet"),
    [
        ("message yoda Hey Dude", MessageSend(to="yoda", text="Hey Dude")),
        ("  message   yoda   Hey   Dude", MessageSend(to="yoda", text="Hey   Dude")),
        ("message yoda message hans hi", MessageSend(to="yoda", text="message hans hi")),
        ("broadcast vader is evil", BroadcastSend(text="vader is evil")),
        ("whoelse", WhoElse()),
        ("whoelse ", WhoElse()),
        ("whoelsesince 200", WhoElseSince(seconds=200)),
        ("block hans", Block(login="hans")),
        ("unblock hans", Unblock(login="hans")),
        ("logout", link.Goodbye()),
        ("quit", link.Goodbye()),
    ],
)
def test_a_command_is_the_packet_that_any_client_could_have_sent(line: str, packet: Packet) -> None:
    """Rows: T26 (partly), T30 (partly), T33 (partly), T36 (partly), T37 (partly)."""
    assert parse(line) == packet


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", ""),
        ("   ", ""),
        ("whatsthetime", "Error. Invalid command"),
        ("Message yoda hi", "Error. Invalid command"),
        ("startprivate yoda", "Error. Invalid command"),
        ("message yoda", "Error. Usage: message <user> <message>"),
        ("broadcast", "Error. Usage: broadcast <message>"),
        ("whoelse now", "Error. Usage: whoelse"),
        ("whoelsesince", "Error. Usage: whoelsesince <seconds>"),
        ("whoelsesince -5", "Error. Usage: whoelsesince <seconds>"),
        ("whoelsesince 99999999999999999999", "Error. Usage: whoelsesince <seconds>"),
        ("block", "Error. Usage: block <user>"),
        ("unblock yoda hans", "Error. Usage: unblock <user>"),
        ("logout now", "Error. Usage: logout"),
        ("broadcast " + "x" * (MAX_TEXT + 1), f"Error. A message has at most {MAX_TEXT} characters"),
    ],
)
def test_what_is_no_command_is_said_in_words(line: str, problem: str) -> None:
    """Rows: T38 (partly)."""
    assert parse(line) == problem


@given(st.one_of(st.text(), st.builds("{} {}".format, st.sampled_from(["message yoda", "whoelsesince"]), st.text())))
def test_any_line_is_a_good_packet_or_words(line: str) -> None:
    """Law: what is parsed could have come over the wire."""
    found = parse(line)
    if not isinstance(found, str):
        codec = JsonCodec()
        assert codec.decode_client(codec.encode(found)) == found


def text(text: str) -> Message:
    return Message(id=1, seq=1, from_="hans@class", to=ME, at=AT, text=text)


@pytest.mark.parametrize(
    ("packet", "lines"),
    [
        (text("Hey   Dude"), ["hans: Hey   Dude"]),
        (Message(id=1, seq=1, from_=ME, to="hans@class", at=AT, text="mine"), []),
        (Message(id=1, seq=1, from_="hans@class", to=ME, at=AT, text="", retracted=True), []),
        (
            Message(id=1, seq=1, from_="hans@class", to=ME, at=AT, text="Look", files=[PHOTO]),
            ["hans: Look [photo.jpg]"],
        ),
        (Message(id=1, seq=1, from_="hans@class", to=ME, at=AT, text="", files=[PHOTO]), ["hans: [photo.jpg]"]),
        (message.Edited(id=2, seq=2, from_="hans@class", to=ME, at=AT, target=1, text="x"), ["hans (edited): x"]),
        (message.MessageSent(id=1, seq=1, at=AT), []),
        (Broadcast(from_="hans@class", at=AT, text="vader is evil"), ["hans: vader is evil"]),
        (BroadcastOk(), []),
        (BroadcastOk(skipped=True), ["Your message could not be delivered to some recipients"]),
        (UpdateLastSeen(id="hans@class", at=AT, status=Status.ONLINE), ["hans logged in"]),
        (UpdateLastSeen(id="hans@class", at=AT, status=Status.OFFLINE), ["hans logged out"]),
        (WhoElseOk(users=["hans@class", "yoda@class"]), ["hans", "yoda"]),
        (WhoElseOk(users=[]), []),
        (BlockOk(login="hans@class"), ["hans is blocked"]),
        (
            MessageSendFailed(code=ErrorCode.BLOCKED),
            ["Your message could not be delivered as the recipient has blocked you"],
        ),
        (MessageSendFailed(code=ErrorCode.UNKNOWN_USER), ["Error. Invalid user"]),
        (BlockFailed(code=ErrorCode.SELF), ["Error. Cannot block self"]),
        (UnblockFailed(code=ErrorCode.UNKNOWN_ID, reason="yoda was not blocked."), ["Error. yoda was not blocked"]),
        (link.Error(code=ErrorCode.BAD_PACKET, reason="The line is not JSON."), ["Error. The line is not JSON"]),
    ],
)
def test_what_is_said_of_a_packet(packet: Packet, lines: list[str]) -> None:
    """Rows: T20 (partly), T22 (partly), T27 (partly), T28 (partly), T31 (partly), T35 (partly), T36 (partly)."""
    said = list(rendered(packet, ME))
    assert [one.message for one in said if isinstance(one, Response)] == lines
    assert len(said) == len(lines)


def test_a_person_is_named_and_the_server_is_told_apart() -> None:
    """Rows: T59 (partly)."""
    assert list(rendered(text("Hey"), ME)) == [Response(message="hans: Hey", from_="hans")]
    assert list(rendered(BroadcastOk(skipped=True), ME)) == [
        Response(message="Your message could not be delivered to some recipients", from_server=True)
    ]


@pytest.mark.parametrize(
    ("code", "exit", "words"),
    [
        (ErrorCode.LOGGED_OUT, 0, ""),
        (ErrorCode.LOCKED, 1, ""),
        (ErrorCode.INACTIVE, 0, ERROR_TEXT[ErrorCode.INACTIVE]),
        (ErrorCode.SHUTTING_DOWN, 1, ERROR_TEXT[ErrorCode.SHUTTING_DOWN]),
    ],
)
def test_a_goodbye_ends_the_terminal(code: ErrorCode, exit: int, words: str) -> None:
    """Rows: T10 (partly), T13 (partly), T16 (partly), T37 (partly)."""
    goodbye = link.Goodbye(code=code, reason=ERROR_TEXT[code])
    assert list(rendered(goodbye, ME)) == [Response(message=words, from_server=True, exit=exit)]


def test_private_sessions_are_the_terminals_own() -> None:
    packet = PrivateStartFailed(code=ErrorCode.OFFLINE)
    assert list(rendered(packet, ME)) == [packet]


@pytest.mark.parametrize("cls", [one for one in packet_types(ServerPacket) if issubclass(one, Failed)])
def test_every_refusal_is_said_in_one_line(cls: type[Failed]) -> None:
    """Whatever its code.  Rows: X25 (partly)."""
    for code in ErrorCode:
        said = list(rendered(cls(code=code, reason=ERROR_TEXT[code]), ME))
        assert len(said) == 1
        assert not isinstance(said[0], Response) or len(said[0].message) > len("Error. ")


@pytest.mark.parametrize("packet", SERVER_EXAMPLES, ids=lambda packet: type(packet).__name__)
def test_every_packet_of_the_server_has_its_words_or_none(packet: Packet) -> None:
    """Nothing of the protocol reaches a person: a line is a RESPONSE, or of what the terminal itself understands."""
    for one in rendered(packet, ME):
        assert isinstance(one, Response | type(packet))
        if isinstance(one, Response) and one is not packet:
            assert "@" not in one.message
