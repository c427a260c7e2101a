"""Mallory among conferences on a real server: what a stranger learns, what fills the server, what goes round a rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clocked import ClockedServer
from tests.support.conferences import LOBBY, again, befriend, create, drained, friends, join, joined, leg, seen
from tests.support.server import ServerProcess, wait_for
from tests.support.wire import Wire, newcomer
from veche.core.conference import MAX_DEVICES
from veche.server.features.conference import CHANGES
from veche.server.halls import MAX_OPEN


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of these tests alone."""
    running = ServerProcess(tmp_path_factory.mktemp("server") / "data", "--registration", "open").start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


# -- who may see what


@pytest.mark.parametrize("policy", ["friends", "invite", "link"])
def test_a_stranger_learns_nothing_by_asking(server: ServerProcess, policy: str) -> None:
    """Every request about a conference that one may not see is answered as about one that is not there."""
    alice, mallory = newcomer(server.port, "alice"), newcomer(server.port, "mallory")
    tea = create(alice, policy=policy)
    requests = {
        "CONFERENCE-JOIN": {},
        "CONFERENCE-LEAVE": {},
        "CONFERENCE-GET": {},
        "CONFERENCE-DELETE": {},
        "CONFERENCE-RENAME": {"name": "Mine"},
        "CONFERENCE-TRANSFER": {"login": mallory.login},
        "CONFERENCE-POLICY": {"policy": "open"},
        "CONFERENCE-LINK": {},
        "CONFERENCE-MUTE": {"leg": leg(alice), "audio": True},
        "CONFERENCE-REMOVE": {"leg": leg(alice)},
        "CONFERENCE-LEG-SET": {"is_muted": True},
        "CONFERENCE-MESSAGE": {"text": "hello"},
        "CONFERENCE-HISTORY-GET": {},
        "CALL": {"status": "abort"},
        "SIGNAL": {"to": leg(alice), "epoch": 1, "kind": "bye"},
    }
    for type, fields in requests.items():
        answers = [mallory.ask(type, id=id, **fields) for id in (tea["id"], "nonsense")]
        for answer in answers:
            del answer["tag"]
        assert answers[0] == answers[1], type
        assert answers[0]["code"] == "unknown-conference"
    assert mallory.ask("CONFERENCE-JOIN", name="Tea")["code"] == "unknown-conference"
    assert mallory.ask("CONFERENCE-JOIN", friend=alice.login)["code"] == "not-friends"
    mallory.expect_nothing()
    assert drained(alice, "CONFERENCE-MESSAGE", "SIGNAL", "CONFERENCE-CHANGED", "CONFERENCE-LEG") == []


def test_an_open_conference_tells_strangers_how_many_are_inside_and_not_who(server: ServerProcess) -> None:
    """Nor whose it is; a friend of somebody inside is told of that one only.  Rows: A33 (partly), X06 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    mallory, carol = newcomer(server.port, "mallory"), newcomer(server.port, "carol")
    befriend(bob, carol)
    tea = create(alice, "Open tea", policy="open")
    join(bob, tea["id"])
    for one, people in ((mallory, []), (carol, [bob.address])):
        view = seen(one, tea["id"])
        assert view is not None
        assert (view.get("people", []), view["count"], view["owner"]) == (people, 2, "")
        assert alice.login not in str(drained(one))
    inside = join(mallory, tea["id"])  # whoever is inside sees who else is
    assert inside["owner"] == alice.address
    alice.ask("CONFERENCE-DELETE", id=tea["id"])


def test_whoever_is_blocked_cannot_tell_by_whose_it_is_where_somebody_is(server: ServerProcess) -> None:
    """Rows: X06 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice)
    join(carol, tea["id"])
    drained(bob)
    alice.ask("BLOCK", login=bob.login)
    told = drained(bob, "CONFERENCE-SEEN")
    assert [(one["conference"]["owner"], one["conference"]["people"]) for one in told] == [("", [carol.address])]
    view = seen(bob, tea["id"])
    assert view is not None
    assert alice.login not in str(view)
    alice.ask("UNBLOCK", login=bob.login)
    assert drained(bob, "CONFERENCE-SEEN")[-1]["conference"]["owner"] == alice.address


