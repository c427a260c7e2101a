"""Veche itself, as `veche serve` starts it."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from .. import machine, scram
from ..link import L, Link, WebLink, open_link
from .base import Frames, Peer

PASSWORD = "correct horse"
ITERATIONS = 4096
DEVICE = "bench"
DELIVERY = b'"type":"MESSAGE",'
"""No other packet of the server has it: msgspec writes the type first, and quotes in a text are escaped."""
CONFIRMATION = b'"type":"MESSAGE-SENT"'
REFUSAL = b'"type":"MESSAGE-SEND-FAILED"'
DELIVERY_ID = DELIVERY + b'"id":'
MANY = 50
"""From so many accounts on they are written into the database before the start, not registered one by one."""


def command() -> Path:
    return Path(sys.executable).with_name("veche")


def serve_command(folder: Path, port: int, *more: str) -> list[str | Path]:
    return [
        *(command(), "serve", "--data", folder, "--listen", f"127.0.0.1:{port}"),
        *(
            "--registration",
            "open",
            "--scram-iterations",
            str(ITERATIONS),
            "--message-rate",
            "0",
            "--conference-rate",
            "0",
            *more,
        ),
    ]


class VecheLink(Link):
    """Option ack=N: after N deliveries at least, it acknowledges the last one that is complete."""

    def __init__(self, acknowledge_after: int) -> None:
        super().__init__()
        self.last_step = b""
        """The packet that completes the login, when that is left for later."""
        self._acknowledge_after = acknowledge_after
        self._unacknowledged = 0

    def _count(self, data: bytes) -> int:
        found = super()._count(data)
        if self._acknowledge_after:
            self._unacknowledged += found
            if self._unacknowledged >= self._acknowledge_after:
                self._acknowledge(data)
        return found

    def _acknowledge(self, data: bytes) -> None:
        at = data.rfind(DELIVERY_ID, 0, data.rfind(b"\n") + 1)
        if at < 0:  # none of them is whole in these bytes: next time
            return
        at += len(DELIVERY_ID)
        self.write(b'{"type":"MESSAGE-DELIVERED","id":%b}\r\n' % data[at : data.index(b",", at)])
        self._unacknowledged = 0


class Veche(Peer):
    """Options: cookies=1 (every message has its own cookie, as clients send them), ack=N (receivers acknowledge)."""

    name = "veche"
    persist_modes = ("sqlite",)
    options = frozenset({"cookies", "ack"})
    marker = DELIVERY
    confirmation = CONFIRMATION

    @classmethod
    def missing(cls) -> str | None:
        if not command().exists():
            return "veche is not installed beside this Python (pip install -e .)"
        tried = subprocess.run([command(), "serve", "--help"], capture_output=True, text=True, timeout=60, check=False)
        if tried.returncode == 0:
            return None
        return "veche does not run: " + (tried.stderr.strip().splitlines() or ["no word why"])[-1]

    async def start(self) -> None:
        check_markers()
        users = self.setup.plan.users
        data = self.folder / "data"
        if len(users) >= MANY:
            await asyncio.to_thread(fill, data, users)
        process = machine.spawn(serve_command(data, self.port), self.log)
        self.processes.append(process)
        await machine.wait_for_line(b"ready", process, self.log)
        if len(users) < MANY:
            await self._register(users)

    async def _register(self, users: Sequence[str]) -> None:
        waiting = iter(users)

        async def work() -> None:
            link = await self._open()
            for user in waiting:
                link.write(packet_of(type="REGISTER", login=user, password=PASSWORD))
                await _packet(link, "REGISTER-OK")
            link.close()

        await asyncio.gather(*(work() for _ in range(4)))

    async def _open(self) -> VecheLink:
        after = int(self.setup.options.get("ack", 0))
        return await open_link(self.port, self.setup.tls, lambda: VecheLink(after))

    async def connect(self, user: str, *, present: bool = True) -> Link:
        return await self._log_in(await self._open(), user, present=present)

    async def connect_web(self, user: str) -> Link:
        """As a browser does."""
        link = await open_link(self.port, self.setup.tls, WebLink)
        await link.shake_hands(b"/ws")
        return await self._log_in(link, user)

    async def _log_in(self, link: L, user: str, *, present: bool = True) -> L:
        exchange = scram.Exchange("sha256", user, PASSWORD)
        link.write(
            packet_of(type="CONNECT", login=user, mechanism="SCRAM-SHA-256", message=exchange.first, device=DEVICE)
        )
        ack = await _packet(link, "CONNECT-ACK")
        server_first = f"r={ack['nonce']},s={ack['salt']},i={ack['iterations']}"
        _, proof, signature = exchange.answer(server_first)
        last_step = packet_of(type="CONNECT-CONTINUE", hash=proof)
        if not present:
            assert isinstance(link, VecheLink)
            link.last_step = last_step
            return link
        link.write(last_step)
        ok = await _packet(link, "CONNECT-OK")
        if ok.get("signature") != signature:
            raise RuntimeError("the server does not know the password")
        await link.expect(b'"type":"REPLAY-END"')
        await link.expect(b"\n")
        return link

    def ask_for_stored(self, link: Link) -> None:
        """A login brings what was missed by itself, so the last step of the login is what asks for it."""
        assert isinstance(link, VecheLink)
        link.write(link.last_step)

    def message(self, sender: str, receiver: str, body: str) -> Frames:
        if not self.setup.options.get("cookies"):
            frame = packet_of(type="MESSAGE", to=receiver, text=body)
            return lambda count: frame * count
        # the cookie must not repeat, so the frames are put together as they are needed; it costs the generator 0.3 µs
        start = packet_of(type="MESSAGE", to=receiver, text=body)[:-3] + b',"cookie":"%s-' % sender.encode()
        numbers = itertools.count(1)
        return lambda count: b"".join([b'%b%d"}\r\n' % (start, number) for number in itertools.islice(numbers, count)])

    async def taken_in(self, link: Link, count: int) -> None:
        """MESSAGE-SENT says that the message is on the disk."""
        for _ in range(count):
            said = await link.expect(CONFIRMATION, REFUSAL, patience=60)
            if said.endswith(REFUSAL):
                raise RuntimeError(f"refused: {(await link.expect(b'}'))!r}")


def check_markers() -> None:
    """The harness does not parse, so it must be sure of what it counts."""
    from veche.packets import ServerPacket, message, packet_types, type_name
    from veche.packets.codec import JsonCodec

    if [kind for kind in packet_types(ServerPacket) if type_name(kind) == "MESSAGE"] != [message.Message]:
        raise AssertionError("MESSAGE is no longer one packet")
    encode = JsonCodec().encode
    delivery = encode(message.Message(id=1, seq=1, from_="a@x", to="b@x", at="", text='"type":"MESSAGE",'))
    sent = encode(message.MessageSent(id=1, seq=1, at=""))
    if delivery.count(DELIVERY_ID) != 1 or delivery.count(DELIVERY) != 1 or DELIVERY in sent:
        raise AssertionError(f"the marker does not fit {delivery!r}")
    if CONFIRMATION not in sent or CONFIRMATION in delivery:
        raise AssertionError(f"the marker does not fit {sent!r}")


def fill(
    data: Path,
    users: Sequence[str],
    messages: int = 0,
    friends: Sequence[tuple[str, str]] = (),
    *,
    star: bool = False,
) -> None:
    """Make a database with these accounts, friendships and messages, in a process of its own.

    star: the first account talks with each other one; else neighbours talk in pairs.
    """
    order = {"data": str(data), "users": list(users), "messages": messages, "friends": list(friends), "star": star}
    subprocess.run(
        [sys.executable, "-m", "bench.fill"],
        input=msgspec.json.encode(order),
        check=True,
        cwd=Path(__file__).parents[2],
    )


def packet_of(**fields: Any) -> bytes:
    """One line."""
    return msgspec.json.encode(fields) + b"\r\n"


async def _packet(link: Link, wanted: str) -> dict[str, Any]:
    """The next packet of that type.  A refusal is an error."""
    while True:
        packet = msgspec.json.decode(await link.expect(b"\n"))
        if packet["type"] == wanted:
            return packet
        if packet["type"].endswith("-FAILED") or packet["type"] in ("ERROR", "GOODBYE"):
            raise RuntimeError(f"expected {wanted}, got {packet}")


async def ask(link: Link, answer: str, **request: Any) -> dict[str, Any]:
    """Send a packet; the answer of that type.  A refusal is an error."""
    link.write(packet_of(**request))
    return await _packet(link, answer)
