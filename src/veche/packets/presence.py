"""Packets of presence: who is there, who is away, who was here.

Presence goes to friends only (in the classic profile to everyone): what is not told is unknown, which is not offline.

Source: rows M27, M35, T20-T25, X02, X21.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from .base import Address, Failed, Instant, Packet, Tag


class Status(StrEnum):
    """Whether somebody is there: the union of their devices."""

    ONLINE = "online"
    AWAY = "away"
    """Connected, and none of the devices was used for a while."""
    OFFLINE = "offline"
    UNKNOWN = "unknown"
    """Not told to me."""


class PresenceSet(Packet, kw_only=True, tag="PRESENCE"):
    """The person is at this device (`away` false) or has left it.  No answer; any request ends `away` too."""

    away: bool = False


class UpdateLastSeen(Packet, kw_only=True, tag="UPDATE-LAST-SEEN"):
    """A contact has come or gone; CONTACT-UPDATED tells the same as a patch (row M35)."""

    id: Address
    at: Instant
    status: Status = Status.UNKNOWN


class WhoElse(Packet, kw_only=True, tag="WHOELSE"):
    """Asks who is online: my friends; in the classic profile everyone who has not blocked me.  Answer: WHOELSE-OK."""

    tag: Tag | None = None


class WhoElseOk(Packet, kw_only=True, tag="WHOELSE-OK"):
    """Who is online, without me, in no particular order."""

    users: list[Address]
    tag: Tag | None = None


class WhoElseSince(Packet, kw_only=True, tag="WHOELSESINCE"):
    """Asks who was online at any time in the last so many seconds.  Answer: WHOELSESINCE-OK or -FAILED."""

    seconds: Annotated[int, Meta(ge=0, le=10**9)]
    tag: Tag | None = None


class WhoElseSinceOk(Packet, kw_only=True, tag="WHOELSESINCE-OK"):
    """Who was, those who are online included, without me."""

    users: list[Address]
    tag: Tag | None = None


class WhoElseSinceFailed(Failed, kw_only=True, tag="WHOELSESINCE-FAILED"):
    """Code: bad-request."""
