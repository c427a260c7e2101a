"""Conferences on a real server: coming, going, who sees what, what owners do, the texts of a room."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clocked import ClockedServer
from tests.support.conferences import LOBBY, again, befriend, create, drained, friends, join, joined, leg, seen
from tests.support.server import ServerProcess, wait_for
from tests.support.wire import ANY, Wire, newcomer, unique
from veche.storage.database import Statement, Steps

# -- making, seeing


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of these tests alone: open conferences are seen by everybody, also by strangers of other tests."""
    running = ServerProcess(tmp_path_factory.mktemp("server") / "data", "--registration", "open").start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


def test_whoever_makes_a_conference_owns_it_and_friends_learn_of_it(server: ServerProcess) -> None:
    """Rows: A30, A31, A32, A33."""
    alice, bob = friends(server.port, "alice", "bob")
    mallory = newcomer(server.port, "mallory")
    tea, coffee = create(alice, "Tea"), create(alice, "Coffee")
    assert tea["owner"] == alice.address
    assert [one["id"] for one in tea["legs"]] == [leg(alice)]
    for one in (tea, coffee):
        assert len(base64.urlsafe_b64decode(one["id"] + "==")) >= 16
    assert tea["id"] != coffee["id"]
    told = drained(bob)
    assert [(one["type"], one["conference"]["name"]) for one in told] == [
        ("CONFERENCE-SEEN", "Tea"),
        ("CONFERENCE-SEEN", "Coffee"),
    ]
    assert told[0]["conference"]["people"] == [alice.address]
    mallory.expect_nothing()
    view = seen(bob, tea["id"])
    assert view is not None
    assert (view["id"], view["name"], view["owner"], view["people"]) == (
        tea["id"],
        "Tea",
        alice.address,
        [alice.address],
    )
    assert seen(mallory, tea["id"]) is None


def test_after_login_one_is_told_where_friends_are(server: ServerProcess) -> None:
    """Rows: A14."""
    alice, bob = friends(server.port, "alice", "bob")
    mallory = newcomer(server.port, "mallory")
    tea, secret = create(alice, "Tea"), create(mallory, "Secret")
    snapshot = again(bob).snapshot["conferences"]
    assert snapshot[0]["id"] == LOBBY
    mine = [one for one in snapshot if alice.address in one.get("people", [])]
    assert [(one["id"], one["name"], one["people"]) for one in mine] == [(tea["id"], "Tea", [alice.address])]
    assert secret["id"] not in [one["id"] for one in snapshot]


def test_a_new_friend_is_seen_at_once_and_a_former_one_no_more(server: ServerProcess) -> None:
    """Rows: A28."""
    alice, bob = newcomer(server.port, "alice"), newcomer(server.port, "bob")
    tea = create(alice)
    bob.expect_nothing()
    befriend(alice, bob)
    assert seen(bob, tea["id"]) is not None
    drained(bob)
    alice.ask("FRIEND-REMOVE", login=bob.login)
    assert [one["id"] for one in drained(bob, "CONFERENCE-UNSEEN")] == [tea["id"]]
    assert seen(bob, tea["id"]) is None


def test_a_block_hides_where_somebody_is(server: ServerProcess) -> None:
    """Rows: X06 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice)
    drained(bob)
    alice.ask("BLOCK", login=bob.login)
    assert [one["id"] for one in drained(bob, "CONFERENCE-UNSEEN")] == [tea["id"]]
    by_friend, by_id = bob.ask("CONFERENCE-JOIN", friend=alice.login), bob.ask("CONFERENCE-JOIN", id=tea["id"])
    assert (by_friend["code"], by_id["code"]) == ("unknown-conference", "unknown-conference")
    join(carol, tea["id"])
    view = seen(bob, tea["id"])
    assert view is not None
    assert view["people"] == [carol.address]
    alice.ask("UNBLOCK", login=bob.login)
    view = seen(bob, tea["id"])
    assert view is not None
    assert view["people"] == sorted([alice.address, carol.address])


# -- coming


def test_whoever_comes_is_told_to_all_and_leaves_again(server: ServerProcess) -> None:
    """Rows: A37, A44, A46."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    dave = newcomer(server.port, "dave")
    befriend(dave, carol)
    tea = create(alice)
    join(bob, tea["id"])
    for one in (alice, bob, carol, dave):
        drained(one)
    inside = join(carol, tea["id"])
    assert [one["id"] for one in inside["legs"]] == [leg(alice), leg(bob), leg(carol)]
    for one in (alice, bob):
        assert [packet["leg"]["id"] for packet in drained(one, "CONFERENCE-JOINED")] == [leg(carol)]
    assert drained(carol, "CONFERENCE-JOINED") == []
    assert drained(dave) == [{"type": "CONFERENCE-SEEN", "conference": ANY}] or seen(dave, tea["id"]) is not None
    view = seen(dave, tea["id"])
    assert view is not None
    assert (view["people"], view["count"]) == ([carol.address], 3)
    assert carol.ask("CONFERENCE-LEAVE", id=tea["id"])["type"] == "CONFERENCE-LEAVE-OK"
    for one in (alice, bob):
        gone = drained(one, "CONFERENCE-LEFT")
        assert [(packet["leg"], packet["code"]) for packet in gone] == [(leg(carol), "logged-out")]
    assert [packet["id"] for packet in drained(dave, "CONFERENCE-UNSEEN")] == [tea["id"]]
    carol_sees = seen(carol, tea["id"])
    assert carol_sees is not None
    assert "legs" not in carol_sees
    assert alice.ask("CONFERENCE-JOIN", id="nonsense")["code"] == "unknown-conference"
    assert dave.ask("CONFERENCE-JOIN", id=tea["id"])["code"] == "unknown-conference"  # nobody of his is inside
    assert carol.ask("CONFERENCE-LEAVE", id=tea["id"])["code"] == "not-inside"


