"""What a client knows, as a pure fold of packets: `state = fold(state, packet)`.

Rules:

1. A message is a *base* (MESSAGE, HISTORY-GET-OK, SEARCH-OK, or one's own MESSAGE-SENT) and *changes* on top of it.
   Changes are registers in which the highest id of a change wins, and a retraction wins for ever; so they may come
   before their message, twice, or beside a page of history that is older than they are, and the result is the same.
2. Marks (read, delivered) only rise.
3. How much is unread follows from the last snapshot, the messages that are known and the read mark; it is not counted
   up and down.  Law: snapshot and events give what a fresh snapshot gives.
4. Typing ends by TYPING-END, by a message, or 10 s after it was last heard of.
5. What this device sends is `pending` until MESSAGE-SENT turns it into a message, or a refusal says why it will not be.

A conversation is complete from `complete_from` on: older messages are on the server.  people.py folds the people,
conferences.py the conferences.

ANNOUNCEMENT and SNAPSHOT tell what an administrator tells everyone; there is one at a time.

Source: rows M16-M23, M48, X01, X04, X15, X17; STYLE.md, Laws.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from veche.packets import ERROR_TEXT, Packet
from veche.packets.account import ConnectOk
from veche.packets.admin import Announced, Announcement
from veche.packets.blocking import BlockOk
from veche.packets.conference import CallEntry
from veche.packets.files import FileInfo
from veche.packets.message import (
    ConversationState,
    Edit,
    Edited,
    EditOk,
    HistoryGet,
    HistoryGetOk,
    HistoryMessage,
    Message,
    MessageDelivered,
    MessageRead,
    MessageSend,
    MessageSendFailed,
    MessageSent,
    React,
    Reacted,
    ReactOk,
    Retract,
    Retracted,
    RetractOk,
    Snapshot,
    TypingEnd,
    TypingStarted,
)

from .conferences import Conferences, fold_conferences
from .people import fold_people

TYPING_S = 10.0
MAX_POSTS = 1000
"""A conversation keeps at most so many messages; older ones are on the server."""
Reactions = dict[tuple[str, str], tuple[int, bool]]
"""(who, emoji) -> (id of the change, 0 for the base; whether it is there)"""


class Post(Struct, frozen=True, kw_only=True):
    """One message as it stands.  While only changes of it are known it has no `at` (`is_known`)."""

    id: int
    author: str = ""
    at: str = ""
    text: str = ""
    files: tuple[FileInfo, ...] = ()
    reply_to: int | None = None
    edited: bool = False
    retracted: bool = False
    text_id: int = 0
    """The edit that the text is of, 0: the base's."""
    retract_id: int = 0
    """The change that took it back, 0: not known."""
    call: CallEntry | None = None
    """Not a text but a call of the author to the reader."""
    registers: Reactions = field(default_factory=dict[tuple[str, str], tuple[int, bool]])

    @property
    def is_known(self) -> bool:
        return bool(self.at)

    @property
    def reactions(self) -> list[tuple[str, str]]:
        """(who, emoji), in a stable order.  What was taken back has none."""
        return [] if self.retracted else sorted(key for key, (_, is_there) in self.registers.items() if is_there)


class Pending(Struct, frozen=True, kw_only=True):
    """A message of this device that is not stored yet, or never will be (`failed` says why)."""

    text: str
    files: tuple[str, ...] = ()
    """Ids of uploads."""
    reply_to: int | None = None
    failed: str = ""


class Conversation(Struct, frozen=True, kw_only=True):
    """One conversation.  posts: ascending by id.  pending: by cookie, in the order of sending."""

    peer: str
    posts: dict[int, Post] = field(default_factory=dict[int, Post])
    pending: dict[str, Pending] = field(default_factory=dict[str, Pending])
    last_id: int = 0
    """The newest entry known."""
    read_id: int = 0
    peer_read_id: int = 0
    peer_delivered_id: int = 0
    complete_from: int | None = None
    """Every message from this id on is in `posts`; 0: there are no older ones; None: not known."""
    snapshot: ConversationState | None = None
    """The last one told."""

    @property
    def unread(self) -> int:
        """Messages of the peer that are not read; rule 3."""
        upto = self.snapshot.last_id if self.snapshot is not None else 0
        new = sum(
            1
            for post in self.posts.values()
            if post.id > upto and post.id > self.read_id and post.author == self.peer and post.at and not post.retracted
        )
        if self.snapshot is None or self.read_id >= upto or not self.snapshot.unread:
            return new
        gone = 0  # counted by the snapshot, but read or taken back since
        for post in self.posts.values():
            if self.snapshot.read_id < post.id <= upto and post.author == self.peer:
                was_counted = not post.retracted or post.retract_id > upto
                gone += was_counted and (post.id <= self.read_id or post.retracted)
        return new + max(0, self.snapshot.unread - gone)

    def known(self) -> list[Post]:
        """The messages that can be shown without a gap, oldest first."""
        start = self.complete_from or 0
        return [post for post in self.posts.values() if post.at and post.id >= start]


