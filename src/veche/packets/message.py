"""Packets of messages between two accounts: sending, delivery, reading, changing, typing, history, search.

An id is ascending in the order in which the server stored things, so a device's place in the delivery is one id:
everything up to it has been taken.  Messages, edits, retractions and reactions are entries of one log per
conversation, each with an id and a `seq`; they reach every device of both people in the order of their ids.

Source: rows M13-M23, T26-T29, X04, X05, X17.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from .admin import Announcement
from .base import MAX_TEXT, Address, Cookie, Failed, Instant, Login, MessageId, Packet, Seq, Tag, Text
from .conference import CallEntry, ConferenceView
from .contacts import Contact
from .files import FileIds, FileInfo
from .profile import Profile

Limit = Annotated[int, Meta(ge=1, le=200)]
Emoji = Annotated[str, Meta(min_length=1, max_length=32)]
Caption = Annotated[str, Meta(max_length=MAX_TEXT, description="code points, any text; empty beside files only")]


# -- sending


class MessageSend(Packet, kw_only=True, tag="MESSAGE"):
    """Asks to deliver a text, files, or both.  Answer: MESSAGE-SENT, once it is stored, or MESSAGE-SEND-FAILED."""

    to: Login
    text: Caption = ""
    files: FileIds = []  # noqa: RUF012 - msgspec gives each packet its own
    cookie: Cookie | None = None
    reply_to: MessageId | None = None
    from_: str | None = field(name="from", default=None)
    """A client that names a sender is refused with `forbidden` (rows A16, M72)."""
    tag: Tag | None = None


class Message(Packet, kw_only=True, tag="MESSAGE"):
    """A message, told to every device of both people but the one that sent it."""

    id: MessageId
    seq: Seq
    from_: Address = field(name="from")
    to: Address
    at: Instant
    text: str
    files: list[FileInfo] = []  # noqa: RUF012 - msgspec gives each packet its own
    reply_to: MessageId | None = None
    edited: bool = False
    """Replayed after an edit: `text` is the newest."""
    retracted: bool = False
    """Replayed after a retraction: `text` is empty, and there are no files."""
    call: CallEntry | None = None
    """Not a text but a call of the author to the reader (row V33)."""


class MessageSent(Packet, kw_only=True, tag="MESSAGE-SENT"):
    """The message is stored and will be delivered."""

    id: MessageId
    seq: Seq
    at: Instant
    files: list[FileInfo] = []  # noqa: RUF012 - msgspec gives each packet its own
    cookie: Cookie | None = None
    tag: Tag | None = None


class MessageSendFailed(Failed, kw_only=True, tag="MESSAGE-SEND-FAILED"):
    """Nothing was stored.

    Codes: unknown-user, self, unknown-message (reply_to), unknown-id (files), forbidden, storage-full,
    try-again-later; in the classic profile also blocked.
    """

    cookie: Cookie | None = None


# -- delivery and reading


class MessageDeliveredUpTo(Packet, kw_only=True, tag="MESSAGE-DELIVERED"):
    """This device has everything up to `id`.  No answer."""

    id: MessageId


class MessageReadUpTo(Packet, kw_only=True, tag="MESSAGE-READ"):
    """The person has read the conversation that holds message `id`, up to it.  No answer unless it fails."""

    id: MessageId
    tag: Tag | None = None


class MessageReadFailed(Failed, kw_only=True, tag="MESSAGE-READ-FAILED"):
    """Code: unknown-message."""


class MessageDelivered(Packet, kw_only=True, tag="MESSAGE-DELIVERED"):
    """`by` has, on some device, everything that `peer` wrote up to `id`.  Told to the devices of both."""

    id: MessageId
    peer: Address
    """The author, whose messages these are."""
    by: Address


class MessageRead(Packet, kw_only=True, tag="MESSAGE-READ"):
    """`by` has read the conversation with `peer` up to `id`.  Told to the devices of both."""

    id: MessageId
    peer: Address
    by: Address


# -- changing what was sent


class Edit(Packet, kw_only=True, tag="EDIT"):
    """Replaces the text of one's own message.  Answer: EDIT-OK or EDIT-FAILED."""

    id: MessageId
    text: Text
    cookie: Cookie | None = None
    tag: Tag | None = None


class EditOk(Packet, kw_only=True, tag="EDIT-OK"):
    """Stored; `id` is that of the change itself."""

    id: MessageId
    cookie: Cookie | None = None
    tag: Tag | None = None


class EditFailed(Failed, kw_only=True, tag="EDIT-FAILED"):
    """Nothing changed.  Codes: unknown-message, forbidden."""


class Edited(Packet, kw_only=True, tag="EDITED"):
    """The author replaced the text of message `target`."""

    id: MessageId
    seq: Seq
    from_: Address = field(name="from")
    to: Address
    at: Instant
    target: MessageId
    text: str


class Retract(Packet, kw_only=True, tag="RETRACT"):
    """Takes back one's own message; its text is erased.  Answer: RETRACT-OK or RETRACT-FAILED."""

    id: MessageId
    cookie: Cookie | None = None
    tag: Tag | None = None


class RetractOk(Packet, kw_only=True, tag="RETRACT-OK"):
    """Stored; `id` is that of the change itself."""

    id: MessageId
    cookie: Cookie | None = None
    tag: Tag | None = None