def test_one_joins_by_the_friend_who_is_inside(server: ServerProcess) -> None:
    """In one conference: no name is needed.  In several: they are named, and one chooses.  Rows: A41, A42."""
    alice, bob = friends(server.port, "alice", "bob")
    mallory = newcomer(server.port, "mallory")
    assert bob.ask("CONFERENCE-JOIN", friend=alice.login)["code"] == "unknown-conference"
    tea = create(alice, "Tea")
    assert joined(bob.ask("CONFERENCE-JOIN", friend=alice.login))["id"] == tea["id"]
    bob.ask("CONFERENCE-LEAVE", id=tea["id"])
    coffee = create(alice, "Coffee")
    refused = bob.ask("CONFERENCE-JOIN", friend=alice.login)
    assert refused["code"] == "ambiguous"
    assert "Coffee, Tea" in refused["reason"]
    assert joined(bob.ask("CONFERENCE-JOIN", name="coffee"))["id"] == coffee["id"]
    assert mallory.ask("CONFERENCE-JOIN", friend=alice.login)["code"] == "not-friends"
    assert mallory.ask("CONFERENCE-JOIN", friend=unique("nobody"))["code"] == "unknown-user"
    assert alice.ask("CONFERENCE-JOIN", friend=alice.login)["code"] == "self"
    assert alice.ask("CONFERENCE-JOIN")["code"] == "bad-request"
    assert alice.ask("CONFERENCE-JOIN", id=tea["id"], name="Tea")["code"] == "bad-request"


def test_a_name_may_mean_several(server: ServerProcess) -> None:
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    create(alice, "Tea")
    create(bob, "Tea")
    assert carol.ask("CONFERENCE-JOIN", name="Tea")["code"] == "ambiguous"
    assert carol.ask("CONFERENCE-JOIN", name="Milk")["code"] == "unknown-conference"


def test_nobody_is_in_two_conferences_of_one_name(server: ServerProcess) -> None:
    """By joining, making or renaming.  Rows: A38, A40 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    tea, other = create(alice, "Tea"), create(bob, "TEA")
    coffee = create(bob, "Coffee")
    assert bob.ask("CONFERENCE-JOIN", id=tea["id"])["code"] == "already-there"
    assert bob.ask("CONFERENCE-CREATE", name="tea")["type"] == "CONFERENCE-CREATE-FAILED"
    assert bob.ask("CONFERENCE-CREATE", name=" tea")["code"] == "bad-request"
    join(alice, coffee["id"])
    refused = bob.ask("CONFERENCE-RENAME", id=coffee["id"], name="Tea")
    assert (refused["type"], refused["code"]) == ("CONFERENCE-RENAME-FAILED", "already-there")
    bob.ask("CONFERENCE-LEAVE", id=other["id"])
    assert bob.ask("CONFERENCE-RENAME", id=coffee["id"], name="Tea")["code"] == "already-there"  # alice is in both
    alice.ask("CONFERENCE-LEAVE", id=coffee["id"])
    assert bob.ask("CONFERENCE-RENAME", id=coffee["id"], name="Tea")["type"] == "CONFERENCE-RENAME-OK"


@pytest.mark.parametrize("policy", ["friends", "invite", "link", "open"])
def test_the_policy_says_who_may_come(server: ServerProcess, policy: str) -> None:
    """A friend, a stranger, the same by the link, and who was called.  Rows: A49, X09 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    mallory = newcomer(server.port, "mallory")
    tea = create(alice, policy="link")
    code = alice.ask("CONFERENCE-LINK", id=tea["id"])["code"]
    alice.ask("CONFERENCE-POLICY", id=tea["id"], policy=policy)
    view = seen(bob, tea["id"])
    assert view is not None
    assert view.get("may_join", False) is (policy in ("friends", "open"))
    assert (seen(mallory, tea["id"]) is not None) is (policy == "open")
    answers = {
        "friend": bob.ask("CONFERENCE-JOIN", id=tea["id"]),
        "stranger": mallory.ask("CONFERENCE-JOIN", id=tea["id"]),
        "link": mallory.ask("CONFERENCE-JOIN", link=code),
    }
    came = {who for who, answer in answers.items() if answer["type"] == "CONFERENCE-JOIN-OK"}
    assert came == {"friends": {"friend"}, "invite": set(), "link": {"link"}, "open": set(answers)}[policy]
    alice.ask("CALL", status="initiate", id=tea["id"], users=[carol.login])
    join(carol, tea["id"])
    answer = alice.ask("CONFERENCE-LINK", id=tea["id"])
    assert (answer["type"] == "CONFERENCE-LINK-OK") is (policy in ("link", "open"))


