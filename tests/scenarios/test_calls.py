"""Calls on a real server: ringing, answering, giving up, inviting again, and what is kept of it."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clocked import ClockedServer
from tests.support.conferences import LOBBY, again, befriend, create, drained, friends, join, leg, seen
from tests.support.server import ServerProcess, wait_for
from tests.support.wire import Wire, newcomer, unique
from veche.core.mesh import is_caller, pair_epoch
from veche.packets.codec import JsonCodec
from veche.packets.conference import Conference, ConferenceGetOk

CODEC = JsonCodec()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of these tests alone, where people may call as often as they like."""
    flags = ("--registration", "open", "--call-rate", "0", "--conference-rate", "0")
    running = ServerProcess(tmp_path_factory.mktemp("server") / "data", *flags).start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


def ring(caller: Wire, *called: Wire, **fields: Any) -> str:
    """Somebody calls; returns the id of the conference."""
    answer = caller.ask("CALL", status="initiate", users=[one.login for one in called], **fields)
    assert (answer["type"], answer["status"]) == ("CALL-OK", "initiate"), answer
    return answer["id"]


def reply(wire: Wire, id: str, status: str, **fields: Any) -> dict[str, Any]:
    return wire.ask("CALL", id=id, status=status, **fields)


def steps(wire: Wire) -> list[tuple[str, str, list[str]]]:
    """What somebody was told of calls until now: who has said what, of whom."""
    return [(one["status"], one["from"], one["users"]) for one in drained(wire, "CALL")]


def entries(wire: Wire, peer: Wire) -> list[tuple[str, str]]:
    """The calls of a conversation: who called, and what came of it."""
    page = wire.ask("HISTORY-GET", peer=peer.login)["messages"]
    return [(one["from"], one["call"]["outcome"]) for one in page if "call" in one]


def kept(wire: Wire, peer: Wire, *outcomes: str) -> None:
    """The conversation will say that this came of the calls."""
    wait_for(lambda: [outcome for _, outcome in entries(wire, peer)] == list(outcomes))


def noted(wire: Wire) -> dict[str, Any]:
    """What came of a call, once it is stored."""
    while "call" not in (packet := wire.until("MESSAGE")[-1]):
        pass
    return packet


def until_outcome(wire: Wire, outcome: str) -> list[dict[str, Any]]:
    """All that was told until this came of a call, and is stored."""
    packets = wire.until("MESSAGE")
    while packets[-1].get("call", {}).get("outcome") != outcome:
        packets += wire.until("MESSAGE")
    return packets


def rings_of(wire: Wire) -> list[dict[str, Any]]:
    """What a device that has just logged in was told of calls."""
    return [one for one in wire.replayed if one["type"] == "CALL"] + drained(wire, "CALL")


def state_of(wire: Wire, id: str) -> Conference:
    """A conference as one of its legs is told."""
    answer = CODEC.decode_server(json.dumps(wire.ask("CONFERENCE-GET", id=id)).encode())
    assert isinstance(answer, ConferenceGetOk)
    return answer.conference


def statuses(wire: Wire, id: str) -> dict[str, str]:
    """Who was called into a conference and has not come."""
    return {one.user: one.status.value for one in state_of(wire, id).calls}


# -- ringing and answering


