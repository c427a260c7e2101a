"""Private conversations on the screen: who asks, who is asked, what is said off the record.

Nobody is moved into or out of one while they type: only what a person types themselves opens one.

Source: rows T42-T57, X11, X22.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from veche.client import private
from veche.client.private import PrivateEvent
from veche.packets import ERROR_TEXT, Packet
from veche.packets.contacts import FriendAnswer, Relation
from veche.packets.private import PrivateAnswerFailed, PrivateStartFailed, PrivateStopFailed

from .people_commands import Wrong
from .talk import Stage, Talk
from .text import harmless

if TYPE_CHECKING:
    from .screen import Screen


class PrivateScreen:
    """The private conversations of one terminal."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._talks: dict[str, Talk] = {}
        self._sessions = screen.client.private

    def asking(self) -> tuple[str, ...]:
        """Who would like to talk, and has no answer yet."""
        return tuple(one.peer for one in self._sessions.requests)

    def unread(self) -> Mapping[str, int]:
        """With whom there is a conversation -> what is unread in it."""
        over = (Stage.ASKED, Stage.CLOSED)
        return {peer: talk.unread for peer, talk in self._talks.items() if talk.sayings or talk.stage not in over}

    def read(self, talk: Talk | None) -> None:
        """The person sees this conversation, if it is one."""
        if talk is not None:
            talk.unread = 0

    @staticmethod
    def tells(packet: Packet) -> bool:
        """The refusal is told as an event of the private sessions."""
        return isinstance(packet, PrivateStartFailed | PrivateAnswerFailed | PrivateStopFailed)

    # -- what a person does

    def show(self, peer: str) -> None:
        """Open the conversation there is."""
        self._screen.end_typing()
        self._screen.view.show(peer, talk=self._talks[peer])
        self.read(self._talks[peer])
        self._screen.frame.redraw()

    def start(self, login: str) -> None:
        """Open the conversation there is with somebody, or ask for one.  Raises Wrong, PrivateError."""
        peer = self._address(login)
        talk = self._talks.get(peer)
        if talk is None or talk.stage in (Stage.CLOSED, Stage.ASKED):
            is_answer = peer in self.asking()
            self._sessions.ask(peer)
            self._talk(peer, Stage.LINKING if is_answer else Stage.ASKING)
        self.show(peer)

    def answer(self, login: str, accepted: bool) -> bool:
        """Answer the request of somebody, or the only one that waits.  Returns whether it is on its way.

        Somebody who wants to be a friend is answered too.  Raises Wrong, PrivateError.
        """
        asking = self.asking()
        friends = [one.id for one in self._screen.state.related(Relation.INCOMING) if login or not one.ignored]
        if login:
            peer = self._screen.state.address(login)
        elif self._screen.view.peer in (*asking, *friends):
            peer = self._screen.view.peer
        elif len(asking or friends) == 1:
            peer = (asking or friends)[0]
        else:
            raise Wrong("Whose request? Write: /accept NAME, or /decline NAME" if asking or friends else "Nobody asks.")
        assert peer is not None
        if peer in asking:
            self._sessions.answer(peer, accepted)
            if accepted:
                self._talk(peer, Stage.LINKING)
                self.show(peer)
            else:
                self._end(peer)
            return True
        if peer in friends:
            return self._screen.post(FriendAnswer(login=peer, accepted=accepted)) is not None
        raise Wrong(f"{self._name(peer)} asks for nothing.")

    def stop(self, login: str) -> None:
        """End the conversation with somebody.  Raises Wrong, PrivateError."""
        self._sessions.stop(self._address(login))

    def say(self, talk: Talk, text: str) -> bool:
        """Say something there, or nowhere.  Returns whether it was said."""
        if talk.stage is not Stage.OPEN:
            self._screen.complain(
                f"Nothing was sent: the private conversation is not open ({talk.stage.value}). "
                f"/private {self._name(talk.peer)} asks for it."
            )
            return False
        self._sessions.say(talk.peer, text)
        talk.add(datetime.now().astimezone(), text, is_mine=True)
        self._screen.view.to_end()
        return True

    # -- what happens

    def take(self, event: PrivateEvent) -> None:
        """Something happened between two devices."""
        name, screen = self._name(event.peer), self._screen
        match event:
            case private.Asked(peer):
                self._talk(peer, Stage.ASKED)
                screen.announce(f"{name} would like to talk off the record: /accept {name}, or /decline {name}")
                screen.ring(peer)
            case private.Waiting(peer):
                self._talk(peer, Stage.ASKING)
            case private.Opened(peer):
                if screen.view.talk is not self._talk(peer, Stage.OPEN):
                    screen.say(f"You talk off the record with {name} now: /private {name}")
            case private.Said(peer, text):
                self._heard(peer, text)
            case private.Declined(peer):
                self._end(peer, f"{name} does not want to talk off the record now.")
            case private.Closed(peer, by_peer, code):
                who = f"{name} has" if by_peer else "You have" if code is None else ""
                self._end(peer, f"{who} ended it." if who else f"It broke: {ERROR_TEXT[code]}" if code else "")
            case private.Failed(peer, _, reason):
                self._end(peer, f"Off the record with {name}: {harmless(reason)}")

    def _heard(self, peer: str, text: str) -> None:
        talk = self._talk(peer, Stage.OPEN)
        talk.add(datetime.now().astimezone(), text, is_mine=False)
        if self._screen.view.talk is not talk:
            talk.unread += 1
            self._screen.ring(peer)

    def _talk(self, peer: str, stage: Stage) -> Talk:
        talk = self._talks.setdefault(peer, Talk(peer, stage))
        talk.stage = stage
        return talk

    def _end(self, peer: str, why: str = "") -> None:
        """It is over; what was said stays until the terminal is left, if anything was."""
        talk = self._talk(peer, Stage.CLOSED)
        if not talk.sayings and self._screen.view.talk is not talk:
            del self._talks[peer]
        self._screen.say(why)

    def _address(self, login: str) -> str:
        address = self._screen.state.address(login) if login else self._screen.view.peer
        if address is None:
            raise Wrong("With whom? Write: /private NAME")
        return address

    def _name(self, peer: str) -> str:
        return self._screen.look(80).login(peer)
