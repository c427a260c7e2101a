"""The JSON form: what is a packet, and how a line that is none is refused."""

from __future__ import annotations

import json

import pytest

from veche.packets import MAX_TEXT, ErrorCode, link, message
from veche.packets.codec import BadPacket, JsonCodec, UnknownPacket

CODEC = JsonCodec()


def refusal(line: bytes) -> BadPacket:
    with pytest.raises(BadPacket) as caught:
        CODEC.decode_client(line)
    return caught.value


def test_a_packet_is_one_object_on_one_line_ended_by_crlf() -> None:
    """Rows: M01 (partly), T58 (partly)."""
    line = CODEC.encode(message.MessageSend(to="bob", text="two\nlines\r\n", cookie="t7-1"))
    assert line == b'{"type":"MESSAGE","to":"bob","text":"two\\nlines\\r\\n","cookie":"t7-1"}\r\n'


def test_the_line_end_may_stay_when_a_line_is_decoded() -> None:
    for end in (b"", b"\r", b"\n", b"\r\n"):
        assert CODEC.decode_client(b'{"type":"PING"}' + end) == link.Ping()


def test_the_same_name_has_its_own_shape_in_each_direction() -> None:
    sent = CODEC.decode_client(b'{"type":"MESSAGE","to":"bob","text":"hi"}')
    assert sent == message.MessageSend(to="bob", text="hi")
    told = CODEC.decode_server(
        b'{"type":"MESSAGE","id":1,"seq":1,"from":"alice@a","to":"bob@a","at":"2026-11-21T12:00:00Z","text":"hi"}'
    )
    assert isinstance(told, message.Message)
    assert told.from_ == "alice@a"


def test_unknown_fields_are_skipped() -> None:
    assert CODEC.decode_client(b'{"type":"PING","tag":"1","shiny":{"new":[1,2]}}') == link.Ping(tag="1")


def test_fields_that_hold_their_default_are_not_written() -> None:
    assert CODEC.encode(link.Goodbye()) == b'{"type":"GOODBYE"}\r\n'


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"{",
        b"[1,2]",
        b"null",
        b'"MESSAGE"',
        b"{}",
        b'{"type":5}',
        b'{"type":"PING"}{"type":"PING"}',
        b'{"type":"PING","tag":"\xff"}',
        b'{"type":"PING","tag":"\\ud800"}',
        b"[" * 60_000,
        b'{"type":"PING","x":' + b"[" * 60_000,
    ],
)
def test_what_cannot_be_read_is_a_bad_packet(line: bytes) -> None:
    error = refusal(line)
    assert error.code is ErrorCode.BAD_PACKET
    assert error.request is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "hi"},
        {"to": "bob", "files": "photo"},
        {"to": "bob", "text": 5},
        {"to": "bob", "text": None},
        {"to": "", "text": "hi"},
        {"to": "b" * 256, "text": "hi"},
        {"to": "bob", "text": "x" * (MAX_TEXT + 1)},
        {"to": "bob", "text": "hi", "reply_to": -1},
        {"to": "bob", "text": "hi", "reply_to": 2**53},
        {"to": "bob", "text": "hi", "reply_to": 1.5},
        {"to": "bob", "text": "hi", "reply_to": "1"},
    ],
)
def test_wrong_fields_of_a_known_type_are_a_bad_request_that_names_it(fields: dict[str, object]) -> None:
    """The refusal carries what its answer needs.  Rows: M03 (partly)."""
    error = refusal(json.dumps({"type": "MESSAGE", **fields, "tag": "5", "cookie": "t7-1"}).encode())
    assert (error.code, error.request, error.tag, error.cookie) == (ErrorCode.BAD_REQUEST, "MESSAGE", "5", "t7-1")
    assert 0 < len(error.reason) <= 300


def test_a_tag_or_cookie_that_is_none_is_not_echoed() -> None:
    error = refusal(json.dumps({"type": "MESSAGE", "tag": "x" * 65, "cookie": [1]}).encode())
    assert (error.tag, error.cookie) == (None, None)


def test_a_text_is_counted_in_code_points() -> None:
    text = "🦉" * MAX_TEXT
    line = CODEC.encode(message.MessageSend(to="bob", text=text))
    assert CODEC.decode_client(line) == message.MessageSend(to="bob", text=text)


def test_a_type_of_the_other_direction_or_of_no_one_is_unknown() -> None:
    """Rows: M02 (partly)."""
    for name in (b"SEND-FILE", b"MESSAGE-SENT", b"message", b""):
        with pytest.raises(UnknownPacket) as caught:
            CODEC.decode_client(b'{"type":"' + name + b'","tag":"9"}')
        assert (caught.value.request, caught.value.tag) == (name.decode(), "9")


def test_a_client_refuses_what_a_server_may_not_send() -> None:
    with pytest.raises(UnknownPacket):
        CODEC.decode_server(b'{"type":"REGISTER","login":"alice","password":"secret"}')
    with pytest.raises(BadPacket):
        CODEC.decode_server(b'{"type":"MESSAGE-SENT","id":1}')


def test_the_name_of_an_unknown_type_is_cut_for_the_answer() -> None:
    with pytest.raises(UnknownPacket) as caught:
        CODEC.decode_client(b'{"type":"' + b"X" * 1000 + b'"}')
    assert caught.value.request == "X" * 64
