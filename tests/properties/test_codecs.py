"""Laws of both codecs: every packet comes back as it was; any bytes give a packet or one of the two errors."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from fuzz import targets
from veche.packets import ClientPacket, Packet, ServerPacket, packet_types
from veche.packets.codec import Codec, JsonCodec
from veche.packets.text import TextCodec

CODECS = [JsonCodec(), TextCodec()]
CLIENT, SERVER = packet_types(ClientPacket), packet_types(ServerPacket)


def packets(cls: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """All packets of one type, within the limits that its fields declare."""
    info = cast("inspect.StructType", inspect.type_info(cls))
    required = {field.name: values(field.type) for field in info.fields if field.required}
    optional = {field.name: values(field.type) for field in info.fields if not field.required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: cls(**fields))


def values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.Metadata():
            return values(kind.type)
        case inspect.UnionType():
            return st.one_of([values(member) for member in kind.types])
        case inspect.NoneType():
            return st.none()
        case inspect.StrType():
            low, high = kind.min_length or 0, kind.max_length or 10_000
            return st.text(min_size=low, max_size=min(high, low + 60)) | st.just("x" * high)
        case inspect.IntType():
            low = kind.ge if kind.ge is not None else -(2**63)
            high = kind.le if kind.le is not None else 2**63 - 1
            return st.integers(int(low), int(high))
        case inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.EnumType():
            return st.sampled_from(list(kind.cls))
        case inspect.ListType():
            return st.lists(values(kind.item_type), max_size=3)
        case inspect.StructType():
            return packets(kind.cls)
        case _:
            raise TypeError(f"No strategy for {kind}")


@pytest.mark.parametrize("codec", CODECS, ids=["json", "text"])
@pytest.mark.parametrize("cls", CLIENT, ids=lambda cls: cls.__name__)
def test_what_a_client_sends_arrives_as_it_was(codec: Codec, cls: type[Packet]) -> None:
    """Rows: M01 (partly), T58 (partly)."""
    round_trip(codec, cls, codec.decode_client)


@pytest.mark.parametrize("codec", CODECS, ids=["json", "text"])
@pytest.mark.parametrize("cls", SERVER, ids=lambda cls: cls.__name__)
def test_what_a_server_sends_arrives_as_it_was(codec: Codec, cls: type[Packet]) -> None:
    """Rows: M01 (partly), T58 (partly)."""
    round_trip(codec, cls, codec.decode_server)


def round_trip(codec: Codec, cls: type[Packet], decode: Any) -> None:
    @settings(max_examples=30, deadline=None)
    @given(packet=packets(cls))
    def law(packet: Packet) -> None:
        line = codec.encode(packet)
        assert line.endswith(b"\r\n")
        assert b"\n" not in line[:-2]
        assert decode(line[:-2]) == packet
        assert decode(line) == packet

    law()


lines = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.text("MESAG \t\"'\\=,u0dn{}[]:tyoex", max_size=100).map(str.encode),
    st.one_of([packets(cls) for cls in CLIENT]).flatmap(
        lambda packet: st.sampled_from([codec.encode(packet) for codec in CODECS]).flatmap(
            lambda line: st.tuples(st.integers(0, len(line)), st.binary(max_size=4)).map(
                lambda change: line[: change[0]] + change[1] + line[change[0] + 1 :]
            )
        )
    ),
)


@settings(max_examples=500, deadline=None)
@given(lines)
@example(b'{"type":"PING","tag":"\\ud800"}')
@example(b'{"type":"ACCOUNT-EXPORT","after":1e400}')
def test_any_bytes_are_a_packet_or_one_of_the_two_errors(line: bytes) -> None:
    """Rows: T58 (partly)."""
    targets.json_line(line)
    targets.text_line(line)
