"""Conversations: opened once, and as each of the two has them."""

from __future__ import annotations

import asyncio
import itertools
import random
from contextlib import suppress

import pytest

from tests.support.storage import Person, SqliteStorage, Storage, World, plays
from veche.storage import accounts, conversations, messages
from veche.storage.database import Entry, Kind, Rows, Statement, Steps


@plays
async def test_a_conversation_is_opened_once(world: World) -> None:
    database = world.database
    alice, bob = await world.account("alice"), await world.account("bob")
    assert await database.find(conversations.find_direct(alice.id, bob.id)) is None
    assert await database.find(conversations.find_route(alice.id, "bob")) is None
    opened = await asyncio.gather(
        database.write(conversations.open_direct(alice.id, bob.id, 1)),
        database.write(conversations.open_direct(bob.id, alice.id, 1)),
    )
    assert opened[0] == opened[1] == await database.find(conversations.find_direct(bob.id, alice.id))
    expected = (opened[0], bob.id, "bob", False)
    assert await database.find(conversations.find_route(alice.id, "bob")) == expected
    assert await database.write(conversations.open_route(alice.id, "bob", 1)) == expected
    assert await database.write(conversations.open_route(alice.id, "alice", 1)) is None
    assert await database.write(conversations.open_route(alice.id, "nobody", 1)) is None
    with pytest.raises(ValueError, match="two people"):
        await database.write(conversations.open_direct(alice.id, alice.id, 1))


@plays
async def test_a_snapshot_shows_each_conversation_as_this_person_has_it(world: World) -> None:
    """Rows: M20 (partly)."""
    database = world.database
    alice, bob, talk = await world.pair()
    carol = await world.account("carol")
    quiet = await database.write(conversations.open_direct(carol.id, bob.id, 1))
    p = await world.append(
        alice.says(talk, "1"),
        alice.says(talk, "2"),
        alice.says(talk, "3"),
        bob.says(talk, "own"),
        alice.says(talk, "hidden", hidden=1),
        carol.says(quiet, "hidden", hidden=1),
    )
    await database.write(messages.retract(alice.does(Kind.RETRACT, talk, p[1].id), 1))
    last = await database.find(messages.last_id())
    assert await database.read(conversations.snapshot(bob.id)) == [(talk, alice.id, "alice", last, 2, 0, 0, 0)]
    assert await database.write(conversations.mark_read(bob.id, talk, p[0].id, True))
    assert not await database.write(conversations.mark_read(bob.id, talk, p[0].id, True))
    assert not await database.write(conversations.mark_read(carol.id, talk, p[0].id, True))
    assert await database.read(conversations.snapshot(bob.id)) == [(talk, alice.id, "alice", last, 1, p[0].id, 0, 0)]
    assert await database.read(conversations.snapshot(alice.id)) == [(talk, bob.id, "bob", last, 1, 0, p[0].id, 0)]
    assert [row.last_id for row in await database.find(conversations.snapshot(carol.id))] == [p[5].id]


@plays
async def test_the_other_person_is_shown_only_what_they_were_told_of_my_reading(world: World) -> None:
    """Rows: X06 (partly), X17 (partly)."""
    alice, bob, talk = await world.pair()
    places = await world.append(*[alice.says(talk, f"{n}") for n in range(4)])
    for place, is_told, told in zip(places, (True, False, False, True), (0, 0, 0, 3), strict=True):
        assert await world.database.write(conversations.mark_read(bob.id, talk, place.id, is_told))
        (mine,) = await world.database.find(conversations.snapshot(bob.id))
        (hers,) = await world.database.find(conversations.snapshot(alice.id))
        assert (mine.read_id, mine.unread) == (place.id, 3 - places.index(place))
        assert hers.peer_read_id == places[told].id
    assert not await world.database.write(conversations.mark_read(bob.id, talk, places[0].id, True))


@plays
async def test_unread_messages_are_counted_to_a_thousand(world: World) -> None:
    """And exactly, where a snapshot alone would only look at the newest entries."""
    alice, bob, talk = await world.pair()
    await world.append(*[alice.says(talk, f"{n}") for n in range(903)])
    await world.append(*[bob.says(talk, f"{n}") for n in range(4500)])
    assert (await unread(world, alice), await unread(world, bob)) == (1000, 500)
    for person in (alice, bob):
        await world.database.write(conversations.count_unread(person.id))
    assert (await unread(world, alice), await unread(world, bob)) == (1000, 903)


async def unread(world: World, person: Person) -> int:
    (summary,) = await world.database.find(conversations.snapshot(person.id))
    return summary.unread


