"""What the one port decides from addresses and first bytes."""

from __future__ import annotations

import pytest

from veche.net.listener import looks_like_http, may_speak_plainly


@pytest.mark.parametrize(
    ("ip", "plain"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("192.0.2.1", False), ("fe80::1%eth0", False)],
)
def test_only_this_machine_may_do_without_tls(ip: str, plain: bool) -> None:
    """Rows: A08 (partly)."""
    assert may_speak_plainly(ip, behind_proxy=False) is plain
    assert may_speak_plainly(ip, behind_proxy=True)


@pytest.mark.parametrize(
    ("first", "is_http"),
    [
        (b"GET / HTTP/1.1", True),
        (b"OPTIONS * HTTP/1.1", True),
        (b"G", None),
        (b"PATC", None),
        (b"{", False),
        (b"CONNECT login=alice", False),
        (b"\r\n", False),
        (b"PING", False),
    ],
)
def test_the_first_bytes_tell_http_from_packets(first: bytes, is_http: bool | None) -> None:
    """Rows: X19 (partly), M01."""
    assert looks_like_http(first) is is_http
