"""The law: for every device, the snapshot and the events after it equal a fresh snapshot, and the texts the history.

Three people, two devices each, do at random what people do, and links break meanwhile.  The fold here is small and
knows nothing of the client library: marks only rise, the highest id of a change wins, a retraction wins for ever.
"""

from __future__ import annotations

import itertools
import json
import random
import select
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.server import ServerProcess
from tests.support.wire import Wire, unique

_counter = itertools.count(1)
Step = tuple[int, str, int, int]
EVENTS = ("MESSAGE", "EDITED", "RETRACTED", "REACTED")


class Post:
    """A message as a device has it.  A change of it may come first: of what I sent and have no answer to yet."""

    def __init__(self) -> None:
        self.author = self.text = ""
        self.text_id = 0
        self.is_retracted = False
        self.reactions: dict[tuple[str, str], tuple[int, bool]] = {}

    def shown(self) -> tuple[Any, ...]:
        if self.is_retracted:
            return self.author, "", True, []
        return self.author, self.text, False, sorted(one for one, (_, is_on) in self.reactions.items() if is_on)


class Talk:
    """One conversation as a device has it."""

    def __init__(self) -> None:
        self.posts: dict[int, Post] = {}
        self.last_id = self.read_id = self.peer_read_id = self.peer_delivered_id = 0


