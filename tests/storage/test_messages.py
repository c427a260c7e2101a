"""Edits, retractions, reactions, history and search."""

from __future__ import annotations

import pytest

from tests.support.storage import Person, Storage, World, plays
from veche.storage import messages
from veche.storage.database import Entry, Kind, Stored
from veche.storage.messages import NotYours, Page, UnknownMessage


async def edit(world: World, entry: Entry, now: int = 7) -> Stored:
    return await world.database.write(messages.edit(entry, now))


async def retract(world: World, entry: Entry, now: int = 9) -> Stored:
    return await world.database.write(messages.retract(entry, now))


async def react(world: World, entry: Entry) -> Stored:
    return await world.database.write(messages.react(entry, 1))


async def history(world: World, talk: int, viewer: Person, before: int | None = None, after: int | None = None) -> Page:
    return await world.database.read(messages.history(talk, viewer.id, before, after, 3))


async def found(world: World, talk: int, viewer: Person, query: str, before: int | None = None) -> list[str]:
    assert await world.database.index_now()
    page = await world.database.read(messages.search(talk, viewer.id, query, before, 50))
    return [row.text for row in page.rows]


@plays
async def test_an_edit_replaces_the_text_and_is_an_entry_of_the_log(world: World) -> None:
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "helo"))
    change = await edit(world, alice.does(Kind.EDIT, talk, first.id, "hello"))
    assert (change.seq, change.repeat) == (2, False)
    rows = await world.database.read(messages.owed(bob.id, 0, 10))
    assert [(row.kind, row.text, row.target_id, row.edited_at) for row in rows] == [
        (Kind.TEXT, "hello", None, 7),
        (Kind.EDIT, "hello", first.id, None),
    ]


@plays
async def test_no_replay_shows_what_an_edit_replaced(world: World) -> None:
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "secret"))
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "less secret"))
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "public"))
    rows = await world.database.read(messages.owed(bob.id, 0, 10))
    assert [row.text for row in rows] == ["public"] * 3


@plays
async def test_a_retraction_erases_text_edits_and_reactions(world: World) -> None:
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "oops"))
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "oops!"))
    await react(world, bob.does(Kind.REACT, talk, first.id, "👍"))
    await retract(world, alice.does(Kind.RETRACT, talk, first.id))
    rows = await world.database.read(messages.owed(bob.id, 0, 10))
    assert [(row.kind, row.text, row.retracted_at) for row in rows] == [
        (Kind.TEXT, "", 9),
        (Kind.EDIT, "", 9),
        (Kind.REACT, "👍", None),
        (Kind.RETRACT, "", None),
    ]
    page = await history(world, talk, bob)
    assert [(row.text, row.retracted_at) for row in page.rows] == [("", 9)]
    assert page.reactions == {}
    with pytest.raises(UnknownMessage):
        await edit(world, alice.does(Kind.EDIT, talk, first.id, "back again"))
    with pytest.raises(UnknownMessage):
        await react(world, bob.does(Kind.REACT, talk, first.id, "👍"))


@plays
async def test_only_the_author_changes_a_message(world: World) -> None:
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "mine"))
    with pytest.raises(NotYours):
        await edit(world, bob.does(Kind.EDIT, talk, first.id, "yours"))
    with pytest.raises(NotYours):
        await retract(world, bob.does(Kind.RETRACT, talk, first.id))
    for target in (first.id + 1, 0):
        with pytest.raises(UnknownMessage):
            await edit(world, alice.does(Kind.EDIT, talk, target, "what"))
    with pytest.raises(UnknownMessage):
        await edit(world, alice.does(Kind.EDIT, talk + 1, first.id, "of another conversation"))
    change = await edit(world, alice.does(Kind.EDIT, talk, first.id, "still mine"))
    with pytest.raises(UnknownMessage):
        await edit(world, alice.does(Kind.EDIT, talk, change.id, "an edit of an edit"))
    assert [row.text for row in (await history(world, talk, bob)).rows] == ["still mine"]


