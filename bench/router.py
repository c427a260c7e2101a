"""The limit: the least that a durable server of messages in Python can do.

It routes JSON lines by their `to`, with no accounts, no rights and no rooms.  With `--persist full` a message is
committed (SQLite, WAL, synchronous=FULL) before anybody is told of it; what arrives during a commit goes into the next.
What Veche does beyond this is what the ratio of the two figures costs.

    << {"t":"login","u":"a1"}                  >> {"t":"ok"}
    << {"t":"m","to":"b1","id":7,"body":"..."} >> (to b1) {"t":"m","to":"b1","from":"a1","id":7,"body":"..."}
                                               >> {"t":"a","upto":3}: three of this link are stored, or
                                                  {"t":"a","id":7} for each (--ack each)
    << {"t":"replay"}                          >> all that was ever stored for this user
    << {"t":"j","to":"room"}                   >> {"t":"ok"}: this link is in the room
    << {"t":"r","to":"room","body":"..."}      >> (to all others in it) {"t":"r","to":"room","from":"a1","body":"..."}
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import queue
import signal
import socket
import sqlite3
import ssl
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiofastnet
import msgspec
import uvloop

PAGE = 1000
"""Messages of a replay that are read at once."""


class Line(msgspec.Struct, omit_defaults=True, gc=False):
    t: str
    to: str = ""
    from_: str = msgspec.field(default="", name="from")
    id: int = 0
    body: str = ""
    u: str = ""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Line).decode


class Router:
    def __init__(self, store: Store | None) -> None:
        self.users: dict[str, Link] = {}
        self.rooms: dict[str, list[Link]] = {}
        self.store = store
        self._loop = asyncio.get_running_loop()
        self._dirty: list[Link] = []

    def will_write(self, link: Link) -> None:
        """All that is put to links during a tick of the loop is written at its end, once for each link."""
        if not self._dirty:
            self._loop.call_soon(self._flush)
        self._dirty.append(link)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for link in dirty:
            link.flush()

    def route(self, source: Link, line: Line) -> None:
        if self.store is not None:
            self.store.append(source, line)
        else:
            self.deliver(source, line)

    def deliver(self, source: Link, line: Line) -> None:
        if line.t == "r":
            line.from_ = source.user
            same = encode(line) + b"\n"
            for link in self.rooms[line.to]:
                if link is not source:
                    link.put(same)
            return
        target = self.users.get(line.to)
        if target is not None:
            line.from_ = source.user
            target.put(encode(line) + b"\n")


class Link(asyncio.Protocol):
    def __init__(self, router: Router) -> None:
        self.user = ""
        self.stored = 0
        self._router = router
        self._out: list[bytes] = []
        self._tail = b""
        self._transport: Any = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._replay: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._router.users.get(self.user) is self:
            del self._router.users[self.user]
        if self._replay is not None:
            self._replay.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        if self._tail:
            data = self._tail + data
        lines = data.split(b"\n")
        self._tail = lines.pop()
        router = self._router
        for line in lines:
            read = decode(line)
            if read.t in ("m", "r"):
                router.route(self, read)
            else:
                self._control(read)

    def _control(self, line: Line) -> None:
        if line.t == "login":
            self.user = line.u
            self._router.users[line.u] = self
            self.put(b'{"t":"ok"}\n')
        elif line.t == "j":
            self._router.rooms.setdefault(line.to, []).append(self)
            self.put(b'{"t":"ok"}\n')
        elif line.t == "replay" and self._router.store is not None:
            self._replay = asyncio.create_task(self._send_stored(self._router.store))

    async def _send_stored(self, store: Store) -> None:
        after = 0
        while True:
            rows = await asyncio.to_thread(store.page, self.user, after)
            for number, source, id, body in rows:
                self.put(encode(Line(t="m", to=self.user, from_=source, id=id, body=body)) + b"\n")
                after = number
            if len(rows) < PAGE:
                return
            await asyncio.sleep(0)
            await self._writable.wait()

    def put(self, line: bytes) -> None:
        if not self._out:
            self._router.will_write(self)
        self._out.append(line)

    def flush(self) -> None:
        out, self._out = self._out, []
        self._transport.write(b"".join(out))


Batch = list[tuple[Link, Line]]


class Store:
    """Group commit in a thread of its own."""

    router: Router

    def __init__(self, path: str, synchronous: str, ack: str) -> None:
        self._path, self._synchronous, self._ack_each = path, synchronous, ack == "each"
        self._loop = asyncio.get_running_loop()
        self._waiting: Batch = []
        self._busy = False
        self._work: queue.SimpleQueue[tuple[Batch, bytes]] = queue.SimpleQueue()
        self._readers = threading.local()
        with sqlite3.connect(path) as database:
            database.execute("pragma journal_mode = wal")
            database.execute(
                "create table message(n integer primary key, source text, target text, id integer, body text, at real)"
            )
            database.execute("create index message_target on message(target, n)")
        threading.Thread(target=self._write, daemon=True).start()

    def append(self, source: Link, line: Line) -> None:
        self._waiting.append((source, line))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        batch, self._waiting = self._waiting, []
        self._work.put((batch, encode([(s.user, m.to, m.id, m.body) for s, m in batch])))

    def _write(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None)
        database.execute(f"pragma synchronous = {self._synchronous}")
        while True:
            batch, rows = self._work.get()
            database.execute("begin immediate")
            database.execute(
                "insert into message(source, target, id, body, at)"
                " select value->>0, value->>1, value->>2, value->>3, ?2 from json_each(?1)",
                (rows.decode(), time.time()),
            )
            database.execute("commit")
            self._loop.call_soon_threadsafe(self._stored, batch)

    def _stored(self, batch: Batch) -> None:
        if self._waiting:
            self._hand_over()
        else:
            self._busy = False
        deliver = self.router.deliver
        for source, line in batch:
            deliver(source, line)
            if self._ack_each:
                source.put(b'{"t":"a","id":%d}\n' % line.id)
        if not self._ack_each:
            for source, count in Counter(source for source, _ in batch).items():
                source.stored += count
                source.put(b'{"t":"a","upto":%d}\n' % source.stored)

    def page(self, user: str, after: int) -> list[tuple[int, str, int, str]]:
        reader = getattr(self._readers, "database", None)
        if reader is None:
            reader = self._readers.database = sqlite3.connect(self._path)
        return reader.execute(
            "select n, source, id, body from message where target = ? and n > ? order by n limit ?",
            (user, after, PAGE),
        ).fetchall()


async def serve(args: argparse.Namespace) -> None:
    store = Store(args.path, args.persist, args.ack) if args.persist != "off" else None
    router = Router(store)
    if store is not None:
        store.router = router
    context = None
    if args.certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(args.certificate, args.key)
    listening = socket.create_server(("127.0.0.1", args.port), backlog=1024)
    # inherited by what it accepts; neither asyncio nor aiofastnet sets it for a socket made with proto 0
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    loop = asyncio.get_running_loop()
    if args.net == "fast":
        await aiofastnet.create_server(loop, lambda: Link(router), sock=listening, ssl=context)
    else:
        await loop.create_server(lambda: Link(router), sock=listening, ssl=context)
    print("ready", flush=True)
    await asyncio.Event().wait()


def _leave(number: int, frame: object) -> None:
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description="the limit that Veche is measured against")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, help="speak TLS")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--loop", default="uvloop", choices=["uvloop", "asyncio"])
    parser.add_argument("--net", default="fast", choices=["fast", "std"], help="fast: transports of aiofastnet")
    parser.add_argument("--persist", default="full", choices=["off", "normal", "full"], help="pragma synchronous")
    parser.add_argument("--path", default=":memory:", help="the database")
    parser.add_argument("--ack", default="range", choices=["range", "each"])
    args = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    signal.signal(signal.SIGTERM, _leave)
    if args.loop == "uvloop":
        uvloop.run(serve(args))
    else:
        asyncio.run(serve(args))


if __name__ == "__main__":
    main()