class RetractFailed(Failed, kw_only=True, tag="RETRACT-FAILED"):
    """Nothing changed.  Codes: unknown-message, forbidden."""


class Retracted(Packet, kw_only=True, tag="RETRACTED"):
    """The author took message `target` back."""

    id: MessageId
    seq: Seq
    from_: Address = field(name="from")
    to: Address
    at: Instant
    target: MessageId


class React(Packet, kw_only=True, tag="REACT"):
    """Adds or removes one's reaction to a message.  Answer: REACT-OK or REACT-FAILED."""

    id: MessageId
    emoji: Emoji
    remove: bool = False
    cookie: Cookie | None = None
    tag: Tag | None = None


class ReactOk(Packet, kw_only=True, tag="REACT-OK"):
    """Stored; `id` is that of the change itself."""

    id: MessageId
    cookie: Cookie | None = None
    tag: Tag | None = None


class ReactFailed(Failed, kw_only=True, tag="REACT-FAILED"):
    """Nothing changed.  Codes: unknown-message."""


class Reacted(Packet, kw_only=True, tag="REACTED"):
    """Someone reacted to message `target`, or took that reaction back."""

    id: MessageId
    seq: Seq
    from_: Address = field(name="from")
    to: Address
    at: Instant
    target: MessageId
    emoji: str
    removed: bool = False


# -- typing: ephemeral, never stored


class TypingStartedTo(Packet, kw_only=True, tag="TYPING-STARTED"):
    """I am writing to `to`.  No answer; forgotten after 10 s, by TYPING-END or by a message."""

    to: Login


class TypingEndTo(Packet, kw_only=True, tag="TYPING-END"):
    """I stopped writing.  No answer."""

    to: Login


class TypingStarted(Packet, kw_only=True, tag="TYPING-STARTED"):
    """`from` is writing to you."""

    from_: Address = field(name="from")


class TypingEnd(Packet, kw_only=True, tag="TYPING-END"):
    """`from` stopped writing, or has been silent for 10 s."""

    from_: Address = field(name="from")


# -- state after login, history, search


class ConversationState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One conversation as it stands."""

    peer: Address
    last_id: MessageId = 0
    unread: int = 0
    """Messages of the peer after my read mark, counted up to 1,000."""
    read_id: MessageId = 0
    """Read by me up to here."""
    peer_read_id: MessageId = 0
    peer_delivered_id: MessageId = 0


class Snapshot(Packet, kw_only=True, tag="SNAPSHOT"):
    """The state after login, once.  Law: this and the events that follow equal a fresh one."""

    conversations: list[ConversationState] = []  # noqa: RUF012 - msgspec gives each packet its own
    blocked: list[str] = []  # noqa: RUF012 - msgspec gives each packet its own
    contacts: list[Contact] = []  # noqa: RUF012 - msgspec gives each packet its own
    profile: Profile | None = None
    """My own."""
    announcement: Announcement | None = None
    conferences: list[ConferenceView] = []  # noqa: RUF012 - msgspec gives each packet its own
    """As CONFERENCE-LIST-OK has them."""
    upto: MessageId = 0
    """Everything the account was told of up to this id is in it."""


class ReplayEnd(Packet, kw_only=True, tag="REPLAY-END"):
    """All that was missed has been sent; what follows is live."""

    upto: MessageId


class HistoryGet(Packet, kw_only=True, tag="HISTORY-GET"):
    """Asks for a page of a conversation: the newest, or those before or after an id.  Answer: HISTORY-GET-OK."""

    peer: Login
    before: MessageId | None = None
    after: MessageId | None = None
    limit: Limit = 50
    tag: Tag | None = None


class Reaction(Struct, frozen=True, kw_only=True):
    """One reaction to a message."""

    by: Address
    emoji: str


class HistoryMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message as it stands today: edits, retraction and reactions applied."""

    id: MessageId
    seq: Seq
    from_: Address = field(name="from")
    at: Instant
    text: str
    files: list[FileInfo] = []
    reply_to: MessageId | None = None
    edited: bool = False
    retracted: bool = False
    reactions: list[Reaction] = []
    call: CallEntry | None = None


class HistoryGetOk(Packet, kw_only=True, tag="HISTORY-GET-OK"):
    """A page of a conversation, oldest first."""

    peer: Address
    messages: list[HistoryMessage]
    more: bool = False
    """There are further messages in the direction asked for."""
    tag: Tag | None = None


class HistoryGetFailed(Failed, kw_only=True, tag="HISTORY-GET-FAILED"):
    """Codes: unknown-user, bad-request."""


class Search(Packet, kw_only=True, tag="SEARCH"):
    """Finds messages of one conversation that hold all the words; the last word may be a beginning."""

    peer: Login
    query: Annotated[str, Meta(min_length=1, max_length=200)]
    before: MessageId | None = None
    limit: Limit = 20
    tag: Tag | None = None


class SearchOk(Packet, kw_only=True, tag="SEARCH-OK"):
    """What was found, newest first."""

    peer: Address
    messages: list[HistoryMessage]
    more: bool = False
    tag: Tag | None = None


class SearchFailed(Failed, kw_only=True, tag="SEARCH-FAILED"):
    """Codes: unknown-user, bad-request."""
