"""The text form: `TYPE key=value key="quoted value"`."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from veche.packets import ErrorCode, account, link, message, profile
from veche.packets.codec import BadPacket, UnknownPacket
from veche.packets.text import TextCodec

CODEC = TextCodec()


def said(text: str) -> object:
    return CODEC.decode_client(f"MESSAGE to=bob {text}".encode())


def refusal(line: bytes) -> BadPacket:
    with pytest.raises(BadPacket) as caught:
        CODEC.decode_client(line)
    return caught.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("text=hi", "hi"),
        ("text=привет", "привет"),
        ('text="hello world"', "hello world"),
        ("text='hello world'", "hello world"),
        (r'text="she said \"hi\""', 'she said "hi"'),
        ("text='she said \"hi\"'", 'she said "hi"'),
        (r"text='it\'s'", "it's"),
        (r"text=it\'s", "it's"),
        (r"text=hello\ world", "hello world"),
        (r'text="a\nb\rc\td\\e"', "a\nb\rc\td\\e"),
        (r"text=\u0416\u00e9", "Жé"),
        (r'text="\ud83d\ude00"', "😀"),
        (r"text=\ud83d'\ude00'", "😀"),
        ("text=one\"two three\"'four'", "onetwo threefour"),
        ("text=a=b", "a=b"),
        ("text=a,b", "a,b"),
        ("text=,", ""),
        ("text=123", "123"),
        ("text=null", "null"),
        ("text=true", "true"),
        ('text="[1]"', "[1]"),
        ("text=first text=second", "second"),
        ("  text=hi  ", "hi"),
        ("\ttext=hi\t", "hi"),
    ],
)
def test_a_value_is_read_as_a_shell_would(written: str, meant: str | None) -> None:
    """Rows: M01 (partly)."""
    if meant is None:
        with pytest.raises(BadPacket):
            said(written)
    else:
        assert said(written) == message.MessageSend(to="bob", text=meant)


def test_the_documents_example_with_its_comma_is_read() -> None:
    """Rows: M46."""
    line = b"PROFILE-UPDATE name=Megauser, note=Vacationing"
    assert CODEC.decode_client(line) == profile.ProfileUpdate(name="Megauser", note="Vacationing")


@pytest.mark.parametrize("comma", [",", ", ", " , ", " ,", ",\t", ""])
def test_commas_between_pairs_are_tolerated(comma: str) -> None:
    """Rows: M46 (partly)."""
    line = f'REGISTER login="alice"{comma} password=secret{comma}'
    assert CODEC.decode_client(line.encode()) == account.Register(login="alice", password="secret")


def test_not_implemented_names_the_type_as_the_document_writes_it() -> None:
    """Rows: M02 (partly)."""
    packet = link.ErrorNotImplemented(request_type="SEND-FILE")
    assert CODEC.encode(packet) == b"ERROR-NOT-IMPLEMENTED type=SEND-FILE\r\n"
    assert CODEC.decode_server(b"ERROR-NOT-IMPLEMENTED type=SEND-FILE") == packet


def test_numbers_and_booleans_are_bare_words() -> None:
    packet = message.React(id=41, emoji="👍", remove=True)
    assert CODEC.encode(packet) == 'REACT id=41 emoji="👍" remove=true\r\n'.encode()
    assert CODEC.decode_client("REACT id=41 emoji=👍 remove=true".encode()) == packet
    assert CODEC.decode_client("REACT id='41' emoji=👍 remove=\"true\"".encode()) == packet
    wait = link.Goodbye(code=ErrorCode.SHUTTING_DOWN, retry_after_s=2.5)
    assert CODEC.encode(wait) == b"GOODBYE code=shutting-down retry_after_s=2.5\r\n"
    assert CODEC.decode_server(CODEC.encode(wait)) == wait


def test_lists_and_objects_are_json_in_quotes() -> None:
    packet = account.TokenListOk(tokens=[account.TokenEntry(id=1, name="it's a \\ bot", created_at="now")])
    line = CODEC.encode(packet)
    assert line.startswith(b'TOKEN-LIST-OK tokens="[{\\"id\\":1,')
    assert CODEC.decode_server(line) == packet
    assert CODEC.decode_client(b"HELLO versions=[1,2]") == link.ClientHello(versions=[1, 2])


def test_a_text_never_breaks_the_line() -> None:
    text = "".join(map(chr, range(0xA0))) + "\u2028\u2029\ufeff"
    line = CODEC.encode(message.MessageSend(to="bob", text=text))
    assert len(line.decode().splitlines()) == 1
    assert CODEC.decode_client(line) == message.MessageSend(to="bob", text=text)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"   ",
        b"message to=bob text=hi",
        b"how are you",
        b"HELLO, client=x",
        b"MESSAGE to=bob text=hello world",
        b"MESSAGE to=bob text",
        b"MESSAGE to=bob =hi",
        b'MESSAGE to=bob text="hi',
        b"MESSAGE to=bob text='hi",
        b"MESSAGE to=bob text=hi\\",
        b'MESSAGE to=bob "text"=hi',
        b"MESSAGE to=bob text=\\q",
        b"MESSAGE to=bob text=\\u12",
        b"MESSAGE to=bob text=\\ud800",
        b"MESSAGE to=bob text=\\ude00\\ud83d",
        b"MESSAGE to=bob text=\xff",
        b'{"type":"PING"}',
    ],
)
def test_what_cannot_be_read_is_a_bad_packet_with_a_sentence(line: bytes) -> None:
    error = refusal(line)
    assert error.code is ErrorCode.BAD_PACKET
    assert error.reason.endswith(".")
    assert error.request is None


@pytest.mark.parametrize(
    "line",
    [
        b"MESSAGE text=hi tag=5 cookie=t7-1",
        b"MESSAGE to=bob files=photo tag=5 cookie=t7-1",
        b"MESSAGE to=bob text=hi reply_to=x tag=5 cookie=t7-1",
        b"MESSAGE to=bob text=hi reply_to=-1 tag=5 cookie=t7-1",
        b"MESSAGE to=bob text=hi reply_to=true tag=5 cookie=t7-1",
        b"MESSAGE to=bob text=hi reply_to= tag=5 cookie=t7-1",
        b"MESSAGE to=bob text=hi reply_to=" + b"9" * 10_000 + b" tag=5 cookie=t7-1",
        b"MESSAGE to=bob text=hi reply_to=" + b"[" * 60_000 + b" tag=5 cookie=t7-1",
    ],
)
def test_wrong_fields_of_a_known_type_are_a_bad_request_that_names_it(line: bytes) -> None:
    """Rows: M03 (partly)."""
    error = refusal(line)
    assert (error.code, error.request, error.tag, error.cookie) == (ErrorCode.BAD_REQUEST, "MESSAGE", "5", "t7-1")


def test_unknown_keys_are_skipped() -> None:
    assert CODEC.decode_client(b"PING shiny=new type=PONG request_type=x tag=1") == link.Ping(tag="1")


@pytest.mark.parametrize(
    "piece", [b'"', b"'", b"\\", b'\\"', b"a,", b", ", b'"a" ', b"a=", b' a="', b"\\u0041", b"\t,"]
)
def test_no_line_takes_longer_than_its_length(piece: bytes) -> None:
    line = b"MESSAGE text=" + piece * (60_000 // len(piece))
    started = time.perf_counter()
    with suppress(BadPacket, UnknownPacket):
        CODEC.decode_client(line)
    assert time.perf_counter() - started < 1.0
