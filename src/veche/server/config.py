"""What can be set, with its default and its bounds.  Where a value comes from is cli's matter."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from veche.packets.admin import Registration
from veche.packets.conference import CALL_ANSWER_S


class Rules(StrEnum):
    """What kind of server this is."""

    COMMUNITY = "community"
    CLASSIC = "classic"
    """The chat of document 002."""


class ServerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of `veche serve`.  Each is a flag, an environment variable VECHE_<NAME> and a key of veche.toml."""

    data: Annotated[Path, Meta(description="directory of everything the server keeps")]
    listen: Annotated[str, Meta(description="HOST:PORT; 0.0.0.0:3215 to be reached from other machines")] = (
        "127.0.0.1:3215"
    )
    domain: Annotated[str, Meta(min_length=1, max_length=255, description="the part of addresses after @")] = (
        "localhost"
    )
    registration: Annotated[
        Registration | None, Meta(description="who may make an account; default: as an administrator says, else closed")
    ] = None
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
    contact_rate: Annotated[
        float, Meta(ge=0, description="people an account may ask or list an hour, as many at once; 0: no bound")
    ] = 1000.0
    contacts: Annotated[int, Meta(ge=1, description="contacts an account may have")] = 10_000
    call_rate: Annotated[
        float, Meta(ge=0, description="people an account may call a minute, at least 20 at once; 0: no bound")
    ] = 30.0
    conference_rate: Annotated[
        float,
        Meta(ge=0, description="changes of conferences a minute and account, above it reading slows down; 0: no bound"),
    ] = 600.0
    video_legs: Annotated[int, Meta(ge=0, le=12, description="devices of a conference that may send video")] = 4
    audio_legs: Annotated[int, Meta(ge=0, le=50, description="devices of a conference that may send anything")] = 6
    call_timeout: Annotated[float, Meta(ge=1, le=3600, description="seconds a call rings until it is a missed one")] = (
        CALL_ANSWER_S
    )
    one_leg_per_user: Annotated[bool, Meta(description="nobody takes part in a conference by two devices")] = False
    stun: Annotated[str, Meta(description="STUN servers, stun:HOST:PORT, divided by commas")] = ""
    turn: Annotated[str, Meta(description="TURN servers, turn:HOST:PORT or turns:..., divided by commas")] = ""
    turn_secret: Annotated[str, Meta(description="static-auth-secret of the TURN server")] = ""
    turn_secret_file: Annotated[Path | None, Meta(description="file of that secret, so that nobody sees it")] = None
    away_after: Annotated[float, Meta(gt=0, description="seconds without a request after which somebody is away")] = (
        300.0
    )
    file_bytes: Annotated[int, Meta(ge=0, description="bytes of one file at most")] = 2 * 1024**3
    account_bytes: Annotated[int, Meta(ge=0, description="bytes of all files of one account at most")] = 10 * 1024**3
    files_bytes: Annotated[int, Meta(ge=0, description="bytes of all files at most; above it the oldest go")] = (
        100 * 1024**3
    )
    free_bytes: Annotated[int, Meta(ge=0, description="bytes of the disk that files leave free")] = 1024**3
    file_days: Annotated[int, Meta(ge=1, le=36_500, description="days after which a file goes")] = 90
    no_previews: Annotated[bool, Meta(description="make no small pictures of pictures")] = False
    connections: Annotated[int, Meta(ge=1, description="connections from one address, this machine excepted")] = 500
    unacknowledged: Annotated[int, Meta(ge=1, le=100_000, description="messages in flight on one connection")] = 1000
    login_timeout: Annotated[float, Meta(gt=0, description="seconds a connection may stay without login")] = 60.0
    ping_interval: Annotated[float, Meta(gt=0, description="seconds of silence before PING; three times: closed")] = (
        60.0
    )
    slow_consumer_timeout: Annotated[
        float, Meta(gt=0, description="seconds a connection may take nothing before it is closed")
    ] = 60.0
    profile: Annotated[Rules, Meta(description="community; classic: a chat for a class, docs/classroom.md")] = (
        Rules.COMMUNITY
    )
    credentials: Annotated[Path | None, Meta(description="classic: file of names and passwords, one pair a line")] = (
        None
    )
    timeout: Annotated[
        float,
        Meta(gt=0, le=86_400 * 365, description="classic: seconds without a command until a person is logged out"),
    ] = 600.0
    log_level: Annotated[
        str, Meta(pattern="^(debug|info|warning|error)$", description="debug, info, warning, error")
    ] = "info"
    log_format: Annotated[str, Meta(pattern="^(text|json)$", description="text or json")] = "text"

    def check_ice(self) -> None:
        """Raises ValueError with one clear sentence when a STUN or TURN server is none."""
        for name, kinds in (("stun", ("stun:", "stuns:")), ("turn", ("turn:", "turns:"))):
            for url in urls_of(getattr(self, name)):
                if not url.startswith(kinds):
                    raise ValueError(
                        f"--{name} wants {kinds[0]}HOST:PORT, such as {kinds[0]}talk.example.org, not {url!r}."
                    )

    def address(self) -> tuple[str, int]:
        """Host and port to listen on.  Raises ValueError with one clear sentence."""
        host, separator, port = self.listen.rpartition(":")
        if not separator or not port.isdigit() or not 0 <= int(port) <= 65_535:
            raise ValueError(f"--listen wants HOST:PORT, such as 0.0.0.0:3215, not {self.listen!r}.")
        return host.strip("[]"), int(port)


def urls_of(text: str) -> list[str]:
    """The addresses of a setting, divided by commas or spaces."""
    return text.replace(",", " ").split()
