"""Friends: asked, answered, ignored, cancelled, crossed, ended; and the list of contacts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ServerProcess
from tests.support.wire import ANY, Wire, newcomer
from veche.packets import FAILED_BY_REQUEST, ServerPacket, packet_types, type_name


def befriend(one: Wire, other: Wire) -> None:
    """Make two people friends, and read what they are told of it."""
    one.ask("FRIEND-REQUEST", login=other.login)
    assert other.ask("FRIEND-ANSWER", login=one.login, accepted=True)["type"] == "FRIEND-ANSWER-OK"
    one.expect_nothing(but=("CONTACT-UPDATED", "UPDATE-LAST-SEEN"))


def contact(wire: Wire, of: Wire) -> dict[str, Any]:
    """The contact as a fresh list has it; empty when there is none."""
    found = [one for one in wire.ask("CONTACTS-GET").get("contacts", ()) if one["id"] == of.address]
    assert len(found) <= 1
    return found[0] if found else {}


def relation(wire: Wire, of: Wire) -> str:
    return contact(wire, of).get("relation", "none")


def test_a_request_is_accepted_and_both_lists_update_by_themselves(alice: Wire, bob: Wire) -> None:
    """Rows: A15, A17, A20, A21, A22, M34, X01."""
    alice.send("FRIEND-REQUEST", login=bob.login, tag="1")
    alice.expect("CONTACT-UPDATED", id=bob.address, relation="outgoing", name=bob.login)
    alice.expect("FRIEND-REQUEST-OK", login=bob.address, relation="outgoing", tag="1")
    bob.expect("CONTACT-UPDATED", id=alice.address, relation="incoming")
    bob.expect("FRIEND-REQUEST", from_=alice.address)
    bob.send("FRIEND-ANSWER", login=alice.login, accepted=True)
    bob.expect("CONTACT-UPDATED", id=alice.address, relation="mutual", status="online", presence=ANY)
    bob.expect("FRIEND-ANSWER-OK", login=alice.address, accepted=True)
    alice.expect("CONTACT-UPDATED", id=bob.address, relation="mutual", status="online", presence=ANY)
    assert relation(alice, bob) == relation(bob, alice) == "mutual"
    assert bob.ask("FRIEND-ANSWER", login=alice.login, accepted=False)["code"] == "unknown-request"


def test_a_request_waits_for_who_is_away_also_over_a_restart(own_server: ServerProcess) -> None:
    """Rows: A12, A13, A18."""
    server = own_server
    alice, bob, carol = (newcomer(server.port, name) for name in ("alice", "bob", "carol"))
    befriend(bob, carol)
    bob.close()
    alice.ask("FRIEND-REQUEST", login=bob.login)
    server.kill()
    server.start()
    with Wire(server.port).connect(bob.login, device="other") as fresh:
        found = {one["id"]: one["relation"] for one in fresh.snapshot["contacts"]}
        assert found == {alice.address: "incoming", carol.address: "mutual"}


def test_asking_twice_asks_once(alice: Wire, bob: Wire) -> None:
    """Rows: A15."""
    alice.ask("FRIEND-REQUEST", login=bob.login)
    bob.until("FRIEND-REQUEST")
    assert alice.ask("FRIEND-REQUEST", login=bob.login)["relation"] == "outgoing"
    bob.expect_nothing()


def test_who_is_refused_sees_what_who_is_ignored_sees(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Refused, ignored and unanswered look the same; the refused request is gone for who refused.

    Rows: A19, A21, A23, X22, B122 (partly).
    """
    carol, dave = newcomer(server.port, "carol"), newcomer(server.port, "dave")
    for other in (bob, carol, dave):
        alice.ask("FRIEND-REQUEST", login=other.login)
    assert bob.ask("FRIEND-ANSWER", login=alice.login, accepted=False)["type"] == "FRIEND-ANSWER-OK"
    assert carol.ask("FRIEND-IGNORE", login=alice.login)["type"] == "FRIEND-IGNORE-OK"
    alice.expect_nothing()
    seen = [{k: v for k, v in contact(alice, other).items() if k not in ("id", "name")} for other in (bob, carol, dave)]
    assert seen == [{"relation": "outgoing"}] * 3
    assert [relation(other, alice) for other in (bob, carol, dave)] == ["none", "incoming", "incoming"]
    assert contact(carol, alice)["ignored"] is True
    assert alice.ask("FRIEND-REQUEST", login=bob.login)["relation"] == "outgoing"
    bob.expect_nothing(but=("FRIEND-REQUEST", "CONTACT-UPDATED"))
    assert relation(bob, alice) == "none", "asked again within the cool-down"
    assert carol.ask("FRIEND-ANSWER", login=alice.login, accepted=True)["type"] == "FRIEND-ANSWER-OK"
    assert relation(alice, carol) == "mutual"


