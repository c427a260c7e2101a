"""Packets of the classic terminal (document 002): lines typed there, and lines to be printed.

The server holds the dialogue, the terminal prints what it is told (row T63).  What must go from device to device, the
private sessions, are packets of their own.

Source: rows T05-T15, T38, T59, T63.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from .base import MAX_TEXT, Packet


class ClassicStart(Packet, kw_only=True, tag="CLASSIC"):
    """A classic terminal is here.  The server asks for the username; other profiles answer ERROR-NOT-IMPLEMENTED."""


class Input(Packet, kw_only=True, tag="INPUT"):
    """One line as it was typed."""

    text: Annotated[str, Meta(max_length=MAX_TEXT + 100)]


class Response(Packet, kw_only=True, tag="RESPONSE"):
    """One line to be printed (row T59)."""

    message: str
    from_server: bool = False
    from_: str = field(name="from", default="")
    """Who says it, when a person does."""
    prompt: bool = False
    """The line stays open: what is typed next answers it."""
    exit: int | None = None
    """The terminal's program ends with this exit code."""