class State(Conferences, frozen=True, kw_only=True):
    """Everything that one account's client shows: the people, and what is written between them."""

    admin: bool = False
    """I may do what only administrators may."""
    announcement: Announcement | None = None
    conversations: dict[str, Conversation] = field(default_factory=dict[str, Conversation])
    typing: dict[str, float] = field(default_factory=dict[str, float])
    """peer -> when it ends"""

    def conversation(self, peer: str) -> Conversation:
        """The conversation with a full address; an empty one when there is none."""
        return self.conversations.get(peer) or Conversation(peer=peer)

    def is_typing(self, peer: str, now: float) -> bool:
        return self.typing.get(peer, 0.0) > now

    def holder(self, message_id: int) -> Conversation | None:
        """The conversation that a known message belongs to."""
        for conversation in self.conversations.values():
            post = conversation.posts.get(message_id)
            if post is not None and post.at:
                return conversation
        return None


def fold(state: State, packet: Packet, *, now: float = 0.0, request: Packet | None = None, key: str = "") -> State:
    """Return the state after `packet`, a packet of the server, or a MESSAGE of ours that is about to be sent.

    request: what the packet answers.  key: the cookie of a MESSAGE of ours.  now: seconds, for typing.
    """
    match packet:
        case Message():
            return _message(state, packet)
        case MessageSent():
            return _sent(state, packet, request)
        case MessageSend():
            peer = state.address(packet.to)
            old = state.conversation(peer)
            pending = Pending(text=packet.text, files=tuple(packet.files), reply_to=packet.reply_to)
            return _with(state, replace(old, pending={**old.pending, key or packet.cookie or "": pending}))
        case MessageSendFailed():
            return _refused(state, packet, request)
        case Edited() | Retracted() | Reacted():
            peer = packet.to if packet.from_ == state.me else packet.from_
            old = state.conversation(peer)
            old = replace(old, last_id=max(old.last_id, packet.id))
            return _with(state, _put(old, _changed(old.posts.get(packet.target), packet)))
        case EditOk() | RetractOk() | ReactOk():
            return _changed_by_us(state, packet.id, request)
        case MessageRead():
            return _read(state, packet)
        case MessageDelivered():
            if packet.peer != state.me:
                return state
            old = state.conversation(packet.by)
            return _with(state, replace(old, peer_delivered_id=max(old.peer_delivered_id, packet.id)))
        case TypingStarted():
            return replace(state, typing={**state.typing, packet.from_: now + TYPING_S})
        case TypingEnd():
            return _not_typing(state, packet.from_)
        case HistoryGetOk():
            return _history(state, packet, request)
        case Snapshot():
            return _snapshot(state, packet)
        case Announced():
            told = Announcement(text=packet.text, at=packet.at, by=packet.by) if packet.text else None
            return replace(state, announcement=told)
        case ConnectOk():
            return replace(fold_people(state, packet), admin=packet.admin)
        case BlockOk():
            return _not_typing(fold_people(state, packet), packet.login)
        case _:
            return fold_conferences(state, packet, request)


def _with(state: State, conversation: Conversation) -> State:
    return replace(state, conversations={**state.conversations, conversation.peer: conversation})


def _not_typing(state: State, peer: str) -> State:
    if peer not in state.typing:
        return state
    return replace(state, typing={who: until for who, until in state.typing.items() if who != peer})


# -- messages


def _message(state: State, packet: Message) -> State:
    is_mine = packet.from_ == state.me
    peer = packet.to if is_mine else packet.from_
    old = state.conversation(peer)
    old = replace(old, last_id=max(old.last_id, packet.id))
    state = _with(state, _put(old, _based(old.posts.get(packet.id), packet)))
    return state if is_mine else _not_typing(state, peer)


def _sent(state: State, packet: MessageSent, request: Packet | None) -> State:
    if not isinstance(request, MessageSend):
        return state
    old = state.conversation(state.address(request.to))
    base = HistoryMessage(
        id=packet.id,
        seq=packet.seq,
        from_=state.me,
        at=packet.at,
        text=request.text,
        files=packet.files,
        reply_to=request.reply_to,
    )
    pending = {key: value for key, value in old.pending.items() if key != packet.cookie}
    new = replace(old, pending=pending, last_id=max(old.last_id, packet.id))
    return _with(state, _put(new, _based(old.posts.get(packet.id), base)))


def _refused(state: State, packet: MessageSendFailed, request: Packet | None) -> State:
    if not isinstance(request, MessageSend) or packet.cookie is None:
        return state
    old = state.conversation(state.address(request.to))
    if packet.cookie not in old.pending:
        return state
    failed = replace(old.pending[packet.cookie], failed=packet.reason or ERROR_TEXT[packet.code])
    return _with(state, replace(old, pending={**old.pending, packet.cookie: failed}))


