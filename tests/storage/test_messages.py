"""Edits, retractions, reactions, history and search."""

from __future__ import annotations

import itertools

import pytest

from tests.support.storage import Person, Storage, World, plays
from veche.storage import accounts, messages
from veche.storage.database import Entry, Kind, Statement, Steps, Stored
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


async def seen(world: World, talk: int, viewer: Person) -> list[tuple[str, bool]]:
    """The texts of the log of a conversation, messages and edits, and whether they are edited, as the viewer has them.

    What each message says is the same in its history, in the log and when it is looked up.
    """
    rows = [row for row in await world.database.read(messages.owed(viewer.id, 0, 99)) if row.conversation == talk]
    page = await world.database.read(messages.history(talk, viewer.id, None, None, 99))
    assert list(page.rows) == [row for row in rows if row.kind == Kind.TEXT]
    assert rows == [await world.database.find(messages.get(row.id, viewer.id)) for row in rows]
    return [(row.text, row.edited_at is not None) for row in rows if row.kind in (Kind.TEXT, Kind.EDIT)]


@plays
async def test_a_hidden_edit_is_seen_by_its_author_alone(world: World) -> None:
    """Rows: X06 (partly), T33 (partly)."""
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "harmless"))

    async def edits(text: str, *, hidden: int) -> None:
        await edit(world, alice.does(Kind.EDIT, talk, first.id, text, hidden=hidden))

    await edits("insult", hidden=1)
    assert await seen(world, talk, alice) == [("insult", True), ("insult", True)]
    assert await seen(world, talk, bob) == [("harmless", False)]
    await edits("worse insult", hidden=1)
    assert await seen(world, talk, alice) == [("worse insult", True)] * 3
    assert await seen(world, talk, bob) == [("harmless", False)]
    await edits("sorry", hidden=0)
    assert await seen(world, talk, alice) == [("sorry", True), *[("sorry", False)] * 3]
    assert await seen(world, talk, bob) == [("sorry", True), ("sorry", False)]
    await edits("not sorry", hidden=1)
    assert await seen(world, talk, alice) == [("not sorry", True)] * 5
    assert await seen(world, talk, bob) == [("sorry", True), ("sorry", False)]
    await retract(world, alice.does(Kind.RETRACT, talk, first.id, hidden=1))
    for viewer, count in ((alice, 5), (bob, 2)):
        assert [text for text, _ in await seen(world, talk, viewer)] == [""] * count
        rows = await world.database.read(messages.owed(viewer.id, 0, 99))
        assert {row.retracted_at for row in rows[:-1]} == {9}
        assert (rows[-1].kind, rows[-1].hidden) == (Kind.RETRACT, 0)


@plays
async def test_nothing_of_a_replaced_hidden_edit_is_kept(world: World) -> None:
    alice, _, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "one"))
    for text, hidden in (("two", 1), ("three", 1), ("four", 0), ("five", 1)):
        await edit(world, alice.does(Kind.EDIT, talk, first.id, text, hidden=hidden))

    def texts() -> Steps[set[str]]:
        return {row[0] for row in (yield Statement("SELECT text FROM message"))}

    assert await world.database.read(texts()) == {"four", "five"}
    await retract(world, alice.does(Kind.RETRACT, talk, first.id))
    assert await world.database.read(texts()) == {""}


@plays
async def test_search_finds_what_its_viewer_sees(world: World) -> None:
    """Rows: X06 (partly)."""
    alice, bob, talk = await world.pair()
    first, second, third = await world.append(
        alice.says(talk, "a plain word"), alice.says(talk, "a second word"), bob.says(talk, "his word")
    )
    for indexed_before in (True, False):
        if indexed_before:
            await world.database.index_now()
        await edit(world, alice.does(Kind.EDIT, talk, first.id, f"hidden word {indexed_before}", hidden=1))
    assert await found(world, talk, alice, "word") == ["his word", "a second word", "hidden word False"]
    assert await found(world, talk, bob, "word") == ["his word", "a second word", "a plain word"]
    for word, hers, his in (("plain", 0, 1), ("hidden", 1, 0), ("hidden True", 0, 0), ("hidden fal", 1, 0)):
        assert len(await found(world, talk, alice, word)) == hers
        assert len(await found(world, talk, bob, word)) == his
    assert await found(world, talk, alice, "word", before=second.id) == ["hidden word False"]
    assert await found(world, talk, alice, "word", before=first.id) == []
    page = await world.database.read(messages.search(talk, alice.id, "word", third.id, 1))
    assert ([row.text for row in page.rows], page.more) == (["a second word"], True)
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "hidden again", hidden=1))
    assert await found(world, talk, alice, "hidden") == ["hidden again"]
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "open to all"))
    for viewer in (alice, bob):
        assert await found(world, talk, viewer, "hidden") == await found(world, talk, viewer, "plain") == []
        assert await found(world, talk, viewer, "open") == ["open to all"]
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "hidden at last", hidden=1))
    assert await found(world, talk, alice, "last") == ["hidden at last"]
    await retract(world, alice.does(Kind.RETRACT, talk, first.id))
    for viewer in (alice, bob):
        assert await found(world, talk, viewer, "last") == await found(world, talk, viewer, "open") == []


@plays
async def test_what_a_deleted_account_has_hidden_is_erased_too(world: World) -> None:
    alice, bob, talk = await world.pair()
    (first,) = await world.append(alice.says(talk, "plain"))
    await edit(world, alice.does(Kind.EDIT, talk, first.id, "hidden", hidden=1))
    await world.database.index_now()
    await world.database.write(accounts.delete(alice.id, 9))
    for viewer in (alice, bob):
        assert {text for text, _ in await seen(world, talk, viewer)} == {""}
        assert await found(world, talk, viewer, "hidden") == await found(world, talk, viewer, "plain") == []


@plays
async def test_a_hidden_reaction_is_seen_by_its_author_alone(world: World) -> None:
    """Whatever came before and comes after.  Rows: X06 (partly), T33 (partly)."""
    alice, bob, talk = await world.pair()
    lives = list(itertools.product(itertools.product((Kind.REACT, Kind.UNREACT), (0, 1)), repeat=3))
    places = await world.append(*[bob.says(talk, "hello") for _ in lives])

    def live() -> Steps[None]:
        for place, turns in zip(places, lives, strict=True):
            for kind, hidden in turns:
                yield from messages.react(alice.does(kind, talk, place.id, "👍", hidden=hidden), 1)

    await world.database.write(live())
    for viewer in (alice, bob):
        page = await world.database.read(messages.history(talk, viewer.id, None, None, 99))
        for place, turns in zip(places, lives, strict=True):
            told = [kind for kind, hidden in turns if viewer is alice or not hidden]
            assert (place.id in page.reactions) == (told[-1:] == [Kind.REACT]), turns


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
