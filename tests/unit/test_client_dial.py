"""Reaching a server and being sure that it is the one that was meant, over real sockets of this machine."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from veche.net.dial import (
    CannotConnect,
    CertificateChanged,
    DialError,
    Dialled,
    NotVeche,
    UntrustedCertificate,
    dial,
)
from veche.net.tls import fingerprint, leaf, make_certificate, readable, server_context


class Handler:
    """Keeps what a link reports."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.lost = asyncio.Event()

    def receive_line(self, line: bytes) -> None:
        self.lines.append(line)

    def line_too_long(self) -> None: ...
    def pause_sending(self) -> None: ...
    def resume_sending(self) -> None: ...

    def link_lost(self, error: Exception | None) -> None:
        self.lost.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    path, _ = make_certificate(directory, ["home.example"])
    return path


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work, debug=True)


@asynccontextmanager
async def listening(context: ssl.SSLContext | None, said: list[bytes] | None = None) -> AsyncGenerator[int]:
    """A server that says `welcome` at once and keeps what it hears."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"welcome\r\n")
        try:
            data = await reader.read(1000)
            if said is not None:
                said.append(data)
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def context_of(certificate: Path) -> ssl.SSLContext:
    return server_context(certificate, certificate.with_name("key.pem"))


def authority(certificate: Path) -> Callable[[], ssl.SSLContext]:
    """An authority that vouches for exactly this certificate."""
    return lambda: ssl.create_default_context(cafile=str(certificate))


async def dialled(port: int, **options: Any) -> tuple[Dialled, Handler]:
    handler = Handler()
    return await dial("127.0.0.1", port, handler, **options), handler


def test_a_pinned_certificate_makes_a_link_with_its_binding(certificate: Path) -> None:
    """Rows: A08 (partly), X03."""

    async def work() -> None:
        der = leaf(certificate)
        async with listening(context_of(certificate)) as port:
            made, handler = await dialled(port, pinned=readable(fingerprint(der)))
            assert made.certificate == der
            assert made.binding == hashlib.sha256(der).digest()
            assert made.fingerprint == fingerprint(der)
            assert not made.vouched
            made.link.put(b"hello\r\n")
            await handler.lost.wait()
            assert handler.lines == [b"welcome\r"], "what the server says first is not lost"

    run(work())


def test_a_certificate_that_nobody_vouches_for_is_shown_and_nothing_is_sent(certificate: Path) -> None:
    async def work() -> None:
        said: list[bytes] = []
        async with listening(context_of(certificate), said) as port:
            with pytest.raises(UntrustedCertificate) as caught:
                await dialled(port)
            assert caught.value.found == fingerprint(leaf(certificate))
        assert b"".join(said) == b""

    run(work())


def test_another_certificate_than_the_pinned_one_is_refused_loudly(certificate: Path) -> None:
    async def work() -> None:
        async with listening(context_of(certificate)) as port:
            with pytest.raises(CertificateChanged, match="HAS CHANGED"):
                await dialled(port, pinned="00" * 32)
            with pytest.raises(CertificateChanged):
                await dialled(port, pinned="00" * 32, authorities=None)

    run(work())


def test_a_certificate_that_an_authority_vouches_for_needs_no_pin(certificate: Path) -> None:
    async def work() -> None:
        async with listening(context_of(certificate)) as port:
            made, _ = await dialled(port, authorities=authority(certificate))
            assert made.vouched
            made.link.abort()
            made, _ = await dialled(port, pinned="00" * 32, authorities=authority(certificate))
            assert made.vouched, "a new certificate of the same host"
            made.link.abort()
            await asyncio.sleep(0)

    run(work())


def test_insecure_takes_any_certificate(certificate: Path) -> None:
    async def work() -> None:
        async with listening(context_of(certificate)) as port:
            made, _ = await dialled(port, insecure=True)
            assert not made.vouched
            made.link.abort()
            await asyncio.sleep(0)

    run(work())


def test_tls_older_than_1_2_is_not_spoken(certificate: Path) -> None:
    """Rows: X19 (partly)."""

    async def work() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_name("key.pem"))
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_1
        async with listening(context) as port:
            with pytest.raises(DialError):
                await dialled(port, insecure=True)

    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        run(work())


def test_what_does_not_speak_tls_is_said() -> None:
    async def work() -> None:
        async with listening(None) as port:
            with pytest.raises(NotVeche, match="does not speak TLS"):
                await dialled(port)

    run(work())


def test_plain_text_goes_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows: A08 (partly)."""

    async def work() -> None:
        async with listening(None) as port:
            made, handler = await dialled(port, tls=False)
            assert (made.certificate, made.binding) == (None, None)
            made.link.put(b"x\n")
            await handler.lost.wait()

            def elsewhere(self: Any, name: str) -> Any:
                return ("192.0.2.1", 1) if name == "peername" else None

            monkeypatch.setattr("veche.net.dial._QuietLink.extra", elsewhere)
            with pytest.raises(CannotConnect, match="Without TLS"):
                await dialled(port, tls=False)
            await asyncio.sleep(0)

    run(work())


def test_nobody_there_is_said_with_what_to_check() -> None:
    async def work() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(CannotConnect, match="Nobody listens at"):
            await dialled(port)

    run(work())


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".example", "x..y", "*"])
def test_a_name_that_is_no_host_is_said(host: str) -> None:
    async def work() -> None:
        with pytest.raises(CannotConnect):
            await dial(host, 3215, Handler())

    run(work())


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def work() -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            with pytest.raises(CannotConnect, match="does not answer"):
                await dialled(silent.getsockname()[1], timeout_s=0.2)

    run(work())
