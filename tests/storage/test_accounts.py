"""Accounts, invites, devices, tokens, blocks, facts."""

from __future__ import annotations

import pytest

from tests.support.storage import World, plays
from veche.storage import accounts, blocks, conversations, devices, facts, invites, messages, tokens
from veche.storage.accounts import BadInvite, Created, LoginTaken
from veche.storage.database import Kind, Statement, Steps, StorageError


def create(login: str, *, now: int = 1, code: bytes | None = None) -> Steps[Created]:
    return accounts.create(login, b"salt", 4096, b"stored", b"server", now=now, invite_hash=code)


@plays
async def test_an_account_survives_a_restart(world: World) -> None:
    """Rows: A10 (partly), X04 (partly)."""
    id, _ = await world.database.write(create("alice"))
    await world.database.close()
    async with world.storage.opened() as again:
        account = await again.database.find(accounts.find("alice"))
        assert account is not None
        assert account == await again.database.find(accounts.get(id))
        assert account[:6] == (id, "alice", b"salt", 4096, b"stored", b"server")
        assert (account.generation, account.is_admin, account.created_at, account.deleted_at) == (0, False, 1, None)
        assert await again.database.find(accounts.find("Alice")) is None


@plays
async def test_a_login_is_given_out_once(world: World) -> None:
    assert not await world.database.find(accounts.any_exists())
    id, _ = await world.database.write(create("alice"))
    with pytest.raises(LoginTaken):
        await world.database.write(create("alice"))
    await world.database.write(accounts.delete(id, 5))
    with pytest.raises(LoginTaken):
        await world.database.write(create("alice"))
    assert await world.database.find(accounts.count()) == 0
    assert await world.database.find(accounts.any_exists())


@plays
async def test_an_invite_is_used_up_with_the_account_it_makes(world: World) -> None:
    database = world.database
    await database.write(invites.create(b"two", False, 2, 1, None))
    await database.write(invites.create(b"late", False, 1, 1, 100))
    await database.write(create("alice", code=b"two"))
    with pytest.raises(LoginTaken):
        await database.write(create("alice", code=b"two"))
    await database.write(create("bob", code=b"two"))
    for code in (b"two", b"late", b"unknown"):
        with pytest.raises(BadInvite):
            await database.write(create("carol", now=100, code=code))
    with pytest.raises(BadInvite):
        await database.write(create("alice", code=b"unknown"))
    await database.write(create("carol", now=99, code=b"late"))
    assert [invite.uses_left for invite in await database.read(invites.list())] == [0, 0]
    with pytest.raises(StorageError):
        await database.write(invites.create(b"two", False, 1, 1, None))


@plays
async def test_the_first_set_up_code_used_makes_the_administrator_and_ends_all(world: World) -> None:
    database = world.database
    for code in (b"1", b"2"):
        await database.write(invites.create(code, True, 1, 1, None))
    await database.write(invites.create(b"3", False, 1, 1, None))
    assert await database.find(invites.setup_exists())
    root = await database.find(accounts.get((await database.write(create("root", code=b"2"))).id))
    assert root is not None
    assert root.is_admin
    assert not await database.find(invites.setup_exists())
    with pytest.raises(BadInvite):
        await database.write(create("second", code=b"1"))
    other = await database.find(accounts.get((await database.write(create("other", code=b"3"))).id))
    assert other is not None
    assert not other.is_admin
    await database.write(invites.create(b"4", True, 1, 1, None))
    await database.write(invites.clear_setup())
    assert not await database.find(invites.setup_exists())


@plays
async def test_a_new_password_voids_what_was_given_out(world: World) -> None:
    alice = await world.account("alice")
    assert await world.database.write(accounts.set_password(alice.id, b"s", 5, b"k", b"v")) == 1
    assert await world.database.write(accounts.set_password(alice.id, b"s2", 6, b"k2", b"v2")) == 2
    account = await world.database.find(accounts.get(alice.id))
    assert account is not None
    assert account[2:7] == (b"s2", 6, b"k2", b"v2", 2)
    await world.database.write(accounts.delete(alice.id, 1))
    with pytest.raises(LookupError):
        await world.database.write(accounts.set_password(alice.id, b"s", 5, b"k", b"v"))


