"""The law of contacts: on every device, the snapshot and the patches after it equal a fresh snapshot.

Three people, two devices each, do at random what people do to each other; links break and come back meanwhile.  The
fold is the one that the protocol page describes, and knows nothing of the client library.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

DEVICES = 6
EITHER_WAY = ("FRIEND-REQUEST", "FRIEND-ANSWER", "FRIEND-IGNORE", "FRIEND-CANCEL", "FRIEND-REMOVE", "BLOCK", "UNBLOCK")
DEFAULTS = {"note": "", "own_name": "", "group": "", "memo": "", "avatar": "", "ignored": False, "listed": False}

device = st.integers(0, DEVICES - 1)
other = st.integers(0, 1)
word = st.sampled_from(["", "Bobby", "work/site"])
step = st.one_of(
    st.tuples(device, st.sampled_from(EITHER_WAY), other, st.booleans()),
    st.tuples(device, st.sampled_from(["CONTACTS-ADD", "CONTACTS-CHANGE", "CONTACTS-DELETE"]), other, word),
    st.tuples(device, st.sampled_from(["PROFILE-UPDATE", "PRESENCE", "LEAVE", "RETURN"]), other, word),
)


class Device:
    """One device: its link, when it has one, and its contacts as folded from what it was told."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.port = wire.socket.getpeername()[1]
        self.login, self.name = wire.login, name
        self.take(wire)

    def take(self, wire: Wire) -> None:
        self.wire: Wire | None = wire
        self.address = wire.address
        self.contacts = {one["id"]: filled(one) for one in wire.snapshot.get("contacts", ())}
        self.profile = wire.snapshot["profile"]

    def leave(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def come(self) -> None:
        if self.wire is None:
            self.take(Wire(self.port, tls=False).connect(self.login, device=self.name))

    def ask(self, type: str, **fields: Any) -> None:
        """Ask, and fold what comes before the answer."""
        if self.wire is None:
            return
        self.wire.send(type, tag="asked", **fields)
        if type == "PRESENCE":
            self.wire.send("PING", tag="asked")
        while (packet := self.wire.receive()).get("tag") != "asked":
            self.fold(packet)
        if packet["type"] == "PROFILE-UPDATE-OK":
            self.fold(packet)

    def settle(self) -> None:
        self.ask("PING")

    def fold(self, packet: dict[str, Any]) -> None:
        if packet["type"] == "PROFILE-UPDATE-OK":
            self.profile = {key: value for key, value in packet.items() if key in ("name", "note", "avatar") and value}
        if packet["type"] != "CONTACT-UPDATED":
            return
        id = packet["id"]
        patch = {key: value for key, value in packet.items() if key not in ("type", "id")}
        contact = filled({**self.contacts.get(id, {"id": id}), **patch})
        if contact["presence"] == "":
            contact["presence"] = None
        if contact["relation"] == "none" and not contact["listed"]:
            self.contacts.pop(id, None)
        else:
            self.contacts[id] = contact


def filled(contact: dict[str, Any]) -> dict[str, Any]:
    return {"status": "unknown", "relation": "none", "presence": None, **DEFAULTS, **contact}


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(step, min_size=5, max_size=40))
def test_snapshot_and_patches_equal_a_fresh_snapshot(
    server: ServerProcess, steps: list[tuple[int, str, int, Any]]
) -> None:
    """Rows: A12 (partly), A22, A28 (partly), A29, M34, M36, X01, X02, X06 (partly)."""
    devices: list[Device] = []
    for name in ("alice", "bob", "carol"):
        first = newcomer(server.port, name)
        devices += [
            Device(first, "first"),
            Device(Wire(server.port, tls=False).connect(first.login, device="second"), "second"),
        ]
    for number, type, which, value in steps:
        device, peer = devices[number], devices[(number // 2 + 1 + which) % 3 * 2]
        match type:
            case "LEAVE":
                device.leave()
            case "RETURN":
                device.come()
            case "PRESENCE":
                device.ask(type, away=bool(which))
            case "PROFILE-UPDATE":
                device.ask(type, **{"note" if which else "name": value})
            case "FRIEND-ANSWER":
                device.ask(type, login=peer.login, accepted=value)
            case "CONTACTS-ADD" | "CONTACTS-CHANGE":
                device.ask(type, id=peer.login, **{"group" if which else "name": value})
            case "CONTACTS-DELETE":
                device.ask(type, id=peer.login)
            case _:
                device.ask(type, login=peer.login)
    for device in devices:
        device.come()
    for device in devices:
        device.settle()
    for device in devices:
        assert device.wire is not None
        fresh = device.wire.ask("CONTACTS-GET")["contacts"]
        assert device.contacts == {one["id"]: filled(one) for one in fresh}, device.address
    for device in devices[::2]:
        with Wire(server.port, tls=False).connect(device.login, device="fresh") as latest:
            assert latest.snapshot.get("contacts", []) == latest.ask("CONTACTS-GET")["contacts"]
            assert latest.snapshot["profile"] == device.profile
    for device in devices:
        device.leave()
