"""Requests from their asking to their answer, across lost links.

Rules:

1. Each request gets a key, `<run>-<counter>`, as its cookie and its tag; keys ascend within a run, and runs differ.
2. Requests are sent in the order in which they were asked.
3. What the server keeps under its cookie (MESSAGE, EDIT, RETRACT, REACT) is sent again after a lost link, in the old
   order and under the old cookie, until it is answered: done exactly once.
4. At most `window` of these are on the way at once.
5. A request that may be repeated without harm is sent again too.  Of any other nobody knows whether it was done; it
   ends with the link.
6. What the server would refuse for its shape or size is not sent.

Source: rows M13-M15, M19.
"""

from __future__ import annotations

from collections import deque

import msgspec

from veche.packets import MAX_LINE_BYTES, MAX_TEXT, ErrorCode, Packet, type_name
from veche.packets.account import AccountExport, SessionsGet, TokenList
from veche.packets.blocking import Block, Unblock
from veche.packets.codec import BadPacket, JsonCodec
from veche.packets.conference import Signal
from veche.packets.contacts import ContactsChange, ContactsGet, ContactsUpdate, FriendIgnore
from veche.packets.files import FileDownload
from veche.packets.link import Limits
from veche.packets.message import (
    Edit,
    HistoryGet,
    MessageReadUpTo,
    MessageSend,
    React,
    Retract,
    Search,
    TypingEndTo,
    TypingStartedTo,
)
from veche.packets.presence import PresenceSet, WhoElse, WhoElseSince
from veche.packets.profile import ProfileGet, ProfileUpdate

from .events import NotAPacket

CODEC = JsonCodec()
"""Made once: the decoders of all packets take some milliseconds."""
DEFAULT_WINDOW = 64
"""Before HELLO has said one."""

KEPT = (MessageSend, Edit, Retract, React)
"""Rule 3."""
REPEATABLE = (
    *(HistoryGet, Search, SessionsGet, TokenList, AccountExport, ContactsGet, ProfileGet, WhoElse, WhoElseSince),
    *(Block, Unblock, ContactsChange, ContactsUpdate, FriendIgnore, ProfileUpdate, FileDownload),
)
"""Rule 5."""
NEVER_ANSWERED = (MessageReadUpTo, TypingStartedTo, TypingEndTo, PresenceSet, Signal)
"""Requests whose success is not answered: sent is done."""


class Asked:
    """One request."""

    __slots__ = ("is_kept", "key", "line", "packet")

    def __init__(self, key: str, packet: Packet, line: bytes) -> None:
        self.key, self.packet, self.line = key, packet, line
        self.is_kept = isinstance(packet, KEPT)


class Outbox:
    """The requests of one run of a device.  run: makes its keys differ from those of any other; 1..40 characters."""

    def __init__(self, run: str) -> None:
        self.limits: Limits | None = None
        """of the server, once it has said HELLO"""
        self._run = run
        self._count = 0
        self._waiting: deque[Asked] = deque()
        self._on_the_way: dict[str, Asked] = {}
        self._kept_on_the_way = 0
        self._encode, self._decode = CODEC.encode, CODEC.decode_client

    @property
    def window(self) -> int:
        """How many kept requests may be on the way at once."""
        return max(1, self.limits.unacknowledged) if self.limits is not None else DEFAULT_WINDOW

    @property
    def unfinished(self) -> int:
        """Requests that are not answered yet, sent or not."""
        return len(self._waiting) + len(self._on_the_way)

    @property
    def has_room(self) -> bool:
        """Another request would not only lengthen the queue."""
        return len(self._waiting) < self.window

    # -- out

    def ask(self, packet: Packet) -> str:
        """Put a request at the end of the queue; returns its key.  Raises NotAPacket."""
        asked = self._make(packet)
        self._waiting.append(asked)
        return asked.key

    def ask_at_once(self, packet: Packet) -> bytes:
        """The same for a request that does not wait for the login; returns its line, to be sent now."""
        asked = self._make(packet)
        self._on_the_way[asked.key] = asked
        return asked.line

    @property
    def last_key(self) -> str:
        """The key of the last request that was asked."""
        return f"{self._run}-{self._count}"

    def forget(self, key: str) -> bool:
        """Take back a request that has not been sent yet.  Returns whether that went."""
        for asked in self._waiting:
            if asked.key == key:
                self._waiting.remove(asked)
                return True
        return False

    def send(self, out: list[bytes]) -> None:
        """Put the lines of what may be sent now into `out`."""
        waiting = self._waiting
        room = self.window - self._kept_on_the_way
        while waiting:
            asked = waiting[0]
            if asked.is_kept:
                if room <= 0:
                    return
                room -= 1
                self._kept_on_the_way += 1
            waiting.popleft()
            out.append(asked.line)
            if not isinstance(asked.packet, NEVER_ANSWERED):
                self._on_the_way[asked.key] = asked

    # -- in

    def answered(self, key: str | None) -> Asked | None:
        """The request under this key has its answer.  None: there is no such request."""
        asked = self._on_the_way.pop(key, None) if key is not None else None
        if asked is not None and asked.is_kept:
            self._kept_on_the_way -= 1
        return asked

    def oldest(self, request_type: str) -> str | None:
        """The key of the oldest request of a type that is on the way."""
        return next((a.key for a in self._on_the_way.values() if type_name(a.packet) == request_type), None)

    def on_the_way(self, key: str | None) -> Packet | None:
        """The request under this key, if it is on the way."""
        asked = self._on_the_way.get(key or "")
        return None if asked is None else asked.packet

    def link_lost(self) -> list[Asked]:
        """Put back what is to be sent again; returns what ends unanswered (rules 3 and 5)."""
        again = [one for one in self._on_the_way.values() if one.is_kept or isinstance(one.packet, REPEATABLE)]
        ended = [one for one in self._on_the_way.values() if not (one.is_kept or isinstance(one.packet, REPEATABLE))]
        self._on_the_way = {}
        self._kept_on_the_way = 0
        self._waiting.extendleft(reversed(again))
        return ended

    # -- checks

    def _make(self, packet: Packet) -> Asked:
        self._count += 1
        key = self.last_key
        if type(packet) is MessageSend:
            packet = msgspec.structs.replace(packet, cookie=key, tag=None)
        elif isinstance(packet, KEPT):
            packet = msgspec.structs.replace(packet, cookie=key, tag=key)
        elif hasattr(packet, "tag"):
            packet = msgspec.structs.replace(packet, tag=key)
        return Asked(key, packet, self.checked(packet))

    def checked(self, packet: Packet) -> bytes:
        """The packet as a line that the server will not refuse for its shape or size.  Raises NotAPacket."""
        if isinstance(packet, MessageSend) and not packet.text and not packet.files:
            raise NotAPacket(ErrorCode.BAD_REQUEST, "A message has a text, or files.")
        limits = self.limits
        longest = limits.text_chars if limits is not None else MAX_TEXT
        if len(getattr(packet, "text", "")) > longest:
            raise NotAPacket(ErrorCode.TOO_LARGE, f"The text is longer than {longest:,} characters.")
        try:
            line = self._encode(packet)
            self._decode(line)
        except UnicodeEncodeError:
            raise NotAPacket(ErrorCode.BAD_REQUEST, "The text has characters that are not Unicode.") from None
        except BadPacket as error:
            raise NotAPacket(error.code, error.reason) from None
        if len(line) > (limits.line_bytes if limits is not None else MAX_LINE_BYTES):
            raise NotAPacket(ErrorCode.TOO_LARGE, "The text is too long for one message.")
        return line