def test_a_link_is_void_when_there_is_a_new_one(server: ServerProcess) -> None:
    """Rows: A49 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    mallory = newcomer(server.port, "mallory")
    tea = create(alice, policy="link")
    old = alice.ask("CONFERENCE-LINK", id=tea["id"])["code"]
    assert alice.ask("CONFERENCE-LINK", id=tea["id"])["code"] == old
    joined(bob.ask("CONFERENCE-JOIN", link=old))
    assert bob.ask("CONFERENCE-LINK", id=tea["id"])["code"] == old
    assert bob.ask("CONFERENCE-LINK", id=tea["id"], new=True)["code"] == "forbidden"
    new = alice.ask("CONFERENCE-LINK", id=tea["id"], new=True)["code"]
    assert new != old
    assert mallory.ask("CONFERENCE-JOIN", link=old)["code"] == "unknown-conference"
    joined(mallory.ask("CONFERENCE-JOIN", link=new))
    assert mallory.ask("CONFERENCE-LINK", id="nonsense")["code"] == "unknown-conference"


def test_several_devices_are_legs_of_one_person(server: ServerProcess) -> None:
    """Rows: A43 (partly), X05 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    phone = Wire(server.port).connect(alice.login, device="phone")
    tea = create(alice)
    view = seen(phone, tea["id"])
    assert view is not None
    assert view["legs"] == [leg(alice)]
    inside = join(phone, tea["id"])
    assert [one["id"] for one in inside["legs"]] == [leg(alice), leg(alice, "phone")]
    view = seen(bob, tea["id"])
    assert view is not None
    assert (view["people"], view["count"]) == ([alice.address], 1)
    alice.ask("CONFERENCE-LEAVE", id=tea["id"])
    assert seen(bob, tea["id"]) is not None  # she is still there by her phone
    phone.ask("CONFERENCE-LEAVE", id=tea["id"])
    assert seen(bob, tea["id"]) is None


def test_one_leg_a_person_where_the_server_wants_it_so(tmp_path: Path) -> None:
    """The rule of document 000, and several devices without it.  Rows: A43."""
    own = ServerProcess(tmp_path / "data", "--registration", "open", "--one-leg-per-user").start()
    alice = newcomer(own.port, "alice")
    phone = Wire(own.port).connect(alice.login, device="phone")
    tea = create(alice)
    view = seen(phone, tea["id"])
    assert view is not None
    assert "may_join" not in view
    assert phone.ask("CONFERENCE-JOIN", id=tea["id"])["code"] == "already-there"
    assert own.stop() == 0


def test_sound_and_pictures_are_where_a_device_came_last(server: ServerProcess) -> None:
    """Rows: A39 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice, "Tea")
    join(bob, tea["id"])
    drained(bob)
    coffee = create(alice, "Coffee")
    held = drained(bob, "CONFERENCE-LEG")
    assert [(one["leg"]["id"], one["leg"]["held"]) for one in held] == [(leg(alice), True)]
    assert [one["leg"]["held"] for one in drained(alice, "CONFERENCE-LEG")] == [True]
    alice.ask("CONFERENCE-LEG-SET", id=tea["id"], held=False)  # she wants to hear both
    assert "held" not in drained(bob, "CONFERENCE-LEG")[0]["leg"]
    create(alice, "Notes", media="text")
    assert drained(bob, "CONFERENCE-LEG") == []
    for one in (tea, coffee):
        assert alice.ask("CONFERENCE-GET", id=one["id"])["type"] == "CONFERENCE-GET-OK"


def test_a_mesh_that_is_full_gives_less(tmp_path: Path) -> None:
    """Rows: V33 (partly), X09 (partly)."""
    flags = ("--video-legs", "1", "--audio-legs", "2", "--registration", "open")
    own = ServerProcess(tmp_path / "data", *flags).start()
    people = [newcomer(own.port, name) for name in ("alice", "bob", "carol")]
    answers = [one.ask("CONFERENCE-JOIN", id=LOBBY) for one in people]
    assert [one["conference"]["legs"][-1].get("media", "video") for one in answers] == ["video", "audio", "text"]
    assert [one.get("code") for one in answers] == [None, "mesh-full", "mesh-full"]
    assert answers[0]["conference"]["video_legs"] == 1
    assert own.stop() == 0


# -- the end


def test_only_its_owner_ends_a_conference(server: ServerProcess) -> None:
    """Rows: A34, X08 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    mallory = newcomer(server.port, "mallory")
    tea = create(alice)
    join(bob, tea["id"])
    assert mallory.ask("CONFERENCE-DELETE", id=tea["id"])["code"] == "unknown-conference"
    for one in (bob, carol):
        assert one.ask("CONFERENCE-DELETE", id=tea["id"])["code"] == "forbidden"
    assert seen(bob, tea["id"]) is not None
    drained(alice)
    assert alice.ask("CONFERENCE-DELETE", id=tea["id"])["type"] == "CONFERENCE-DELETE-OK"
    ended = drained(bob, "CONFERENCE-ENDED")
    assert [(one["id"], one["code"], one["by"]) for one in ended] == [(tea["id"], "ended", alice.address)]
    assert [one["code"] for one in drained(alice, "CONFERENCE-ENDED")] == ["ended"]
    assert seen(carol, tea["id"]) is None
    assert bob.ask("CONFERENCE-GET", id=tea["id"])["code"] == "unknown-conference"