@plays
async def test_a_deleted_account_leaves_nothing_but_its_name(world: World) -> None:
    database = world.database
    alice, bob, talk = await world.pair()
    first, second, his = await world.append(
        alice.says(talk, "my words"), alice.says(talk, "more words"), bob.says(talk, "his words")
    )
    await database.write(messages.edit(alice.does(Kind.EDIT, talk, first.id, "my new words"), 2))
    await database.write(messages.react(alice.does(Kind.REACT, talk, his.id, "👍"), 2))
    await database.write(messages.react(bob.does(Kind.REACT, talk, first.id, "👍"), 2))
    await database.write(messages.retract(alice.does(Kind.RETRACT, talk, second.id), 3))
    await database.write(tokens.create(alice.id, "bot", b"hash", 1))
    await database.write(blocks.block(alice.id, bob.id, 1))
    await database.write(blocks.block(bob.id, alice.id, 1))
    assert await database.index_now()
    await database.write(accounts.delete(alice.id, 50))

    account = await database.find(accounts.find("alice"))
    assert account is not None
    assert (account.salt, account.stored_key, account.server_key) == (b"", b"", b"")
    assert (account.deleted_at, account.generation) == (50, 1)
    assert await database.find(devices.list(alice.id)) == []
    assert await database.find(tokens.list(alice.id)) == []
    assert await database.find(blocks.list(alice.id)) == []
    assert await database.find(blocks.list(bob.id)) == []
    assert await database.find(conversations.find_route(bob.id, "alice")) is None
    assert await database.write(conversations.open_route(bob.id, "alice", 1)) is None
    page = await database.read(messages.history(talk, bob.id, None, None, 10))
    assert [(row.text, row.retracted_at) for row in page.rows] == [("", 50), ("", 3), ("his words", None)]
    assert page.reactions == {}
    rows = await database.read(messages.owed(bob.id, 0, 100))
    assert {row.text for row in rows if row.author_id == alice.id} == {""}
    assert [row.seq for row in rows] == list(range(1, 8))
    found = await database.read(messages.search(talk, bob.id, "words", None, 10))
    assert [row.text for row in found.rows] == ["his words"]


@plays
async def test_an_export_holds_all_messages_of_the_account(world: World) -> None:
    alice, bob, talk = await world.pair()
    carol = await world.account("carol")
    other = await world.database.write(conversations.open_direct(carol.id, alice.id, 1))
    places = await world.append(
        alice.says(talk, "1"), carol.says(other, "2"), bob.says(talk, "3"), bob.says(talk, "hidden", hidden=1)
    )
    await world.database.write(messages.edit(bob.does(Kind.EDIT, talk, places[2].id, "three"), 2))
    first = await world.database.read(accounts.export_page(alice.id, 0, 2))
    rest = await world.database.read(accounts.export_page(alice.id, first[-1].id, 2))
    assert [(row.author_login, row.text) for row in [*first, *rest]] == [
        ("alice", "1"),
        ("carol", "2"),
        ("bob", "three"),
    ]


@plays
async def test_a_new_device_starts_where_the_account_is(world: World) -> None:
    """Rows: X05 (partly)."""
    database = world.database
    alice, bob, talk = await world.pair()
    places = await world.append(*[alice.says(talk, f"{n}") for n in range(4)])
    await database.write(devices.acknowledge(bob.id, bob.device.id, places[1].id))
    phone = await database.write(devices.create(bob.id, "phone", "app 1", 30))
    assert phone.cursor_id == places[1].id
    assert await database.find(devices.find(bob.id, "phone")) == phone
    again = await database.write(devices.create(bob.id, "phone", "app 2", 40))
    assert again == phone._replace(client="app 2", seen_at=40)
    assert [device.name for device in await database.find(devices.list(bob.id))] == ["phone", "laptop"]
    await database.write(devices.seen(bob.device.id, 90))
    await database.write(devices.seen(bob.device.id, 80))
    assert [device.seen_at for device in await database.find(devices.list(bob.id))] == [90, 40]
    assert await database.write(devices.delete(bob.id, "phone"))
    assert not await database.write(devices.delete(bob.id, "phone"))
    back = await database.write(devices.create(bob.id, "phone", "app 1", 100))
    assert back.id > phone.id


@plays
async def test_the_device_not_seen_for_longest_makes_room(world: World) -> None:
    alice = await world.account("alice")
    await world.database.write(devices.seen(alice.device.id, 1000))
    for n in range(6):
        await world.database.write(devices.create(alice.id, f"d{n}", "", 10 + n, limit=4))
    names = [device.name for device in await world.database.find(devices.list(alice.id))]
    assert names == ["laptop", "d5", "d4", "d3"]


