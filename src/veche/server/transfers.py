"""The two ways of bytes: HTTP, and the line TRANSFER on the one port.  What they move, and who may: filing.py.

    PUT /files/up/<token>      Upload-Offset: N; the body is what follows.  200 {"offset", "complete", "sha256", "file"}
    HEAD /files/up/<token>     says Upload-Offset, where to go on
    DELETE /files/up/<token>   nothing of it is kept
    GET /files/down/<token>    Range, If-Range and If-None-Match as RFC 9110 says; one range at a time

    TRANSFER <id> <token> send <offset>       >> TRANSFER-OK offset=N; bytes follow; >> TRANSFER-OK offset=N sha256=...
    TRANSFER <id> <token> receive <offset>    >> TRANSFER-OK offset=N size=N; bytes follow, to the end

A refusal is JSON of `code`, `reason` and `offset`; or a line TRANSFER-FAILED with the same.

A page can do nothing with what it is sent: files come as attachments that are not sniffed, run in no origin, and have a
type of a list of harmless ones; only our own previews may be shown in place.

Source: rows M48, M53, M55, M58; RFC 9110 §13, §14; RFC 6266, RFC 8187; CSP Level 3 (sandbox).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote

import structlog

from veche.packets import ErrorCode
from veche.storage.database import StorageError

from .filing import BATCH_BYTES, IDLE_S, Bytes, Intake, Interrupted, Outlet, Received, WrongOffset, batches
from .session import Refused, refused_by_storage

if TYPE_CHECKING:
    from aiohttp import web

    from .app import HomeServer

log: structlog.stdlib.BoundLogger = structlog.get_logger()

S = TypeVar("S", Intake, Outlet)

STATUS = {
    ErrorCode.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    ErrorCode.UNKNOWN_ID: HTTPStatus.NOT_FOUND,
    ErrorCode.WITHDRAWN: HTTPStatus.GONE,
    ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.WRONG_HASH: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.TRY_AGAIN_LATER: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.STORAGE_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-transform",
    "Accept-Ranges": "bytes",
}
DRAIN_S, DRAIN_BYTES = 0.3, 4 * 1024 * 1024
"""After a refusal so much of the body is still read, so that the answer is not lost in a reset (RFC 9112 §9.6)."""
LINE_BYTES = 512
LINE_S = 10.0


class Refusal(Exception):
    """What an attempt to move bytes is answered.  offset: where an intake goes on, if that is what was wrong."""

    def __init__(self, code: ErrorCode, reason: str, offset: int | None = None) -> None:
        super().__init__(code)
        self.code, self.reason, self.offset = code, reason, offset

    @property
    def status(self) -> int:
        return HTTPStatus.CONFLICT if self.offset is not None else STATUS.get(self.code, HTTPStatus.BAD_REQUEST)


@contextmanager
def refusals() -> Generator[None]:
    """Whatever the moving of bytes raises, as a Refusal; what is no refusal goes on: the connection is broken."""
    try:
        yield
    except Refused as error:
        raise Refusal(error.code, error.reason) from None
    except WrongOffset as error:
        raise Refusal(ErrorCode.BAD_REQUEST, "Go on from the offset that is told.", error.offset) from None
    except StorageError as error:
        told = refused_by_storage(error)
        raise Refusal(told.code, told.reason) from None


@contextmanager
def used(app: HomeServer, token: str, kind: type[S]) -> Generator[S]:
    """What a token lets do, while it is used.  Raises Refused."""
    ticket = app.files.tickets.find(token)
    if ticket is None or not isinstance(ticket.subject, kind):
        raise Refused(ErrorCode.UNKNOWN_ID, "This address is not valid, or no longer. Ask for another.")
    app.files.tickets.start(ticket)
    try:
        yield ticket.subject
    finally:
        app.files.tickets.stop(ticket)


@asynccontextmanager
async def opened(outlet: Outlet) -> AsyncGenerator[Bytes]:
    """What an outlet gives out.  Raises Refused: unknown-id, when it is gone."""
    source = await outlet.open()
    if source is None:
        raise Refused(ErrorCode.UNKNOWN_ID)
    try:
        yield source
    finally:
        await source.close()


async def pour(
    app: HomeServer, outlet: Outlet, source: Bytes, start: int, end: int, write: Callable[[bytes], Awaitable[None]]
) -> None:
    """Send these bytes; the last one of the file ends its ticket.  Raises what breaks the connection."""
    async with aclosing(batches(source, start, end)) as chunks:
        async for chunk in chunks:
            async with asyncio.timeout(IDLE_S):
                await write(chunk)
            app.counters.file_bytes_out += len(chunk)
            start += len(chunk)
            if start < outlet.size:
                outlet.sent(start)
    if end == outlet.size:
        if outlet.is_once:
            app.files.tickets.end(outlet)
        outlet.sent(end)


# -- HTTP


def add_routes(application: web.Application, app: HomeServer) -> None:
    """Serve them."""
    from aiohttp import web

    async def put(request: web.Request) -> web.StreamResponse:
        try:
            with refusals(), used(app, request.match_info["token"], Intake) as intake:
                offset = whole_number(request.headers.get("Upload-Offset", "0"))
                if request.content_length is not None and offset + request.content_length > intake.size:
                    raise Refused(ErrorCode.TOO_LARGE, f"The file has {intake.size} bytes.")
                received = await intake.take(offset, lambda: body_of(request), lambda: abort(request))
                app.counters.file_bytes_in += received.offset - offset
        except Refusal as error:
            return await refused(request, error)
        except (ConnectionError, Interrupted, TimeoutError):
            abort(request)
            return web.Response(status=HTTPStatus.REQUEST_TIMEOUT)
        return web.json_response(
            shown(received, complete=received.offset == intake.size),
            headers={"Upload-Offset": str(received.offset), "Cache-Control": "no-store"},
        )

    async def where(request: web.Request) -> web.StreamResponse:
        try:
            with refusals(), used(app, request.match_info["token"], Intake) as intake:
                offset = await intake.offset()
        except Refusal as error:
            return await refused(request, error)
        return web.Response(headers={"Upload-Offset": str(offset), "Cache-Control": "no-store"})

    async def delete(request: web.Request) -> web.StreamResponse:
        try:
            with refusals(), used(app, request.match_info["token"], Intake) as intake:
                await intake.offset()
                await intake.abandon(ErrorCode.WITHDRAWN)
        except Refusal as error:
            return await refused(request, error)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def get(request: web.Request) -> web.StreamResponse:
        try:
            with refusals(), used(app, request.match_info["token"], Outlet) as outlet:
                async with opened(outlet) as source:
                    return await send(request, outlet, source)
        except Refusal as error:
            return await refused(request, error)

    async def send(request: web.Request, outlet: Outlet, source: Bytes) -> web.StreamResponse:
        headers = headers_of(outlet)
        if outlet.etag and any(tag.value in (outlet.etag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers={**headers, "Content-Type": outlet.type})
        start, end, is_part = span(request, outlet)
        if start >= end and is_part:
            headers["Content-Range"] = f"bytes */{outlet.size}"
            return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
        response = web.StreamResponse(status=HTTPStatus.PARTIAL_CONTENT if is_part else HTTPStatus.OK, headers=headers)
        response.content_type = outlet.type
        response.content_length = end - start
        if is_part:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{outlet.size}"
        try:
            await response.prepare(request)
            if request.method != "HEAD":
                await pour(app, outlet, source, start, end, response.write)
        except (ConnectionError, StorageError, TimeoutError) as error:
            log.info("file.broken_off", error=repr(error))
            abort(request)
        return response

    application.router.add_put("/files/up/{token}", put)
    application.router.add_head("/files/up/{token}", where)
    application.router.add_delete("/files/up/{token}", delete)
    application.router.add_get("/files/down/{token}", get)


def shown(received: Received, *, complete: bool) -> dict[str, Any]:
    """What the end of a PUT is answered."""
    import msgspec

    told: dict[str, Any] = {"offset": received.offset, "complete": complete}
    if complete:
        told["sha256"] = received.sha256
    if received.file is not None:
        told["file"] = msgspec.to_builtins(received.file)
    return told


def whole_number(text: str) -> int:
    """Raises Refused: bad-request."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 16):
        raise Refused(ErrorCode.BAD_REQUEST, "An offset is a whole number.")
    return int(text)