@plays
async def test_what_was_counted_is_not_counted_again(world: World) -> None:
    alice, bob, talk = await world.pair()
    await world.append(*[alice.says(talk, f"{n}") for n in range(conversations.UNCOUNTED - 1)])
    assert await memo(world, bob) == (0, 0)
    (last,) = await world.append(alice.says(talk, "enough"))
    assert await memo(world, bob) == (last.id, conversations.UNCOUNTED)
    await world.append(*[bob.says(talk, f"{n}") for n in range(conversations.UNCOUNTED)])
    counted, number = await memo(world, bob)
    assert (counted, number) == (await world.database.find(messages.last_id()), conversations.UNCOUNTED)


async def memo(world: World, person: Person) -> tuple[int, int]:
    """How far it is counted, and what came of it."""
    await world.database.write(conversations.count_unread(person.id))
    ((counted, number),) = await world.database.read(
        select("SELECT counted_id, unread FROM member WHERE account_id = $1", person.id)
    )
    return counted, number


def select(sql: str, *args: int) -> Steps[Rows]:
    return (yield Statement(sql, args))


def test_counting_goes_on_where_it_stopped(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "COUNT_AT_ONCE", 15)

    async def scenario(world: World) -> None:
        bob, *others = [await world.account(name) for name in ("bob", "ann", "cid")]
        talks = [await world.database.write(conversations.open_direct(bob.id, one.id, 1)) for one in others]
        for _ in range(12):
            await world.append(*[one.says(talk, "hi") for one, talk in zip(others, talks, strict=True)])
        for expected in ([3, 12], [12, 12], [12, 12]):
            await world.database.write(conversations.count_unread(bob.id))
            rows = await world.database.read(select("SELECT unread FROM member WHERE account_id = $1", bob.id))
            assert sorted(row[0] for row in rows) == expected
            assert [one.unread for one in await world.database.find(conversations.snapshot(bob.id))] == [12, 12]

    storage.play(scenario)


BY_HAND = """SELECT m.conversation_id, count(x.id) FROM member m LEFT JOIN message x
    ON x.conversation_id = m.conversation_id AND x.author_id = m.peer_id AND x.kind = 0 AND x.hidden = 0
        AND x.retracted_at IS NULL AND x.id > m.read_id{upto}
    WHERE m.account_id = $1 GROUP BY m.conversation_id ORDER BY 1"""


@pytest.mark.parametrize("seed", range(3))
def test_unread_messages_are_what_counting_by_hand_gives(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whatever is written, hidden, taken back, read and counted in between.  Rows: M20 (partly)."""
    monkeypatch.setattr(conversations, "UNCOUNTED", 2)
    chance = random.Random(seed)
    turns = 60 if isinstance(storage, SqliteStorage) else 15

    async def scenario(world: World) -> None:
        people = [await world.account(name) for name in ("ann", "bob", "cid", "dan")]
        talks = {
            await world.database.write(conversations.open_direct(one.id, other.id, 1)): (one, other)
            for one, other in itertools.combinations(people, 2)
        }
        said: list[Entry] = []
        for turn in range(turns):
            entries = [
                chance.choice(talks[talk]).says(talk, "hi", hidden=int(chance.random() < 0.2))
                for talk in chance.choices(list(talks), k=4)
            ]
            await world.append(*entries)
            said += entries
            await world.database.write(changes(people, talks, said))
            if turn == turns - 8:
                await world.database.write(accounts.delete(people[3].id, 5))
            for person in people:
                by_hand = await world.database.read(select(BY_HAND.format(upto=""), person.id))
                rows = await world.database.find(conversations.snapshot(person.id))
                assert {row.conversation: row.unread for row in rows}.items() <= dict(by_hand).items()
                counted = await world.database.read(select(BY_HAND.format(upto=" AND x.id <= m.counted_id"), person.id))
                kept = "SELECT conversation_id, unread FROM member WHERE account_id = $1 ORDER BY 1"
                assert await world.database.read(select(kept, person.id)) == counted

    def changes(people: list[Person], talks: dict[int, tuple[Person, Person]], said: list[Entry]) -> Steps[None]:
        for _ in range(4):
            id = chance.randint(1, len(said))
            entry = (yield Statement("SELECT conversation_id, author_id, kind FROM message WHERE id = $1", (id,)))[0]
            conversation, author, kind = entry
            who = next(person for person in people if person.id == author)
            match chance.choice(["retract", "edit", "read", "read", "count"]):
                case "count":
                    yield from conversations.count_unread(chance.choice(people).id)
                case "read":
                    yield from conversations.mark_read(chance.choice(talks[conversation]).id, conversation, id, True)
                case "edit" if kind == Kind.TEXT:
                    with suppress(messages.UnknownMessage):
                        yield from messages.edit(who.does(Kind.EDIT, conversation, id, "ho"), 1)
                case "retract" if kind == Kind.TEXT:
                    with suppress(messages.UnknownMessage):
                        yield from messages.retract(who.does(Kind.RETRACT, conversation, id), 1)
                case _:
                    pass

    storage.play(scenario)
