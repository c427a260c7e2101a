"""The commands of the plain mode: one a line, words parted by spaces, the last argument kept as it is.

    message bob   hello   there        sends "  hello   there"

Source: rows A15-A29, M28-M58, T22, T23, T26, T30, T33-T38, T42-T54.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from veche.packets import ClientPacket, Packet
from veche.packets import conference as packets
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
from veche.packets.broadcast import BroadcastSend
from veche.packets.codec import BadPacket, JsonCodec, UnknownPacket
from veche.packets.contacts import (
    ContactsAdd,
    ContactsChange,
    ContactsDelete,
    ContactsGet,
    ContactsUpdate,
    FriendAnswer,
    FriendCancel,
    FriendIgnore,
    FriendRemove,
    FriendRequest,
    Relation,
)
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

from . import conference_commands
from .conference_commands import CONFERENCE, AnswerCall, SetMicrophone
from .file_commands import paths, to_send, which_and_where
from .people_commands import CONTACT, FRIEND, ProfileChange, Wrong, contact, friend, is_word, profile
from .text import explained


class Read(NamedTuple):
    """`read LOGIN`: the newest message is known to the client only."""

    login: str


class Reply(NamedTuple):
    """`reply ID TEXT`: whose message that was is known to the plain mode only."""

    message_id: int
    text: str


class Contacts(NamedTuple):
    """`contacts`, `friends`, `requests`, `blocked`: those contacts that are one of these to me."""

    relations: tuple[Relation, ...]


class PrivateStart(NamedTuple):
    """`startprivate LOGIN`"""

    login: str


class PrivateSay(NamedTuple):
    """`private LOGIN TEXT`"""

    login: str
    text: str


class PrivateStop(NamedTuple):
    """`stopprivate LOGIN`"""

    login: str


class PrivateAnswer(NamedTuple):
    """`accept LOGIN`, `decline LOGIN`; with no login, `y` and `n`, the only request that waits."""

    login: str | None
    accepted: bool


class SendFiles(NamedTuple):
    """`send LOGIN PATH... [-- TEXT]`"""

    login: str
    paths: tuple[Path, ...]
    text: str


class Files(NamedTuple):
    """`files LOGIN`: those of a conversation; with no login, those that were shown here."""

    login: str


class Download(NamedTuple):
    """`download ID|NAME [PATH]`: a file by its id, or by its name if it was shown here."""

    which: str
    where: str


class Offer(NamedTuple):
    """`offer LOGIN PATH`"""

    login: str
    path: Path


class Offers(NamedTuple):
    """`offers`"""


class AcceptFile(NamedTuple):
    """`accept-file [N] [PATH]`: N is a number or the id of the server."""

    which: str
    where: str


class RefuseFile(NamedTuple):
    """`refuse-file [N]`"""

    which: str


class CancelFile(NamedTuple):
    """`cancel-file [N]`"""

    which: str


class Help(NamedTuple):
    """`help`, `help conference`"""

    name: str = ""
    """Of one command; empty: of all."""


class Logout(NamedTuple):
    """`logout`"""


Private = PrivateStart | PrivateSay | PrivateStop | PrivateAnswer
OfFiles = SendFiles | Files | Download | Offer | Offers | AcceptFile | RefuseFile | CancelFile
Command = (
    Packet | Read | Reply | Contacts | ProfileChange | Private | OfFiles | conference_commands.Command | Help | Logout
)


Parser = Callable[[str, str], Command]
"""From what follows a command's name, and the right usage, to what is asked for.  Raises Wrong."""


class Entry(NamedTuple):
    """One line of the help.  Entries of one name share their parser."""

    name: str
    arguments: str
    what: str
    parse: Parser

    @property
    def usage(self) -> str:
        return f"{self.name} {self.arguments}".rstrip()


# -- arguments


def _nothing(command: Command) -> Parser:
    """No arguments; what follows is passed over."""
    return lambda rest, usage: command


def _word(make: Callable[[str], Command]) -> Parser:
    """One word, such as a login."""

    def parse(rest: str, usage: str) -> Command:
        if not is_word(rest):
            raise Wrong(f"Write: {usage}")
        return make(rest.strip())

    return parse


def _some(make: Callable[[str], Command]) -> Parser:
    """Some words."""

    def parse(rest: str, usage: str) -> Command:
        if not rest.strip():
            raise Wrong(f"Write: {usage}")
        return make(rest.strip())

    return parse


