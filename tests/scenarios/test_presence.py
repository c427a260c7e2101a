"""Who is there: told to friends, over all devices, once for each coming and going."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenarios.test_contacts import befriend, contact
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer


def told(wire: Wire) -> list[dict[str, Any]]:
    """What has been told until now."""
    wire.send("PING", tag="told")
    return wire.until("PONG")[:-1]


def test_a_friend_comes_and_goes_and_each_is_told_once(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Rows: M27, M35, X02, T20 (partly)."""
    befriend(alice, bob)
    told(alice)
    bob.close()
    gone = alice.expect("UPDATE-LAST-SEEN", id=bob.address, status="offline")
    patch = alice.expect("CONTACT-UPDATED", id=bob.address, status="offline")
    assert patch["presence"] == gone["at"]
    with Wire(server.port).connect(bob.login, device="first"):
        alice.expect("UPDATE-LAST-SEEN", id=bob.address, status="online")
        alice.expect("CONTACT-UPDATED", id=bob.address, status="online")
        assert contact(alice, bob)["status"] == "online"
        alice.expect_nothing()


def test_presence_is_the_union_of_the_devices(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Rows: X05 (partly), X21 (partly)."""
    befriend(alice, bob)
    told(alice)
    with Wire(server.port).connect(bob.login, device="phone") as phone:
        alice.expect_nothing()
        phone.send("PRESENCE", away=True)
        told(phone)
        alice.expect_nothing()
        bob.send("PRESENCE", away=True)
        assert alice.receive() == {"type": "CONTACT-UPDATED", "id": bob.address, "status": "away"}
        phone.ask("CONTACTS-GET")
        assert alice.receive() == {"type": "CONTACT-UPDATED", "id": bob.address, "status": "online"}
    assert alice.receive() == {"type": "CONTACT-UPDATED", "id": bob.address, "status": "away"}
    bob.close()
    alice.expect("UPDATE-LAST-SEEN", status="offline")


def test_a_device_that_connects_again_was_never_gone(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """The new link replaces the old one without a moment between.  Rows: M27 (partly)."""
    befriend(alice, bob)
    told(alice)
    Wire(server.port).resumed(bob.resume)
    alice.expect_nothing()


def test_who_is_no_friend_learns_nothing(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """What is not told is unknown, which is not offline.  Rows: X01, X21."""
    alice.ask("FRIEND-REQUEST", login=bob.login)
    bob.close()
    assert told(alice) == []
    seen = contact(alice, bob)
    assert "status" not in seen
    assert "presence" not in seen
    with Wire(server.port).connect(bob.login):
        assert alice.ask("WHOELSE")["users"] == []
        assert alice.ask("WHOELSESINCE", seconds=1000)["users"] == []


def test_who_does_nothing_is_away_and_comes_back(tmp_path: Path) -> None:
    """What a client does by itself is no sign of its person.  Rows: X21."""
    server = ServerProcess(tmp_path / "data", "--registration", "open", "--away-after", "1").start()
    alice, bob = newcomer(server.port, "alice"), newcomer(server.port, "bob")
    befriend(alice, bob)
    while not any(one.get("status") == "away" and one["id"] == bob.address for one in told(alice)):
        bob.ask("PING")
    bob.ask("CONTACTS-GET")
    assert {"type": "CONTACT-UPDATED", "id": bob.address, "status": "online"} in told(alice)
    alice.close()
    bob.close()
    assert server.stop() == 0


def test_whoelse_and_whoelsesince_name_friends(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Rows: T22 (partly), T23 (partly)."""
    carol, dave = newcomer(server.port, "carol"), newcomer(server.port, "dave")
    befriend(alice, bob)
    befriend(alice, carol)
    carol.close()
    alice.until("UPDATE-LAST-SEEN")
    assert alice.ask("WHOELSE")["users"] == [bob.address]
    assert sorted(alice.ask("WHOELSESINCE", seconds=100)["users"]) == sorted([bob.address, carol.address])
    assert alice.ask("WHOELSESINCE", seconds=-1)["type"] == "WHOELSESINCE-FAILED"
    assert dave.ask("WHOELSE")["users"] == []


def test_last_seen_outlives_the_server(own_server: ServerProcess) -> None:
    """Rows: M27 (partly), M37 (partly)."""
    alice, bob = newcomer(own_server.port, "alice"), newcomer(own_server.port, "bob")
    befriend(alice, bob)
    bob.close()
    seen = alice.until("UPDATE-LAST-SEEN")[-1]["at"]
    alice.close()
    assert own_server.stop() == 0
    own_server.start()
    with Wire(own_server.port).connect(alice.login) as fresh:
        assert contact(fresh, bob)["presence"] == seen
        assert contact(fresh, bob)["status"] == "offline"