def test_one_friend_is_called_and_takes_the_call(server: ServerProcess) -> None:
    """It rings on both devices; one takes it, and the other stops.  Rows: V22 (partly), V25 (partly), X05 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    phone = Wire(server.port).connect(bob.login, device="phone")
    for one in (alice, bob):
        drained(one)
    id = ring(alice, bob, media="audio", message="have a minute?")
    for device in (bob, phone):
        (rings,) = drained(device, "CALL")
        assert (rings["id"], rings["status"], rings["from"], rings["initiator"]) == (
            id,
            "initiate",
            alice.address,
            alice.address,
        )
        assert (rings["users"], rings["media"], rings["message"]) == ([bob.address], "audio", "have a minute?")
        assert rings["name"] == f"{alice.login}, {bob.login}"
    assert [one.id for one in state_of(alice, id).legs] == [leg(alice)], "nobody is inside before they say so"
    assert statuses(alice, id) == {bob.address: "initiate"}
    answer = reply(phone, id, "accepted", media="audio")
    assert (answer["type"], answer["leg"]) == ("CONFERENCE-JOIN-OK", leg(bob, "phone"))
    assert [one["id"] for one in answer["conference"]["legs"]] == [leg(alice), leg(bob, "phone")]
    for device in (alice, bob, phone):
        assert ("accepted", bob.address, [bob.address]) in steps(device)
    assert reply(bob, id, "accepted")["code"] == "unknown-request", "it rings no longer"
    assert statuses(alice, id) == {}


def test_everybody_is_told_who_takes_a_call(server: ServerProcess) -> None:
    """Each of those who are called is told once of each other, of whoever comes, and so is who called.

    Rows: V20 (partly), V22, V25.
    """
    alice, bob, carol, dave = friends(server.port, "alice", "bob", "carol", "dave")
    called = [bob, carol, dave]
    id = ring(alice, *called)
    for one in called:
        (rings,) = [packet for packet in drained(one, "CALL")]
        assert sorted(rings["users"]) == sorted(other.address for other in called)
        assert rings["id"] == id
        assert alice.address not in rings["users"]
    reply(bob, id, "accepted")
    drained(alice)
    reply(carol, id, "accepted")
    for one in (alice, bob, carol):
        assert ("accepted", carol.address, [carol.address]) in steps(one)
    assert statuses(alice, id) == {dave.address: "initiate"}
    assert [one.user for one in state_of(bob, id).legs] == [alice.address, bob.address, carol.address]


def test_whoever_is_called_is_never_who_calls(server: ServerProcess) -> None:
    """A list that holds the initiator is refused, in any spelling, whole.  Rows: V20."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    drained(bob)
    for myself in (alice.login, alice.address, alice.address.upper()):
        for status, where in (("initiate", None), ("initiate", LOBBY)):
            refused = alice.ask("CALL", status=status, id=where, users=[bob.login, myself])
            assert (refused["type"], refused["code"]) == ("CALL-FAILED", "self")
    assert drained(bob, "CALL") == []
    id = ring(alice, bob)
    reply(bob, id, "accepted")
    drained(alice)
    assert bob.ask("CALL", status="reinvite", id=id, users=[bob.login])["code"] == "self"
    again_ = bob.ask("CALL", status="initiate", id=id, users=[carol.login])
    assert again_["type"] == "CALL-OK"
    told = [packet for one in (alice, bob, carol) for packet in drained(one, "CALL")]
    assert all(packet["initiator"] not in packet["users"] for packet in told)
    assert told


def test_there_is_one_initiator_and_the_others_take_part(server: ServerProcess) -> None:
    """Each leg says who the initiator of its epoch is; it stays so when the owner changes.  Rows: V21 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    id = ring(alice, bob, carol)
    for one in (bob, carol):
        reply(one, id, "accepted")
    assert {one.initiator for one in state_of(carol, id).legs} == {leg(alice)}
    alice.ask("CONFERENCE-TRANSFER", id=id, login=bob.login)
    alice.ask("CONFERENCE-LEAVE", id=id)
    now = state_of(carol, id)
    assert now.owner == bob.address
    assert {one.initiator for one in now.legs} == {leg(alice)}


def test_declining_removes_only_who_declines(server: ServerProcess) -> None:
    """All are told; the call goes on for the others.  Rows: V27, X08 (partly), X22 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    phone = Wire(server.port).connect(bob.login, device="phone")
    id = ring(alice, bob, carol)
    reply(carol, id, "accepted")
    for one in (alice, bob, carol, phone):
        drained(one)
    answer = reply(bob, id, "abort", message="not now")
    assert (answer["type"], answer["status"]) == ("CALL-OK", "abort")
    for one in (alice, carol, phone):
        (step,) = drained(one, "CALL")
        assert (step["status"], step["from"], step["users"], step["message"]) == (
            "abort",
            bob.address,
            [bob.address],
            "not now",
        )
    assert [one.user for one in state_of(alice, id).legs] == [alice.address, carol.address]
    assert reply(phone, id, "accepted")["code"] in ("unknown-request", "unknown-conference")
    kept(alice, bob, "declined")
    assert seen(bob, id) is not None, "friends of his are inside"


