"""Packets as lines of plain text, for `veche chat --plain` without --json.

Each line begins at the left margin; the further lines of a text are indented, so that no text can pass for a line of
somebody else.  People stand here by their logins, which nobody can choose twice, and with which commands name them.

Source: rows A12, A17, A22, T20-T23, T26-T38, M16, M21, M22, M27-M47; X21, X23, X25 (the texts of refusals come from
the catalogue).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from veche.client.conferences import Conferences
from veche.client.people import THERE, fold_people, moment
from veche.packets import ERROR_TEXT, Failed, Packet
from veche.packets.account import (
    AccountExportOk,
    ConnectFailed,
    ExportedMessage,
    PasswordChangeOk,
    RegisterOk,
    SessionsGetOk,
    SessionsRevokeOk,
    TokenCreateOk,
    TokenListOk,
    TokenRevokeOk,
)
from veche.packets.admin import Announced, Announcement
from veche.packets.blocking import BlockOk, UnblockOk
from veche.packets.broadcast import Broadcast, BroadcastOk
from veche.packets.contacts import (
    Contact,
    ContactsAddOk,
    ContactsChangeOk,
    ContactsDeleteOk,
    ContactsGetResponse,
    ContactUpdated,
    FriendAnswerOk,
    FriendCancelOk,
    FriendIgnoreOk,
    FriendRequested,
    FriendRequestOk,
    Relation,
)
from veche.packets.link import Error, ErrorNotImplemented
from veche.packets.message import (
    Edit,
    Edited,
    EditOk,
    HistoryGetOk,
    HistoryMessage,
    Message,
    MessageDelivered,
    MessageRead,
    MessageSent,
    React,
    Reacted,
    ReactOk,
    Retract,
    Retracted,
    RetractOk,
    SearchOk,
    Snapshot,
    TypingEnd,
    TypingStarted,
)
from veche.packets.presence import Status, UpdateLastSeen, WhoElseOk, WhoElseSinceOk
from veche.packets.profile import ProfileGetOk, ProfileUpdateOk

from . import call_words, file_words
from .text import count, harmless, on_one_line, seconds, short_name

INDENT = "\n    "


class Reader:
    """Whose eyes read: what they know of people decides who is "you", which names are short, and what is news."""

    def __init__(self, people: Conferences | None = None, zone: tzinfo | None = None, *, slash: str = "") -> None:
        self.people = people or Conferences()
        self.slash = slash
        """what a command begins with where they read this"""
        self._zone = zone

    @property
    def address(self) -> str:
        return self.people.me

    def name(self, address: str) -> str:
        return short_name(address, self.address.rpartition("@")[2])

    def called(self, contact: Contact) -> str:
        """Login, and in brackets the shown name where it is another."""
        login = self.name(contact.id)
        return login if contact.name in ("", login) else f"{login} ({on_one_line(contact.name)})"

    def when(self, instant: str) -> str:
        found = local(instant, self._zone)
        return found.strftime("%Y-%m-%d %H:%M") if found is not None else on_one_line(instant)


def local(instant: str, zone: tzinfo | None = None) -> datetime | None:
    """An instant of a packet in the zone of this machine, or `zone`; None when it is none."""
    found = moment(instant)
    try:
        return None if found is None else found.astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return None


def indented(text: str) -> str:
    return harmless(text).replace("\n", INDENT)


def lines(packet: Packet, request: Packet | None, reader: Reader) -> str:
    """What to print for a packet, without the last line end; empty: nothing."""
    name = reader.name
    match packet:
        case Message():
            to = f" to {name(packet.to)}" if packet.from_ == reader.address else ""
            return f"{name(packet.from_)}{to}: {_text(packet, reader)}"
        case MessageSent():
            return f"sent {packet.id}" + (
                f" with {', '.join(file_words.name(one.name) for one in packet.files)}" * bool(packet.files)
            )
        case MessageDelivered() if packet.peer == reader.address:
            return f"delivered to {name(packet.by)}"
        case MessageRead() if packet.peer == reader.address:
            return f"read by {name(packet.by)}"
        case Edited():
            return f"{name(packet.from_)} edited {packet.target}: {indented(packet.text)}"
        case Retracted():
            return f"{name(packet.from_)} took back {packet.target}"
        case Reacted():
            done = "took back the reaction" if packet.removed else "reacted"
            return f"{name(packet.from_)} {done} {on_one_line(packet.emoji)} to {packet.target}"
        case TypingStarted():
            return f"{name(packet.from_)} is typing"
        case TypingEnd():
            return f"{name(packet.from_)} stopped typing"
        case EditOk() | RetractOk() | ReactOk():
            return _changed(request)
        case HistoryGetOk() | SearchOk():
            return _page(packet, reader)
        case Snapshot():
            waiting = [request_line(one, reader) for one in packet.contacts if is_waiting(one)]
            unread = [one for one in packet.conversations if one.unread]
            told = [announced(packet.announcement, reader)] if packet.announcement is not None else []
            return "\n".join(
                [*told, *waiting, *(f"{count(one.unread)} unread from {name(one.peer)}" for one in unread)]
            )
        case Announced():
            return announced(packet, reader)
        case Broadcast():
            return f"{name(packet.from_)} to all: {indented(packet.text)}"
        case ContactUpdated() | UpdateLastSeen():
            return "\n".join(news(packet, reader))
        case ConnectFailed():
            return ""  # the sentence on standard error says it, and what to do
        case Failed() | Error():
            reason = harmless(packet.reason or ERROR_TEXT[packet.code])
            wait_s = packet.retry_after_s if isinstance(packet, Failed) else None
            return f"Error. {reason}" + (f" Try again in {seconds(wait_s)}." if wait_s else "")
        case ErrorNotImplemented():
            return f"Error. This server has no {on_one_line(packet.request_type)}."
        case _:
            return _of_people(packet, reader) or _rarer(packet, reader)


def announced(told: Announced | Announcement, reader: Reader) -> str:
    """What an administrator tells everyone."""
    by = reader.name(told.by)
    if not told.text:
        return f"{by} has taken the announcement away"
    return f"announcement of {by}, {reader.when(told.at)}: {indented(told.text)}"


def _text(message: Message | HistoryMessage | ExportedMessage, reader: Reader) -> str:
    if not isinstance(message, ExportedMessage) and message.call is not None:
        return call_words.entry(message.call, message.from_, reader.address)
    if message.retracted:
        return "(taken back)"
    reply = f"(to {message.reply_to}) " if message.reply_to is not None else ""
    said = [f"{indented(message.text)}{' (edited)' if message.edited else ''}"] * bool(message.text)
    return reply + INDENT.join(said + [file_words.line(one) for one in message.files])


def _changed(request: Packet | None) -> str:
    match request:
        case Edit():
            return f"edited {request.id}"
        case Retract():
            return f"took back {request.id}"
        case React():
            return f"{'took back the reaction' if request.remove else 'reacted'} {request.emoji} to {request.id}"
        case _:
            return ""


def _page(packet: HistoryGetOk | SearchOk, reader: Reader) -> str:
    found = packet.messages if isinstance(packet, HistoryGetOk) else list(reversed(packet.messages))
    shown = [f"(there are older ones: before {found[0].id})"] if packet.more and found else []
    for one in found:
        reactions = " ".join(f"[{on_one_line(r.emoji)} {reader.name(r.by)}]" for r in one.reactions)
        line = f"{one.id} {reader.when(one.at)} {reader.name(one.from_)}: {_text(one, reader)}"
        shown.append(f"{line} {reactions}" if reactions else line)
    return "\n".join(shown) or f"nothing found in the conversation with {reader.name(packet.peer)}"


# -- people

PRESENCE = {Status.ONLINE: "online", Status.AWAY: "away", Status.OFFLINE: "offline", Status.UNKNOWN: "presence unknown"}
RELATION = {
    Relation.NONE: "not a friend",
    Relation.OUTGOING: "asked to be a friend",
    Relation.INCOMING: "wants to be a friend",
    Relation.BLOCKED: "blocked",
}


def is_waiting(contact: Contact) -> bool:
    """They wait for my answer, and I have not put them off."""
    return contact.relation is Relation.INCOMING and not contact.ignored


def request_line(contact: Contact, reader: Reader) -> str:
    """Who waits for my answer, or for whose I wait, and what can be done."""
    login = reader.name(contact.id)
    if contact.relation is Relation.OUTGOING:
        return f"you have asked {reader.called(contact)}: {reader.slash}friend cancel {login}"
    ignored = " (ignored)" if contact.ignored else ""
    return f"{reader.called(contact)} wants to be your friend: {reader.slash}friend accept {login}{ignored}"


def contact_line(contact: Contact, reader: Reader) -> str:
    """One contact: presence or relation, note, and what I keep about them."""
    if contact.relation is Relation.MUTUAL:
        said = PRESENCE[contact.status]
        if contact.status not in THERE and contact.presence and local(contact.presence) is not None:
            said += f", last seen {reader.when(contact.presence)}"
    else:
        said = RELATION[contact.relation]
    noted = [
        f"{name}: {on_one_line(value, 500)}"
        for name, value in (("note", contact.note), ("group", contact.group), ("memo", contact.memo))
        if value
    ]
    return f"{reader.called(contact)}: {'; '.join([said, *noted])}"


def contact_lines(contacts: Iterable[Contact], reader: Reader) -> str:
    """Contacts, one a line."""
    waits = {Relation.INCOMING, Relation.OUTGOING}
    return (
        "\n".join((request_line if one.relation in waits else contact_line)(one, reader) for one in contacts)
        or "nobody"
    )


def news(packet: ContactUpdated | UpdateLastSeen, reader: Reader) -> list[str]:
    """What changes for the reader by this packet; nothing when it was told before in other words (row X02)."""
    before = reader.people.contacts.get(packet.id)
    after = fold_people(reader.people, packet).contacts.get(packet.id)
    login = reader.name(packet.id)
    if before is None and after is None:  # of no contact: everyone is told of everyone in the classic profile
        return (
            [f"{login} {SAID[packet.status]}"] if isinstance(packet, UpdateLastSeen) and packet.status in SAID else []
        )
    old = before or Contact(id=packet.id, name="")
    new = after or Contact(id=packet.id, name="")
    said = [_relation_news(old.relation, new.relation)]
    if old.status is not new.status and (new.status in THERE or (old.status in THERE and new.status in SAID)):
        said.append(SAID[new.status])
    if before is not None and after is not None:
        if old.name != new.name and old.own_name == new.own_name:
            said.append(f"is called {on_one_line(new.name)} now")
        if old.note != new.note:
            said.append(f"says: {on_one_line(new.note, 500)}" if new.note else "has no note any more")
    return [f"{login} {one}" for one in said if one]


SAID = {Status.ONLINE: "is online", Status.AWAY: "is away", Status.OFFLINE: "went offline"}


def _relation_news(old: Relation, new: Relation) -> str:
    """What is news about two people.  What I did myself is said by its answer, what blocking hides is not said."""
    match old, new:
        case (Relation.NONE | Relation.OUTGOING | Relation.INCOMING, Relation.MUTUAL):
            return "is your friend now"
        case (Relation.MUTUAL, Relation.NONE | Relation.OUTGOING | Relation.INCOMING):
            return "is no longer your friend"
        case (Relation.INCOMING, Relation.NONE):
            return "no longer waits for your answer"
        case _:
            return ""


def _of_people(packet: Packet, reader: Reader) -> str:
    """The answers, and what is told but once."""
    name = reader.name
    match packet:
        case FriendRequested():
            return request_line(Contact(id=packet.from_, name=packet.name, relation=Relation.INCOMING), reader)
        case FriendRequestOk():  # of a friendship CONTACT-UPDATED tells
            return f"{name(packet.login)} is asked to be your friend" if packet.relation is Relation.OUTGOING else ""
        case FriendAnswerOk():
            return "" if packet.accepted else f"you have refused {name(packet.login)}, who is not told"
        case FriendIgnoreOk():
            login = name(packet.login)
            return f"{login} waits, and you are not reminded; {reader.slash}friend accept {login} still works"
        case FriendCancelOk():
            return f"your request to {name(packet.login)} is taken back"
        case ContactsAddOk():
            asked = " and asked to be your friend" if packet.relation is Relation.OUTGOING else ""
            return f"{name(packet.id)} is listed{asked}"
        case ContactsChangeOk():
            return f"{name(packet.id)} is changed in your list"
        case ContactsDeleteOk():
            return f"{name(packet.id)} is off your list"
        case ContactsGetResponse():
            return contact_lines(packet.contacts, reader)
        case WhoElseOk() | WhoElseSinceOk():
            was = "is" if isinstance(packet, WhoElseOk) else "was"
            return "\n".join(map(name, packet.users)) or f"nobody else {was} online"
        case BroadcastOk():
            return "told to those who are online" + (", but for some who have blocked you" if packet.skipped else "")
        case ProfileUpdateOk():
            return f"your profile: {_profile(packet.name, packet.note, 'yes' if packet.avatar else '')}"
        case ProfileGetOk():
            size = len(packet.avatar) * 3 // 4 - packet.avatar[-2:].count("=")
            picture = f"{packet.avatar_type}, {size:,} bytes" if packet.avatar else ""
            return f"{name(packet.id)}: {_profile(packet.name, packet.note, picture)}"
        case _:
            return ""


def _profile(name: str, note: str, picture: str) -> str:
    said = [
        f"{what}: {on_one_line(value, 500)}"
        for what, value in (("name", name), ("note", note), ("picture", picture))
        if value
    ]
    return "; ".join(said) or "nothing is said"


def _rarer(packet: Packet, reader: Reader) -> str:
    match packet:
        case BlockOk():
            return f"{reader.name(packet.login)} is blocked"
        case UnblockOk():
            return f"{reader.name(packet.login)} is unblocked"
        case SessionsGetOk():
            return "\n".join(
                f"{on_one_line(one.device)}  {on_one_line(one.client)}  "
                + ("this device" if one.current else "online" if one.online else f"seen {reader.when(one.seen_at)}")
                for one in packet.sessions
            )
        case SessionsRevokeOk():
            return f"{on_one_line(packet.device)} is logged out"
        case TokenListOk():
            tokens = (f"{one.id} {on_one_line(one.name)}, made {reader.when(one.created_at)}" for one in packet.tokens)
            return "\n".join(tokens) or "no tokens"
        case TokenCreateOk():
            return f"token {packet.id}, shown this once: {on_one_line(packet.token)}"
        case TokenRevokeOk():
            return f"token {packet.id} is void"
        case PasswordChangeOk():
            return "the password is changed"
        case RegisterOk():
            return f"the account {reader.name(packet.login)} is made"
        case AccountExportOk():
            exported = [
                f"{one.id} {reader.when(one.at)} with {reader.name(one.peer)}, by {reader.name(one.author)}: "
                + _text(one, reader)
                for one in packet.messages
            ]
            head = f"account {reader.name(packet.login)}, made {reader.when(packet.created_at)}"
            blocked = [f"blocked: {reader.name(one)}" for one in packet.blocked]
            return "\n".join([head, *blocked, *exported])
        case _:
            return ""
