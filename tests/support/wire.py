"""Alice, bob and mallory: a blocking client that speaks packets over a real socket, to a real server.

It knows nothing of the client library, so it tests the server alone.
"""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import time
from typing import Any

from veche.core.scram import ClientScram, SaltedKeys

ANY = object()
_counter = itertools.count(1)


def unique(name: str) -> str:
    """A login that no other test has."""
    return f"{name}{next(_counter)}"


class Wire:
    """One connection."""

    def __init__(self, port: int, *, tls: bool = True, alpn: str | None = "veche/1", timeout_s: float = 10.0) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout_s, source_address=(home.address, 0))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.der = b""
        self.peer = port
        """The server's port."""
        home.wires.append(self)
        self.socket: socket.socket = raw
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            if alpn is not None:
                context.set_alpn_protocols([alpn])
            wrapped = context.wrap_socket(raw, server_hostname="localhost")
            self.der = wrapped.getpeercert(binary_form=True) or b""
            self.socket = wrapped
        self._buffer = b""
        self.login = ""
        self.address = ""
        self.resume = ""
        self.snapshot: dict[str, Any] = {}
        self.replayed: list[dict[str, Any]] = []

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def kill(self) -> None:
        """Vanish without a word, as a lost network does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    # -- bytes and packets

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, type: str, **fields: Any) -> None:
        fields = {name.rstrip("_"): value for name, value in fields.items()}
        self.write(json.dumps({"type": type, **fields}).encode() + b"\r\n")

    def has_line(self) -> bool:
        """A line has arrived and was not taken yet."""
        return b"\n" in self._buffer

    def line(self) -> bytes | None:
        """The next line; None when the server has closed."""
        while b"\n" not in self._buffer:
            try:
                data = self.socket.recv(65536)
            except (ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return None
            if not data:
                return None
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def receive(self) -> dict[str, Any]:
        """The next packet."""
        line = self.line()
        assert line is not None, "the server closed the link"
        return json.loads(line)

    def expect(self, type: str, **fields: Any) -> dict[str, Any]:
        """The next packet, which must be of this type and hold these values (ANY: whatever, but there)."""
        packet = self.receive()
        assert packet["type"] == type, packet
        for name, value in fields.items():
            name = name.rstrip("_")
            assert name in packet, packet
            assert value is ANY or packet[name] == value, packet
        return packet

    def until(self, type: str) -> list[dict[str, Any]]:
        """All packets up to and with the next one of this type."""
        found = [self.receive()]
        while found[-1]["type"] != type:
            found.append(self.receive())
        return found

    def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """Send a request with a tag and return its answer, passing over what comes between."""
        tag = f"t{next(_counter)}"
        self.send(type, tag=tag, **fields)
        while True:
            packet = self.receive()
            if packet.get("tag") == tag:
                return packet

    def expect_nothing(self, but: tuple[str, ...] = ()) -> None:
        """Nothing was sent: a marker sent now comes back first."""
        tag = f"t{next(_counter)}"
        self.send("PING", tag=tag)
        while True:
            packet = self.receive()
            if packet["type"] in but:
                continue
            assert packet == {"type": "PONG", "tag": tag}, packet
            return

    def is_closed(self) -> bool:
        """The server closed the link; what it still said is skipped."""
        self.socket.settimeout(10.0)
        while self.line() is not None:
            pass
        return True

    # -- accounts

    def register(self, login: str, password: str = "a password", **fields: Any) -> dict[str, Any]:
        self.send("REGISTER", login=login, password=password, **fields)
        return self.receive()

    def scram(
        self,
        login: str,
        password: str,
        *,
        mechanism: str = "SCRAM-SHA-256",
        binding: bytes | None = None,
        keys: SaltedKeys | None = None,
        offers_plus: bool = False,
        **fields: Any,
    ) -> dict[str, Any]:
        """The whole dialogue; returns CONNECT-OK or CONNECT-FAILED."""
        client = ClientScram(
            login,
            password,
            f"nonce{time.monotonic_ns()}",
            mechanism=mechanism,
            binding=binding,
            server_offers_plus=offers_plus,
            keys=keys,
        )
        self.send("CONNECT", login=login, mechanism=mechanism, message=client.first(), **fields)
        answer = self.receive()
        if answer["type"] != "CONNECT-ACK":
            return answer
        self.send("CONNECT-CONTINUE", hash=client.answer(answer["salt"], answer["iterations"], answer["nonce"]))
        answer = self.receive()
        if answer["type"] == "CONNECT-OK":
            client.check(answer["signature"])
        return answer

    def connect(self, login: str, password: str = "a password", **fields: Any) -> Wire:
        """Log in and take the snapshot and the replay."""
        return self.connected(self.scram(login, password, **fields))

    def connected(self, answer: dict[str, Any]) -> Wire:
        assert answer["type"] == "CONNECT-OK", answer
        self.address = answer["login"]
        self.login = self.address.split("@")[0]
        self.resume = answer["resume"]
        self.snapshot = self.expect("SNAPSHOT")
        self.replayed = []
        for packet in self.until("REPLAY-END")[:-1]:
            if packet["type"] == "SNAPSHOT":  # the link was full for a while: a fresh one
                self.snapshot = packet
            else:
                self.replayed.append(packet)
        return self

    def resumed(self, token: str, **fields: Any) -> Wire:
        self.send("CONNECT", mechanism="RESUME", token=token, **fields)
        return self.connected(self.receive())

    # -- messages

    def say(self, to: str, text: str, **fields: Any) -> dict[str, Any]:
        """Send a message and wait until it is stored."""
        self.send("MESSAGE", to=to, text=text, **fields)
        while True:
            packet = self.receive()
            if packet["type"] in ("MESSAGE-SENT", "MESSAGE-SEND-FAILED"):
                assert packet["type"] == "MESSAGE-SENT", packet
                return packet


class Home:
    """Where the people of a test connect from.  Each test has an address of its own, since failures lock addresses."""

    address = "127.0.0.1"

    def __init__(self) -> None:
        self.wires: list[Wire] = []

    def leave(self) -> None:
        """Close what a test left open."""
        for wire in self.wires:
            wire.close()
        self.wires.clear()

    def move(self) -> None:
        n = next(_counter)
        self.address = f"127.1.{n // 250 % 250}.{n % 250 + 2}"


home = Home()


def newcomer(port: int, name: str, *, device: str | None = "first", **fields: Any) -> Wire:
    """A fresh account, logged in."""
    login = unique(name)
    wire = Wire(port)
    answer = wire.register(login)
    assert answer["type"] == "REGISTER-OK", answer
    if device is not None:
        fields["device"] = device
    return wire.connect(login, **fields)