def test_the_initiator_gives_up_before_anybody_came(server: ServerProcess) -> None:
    """It is over for all, nobody is invited any more, and each has missed it.  Rows: V28 (partly), X08 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    id = ring(alice, bob, carol)
    for one in (bob, carol):
        drained(one)
    assert reply(alice, id, "abort")["type"] == "CALL-OK"
    for one in (bob, carol):
        packets = one.until("MESSAGE")
        assert [(it["status"], it["from"]) for it in packets if it["type"] == "CALL"] == [("abort", alice.address)]
        assert packets[-1]["call"]["outcome"] == "missed"
        assert reply(one, id, "accepted")["code"] == "unknown-conference"
        assert one.ask("CONFERENCE-JOIN", id=id)["code"] == "unknown-conference"
    assert alice.ask("CONFERENCE-GET", id=id)["code"] == "unknown-conference"


def test_one_of_several_is_given_up(server: ServerProcess) -> None:
    """And is not invited any more; nobody else may give a call up.  Rows: X08 (partly)."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    id = ring(alice, bob, carol)
    reply(carol, id, "accepted")
    for one in (alice, bob, carol):
        drained(one)
    assert reply(carol, id, "abort", users=[bob.login])["code"] == "unknown-request"
    assert reply(alice, id, "abort", users=[bob.login])["type"] == "CALL-OK"
    for one in (bob, carol):
        assert steps(one) == [("abort", alice.address, [bob.address])]
    assert statuses(alice, id) == {bob.address: "abort"}
    view = seen(bob, id)
    assert view is not None
    assert (view["people"], view.get("may_join", False)) == (sorted([alice.address, carol.address]), False)
    assert bob.ask("CONFERENCE-JOIN", id=id)["code"] == "forbidden"
    assert [one.user for one in state_of(carol, id).legs] == [alice.address, carol.address]


def test_a_participant_who_leaves_removes_only_themselves(server: ServerProcess) -> None:
    """After the start: the others stay together; when the initiator leaves, it is over.  Rows: V28 (partly), X08."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    id = ring(alice, bob, carol)
    for one in (bob, carol):
        reply(one, id, "accepted")
    bob.ask("CONFERENCE-LEAVE", id=id)
    assert [one.user for one in state_of(carol, id).legs] == [alice.address, carol.address]
    assert reply(carol, id, "abort")["code"] == "unknown-request", "she calls nobody, and nobody calls her"
    assert bob.ask("CONFERENCE-DELETE", id=id)["code"] == "forbidden"
    drained(carol)
    alice.ask("CONFERENCE-LEAVE", id=id)
    assert [one["code"] for one in drained(carol, "CONFERENCE-ENDED")] == ["owner-left"]


def test_who_is_in_another_call_is_busy(server: ServerProcess) -> None:
    """The device says so by itself; all participants and the initiator are told.  Where the device allows it, it rings
    during another call, and the person is in both: the first one is held.

    Rows: V32 (partly), V36 (partly).
    """
    alice, bob, carol, dave = friends(server.port, "alice", "bob", "carol", "dave")
    first = ring(alice, bob)
    reply(bob, first, "accepted")
    second = ring(carol, bob, dave)
    reply(dave, second, "accepted")
    for one in (carol, dave, bob):
        drained(one)
    assert reply(bob, second, "occupied")["type"] == "CALL-OK"
    for one in (carol, dave):
        assert steps(one) == [("occupied", bob.address, [bob.address])]
    assert statuses(carol, second) == {bob.address: "occupied"}
    assert carol.ask("CALL", status="reinvite", id=second, users=[bob.login])["type"] == "CALL-OK"
    reply(bob, second, "accepted")
    legs = {one.id: one for one in state_of(bob, first).legs}
    assert legs[leg(bob)].held
    assert [one.user for one in state_of(bob, second).legs] == [carol.address, dave.address, bob.address]
    kept(carol, bob, "occupied", "answered")


# -- inviting again


def test_whoever_was_dropped_is_invited_again_by_any_other_participant(server: ServerProcess) -> None:
    """The one who is asked rings, everybody inside is told; once they accept, they have a new epoch, and only their
    pairs begin anew, each with exactly one caller.

    Rows: V29, V30, V31 (partly), X10 (partly).
    """
    alice, bob, carol, dave = friends(server.port, "alice", "bob", "carol", "dave")
    id = ring(alice, bob, carol, dave)
    for one in (bob, carol, dave):
        reply(one, id, "accepted")
    before = {one.id: one for one in state_of(alice, id).legs}
    bob.kill()
    while not state_of(alice, id).legs[1].is_lost:
        pass
    bob = again(bob)
    for one in (alice, bob, carol, dave):
        drained(one)
    answer = carol.ask("CALL", status="reinvite", id=id, users=[bob.login])
    assert (answer["type"], answer["status"]) == ("CALL-OK", "reinvite")
    for one in (alice, carol, dave):
        assert steps(one) == [("reinvite", carol.address, [bob.address])]
    (rings,) = drained(bob, "CALL")
    assert (rings["status"], rings["from"], rings["users"]) == ("reinvite", carol.address, [bob.address])
    assert carol.ask("CALL", status="reinvite", id=id, users=[bob.login])["code"] == "already-there"
    reply(bob, id, "accepted")
    for one in (alice, carol, dave):
        assert ("accepted", bob.address, [bob.address]) in steps(one)
    after = {one.id: one for one in state_of(alice, id).legs}
    assert list(after) == list(before)
    assert after[leg(bob)].epoch > max(one.epoch for one in before.values())
    legs = list(after.values())
    for n, one in enumerate(legs):
        for other in legs[:n]:
            assert is_caller(one, other) != is_caller(other, one)
            was = before[one.id], before[other.id]
            is_anew = pair_epoch(one, other) != pair_epoch(*was)
            assert is_anew is (leg(bob) in (one.id, other.id))
            if not is_anew:
                assert is_caller(one, other) == is_caller(*was)


def test_whoever_left_is_invited_again_and_the_alias_is_read(server: ServerProcess) -> None:
    """`reinvitation`, and addresses in another letter case.  Rows: V29 (partly), V35."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    id = ring(alice, bob, carol)
    for one in (bob, carol):
        reply(one, id, "accepted")
    bob.ask("CONFERENCE-LEAVE", id=id)
    for one in (alice, bob, carol):
        drained(one)
    answer = carol.ask("CALL", status="reinvitation", id=id, users=[bob.address.upper()])
    assert (answer["type"], answer["status"]) == ("CALL-OK", "reinvite")
    for one in (alice, bob, carol):
        assert steps(one) == [("reinvite", carol.address, [bob.address])]
    reply(bob, id, "accepted")
    drained(bob)
    epoch = max(pair_epoch(*state_of(alice, id).legs[n : n + 2]) for n in (0, 1))
    shouted = leg(bob).replace(bob.address, bob.address.upper())
    alice.send("SIGNAL", id=id, to=shouted, epoch=epoch, kind="bye")
    assert [one["from"] for one in drained(bob, "SIGNAL")] == [leg(alice)]
    muted = alice.ask("CONFERENCE-MUTE", id=id, leg=shouted, audio=True)
    assert muted["type"] == "CONFERENCE-MUTE-OK"
    assert alice.ask("CALL", status="reinvited", id=id, users=[bob.login])["code"] == "bad-request"