def test_a_request_is_taken_back(alice: Wire, bob: Wire) -> None:
    """Rows: A26."""
    alice.ask("FRIEND-REQUEST", login=bob.login)
    bob.until("FRIEND-REQUEST")
    assert alice.ask("FRIEND-CANCEL", login=bob.login)["type"] == "FRIEND-CANCEL-OK"
    bob.expect("CONTACT-UPDATED", id=alice.address, relation="none")
    assert bob.ask("FRIEND-ANSWER", login=alice.login, accepted=True)["code"] == "unknown-request"
    assert alice.ask("FRIEND-CANCEL", login=bob.login)["code"] == "unknown-request"
    assert relation(alice, bob) == relation(bob, alice) == "none"


def test_two_who_ask_each_other_are_friends(alice: Wire, bob: Wire) -> None:
    """Rows: A29."""
    alice.send("FRIEND-REQUEST", login=bob.login)
    assert bob.ask("FRIEND-REQUEST", login=alice.login)["relation"] in ("outgoing", "mutual")
    alice.expect_nothing(but=("CONTACT-UPDATED", "FRIEND-REQUEST", "FRIEND-REQUEST-OK", "UPDATE-LAST-SEEN"))
    assert relation(alice, bob) == relation(bob, alice) == "mutual"
    assert alice.ask("FRIEND-REQUEST", login=bob.login)["code"] == "already-there"


