"""The log: order, gap-free sequences, repeats, what a device is owed, and the order of reporting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.storage import Person, Storage, World, plays, until
from veche.storage import conversations, devices, facts, messages
from veche.storage.database import Entry, Kind, Statement, Steps, StorageError, Stored
from veche.storage.messages import LogRow


async def everything_owed(world: World, person: Person, after: int, limit: int) -> list[LogRow]:
    """All pages after an id."""
    rows: list[LogRow] = []
    while True:
        page = await world.database.read(messages.owed(person.id, rows[-1].id if rows else after, limit))
        rows += page
        if len(page) < limit:
            return rows


@plays
async def test_what_was_stored_while_away_is_owed_in_order(world: World) -> None:
    """Rows: M14 (partly), T29 (partly)."""
    alice, bob, talk = await world.pair()
    places = await world.append(*[alice.says(talk, f"{n}") for n in range(10)])
    assert [place.seq for place in places] == list(range(1, 11))
    owed = await world.database.read(messages.owed(bob.id, 0, 100))
    assert [(row.id, row.seq, row.text) for row in owed] == [
        (place.id, place.seq, f"{n}") for n, place in enumerate(places)
    ]
    assert {(row.author_login, row.other_login, row.other_id) for row in owed} == {("alice", "bob", bob.id)}


@plays
async def test_pages_of_many_conversations_hold_everything_once_and_in_order(world: World) -> None:
    """Rows: T29 (partly)."""
    bob = await world.account("bob")
    others = [await world.account(f"user{n}") for n in range(7)]
    talks = [await world.database.write(conversations.open_direct(bob.id, other.id, 1)) for other in others]
    entries = [others[n % 7 * n % 7].says(talks[n % 7 * n % 7], f"{n}") for n in range(100)]
    places = await world.append(*entries)
    for limit in (3, 50, 100, 101):
        rows = await everything_owed(world, bob, 0, limit)
        assert [(row.id, row.text) for row in rows] == [(place.id, f"{n}") for n, place in enumerate(places)]
    rows = await everything_owed(world, bob, places[59].id, 7)
    assert [row.text for row in rows] == [f"{n}" for n in range(60, 100)]


@plays
async def test_hidden_entries_are_owed_to_their_author_only(world: World) -> None:
    alice, bob, talk = await world.pair()
    await world.append(alice.says(talk, "before"), alice.says(talk, "blocked", hidden=1), alice.says(talk, "after"))
    assert [row.text for row in await everything_owed(world, bob, 0, 2)] == ["before", "after"]
    assert [row.text for row in await everything_owed(world, alice, 0, 2)] == ["before", "blocked", "after"]


@plays
async def test_sequences_have_no_gaps_whatever_fails_in_between(world: World) -> None:
    """Rows: X15 (partly)."""
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "one", cookie="a"))

    def broken() -> Steps[None]:
        yield alice.says(talk, "never")
        raise KeyError("changed my mind")

    for n in range(5):
        with pytest.raises(KeyError):
            await world.database.write(broken())
        with pytest.raises(messages.NotYours):
            await world.database.write(messages.edit(bob.does(Kind.EDIT, talk, first.id, "mine"), 1))
        await world.append(alice.says(talk, "one", cookie="a"), bob.says(talk, f"{n}"))
        await world.database.write(messages.edit(alice.does(Kind.EDIT, talk, first.id, f"one, {n}"), 1))
    rows = await everything_owed(world, bob, 0, 100)
    assert [row.seq for row in rows] == list(range(1, 12))
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert "never" not in [row.text for row in rows]


@plays
async def test_a_repeated_cookie_is_answered_with_the_first_place(world: World) -> None:
    """Rows: M19 (partly)."""
    alice, bob, talk = await world.pair()
    first = await world.append(alice.says(talk, "a", cookie="1", at=5), alice.says(talk, "b", cookie="2", at=6))
    again = await world.append(
        alice.says(talk, "c", cookie="3", at=7),
        alice.says(talk, "a", cookie="1", at=8),
        alice.says(talk, "c", cookie="3", at=9),
        alice.says(talk, "plain", at=9),
        bob.says(talk, "of another device", cookie="1", at=10),
        alice.says(talk, "c", cookie="3", at=11),
    )
    assert again[1] == first[0]._replace(repeat=True)
    assert again[2] == again[5] == again[0]._replace(repeat=True)
    assert [place.repeat for place in again] == [False, True, True, False, False, True]
    assert [row.text for row in await everything_owed(world, bob, 0, 10)] == [
        "a",
        "b",
        "c",
        "plain",
        "of another device",
    ]
    assert [row.seq for row in await everything_owed(world, bob, 0, 10)] == [1, 2, 3, 4, 5]


def test_a_restart_changes_nothing(storage: Storage) -> None:
    """Rows: M14 (partly), M19 (partly), X04 (partly)."""
    places: list[Stored] = []

    async def before(world: World) -> None:
        alice, _, talk = await world.pair()
        assert talk == 1
        await world.database.write(facts.set_default("secret", b"first"))
        places.extend(await world.append(*[alice.says(talk, f"{n}", cookie=f"{n}") for n in range(3)]))

    async def after(world: World) -> None:
        alice = Person("alice", 1, devices.Device(1, 1, "laptop", "test", 0, 1, 1))
        assert await world.database.write(facts.set_default("secret", b"second")) == b"first"
        again = await world.append(alice.says(1, "2", cookie="2"), alice.says(1, "3", cookie="3"))
        assert again[0] == places[2]._replace(repeat=True)
        assert again[1].id > places[2].id
        assert again[1].seq == 4
        assert not again[1].repeat

    storage.play(before)
    storage.play(after)


@plays
async def test_a_clock_that_steps_back_does_not_disturb_the_order(world: World) -> None:
    alice, bob, talk = await world.pair()
    places = [(await world.append(alice.says(talk, f"{at}", at=at)))[0] for at in (500, 400, 1000, 1, 1)]
    assert [place.id for place in places] == sorted({place.id for place in places})
    assert [row.at for row in await everything_owed(world, bob, 0, 2)] == [500, 400, 1000, 1, 1]


@plays
async def test_appends_and_writes_are_done_in_the_order_of_asking(world: World) -> None:
    alice, bob, talk = await world.pair()
    told: list[int] = []
    world.database.on_stored = lambda group: told.extend(place.id for _, _, place in group)

    def steps(entry: Entry) -> Steps[Stored]:
        return (yield entry)

    futures: list[asyncio.Future[Stored]] = []
    for n in range(20):
        world.database.append(alice.says(talk, f"{2 * n}"), n)
        futures.append(
            world.database.write(steps(bob.says(talk, f"{2 * n + 1}")), lambda stored: told.append(stored.id))
        )
    await asyncio.gather(*futures)
    assert told == sorted(told)
    assert len(told) == 40
    rows = await everything_owed(world, bob, 0, 100)
    assert [row.text for row in rows] == [f"{n}" for n in range(40)]


@plays
async def test_many_at_once_go_into_few_commits(world: World) -> None:
    alice, bob, talk = await world.pair()
    count = 9001
    for n in range(count):
        world.database.append(alice.says(talk, f"{n}", cookie=f"{n}" if n % 3 else None), n)
    assert world.database.pending == count
    await world.settled()
    assert [receipt for _, receipt, _ in world.stored] == list(range(count))
    assert [place.seq for _, _, place in world.stored] == list(range(1, count + 1))
    assert len(world.groups) < 10
    page = await world.database.read(messages.owed(bob.id, world.stored[8990][2].id, 100))
    assert [row.text for row in page] == [f"{n}" for n in range(8991, count)]


@plays
async def test_a_failing_callback_does_not_keep_the_others_from_being_called(world: World) -> None:
    alice, _, talk = await world.pair()
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context["exception"]))

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    world.database.on_stored = fails
    world.database.append(alice.says(talk, "x"), None)
    assert await world.database.write(facts.get("nothing"), fails) is None
    await world.settled()
    assert [type(complaint) for complaint in complaints] == [ZeroDivisionError] * 2


@plays
async def test_a_piece_of_work_that_raises_takes_nothing_with_it(world: World) -> None:
    alice, bob, talk = await world.pair()

    def half() -> Steps[None]:
        yield Statement("INSERT INTO fact (name, value) VALUES ($1, $2)", ("half", b"done"))
        yield alice.says(talk, "half")
        raise KeyError

    def wrong() -> Steps[None]:
        yield Statement("INSERT INTO fact (name, value) VALUES ($1, $2)", ("wrong", b"done"))
        yield Statement("SELECT nonsense FROM nowhere")

    world.database.append(alice.says(talk, "before"), None)
    first = world.database.write(half())
    second = world.database.write(wrong())
    third = world.database.write(facts.set_default("whole", b"done"))
    world.database.append(alice.says(talk, "after"), None)
    with pytest.raises(KeyError):
        await first
    with pytest.raises(StorageError):
        await second
    assert await third == b"done"
    assert await world.database.find(facts.get("half")) is None
    assert await world.database.find(facts.get("wrong")) is None
    assert [row.text for row in await everything_owed(world, bob, 0, 10)] == ["before", "after"]
    assert [row.seq for row in await everything_owed(world, bob, 0, 10)] == [1, 2]


@plays
async def test_of_marks_with_one_key_only_the_last_is_made(world: World) -> None:
    told: list[bytes] = []
    for n in range(5):
        value = b"%d" % n
        world.database.mark(lambda value=value: facts.set_default("mark", value), "key", told.append)
    world.database.mark(lambda: facts.set_default("other", b"x"), "other key", told.append)
    await until(lambda: len(told) == 2)
    assert told == [b"4", b"x"]
    assert await world.database.find(facts.get("mark")) == b"4"


@plays
async def test_closing_finishes_what_was_asked_for_and_refuses_what_comes_later(world: World) -> None:
    alice, _, talk = await world.pair()
    world.database.append(alice.says(talk, "last"), "last")
    fact = world.database.write(facts.set_default("last", b"fact"))
    world.database.mark(lambda: facts.set_default("mark", b"made"), "key")
    await asyncio.gather(world.database.close(), world.database.close())
    assert await fact == b"fact"
    assert [receipt for _, receipt, _ in world.stored] == ["last"]
    world.database.append(alice.says(talk, "too late"), "late")
    with pytest.raises(StorageError):
        await world.database.write(facts.get("last"))
    with pytest.raises(StorageError):
        await world.database.find(facts.get("last"))
    with pytest.raises(StorageError):
        await world.database.read(facts.get("last"))
    await world.settled()
    assert [receipt for _, receipt in world.refused] == ["late"]
    async with world.storage.opened() as again:
        assert await again.database.find(facts.get("mark")) == b"made"


@plays
async def test_a_read_sees_one_moment(world: World) -> None:
    seen: list[bytes | None] = []

    def twice() -> Steps[None]:
        seen.append((yield from facts.get("moment")))
        future = asyncio.run_coroutine_threadsafe(change(), loop)
        if on_loop:
            return
        future.result(5)
        seen.append((yield from facts.get("moment")))

    async def change() -> None:
        await world.database.write(facts.put("moment", b"2"))

    loop = asyncio.get_running_loop()
    on_loop = "Postgres" in type(world.database).__name__  # its reads run on the loop and cannot wait for it
    await world.database.write(facts.put("moment", b"1"))
    await world.database.read(twice())
    assert set(seen) == {b"1"}
    await world.database.write(facts.set_default("moment", b""))
    assert await world.database.read(facts.get("moment")) == b"2"


@pytest.mark.parametrize("text", ["\U0001f409 зміїна", "a" * 16_384, "line\nline", "{}[]\"'$1 ?1 %s", "\u2028"])
def test_any_text_comes_back_as_it_was(storage: Storage, text: str) -> None:

    async def scenario(world: World) -> None:
        alice, bob, talk = await world.pair()
        await world.append(alice.says(talk, text, cookie=text[:64]))
        assert [row.text for row in await everything_owed(world, bob, 0, 10)] == [text]
        assert [row.text for row in await world.database.find(messages.owed(bob.id, 0, 10))] == [text]

    storage.play(scenario)


@plays
async def test_a_nul_character_harms_nobody(world: World) -> None:
    """PostgreSQL cannot keep it."""
    alice, bob, talk = await world.pair()
    places = await world.append(alice.says(talk, "a\0b", cookie="c\0"), alice.says(talk, "next"))
    assert len(places) == 2
    rows = await everything_owed(world, bob, 0, 10)
    assert rows[0].text in ("a\0b", "a\ufffdb")
    assert rows[1].text == "next"
    assert (await world.append(alice.says(talk, "a\0b", cookie="c\0")))[0].repeat