async def refused(request: web.Request, error: Refusal) -> web.StreamResponse:
    """Answer, and read on for a moment: who still sends would not see the answer otherwise."""
    from aiohttp import web

    told: dict[str, Any] = {"code": error.code, "reason": error.reason}
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if error.offset is not None:
        told["offset"] = error.offset
        headers["Upload-Offset"] = str(error.offset)
    response = web.json_response(told, status=error.status, headers=headers)
    if not request.can_read_body:
        return response
    response.force_close()
    await response.prepare(request)
    await response.write_eof()
    size = 0
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while size < DRAIN_BYTES and (data := await body_of(request)):
                size += len(data)
    return response


async def body_of(request: web.Request) -> bytes:
    """The next bytes of the body, none at its end.  Raises ConnectionError, also when what comes is no body."""
    from aiohttp.http_exceptions import HttpProcessingError
    from aiohttp.web import RequestPayloadError

    try:
        while True:  # a part of chunked coding may end with nothing more to give yet
            data, _ = await request.content.readchunk()  # `readany` would copy what has come in pieces
            if data or request.content.at_eof():
                return data
    except (HttpProcessingError, RequestPayloadError, RuntimeError) as error:  # RuntimeError: closed before
        raise ConnectionResetError from error


def abort(request: web.Request) -> None:
    """Cut the connection: there is nothing to say to it, or nobody there."""
    if request.transport is not None:
        request.transport.abort()


