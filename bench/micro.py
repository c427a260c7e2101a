"""The parts of a message's path by themselves, in this process: the codecs, and the log of the database."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvloop

from veche.packets import Packet, message, type_name
from veche.packets.codec import Codec, JsonCodec
from veche.packets.text import TextCodec
from veche.storage import accounts, conversations, devices
from veche.storage.database import Entry, Kind, Steps, StorageError, Stored
from veche.storage.sqlite import open_sqlite

from .machine import measuring
from .plan import Plan
from .scenarios import BODY, Figures

ROUNDS, ROUND_S = 7, 0.05
AT = "2026-01-02T03:04:05.678Z"
FROM_CLIENT: tuple[Packet, ...] = (
    message.MessageSend(to="b1", text=BODY),
    message.MessageSend(to="b1", text=BODY, cookie="a1-123456"),
    message.MessageDeliveredUpTo(id=123_456),
)
FROM_SERVER: tuple[Packet, ...] = (
    message.Message(id=123_456, seq=1234, from_="a1@localhost", to="b1@localhost", at=AT, text=BODY),
    message.MessageSent(id=123_456, seq=1234, at=AT),
    message.MessageSent(id=123_456, seq=1234, at=AT, cookie="a1-123456"),
    message.MessageDelivered(id=123_456, peer="a1@localhost", by="b1@localhost"),
)
GROUPS = (1, 32, 400, 1600)
"""Entries that wait for their commit: 400 is `direct` with window 1, 1600 with window 32."""


def measure(plan: Plan) -> Iterator[Figures]:
    with measuring():
        for name, codec in (("json", JsonCodec()), ("text", TextCodec())):
            yield from _codec(name, codec)
        for group in GROUPS:
            yield uvloop.run(_append(group, min(plan.secs, 2.0)))


def _codec(name: str, codec: Codec) -> Iterator[Figures]:
    for packet in FROM_CLIENT:
        line = codec.encode(packet).rstrip(b"\r\n")
        yield _timed(f"{name} decode {_title(packet)}", lambda line=line: codec.decode_client(line))
    for packet in FROM_SERVER:
        yield _timed(f"{name} encode {_title(packet)}", lambda packet=packet: codec.encode(packet))


def _title(packet: Packet) -> str:
    return type_name(packet) + (" with cookie" if getattr(packet, "cookie", None) else "")


def _timed(work: str, call: Callable[[], object]) -> Figures:
    timer = timeit.Timer(call)
    count = max(1000, int(ROUND_S / timer.timeit(1000) * 1000))
    each = statistics.median(timer.repeat(ROUNDS, count)) / count
    return {"work": work, "us": round(each * 1e6, 3), "per_s": round(1 / each)}


async def _append(group: int, secs: float) -> Figures:
    """`Database.append` and its commits, `group` entries under way at every moment."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        database = await open_sqlite(Path(folder) / "veche.db")
        try:
            conversation, author, device = await database.write(_two_people())
            stored = commits = 0
            refill = True

            def append(count: int) -> None:
                now = time.time_ns() // 1000
                for _ in range(count):
                    database.append(Entry(conversation, Kind.TEXT, author, device, now, BODY), None)

            def on_stored(batch: Sequence[tuple[Entry, Any, Stored]]) -> None:
                nonlocal stored, commits
                stored += len(batch)
                commits += 1
                if refill:
                    append(len(batch))

            def on_refused(batch: Sequence[tuple[Entry, Any]], error: StorageError) -> None:
                raise error

            database.on_stored, database.on_refused = on_stored, on_refused
            append(group)
            await asyncio.sleep(0.3)
            before, commits_before, since, cpu = stored, commits, time.perf_counter(), time.process_time()
            await asyncio.sleep(secs)
            done, groups = stored - before, commits - commits_before
            wall, spent = time.perf_counter() - since, time.process_time() - cpu
            refill = False
        finally:
            await database.close()
    return {
        "work": f"append, {group} waiting",
        "per_s": round(done / wall),
        "us": round(spent / max(1, done) * 1e6, 2),
        "commits_s": round(groups / wall),
        "cpu": round(100 * spent / wall),
    }


def _two_people() -> Steps[tuple[int, int, int]]:
    people: list[int] = []
    for login in ("a1", "b1"):
        created = yield from accounts.create(login, b"salt", 4096, b"stored", b"server", now=1)
        people.append(created.id)
    device = yield from devices.create(people[0], "bench", "", 1)
    return (yield from conversations.open_direct(people[0], people[1], 1)), people[0], device.id
