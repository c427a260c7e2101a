"""kill -9 under load: what was acknowledged is delivered, none twice, in order; who is inside stays inside."""

from __future__ import annotations

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.conferences import LOBBY, leg
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

ROUNDS = 50


@pytest.mark.timeout(400)
def test_fifty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """A sender with cookies that sends again what was not acknowledged; a receiver with a cursor; 50 kills at random
    moments.  Every cookie that was ever acknowledged arrives, each text once, in the order of sending.

    Rows: M14, M19, T29 (partly), X04 (partly).
    """
    server = ServerProcess(tmp_path / "data", "--registration", "open", "--message-rate", "0").start()
    with Wire(server.port) as wire:
        for login in ("sender", "receiver"):
            assert wire.register(login)["type"] == "REGISTER-OK"
    chance = random.Random(7)
    acknowledged: set[int] = set()
    received: list[int] = []
    cursor = 0
    first_open = 0  # the lowest number that is not acknowledged
    for _ in range(ROUNDS):
        sender = Wire(server.port).connect("sender", device="s")
        receiver = Wire(server.port).connect("receiver", device="r", cursor=cursor)
        for packet in receiver.replayed:
            received.append(int(packet["text"]))
            cursor = packet["id"]
        lines = b"".join(
            json.dumps({"type": "MESSAGE", "to": "receiver", "text": str(n), "cookie": f"c-{n:08}"}).encode() + b"\n"
            for n in range(first_open, first_open + 400)
        )
        timer = threading.Timer(chance.uniform(0.0, 0.06), server.kill)
        timer.start()
        try:
            sender.write(lines)
            while (line := sender.line()) is not None:
                packet = json.loads(line)
                if packet["type"] == "MESSAGE-SENT":
                    acknowledged.add(int(packet["cookie"][2:]))
        except OSError:
            pass
        try:
            while (line := receiver.line()) is not None:
                packet = json.loads(line)
                if packet["type"] == "MESSAGE":
                    received.append(int(packet["text"]))
                    cursor = packet["id"]
        except OSError:
            pass
        timer.join()
        while first_open in acknowledged:
            first_open += 1
        server.start()
    with Wire(server.port).connect("receiver", device="r", cursor=cursor) as receiver:
        received += [int(packet["text"]) for packet in receiver.replayed]
    server.stop()
    assert len(received) == len(set(received)), "delivered twice"
    assert received == sorted(received), "out of order"
    assert acknowledged <= set(received), "acknowledged and lost"
    assert len(acknowledged) > ROUNDS


def test_an_answer_to_a_request_is_whole_or_not_there(tmp_path: Path) -> None:
    """Killed among many answers: of each two people, both are friends or the request still waits.  Rows: A21, A24."""
    server = ServerProcess(tmp_path / "data", "--registration", "open").start()
    bob = newcomer(server.port, "bob")
    askers = [newcomer(server.port, "asker") for _ in range(30)]
    seen: set[tuple[str, ...]] = set()
    for asker in askers:
        asker.ask("FRIEND-REQUEST", login=bob.login)
    for kill in range(6):
        mine = askers[kill * 5 : kill * 5 + 5]
        for asker in mine:
            bob.send("FRIEND-ANSWER", login=asker.login, accepted=True)
        if kill % 2:
            bob.until("FRIEND-ANSWER-OK")
        server.kill()
        server.start()
        bob = Wire(server.port).connect(bob.login)
        theirs = {one["id"]: one["relation"] for one in bob.snapshot["contacts"]}
        for asker in mine:
            with Wire(server.port).connect(asker.login, device="other") as again:
                sides = tuple(one["relation"] for one in again.snapshot["contacts"]), (theirs[asker.address],)
                assert sides in ((("mutual",), ("mutual",)), (("outgoing",), ("incoming",)))
                seen.add(sides[1])
    assert ("mutual",) in seen, "the kills came always too early"
    assert server.stop() == 0


JOINS = 12
"""Of each device, one after the other, before the server is killed."""


@pytest.mark.timeout(300)
def test_a_device_that_was_let_in_is_inside_after_a_kill(tmp_path: Path) -> None:
    """Eight devices come in anew, again and again, until the server is killed at a random moment.  Whoever was told
    that they are inside takes their leg up again, and no epoch is ever given to two.

    Rows: X07 (partly), X10 (partly).
    """
    server = ServerProcess(tmp_path / "data", "--registration", "open").start()
    people = [newcomer(server.port, "person") for _ in range(8)]
    chance = random.Random(11)
    holders: dict[int, tuple[int, str]] = {}
    """By epoch: in which round it was given, and to whom."""
    answers = 0
    for round in range(12):
        told: dict[str, int] = {}
        """By leg: the epoch of its last answer."""
        timer = threading.Timer(chance.uniform(0.0, 0.08), server.kill)
        timer.start()
        for one in people:
            lines = [json.dumps({"type": "CONFERENCE-JOIN", "id": LOBBY}).encode() + b"\n"] * JOINS
            try:
                one.write(b"".join(lines))
            except OSError:
                break
        for one in people:
            for packet in left_over(one):
                if packet["type"] == "CONFERENCE-JOIN-OK":
                    epoch = next(it["epoch"] for it in packet["conference"]["legs"] if it["id"] == packet["leg"])
                    assert packet["leg"] == leg(one)
                    assert holders.setdefault(epoch, (round, leg(one))) == (round, leg(one)), "given to two"
                    assert told.get(leg(one), 0) < epoch
                    told[leg(one)] = epoch
                    answers += 1
                elif packet["type"] == "CONFERENCE-JOINED":
                    epoch, holder = packet["leg"]["epoch"], (round, packet["leg"]["id"])
                    assert holders.setdefault(epoch, holder) == holder, "given to two"
        timer.join()
        server.start()
        people = [Wire(server.port).connect(one.login, device="first") for one in people]
        for one in people:
            if leg(one) in told:
                again = one.ask("CONFERENCE-JOIN", id=LOBBY, resume=True)
                assert again.get("resumed"), "told that it is inside, and forgotten"
                mine = next(it for it in again["conference"]["legs"] if it["id"] == leg(one))
                assert mine["epoch"] >= told[leg(one)]
    assert answers > 12, "the kills came always too early"
    assert server.stop() == 0


def left_over(wire: Wire) -> list[dict[str, Any]]:
    """All that came before the link broke."""
    found: list[dict[str, Any]] = []
    try:
        while (line := wire.line()) is not None:
            found.append(json.loads(line))
    except OSError:
        pass
    return found
