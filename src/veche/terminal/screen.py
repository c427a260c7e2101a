"""The screen: a conversation or the list of people, above a line to write in.

What arrives is folded into the state and drawn from there.  A message counts as read when its conversation is open and
somebody is at the keyboard.  What commands do is in obey.py.

Source: rows A02, A12-A29, M13-M58, T20-T57, X01, X11, X21, X23.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import asdict
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from veche.client import Arrived, Client, ClientEnded, ClientError, DialError, Offline, Online, RequestFailed
from veche.client.errors import UNANSWERED
from veche.client.events import Unanswered
from veche.client.inbox import Item
from veche.client.people import People, unseen
from veche.client.slots import StateDirectory
from veche.client.state import State, fold, trimmed
from veche.packets import Failed, Packet, type_name
from veche.packets.account import SessionsGetOk, SessionsRevokeOk, TokenCreateOk, TokenListOk, TokenRevokeOk
from veche.packets.admin import Announced
from veche.packets.blocking import BlockOk, UnblockOk
from veche.packets.broadcast import Broadcast, BroadcastOk
from veche.packets.contacts import (
    ContactsAddOk,
    ContactsChangeOk,
    ContactsDeleteOk,
    ContactUpdated,
    FriendAnswerOk,
    FriendCancelOk,
    FriendIgnoreOk,
    FriendRequested,
    FriendRequestOk,
    Relation,
)
from veche.packets.files import FileInfo
from veche.packets.link import Error, ErrorNotImplemented
from veche.packets.message import (
    HistoryGet,
    HistoryGetFailed,
    HistoryGetOk,
    Message,
    MessageRead,
    MessageReadUpTo,
    MessageSend,
    MessageSendFailed,
    ReplayEnd,
    SearchOk,
    Snapshot,
)
from veche.packets.presence import WhoElseOk, WhoElseSinceOk
from veche.packets.profile import ProfileGetOk, ProfileUpdateOk

from . import bars, sentences
from .conference_commands import Calls
from .conference_screen import ConferenceScreen
from .files_screen import FilesScreen
from .frame import Frame
from .keyboard import Absence, Writing
from .obey import Obedience
from .people_commands import Wrong
from .private_screen import PrivateScreen
from .render import ASCII, UNICODE, Fragments, Line, Look, by_recency
from .roster import Around, listed, side_lines
from .screen_commands import completions, parse
from .sound import Devices
from .text import harmless, on_one_line
from .transfer import is_told_as_transfer
from .view import View

AT_KEYBOARD_S = 60.0
"""After the last key somebody is taken to look at the screen for so long."""
WRITING_S = 10.0
"""Within so long after the last key the bell does not ring for the open conversation."""
LEAVING_S = 3.0
REMEMBER_S = 1.0
"""A change of the people is written down so much later, with all that follow it."""
RESULTS = (
    *(SearchOk, SessionsGetOk, SessionsRevokeOk, TokenListOk, TokenCreateOk, TokenRevokeOk, BlockOk, UnblockOk),
    *(FriendRequestOk, FriendAnswerOk, FriendIgnoreOk, FriendCancelOk, ContactsAddOk, ContactsChangeOk),
    *(ContactsDeleteOk, WhoElseOk, WhoElseSinceOk, BroadcastOk, ProfileGetOk, ProfileUpdateOk),
)
"""Answers that are said as they are."""


class Screen:
    """The terminal of somebody who is logged in, or (known) on the way in.

    known: whom this device knew when it was here last.  remember: is given the people whenever they have changed.
    opens_friend: begin with the conversation with the only friend there is: who has invited me.
    notes: to be said at the beginning.  devices: for conferences.  is_near: the server is on this machine.
    """

    def __init__(
        self,
        client: Client,
        kept: StateDirectory,
        *,
        known: People | None = None,
        remember: Callable[[People], None] | None = None,
        opens_friend: bool = False,
        notes: Sequence[str] = (),
        devices: Devices | None = None,
        is_near: bool = False,
        colours: bool = True,
        keys: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.client = client
        self._kept, self._preferences = kept, kept.preferences()
        self.state = State(me=client.address or "") if known is None else State(**asdict(known))
        self.view = View()
        self.private = PrivateScreen(self)
        self.files = FilesScreen(self)
        self.conferences = ConferenceScreen(self, devices or Devices(), is_near=is_near)
        self._obedience = Obedience(self)
        self._remember = remember
        self._remember_timer: asyncio.TimerHandle | None = None
        self._opens_friend = opens_friend
        self._opening: dict[str, tuple[str, str]] = {}
        """key of a HISTORY-GET -> (peer, text to send once it is known that there is such a person)"""
        self._loading: str | None = None
        """key of the HISTORY-GET for older messages"""
        self._is_live = False
        """What was missed has come."""
        self._trouble, self._retry_at = "", 0.0
        self._absence, self._writing = Absence(0.0), Writing()
        self._named: tuple[object, dict[str, str]] = (None, {})
        self._tasks: set[asyncio.Task[None]] = set()
        self.frame = Frame(self, colours=colours, keys=keys, output=output)
        self._marks = UNICODE if self.frame.has_unicode else ASCII
        for note in notes:
            self.say(note)

    async def run(self) -> Exception | None:
        """Show the screen until the person leaves (None) or the client has ended (why)."""
        self._absence = Absence(self.now())
        self.spawn(self._receive())
        self.spawn(self._tick())
        try:
            return await self.frame.run()
        finally:
            await self.files.transfers.close()
            await self.conferences.sound.close()
            if self.client.is_online:
                with contextlib.suppress(ClientError):
                    await self.client.settled(LEAVING_S)
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._remember_timer is not None:
                self._remember_timer.cancel()
            self._write_down()

    # -- what is shown

    def look(self, width: int) -> Look:
        """For whom, and onto what."""
        if self._named[0] is not self.state.contacts:
            names = self.state.names()
            self._named = self.state.contacts, self._named[1] if names == self._named[1] else names
        today = datetime.now().astimezone().date()
        return Look(width, self.state.me, self._marks, None, self._named[1], today, self.files.numbers)

    def connection(self) -> bars.Connection:
        """How this device stands with its server."""
        wait_s = max(0.0, self._retry_at - self.now())
        return bars.Connection(self.client.is_online, self._absence.is_away, wait_s, self._trouble)

    def _around(self) -> Around:
        mute = mute_of(self.state.me, "")
        muted = frozenset(
            name.removeprefix(mute) for name, value in self._preferences.items() if value and name.startswith(mute)
        )
        rooms, sounds = self.conferences.unread(), self.conferences.sounds()
        return Around(muted, self.private.asking(), self.private.unread(), rooms, sounds, self.conferences.microphone)

    def prompt(self) -> str:
        if self.view.talk is not None:
            return f"{self.look(80).login(self.view.talk.peer)} (off the record)> "
        inside = self.conferences.here()
        if inside is not None:
            return f"{on_one_line(inside.conference.name, 30)}> "
        return f"{self.look(80).login(self.view.peer)}> " if self.view.peer else "> "

    def title(self, width: int) -> Fragments:
        self.view.around = self._around()  # the first that is drawn
        return bars.title(self.state, self.view, self.look(width), self.connection())

    def pane(self, width: int, height: int) -> list[Line]:
        return self.view.lines(self.state, self.look(width), height)

    @property
    def has_side(self) -> bool:
        return not self.view.is_list

    def side(self, width: int, height: int) -> list[Line]:
        return side_lines(self.state, self.look(width), self.view.around, self.view.peer, self.view.hall)[:height]

    @property
    def edge(self) -> str:
        return self._marks.side

    def progress(self, width: int) -> list[Line]:
        return self.files.lines(self.look(width))

    def status(self, width: int) -> Fragments:
        hint = self.files.hint() or bars.HINT
        return bars.status(self.state, self.view, self.look(width), self.connection(), self.now(), hint=hint)

    def say(self, text: str, style: str = "class:notice", place: str | None = None) -> None:
        """Tell the person something, where they look, or in another place of the view."""
        if text:
            self.view.say(self.state, text, style, place)
            self.frame.redraw()

    def announce(self, text: str) -> None:
        """Tell of a request, unless the list that shows it stands before the person."""
        if self.view.place or self.view.page:
            self.say(text, "class:request")

    def complain(self, text: str) -> None:
        """Tell the person what went wrong."""
        self.say(text, "class:error")

    # -- keys

    def key_pressed(self) -> None:
        if self._absence.key_pressed(self.now()):
            self._tell_absence()
        self._read_if_seen()

    def scroll(self, direction: int) -> None:
        reached_top = self.view.scroll(self.state, self.look(self.frame.width), direction)
        if reached_top and direction < 0:
            self.load_older()
        self._read_if_seen()

    def step(self, direction: int) -> None:
        places = [None, *self.state.inside, *listed(self.state, self.view.around).in_order()]
        here = self.view.hall or self.view.peer
        at = places.index(here) if here in places else 0
        place = places[(at + direction) % len(places)]
        if place in self.state.inside:
            self.conferences.show(place)
        else:
            self.go(place)

    def next_unread(self) -> None:
        private = [peer for peer, unread in self.private.unread().items() if unread]
        unread = [one.peer for one in by_recency(self.state) if one.unread and one.peer != self.view.place]
        if private:
            self.private.show(private[0])
        elif unread:
            self.go(unread[0])

    def cancel(self) -> None:
        if not self.files.transfers.interrupt():
            self.say("Ctrl-D or /quit leaves.")

    def completions(self, text: str) -> Iterable[tuple[str, int, str]]:
        look = self.look(80)
        people = {*self.state.contacts, *self.state.conversations, *self.view.around.asking}
        rooms = [on_one_line(one.name) for one in self.state.conferences.values()]
        return completions(
            text, [(look.login(one), look.name(one)) for one in sorted(people)], self.files.known(), rooms
        )

    # -- what arrives

    async def _receive(self) -> None:
        try:
            async for batch in self.client.batches():
                for item in batch:
                    self._take(item)
                self._read_if_seen()
                self.frame.redraw()
        except (ClientEnded, DialError) as error:
            self.frame.leave(error)

    def _take(self, item: Item) -> None:
        match item:
            case Online():
                self._trouble = ""
                self.conferences.online()
                if self._absence.is_away:  # a new link is not away
                    self._tell_absence()
            case Offline(reason, retry_in_s):
                self._trouble, self._is_live = harmless(reason), False
                self.state = unseen(self.state, instant())
                self._retry_at = self.now() + (retry_in_s or 0.0)
            case Unanswered(key, request):
                self.conferences.sound.answered(key)
                self.complain(f"{type_name(request)}: {UNANSWERED}")
            case Arrived(None, _, key) if key is not None:
                self.complain("The server answered with what this client cannot read.")
            case Arrived(packet) if packet is not None:
                before = self.state
                self.state = fold(before, packet, now=self.now(), request=item.request)
                if self.state.contacts is not before.contacts or self.state.profile is not before.profile:
                    self._remember_soon()
                self.files.handle(packet)
                is_told = self.conferences.take(before, packet, item.key or "", item.request)
                self.conferences.sound.take(packet, item.key, item.request)
                if not is_told:
                    self._arrived(before, packet, item.key or "", item.request)
            case Arrived():
                pass
            case _:
                self.private.take(item)

    def _arrived(self, before: State, packet: Packet, key: str, request: Packet | None) -> None:
        match packet:
            case Message():
                self._message_came(packet)
            case ReplayEnd():
                self._is_live = True
            case Snapshot():
                self._snapshot_came(before, packet)
            case Announced():
                self.say(self._sentence(before, packet, request), "class:request")
                self.ring(packet.by)
            case FriendRequested():
                self.announce(self._sentence(before, packet, request))
                self.ring(packet.from_)
            case ContactUpdated() if packet.relation is not None and packet.relation is not Relation.INCOMING:
                self.say(self._sentence(before, packet, request))
            case Broadcast():
                self.say(self._sentence(before, packet, request), "class:request")
                self.ring(packet.from_)
            case HistoryGetOk() | HistoryGetFailed():
                opening = self._opening.pop(key, None)
                if key == self._loading:
                    self._loading = None
                if isinstance(packet, HistoryGetFailed):
                    self.complain(self._sentence(before, packet, request))
                elif opening is not None:
                    if self.view.talk is None:  # nobody is moved while they write what is off the record
                        self.go(packet.peer)
                    if opening[1]:
                        self._write(packet.peer, opening[1])
            case MessageSendFailed() if request is not None:
                pass  # the message itself says so
            case _ if is_told_as_transfer(packet):
                pass
            case Failed() | Error() | ErrorNotImplemented() if not self.private.tells(packet):
                self.complain(self._sentence(before, packet, request))
            case _ if isinstance(packet, RESULTS):
                self.say(self._sentence(before, packet, request))
            case _:
                pass

    def _sentence(self, before: State, packet: Packet, request: Packet | None) -> str:
        return sentences.lines(packet, request, sentences.Reader(before, slash="/"))

    def _snapshot_came(self, before: State, packet: Snapshot) -> None:
        friends = self.state.related(Relation.MUTUAL)
        if self._opens_friend and len(friends) == 1:
            self.go(friends[0].id)
            self.say(f"You are friends with {on_one_line(friends[0].name)}, who has invited you. Say hello.")
        self._opens_friend = False
        told = packet.announcement
        if told is not None and told != before.announcement:  # the list of people shows it by itself
            self.announce(sentences.announced(told, sentences.Reader(before)))

    def _message_came(self, packet: Message) -> None:
        if packet.from_ == self.state.me:
            return
        if not self.view.is_scrolled_back:
            self.state = trimmed(self.state, packet.from_)
        if packet.from_ != self.view.place or self._absence.since_key(self.now()) >= WRITING_S:
            self.ring(packet.from_)

    def ring(self, peer: str) -> None:
        """Ring the bell for somebody, unless it is muted, or they came while nobody was here."""
        is_muted = self._preferences.get(mute_of(self.state.me, peer), False)
        if self._is_live and not is_muted and self._preferences.get("bell", True):
            self.frame.ring()

    @property
    def calls(self) -> Calls:
        """What becomes of a call (rows V32, V36)."""
        if not self._preferences.get("calls", True):
            return Calls.OFF
        return Calls.WAIT if self._preferences.get("calls wait", False) else Calls.ON

    @calls.setter
    def calls(self, value: Calls) -> None:
        self.prefer("calls", value is not Calls.OFF)
        self.prefer("calls wait", value is Calls.WAIT)

    def mute(self, peer: str, is_muted: bool) -> None:
        """Whether the bell rings for somebody."""
        self.prefer(mute_of(self.state.me, peer), is_muted)

    def prefer(self, name: str, value: bool) -> None:
        """Remember a choice of the person."""
        self._preferences[name] = value
        self._kept.prefer(name, value)
        self.frame.redraw()

    def _read_if_seen(self) -> None:
        peer = self.view.place
        if not peer or self.view.is_scrolled_back or self._absence.since_key(self.now()) > AT_KEYBOARD_S:
            return
        self.private.read(self.view.talk)
        self.conferences.read()
        if (
            self.view.talk is None
            and self.view.hall is None
            and self.state.conversation(peer).unread
            and self.client.is_online
        ):
            self.mark_read(peer)

    def mark_read(self, peer: str) -> None:
        """The person has read this conversation."""
        upto = self.state.conversation(peer).last_id
        if upto and self.post(MessageReadUpTo(id=upto)):
            self.state = fold(self.state, MessageRead(id=upto, peer=peer, by=self.state.me))

    async def _tick(self) -> None:
        """What changes by itself: the seconds to the next attempt, who has stopped typing, that nobody is here."""
        while True:
            await asyncio.sleep(1.0)
            if self._absence.time_passed(self.now()):
                self._tell_absence()
            self.conferences.tick()
            if not self.client.is_online or self.state.typing:
                self.frame.redraw()

    def leave_for_now(self) -> None:
        """The person goes; the next key ends it."""
        self._absence.leave()
        self._tell_absence()

    def _tell_absence(self) -> None:
        with contextlib.suppress(ClientError):
            self.client.set_away(self._absence.is_away)
        self.frame.redraw()

    # -- what is remembered

    def _remember_soon(self) -> None:
        if self._remember is not None and self._remember_timer is None:
            self._remember_timer = asyncio.get_running_loop().call_later(REMEMBER_S, self._write_down)

    def _write_down(self) -> None:
        self._remember_timer = None
        if self._remember is not None and self.state.me:
            self._remember(self.state)

    # -- what is typed

    def entered(self, text: str) -> bool:
        line = text.strip("\n")
        if not line.strip():
            self.view.show_page("")
            return False
        try:
            typed = parse(line)
            return not (self.send(typed) if isinstance(typed, str) else self._obedience.obey(typed))
        except (Wrong, ClientError) as error:
            self.complain(harmless(str(error)))
            return True

    def typing(self, text: str) -> None:
        is_told = self.view.talk is None and self._preferences.get("typing", True)
        self._tell_writing(self._writing.changed(self.view.peer if is_told else None, text, self.now()))

    def end_typing(self) -> None:
        """Nothing is being written any more."""
        self._tell_writing(self._writing.ended())

    def _tell_writing(self, told: tuple[str, bool] | None) -> None:
        if told is not None:
            with contextlib.suppress(ClientError):
                self.client.typing(told[0], ended=told[1])

    def send(self, text: str, *, reply_to: int | None = None) -> bool:
        """Send a text into the open conversation.  Returns whether it is on its way."""
        if self.view.talk is not None:
            return self.private.say(self.view.talk, text)
        if self.view.hall is not None:
            return self.conferences.say(text)
        peer = self.view.peer
        if peer is None:
            self.complain("Whom to? /to NAME opens a conversation.")
            return False
        if not self._write(peer, text, reply_to):
            return False
        self.view.new_after = None
        self.view.to_end()
        self._writing.sent()
        return True

    def send_files(self, peer: str, text: str, files: Sequence[FileInfo]) -> None:
        """Send a message with files that are on the server."""
        if self._write(peer, text, files=[one.id for one in files]) and self.view.place == peer:
            self.view.to_end()
        self.frame.redraw()

    def _write(self, peer: str, text: str, reply_to: int | None = None, files: Sequence[str] = ()) -> bool:
        packet = MessageSend(to=peer, text=text, files=list(files), reply_to=reply_to)
        key = self.post(packet)
        if key is not None:
            self.state = fold(self.state, packet, key=key)
        return key is not None

    def post(self, packet: Packet) -> str | None:
        """Ask for something.  None: it was refused here, and the person knows why."""
        try:
            return self.client.post(packet)
        except ClientError as error:
            self.complain(f"Error. {harmless(str(error))}")
            return None

    # -- conversations

    def open(self, login: str, text: str = "") -> bool:
        """Go to a conversation; with one that is new, the server is asked first whether there is such a person."""
        peer = self.state.address(login)
        if peer in self.state.conversations or peer in self.state.contacts:
            self.go(peer)
            return self.send(text) if text else True
        key = self.post(HistoryGet(peer=peer))
        if key is None:
            return False
        self._opening[key] = peer, text
        if not self.client.is_online:
            self.say("Not connected now; the conversation opens as soon as the server answers.")
        return True

    def go(self, peer: str | None) -> None:
        """Show a conversation, or the list of people."""
        self.end_typing()
        if peer is None:
            self.view.show(None)
        else:
            conversation = self.state.conversation(peer)
            self.view.show(peer, conversation.read_id if conversation.unread else None)
            if conversation.complete_from is None:
                self.load_older()
            self._read_if_seen()
        self.frame.redraw()

    def load_older(self) -> None:
        """Ask for a page of the open conversation, if there may be one."""
        if self.view.hall is not None:
            self.conferences.load_older()
        peer = self.view.peer
        if not peer or self.view.talk is not None or self._loading is not None:
            return
        start = self.state.conversation(peer).complete_from
        if start != 0:
            self._loading = self.post(HistoryGet(peer=peer, before=start))

    # -- the rest

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the rest; what fails is told."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except RequestFailed as error:
            self.complain(f"Error. {harmless(error.reason)}")
        except ClientError as error:
            self.complain(f"Error. {harmless(str(error))}")
        except OSError as error:
            self.complain(f"Error. {error.filename}: {error.strerror}.")
        except Exception as error:  # a fault of ours: out with it, the terminal restored
            self.frame.leave(error)

    def now(self) -> float:
        """Seconds on the loop's clock."""
        return asyncio.get_running_loop().time()


def instant() -> str:
    """Now, as packets tell it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def mute_of(me: str, peer: str) -> str:
    """The name under which it is remembered that the bell is off for somebody."""
    return f"mute {me} {peer}"
