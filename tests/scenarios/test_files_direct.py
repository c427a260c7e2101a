"""Files straight from one person to another who has said yes, over HTTPS and by the line TRANSFER."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest

from tests.support.files import (
    accepted,
    answer,
    get,
    kept,
    offered,
    port_of,
    put,
    secured,
    sha256,
    upload,
    url_of,
)
from tests.support.server import ServerProcess, wait_for
from tests.support.wire import Wire, newcomer


def heard_nothing(*wires: Wire) -> bool:
    """None of them is told anything about direct transfers."""
    for wire in wires:
        wire.send("PING", tag="nothing")
        if any(packet["type"].startswith("SEND-FILE") for packet in wire.until("PONG")):
            return False
    return True


def test_a_file_goes_through_the_server_once_the_other_has_said_yes(own_server: ServerProcess) -> None:
    """While it comes it is fetched, and nothing of it stays.

    Rows: M49, M50, M51, M53, M56 (partly), M57 (partly), M58, X18 (partly).
    """
    server = own_server
    data = os.urandom(2_000_000)
    with newcomer(server.port, "vasya") as vasya, newcomer(server.port, "petya") as petya:
        asked = vasya.ask("SEND-FILE-PROXY", to=petya.login, filename="..\\virus.exe", size=len(data))
        id = asked["transfer-id"]
        request = {"transfer-id": id, "from": vasya.address, "filename": "virus.exe", "size": len(data)}
        assert petya.receive() == {"type": "SEND-FILE-PROXY-REQUEST", **request, "warning": "program"}
        assert heard_nothing(vasya, petya)
        assert kept(server) == set()
        ok = accepted(vasya, petya, id)
        assert (ok["connect"], ok["port"]) == ("localhost", server.port)
        assert ok["url"].endswith(ok["token"])
        assert heard_nothing(petya)
        assert put(vasya, ok["url"], data[:1_500_000]).json == {"offset": 1_500_000, "complete": False}
        ready = petya.expect("SEND-FILE-PROXY-READY")
        with secured(server.port) as raw:
            raw.sendall(f"GET {ready['url']} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            got = b""
            while len(got) < 1_500_000:
                got += raw.recv(100_000)
            done = put(vasya, ok["url"], data[1_500_000:], 1_500_000).json
            assert done == {"offset": len(data), "complete": True, "sha256": sha256(data)}
            while more := raw.recv(100_000):
                got += more
        head, _, body = got.partition(b"\r\n\r\n")
        assert body == data
        assert b"Content-Type: application/octet-stream" in head
        assert b'attachment; filename="virus.exe"' in head
        over = {"type": "SEND-FILE-PROXY-COMPLETED", "transfer-id": id, "sha256": sha256(data)}
        assert vasya.receive() == petya.receive() == over
        assert put(vasya, ok["url"], b"", len(data)).code == "404 unknown-id"
        for kind in ("ACCEPT", "REJECT", "CANCEL"):
            assert answer(petya, kind, id)["code"] == "unknown-request"
        assert vasya.ask("HISTORY-GET", peer=petya.login)["messages"] == []
    server.stop()
    assert kept(server.start()) == set()


def test_the_text_form_writes_it_as_the_document_does(server: ServerProcess, alice: Wire) -> None:
    """Rows: M49 (partly), M50, M51 (partly), M53 (partly)."""
    with newcomer(server.port, "petya") as petya, Wire(server.port) as typed:
        token = petya.ask("TOKEN-CREATE", name="typed")["token"]
        petya.close()
        typed.write(f"CONNECT mechanism=TOKEN token={token}\r\n".encode())
        while not (typed.line() or b"").startswith(b"REPLAY-END"):
            pass
        id = alice.ask("SEND-FILE-PROXY", to=petya.login, filename="virus.exe", size=128_000)["transfer-id"]
        assert (
            typed.line()
            == (
                f"SEND-FILE-PROXY-REQUEST transfer-id={id} from={alice.address} filename=virus.exe size=128000"
                " warning=program"
            ).encode()
        )
        typed.write(f"SEND-FILE-PROXY-ACCEPT transfer-id={id}\r\n".encode())
        assert typed.line() == f"SEND-FILE-PROXY-ACCEPT-OK transfer-id={id}".encode()
        assert alice.until("SEND-FILE-PROXY-OK")[-1]["transfer-id"] == id


def test_a_no_is_told(alice: Wire, bob: Wire) -> None:
    """Rows: M52, M54, X22 (partly)."""
    id = offered(alice, bob)
    assert answer(bob, "REJECT", id)["type"] == "SEND-FILE-PROXY-REJECT-OK"
    assert alice.receive() == {"type": "SEND-FILE-PROXY-REJECTED", "transfer-id": id}
    assert answer(bob, "ACCEPT", id)["code"] == "unknown-request"
    assert answer(alice, "CANCEL", id)["code"] == "unknown-request"


@pytest.mark.parametrize("state", ["pending", "accepted", "transferring"])
@pytest.mark.parametrize("by", ["sender", "receiver"])
def test_either_side_may_end_it_at_any_time(server: ServerProcess, alice: Wire, bob: Wire, state: str, by: str) -> None:
    """Rows: M57 (partly), X22 (partly)."""
    id = offered(alice, bob)
    url, down = "", ""
    if state != "pending":
        url = accepted(alice, bob, id)["url"]
    if state == "transferring":
        put(alice, url, b"x" * 500)
        down = bob.until("SEND-FILE-PROXY-READY")[-1]["url"]
    one, other = (alice, bob) if by == "sender" else (bob, alice)
    assert answer(one, "CANCEL", id)["type"] == "SEND-FILE-PROXY-CANCEL-OK"
    told = other.until("SEND-FILE-PROXY-CANCELLED")[-1]
    assert (told["transfer-id"], told["code"]) == (id, "withdrawn")
    assert heard_nothing(alice, bob)
    if url:
        wait_for(lambda: put(alice, url, b"", 500).code == "404 unknown-id")
    if down:
        wait_for(lambda: get(bob, down).code == "404 unknown-id")
    wait_for(lambda: not list((server.data / "passing").rglob("*.*")))


def test_nobody_else_can_answer_or_end_it(alice: Wire, bob: Wire, mallory: Wire) -> None:
    id = offered(alice, bob)
    for wire in (mallory, alice):
        for kind in ("ACCEPT", "REJECT"):
            assert answer(wire, kind, id)["code"] == "unknown-request"
    assert answer(mallory, "CANCEL", id)["code"] == "unknown-request"
    assert heard_nothing(alice, bob)


def test_whom_there_is_not_cannot_be_asked(alice: Wire) -> None:
    """Rows: M49 (partly)."""
    for to, code in (("nobody", "unknown-user"), (alice.login, "self"), ("bob@elsewhere.example", "unknown-user")):
        refused = alice.ask("SEND-FILE-PROXY", to=to, filename="x", size=1)
        assert (refused["type"], refused["code"]) == ("SEND-FILE-PROXY-FAILED", code)


def test_all_devices_are_asked_also_one_that_comes_later_and_the_first_answers_for_all(
    server: ServerProcess, alice: Wire, bob: Wire
) -> None:
    """Rows: X05 (partly)."""
    id = offered(alice, bob)
    with Wire(server.port).connect(bob.login, device="phone") as phone:
        assert [one["transfer-id"] for one in phone.replayed] == [id]
        url = accepted(alice, phone, id)["url"]
        assert bob.until("SEND-FILE-PROXY-CANCELLED")[-1]["code"] == "answered"
        assert answer(bob, "ACCEPT", id)["code"] == "unknown-request"
        put(alice, url, b"x" * 10)
        phone.expect("SEND-FILE-PROXY-READY")
        assert heard_nothing(bob)


def test_who_is_away_is_asked_when_they_come(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    bob.send("GOODBYE")
    assert bob.is_closed()
    id = alice.ask("SEND-FILE-PROXY", to=bob.login, filename="x", size=1)["transfer-id"]
    gone = alice.ask("SEND-FILE-PROXY", to=bob.login, filename="y", size=1)["transfer-id"]
    answer(alice, "CANCEL", gone)
    raw = Wire(server.port)
    assert raw.scram(bob.login, "a password", device="first")["type"] == "CONNECT-OK"
    assert [packet.get("transfer-id") for packet in raw.until("REPLAY-END")].count(id) == 1
    assert answer(raw, "ACCEPT", id)["type"] == "SEND-FILE-PROXY-ACCEPT-OK"


def test_who_blocks_is_never_asked_and_for_the_sender_nobody_answers(
    server: ServerProcess, alice: Wire, bob: Wire
) -> None:
    """Rows: X06 (partly), T33 (partly)."""
    bob.ask("BLOCK", login=alice.login)
    asked = alice.ask("SEND-FILE-PROXY", to=bob.login, filename="x", size=1)
    assert asked["type"] == "SEND-FILE-PROXY-ASKED"
    with Wire(server.port).connect(bob.login, device="phone") as phone:
        for wire in (bob, phone):
            assert heard_nothing(wire)
            for kind in ("ACCEPT", "REJECT", "CANCEL"):
                assert answer(wire, kind, asked["transfer-id"])["code"] == "unknown-request"
    bob.ask("UNBLOCK", login=alice.login)
    assert heard_nothing(bob, alice)
    assert answer(alice, "CANCEL", asked["transfer-id"])["type"] == "SEND-FILE-PROXY-CANCEL-OK"
    assert heard_nothing(bob)


def test_a_file_that_is_not_what_was_offered_does_not_reach_the_other(alice: Wire, bob: Wire) -> None:
    """The last batch is held back until the whole is known.  Rows: M55 (partly)."""
    id = offered(alice, bob, size=9, sha256=sha256(b"promised!"))
    url = accepted(alice, bob, id)["url"]
    assert put(alice, url, b"deli").json["offset"] == 4
    down = bob.until("SEND-FILE-PROXY-READY")[-1]
    assert down["sha256"] == sha256(b"promised!")
    with secured(port_of(bob)) as raw:
        raw.sendall(f"GET {down['url']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert put(alice, url, b"vered", 4).code == "422 wrong-hash"
        got = b""
        with suppress(ConnectionError):
            while data := raw.recv(1000):
                got += data
    assert b"vered" not in got
    for wire in (alice, bob):
        assert wire.until("SEND-FILE-PROXY-CANCELLED")[-1]["code"] == "wrong-hash"


def test_an_empty_file_passes_too(alice: Wire, bob: Wire) -> None:
    id = offered(alice, bob, size=0)
    url = accepted(alice, bob, id)["url"]
    assert put(alice, url, b"").json["complete"]
    down = bob.until("SEND-FILE-PROXY-READY")[-1]["url"]
    assert get(bob, down).body == b""
    assert alice.receive()["sha256"] == bob.receive()["sha256"] == sha256(b"")


def test_one_person_offers_so_many_files_at_once(alice: Wire, bob: Wire) -> None:
    ids = [offered(alice, bob) for _ in range(20)]
    assert alice.ask("SEND-FILE-PROXY", to=bob.login, filename="x", size=1)["code"] == "too-many"
    answer(alice, "CANCEL", ids[0])
    offered(alice, bob)


def test_an_account_that_is_deleted_ends_its_transfers(alice: Wire, bob: Wire) -> None:
    id = offered(alice, bob)
    alice.ask("ACCOUNT-DELETE", password="a password")
    assert bob.until("SEND-FILE-PROXY-CANCELLED")[-1]["transfer-id"] == id


# -- the line TRANSFER


def spoken(raw: socket.socket) -> bytes:
    """One line, and no byte more."""
    line = b""
    while not line.endswith(b"\n") and (byte := raw.recv(1)):
        line += byte
    return line


@contextmanager
def transfer(port: int, *words: object, tls: bool = True) -> Generator[socket.socket]:
    raw = secured(port, alpn=None) if tls else socket.create_connection(("127.0.0.1", port), 30)
    with raw:
        raw.sendall(" ".join(map(str, ("TRANSFER", *words))).encode() + b"\r\n")
        yield raw


@pytest.mark.parametrize("tls", [True, False])
def test_a_file_passes_by_a_line_and_raw_bytes(alice: Wire, bob: Wire, tls: bool) -> None:
    """Gone on with where it broke off, both ways.  Rows: M55."""
    port, data = port_of(alice), os.urandom(700_000)
    id = offered(alice, bob, size=len(data))
    token = accepted(alice, bob, id)["token"]
    with transfer(port, id, token, "send", 0, tls=tls) as raw:
        assert spoken(raw) == b"TRANSFER-OK offset=0\r\n"
        raw.sendall(data[:300_000])
    ready = bob.until("SEND-FILE-PROXY-READY")[-1]["token"]
    with transfer(port, id, ready, "receive", 0, tls=tls) as raw:
        assert spoken(raw) == b"TRANSFER-OK offset=0 size=700000\r\n"
        got = b""
        while len(got) < 100_000:
            got += raw.recv(100_000 - len(got))
    with transfer(port, id, token, "send", 1, tls=tls) as raw:
        refused = spoken(raw)
        assert refused.startswith(b"TRANSFER-FAILED code=bad-request ")
        assert refused.endswith(b" offset=300000\r\n")
    with transfer(port, id, token, "send", 300_000, tls=tls) as raw:
        assert spoken(raw) == b"TRANSFER-OK offset=300000\r\n"
        raw.sendall(data[300_000:])
        assert spoken(raw) == f"TRANSFER-OK offset=700000 sha256={sha256(data)}\r\n".encode()
        assert raw.recv(1) == b""
    with transfer(port, id, ready, "receive", 100_000, tls=tls) as raw:
        assert spoken(raw) == b"TRANSFER-OK offset=100000 size=700000\r\n"
        while more := raw.recv(100_000):
            got += more
    assert got == data
    assert alice.until("SEND-FILE-PROXY-COMPLETED")[-1]["sha256"] == sha256(data)


def test_a_wrong_line_is_answered_and_closed(alice: Wire) -> None:
    """Rows: M55 (partly)."""
    port, info = port_of(alice), upload(alice, b"content")
    token = url_of(alice, info["id"]).rpartition("/")[2]
    for words, code in (
        ((info["id"], token, "receive"), "bad-request"),
        ((info["id"], token, "backwards", 0), "bad-request"),
        ((info["id"], token, "receive", "x"), "bad-request"),
        ((info["id"], token, "receive", 8), "bad-request"),
        ((info["id"], token, "send", 0), "unknown-id"),
        (("another", token, "receive", 0), "unknown-id"),
        ((info["id"], "guessed", "receive", 0), "unknown-id"),
        (("x" * 1000,), "bad-request"),
    ):
        with transfer(port, *words) as raw:
            assert spoken(raw).startswith(f"TRANSFER-FAILED code={code} ".encode())
            assert raw.recv(1) == b""
    with suppress(OSError), transfer(port, "x" * 1_000_000) as raw:
        assert raw.recv(1) == b""
    with transfer(port, info["id"], token, "receive", 3) as raw:  # it works for files of messages, too
        assert spoken(raw) == b"TRANSFER-OK offset=3 size=7\r\n"
        assert raw.recv(100) == b"tent"
