"""A direct link between two devices, over real sockets of this machine."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import tempfile
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from veche.net import direct
from veche.net.direct import BadText, DirectLink, Identity, Listener, NoDirectPath, dial, own_addresses
from veche.packets import MAX_LINE_BYTES, MAX_TEXT, ErrorCode

ALICE, BOB = Identity(is_listener=False), Identity(is_listener=True)
MALLORY = Identity(is_listener=False)
HERE = ["127.0.0.1"]
Ended = tuple[bool, ErrorCode | None]


def run(work: Coroutine[Any, Any, None]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(timed(), debug=True)


class End:
    """One end of a link, and what it reported."""

    def __init__(self, link: DirectLink, *, starts: bool = True) -> None:
        self.link = link
        self.texts: list[str] = []
        self.ends: list[Ended] = []
        self._news = asyncio.Event()
        if starts:
            self.start()

    def start(self) -> None:
        self.link.start(self._said, self._ended)

    def _said(self, text: str) -> None:
        self.texts.append(text)
        self._news.set()

    def _ended(self, by_peer: bool, code: ErrorCode | None) -> None:
        self.ends.append((by_peer, code))
        self._news.set()

    async def until(self, *, texts: int = 0, ends: int = 0) -> None:
        while len(self.texts) < texts or len(self.ends) < ends:
            self._news.clear()
            await self._news.wait()


async def leave(*ends: DirectLink) -> None:
    for end in ends:
        end.close()
    for end in ends:
        await end.closed()


@asynccontextmanager
async def met(*, starts: bool = True) -> AsyncGenerator[tuple[End, End]]:
    """Alice, who has dialled, and bob, who listened."""
    listener = Listener(BOB, ALICE.certificate)
    async with asyncio.TaskGroup() as group:
        accepting = group.create_task(listener.accept(10))
        dialling = group.create_task(dial(ALICE, BOB.certificate, HERE, listener.port))
    alice, bob = End(dialling.result(), starts=starts), End(accepting.result(), starts=starts)
    yield alice, bob
    await leave(alice.link, bob.link)


class Raw:
    """Whoever speaks TLS to a listener of bob's and writes what they like."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def knock(cls, port: int, context: ssl.SSLContext | None) -> Raw:
        options: dict[str, Any] = {} if context is None else {"ssl": context, "server_hostname": ""}
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**20, **options))

    async def hear(self) -> dict[str, Any]:
        return json.loads(await self.reader.readline())

    async def hears_nothing(self) -> bool:
        """Turned away, without a word."""
        try:
            return await self.reader.read() == b""
        except OSError:
            return True

    async def close(self) -> None:
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def met_by_a_stranger_to_the_protocol(**options: Any) -> AsyncGenerator[tuple[Raw, End]]:
    """Somebody with alice's certificate, and bob."""
    listener = Listener(BOB, ALICE.certificate, **options)
    accepting = asyncio.create_task(listener.accept(10))
    raw = await Raw.knock(listener.port, ALICE.expecting(BOB.certificate))
    assert await raw.hear() == {"type": "PING"}
    bob = End(await accepting)
    yield raw, bob
    await raw.close()
    await leave(bob.link)


def test_two_devices_talk() -> None:
    """Rows: T43 (partly), T48 (partly), T49 (partly), X11 (partly)."""

    async def scenario() -> None:
        async with met() as (alice, bob):
            alice.link.say("hi\nbob \U0001f600")
            await bob.until(texts=1)
            bob.link.say("hi alice")
            bob.link.say("how are you?")
            await alice.until(texts=2)
            alice.link.close(ErrorCode.LOGGED_OUT)
            alice.link.say("nobody hears this")
            await bob.until(ends=1)
            await alice.link.closed()
            await bob.link.closed()
        assert bob.texts == ["hi\nbob \U0001f600"]
        assert alice.texts == ["hi alice", "how are you?"]
        assert bob.ends == [(True, ErrorCode.LOGGED_OUT)]
        assert alice.ends == []

    run(scenario())


def test_what_comes_before_anyone_listens_is_kept() -> None:
    async def scenario() -> None:
        async with met(starts=False) as (alice, bob):
            for n in range(3):
                alice.link.say(str(n))
            alice.link.close()
            await bob.link.heard()
            bob.start()
            await bob.until(texts=3, ends=1)
        assert bob.texts == ["0", "1", "2"]
        assert bob.ends == [(True, None)]

    run(scenario())


def test_the_listener_lets_in_one_certificate_and_others_do_not_disturb() -> None:
    """Rows: T48 (partly), X11 (partly)."""

    async def scenario() -> None:
        listener = Listener(BOB, ALICE.certificate)
        accepting = asyncio.create_task(listener.accept(10))
        silent = [await Raw.knock(listener.port, None) for _ in range(2 * direct.KNOCKING)]
        babbling = await Raw.knock(listener.port, None)
        babbling.writer.write(b'{"type":"PRIVATE","text":"let me in"}\r\n')
        mallory = await Raw.knock(listener.port, MALLORY.expecting(BOB.certificate))  # she believes that she is in
        assert await mallory.hears_nothing()
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
        bare = await Raw.knock(listener.port, nobody)
        assert await bare.hears_nothing()
        with pytest.raises(NoDirectPath):
            await dial(MALLORY, BOB.certificate, HERE, listener.port)
        link = await dial(ALICE, BOB.certificate, HERE, listener.port)
        alice, bob = End(link), End(await accepting)
        with pytest.raises(ConnectionRefusedError):
            await Raw.knock(listener.port, None)
        alice.link.say("it is me")
        await bob.until(texts=1)
        for one in (*silent, babbling, mallory, bare):
            await one.close()
        await leave(alice.link, bob.link)

    run(scenario())