def _two(make: Callable[[str, str], Command]) -> Parser:
    """A word, and all that stands after the one space that ends it."""

    def parse(rest: str, usage: str) -> Command:
        first, _, second = rest.lstrip().partition(" ")
        if not first or not second:
            raise Wrong(f"Write: {usage}")
        return make(first, second)

    return parse


def _send(rest: str, usage: str) -> Command:
    login, _, rest = rest.strip().partition(" ")
    return SendFiles(login, *to_send(rest, usage))


def _offer(rest: str, usage: str) -> Command:
    login, _, rest = rest.strip().partition(" ")
    match paths(rest):
        case (path,):
            return Offer(login, path)
        case _:
            raise Wrong(f"Write: {usage} (one path, with spaces in quotes)")


def _download(rest: str, usage: str) -> Command:
    return Download(*which_and_where(rest, usage))


def _accept_file(rest: str, usage: str) -> Command:
    return AcceptFile(*which_and_where(rest, usage, may_be_empty=True))


def _perhaps_word(make: Callable[[str], Command]) -> Parser:
    """One word or none."""

    def parse(rest: str, usage: str) -> Command:
        if rest.strip() and not is_word(rest):
            raise Wrong(f"Write: {usage}")
        return make(rest.strip())

    return parse


def _history(rest: str, usage: str) -> Command:
    login, _, count = rest.strip().partition(" ")
    if not login:
        raise Wrong(f"Write: {usage}")
    limit = _number(count.strip() or "50", "A page has 1 to 200 messages.")
    if not 1 <= limit <= 200:
        raise Wrong("A page has 1 to 200 messages.")
    return HistoryGet(peer=login, limit=limit)


def _typing(rest: str, usage: str) -> Command:
    match rest.split():
        case [login]:
            return TypingStartedTo(to=login)
        case [login, "end"]:
            return TypingEndTo(to=login)
        case _:
            raise Wrong(f"Write: {usage}")


def _password(old: str, new: str) -> Command:
    if " " in new.strip():
        raise Wrong("Here passwords have no spaces; the full terminal (without --plain) takes any.")
    return PasswordChange(old_password=old, password=new.strip())


def _answer(accepted: bool) -> Parser:
    """With a login, the answer to who asks for a private session; with none, to who calls."""

    def parse(rest: str, usage: str) -> Command:
        if not rest.strip():
            return AnswerCall(accepted)
        if not is_word(rest):
            raise Wrong(f"Write: {usage}")
        return PrivateAnswer(rest.strip(), accepted)

    return parse


def _id(text: str) -> int:
    return _number(text.removeprefix("#"), f"{text!r} is not the number of a message.")


