"""Packets of accounts: registration, login by SCRAM, token or resumption, sessions, tokens, export, deletion.

Login by SCRAM-SHA-256 (RFC 5802, RFC 7677) in the document's own four packets:

    << CONNECT login=alice mechanism=SCRAM-SHA-256 message="n,,n=alice,r=<client nonce>"
    >> CONNECT-ACK salt=<base64> iterations=600000 nonce=<client nonce + server nonce>
    << CONNECT-CONTINUE hash=<base64 ClientProof>
    >> CONNECT-OK signature=<base64 ServerSignature> ...

server-first-message is `r=<nonce>,s=<salt>,i=<iterations>`; client-final-message-without-proof is
`c=<base64 of the GS2 header and the channel binding data>,r=<nonce>`: both ends can write them, so they are not sent.

Source: rows A09-A11, M04-M09, M24-M26, X03.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from .base import Address, Failed, Instant, Login, MessageId, Name, Packet, Password, RowId, Secret, Tag
from .contacts import Contact
from .files import FileInfo
from .profile import Profile


class Register(Packet, kw_only=True, tag="REGISTER"):
    """Makes an account, or sets a new password with a code for that.  Answer: REGISTER-OK or REGISTER-FAILED."""

    login: Login
    password: Password
    code: Secret | None = None
    """An invite code, the one-time set-up code that the first start prints, or that of ADMIN-ACCOUNT-RESET."""
    tag: Tag | None = None


class RegisterOk(Packet, kw_only=True, tag="REGISTER-OK"):
    """The account exists; CONNECT works with this password."""

    login: Address
    tag: Tag | None = None


class RegisterFailed(Failed, kw_only=True, tag="REGISTER-FAILED"):
    """No account was made.  Codes: bad-login, login-taken, registration-closed, bad-invite, locked."""


class Connect(Packet, kw_only=True, tag="CONNECT"):
    """Starts a login.

    mechanism SCRAM-SHA-256, SCRAM-SHA-256-PLUS: `message` is the client-first-message; answer CONNECT-ACK.
    mechanism TOKEN (bots): `token` is an access token.  mechanism RESUME: `token` is what CONNECT-OK gave as `resume`.
    TOKEN and RESUME need no second step; answer CONNECT-OK or CONNECT-FAILED.
    """

    login: Login | None = None
    """Required for SCRAM; a token names its account itself."""
    mechanism: Annotated[str, Meta(max_length=64)] = "SCRAM-SHA-256"
    message: Annotated[str, Meta(max_length=2048)] | None = None
    token: Secret | None = None
    device: Name | None = None
    """Name of this installation; the same name is the same device, with its own place in the delivery."""
    cursor: MessageId | None = None
    """What this device has already: messages up to this id are not sent again."""
    client: Annotated[str, Meta(max_length=100)] = ""
    tag: Tag | None = None


class ConnectAck(Packet, kw_only=True, tag="CONNECT-ACK"):
    """Second step of SCRAM.  Always sent, with a stable salt, even when there is no such user."""

    salt: str
    """base64"""
    iterations: int
    nonce: str
    tag: Tag | None = None


class ConnectContinue(Packet, kw_only=True, tag="CONNECT-CONTINUE"):
    """Third step of SCRAM."""

    hash: Annotated[str, Meta(max_length=128)]
    """base64 of the ClientProof"""
    tag: Tag | None = None


class ConnectOk(Packet, kw_only=True, tag="CONNECT-OK"):
    """The link is logged in.  SNAPSHOT follows, then what the device has missed, then REPLAY-END."""

    login: Address
    device: Name
    signature: str | None = None
    """base64 of SCRAM's ServerSignature; a client that logged in by password must check it."""
    resume: str
    """Logs this device in again (mechanism RESUME) until it is revoked or the password changes."""
    admin: bool = False
    """May ask what only administrators may, as it was at this login."""
    tag: Tag | None = None


class ConnectFailed(Failed, kw_only=True, tag="CONNECT-FAILED"):
    """Not logged in.  Codes: wrong-credentials, locked, disabled, unknown-mechanism, bad-request, already-logged-in."""


class PasswordChange(Packet, kw_only=True, tag="PASSWORD-CHANGE"):
    """Sets a new password; every other session of the account is revoked."""

    old_password: Password
    password: Password
    tag: Tag | None = None


class PasswordChangeOk(Packet, kw_only=True, tag="PASSWORD-CHANGE-OK"):
    """The new password holds."""

    resume: str
    """This device's new resumption token; the old ones of all devices are void."""
    tag: Tag | None = None


