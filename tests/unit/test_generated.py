"""The generated files hold what the Structs say, and what they show is true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tools import generated, protocol, typescript
from tools.structs import error_docs, struct_docs
from veche.core.scram import ClientScram, ServerScram, make_verifier
from veche.packets import (
    ERROR_TEXT,
    FAILED_BY_REQUEST,
    ClientPacket,
    ErrorCode,
    Packet,
    ServerPacket,
    account,
    packet_types,
    type_name,
)
from veche.packets.codec import JsonCodec
from veche.packets.text import TextCodec

JSON, TEXT = JsonCodec(), TextCodec()
EXAMPLES = [json.loads(line) for line in protocol.examples().splitlines()]
PAGE = protocol.page()


def test_the_generated_files_are_fresh() -> None:
    """Else: python3 dev.py protocol."""
    assert generated.stale(protocol.protocol_files()) == []


def decoders(sender: str) -> tuple[Callable[[bytes], Packet], Callable[[bytes], Packet]]:
    if sender == "client":
        return JSON.decode_client, TEXT.decode_client
    return JSON.decode_server, TEXT.decode_server


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example['from']}-{example['json']['type']}")
def test_an_example_is_one_packet_in_two_forms(example: dict[str, Any]) -> None:
    from_json, from_text = decoders(example["from"])
    packet = from_json(json.dumps(example["json"]).encode())
    assert from_text(example["text"].encode()) == packet
    assert TEXT.encode(packet).decode() == example["text"] + "\r\n"
    assert json.loads(JSON.encode(packet)) == example["json"]


def test_every_packet_has_an_example() -> None:
    shown = {(example["from"], example["json"]["type"]) for example in EXAMPLES}
    assert shown == {("client", type_name(cls)) for cls in packet_types(ClientPacket)} | {
        ("server", type_name(cls)) for cls in packet_types(ServerPacket)
    }


def test_every_packet_stands_in_the_page_the_schema_and_the_typescript() -> None:
    parts = json.loads(protocol.schema())["$defs"]
    code = typescript.typescript()
    for cls in (*packet_types(ClientPacket), *packet_types(ServerPacket)):
        assert f"#### `{type_name(cls)}` " in PAGE
        assert parts[cls.__name__]["properties"]["type"]["enum"] == [type_name(cls)]
        assert f'export interface {cls.__name__} {{\n  type: "{type_name(cls)}";' in code


def test_every_packet_and_every_code_says_what_it_is_for() -> None:
    assert [doc.cls.__name__ for doc in struct_docs() if not doc.doc] == []
    assert [code for code, doc in error_docs() if not doc.endswith(".")] == []


def test_every_code_has_its_english_text() -> None:
    """One catalogue.  Rows: X25 (partly)."""
    assert list(ERROR_TEXT) == list(ErrorCode)
    assert all(text.endswith(".") for text in ERROR_TEXT.values())
    assert all(f"| `{code}` | {text} |" in PAGE for code, text in ERROR_TEXT.items())


def test_a_refusal_is_named_after_its_request() -> None:
    """Rows: M03 (partly)."""
    requests = {type_name(cls) for cls in packet_types(ClientPacket)}
    odd = {
        "CONNECT-CONTINUE": "CONNECT-FAILED",
        "MESSAGE": "MESSAGE-SEND-FAILED",
        "CONTACTS-UPDATE": "CONTACTS-CHANGE-FAILED",  # another name of CONTACTS-CHANGE
    }
    for request, failed in FAILED_BY_REQUEST.items():
        assert request in requests
        assert failed in packet_types(ServerPacket)
        assert type_name(failed) == odd.get(request, f"{request}-FAILED")


def test_the_page_names_only_codes_that_exist() -> None:
    named = re.findall(r"\bcode=([a-z-]+)", PAGE)
    assert named
    assert set(named) <= {str(code) for code in ErrorCode}


def shown_lines() -> list[tuple[str, str]]:
    """The lines of conversations in the page: `<<` or `>>`, and what is said; shortened ones left out."""
    lines = re.findall(r"^(<<|>>) ([A-Z].*)$", PAGE, re.MULTILINE)
    return [(who, line) for who, line in lines if "..." not in line and "<" not in line and "[" not in line]


@pytest.mark.parametrize(("who", "line"), shown_lines())
def test_a_line_that_the_page_shows_is_a_packet(who: str, line: str) -> None:
    decode = TEXT.decode_client if who == "<<" else TEXT.decode_server
    assert type_name(decode(line.encode())) == line.split()[0]


def test_the_login_that_the_page_shows_is_that_of_the_rfc() -> None:
    """RFC 7677 §3: user `user`, password `pencil`, in our packets.  Rows: M07 (partly)."""
    client = ClientScram("user", "pencil", "rOprNGfwEbeRWgbNEkqO")
    connect = account.Connect(login="user", message=client.first())
    ack = account.ConnectAck(
        salt="W22ZaJ0SNY7soEsUEjb6gQ==", iterations=4096, nonce="rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    answer = account.ConnectContinue(hash=client.answer(ack.salt, ack.iterations, ack.nonce))
    for packet in (connect, ack, answer):
        assert f" {TEXT.encode(packet).decode().rstrip()}\n" in PAGE
    signature = re.search(r"CONNECT-OK login=user@example\.org .*signature=(\S+)", PAGE)
    assert signature is not None
    client.check(signature[1])


def test_the_formulas_of_the_page_are_those_of_our_server() -> None:
    """A client written from the page alone logs in.  Rows: M07 (partly)."""
    import base64
    import hashlib
    import hmac

    def mac(key: bytes, text: str) -> bytes:
        return hmac.digest(key, text.encode(), "sha256")

    salt = bytes(range(16))
    verifier = make_verifier("pencil", salt, 4096)
    bare, header = "n=alice,r=abc", "n,,"
    server = ServerScram("SCRAM-SHA-256", header + bare, "alice", verifier, "xyz", binding=None, offered_plus=False)

    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", base64.b64decode(server.salt_b64), server.iterations, 32)
    client_key = mac(salted, "Client Key")
    stored_key = hashlib.sha256(client_key).digest()
    channel = base64.b64encode(header.encode()).decode()
    auth_message = ",".join(
        [bare, f"r={server.nonce},s={server.salt_b64},i={server.iterations}", f"c={channel},r={server.nonce}"]
    )
    proof = bytes(a ^ b for a, b in zip(client_key, mac(stored_key, auth_message), strict=True))
    signature = mac(mac(salted, "Server Key"), auth_message)

    assert channel == "biws"
    assert server.finish(base64.b64encode(proof).decode()) == base64.b64encode(signature).decode()