def test_the_owner_leaving_ends_it_unless_it_was_handed_over(server: ServerProcess) -> None:
    """Rows: A36, A48."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea, coffee = create(alice, "Tea"), create(alice, "Coffee")
    join(bob, tea["id"])
    join(bob, coffee["id"])
    drained(bob)
    alice.ask("CONFERENCE-LEAVE", id=tea["id"])
    ended = drained(bob, "CONFERENCE-ENDED")
    assert [(one["id"], one["code"]) for one in ended] == [(tea["id"], "owner-left")]
    assert "owner left" in ended[0]["reason"]

    assert alice.ask("CONFERENCE-TRANSFER", id=coffee["id"], login=carol.login)["code"] == "not-inside"
    assert bob.ask("CONFERENCE-TRANSFER", id=coffee["id"], login=bob.login)["code"] == "forbidden"
    assert alice.ask("CONFERENCE-TRANSFER", id=coffee["id"], login=unique("x"))["code"] == "unknown-user"
    answer = alice.ask("CONFERENCE-TRANSFER", id=coffee["id"], login=bob.login)
    assert (answer["type"], answer["login"]) == ("CONFERENCE-TRANSFER-OK", bob.address)
    assert [one["owner"] for one in drained(bob, "CONFERENCE-CHANGED")] == [bob.address]
    assert alice.ask("CONFERENCE-RENAME", id=coffee["id"], name="Mine")["code"] == "forbidden"
    alice.ask("CONFERENCE-LEAVE", id=coffee["id"])
    assert drained(bob, "CONFERENCE-ENDED") == []
    view = seen(carol, coffee["id"])
    assert view is not None
    assert view["owner"] == bob.address


def test_an_empty_conference_is_gone(server: ServerProcess) -> None:
    """Rows: A47."""
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice)
    drained(bob)
    alice.ask("CONFERENCE-LEAVE", id=tea["id"])
    assert [one["id"] for one in drained(bob, "CONFERENCE-UNSEEN")] == [tea["id"]]
    assert alice.ask("CONFERENCE-JOIN", id=tea["id"])["code"] == "unknown-conference"


def test_a_new_name_is_told_to_all_who_see_it(server: ServerProcess) -> None:
    """Rows: A35."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice)
    join(bob, tea["id"])
    for one in (bob, carol):
        drained(one)
    assert bob.ask("CONFERENCE-RENAME", id=tea["id"], name="Coffee")["code"] == "forbidden"
    assert alice.ask("CONFERENCE-RENAME", id=tea["id"], name="Coffee")["type"] == "CONFERENCE-RENAME-OK"
    changed = drained(bob, "CONFERENCE-CHANGED")
    assert [(one["name"], one["by"]) for one in changed] == [("Coffee", alice.address)]
    assert [one["conference"]["name"] for one in drained(carol, "CONFERENCE-SEEN")] == ["Coffee"]


def test_the_conference_is_there_for_all_and_for_ever(own_server: ServerProcess) -> None:
    """Rows: A50, X16 (partly)."""
    code = own_server.said[1].rpartition("/")[2]
    admin_wire = Wire(own_server.port)
    assert admin_wire.register("root", code=code)["type"] == "REGISTER-OK"
    admin = admin_wire.connect("root", device="first")
    assert [one["id"] for one in admin.snapshot["conferences"]] == [LOBBY]
    alice, bob = newcomer(own_server.port, "alice"), newcomer(own_server.port, "bob")
    for one in (alice, bob, admin):
        assert join(one, LOBBY)["is_permanent"]
    assert alice.ask("CONFERENCE-MESSAGE", id=LOBBY, text="hello, all")["seq"] == 1
    assert drained(bob, "CONFERENCE-MESSAGE")[0]["text"] == "hello, all"
    for one in (alice, admin):
        assert one.ask("CONFERENCE-DELETE", id=LOBBY)["code"] == "forbidden"
        assert one.ask("CONFERENCE-RENAME", id=LOBBY, name="Mine")["code"] == "forbidden"
    assert alice.ask("CONFERENCE-REMOVE", id=LOBBY, leg=leg(bob))["code"] == "forbidden"
    assert admin.ask("CONFERENCE-REMOVE", id=LOBBY, leg=leg(bob))["type"] == "CONFERENCE-REMOVE-OK"
    assert drained(bob, "CONFERENCE-LEFT")[-1]["code"] == "removed"
    assert bob.ask("CONFERENCE-JOIN", id=LOBBY)["code"] == "forbidden"
    for one in (alice, admin):
        one.ask("CONFERENCE-LEAVE", id=LOBBY)
    own_server.stop()
    own_server.start()
    alice = again_at(own_server, alice)
    assert join(alice, LOBBY)["legs"][0]["id"] == leg(alice)
    page = alice.ask("CONFERENCE-HISTORY-GET", id=LOBBY)["messages"]
    assert [(one["seq"], one["text"]) for one in page] == [(1, "hello, all")]


def again_at(server: ServerProcess, wire: Wire) -> Wire:
    return Wire(server.port).connect(wire.login, device="first")


# -- what owners and legs do


