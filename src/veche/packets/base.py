"""What every packet is made of: the base Struct, the field types, the error codes.

A packet is data: frozen, keyword-only, told apart by `type`, which holds the protocol's own name in capitals.
Shape and size are checked here, once, by decoding; meaning is checked by the server's `check_*` steps.
Fields unknown to us are skipped (the peer may be newer); a field's meaning never changes, a new field has a default.

Source: document 003 (names), rows M01-M26, X25.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, dataclass_transform

from msgspec import Meta, Struct, field

MAX_LINE_BYTES = 64 * 1024
"""Longest line a client may send, its end included."""
MAX_TEXT = 16_384
"""Longest text of one message, in code points."""

Login = Annotated[str, Meta(min_length=1, max_length=255, description="`login`, or `login@domain`")]
Address = Annotated[str, Meta(max_length=511, description="`login@domain`, written by the server")]
Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, description="code points, any text")]
Cookie = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="the sender's own id of a request; a repeat from the same device is answered, not done again",
    ),
]
Tag = Annotated[str, Meta(max_length=64, description="chosen by the client, echoed in the answer")]
MessageId = Annotated[
    int, Meta(ge=0, le=2**53 - 1, description="made by the server, ascending in the order of storing")
]
Seq = Annotated[int, Meta(ge=1, description="place in its conversation, counted from 1 without gaps")]
Instant = Annotated[str, Meta(max_length=40, description="RFC 3339, UTC")]
RowId = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Password = Annotated[str, Meta(min_length=1, max_length=1024)]
Secret = Annotated[str, Meta(min_length=1, max_length=1024)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Packet(Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True, gc=False):
    """One packet on the wire.  Fields that hold their default are not written."""


class ErrorCode(StrEnum):
    """Why something was refused.  Each says what the other side can do about it (RFC 6120 §8.3.2 types)."""

    BAD_PACKET = "bad-packet"
    """The line is no packet.  Fix the sender; the link lives until a budget of such lines is spent."""
    BAD_REQUEST = "bad-request"
    """A packet of a known type lacks a field or holds a wrong value.  Fix the request."""
    TOO_LARGE = "too-large"
    """The line is longer than HELLO allows.  Send less; the link is closed."""
    TLS_REQUIRED = "tls-required"
    """Plain text is spoken on loopback only.  Connect with TLS."""
    NOT_LOGGED_IN = "not-logged-in"
    """This request needs CONNECT first."""
    ALREADY_LOGGED_IN = "already-logged-in"
    """This link has an account already.  Open another link for another account."""
    WRONG_CREDENTIALS = "wrong-credentials"
    """Login or password (or token) is wrong; which of them is never said."""
    LOCKED = "locked"
    """Too many failures.  Wait `retry_after_s`."""
    REGISTRATION_CLOSED = "registration-closed"
    """Accounts are made by the administrator.  Ask them."""
    BAD_INVITE = "bad-invite"
    """The invite or set-up code is unknown, used up or expired.  Ask for another."""
    BAD_LOGIN = "bad-login"
    """The login has a character that names may not have.  Choose another."""
    LOGIN_TAKEN = "login-taken"
    """An account of that name exists.  Choose another."""
    UNKNOWN_MECHANISM = "unknown-mechanism"
    """HELLO lists the ways to log in."""
    UNKNOWN_USER = "unknown-user"
    """There is no such account here."""
    SELF = "self"
    """This request makes no sense towards oneself."""
    UNKNOWN_MESSAGE = "unknown-message"
    """There is no such message that you may see."""
    FORBIDDEN = "forbidden"
    """It exists, but it is not yours to change."""
    LAST_ADMIN = "last-admin"
    """The server would be left without an administrator.  Make somebody else one first."""
    UNKNOWN_ID = "unknown-id"
    """There is no such device, token or invite of yours."""
    UNKNOWN_REQUEST = "unknown-request"
    """There is no such request, or no longer: it was answered or taken back."""
    ALREADY_THERE = "already-there"
    """It is so already.  Nothing changed."""
    NOT_FRIENDS = "not-friends"
    """This is between friends only.  Ask them first."""
    OFFLINE = "offline"
    """They are not there now.  Try again when they are."""
    BLOCKED = "blocked"
    """They have blocked you.  Only the classic profile says so."""
    TOO_MANY = "too-many"
    """There are as many as may be.  Remove one first."""
    NOT_IMPLEMENTED = "not-implemented"
    """This server knows the feature and does not have it."""
    TRY_AGAIN_LATER = "try-again-later"
    """Busy, or a part of the server is away.  Wait `retry_after_s` and repeat with the same cookie."""
    WRONG_HASH = "wrong-hash"
    """What arrived is not what was announced; nothing of it was kept.  Send it again from the start."""
    STORAGE_FULL = "storage-full"
    """The server cannot store.  Nothing was stored; the administrator must make room."""
    INTERNAL_ERROR = "internal-error"
    """A fault of the server, logged there.  Repeat later with the same cookie."""
    REPLACED = "replaced"
    """The same device connected again; this older link is closed."""
    REVOKED = "revoked"
    """The session was revoked from another device.  Log in with the password."""
    DISABLED = "disabled"
    """The account is disabled.  Ask the administrator; only they can let it in again."""
    ACCOUNT_DELETED = "account-deleted"
    """The account is gone."""
    SLOW_CONSUMER = "slow-consumer"
    """The client did not read what it was sent.  Reconnect; nothing is lost."""
    IDLE = "idle"
    """Nothing came, not even PONG.  Reconnect."""
    INACTIVE = "inactive"
    """No command came for so long that this server logs out (classic profile).  Log in again."""
    NO_ANSWER = "no-answer"
    """They did not answer in time."""
    NO_DIRECT_PATH = "no-direct-path"
    """The two devices cannot reach each other.  Write through the server, or be on one network."""
    WITHDRAWN = "withdrawn"
    """Who asked no longer asks."""
    ANSWERED = "answered"
    """Another device of yours has answered."""
    UNKNOWN_CONFERENCE = "unknown-conference"
    """There is no such conference, or none that you may see."""
    NOT_INSIDE = "not-inside"
    """This is between those who are in the conference.  Join it first."""
    AMBIGUOUS = "ambiguous"
    """Several are meant by this.  Choose one by its id."""
    MESH_FULL = "mesh-full"
    """The conference is too large for more audio or video from leg to leg.  Take part with less, or start another."""
    REMOVED = "removed"
    """The owner put you out.  Only an invitation lets you in again."""
    ENDED = "ended"
    """Its owner ended it for all."""
    OWNER_LEFT = "owner-left"
    """Its owner left, and that ended it."""
    EMPTY = "empty"
    """Nobody was left in it."""
    TOO_MANY_ERRORS = "too-many-errors"
    """The budget of bad lines is spent.  Fix the sender."""
    SHUTTING_DOWN = "shutting-down"
    """The server stops.  Reconnect after `retry_after_s`."""
    LOGGED_OUT = "logged-out"
    """You asked for it."""


ERROR_TEXT: dict[ErrorCode, str] = {
    ErrorCode.BAD_PACKET: "This line is not a packet.",
    ErrorCode.BAD_REQUEST: "The request is not well formed.",
    ErrorCode.TOO_LARGE: "The line is too long.",
    ErrorCode.TLS_REQUIRED: "Plain text is accepted from this machine only. Connect with TLS.",
    ErrorCode.NOT_LOGGED_IN: "Log in first.",
    ErrorCode.ALREADY_LOGGED_IN: "This link is logged in already.",
    ErrorCode.WRONG_CREDENTIALS: "Wrong login or password.",
    ErrorCode.LOCKED: "Too many failures. Try again later.",
    ErrorCode.REGISTRATION_CLOSED: "This server makes accounts by invitation of its administrator only.",
    ErrorCode.BAD_INVITE: "This code is not valid, or no longer.",
    ErrorCode.BAD_LOGIN: "A name has 1 to 64 characters, without spaces and without \" & ' / : < > @.",
    ErrorCode.LOGIN_TAKEN: "This name is taken.",
    ErrorCode.UNKNOWN_MECHANISM: "This way to log in is not offered here.",
    ErrorCode.UNKNOWN_USER: "There is no such user.",
    ErrorCode.SELF: "You cannot do this to yourself.",
    ErrorCode.UNKNOWN_MESSAGE: "There is no such message.",
    ErrorCode.FORBIDDEN: "This is not yours to change.",
    ErrorCode.LAST_ADMIN: "This is the only administrator. Make somebody else one first.",
    ErrorCode.UNKNOWN_ID: "There is none of that id.",
    ErrorCode.UNKNOWN_REQUEST: "There is no such request, or no longer.",
    ErrorCode.ALREADY_THERE: "It is so already.",
    ErrorCode.NOT_FRIENDS: "You are not friends.",
    ErrorCode.OFFLINE: "They are not online.",
    ErrorCode.BLOCKED: "They have blocked you.",
    ErrorCode.TOO_MANY: "There are too many already. Remove one first.",
    ErrorCode.NOT_IMPLEMENTED: "This server does not have that.",
    ErrorCode.TRY_AGAIN_LATER: "The server is busy. Try again later.",
    ErrorCode.WRONG_HASH: "The file arrived damaged. Try it once more.",
    ErrorCode.STORAGE_FULL: "The server has no room left. Nothing was saved; tell its administrator.",
    ErrorCode.INTERNAL_ERROR: "Something went wrong on the server.",
    ErrorCode.REPLACED: "This device connected from elsewhere.",
    ErrorCode.REVOKED: "This session was revoked.",
    ErrorCode.DISABLED: "This account is disabled. Ask the administrator of this server.",
    ErrorCode.ACCOUNT_DELETED: "This account was deleted.",
    ErrorCode.SLOW_CONSUMER: "The client does not read what it is sent.",
    ErrorCode.IDLE: "The link was silent for too long.",
    ErrorCode.INACTIVE: "You were logged out: no command came for too long.",
    ErrorCode.NO_ANSWER: "They did not answer.",
    ErrorCode.NO_DIRECT_PATH: "There is no direct path to the other device.",
    ErrorCode.WITHDRAWN: "The request was withdrawn.",
    ErrorCode.ANSWERED: "Another device of yours has answered.",
    ErrorCode.UNKNOWN_CONFERENCE: "There is no such conference, or no longer.",
    ErrorCode.NOT_INSIDE: "Only those who are in the conference can do this.",
    ErrorCode.AMBIGUOUS: "There are several of that name. Choose one by its id.",
    ErrorCode.MESH_FULL: "The conference is too large for more sound or pictures. You take part with less.",
    ErrorCode.REMOVED: "The owner has removed you from the conference.",
    ErrorCode.ENDED: "Its owner has ended the conference.",
    ErrorCode.OWNER_LEFT: "The conference ended because its owner left.",
    ErrorCode.EMPTY: "Nobody was left in the conference.",
    ErrorCode.TOO_MANY_ERRORS: "Too many bad lines.",
    ErrorCode.SHUTTING_DOWN: "The server is stopping.",
    ErrorCode.LOGGED_OUT: "Goodbye.",
}
"""The one catalogue of English texts (row X25); front-ends translate by code."""


class Failed(Packet, kw_only=True):
    """The common shape of every refusal `<REQUEST>-FAILED`."""

    code: ErrorCode
    reason: str = ""
    retry_after_s: float | None = None
    tag: Tag | None = None
