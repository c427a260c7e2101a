"""What can be set, with its default and its bounds.  Where a value comes from is cli's matter."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct


class Registration(StrEnum):
    """Who may make an account over the wire."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class ServerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of `veche serve`.  Each is a flag, an environment variable VECHE_<NAME> and a key of veche.toml."""

    data: Annotated[Path, Meta(description="directory of everything the server keeps")]
    listen: Annotated[str, Meta(description="HOST:PORT; 0.0.0.0:3215 to be reached from other machines")] = (
        "127.0.0.1:3215"
    )
    domain: Annotated[str, Meta(min_length=1, max_length=255, description="the part of addresses after @")] = (
        "localhost"
    )
    registration: Annotated[Registration, Meta(description="who may make an account")] = Registration.CLOSED
    storage: Annotated[str, Meta(description="empty: SQLite in the data directory; or postgresql://...")] = ""
    tls_cert: Annotated[Path | None, Meta(description="PEM certificate chain; default: one made here")] = None
    tls_key: Annotated[Path | None, Meta(description="PEM key of tls_cert")] = None
    behind_proxy: Annotated[bool, Meta(description="take plain text from anywhere: a proxy does TLS before us")] = False
    block_duration: Annotated[float, Meta(ge=0, le=86_400 * 30, description="seconds of a lock after 3 failures")] = (
        60.0
    )
    scram_iterations: Annotated[int, Meta(ge=4096, le=10_000_000, description="PBKDF2 rounds of new passwords")] = (
        600_000
    )
    message_rate: Annotated[
        float, Meta(ge=0, description="messages a minute and account, above it reading slows down; 0: no bound")
    ] = 120_000.0
    connections: Annotated[int, Meta(ge=1, description="connections from one address, this machine excepted")] = 500
    unacknowledged: Annotated[int, Meta(ge=1, le=100_000, description="messages in flight on one connection")] = 1000
    login_timeout: Annotated[float, Meta(gt=0, description="seconds a connection may stay without login")] = 60.0
    ping_interval: Annotated[float, Meta(gt=0, description="seconds of silence before PING; three times: closed")] = (
        60.0
    )
    slow_consumer_timeout: Annotated[
        float, Meta(gt=0, description="seconds a connection may take nothing before it is closed")
    ] = 60.0
    log_level: Annotated[
        str, Meta(pattern="^(debug|info|warning|error)$", description="debug, info, warning, error")
    ] = "info"
    log_format: Annotated[str, Meta(pattern="^(text|json)$", description="text or json")] = "text"

    def address(self) -> tuple[str, int]:
        """Host and port to listen on.  Raises ValueError with one clear sentence."""
        host, separator, port = self.listen.rpartition(":")
        if not separator or not port.isdigit() or not 0 <= int(port) <= 65_535:
            raise ValueError(f"--listen wants HOST:PORT, such as 0.0.0.0:3215, not {self.listen!r}.")
        return host.strip("[]"), int(port)
