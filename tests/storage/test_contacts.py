"""Contacts, friends, blocks and profiles as they are stored."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.storage import Person, SqliteStorage, Storage, World, plays
from veche.core import contacts as rule
from veche.core.contacts import COOL_DOWN_US, DAY_US, EXPIRY_US, NOTHING, Pair, Refusal, State
from veche.packets.contacts import Relation
from veche.storage import accounts, blocks, contacts, invites, profiles
from veche.storage.contacts import AlreadyListed, Change, ContactRow, NoContact, Told, TooMany
from veche.storage.database import Rows, Statement, Steps
from veche.storage.profiles import Picture, Profile

FRIENDS = Pair(State.FRIENDS, at=7)


async def ask(world: World, who: Person, whom: Person, now: int = 5) -> Change:
    steps = contacts.change(who.id, whom.id, lambda pair: rule.request(pair, who.id, now))
    return await world.database.write(steps)


async def answer(world: World, who: Person, whom: Person, accepted: bool, now: int = 7) -> Change:
    steps = contacts.change(who.id, whom.id, lambda pair: rule.answer(pair, who.id, accepted, now))
    return await world.database.write(steps)


async def befriend(world: World, who: Person, whom: Person) -> None:
    await ask(world, who, whom)
    await answer(world, whom, who, True)


async def row(world: World, viewer: Person, peer: Person) -> ContactRow:
    return await world.database.find(contacts.get(viewer.id, peer.id))


async def logins(world: World, viewer: Person) -> list[str]:
    return [one.login for one in await world.database.find(contacts.all(viewer.id))]


async def people(world: World, *names: str) -> list[Person]:
    return [await world.account(name) for name in names]


def select(sql: str) -> Steps[Rows]:
    return (yield Statement(sql))


async def everything(world: World) -> dict[str, Rows]:
    """What is stored about people."""
    tables = ("account", "picture", "relation", "contact", "block", "invite")
    return {name: await world.database.read(select(f"SELECT * FROM {name} ORDER BY 1, 2")) for name in tables}


# -- what two people are to each other


@plays
async def test_a_friendship_is_one_row_that_each_sees_from_their_side(world: World) -> None:
    """Rows: A15 (partly), A21 (partly), A24 (partly)."""
    bob, alice = await people(world, "bob", "alice")
    before = await row(world, alice, bob)
    assert before == ContactRow(bob.id, "bob", False, "", "", "", NOTHING, None, None, "", "", "", 0, False)
    change = await ask(world, alice, bob)
    asked = Pair(State.ASKED, alice.id, at=5)
    assert change == Change(before, before._replace(pair=asked), change.theirs_before, change.theirs)
    assert (change.theirs_before.pair, change.theirs.pair, change.theirs.login) == (NOTHING, asked, "alice")
    assert await ask(world, alice, bob, 6) == Change(change.mine, change.mine, change.theirs, change.theirs)
    assert await logins(world, alice) == ["bob"]
    assert await logins(world, bob) == ["alice"]

    await answer(world, bob, alice, True)
    assert (await row(world, alice, bob)).pair == (await row(world, bob, alice)).pair == FRIENDS
    stored = (await everything(world))["relation"]
    assert stored == [(alice.id, bob.id, State.FRIENDS, 0, 0, 7, 0)]  # alice comes first, though her id is the larger
    await world.database.write(contacts.change(bob.id, alice.id, lambda pair: rule.remove(pair, bob.id)))
    assert await logins(world, alice) == await logins(world, bob) == []
    assert (await everything(world))["relation"] == []


@plays
async def test_crossed_requests_become_one_friendship(world: World) -> None:
    """Rows: A29 (partly)."""
    alice, bob = await people(world, "alice", "bob")
    await ask(world, alice, bob)
    assert (await ask(world, bob, alice, 7)).mine.pair == FRIENDS
    assert len((await everything(world))["relation"]) == 1


@plays
async def test_what_makes_no_sense_is_refused_and_changes_nothing(world: World) -> None:
    """Rows: A20 (partly)."""
    alice, bob = await people(world, "alice", "bob")
    before = await everything(world)
    with pytest.raises(Refusal):
        await answer(world, alice, bob, True)
    with pytest.raises(ValueError, match="own contact"):
        await ask(world, alice, alice)
    with pytest.raises(LookupError):
        await world.database.find(contacts.get(alice.id, 99))
    assert await everything(world) == before


@plays
async def test_who_was_refused_sees_that_they_wait_and_who_refused_sees_nothing(world: World) -> None:
    """Rows: A19 (partly), A23 (partly), X22 (partly)."""
    alice, bob = await people(world, "alice", "bob")
    await ask(world, alice, bob)
    assert await logins(world, bob) == ["alice"]
    await answer(world, bob, alice, False)
    assert await logins(world, bob) == []
    assert await logins(world, alice) == ["bob"]
    assert rule.relation((await row(world, alice, bob)).pair, alice.id) is Relation.OUTGOING


@plays
async def test_requests_end_after_thirty_days_and_friendships_do_not(world: World) -> None:
    """Rows: A23 (partly)."""
    ann, bob, cid, dan, eve = await people(world, "ann", "bob", "cid", "dan", "eve")
    await befriend(world, ann, bob)
    await ask(world, cid, ann, 10)
    await ask(world, ann, dan, 20)
    await answer(world, dan, ann, False, 30)
    await ask(world, ann, eve, 20)
    await answer(world, eve, ann, False, EXPIRY_US)
    late = 20 + EXPIRY_US
    assert await world.database.write(contacts.expire(9 + EXPIRY_US, 9)) == []
    ((first, second, change),) = await world.database.write(contacts.expire(late, 1))
    assert (first, second, change.mine.login, change.theirs.login) == (ann.id, cid.id, "cid", "ann")
    assert (change.mine_before.pair, change.mine.pair) == (Pair(State.ASKED, cid.id, at=10), NOTHING)
    ended = await world.database.write(contacts.expire(late, 9))
    assert [change.mine.login for _, _, change in ended] == ["dan", "eve"]
    assert await logins(world, ann) == ["bob"]
    assert await world.database.write(contacts.expire(late, 9)) == []
    assert len((await everything(world))["relation"]) == 2  # eve was asked again too early, if she is asked now
    assert len(await world.database.write(contacts.expire(EXPIRY_US + COOL_DOWN_US, 9))) == 1
    assert len((await everything(world))["relation"]) == 1


# -- what one notes


@plays
async def test_listing_and_noting_is_ones_own(world: World) -> None:
    """Rows: M31 (partly), M32 (partly), M33 (partly), M39 (partly), X01 (partly)."""
    database = world.database
    alice, bob = await people(world, "alice", "bob")

    def request(pair: Pair) -> Pair:
        return rule.request(pair, alice.id, 5)

    change = await database.write(contacts.add(alice.id, bob.id, "Bobby", "work/friends", "owes me", request))
    asked = Pair(State.ASKED, alice.id, at=5)
    assert change.mine[:7] == (bob.id, "bob", True, "Bobby", "work/friends", "owes me", asked)
    assert change.theirs[:7] == (alice.id, "alice", False, "", "", "", asked)
    with pytest.raises(AlreadyListed):
        await database.write(contacts.add(alice.id, bob.id, "Bob", "", "", request))
    assert (await row(world, alice, bob)).name == "Bobby"

    change = await database.write(contacts.note(alice.id, bob.id, None, "", "paid"))
    assert change.mine[2:6] == (True, "Bobby", "", "paid")
    assert change.theirs == change.theirs_before
    change = await database.write(contacts.delete(alice.id, bob.id, lambda pair: rule.delete(pair, alice.id)))
    assert change.mine[2:7] == (False, "", "", "", NOTHING)
    for steps in (contacts.note(alice.id, bob.id, "x", None, None), contacts.delete(alice.id, bob.id, request)):
        with pytest.raises(NoContact):
            await database.write(steps)
    assert [(await everything(world))[name] for name in ("contact", "relation")] == [[], []]


@plays
async def test_who_asks_may_be_noted_without_being_listed_and_is_forgotten_with_the_note(world: World) -> None:
    alice, bob = await people(world, "alice", "bob")
    await ask(world, bob, alice)
    await world.database.write(contacts.note(alice.id, bob.id, "from school", None, None))
    await answer(world, alice, bob, False)
    assert (await row(world, alice, bob))[2:4] == (False, "from school")
    assert await logins(world, alice) == ["bob"]
    await world.database.write(contacts.add(alice.id, bob.id, "", "school", "", lambda pair: pair))
    assert (await row(world, alice, bob))[2:5] == (True, "from school", "school")
    await world.database.write(contacts.delete(alice.id, bob.id, lambda pair: pair))
    assert await logins(world, alice) == []
    assert (await everything(world))["contact"] == []


@plays
async def test_nobody_has_more_contacts_of_their_own_making_than_they_may(world: World) -> None:
    """Those who ask me do not count: else they could fill my list."""
    database = world.database
    alice, *others = await people(world, "alice", "b", "c", "d", "e", "f")
    for other in others[:2]:
        await ask(world, other, alice)

    def add(other: Person) -> Steps[Change]:
        return contacts.add(alice.id, other.id, "", "", "", lambda pair: rule.request(pair, alice.id, 5), limit=3)

    for other in others[1:4]:
        await database.write(add(other))
    before = await everything(world)
    with pytest.raises(TooMany):
        await database.write(add(others[4]))
    with pytest.raises(TooMany):
        await database.write(
            contacts.change(alice.id, others[0].id, lambda pair: rule.answer(pair, alice.id, True, 5), limit=3)
        )
    assert await everything(world) == before
    again = contacts.change(alice.id, others[3].id, lambda pair: rule.request(pair, alice.id, 9), limit=1)
    assert (await database.write(again)).mine.pair.at == 5
    await database.write(contacts.delete(alice.id, others[3].id, lambda pair: rule.delete(pair, alice.id)))
    await database.write(add(others[4]))


# -- blocks


@plays
async def test_a_blocked_friend_goes_on_seeing_what_they_last_saw(world: World) -> None:
    """Rows: X06 (partly)."""
    database = world.database
    alice, bob, carol = await people(world, "alice", "bob", "carol")
    await befriend(world, alice, bob)
    await befriend(world, alice, carol)
    await database.write(profiles.update(alice.id, "Alice", "at sea", PICTURE, removes_picture=False))
    await database.write(accounts.seen(alice.id, 50))
    change = await database.write(blocks.block(alice.id, bob.id, 60))
    assert change is not None
    assert (change.mine_before.blocked_at, change.mine.blocked_at) == (None, 60)
    assert (change.theirs_before.told, change.theirs.told) == (None, Told(60, "Alice", "at sea", PICTURE.hash))
    assert change.mine.pair == change.theirs.pair == Pair(State.FRIENDS, at=7)
    assert await database.write(blocks.block(alice.id, bob.id, 70)) is None
    await database.write(profiles.update(alice.id, "Alicia", None, None, removes_picture=True))
    shown = await row(world, bob, alice)
    assert shown.told == Told(60, "Alice", "at sea", PICTURE.hash)
    assert shown[9:13] == ("Alicia", "at sea", "", 50)
    assert await database.find(profiles.picture(PICTURE.hash)) == ("image/png", b"picture")
    assert await database.find(contacts.blockers(bob.id)) == [alice.id]

    change = await database.write(blocks.unblock(alice.id, bob.id))
    assert change is not None
    assert (change.mine.blocked_at, change.theirs.told) == (None, None)
    assert await database.write(blocks.unblock(alice.id, bob.id)) is None
    assert await database.find(profiles.picture(PICTURE.hash)) is None
    assert await database.find(contacts.blockers(bob.id)) == []


@plays
async def test_whom_i_have_only_blocked_is_among_my_contacts_and_i_am_not_among_theirs(world: World) -> None:
    alice, bob = await people(world, "alice", "bob")
    await world.database.write(blocks.block(alice.id, bob.id, 60))
    assert await logins(world, alice) == ["bob"]
    assert await logins(world, bob) == []
    await world.database.write(contacts.note(alice.id, bob.id, None, None, "spam"))
    assert (await row(world, alice, bob)).memo == "spam"


# -- profiles

PICTURE = Picture("a" * 64, "image/png", b"picture")


@plays
async def test_a_profile_is_changed_in_parts(world: World) -> None:
    """Rows: M42 (partly), X23 (partly)."""
    database = world.database
    (alice,) = await people(world, "alice")
    assert await database.find(profiles.get(alice.id)) == ("", "", "")
    assert await database.write(profiles.update(alice.id, "Alice", None, None, False)) == Profile("Alice", "", "")
    assert await database.write(profiles.update(alice.id, None, "hi", PICTURE, False)) == ("Alice", "hi", PICTURE.hash)
    assert await database.write(profiles.update(alice.id, "", None, None, False)) == ("", "hi", PICTURE.hash)
    assert await database.find(profiles.get(alice.id)) == ("", "hi", PICTURE.hash)
    await database.write(accounts.delete(alice.id, 5))
    with pytest.raises(LookupError):
        await database.write(profiles.update(alice.id, "back", None, PICTURE, False))
    assert await database.find(profiles.get(alice.id)) == ("", "", "")
    assert await database.find(profiles.picture(PICTURE.hash)) is None


@plays
async def test_a_picture_is_kept_while_somebody_shows_it(world: World) -> None:
    database = world.database
    alice, bob = await people(world, "alice", "bob")
    other = Picture("b" * 64, "image/webp", b"other")
    for person in (alice, bob):
        await database.write(profiles.update(person.id, None, None, PICTURE, False))
    await database.write(profiles.update(alice.id, None, None, other, False))
    assert await database.find(profiles.picture(PICTURE.hash)) == ("image/png", b"picture")
    await database.write(profiles.update(bob.id, None, None, None, True))
    assert await database.find(profiles.picture(PICTURE.hash)) is None
    assert await database.find(profiles.picture(other.hash)) == ("image/webp", b"other")
    await database.write(profiles.update(alice.id, None, None, other, False))
    await database.write(blocks.block(alice.id, bob.id, 1))
    await database.write(accounts.delete(alice.id, 5))
    assert (await everything(world))["picture"] == []


@plays
async def test_when_somebody_was_last_seen_never_goes_back(world: World) -> None:
    alice, bob = await people(world, "alice", "bob")
    for now in (5, 9, 7):
        await world.database.write(accounts.seen(alice.id, now))
    assert (await row(world, bob, alice)).seen_at == 9


# -- accounts that come and go


@plays
async def test_who_invites_somebody_is_their_friend(world: World) -> None:
    database = world.database
    alice, gone = await people(world, "alice", "gone")
    await database.write(invites.create(b"hers", False, 1, 1, None, alice.id))
    await database.write(invites.create(b"theirs", False, 1, 1, None, gone.id))
    await database.write(accounts.delete(gone.id, 2))
    made = [
        await database.write(accounts.create(login, b"", 1, b"", b"", now=7, invite_hash=code))
        for login, code in (("bob", b"hers"), ("carol", b"theirs"), ("dan", None))
    ]
    assert [one.inviter_id for one in made] == [alice.id, None, None]
    assert [(one.login, one.pair) for one in await database.find(contacts.all(alice.id))] == [("bob", FRIENDS)]
    assert await database.find(contacts.all(made[1].id)) == []


@plays
async def test_the_first_administrator_is_the_oldest_who_is_there(world: World) -> None:
    assert await world.database.find(accounts.first_admin()) is None
    ids = [
        (await world.database.write(accounts.create(login, b"", 1, b"", b"", is_admin=login != "user", now=7))).id
        for login in ("user", "root", "boss")
    ]
    for expected in ids[1:]:
        admin = await world.database.find(accounts.first_admin())
        assert admin is not None
        assert admin.id == expected
        await world.database.write(accounts.delete(expected, 8))
    assert await world.database.find(accounts.first_admin()) is None


@plays
async def test_a_deleted_account_leaves_the_lists_of_friends_and_stays_where_somebody_listed_it(world: World) -> None:
    database = world.database
    alice, friend, lister, asks, asked, blocker, stranger = await people(
        world, "alice", "friend", "lister", "asks", "asked", "blocker", "stranger"
    )
    await befriend(world, alice, friend)
    await ask(world, asks, alice)
    await ask(world, alice, asked)
    await database.write(contacts.add(lister.id, alice.id, "A.", "", "", lambda pair: pair))
    await database.write(contacts.add(alice.id, stranger.id, "S.", "", "", lambda pair: pair))
    await database.write(blocks.block(blocker.id, alice.id, 3))
    await database.write(blocks.block(alice.id, stranger.id, 3))
    await database.write(profiles.update(alice.id, "Alice", "hi", PICTURE, False))
    await database.write(accounts.seen(alice.id, 4))
    viewers = [friend, lister, asks, asked, blocker]
    before = [await row(world, viewer, alice) for viewer in viewers]
    gone = await database.write(accounts.delete(alice.id, 5))
    assert [one.viewer_id for one in gone] == [viewer.id for viewer in viewers]
    assert [one.before for one in gone] == before
    assert [one.after for one in gone] == [await row(world, viewer, alice) for viewer in viewers]
    assert {(one.after.pair, one.after.profile_name, one.after.is_deleted) for one in gone} == {(NOTHING, "", True)}
    assert await database.write(accounts.delete(alice.id, 6)) == []
    assert {person.login: await logins(world, person) for person in (*viewers, stranger)} == {
        "friend": [],
        "lister": ["alice"],
        "asks": [],
        "asked": [],
        "blocker": [],
        "stranger": [],
    }
    assert await database.find(contacts.all(alice.id)) == []
    assert (await everything(world))["picture"] == []


# -- all or nothing


class Interrupted(Exception):
    pass


def interrupted(steps: Steps[Any], after: int) -> Steps[bool]:
    """The same work, which breaks after so many statements; False: it had no more."""
    try:
        request = next(steps)
        for _ in range(after):
            request = steps.send((yield request))
    except StopIteration:
        return False
    yield request
    raise Interrupted


@plays
async def test_work_that_breaks_off_leaves_everything_as_it_was(world: World) -> None:
    """Whatever the statement after which it breaks.  Rows: A21."""
    database = world.database
    alice, bob, carol, dan = await people(world, "alice", "bob", "carol", "dan")
    for whom in (alice, dan, carol):
        await ask(world, bob, whom)
    await befriend(world, alice, carol)
    await database.write(profiles.update(carol.id, "Carol", "", PICTURE, False))
    await database.write(invites.create(b"hers", False, 1, 1, None, alice.id))

    def accept(pair: Pair) -> Pair:
        return rule.answer(pair, alice.id, True, 9)

    def works() -> Sequence[Steps[Any]]:
        """Each leaves what the next one needs."""
        return (
            contacts.change(alice.id, bob.id, accept),
            contacts.add(dan.id, bob.id, "B.", "", "", lambda pair: rule.request(pair, dan.id, 9)),
            contacts.note(dan.id, bob.id, "Bob", None, None),
            blocks.block(carol.id, alice.id, 9),
            profiles.update(carol.id, "", None, Picture("b" * 64, "image/png", b"other"), False),
            blocks.unblock(carol.id, alice.id),
            contacts.delete(dan.id, bob.id, lambda pair: rule.delete(pair, dan.id)),
            accounts.create("eve", b"", 1, b"", b"", now=9, invite_hash=b"hers"),
            contacts.expire(99 * DAY_US, 9),
            accounts.delete(carol.id, 9),
        )

    for number in range(len(works())):
        before = await everything(world)
        broken = 0
        while True:
            try:
                assert not await database.write(interrupted(works()[number], broken))
                break
            except Interrupted:
                assert await everything(world) == before
                broken += 1
        assert broken > 0
        assert await everything(world) != before


# -- any life of many people


class Model(NamedTuple):
    pairs: dict[frozenset[int], Pair]
    notes: dict[tuple[int, int], tuple[bool, str, str, str]]
    blocks: set[tuple[int, int]]


STEPS: dict[str, Callable[[Pair, int, int], Pair]] = {
    "request": rule.request,
    "yes": lambda pair, me, now: rule.answer(pair, me, True, now),
    "no": lambda pair, me, now: rule.answer(pair, me, False, now),
    "ignore": lambda pair, me, now: rule.ignore(pair, me),
    "cancel": lambda pair, me, now: rule.cancel(pair, me),
    "remove": lambda pair, me, now: rule.remove(pair, me),
    "delete": lambda pair, me, now: rule.delete(pair, me),
}


class Turn(NamedTuple):
    what: str
    me: int
    peer: int
    now: int

    def step(self, pair: Pair) -> Pair:
        return STEPS[self.what](pair, self.me, self.now)

    def in_database(self) -> Steps[Any]:
        what, me, peer, now = self
        match what:
            case "add":
                return contacts.add(me, peer, f"name {now}", "", "", lambda pair: pair)
            case "note":
                return contacts.note(me, peer, "", "", f"memo {now}" if now % 2 else "")
            case "delete":
                return contacts.delete(me, peer, self.step)
            case "block":
                return blocks.block(me, peer, now)
            case "unblock":
                return blocks.unblock(me, peer)
            case _:
                return contacts.change(me, peer, self.step)

    def in_model(self, model: Model) -> None:
        """Raises as the database should."""
        what, me, peer, now = self
        key, mine = frozenset((me, peer)), (me, peer)
        pair, noted = model.pairs.get(key, NOTHING), model.notes.get(mine, (False, "", "", ""))
        if what in ("note", "delete") and not (
            any(noted) or mine in model.blocks or rule.relation(pair, me) is not Relation.NONE
        ):
            raise NoContact
        match what:
            case "add":
                if noted[0]:
                    raise AlreadyListed
                noted = (True, f"name {now}", *noted[2:])
            case "note":
                noted = (noted[0], "", "", f"memo {now}" if now % 2 else "")
            case "delete":
                noted = (False, "", "", "")
            case "block":
                model.blocks.add(mine)
            case "unblock":
                model.blocks.discard(mine)
            case _:
                pass
        if what in STEPS:
            model.pairs[key] = self.step(pair)
        model.notes[mine] = noted


REFUSALS = (Refusal, NoContact, AlreadyListed)


def live_a_while(turns: Sequence[Turn], model: Model) -> Steps[None]:
    """Each turn is refused by both, or made in both."""
    for turn in turns:
        expected = refusal = None
        try:
            turn.in_model(model)
        except REFUSALS as error:
            expected = type(error)
        try:
            yield from turn.in_database()
        except REFUSALS as error:
            refusal = type(error)
        assert refusal is expected, turn


async def hold_against(world: World, folk: Sequence[Person], model: Model) -> None:
    """What is stored is what the model says, and each pair of people has one row at most."""
    names = {person.id: person.login for person in folk}
    for me in folk:
        expected: dict[int, tuple[Any, ...]] = {}
        for peer in folk:
            pair = model.pairs.get(frozenset((me.id, peer.id)), NOTHING)
            noted = model.notes.get((me.id, peer.id), (False, "", "", ""))
            is_blocked = (me.id, peer.id) in model.blocks
            if any(noted) or is_blocked or rule.relation(pair, me.id) is not Relation.NONE:
                expected[peer.id] = (*noted, pair, is_blocked, (peer.id, me.id) in model.blocks)
        rows = await world.database.find(contacts.all(me.id))
        assert [one.peer_id for one in rows] == sorted(expected)
        assert {one.peer_id: (*one[2:7], one.blocked_at is not None, one.told is not None) for one in rows} == expected
    stored = await everything(world)
    for first, second, state, asker, *_ in stored["relation"]:
        assert names[first] < names[second]
        assert state in (State.ASKED, State.REFUSED, State.WITHDRAWN, State.FRIENDS)
        assert asker in ((0,) if state == State.FRIENDS else (first, second))
    assert len({frozenset(one[:2]) for one in stored["relation"]}) == len(stored["relation"])
    assert all(any(one[2:]) for one in stored["contact"])


def test_ten_thousand_operations_at_random_keep_one_row_for_two_people(storage: Storage) -> None:
    """Rows: A21 (partly), A24 (partly), A29 (partly), X01 (partly)."""

    async def scenario(world: World) -> None:
        folk = await people(world, "zoe", "Ann", "émile", "\uff5e", "\U0001f409", "e\u0301mile", "bob")
        model, chance, now = Model({}, {}, set()), random.Random(7), 0
        kinds = [*STEPS, *STEPS, "add", "note", "block", "unblock"]
        for _ in range(20 if isinstance(storage, SqliteStorage) else 3):  # the other one needs eight times as long
            turns: list[Turn] = []
            for _ in range(500):
                now += chance.choice((0, 1, DAY_US // 8))
                me, peer = chance.sample([person.id for person in folk], 2)
                turns.append(Turn(chance.choice(kinds), me, peer, now))
            await world.database.write(live_a_while(turns, model))
            await hold_against(world, folk, model)

    storage.play(scenario)


LOGINS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64)


def test_two_people_have_one_row_whatever_their_logins(storage: Storage) -> None:
    """The databases order logins as Python does.  Rows: A24."""

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(LOGINS, min_size=2, max_size=8, unique=True))
    @example(["\uffff", "\U00010000", "e\u0301", "é", "E", "e", "\x7f", "e "])
    def check(names: list[str]) -> None:
        storage.play(lambda world: scenario(world, names))

    async def scenario(world: World, names: list[str]) -> None:
        try:
            await world.database.write(all_of(names))
        finally:
            await world.database.write(nothing_of())

    def all_of(names: list[str]) -> Steps[None]:
        ids: list[int] = []
        for name in names:
            ids.append((yield from accounts.create(name, b"", 1, b"", b"", now=1)).id)
        for me, name in zip(ids, names, strict=True):
            for peer, other in zip(ids, names, strict=True):
                if me != peer:
                    yield from contacts.change(me, peer, lambda pair: pair if pair.state else FRIENDS)
                    changed = yield from contacts.change(peer, me, lambda pair: pair._replace(at=pair.at + 1))
                    assert changed.mine.pair == (yield from contacts.get(me, peer)).pair
                    rows: Rows = yield Statement(
                        """SELECT f.login, s.login FROM relation r JOIN account f ON f.id = r.first_id
                        JOIN account s ON s.id = r.second_id WHERE $1 IN (f.id, s.id) AND $2 IN (f.id, s.id)""",
                        (me, peer),
                    )
                    assert rows == [rule.in_order(name, other)]

    def nothing_of() -> Steps[None]:
        yield Statement("DELETE FROM relation")
        yield Statement("DELETE FROM account")

    check()
