"""Files of messages on a real server: sending, fetching, what is refused, and what goes away."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from tests.support.files import (
    Reply,
    accepted,
    begin,
    fetched,
    get,
    http_request,
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
from tests.support.wire import ANY, Wire, newcomer
from veche.server import filing

Serve = Callable[..., ServerProcess]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers with the settings that a test needs."""
    started: list[ServerProcess] = []

    def start(*flags: str) -> ServerProcess:
        started.append(ServerProcess(tmp_path / "data", "--registration", "open", *flags).start())
        return started[-1]

    yield start
    for one in started:
        if one.process is not None and one.process.poll() is None:
            one.stop()
        assert "Traceback" not in one.logged(), one.logged()


def picture(width: int = 900, height: int = 600, format: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(file, format)
    return file.getvalue()


# -- files of messages


def test_a_picture_reaches_the_other_and_my_other_devices_and_stays_in_the_history(
    server: ServerProcess, alice: Wire, bob: Wire
) -> None:
    """Rows: M48, X18 (partly)."""
    data = picture()
    info = upload(alice, data, "../../harbour.jpg", sha256=sha256(data))
    assert info == {
        "id": info["id"],
        "name": "harbour.jpg",
        "type": "image/jpeg",
        "bytes": len(data),
        "sha256": sha256(data),
        "width": 900,
        "height": 600,
        "preview": True,
    }
    with Wire(server.port).connect(alice.login, device="phone") as phone:
        sent = alice.ask("MESSAGE", to=bob.login, text="the harbour at noon", files=[info["id"]])
        assert sent["files"] == [info]
        event = bob.expect("MESSAGE", text="the harbour at noon", files=[info], id=sent["id"])
        assert phone.expect("MESSAGE", files=[info]) == event
    for wire in (alice, bob):
        peer = (bob if wire is alice else alice).login
        assert wire.ask("HISTORY-GET", peer=peer)["messages"][0]["files"] == [info]
        assert wire.ask("SEARCH", peer=peer, query="noon")["messages"][0]["files"] == [info]
        assert wire.ask("ACCOUNT-EXPORT")["messages"][0]["files"] == [info]
        assert fetched(wire, info["id"]) == data
        small = Image.open(io.BytesIO(fetched(wire, info["id"], preview=True)))
        assert (small.format, small.size) == ("WEBP", (512, 341))
    with Wire(server.port).connect(bob.login, device="new", cursor=0) as fresh:
        assert fresh.snapshot["conversations"][0]["unread"] == 1
    other = upload(alice, b"plain", "notes.txt")
    alice.ask("MESSAGE", to=bob.login, files=[info["id"], other["id"]])
    bob.expect("MESSAGE", text="", files=[info, other])
    bob.kill()
    with Wire(server.port).connect(bob.login, device="first") as again:
        assert [one["files"] for one in again.replayed] == [[info], [info, other]]


def test_a_message_has_a_text_or_files(alice: Wire, bob: Wire) -> None:
    nothing: list[dict[str, Any]] = [{}, {"text": ""}, {"files": []}, {"text": "", "files": []}]
    for fields in nothing:
        assert alice.ask("MESSAGE", to=bob.login, **fields)["code"] == "bad-request"
    assert alice.ask("MESSAGE", to=bob.login, files=[f"{n}" for n in range(11)])["code"] == "bad-request"
    bob.expect_nothing()


def test_only_finished_uploads_of_mine_go_into_my_messages(alice: Wire, bob: Wire, mallory: Wire) -> None:
    mine, part = upload(alice, b"mine"), begin(alice, b"never finished")
    for who, ids in ((alice, [part["id"]]), (alice, [mine["id"], "nothing"]), (mallory, [mine["id"]])):
        refused = who.ask("MESSAGE", to=bob.login, text="look", files=ids)
        assert (refused["type"], refused["code"]) == ("MESSAGE-SEND-FAILED", "unknown-id")
    bob.expect_nothing()
    first = alice.ask("MESSAGE", to=bob.login, files=[mine["id"]], cookie="c")
    again = alice.ask("MESSAGE", to=bob.login, files=[mine["id"]], cookie="c")
    assert {**again, "tag": first["tag"]} == first
    assert bob.expect("MESSAGE")["seq"] == first["seq"] == 1
    bob.expect_nothing()


def test_a_file_may_be_fetched_by_those_who_see_its_message_only(alice: Wire, bob: Wire, mallory: Wire) -> None:
    """Rows: M48 (partly)."""
    info = upload(alice, b"between two")
    assert url_of(bob, info["id"]) == ""
    alice.ask("MESSAGE", to=bob.login, files=[info["id"]])
    assert fetched(bob, info["id"]) == fetched(alice, info["id"]) == b"between two"
    assert url_of(mallory, info["id"]) == ""
    assert url_of(mallory, "nothing") == ""
    assert url_of(alice, info["id"], preview=True) == ""
    assert begin(mallory, b"between two", id=info["id"])["code"] == "unknown-id"


def test_somebody_who_blocks_gets_no_file_and_the_sender_sees_no_difference(
    server: ServerProcess, alice: Wire, bob: Wire
) -> None:
    """Rows: X06 (partly), T33 (partly)."""
    bob.ask("BLOCK", login=alice.login)
    info = upload(alice, b"unwanted")
    sent = alice.ask("MESSAGE", to=bob.login, files=[info["id"]])
    assert (sent["type"], sent["files"]) == ("MESSAGE-SENT", [info])
    assert fetched(alice, info["id"]) == b"unwanted"
    bob.expect_nothing()
    assert url_of(bob, info["id"]) == ""
    assert bob.ask("HISTORY-GET", peer=alice.login)["messages"] == []


def test_a_file_goes_with_its_last_message_and_with_its_account(serve: Serve) -> None:
    """Rows: M22 (partly), M25 (partly), M48 (partly)."""
    server = serve()
    with newcomer(server.port, "alice") as alice, newcomer(server.port, "bob") as bob:
        twice, same, photo = upload(alice, b"twice"), upload(bob, b"twice"), upload(alice, picture(60, 60))
        ids = [alice.ask("MESSAGE", to=bob.login, files=[one["id"]])["id"] for one in (twice, twice, photo)]
        bob.ask("MESSAGE", to=alice.login, files=[same["id"]])
        both = {twice["sha256"], photo["sha256"], f"{photo['sha256']}.preview"}
        assert kept(server) == both
        alice.ask("RETRACT", id=ids[0])
        assert bob.until("RETRACTED")[-1]["target"] == ids[0]
        assert fetched(bob, twice["id"]) == b"twice"
        alice.ask("RETRACT", id=ids[1])
        assert url_of(bob, twice["id"]) == url_of(alice, twice["id"]) == ""
        assert fetched(bob, same["id"]) == b"twice"  # the same content, his own file
        assert [one.get("files") for one in bob.ask("HISTORY-GET", peer=alice.login)["messages"]] == [
            *(None, None, [photo], [same]),
        ]
        url = url_of(bob, photo["id"])
        alice.ask("RETRACT", id=ids[2])
        wait_for(lambda: kept(server) == {twice["sha256"]})
        assert get(bob, url).code == "404 unknown-id"
        part = begin(bob, b"unfinished")
        put(bob, part["url"], b"unfin")
        bob.ask("ACCOUNT-DELETE", password="a password")
        wait_for(lambda: kept(server) == set())
        assert put(bob, part["url"], b"ished", 5).code == "404 unknown-id"


# -- uploads that break, end wrongly, or are too much


def begun_by_hand(wire: Wire, url: str, data: bytes, *, length: int) -> socket.socket:
    """A PUT of which only this much is sent."""
    raw = secured(port_of(wire))
    raw.sendall(
        f"PUT {url} HTTP/1.1\r\nHost: x\r\nUpload-Offset: 0\r\nContent-Length: {length}\r\n\r\n".encode() + data
    )
    return raw


def arrived(wire: Wire, url: str) -> int:
    return int(http_request(port_of(wire), "HEAD", url).headers["Upload-Offset"])


def test_a_broken_upload_is_gone_on_with_where_it_broke_off(alice: Wire) -> None:
    """Rows: X18 (partly), M55 (partly)."""
    data = os.urandom(3_000_000)
    answer = begin(alice, data, sha256=sha256(data))
    begun_by_hand(alice, answer["url"], data[:1_000_000], length=len(data)).close()
    wait_for(lambda: arrived(alice, answer["url"]) == 1_000_000)
    again = begin(alice, data, id=answer["id"])
    assert (again["id"], again["offset"]) == (answer["id"], 1_000_000)
    assert put(alice, answer["url"], data[1_000_000:], 1_000_000).code == "404 unknown-id"  # the older address is void
    part = put(alice, again["url"], data[1_000_000:2_000_000], 1_000_000)
    assert (part.status, part.json) == (200, {"offset": 2_000_000, "complete": False})
    known = begin(alice, data, sha256=sha256(data))  # another program of mine, which knows no id
    assert (known["id"], known["offset"]) == (answer["id"], 2_000_000)
    assert put(alice, known["url"], data[2_000_000:], 2_000_000).json["file"]["sha256"] == sha256(data)
    assert fetched(alice, answer["id"]) == data
    late = begin(alice, data, id=answer["id"])  # the answer was lost
    assert (late["offset"], late["file"]["sha256"]) == (len(data), sha256(data))
    assert "url" not in late
    assert begin(alice, b"another", id=answer["id"])["code"] == "bad-request"


def test_a_newer_connection_takes_over_from_one_that_is_stuck(server: ServerProcess, alice: Wire) -> None:
    data = os.urandom(3_000_000)
    answer = begin(alice, data)
    part = server.data / "files" / "parts" / answer["id"]
    with begun_by_hand(alice, answer["url"], data[:2_000_000], length=len(data)) as stuck:
        wait_for(lambda: part.exists() and part.stat().st_size > 1_000_000)
        again = begin(alice, data, id=answer["id"])
        assert again["offset"] > 1_000_000
        with suppress(ConnectionError):
            assert stuck.recv(100) == b""  # cut off
    with begun_by_hand(alice, again["url"], b"", length=len(data)) as wrong:
        assert b" 409 " in wrong.recv(100)
    assert put(alice, again["url"], data[again["offset"] :], again["offset"]).json["complete"]
    assert fetched(alice, answer["id"]) == data


def test_kill_9_in_the_middle_costs_nothing_that_had_arrived(own_server: ServerProcess) -> None:
    """Rows: X18 (partly)."""
    data = os.urandom(5_000_000)
    with newcomer(own_server.port, "alice") as alice:
        whole = upload(alice, b"whole")
        answer = begin(alice, data, sha256=sha256(data))
        stuck = begun_by_hand(alice, answer["url"], data[:4_000_000], length=len(data))
        parts = own_server.data / "files" / "parts"
        wait_for(lambda: sum(part.stat().st_size for part in parts.glob("*")) >= 3_000_000)
        own_server.kill()
        stuck.close()
    own_server.start()
    with Wire(own_server.port).connect(alice.login, device="first") as alice:
        assert fetched(alice, whole["id"]) == b"whole"
        again = begin(alice, data, id=answer["id"])
        assert again["offset"] >= 3_000_000
        assert put(alice, again["url"], data[again["offset"] :], again["offset"]).json["complete"]
        assert fetched(alice, answer["id"]) == data


def test_of_what_is_not_as_it_was_announced_nothing_is_kept(serve: Serve) -> None:
    """Rows: M55 (partly), M58 (partly)."""
    server = serve()
    with newcomer(server.port, "alice") as alice:
        answer = begin(alice, b"expected", sha256=sha256(b"expected"))
        assert put(alice, answer["url"], b"happened").code == "422 wrong-hash"
        assert put(alice, answer["url"], b"expected").code == "404 unknown-id"
        assert begin(alice, b"expected", id=answer["id"])["code"] == "unknown-id"
        assert kept(server) == set()
        answer = begin(alice, b"12345")
        assert put(alice, answer["url"], b"123456").code == "413 too-large"
        chunked = http_request(server.port, "PUT", answer["url"], iter([b"123", b"456"]), Upload_Offset="0")
        assert chunked.code == "413 too-large"
        answer = begin(alice, b"12345")
        assert put(alice, answer["url"], b"5", 4).code == "409 bad-request"
        assert put(alice, answer["url"], b"5", 4).headers["Upload-Offset"] == "0"
        assert put(alice, answer["url"], b"").json == {"offset": 0, "complete": False}
        assert http_request(server.port, "DELETE", answer["url"]).status == 204
        assert put(alice, answer["url"], b"12345").code == "404 unknown-id"
        assert len(kept(server)) == 1  # what had arrived before it was too much
        empty = upload(alice, b"", "nothing")
        assert (empty["bytes"], fetched(alice, empty["id"])) == (0, b"")
        assert begin(alice, b"x", sha256="X" * 64)["code"] == "bad-request"


def test_files_have_bounds_one_by_one_by_account_and_together(serve: Serve) -> None:
    """Rows: M48 (partly), M58 (partly)."""
    server = serve("--file-bytes", "1000", "--account-bytes", "2500", "--files-bytes", "4000")
    with newcomer(server.port, "alice") as alice, newcomer(server.port, "bob") as bob:
        assert begin(alice, bytes(1001))["code"] == "too-large"
        assert alice.ask("SEND-FILE-PROXY", to=bob.login, filename="x", size=1001)["code"] == "too-large"
        files = [upload(alice, bytes([n]) * 1000) for n in range(2)]
        refused = begin(alice, bytes(600))
        assert (refused["code"], "2.441 KiB" in refused["reason"]) == ("too-many", True)
        message = alice.ask("MESSAGE", to=bob.login, files=[files[0]["id"]])
        upload(bob, b"b" * 1000)
        upload(bob, b"c" * 900)
        assert begin(bob, bytes(200))["code"] == "storage-full"
        alice.ask("RETRACT", id=message["id"])
        wait_for(lambda: files[0]["sha256"] not in kept(server))
        assert begin(bob, bytes(200))["type"] == "FILE-UPLOAD-OK"
        for _ in range(19):
            assert begin(bob, b"")["type"] == "FILE-UPLOAD-OK"
        assert begin(bob, b"")["code"] == "too-many"


def test_a_disk_without_room_takes_no_file_and_one_that_fills_up_keeps_nothing_of_it(serve: Serve) -> None:
    """Rows: M48 (partly)."""
    server = serve()
    with newcomer(server.port, "alice") as alice, newcomer(server.port, "bob") as bob:
        before = upload(alice, b"before")
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        _, most = process.rlimit(psutil.RLIMIT_FSIZE)
        database = max(found.stat().st_size for found in server.data.glob("veche.db*"))
        process.rlimit(psutil.RLIMIT_FSIZE, (database + 1_000_000, most))
        data = os.urandom(3_000_000)
        answer = begin(alice, data)
        reply = put(alice, answer["url"], data)
        assert reply.code == "507 storage-full"
        assert kept(server) == {before["sha256"]}
        assert begin(alice, data, id=answer["id"])["code"] == "unknown-id"
        transfer = offered(alice, bob, size=len(data))
        ready_to_send = accepted(alice, bob, transfer)
        assert put(alice, ready_to_send["url"], data).code == "507 storage-full"
        assert alice.until("SEND-FILE-PROXY-CANCELLED")[-1]["code"] == "storage-full"
        assert bob.until("SEND-FILE-PROXY-CANCELLED")[-1]["code"] == "storage-full"
        process.rlimit(psutil.RLIMIT_FSIZE, (most, most))
        assert fetched(alice, upload(alice, data)["id"]) == data
        wait_for(lambda: kept(server) == {before["sha256"], sha256(data)})


def test_a_disk_is_never_filled_up(serve: Serve) -> None:
    server = serve("--free-bytes", str(2**60))
    with newcomer(server.port, "alice") as alice, newcomer(server.port, "bob") as bob:
        assert begin(alice, b"x")["code"] == "storage-full"
        assert alice.ask("SEND-FILE-PROXY", to=bob.login, filename="x", size=1)["code"] == "storage-full"
        bob.expect_nothing()


def test_a_large_file_takes_no_memory_and_stops_nobody(serve: Serve) -> None:
    """Rows: M48 (partly)."""
    server = serve()
    size = 200 * 1024 * 1024
    with newcomer(server.port, "alice") as alice, newcomer(server.port, "bob") as bob, ExitStack() as stack:
        upload(alice, bytes(2_000_000))
        before = server.rss_kib()
        most = 0
        chunk = os.urandom(1024 * 1024)
        answer = alice.ask("FILE-UPLOAD", name="large", bytes=size)

        def chunks() -> Generator[bytes]:
            nonlocal most
            for _ in range(size // len(chunk)):
                yield chunk
                most = max(most, server.rss_kib())

        replies: list[Reply] = []
        thread = threading.Thread(
            target=lambda: replies.append(http_request(server.port, "PUT", answer["url"], chunks(), Upload_Offset="0"))
        )
        thread.start()
        stack.callback(thread.join)
        while thread.is_alive():
            alice.say(bob.login, "meanwhile")
        assert replies[0].json["complete"], replies
        raw = stack.enter_context(secured(server.port))
        raw.sendall(f"GET {url_of(alice, answer['id'])} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        got = 0
        while data := raw.recv(1024 * 1024):
            got += len(data)
            most = max(most, server.rss_kib())
        assert got > size
        assert most - before < 30_000, (before, most)


# -- downloads


@pytest.mark.parametrize(
    ("asked", "status", "told", "start", "end"),
    [
        ("bytes=0-9", 206, "bytes 0-9/1000", 0, 10),
        ("bytes=990-", 206, "bytes 990-999/1000", 990, 1000),
        ("bytes=-5", 206, "bytes 995-999/1000", 995, 1000),
        ("bytes=-5000", 206, "bytes 0-999/1000", 0, 1000),
        ("bytes=500-5000", 206, "bytes 500-999/1000", 500, 1000),
        ("bytes=999-999", 206, "bytes 999-999/1000", 999, 1000),
        ("bytes=1000-", 416, "bytes */1000", 0, 0),
        ("bytes=0-1,5-6", 200, None, 0, 1000),
        ("bytes=9-2", 200, None, 0, 1000),
        ("pages=1-2", 200, None, 0, 1000),
        ("bytes=x", 200, None, 0, 1000),
        ("", 200, None, 0, 1000),
    ],
)
def test_a_part_of_a_file_may_be_fetched(
    alice: Wire, asked: str, status: int, told: str | None, start: int, end: int
) -> None:
    """RFC 9110 §14.  Rows: X18 (partly)."""
    data = os.urandom(1000)
    reply = get(alice, url_of(alice, upload(alice, data)["id"]), **({"Range": asked} if asked else {}))
    assert reply.status == status
    assert reply.headers.get("Content-Range") == told
    assert reply.body == data[start:end]


def test_conditions_are_answered(alice: Wire) -> None:
    """RFC 9110 §13."""
    info = upload(alice, b"0123456789")
    url = url_of(alice, info["id"])
    tag = f'"{info["sha256"]}"'
    assert get(alice, url, Range="bytes=0-0").headers["ETag"] == tag
    assert get(alice, url, If_None_Match=tag).status == 304
    assert get(alice, url, Range="bytes=5-6", If_Range=tag).body == b"56"
    assert http_request(port_of(alice), "HEAD", url).headers["Content-Length"] == "10"
    assert get(alice, url, Range="bytes=5-6", If_Range='"another"').body == b"0123456789"


@pytest.mark.parametrize(
    ("name", "data", "type", "disposition"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n", "image/png", "attachment; filename=\"a.png\"; filename*=UTF-8''a.png"),
        ("a.png", b"<html><script>alert(1)</script>", "application/octet-stream", ANY),
        ("a.html", b"<html><script>alert(1)</script>", "application/octet-stream", ANY),
        ("a.svg", b'<svg onload="alert(1)"/>', "application/octet-stream", ANY),
        ("a.pdf", b"%PDF-1.7", "application/pdf", ANY),
        (
            'say "наше".txt',
            b"text",
            "application/octet-stream",
            "attachment; filename=\"say ______.txt\"; filename*=UTF-8''say%20_%D0%BD%D0%B0%D1%88%D0%B5_.txt",
        ),
        (
            "a\r\nSet-Cookie: x=1;b.txt",
            b"text",
            "application/octet-stream",
            "attachment; filename=\"a Set-Cookie_ x=1;b.txt\"; filename*=UTF-8''a%20Set-Cookie_%20x%3D1%3Bb.txt",
        ),
    ],
)
def test_a_page_can_do_nothing_with_a_file(alice: Wire, name: str, data: bytes, type: str, disposition: Any) -> None:
    """Rows: M58 (partly)."""
    headers = get(alice, url_of(alice, upload(alice, data, name)["id"])).headers
    assert headers["Content-Type"] == type
    assert disposition is ANY or headers["Content-Disposition"] == disposition
    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "private" in headers["Cache-Control"]
    assert "Set-Cookie" not in headers


def test_only_a_preview_may_be_shown_in_a_page(alice: Wire) -> None:
    info = upload(alice, picture(50, 40, "PNG"))
    headers = get(alice, url_of(alice, info["id"], preview=True)).headers
    assert headers["Content-Type"] == "image/webp"
    assert headers["Content-Disposition"].startswith("inline;")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["ETag"] != f'"{info["sha256"]}"'


def test_a_picture_without_preview_is_a_file_like_any_other(serve: Serve) -> None:
    """Rows: M48 (partly)."""
    broken = picture()[:5000]
    server = serve("--no-previews")
    with newcomer(server.port, "alice") as alice:
        whole = upload(alice, picture(), "whole.jpg")
        assert "preview" not in whole
        assert whole["type"] == "image/jpeg"
    server.stop()
    again = serve()
    with Wire(again.port).connect(alice.login, device="first") as alice:
        info = upload(alice, broken, "broken.jpg")
        assert "preview" not in info
        assert fetched(alice, info["id"]) == broken
        assert url_of(alice, info["id"], preview=True) == ""


def test_an_address_is_for_one_file_one_way_and_one_time(alice: Wire, bob: Wire) -> None:
    """Rows: M55 (partly)."""
    port, info = port_of(alice), upload(alice, b"content")
    down, up = url_of(alice, info["id"]), begin(alice, b"next")["url"]
    assert get(alice, down, Range="bytes=0-2").body == b"con"
    assert get(alice, down).body == b"content"
    assert get(alice, down).code == "404 unknown-id"
    assert put(alice, up, b"next").json["complete"]
    assert put(alice, up, b"next").code == "404 unknown-id"
    down, up = url_of(alice, info["id"]), begin(alice, b"third")["url"]
    token_down, token_up = down.rpartition("/")[2], up.rpartition("/")[2]
    assert http_request(port, "GET", f"/files/down/{token_up}").code == "404 unknown-id"
    assert http_request(port, "PUT", f"/files/up/{token_down}", b"third").code == "404 unknown-id"
    for method, url in (("GET", down[:-1]), ("PUT", f"{up}x"), ("HEAD", "/files/up/x"), ("DELETE", "/files/up/x")):
        assert http_request(port, method, url).status == 404
    for offset in ("-1", "x", "1e3", "", "9" * 40, "١"):
        assert http_request(port, "PUT", up, b"", Upload_Offset=offset.encode().decode("latin-1")).code == (
            "400 bad-request"
        )
    assert put(bob, up, b"third").json["complete"]  # whoever holds it may use it


def test_nonsense_in_the_middle_of_a_body_costs_that_connection_only(server: ServerProcess, alice: Wire) -> None:
    answer = begin(alice, bytes(1000))
    for body in (b"5\r\nhello\r\nzz\r\n", b"-5\r\n", b"ffffffffffffffffffff\r\n"):
        with secured(server.port) as raw:
            raw.sendall(
                f"PUT {answer['url']} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + body
            )
            with suppress(ConnectionError):
                while raw.recv(1000):
                    pass
    offset = arrived(alice, answer["url"])
    assert put(alice, answer["url"], bytes(1000 - offset), offset).json["complete"]


def test_an_account_has_so_many_connections_for_files_at_once(alice: Wire) -> None:
    with ExitStack() as stack:
        answers = [begin(alice, bytes(100)) for _ in range(filing.BUSY)]
        for answer in answers:
            stack.enter_context(begun_by_hand(alice, answer["url"], b"x", length=100))
        more = ""

        def is_refused() -> bool:
            """Until the server has heard of all the others, one more of its own goes through."""
            nonlocal more
            more = begin(alice, b"x")["url"]
            reply = put(alice, more, b"x")
            return (reply.status, reply.json.get("code")) == (503, "try-again-later")

        wait_for(is_refused)
    wait_for(lambda: put(alice, more, b"x").status == 200)