def test_nobody_is_invited_again_from_outside(server: ServerProcess) -> None:
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    id = ring(alice, bob)
    reply(bob, id, "accepted")
    bob.ask("CONFERENCE-LEAVE", id=id)
    assert bob.ask("CALL", status="reinvite", id=id, users=[carol.login])["code"] == "not-inside"
    assert newcomer(server.port, "mallory").ask("CALL", status="reinvite", id=id, users=[])["code"] == "bad-request"
    mallory = newcomer(server.port, "mallory")
    befriend(mallory, carol)
    assert mallory.ask("CALL", status="initiate", id=id, users=[carol.login])["code"] == "unknown-conference"


# -- nobody answers


@pytest.mark.parametrize("storage", ["sqlite", "postgres"])
def test_after_twenty_seconds_a_call_is_missed(tmp_path: Path, request: pytest.FixtureRequest, storage: str) -> None:
    """Both see it in their conversation; it is unread for who was called, also when they were away.

    Rows: V33 (partly), X22 (partly).
    """
    url = request.getfixturevalue("blank_postgres_url") if storage == "postgres" else ""
    with ClockedServer(tmp_path / "data", storage=url) as own:
        alice, bob, carol = friends(own.port, "alice", "bob", "carol")
        carol.send("GOODBYE")
        assert carol.is_closed()
        id = ring(alice, bob, carol)
        for one in (alice, bob):
            drained(one)
        own.move(19)
        assert steps(bob) == []
        own.move(1.5)
        missed = [noted(alice), noted(alice)]
        assert sorted(one["to"] for one in missed) == [bob.address, carol.address]
        for one in missed:
            assert (one["from"], one["call"], one["text"]) == (
                alice.address,
                {"outcome": "missed", "conference": id},
                "",
            )
        assert noted(bob)["call"]["outcome"] == "missed"
        assert statuses(alice, id) == dict.fromkeys((bob.address, carol.address), "missed")
        assert reply(bob, id, "accepted")["code"] == "unknown-request"
        carol = Wire(own.port).connect(carol.login, device="second")
        for one in (bob, carol):
            assert entries(one, alice) == [(alice.address, "missed")] == entries(alice, one)
        (mine,) = [one for one in carol.snapshot["conversations"] if one["peer"] == alice.address]
        assert mine["unread"] == 1
        assert [one["call"]["outcome"] for one in carol.replayed] == ["missed"]
        join(bob, id)  # the invitation stands