def test_the_owner_switches_somebody_off_and_they_know(server: ServerProcess) -> None:
    """Rows: A69 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice)
    for one in (bob, carol):
        join(one, tea["id"])
    for one in (bob, carol):
        drained(one)
    assert bob.ask("CONFERENCE-MUTE", id=tea["id"], leg=leg(carol), audio=True)["code"] == "forbidden"
    assert alice.ask("CONFERENCE-MUTE", id=tea["id"], leg="nobody@x/y", audio=True)["code"] == "not-inside"
    alice.ask("CONFERENCE-MUTE", id=tea["id"], leg=leg(bob), audio=True)
    for one in (bob, carol):
        (muted,) = drained(one, "CONFERENCE-LEG")
        assert (muted["leg"]["is_muted"], muted["leg"]["muted_by"]) == (True, alice.address)
    assert bob.ask("CONFERENCE-LEG-SET", id=tea["id"], is_muted=False)["code"] == "forbidden"
    bob.ask("CONFERENCE-LEG-SET", id=tea["id"], asks=True)
    assert drained(alice, "CONFERENCE-LEG")[-1]["leg"]["asks"]
    alice.ask("CONFERENCE-MUTE", id=tea["id"], leg=leg(bob), audio=False)
    bob.ask("CONFERENCE-LEG-SET", id=tea["id"], is_muted=False)
    assert "is_muted" not in drained(carol, "CONFERENCE-LEG")[-1]["leg"]


def test_whoever_is_put_out_is_told_and_comes_back_by_invitation(server: ServerProcess) -> None:
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice)
    for one in (bob, carol):
        join(one, tea["id"])
    drained(bob)
    assert alice.ask("CONFERENCE-REMOVE", id=tea["id"], leg=leg(alice))["code"] == "self"
    alice.ask("CONFERENCE-REMOVE", id=tea["id"], leg=leg(bob))
    (left,) = drained(bob, "CONFERENCE-LEFT")
    assert (left["leg"], left["code"]) == (leg(bob), "removed")
    refused = bob.ask("CONFERENCE-JOIN", id=tea["id"])
    assert (refused["code"], refused["reason"]) == ("forbidden", "The owner has removed you from the conference.")
    assert carol.ask("CALL", status="initiate", id=tea["id"], users=[bob.login])["code"] == "forbidden"
    alice.ask("CALL", status="initiate", id=tea["id"], users=[bob.login])
    join(bob, tea["id"])


def test_a_profile_is_shown_on_the_leg(server: ServerProcess) -> None:
    alice, bob = friends(server.port, "alice", "bob")
    alice.ask("PROFILE-UPDATE", name="Alice A.")
    tea = create(alice)
    assert tea["legs"][0]["name"] == "Alice A."
    join(bob, tea["id"])
    drained(bob)
    alice.ask("PROFILE-UPDATE", name="Alice B.")
    assert [one["leg"]["name"] for one in drained(bob, "CONFERENCE-LEG")] == ["Alice B."]


# -- rooms


def test_the_texts_of_a_room_are_stored_once_in_order_and_for_legs_only(server: ServerProcess) -> None:
    """Rows: X16 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea, coffee = create(alice, "Tea"), create(alice, "Coffee")
    join(bob, tea["id"])
    first = alice.ask("CONFERENCE-MESSAGE", id=tea["id"], text="one", cookie="c")
    repeat = alice.ask("CONFERENCE-MESSAGE", id=tea["id"], text="one", cookie="c")
    other = alice.ask("CONFERENCE-MESSAGE", id=coffee["id"], text="elsewhere", cookie="c")
    alice.say(bob.login, "not in the room", cookie="c")
    assert [(one["seq"], one["cookie"]) for one in (first, repeat, other)] == [(1, "c")] * 3
    assert first["at"] == repeat["at"]
    texts = [one["text"] for one in drained(bob, "CONFERENCE-MESSAGE", "MESSAGE")]
    assert texts == ["one", "not in the room"], "what is said again is not told again"
    for n in range(2, 8):
        sender = alice if n % 2 else bob
        assert sender.ask("CONFERENCE-MESSAGE", id=tea["id"], text=str(n))["seq"] == n
    assert carol.ask("CONFERENCE-MESSAGE", id=tea["id"], text="x")["code"] == "not-inside"
    assert carol.ask("CONFERENCE-HISTORY-GET", id=tea["id"])["code"] == "not-inside"
    assert alice.ask("CONFERENCE-MESSAGE", id=tea["id"], text="")["code"] == "bad-request"
    join(carol, tea["id"])  # who comes later reads what was said
    page = carol.ask("CONFERENCE-HISTORY-GET", id=tea["id"], limit=3)
    assert [one["seq"] for one in page["messages"]] == [5, 6, 7]
    assert page["more"]
    page = carol.ask("CONFERENCE-HISTORY-GET", id=tea["id"], before=5, limit=10)
    assert (page["messages"][0]["seq"], page["messages"][0]["text"]) == (1, "one")
    assert "more" not in page
    assert [one["text"] for one in alice.ask("HISTORY-GET", peer=bob.login)["messages"]] == ["not in the room"]
    assert alice.ask("SEARCH", peer=bob.login, query="one")["messages"] == []


