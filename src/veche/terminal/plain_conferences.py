"""Conferences and calls in the plain mode: their commands, and the sound of this device in them.

How it stands with the sound of another leg is no packet of the server, so with --json it has a line of its own
whenever it is new; every key is always there:

    {"type":"SOUND","conference":"...","leg":"bob@home/phone","state":"failed","reason":"...","retry_in_s":2.0,
     "identity":""}

state: connecting, connected, weak, failed.  identity: of connected ones, the account that has signed, if one has.

Source: rows A30-A50, A69, V22-V36.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from veche.client import Arrived, Client
from veche.client.conferences import leg_of
from veche.packets import Packet
from veche.packets.conference import Called, CallPacket, CallStatus, ConferenceGetOk

from .conference_commands import (
    SAID_OF_CALLS,
    Calls,
    Command,
    OfConference,
    SetCalls,
    SetMicrophone,
    needs_sound,
    resumed,
    understood,
)
from .conference_words import NO_MARKS
from .sentences import Reader
from .sound import Devices, Heard, Sound, numbers_in_words


class PlainConferences:
    """Those of one run.

    put: takes what is to be printed.  say: tells a sentence on standard error.  is_near: the server is on this machine.
    """

    def __init__(
        self,
        client: Client,
        reader: Reader,
        devices: Devices,
        *,
        put: Callable[[bytes], None],
        say: Callable[[str], None],
        as_json: bool,
        is_near: bool,
    ) -> None:
        self.sound = Sound(client, devices, is_near=is_near, say=self._say_of_sound, told=self._heard)
        self._client, self._reader, self._put, self._say, self._as_json = client, reader, put, say, as_json
        self._calls = Calls.ON
        self._beside: list[bytes] | None = None
        """What is to be printed after the event from which it follows."""

    async def obey(self, command: Command) -> None:
        """Do what is asked for.  Raises Wrong, ClientError."""
        people = self._reader.people
        match command:
            case SetCalls(calls):
                self._calls = calls
                if not self._as_json:
                    self._put(f"{SAID_OF_CALLS[calls]}\n".encode())
            case SetMicrophone(is_on):
                self.sound.mute(not is_on, people)
            case OfConference("number", login):
                compared = self.sound.compared(login, people)
                self._say_of_sound(numbers_in_words(compared, self._reader.name(people.address(login))))
            case OfConference("resume", name):
                for packet in resumed(name, people):
                    self._client.post(packet)
            case _:
                packet = understood(command, people)
                if needs_sound(command):
                    media = await self.sound.media()
                    packet = understood(command, self._reader.people, media)
                self.sound.asked(self._client.post(packet), packet)

    def arrived(self, item: Arrived) -> bytes:
        """What has arrived, and was folded.  Returns what is to be printed after it."""
        packet, people = item.packet, self._reader.people
        if packet is None:
            return b""
        found: list[bytes] = []
        self._beside = found
        self.sound.take(packet, item.key, item.request)
        self._beside = None
        is_talking = self.sound.is_open and people.is_talking
        if isinstance(packet, Called) and packet.id in people.calls and self._calls.is_busy(is_talking=is_talking):
            self._client.post(CallPacket(status=CallStatus.OCCUPIED, id=packet.id))
        return b"".join(found)

    def marks(self, packet: Packet) -> Mapping[str, str]:
        """What is to be said of the legs of a conference that is shown."""
        return self.sound.marks(packet.conference.id) if isinstance(packet, ConferenceGetOk) else NO_MARKS

    # -- inside

    def _say_of_sound(self, sentence: str) -> None:
        if self._as_json:
            self._say(sentence)
        else:
            self._print(f"{sentence}\n")

    def _heard(self, heard: Heard) -> None:
        if self._as_json:
            self._print(heard.line())
            return
        inside = self._reader.people.inside.get(heard.conference)
        leg = None if inside is None else leg_of(inside.conference, heard.leg)
        who = self._reader.name(heard.leg.rpartition("/")[0] if leg is None else leg.user)
        self._print(f"{heard.sentence(who)}\n")

    def _print(self, line: str) -> None:
        data = line.encode(errors="replace")
        if self._beside is None:
            self._put(data)
        else:
            self._beside.append(data)
