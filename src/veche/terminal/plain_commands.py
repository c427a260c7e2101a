"""The commands of the plain mode: one a line, words parted by spaces, the last argument kept as it is.

    message bob   hello   there        sends "  hello   there"

Source: rows T26, T33-T38.
"""

from __future__ import annotations

from typing import NamedTuple

from veche.packets import ClientPacket, Packet
from veche.packets.account import (
    AccountExport,
    PasswordChange,
    SessionsGet,
    SessionsRevoke,
    TokenCreate,
    TokenList,
    TokenRevoke,
)
from veche.packets.blocking import Block, Unblock
from veche.packets.codec import BadPacket, JsonCodec, UnknownPacket
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

HELP = """\
message LOGIN TEXT      send TEXT; its inner spaces are kept
reply ID TEXT           answer a message that was shown here
edit ID TEXT            replace the text of your message
retract ID              take your message back
react ID EMOJI          add your reaction; unreact ID EMOJI removes it
history LOGIN [N]       the newest N messages of a conversation (50)
search LOGIN TEXT       messages that hold all the words
read LOGIN              you have read the conversation
typing LOGIN [end]      you are writing, or have stopped
block LOGIN             hear nothing from LOGIN; unblock LOGIN undoes it
sessions                your devices; revoke DEVICE ends one
tokens                  your access tokens; token NAME makes one, untoken ID ends one
password OLD NEW        change the password
export                  everything the server keeps about you
help                    this text
logout                  leave
{"type": ...}           any request as one JSON packet, for texts of several lines
"""


class Wrong(ValueError):
    """The line is no command.  Its message is a sentence that says what to write."""


class Read(NamedTuple):
    """`read LOGIN`: the newest message is known to the client only."""

    login: str


class Reply(NamedTuple):
    """`reply ID TEXT`: whose message that was is known to the plain mode only."""

    message_id: int
    text: str


class Help(NamedTuple):
    """`help`"""


class Logout(NamedTuple):
    """`logout`"""


Command = Packet | Read | Reply | Help | Logout

REQUESTS = (
    *(MessageSend, Edit, Retract, React, HistoryGet, Search, MessageReadUpTo, TypingStartedTo, TypingEndTo),
    *(Block, Unblock, SessionsGet, SessionsRevoke, TokenCreate, TokenList, TokenRevoke, PasswordChange, AccountExport),
)
"""What may be given as JSON: the rest is the client's own business."""

_decode = JsonCodec().decode_client


def parse(line: str) -> Command | None:
    """Return what a line asks for, None for an empty one.  Raises Wrong."""
    if line.startswith("{"):
        return _parse_json(line)
    name, _, rest = line.lstrip().partition(" ")
    match name:
        case "message":
            login, text = _two(rest, "message LOGIN TEXT")
            return MessageSend(to=login, text=text)
        case "reply":
            message_id, text = _two(rest, "reply ID TEXT")
            return Reply(_id(message_id), text)
        case "history":
            login, _, count = rest.strip().partition(" ")
            return HistoryGet(peer=_word(login, "history LOGIN [N]"), limit=_count(count.strip() or "50"))
        case "search":
            login, text = _two(rest, "search LOGIN TEXT")
            return Search(peer=login, query=text.strip())
        case "read":
            return Read(_word(rest, "read LOGIN"))
        case "edit":
            message_id, text = _two(rest, "edit ID TEXT")
            return Edit(id=_id(message_id), text=text)
        case "retract":
            return Retract(id=_id(_word(rest, "retract ID")))
        case "react" | "unreact":
            message_id, emoji = _two(rest, f"{name} ID EMOJI")
            return React(id=_id(message_id), emoji=emoji.strip(), remove=name == "unreact")
        case "typing":
            login, _, end = rest.strip().partition(" ")
            login = _word(login, "typing LOGIN [end]")
            return TypingEndTo(to=login) if end.strip() == "end" else TypingStartedTo(to=login)
        case "block":
            return Block(login=_word(rest, "block LOGIN"))
        case "unblock":
            return Unblock(login=_word(rest, "unblock LOGIN"))
        case _:
            return _parse_rarer(name, rest)


def _parse_rarer(name: str, rest: str) -> Command | None:
    match name:
        case "sessions":
            return SessionsGet()
        case "revoke":
            return SessionsRevoke(device=_some(rest, "revoke DEVICE"))
        case "tokens":
            return TokenList()
        case "token":
            return TokenCreate(name=_some(rest, "token NAME"))
        case "untoken":
            return TokenRevoke(id=_id(_word(rest, "untoken ID")))
        case "password":
            old, new = _two(rest, "password OLD NEW")
            if " " in new.strip():
                raise Wrong("Here passwords have no spaces; the full terminal (without --plain) takes any.")
            return PasswordChange(old_password=old, password=new.strip())
        case "export":
            return AccountExport()
        case "help" | "?":
            return Help()
        case "logout" | "quit" | "exit":
            return Logout()
        case "":
            return None
        case _:
            raise Wrong("Invalid command. help lists the commands.")


def _parse_json(line: str) -> Packet:
    try:
        packet: ClientPacket = _decode(line.encode())
    except (BadPacket, UnicodeEncodeError) as error:
        raise Wrong(str(error)) from None
    except UnknownPacket as error:
        raise Wrong(f"There is no request {error.request}.") from None
    if not isinstance(packet, REQUESTS):
        raise Wrong("This packet is the client's own business.")
    return packet


def _two(rest: str, usage: str) -> tuple[str, str]:
    """A word, and all that stands after the one space that ends it."""
    first, _, second = rest.lstrip().partition(" ")
    if not first or not second:
        raise Wrong(f"Write: {usage}")
    return first, second


def _word(rest: str, usage: str) -> str:
    word = rest.strip()
    if not word or " " in word:
        raise Wrong(f"Write: {usage}")
    return word


def _some(rest: str, usage: str) -> str:
    if not rest.strip():
        raise Wrong(f"Write: {usage}")
    return rest.strip()


def _id(text: str) -> int:
    text = text.removeprefix("#")
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise Wrong(f"{text!r} is not the number of a message.")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= 200:
        raise Wrong("A page has 1 to 200 messages.")
    return int(text)
