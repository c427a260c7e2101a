"""Packets of contacts: the people I know, how I call them, and whether we are friends.

One row for each (me, them) holds two independent facts (row X01): `listed`, with my name, group and memo for them,
which are mine alone; and `relation`, which two people make together.  CONTACT-UPDATED changes fields of that row; the
whole list is sent in SNAPSHOT and to who asks for it, never on a change (row M36).

    relation     FRIEND-REQUEST    their answer        FRIEND-CANCEL   FRIEND-REMOVE
    none         outgoing                              failed          failed
    outgoing     outgoing (again)  yes: mutual         none            failed
                                   no: still outgoing, as if they had not answered
    incoming     mutual (crossed)  mine, yes: mutual   failed          failed
                                   mine, no: none
    mutual       failed                                failed          none

A blocked contact shows as `blocked`, whatever it was; unblocking shows again what it was.

Source: rows A12-A29, M28-M43, X01, X02, X06, X22, X23; documents 000 and 003.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from .base import Address, Failed, Instant, Login, Packet, Tag
from .presence import Status

MAX_NAME = 100
MAX_NOTE = 500
MAX_MEMO = 2000

ShownName = Annotated[str, Meta(max_length=MAX_NAME, description="one line; empty: none")]
Note = Annotated[str, Meta(max_length=MAX_NOTE, description="what someone says about themselves")]
Memo = Annotated[str, Meta(max_length=MAX_MEMO, description="what I note about someone; nobody else sees it")]
Group = Annotated[str, Meta(max_length=200, description="path of nested groups, parted by `/`; empty: none")]


class Relation(StrEnum):
    """What I and somebody are to each other, as I see it."""

    NONE = "none"
    OUTGOING = "outgoing"
    """I have asked, and have no yes."""
    INCOMING = "incoming"
    """They have asked, and wait for my answer."""
    MUTUAL = "mutual"
    BLOCKED = "blocked"
    """I have blocked them; what else there is between us is hidden by it."""


class Contact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One contact as it stands."""

    id: Address
    name: str
    """To be shown: my own name for them, else their profile's, else their login (row X23)."""
    note: str = ""
    presence: Instant | None = None
    """When they were last seen to come or go; absent: not told to me."""
    status: Status = Status.UNKNOWN
    relation: Relation = Relation.NONE
    listed: bool = False
    own_name: str = ""
    """My own name for them."""
    group: str = ""
    memo: str = ""
    avatar: str = ""
    """SHA-256 of their picture, hexadecimal; PROFILE-GET brings the picture."""
    ignored: bool = False
    """An incoming request that I do not want to be reminded of."""


class ContactUpdated(Packet, kw_only=True, tag="CONTACT-UPDATED"):
    """A patch: the fields that are there are new.  Neither listed nor related any more: the contact is gone."""

    id: Address
    name: str | None = None
    note: str | None = None
    presence: Instant | None = None
    """Empty: no longer told."""
    status: Status | None = None
    relation: Relation | None = None
    listed: bool | None = None
    own_name: str | None = None
    group: str | None = None
    memo: str | None = None
    avatar: str | None = None
    ignored: bool | None = None


# -- the list


class ContactsGet(Packet, kw_only=True, tag="CONTACTS-GET"):
    """Asks for all contacts.  Answer: CONTACTS-GET-RESPONSE; it does not fail."""

    tag: Tag | None = None


class ContactsGetResponse(Packet, kw_only=True, tag="CONTACTS-GET-RESPONSE"):
    """All contacts: listed, asking, asked, friends, blocked."""

    contacts: list[Contact]
    tag: Tag | None = None


class ContactsAdd(Packet, kw_only=True, tag="CONTACTS-ADD"):
    """Lists somebody, and asks them to be friends unless that is under way.  Answer: CONTACTS-ADD-OK or -FAILED."""

    id: Login
    name: ShownName = ""
    group: Group = ""
    memo: Memo = ""
    tag: Tag | None = None


class ContactsAddOk(Packet, kw_only=True, tag="CONTACTS-ADD-OK"):
    """Listed."""

    id: Address
    relation: Relation
    tag: Tag | None = None


class ContactsAddFailed(Failed, kw_only=True, tag="CONTACTS-ADD-FAILED"):
    """Codes: unknown-user, self, already-there, try-again-later, too-many."""


class ContactsChange(Packet, kw_only=True, tag="CONTACTS-CHANGE"):
    """Changes my name, group or memo for a contact; what is absent stays.  Answer: CONTACTS-CHANGE-OK or -FAILED."""

    id: Login
    name: ShownName | None = None
    group: Group | None = None
    memo: Memo | None = None
    tag: Tag | None = None


