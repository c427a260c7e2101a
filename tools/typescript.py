"""protocol/packets.ts: the packets for programs in TypeScript, with the docstrings as comments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from inspect import cleandoc
from typing import Any

from msgspec import inspect

from veche.packets import ERROR_TEXT, MAX_LINE_BYTES, MAX_TEXT, ClientPacket, ServerPacket, packet_types

from .structs import FieldDoc, StructDoc, attribute_docs, struct_docs, without_none

HEAD = f"""\
// What crosses a wire, one JSON object a line (docs/protocol.md).
// Written by tools/typescript.py from src/veche/packets; do not edit.  python3 dev.py protocol

/** Longest line a client may send, in bytes, its end included. */
export const MAX_LINE_BYTES = {MAX_LINE_BYTES};
/** Longest text of one message, in code points. */
export const MAX_TEXT = {MAX_TEXT};
"""


def typescript() -> str:
    docs = struct_docs()
    enums = dict.fromkeys(cls for doc in docs for field in doc.fields for cls in enums_of(field.type))
    parts = [HEAD, *(enum(cls) for cls in enums), error_texts()]
    parts += [interface(doc) for doc in docs]
    parts += [
        union("ClientPacket", "All that a client may send.", ClientPacket),
        union("ServerPacket", "All that a server may send.", ServerPacket),
    ]
    return "\n".join(parts)


def enums_of(kind: inspect.Type) -> Iterator[type[Enum]]:
    match without_none(kind):
        case inspect.EnumType(cls=cls):
            yield cls
        case _:
            pass


def enum(cls: type[Enum]) -> str:
    """The values that an enumeration may have, each with what it says about itself."""
    docs = attribute_docs(cls)
    lines = [*comment(cleandoc(cls.__doc__ or ""), ""), f"export type {cls.__name__} ="]
    for member in cls:
        lines += comment(docs.get(member.name, ""), "  ")
        lines.append(f"  | {quoted(member.value)}")
    lines[-1] += ";"
    return "\n".join([*lines, ""])


def error_texts() -> str:
    lines = ["/** The English text of each code. */", "export const ERROR_TEXT: Record<ErrorCode, string> = {"]
    lines += [f"  {quoted(code)}: {quoted(text)}," for code, text in ERROR_TEXT.items()]
    return "\n".join([*lines, "};", ""])


def interface(doc: StructDoc) -> str:
    lines = [*comment(doc.doc, ""), f"export interface {doc.cls.__name__} {{"]
    if doc.tag is not None:
        lines.append(f"  type: {quoted(doc.tag)};")
    for field in doc.fields:
        lines += comment(about(field), "  ")
        name = field.name if field.name.isidentifier() else quoted(field.name)
        lines.append(f"  {name}{'' if field.is_required else '?'}: {type_of(field.type)};")
    return "\n".join([*lines, "}", ""])


def about(field: FieldDoc) -> str:
    """A field's docstring, and its default when leaving it out means something."""
    if field.default in (None, "", []):
        return field.doc
    default = f"Default: {json.dumps(field.default)}."
    if not field.doc:
        return default
    return f"{field.doc}{'' if field.doc.endswith('.') else '.'} {default}"


def comment(text: str, indent: str) -> list[str]:
    lines = text.replace("*/", "* /").splitlines()
    if len(lines) < 2:
        return [f"{indent}/** {line} */" for line in lines]
    return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]


def type_of(kind: inspect.Type) -> str:
    match without_none(kind):
        case inspect.StrType():
            return "string"
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.ListType(item_type=item):
            return f"{type_of(item)}[]"
        case inspect.StructType(cls=cls) | inspect.EnumType(cls=cls):
            return cls.__name__
        case other:
            raise TypeError(f"protocol/packets.ts has no word for {other}.")


def union(name: str, doc: str, members: Any) -> str:
    lines = [f"/** {doc} */", f"export type {name} =", *(f"  | {cls.__name__}" for cls in packet_types(members))]
    return "\n".join(lines) + ";\n"


def quoted(text: str) -> str:
    return json.dumps(str(text), ensure_ascii=False)
