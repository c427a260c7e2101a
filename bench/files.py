"""Files up and down, beside what a plain aiohttp server reaches with the same bytes on the same machine.

`count` is the size in MB (1,024 unless --count says more or less).  The plain server writes what comes to a file and
sends it back by FileResponse; it hashes nothing and asks nobody.  Like Veche, `plain aiohttp` answers when the file is
on the disk; `plain aiohttp, cached` when it is in the system's cache.  All speak TLS 1.3 on uvloop, may use every core,
and take turns.  `MB_s` is of the whole request, its answer included, and the best of its rounds; `rss_mb` is how much
the server's memory grew at most meanwhile; `ratio` is to `plain aiohttp`.  TMPDIR says on which disk: in memory
(/dev/shm) what is compared is the work of the processors.  What was sent is removed after each round: memory that a
virtual machine has never used before costs the system more than everything that is measured here.

    python -m bench.files PORT FOLDER       the plain server
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil
import uvloop

from . import machine
from .peers.base import Setup
from .peers.veche import Veche, serve_command
from .plan import Plan
from .scenarios import Figures

SIZE_MB = 1024
ROUNDS = 3
CHUNK = 256 * 1024
WAYS = ("up", "down")


def measure(plan: Plan) -> Iterator[Figures]:
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield from uvloop.run(beside_each_other(plan, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Subject(NamedTuple):
    """A server, and how to get the addresses of one file."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    begin: Callable[[int], Awaitable[tuple[str, str]]]
    """size -> an id and the url to PUT to"""
    find: Callable[[str], Awaitable[str]]
    """id -> the url to GET"""
    files: Path


async def beside_each_other(plan: Plan, folder: Path) -> list[Figures]:
    size = (plan.count or SIZE_MB) * 1_000_000
    peer = Veche(Setup(folder, True, "sqlite", {}, Plan("login", members=1)))
    plain_port = machine.free_port()
    (folder / "plain" / "files").mkdir(parents=True)
    certificate = machine.make_certificate(folder / "plain")
    servers = [
        start(serve_command(folder / "data", peer.port), peer.log),
        start([sys.executable, "-m", "bench.files", str(plain_port), str(folder / "plain")], folder / "plain.log"),
    ]
    assert certificate.both.exists()
    try:
        await machine.wait_for_line(b"ready", servers[0], peer.log)
        await machine.wait_for_line(b"ready", servers[1], folder / "plain.log")
        await peer._register(["u0"])  # pyright: ignore[reportPrivateUsage]
        link = await peer.connect("u0")

        async def begin(size: int) -> tuple[str, str]:
            link.write(msgspec.json.encode({"type": "FILE-UPLOAD", "name": "bench", "bytes": size}) + b"\r\n")
            answer = msgspec.json.decode(await link.expect(b"\n"))
            return answer["id"], answer["url"]

        async def find(id: str) -> str:
            link.write(msgspec.json.encode({"type": "FILE-DOWNLOAD", "id": id}) + b"\r\n")
            return msgspec.json.decode(await link.expect(b"\n"))["url"]

        async def same(url: str) -> str:
            return url

        def plain(name: str, path: str) -> Subject:
            async def url(size: int) -> tuple[str, str]:
                return path, path

            return Subject(name, plain_port, servers[1], url, same, folder / "plain" / "files")

        subjects = [
            Subject("veche", peer.port, servers[0], begin, find, folder / "data" / "files"),
            plain("plain aiohttp", "/durable"),
            plain("plain aiohttp, cached", "/cached"),
        ]
        with machine.measuring():
            return await take_turns(subjects, size)
    finally:
        for server in servers:
            machine.stop(server)


async def take_turns(subjects: list[Subject], size: int) -> list[Figures]:
    rates: dict[tuple[str, str], list[float]] = {(one.name, way): [] for one in subjects for way in WAYS}
    grown: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        for one in subjects:
            id, url = await one.begin(size)
            for way in WAYS:
                if way == "down":
                    url = await one.find(id)
                key = one.name, way
                rate, more = await asyncio.to_thread(moved, one, way, url, size)
                rates[key].append(rate)
                grown[key] = max(grown.get(key, 0.0), more)
            for file in one.files.rglob("*"):
                if file.is_file():
                    file.unlink()
    return [
        {
            "work": f"files {way}",
            "server": one.name,
            "mb": size // 1_000_000,
            "MB_s": round(max(rates[one.name, way])),
            "each": [round(rate) for rate in rates[one.name, way]],
            "rss_mb": round(grown[one.name, way]),
            "ratio": round(max(rates[one.name, way]) / max(rates["plain aiohttp", way]), 2),
        }
        for way in WAYS
        for one in subjects
    ]


def moved(one: Subject, way: str, url: str, size: int) -> tuple[float, float]:
    """MB/s of one file, and by how many MB the server's memory grew."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    server = psutil.Process(one.process.pid)
    before = most = server.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.05):
            most = max(most, server.memory_info().rss)

    watcher = threading.Thread(target=watch)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", one.port)), server_hostname="localhost") as raw:
        watcher.start()
        started = time.perf_counter()
        try:
            (send if way == "up" else receive)(raw, url, size)
        finally:
            taken = time.perf_counter() - started
            done.set()
            watcher.join()
    return size / 1e6 / taken, (most - before) / 1e6


def send(raw: ssl.SSLSocket, url: str, size: int) -> None:
    raw.sendall(f"PUT {url} HTTP/1.1\r\nHost: x\r\nUpload-Offset: 0\r\nContent-Length: {size}\r\n\r\n".encode())
    chunk = os.urandom(CHUNK)
    for _ in range(size // CHUNK):
        raw.sendall(chunk)
    raw.sendall(chunk[: size % CHUNK])
    answer = raw.recv(4096)
    if b" 200 " not in answer[:20]:
        raise RuntimeError(f"refused: {answer!r}")


def receive(raw: ssl.SSLSocket, url: str, size: int) -> None:
    raw.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    buffer = bytearray(CHUNK)
    got = 0
    while length := raw.recv_into(buffer):
        got += length
    if got < size:
        raise RuntimeError(f"only {got} of {size} bytes came")


def start(command: list[str | Path], log: Path) -> subprocess.Popen[bytes]:
    """Start a server that may use every core, unlike this process."""

    def on_all_cores() -> None:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))

    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, preexec_fn=on_all_cores
        )


# -- the plain server


async def serve(port: int, folder: Path) -> None:
    from aiohttp import web

    async def put(request: web.Request) -> web.Response:
        with (folder / "files" / "file").open("wb") as file:
            async for chunk in request.content.iter_any():
                file.write(chunk)
            if request.path == "/durable":
                file.flush()
                os.fsync(file.fileno())
        return web.Response()

    async def get(request: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / "files" / "file")

    application = web.Application()
    for path in ("/durable", "/cached"):
        application.router.add_put(path, put)
        application.router.add_get(path, get)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
