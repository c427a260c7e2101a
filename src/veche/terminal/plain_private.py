"""Private sessions in the plain mode: its commands, and what happens between two devices, as sentences and as JSON.

What happens there is no packet of the server, so with --json it has lines of its own:

    {"type":"PRIVATE-OPENED","peer":"bob@home"}
    {"type":"PRIVATE","from":"bob@home","text":"hi"}
    {"type":"PRIVATE-CLOSED","peer":"bob@home","code":null}
    {"type":"PRIVATE-FAILED","peer":"bob@home","code":"no-answer","reason":"They did not answer."}

Source: rows T42-T57, X11, X22.
"""

from __future__ import annotations

from typing import Any

import msgspec

from veche.client import Client, private
from veche.client.private import PrivateEvent
from veche.packets import ERROR_TEXT, Packet
from veche.packets import private as packets

from .people_commands import Wrong
from .plain_commands import Private, PrivateAnswer, PrivateSay, PrivateStart, PrivateStop
from .sentences import Reader, indented

OF_THE_SERVER = (
    *(packets.PrivateRequest, packets.PrivateStartOk, packets.PrivateStartFailed, packets.PrivateAnswerOk),
    *(packets.PrivateAnswerFailed, packets.PrivateAnswered, packets.PrivateStopOk, packets.PrivateStopFailed),
    packets.PrivateStopped,
)


def is_told_as_event(packet: Packet | None) -> bool:
    """People are told of the event that follows from this packet."""
    return isinstance(packet, OF_THE_SERVER)


async def obey(client: Client, command: Private) -> None:
    """Do what is asked for.  Raises Wrong, PrivateError and other ClientErrors."""
    sessions = client.private
    match command:
        case PrivateStart(login):
            sessions.ask(login)
        case PrivateSay(login, text):
            await sessions.room(login)
            sessions.say(login, text)
        case PrivateStop(login):
            sessions.stop(login)
        case PrivateAnswer(login, accepted) if login is not None:
            sessions.answer(login, accepted)
        case PrivateAnswer(_, accepted):
            if len(sessions.requests) != 1:
                raise Wrong("Nobody asks." if not sessions.requests else "Several ask. Write: accept LOGIN")
            sessions.answer(sessions.requests[0].id, accepted)


def line(event: PrivateEvent) -> bytes:
    """The event as a line of JSON; empty for what a packet of the server has told."""
    shown: dict[str, Any]
    match event:
        case private.Opened(peer):
            shown = {"type": "PRIVATE-OPENED", "peer": peer}
        case private.Said(peer, text):
            shown = {"type": "PRIVATE", "from": peer, "text": text}
        case private.Closed(peer, by_peer, code):
            shown = {"type": "PRIVATE-CLOSED", "peer": peer, "by_peer": by_peer, "code": code}
        case private.Failed(peer, code, reason):
            shown = {"type": "PRIVATE-FAILED", "peer": peer, "code": code, "reason": reason}
        case private.Asked() | private.Waiting() | private.Declined():
            return b""
    return msgspec.json.encode(shown) + b"\n"


def sentence(event: PrivateEvent, reader: Reader) -> str:
    """The event for people."""
    name = reader.name(event.peer)
    match event:
        case private.Asked():
            return f"{name} would like to talk privately: accept {name}, or decline {name}"
        case private.Waiting():
            return f"{name} is asked to talk privately"
        case private.Opened():
            return f"you talk with {name} privately now: private {name} TEXT"
        case private.Declined():
            return f"{name} does not want to talk privately"
        case private.Said(_, text):
            return f"{name} (private): {indented(text)}"
        case private.Closed(_, True, _):
            return f"{name} has ended the private session"
        case private.Closed(_, False, None):
            return f"the private session with {name} is ended"
        case private.Closed(_, _, code):
            return f"the private session with {name} is over: {ERROR_TEXT[code]}" if code is not None else ""
        case private.Failed(_, _, reason):
            return f"no private session with {name}: {indented(reason)}"