def _number(text: str, complaint: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise Wrong(complaint)
    return int(text)


def _since(text: str) -> Command:
    return WhoElseSince(seconds=min(_number(text, "How many seconds? Write: whoelsesince 300"), 10**9))


def _react(message_id: str, emoji: str, *, remove: bool = False) -> Command:
    return React(id=_id(message_id), emoji=emoji.strip(), remove=remove)


# -- the commands

FRIENDS, REQUESTS = Contacts((Relation.MUTUAL,)), Contacts((Relation.INCOMING, Relation.OUTGOING))
EVERYONE, BLOCKED = Contacts(tuple(Relation)), Contacts((Relation.BLOCKED,))

GROUPS: dict[str, list[Entry]] = {
    "Messages": [
        Entry(
            "message",
            "LOGIN TEXT",
            "send TEXT; its inner spaces are kept",
            _two(lambda a, b: MessageSend(to=a, text=b)),
        ),
        Entry("reply", "ID TEXT", "answer a message that was shown here", _two(lambda a, b: Reply(_id(a), b))),
        Entry("edit", "ID TEXT", "replace the text of your message", _two(lambda a, b: Edit(id=_id(a), text=b))),
        Entry("retract", "ID", "take your message back", _word(lambda a: Retract(id=_id(a)))),
        Entry("react", "ID EMOJI", "add your reaction", _two(_react)),
        Entry("unreact", "ID EMOJI", "take it back", _two(lambda a, b: _react(a, b, remove=True))),
        Entry("history", "LOGIN [N]", "the newest N messages of a conversation (50)", _history),
        Entry(
            "search", "LOGIN TEXT", "messages with all the words", _two(lambda a, b: Search(peer=a, query=b.strip()))
        ),
        Entry("read", "LOGIN", "you have read the conversation", _word(Read)),
        Entry("typing", "LOGIN [end]", "you are writing, or have stopped", _typing),
        Entry("broadcast", "TEXT", "tell all friends who are online now", _some(lambda a: BroadcastSend(text=a))),
    ],
    "Files": [
        Entry("send", "LOGIN PATH... [-- TEXT]", "send files in one message; paths with spaces in quotes", _send),
        Entry("files", "[LOGIN]", "the files of a conversation, or all that were shown here", _perhaps_word(Files)),
        Entry("download", "ID|NAME [PATH]", "save a file, here by default; nothing is overwritten", _download),
        Entry("offer", "LOGIN PATH", "ask LOGIN to take a file at once; the server does not keep it", _offer),
        Entry("offers", "", "files that are offered or on their way", _nothing(Offers())),
        Entry("accept-file", "[N] [PATH]", "take what is offered, by its number", _accept_file),
        Entry("refuse-file", "[N]", "say no", _perhaps_word(RefuseFile)),
        Entry(
            "cancel-file", "[N]", "stop a transfer, or take an offer back; so does Ctrl-C", _perhaps_word(CancelFile)
        ),
    ],
    "Friends": [
        *(Entry("friend", f"{verb} LOGIN", what, friend) for verb, (what, _) in FRIEND.items()),
        Entry("friends", "", "your friends, and whether they are there", _nothing(FRIENDS)),
        Entry("requests", "", "who waits for your answer, and whom you have asked", _nothing(REQUESTS)),
        Entry("whoelse", "", "who is online", _nothing(WhoElse())),
        Entry("whoelsesince", "SECONDS", "who was online in the last so many seconds", _word(_since)),
        Entry("away", "", "let friends see that you are not at this device", _nothing(PresenceSet(away=True))),
        Entry("back", "", "you are there again; so does any request", _nothing(PresenceSet())),
    ],
    "Contacts": [
        Entry("contacts", "", "all whom you list, have asked, are asked by, have blocked", _nothing(EVERYONE)),
        *(Entry("contact", f"{verb} {arguments}", what, contact) for verb, (what, arguments) in CONTACT.items()),
        Entry("block", "LOGIN", "hear nothing from LOGIN any more", _word(lambda a: Block(login=a))),
        Entry("unblock", "LOGIN", "undo that", _word(lambda a: Unblock(login=a))),
        Entry("blocked", "", "whom you have blocked", _nothing(BLOCKED)),
    ],
    "Profile": [
        Entry("profile", "[LOGIN]", "what you, or LOGIN, say about yourselves", profile),
        Entry("profile", "name=... note=... avatar=FILE", "change it; empty removes", profile),
    ],
    "Conferences and calls": [
        *(
            Entry("conference", f"{verb} {arguments}".rstrip(), what, conference_commands.conference)
            for verb, (arguments, what) in CONFERENCE.items()
        ),
        Entry("call", "LOGIN...", "call friends into a new conference", conference_commands.call),
        Entry("accept", "", "take the call that rings", _answer(True)),
        Entry("decline", "", "do not", _answer(False)),
        Entry("calls", "on|wait|off", "on: in a call you are busy; wait: it rings then too", conference_commands.calls),
        Entry("microphone", "on|off", "off: nobody hears you", conference_commands.microphone),
        Entry("mute", "", "the same as microphone off", _nothing(SetMicrophone(False))),
        Entry("unmute", "", "the same as microphone on", _nothing(SetMicrophone(True))),
    ],
    "Private sessions, from device to device, never stored": [
        Entry("startprivate", "LOGIN", "ask LOGIN for one", _word(PrivateStart)),
        Entry("accept", "LOGIN", "say yes to who asks you for one; y does too", _answer(True)),
        Entry("decline", "LOGIN", "say no; n does too", _answer(False)),
        Entry("private", "LOGIN TEXT", "say TEXT in it", _two(PrivateSay)),
        Entry("stopprivate", "LOGIN", "end it", _word(PrivateStop)),
    ],
    "Account": [
        Entry("sessions", "", "your devices", _nothing(SessionsGet())),
        Entry("revoke", "DEVICE", "log a device out", _some(lambda a: SessionsRevoke(device=a))),
        Entry("tokens", "", "your access tokens, for bots", _nothing(TokenList())),
        Entry("token", "NAME", "make one", _some(lambda a: TokenCreate(name=a))),
        Entry("untoken", "ID", "end one", _word(lambda a: TokenRevoke(id=_id(a)))),
        Entry("password", "OLD NEW", "change the password", _two(_password)),
        Entry("export", "", "everything the server keeps about you", _nothing(AccountExport())),
    ],
    "This terminal": [
        Entry("help", "[COMMAND]", "this text, or what one command does", _perhaps_word(Help)),
        Entry("logout", "", "leave", _nothing(Logout())),
    ],
}
ALIASES = {"?": "help", "quit": "logout", "exit": "logout"}
YES_OR_NO = {"y": PrivateAnswer(None, True), "n": PrivateAnswer(None, False)}


def _by_name() -> dict[str, tuple[Parser, str]]:
    """Each command's parser, and its right usage."""
    found: dict[str, tuple[Parser, str]] = {}
    for entry in (entry for entries in GROUPS.values() for entry in entries):
        before = found.get(entry.name)
        found[entry.name] = entry.parse, f"{before[1]}, or: {entry.usage}" if before else entry.usage
    return found


COMMANDS = _by_name()
HELP = "\n".join(
    [
        line
        for group, entries in GROUPS.items()
        for line in (f"{group}:", *(explained(entry.usage, entry.what) for entry in entries))
    ]
    + ["A line that begins with { is one JSON packet: any request, with texts of several lines."]
)


def help_of(name: str) -> str:
    """The help of one command, or of all when none is named.  Raises Wrong."""
    name = ALIASES.get(name, name)
    if not name:
        return HELP
    found = [entry for entries in GROUPS.values() for entry in entries if entry.name == name]
    if not found:
        raise Wrong(f"There is no command {name}. help lists the commands.")
    return "\n".join(explained(entry.usage, entry.what) for entry in found)


REQUESTS_AS_JSON = (
    *(MessageSend, Edit, Retract, React, HistoryGet, Search, MessageReadUpTo, TypingStartedTo, TypingEndTo),
    *(Block, Unblock, SessionsGet, SessionsRevoke, TokenCreate, TokenList, TokenRevoke, PasswordChange, AccountExport),
    *(ContactsGet, ContactsAdd, ContactsChange, ContactsUpdate, ContactsDelete, PresenceSet, WhoElse, WhoElseSince),
    *(packets.ConferenceCreate, packets.ConferenceJoin, packets.ConferenceLeave, packets.ConferenceGet),
    *(packets.ConferenceList, packets.ConferenceDelete, packets.ConferenceRename, packets.ConferenceTransfer),
    *(packets.ConferencePolicy, packets.ConferenceLink, packets.ConferenceMute, packets.ConferenceRemove),
    *(packets.ConferenceLegSet, packets.ConferenceMessageSend, packets.ConferenceHistoryGet, packets.CallPacket),
    *(packets.Signal, packets.IceServersGet),
    *(FriendRequest, FriendAnswer, FriendIgnore, FriendCancel, FriendRemove, BroadcastSend, ProfileGet, ProfileUpdate),
)
"""What may be given as JSON: the rest is the client's own business."""

_decode = JsonCodec().decode_client


def parse(line: str) -> Command | None:
    """Return what a line asks for, None for an empty one.  Raises Wrong."""
    if line.startswith("{"):
        return _parse_json(line)
    name, _, rest = line.lstrip().partition(" ")
    if not name:
        return None
    if name in YES_OR_NO and not rest.strip():
        return YES_OR_NO[name]
    known = COMMANDS.get(ALIASES.get(name, name))
    if known is None:
        raise Wrong("Invalid command. help lists the commands.")
    parser, usage = known
    return parser(rest, usage)


def _parse_json(line: str) -> Packet:
    try:
        packet: ClientPacket = _decode(line.encode())
    except (BadPacket, UnicodeEncodeError) as error:
        raise Wrong(str(error)) from None
    except UnknownPacket as error:
        raise Wrong(f"There is no request {error.request}.") from None
    if not isinstance(packet, REQUESTS_AS_JSON):
        raise Wrong("This packet is the client's own business.")
    return packet