def test_how_long_a_call_rings_is_a_setting(tmp_path: Path) -> None:
    """Rows: V33 (partly)."""
    with ClockedServer(tmp_path / "data", call_timeout=45.0) as own:
        alice, bob = friends(own.port, "alice", "bob")
        id = ring(alice, bob)
        own.move(44)
        assert statuses(alice, id) == {bob.address: "initiate"}
        own.move(1.5)
        assert statuses(alice, id) == {bob.address: "missed"}


def test_steps_of_a_call_that_nobody_answers_are_told_once(tmp_path: Path) -> None:
    with ClockedServer(tmp_path / "data") as own:
        alice, bob, carol = friends(own.port, "alice", "bob", "carol")
        id = ring(alice, bob, carol)
        reply(carol, id, "accepted")
        for one in (alice, bob, carol):
            drained(one)
        own.move(21)
        for one in (alice, bob, carol):
            assert steps(one) == [("missed", bob.address, [bob.address])]
        own.move(21)
        for one in (alice, bob, carol):
            assert steps(one) == []


@pytest.mark.parametrize("when", ["before", "while it rings"])
def test_calling_somebody_who_blocks_is_like_calling_nobody(tmp_path: Path, when: str) -> None:
    """What the caller is told of one who blocks and of one who is away differs in nothing but the names; the one who
    blocks is told nothing, and has nothing in the conversation.

    Rows: X06 (partly), X22 (partly).
    """
    with ClockedServer(tmp_path / "data") as own:
        alice, bob, carol = friends(own.port, "alice", "bob", "carol")
        carol.send("GOODBYE")  # away
        assert carol.is_closed()
        if when == "before":
            bob.ask("BLOCK", login=alice.login)
        drained(alice)
        told: list[list[dict[str, Any]]] = []
        for called in (bob, carol):
            if called is bob:
                drained(bob)
            id = ring(alice, called)
            if called is bob and when != "before":
                assert [one["status"] for one in drained(bob, "CALL")] == ["initiate"]
                bob.ask("BLOCK", login=alice.login)
                assert bob.ask("CONFERENCE-JOIN", id=id)["code"] == "unknown-conference"
            own.move(21)
            packets = alice.until("MESSAGE")
            assert packets[-1]["call"]["outcome"] == "missed"
            packets.append(alice.ask("CONFERENCE-GET", id=id))
            packets += alice.ask("HISTORY-GET", peer=called.login)["messages"]
            packets.append(alice.ask("CONFERENCE-LEAVE", id=id))
            drained(alice)
            presence = ("UPDATE-LAST-SEEN", "CONTACT-UPDATED")  # who blocks seems to leave, at once
            told.append([anonymous(one, called, id) for one in packets if one.get("type") not in presence])
        assert told[0] == told[1]
        assert [one for one in drained(bob, "CALL", "MESSAGE") if one.get("status") != "abort"] == []
        assert entries(bob, alice) == []


def anonymous(packet: dict[str, Any], called: Wire, id: str) -> dict[str, Any]:
    """A packet without what differs between any two calls."""
    text = json.dumps(packet).replace(called.address, "CALLED").replace(called.login, "CALLED").replace(id, "ID")
    text = re.sub(r'"at": "[^"]*"', '"at": "AT"', text)
    text = re.sub(r'"(tag|id|seq|upto)": ("t\d+"|\d+)', r'"\1": "N"', text)
    return json.loads(text)


def test_who_has_blocked_somebody_does_not_call_them(server: ServerProcess) -> None:
    alice, bob = friends(server.port, "alice", "bob")
    alice.ask("BLOCK", login=bob.login)
    refused = alice.ask("CALL", status="initiate", users=[bob.login])
    assert (refused["code"], "Unblock" in refused["reason"]) == ("forbidden", True)


# -- calls that make no sense


