"""Small rules of the home server that need no socket."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from veche.server.app import HomeServer, listen_error, origin_of
from veche.server.config import ServerConfig


def test_instants_never_step_back_whatever_the_clock_does() -> None:
    """Rows: M14 (partly)."""
    clock = iter([5_000_000_000, 7_000_000_000, 1_000_000_000, 7_000_001_000])
    nowhere: Any = None
    app = HomeServer(ServerConfig(data=Path()), nowhere, wall_ns=lambda: next(clock))
    assert [app.now_us() for _ in range(4)] == [5_000_000, 7_000_000, 7_000_000, 7_000_001]


def test_the_port_is_that_of_msim_unless_another_is_said() -> None:
    """Rows: M56, A07 (partly)."""
    assert ServerConfig(data=Path()).address() == ("127.0.0.1", 3215)
    assert ServerConfig(data=Path(), listen="[::]:0").address() == ("::", 0)


def test_an_instant_is_written_as_rfc_3339_in_utc() -> None:
    """Rows: M17 (partly)."""
    nowhere: Any = None
    app = HomeServer(ServerConfig(data=Path()), nowhere)
    assert app.instant(0) == "1970-01-01T00:00:00.000Z"
    assert app.instant(1_536_492_151_250_999) == "2018-09-09T11:22:31.250Z"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_failures_are_counted_by_address_or_by_an_ipv6_household(address: str, origin: str) -> None:
    """Rows: T10 (partly)."""
    assert origin_of(address) == origin


@pytest.mark.parametrize("number", [errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL])
def test_a_port_that_cannot_be_opened_is_explained_with_what_to_do(number: int) -> None:
    """Rows: A07 (partly)."""
    assert "--listen" in listen_error(OSError(number, "x"), "127.0.0.1", 80)
