"""The bytes of files, by plain HTTPS: it knows nothing of the client library, so it tests the server alone."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterable
from typing import Any, NamedTuple

from .server import ServerProcess
from .wire import Wire, home


class Reply(NamedTuple):
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Status and code of a refusal."""
        return f"{self.status} {self.json['code']}"


def secured(port: int, alpn: str | None = "http/1.1") -> ssl.SSLSocket:
    """A TLS connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn is not None:
        context.set_alpn_protocols([alpn])
    raw = socket.create_connection(("127.0.0.1", port), 30, source_address=(home.address, 0))
    return context.wrap_socket(raw, server_hostname="localhost")


def http_request(port: int, method: str, url: str, body: bytes | Iterable[bytes] = b"", **headers: str) -> Reply:
    """One request on a connection of its own; `Upload_Offset="5"` is a header."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.sock = secured(port)
    try:
        connection.request(method, url, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return Reply(response.status, dict(response.headers), response.read())
    finally:
        connection.close()


def port_of(wire: Wire) -> int:
    """Of its server."""
    return wire.socket.getpeername()[1]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def begin(wire: Wire, data: bytes, name: str = "file.bin", **fields: Any) -> dict[str, Any]:
    """Ask for a place for a file."""
    return wire.ask("FILE-UPLOAD", name=name, bytes=len(data), **fields)


def put(wire: Wire, url: str, data: bytes, offset: int = 0) -> Reply:
    return http_request(port_of(wire), "PUT", url, data, Upload_Offset=str(offset))


def upload(wire: Wire, data: bytes, name: str = "file.bin", **fields: Any) -> dict[str, Any]:
    """Send a file to be kept; returns what everyone is told of it."""
    answer = begin(wire, data, name, **fields)
    assert answer["type"] == "FILE-UPLOAD-OK", answer
    reply = put(wire, answer["url"], data)
    assert reply.status == 200, reply
    assert reply.json["complete"]
    return reply.json["file"]


def url_of(wire: Wire, id: str, **fields: Any) -> str:
    """Where a file can be fetched; empty when it cannot."""
    answer = wire.ask("FILE-DOWNLOAD", id=id, **fields)
    if answer["type"] == "FILE-DOWNLOAD-FAILED":
        assert answer["code"] == "unknown-id"
    return answer.get("url", "")


def get(wire: Wire, url: str, **headers: str) -> Reply:
    return http_request(port_of(wire), "GET", url, b"", **headers)


def fetched(wire: Wire, id: str, **fields: Any) -> bytes:
    """The bytes of a file."""
    reply = get(wire, url_of(wire, id, **fields))
    assert reply.status == 200, reply
    return reply.body


# -- from one to another


def offered(sender: Wire, receiver: Wire, name: str = "notes.txt", size: int = 1000, **fields: Any) -> str:
    """One offers a file, the other is asked; returns the id."""
    asked = sender.ask("SEND-FILE-PROXY", to=receiver.login, filename=name, size=size, **fields)
    assert asked["type"] == "SEND-FILE-PROXY-ASKED", asked
    assert asked["to"] == receiver.address
    request = receiver.until("SEND-FILE-PROXY-REQUEST")[-1]
    assert request["transfer-id"] == asked["transfer-id"]
    assert (request["from"], request["size"]) == (sender.address, size)
    return asked["transfer-id"]


def answer(wire: Wire, kind: str, id: str) -> dict[str, Any]:
    return wire.ask(f"SEND-FILE-PROXY-{kind}", **{"transfer-id": id})


def accepted(sender: Wire, receiver: Wire, id: str) -> dict[str, Any]:
    """The receiver says yes; returns what the sender is told."""
    assert answer(receiver, "ACCEPT", id)["type"] == "SEND-FILE-PROXY-ACCEPT-OK"
    told = sender.until("SEND-FILE-PROXY-OK")[-1]
    assert told["transfer-id"] == id
    return told


# -- the disk of a server


def kept(server: ServerProcess) -> set[str]:
    """Names of all files that hold bytes of files."""
    folders = [server.data / folder for folder in ("files", "passing")]
    return {found.name for folder in folders for found in folder.rglob("*") if found.is_file()}
