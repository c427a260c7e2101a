"""What the server tells a client, in the words of document 002.

A packet becomes RESPONSE lines, mostly one or none.  Refusals are looked up by request and code, then by code; what
stands in neither table is told in the words of the one catalogue (`ERROR_TEXT`, row X25).

Source: document 002, rows T08-T38, T59, T63, X25; the texts in quotes there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from veche.packets import ErrorCode, Failed, Packet, account, blocking, broadcast, link, message, presence, type_name
from veche.packets import private as direct
from veche.packets.classic import Response
from veche.packets.presence import Status

WELCOME = "Welcome to the greatest messaging application ever!"
SKIPPED = "Your message could not be delivered to some recipients"

REFUSALS: dict[tuple[str, ErrorCode] | ErrorCode, str] = {
    ErrorCode.UNKNOWN_USER: "Error. Invalid user",
    ("MESSAGE-SEND-FAILED", ErrorCode.SELF): "Error. Cannot message self",
    ("MESSAGE-SEND-FAILED", ErrorCode.BLOCKED): (
        "Your message could not be delivered as the recipient has blocked you"
    ),
    ("BLOCK-FAILED", ErrorCode.SELF): "Error. Cannot block self",
    ("UNBLOCK-FAILED", ErrorCode.SELF): "Error. Cannot unblock self",
}
EXIT_OK, EXIT_FAILED = 0, 1
LEAVES = {ErrorCode.LOGGED_OUT: EXIT_OK, ErrorCode.INACTIVE: EXIT_OK}
"""The exit code of the terminal by the server's goodbye; any other is a failure."""
WORDLESS = {ErrorCode.LOGGED_OUT, ErrorCode.LOCKED}
"""After these goodbyes there is nothing to say, or it was said."""

AS_IT_IS = (
    link.Ping,
    link.Pong,
    direct.PrivateRequest,
    direct.PrivateStartOk,
    direct.PrivateStartFailed,
    direct.PrivateAnswerOk,
    direct.PrivateAnswerFailed,
    direct.PrivateAnswered,
    direct.PrivateStopOk,
    direct.PrivateStopFailed,
    direct.PrivateStopped,
    Response,
)
"""What the terminal's program understands itself: the introductions of private sessions, the link's pulse."""


def rendered(packet: Packet, me: str) -> Iterable[Packet]:
    """What a classic terminal is sent for a packet.  me: the address of whoever sits there."""
    if isinstance(packet, AS_IT_IS):
        return (packet,)
    if isinstance(packet, Failed):
        return (told(refusal(packet)),)
    if isinstance(packet, message.Message | message.Edited) and packet.from_ == me:
        return ()
    render = RENDERED.get(type(packet))
    return () if render is None else render(packet)


def refusal(packet: Failed) -> str:
    """Why a request was refused."""
    text = REFUSALS.get((type_name(packet), packet.code)) or REFUSALS.get(packet.code)
    return text or error(packet.reason)


def error(sentence: str) -> str:
    """A sentence of the catalogue in the style of document 002."""
    return f"Error. {sentence.removesuffix('.')}"


def told(text: str) -> Response:
    """A line that the server itself says."""
    return Response(message=text, from_server=True)


def said(address: str, text: str, manner: str = "") -> Response:
    """A line that a person says."""
    name = name_of(address)
    return Response(message=f"{name}{manner}: {text}", from_=name)


def name_of(address: str) -> str:
    """How people of this server are shown to each other: without its domain."""
    return address.partition("@")[0]


def _message(packet: message.Message) -> Iterable[Response]:
    words = [packet.text, *(f"[{file.name}]" for file in packet.files)]  # only other clients send and fetch files
    return () if packet.retracted else (said(packet.from_, " ".join(filter(None, words))),)


def _presence(packet: presence.UpdateLastSeen) -> Iterable[Response]:
    return (told(f"{name_of(packet.id)} logged {'out' if packet.status is Status.OFFLINE else 'in'}"),)


def _people(packet: presence.WhoElseOk | presence.WhoElseSinceOk) -> Iterable[Response]:
    return [told(name_of(address)) for address in packet.users]


def _goodbye(packet: link.Goodbye) -> Iterable[Response]:
    code = packet.code or ErrorCode.LOGGED_OUT
    text = "" if code in WORDLESS else packet.reason
    return (Response(message=text, from_server=True, exit=LEAVES.get(code, EXIT_FAILED)),)


RENDERED: dict[type[Packet], Callable[[Any], Iterable[Packet]]] = {
    account.ConnectOk: lambda _: (told(WELCOME),),
    message.Message: _message,
    message.Edited: lambda packet: (said(packet.from_, packet.text, " (edited)"),),
    broadcast.Broadcast: lambda packet: (said(packet.from_, packet.text),),
    broadcast.BroadcastOk: lambda packet: (told(SKIPPED),) if packet.skipped else (),
    presence.UpdateLastSeen: _presence,
    presence.WhoElseOk: _people,
    presence.WhoElseSinceOk: _people,
    blocking.BlockOk: lambda packet: (told(f"{name_of(packet.login)} is blocked"),),
    blocking.UnblockOk: lambda packet: (told(f"{name_of(packet.login)} is unblocked"),),
    link.Goodbye: _goodbye,
    link.Error: lambda packet: (told(error(packet.reason)),),
    link.ErrorNotImplemented: lambda _: (told("Error. Invalid command"),),
}
"""What is in no table says nothing to a person: a snapshot, that a message was stored, who wrote how far."""