def test_calls_that_make_no_sense_are_refused(server: ServerProcess) -> None:
    """And ring nowhere.  Rows: V33 (partly), X25 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    stranger = newcomer(server.port, "stranger")
    drained(bob)
    wanted: list[tuple[dict[str, Any], str]] = [
        ({"status": "initiate", "users": [stranger.login]}, "not-friends"),
        ({"status": "initiate", "users": [bob.login, stranger.login]}, "not-friends"),
        ({"status": "initiate", "users": [alice.login]}, "self"),
        ({"status": "initiate", "users": [unique("nobody")]}, "unknown-user"),
        ({"status": "initiate", "users": [f"{bob.login}@elsewhere.example"]}, "unknown-user"),
        ({"status": "initiate", "users": []}, "bad-request"),
        ({"status": "initiate", "users": [bob.login] * 21}, "bad-request"),
        ({"status": "initiate", "users": bob.login}, "bad-request"),
        ({"status": "initiate", "users": [bob.login], "id": "nonsense"}, "unknown-conference"),
        ({"status": "initiate", "users": [bob.login], "id": LOBBY}, "not-inside"),
        ({"status": "initiate", "users": [bob.login], "message": "x" * 501}, "bad-request"),
        ({"status": "reinvite", "users": [bob.login]}, "bad-request"),
        ({"status": "missed", "users": [bob.login]}, "bad-request"),
        ({"status": "nonsense", "users": [bob.login]}, "bad-request"),
        ({"status": "accepted"}, "bad-request"),
        ({"status": "accepted", "id": "nonsense"}, "unknown-conference"),
        ({"status": "accepted", "id": LOBBY}, "unknown-request"),
        ({"status": "abort"}, "bad-request"),
        ({"status": "abort", "id": "nonsense"}, "unknown-conference"),
        ({"status": "occupied"}, "bad-request"),
        ({"status": "occupied", "id": LOBBY}, "unknown-request"),
    ]
    for fields, code in wanted:
        answer = alice.ask("CALL", **fields)
        assert (answer["type"], answer["code"]) == ("CALL-FAILED", code), fields
        assert answer["reason"]
    assert drained(bob, "CALL") == []
    assert seen(alice, LOBBY) is not None
    assert len(alice.ask("CONFERENCE-LIST")["conferences"]) == 1, "no conference is left of them"


def test_somebody_named_twice_is_called_once(server: ServerProcess) -> None:
    alice, bob = friends(server.port, "alice", "bob")
    drained(bob)
    id = alice.ask("CALL", status="initiate", users=[bob.login, bob.address, bob.address.upper()])["id"]
    (rings,) = drained(bob, "CALL")
    assert rings["users"] == [bob.address]
    assert alice.ask("CALL", status="initiate", id=id, users=[bob.login])["code"] == "already-there"
    reply(bob, id, "accepted")
    assert alice.ask("CALL", status="initiate", id=id, users=[bob.login])["code"] == "already-there"


def test_nobody_s_telephone_rings_all_day(tmp_path: Path) -> None:
    """Whoever calls too often is told when they may again."""
    with ClockedServer(tmp_path / "data", call_rate=30.0) as own:
        alice, bob = friends(own.port, "alice", "bob")
        for _ in range(30):
            reply(alice, ring(alice, bob), "abort")
        refused = alice.ask("CALL", status="initiate", users=[bob.login])
        assert (refused["type"], refused["code"]) == ("CALL-FAILED", "try-again-later")
        assert 0 < refused["retry_after_s"] <= 2
        own.move(2.5)
        ring(alice, bob)


# -- who calls vanishes, who is called comes


def test_the_caller_s_device_dies_while_it_rings(tmp_path: Path) -> None:
    """It goes on ringing, since the caller has a minute to come back; who takes it then is inside with nobody.

    When nobody takes it, it is missed, and the conference ends with the caller's grace.
    """
    with ClockedServer(tmp_path / "data") as own:
        alice, bob = friends(own.port, "alice", "bob")
        id = ring(alice, bob)
        alice.kill()
        bob = again(bob)
        assert [one["status"] for one in rings_of(bob)] == ["initiate"]
        own.move(21)
        assert noted(bob)["call"]["outcome"] == "missed"
        own.move(45)
        assert seen(bob, id) is None
        assert own.do(lambda app: list(app.halls.by_id)) == [LOBBY]


def test_a_caller_who_logs_out_gives_up(server: ServerProcess) -> None:
    alice, bob = friends(server.port, "alice", "bob")
    id = ring(alice, bob)
    drained(bob)
    alice.send("GOODBYE", code="logged-out")
    assert alice.is_closed()
    packets = bob.until("MESSAGE")
    assert [one["status"] for one in packets if one["type"] == "CALL"] == ["abort"]
    assert packets[-1]["call"]["outcome"] == "missed"
    assert reply(bob, id, "accepted")["code"] == "unknown-conference"


def test_it_rings_on_a_device_that_logs_in(server: ServerProcess) -> None:
    """Rows: X05 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    bob.send("GOODBYE")
    assert bob.is_closed()
    id = ring(alice, bob)
    phone = Wire(server.port).connect(bob.login, device="phone")
    assert [(one["id"], one["status"]) for one in rings_of(phone)] == [(id, "initiate")]
    (view,) = [one for one in phone.snapshot["conferences"] if one["id"] == id]
    assert (view["invited_by"], view["may_join"]) == (alice.address, True)
    tablet = Wire(server.port).connect(bob.login, device="tablet")
    reply(tablet, id, "accepted")
    assert ("accepted", bob.address, [bob.address]) in steps(phone)
    late = Wire(server.port).connect(bob.login, device="late")
    assert rings_of(late) == [], "it rings no longer"