def test_texts_of_one_commit_are_told_in_order_to_every_leg_and_each_sender_learns_of_its_own(
    server: ServerProcess,
) -> None:
    """Many who write at once go into one commit; here the database is held until all have written."""
    alice, bob, carol, dave = friends(server.port, "alice", "bob", "carol", "dave")
    tea = create(alice)["id"]
    terse = Wire(server.port)
    terse.write(f"CONNECT mechanism=RESUME token={carol.resume}\r\n".encode())
    for one in (bob, dave):
        join(one, tea)
    terse.write(f"CONFERENCE-JOIN id={tea}\r\n".encode())
    while not terse_line(terse).startswith("CONFERENCE-JOIN-OK "):
        pass
    for one in (alice, bob, dave):
        drained(one)
    with contextlib.closing(sqlite3.connect(server.data / "veche.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        alice.send("CONFERENCE-MESSAGE", id=tea, text="in a commit of its own")
        for n in range(30):
            writer = (alice, bob, dave)[n % 3]
            writer.send("CONFERENCE-MESSAGE", id=tea, text=f"text {n}", cookie=f"c{n}")
        bob.send("CONFERENCE-MESSAGE", id=tea, text="text 1", cookie="c1")
        drained(bob)
        assert dave.ask("CONFERENCE-LEAVE", id=tea)["type"] == "CONFERENCE-LEAVE-OK"
        drained(alice)
        other.execute("ROLLBACK")
    assert alice.ask("CONFERENCE-MESSAGE", id=tea, text="the last")["seq"] == 32
    told, sent = ("CONFERENCE-MESSAGE", "CONFERENCE-MESSAGE-SENT")
    bobs = drained(bob, told, sent)
    repeat = bobs.pop(next(n for n, one in enumerate(bobs) if one.get("cookie") == "c1" and n != index_of(bobs, "c1")))
    assert [one["seq"] for one in bobs] == list(range(1, 33))
    assert repeat["seq"] == bobs[index_of(bobs, "c1")]["seq"]
    assert {one["cookie"] for one in bobs if one["type"] == sent} == {f"c{n}" for n in range(1, 30, 3)}
    assert {one["text"] for one in bobs if one["type"] == told and one["from"] == alice.address} >= {
        "text 0",
        "text 27",
    }
    assert {one["type"] for one in drained(dave, told, sent)} == {sent}, "who has left is told of its own alone"
    texts: list[str] = []
    while "the last" not in texts:
        line = terse_line(terse)
        if line.startswith("CONFERENCE-MESSAGE "):
            seq = re.search(r" seq=(\d+)", line)
            assert seq is not None
            assert int(seq[1]) == len(texts) + 1
            texts.append(line.rpartition("text=")[2].strip('"'))
    page = alice.ask("CONFERENCE-HISTORY-GET", id=tea)
    assert [one["text"] for one in page["messages"]] == texts


def terse_line(wire: Wire) -> str:
    line = wire.line()
    assert line is not None
    return line.decode()


def index_of(packets: list[dict[str, Any]], cookie: str) -> int:
    return next(n for n, one in enumerate(packets) if one.get("cookie") == cookie)


# -- links that break, servers that stop


def test_a_lost_leg_takes_its_place_up_again_with_its_epoch(server: ServerProcess) -> None:
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice)
    join(bob, tea["id"])
    drained(alice)
    bob.kill()
    lost = alice.until("CONFERENCE-LEG")[-1]["leg"]
    assert (lost["id"], lost["is_lost"], lost["epoch"]) == (leg(bob), True, 2)
    bob = again(bob)
    answer = bob.ask("CONFERENCE-JOIN", id=tea["id"], resume=True)
    assert answer["resumed"]
    assert answer["conference"]["epoch"] == 2
    back = alice.until("CONFERENCE-LEG")[-1]["leg"]
    assert (back["epoch"], "is_lost" in back) == (2, False)
    answer = bob.ask("CONFERENCE-JOIN", id=tea["id"])  # a page that was loaded anew
    assert "resumed" not in answer
    assert alice.until("CONFERENCE-JOINED")[-1]["leg"]["epoch"] == 3


def test_a_device_that_connects_again_replaces_the_old_link_and_keeps_its_leg(server: ServerProcess) -> None:
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice)
    join(bob, tea["id"])
    newer = again(bob)
    answer = newer.ask("CONFERENCE-JOIN", id=tea["id"], resume=True)
    assert answer["resumed"]
    assert [one["epoch"] for one in answer["conference"]["legs"]] == [1, 2]


def test_logging_out_is_leaving_and_so_is_a_revoked_device(server: ServerProcess) -> None:
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice)
    join(bob, tea["id"])
    drained(alice)
    bob.send("GOODBYE", code="logged-out")
    assert bob.is_closed()
    assert alice.until("CONFERENCE-LEFT")[-1]["code"] == "logged-out"
    phone = Wire(server.port).connect(bob.login, device="phone")
    join(phone, tea["id"])
    laptop = Wire(server.port).connect(bob.login, device="first")
    drained(alice)
    laptop.ask("SESSIONS-REVOKE", device="phone")
    left = alice.until("CONFERENCE-LEFT")[-1]
    assert (left["leg"], left["code"]) == (leg(bob, "phone"), "revoked")


def test_a_deleted_account_is_nowhere_and_what_it_owned_ends(server: ServerProcess) -> None:
    alice, bob = friends(server.port, "alice", "bob")
    tea, coffee = create(alice, "Tea"), create(bob, "Coffee")
    join(bob, tea["id"])
    join(alice, coffee["id"])
    alice.ask("CONFERENCE-MESSAGE", id=coffee["id"], text="something personal")
    drained(bob)
    alice.send("ACCOUNT-DELETE", password="a password")
    packets = bob.until("CONFERENCE-ENDED")
    while not any(one["type"] == "CONFERENCE-LEFT" and one["id"] == coffee["id"] for one in packets):
        packets.append(bob.receive())
    ended = next(one for one in packets if one["type"] == "CONFERENCE-ENDED")
    assert (ended["id"], ended["code"]) == (tea["id"], "account-deleted")
    left = [one for one in packets if one["type"] == "CONFERENCE-LEFT" and one["id"] == coffee["id"]]
    assert [(one["leg"], one["code"]) for one in left] == [(leg(alice), "account-deleted")]
    page = bob.ask("CONFERENCE-HISTORY-GET", id=coffee["id"])["messages"]
    assert [one["text"] for one in page] == [""]


