"""Packets as lines of plain text, for `veche chat --plain` without --json.

Each line begins at the left margin; the further lines of a text are indented, so that no text can pass for a line of
somebody else.

Source: rows T26-T38, M16, M21, M22; X25 (the texts of refusals come from the catalogue).
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from veche.packets import ERROR_TEXT, Failed, Packet
from veche.packets.account import (
    AccountExportOk,
    ConnectFailed,
    PasswordChangeOk,
    RegisterOk,
    SessionsGetOk,
    SessionsRevokeOk,
    TokenCreateOk,
    TokenListOk,
    TokenRevokeOk,
)
from veche.packets.blocking import BlockOk, UnblockOk
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

from .text import count, harmless, on_one_line, seconds, short_name

INDENT = "\n    "


class Reader:
    """Whose eyes read: their own address decides what is "you", their domain which names are short."""

    def __init__(self, address: str = "", zone: tzinfo | None = None) -> None:
        self.address = address
        self._zone = zone

    def name(self, address: str) -> str:
        return short_name(address, self.address.rpartition("@")[2])

    def when(self, instant: str) -> str:
        moment = local(instant, self._zone)
        return moment.strftime("%Y-%m-%d %H:%M") if moment is not None else on_one_line(instant)


def local(instant: str, zone: tzinfo | None = None) -> datetime | None:
    """An instant of a packet in the zone of this machine, or `zone`; None when it is none."""
    try:
        return datetime.fromisoformat(instant).astimezone(zone)
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
            return f"{name(packet.from_)}{to}: {_text(packet)}"
        case MessageSent():
            return f"sent {packet.id}"
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
            unread = [one for one in packet.conversations if one.unread]
            return "\n".join(f"{count(one.unread)} unread from {name(one.peer)}" for one in unread)
        case ConnectFailed():
            return ""  # the sentence on standard error says it, and what to do
        case Failed() | Error():
            reason = harmless(packet.reason or ERROR_TEXT[packet.code])
            wait_s = packet.retry_after_s if isinstance(packet, Failed) else None
            return f"Error. {reason}" + (f" Try again in {seconds(wait_s)}." if wait_s else "")
        case ErrorNotImplemented():
            return f"Error. This server has no {on_one_line(packet.request_type)}."
        case _:
            return _rarer(packet, reader)


def _text(message: Message | HistoryMessage) -> str:
    if message.retracted:
        return "(taken back)"
    reply = f"(to {message.reply_to}) " if message.reply_to is not None else ""
    return f"{reply}{indented(message.text)}{' (edited)' if message.edited else ''}"


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
        line = f"{one.id} {reader.when(one.at)} {reader.name(one.from_)}: {_text(one)}"
        shown.append(f"{line} {reactions}" if reactions else line)
    return "\n".join(shown) or f"nothing found in the conversation with {reader.name(packet.peer)}"


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
                + ("(taken back)" if one.retracted else indented(one.text))
                for one in packet.messages
            ]
            head = f"account {reader.name(packet.login)}, made {reader.when(packet.created_at)}"
            blocked = [f"blocked: {reader.name(one)}" for one in packet.blocked]
            return "\n".join([head, *blocked, *exported])
        case _:
            return ""
