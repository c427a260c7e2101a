"""Conferences and calls on the screen: the rooms, what rings, what a person does about them.

A person is taken into a room only by what they have typed themselves; what happens elsewhere is told in its room, or
where they look.

Source: rows A30-A50, A57, A58, A70, V22-V36.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from veche.client.conferences import Inside, leg_of, resumptions
from veche.client.state import State
from veche.packets import Failed, Packet
from veche.packets.conference import (
    Called,
    CallOk,
    CallPacket,
    CallStatus,
    ConferenceChanged,
    ConferenceEnded,
    ConferenceGetOk,
    ConferenceHistoryGet,
    ConferenceHistoryGetFailed,
    ConferenceHistoryGetOk,
    ConferenceJoin,
    ConferenceJoined,
    ConferenceJoinFailed,
    ConferenceJoinOk,
    ConferenceLeave,
    ConferenceLeaveOk,
    ConferenceLeft,
    ConferenceLegChanged,
    ConferenceLinkOk,
    ConferenceListOk,
    ConferenceMessage,
    ConferenceMessageSend,
    ConferenceSeen,
    ConferenceTransfer,
    ConferenceTransferOk,
    MediaKind,
    SignalFailed,
)

from .conference_commands import AnswerCall, Command, OfConference, conference, needs_sound, resumed, understood
from .conference_words import NO_MARKS, said
from .people_commands import Wrong
from .room import last_seq
from .sentences import Reader
from .sound import Devices, Heard, Sound, numbers_in_words
from .text import on_one_line

if TYPE_CHECKING:
    from .screen import Screen

RING_EVERY_S = 4.0
_OF_ROOM = (ConferenceJoined, ConferenceLeft, ConferenceLegChanged, ConferenceChanged)
_SAID = (ConferenceListOk, ConferenceGetOk, ConferenceLinkOk, ConferenceLeaveOk, ConferenceEnded, CallOk)


class ConferenceScreen:
    """The conferences of one terminal."""

    def __init__(self, screen: Screen, devices: Devices, *, is_near: bool) -> None:
        self._screen = screen
        self.sound = Sound(
            screen.client,
            devices,
            is_near=is_near,
            say=screen.say,
            told=self._heard,
            changed=lambda: screen.frame.redraw(),
        )
        self._read: dict[str, int] = {}
        """id -> the newest text of its room that the person has seen"""
        self._older: str | None = None
        """key of the CONFERENCE-HISTORY-GET for older texts"""
        self._rang_at = 0.0

    def unread(self) -> Mapping[str, int]:
        """Ids of the rooms in which this device is -> how many texts of others are unread."""
        me = self._screen.state.me
        return {
            id: sum(one.seq > self._read.get(id, 0) and one.from_ != me for one in inside.room)
            for id, inside in self._screen.state.inside.items()
        }

    def sounds(self) -> Mapping[str, Mapping[str, str]]:
        """What is to be said of the legs of conferences with sound, by id and leg."""
        return {id: self.sound.marks(id) for id in self._screen.state.inside}

    @property
    def microphone(self) -> str:
        """on, off, on hold; empty: it is closed."""
        if not self.sound.is_open:
            return ""
        state = self._screen.state
        if state.held and not state.heard:
            return "on hold"
        return "off" if self.sound.is_muted else "on"

    def here(self) -> Inside | None:
        """The conference that is open."""
        return self._screen.state.inside.get(self._screen.view.hall or "")

    # -- what a person does

    def show(self, id: str) -> None:
        """Open its room."""
        screen = self._screen
        screen.end_typing()
        screen.view.show(None, hall=id)
        if not screen.state.inside[id].room:
            self.load_older()
        self.read()
        screen.frame.redraw()

    def read(self) -> None:
        """The person sees what is open."""
        inside = self.here()
        if inside is not None:
            self._read[inside.conference.id] = last_seq(inside)

    def say(self, text: str) -> bool:
        """Say something in the open room.  Returns whether it is on its way."""
        inside = self.here()
        if inside is None:
            self._screen.complain("Nothing was sent: you are not in it any more.")
            return False
        self._screen.view.to_end()
        return self._screen.post(ConferenceMessageSend(id=inside.conference.id, text=text)) is not None

    def load_older(self) -> None:
        """Ask for a page of the open room, if there may be one."""
        inside = self.here()
        if inside is not None and self._older is None and not (inside.room and inside.room[0].seq <= 1):
            before = inside.room[0].seq if inside.room else None
            self._older = self._screen.post(ConferenceHistoryGet(id=inside.conference.id, before=before))

    def of_conference(self, argument: str, usage: str) -> Packet | bool | None:
        """`/conference ...`.  Raises Wrong."""
        command = conference(argument, usage)
        if command.verb == "leave" and self._leave(command):
            return None
        if command.verb == "number":
            state = self._in_front()
            who = self._screen.look(80).name(state.address(command.rest))
            self._screen.say(numbers_in_words(self.sound.compared(command.rest, state, "/"), who))
            return None
        if command.verb == "resume":
            self._resume(command.rest)
            return None
        return self.do(command)

    def do(self, command: Command) -> Packet | None:
        """The request; None: it comes once the sound devices are open.  Raises Wrong."""
        packet = self.understood(command)
        if not needs_sound(command):
            return packet
        media = self.sound.known()
        if media is None:
            self._screen.spawn(self._open_and_do(command))
        else:
            self._post(self.understood(command, media))
        return None

    async def _open_and_do(self, command: Command) -> None:
        media = await self.sound.media()
        try:
            self._post(self.understood(command, media))
        except Wrong as wrong:  # it is over meanwhile
            self.sound.settle()
            self._screen.complain(str(wrong))

    def _post(self, packet: Packet) -> None:
        self.sound.asked(self._screen.post(packet), packet)

    def _resume(self, name: str) -> None:
        here = self.here()
        if not name and here is not None:
            name = here.conference.id
        for packet in resumed(name, self._screen.state, "/"):
            self._screen.post(packet)

    def switch(self, is_on: bool) -> None:
        """The microphone.  Raises Wrong."""
        self.sound.mute(not is_on, self._screen.state)

    def understood(self, command: Command, media: MediaKind = MediaKind.TEXT) -> Packet:
        """The request; what names no conference is about the open one.  Raises Wrong."""
        return understood(command, self._in_front(), media, slash="/")

    def _in_front(self) -> State:
        """The state, the open conference its current one."""
        state = self._screen.state
        inside = self.here()
        if inside is not None:  # the open one is the current one
            id = inside.conference.id
            others = {key: one for key, one in state.inside.items() if key != id}
            state = replace(state, inside={**others, id: inside})
        return state

    def answer(self, accepted: bool) -> Packet | None:
        """Answer the call that rings.  Raises Wrong."""
        return self.do(AnswerCall(accepted))

    def _leave(self, command: OfConference) -> bool:
        """Ask an owner first, when others are inside.  Returns whether that is done."""
        screen, state = self._screen, self._screen.state
        wanted = self.understood(command)
        assert isinstance(wanted, ConferenceLeave)
        inside = state.inside[wanted.id]
        my_legs = [leg for leg in inside.conference.legs if leg.user == state.me]
        if inside.conference.owner != state.me or len(my_legs) > 1 or len(inside.people) < 2:
            return False
        screen.spawn(self._ask_and_leave(inside))
        return True

    async def _ask_and_leave(self, inside: Inside) -> None:
        screen, id = self._screen, inside.conference.id
        name = on_one_line(inside.conference.name, 40)
        answer = (await screen.frame.ask(f"{name}: end for all, NAME becomes owner, or Enter to stay: ")).strip()
        if not answer:
            screen.say("You stay.")
        elif answer == "end":
            screen.post(ConferenceLeave(id=id))
        else:
            handed: ConferenceTransferOk = await screen.client.request(ConferenceTransfer(id=id, login=answer))
            screen.say(f"{screen.look(80).login(handed.login)} is the owner of {name} now.")
            screen.post(ConferenceLeave(id=id))

    # -- what happens

    def online(self) -> None:
        """There is a link again: the places that this device had are taken up."""
        for request in resumptions(self._screen.state):
            self._screen.post(request)

    def tick(self) -> None:
        """A second has passed: what rings, rings."""
        screen = self._screen
        newest = next(reversed(screen.state.calls.values()), None)
        if newest is not None and screen.now() - self._rang_at >= RING_EVERY_S:
            self._rang_at = screen.now()
            screen.ring(newest.from_)

    def take(self, before: State, packet: Packet, key: str, request: Packet | None) -> bool:
        """Something happened.  Returns whether that is all that is to be said of it."""
        screen = self._screen
        marks = self.sound.marks(packet.conference.id) if isinstance(packet, ConferenceGetOk) else NO_MARKS
        words = said(packet, before, Reader(before, slash="/"), marks)
        match packet:
            case ConferenceJoinOk():
                self._joined(packet, words)
            case ConferenceJoinFailed() if isinstance(request, ConferenceJoin) and request.resume and request.id:
                lost = before.inside.get(request.id)
                name = on_one_line(lost.conference.name) if lost is not None else "the conference"
                self._out(request.id, f"You are not in {name} any more. {packet.reason}".rstrip())
            case ConferenceLeft() if packet.id not in screen.state.inside:
                self._out(packet.id, words)
            case ConferenceEnded() | ConferenceLeaveOk():
                self._out(packet.id, words)
            case ConferenceMessage():
                if screen.view.hall != packet.id:
                    screen.ring(packet.from_)
            case Called():
                self._called(packet, words)
            case ConferenceSeen():
                screen.announce(words)
            case ConferenceHistoryGetOk() | ConferenceHistoryGetFailed() if key == self._older:
                self._older = None
            case SignalFailed():
                pass  # who left does not answer
            case _ if isinstance(packet, _OF_ROOM):
                screen.say(words, place=f"conference {packet.id}")
            case _ if isinstance(packet, _SAID):
                screen.say(words)
            case _:
                return False
        return not isinstance(packet, Failed) or isinstance(packet, SignalFailed) or packet.code.value == "not-inside"

    def _heard(self, heard: Heard) -> None:
        """How it stands with the sound of a leg; the room shows what is well."""
        screen = self._screen
        inside = screen.state.inside.get(heard.conference)
        leg = None if inside is None else leg_of(inside.conference, heard.leg)
        if leg is not None and heard.reason:
            screen.say(heard.sentence(screen.look(80).name(leg.user)), place=f"conference {heard.conference}")

    def _joined(self, packet: ConferenceJoinOk, words: str) -> None:
        id = packet.conference.id
        if packet.resumed or self._screen.view.hall == id:
            self._screen.say(words, place=f"conference {id}")
        else:
            self.show(id)
            self._screen.say(words)

    def _out(self, id: str, words: str) -> None:
        if self._screen.view.hall == id:
            self._screen.go(None)
        self._screen.say(words, "class:request")

    def _called(self, packet: Called, words: str) -> None:
        screen = self._screen
        is_talking = self.sound.is_open and screen.state.is_talking
        if packet.id in screen.state.calls and screen.calls.is_busy(is_talking=is_talking):
            screen.post(CallPacket(status=CallStatus.OCCUPIED, id=packet.id))
        elif packet.id in screen.state.calls:
            self._rang_at = screen.now()
            screen.ring(packet.from_)
        elif packet.id in screen.state.inside:
            screen.say(words, place=f"conference {packet.id}")
        else:
            screen.say(words)