def test_after_a_restart_every_leg_has_its_place_and_its_epoch(own_server: ServerProcess) -> None:
    """By SIGTERM and by kill -9.  Rows: X07 (partly), X10 (partly)."""
    alice, bob, carol = friends(own_server.port, "alice", "bob", "carol")
    tea = create(alice, policy="link")
    code = alice.ask("CONFERENCE-LINK", id=tea["id"])["code"]
    joined(bob.ask("CONFERENCE-JOIN", link=code, media="audio"))
    bob.ask("CONFERENCE-LEG-SET", id=tea["id"], is_muted=True)
    alice.ask("CONFERENCE-TRANSFER", id=tea["id"], login=bob.login)
    alice.ask("CONFERENCE-MESSAGE", id=tea["id"], text="before")
    before = bob.ask("CONFERENCE-GET", id=tea["id"])["conference"]
    newest = before["epoch"]
    for stop in (own_server.stop, own_server.kill):
        alice.ask("PING")
        alice.say(bob.login, "what was saved before this is durable")
        stop()
        own_server.start()
        alice, bob = again_at(own_server, alice), again_at(own_server, bob)
        for one in (alice, bob):
            answer = one.ask("CONFERENCE-JOIN", id=tea["id"], resume=True)
            assert answer["resumed"]
        assert bob.ask("CONFERENCE-GET", id=tea["id"])["conference"] == before
    carol = again_at(own_server, carol)
    inside = joined(carol.ask("CONFERENCE-JOIN", link=code))
    assert inside["legs"][-1]["epoch"] > newest
    assert carol.ask("CONFERENCE-HISTORY-GET", id=tea["id"])["messages"][0]["text"] == "before"


@pytest.mark.parametrize(("seconds", "acting"), [(59.0, False), (61.0, True)])
def test_an_owner_whose_network_was_gone(tmp_path: Path, seconds: float, acting: bool) -> None:
    """For 59 seconds: nothing happened, owner and epochs are what they were.  For 61: somebody acts, until the owner is
    back, with a new epoch.

    Rows: X07.
    """
    with ClockedServer(tmp_path / "data") as own:
        alice, bob, carol = friends(own.port, "alice", "bob", "carol")
        tea = create(alice)
        for one in (bob, carol):
            join(one, tea["id"])
        drained(bob)
        before = bob.ask("CONFERENCE-GET", id=tea["id"])["conference"]
        alice.kill()
        assert bob.until("CONFERENCE-LEG")[-1]["leg"]["is_lost"]
        own.move(seconds)
        told = drained(bob, "CONFERENCE-LEFT", "CONFERENCE-CHANGED")
        if acting:
            assert [one["type"] for one in told] == ["CONFERENCE-LEFT", "CONFERENCE-CHANGED"]
            assert (told[0]["code"], told[1]["acting_owner"]) == ("offline", bob.address)
            assert bob.ask("CONFERENCE-RENAME", id=tea["id"], name="Coffee")["type"] == "CONFERENCE-RENAME-OK"
        else:
            assert told == []
            assert bob.ask("CONFERENCE-RENAME", id=tea["id"], name="Coffee")["code"] == "forbidden"
        alice = again(alice)
        answer = alice.ask("CONFERENCE-JOIN", id=tea["id"], resume=True)
        assert answer.get("resumed", False) is not acting
        assert answer["conference"]["owner"] == alice.address
        assert "acting_owner" not in answer["conference"]
        if acting:
            assert [one["epoch"] for one in answer["conference"]["legs"]] == [2, 3, 4]
        else:
            assert answer["conference"] == before
        assert bob.ask("CONFERENCE-RENAME", id=tea["id"], name="Milk")["code"] == "forbidden"
        alice.ask("CONFERENCE-LEAVE", id=tea["id"])
        assert carol.until("CONFERENCE-ENDED")[-1]["code"] == "owner-left"


@pytest.mark.parametrize("seconds", [59.0, 61.0])
def test_when_the_network_of_all_was_gone(tmp_path: Path, seconds: float) -> None:
    """For 59 seconds: all have their places again.  For 61: it is over, and who could see it is told.

    Rows: A47 (partly), X07 (partly).
    """
    with ClockedServer(tmp_path / "data") as own:
        alice, bob, carol = friends(own.port, "alice", "bob", "carol")
        tea = create(alice)
        join(bob, tea["id"])
        before = bob.ask("CONFERENCE-GET", id=tea["id"])["conference"]
        drained(carol)
        for one in (alice, bob):
            one.kill()
        wait_for(lambda: own.do(lambda app: len(app.halls.by_id[tea["id"]].state.lost) == 2))
        own.move(seconds)
        told = drained(carol, "CONFERENCE-UNSEEN")
        assert [one["id"] for one in told] == ([tea["id"]] if seconds > 60 else [])
        answers = [again(one).ask("CONFERENCE-JOIN", id=tea["id"], resume=True) for one in (alice, bob)]
        if seconds > 60:
            assert [one["code"] for one in answers] == ["unknown-conference"] * 2
        else:
            assert [one["resumed"] for one in answers] == [True, True]
            assert answers[1]["conference"] == before


def test_a_conference_whose_links_all_broke_is_gone_after_a_minute(tmp_path: Path) -> None:
    """Also when the server was restarted meanwhile.  Rows: A47 (partly), X07 (partly)."""
    with ClockedServer(tmp_path / "data") as own:
        alice, bob = friends(own.port, "alice", "bob")
        tea = create(alice)
        assert seen(bob, tea["id"]) is not None
    with ClockedServer(tmp_path / "data") as own:
        bob = Wire(own.port).connect(bob.login, device="first")
        assert seen(bob, tea["id"]) is not None
        own.move(59)
        assert seen(bob, tea["id"]) is not None
        own.move(2)
        assert seen(bob, tea["id"]) is None
        assert own.do(lambda app: len(app.halls.by_id)) == 1