@plays
async def test_a_repeated_change_is_answered_and_not_done_again(world: World) -> None:
    """Rows: M19 (partly)."""
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "one"))
    once = await edit(world, alice.does(Kind.EDIT, talk, first.id, "two", cookie="e"))
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "three", cookie="f"))
    assert await edit(world, alice.does(Kind.EDIT, talk, first.id, "two", cookie="e")) == once._replace(repeat=True)
    assert [row.text for row in (await history(world, talk, bob)).rows] == ["three"]
    gone = await retract(world, alice.does(Kind.RETRACT, talk, first.id, cookie="r"))
    assert await retract(world, alice.does(Kind.RETRACT, talk, first.id, cookie="r")) == gone._replace(repeat=True)
    assert await edit(world, alice.does(Kind.EDIT, talk, first.id, "two", cookie="e")) == once._replace(repeat=True)
    assert len(await world.database.read(messages.owed(bob.id, 0, 10))) == 4


@plays
async def test_reactions_come_with_the_history_and_go(world: World) -> None:
    alice, bob, talk = await world.pair()
    first, second = await world.append(alice.says(talk, "one"), alice.says(talk, "two"))
    await react(world, bob.does(Kind.REACT, talk, first.id, "👍"))
    await react(world, bob.does(Kind.REACT, talk, first.id, "👍"))
    await react(world, alice.does(Kind.REACT, talk, first.id, "🎉"))
    await react(world, bob.does(Kind.REACT, talk, second.id, "👎"))
    page = await history(world, talk, alice)
    assert {id: [(r.login, r.emoji) for r in list] for id, list in page.reactions.items()} == {
        first.id: [("alice", "🎉"), ("bob", "👍")],
        second.id: [("bob", "👎")],
    }
    await react(world, bob.does(Kind.UNREACT, talk, first.id, "👍"))
    await react(world, bob.does(Kind.UNREACT, talk, second.id, "👎"))
    assert list((await history(world, talk, alice)).reactions) == [first.id]
    kinds = [row.kind for row in await world.database.read(messages.owed(alice.id, second.id, 10))]
    assert kinds == [Kind.REACT] * 4 + [Kind.UNREACT] * 2


@plays
async def test_what_is_hidden_stays_hidden_when_it_is_changed(world: World) -> None:
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "spam", hidden=1))
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "spam again"))
    with pytest.raises(UnknownMessage):
        await react(world, bob.does(Kind.REACT, talk, first.id, "👎"))
    assert await world.database.find(messages.get(first.id, bob.id)) is None
    assert await world.database.read(messages.owed(bob.id, 0, 10)) == []
    assert (await history(world, talk, bob)).rows == []
    assert await found(world, talk, bob, "spam") == []
    assert [row.text for row in (await history(world, talk, alice)).rows] == ["spam again"]
    assert await found(world, talk, alice, "spam") == ["spam again"]


@plays
async def test_a_message_is_shown_to_its_two_people_only(world: World) -> None:
    alice, bob, talk = await world.pair()
    carol = await world.account("carol")
    (first,) = await world.append(alice.says(talk, "psst"))
    for viewer in (alice, bob):
        row = await world.database.find(messages.get(first.id, viewer.id))
        assert row is not None
        assert (row.id, row.text, row.author_login, row.other_login) == (first.id, "psst", "alice", "bob")
    assert await world.database.find(messages.get(first.id, carol.id)) is None
    assert await world.database.find(messages.get(first.id + 1, alice.id)) is None
    assert await world.database.find(messages.last_id()) == first.id


@plays
async def test_history_is_paged_both_ways(world: World) -> None:
    """Rows: M20 (partly)."""
    alice, bob, talk = await world.pair()
    places = await world.append(*[alice.says(talk, f"{n}") for n in range(7)])
    await react(world, bob.does(Kind.REACT, talk, places[0].id, "👍"))

    def texts(page: Page) -> tuple[list[str], bool]:
        return [row.text for row in page.rows], page.more

    assert texts(await history(world, talk, bob)) == (["4", "5", "6"], True)
    assert texts(await history(world, talk, bob, before=places[4].id)) == (["1", "2", "3"], True)
    assert texts(await history(world, talk, bob, before=places[1].id)) == (["0"], False)
    assert texts(await history(world, talk, bob, before=places[0].id)) == ([], False)
    assert texts(await history(world, talk, bob, after=0)) == (["0", "1", "2"], True)
    assert texts(await history(world, talk, bob, after=places[3].id)) == (["4", "5", "6"], False)
    assert texts(await history(world, talk, bob, after=places[6].id)) == ([], False)
    assert texts(await history(world, talk, bob, after=places[1].id, before=places[3].id)) == (["2"], False)