def test_the_dialer_tells_nothing_to_another_than_was_announced() -> None:
    """Rows: X11 (partly)."""

    async def scenario() -> None:
        impostor = Identity(is_listener=True)
        listener = Listener(impostor, ALICE.certificate)
        accepting = asyncio.create_task(listener.accept(10))
        with pytest.raises(NoDirectPath):
            await dial(ALICE, BOB.certificate, HERE, listener.port)
        assert not accepting.done()
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)

    run(scenario())


def test_a_certificate_that_was_trusted_before_is_not_let_in() -> None:
    """Only the one that was announced last."""

    async def scenario() -> None:
        bob = Identity(is_listener=True)
        bob.expecting(MALLORY.certificate)
        listener = Listener(bob, ALICE.certificate)
        accepting = asyncio.create_task(listener.accept(10))
        mallory = await Raw.knock(listener.port, MALLORY.expecting(bob.certificate))
        assert await mallory.hears_nothing()
        await mallory.close()
        await leave(await dial(ALICE, bob.certificate, HERE, listener.port), await accepting)

    run(scenario())


def test_older_tls_is_not_spoken() -> None:
    """Rows: X11 (partly)."""

    async def scenario() -> None:
        listener = Listener(BOB, ALICE.certificate)
        accepting = asyncio.create_task(listener.accept(10))
        context = Identity(is_listener=False).expecting(BOB.certificate)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await Raw.knock(listener.port, context)
        assert not accepting.done()
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)

    run(scenario())


def test_a_listener_to_whom_nobody_comes_ends_by_itself() -> None:
    async def scenario() -> None:
        listener = Listener(BOB, ALICE.certificate)
        with pytest.raises(NoDirectPath, match="did not reach"):
            await listener.accept(0.01)
        with pytest.raises(ConnectionRefusedError):
            await Raw.knock(listener.port, None)

    run(scenario())


def test_addresses_are_tried_in_their_order_until_one_answers() -> None:
    """A name among them is not looked up, and one where nobody listens costs little."""

    async def scenario() -> None:
        listener = Listener(BOB, ALICE.certificate)
        accepting = asyncio.create_task(listener.accept(10))
        where = ["localhost", "no address", "127.0.0.250", *HERE]
        listener_elsewhere = socket.create_server(("127.0.0.251", 0))
        link = await dial(ALICE, BOB.certificate, where, listener.port)
        listener_elsewhere.close()
        await leave(link, await accepting)
        with pytest.raises(NoDirectPath, match=r"does not answer at localhost, 127\.0\.0\.1"):
            await dial(ALICE, BOB.certificate, ["localhost", *HERE], listener.port)
        with pytest.raises(NoDirectPath, match="no address"):
            await dial(ALICE, BOB.certificate, [], listener.port)

    run(scenario())


def test_a_path_that_is_silent_is_given_up() -> None:
    """Somebody accepts and says nothing, be it TLS or, after the handshake, a first line."""

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoDirectPath):
            await dial(ALICE, BOB.certificate, HERE, silent.getsockname()[1], patience_s=0.1)

        connections: list[asyncio.StreamWriter] = []

        def come(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)

        context = BOB.expecting(ALICE.certificate)
        async with await asyncio.start_server(come, "127.0.0.1", 0, ssl=context) as server:
            with pytest.raises(NoDirectPath):
                await dial(ALICE, BOB.certificate, HERE, server.sockets[0].getsockname()[1], patience_s=0.3)
            for writer in connections:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    run(scenario())


