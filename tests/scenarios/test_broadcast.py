"""One text to all friends who are there."""

from __future__ import annotations

from tests.scenarios.test_contacts import befriend
from tests.support.server import ServerProcess
from tests.support.wire import ANY, Wire, newcomer


def test_a_broadcast_reaches_friends_who_are_there_and_nobody_later(
    server: ServerProcess, alice: Wire, bob: Wire, mallory: Wire
) -> None:
    """Rows: T30 (partly), T32, X16 (partly)."""
    carol = newcomer(server.port, "carol")
    befriend(alice, bob)
    befriend(alice, carol)
    carol.close()
    with Wire(server.port).connect(bob.login, device="phone") as phone:
        alice.send("BROADCAST", text="vader is  evil", tag="1")
        for device in (bob, phone):
            device.expect("BROADCAST", from_=alice.address, text="vader is  evil", at=ANY)
    assert alice.until("BROADCAST-OK")[-1] == {"type": "BROADCAST-OK", "tag": "1"}
    mallory.expect_nothing()
    with Wire(server.port).connect(carol.login) as back:
        assert back.replayed == []
        back.expect_nothing()


def test_a_broadcast_does_not_tell_of_a_block(alice: Wire, bob: Wire) -> None:
    """Rows: X06 (partly), T31 (partly)."""
    befriend(alice, bob)
    bob.ask("BLOCK", login=alice.login)
    alice.until("CONTACT-UPDATED")
    assert "skipped" not in alice.ask("BROADCAST", text="I travel solo")
    bob.expect_nothing(but=("CONTACT-UPDATED",))


def test_a_broadcast_cannot_name_its_sender(alice: Wire, bob: Wire) -> None:
    """Rows: A16 (partly)."""
    befriend(alice, bob)
    assert alice.ask("BROADCAST", text="pay mallory", from_=bob.login)["code"] == "forbidden"
    bob.expect_nothing(but=("CONTACT-UPDATED", "UPDATE-LAST-SEEN"))
