"""The law of conferences: what a client folds equals what the server says when it is asked.

Three friends and four devices come, go, rename, hand over, mute, call and answer at random; links break and come back.
After that each device's views are CONFERENCE-LIST's, and each conference in which it is a leg is CONFERENCE-GET's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import to_builtins

from tests.support.conferences import befriend
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer
from veche.client.state import State, fold
from veche.packets import Packet
from veche.packets.codec import JsonCodec
from veche.packets.conference import ConferenceGetOk, ConferenceListOk

CODEC = JsonCodec()
DEVICES = 4

WORDS = ("CONFERENCE-CREATE", "CONFERENCE-JOIN", "CONFERENCE-LEAVE", "CONFERENCE-RENAME", "CONFERENCE-TRANSFER")
MORE = ("CONFERENCE-POLICY", "CONFERENCE-LEG-SET", "CONFERENCE-MUTE", "CONFERENCE-REMOVE", "CONFERENCE-MESSAGE")
RARE = ("CONFERENCE-DELETE", "CALL initiate", "CALL accepted", "CALL abort", "CALL occupied", "BREAK", "RETURN")
step = st.tuples(
    st.integers(0, DEVICES - 1),
    st.sampled_from([*WORDS, "CONFERENCE-JOIN", "CONFERENCE-JOIN", *MORE, *RARE]),
    st.integers(0, 5),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of these tests alone: open conferences are seen by everybody, also by strangers of other tests."""
    running = ServerProcess(tmp_path_factory.mktemp("server") / "data", "--registration", "open").start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


class Device:
    """One device: its link, when it has one, and its state as folded from what it was told."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.login, self.name, self.port = wire.login, name, wire.peer
        self.state = State()
        self.take(wire)

    def take(self, wire: Wire) -> None:
        self.wire: Wire | None = wire
        self.address = wire.address
        self.state = State(me=wire.address, inside=self.state.inside)
        self.fold(wire.snapshot)

    def leave(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def come(self) -> None:
        if self.wire is None:
            self.take(Wire(self.port).connect(self.login, device=self.name))
            for id in list(self.state.inside):
                self.ask("CONFERENCE-JOIN", id=id, resume=True)

    def ask(self, type: str, **fields: Any) -> Packet | None:
        """Ask; fold all that comes, the answer too.  Returns the answer."""
        if self.wire is None:
            return None
        self.wire.send(type, tag="asked", **fields)
        request = CODEC.decode_client(json.dumps({"type": type, **fields}).encode())
        while True:
            told = self.wire.receive()
            before = self.state
            packet = self.fold(told, request if told.get("tag") == "asked" else None)
            if told.get("tag") == "asked":
                self.before = before
                return packet

    def fold(self, told: dict[str, Any], request: Packet | None = None) -> Packet:
        packet = CODEC.decode_server(json.dumps(told).encode())
        self.state = fold(self.state, packet, request=request)
        return packet


def do(device: Device, devices: list[Device], type: str, n: int) -> None:
    """One thing that somebody tries."""
    seen, inside = list(device.state.conferences), list(device.state.inside)
    peer = devices[n % DEVICES]
    media = ("text", "audio", "video")[n % 3]
    match type:
        case "BREAK":
            device.leave()
        case "RETURN":
            device.come()
        case "CONFERENCE-CREATE":
            device.ask(type, name=f"Room {n}", media=media)
        case "CONFERENCE-JOIN":
            if seen:
                device.ask(type, id=seen[n % len(seen)], media=media)
        case "CALL initiate":
            device.ask("CALL", status="initiate", users=[peer.login], media=media)
        case "CALL accepted" | "CALL abort" | "CALL occupied":
            if device.state.calls:
                device.ask("CALL", status=type.partition(" ")[2], id=next(iter(device.state.calls)))
        case _ if inside:
            id = inside[n % len(inside)]
            leg = device.state.inside[id].conference.legs[n % len(device.state.inside[id].conference.legs)].id
            fields: dict[str, dict[str, Any]] = {
                "CONFERENCE-RENAME": {"name": f"Hall {n}"},
                "CONFERENCE-TRANSFER": {"login": peer.login},
                "CONFERENCE-POLICY": {"policy": ("friends", "invite", "link", "open")[n % 4]},
                "CONFERENCE-LEG-SET": {("is_muted", "is_sharing", "held", "asks", "is_hidden")[n % 5]: n < 3},
                "CONFERENCE-MUTE": {"leg": leg, "audio": n < 4},
                "CONFERENCE-REMOVE": {"leg": leg},
                "CONFERENCE-MESSAGE": {"text": f"text {n}"},
            }
            device.ask(type, id=id, **fields.get(type, {}))
        case _:
            pass


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(step, min_size=15, max_size=60))
def test_what_a_client_folds_is_what_the_server_says(server: ServerProcess, steps: list[tuple[int, str, int]]) -> None:
    """Rows: A28 (partly), A44 (partly), X07 (partly)."""
    wires = [newcomer(server.port, name) for name in ("alice", "bob", "carol")]
    for n, one in enumerate(wires):
        for other in wires[:n]:
            befriend(one, other)
    second = Wire(server.port).connect(wires[0].login, device="second")
    devices = [Device(wire, "first") for wire in wires] + [Device(second, "second")]
    for number, type, n in steps:
        do(devices[number], devices, type, n)
    try:
        for device in devices:
            device.come()
        for _ in range(2):
            for device in devices:
                device.ask("PING")
        for device in devices:
            told = device.ask("CONFERENCE-LIST")
            assert isinstance(told, ConferenceListOk)
            assert to_builtins(list(device.before.conferences.values())) == to_builtins(told.conferences)
            for id, inside in list(device.state.inside.items()):
                answer = device.ask("CONFERENCE-GET", id=id)
                assert isinstance(answer, ConferenceGetOk), answer
                assert to_builtins(inside.conference) == to_builtins(answer.conference)
                assert [one.seq for one in inside.room] == sorted({one.seq for one in inside.room})
    finally:
        for device in devices:
            for id in list(device.state.inside):
                device.ask("CONFERENCE-LEAVE", id=id)
            device.leave()
