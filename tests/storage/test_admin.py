"""What administrators ask of the two databases."""

from __future__ import annotations

import pytest

from tests.support.storage import World, plays
from veche.storage import accounts, admin, files, invites
from veche.storage.accounts import BadInvite
from veche.storage.admin import LastAdmin

QUOTA = files.Quota(parts=10, account_bytes=1000, total_bytes=1000)


@plays
async def test_accounts_come_in_pages_by_login_with_what_their_files_take(world: World) -> None:
    database = world.database
    people = {login: await world.account(login) for login in ("dora", "bob", "alice", "carol")}
    await database.write(files.begin("one", people["bob"].id, "a.txt", 30, "", 1, QUOTA))
    await database.write(files.begin("two", people["bob"].id, "b.txt", 12, "", 1, QUOTA))
    await database.write(accounts.seen(people["alice"].id, 7))
    await database.write(accounts.delete(people["dora"].id, 5))
    page = await database.read(admin.account_page("", "", 2))
    assert [(row.login, row.seen_at, row.file_bytes) for row in page] == [("alice", 7, 0), ("bob", 0, 42)]
    assert [row.login for row in await database.read(admin.account_page("", "bob", 2))] == ["carol"]


@plays
async def test_a_query_is_part_of_a_login_and_no_pattern(world: World) -> None:
    for login in ("al_x", "alex", "al%x", "al!x"):
        await world.account(login)

    async def found(query: str) -> list[str]:
        return [row.login for row in await world.database.read(admin.account_page(query, "", 10))]

    assert await found("le") == ["alex"]
    assert [await found(sign) for sign in "_%!"] == [["al_x"], ["al%x"], ["al!x"]]
    assert await found("nobody\0") == []


@plays
async def test_the_last_administrator_stays_one(world: World) -> None:
    database = world.database
    alice, bob = await world.account("alice"), await world.account("bob")
    assert await database.write(admin.change(alice.id, admin=True)) == (False, True)
    for change in ({"disabled": True}, {"admin": False}):
        with pytest.raises(LastAdmin):
            await database.write(admin.change(alice.id, **change))
    assert await database.write(admin.change(bob.id, admin=True)) == (False, True)
    assert await database.write(admin.change(bob.id, disabled=True)) == (True, True)
    with pytest.raises(LastAdmin):  # who is disabled cannot administer
        await database.write(admin.change(alice.id, admin=False))
    assert await database.write(admin.change(bob.id, disabled=False)) == (False, True)
    assert await database.write(admin.change(alice.id, disabled=True, admin=False)) == (True, False)
    account = await database.find(accounts.find("alice"))
    assert account is not None
    assert (account.is_disabled, account.is_admin) == (True, False)
    await database.write(accounts.delete(alice.id, 5))
    with pytest.raises(LookupError):
        await database.write(admin.change(alice.id, disabled=False))


@plays
async def test_a_reset_code_sets_one_new_password_in_time(world: World) -> None:
    """Rows: X03 (partly)."""
    database = world.database
    alice = await world.account("alice")
    for code, expires_at in ((b"first", 100), (b"second", 50)):
        await database.write(admin.allow_reset(alice.id, code, expires_at))
    assert await database.find(admin.resettable(b"first", 2)) is None
    assert await database.find(admin.resettable(b"second", 50)) is None
    assert await database.find(admin.resettable(b"second", 49)) == "alice"
    keys = b"new salt", 5000, b"new stored", b"new server"
    with pytest.raises(BadInvite):
        await database.write(admin.reset(b"second", *keys, now=50))
    account = await database.find(accounts.get(alice.id))
    assert account is not None
    assert account.stored_key == b"stored"
    assert await database.write(admin.reset(b"second", *keys, now=49)) == alice.id
    account = await database.find(accounts.get(alice.id))
    assert account is not None
    assert (account[2:6], account.generation) == (keys, 1)
    with pytest.raises(BadInvite):
        await database.write(admin.reset(b"second", *keys, now=49))


@plays
async def test_a_deleted_account_cannot_be_reset(world: World) -> None:
    alice = await world.account("alice")
    await world.database.write(admin.allow_reset(alice.id, b"code", 100))
    await world.database.write(accounts.delete(alice.id, 5))
    assert await world.database.find(admin.resettable(b"code", 6)) is None


@plays
async def test_invites_are_listed_while_they_let_somebody_in(world: World) -> None:
    """Rows: B134 (partly)."""
    database = world.database
    alice = await world.account("alice")
    setup = await database.write(invites.create(b"setup", True, 1, 1, None))
    await database.write(invites.create(b"used up", False, 0, 1, None))
    await database.write(invites.create(b"late", False, 1, 1, 10))
    forever = await database.write(invites.create(b"forever", False, 3, 2, None))
    hers = await database.write(invites.create(b"hers", False, 1, 3, 11, inviter_id=alice.id))
    listed = [(hers, 1, 3, 11, "alice"), (forever, 3, 2, None, None)]
    assert [tuple(row) for row in await database.read(admin.usable_invites(10))] == listed
    assert not await database.write(admin.revoke_invite(setup))
    assert await database.write(admin.revoke_invite(hers))
    assert not await database.write(admin.revoke_invite(hers))
    assert [row.id for row in await database.read(admin.usable_invites(10))] == [forever]


@plays
async def test_sizes_are_known(world: World) -> None:
    database = world.database
    alice = await world.account("alice")
    assert await database.read(admin.file_bytes()) == 0
    for id in ("one", "two"):
        await database.write(files.begin(id, alice.id, "a.txt", 30, "", 1, QUOTA))
        await database.write(files.complete(id, "5e" * 32, "text/plain", "", 1))
    assert await database.read(admin.file_bytes()) == 30
    is_postgres = "Postgres" in type(database).__name__
    assert await database.read(admin.database_bytes(is_postgres=is_postgres)) > 50_000