def test_an_account_that_is_deleted_while_it_rings_has_missed_the_call(server: ServerProcess) -> None:
    """And what the legs know of it is so."""
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    id = ring(alice, bob, carol)
    reply(carol, id, "accepted")
    drained(alice)
    bob.send("ACCOUNT-DELETE", password="a password")
    assert bob.is_closed()
    packets = until_outcome(alice, "missed")
    assert [(one["status"], one["from"]) for one in packets if one["type"] == "CALL"] == [("missed", bob.address)]
    changed = [one for one in packets if one["type"] == "CONFERENCE-CHANGED"]
    assert changed[-1]["calls"] == []
    assert statuses(alice, id) == {}


def test_a_caller_who_deletes_their_account_calls_nobody(server: ServerProcess) -> None:
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(bob)
    join(alice, tea["id"])
    ring(alice, carol, id=tea["id"])
    for one in (bob, carol):
        drained(one)
    alice.send("ACCOUNT-DELETE", password="a password")
    assert alice.is_closed()
    assert steps(carol) == [("abort", alice.address, [carol.address])]
    assert statuses(bob, tea["id"]) == {carol.address: "abort"}
    assert bob.ask("CALL", status="initiate", id=tea["id"], users=[carol.login])["type"] == "CALL-OK"


def test_a_server_that_is_restarted_goes_on_ringing(own_server: ServerProcess) -> None:
    """By SIGTERM and by kill -9; the answer is told to who called."""
    alice, bob, carol = friends(own_server.port, "alice", "bob", "carol")
    id = ring(alice, bob, carol)
    alice.say(bob.login, "what was saved before this is durable")
    for stop in (own_server.stop, own_server.kill):
        stop()
        own_server.start()
        alice, bob, carol = (Wire(own_server.port).connect(one.login, device="first") for one in (alice, bob, carol))
        assert alice.ask("CONFERENCE-JOIN", id=id, resume=True)["resumed"]
        assert statuses(alice, id) == dict.fromkeys((bob.address, carol.address), "initiate")
        for one in (bob, carol):
            (rings,) = rings_of(one)
            assert (rings["id"], rings["status"], rings["from"]) == (id, "initiate", alice.address)
    drained(alice)
    reply(bob, id, "accepted")
    assert ("accepted", bob.address, [bob.address]) in steps(alice)
    reply(alice, id, "abort", users=[carol.login])
    assert steps(carol) == [("abort", alice.address, [carol.address])]


# -- at the same moment


@pytest.mark.parametrize("turns", range(8))
def test_two_people_who_call_each_other_are_in_one_call(server: ServerProcess, turns: int) -> None:
    """Whichever call is there first is the one that both are in; nobody has to answer, nothing is left of the other."""
    alice, bob = friends(server.port, "alice", "bob")
    first, second = (alice, bob) if turns % 2 else (bob, alice)
    for one in (first, second):
        drained(one)
    for one, other in ((first, second), (second, first)):
        one.send("CALL", status="initiate", users=[other.login], tag="called")
    ids: set[str] = set()
    said: list[str] = []
    for one in (first, second):
        answer = one.receive()
        while answer.get("tag") != "called":
            answer = one.receive()
        assert answer["type"] == "CALL-OK", answer
        ids.add(answer["id"])
        said.append(answer["status"])
    (id,) = ids
    assert sorted(said) == ["accepted", "initiate"]
    assert state_of(alice, id) == state_of(bob, id)
    assert sorted(one.user for one in state_of(alice, id).legs) == sorted([alice.address, bob.address])
    assert statuses(alice, id) == {}
    for one in (alice, bob):
        mine = [view["id"] for view in one.ask("CONFERENCE-LIST")["conferences"]]
        assert sorted(mine) == sorted([LOBBY, id])
    kept(alice, bob, "answered")


