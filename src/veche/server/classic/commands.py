"""What is typed at a classic terminal: one command a line, made into the packet that any client could have sent.

Source: document 002; rows T22-T38; the private commands, T42-T57, are the terminal's own.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from veche.packets import MAX_TEXT, Packet
from veche.packets.blocking import Block, Unblock
from veche.packets.broadcast import BroadcastSend
from veche.packets.link import Goodbye
from veche.packets.message import MessageSend
from veche.packets.presence import WhoElse, WhoElseSince


class Command(NamedTuple):
    """A packet, the fields that are typed in their order, and how to type it.  A text is the rest of the line."""

    packet: type[Packet]
    fields: tuple[str, ...]
    usage: str


LOGOUT = Command(Goodbye, (), "logout")
COMMANDS = {
    "message": Command(MessageSend, ("to", "text"), "message <user> <message>"),
    "broadcast": Command(BroadcastSend, ("text",), "broadcast <message>"),
    "whoelse": Command(WhoElse, (), "whoelse"),
    "whoelsesince": Command(WhoElseSince, ("seconds",), "whoelsesince <seconds>"),
    "block": Command(Block, ("login",), "block <user>"),
    "unblock": Command(Unblock, ("login",), "unblock <user>"),
    "logout": LOGOUT,
    "quit": LOGOUT,
}


def parse(line: str) -> Packet | str:
    """The packet of a line, or what is wrong with it, in words; an empty line has nothing wrong: an empty string."""
    words = line.split()
    if not words:
        return ""
    command = COMMANDS.get(words[0])
    if command is None:
        return "Error. Invalid command"
    fields = command.fields
    if fields[-1:] == ("text",):
        words = line.split(None, len(fields))
        if len(words[-1]) > MAX_TEXT:
            return f"Error. A message has at most {MAX_TEXT} characters"
    if len(words) != 1 + len(fields):
        return f"Error. Usage: {command.usage}"
    try:
        return msgspec.convert(dict(zip(fields, words[1:], strict=True)), command.packet, strict=False)
    except msgspec.ValidationError:
        return f"Error. Usage: {command.usage}"