def test_a_new_name_does_not_say_who_is_in_another_conference(server: ServerProcess) -> None:
    """An owner could try names to find out where people are."""
    alice, bob = friends(server.port, "alice", "bob")
    create(bob, "Secret", policy="invite")
    tea = create(alice)
    join(bob, tea["id"])
    refused = alice.ask("CONFERENCE-RENAME", id=tea["id"], name="Secret")
    assert refused["code"] == "already-there"
    assert bob.login not in refused["reason"]


def test_whoever_left_or_was_put_out_reads_no_further(server: ServerProcess) -> None:
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice)
    for one in (bob, carol):
        join(one, tea["id"])
    bob.ask("CONFERENCE-LEAVE", id=tea["id"])
    alice.ask("CONFERENCE-REMOVE", id=tea["id"], leg=leg(carol))
    for one in (bob, carol):
        drained(one)
    alice.ask("CONFERENCE-MESSAGE", id=tea["id"], text="about them")
    for one in (bob, carol):
        assert drained(one, "CONFERENCE-MESSAGE") == []
        assert one.ask("CONFERENCE-HISTORY-GET", id=tea["id"])["code"] == "not-inside"
        assert one.ask("CONFERENCE-MESSAGE", id=tea["id"], text="still here")["code"] == "not-inside"


# -- going round a rule


