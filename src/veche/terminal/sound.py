"""The microphone and the loudspeaker of this terminal in conferences: when they are there, and what is said of them.

    media = await sound.media()       what to ask for: AUDIO once the devices are open, else TEXT
    sound.asked(key)                  the request that was made with it
    sound.take(packet, key, request)  each packet of the server, in its order

WebRTC takes half a second to load, so it is loaded in a thread by the first `media` on a machine that has sound
devices.  They are let go of with the last conference.

Source: rows A39, A63, A69; media/headset.py.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from veche.client import Client
from veche.client.conferences import Conferences, leg_of
from veche.client.slots import KnownIdentities
from veche.packets import Packet
from veche.packets.conference import (
    CallPacket,
    CallStatus,
    ConferenceCreate,
    ConferenceJoin,
    ConferenceJoinOk,
    MediaKind,
)

from .conference_commands import current
from .people_commands import Wrong
from .text import on_one_line, seconds

if TYPE_CHECKING:
    from veche.media.engine import LegState
    from veche.media.headset import Headset

WORDS = {"failed": "no connection"}
DEFAULT = "default"
"""The device that ALSA is told to use when none is named."""
IN_WRITING = "You take part in writing."
NO_DEVICES = f"This machine has no sound device. {IN_WRITING}"
OTHERS = "arecord -L and aplay -L list names for --microphone and --loudspeaker."
MICROPHONE_ON = "your microphone is on"
MICROPHONE_OFF = "your microphone is off: nobody hears you"
HEADPHONES = "Wear headphones, or the others hear themselves."


class Devices(NamedTuple):
    """What the command line asked for.

    is_on: take part with sound, where it can be.  microphone, loudspeaker: names of ALSA.  identity: the folder of the
    account that signs calls, if any.  known: who has signed as whom.
    """

    is_on: bool = False
    microphone: str = DEFAULT
    loudspeaker: str = DEFAULT
    identity: Path | None = None
    known: KnownIdentities | None = None

    @property
    def are_missing(self) -> bool:
        """For sure, and without loading anything."""
        if (self.microphone, self.loudspeaker) != (DEFAULT, DEFAULT):
            return False
        return not sys.platform.startswith("linux") or not any(Path("/dev/snd").glob("pcm*"))


class Heard(Struct, frozen=True):
    """How it stands with another leg of a conference: connecting, connected, weak, failed, and why.

    identity: the account whose key vouches for the connection, 40 hexadecimal digits; empty: none does.
    """

    conference: str
    leg: str
    state: str
    reason: str = ""
    retry_in_s: float | None = None
    identity: str = ""

    def line(self) -> str:
        """The same with --json; it is no packet of the server, so it has a type of its own."""
        return msgspec.json.encode({"type": "SOUND", **msgspec.to_builtins(self)}).decode() + "\n"

    def sentence(self, who: str) -> str:
        """The same for people."""
        match self.state:
            case "connected":
                return f"connected with {who}" + (f", signed by {self.identity}" if self.identity else "")
            case "weak":
                return f"the connection with {who} is weak: {on_one_line(self.reason)}"
            case "failed":
                again = "" if self.retry_in_s is None else f" Tried again in {seconds(self.retry_in_s)}."
                return f"no connection with {who}: {on_one_line(self.reason)}{again}"
            case _:
                return f"connecting with {who}"


class Sound:
    """The sound of one run of the terminal.

    is_near: the server is on this machine, so others may be too, and are offered a way that stays here.
    say: is given what a person should know.  told: how it stands with a leg, unless that is an old story.
    changed: what `marks` says is new.
    """

    def __init__(
        self,
        client: Client,
        devices: Devices,
        *,
        is_near: bool = False,
        say: Callable[[str], None],
        told: Callable[[Heard], None],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._devices, self._is_near = client, devices, is_near
        self._say, self._told, self._changed = say, told, changed
        self._headset: Headset | None = None
        self._opening = asyncio.Lock()
        self._waiting: set[str] = set()
        """Keys of requests that will put the devices to use."""
        self._is_muted = False
        """The person's own choice, before there is a microphone too."""
        self._excuse: str = ""
        """Why one is in writing: to be said to who has come in."""
        self._excused: str = ""
        """What was said of it last."""
        self._was_advised = False
        self._lost: list[str] = []
        self._known: dict[tuple[str, str], str] = {}
        """(conference, leg) -> the state that was told last"""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_on(self) -> bool:
        """This terminal takes part with sound where it can."""
        return self._devices.is_on

    @property
    def is_open(self) -> bool:
        """The microphone is open, muted or not."""
        return self._headset is not None

    @property
    def is_muted(self) -> bool:
        """Nobody hears the microphone."""
        return self._is_muted if self._headset is None else self._headset.is_muted

    # -- coming

    def known(self) -> MediaKind | None:
        """What can be asked for, where that is known without waiting."""
        if self._headset is not None:
            return MediaKind.AUDIO
        if not self.is_on:
            return MediaKind.TEXT
        return self._without(NO_DEVICES) if self._devices.are_missing else None

    async def media(self) -> MediaKind:
        """What can be asked for; opens the devices."""
        async with self._opening:
            media = self.known()
            if media is not None:
                return media
            try:
                headset, audio, check, identity = await asyncio.to_thread(_load)
            except ImportError as error:
                return self._without(f"This terminal has no WebRTC ({error}). {IN_WRITING}")
            try:
                identities = await asyncio.to_thread(identity.of_folder, self._devices.identity, self._devices.known)
            except identity.NoIdentity as error:
                return self._without(f"{error} {IN_WRITING}")
            try:
                devices = await asyncio.to_thread(
                    audio.open_devices, self._devices.microphone, self._devices.loudspeaker
                )
            except audio.NoDevices as error:
                return self._without(f"{error} {IN_WRITING} {OTHERS}")
            devices.is_muted = self._is_muted
            paths = headset.Paths((*check.host_addresses(), "127.0.0.1")) if self._is_near else headset.Paths()
            self._headset = headset.Headset(
                self._client, devices, paths=paths, told=self._hear, changed=self._look, identities=identities
            )
            return MediaKind.AUDIO

    def asked(self, key: str | None, packet: Packet) -> None:
        """The request that was made with `media` is on its way."""
        if key is not None and self._headset is not None and asks_for_sound(packet):
            self._waiting.add(key)
        self.settle()

    def answered(self, key: str | None) -> None:
        """Nothing more will come of a request."""
        if key in self._waiting:
            self._waiting.discard(key)
            self.settle()

    def settle(self) -> None:
        """When nobody needs the devices any more, let go of them."""
        if self._headset is not None and not self._headset.conferences and not self._waiting:
            self._close()

    # -- being there

    def take(self, packet: Packet, key: str | None, request: Packet | None) -> None:
        """A packet of the server."""
        if isinstance(packet, ConferenceJoinOk) and self._excuse:
            self._say(self._excuse)
            self._excuse = ""
        if self._headset is None:
            return
        before = self._headset.conferences
        if not before and isinstance(packet, ConferenceJoinOk) and has_sound(packet):
            self._say(self._opened())
        self._headset.take(packet, request)
        after = self._headset.conferences
        if len(after) < len(before):
            self._known = {one: state for one, state in self._known.items() if one[0] in after}
        self.answered(key)
        self.settle()

    def mute(self, is_muted: bool, known: Conferences) -> None:
        """Switch the microphone.  Raises Wrong."""
        if not self.is_on:
            raise Wrong("This terminal takes part in writing; --audio makes it speak.")
        if self._headset is None and known.inside:
            raise Wrong(f"No microphone is open. {IN_WRITING}")
        if not is_muted and "microphone" in self._lost:
            raise Wrong("The microphone is gone. Leave, and come in again, to use another.")
        if self._headset is not None and not is_muted:
            legs = [known.inside[id].me for id in self._headset.conferences if id in known.inside]
            if any(leg is not None and leg.muted_by and not leg.held for leg in legs):
                raise Wrong("The owner has switched your microphone off.")
        self._is_muted = is_muted
        if self._headset is not None:
            self._headset.is_muted = is_muted
        self._say(MICROPHONE_OFF if is_muted else MICROPHONE_ON)
        self._changed()

    def marks(self, id: str) -> Mapping[str, str]:
        """What is to be said of each leg of a conference, by leg; of this device's too."""
        if self._headset is None or id not in self._headset.conferences:
            return {}
        found = dict.fromkeys(self._headset.speaking(id), "speaks")
        for leg, state in self._headset.states(id).items():
            word = found.get(leg) or WORDS.get(state.state.value, state.state.value)
            found[leg] = f"{word}, signed" if state.identity else word
        return found

    def compared(self, login: str, known: Conferences, slash: str = "") -> list[tuple[str, str]]:
        """The security number of each connection with somebody, and who has signed it, empty for nobody.

        Raises Wrong.
        """
        inside = current(known, slash)
        id, address = inside.conference.id, known.address(login)
        legs = [leg.id for leg in inside.conference.legs if leg.user == address and leg.id != inside.leg]
        if not legs:
            raise Wrong(f"{login} is not in {on_one_line(inside.conference.name)}.")
        headset = self._headset
        states = {} if headset is None else headset.states(id)
        found = [
            (number, states[leg].identity)
            for leg in legs
            if headset is not None and leg in states and (number := headset.security_number(id, leg))
        ]
        if not found:
            raise Wrong(f"You have no connection with {login} here.")
        return found

    async def close(self) -> None:
        """The terminal ends."""
        self._close()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- inside

    def _without(self, sentence: str) -> MediaKind:
        """There are no devices now; next time there may be."""
        if sentence != self._excused:
            self._excuse, self._excused = sentence, sentence
        return MediaKind.TEXT

    def _opened(self) -> str:
        assert self._headset is not None
        said = MICROPHONE_OFF if self._headset.is_muted else MICROPHONE_ON
        if not self._was_advised:
            self._was_advised = True
            said += f". {HEADPHONES}"
        return said

    def _close(self) -> None:
        headset, self._headset = self._headset, None
        self._known, self._lost = {}, []
        if headset is not None:
            task = asyncio.get_running_loop().create_task(headset.close())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._changed()

    def _hear(self, id: str, state: LegState) -> None:
        told = Heard(id, state.leg, state.state.value, state.reason, state.retry_in_s, state.identity)
        before = self._known.get((id, state.leg))
        is_old = told.state == "connecting" and before is not None and before != "connected"
        if not is_old and before != told.state:
            self._known[id, state.leg] = told.state
            self._told(told)
        self._changed()

    def _look(self) -> None:
        lost = [] if self._headset is None else self._headset.lost()
        for device in lost:
            if device not in self._lost:
                what = "nobody hears you" if device == "microphone" else "you hear nobody"
                self._say(f"The {device} is gone: {what}.")
                if device == "microphone" and self._headset is not None:
                    self._headset.is_muted = True  # the others see it
        self._lost = lost
        self._changed()


def numbers_in_words(compared: Sequence[tuple[str, str]], who: str) -> str:
    """For people."""
    lines = [f"the security number of your connection with {who}: {number}" for number, _ in compared]
    lines += [f"{who} signs as {identity}" for identity in dict.fromkeys(one for _, one in compared) if identity]
    return "\n".join([*lines, "read it aloud: the same at both ends means that nobody sits between you"])


def _load() -> tuple[Any, Any, Any, Any]:
    return (
        import_module("veche.media.headset"),
        import_module("veche.media.audio"),
        import_module("veche.media.check"),
        import_module("veche.media.identity"),
    )


def has_sound(joined: ConferenceJoinOk) -> bool:
    """The leg was given what it asked for."""
    me = leg_of(joined.conference, joined.leg)
    return me is not None and me.media is not MediaKind.TEXT


def asks_for_sound(packet: Packet) -> bool:
    """It makes this device a leg, with sound."""
    match packet:
        case ConferenceCreate() | ConferenceJoin():
            return packet.media is not MediaKind.TEXT
        case CallPacket(status=CallStatus.ACCEPTED) | CallPacket(status=CallStatus.INITIATE, id=None):
            return packet.media is not MediaKind.TEXT
        case _:
            return False
