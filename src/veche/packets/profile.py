"""Packets of profiles: what a person says about themselves, to their friends and to those whom they ask.

Source: rows M42, M44-M47, X23.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from .base import Address, Failed, Login, Packet, Tag
from .contacts import Note, ShownName

MAX_AVATAR_BYTES = 32 * 1024
MAX_AVATAR_SIDE = 1024
"""Pixels."""
AVATAR_TYPES = ("image/png", "image/jpeg", "image/webp")

Picture = Annotated[str, Meta(max_length=(MAX_AVATAR_BYTES + 2) // 3 * 4, description="Base64 of a file (RFC 4648 §4)")]


class Profile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What I say about myself."""

    name: str = ""
    note: str = ""
    avatar: str = ""
    """SHA-256 of the picture, hexadecimal; empty: none."""


class ProfileUpdate(Packet, kw_only=True, tag="PROFILE-UPDATE"):
    """Changes my profile; what is absent stays, what is empty is removed.  Answer: PROFILE-UPDATE-OK or -FAILED."""

    name: ShownName | None = None
    note: Note | None = None
    avatar: Picture | None = None
    """A PNG, JPEG or WebP picture of at most 32 KiB and 1024 pixels a side."""
    tag: Tag | None = None


class ProfileUpdateOk(Packet, kw_only=True, tag="PROFILE-UPDATE-OK"):
    """My profile as it is now.  Told to every device of the account."""

    name: str = ""
    note: str = ""
    avatar: str = ""
    tag: Tag | None = None


class ProfileUpdateFailed(Failed, kw_only=True, tag="PROFILE-UPDATE-FAILED"):
    """Code: bad-request, with the reason."""


class ProfileGet(Packet, kw_only=True, tag="PROFILE-GET"):
    """Asks for somebody's profile with the picture.  Answer: PROFILE-GET-OK or -FAILED."""

    login: Login
    tag: Tag | None = None


class ProfileGetOk(Packet, kw_only=True, tag="PROFILE-GET-OK"):
    """What that person tells me: everything to friends, nothing but the login to strangers."""

    id: Address
    name: str = ""
    note: str = ""
    avatar_type: str = ""
    avatar: str = ""
    """Base64; empty: none."""
    tag: Tag | None = None


class ProfileGetFailed(Failed, kw_only=True, tag="PROFILE-GET-FAILED"):
    """Code: unknown-user."""
