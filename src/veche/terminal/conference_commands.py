"""What a person types about conferences and calls, the same in the plain mode and on the screen.

    conference create Shed        conference join bob        conference transfer bob       call bob carol
    conference say hello          conference leave           accept                        decline

`understood` makes requests of it, from what is known: which conference is meant, who is in it, who calls.  What is not
said is about the current conference, the one joined last.

Source: rows A30-A50, A69, V22-V36.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from veche.client.conferences import Conferences, Inside
from veche.packets import Packet
from veche.packets.conference import (
    CallPacket,
    CallStatus,
    ConferenceCreate,
    ConferenceDelete,
    ConferenceGet,
    ConferenceHistoryGet,
    ConferenceJoin,
    ConferenceLeave,
    ConferenceLegSet,
    ConferenceLink,
    ConferenceList,
    ConferenceMessageSend,
    ConferenceMute,
    ConferencePolicy,
    ConferenceRemove,
    ConferenceRename,
    ConferenceTransfer,
    ConferenceView,
    MediaKind,
    Policy,
)

from .people_commands import Wrong, is_word
from .text import on_one_line

CONFERENCE: dict[str, tuple[str, str]] = {
    "create": ("NAME", "make a conference, and be in it as its owner"),
    "list": ("", "the conferences that you may see"),
    "join": ("ID|NAME|FRIEND", "come in; where a friend is, by the friend's login"),
    "leave": ("[NAME]", "go; an owner who goes ends it, unless it was handed over before"),
    "resume": ("[NAME]", "hear it and be heard in it again; others that you are in wait"),
    "say": ("TEXT", "say something to everyone in it"),
    "who": ("", "who is in it, who speaks, and how the connections are"),
    "number": ("LOGIN", "the security number of your connection with LOGIN, to compare by voice"),
    "history": ("[N]", "the newest N texts said in it (50)"),
    "invite": ("LOGIN", "call somebody into it; works again for who did not come"),
    "ask": ("", "when its owner has switched you off: ask to be heard again"),
    "rename": ("NAME", "owner: give it another name"),
    "transfer": ("LOGIN", "owner: make LOGIN the owner"),
    "policy": ("friends|invite|link|open", "owner: who may come in by themselves"),
    "link": ("[new]", "the code of its link; new voids the old one"),
    "mute": ("LOGIN", "owner: switch the microphone of LOGIN off"),
    "unmute": ("LOGIN", "owner: let LOGIN switch it on again"),
    "remove": ("LOGIN", "owner: put LOGIN out"),
    "end": ("", "owner: end it for all"),
}
"""What can be done about a conference -> its arguments, and what it means."""
_WITH_WORD = ("invite", "number", "transfer", "mute", "unmute", "remove", "policy")
_WITH_TEXT = ("create", "join", "say", "rename")


class OfConference(NamedTuple):
    """`conference VERB ...`"""

    verb: str
    rest: str


class CallPeople(NamedTuple):
    """`call LOGIN...`"""

    logins: tuple[str, ...]


class AnswerCall(NamedTuple):
    """`accept` and `decline`, with nothing: whoever calls."""

    accepted: bool


class Calls(StrEnum):
    """What becomes of a call of somebody (rows V32, V36)."""

    ON = "on"
    """It rings, unless this device is in a call with sound: then it is busy."""
    WAIT = "wait"
    """It rings then too."""
    OFF = "off"
    """This device is busy."""

    def is_busy(self, *, is_talking: bool) -> bool:
        """Who calls now is told so."""
        return self is Calls.OFF or (self is Calls.ON and is_talking)


class SetCalls(NamedTuple):
    """`calls on`, `calls wait`, `calls off`"""

    calls: Calls


class SetMicrophone(NamedTuple):
    """`microphone on`, `microphone off`"""

    is_on: bool


Command = OfConference | CallPeople | AnswerCall | SetCalls | SetMicrophone


def conference(rest: str, usage: str) -> OfConference:
    """What `conference ...` asks for.  Raises Wrong."""
    slash = "/" if usage.startswith("/") else ""
    verb, _, rest = rest.lstrip().partition(" ")
    if verb not in CONFERENCE:
        raise Wrong(f"Write: {slash}conference {'|'.join(CONFERENCE)} ...")
    arguments, _ = CONFERENCE[verb]
    text = rest.strip()
    if (verb in _WITH_TEXT and not text) or (verb in _WITH_WORD and not is_word(text)):
        raise Wrong(f"Write: {slash}conference {verb} {arguments}")
    if verb == "policy" and text not in tuple(Policy):
        raise Wrong(f"Write: {slash}conference policy friends, invite, link or open")
    if verb == "history" and text and not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 200):
        raise Wrong(f"A page has 1 to 200 texts. Write: {slash}conference history 50")
    return OfConference(verb, rest if verb == "say" else text)


def call(rest: str, usage: str) -> CallPeople:
    """What `call ...` asks for.  Raises Wrong."""
    logins = tuple(dict.fromkeys(rest.replace(",", " ").split()))
    if not logins:
        raise Wrong(f"Write: {usage}")
    return CallPeople(logins)


def calls(rest: str, usage: str) -> SetCalls:
    """What `calls ...` asks for.  Raises Wrong."""
    if rest.strip() not in tuple(Calls):
        raise Wrong(f"Write: {usage}")
    return SetCalls(Calls(rest.strip()))


def microphone(rest: str, usage: str) -> SetMicrophone:
    """What `microphone ...` asks for.  Raises Wrong."""
    if rest.strip() not in ("on", "off"):
        raise Wrong(f"Write: {usage}")
    return SetMicrophone(rest.strip() == "on")


def needs_sound(command: object) -> bool:
    """It takes this device into a conference, so it matters what with."""
    match command:
        case OfConference("create" | "join", _) | CallPeople() | AnswerCall(accepted=True):
            return True
        case _:
            return False


SAID_OF_CALLS = {
    Calls.ON: "others may call you; in a call you are busy",
    Calls.WAIT: "others may call you, even when you are in a call",
    Calls.OFF: "whoever calls you is told that you are busy",
}


# -- what is meant


def understood(command: Command, known: Conferences, media: MediaKind = MediaKind.TEXT, *, slash: str = "") -> Packet:
    """The request.  media: what this device can take part with.  slash: before commands.  Raises Wrong."""
    match command:
        case OfConference("create", name):
            return ConferenceCreate(name=on_one_line(name), media=media)
        case OfConference("list", _):
            return ConferenceList()
        case OfConference("join", what):
            return _join(what, known, media, slash)
        case OfConference("leave", name):
            return ConferenceLeave(id=(_inside_named(name, known) if name else current(known, slash)).conference.id)
        case OfConference(verb, rest):
            return _of_current(verb, rest, known, current(known, slash))
        case CallPeople(logins):
            return CallPacket(status=CallStatus.INITIATE, users=list(logins), media=media)
        case AnswerCall(accepted):
            id = ringing(known)
            if accepted:
                return CallPacket(status=CallStatus.ACCEPTED, id=id, media=media)
            return CallPacket(status=CallStatus.ABORT, id=id)
        case SetCalls() | SetMicrophone():
            raise Wrong("That is this terminal's own business.")


def resumed(name: str, known: Conferences, slash: str = "") -> list[ConferenceLegSet]:
    """`conference resume`: what to say where.  Raises Wrong."""
    legs = [one for one in known.inside.values() if one.me is not None and one.me.media is not MediaKind.TEXT]
    wanted = _inside_named(name, known) if name else next(iter(known.held), None)
    if wanted is None:
        current(known, slash)
        raise Wrong("None of your conferences is on hold.")
    if wanted not in legs:
        raise Wrong(f"You take part in writing in {on_one_line(wanted.conference.name)}.")
    id = wanted.conference.id
    others = [ConferenceLegSet(id=one.conference.id, held=True) for one in legs if one is not wanted]
    return [*others, ConferenceLegSet(id=id, held=False)]


def current(known: Conferences, slash: str = "") -> Inside:
    """The conference joined last, of those that are not on hold.  Raises Wrong."""
    found = known.current
    if found is None:
        raise Wrong(f"You are in no conference. Write: {slash}conference join NAME, or {slash}conference create NAME")
    return found


def ringing(known: Conferences) -> str:
    """The call that rings; of several the newest.  Raises Wrong."""
    if not known.calls:
        raise Wrong("Nobody calls you.")
    return next(reversed(known.calls))


def _join(what: str, known: Conferences, media: MediaKind, slash: str) -> Packet:
    """By id, else by name, else by a friend who is inside."""
    if what in known.conferences:
        return ConferenceJoin(id=what, media=media)
    named = known.named(what)
    if len(named) > 1:
        said = f"There are several conferences named {on_one_line(what)}."
        raise Wrong(_several(said, named, lambda one: one.id, slash))
    if named:
        return ConferenceJoin(id=named[0].id, media=media)
    if is_word(what):
        address = known.address(what)
        theirs = known.of_friend(address)
        if len(theirs) > 1:
            raise Wrong(_several(f"{what} is in several conferences.", theirs, _name_or_id(known), slash))
        if theirs:
            return ConferenceJoin(id=theirs[0].id, media=media)
        if address in known.contacts:
            return ConferenceJoin(friend=what, media=media)
        if len(what) >= 20:
            return ConferenceJoin(id=what, media=media)
    return ConferenceJoin(name=on_one_line(what), media=media)


def _name_or_id(known: Conferences) -> Callable[[ConferenceView], str]:
    return lambda one: on_one_line(one.name) if len(known.named(one.name)) == 1 else one.id


def _several(said: str, found: list[ConferenceView], word: Callable[[ConferenceView], str], slash: str) -> str:
    lines = [
        f"{slash}conference join {word(one)}" + (f"   ({on_one_line(one.name)})" if word(one) == one.id else "")
        for one in found
    ]
    return "\n    ".join([f"{said} Write one of:", *lines])


def _inside_named(name: str, known: Conferences) -> Inside:
    found = [
        one
        for one in known.inside.values()
        if name == one.conference.id or " ".join(name.split()).casefold() == one.conference.name.casefold()
    ]
    if not found:
        raise Wrong(f"You are not in {on_one_line(name)}.")
    return found[-1]


def _of_current(verb: str, rest: str, known: Conferences, inside: Inside) -> Packet:
    id = inside.conference.id
    match verb:
        case "who":
            return ConferenceGet(id=id)
        case "say":
            return ConferenceMessageSend(id=id, text=rest)
        case "history":
            return ConferenceHistoryGet(id=id, limit=int(rest or "50"))
        case "invite":
            address = known.address(rest)
            again = any(one.user == address for one in inside.conference.calls)
            return CallPacket(status=CallStatus.REINVITE if again else CallStatus.INITIATE, id=id, users=[rest])
        case "rename":
            return ConferenceRename(id=id, name=on_one_line(rest))
        case "transfer":
            return ConferenceTransfer(id=id, login=rest)
        case "policy":
            return ConferencePolicy(id=id, policy=Policy(rest))
        case "link":
            return ConferenceLink(id=id, new=rest == "new")
        case "mute" | "unmute":
            return ConferenceMute(id=id, leg=_leg(rest, known, inside), audio=verb == "mute")
        case "remove":
            return ConferenceRemove(id=id, leg=_leg(rest, known, inside))
        case "ask":
            return ConferenceLegSet(id=id, asks=True)
        case "end":
            return ConferenceDelete(id=id)
        case _:
            raise Wrong(f"There is no conference {verb}.")


def _leg(login: str, known: Conferences, inside: Inside) -> str:
    """The newest leg of somebody inside.  Raises Wrong."""
    address = known.address(login)
    legs = [leg.id for leg in inside.conference.legs if leg.user == address]
    if not legs:
        raise Wrong(f"{login} is not in {on_one_line(inside.conference.name)}.")
    return legs[-1]