def headers_of(outlet: Outlet) -> dict[str, str]:
    """How a browser has to take it."""
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\%' else "_" for one in outlet.name)
    how = "inline" if outlet.is_inline else "attachment"
    disposition = f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(outlet.name, safe='')}"
    headers = {**HEADERS, "Content-Disposition": disposition}
    if outlet.etag:
        headers["ETag"] = f'"{outlet.etag}"'
    return headers


def span(request: web.Request, outlet: Outlet) -> tuple[int, int, bool]:
    """From where to where, and whether that is only a part.  A range that cannot be read is none (RFC 9110 §14.2)."""
    condition = request.headers.get("If-Range")
    if "Range" not in request.headers or (condition is not None and condition != f'"{outlet.etag}"'):
        return 0, outlet.size, False
    try:
        asked = request.http_range
    except ValueError:
        return 0, outlet.size, False
    start, end, _ = asked.indices(outlet.size)
    return start, end, True


# -- the line TRANSFER


def make_protocol(app: HomeServer) -> asyncio.Protocol:
    """The protocol of a connection that begins with the line TRANSFER."""
    return _Protocol(app, asyncio.StreamReader(limit=BATCH_BYTES))


class _Writer(asyncio.StreamWriter):
    """`serve_line` always closes it.  It may be collected in any thread, where transports refuse to be asked."""

    def __del__(self, *_: object) -> None:
        pass


class _Protocol(asyncio.StreamReaderProtocol):
    def __init__(self, app: HomeServer, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._app, self._reader = app, reader

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        writer = _Writer(cast("asyncio.WriteTransport", transport), self, self._reader, asyncio.get_running_loop())
        self._app.spawn(serve_line(self._app, self._reader, writer))


async def serve_line(app: HomeServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the line, move the bytes, close."""
    try:
        with refusals():
            async with asyncio.timeout(LINE_S):
                line = await reader.readuntil(b"\n")
            words = line.decode("ascii", "replace").split() if len(line) <= LINE_BYTES else []
            match words:
                case [_, id, token, "send", offset]:
                    await receive_bytes(app, id, token, whole_number(offset), reader, writer)
                case [_, id, token, "receive", offset]:
                    await send_bytes(app, id, token, whole_number(offset), writer)
                case _:
                    raise Refused(ErrorCode.BAD_REQUEST, "TRANSFER id token send|receive offset")
    except Refusal as error:
        where = "" if error.offset is None else f" offset={error.offset}"
        writer.write(f'TRANSFER-FAILED code={error.code} reason="{error.reason}"{where}\r\n'.encode())
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await reader.read(DRAIN_BYTES)
    except (ConnectionError, EOFError, Interrupted, TimeoutError, asyncio.LimitOverrunError):
        writer.transport.abort()
    finally:
        writer.close()


async def receive_bytes(
    app: HomeServer, id: str, token: str, offset: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with used(app, token, Intake) as intake:
        check_id(intake, id)
        if (arrived := await intake.offset()) != offset:
            raise WrongOffset(arrived)
        left = intake.size - offset
        writer.write(f"TRANSFER-OK offset={offset}\r\n".encode())

        async def read() -> bytes:
            nonlocal left
            data = await reader.read(min(left, BATCH_BYTES)) if left else b""
            if left and not data:
                raise ConnectionResetError
            left -= len(data)
            return data

        received = await intake.take(offset, read, writer.transport.abort)
        app.counters.file_bytes_in += received.offset - offset
        writer.write(f"TRANSFER-OK offset={received.offset} sha256={received.sha256}\r\n".encode())
        await writer.drain()


async def send_bytes(app: HomeServer, id: str, token: str, offset: int, writer: asyncio.StreamWriter) -> None:
    with used(app, token, Outlet) as outlet:
        check_id(outlet, id)
        async with opened(outlet) as source:
            if offset > outlet.size:
                raise WrongOffset(outlet.size)
            writer.write(f"TRANSFER-OK offset={offset} size={outlet.size}\r\n".encode())

            async def write(chunk: bytes) -> None:
                writer.write(chunk)
                await writer.drain()

            try:
                await pour(app, outlet, source, offset, outlet.size, write)
            except StorageError:  # the line was a promise of bytes: a broken connection is all that can be said now
                raise ConnectionResetError from None


def check_id(subject: Intake | Outlet, id: str) -> None:
    if subject.id != id:
        raise Refused(ErrorCode.UNKNOWN_ID)
