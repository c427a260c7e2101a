"""The HTTP side of the one port: the browser client (static.py), `/ws` (the packets over WebSocket), `/healthz`,
`/readyz`, `/version`, `/metrics`.

aiohttp takes half a second to import, so it is loaded in a thread after the server is ready; an early request waits.

Source: DESIGN §3, §5; RFC 6455; CSP Level 3; Prometheus text format.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import veche
from veche.packets import MAX_LINE_BYTES

from . import static, transfers

if TYPE_CHECKING:
    from aiohttp import web

    from veche.net.listener import Switch

    from .app import HomeServer

WS_HIGH_BYTES = 256 * 1024
KEPT_BYTES = 256 * 1024
"""Frames of more than this are made anew for each link."""
IDLE_S = 30.0
"""An HTTP connection may be silent, or take for the head of a request, so long."""
CLOSE_S = 0.1
"""Requests that are under way when the server stops may take so long."""
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": (
        "camera=(self), display-capture=(self), geolocation=(), microphone=(self), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
}
HOST = re.compile(r"[\w.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?", re.ASCII)
"""What a Host header may name (RFC 9110 §7.2), so that it can stand in another header."""


class WebLoader:
    """Loads the HTTP machinery when there is time for it, and makes the protocol of each HTTP connection."""

    def __init__(self, app: HomeServer) -> None:
        self._app = app
        self._runner: Any = None
        self._loading: asyncio.Task[None] | None = None
        self._waiting: list[Callable[[], None]] = []

    def load(self) -> None:
        """Start loading; at once, in the background."""
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        def import_it() -> None:
            importlib.import_module("aiohttp.web")
            importlib.import_module("prometheus_client")

        await asyncio.get_running_loop().run_in_executor(None, import_it)
        from aiohttp import web

        logging.getLogger("aiohttp.server").addFilter(is_our_fault)
        runner = web.AppRunner(
            make_app(self._app),
            access_log=None,
            handle_signals=False,
            keepalive_timeout=IDLE_S,
            lingering_time=0.0,
            shutdown_timeout=CLOSE_S,
        )
        await runner.setup()
        self._runner = runner
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def when_ready(self, call: Callable[[], None]) -> None:
        """Call back as soon as HTTP can be served."""
        self.load()
        self._waiting.append(call)

    def make_protocol(self, switch: Switch) -> asyncio.Protocol | None:
        """A protocol for one HTTP connection, None while loading."""
        if self._runner is None:
            return None
        return self._runner.server()

    async def close(self) -> None:
        """Finish what is open."""
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()


def is_our_fault(record: logging.LogRecord) -> bool:
    """Whether a record of aiohttp's belongs in our log: not what somebody sent that is no HTTP."""
    from aiohttp.http_exceptions import HttpProcessingError

    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


class WebSocketLink:
    """A link of lines over a WebSocket: one packet a message, either way."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        drain: Callable[[], Awaitable[None]],
        address: str,
    ) -> None:
        self.is_secure = transport is not None and transport.get_extra_info("ssl_object") is not None
        self.address = address
        self._socket = socket
        self._transport = transport
        self._drain = drain
        self._out: list[bytes] = []
        self._wake = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._is_closed = False
        self._size = 0
        self.handler: Any = None

    def put(self, line: bytes) -> None:
        """Send a line, or several at once, soon."""
        if self._is_closed:
            return
        self._out.append(line)
        self._size += len(line)
        self._wake.set()
        if self._size > WS_HIGH_BYTES and self._size - len(line) <= WS_HIGH_BYTES:
            self.handler.pause_sending()

    def pause_reading(self) -> None:
        self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    def close(self) -> None:
        self._is_closed = True
        self._wake.set()
        self._may_read.set()

    def abort(self) -> None:
        self.close()
        if self._transport is not None:
            self._transport.abort()

    async def write(self) -> None:
        """Send what is put until the link is closed: what was put during a tick in one piece."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            out, self._out = self._out, []
            was_full, self._size = self._size > WS_HIGH_BYTES, 0
            if self._socket.closed or self._transport is None or self._transport.is_closing():
                return
            if out:
                self._transport.write(b"".join([framed(lines) for lines in out]))
                await self._drain()
            if self._is_closed and not self._out:
                await self._socket.close()
                return
            if was_full:
                self.handler.resume_sending()

    async def read(self) -> None:
        """Hand messages on until the other side ends."""
        from aiohttp import WSMsgType

        while True:
            await self._may_read.wait()
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT:
                for line in message.data.encode("utf-8", "surrogatepass").splitlines():
                    self.handler.receive_line(line)
            elif message.type is WSMsgType.BINARY:
                self.handler.receive_line(message.data)
            else:
                return


def framed(lines: bytes) -> bytes:
    """Lines as unmasked text frames, one each (RFC 6455 §5.2).  What is said to many at once is made once."""
    return _kept_frames(lines) if len(lines) <= KEPT_BYTES else _frames(lines)


def _frames(lines: bytes) -> bytes:
    frames: list[bytes] = []
    for line in lines.splitlines():
        size = len(line)
        if size < 126:
            frames += (b"\x81", size.to_bytes(1, "big"), line)
        elif size < 2**16:
            frames += (b"\x81\x7e", size.to_bytes(2, "big"), line)
        else:
            frames += (b"\x81\x7f", size.to_bytes(8, "big"), line)
    return b"".join(frames)


