"""Packets of broadcasts: one text to all friends who are online now; in the classic profile to everyone.

Never stored: who is away does not get it.  Source: rows T30-T32, X16.
"""

from __future__ import annotations

from msgspec import field

from .base import Address, Failed, Instant, Packet, Tag, Text


class BroadcastSend(Packet, kw_only=True, tag="BROADCAST"):
    """Tells something to all who are there.  Answer: BROADCAST-OK or -FAILED."""

    text: Text
    from_: str | None = field(name="from", default=None)
    """A client that names a sender is refused with `forbidden`."""
    tag: Tag | None = None


class BroadcastOk(Packet, kw_only=True, tag="BROADCAST-OK"):
    """Told.  `skipped`: somebody has blocked me, which only the classic profile says (row T31)."""

    skipped: bool = False
    tag: Tag | None = None


class BroadcastFailed(Failed, kw_only=True, tag="BROADCAST-FAILED"):
    """Codes: forbidden, try-again-later."""


class Broadcast(Packet, kw_only=True, tag="BROADCAST"):
    """`from` tells this to all who are there."""

    from_: Address = field(name="from")
    at: Instant
    text: str
