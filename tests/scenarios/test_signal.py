"""Signalling on a real server: who may say what to whom, nonsense, floods, and legs that do not read."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.conferences import LOBBY, befriend, create, drained, friends, join, leg
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer
from veche.packets.conference import MAX_SDP
from veche.server.features.signal import SIGNALS, SIGNALS_PER_S

OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 AA\r\n"
FLOOD_S = 3.0
READ_AT_ONCE = 600_000
"""Bytes that may have been received before reading paused, with those that TLS holds."""
ELSEWHERE = "candidate:1 1 udp 2130706431 10.0.0.1 22 typ host"
"""A path to a machine that is none of ours."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of these tests alone."""
    running = ServerProcess(tmp_path_factory.mktemp("server") / "data", "--registration", "open").start()
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


def signal(wire: Wire, id: str, to: str, epoch: int, **fields: Any) -> dict[str, Any] | None:
    """Say something to another leg; returns the refusal, if there is one."""
    wire.send("SIGNAL", id=id, to=to, epoch=epoch, tag="signal", **{"kind": "offer", "sdp": OFFER, **fields})
    refused = drained(wire, "SIGNAL-FAILED", "ERROR")
    return refused[0] if refused else None


def heard(wire: Wire) -> list[dict[str, Any]]:
    return drained(wire, "SIGNAL")


def test_legs_of_one_conference_hear_each_other_and_nobody_else_does(server: ServerProcess) -> None:
    """An offer, an answer, a candidate that points at another machine, an end: each reaches the leg that it is for, as
    it was said, and no other one, not even another device of the same person.

    Rows: V24 (partly).
    """
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    phone = Wire(server.port).connect(bob.login, device="phone")
    tea = create(alice)
    for one in (bob, carol, phone):
        join(one, tea["id"])
    everybody = (alice, bob, carol, phone)
    for one in everybody:
        drained(one)
    said: list[dict[str, Any]] = [
        {"kind": "offer", "sdp": OFFER},
        {"kind": "answer", "sdp": OFFER},
        {"kind": "candidate", "sdp": "", "candidate": ELSEWHERE, "mid": "0", "mline": 1},
        {"kind": "candidate", "sdp": ""},
        {"kind": "bye", "sdp": ""},
    ]
    for fields in said:
        assert signal(alice, tea["id"], leg(bob), 2, **fields) is None
        (packet,) = heard(bob)
        wanted = {"type": "SIGNAL", "id": tea["id"], "from": leg(alice), "epoch": 2, **fields}
        assert packet == {name: value for name, value in wanted.items() if value != ""}
    for one in (alice, carol, phone):
        assert heard(one) == []


def test_strangers_and_those_outside_reach_no_leg(server: ServerProcess) -> None:
    """Nobody outside can offer anything to who is inside; whoever may not see the conference does not learn that it is
    there; a leg reaches nobody of another conference, nobody outside, and not itself.

    Rows: V24 (partly).
    """
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    mallory = newcomer(server.port, "mallory")
    tea, coffee = create(alice, "Tea"), create(carol, "Coffee")
    join(bob, tea["id"])
    for one in (alice, bob, carol):
        drained(one)
    refusals = [
        (signal(mallory, tea["id"], leg(bob), 2), "unknown-conference"),
        (signal(mallory, "nonsense", leg(bob), 2), "unknown-conference"),
        (signal(carol, tea["id"], leg(bob), 2), "not-inside"),
        (signal(carol, coffee["id"], leg(bob), 2), "not-inside"),
        (signal(bob, tea["id"], leg(carol), 2), "not-inside"),
        (signal(bob, coffee["id"], leg(carol), 2), "not-inside"),
        (signal(bob, tea["id"], leg(bob), 2), "not-inside"),
        (signal(bob, tea["id"], bob.address, 2), "not-inside"),
        (signal(bob, tea["id"], "nobody@nowhere/x", 2), "not-inside"),
    ]
    for refused, code in refusals:
        assert refused is not None
        assert (refused["type"], refused["code"], refused["tag"]) == ("SIGNAL-FAILED", code, "signal")
    for one in (alice, bob, carol):
        assert heard(one) == []


