"""The bytes of files, to the server and from it: by HTTPS, beside the link, to the server that the link has proved.

    info = await upload(client, Path("harbour.jpg"), progress=show)
    await client.request(MessageSend(to="bob", files=[info.id]))
    await download(client, info, Path("harbour.jpg"))

What breaks off is gone on with, also in another run: the server knows an upload by its SHA-256, a download lies beside
its target until it is whole.  Both ends check the SHA-256.  A certificate other than that of the link gets no byte.

The work is done in a thread, and ends soon after who awaits it is cancelled.

Source: rows M48-M58, X18; docs/protocol.md, "Files".
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import http.client
import io
import os
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from veche.core.files import clean_name
from veche.net.dial import CertificateChanged
from veche.net.tls import ALPN_HTTP, fingerprint
from veche.packets import ErrorCode, Packet
from veche.packets.files import (
    FileDownload,
    FileDownloadOk,
    FileInfo,
    FileUpload,
    FileUploadOk,
    SendFileProxyOk,
    SendFileProxyReady,
)

from .errors import LinkLost, RequestFailed

T = TypeVar("T")

CHUNK_BYTES = 256 * 1024
TIMEOUT_S = 60.0
TRIES = 6
"""So often in a row a transfer may break without a byte more; then it fails."""
FIRST_PAUSE_S = 0.5
TELL_S = 0.1
"""Progress is told at most so often."""
AGAIN = frozenset({ErrorCode.UNKNOWN_ID, ErrorCode.BAD_REQUEST, ErrorCode.TRY_AGAIN_LATER})
"""Refusals of a url after which another one may do: it was too old, or the offset was another."""


class Server(Protocol):
    """What is needed of a `Client`."""

    host: str
    port: int
    fingerprint: str | None

    async def request(self, packet: Packet) -> Any: ...


class Progress(NamedTuple):
    """How a transfer fares."""

    done: int
    """Bytes, those of earlier runs too."""
    total: int
    speed: float
    """Bytes a second, since it was begun or gone on with."""
    left_s: float | None
    """None: nobody knows."""
    trouble: str = ""
    """Why it rests; it goes on by itself."""


Tell = Callable[[Progress], None]
Source = Path | bytes


class Broken(Exception):
    """The connection, not the request.  Its message is a sentence."""


# -- what a program asks for


async def upload(client: Server, source: Source, *, name: str | None = None, progress: Tell | None = None) -> FileInfo:
    """Send a file to be kept, and return what the server says of it; then it can go into messages.

    Raises RequestFailed (too-large, too-many, storage-full ...), LinkLost after too many broken connections, OSError
    when the file cannot be read.
    """
    size, sha256 = await measure(source)
    shown = name or (source.name if isinstance(source, Path) else "file")
    asked = FileUpload(name=shown, bytes=size, sha256=sha256)
    done: list[FileInfo] = []

    async def once(attempt: Attempt) -> int:
        ok: FileUploadOk = await client.request(asked)
        told = ok.file
        if told is None:
            answer = await attempt.put(ok.url, source, ok.offset, size)
            told = msgspec.convert(answer["file"], FileInfo)
        if told.sha256 != sha256:
            raise RequestFailed(ErrorCode.WRONG_HASH)
        done.append(told)
        return size

    await persistently(client, size, progress, once)
    return done[0]


async def download(client: Server, file: FileInfo | str, target: Path, *, progress: Tell | None = None) -> FileInfo:
    """Fetch a file, given by its id too, into `target`, which is replaced once it is there whole and as it should be.

    Raises RequestFailed (unknown-id, wrong-hash), LinkLost after too many broken connections, OSError when it cannot be
    written.
    """
    id = file if isinstance(file, str) else file.id
    ok: FileDownloadOk = await client.request(FileDownload(id=id))
    part = beside(target, id)
    urls = [ok.url]

    async def once(attempt: Attempt) -> int:
        url = urls.pop() if urls else (await client.request(FileDownload(id=id))).url
        return await attempt.get(url, part, ok.file.bytes)

    await persistently(client, ok.file.bytes, progress, once)
    await asyncio.to_thread(finish, part, target, ok.file.sha256)
    return ok.file


async def preview(client: Server, file: FileInfo | str) -> bytes:
    """Fetch the small picture of a file: a WebP.  Raises RequestFailed, LinkLost."""
    id = file if isinstance(file, str) else file.id
    found: list[bytes] = []

    async def once(attempt: Attempt) -> int:
        ok: FileDownloadOk = await client.request(FileDownload(id=id, preview=True))
        found.append(await attempt.small(ok.url))
        return 0

    await persistently(client, 0, None, once)
    return found[-1]


async def push(client: Server, ok: SendFileProxyOk, source: Source, *, progress: Tell | None = None) -> str:
    """Send a file to somebody who has said yes; return its SHA-256.  Errors: as `upload`; unknown-id: it is over."""
    size, sha256 = await measure(source)

    async def once(attempt: Attempt) -> int:
        offset = await attempt.offset(ok.url)
        answer = await attempt.put(ok.url, source, offset, size)
        if answer["sha256"] != sha256:
            raise RequestFailed(ErrorCode.WRONG_HASH)
        return size

    await persistently(client, size, progress, once, again=AGAIN - {ErrorCode.UNKNOWN_ID})
    return sha256


async def fetch(
    client: Server, ready: SendFileProxyReady, size: int, target: Path, *, progress: Tell | None = None
) -> str:
    """Fetch a file that somebody sends, while it comes; return its SHA-256.  size: as the request has said.

    It is checked against what the sender has said; SEND-FILE-PROXY-COMPLETED tells what the server has seen.
    Errors: as `download`; unknown-id: it is over.
    """
    part = beside(target, ready.transfer_id)

    async def once(attempt: Attempt) -> int:
        return await attempt.get(ready.url, part, size)

    await persistently(client, size, progress, once, again=AGAIN - {ErrorCode.UNKNOWN_ID})
    return await asyncio.to_thread(finish, part, target, ready.sha256)


def place_for(directory: Path, name: str, taken: Collection[Path] = ()) -> Path:
    """Where a file of this name may be put: no path, nothing that is there, or `taken`, is touched."""
    name = clean_name(name)
    stem, dot, extension = name.partition(".")
    paths = (directory / (name if n == 0 else f"{stem} ({n}){dot}{extension}") for n in range(10_000))
    return next(path for path in paths if path not in taken and not path.exists())


# -- again and again


async def persistently(
    client: Server,
    size: int,
    progress: Tell | None,
    once: Callable[[Attempt], Awaitable[int]],
    *,
    again: frozenset[ErrorCode] = AGAIN,
) -> None:
    """Try until it is done, as long as something moves.  Raises RequestFailed, LinkLost."""
    loop = asyncio.get_running_loop()

    def tell(told: Progress) -> None:
        if progress is not None:
            loop.call_soon_threadsafe(progress, told)

    meter = Meter(size, tell)
    failures = 0
    while True:
        reached = meter.reached
        try:
            await once(Attempt(client, meter))
        except (Broken, LinkLost) as error:
            reason = str(error)
        except RequestFailed as error:
            if error.code not in again or failures >= TRIES:
                raise
            reason = error.reason
        else:
            meter.tell(last=True)
            return
        failures = 1 if meter.reached > reached else failures + 1
        if failures > TRIES:
            raise LinkLost(reason)
        meter.tell(trouble=reason)
        await asyncio.sleep(FIRST_PAUSE_S * 2 ** (failures - 1))


class Meter:
    """Counts bytes, and tells how it goes."""

    def __init__(self, total: int, tell: Tell) -> None:
        self.moved = 0
        """In this run."""
        self.reached = -1
        """Where the last attempt could begin: what was sent and did not arrive is no progress."""
        self._total, self._tell = total, tell
        self._at = 0
        self._begun, self._told = time.monotonic(), -TELL_S

    def begin(self, at: int) -> None:
        """It goes on from here."""
        self._at = at
        self.reached = max(self.reached, at)
        if not self.moved:
            self._begun = time.monotonic()

    def add(self, size: int) -> None:
        """So many bytes more."""
        self._at += size
        self.moved += size
        if time.monotonic() - self._told >= TELL_S:
            self.tell()

    def tell(self, *, last: bool = False, trouble: str = "") -> None:
        """Say how it goes.  trouble: why it rests."""
        now = self._told = time.monotonic()
        at = self._total if last else self._at
        speed = self.moved / max(now - self._begun, 1e-6)
        left_s = (self._total - at) / speed if speed else None
        self._tell(Progress(at, self._total, speed, 0.0 if last else left_s, trouble))


class Attempt:
    """One connection.  Everything raises Broken, or RequestFailed with the server's refusal."""

    def __init__(self, client: Server, meter: Meter) -> None:
        self._host, self._port, self._fingerprint = client.host, client.port, client.fingerprint
        self._meter = meter
        self._socket: socket.socket | None = None
        self._is_cancelled = threading.Event()

    async def put(self, url: str, source: Source, offset: int, size: int) -> dict[str, Any]:
        """Send the bytes of a source from there on; return the server's answer."""
        return await self._in_thread(lambda: self._put(url, source, offset, size))

    async def offset(self, url: str) -> int:
        """How much of what is sent to this url has arrived."""
        return await self._in_thread(lambda: self._offset(url))

    async def get(self, url: str, part: Path, size: int) -> int:
        """Fetch what a part has not; return `size`."""
        return await self._in_thread(lambda: self._get(url, part, size))

    async def small(self, url: str) -> bytes:
        """Fetch something small at once."""
        return await self._in_thread(lambda: self._small(url))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        task = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._is_cancelled.set()
            if self._socket is not None:
                with contextlib.suppress(OSError):  # SSLSocket's own would go on without TLS, in the thread
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()
            raise

    # -- in the thread

    def _put(self, url: str, source: Source, offset: int, size: int) -> dict[str, Any]:
        with opened(source) as file, self._connected() as connection:
            file.seek(offset)
            with network():
                connection.putrequest("PUT", url)
                connection.putheader("Upload-Offset", str(offset))
                connection.putheader("Content-Length", str(size - offset))
                connection.endheaders()
            self._meter.begin(offset)
            left = size - offset
            while left:
                data = file.read(min(CHUNK_BYTES, left))
                if not data:
                    raise RequestFailed(ErrorCode.WRONG_HASH, "The file has changed while it was sent.")
                try:
                    connection.send(data)
                except OSError:
                    break  # the server may have said why
                left -= len(data)
                self._meter.add(len(data))
            answer = self._answer(connection)
        if not answer.get("complete"):
            raise Broken("The server has not got all of it.")
        return answer

    def _offset(self, url: str) -> int:
        with self._connected() as connection, network():
            connection.request("HEAD", url)
            response = connection.getresponse()
            response.read()
            if response.status == http.client.NOT_FOUND:
                raise RequestFailed(ErrorCode.UNKNOWN_ID)
            if response.status != http.client.OK:
                raise Broken(f"The server answered {response.status} {response.reason}.")
            return int(response.headers["Upload-Offset"])

    def _get(self, url: str, part: Path, size: int) -> int:
        with part.open("ab") as file, self._connected() as connection:
            offset = file.tell()
            if offset >= size > 0:
                return size
            with network():
                connection.request("GET", url, headers={"Range": f"bytes={offset}-"} if offset else {})
                response = connection.getresponse()
            if response.status not in (http.client.OK, http.client.PARTIAL_CONTENT):
                self._refused(response)
            if response.status == http.client.OK and offset:
                file.truncate(0)
                offset = 0
            self._meter.begin(offset)
            while offset < size:
                with network():
                    data = response.read1(CHUNK_BYTES)
                if not data:
                    raise Broken("The connection was closed before the end.")
                file.write(data)
                offset += len(data)
                self._meter.add(len(data))
        return size

    def _small(self, url: str) -> bytes:
        with self._connected() as connection, network():
            connection.request("GET", url)
            response = connection.getresponse()
            if response.status != http.client.OK:
                self._refused(response)
            return response.read()

    def _answer(self, connection: http.client.HTTPConnection) -> dict[str, Any]:
        with network():
            response = connection.getresponse()
            if response.status != http.client.OK:
                self._refused(response)
            return msgspec.json.decode(response.read())

    def _refused(self, response: http.client.HTTPResponse) -> None:
        try:
            told = msgspec.json.decode(response.read())
            code, reason = ErrorCode(told["code"]), str(told["reason"])
        except (msgspec.DecodeError, ValueError, KeyError, TypeError):
            raise Broken(f"The server answered {response.status} {response.reason}.") from None
        raise RequestFailed(code, reason)

    @contextmanager
    def _connected(self) -> Generator[http.client.HTTPConnection]:
        with network():
            raw = self._socket = socket.create_connection((self._host, self._port), TIMEOUT_S)
            try:
                if self._is_cancelled.is_set():
                    raise Broken("Cancelled.")
                if self._fingerprint is not None:
                    raw = self._socket = self._proved(raw, self._fingerprint)
            except BaseException:
                raw.close()
                raise
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = raw
        try:
            yield connection
        finally:
            connection.close()

    def _proved(self, raw: socket.socket, expected: str) -> socket.socket:
        """TLS with the server of the link, and no other.  Raises CertificateChanged."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([ALPN_HTTP])
        secure = context.wrap_socket(raw, server_hostname=self._host)
        found = fingerprint(secure.getpeercert(binary_form=True) or b"")
        expected = expected.replace(":", "").lower()
        if not hmac.compare_digest(found, expected):
            secure.close()
            raise CertificateChanged(f"{self._host}:{self._port}", expected, found)
        return secure


@contextmanager
def network() -> Generator[None]:
    """What goes wrong here is the network's fault, not the disk's."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"The connection broke: {error or type(error).__name__}.") from error