@pytest.mark.parametrize("bad", [b"", b"no certificate", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_certificate_is_a_sentence(bad: bytes) -> None:
    async def scenario() -> None:
        with pytest.raises(NoDirectPath, match="certificate"):
            Listener(Identity(is_listener=True), bad)
        with pytest.raises(NoDirectPath, match="certificate"):
            await dial(Identity(is_listener=False), bad, HERE, 1)

    run(scenario())


def test_a_key_stays_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows: X11 (partly)."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = Identity(is_listener=True), Identity(is_listener=True)
    assert list(tmp_path.iterdir()) == []
    assert first.certificate != second.certificate
    assert socket.gethostname().encode() not in first.certificate


BAD_LINES = [
    b"",
    b"{",
    b"hello",
    b"\xff\xfe",
    b'"PRIVATE"',
    b'{"type":"PRIVATE"}',
    b'{"type":"PRIVATE","text":7}',
    b'{"type":"PRIVATE","text":""}',
    b'{"type":"PRIVATE","text":"' + b"x" * (MAX_TEXT + 1) + b'"}',
    b'{"type":"MESSAGE","to":"bob","text":"hi"}',
    b"[" * 60_000,
    b'{"type":"PRIVATE","text":"\\ud800"}',
]


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: line[:20].decode(errors="replace"))
def test_a_bad_line_ends_the_link_with_a_reason(line: bytes) -> None:
    """Rows: X25 (partly)."""

    async def scenario() -> None:
        async with met_by_a_stranger_to_the_protocol() as (raw, bob):
            raw.writer.write(
                b'{"type":"PRIVATE","text":"good","new":1}\r\n' + line + b'\n{"type":"PRIVATE","text":"x"}\n'
            )
            await bob.until(ends=1)
            assert bob.texts == ["good"]
            assert bob.ends == [(False, ErrorCode.BAD_PACKET)]
            assert await raw.hear() == {"type": "PRIVATE-BYE", "code": "bad-packet"}
            assert await raw.reader.read() == b""

    run(scenario())


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_line_that_is_too_long_ends_the_link(ending: bytes) -> None:
    async def scenario() -> None:
        async with met_by_a_stranger_to_the_protocol() as (raw, bob):
            raw.writer.write(b"x" * MAX_LINE_BYTES + ending)
            await bob.until(ends=1)
            assert bob.ends == [(False, ErrorCode.TOO_LARGE)]
            assert await raw.hear() == {"type": "PRIVATE-BYE", "code": "too-large"}

    run(scenario())


def test_the_longest_text_goes_through_and_a_longer_one_does_not() -> None:
    async def scenario() -> None:
        async with met() as (alice, bob):
            longest = "x" * MAX_TEXT
            widest = "\U0001f600" * ((MAX_LINE_BYTES - len('{"type":"PRIVATE","text":""}\r\n')) // 4)
            for text in (longest, widest):
                alice.link.say(text)
            for text in ("", longest + "x", widest + "\U0001f600", "\ud800"):
                with pytest.raises(BadText):
                    alice.link.say(text)
            await bob.until(texts=2)
            assert bob.texts == [longest, widest]

    run(scenario())


def test_a_flood_waits_for_its_reader() -> None:
    """Neither end keeps more than a bounded part of it."""

    async def scenario() -> None:
        async with met() as (alice, bob):
            bob.link.pause()
            said = 0
            while not alice.link.is_full:
                alice.link.say("x" * MAX_TEXT)
                said += 1
                if said % 4 == 0:
                    await asyncio.sleep(0)
                assert said < 4000
            before = len(bob.texts)
            bob.link.resume()
            await alice.link.room()
            assert not alice.link.is_full
            await bob.until(texts=said)
            assert before < said

    run(scenario())


def test_pings_are_answered_but_not_hoarded_for_who_does_not_read() -> None:
    async def scenario() -> None:
        async with met_by_a_stranger_to_the_protocol() as (raw, bob):
            raw.writer.write(b'{"type":"PING","tag":"t"}\r\n')
            assert await raw.hear() == {"type": "PONG", "tag": "t"}
            raw.reader._transport.pause_reading()  # type: ignore[attr-defined]
            ping = b'{"type":"PING","tag":"' + b"t" * 64 + b'"}\n'
            while not bob.link.is_full:
                raw.writer.write(ping * 1000)
                await raw.writer.drain()
            raw.writer.write(ping * 1000 + b'{"type":"PRIVATE-BYE"}\n')
            await bob.until(ends=1)
            assert bob.ends == [(True, None)]

    run(scenario())


def test_whoever_vanishes_without_a_word_is_missed() -> None:
    """Rows: T52 (partly)."""

    async def scenario() -> None:
        async with met_by_a_stranger_to_the_protocol(pulse_s=0.02) as (raw, bob):
            await bob.until(ends=1)
            assert bob.ends == [(False, ErrorCode.IDLE)]
            pings = 0
            while (packet := await raw.hear()) == {"type": "PING"}:
                pings += 1
            assert packet == {"type": "PRIVATE-BYE", "code": "idle"}
            assert pings >= 3

    run(scenario())


def test_whoever_answers_the_pulse_is_not_missed() -> None:
    """Three pings unanswered would have been the end; these are answered, each."""

    async def scenario() -> None:
        async with met_by_a_stranger_to_the_protocol(pulse_s=0.05) as (raw, bob):
            for _ in range(6):
                assert await raw.hear() == {"type": "PING"}
                raw.writer.write(b'{"type":"PONG"}\n')
            assert bob.ends == []

    run(scenario())


def test_a_link_that_is_cut_is_told_at_once() -> None:
    """Rows: T52 (partly)."""

    async def scenario() -> None:
        async with met() as (alice, bob):
            alice.link.abort()
            await bob.until(ends=1)
            assert bob.ends == [(False, ErrorCode.OFFLINE)]

    run(scenario())


def test_own_addresses_are_addresses_of_this_machine() -> None:
    for address in own_addresses():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.create_server((address, 0), family=family):
            pass