@pytest.mark.parametrize("seed", range(4))
def test_two_people_press_everything_at_once(server: ServerProcess, seed: int) -> None:
    """Four devices of two people and their friend, each pressing random buttons without waiting.  Afterwards no answer
    was an internal error, all legs are told the same, whoever is a leg can see it, and when all have left nothing is.
    """
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    phone = Wire(server.port).connect(alice.login, device="phone")
    devices = [alice, phone, bob]
    shared = [create(alice, "Tea")["id"], create(bob, "Coffee")["id"], LOBBY]
    faults: list[str] = []

    def press(wire: Wire, chance: random.Random) -> None:
        known = list(shared)
        for n in range(150):
            id, other = chance.choice(known), chance.choice((alice, bob, carol))
            target = leg(other, chance.choice(("first", "phone")))
            what: list[tuple[str, dict[str, Any]]] = [
                ("CONFERENCE-JOIN", {"id": id, "media": chance.choice(("text", "audio", "video"))}),
                ("CONFERENCE-JOIN", {"id": id, "resume": True}),
                ("CONFERENCE-JOIN", {"friend": other.login}),
                ("CONFERENCE-LEAVE", {"id": id}),
                ("CONFERENCE-CREATE", {"name": f"Room {chance.randrange(3)}"}),
                ("CONFERENCE-RENAME", {"id": id, "name": f"Room {chance.randrange(3)}"}),
                ("CONFERENCE-TRANSFER", {"id": id, "login": other.login}),
                ("CONFERENCE-POLICY", {"id": id, "policy": chance.choice(("friends", "invite", "link", "open"))}),
                ("CONFERENCE-MUTE", {"id": id, "leg": target, "audio": chance.random() < 0.5}),
                ("CONFERENCE-REMOVE", {"id": id, "leg": target}),
                ("CONFERENCE-LEG-SET", {"id": id, "is_muted": chance.random() < 0.5}),
                ("CONFERENCE-DELETE", {"id": id}),
                ("CALL", {"status": "initiate", "users": [other.login]}),
                ("CALL", {"status": "initiate", "id": id, "users": [other.login]}),
                ("CALL", {"status": "reinvite", "id": id, "users": [other.login]}),
                ("CALL", {"status": "accepted", "id": id}),
                ("CALL", {"status": "abort", "id": id}),
                ("CALL", {"status": "occupied", "id": id}),
            ]
            type, fields = chance.choice(what)
            wire.send(type, tag="now", **fields)
            if n % 10 == 9:
                for packet in drained(wire):
                    if packet["type"] == "CONFERENCE-JOIN-OK":
                        known.append(packet["conference"]["id"])
                    if packet["type"] == "CALL":
                        known.append(packet["id"])
                    if packet.get("code") == "internal-error":
                        faults.append(str(packet))

    threads = [
        threading.Thread(target=press, args=(wire, random.Random(100 * seed + n))) for n, wire in enumerate(devices)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert faults == []
    for wire in devices:
        drained(wire)
    names = {id(alice): leg(alice), id(phone): leg(alice, "phone"), id(bob): leg(bob)}
    told: dict[str, list[tuple[str, Conference]]] = {}
    for wire in devices:
        for view in wire.ask("CONFERENCE-LIST")["conferences"]:
            if names[id(wire)] in view.get("legs", []):
                told.setdefault(view["id"], []).append((names[id(wire)], state_of(wire, view["id"])))
    for views in told.values():
        assert all(state == views[0][1] for _, state in views)
        assert sorted(name for name, _ in views) == sorted(one.id for one in views[0][1].legs)
        assert len({one.epoch for one in views[0][1].legs}) == len(views)
    for wire in devices:
        for view in wire.ask("CONFERENCE-LIST")["conferences"]:
            wire.ask("CONFERENCE-LEAVE", id=view["id"])
    for wire in (*devices, carol):
        assert [view["id"] for view in wire.ask("CONFERENCE-LIST")["conferences"]] == [LOBBY]