# -- files of this machine


@contextmanager
def opened(source: Source) -> Generator[io.BytesIO | io.BufferedReader]:
    """The bytes of a source."""
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        yield file


async def measure(source: Source) -> tuple[int, str]:
    """Size and SHA-256 of a source, in a thread that ends soon after who awaits it is cancelled.  Raises OSError."""
    is_cancelled = threading.Event()
    try:
        return await asyncio.to_thread(measured, source, is_cancelled)
    except asyncio.CancelledError:
        is_cancelled.set()
        raise


def measured(source: Source, is_cancelled: threading.Event | None = None) -> tuple[int, str]:
    """Size and SHA-256 of a source; of its beginning, once it is cancelled.  Raises OSError."""
    size, sha256 = 0, hashlib.sha256()
    with opened(source) as file:
        while (data := file.read(CHUNK_BYTES)) and not (is_cancelled is not None and is_cancelled.is_set()):
            size += len(data)
            sha256.update(data)
    return size, sha256.hexdigest()


def beside(target: Path, id: str) -> Path:
    """Where a file lies until it is whole."""
    return target.with_name(f".{target.name[:100]}.{id[:12]}.part")


def finish(part: Path, target: Path, sha256: str) -> str:
    """Put a fetched file in its place, durably; return its SHA-256.  Raises RequestFailed: wrong-hash."""
    _, found = measured(part)
    if sha256 not in ("", found):
        part.unlink()
        raise RequestFailed(ErrorCode.WRONG_HASH)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    return found
