"""The text form of a packet: `TYPE key=value key="quoted value"`, for people, netcat and small programs.

- TYPE first, in capitals; then pairs, set apart by spaces.  A comma after a value is tolerated (row M46).
- A value is a bare word, or stands in double or single quotes.  A backslash escapes everywhere: `\\n`, `\\r`, `\\t`,
  `\\uXXXX` (two of them for what lies beyond U+FFFF), and any character that is neither letter nor digit, itself.
- The value of a text field is the text itself; every other value is its JSON: `5`, `true`, `"[1,2]"`.
- Keys are the names of the JSON form, but ERROR-NOT-IMPLEMENTED's `request_type` is written `type` (row M02).
- A field that holds its default is left out; an unknown key is skipped.

Source: document 003 (rows M01, M02, M46).
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec
from msgspec import inspect

from . import ClientPacket, ErrorCode, Packet, ServerPacket, packet_types, type_name
from .codec import CLIENT_NAMES, LINE_END, SERVER_NAMES, BadPacket, Header, explain

TEXT_NAMES = {"request_type": "type"}
"""Fields whose key in the text form is not their JSON name."""

_TYPE = re.compile(r"[ \t]*+([A-Z][A-Z0-9-]*+)(?=[ \t]|\Z)")
_GAP = re.compile(r"[ \t]*+,?[ \t]*+")
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*+)=")
_QUOTED = r"""\"(?:[^"\\]++|\\.)*" | '(?:[^'\\]++|\\.)*'"""
_VALUE = re.compile(rf"""(?: [^ \t"'\\,]++ | ,(?![ \t]|\Z) | \\. | {_QUOTED} )*""", re.VERBOSE | re.DOTALL)
_PART = re.compile(rf"""({_QUOTED}) | ((?:[^"'\\]++|\\.)+)""", re.VERBOSE | re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
# Of the alternatives in a group only one can match at a place, and what repeats one character is possessive: no line
# takes longer than its length.  (A group is not: Python before 3.11.5 matches possessive groups wrongly.)
# A comma before a space or the end is no part of a value.

_BARE = re.compile(r"[\w.@:/+=-]+")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
_ESCAPES = {
    **{code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)},
    **{ord(meaning): f"\\{letter}" for letter, meaning in _LETTERS.items()},
    ord("\\"): r"\\",
}


class TextCodec:
    """One `TYPE key=value ...` a line."""

    def __init__(self) -> None:
        self._client = {type_name(cls): _Shape(cls) for cls in packet_types(ClientPacket)}
        self._server = {type_name(cls): _Shape(cls) for cls in packet_types(ServerPacket)}

    def encode(self, packet: Packet) -> bytes:
        fields: dict[str, Any] = msgspec.to_builtins(packet)
        words = [fields.pop("type")]
        words += [f"{TEXT_NAMES.get(name, name)}={_written(value)}" for name, value in fields.items()]
        return " ".join(words).encode() + LINE_END

    def decode_client(self, line: bytes) -> ClientPacket:
        return self._decode(line, self._client, CLIENT_NAMES)

    def decode_server(self, line: bytes) -> ServerPacket:
        return self._decode(line, self._server, SERVER_NAMES)

    @staticmethod
    def _decode(line: bytes, shapes: dict[str, _Shape], known: frozenset[str]) -> Any:
        name, pairs = parse(line)
        shape = shapes.get(name)
        try:
            if shape is None:
                raise msgspec.ValidationError(name)
            return shape.filled(pairs)
        except msgspec.ValidationError as error:
            raise explain(error, Header(name, pairs.get("tag"), pairs.get("cookie")), known) from None


class _Shape:
    """How the pairs of one packet type become its Struct."""

    def __init__(self, cls: type[Packet]) -> None:
        info = cast("inspect.StructType", inspect.type_info(cls))
        self.cls = cls
        self.fields = {
            TEXT_NAMES.get(field.encode_name, field.encode_name): (field.encode_name, _is_text(field.type))
            for field in info.fields
        }

    def filled(self, pairs: dict[str, str]) -> Packet:
        """Raises msgspec.ValidationError."""
        values: dict[str, Any] = {}
        for key, value in pairs.items():
            if key in self.fields:
                name, is_text = self.fields[key]
                values[name] = value if is_text else _json_or_text(value)
        return msgspec.convert(values, self.cls)


def _is_text(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _is_text(kind.type)
    if isinstance(kind, inspect.UnionType):
        return any(_is_text(member) for member in kind.types)
    return isinstance(kind, inspect.StrType | inspect.EnumType)


def _json_or_text(value: str) -> Any:
    """What is no JSON stays text, and is refused as such by the field's type."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def parse(line: bytes) -> tuple[str, dict[str, str]]:
    """The type and the pairs of a line; of a repeated key the last.  Raises BadPacket."""
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _unreadable("The line is not UTF-8.") from None
    start = _TYPE.match(text)
    if start is None:
        raise _unreadable("A line is TYPE key=value ..., TYPE in capitals.")
    pairs: dict[str, str] = {}
    at = start.end()
    while (after := _end(_GAP, text, at)) < len(text):
        key = _KEY.match(text, after)
        if key is None or after == at:
            if text[after] in "\"'":
                raise _unreadable(f"The quote at character {after + 1} is not closed.")
            raise _unreadable(f"Expected key=value at character {after + 1}; a value with spaces stands in quotes.")
        at = _end(_VALUE, text, key.end())
        pairs[key[1]] = _meant(text[key.end() : at])
    return start[1], pairs


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where the match of a pattern ends that always matches, if only nothing."""
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _meant(value: str) -> str:
    """A value without its quotes and escapes."""
    if '"' not in value and "'" not in value and "\\" not in value:
        return value
    parts = (quoted[1:-1] if quoted else bare for quoted, bare in _PART.findall(value))
    text = "".join(_ESCAPE.sub(_unescaped, part) for part in parts)
    try:  # two \uXXXX may make one character; half of such a pair is none
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise _unreadable("Half of a surrogate pair is no character.") from None


def _unescaped(found: re.Match[str]) -> str:
    code, letter = found.groups()
    if code:
        return chr(int(code, 16))
    if letter.isalnum() and letter not in _LETTERS:
        raise _unreadable(f"There is no escape \\{letter}.")
    return _LETTERS.get(letter, letter)


def _unreadable(reason: str) -> BadPacket:
    return BadPacket(ErrorCode.BAD_PACKET, reason)


def _written(value: Any) -> str:
    """A field's value as it stands after `key=`."""
    if not isinstance(value, str):
        text = msgspec.json.encode(value).decode()
        return text if isinstance(value, int | float | None) else _quoted(text)
    return value if _BARE.fullmatch(value) else _quoted(value)


def _quoted(text: str) -> str:
    quote = "'" if '"' in text and "'" not in text else '"'
    return quote + text.translate(_ESCAPES).replace(quote, "\\" + quote) + quote
