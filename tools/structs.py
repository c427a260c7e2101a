"""What the Structs say, for the writers of protocol/: names, fields, types, limits, and the docstrings beside them."""

from __future__ import annotations

import ast
import inspect as python_inspect
import textwrap
from collections.abc import Iterator
from enum import Enum
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple, cast

from msgspec import NODEFAULT, Struct, inspect

from veche.packets import ClientPacket, ErrorCode, Packet, ServerPacket, packet_types


class FieldDoc(NamedTuple):
    """One field as it stands on the wire."""

    name: str
    type: inspect.Type
    doc: str
    is_required: bool
    default: Any
    """None also when the default is to be absent."""


class StructDoc(NamedTuple):
    """A packet, or a part of packets."""

    cls: type[Struct]
    tag: str | None
    """TYPE on the wire; None for a part."""
    doc: str
    fields: list[FieldDoc]


def struct_docs() -> list[StructDoc]:
    """All packets and the parts in them, module by module, in the order of their definition."""
    found: dict[type[Struct], None] = {}
    for cls in (*packet_types(ClientPacket), *packet_types(ServerPacket)):
        for one in (cls, *parts_of(inspect.type_info(cls))):
            found[one] = None
    modules = list(dict.fromkeys(python_inspect.getmodule(cls) for cls in found))
    order = {cls: n for module in modules for n, cls in enumerate(vars(module).values()) if isinstance(cls, type)}
    return [struct_doc(cls) for module in modules for cls in sorted(found, key=order.__getitem__) if is_in(cls, module)]


def is_in(cls: type[Struct], module: ModuleType | None) -> bool:
    return module is not None and cls.__module__ == module.__name__


def parts_of(kind: inspect.Type) -> Iterator[type[Struct]]:
    """The Structs below a packet that are no packets themselves."""
    match kind:
        case inspect.StructType():
            if not issubclass(kind.cls, Packet):
                yield kind.cls
            for field in kind.fields:
                yield from parts_of(field.type)
        case inspect.ListType():
            yield from parts_of(kind.item_type)
        case inspect.UnionType():
            for member in kind.types:
                yield from parts_of(member)
        case inspect.Metadata():
            yield from parts_of(kind.type)
        case _:
            pass


def struct_doc(cls: type[Struct]) -> StructDoc:
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    beside = attribute_docs(cls)
    fields = [
        FieldDoc(
            name=field.encode_name,
            type=field.type,
            doc=beside.get(field.name) or description(field.type),
            is_required=field.required,
            default=default_of(field),
        )
        for field in info.fields
    ]
    tag = info.tag if isinstance(info.tag, str) else None
    return StructDoc(cls, tag, python_inspect.cleandoc(cls.__doc__ or ""), fields)


def default_of(field: inspect.Field) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    return None if field.default_factory is NODEFAULT else field.default_factory()


def description(kind: inspect.Type) -> str:
    """What `Meta(description=...)` says."""
    match kind:
        case inspect.Metadata():
            schema = cast("dict[str, str]", cast("Any", kind).extra_json_schema or {})
            return schema.get("description", "")
        case inspect.UnionType():
            return "".join(description(member) for member in kind.types)
        case _:
            return ""


def without_none(kind: inspect.Type) -> inspect.Type:
    """The type of a value that is there; without the wrapping that carries a description."""
    if isinstance(kind, inspect.Metadata):
        return without_none(kind.type)
    if isinstance(kind, inspect.UnionType):
        members = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
        assert len(members) == 1, f"The writers of protocol/ do not know unions such as {kind}."
        return without_none(members[0])
    return kind


@cache
def attribute_docs(cls: type) -> dict[str, str]:
    """The strings that stand below the attributes of a class and of its bases."""
    docs: dict[str, str] = {}
    for base in cls.__bases__:
        if issubclass(base, Struct | Enum) and base.__module__.startswith("veche."):
            docs |= attribute_docs(base)
    body = ast.parse(textwrap.dedent(python_inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    for before, after in zip(body.body, body.body[1:], strict=False):
        target = before.target if isinstance(before, ast.AnnAssign) else None
        if isinstance(before, ast.Assign):
            target = before.targets[0]
        match after:
            case ast.Expr(value=ast.Constant(value=str() as text)) if isinstance(target, ast.Name):
                docs[target.id] = python_inspect.cleandoc(text)
            case _:
                pass
    return docs


def error_docs() -> list[tuple[ErrorCode, str]]:
    """Each code with what it says about itself."""
    docs = attribute_docs(ErrorCode)
    return [(code, docs[code.name]) for code in ErrorCode]


def direction(cls: type[Struct]) -> str:
    """Who sends it."""
    from_client, from_server = cls in packet_types(ClientPacket), cls in packet_types(ServerPacket)
    if from_client and from_server:
        return "both ways"
    return "client → server" if from_client else "server → client"
