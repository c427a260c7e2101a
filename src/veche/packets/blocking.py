"""Packets of blocking: whom I do not want to hear from.

The blocked person is not told and cannot find out: what they send is accepted and never delivered (row X06).

Source: rows T33, T35, T36, X06.
"""

from __future__ import annotations

from .base import Address, Failed, Login, Packet, Tag


class Block(Packet, kw_only=True, tag="BLOCK"):
    """Stops everything that comes from `login`.  Answer: BLOCK-OK or BLOCK-FAILED."""

    login: Login
    tag: Tag | None = None


class BlockOk(Packet, kw_only=True, tag="BLOCK-OK"):
    """Blocked.  Told to every device of the account."""

    login: Address
    tag: Tag | None = None


class BlockFailed(Failed, kw_only=True, tag="BLOCK-FAILED"):
    """Codes: unknown-user, self."""


class Unblock(Packet, kw_only=True, tag="UNBLOCK"):
    """Undoes BLOCK; what was sent meanwhile stays undelivered.  Answer: UNBLOCK-OK or UNBLOCK-FAILED."""

    login: Login
    tag: Tag | None = None


class UnblockOk(Packet, kw_only=True, tag="UNBLOCK-OK"):
    """No longer blocked.  Told to every device of the account."""

    login: Address
    tag: Tag | None = None


class UnblockFailed(Failed, kw_only=True, tag="UNBLOCK-FAILED"):
    """Codes: unknown-user, self, unknown-id (was not blocked)."""
