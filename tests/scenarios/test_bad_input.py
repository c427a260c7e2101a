"""Nonsense, impatience and malice at the one port: a typed error or a clean close, no traceback, bounded memory."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.server import ServerProcess, wait_for
from tests.support.wire import Wire, newcomer


def test_an_unknown_type_is_answered_and_the_link_lives(alice: Wire) -> None:
    """Rows: M02, M59 (partly), B43 (partly)."""
    alice.send("SUBSCRIBE", name="x", tag="t")
    alice.expect("ERROR-NOT-IMPLEMENTED", request_type="SUBSCRIBE", tag="t")
    alice.send("FLY-TO-THE-MOON")
    alice.expect("ERROR-NOT-IMPLEMENTED", request_type="FLY-TO-THE-MOON")
    alice.expect_nothing()


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"null", b'{"type":5}', b"\xff\xfe", b'{"type":"MESSAGE","to":"a","text":"\xff"}', b"{}" * 9]
)
def test_a_line_that_is_no_packet_is_answered_by_an_error(alice: Wire, line: bytes) -> None:
    """Rows: M03, X25 (partly)."""
    alice.write(line + b"\r\n")
    answer = alice.receive()
    assert answer["type"] in ("ERROR", "MESSAGE-SEND-FAILED")
    assert answer["code"] in ("bad-packet", "bad-request")
    alice.expect_nothing()


def test_wrong_fields_are_refused_by_the_requests_own_packet(alice: Wire) -> None:
    """Rows: M03."""
    alice.send("MESSAGE", to="bob", cookie="c", tag="t")
    alice.expect("MESSAGE-SEND-FAILED", code="bad-request", cookie="c", tag="t")
    alice.send("HISTORY-GET", peer=["bob"], tag="t")
    alice.expect("HISTORY-GET-FAILED", code="bad-request", tag="t")
    alice.send("MESSAGE", to="bob", text="x" * 16_385, cookie="long")
    alice.expect("MESSAGE-SEND-FAILED", code="bad-request", cookie="long")


def test_a_client_cannot_say_who_it_is_from(alice: Wire, bob: Wire) -> None:
    """Rows: A16 (partly), M72 (partly)."""
    assert alice.ask("MESSAGE", to=bob.login, text="hi", from_="the.king@localhost")["code"] == "forbidden"
    bob.expect_nothing()


def test_too_many_bad_lines_end_the_link(alice: Wire) -> None:
    """Rows: M02."""
    alice.write(b"nonsense\r\n" * 100)
    assert alice.until("GOODBYE")[-1]["code"] == "too-many-errors"
    assert alice.is_closed()


def test_a_line_of_ten_megabytes_is_cut_off(server: ServerProcess, alice: Wire) -> None:
    """Rows: M01."""
    before = server.rss_kib()
    try:
        for _ in range(160):
            alice.write(b"x" * 65_536)
    except OSError:
        pass  # it closed on us, as it should
    assert server.rss_kib() - before < 20_000
    with newcomer(server.port, "after") as after:
        after.expect_nothing()


def test_a_line_of_the_longest_length_is_taken_and_one_byte_more_is_not(server: ServerProcess, alice: Wire) -> None:
    """Rows: M10."""
    packet = json.dumps({"type": "PING", "tag": "t"}).encode()
    alice.write(packet + b" " * (65_535 - len(packet)) + b"\n")
    alice.expect("PONG", tag="t")
    alice.write(packet + b" " * (65_536 - len(packet)) + b"\n")
    alice.expect("ERROR", code="too-large")
    assert alice.until("GOODBYE")[-1]["code"] == "too-large"


def test_a_million_empty_lines_cost_the_link_and_nothing_else(server: ServerProcess, alice: Wire) -> None:
    """Rows: M01."""
    before = server.rss_kib()
    try:
        for _ in range(100):
            alice.write(b"\r\n" * 10_000)
    except OSError:
        pass
    assert alice.is_closed()
    assert server.rss_kib() - before < 30_000


def test_a_packet_from_before_login_in_a_flood_is_slowed_down_not_dropped(server: ServerProcess) -> None:
    """Rows: M02."""
    with Wire(server.port) as wire:
        wire.write(b'{"type":"PING"}\r\n' * 205)
        for _ in range(205):
            wire.expect("PONG")


def test_silent_connections_do_not_keep_others_out(server: ServerProcess) -> None:
    """A slow-loris crowd: connected, saying nothing, or half of a handshake.  Rows: T19 (partly)."""
    crowd: list[socket.socket] = []
    for n in range(300):
        one = socket.create_connection(("127.0.0.1", server.port))
        if n % 2:
            one.send(b"\x16\x03")
        crowd.append(one)
    with newcomer(server.port, "patient") as wire:
        wire.expect_nothing()
    for one in crowd:
        one.close()


def test_two_hundred_people_at_once(server: ServerProcess, alice: Wire) -> None:
    """Rows: T19."""
    others = [Wire(server.port).connect(alice.login, device=f"d{n}") for n in range(90)]
    strangers = [newcomer(server.port, "crowd") for _ in range(110)]
    for stranger in strangers:
        stranger.send("MESSAGE", to=alice.login, text="hi")
    for other in [alice, *others]:
        assert sum(packet["type"] == "MESSAGE" for packet in [other.receive() for _ in strangers]) == 110
    for one in [*others, *strangers]:
        one.close()


def test_a_client_that_never_reads_is_dropped_and_loses_nothing(own_server: ServerProcess) -> None:
    """Rows: M13, T29 (partly)."""
    own_server.stop()
    own_server.flags = (*own_server.flags, "--slow-consumer-timeout", "1", "--message-rate", "0")
    own_server.start()
    with newcomer(own_server.port, "fast") as fast:
        slow = newcomer(own_server.port, "slow", device="d")
        login = slow.login
        before = own_server.rss_kib()
        count, text = 1500, "x" * 16_000
        line = json.dumps({"type": "MESSAGE", "to": login, "text": text}).encode() + b"\n"
        for _ in range(count):
            fast.write(line)
            fast.expect("MESSAGE-SENT")
        assert own_server.rss_kib() - before < 40_000
        time.sleep(3.5)  # the timeout and its grace, which only real time shows
        got: list[dict[str, Any]] = []
        while (line := slow.line()) is not None:  # GOODBYE itself may be lost behind what was never read
            packet = json.loads(line)
            assert packet["type"] == "MESSAGE" or packet["code"] == "slow-consumer"
            got += [packet] if packet["type"] == "MESSAGE" else []
        assert len(got) < count
        last = got[-1]["id"] if got else 0
        with Wire(own_server.port).connect(login, device="d", cursor=last) as again:
            assert len(got) + len(again.replayed) == count
            assert [one["seq"] for one in got + again.replayed] == list(range(1, count + 1))


def test_tls_older_than_1_2_is_refused(server: ServerProcess) -> None:
    """Rows: A08 (partly)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    raw = socket.create_connection(("127.0.0.1", server.port), 10)
    with pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(raw)
    raw.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_on_the_plain_port_leave_the_server_well(server: ServerProcess, data: bytes) -> None:
    """Rows: M01, M02."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as one:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        one.settimeout(10)
        answer = b""
        try:
            while chunk := one.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
    assert b"Traceback" not in answer


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.dictionaries(
                st.sampled_from(["type", "to", "text", "cookie", "id", "peer", "login", "tag", "limit", "message"]),
                st.one_of(
                    st.sampled_from(
                        ["MESSAGE", "CONNECT", "HISTORY-GET", "EDIT", "SEARCH", "MESSAGE-READ", "REGISTER"]
                    ),
                    st.none(),
                    st.integers(),
                    st.text(max_size=20),
                    st.booleans(),
                    st.floats(),
                ),
                max_size=5,
            ).map(lambda one: json.dumps(one).encode()),
        ),
        max_size=15,
    )
)
def test_any_packets_after_login_get_typed_answers(server: ServerProcess, lines: list[bytes]) -> None:
    """Rows: M02, M03, X25 (partly)."""
    with newcomer(server.port, "fuzz") as wire:
        wire.write(b"".join(line.replace(b"\n", b"") + b"\r\n" for line in lines))
        wire.send("PING", tag="the-end")
        while True:
            line = wire.line()
            if line is None:
                break
            packet = json.loads(line)
            assert packet.get("code") != "internal-error", (packet, lines)
            if packet["type"] == "GOODBYE" or packet.get("tag") == "the-end":
                break


def test_the_server_still_has_no_traceback_in_its_log(server: ServerProcess) -> None:
    """Rows: M02."""
    wait_for(lambda: os.path.exists(server.log))
    assert "Traceback" not in server.logged()