class ContactsUpdate(ContactsChange, kw_only=True, tag="CONTACTS-UPDATE"):
    """Another name of CONTACTS-CHANGE (row M43).  A contact's note is theirs alone: one given here is passed over."""


class ContactsChangeOk(Packet, kw_only=True, tag="CONTACTS-CHANGE-OK"):
    """Changed."""

    id: Address
    tag: Tag | None = None


class ContactsChangeFailed(Failed, kw_only=True, tag="CONTACTS-CHANGE-FAILED"):
    """Codes: unknown-user, self, unknown-id (no contact of mine), bad-request."""


class ContactsDelete(Packet, kw_only=True, tag="CONTACTS-DELETE"):
    """Takes somebody off the list, ends the friendship, takes back my request.  Answer: -OK or -FAILED."""

    id: Login
    tag: Tag | None = None


class ContactsDeleteOk(Packet, kw_only=True, tag="CONTACTS-DELETE-OK"):
    """Gone from the list."""

    id: Address
    tag: Tag | None = None


class ContactsDeleteFailed(Failed, kw_only=True, tag="CONTACTS-DELETE-FAILED"):
    """Codes: unknown-user, self, unknown-id (no contact of mine)."""


# -- friends


class FriendRequest(Packet, kw_only=True, tag="FRIEND-REQUEST"):
    """Asks somebody to be friends; asking twice asks once.  Answer: FRIEND-REQUEST-OK or -FAILED."""

    login: Login
    from_: str | None = field(name="from", default=None)
    """The sender is whoever is logged in: a client that names one is refused with `forbidden` (row A16)."""
    tag: Tag | None = None


class FriendRequestOk(Packet, kw_only=True, tag="FRIEND-REQUEST-OK"):
    """Asked (`outgoing`); or they had asked me, and now we are friends (`mutual`)."""

    login: Address
    relation: Relation
    tag: Tag | None = None


class FriendRequestFailed(Failed, kw_only=True, tag="FRIEND-REQUEST-FAILED"):
    """Codes: unknown-user, self, already-there (friends), forbidden, try-again-later, too-many."""


class FriendRequested(Packet, kw_only=True, tag="FRIEND-REQUEST"):
    """`from` asks me to be friends.  A notice, told once; CONTACT-UPDATED and SNAPSHOT hold the state."""

    from_: Address = field(name="from")
    name: str = ""
    """As they call themselves."""


class FriendAnswer(Packet, kw_only=True, tag="FRIEND-ANSWER"):
    """Answers a request; they are told of a yes, never of a no.  Answer: FRIEND-ANSWER-OK or -FAILED."""

    login: Login
    accepted: bool
    tag: Tag | None = None


class FriendAnswerOk(Packet, kw_only=True, tag="FRIEND-ANSWER-OK"):
    """The request is gone."""

    login: Address
    accepted: bool
    tag: Tag | None = None


class FriendAnswerFailed(Failed, kw_only=True, tag="FRIEND-ANSWER-FAILED"):
    """Codes: unknown-request, unknown-user, self."""


class FriendIgnore(Packet, kw_only=True, tag="FRIEND-IGNORE"):
    """Leaves a request unanswered, and marks it on all my devices.  Answer: FRIEND-IGNORE-OK or -FAILED."""

    login: Login
    tag: Tag | None = None


class FriendIgnoreOk(Packet, kw_only=True, tag="FRIEND-IGNORE-OK"):
    """Marked; it can still be answered."""

    login: Address
    tag: Tag | None = None


class FriendIgnoreFailed(Failed, kw_only=True, tag="FRIEND-IGNORE-FAILED"):
    """Codes: unknown-request, unknown-user, self."""


class FriendCancel(Packet, kw_only=True, tag="FRIEND-CANCEL"):
    """Takes my own request back.  Answer: FRIEND-CANCEL-OK or -FAILED."""

    login: Login
    tag: Tag | None = None


class FriendCancelOk(Packet, kw_only=True, tag="FRIEND-CANCEL-OK"):
    """Taken back."""

    login: Address
    tag: Tag | None = None


class FriendCancelFailed(Failed, kw_only=True, tag="FRIEND-CANCEL-FAILED"):
    """Codes: unknown-request, unknown-user, self."""


class FriendRemove(Packet, kw_only=True, tag="FRIEND-REMOVE"):
    """Ends a friendship.  Answer: FRIEND-REMOVE-OK or -FAILED."""

    login: Login
    tag: Tag | None = None


class FriendRemoveOk(Packet, kw_only=True, tag="FRIEND-REMOVE-OK"):
    """Ended, for both."""

    login: Address
    tag: Tag | None = None


class FriendRemoveFailed(Failed, kw_only=True, tag="FRIEND-REMOVE-FAILED"):
    """Codes: not-friends, unknown-user, self."""