@plays
async def test_search_finds_all_words_and_beginnings_of_the_last_one(world: World) -> None:
    alice, bob, talk = await world.pair()
    carol = await world.account("carol")
    from veche.storage import conversations

    other = await world.database.write(conversations.open_direct(carol.id, bob.id, 1))
    await world.append(
        alice.says(talk, "The quick brown fox"),
        bob.says(talk, "a slow brown bear: example.com, foo-bar"),
        carol.says(other, "another quick brown fox"),
        alice.says(talk, "Быстрая лиса №5"),
        alice.says(talk, "c2 place text"),
    )
    assert await found(world, talk, bob, "brown") == ["a slow brown bear: example.com, foo-bar", "The quick brown fox"]
    assert await found(world, talk, bob, "fox quick") == ["The quick brown fox"]
    assert await found(world, talk, bob, "qui") == ["The quick brown fox"]
    assert await found(world, talk, bob, "qui brown") == []
    assert len(await found(world, talk, bob, "example")) == 1
    assert len(await found(world, talk, bob, "foo bar")) == 1
    assert len(await found(world, talk, bob, "лиса")) == 1
    assert await found(world, other, bob, "brown") == ["another quick brown fox"]
    assert await found(world, talk, bob, f"c{talk}") == []
    assert await found(world, other, carol, "slow") == []


@plays
async def test_search_follows_changes(world: World) -> None:
    alice, bob, talk = await world.pair()
    first, second = await world.append(alice.says(talk, "first draft"), alice.says(talk, "second draft"))
    assert await found(world, talk, bob, "draft") == ["second draft", "first draft"]
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "first version"))
    assert await found(world, talk, bob, "draft") == ["second draft"]
    assert await found(world, talk, bob, "version") == ["first version"]
    await retract(world, alice.does(Kind.RETRACT, talk, second.id))
    assert await found(world, talk, bob, "draft") == []
    (third,) = await world.append(alice.says(talk, "not indexed yet"))
    await edit(world, alice.does(Kind.EDIT, talk, third.id, "indexed later"))
    assert await found(world, talk, bob, "later") == ["indexed later"]
    assert await found(world, talk, bob, "yet") == []


@plays
async def test_search_is_paged(world: World) -> None:
    alice, bob, talk = await world.pair()
    await world.append(*[alice.says(talk, f"word {n}") for n in range(5)])
    await world.database.index_now()
    page = await world.database.read(messages.search(talk, bob.id, "word", None, 3))
    assert ([row.text for row in page.rows], page.more) == (["word 4", "word 3", "word 2"], True)
    page = await world.database.read(messages.search(talk, bob.id, "word", page.rows[-1].id, 3))
    assert ([row.text for row in page.rows], page.more) == (["word 1", "word 0"], False)


WILD = [
    '"',
    "'",
    "*",
    "a*",
    'a"b',
    "a AND",
    "OR NOT",
    "NEAR(a b)",
    "text:a",
    "^a",
    "(",
    "-a",
    "\\",
    "a:*",
    "&|!",
    "<->",
    "\0",
    "a\0b",
    "_",
    "%",
    "$1",
    "한국어",
    "हिन्दी",
    "ß",
    "İ",
    "١٢٣",
    "½",
    "²",
    "a" * 200,
    " ".join("abcdefghijklmnopqrstuvwxyz"),
    "\U0001f409",
    "1e5",
    "3.14",
    "-7",
    "\u0301",
    "ﬁ",
]


def test_no_query_is_an_error(storage: Storage) -> None:

    async def scenario(world: World) -> None:
        alice, bob, talk = await world.pair()
        await world.append(*[alice.says(talk, text) for text in WILD])
        assert await world.database.index_now()
        for query in WILD:
            await world.database.read(messages.search(talk, bob.id, query, None, 10))
            await world.database.find(messages.search(talk, bob.id, query, None, 10))
        assert len(await found(world, talk, bob, "한국어")) == 1

    storage.play(scenario)
