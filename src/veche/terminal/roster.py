"""The list of people and conversations as lines of a screen: pure, from the state to styled text.

    Requests      who would like to talk privately, who wants to be a friend, who is no friend and has written
    Conferences   which I may see, who is inside, and how to come in
    Friends       and who else is listed, in their nested groups, who is there first
    Asked         whose answer is waited for
    Others        people I have written to
    Blocked

A presence has a colour and a shape of its own (row X21: what is not known is not offline).

Source: rows A12, A13, M29, M37, M39-M42, T33, X01, X21, X23.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from veche.client.people import THERE, Group, tree
from veche.client.state import Conversation, State
from veche.packets.contacts import Contact, Relation
from veche.packets.presence import Status

from .conference_words import view_parts
from .render import Fragments, Line, Look, Notice, by_recency, cut, notice_lines, padded, width_of, wrapped
from .sentences import Reader, local
from .text import count, harmless, on_one_line

NAME_COLUMN = 24
HINT = "/to NAME opens a conversation, /friend add NAME asks somebody to be your friend, /help lists all commands."


class Around(NamedTuple):
    """What else decides how the list looks.  People are full addresses."""

    muted: frozenset[str] = frozenset()
    asking: tuple[str, ...] = ()
    """who would like to talk privately"""
    talks: Mapping[str, int] = MappingProxyType({})
    """with whom there is a private conversation -> what is unread in it"""
    rooms: Mapping[str, int] = MappingProxyType({})
    """in which conferences this device is, by id -> what is unread in their rooms"""
    sounds: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    """those in which it takes part with sound, by id -> what is to be said of legs"""
    microphone: str = ""
    """on, off, on hold; "": it is closed"""


ALONE = Around()


class Listed(NamedTuple):
    """Everyone, by the part of the list where they stand."""

    asking: list[str]
    requests: list[Contact]
    strangers: list[str]
    friends: Group
    asked: list[Contact]
    others: list[str]
    blocked: list[str]

    def in_order(self) -> list[str]:
        """The addresses from the top of the list to its end, each once."""
        people = [*self.asking, *(one.id for one in self.requests), *self.strangers]
        people += [one.id for one in (*self.friends.everyone(), *self.asked)]
        return list(dict.fromkeys([*people, *self.others, *self.blocked]))


def listed(state: State, around: Around = ALONE) -> Listed:
    """Sort everyone into the parts of the list."""
    blocked = sorted(state.blocked | {one.id for one in state.related(Relation.BLOCKED)})
    known = {one.id: one for one in state.contacts.values() if one.id not in blocked}
    requests = [one for one in known.values() if one.relation is Relation.INCOMING]
    friends = [
        one
        for one in known.values()
        if one.relation is Relation.MUTUAL or (one.listed and one.relation is not Relation.INCOMING)
    ]
    asked = [one for one in known.values() if one.relation is Relation.OUTGOING and not one.listed]
    rest = [one for one in by_recency(state) if one.peer not in known and one.peer not in blocked]
    return Listed(
        list(around.asking),
        sorted(requests, key=lambda one: (one.ignored, one.name.casefold(), one.id)),
        [one.peer for one in rest if not has_written(one, state.me)],
        tree(friends),
        sorted(asked, key=lambda one: (one.name.casefold(), one.id)),
        [one.peer for one in rest if has_written(one, state.me)],
        blocked,
    )


def has_written(conversation: Conversation, me: str) -> bool:
    """I have written there, as far as is known here."""
    reached = max(conversation.peer_delivered_id, conversation.peer_read_id)
    return bool(conversation.pending or reached) or any(post.author == me for post in conversation.posts.values())


def home_lines(state: State, look: Look, notices: Sequence[Notice] = (), around: Around = ALONE) -> list[Line]:
    """What is shown when no conversation is open."""
    drawn = _Drawn(state, look, around)
    drawn.head()
    everyone = listed(state, around)
    drawn.requests(everyone)
    drawn.part("Conferences", drawn.conferences())
    drawn.part("Friends", drawn.group(everyone.friends, 0))
    drawn.part(
        "Asked", (drawn.row(one.id, look.marks.asked, "class:meta", _asked(one, look)) for one in everyone.asked)
    )
    drawn.part("Others", (drawn.row(one, look.marks.unknown, "class:unknown") for one in everyone.others))
    blocked = (
        drawn.row(one, look.marks.failed, "class:meta", f"/unblock {look.login(one)}") for one in everyone.blocked
    )
    drawn.part("Blocked", blocked)
    for notice in notices:
        drawn.lines += notice_lines(notice, look)
    return drawn.lines


def side_lines(state: State, look: Look, around: Around, here: str | None, hall: str | None = None) -> list[Line]:
    """The same beside an open conversation or room, with only what is short.  here, hall: whose that is."""
    drawn = _Drawn(state, look, around, here=here, is_short=True)
    everyone = listed(state, around)
    drawn.requests(everyone)
    drawn.part("Conferences", drawn.conferences(hall))
    drawn.part("Friends", drawn.group(everyone.friends, 0))
    drawn.part("Others", (drawn.row(one, look.marks.unknown, "class:unknown") for one in everyone.others))
    return drawn.lines


class _Drawn:
    """The lines so far."""

    def __init__(
        self, state: State, look: Look, around: Around, *, here: str | None = None, is_short: bool = False
    ) -> None:
        self.lines: list[Line] = []
        self._state, self._look, self._around = state, look, around
        self._here, self._is_short = here, is_short
        self._column = 0 if is_short or look.width < 2 * NAME_COLUMN else NAME_COLUMN

    def _add(self, fragments: Fragments) -> None:
        left, kept = self._look.width, Fragments()
        for style, text in fragments:
            text = cut(text, left)
            kept.append((style, text))
            left -= width_of(text)
            if left <= 0:
                break
        self.lines.append(Line(("home", len(self.lines)), kept))

    def _text(self, style: str, text: str, indent: str = "  ") -> None:
        for line in wrapped(text, max(8, self._look.width - len(indent) - 1)):
            self._add([("", indent), (style, line)])

    def head(self) -> None:
        state = self._state
        called = f", shown as {on_one_line(state.profile.name)}" if state.profile.name else ""
        self._text("class:text", f"You are {on_one_line(state.me)}{called}.")
        if state.profile.note:
            self._text("class:meta", on_one_line(state.profile.note, 500))
        if not state.contacts and not state.conversations:
            self._text("class:text", "Nobody is here yet.")
        if state.announcement is not None:
            told = state.announcement
            self._text("class:request", harmless(f"{self._look.login(told.by)} tells everyone: {told.text}"))
        self._text("class:notice", HINT)

    def part(self, title: str, rows: Iterator[Fragments]) -> None:
        """A part of the list; nothing at all when it is empty."""
        found = list(rows)
        if found:
            if self.lines:
                self._add([])
            self._add([("class:heading", title if self._is_short else f"  {title}")])
            for row in found:
                self._add(row)

    def requests(self, everyone: Listed) -> None:
        """Those who wait for me, with how to answer."""
        self.part("Requests", self._requests(everyone))

    def _requests(self, everyone: Listed) -> Iterator[Fragments]:
        look, mark = self._look, self._look.marks.request
        for call in self._state.calls.values():
            what = f"calls you into {on_one_line(call.name, 60)}"
            yield from self._request(call.from_, what, "/accept, /decline")
        for address in everyone.asking:
            login = look.login(address)
            yield from self._request(address, "would like to talk privately", f"/accept {login}, /decline {login}")
        for one in everyone.requests:
            login = look.login(one.id)
            what = "wants to be your friend" + (", put off" if one.ignored else "")
            answers = ("accept", "refuse") if one.ignored else ("accept", "refuse", "ignore")
            yield from self._request(one.id, what, ", ".join(f"/friend {verb} {login}" for verb in answers))
        for address in everyone.strangers:
            info = (
                "" if self._is_short else f"no friend of yours; /to {look.login(address)}, /block {look.login(address)}"
            )
            yield self.row(address, mark, "class:request", info)

    def _request(self, address: str, what: str, how: str) -> Iterator[Fragments]:
        yield self.row(address, self._look.marks.request, "class:request", "" if self._is_short else what)
        if not self._is_short:
            for line in wrapped(how, max(8, self._look.width - 5)):
                yield [("class:notice", f"    {line}")]

    def conferences(self, hall: str | None = None) -> Iterator[Fragments]:
        """The conferences.  hall: the one that is open."""
        reader = Reader(self._state, self._look.zone, slash="/")
        for view in self._state.conferences.values():
            inside = view.id in self._state.inside
            name, told = on_one_line(view.name, 60), view_parts(view, reader)
            unread = self._around.rooms.get(view.id, 0)
            where = "class:here" if view.id == hall else "class:unread" if unread else "class:text"
            mark = self._look.marks.online if inside else self._look.marks.offline
            margin = " " * self._margin
            row: Fragments = [("", margin), ("class:online" if inside else "class:offline", mark), ("", " ")]
            row.append((where, name))
            if self._is_short:
                row.append(("class:meta", f"  {count(unread)} new" if unread else f"  {count(view.count)}"))
                yield row
                continue
            column = max(0, self._column - self._margin - width_of(mark) - 1)
            row.append(("", padded("", max(2, column - width_of(name)))))
            row.append(("class:unread" if unread else "class:meta", f"{count(unread)} new  " if unread else ""))
            row.append(("class:meta", "; ".join(told[:-1])))
            yield row
            yield [("class:notice", f"    {told[-1]}")]

    def group(self, group: Group, depth: int) -> Iterator[Fragments]:
        """The people of a group, and the groups in it."""
        for one in group.contacts:
            mark, style = self._presence(one)
            yield self.row(one.id, mark, style, self._about(one), depth)
        for inner in group.groups:
            there = sum(one.status in THERE for one in inner.everyone())
            title = f"{on_one_line(inner.name)} ({there}/{len(inner.everyone())})"
            yield [("", " " * (self._margin + 2 * depth)), ("class:group", title)]
            yield from self.group(inner, depth + 1)

    @property
    def _margin(self) -> int:
        return 0 if self._is_short else 2

    def row(self, address: str, mark: str, style: str, info: str = "", depth: int = 0) -> Fragments:
        """One person: presence, name, what is unread, the rest."""
        look = self._look
        conversation = self._state.conversations.get(address)
        unread = conversation.unread if conversation is not None else 0
        name = look.name(address)
        if name != look.login(address) and not self._is_short:
            name += f" ({look.login(address)})"
        news = [f"{count(unread)} new"] if unread else []
        talk = self._around.talks.get(address)
        news += [] if talk is None else [f"off the record: {count(talk)} new" if talk else "off the record"]
        news += ["muted"] if address in self._around.muted else []
        at = self._margin + 2 * depth + width_of(mark) + 1
        column = max(0, self._column - at)
        is_news = bool(unread or talk)
        where = "class:here" if address == self._here else "class:unread" if is_news else "class:text"
        fragments: Fragments = [("", " " * (self._margin + 2 * depth)), (style, mark), ("", " "), (where, name)]
        if news or info:
            fragments.append(("", padded("", max(2, column - width_of(name)))))
        fragments.append(("class:unread" if is_news else "class:meta", ", ".join(news)))
        fragments.append(("class:meta", f"{'  ' if news and info else ''}{info}"))
        return fragments

    def _presence(self, contact: Contact) -> tuple[str, str]:
        """The mark of a contact, and its style."""
        marks = self._look.marks
        if contact.relation is not Relation.MUTUAL:
            return (
                (marks.asked, "class:meta")
                if contact.relation is Relation.OUTGOING
                else (marks.unknown, "class:unknown")
            )
        return presence_mark(contact.status, self._look)

    def _about(self, contact: Contact) -> str:
        if self._is_short:
            return ""
        said = [on_one_line(contact.note, 500)] if contact.note else []
        if contact.relation is Relation.OUTGOING:
            said.append(_asked(contact, self._look))
        elif contact.relation is not Relation.MUTUAL:
            said.append("not a friend")
        elif contact.status is Status.AWAY:
            said.insert(0, "away")
        elif contact.status not in THERE and contact.presence:
            said.insert(0, last_seen(contact.presence, self._look))
        said[:0] = _where(contact, self._state)
        return "; ".join(one for one in said if one)


def _where(contact: Contact, state: State) -> list[str]:
    """In which conferences a friend is (rows A57, A58)."""
    found = state.of_friend(contact.id)
    if len(found) == 1:
        return [f"in {on_one_line(found[0].name, 60)}"]
    return [f"in {len(found)} conferences"] if found else []


def presence_mark(status: Status, look: Look) -> tuple[str, str]:
    """The mark of a presence, and its style."""
    marks = look.marks
    mark = {
        Status.ONLINE: marks.online,
        Status.AWAY: marks.away,
        Status.OFFLINE: marks.offline,
        Status.UNKNOWN: marks.unknown,
    }
    return mark[status], f"class:{status.value}"


def last_seen(instant: str, look: Look) -> str:
    """When somebody was seen last; empty when that cannot be read."""
    moment = local(instant, look.zone)
    if moment is None:
        return ""
    if moment.date() == look.today:
        return f"seen {moment:%H:%M}"
    year = "" if look.today is not None and moment.year == look.today.year else f" {moment.year}"
    return f"seen {moment.day} {moment:%b}{year}"


def _asked(contact: Contact, look: Look) -> str:
    return f"asked; /friend cancel {look.login(contact.id)}"
