"""The screen: one conversation at a time above a line to write in, and below it who else has written.

What arrives is folded into the state and drawn from there.  A message counts as read when its conversation is open and
somebody is at the keyboard.

Source: rows A02, T26-T39, M13-M23.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from veche.client import Arrived, Client, ClientEnded, ClientError, DialError, Offline, Online, RequestFailed
from veche.client.slots import StateDirectory
from veche.client.state import Post, State, fold, trimmed
from veche.packets import Failed, Packet
from veche.packets.account import (
    SessionsGet,
    SessionsGetOk,
    SessionsRevoke,
    SessionsRevokeOk,
    TokenCreate,
    TokenCreateOk,
    TokenList,
    TokenListOk,
    TokenRevoke,
    TokenRevokeOk,
)
from veche.packets.blocking import Block, BlockOk, Unblock, UnblockOk
from veche.packets.link import Error, ErrorNotImplemented
from veche.packets.message import (
    Edit,
    HistoryGet,
    HistoryGetFailed,
    HistoryGetOk,
    Message,
    MessageRead,
    MessageReadUpTo,
    MessageSend,
    MessageSendFailed,
    React,
    ReplayEnd,
    Retract,
    Search,
    SearchOk,
)

from . import errands, sentences
from .entrance import EXIT_OK, Wish, enter, why
from .frame import Frame
from .render import ASCII, UNICODE, Fragments, Line, Look, by_recency, cut, padded, width_of
from .screen_commands import HELP, Typed, Wrong, completions, parse
from .text import count, harmless, on_one_line, seconds, short_name
from .view import View

AT_KEYBOARD_S = 60.0
"""After the last key somebody is taken to look at the screen for so long."""
WRITING_S = 10.0
"""Within so long after the last key the bell does not ring for the open conversation."""
TYPING_AGAIN_S = 5.0
LEAVING_S = 3.0
RESULTS = (SearchOk, SessionsGetOk, SessionsRevokeOk, BlockOk, UnblockOk, TokenListOk, TokenCreateOk, TokenRevokeOk)
"""Answers that are said as they are."""


async def run_screen(
    wish: Wish, *, colours: bool = True, keys: Input | None = None, output: Output | None = None
) -> int:
    """Log in, show the screen until the person leaves, return the exit code.  Raises Leave."""

    def say(sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    entered = await enter(wish, PromptAsker(keys, output), say)
    try:
        screen = Screen(entered.client, wish.state, colours=colours, keys=keys, output=output)
        error = await screen.run()
    finally:
        await entered.client.close()
        entered.slot.release()
    if error is None:
        return EXIT_OK
    leave = why(error, wish)
    raise error if leave is None else leave


class PromptAsker:
    """Asks on the terminal, before there is a screen."""

    def __init__(self, keys: Input | None, output: Output | None) -> None:
        self._session: PromptSession[str] = PromptSession(input=keys, output=output)

    async def ask(self, question: str) -> str:
        return await self._session.prompt_async(question, is_password=False)

    async def ask_secret(self, question: str) -> str:
        return await self._session.prompt_async(question, is_password=True)


class Screen:
    """The terminal of somebody who is logged in."""

    def __init__(
        self,
        client: Client,
        kept: StateDirectory,
        *,
        colours: bool = True,
        keys: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._client = client
        self._kept = kept
        self._state = State(me=client.address or "")
        self._view = View()
        self._opening: dict[str, tuple[str, str]] = {}
        """key of a HISTORY-GET -> (peer, text to send once it is known that there is such a person)"""
        self._loading: str | None = None
        """key of the HISTORY-GET for older messages"""
        self._is_live = False
        """What was missed has come."""
        self._trouble, self._retry_at = "", 0.0
        self._rings = kept.preference("bell", True)
        self._tells_typing = kept.preference("typing", True)
        self._typing_to: str | None = None
        self._typed_at = self._key_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._frame = Frame(self, colours=colours, keys=keys, output=output)
        self._marks = UNICODE if self._frame.has_unicode else ASCII

    async def run(self) -> Exception | None:
        """Show the screen until the person leaves (None) or the client has ended (why)."""
        self._key_at = self._now()
        self._spawn(self._receive())
        self._spawn(self._tick())
        try:
            return await self._frame.run()
        finally:
            if self._client.is_online:
                with contextlib.suppress(ClientError):
                    await self._client.settled(LEAVING_S)
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what is shown

    def _name(self, address: str) -> str:
        return short_name(address, self._state.me.rpartition("@")[2])

    def _look(self, width: int) -> Look:
        return Look(width, self._state.me, self._marks)

    def prompt(self) -> str:
        return f"{self._name(self._view.peer)}> " if self._view.peer else "> "

    def title(self, width: int) -> Fragments:
        peer = self._view.peer
        text = f" {on_one_line(peer)}" if peer else " Veche"
        if peer in self._state.blocked:
            text += "  blocked: what they write does not reach you"
        return [("", padded(cut(text, width), width))]

    def pane(self, width: int, height: int) -> list[Line]:
        return self._view.lines(self._state, self._look(width), height)

    def status(self, width: int) -> Fragments:
        marks = self._marks
        if self._client.is_online:
            parts: Fragments = [("", f" {marks.online} {self._name(self._state.me)}")]
        else:
            wait_s = self._retry_at - self._now()
            how = f"reconnecting in {seconds(wait_s)}" if wait_s > 0.5 else "reconnecting"
            parts = [("class:status.bad", f" {marks.offline} {how}")]
            parts.append(("", f": {on_one_line(self._trouble, 60)}" if self._trouble else ""))
        if self._view.is_scrolled_back:
            parts.append(("", f"  {marks.below} PageDown"))
        peer = self._view.peer
        if peer is not None and self._state.is_typing(peer, self._now()):
            parts.append(("", f"  {self._name(peer)} is typing{marks.sending}"))
        elsewhere = [
            f"{self._name(one.peer)} {count(one.unread)}"
            for one in by_recency(self._state)
            if one.unread and one.peer != self._view.peer
        ]
        if elsewhere:
            parts.append(("class:status.bad", f"  unread: {', '.join(elsewhere)}"))
        shown: Fragments = []
        left = width
        for style, text in parts:
            text = cut(text, max(0, left))
            shown.append((style, text))
            left -= width_of(text)
        return [*shown, ("", " " * max(0, left))]

    def _say(self, text: str, style: str = "class:notice") -> None:
        self._view.say(self._state, text, style)
        self._frame.redraw()

    def _complain(self, text: str) -> None:
        self._say(text, "class:error")

    # -- keys

    def key_pressed(self) -> None:
        self._key_at = self._now()
        self._read_if_seen()

    def scroll(self, direction: int) -> None:
        reached_top = self._view.scroll(self._state, self._look(self._frame.width), direction)
        if reached_top and direction < 0:
            self._load_older()
        self._read_if_seen()

    def step(self, direction: int) -> None:
        peers = [None, *sorted(self._state.conversations)]
        at = peers.index(self._view.peer) if self._view.peer in peers else 0
        self._go(peers[(at + direction) % len(peers)])

    def next_unread(self) -> None:
        unread = [one.peer for one in by_recency(self._state) if one.unread and one.peer != self._view.peer]
        if unread:
            self._go(unread[0])

    def nothing_to_cancel(self) -> None:
        self._say("Ctrl-D or /quit leaves.")

    def completions(self, text: str) -> Iterable[tuple[str, int, str]]:
        return completions(text, [self._name(peer) for peer in sorted(self._state.conversations)])

    # -- what arrives

    async def _receive(self) -> None:
        try:
            async for batch in self._client.batches():
                for item in batch:
                    self._take(item)
                self._read_if_seen()
                self._frame.redraw()
        except (ClientEnded, DialError) as error:
            self._frame.leave(error)

    def _take(self, item: Arrived | Online | Offline) -> None:
        match item:
            case Online():
                self._trouble = ""
            case Offline(reason, retry_in_s):
                self._trouble, self._is_live = harmless(reason), False
                self._retry_at = self._now() + (retry_in_s or 0.0)
            case Arrived(None, _, key) if key is not None:
                self._complain("The server answered with what this client cannot read.")
            case Arrived(packet) if packet is not None:
                self._state = fold(self._state, packet, now=self._now(), request=item.request)
                self._arrived(packet, item.key or "", item.request)
            case _:
                pass

    def _arrived(self, packet: Packet, key: str, request: Packet | None) -> None:
        match packet:
            case Message():
                self._message_came(packet)
            case ReplayEnd():
                self._is_live = True
            case HistoryGetOk() | HistoryGetFailed():
                opening = self._opening.pop(key, None)
                if key == self._loading:
                    self._loading = None
                if isinstance(packet, HistoryGetFailed):
                    self._complain(self._sentence(packet, request))
                elif opening is not None:
                    self._go(packet.peer)
                    if opening[1]:
                        self._send(opening[1])
            case MessageSendFailed() if request is not None:
                pass  # the message itself says so
            case Failed() | Error() | ErrorNotImplemented():
                self._complain(self._sentence(packet, request))
            case _ if isinstance(packet, RESULTS):
                self._say(self._sentence(packet, request))
            case _:
                pass

    def _sentence(self, packet: Packet, request: Packet | None) -> str:
        return sentences.lines(packet, request, sentences.Reader(self._state.me))

    def _message_came(self, packet: Message) -> None:
        if packet.from_ == self._state.me:
            return
        if not self._view.is_scrolled_back:
            self._state = trimmed(self._state, packet.from_)
        is_seen = packet.from_ == self._view.peer and self._now() - self._key_at < WRITING_S
        if self._rings and self._is_live and not is_seen:
            self._frame.ring()

    def _read_if_seen(self) -> None:
        peer = self._view.peer
        if peer is None or self._view.is_scrolled_back or self._now() - self._key_at > AT_KEYBOARD_S:
            return
        if self._state.conversation(peer).unread and self._client.is_online:
            self._mark_read(peer)

    def _mark_read(self, peer: str) -> None:
        upto = self._state.conversation(peer).last_id
        if upto and self._post(MessageReadUpTo(id=upto)):
            self._state = fold(self._state, MessageRead(id=upto, peer=peer, by=self._state.me))

    async def _tick(self) -> None:
        """What changes by itself: the seconds to the next attempt, and who has stopped typing."""
        while True:
            await asyncio.sleep(1.0)
            if not self._client.is_online or self._state.typing:
                self._frame.redraw()

    # -- what is typed

    def entered(self, text: str) -> bool:
        line = text.strip("\n")
        if not line.strip():
            return False
        try:
            typed = parse(line)
        except Wrong as wrong:
            self._complain(str(wrong))
            return True
        return not (self._send(typed) if isinstance(typed, str) else self._obey(typed))

    def typing(self, text: str) -> None:
        peer = self._view.peer
        if peer is None or not self._tells_typing:
            return
        if not text or text.startswith("/"):
            self._end_typing()
        elif self._typing_to != peer or self._now() - self._typed_at > TYPING_AGAIN_S:
            self._typing_to, self._typed_at = peer, self._now()
            with contextlib.suppress(ClientError):
                self._client.typing(peer)

    def _end_typing(self) -> None:
        if self._typing_to is not None:
            with contextlib.suppress(ClientError):
                self._client.typing(self._typing_to, ended=True)
            self._typing_to = None

    def _send(self, text: str, *, reply_to: int | None = None) -> bool:
        """Returns whether it is on its way."""
        peer = self._view.peer
        if peer is None:
            self._complain("Whom to? /to NAME opens a conversation.")
            return False
        packet = MessageSend(to=peer, text=text, reply_to=reply_to)
        key = self._post(packet)
        if key is None:
            return False
        self._state = fold(self._state, packet, key=key)
        self._view.new_after = None
        self._view.to_end()
        self._typing_to = None  # a message ends it by itself
        return True

    def _post(self, packet: Packet) -> str | None:
        """Ask for something.  None: it was refused here, and the person knows why."""
        try:
            return self._client.post(packet)
        except ClientError as error:
            self._complain(f"Error. {harmless(str(error))}")
            return None

    def _obey(self, typed: Typed) -> bool:
        """Returns whether the command was understood."""
        name, argument, _ = typed
        match name:
            case "quit":
                self._frame.leave()
            case "help":
                self._say(HELP)
            case "home":
                self._go(None)
            case "to":
                login, _, text = argument.partition(" ")
                return self._open(login, text.strip())
            case "bell" | "typing":
                self._prefer(name, argument == "on")
            case "password":
                self._spawn(errands.change_password(self._client, self._frame.ask, self._say))
            case "delete-account":
                self._spawn(errands.delete_account(self._client, self._frame.ask, self._complain))
            case "export":
                self._spawn(errands.export(self._client, Path(argument), self._say))
            case _:
                packet = self._request_of(typed)
                return packet if isinstance(packet, bool) else self._post(packet) is not None
        return True

    def _request_of(self, typed: Typed) -> Packet | bool:
        """The one request that a command stands for.  True: it has been obeyed; False: complained about."""
        name, argument, target = typed
        peer = self._view.peer
        match name:
            case "sessions":
                return SessionsGet()
            case "revoke":
                return SessionsRevoke(device=argument)
            case "tokens":
                return TokenList()
            case "token":
                return TokenCreate(name=argument)
            case "untoken":
                return TokenRevoke(id=int(argument))
            case "block" | "unblock" if argument or peer:
                return Block(login=argument or peer or "") if name == "block" else Unblock(login=argument or peer or "")
            case _ if peer is None:
                self._complain("Open a conversation first: /to NAME")
                return False
            case "search":
                return Search(peer=peer, query=argument)
            case "history":
                self._load_older()
                return True
            case "read":
                self._mark_read(peer)
                return True
            case _:
                return self._request_about(name, argument, peer, target)

    def _request_about(self, name: str, argument: str, peer: str, target: int | None) -> Packet | bool:
        """The commands that mean a message: the one that is named, or the newest that can be meant."""
        if target is None:
            is_mine = name in ("edit", "retract")
            post = self._newest(peer, is_mine=is_mine)
            if post is None:
                whose = "of yours" if is_mine else "of the other"
                self._complain(f"There is no message {whose} here yet; name one with #ID.")
                return False
            target = post.id
        match name:
            case "reply":
                return self._send(argument, reply_to=target)
            case "edit":
                return Edit(id=target, text=argument)
            case "retract":
                return Retract(id=target)
            case _:
                return React(id=target, emoji=argument, remove=name == "unreact")

    def _newest(self, peer: str, *, is_mine: bool) -> Post | None:
        posts = self._state.conversation(peer).known()
        return next(
            (one for one in reversed(posts) if (one.author == self._state.me) == is_mine and not one.retracted), None
        )

    # -- conversations

    def _open(self, login: str, text: str = "") -> bool:
        """Go to a conversation; with one that is new, the server is asked first whether there is such a person."""
        peer = self._client.full_address(login)
        if peer in self._state.conversations:
            self._go(peer)
            return self._send(text) if text else True
        key = self._post(HistoryGet(peer=peer))
        if key is None:
            return False
        self._opening[key] = peer, text
        if not self._client.is_online:
            self._say("Not connected now; the conversation opens as soon as the server answers.")
        return True

    def _go(self, peer: str | None) -> None:
        """Show a conversation, or the list of them."""
        self._end_typing()
        if peer is None:
            self._view.show(None)
        else:
            conversation = self._state.conversation(peer)
            self._view.show(peer, conversation.read_id if conversation.unread else None)
            if conversation.complete_from is None:
                self._load_older()
            self._read_if_seen()
        self._frame.redraw()

    def _load_older(self) -> None:
        if self._view.peer is None or self._loading is not None:
            return
        start = self._state.conversation(self._view.peer).complete_from
        if start != 0:
            self._loading = self._post(HistoryGet(peer=self._view.peer, before=start))

    # -- the rest

    def _prefer(self, name: str, value: bool) -> None:
        if name == "bell":
            self._rings = value
        else:
            self._tells_typing = value
            if not value:
                self._end_typing()
        self._kept.prefer(name, value)
        self._say(f"{name}: {'on' if value else 'off'}")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except RequestFailed as error:
            self._complain(f"Error. {harmless(error.reason)}")
        except ClientError as error:
            self._complain(f"Error. {harmless(str(error))}")
        except OSError as error:
            self._complain(f"Error. {error.filename}: {error.strerror}.")
        except Exception as error:  # a fault of ours: out with it, the terminal restored
            self._frame.leave(error)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