def test_whoever_is_called_reaches_nobody_before_they_come(server: ServerProcess) -> None:
    """And nobody reaches them: media begins when both have said yes.  Rows: V26 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    id = alice.ask("CALL", status="initiate", users=[bob.login])["id"]
    for one, other in ((bob, alice), (alice, bob)):
        refused = signal(one, id, leg(other), 1)
        assert refused is not None
        assert refused["code"] == "not-inside"
    assert bob.ask("CALL", status="accepted", id=id)["type"] == "CONFERENCE-JOIN-OK"
    assert signal(alice, id, leg(bob), 2) is None
    assert [one["from"] for one in heard(bob)] == [leg(alice)]


def test_what_belongs_to_an_older_epoch_is_passed_over(server: ServerProcess) -> None:
    """Without a word: both ends have begun anew, and will say it again.  Rows: X10 (partly)."""
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice)
    join(bob, tea["id"])
    join(bob, tea["id"])
    drained(bob)
    for epoch in (1, 2, 4, 2**53 - 1):
        assert signal(alice, tea["id"], leg(bob), epoch) is None
        assert signal(bob, tea["id"], leg(alice), epoch) is None
    assert heard(alice) == heard(bob) == []
    assert signal(alice, tea["id"], leg(bob), 3) is None
    assert len(heard(bob)) == 1


def test_whoever_was_put_out_or_has_left_reaches_nobody(server: ServerProcess) -> None:
    alice, bob, carol = friends(server.port, "alice", "bob", "carol")
    tea = create(alice)
    for one in (bob, carol):
        join(one, tea["id"])
    alice.ask("CONFERENCE-REMOVE", id=tea["id"], leg=leg(bob))
    carol.ask("CONFERENCE-LEAVE", id=tea["id"])
    drained(alice)
    for one in (bob, carol):
        refused = signal(one, tea["id"], leg(alice), 3)
        assert refused is not None
        assert refused["code"] == "not-inside"
    assert heard(alice) == []
    alice.ask("CONFERENCE-DELETE", id=tea["id"])
    refused = signal(alice, tea["id"], leg(bob), 3)
    assert refused is not None
    assert refused["code"] == "unknown-conference"


def test_nonsense_is_refused_or_passed_on_as_it_is(server: ServerProcess) -> None:
    """Too much, of the wrong type, out of range: a typed refusal.  What is text is not the server's business: it reads
    nothing of it, and clients check it themselves.

    Rows: X25 (partly).
    """
    alice, bob = friends(server.port, "alice", "bob")
    tea = create(alice)
    join(bob, tea["id"])
    drained(bob)
    bad: list[dict[str, Any]] = [
        {"sdp": "x" * (MAX_SDP + 1)},
        {"candidate": "x" * 1025},
        {"mid": "x" * 65},
        {"mline": 256},
        {"mline": -1},
        {"mline": "1"},
        {"kind": "nonsense"},
        {"kind": 1},
        {"sdp": 1},
        {"sdp": None},
        {"sdp": ["v=0"]},
        {"epoch": 0},
        {"epoch": -1},
        {"epoch": 2**53},
        {"epoch": "2"},
        {"epoch": 2.5},
        {"to": ""},
        {"to": "x" * 601},
        {"to": None},
        {"id": ""},
        {"id": {}},
    ]
    drained(alice)
    for n, fields in enumerate(bad):
        line = {"type": "SIGNAL", "id": tea["id"], "to": leg(bob), "epoch": 2, "kind": "offer", "tag": "t", **fields}
        alice.write(json.dumps(line).encode() + b"\n")
        refused = alice.receive()
        assert (refused["type"], refused["code"], refused["tag"]) == ("SIGNAL-FAILED", "bad-request", "t"), fields
        if n % 10 == 9:
            alice = renewed(alice, tea["id"])
    assert heard(bob) == []
    epoch = max(one["epoch"] for one in bob.ask("CONFERENCE-GET", id=tea["id"])["conference"]["legs"])
    for sdp in (
        "nonsense",
        "\x00\x01\x1b[2J\x7f",
        "\u202e\u2066",
        "v=0\r\n" * 9000,
        "x" * MAX_SDP,
        "\U00010000" * 4000,
    ):
        assert signal(alice, tea["id"], leg(bob), epoch, sdp=sdp) is None
        assert [one["sdp"] for one in heard(bob)] == [sdp]
    alice.write(b'{"type":"SIGNAL","sdp":"' + b"x" * 70_000 + b'"}\n')
    assert alice.until("GOODBYE")[-1]["code"] == "too-large"
    assert bob.until("CONFERENCE-LEG")[-1]["leg"]["is_lost"], "and the others go on"


def renewed(wire: Wire, id: str) -> Wire:
    """The same device on a new link: a link may say only so much nonsense."""
    newer = Wire(wire.peer).connect(wire.login, device="first")
    assert newer.ask("CONFERENCE-JOIN", id=id, resume=True)["resumed"]
    drained(newer)
    return newer


class Flood:
    """A leg that says as much as it can to another one, from a thread."""

    def __init__(self, wire: Wire, id: str, to: str, epoch: int, sdp: str) -> None:
        packet = {"type": "SIGNAL", "id": id, "to": to, "epoch": epoch, "kind": "offer", "sdp": sdp}
        self.line = json.dumps(packet).encode() + b"\n"
        self.wire, self.sent = wire, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.wire.socket.settimeout(1.0)
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        many = max(1, 100_000 // len(self.line))
        self.wire.socket.settimeout(1.0)
        while not self._stop.is_set():
            try:
                self.wire.socket.sendall(self.line * many)
            except OSError:
                return  # the server has read nothing for a second, or has closed: either is its answer
            self.sent += many


@pytest.mark.timeout(120)
def test_a_flood_of_signals_is_read_slowly_and_hurts_nobody_else(own_server: ServerProcess) -> None:
    """A leg says far more than 10,000 things a second.  Others write to each other meanwhile, and everything arrives in
    its order; whoever is flooded hears no more than the budget lets through; the server does not grow.
    """
    mallory, bob = friends(own_server.port, "mallory", "bob")
    ann, ben = friends(own_server.port, "ann", "ben")
    tea = create(mallory)
    join(bob, tea["id"])
    drained(bob)
    before_kib = own_server.rss_kib()
    start = time.monotonic()
    slowest = 0.0
    with Flood(mallory, tea["id"], leg(bob), 2, OFFER) as flood:
        said_so_far = 0
        while said_so_far < 300 or time.monotonic() < start + FLOOD_S:
            said = time.monotonic()
            ann.say(ben.login, f"text {said_so_far}")
            slowest = max(slowest, time.monotonic() - said)
            said_so_far += 1
    got = [one["text"] for one in drained(ben, "MESSAGE")]
    assert got == [f"text {n}" for n in range(said_so_far)]
    count = len(heard(bob))
    elapsed_s = time.monotonic() - start
    assert SIGNALS <= count <= SIGNALS + SIGNALS_PER_S * elapsed_s + READ_AT_ONCE / len(flood.line)
    assert own_server.rss_kib() - before_kib < 64 * 1024
    print(f"slowest message among the flood: {slowest * 1000:.0f} ms")


@pytest.mark.timeout(120)
def test_a_leg_that_does_not_read_holds_up_nobody_and_fills_nothing(tmp_path: Path) -> None:
    """Long offers for somebody who takes nothing from their link: what does not fit is left out, the server does not
    grow, the others hear each other, and the leg is lost when it has taken nothing for too long.
    """
    own = ServerProcess(tmp_path / "data", "--registration", "open", "--slow-consumer-timeout", "3").start()
    mallory, deaf = friends(own.port, "mallory", "deaf")
    carol = newcomer(own.port, "carol")
    befriend(carol, mallory)
    tea = create(mallory)
    join(deaf, tea["id"])
    join(carol, tea["id"])
    drained(carol)
    before_kib = own.rss_kib()
    with Flood(mallory, tea["id"], leg(deaf), 2, "x" * 40_000):
        lost = carol.until("CONFERENCE-LEG")[-1]["leg"]
        assert (lost["id"], lost["is_lost"]) == (leg(deaf), True)
        assert own.rss_kib() - before_kib < 64 * 1024
        carol.ask("CONFERENCE-MESSAGE", id=tea["id"], text="still here")
    assert own.stop() == 0


def test_a_leg_that_reads_again_is_told_how_everything_stands(own_server: ServerProcess) -> None:
    """It has missed events, and its view is whole again."""
    alice, deaf = friends(own_server.port, "alice", "deaf")
    carol = newcomer(own_server.port, "carol")
    join(alice, LOBBY)
    join(carol, LOBBY)
    join(deaf, LOBBY)
    drained(deaf)
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    epoch = max(one["epoch"] for one in deaf.ask("CONFERENCE-GET", id=LOBBY)["conference"]["legs"])
    for _ in range(80):
        for sender in (alice, carol):
            sender.send("SIGNAL", id=LOBBY, to=leg(deaf), epoch=epoch, kind="offer", sdp="x" * 45_000)
    for n in range(20):
        alice.ask("CONFERENCE-LEG-SET", id=LOBBY, is_muted=n % 2 == 0)
    carol.ask("CONFERENCE-LEAVE", id=LOBBY)
    alice.ask("CONFERENCE-LEG-SET", id=LOBBY, asks=True)
    packets = deaf.until("CONFERENCE-GET-OK")
    known: dict[str, Any] = {one["id"]: one for one in packets[-1]["conference"]["legs"]}
    for packet in drained(deaf, "CONFERENCE-LEG", "CONFERENCE-LEFT"):
        if packet["type"] == "CONFERENCE-LEG":
            known[packet["leg"]["id"]] = packet["leg"]
        else:
            del known[packet["leg"]]
    assert known.keys() == {leg(alice), leg(deaf)}
    assert known[leg(alice)]["asks"]
    assert sum(one["type"] == "SIGNAL" for one in packets) < 160, "what did not fit was left out"
