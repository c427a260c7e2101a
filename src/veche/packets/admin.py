"""Packets of administration: accounts, invites, registration, the server's state, announcements.

Only an administrator may ask (CONNECT-OK says `admin`); anybody else is refused with `forbidden`.  The first account,
made with the set-up code, is one; an administrator can make others, and there is always one left.

How somebody gets in again who has forgotten the password; the old one holds until the code is used:

    << ADMIN-ACCOUNT-RESET login=bob                          the administrator
    >> ADMIN-ACCOUNT-RESET-OK login=bob@example.org code=5f0c-99d2-0b1e-77aa-c3d4 expires_at=2026-11-22T12:00:00.000Z
    << REGISTER login=bob password="a new one" code=5f0c-99d2-0b1e-77aa-c3d4         bob, from anywhere, not logged in
    >> REGISTER-OK login=bob@example.org

Source: rows M12, M25, B134 (partly), A25 (partly), X03.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from .base import Address, Failed, Instant, Login, Packet, RowId, Tag

MAX_ANNOUNCEMENT = 2000

PageLimit = Annotated[int, Meta(ge=1, le=200)]
LoginPart = Annotated[str, Meta(max_length=255, description="part of a login; empty: all")]
Uses = Annotated[int, Meta(ge=1, le=1_000_000)]
ExpiresS = Annotated[int, Meta(ge=1, le=315_360_000, description="seconds")]
AnnouncedText = Annotated[str, Meta(max_length=MAX_ANNOUNCEMENT, description="code points; empty: none any more")]


class Registration(StrEnum):
    """Who may make an account over the wire."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


# -- accounts


class AdminAccountsGet(Packet, kw_only=True, tag="ADMIN-ACCOUNTS-GET"):
    """Asks for a page of the accounts, by login.  Answer: ADMIN-ACCOUNTS-GET-OK or -FAILED."""

    query: LoginPart = ""
    after: Login | None = None
    """`next` of the page before."""
    limit: PageLimit = 100
    tag: Tag | None = None


class AccountEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One account, as administrators see it: never what it wrote or to whom."""

    login: Address
    created_at: Instant
    seen_at: Instant | None = None
    """When they last came or went; absent: never."""
    online: bool = False
    admin: bool = False
    disabled: bool = False
    file_bytes: int = 0
    """Of all files that it has uploaded."""


class AdminAccountsGetOk(Packet, kw_only=True, tag="ADMIN-ACCOUNTS-GET-OK"):
    """A page of the accounts; deleted ones are not among them."""

    accounts: list[AccountEntry]
    next: Address | None = None
    """`after` of the next page; absent on the last one."""
    tag: Tag | None = None


class AdminAccountsGetFailed(Failed, kw_only=True, tag="ADMIN-ACCOUNTS-GET-FAILED"):
    """Codes: forbidden, bad-login (`after`)."""


class AdminAccountChange(Packet, kw_only=True, tag="ADMIN-ACCOUNT-CHANGE"):
    """Disables an account or lets it in again, makes it an administrator or not.  What is left out stays as it is.

    A disabled account keeps all it has, and others can write to it.  Its sessions end with GOODBYE code=disabled, and
    nothing logs it in: who brings the right password or token is told `disabled`, others wrong-credentials as ever.
    """

    login: Login
    disabled: bool | None = None
    admin: bool | None = None
    tag: Tag | None = None


class AdminAccountChangeOk(Packet, kw_only=True, tag="ADMIN-ACCOUNT-CHANGE-OK"):
    """The account as it is now.  It learns of `admin` at its next login; the right itself holds at once."""

    login: Address
    disabled: bool = False
    admin: bool = False
    tag: Tag | None = None


class AdminAccountChangeFailed(Failed, kw_only=True, tag="ADMIN-ACCOUNT-CHANGE-FAILED"):
    """Nothing changed.  Codes: forbidden, unknown-user, bad-login, last-admin."""


class AdminAccountReset(Packet, kw_only=True, tag="ADMIN-ACCOUNT-RESET"):
    """Asks for a one-time code with which REGISTER sets a new password of this account; an earlier one is void."""

    login: Login
    tag: Tag | None = None


class AdminAccountResetOk(Packet, kw_only=True, tag="ADMIN-ACCOUNT-RESET-OK"):
    """The code, shown this once.  Its use revokes the account's sessions as PASSWORD-CHANGE does; tokens stay."""

    login: Address
    code: str
    expires_at: Instant
    tag: Tag | None = None


class AdminAccountResetFailed(Failed, kw_only=True, tag="ADMIN-ACCOUNT-RESET-FAILED"):
    """Codes: forbidden, unknown-user, bad-login."""


# -- invites


class AdminInvitesGet(Packet, kw_only=True, tag="ADMIN-INVITES-GET"):
    """Asks for the invites that still let somebody in.  Answer: ADMIN-INVITES-GET-OK or -FAILED."""

    tag: Tag | None = None


class InviteEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One invite, without its code."""

    id: int
    uses_left: int
    created_at: Instant
    expires_at: Instant | None = None
    inviter: Address | None = None
    """Becomes a friend of those whom it lets in."""


class AdminInvitesGetOk(Packet, kw_only=True, tag="ADMIN-INVITES-GET-OK"):
    """The invites, newest first, 1,000 at most."""

    invites: list[InviteEntry]
    tag: Tag | None = None


class AdminInvitesGetFailed(Failed, kw_only=True, tag="ADMIN-INVITES-GET-FAILED"):
    """Code: forbidden."""


class InviteCreate(Packet, kw_only=True, tag="INVITE-CREATE"):
    """Makes an invite; the administrator who asks becomes a friend of those whom it lets in."""

    uses: Uses = 1
    expires_s: ExpiresS = 604_800
    tag: Tag | None = None


class InviteCreateOk(Packet, kw_only=True, tag="INVITE-CREATE-OK"):
    """The invite, shown this once."""

    id: int
    link: str
    """What `veche invite` prints: https://HOST:PORT/invite/CODE#sha256=HEX"""
    code: str
    tag: Tag | None = None


class InviteCreateFailed(Failed, kw_only=True, tag="INVITE-CREATE-FAILED"):
    """Code: forbidden."""


class InviteRevoke(Packet, kw_only=True, tag="INVITE-REVOKE"):
    """Ends an invite; the accounts that it made stay."""

    id: RowId
    tag: Tag | None = None


class InviteRevokeOk(Packet, kw_only=True, tag="INVITE-REVOKE-OK"):
    """It lets nobody in any more."""

    id: int
    tag: Tag | None = None


class InviteRevokeFailed(Failed, kw_only=True, tag="INVITE-REVOKE-FAILED"):
    """Codes: forbidden, unknown-id."""


# -- the server


class AdminServerGet(Packet, kw_only=True, tag="ADMIN-SERVER-GET"):
    """Asks how the server is.  Answer: ADMIN-SERVER-GET-OK or -FAILED."""

    tag: Tag | None = None


class AdminServerGetOk(Packet, kw_only=True, tag="ADMIN-SERVER-GET-OK"):
    """How the server is."""

    version: str
    started_at: Instant
    uptime_s: int
    accounts: int
    """Deleted ones not counted."""
    online: int
    """Accounts that are logged in."""
    sessions: int
    """Their links."""
    messages: int
    """The id of the newest entry of the log: so many were stored so far, edits, reactions and erased ones included."""
    database_bytes: int
    file_bytes: int
    """Of all whole files, contents that are the same counted once."""
    free_bytes: int
    """Left on the disk of the files."""
    registration: Registration
    domain: str
    fingerprint: str
    """SHA-256 of the certificate, hexadecimal."""
    tag: Tag | None = None


class AdminServerGetFailed(Failed, kw_only=True, tag="ADMIN-SERVER-GET-FAILED"):
    """Code: forbidden."""


class AdminRegistrationSet(Packet, kw_only=True, tag="ADMIN-REGISTRATION-SET"):
    """Says who may make an account, from now on; HELLO tells it.

    It is kept.  At the next start a flag, VECHE_REGISTRATION or veche.toml is stronger, and no other is.
    """

    registration: Registration
    tag: Tag | None = None


class AdminRegistrationSetOk(Packet, kw_only=True, tag="ADMIN-REGISTRATION-SET-OK"):
    """It is so."""

    registration: Registration
    until_restart: bool = False
    """A flag, VECHE_REGISTRATION or veche.toml says something else, and is stronger at the next start."""
    tag: Tag | None = None


class AdminRegistrationSetFailed(Failed, kw_only=True, tag="ADMIN-REGISTRATION-SET-FAILED"):
    """Code: forbidden."""


# -- announcements


class AdminAnnounce(Packet, kw_only=True, tag="ADMIN-ANNOUNCE"):
    """Tells something to everyone, also to those who come later; an empty text takes it away."""

    text: AnnouncedText
    tag: Tag | None = None


class AdminAnnounceOk(Packet, kw_only=True, tag="ADMIN-ANNOUNCE-OK"):
    """Told and kept, or taken away."""

    tag: Tag | None = None


class AdminAnnounceFailed(Failed, kw_only=True, tag="ADMIN-ANNOUNCE-FAILED"):
    """Code: forbidden."""


class Announcement(Struct, frozen=True, kw_only=True):
    """What an administrator tells everyone; there is one at a time."""

    text: str
    at: Instant
    by: Address


class Announced(Packet, kw_only=True, tag="ANNOUNCEMENT"):
    """The announcement is a new one; empty: there is none any more."""

    text: AnnouncedText
    at: Instant
    by: Address
