"""Writes all of protocol/ and docs/protocol.md from the Structs of src/veche/packets.

The prose of the page is tools/protocol.md.in, the examples are those of tools/examples.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec
from msgspec import inspect

from veche.packets import ERROR_TEXT, ClientPacket, Packet, ServerPacket
from veche.packets.codec import JsonCodec
from veche.packets.text import TextCodec

from .examples import CLIENT_EXAMPLES, SERVER_EXAMPLES
from .generated import write_or_check
from .structs import FieldDoc, StructDoc, direction, error_docs, struct_docs, without_none
from .typescript import quoted, typescript

TEMPLATE = Path(__file__).with_name("protocol.md.in")
AREAS = {
    "link": "The link",
    "account": "Accounts",
    "message": "Messages",
    "contacts": "Contacts and friends",
    "presence": "Presence",
    "profile": "Profiles",
    "blocking": "Blocking",
    "broadcast": "Broadcasts",
    "files": "Files",
    "private": "Private sessions",
    "admin": "Administration",
    "classic": "The classic terminal",
}
"""Titles of the modules; a module without one is called by its name."""

JSON, TEXT = JsonCodec(), TextCodec()


def main() -> int:
    return write_or_check(protocol_files(), "protocol")


def protocol_files() -> dict[str, str]:
    """Every generated file by its name below the root."""
    return {
        "protocol/schema.json": schema(),
        "protocol/packets.ts": typescript(),
        "protocol/examples.jsonl": examples(),
        "docs/protocol.md": page(),
    }


def schema() -> str:
    """JSON Schema of both directions, with the parts they are made of."""
    (client, server), parts = msgspec.json.schema_components(
        (ClientPacket, ServerPacket), ref_template="#/$defs/{name}"
    )
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Veche protocol",
        "description": "ClientPacket: all that a client may send. ServerPacket: all that a server may send.",
        "$defs": {"ClientPacket": client, "ServerPacket": server, **parts},
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def examples() -> str:
    """One packet a line: who sends it, its JSON form as an object, its text form as a string."""
    lines = [example("client", packet) for packet in CLIENT_EXAMPLES]
    lines += [example("server", packet) for packet in SERVER_EXAMPLES]
    return "\n".join(lines) + "\n"


def example(sender: str, packet: Packet) -> str:
    return f'{{"from":"{sender}","json":{json_line(packet)},"text":{quoted(text_line(packet))}}}'


def json_line(packet: Packet) -> str:
    return JSON.encode(packet).decode().rstrip("\r\n")


def text_line(packet: Packet) -> str:
    return TEXT.encode(packet).decode().rstrip("\r\n")


# -- docs/protocol.md


def page() -> str:
    text = TEMPLATE.read_text(encoding="utf-8")
    head, _, text = text.partition("-->\n")  # the template's word to its editor
    assert head.startswith("<!--")
    return text.replace("@ERRORS@", errors()).replace("@PACKETS@", packets())


def errors() -> str:
    lines = ["| code | text | what to do |", "|---|---|---|"]
    lines += [f"| `{code}` | {ERROR_TEXT[code]} | {cell(doc)} |" for code, doc in error_docs()]
    return "\n".join(lines)


def packets() -> str:
    lines: list[str] = []
    area = ""
    for doc in struct_docs():
        module = doc.cls.__module__.rpartition(".")[2]
        if module != area:
            area = module
            lines += [f"### {AREAS.get(module, module.capitalize())}", ""]
        lines += section(doc)
    return "\n".join(lines).rstrip("\n")


def section(doc: StructDoc) -> list[str]:
    """A packet: who sends it, what it is for, its fields, one example."""
    title = f"`{doc.tag}` {direction(doc.cls)}" if doc.tag else f"`{doc.cls.__name__}` (a part of packets)"
    lines = [f"#### {title}", "", doc.doc, ""]
    if doc.fields:
        lines += ["| field | type | meaning |", "|---|---|---|"]
        lines += [f"| `{field.name}` | {type_and_limits(field)} | {cell(field.doc)} |" for field in doc.fields]
        lines.append("")
    shown = next((one for one in (*CLIENT_EXAMPLES, *SERVER_EXAMPLES) if type(one) is doc.cls), None)
    if shown is not None:
        lines += ["```", json_line(shown), text_line(shown), "```", ""]
    return lines


def type_and_limits(field: FieldDoc) -> str:
    """`text, 1 to 64; optional`."""
    if field.is_required:
        return type_of(field.type)
    has_default = field.default not in (None, "", [])
    return type_of(field.type) + (f"; default `{json.dumps(field.default)}`" if has_default else "; optional")


def type_of(kind: inspect.Type) -> str:
    kind = without_none(kind)
    match kind:
        case inspect.StrType():
            return "text" + limits(kind.min_length, kind.max_length, "{} to {}", "at least {}", "at most {}")
        case inspect.IntType():
            return "integer" + limits(kind.ge, kind.le, "{} to {}", "from {}", "to {}")
        case inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.ListType():
            return f"list of {type_of(kind.item_type)}"
        case inspect.StructType() | inspect.EnumType():
            return f"`{kind.cls.__name__}`"
        case _:
            raise TypeError(f"docs/protocol.md has no word for {kind}.")


def limits(low: int | None, high: int | None, both: str, only_low: str, only_high: str) -> str:
    """`, 1 to 64`, or nothing."""
    match low, high:
        case None, None:
            return ""
        case _, None:
            return ", " + only_low.format(low)
        case None, _:
            return ", " + only_high.format(number(high))
        case _:
            return ", " + both.format(low, number(high))


def number(value: int | None) -> str:
    return "2⁵³ - 1" if value == 2**53 - 1 else f"{value:,}"


def cell(text: str) -> str:
    """Text as it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main())