class Device:
    """One device: what it asked and is not answered, what it has, and a link that comes and goes."""

    def __init__(self, port: int, login: str, name: str) -> None:
        self.port, self.login, self.name = port, login, name
        self.talks: dict[str, Talk] = {}
        self.blocked: set[str] = set()
        self.asked: dict[str, dict[str, Any]] = {}
        """Requests by tag, in the order of asking; sent again after a reconnect."""
        self.has = 0
        """The highest id of an event, for the cursor."""
        self.replays = 0
        """How often the server has said that all that was missed has been sent."""
        wire = Wire(port, tls=False)
        self.take(wire, wire.scram(login, "pw", device=name))

    # -- the link

    def take(self, wire: Wire, answer: dict[str, Any]) -> None:
        assert answer["type"] == "CONNECT-OK", answer
        self.wire, self.me, self.resume = wire, answer["login"], answer["resume"]
        self.newest = 0
        self.is_caught_up = False
        while not self.is_caught_up:
            self.fold(wire.receive())

    def reconnect(self, *, tells_cursor: bool, is_polite: bool) -> None:
        if is_polite:
            self.wire.close()
        else:
            self.wire.kill()
        self.wire = Wire(self.port, tls=False)
        extra = {"cursor": self.has} if tells_cursor else {}
        self.wire.send("CONNECT", mechanism="RESUME", token=self.resume, **extra)
        self.take(self.wire, self.wire.receive())
        for request in list(self.asked.values()):
            self.put(request)

    def put(self, request: dict[str, Any]) -> None:
        lines = [request]
        if request["type"] == "MESSAGE-READ":  # it has no answer; this shows that it was handled
            lines.append({"type": "PING", "tag": request["tag"]})
        self.wire.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    def ask(self, type: str, **fields: Any) -> None:
        tag = f"q{next(_counter)}"
        if type in ("MESSAGE", "EDIT", "RETRACT", "REACT"):
            fields["cookie"] = tag
        self.asked[tag] = {"type": type, "tag": tag, **fields}
        self.put(self.asked[tag])

    def read_waiting(self) -> None:
        """Fold what has arrived, without waiting."""
        while self.wire.has_line() or select.select([self.wire.socket], [], [], 0)[0]:
            self.fold(self.wire.receive())

    def settle(self) -> None:
        """Read until every request is answered and what was told before that has come."""
        while self.asked or not self.is_caught_up:
            self.fold(self.wire.receive())
        tag = f"q{next(_counter)}"
        self.wire.send("PING", tag=tag)
        while (packet := self.wire.receive()) != {"type": "PONG", "tag": tag}:
            self.fold(packet)

    # -- the fold

    def talk(self, peer: str) -> Talk:
        return self.talks.setdefault(peer, Talk())

    def unread(self, peer: str) -> int:
        talk = self.talk(peer)
        unread = [
            id for id, post in talk.posts.items() if post.author == peer and not post.is_retracted and id > talk.read_id
        ]
        return min(len(unread), 1000)

    def fold(self, packet: dict[str, Any]) -> None:
        type, tag = packet["type"], packet.get("tag")
        request = self.asked.pop(tag, None) if tag is not None else None
        if type in EVENTS:
            assert packet["id"] > self.newest, "told twice, or out of order"
            self.newest = packet["id"]
            self.has = max(self.has, packet["id"])
            peer = packet["to"] if packet["from"] == self.me else packet["from"]
            self.changed(type, peer, packet["from"], packet)
        elif type == "SNAPSHOT":
            self.is_caught_up = False
            self.blocked = set(packet.get("blocked", ()))
            for state in packet.get("conversations", ()):
                talk = self.talk(state["peer"])
                for name in ("last_id", "read_id", "peer_read_id", "peer_delivered_id"):
                    setattr(talk, name, max(getattr(talk, name), state.get(name, 0)))
        elif type == "REPLAY-END":
            self.is_caught_up = True
            self.replays += 1
        elif type == "MESSAGE-DELIVERED":
            if packet["peer"] == self.me:
                talk = self.talk(packet["by"])
                talk.peer_delivered_id = max(talk.peer_delivered_id, packet["id"])
        elif type == "MESSAGE-READ":
            if packet["by"] == self.me:
                talk = self.talk(packet["peer"])
                talk.read_id = max(talk.read_id, packet["id"])
            else:
                assert packet["peer"] == self.me
                talk = self.talk(packet["by"])
                talk.peer_read_id = max(talk.peer_read_id, packet["id"])
        elif type in ("MESSAGE-SENT", "EDIT-OK", "RETRACT-OK", "REACT-OK"):
            assert request is not None
            kind = {"MESSAGE": "MESSAGE", "EDIT": "EDITED", "RETRACT": "RETRACTED", "REACT": "REACTED"}[request["type"]]
            peer = request["to"] if kind == "MESSAGE" else self.holder(request["id"])
            change = {
                **request,
                "id": packet["id"],
                "target": request.get("id"),
                "removed": request.get("remove", False),
            }
            self.changed(kind, peer, self.me, change)
        elif type == "BLOCK-OK":
            self.blocked.add(packet["login"])
        elif type == "UNBLOCK-OK":
            self.blocked.discard(packet["login"])
        elif type.endswith("-FAILED"):
            assert packet["code"] in ("unknown-message", "unknown-id"), packet
        else:
            assert type in ("PONG", "CONTACT-UPDATED"), packet

    def holder(self, id: int) -> str:
        return next(peer for peer, talk in self.talks.items() if id in talk.posts)

    def changed(self, type: str, peer: str, author: str, packet: dict[str, Any]) -> None:
        talk = self.talk(peer)
        talk.last_id = max(talk.last_id, packet["id"])
        if type == "MESSAGE":
            post = talk.posts.setdefault(packet["id"], Post())
            post.author = author
            post.text = post.text if post.text_id else packet["text"]
            post.is_retracted = post.is_retracted or packet.get("retracted", False)
            return
        post = talk.posts.setdefault(packet["target"], Post())
        if type == "EDITED" and packet["id"] > post.text_id:
            post.text, post.text_id = packet["text"], packet["id"]
        elif type == "RETRACTED":
            post.is_retracted = True
        elif type == "REACTED":
            key = author, packet["emoji"]
            if packet["id"] > post.reactions.get(key, (0, False))[0]:
                post.reactions[key] = packet["id"], not packet.get("removed", False)

    # -- what is compared

    def state(self) -> dict[str, Any]:
        return {
            "blocked": self.blocked,
            **{
                peer: (talk.last_id, self.unread(peer), talk.read_id, talk.peer_read_id, talk.peer_delivered_id)
                for peer, talk in self.talks.items()
                if talk.last_id
            },
        }

    def fresh_state(self) -> dict[str, Any]:
        """The snapshot that the server gives now."""
        with Wire(self.port, tls=False).resumed(self.resume) as wire:
            names = ("last_id", "unread", "read_id", "peer_read_id", "peer_delivered_id")
            states = wire.snapshot.get("conversations", ())
            return {
                "blocked": set(wire.snapshot.get("blocked", ())),
                **{state["peer"]: tuple(state.get(name, 0) for name in names) for state in states},
            }

    def history(self, peer: str) -> dict[int, tuple[Any, ...]]:
        found: dict[int, tuple[Any, ...]] = {}
        after = 0
        while True:
            page = self.wire.ask("HISTORY-GET", peer=peer, after=after, limit=200)
            for one in page["messages"]:
                reactions = sorted((by["by"], by["emoji"]) for by in one.get("reactions", ()))
                found[one["id"]] = one["from"], one["text"], one.get("retracted", False), reactions
            if not page.get("more"):
                return found
            after = page["messages"][-1]["id"]


