"""Make a database of Veche without a server: many accounts at once, and messages between them.

Run in a process of its own, `python -m bench.fill`, with the order as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from veche.core.contacts import State, in_order
from veche.server.app import take_directory
from veche.storage import accounts, conversations, devices
from veche.storage.database import Entry, Kind, Statement, Steps, StorageError, Stored
from veche.storage.sqlite import SqliteDatabase, open_sqlite

from . import scram
from .peers.veche import DEVICE, ITERATIONS, PASSWORD

WORDS = ("the", "council", "meets", "by", "river", "tonight", "bring", "bread", "and", "news", "from", "north", "gate")
AT_ONCE = 2000
"""Messages that wait for their commit."""


class Order(msgspec.Struct):
    data: str
    users: list[str]
    messages: int
    friends: list[tuple[str, str]] = []
    star: bool = False


def make_accounts(users: Sequence[str], now: int) -> Steps[dict[str, tuple[int, int]]]:
    """The accounts, each with a device; one password and one salt, so that the generator derives one key."""
    salt = os.urandom(16)
    keys = scram.keys("sha256", PASSWORD, salt, ITERATIONS)
    made: dict[str, tuple[int, int]] = {}
    for user in users:
        account = yield from accounts.create(user, salt, ITERATIONS, keys.stored, keys.server, now=now)
        device = yield from devices.create(account.id, DEVICE, "bench", now)
        seen = now - (len(users) - account.id) * 60_123_000
        yield Statement("UPDATE account SET seen_at = $2 WHERE id = $1", (account.id, seen))
        made[user] = account.id, device.id
    return made


def make_friends(friends: Sequence[tuple[str, str]], made: dict[str, tuple[int, int]], now: int) -> Steps[None]:
    """The friendships, as `storage.contacts` would have written them."""
    for pair in friends:
        first, second = (made[login][0] for login in in_order(*pair))
        yield Statement(
            "INSERT INTO relation (first_id, second_id, state, asker_id, is_ignored, at, refused_at) "
            f"VALUES ($1, $2, {int(State.FRIENDS)}, 0, 0, $3, 0)",
            (first, second, now),
        )


async def write_messages(database: SqliteDatabase, made: dict[str, tuple[int, int]], count: int, is_star: bool) -> None:
    """Each pair of neighbours (or the first with each other one) talks, in turn; about 100 characters each."""
    talks: list[tuple[int, tuple[int, int]]] = []
    users = list(made.values())
    pairs = zip(itertools.repeat(users[0]), users[1:]) if is_star else zip(users[::2], users[1::2], strict=False)
    for one, other in pairs:
        opened = await database.write(conversations.open_direct(one[0], other[0], time.time_ns() // 1000))
        talks += [(opened, one), (opened, other)]
    chance = random.Random(1)
    stored = asyncio.Semaphore(AT_ONCE)
    failed: list[StorageError] = []

    def on_stored(batch: Sequence[tuple[Entry, Any, Stored]]) -> None:
        for _ in batch:
            stored.release()

    def on_refused(batch: Sequence[tuple[Entry, Any]], error: StorageError) -> None:
        failed.append(error)
        for _ in batch:
            stored.release()

    database.on_stored, database.on_refused = on_stored, on_refused
    for number in range(count):
        await stored.acquire()
        conversation, (account, device) = talks[number % len(talks)]
        text = " ".join(chance.choices(WORDS, k=19))
        database.append(Entry(conversation, Kind.TEXT, account, device, time.time_ns() // 1000, text), None)
    for _ in range(AT_ONCE):
        await stored.acquire()
    if failed:
        raise failed[0]
    await database.index_now(60)


async def carry_out(order: Order) -> None:
    data = Path(order.data)
    with contextlib.closing(take_directory(data)):
        database = await open_sqlite(data / "veche.db")
        try:
            made = await database.write(make_accounts(order.users, time.time_ns() // 1000))
            await database.write(make_friends(order.friends, made, time.time_ns() // 1000))
            if order.messages:
                await write_messages(database, made, order.messages, order.star)
        finally:
            await database.close()


if __name__ == "__main__":
    asyncio.run(carry_out(msgspec.json.decode(sys.stdin.buffer.read(), type=Order)))
