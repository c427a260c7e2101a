"""Any sequence of appends, repeats, edits, retractions, acknowledgements and restarts, against a simple model."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.storage import Person, Storage, World
from veche.storage import conversations, devices, messages
from veche.storage.database import Entry, Kind, Stored
from veche.storage.devices import Device
from veche.storage.messages import LogRow, NotYours, UnknownMessage

T = TypeVar("T")
LOGINS = ("alice", "bob", "carol")
PAIRS = ((0, 1), (1, 2), (0, 2))


class LogMachine(RuleBasedStateMachine):
    """Three people who all talk with each other, from two devices each.

    The model is the list of everything stored, and for each device how far it has acknowledged.
    """

    storage: ClassVar[Storage]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.log: list[tuple[Entry, Stored]] = []
        self.texts: dict[int, str] = {}
        """What each message says now; "" if it was taken back."""
        self.own_texts: dict[int, str] = {}
        """What its author sees instead: the last edit was hidden."""
        self.gone: set[int] = set()
        self.cookies: dict[tuple[int, str], Stored] = {}
        self.devices: list[tuple[Person, Device]] = []
        self.run(self.storage.empty())
        self.world = self.run(self.open())
        self.people = [self.run(self.world.account(login)) for login in LOGINS]
        self.talks = [self.run(self.talk(self.people[a], self.people[b])) for a, b in PAIRS]
        for person in self.people:
            phone = self.run(self.phone(person))
            self.devices += [(person, person.device), (person, phone)]
        self.acked = {device.id: 0 for _, device in self.devices}

    async def open(self) -> World:
        return World(self.storage, await self.storage.open())

    async def talk(self, one: Person, other: Person) -> int:
        return await self.world.database.write(conversations.open_direct(one.id, other.id, 1))

    async def phone(self, person: Person) -> Device:
        return await self.world.database.write(devices.create(person.id, "phone", "", 1))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    def teardown(self) -> None:
        self.run(self.world.database.close())
        self.runner.close()

    def entry(self, number: int, side: int, device: int, kind: Kind, text: str, cookie: str | None) -> Entry:
        person = self.people[PAIRS[number][side]]
        own = [owned for owner, owned in self.devices if owner is person]
        return Entry(self.talks[number], kind, person.id, own[device].id, len(self.log), text, None, cookie)

    def note(self, entry: Entry, stored: Stored) -> None:
        """Hold what was stored against the model, and take it over."""
        key = (entry.device, entry.cookie)
        if entry.cookie is not None and key in self.cookies:
            assert stored == self.cookies[entry.device, entry.cookie]._replace(repeat=True)
            return
        assert not stored.repeat
        assert stored.id > max((place.id for _, place in self.log), default=0)
        assert stored.seq == 1 + sum(earlier.conversation == entry.conversation for earlier, _ in self.log)
        self.log.append((entry, stored))
        if entry.cookie is not None:
            self.cookies[entry.device, entry.cookie] = stored

    @rule(
        said=st.lists(
            st.tuples(
                st.integers(0, 2),
                st.integers(0, 1),
                st.integers(0, 1),
                st.text(max_size=5),
                st.one_of(st.none(), st.integers(0, 20)),
                st.integers(0, 9),
            ),
            min_size=1,
            max_size=20,
        )
    )
    def append(self, said: list[tuple[int, int, int, str, int | None, int]]) -> None:
        entries = [
            self.entry(
                number, side, device, Kind.TEXT, text.replace("\0", "0"), None if c is None else f"{c}"
            )._replace(hidden=int(hidden == 0))
            for number, side, device, text, c, hidden in said
        ]
        places = self.run(self.world.append(*entries))
        assert len(places) == len(entries)
        for entry, stored in zip(entries, places, strict=True):
            self.note(entry, stored)
            if not stored.repeat:
                self.texts[stored.id] = entry.text

    @precondition(lambda self: bool(self.texts))
    @rule(
        data=st.data(),
        kind=st.sampled_from([Kind.EDIT, Kind.EDIT, Kind.RETRACT]),
        cookie=st.integers(0, 20),
        mine=st.booleans(),
        is_hidden=st.booleans(),
    )
    def change(self, data: st.DataObject, kind: Kind, cookie: int, mine: bool, is_hidden: bool) -> None:
        target = data.draw(st.sampled_from(sorted(self.texts)))
        original = next(entry for entry, place in self.log if place.id == target)
        number = self.talks.index(original.conversation)
        side = [self.people[n].id for n in PAIRS[number]].index(original.author)
        text = "" if kind == Kind.RETRACT else f"new {len(self.log)}"
        is_own = is_hidden and kind == Kind.EDIT and not original.hidden
        entry = self.entry(number, side if mine else 1 - side, 0, kind, text, f"{cookie}")
        entry = entry._replace(target=target, hidden=int(is_own))
        is_repeat = (entry.device, f"{cookie}") in self.cookies
        is_gone = target in self.gone
        change = messages.edit if kind == Kind.EDIT else messages.retract
        try:
            stored = self.run(self.wait(self.world.database.write(change(entry, 5))))
        except NotYours:
            assert not mine
            assert not is_repeat
            assert not original.hidden
        except UnknownMessage:
            assert is_gone or original.hidden
            assert not is_repeat
        else:
            assert is_repeat or (mine and not is_gone)
            self.note(entry._replace(hidden=original.hidden or entry.hidden), stored)
            if not stored.repeat and is_own:
                self.own_texts[target] = text
            elif not stored.repeat:
                self.texts[target] = text
                self.own_texts.pop(target, None)
                if kind == Kind.RETRACT:
                    self.gone.add(target)

    async def wait(self, future: asyncio.Future[T]) -> T:
        return await future

    @rule(device=st.integers(0, 5), back=st.integers(0, 10))
    def acknowledge(self, device: int, back: int) -> None:
        person, owned = self.devices[device]
        upto = self.log[-1 - back][1].id if back < len(self.log) else 0
        moved = self.run(self.wait(self.world.database.write(devices.acknowledge(person.id, owned.id, upto))))
        self.acked[owned.id] = max(self.acked[owned.id], upto)
        for conversation, peer, id in moved:
            theirs = [
                place.id
                for entry, place in self.log
                if entry.conversation == conversation
                and entry.author == peer
                and entry.kind == Kind.TEXT
                and not entry.hidden
                and place.id <= upto
            ]
            assert id == theirs[-1]

    @rule()
    def restart(self) -> None:
        self.run(self.world.database.close())
        self.world = self.run(self.open())

    @invariant()
    def every_device_is_owed_what_the_model_says(self) -> None:
        self.run(self.compare())

    async def compare(self) -> None:
        for person, device in self.devices:
            now = await self.world.database.find(devices.find(person.id, device.name))
            assert now is not None
            assert now.cursor_id == self.acked[device.id]
            expected = [
                (place.id, place.seq, entry.conversation, entry.author, entry.kind, self.said(entry, place, person))
                for entry, place in self.log
                if place.id > now.cursor_id
                and person.id in self.people_of(entry.conversation)
                and (not entry.hidden or entry.author == person.id)
            ]
            rows = await self.all_owed(person, now, 1 + len(expected) // 2)
            assert [(row.id, row.seq, row.conversation, row.author_id, row.kind, row.text) for row in rows] == expected

    async def all_owed(self, person: Person, device: Device, limit: int) -> list[LogRow]:
        rows: list[LogRow] = []
        while True:
            after = rows[-1].id if rows else device.cursor_id
            page = await self.world.database.read(messages.owed(person.id, after, limit))
            rows += page
            if len(page) < limit:
                return rows

    def people_of(self, conversation: int) -> list[int]:
        return [self.people[n].id for n in PAIRS[self.talks.index(conversation)]]

    def said(self, entry: Entry, place: Stored, viewer: Person) -> str:
        """A message, and the edits of it, hold its newest text, as the viewer has it."""
        id = place.id if entry.kind == Kind.TEXT else entry.target
        if entry.kind not in (Kind.TEXT, Kind.EDIT) or id is None:
            return entry.text
        return self.own_texts.get(id, self.texts[id]) if entry.author == viewer.id else self.texts[id]


def test_any_history_of_a_log_is_kept_as_the_model_says(storage: Storage) -> None:
    """Rows: M14 (partly), M19 (partly), T29 (partly), X05 (partly), X15 (partly)."""
    run_state_machine_as_test(
        type("Machine", (LogMachine,), {"storage": storage}),
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