def _based(post: Post | None, base: Message | HistoryMessage) -> Post:
    """The post with its base known."""
    post = post or Post(id=base.id)
    retracted = post.retracted or base.retracted
    text, edited = base.text, base.edited
    if post.text_id or (post.edited and not edited):
        text, edited = post.text, True
    registers = post.registers
    if isinstance(base, HistoryMessage) and base.reactions:
        registers = {**{(one.by, one.emoji): (0, True) for one in base.reactions}, **registers}
    return replace(
        post,
        author=base.from_,
        at=base.at,
        text="" if retracted else text,
        files=() if retracted else tuple(base.files),
        reply_to=base.reply_to,
        edited=edited,
        retracted=retracted,
        registers=registers,
        call=base.call,
    )


def _changed(post: Post | None, change: Edited | Retracted | Reacted) -> Post:
    """The post with one change applied; rule 1."""
    post = post or Post(id=change.target)
    match change:
        case Edited():
            if change.id < post.text_id:
                return post
            text = "" if post.retracted else change.text
            return replace(post, author=change.from_, text=text, edited=True, text_id=change.id)
        case Retracted():
            return replace(post, author=change.from_, text="", files=(), retracted=True, retract_id=change.id)
        case Reacted():
            key = change.from_, change.emoji
            if post.registers.get(key, (-1, False))[0] >= change.id:
                return post
            return replace(post, registers={**post.registers, key: (change.id, not change.removed)})


def _changed_by_us(state: State, change_id: int, request: Packet | None) -> State:
    if not isinstance(request, Edit | Retract | React):
        return state
    old = state.holder(request.id)
    if old is None:
        return state
    common: dict[str, Any] = {"id": change_id, "seq": 1, "from_": state.me, "to": old.peer, "at": ""}
    match request:
        case Edit():
            change = Edited(**common, target=request.id, text=request.text)
        case Retract():
            change = Retracted(**common, target=request.id)
        case React():
            change = Reacted(**common, target=request.id, emoji=request.emoji, removed=request.remove)
    return _with(state, _put(old, _changed(old.posts.get(request.id), change)))


def _put(conversation: Conversation, *posts: Post) -> Conversation:
    """The conversation with these posts in place of what it had of them."""
    merged = dict(conversation.posts)
    newest = next(reversed(merged), 0)
    is_sorted = True
    for post in posts:
        is_sorted = is_sorted and (post.id in merged or post.id > newest)
        merged[post.id] = post
        newest = max(newest, post.id)
    return replace(conversation, posts=merged if is_sorted else dict(sorted(merged.items())))


def trimmed(state: State, peer: str) -> State:
    """Forget what is older than the newest `MAX_POSTS` of a conversation; it can be had from the server again."""
    old = state.conversation(peer)
    if len(old.posts) <= MAX_POSTS:
        return state
    kept = dict(list(old.posts.items())[-MAX_POSTS:])
    return _with(state, replace(old, posts=kept, complete_from=max(next(iter(kept)), old.complete_from or 0)))


# -- pages, marks, the snapshot


def _history(state: State, packet: HistoryGetOk, request: Packet | None) -> State:
    old = state.conversation(packet.peer)
    new = _put(old, *(_based(old.posts.get(one.id), one) for one in packet.messages))
    last = max((one.id for one in packet.messages), default=0)
    new = replace(new, last_id=max(new.last_id, last))
    if isinstance(request, HistoryGet) and request.after is None:
        start = min((one.id for one in packet.messages), default=0) if packet.more else 0
        is_joined = request.before is None or (old.complete_from is not None and request.before >= old.complete_from)
        if is_joined and (old.complete_from is None or start < old.complete_from):
            new = replace(new, complete_from=start)
    return _with(state, new)


def _read(state: State, packet: MessageRead) -> State:
    if packet.by != state.me:
        if packet.peer != state.me:
            return state
        old = state.conversation(packet.by)
        return _with(state, replace(old, peer_read_id=max(old.peer_read_id, packet.id)))
    old = state.conversation(packet.peer)
    return _with(state, replace(old, read_id=max(old.read_id, packet.id)))


def _snapshot(state: State, packet: Snapshot) -> State:
    conversations = dict(state.conversations)
    for told in packet.conversations:
        old = state.conversation(told.peer)
        conversations[told.peer] = replace(
            old,
            last_id=max(old.last_id, told.last_id),
            read_id=max(old.read_id, told.read_id),
            peer_read_id=max(old.peer_read_id, told.peer_read_id),
            peer_delivered_id=max(old.peer_delivered_id, told.peer_delivered_id),
            snapshot=told,
        )
    return fold_conferences(replace(state, conversations=conversations, announcement=packet.announcement), packet)
