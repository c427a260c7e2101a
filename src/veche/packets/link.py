"""Packets of the link itself: who is there, is it alive, goodbye, and what was no packet at all.

Source: rows M01, M02, M10, M11, M60; X25.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from .base import ErrorCode, Packet, Tag


class ClientHello(Packet, kw_only=True, tag="HELLO"):
    """Asks what this server is.  May be sent at any time; needs no login.  Answer: HELLO."""

    versions: list[int] = field(default_factory=lambda: [1])
    client: Annotated[str, Meta(max_length=100)] = ""
    tag: Tag | None = None


class Limits(Struct, frozen=True, kw_only=True):
    """What this server refuses to exceed."""

    line_bytes: int
    text_chars: int
    history_page: int
    unacknowledged: int
    """Messages of one link that may wait for MESSAGE-SENT before the server stops reading from it."""
    file_bytes: int = 0
    """Of one file."""


class ServerHello(Packet, kw_only=True, tag="HELLO"):
    """What this server is and allows, told before login."""

    version: int
    server: str
    """The domain: the part of its users' addresses after @."""
    software: str
    federated: bool
    profile: str = "community"
    """community, or classic: the rules and texts of document 002"""
    registration: str
    """open, invite or closed"""
    registration_text: str = ""
    """What to do when registration is not open (REGISTER-INSTRUCTIONS of the lineage, row M12)."""
    mechanisms: list[str]
    features: list[str]
    """Areas of the protocol that work here; everything else answers ERROR-NOT-IMPLEMENTED."""
    layer: int
    """Highest layer: 1 authentication, 2 contacts, 3 messaging."""
    limits: Limits
    tag: Tag | None = None


class Ping(Packet, kw_only=True, tag="PING"):
    """Asks for PONG.  Either side may send it."""

    tag: Tag | None = None


class Pong(Packet, kw_only=True, tag="PONG"):
    """Answers PING."""

    tag: Tag | None = None


class Goodbye(Packet, kw_only=True, tag="GOODBYE"):
    """The last packet of a link.  A client sends it to log out; a server says why it closes."""

    code: ErrorCode | None = None
    reason: str = ""
    retry_after_s: float | None = None


class Error(Packet, kw_only=True, tag="ERROR"):
    """A line that could not be read as a packet.  The link lives on until its budget of these is spent."""

    code: ErrorCode
    reason: str = ""
    tag: Tag | None = None


class ErrorNotImplemented(Packet, kw_only=True, tag="ERROR-NOT-IMPLEMENTED"):
    """A packet type that this server does not have.  The link lives on.

    In the text form the field is `type`, as document 003 writes it; in JSON `type` already names the packet.
    """

    request_type: str
    tag: Tag | None = None