@plays
async def test_what_a_device_acknowledges_is_delivered_to_the_account(world: World) -> None:
    """Rows: X05 (partly)."""
    database = world.database
    alice, bob, talk = await world.pair()
    carol = await world.account("carol")
    other = await database.write(conversations.open_direct(carol.id, bob.id, 1))
    phone = await database.write(devices.create(bob.id, "phone", "", 1))
    p = await world.append(
        alice.says(talk, "1"),
        bob.says(talk, "own"),
        carol.says(other, "2"),
        alice.says(talk, "3"),
        carol.says(other, "hidden", hidden=1),
        alice.says(talk, "4"),
    )
    assert await database.write(devices.acknowledge(bob.id, bob.device.id, p[1].id)) == [(talk, alice.id, p[0].id)]
    assert await database.write(devices.acknowledge(bob.id, phone.id, p[0].id)) == []
    assert await database.write(devices.acknowledge(bob.id, phone.id, p[4].id)) == [
        (other, carol.id, p[2].id),
        (talk, alice.id, p[3].id),
    ]
    assert await database.write(devices.acknowledge(bob.id, phone.id, p[0].id)) == []
    far = await database.write(devices.acknowledge(bob.id, bob.device.id, 2**53 - 1, [talk, other]))
    assert far == [(talk, alice.id, p[5].id)]
    cursors = {device.name: device.cursor_id for device in await database.find(devices.list(bob.id))}
    assert cursors == {"laptop": p[5].id, "phone": p[4].id}
    account = await database.find(accounts.get(bob.id))
    assert account is not None
    assert account.delivered_id == p[5].id
    assert await database.write(devices.acknowledge(alice.id, phone.id, p[5].id)) == []
    for person, delivered in ((alice, p[5].id), (carol, p[2].id)):
        (summary,) = await database.read(conversations.snapshot(person.id))
        assert summary.peer_delivered_id == delivered


@plays
async def test_tokens_are_found_by_their_hash(world: World) -> None:
    database = world.database
    alice, bob = await world.account("alice"), await world.account("bob")
    id = await database.write(tokens.create(alice.id, "bot", b"hash", 3))
    assert await database.find(tokens.find(b"hash")) == (id, alice.id)
    assert await database.find(tokens.find(b"hush")) is None
    assert await database.find(tokens.list(alice.id)) == [(id, "bot", 3)]
    assert not await database.write(tokens.delete(bob.id, id))
    assert await database.write(tokens.delete(alice.id, id))
    assert await database.find(tokens.find(b"hash")) is None


@plays
async def test_blocks_go_one_way(world: World) -> None:
    database = world.database
    alice, bob, _ = await world.pair()
    assert await database.write(blocks.block(alice.id, bob.id, 1))
    assert await database.write(blocks.block(alice.id, bob.id, 2)) is None
    assert await database.find(blocks.is_blocked(alice.id, bob.id))
    assert not await database.find(blocks.is_blocked(bob.id, alice.id))
    assert await database.find(blocks.list(alice.id)) == ["bob"]
    route = await database.find(conversations.find_route(bob.id, "alice"))
    assert route is not None
    assert route.blocked_by_peer
    assert await database.write(blocks.unblock(alice.id, bob.id))
    assert await database.write(blocks.unblock(alice.id, bob.id)) is None
    assert await database.find(blocks.list(alice.id)) == []


@plays
async def test_a_fact_is_set_once_or_put(world: World) -> None:
    assert await world.database.find(facts.get("domain")) is None
    assert await world.database.write(facts.set_default("domain", b"a")) == b"a"
    assert await world.database.write(facts.set_default("domain", b"b")) == b"a"
    await world.database.write(facts.put("domain", b"c"))
    assert await world.database.find(facts.get("domain")) == b"c"


@plays
async def test_an_account_is_made_wholly_or_not_at_all(world: World) -> None:

    def interrupted() -> Steps[None]:
        yield from create("alice", code=b"code")
        yield Statement("INSERT INTO account (login) VALUES ($1)", ("incomplete",))

    await world.database.write(invites.create(b"code", False, 1, 1, None))
    with pytest.raises(StorageError):
        await world.database.write(interrupted())
    assert await world.database.find(accounts.find("alice")) is None
    assert (await world.database.find(invites.list()))[0].uses_left == 1