def test_whoever_was_put_out_does_not_come_back_by_another_way(server: ServerProcess) -> None:
    """By id, name, friend, link, another device, another policy, or by being called by somebody else."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice, policy="link")
    code = alice.ask("CONFERENCE-LINK", id=tea["id"])["code"]
    join_bob = bob.ask("CONFERENCE-JOIN", link=code)
    joined(join_bob)
    joined(carol.ask("CONFERENCE-JOIN", link=code))
    alice.ask("CONFERENCE-REMOVE", id=tea["id"], leg=leg(bob))
    phone = Wire(server.port).connect(bob.login, device="phone")
    for policy in ("link", "friends", "open"):
        alice.ask("CONFERENCE-POLICY", id=tea["id"], policy=policy)
        for device in (bob, phone):
            for how in ({"id": tea["id"]}, {"name": "Tea"}, {"friend": alice.login}, {"link": code}):
                assert device.ask("CONFERENCE-JOIN", **how)["type"] == "CONFERENCE-JOIN-FAILED", (policy, how)
            assert device.ask("CONFERENCE-JOIN", id=tea["id"], resume=True)["code"] == "forbidden"
    assert carol.ask("CALL", status="reinvite", id=tea["id"], users=[bob.login])["code"] == "forbidden"
    alice.ask("CONFERENCE-DELETE", id=tea["id"])


def test_a_switched_off_microphone_is_not_switched_on_by_coming_again(server: ServerProcess) -> None:
    """Not by leaving, by another device, by a new link, by a conference of the same name, nor by asking for oneself."""
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice)
    join(bob, tea["id"])
    alice.ask("CONFERENCE-MUTE", id=tea["id"], leg=leg(bob), audio=True, video=True)
    assert bob.ask("CONFERENCE-MUTE", id=tea["id"], leg=leg(bob), audio=False)["code"] == "forbidden"
    for what in ({"is_muted": False}, {"is_hidden": False}, {"is_sharing": True}):
        assert bob.ask("CONFERENCE-LEG-SET", id=tea["id"], **what)["code"] == "forbidden"
    bob.ask("CONFERENCE-LEAVE", id=tea["id"])
    phone = Wire(server.port).connect(bob.login, device="phone")
    for device in (bob, phone, bob):
        mine = join(device, tea["id"])["legs"][-1]
        assert (mine["muted_by"], mine["hidden_by"], mine["is_muted"]) == (alice.address, alice.address, True)
    bob.kill()
    bob = again(bob)
    inside = joined(bob.ask("CONFERENCE-JOIN", id=tea["id"], resume=True))
    assert {one.get("muted_by") for one in inside["legs"]} == {None, alice.address}


def test_who_stands_in_for_the_owner_cannot_take_the_conference(tmp_path: Path) -> None:
    """They keep order, and the owner has it back as soon as they return.  Rows: X07 (partly)."""
    with ClockedServer(tmp_path / "data") as own:
        alice, mallory, carol = friends(own.port, "alice", "mallory", "carol")
        tea = create(alice)
        for one in (mallory, carol):
            join(one, tea["id"])
        alice.kill()
        mallory.until("CONFERENCE-LEG")
        own.move(61)
        assert mallory.until("CONFERENCE-CHANGED")[-1]["acting_owner"] == mallory.address
        for to in (mallory, carol):
            refused = mallory.ask("CONFERENCE-TRANSFER", id=tea["id"], login=to.login)
            assert refused["code"] == "forbidden"
        assert mallory.ask("CONFERENCE-RENAME", id=tea["id"], name="Milk")["type"] == "CONFERENCE-RENAME-OK"
        alice = again(alice)
        inside = join(alice, tea["id"])
        assert (inside["owner"], inside.get("acting_owner", "")) == (alice.address, "")
        assert mallory.ask("CONFERENCE-RENAME", id=tea["id"], name="Mine")["code"] == "forbidden"


# -- names


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a\nb",
        "a\x00b",
        "a\x1b[2Jb",
        "\u202eeeT",
        "a\u2028b",
        "\u200b",
        "\u2060\ufeff",
        "x" * 101,
        " Tea",
        "Tea ",
    ],
)
def test_a_name_that_does_not_show_what_it_is_is_refused(server: ServerProcess, name: str) -> None:
    """When a conference is made, and when it is renamed."""
    alice = newcomer(server.port, "alice")
    assert alice.ask("CONFERENCE-CREATE", name=name)["code"] == "bad-request"
    tea = create(alice)
    assert alice.ask("CONFERENCE-RENAME", id=tea["id"], name=name)["code"] == "bad-request"
    assert alice.ask("CONFERENCE-GET", id=tea["id"])["conference"]["name"] == "Tea"


@pytest.mark.parametrize("name", ["Veche", "VECHE", "ＶＥＣＨＥ", "Ve\u200bche", "ve\u00adche"])
def test_nobody_takes_the_name_of_the_conference_of_everybody(server: ServerProcess, name: str) -> None:
    """Rows: A50 (partly)."""
    alice = newcomer(server.port, "alice")
    assert alice.ask("CONFERENCE-CREATE", name=name, policy="open")["code"] == "bad-request"
    tea = create(alice)
    assert alice.ask("CONFERENCE-RENAME", id=tea["id"], name=name)["code"] == "bad-request"


def test_nobody_is_in_two_conferences_of_one_name_and_the_button_is_off(server: ServerProcess) -> None:
    """By joining, making, renaming, taking a call or a link, also when the names only look the same; what clients show
    as a button follows, at once, in both directions.

    Rows: A38, A40.
    """
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea, other = create(alice, "Tea", policy="link"), create(bob, "Te\u200da")
    view = seen(bob, tea["id"])
    assert view is not None
    code = alice.ask("CONFERENCE-LINK", id=tea["id"])["code"]
    alice.ask("CONFERENCE-POLICY", id=tea["id"], policy="friends")
    told = drained(bob, "CONFERENCE-SEEN")
    assert "may_join" not in told[-1]["conference"], "bob is in one of the name"
    for how in ({"id": tea["id"]}, {"link": code}, {"friend": alice.login}):
        assert bob.ask("CONFERENCE-JOIN", **how)["code"] in ("already-there", "forbidden")
    for name in ("tea", "TEA", "Ｔｅａ"):
        assert bob.ask("CONFERENCE-CREATE", name=name)["code"] == "already-there"
    alice.ask("CALL", status="initiate", id=tea["id"], users=[bob.login])
    assert bob.ask("CALL", status="accepted", id=tea["id"])["code"] == "already-there"
    drained(bob)
    bob.ask("CONFERENCE-RENAME", id=other["id"], name="Coffee")
    views = {one["conference"]["id"]: one["conference"] for one in drained(bob, "CONFERENCE-SEEN")}
    assert views[tea["id"]]["may_join"], "now they may"
    assert bob.ask("CALL", status="accepted", id=tea["id"])["type"] == "CONFERENCE-JOIN-OK"
    assert bob.ask("CONFERENCE-RENAME", id=other["id"], name="Tea")["code"] == "already-there"
    bob.ask("CONFERENCE-LEAVE", id=other["id"])
    third = create(carol, "tea")
    view = seen(alice, third["id"])
    assert view is not None
    assert "may_join" not in view
    drained(alice)
    alice.ask("CONFERENCE-DELETE", id=tea["id"])
    views = {one["conference"]["id"]: one["conference"] for one in drained(alice, "CONFERENCE-SEEN")}
    assert views[third["id"]]["may_join"]
    join(alice, third["id"])


# -- filling the server


def test_one_owner_does_not_fill_everybody_s_list(server: ServerProcess) -> None:
    """Open conferences are told to all; those of one owner are few, however they become open."""
    mallory = newcomer(server.port, "mallory")
    mine = [create(mallory, f"Spam {n}", policy="open") for n in range(MAX_OPEN)]
    assert mallory.ask("CONFERENCE-CREATE", name="More", policy="open")["code"] == "too-many"
    more = create(mallory, "More")
    assert mallory.ask("CONFERENCE-POLICY", id=more["id"], policy="open")["code"] == "too-many"
    assert mallory.ask("CONFERENCE-POLICY", id=mine[0]["id"], policy="open")["type"] == "CONFERENCE-POLICY-OK"
    mallory.ask("CONFERENCE-DELETE", id=mine[0]["id"])
    assert mallory.ask("CONFERENCE-POLICY", id=more["id"], policy="open")["type"] == "CONFERENCE-POLICY-OK"
    for one in [*mine[1:], more]:
        mallory.ask("CONFERENCE-DELETE", id=one["id"])


def test_one_person_does_not_fill_a_conference_with_devices(server: ServerProcess) -> None:
    mallory = newcomer(server.port, "mallory")
    tea = create(mallory)
    devices = [Wire(server.port).connect(mallory.login, device=f"device {n}") for n in range(MAX_DEVICES)]
    answers = [one.ask("CONFERENCE-JOIN", id=tea["id"], media="text") for one in devices]
    assert [one.get("code") for one in answers] == [None] * (MAX_DEVICES - 1) + ["too-many"]


def test_many_changes_are_taken_more_slowly(tmp_path: Path) -> None:
    """Each is told to many: whoever goes in and out without end is read slowly, and others are not."""
    with ClockedServer(tmp_path / "data", conference_rate=60.0) as own:
        mallory, alice = newcomer(own.port, "mallory"), newcomer(own.port, "alice")
        join(alice, LOBBY)
        drained(alice)
        for _ in range(300):
            mallory.send("CONFERENCE-JOIN", id=LOBBY, media="text")
            mallory.send("CONFERENCE-LEAVE", id=LOBBY)
        (known,) = own.do(lambda app: [one for one in app.online.values() if one.login == mallory.login])
        wait_for(lambda: own.do(lambda app: all(one.is_held for one in known.sessions)))
        told = drained(alice, "CONFERENCE-JOINED", "CONFERENCE-LEFT")
        for n in range(20):
            assert alice.ask("CONFERENCE-LEG-SET", id=LOBBY, is_muted=n % 2 == 0)["type"] == "CONFERENCE-LEG-SET-OK"
        assert CHANGES <= len(told) < 2 * CHANGES, "of 600"


def test_the_conference_of_everybody_is_not_filled_with_invitations(tmp_path: Path) -> None:
    """Calls in vain are forgotten; what everybody is told of them stays small."""
    with ClockedServer(tmp_path / "data", call_rate=0.0, conference_rate=0.0) as own:
        people = friends(own.port, "mallory", *(f"friend{n}" for n in range(8)))
        mallory, called = people[0], people[1:]
        join(mallory, LOBBY, media="text")
        for _ in range(10):
            mallory.ask("CALL", status="initiate", id=LOBBY, users=[one.login for one in called])
            own.move(21)
        calls = mallory.ask("CONFERENCE-GET", id=LOBBY)["conference"]["calls"]
        assert sorted(one["user"] for one in calls) == sorted(one.address for one in called)
