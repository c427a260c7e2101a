"""Private sessions at a classic terminal: the commands, the question, and what is said of them.

These are the lines that no server says, since no server hears what is talked here.

Source: document 002, "P2P"; rows T42-T57.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from veche.client.private import (
    AlreadyThere,
    Asked,
    CannotSay,
    Closed,
    Declined,
    Failed,
    NotAsked,
    NotOpen,
    Opened,
    PeerGone,
    PrivateEvent,
    PrivateSessions,
    Said,
    Waiting,
)
from veche.core.names import BadLogin, normal_login
from veche.packets import ErrorCode, Packet
from veche.packets.presence import PresenceSet

USAGE = {
    "startprivate": "startprivate <user>",
    "private": "private <user> <message>",
    "stopprivate": "stopprivate <user>",
}
NOT_STARTED = "Error. You need to start a private session with a user first"
FAILURES = {
    ErrorCode.UNKNOWN_USER: "Error. Invalid user",
    ErrorCode.BAD_REQUEST: "Error. Invalid user",
    ErrorCode.SELF: "Error. Cannot start private messaging with self",
    ErrorCode.OFFLINE: "Error. {name} is offline",
    ErrorCode.BLOCKED: "Error. Private messaging can't start because user is blocked",
    ErrorCode.NO_ANSWER: "{name} did not answer",
    ErrorCode.WITHDRAWN: "Private messaging with {name} is not started",
}
YES, NO = {"y", "yes"}, {"n", "no"}


class Screen(Protocol):
    """Where lines are shown and questions asked."""

    def say(self, line: str) -> None:
        """Show a line."""
        ...

    def ask(self, question: str) -> None:
        """The next line answers this."""
        ...

    def resume(self) -> None:
        """There is no question any more."""
        ...


class PrivateCommands:
    """The private sessions of one terminal.

    send: puts a packet on the link to the server, and returns the tag of its answer.
    """

    def __init__(self, screen: Screen, send: Callable[[Packet], str]) -> None:
        self._screen, self._send = screen, send
        self._sessions = PrivateSessions(send, self._happened, full_address=self._full_address)
        self._questions: deque[Asked] = deque()
        """Who waits for an answer; the first of them stands at the line that is typed."""
        self._mine: set[str] = set()
        """Whom this terminal has asked."""
        self._early: dict[str, list[str]] = {}
        """By whom was told yes and has not come yet: what is to be said then."""
        self.domain = ""
        """The server's own, once it is known."""

    def _full_address(self, login: str) -> str:
        try:
            return f"{normal_login(login, keeps_case=True)}@{self.domain}"
        except BadLogin:  # perhaps it is an address already; the server says what it is
            return login

    def handle(self, packet: Packet) -> bool:
        """A packet of the server; returns whether it was about private sessions."""
        return self._sessions.handle(packet)

    async def close(self) -> None:
        """Tell everybody goodbye (row T55)."""
        await self._sessions.close()

    # -- commands

    def obey(self, line: str) -> bool:
        """Do what a line asks for; returns whether it was one of these commands."""
        word, *rest = line.split(None, 2) or [""]
        if word not in USAGE:
            return False
        login = rest[0] if rest else ""
        try:
            if len(rest) != (2 if word == "private" else 1):
                self._screen.say(self._malformed(word, login))
            else:
                self._send(PresenceSet())  # row T56
                self._do(line, word, login, rest[-1])
        except AlreadyThere:
            self._screen.say(f"Error. Private messaging with {login} has been started already")
        except PeerGone:
            self._screen.say(f"Error. {login} is no longer at the address and port of the private session")
        except NotOpen:
            self._screen.say(not_enabled(login))
        except CannotSay as error:
            self._screen.say(in_style(str(error)))
        return True

    def _malformed(self, word: str, login: str) -> str:
        """What is said first of a malformed `private` is that there is no session (row T51)."""
        sessions = self._sessions.sessions
        if word == "private" and not login and not sessions:
            return NOT_STARTED
        if word == "private" and login and self._full_address(login) not in sessions:
            return not_enabled(login)
        return f"Error. Usage: {USAGE[word]}"

    def _do(self, line: str, word: str, login: str, text: str) -> None:
        match word:
            case "startprivate":
                self._sessions.ask(login)
            case _ if (early := self._early.get(self._full_address(login))) is not None:
                early.append(line)
            case "private":
                self._sessions.say(login, text)
            case _:
                self._sessions.stop(login)

    # -- the question

    @property
    def is_asking(self) -> bool:
        """The next line that is typed is an answer (row T47)."""
        return bool(self._questions)

    def answer(self, line: str) -> None:
        """A line that was typed at the question; what is neither yes nor no is asked again."""
        word = line.strip().lower()
        if word in YES or word in NO:
            asked = self._questions.popleft()
            with suppress(NotAsked):  # taken back at this moment
                self._sessions.answer(asked.id, word in YES)
                if word in YES:
                    self._early[asked.peer] = []
        self._ask_next()

    def _ask_next(self) -> None:
        if self._questions:
            name = name_of(self._questions[0].peer)
            self._screen.ask(f"{name} would like to private message, enter y or n: ")
        else:
            self._screen.resume()

    def _drop_question(self, peer: str) -> None:
        """Who asked no longer waits."""
        if any(asked.peer == peer for asked in self._questions):
            self._questions = deque(asked for asked in self._questions if asked.peer != peer)
            self._ask_next()

    # -- what happens

    def _happened(self, event: PrivateEvent) -> None:
        name = name_of(event.peer)
        match event:
            case Asked():
                self._questions.append(event)
                if len(self._questions) == 1:
                    self._ask_next()
                return
            case Waiting():
                self._mine.add(event.peer)
                text = f"Start private messaging with {name}"
            case Opened() if event.peer not in self._mine:
                text = ""
            case Opened():
                text = f"{name} accepts private messaging"
            case Declined():
                text = f"{name} declines private messaging"
            case Said():
                text = f"{name}(private): {event.text}"
            case Closed(_, True, ErrorCode.LOGGED_OUT):
                text = f"Private messaging with {name} has ended"
            case Closed(_, True, _):
                text = f"{name} has stopped private messaging"
            case Closed(_, _, None):
                text = f"Private messaging with {name} is stopped"
            case Closed(_, _, ErrorCode.LOGGED_OUT):
                text = ""
            case Closed():
                text = f"Private messaging with {name} has ended: {name} is gone"
            case Failed():
                text = FAILURES.get(event.code, in_style(event.reason)).replace("{name}", name)
        if not isinstance(event, Waiting | Said):
            self._mine.discard(event.peer)
            self._drop_question(event.peer)
        if text:
            self._screen.say(text)
        for line in self._early.pop(event.peer, []):
            self.obey(line)


def not_enabled(login: str) -> str:
    """There is no session to talk in (row T50)."""
    return f"Error. Private messaging to {login} not enabled"


def name_of(address: str) -> str:
    """How people of one server are shown to each other."""
    return address.partition("@")[0]


def in_style(sentence: str) -> str:
    """A sentence as document 002 writes its errors."""
    return f"Error. {sentence.removesuffix('.')}"