def same(has: dict[Any, Any], is_so: dict[Any, Any]) -> None:
    """What a device has is what is so; the first difference is shown."""
    for key in {**has, **is_so}:
        assert has.get(key) == is_so.get(key), key


class World:
    """Three people with two devices each."""

    def __init__(self, port: int) -> None:
        logins = [unique(name) for name in ("ann", "ben", "cid")]
        with Wire(port, tls=False) as wire:
            for login in logins:
                assert wire.register(login, "pw")["type"] == "REGISTER-OK"
        self.devices = [Device(port, login, name) for login in logins for name in ("phone", "desk")]

    def others(self, device: Device) -> list[str]:
        return sorted({one.me for one in self.devices} - {device.me})

    def do(self, step: Step) -> None:
        """One step: (which device, what, and two numbers that choose among what there is)."""
        device = self.devices[step[0]]
        what, a, b = step[1:]
        peer = self.others(device)[a % 2]
        posts = [id for talk in device.talks.values() for id, post in talk.posts.items() if post.author]
        match what:
            case "say":
                for n in range(1 + b % 3):
                    device.ask("MESSAGE", to=peer, text=f"{a} {b} {n}")
            case "edit" | "retract" | "react" | "read" if posts:
                id = posts[b % len(posts)]
                if what == "react":
                    device.ask("REACT", id=id, emoji="+-"[a // 2 % 2], remove=a % 2 == 1)
                elif what == "read":
                    peer = device.holder(id)
                    device.talk(peer).read_id = max(device.talk(peer).read_id, id)
                    device.ask("MESSAGE-READ", id=id)
                elif device.talk(device.holder(id)).posts[id].author == device.me:
                    device.ask(what.upper(), id=id, **({"text": f"edit {a} {b}"} if what == "edit" else {}))
            case "ack":
                device.wire.send("MESSAGE-DELIVERED", id=device.has)
            case "block" | "unblock":
                device.ask(what.upper(), login=peer)
            case "reconnect":
                device.reconnect(tells_cursor=a % 2 == 0, is_polite=b % 2 == 0)
            case "look":
                device.read_waiting()
            case _:
                pass

    def check(self) -> None:
        """The law."""
        for _ in range(2):  # the second time, all that the first has caused is told
            for device in self.devices:
                device.settle()
        for device in self.devices:
            for peer, talk in device.talks.items():
                if talk.last_id:
                    same({id: post.shown() for id, post in talk.posts.items()}, device.history(peer))
        fresh: dict[str, dict[str, Any]] = {}
        for device in self.devices:
            if device.me not in fresh:
                fresh[device.me] = device.fresh_state()
            same(device.state(), fresh[device.me])

    def close(self) -> None:
        for device in self.devices:
            device.wire.close()


TALKING = ["say", "say", "say", "retract", "ack", "ack", "reconnect", "look"]
CHANGING = ["edit", "react", "read", "read"]
BLOCKING = ["block", "unblock"]


def steps(*what: str) -> st.SearchStrategy[list[Step]]:
    number = st.integers(0, 11)
    return st.lists(st.tuples(st.integers(0, 5), st.sampled_from(what), number, number), min_size=20, max_size=90)


def play(server: ServerProcess, script: list[Step]) -> None:
    world = World(server.port)
    try:
        for step in script:
            world.do(step)
        world.check()
    finally:
        world.close()


law = settings(  # what goes wrong here is mostly a race, which shrinking could not find again
    max_examples=30,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@law
@given(steps(*TALKING, *CHANGING))
def test_snapshot_and_events_equal_a_fresh_snapshot(server: ServerProcess, script: list[Step]) -> None:
    """Rows: X05 (partly), M13, M16, M20, T29 (partly)."""
    play(server, script)


@law
@given(steps(*TALKING, *CHANGING, *BLOCKING))
def test_snapshot_and_events_equal_a_fresh_snapshot_also_when_people_block(
    server: ServerProcess, script: list[Step]
) -> None:
    """Rows: X06 (partly), T33 (partly)."""
    play(server, [(who, what, 1 if what == "reconnect" else a, b) for who, what, a, b in script])


def links_full(server: ServerProcess) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
        return "veche_links_full 1.0" in answer.read().decode()


@pytest.fixture
def world(server: ServerProcess) -> Iterator[World]:
    world = World(server.port)
    yield world
    world.close()


def test_a_reader_who_falls_behind_and_catches_up_has_missed_nothing(server: ServerProcess, world: World) -> None:
    """It sleeps while others write more than fits between it and the server, and change what they wrote; it wakes in
    steps, and things go on meanwhile.

    Rows: M13, T29 (partly), X05 (partly).
    """
    ann, _, sleeper, ben, cid, _ = world.devices
    others = [n for n, device in enumerate(world.devices) if device is not sleeper]
    times_full = 0
    for _ in range(40):
        for _ in range(50):
            ann.ask("MESSAGE", to=ben.me, text="x" * 16_000)
        for n in others:
            world.devices[n].settle()
        times_full = times_full + 1 if links_full(server) else 0
        if times_full == 3:  # not one of the others for a moment
            break
    else:
        pytest.fail("it did not fall behind")
    chance = random.Random(5)

    def go_on(count: int) -> None:
        for _ in range(count):
            what = chance.choice(["say", "edit", "retract", "react", "read", "ack"])
            world.do((chance.choice(others), what, chance.randrange(12), chance.randrange(12)))
            for n in others:
                world.devices[n].read_waiting()

    for n in range(600):  # more than a page
        cid.ask("MESSAGE", to=ben.me, text=f"{n}")
    go_on(150)
    for _ in range(20):
        for _ in range(30):
            sleeper.fold(sleeper.wire.receive())
        go_on(10)
    for n in others:
        world.devices[n].settle()
    ben.ask("BLOCK", login=cid.me)
    while sleeper.replays < 2 or not sleeper.is_caught_up:
        sleeper.fold(sleeper.wire.receive())
    world.check()


@pytest.mark.parametrize("count", [499, 500, 501, 1000])
def test_a_backlog_of_about_a_page_comes_once_and_in_order_while_more_arrives(world: World, count: int) -> None:
    """Rows: T29 (partly), M13."""
    ann, _, ben, *_ = world.devices
    ben.wire.close()
    for n in range(count):
        ann.ask("MESSAGE", to=ben.me, text=f"{n}")
    ann.settle()
    for n in range(200):
        ann.ask("MESSAGE", to=ben.me, text=f"later {n}")
    ben.reconnect(tells_cursor=False, is_polite=True)
    world.check()
    assert [post.text for post in ben.talk(ann.me).posts.values()] == [
        *(f"{n}" for n in range(count)),
        *(f"later {n}" for n in range(200)),
    ]


def test_who_reconnects_again_and_again_while_others_write_misses_nothing(world: World) -> None:
    """Rows: T29 (partly), M13."""
    ann, _, ben, _, cid, _ = world.devices
    for n in range(80):
        for writer in (ann, cid, ann):
            writer.ask("MESSAGE", to=ben.me, text=f"{n}")
        ben.reconnect(tells_cursor=True, is_polite=n % 2 == 0)
    world.check()
