"""Files in both databases, and their bytes on a disk."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.storage import Person, World, plays
from veche.packets.files import FileInfo
from veche.storage import accounts, blobs, conversations, files, messages
from veche.storage.blobs import DiskBlobs, DiskPart
from veche.storage.database import Entry, Kind, StorageError
from veche.storage.files import Quota, TooMany, UnknownFile

MUCH = Quota(parts=20, account_bytes=10_000, total_bytes=100_000)
HASHES = [hashlib.sha256(bytes([n])).hexdigest() for n in range(9)]


async def begun(world: World, who: Person, id: str, size: int = 100, sha256: str = "", now: int = 5) -> files.File:
    return await world.database.write(files.begin(id, who.id, f"{id}.png", size, sha256, now, MUCH))


async def kept(world: World, who: Person, id: str, content: int = 0, size: int = 100, now: int = 5) -> FileInfo:
    """A whole file; those of the same content number are the same."""
    await begun(world, who, id, size, now=now)
    file = await world.database.write(files.complete(id, HASHES[content], "image/png", "", now))
    return file.info()


async def sent(world: World, entry: Entry, *ids: str) -> int:
    stored, _ = await world.database.write(files.attach(entry, ids))
    return stored.id


def caption(who: Person, talk: int, *, at: int = 6, cookie: str | None = None, hidden: int = 0) -> Entry:
    return who.says(talk, "", at=at, cookie=cookie, hidden=hidden)


async def sees(world: World, who: Person, id: str) -> bool:
    return await world.database.find(files.visible(id, who.id)) is not None


@plays
async def test_a_file_is_told_with_its_message_wherever_that_is_read(world: World) -> None:
    """Rows: M48 (partly), X18 (partly)."""
    alice, bob, talk = await world.pair()
    first, second = await kept(world, alice, "one", 1), await kept(world, alice, "two", 2)
    await world.database.write(files.seen("two", HASHES[2], 40, 30))
    told = [
        FileInfo(id="two", name="two.png", type="image/png", bytes=100, sha256=HASHES[2], width=40, height=30,
                 preview=True),
        first,
    ]  # fmt: skip
    entry = alice.says(talk, "two pictures")
    stored, infos = await world.database.write(files.attach(entry, ["two", "one", "two"]))
    assert (stored.seq, infos) == (1, told)
    assert second.width is None
    for viewer in (alice, bob):
        page = await world.database.read(messages.history(talk, viewer.id, None, None, 9))
        owed = await world.database.read(messages.owed(viewer.id, 0, 9))
        assert await world.database.index_now()
        found = await world.database.read(messages.search(talk, viewer.id, "pictures", None, 9))
        for row in (page.rows[0], owed[0], found.rows[0]):
            assert files.infos(row.files) == told
    plain = (await world.append(alice.says(talk, "no picture")))[0]
    row = await world.database.find(messages.get(plain.id, bob.id))
    assert row is not None
    assert files.infos(row.files) == []


@plays
async def test_only_whole_files_of_the_author_go_into_a_message(world: World) -> None:
    alice, bob, talk = await world.pair()
    await begun(world, alice, "part")
    await kept(world, bob, "his")
    for ids in (["part"], ["his"], ["nothing"], ["part", "his"]):
        with pytest.raises(UnknownFile):
            await world.database.write(files.attach(caption(alice, talk), ids))
    (stored,) = await world.append(alice.says(talk, "next"))
    assert stored.seq == 1


@plays
async def test_a_repeated_message_is_answered_as_it_was_even_when_its_files_are_gone(world: World) -> None:
    """Rows: M19 (partly)."""
    alice, _, talk = await world.pair()
    info = await kept(world, alice, "one")
    first = await world.database.write(files.attach(caption(alice, talk, cookie="c"), ["one"]))
    again = await world.database.write(files.attach(caption(alice, talk, cookie="c"), ["one"]))
    assert await world.database.write(files.remove(["one"], 99)) == 1
    late = await world.database.write(files.attach(caption(alice, talk, cookie="c"), ["one"]))
    assert first == (first[0], [info])
    assert again == late == (first[0]._replace(repeat=True), [info])


@plays
async def test_a_file_may_be_fetched_by_its_sender_and_by_who_sees_its_message(world: World) -> None:
    """Rows: M48 (partly)."""
    alice, bob, talk = await world.pair()
    eve = await world.account("eve")
    apart = await world.database.write(conversations.open_direct(alice.id, eve.id, 1))
    await begun(world, alice, "part")
    for id in ("unsent", "shown", "hidden", "hers"):
        await kept(world, alice, id)
    await sent(world, caption(alice, talk), "shown")
    await sent(world, caption(alice, talk, hidden=1), "hidden")
    await sent(world, caption(alice, apart), "hers")
    for who, ids in ((alice, {"unsent", "shown", "hidden", "hers"}), (bob, {"shown"}), (eve, {"hers"})):
        everything = ("part", "unsent", "shown", "hidden", "hers", "nothing")
        assert {id for id in everything if await sees(world, who, id)} == ids


@plays
async def test_a_file_goes_with_the_last_message_that_holds_it(world: World) -> None:
    """And a content with the last file that has it.  Rows: M22 (partly), M48 (partly)."""
    alice, bob, talk = await world.pair()
    await kept(world, alice, "one", 1)
    await kept(world, bob, "same", 1)
    first, second = [await sent(world, caption(alice, talk), "one") for _ in range(2)]
    await world.database.write(messages.retract(alice.does(Kind.RETRACT, talk, first), 7))
    assert await sees(world, bob, "one")
    page = await world.database.read(messages.history(talk, bob.id, None, None, 9))
    assert [files.infos(row.files) != [] for row in page.rows] == [False, True]
    await world.database.write(messages.retract(alice.does(Kind.RETRACT, talk, second), 7))
    assert not await sees(world, alice, "one")
    assert not await world.database.write(files.bury(HASHES[1]))
    assert await world.database.write(files.remove(["same"], 99)) == 1
    assert await world.database.read(files.unused()) == [HASHES[1]]
    assert await world.database.write(files.bury(HASHES[1]))
    assert await world.database.read(files.named()) == (set(), set())


@plays
async def test_a_deleted_account_takes_its_files_with_it(world: World) -> None:
    """Rows: M25 (partly)."""
    alice, bob, talk = await world.pair()
    await kept(world, alice, "one", 1)
    await kept(world, bob, "his", 2)
    await begun(world, alice, "part")
    await sent(world, caption(alice, talk), "one")
    await sent(world, caption(bob, talk), "his")
    await world.database.write(accounts.delete(alice.id, 7))
    assert not await sees(world, bob, "one")
    assert await sees(world, bob, "his")
    assert await world.database.read(files.unused()) == [HASHES[1]]
    assert (await world.database.read(files.named()))[0] == set()
    page = await world.database.read(messages.history(talk, bob.id, None, None, 9))
    assert [files.infos(row.files) != [] for row in page.rows] == [False, True]


@plays
async def test_an_account_has_so_many_uploads_and_bytes_and_all_together_so_many(world: World) -> None:
    """Rows: M48 (partly)."""
    alice, bob = await world.account("alice"), await world.account("bob")

    async def begin(who: Person, id: str, size: int) -> None:
        await world.database.write(files.begin(id, who.id, "x", size, "", 5, Quota(3, 1000, 1500)))

    await begin(alice, "one", 500)
    await world.database.write(files.complete("one", HASHES[1], "image/png", "", 5))
    await begin(alice, "two", 300)
    with pytest.raises(TooMany) as refused:
        await begin(alice, "too large for her", 201)
    assert refused.value.by_bytes
    with pytest.raises(files.Full):
        await begin(bob, "too large for all", 701)
    await begin(bob, "his", 500)  # what has the same content counts once
    await world.database.write(files.complete("his", HASHES[1], "image/png", "", 5))
    await begin(bob, "his second", 400)
    await begin(alice, "three", 100)
    await begin(alice, "four", 0)
    with pytest.raises(TooMany) as refused:
        await begin(alice, "one too many", 0)
    assert not refused.value.by_bytes
    await world.database.write(files.drop_part("three"))
    await begin(alice, "five", 100)


@plays
async def test_an_upload_is_found_again_by_id_or_by_size_and_hash(world: World) -> None:
    """Rows: X18 (partly)."""
    alice, bob = await world.account("alice"), await world.account("bob")
    first = await begun(world, alice, "one", 100, HASHES[1])
    assert await begun(world, alice, "other", 100, HASHES[1]) == first
    assert (await begun(world, bob, "his", 100, HASHES[1])).id == "his"
    assert (await begun(world, alice, "longer", 101, HASHES[1])).id == "longer"
    assert (await begun(world, alice, "without", 100)).id == "without"
    assert (await begun(world, alice, "without too", 100)).id == "without too"
    assert await world.database.write(files.go_on("one", alice.id, 9)) == first
    for id, who in (("one", bob), ("nothing", alice)):
        with pytest.raises(UnknownFile):
            await world.database.write(files.go_on(id, who.id, 9))
    whole = await world.database.write(files.complete("one", HASHES[1], "image/png", "", 9))
    assert await world.database.write(files.go_on("one", alice.id, 10)) == whole
    with pytest.raises(UnknownFile):
        await world.database.write(files.complete("one", HASHES[1], "image/png", "", 9))
    assert (await begun(world, alice, "again", 100, HASHES[1])).id == "again"  # by another name
    await world.database.write(files.drop_part("again"))
    same = await world.database.write(files.begin("more", alice.id, "one.png", 100, HASHES[1], 11, MUCH))
    assert same == whole


@plays
async def test_what_is_too_old_goes_and_what_is_in_use_stays(world: World) -> None:
    """Whole files before 100, idle ones and parts before 200.  Rows: M48 (partly)."""
    alice, bob, talk = await world.pair()
    for id, at in (("ancient", 99), ("old", 150), ("unused", 199), ("fresh", 200)):
        await kept(world, alice, id, now=at)
    await sent(world, caption(alice, talk, at=99), "ancient")
    await sent(world, caption(alice, talk, at=150), "old")
    await begun(world, alice, "idle part", now=150)
    await begun(world, alice, "part", now=150)
    await world.database.write(files.go_on("part", alice.id, 250))
    stale = await world.database.read(files.stale(100, 200))
    assert set(stale) == {"ancient", "unused", "idle part"}
    await sent(world, caption(alice, talk, at=250), "unused")  # meanwhile
    assert await world.database.write(files.remove(stale, 200)) == 2
    assert await sees(world, bob, "unused")
    assert await sees(world, bob, "old")
    assert not await sees(world, bob, "ancient")
    page = await world.database.read(messages.history(talk, bob.id, None, None, 9))
    assert [file.id for row in page.rows for file in files.infos(row.files)] == ["ancient", "old", "unused"]


@plays
async def test_what_is_too_much_goes_the_oldest_first(world: World) -> None:
    """Rows: M48 (partly)."""
    alice = await world.account("alice")
    for n, id in enumerate(("one", "two", "three", "four")):
        await kept(world, alice, id, n, size=100, now=10 + n)
    assert await world.database.read(files.surplus(400)) == []
    assert await world.database.read(files.surplus(250)) == ["one", "two"]
    assert await world.database.read(files.surplus(0)) == ["one", "two", "three", "four"]


# -- bytes on a disk


def on_disk(scenario: Callable[[DiskBlobs, Path], Awaitable[None]]) -> Callable[[Path], None]:
    def test(tmp_path: Path) -> None:
        async def body() -> None:
            directory = tmp_path / "files"
            store = DiskBlobs(directory)
            try:
                await scenario(store, directory)
            finally:
                await store.close()

        asyncio.run(body(), debug=True)

    test.__name__ = scenario.__name__
    test.__doc__ = scenario.__doc__
    return test


async def filled(store: DiskBlobs, id: str, data: bytes) -> str:
    part = await store.part(id)
    await write(part, data)
    return await part.finish()


async def write(part: DiskPart, *pieces: bytes) -> None:
    for piece in pieces:
        part.add(piece)
    await part.write()


async def read(store: DiskBlobs, sha256: str, *, preview: bool = False) -> bytes | None:
    reader = await store.read(sha256, preview=preview)
    if reader is None:
        return None
    try:
        return await reader.read(0, reader.size)
    finally:
        await reader.close()


def modes(path: Path) -> set[str]:
    return {oct(found.stat().st_mode & 0o777) for found in path.rglob("*")}


@on_disk
async def test_a_part_is_gone_on_with_and_becomes_a_file_named_by_its_hash(store: DiskBlobs, path: Path) -> None:
    """Rows: X18 (partly)."""
    data = os.urandom(300_000)
    sha256 = hashlib.sha256(data).hexdigest()
    part = await store.part("a")
    await write(part, data[:1000], data[1000:5000])
    await part.close()
    assert await store.part_size("a") == 5000
    later = DiskBlobs(path)  # a program that knows only what lies there
    part = await later.part("a")
    assert part.size == 5000
    await write(part, data[5000:9000])
    await part.close()
    await later.close()
    part = await store.part("a")  # this one remembers a hash that is too old
    assert part.size == 9000
    await write(part, data[9000:])
    assert await part.finish() == sha256
    await store.keep("a", sha256)
    assert await store.part_size("a") == 0
    assert await read(store, sha256) == data
    assert (path / sha256[:2] / sha256).read_bytes() == data
    if os.name == "posix":
        assert modes(path) == {"0o600", "0o700"}


@on_disk
async def test_what_is_open_when_the_store_closes_can_still_be_closed(store: DiskBlobs, path: Path) -> None:
    """The server ends while somebody uploads and somebody downloads."""
    sha256 = await filled(store, "a", b"whole")
    await store.keep("a", sha256)
    part, reader = await store.part("b"), await store.read(sha256)
    assert reader is not None
    await write(part, b"part")
    await store.close()
    await part.close()
    await reader.close()
    assert (path / "parts" / "b").read_bytes() == b"part"


@on_disk
async def test_the_same_content_is_kept_once_and_goes_with_its_preview(store: DiskBlobs, path: Path) -> None:
    sha256 = await filled(store, "a", b"content")
    assert await filled(store, "b", b"content") == sha256
    await store.keep("a", sha256)
    await store.keep("b", sha256)
    await store.keep_preview(sha256, b"small")
    assert await read(store, sha256, preview=True) == b"small"
    assert await store.listed() == (set(), {sha256})
    reader = await store.read(sha256)
    assert reader is not None
    await store.remove(sha256)
    assert await reader.read(3, 100) == b"tent"  # who reads it reads it to its end
    await reader.close()
    assert await read(store, sha256) is None
    assert await read(store, sha256, preview=True) is None
    assert await store.listed() == (set(), set())
    await store.remove(sha256)
    await store.drop_part("b")


@on_disk
async def test_parts_are_read_while_they_grow(store: DiskBlobs, path: Path) -> None:
    part = await store.part("a")
    reader = await store.read_part("a")
    assert await reader.read(0, 10) == b""
    await write(part, b"hello")
    assert await reader.read(0, 10) == b"hello"
    await write(part, b" world")
    assert await reader.read(3, 5) == b"lo wo"
    await reader.close()
    await part.close()


def test_a_full_disk_takes_nothing_of_a_batch_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows: M48 (partly)."""

    room = 1500

    def writev(descriptor: int, pieces: list[bytes]) -> int:
        """On a disk with room for so many bytes, some at a time."""
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = os.write(descriptor, b"".join(pieces)[: min(room, 700)])
        room -= taken
        return taken

    async def scenario() -> None:
        nonlocal room
        store = DiskBlobs(tmp_path)
        part = await store.part("a")
        await write(part, b"x" * 400, b"x" * 600)
        room = 0
        with pytest.raises(StorageError) as refused:
            await write(part, b"y" * 1000)
        assert refused.value.full
        await part.close()
        assert part.size == await store.part_size("a") == 1000
        room = 10_000
        part = await store.part("a")
        await write(part, b"z" * 1000)
        assert await part.finish() == hashlib.sha256(b"x" * 1000 + b"z" * 1000).hexdigest()
        await store.close()

    monkeypatch.setattr(blobs, "SYNC_BYTES", 500)
    monkeypatch.setattr(os, "writev", writev)
    asyncio.run(scenario(), debug=True)


@on_disk
async def test_many_small_pieces_are_written_as_few(store: DiskBlobs, path: Path) -> None:
    part = await store.part("a")
    await write(part, *[b"%d," % n for n in range(5000)])
    await part.write()  # nothing
    sha256 = await part.finish()
    await store.keep("a", sha256)
    assert await read(store, sha256) == b"".join(b"%d," % n for n in range(5000))


@on_disk
async def test_who_is_gone_before_a_write_has_ended_breaks_nothing(store: DiskBlobs, path: Path) -> None:
    part = await store.part("a")
    for _ in range(20):
        part.add(b"x" * 100_000)
        writing = asyncio.ensure_future(part.write())
        await asyncio.sleep(0)
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
    await part.close()
    size = await store.part_size("a")
    part = await store.part("a")
    assert part.size == size == 2_000_000
    assert await part.finish() == hashlib.sha256(b"x" * size).hexdigest()
