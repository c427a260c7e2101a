"""The two forms of one packet a line: a JSON object, or `TYPE key=value ...` (text.py).

A line ends with CRLF; LF alone is accepted.  Decoding gives a packet or raises one of two errors, for any bytes.

Source: rows M01, M02, T58.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from . import ClientPacket, ErrorCode, Packet, ServerPacket

LINE_END = b"\r\n"


class BadPacket(Exception):
    """The bytes are no packet of this direction.

    code: bad-packet (cannot be read), bad-request (known type, wrong fields).  request: its type when that could be
    read.  tag, cookie: those of the request when they could be read, for the answer.
    """

    def __init__(
        self,
        code: ErrorCode,
        reason: str,
        *,
        request: str | None = None,
        tag: str | None = None,
        cookie: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.code, self.reason, self.request, self.tag, self.cookie = code, reason, request, tag, cookie


class UnknownPacket(Exception):
    """A well-formed packet of a type that this direction does not have.  Answer: ERROR-NOT-IMPLEMENTED."""

    def __init__(self, request: str, tag: str | None = None) -> None:
        super().__init__(request)
        self.request, self.tag = request, tag


class Codec(Protocol):
    """One form of the line.  Lines are without their end when decoded and with it when encoded."""

    def encode(self, packet: Packet) -> bytes:
        """The packet as one line, its end included."""
        ...

    def decode_client(self, line: bytes) -> ClientPacket:
        """Raises BadPacket or UnknownPacket, nothing else."""
        ...

    def decode_server(self, line: bytes) -> ServerPacket:
        """Raises BadPacket or UnknownPacket, nothing else."""
        ...


class Header(msgspec.Struct, gc=False):
    """What a refusal needs of a packet that could not be decoded."""

    type: str
    tag: Any = None
    cookie: Any = None


_header = msgspec.json.Decoder(Header)


def _short(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= 64 else None


def explain(error: Exception, header: Header, known: frozenset[str]) -> BadPacket | UnknownPacket:
    """Turn a validation error into the refusal that names the request."""
    tag = _short(header.tag)
    if header.type not in known:
        return UnknownPacket(header.type[:64], tag)
    return BadPacket(
        ErrorCode.BAD_REQUEST, str(error)[:300], request=header.type, tag=tag, cookie=_short(header.cookie)
    )


def names_of(union: Any) -> frozenset[str]:
    """All packet names of one direction."""
    return frozenset(str(t.__struct_config__.tag) for t in union.__args__)


CLIENT_NAMES = names_of(ClientPacket)
SERVER_NAMES = names_of(ServerPacket)


class JsonCodec:
    """One JSON object a line."""

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._client: Any = msgspec.json.Decoder(ClientPacket)
        self._server: Any = msgspec.json.Decoder(ServerPacket)

    def encode(self, packet: Packet) -> bytes:
        return self._encode(packet) + LINE_END

    def decode_client(self, line: bytes) -> ClientPacket:
        try:
            return self._client.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._refusal(error, line, CLIENT_NAMES) from None

    def decode_server(self, line: bytes) -> ServerPacket:
        try:
            return self._server.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._refusal(error, line, SERVER_NAMES) from None

    @staticmethod
    def _refusal(error: Exception, line: bytes, known: frozenset[str]) -> BadPacket | UnknownPacket:
        try:
            header = _header.decode(line)
        except msgspec.ValidationError:
            return BadPacket(ErrorCode.BAD_PACKET, "A packet is a JSON object with a `type`.")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return BadPacket(ErrorCode.BAD_PACKET, "The line is not JSON.")
        return explain(error, header, known)