_kept_frames = functools.lru_cache(maxsize=32)(_frames)


def is_from_this_machine(request: web.Request) -> bool:
    """Whether nobody from elsewhere asks, not through a proxy either."""
    from .app import is_local

    return is_local(request.remote or "") and "X-Forwarded-For" not in request.headers


def content_security_policy(request: web.Request, *, behind_proxy: bool) -> str:
    """What a page of ours may load: what comes from here, and nothing inline.

    For older browsers 'self' does not mean the WebSocket of the same host, so that is named.
    """
    policy = dict(CSP)
    if HOST.fullmatch(request.host):
        policy["connect-src"] += f" {'wss' if request.secure or behind_proxy else 'ws'}://{request.host}"
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


def make_app(app: HomeServer) -> web.Application:
    """The HTTP application."""
    from aiohttp import web

    assets = static.asset_table()

    async def web_socket(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and origin.split("://", 1)[-1] != request.host:
            raise web.HTTPForbidden(text="WebSocket connections come from this server's own pages only.")
        socket = web.WebSocketResponse(max_msg_size=MAX_LINE_BYTES, heartbeat=None, autoping=True, compress=False)
        await socket.prepare(request)
        address = request.remote or "unknown"
        if app.config.behind_proxy:  # the last one is what the proxy saw; those before it are what it was told
            address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
        carrier = WebSocketLink(socket, request.transport, request.writer.drain, address)
        session = app.new_session(carrier)
        carrier.handler = session
        writer = asyncio.create_task(carrier.write())
        try:
            await carrier.read()
        finally:
            carrier.close()
            await asyncio.wait([writer], timeout=2.0)
            writer.cancel()
            session.link_lost(None)
        return socket

    async def healthz(request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        from veche.storage import facts

        if app.is_stopping:
            return web.Response(text="stopping\n", status=503)
        try:
            await asyncio.wait_for(app.database.find(facts.get("secret")), 2.0)
        except Exception:
            return web.Response(text="the database does not answer\n", status=503)
        return web.Response(text="ready\n")

    async def version(request: web.Request) -> web.Response:
        return web.json_response({"name": "veche", "version": veche.__version__, "protocol": 1})

    async def metrics(request: web.Request) -> web.Response:
        if not is_from_this_machine(request):
            raise web.HTTPForbidden(text="Metrics are for this machine only: on a quiet server they tell who is there.")
        return web.Response(body=render_metrics(app), content_type="text/plain", charset="utf-8")

    async def client(request: web.Request) -> web.Response:
        asset = static.find(assets, request.path)
        if asset is None:
            if request.path == "/":
                return web.Response(text=without_client.format(host=request.host.encode("ascii", "replace").decode()))
            raise web.HTTPNotFound(text="There is nothing here.\n")
        accepted = static.accepted_encodings(request.headers.get("Accept-Encoding", ""))
        try:
            form = await asyncio.to_thread(asset.form, accepted)  # the first time it reads a file
        except OSError:
            raise web.HTTPNotFound(text="The browser client was built anew. Restart the server.\n") from None
        headers = {"ETag": f'"{form.etag}"', "Cache-Control": asset.cache_control, "Vary": "Accept-Encoding"}
        if any(tag.value in (form.etag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = asset.content_type
        if form.encoding:
            headers["Content-Encoding"] = form.encoding
        return web.Response(body=form.body, headers=headers)

    without_client = (
        f"Veche {veche.__version__} of {app.config.domain}. Connect with: veche chat {{host}}\n"
        "The browser client is not built here. From a source tree: python3 dev.py build\n"
    )

    @web.middleware
    async def secure_headers(request: web.Request, handler: Any) -> web.StreamResponse:
        policy = content_security_policy(request, behind_proxy=app.config.behind_proxy)
        headers = {**SECURITY_HEADERS, "Content-Security-Policy": policy}
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(headers)
            raise
        if not response.prepared:
            response.headers.update(headers)
        return response

    application = web.Application(middlewares=[secure_headers], client_max_size=MAX_LINE_BYTES)
    application.router.add_get("/ws", web_socket)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/version", version)
    application.router.add_get("/metrics", metrics)
    transfers.add_routes(application, app)
    application.router.add_get("/{path:.*}", client)
    return application


def render_metrics(app: HomeServer) -> bytes:
    """The counters in the Prometheus text format."""
    from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

    registry = CollectorRegistry()
    for name in app.counters.__struct_fields__:
        counter = Counter(f"veche_{name}", name.replace("_", " ") + " since the start", registry=registry)
        counter.inc(getattr(app.counters, name))
    gauges = {
        "sessions": len(app.sessions),
        "sessions_logged_in": sum(session.account is not None for session in app.sessions),
        "messages_pending": app.database.pending,
        "links_full": len(app.full_links),
        "uptime_seconds": time.time() - app.started_at,
    }
    for name, value in gauges.items():
        Gauge(f"veche_{name}", name.replace("_", " "), registry=registry).set(value)
    return generate_latest(registry)


__all__ = ["WebLoader", "WebSocketLink", "make_app"]
