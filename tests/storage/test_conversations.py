"""Conversations: opened once, and as each of the two has them."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.storage import World, plays
from veche.storage import conversations, messages
from veche.storage.database import Kind


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
    assert await database.write(conversations.mark_read(bob.id, talk, p[0].id))
    assert not await database.write(conversations.mark_read(bob.id, talk, p[0].id))
    assert not await database.write(conversations.mark_read(carol.id, talk, p[0].id))
    assert await database.read(conversations.snapshot(bob.id)) == [(talk, alice.id, "alice", last, 1, p[0].id, 0, 0)]
    assert await database.read(conversations.snapshot(alice.id)) == [(talk, bob.id, "bob", last, 1, 0, p[0].id, 0)]
    assert [row.last_id for row in await database.find(conversations.snapshot(carol.id))] == [p[5].id]


@plays
async def test_unread_messages_are_counted_to_a_thousand(world: World) -> None:
    alice, bob, talk = await world.pair()
    await world.append(*[alice.says(talk, f"{n}") for n in range(1203)])
    await world.append(*[bob.says(talk, f"{n}") for n in range(4500)])
    (summary,) = await world.database.read(conversations.snapshot(bob.id))
    assert summary.unread == 500  # of the newest 5,000 entries
    (summary,) = await world.database.read(conversations.snapshot(alice.id))
    assert summary.unread == 1000