def test_two_who_press_everything_at_once(server: ServerProcess) -> None:
    """Whatever wins, both are told the same, and nobody is refused more than once."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice)
    join(bob, tea["id"])
    requests: tuple[tuple[str, dict[str, Any]], ...] = (
        ("CONFERENCE-TRANSFER", {"login": bob.login}),
        ("CONFERENCE-RENAME", {"name": "Milk"}),
        ("CONFERENCE-LEG-SET", {"is_muted": True}),
        ("CONFERENCE-LEAVE", {}),
        ("CONFERENCE-JOIN", {}),
        ("CONFERENCE-DELETE", {}),
        ("CALL", {"status": "initiate", "users": [carol.login]}),
        ("CONFERENCE-LEAVE", {}),
    )
    for type, fields in requests:
        for one in (alice, bob):
            one.send(type, id=tea["id"], tag="now", **fields)
    for one in (alice, bob):
        answers = [packet for packet in drained(one) if packet.get("tag") == "now"]
        assert len(answers) == len(requests)
        assert "internal-error" not in [packet.get("code") for packet in answers]
    assert seen(alice, tea["id"]) == seen(bob, tea["id"]) is None


def test_the_classic_profile_has_no_conferences(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.txt"
    credentials.write_text("hans falcon\n")
    own = ServerProcess(tmp_path / "data", "--profile", "classic", "--credentials", str(credentials)).start()
    with Wire(own.port) as hans:
        hans.send("HELLO", client="test", version=1)
        assert "conferences" not in hans.expect("HELLO")["features"]
        hans.connect("hans", "falcon")
        assert "conferences" not in hans.snapshot
        for type, fields in (("CONFERENCE-LIST", {}), ("CONFERENCE-CREATE", {"name": "Tea"}), ("ICE-SERVERS-GET", {})):
            hans.send(type, tag="t", **fields)
            hans.expect("ERROR-NOT-IMPLEMENTED", request_type=type, tag="t")
    assert own.stop() == 0


def test_hello_says_that_there_are_conferences(server: ServerProcess) -> None:
    with Wire(server.port) as wire:
        wire.send("HELLO", client="test", version=1)
        assert "conferences" in wire.expect("HELLO")["features"]


def test_nobody_is_inside_who_could_not_be_written_down(tmp_path: Path) -> None:
    """On a disk that is full: a typed refusal, nobody is told, nothing is left; with room again everything goes on."""
    with ClockedServer(tmp_path / "data") as own:

        def pragma(text: str) -> int:
            def steps() -> Steps[int]:
                rows = yield Statement(f"PRAGMA {text}")
                return rows[0][0]

            async def write() -> int:
                return await own.app.database.write(steps())

            return asyncio.run_coroutine_threadsafe(write(), own.loop).result(20)

        people = [newcomer(own.port, "person", device=f"{n:060}") for n in range(12)]
        watcher = newcomer(own.port, "watcher")
        join(watcher, LOBBY)
        drained(watcher)
        pragma(f"max_page_count = {pragma('page_count')}")
        inside: list[str] = []
        refused: list[tuple[str, str]] = []
        for one in people:
            for n in range(8):
                answer = one.ask("CONFERENCE-CREATE", name=f"{n} {'x' * 90}")
                if answer["type"] != "CONFERENCE-JOIN-OK":
                    refused.append((answer["type"], answer["code"]))
            answer = one.ask("CONFERENCE-JOIN", id=LOBBY)
            if answer["type"] == "CONFERENCE-JOIN-OK":
                inside.append(answer["leg"])
            else:
                refused.append((answer["type"], answer["code"]))
        assert set(refused) >= {("CONFERENCE-CREATE-FAILED", "storage-full")}
        assert {code for _, code in refused} == {"storage-full"}
        assert [one["leg"]["id"] for one in drained(watcher, "CONFERENCE-JOINED")] == inside
        newest = watcher.ask("CONFERENCE-GET", id=LOBBY)["conference"]["epoch"]
        pragma("max_page_count = 100000")
        for one in people:
            assert join(one, LOBBY)["epoch"] > newest
        legs = watcher.ask("CONFERENCE-GET", id=LOBBY)["conference"]["legs"]
        assert len(legs) == len(people) + 1
        assert len({one["epoch"] for one in legs}) == len(legs)


def test_who_comes_does_not_wait_until_many_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many who may see a conference hear of its news now and then; its legs, and those who come, at once."""
    monkeypatch.setattr("veche.server.halls.MANY_VIEWERS", 2)
    monkeypatch.setattr("veche.server.halls.QUIET_S", 3600.0)
    monkeypatch.setattr("veche.server.app.SWEEP_S", 3600.0)
    with ClockedServer(tmp_path / "data") as own:
        alice, bob, carol = friends(own.port, "alice", "bob", "carol")
        crowd = [newcomer(own.port, "passerby") for _ in range(3)]
        id = create(alice, "Crowd", policy="open")["id"]
        for one in crowd:
            assert seen(one, id) is not None
        join(bob, id)
        join(carol, id)
        for _ in range(3):
            assert bob.ask("CONFERENCE-LEAVE", id=id)["type"] == "CONFERENCE-LEAVE-OK"
            assert len(join(bob, id)["legs"]) == 3
        assert len(drained(alice, "CONFERENCE-JOINED")) == 5