class PasswordChangeFailed(Failed, kw_only=True, tag="PASSWORD-CHANGE-FAILED"):
    """The old password holds.  Codes: wrong-credentials, locked."""


class TokenCreate(Packet, kw_only=True, tag="TOKEN-CREATE"):
    """Makes an access token for a bot of this account."""

    name: Name
    tag: Tag | None = None


class TokenCreateOk(Packet, kw_only=True, tag="TOKEN-CREATE-OK"):
    """The token, shown this once; the server keeps only its hash."""

    id: int
    token: str
    tag: Tag | None = None


class TokenCreateFailed(Failed, kw_only=True, tag="TOKEN-CREATE-FAILED"):
    """No token was made."""


class TokenList(Packet, kw_only=True, tag="TOKEN-LIST"):
    """Lists the access tokens of this account."""

    tag: Tag | None = None


class TokenEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One access token, without its secret."""

    id: int
    name: str
    created_at: Instant


class TokenListOk(Packet, kw_only=True, tag="TOKEN-LIST-OK"):
    """The access tokens, oldest first."""

    tokens: list[TokenEntry]
    tag: Tag | None = None


class TokenRevoke(Packet, kw_only=True, tag="TOKEN-REVOKE"):
    """Ends an access token and the sessions that used it."""

    id: RowId
    tag: Tag | None = None


class TokenRevokeOk(Packet, kw_only=True, tag="TOKEN-REVOKE-OK"):
    """The token no longer logs in."""

    id: int
    tag: Tag | None = None


class TokenRevokeFailed(Failed, kw_only=True, tag="TOKEN-REVOKE-FAILED"):
    """Code: unknown-id."""


class SessionsGet(Packet, kw_only=True, tag="SESSIONS-GET"):
    """Lists the devices that can log in as this account."""

    tag: Tag | None = None


class SessionEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One device of the account."""

    device: str
    client: str = ""
    created_at: Instant
    seen_at: Instant
    online: bool = False
    current: bool = False


class SessionsGetOk(Packet, kw_only=True, tag="SESSIONS-GET-OK"):
    """The devices, most recently seen first."""

    sessions: list[SessionEntry]
    tag: Tag | None = None


class SessionsRevoke(Packet, kw_only=True, tag="SESSIONS-REVOKE"):
    """Ends a device's session: its link is closed, its resumption token void, its place in the delivery forgotten."""

    device: Name
    tag: Tag | None = None


class SessionsRevokeOk(Packet, kw_only=True, tag="SESSIONS-REVOKE-OK"):
    """Done."""

    device: Name
    tag: Tag | None = None


class SessionsRevokeFailed(Failed, kw_only=True, tag="SESSIONS-REVOKE-FAILED"):
    """Code: unknown-id."""


class AccountDelete(Packet, kw_only=True, tag="ACCOUNT-DELETE"):
    """Deletes the account: its texts are erased, its name is never given out again."""

    password: Password
    tag: Tag | None = None


class AccountDeleteOk(Packet, kw_only=True, tag="ACCOUNT-DELETE-OK"):
    """Done; GOODBYE account-deleted follows on every link of the account."""

    tag: Tag | None = None


class AccountDeleteFailed(Failed, kw_only=True, tag="ACCOUNT-DELETE-FAILED"):
    """Nothing was deleted.  Codes: wrong-credentials, locked, last-admin."""


class AccountExport(Packet, kw_only=True, tag="ACCOUNT-EXPORT"):
    """Asks for everything the server keeps about this account, a page at a time."""

    after: MessageId = 0
    tag: Tag | None = None


class ExportedMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message of a conversation of the account."""

    id: int
    peer: str
    author: str
    at: Instant
    text: str
    files: list[FileInfo] = []
    edited: bool = False
    retracted: bool = False
    reply_to: int | None = None


class AccountExportOk(Packet, kw_only=True, tag="ACCOUNT-EXPORT-OK"):
    """One page of the export, oldest first; `next` is the `after` of the next page, absent on the last one."""

    login: Address
    created_at: Instant
    sessions: list[SessionEntry]
    tokens: list[TokenEntry]
    blocked: list[str]
    contacts: list[Contact] = []  # noqa: RUF012 - msgspec gives each packet its own
    profile: Profile | None = None
    messages: list[ExportedMessage]
    next: MessageId | None = None
    tag: Tag | None = None


class AccountExportFailed(Failed, kw_only=True, tag="ACCOUNT-EXPORT-FAILED"):
    """Code: try-again-later."""
