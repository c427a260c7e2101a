"""What each command of the screen does, as a table.

Source: rows A15-A29, M31-M33, M39-M58, T22, T23, T26, T30, T33-T38, T42-T54.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from veche.client.people import parts_of, tree
from veche.client.state import Post
from veche.packets import Packet
from veche.packets.account import SessionsGet, SessionsRevoke, TokenCreate, TokenList, TokenRevoke
from veche.packets.blocking import Block, Unblock
from veche.packets.broadcast import BroadcastSend
from veche.packets.message import Edit, React, Retract, Search
from veche.packets.presence import WhoElse, WhoElseSince
from veche.packets.profile import ProfileGet

from . import conference_commands, errands, people_commands
from .people_commands import ProfileChange, Wrong
from .screen_commands import Typed, help_of, usage_of

if TYPE_CHECKING:
    from .screen import Screen

Does = Callable[[Typed], Packet | bool | None]
"""A request to be sent; else whether it was understood, None: yes.  Raises Wrong."""


class Obedience:
    """Carries out what is typed."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        view, private, files, client = screen.view, screen.private, screen.files, screen.client
        self._does: dict[str, Does] = {
            "quit": lambda _: screen.frame.leave(),
            "help": lambda typed: view.show_page(help_of(typed.argument)),
            "home": lambda _: screen.go(None),
            "to": self._to,
            "history": lambda _: screen.load_older(),
            "read": lambda _: screen.mark_read(self._here()),
            "search": lambda typed: Search(peer=self._here(), query=typed.argument),
            "reply": lambda typed: screen.send(typed.argument, reply_to=self._target(typed)),
            "edit": lambda typed: Edit(id=self._target(typed, is_mine=True), text=typed.argument),
            "retract": lambda typed: Retract(id=self._target(typed, is_mine=True)),
            "react": lambda typed: React(id=self._target(typed), emoji=typed.argument),
            "unreact": lambda typed: React(id=self._target(typed), emoji=typed.argument, remove=True),
            "broadcast": lambda typed: BroadcastSend(text=typed.argument),
            "send": lambda typed: files.send(self._here(), typed.argument),
            "files": lambda _: files.list(self._here()),
            "download": lambda typed: files.download(typed.argument),
            "offer": lambda typed: files.offer(self._here(), typed.argument),
            "offers": lambda _: files.offers(),
            "accept-file": lambda typed: files.accept(typed.argument),
            "refuse-file": lambda typed: files.refuse(typed.argument),
            "cancel-file": lambda typed: files.cancel(typed.argument),
            "friend": lambda typed: people_commands.friend(typed.argument, usage_of("friend")),
            "contact": lambda typed: people_commands.contact(typed.argument, usage_of("contact")),
            "ungroup": self._ungroup,
            "profile": self._profile,
            "me": self._me,
            "who": lambda _: WhoElse(),
            "whosince": lambda typed: WhoElseSince(seconds=int(typed.argument)),
            "block": lambda typed: Block(login=typed.argument or self._here()),
            "unblock": lambda typed: Unblock(login=typed.argument or self._here()),
            "private": lambda typed: private.start(typed.argument),
            "accept": lambda typed: self._answer(typed.argument, True),
            "decline": lambda typed: self._answer(typed.argument, False),
            "conference": lambda typed: screen.conferences.of_conference(typed.argument, usage_of("conference")),
            "room": self._room,
            "call": lambda typed: screen.conferences.do(conference_commands.call(typed.argument, usage_of("call"))),
            "calls": self._calls,
            "microphone": lambda typed: screen.conferences.switch(typed.argument == "on"),
            "stopprivate": lambda typed: private.stop(typed.argument),
            "away": lambda _: screen.leave_for_now(),
            "mute": lambda typed: self._mute(typed.argument, True),
            "unmute": lambda typed: self._mute(typed.argument, False),
            "bell": lambda typed: self._prefer("bell", typed.argument == "on"),
            "typing": lambda typed: self._prefer("typing", typed.argument == "on"),
            "sessions": lambda _: SessionsGet(),
            "revoke": lambda typed: SessionsRevoke(device=typed.argument),
            "tokens": lambda _: TokenList(),
            "token": lambda typed: TokenCreate(name=typed.argument),
            "untoken": lambda typed: TokenRevoke(id=int(typed.argument)),
            "password": lambda _: screen.spawn(errands.change_password(client, screen.frame.ask, screen.say)),
            "delete-account": lambda _: screen.spawn(errands.delete_account(client, screen.frame.ask, screen.complain)),
            "export": lambda typed: screen.spawn(errands.export(client, Path(typed.argument), screen.say)),
        }

    def obey(self, typed: Typed) -> bool:
        """Do it.  Returns whether it was understood.  Raises Wrong, ClientError."""
        done = self._does[typed.name](typed)
        if isinstance(done, Packet):
            return self._screen.post(done) is not None
        return done is not False

    # -- what is meant

    def _here(self) -> str:
        """The open conversation."""
        peer = self._screen.view.peer
        if peer is None:
            raise Wrong("Open a conversation first: /to NAME")
        if self._screen.view.talk is not None:
            raise Wrong(f"This is off the record. /to {peer.partition('@')[0]} opens the conversation that is kept.")
        return peer

    def _target(self, typed: Typed, *, is_mine: bool = False) -> int:
        """The message that is named, or the newest that can be meant."""
        peer = self._here()
        if typed.target is not None:
            return typed.target
        post = self._newest(peer, is_mine=is_mine)
        if post is None:
            raise Wrong(f"There is no message of {'yours' if is_mine else 'the other'} here yet; name one with #ID.")
        return post.id

    def _newest(self, peer: str, *, is_mine: bool) -> Post | None:
        me, posts = self._screen.state.me, self._screen.state.conversation(peer).known()
        return next((one for one in reversed(posts) if (one.author == me) == is_mine and not one.retracted), None)

    # -- the longer ones

    def _to(self, typed: Typed) -> bool:
        login, _, text = typed.argument.partition(" ")
        return self._screen.open(login, text.strip())

    def _answer(self, login: str, accepted: bool) -> Packet | bool | None:
        """With no name, a call that rings comes before who asks."""
        screen = self._screen
        if not login and screen.state.calls:
            return screen.conferences.answer(accepted)
        return screen.private.answer(login, accepted)

    def _room(self, typed: Typed) -> None:
        wanted = " ".join(typed.argument.split()).casefold()
        for id, inside in reversed(self._screen.state.inside.items()):
            if not wanted or " ".join(inside.conference.name.split()).casefold() == wanted:
                self._screen.conferences.show(id)
                return
        raise Wrong("You are in no such conference. /conference list shows those that you may see.")

    def _profile(self, typed: Typed) -> Packet:
        if "=" in typed.argument:
            raise Wrong(f"Write: {usage_of('me')}")
        return ProfileGet(login=typed.argument or self._screen.view.peer or self._screen.state.me)

    def _me(self, typed: Typed) -> Packet:
        change = people_commands.profile(typed.argument, usage_of("me"))
        if not isinstance(change, ProfileChange):
            raise Wrong(f"Write: {usage_of('me')}")
        return change.request()

    def _mute(self, login: str, is_muted: bool) -> None:
        screen = self._screen
        if not login and screen.view.hall is not None:
            screen.conferences.switch(not is_muted)
            return
        peer = screen.state.address(login) if login else screen.view.peer
        if peer is None:
            self._prefer("bell", not is_muted)
            return
        screen.mute(peer, is_muted)
        screen.say(f"The bell is {'off' if is_muted else 'on'} for {screen.look(80).login(peer)}.")

    def _calls(self, typed: Typed) -> None:
        wanted = conference_commands.calls(typed.argument, usage_of("calls")).calls
        self._screen.calls = wanted
        self._screen.say(f"calls {wanted}: {conference_commands.SAID_OF_CALLS[wanted]}")

    def _prefer(self, name: str, value: bool) -> None:
        if name == "typing" and not value:
            self._screen.end_typing()
        self._screen.prefer(name, value)
        self._screen.say(f"{name}: {'on' if value else 'off'}")

    def _ungroup(self, typed: Typed) -> None:
        screen, path = self._screen, parts_of(typed.argument)
        group = tree(screen.state.contacts.values())
        for name in path:
            found = next((one for one in group.groups if one.name == name), None)
            if found is None:
                raise Wrong(f"There is no group {'/'.join(path)}.")
            group = found
        screen.spawn(errands.ungroup(screen.client, group, screen.frame.ask, screen.say))