@pytest.mark.parametrize("packet", ["FRIEND-REMOVE", "CONTACTS-DELETE"])
def test_either_side_ends_a_friendship(alice: Wire, bob: Wire, packet: str) -> None:
    """Rows: A27, M33."""
    befriend(alice, bob)
    field = "login" if packet == "FRIEND-REMOVE" else "id"
    assert bob.ask(packet, **{field: alice.login})["type"] == f"{packet}-OK"
    patch = alice.until("CONTACT-UPDATED")[-1]
    assert (patch["id"], patch["relation"]) == (bob.address, "none")
    assert relation(alice, bob) == relation(bob, alice) == "none"
    assert alice.ask("FRIEND-REMOVE", login=bob.login)["code"] == "not-friends"
    bob.close()
    alice.expect_nothing()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"login": "self"}, "self"),
        ({"login": "nobody-of-that-name"}, "unknown-user"),
        ({"login": "someone@elsewhere.example"}, "unknown-user"),
        ({"login": "bob", "from": "carol"}, "forbidden"),
        ({"login": ""}, "bad-request"),
        ({"login": 7}, "bad-request"),
        ({}, "bad-request"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(alice: Wire, bob: Wire, fields: dict[str, Any], code: str) -> None:
    """A client cannot name the sender.  Rows: A16, A25."""
    real = {"self": alice.login, "bob": bob.login}
    if fields.get("login") in real:
        fields = {**fields, "login": real[fields["login"]]}
    assert alice.ask("FRIEND-REQUEST", **fields)["code"] == code
    bob.expect_nothing()


def test_a_message_cannot_name_its_sender(alice: Wire, bob: Wire) -> None:
    """Rows: A16, M72 (partly)."""
    assert alice.ask("MESSAGE", to=bob.login, text="pay me", from_="carol")["code"] == "forbidden"
    bob.expect_nothing()


def test_nobody_asks_thousands(tmp_path: Path) -> None:
    """Rows: A25."""
    server = ServerProcess(tmp_path / "data", "--registration", "open", "--contact-rate", "50").start()
    alice = newcomer(server.port, "alice")
    codes = [alice.ask("FRIEND-REQUEST", login=f"nobody{n}")["code"] for n in range(60)]
    assert codes == ["unknown-user"] * 50 + ["try-again-later"] * 10
    assert alice.ask("FRIEND-REQUEST", login="nobody")["retry_after_s"] > 0
    assert alice.ask("CONTACTS-GET")["type"] == "CONTACTS-GET-RESPONSE"
    assert server.stop() == 0


# -- the list


def test_contacts_are_added_changed_and_deleted(alice: Wire, bob: Wire) -> None:
    """Rows: M28, M29, M31, M32, M33, M39, M40, M47 (partly), X01."""
    assert alice.ask("CONTACTS-GET")["contacts"] == []
    added = alice.ask("CONTACTS-ADD", id=bob.login, name="Bobby", group="work/site")
    assert (added["type"], added["id"], added["relation"]) == ("CONTACTS-ADD-OK", bob.address, "outgoing")
    assert relation(bob, alice) == "incoming", "listing somebody asks them"
    assert alice.ask("CONTACTS-ADD", id=bob.login)["code"] == "already-there"
    assert alice.ask("CONTACTS-CHANGE", id=bob.address, memo="owes me a ladder")["type"] == "CONTACTS-CHANGE-OK"
    assert contact(alice, bob) == {
        "id": bob.address,
        "name": "Bobby",
        "own_name": "Bobby",
        "group": "work/site",
        "memo": "owes me a ladder",
        "listed": True,
        "relation": "outgoing",
    }
    assert "memo" not in json.dumps(bob.ask("CONTACTS-GET"))
    assert alice.ask("CONTACTS-UPDATE", id=bob.login, name="", note="Vacation")["type"] == "CONTACTS-CHANGE-OK"
    assert contact(alice, bob)["name"] == bob.login
    assert alice.ask("CONTACTS-DELETE", id=bob.login)["type"] == "CONTACTS-DELETE-OK"
    assert contact(alice, bob) == {}
    for packet in ("CONTACTS-CHANGE", "CONTACTS-DELETE"):
        assert alice.ask(packet, id=bob.login)["code"] == "unknown-id"
    assert relation(bob, alice) == "none"


def test_the_list_is_always_answered_however_often_it_is_asked_for(server: ServerProcess, alice: Wire) -> None:
    """There is no refusal of it; who asks without ever reading is no burden on the others.  Rows: M30."""
    assert "CONTACTS-GET" not in FAILED_BY_REQUEST
    names = {type_name(packet) for packet in packet_types(ServerPacket)}
    assert "CONTACTS-GET-RESPONSE" in names
    assert "CONTACTS-GET-FAILED" not in names
    greedy = newcomer(server.port, "greedy")
    greedy.write(b'{"type":"CONTACTS-GET"}\r\n' * 20_000)
    assert [alice.ask("CONTACTS-GET")["contacts"] for _ in range(3)] == [[], [], []]
    answered = [greedy.receive()["type"] for _ in range(20_000)]
    assert set(answered) == {"CONTACTS-GET-RESPONSE"}


def test_a_note_is_its_owners_and_contacts_update_changes_the_rest(alice: Wire, bob: Wire) -> None:
    """Document 003 proposes `CONTACTS-UPDATE ... note=`: the note is theirs, a memo is mine.  Rows: M43."""
    befriend(alice, bob)
    bob.ask("PROFILE-UPDATE", name="Robert", note="in Kazan")
    updated = alice.ask("CONTACTS-UPDATE", id=bob.address, name="m1kc", note="Whatever Vacation", memo="owes me one")
    assert (updated["type"], updated["id"]) == ("CONTACTS-CHANGE-OK", bob.address)
    found = contact(alice, bob)
    assert (found["name"], found["note"], found["memo"]) == ("m1kc", "in Kazan", "owes me one")
    assert bob.ask("PROFILE-GET", login=bob.login)["note"] == "in Kazan"
    assert bob.ask("CONTACTS-UPDATE", id="nobody-of-that-name", name="x")["type"] == "CONTACTS-CHANGE-FAILED"


def test_a_change_reaches_my_other_devices_as_a_patch(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Rows: M34, M36."""
    alice.ask("CONTACTS-ADD", id=bob.login)
    with Wire(server.port).connect(alice.login, device="phone") as phone:
        alice.ask("CONTACTS-CHANGE", id=bob.login, name="Bobby")
        assert phone.receive() == {"type": "CONTACT-UPDATED", "id": bob.address, "name": "Bobby", "own_name": "Bobby"}
        alice.ask("CONTACTS-CHANGE", id=bob.login, group="work")
        assert phone.receive() == {"type": "CONTACT-UPDATED", "id": bob.address, "group": "work"}
        alice.ask("CONTACTS-CHANGE", id=bob.login, group="work")
        phone.expect_nothing()


@pytest.mark.parametrize("name", ["two\nlines", "bell\a", " padded", "turned\u202e", "x" * 101])
def test_a_name_is_one_line_that_shows_what_it_says(alice: Wire, bob: Wire, name: str) -> None:
    """Rows: M32 (partly)."""
    alice.ask("CONTACTS-ADD", id=bob.login)
    assert alice.ask("CONTACTS-CHANGE", id=bob.login, name=name)["code"] == "bad-request"


def test_the_text_form_speaks_of_contacts_as_the_document_writes_it(server: ServerProcess, bob: Wire) -> None:
    """Rows: M31, M32, M33."""
    alice = newcomer(server.port, "alice")
    token = alice.ask("TOKEN-CREATE", name="t")["token"]
    wire = Wire(server.port)
    wire.write(f"CONNECT mechanism=TOKEN token={token}\r\n".encode())
    while not (line := wire.line() or b"").startswith(b"REPLAY-END"):
        assert line
    for request, answer in [
        (f"CONTACTS-ADD name=m1kc id={bob.login}", f"CONTACTS-ADD-OK id={bob.address} relation=outgoing"),
        (f"CONTACTS-CHANGE id={bob.login} name=MIKUSO", f"CONTACTS-CHANGE-OK id={bob.address}"),
        (f"CONTACTS-DELETE id={bob.login}", f"CONTACTS-DELETE-OK id={bob.address}"),
        ("CONTACTS-GET", "CONTACTS-GET-RESPONSE contacts=[]"),
    ]:
        wire.write(request.encode() + b"\r\n")
        while (line := wire.line() or b"").startswith(b"CONTACT-UPDATED"):
            pass
        assert line.decode().replace('"', "") == answer
    wire.close()


# -- blocking


def test_a_block_hides_requests_and_ending_it_shows_them(alice: Wire, bob: Wire) -> None:
    """The blocked one sees what they would see of somebody who does not answer.  Rows: A19, T34 (partly), X06."""
    bob.ask("BLOCK", login=alice.login)
    bob.expect_nothing(but=("CONTACT-UPDATED",))
    assert relation(bob, alice) == "blocked"
    assert alice.ask("FRIEND-REQUEST", login=bob.login)["relation"] == "outgoing"
    bob.expect_nothing()
    assert bob.ask("FRIEND-REQUEST", login=alice.login)["code"] == "forbidden"
    bob.ask("UNBLOCK", login=alice.login)
    assert relation(bob, alice) == "incoming"
    assert alice.ask("CONTACTS-GET")["contacts"] == [{"id": bob.address, "name": bob.login, "relation": "outgoing"}]


def test_a_blocked_friend_sees_somebody_who_left(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Packet for packet what a logout tells; then nothing, whatever the other does; and a return at the end.

    Rows: A19, T34 (partly), X06, B122 (partly).
    """
    carol = newcomer(server.port, "carol")
    befriend(alice, bob)
    befriend(alice, carol)
    bob.ask("BLOCK", login=alice.login)
    carol.close()
    by_block = alice.expect("UPDATE-LAST-SEEN", id=bob.address), alice.expect("CONTACT-UPDATED", id=bob.address)
    by_logout = alice.expect("UPDATE-LAST-SEEN", id=carol.address), alice.expect("CONTACT-UPDATED", id=carol.address)
    for blocked, gone in zip(by_block, by_logout, strict=True):
        assert blocked.keys() == gone.keys()
        assert blocked["status"] == gone["status"] == "offline"
    bob.ask("PROFILE-UPDATE", name="Robert", note="free of alice")
    bob.send("PRESENCE", away=True)
    bob.ask("BROADCAST", text="party")
    alice.expect_nothing()
    frozen = contact(alice, bob)
    assert frozen == {
        "id": bob.address,
        "name": bob.login,
        "relation": "mutual",
        "status": "offline",
        "presence": by_block[0]["at"],
    }
    with Wire(server.port).connect(alice.login, device="fresh") as fresh:
        assert frozen in fresh.snapshot["contacts"]
        assert fresh.ask("PROFILE-GET", login=bob.login).get("name", "") == ""
    assert alice.ask("WHOELSE")["users"] == []
    bob.ask("UNBLOCK", login=alice.login)
    back = alice.until("CONTACT-UPDATED")[-1]
    assert back["status"] in ("online", "away")
    assert back["presence"] >= by_block[0]["at"]
    assert contact(alice, bob)["name"] == "Robert"


def test_a_deleted_account_leaves_the_lists_of_its_friends(alice: Wire, bob: Wire) -> None:
    """Rows: A27 (partly)."""
    befriend(alice, bob)
    assert bob.ask("ACCOUNT-DELETE", password="a password")["type"] == "ACCOUNT-DELETE-OK"
    assert alice.until("CONTACT-UPDATED")[-1]["id"] == bob.address
    assert contact(alice, bob) == {}
