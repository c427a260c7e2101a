"""Private sessions: the server introduces two devices, and what they say then is theirs alone."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.test_contacts import befriend
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer
from veche.client import Client
from veche.client.private import (
    Asked,
    CannotSay,
    Closed,
    Declined,
    Failed,
    NotOpen,
    Opened,
    PeerGone,
    PrivateEvent,
    Said,
    Waiting,
)
from veche.packets import MAX_TEXT, ErrorCode
from veche.packets.message import Message

# -- the introduction, packet by packet


def heard(wire: Wire) -> dict[str, Any]:
    """The next packet about private sessions."""
    while not (packet := wire.receive())["type"].startswith("PRIVATE"):
        pass
    return packet


def heard_nothing(*wires: Wire) -> bool:
    """None of them is told anything about private sessions."""
    for wire in wires:
        wire.send("PING", tag="nothing")
        if any(packet["type"].startswith("PRIVATE") for packet in wire.until("PONG")):
            return False
    return True


def ask(asker: Wire, asked: Wire, certificate: str = "QQ==") -> str:
    """One asks for a session, the other hears of it; returns the id."""
    answer = asker.ask("PRIVATE-START", login=asked.login, certificate=certificate)
    assert answer["type"] == "PRIVATE-START-OK", answer
    assert answer["login"] == asked.address
    request = {"type": "PRIVATE-REQUEST", "id": answer["id"], "from": asker.address, "certificate": certificate}
    assert heard(asked) == request
    return answer["id"]


def say_yes(wire: Wire, id: str, **fields: Any) -> dict[str, Any]:
    """Returns the answer of the server."""
    return wire.ask("PRIVATE-ANSWER", **{"id": id, "accepted": True, "port": 4711, "certificate": "Qg==", **fields})


@pytest.fixture
def friends(alice: Wire, bob: Wire) -> tuple[Wire, Wire]:
    befriend(alice, bob)
    return alice, bob


def test_a_yes_tells_where_to_connect_and_whom_to_expect(friends: tuple[Wire, Wire]) -> None:
    """After that the server knows nothing of the two.  Rows: T42 (partly), T43 (partly), B08 (partly)."""
    alice, bob = friends
    id = ask(alice, bob)
    assert say_yes(bob, id, addresses=["192.0.2.7", "127.0.0.1"])["type"] == "PRIVATE-ANSWER-OK"
    seen = bob.socket.getsockname()[0]
    assert heard(alice) == {
        "type": "PRIVATE-ANSWERED",
        "id": id,
        "from": bob.address,
        "accepted": True,
        "port": 4711,
        "addresses": [seen, "192.0.2.7", "127.0.0.1"],
        "certificate": "Qg==",
    }
    assert say_yes(bob, id)["code"] == "unknown-request"
    assert alice.ask("PRIVATE-STOP", id=id)["code"] == "unknown-request"
    assert heard_nothing(alice, bob)


def test_a_no_is_told(friends: tuple[Wire, Wire]) -> None:
    """Rows: T44 (partly), X22 (partly)."""
    alice, bob = friends
    id = ask(alice, bob)
    assert bob.ask("PRIVATE-ANSWER", id=id, accepted=False)["type"] == "PRIVATE-ANSWER-OK"
    assert heard(alice) == {"type": "PRIVATE-ANSWERED", "id": id, "from": bob.address, "accepted": False}
    assert ask(alice, bob) != id


def test_a_request_is_taken_back(friends: tuple[Wire, Wire]) -> None:
    alice, bob = friends
    id = ask(alice, bob)
    assert alice.ask("PRIVATE-STOP", id=id)["type"] == "PRIVATE-STOP-OK"
    assert heard(bob) == {
        "type": "PRIVATE-STOPPED",
        "id": id,
        "code": "withdrawn",
        "reason": "The request was withdrawn.",
    }
    assert say_yes(bob, id)["code"] == "unknown-request"


def test_all_devices_are_asked_and_the_first_answers_for_all(server: ServerProcess, friends: tuple[Wire, Wire]) -> None:
    """Rows: X05 (partly)."""
    alice, bob = friends
    with Wire(server.port).connect(bob.login, device="phone") as phone:
        id = ask(alice, bob)
        assert heard(phone)["id"] == id
        assert say_yes(phone, id)["type"] == "PRIVATE-ANSWER-OK"
        assert heard(bob)["code"] == "answered"
        assert bob.ask("PRIVATE-ANSWER", id=id, accepted=False)["code"] == "unknown-request"
        assert heard(alice)["accepted"]
        assert heard_nothing(alice, bob, phone)


def test_only_who_is_asked_answers_and_only_who_asks_takes_back(
    server: ServerProcess, friends: tuple[Wire, Wire], mallory: Wire
) -> None:
    alice, bob = friends
    befriend(alice, mallory)
    id = ask(alice, bob)
    with Wire(server.port).connect(alice.login, device="other") as other:
        for wire in (mallory, alice, other):
            assert say_yes(wire, id)["code"] == "unknown-request"
        for wire in (mallory, bob, other):
            assert wire.ask("PRIVATE-STOP", id=id)["code"] == "unknown-request"
    assert say_yes(bob, id)["type"] == "PRIVATE-ANSWER-OK"


def test_a_request_ends_when_either_side_has_left(server: ServerProcess, friends: tuple[Wire, Wire]) -> None:
    """The one who asks with that device, the one who is asked with the last of theirs."""
    alice, bob = friends
    id = ask(alice, bob)
    phone = Wire(server.port).connect(bob.login, device="phone")
    bob.close()
    assert heard_nothing(alice)
    phone.close()
    assert heard(alice) == {"type": "PRIVATE-STOPPED", "id": id, "code": "offline", "reason": "They are not online."}
    with Wire(server.port).connect(bob.login, device="first") as bob:
        with Wire(server.port).connect(alice.login, device="other") as other:
            id = ask(other, bob)
            assert alice.ask("PRIVATE-START", login=bob.login, certificate="QQ==")["code"] == "already-there"
        assert heard(bob)["code"] == "offline"
        ask(alice, bob)


def test_what_cannot_be_asked_is_refused(server: ServerProcess, friends: tuple[Wire, Wire], mallory: Wire) -> None:
    """Rows: T46 (partly)."""
    alice, bob = friends

    def code(asker: Wire, login: str, **fields: Any) -> str:
        return asker.ask("PRIVATE-START", login=login, **{"certificate": "QQ==", **fields})["code"]

    assert code(alice, "nobody") == "unknown-user"
    assert code(alice, "no name") == "unknown-user"
    assert code(alice, f"{bob.login}@elsewhere.example") == "unknown-user"
    assert code(alice, alice.login) == "self"
    assert code(mallory, bob.login) == "not-friends"
    assert code(alice, bob.login, certificate="") == "bad-request"
    with Wire(server.port) as stranger:
        assert code(stranger, bob.login) == "not-logged-in"
    ask(alice, bob)
    assert code(alice, bob.address) == "already-there"
    bob.close()
    assert heard(alice)["code"] == "offline"
    assert code(alice, bob.login) == "offline"


def test_too_many_requests_at_once_are_refused(server: ServerProcess, alice: Wire) -> None:
    people = [newcomer(server.port, "friend") for _ in range(21)]
    for one in people:
        befriend(alice, one)
    ids = [ask(alice, one) for one in people[:-1]]
    assert len(set(ids)) == 20
    refusal = alice.ask("PRIVATE-START", login=people[-1].login, certificate="QQ==")
    assert refusal["code"] == "too-many"
    assert say_yes(people[0], ids[0])["type"] == "PRIVATE-ANSWER-OK"
    ask(alice, people[-1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 0},
        {"port": 65_536},
        {"certificate": ""},
        {"addresses": ["bob.example"]},
        {"addresses": ["127.0.0.1"] * 9},
        {"addresses": ["1.2.3.4:5"]},
    ],
)
def test_a_yes_that_says_nothing_useful_is_refused_and_can_be_said_again(
    friends: tuple[Wire, Wire], wrong: dict[str, Any]
) -> None:
    alice, bob = friends
    id = ask(alice, bob)
    assert say_yes(bob, id, **wrong)["code"] == "bad-request"
    assert say_yes(bob, id)["type"] == "PRIVATE-ANSWER-OK"
    assert heard(alice)["accepted"]


def test_a_friend_who_blocks_looks_like_one_who_is_away(
    server: ServerProcess, friends: tuple[Wire, Wire], mallory: Wire
) -> None:
    """Packet for packet: when asked, and when a request waits already.  Rows: X06 (partly), X22 (partly)."""
    alice, bob = friends
    carol = newcomer(server.port, "carol")
    befriend(alice, carol)
    told: dict[Wire, list[dict[str, Any]]] = {}
    for peer in (bob, carol):
        id = ask(alice, peer)
        if peer is bob:
            assert bob.ask("BLOCK", login=alice.login)["type"] == "BLOCK-OK"
        else:
            carol.close()
        alice.send("PRIVATE-START", login=peer.login, certificate="QQ==", tag="again")
        told[peer] = alice.until("PRIVATE-START-FAILED")
        for packet in told[peer]:
            if packet.get("id") == id:
                packet["id"] = "the request"
            for name in ("at", "presence"):
                if name in packet:
                    packet[name] = "then"
            if packet.get("id") == peer.address:
                packet["id"] = "the friend"
    assert told[bob] == told[carol]
    assert [packet["type"] for packet in told[bob]][-2:] == ["PRIVATE-STOPPED", "PRIVATE-START-FAILED"]
    assert told[bob][-1]["code"] == "offline"
    assert bob.ask("PRIVATE-START", login=alice.login, certificate="QQ==")["code"] == "forbidden"
    assert heard_nothing(bob)


def test_in_the_classic_profile_everyone_may_be_asked_and_a_block_is_told(tmp_path: Path) -> None:
    """Rows: T42 (partly), T45 (partly), T46 (partly)."""
    credentials = tmp_path / "credentials.txt"
    credentials.write_text("hans secret\nluke secret\nyoda secret\n")
    flags = ("--profile", "classic", "--credentials", str(credentials))
    server = ServerProcess(tmp_path / "data", *flags).start()

    def enter(name: str) -> Wire:
        wire = Wire(server.port)
        wire.send("CLASSIC")
        for line in (name, "secret"):
            wire.send("INPUT", text=line)
        while "Welcome" not in wire.receive()["message"]:
            pass
        wire.login, wire.address = name, f"{name}@localhost"
        return wire

    hans, luke = enter("hans"), enter("luke")
    id = ask(hans, luke)
    assert luke.ask("PRIVATE-ANSWER", id=id, accepted=False)["type"] == "PRIVATE-ANSWER-OK"
    assert not heard(hans)["accepted"]
    id = ask(hans, luke)
    luke.send("INPUT", text="block hans")
    assert heard(hans) == {"type": "PRIVATE-STOPPED", "id": id, "code": "blocked", "reason": "They have blocked you."}
    assert heard(luke)["code"] == "withdrawn"
    assert hans.ask("PRIVATE-START", login="luke", certificate="QQ==")["code"] == "blocked"
    assert heard_nothing(luke)
    assert hans.ask("PRIVATE-START", login="yoda", certificate="QQ==")["code"] == "offline"
    assert hans.ask("PRIVATE-START", login="bob", certificate="QQ==")["code"] == "unknown-user"
    ask(luke, hans)
    server.stop()


# -- two devices


def run(work: Coroutine[Any, Any, None]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(timed(), debug=True)


async def happens(client: Client) -> PrivateEvent:
    """The next event of a private session."""
    while True:
        event = await client.next_event()
        if isinstance(event, PrivateEvent):
            return event


async def hears(client: Client, text: str) -> None:
    """The next message by way of the server."""
    while not isinstance(event := await client.next_event(), Message):
        pass
    assert event.text == text


@asynccontextmanager
async def devices(server: ServerProcess, *names: str, port: int | None = None) -> AsyncGenerator[list[Client]]:
    """Fresh accounts, each two of them friends, each with one device."""
    people = [newcomer(server.port, name) for name in names]
    for n, one in enumerate(people):
        for other in people[:n]:
            befriend(other, one)
    for one in people:
        one.close()
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                Client(
                    "127.0.0.1",
                    port or server.port,
                    one.login,
                    password="a password",
                    device="first",
                    fingerprint=server.fingerprint,
                )
            )
            for one in people
        ]


def name_of(client: Client) -> str:
    assert client.address is not None
    return client.address


async def meet(alice: Client, bob: Client) -> None:
    """Alice asks, bob says yes."""
    alice.private.ask(name_of(bob).partition("@")[0])
    assert await happens(alice) == Waiting(name_of(bob))
    asked = await happens(bob)
    assert isinstance(asked, Asked)
    assert asked.peer == name_of(alice)
    bob.private.answer(asked.id, True)
    assert await happens(alice) == Opened(name_of(bob))
    assert await happens(bob) == Opened(name_of(alice))


def test_two_people_talk_off_the_record(own_server: ServerProcess) -> None:
    """Nothing of it is in the server's directory, and messages go their way meanwhile.

    Rows: T43 (partly), T48 (partly), T49 (partly), T54 (partly), T57 (partly), X11 (partly).
    """

    async def scenario() -> None:
        async with devices(own_server, "alice", "bob") as (alice, bob):
            await meet(alice, bob)
            for _ in range(3):
                alice.private.say(name_of(bob), "swordfish")
                assert await happens(bob) == Said(name_of(alice), "swordfish")
                await bob.send(name_of(alice), "by way of the server")
                await hears(alice, "by way of the server")
                bob.private.say(name_of(alice), "Swordfish it is.")
                assert await happens(alice) == Said(name_of(bob), "Swordfish it is.")
            bob.private.stop(name_of(alice))
            assert await happens(alice) == Closed(name_of(bob), True, None)
            assert await happens(bob) == Closed(name_of(alice), False, None)
            with pytest.raises(NotOpen):
                alice.private.say(name_of(bob), "swordfish")
            await meet(bob, alice)

    run(scenario())
    own_server.stop()
    written = b"".join(file.read_bytes() for file in own_server.data.rglob("*") if file.is_file())
    assert b"by way of the server" in written
    assert b"wordfish" not in written
    assert "wordfish" not in own_server.logged()


def test_a_no_is_heard(server: ServerProcess) -> None:
    """Rows: T44 (partly), X22 (partly)."""

    async def scenario() -> None:
        async with devices(server, "alice", "bob") as (alice, bob):
            alice.private.ask(name_of(bob))
            assert await happens(alice) == Waiting(name_of(bob))
            assert isinstance(await happens(bob), Asked)
            bob.private.answer(name_of(alice), False)
            assert await happens(alice) == Declined(name_of(bob))

    run(scenario())


def test_refusals_of_the_server_are_heard(server: ServerProcess) -> None:
    """Rows: T46 (partly)."""

    async def scenario() -> None:
        async with devices(server, "alice") as (alice,):
            for login, code in (
                ("nobody", ErrorCode.UNKNOWN_USER),
                (name_of(alice), ErrorCode.SELF),
                ("no name", ErrorCode.UNKNOWN_USER),
            ):
                alice.private.ask(login)
                event = await happens(alice)
                assert isinstance(event, Failed)
                assert event.code == code

    run(scenario())


class Wiretap:
    """Stands between clients and their server, and counts the bytes of both directions."""

    def __init__(self, server_port: int) -> None:
        self.port = self.count = 0
        self._server_port = server_port
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Wiretap:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._server_port)
        for source, sink in ((reader, there[1]), (there[0], writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                self.count += len(data)
                sink.write(data)
        finally:
            sink.close()


def test_the_server_sees_no_byte_of_what_is_said(server: ServerProcess) -> None:
    """A megabyte is said, and all that the server hears is that somebody is there.  Rows: T49, T56 (partly)."""

    async def scenario() -> None:
        async with Wiretap(server.port) as tap, devices(server, "alice", "bob", port=tap.port) as (alice, bob):
            await meet(alice, bob)
            before = tap.count
            for _ in range(100):
                alice.private.say(name_of(bob), "x" * 10_000)
                assert await happens(bob) == Said(name_of(alice), "x" * 10_000)
            await alice.who_else()
            assert tap.count - before < 1000

    run(scenario())


def test_a_session_outlives_the_server(own_server: ServerProcess) -> None:
    """And the next one is made when the server is back.  Rows: X11 (partly), T57 (partly)."""

    async def scenario() -> None:
        async with devices(own_server, "alice", "bob", "carol") as (alice, bob, carol):
            await meet(alice, bob)
            alice.private.ask(name_of(carol))
            assert await happens(alice) == Waiting(name_of(carol))
            assert isinstance(await happens(carol), Asked)
            await asyncio.to_thread(own_server.kill)
            lost = ErrorCode.TRY_AGAIN_LATER, "The link to the server was lost."
            assert await happens(alice) == Failed(name_of(carol), *lost)
            assert await happens(carol) == Failed(name_of(alice), *lost)
            alice.private.ask(name_of(carol))
            assert await happens(alice) == Failed(name_of(carol), *lost)
            alice.private.say(name_of(bob), "still there?")
            assert await happens(bob) == Said(name_of(alice), "still there?")
            await asyncio.to_thread(own_server.start)
            for one in (alice, carol):
                await one.who_else()  # waits for the link
            await meet(alice, carol)
            bob.private.say(name_of(alice), "yes")
            assert await happens(alice) == Said(name_of(bob), "yes")

    run(scenario())


def test_a_block_made_later_does_not_cut_the_session(server: ServerProcess) -> None:
    """Rows: T53 (partly)."""

    async def scenario() -> None:
        async with devices(server, "alice", "bob") as (alice, bob):
            await meet(alice, bob)
            await bob.block(name_of(alice))
            alice.private.say(name_of(bob), "did you block me?")
            assert await happens(bob) == Said(name_of(alice), "did you block me?")
            bob.private.stop(name_of(alice))
            assert await happens(alice) == Closed(name_of(bob), True, None)
            alice.private.ask(name_of(bob))
            assert await happens(alice) == Failed(name_of(bob), ErrorCode.OFFLINE, "They are not online.")

    run(scenario())


def test_whoever_logs_out_or_is_logged_out_tells_the_other(server: ServerProcess) -> None:
    """Rows: T55 (partly)."""

    async def scenario() -> None:
        async with devices(server, "alice", "bob", "carol") as (alice, bob, carol):
            await meet(alice, bob)
            await meet(carol, alice)
            await bob.close()
            assert await happens(alice) == Closed(name_of(bob), True, ErrorCode.LOGGED_OUT)
            with Wire(server.port).connect(name_of(carol).partition("@")[0], device="other") as other:
                other.ask("SESSIONS-REVOKE", device="first")
            assert await happens(alice) == Closed(name_of(carol), True, ErrorCode.REVOKED)
            assert await happens(carol) == Closed(name_of(alice), False, ErrorCode.REVOKED)

    run(scenario())


OTHER_PROCESS = """
import asyncio, sys
from veche.client import Client
from veche.client.private import Asked, Said

async def main(port, login, fingerprint):
    async with Client("127.0.0.1", int(port), login, password="a password", device="x", fingerprint=fingerprint) as bob:
        print("here", flush=True)
        async for event in bob.events():
            match event:
                case Asked(peer, id):
                    bob.private.answer(id, True)
                case Said(peer, text):
                    bob.private.say(peer, "echo " + text)

asyncio.run(main(*sys.argv[1:]))
"""


def test_whoever_is_killed_is_missed(server: ServerProcess) -> None:
    """Rows: T52 (partly)."""
    bob = newcomer(server.port, "bob")

    async def scenario() -> None:
        async with devices(server, "alice") as (alice,):
            befriend(Wire(server.port).connect(name_of(alice).partition("@")[0], device="befriends"), bob)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", OTHER_PROCESS, str(server.port), bob.login, server.fingerprint),
                stdout=asyncio.subprocess.PIPE,
            )
            assert process.stdout is not None
            assert await process.stdout.readline() == b"here\n"
            alice.private.ask(bob.login)
            assert await happens(alice) == Waiting(bob.address)
            assert await happens(alice) == Opened(bob.address)
            alice.private.say(bob.login, "hi")
            assert await happens(alice) == Said(bob.address, "echo hi")
            process.send_signal(signal.SIGKILL)
            await process.communicate()
            assert await happens(alice) == Closed(bob.address, False, ErrorCode.OFFLINE)
            with pytest.raises(PeerGone, match="is gone"):
                alice.private.say(bob.login, "are you there?")

    run(scenario())


def test_two_who_ask_each_other_at_once_have_one_session(server: ServerProcess) -> None:
    async def scenario() -> None:
        async with devices(server, "alice", "bob") as (alice, bob):
            alice.private.ask(name_of(bob))
            bob.private.ask(name_of(alice))
            for one, other in ((alice, bob), (bob, alice)):
                while (event := await happens(one)) != Opened(name_of(other)):
                    assert event == Waiting(name_of(other))
            alice.private.say(name_of(bob), "one")
            assert await happens(bob) == Said(name_of(alice), "one")
            bob.private.say(name_of(alice), "and the same")
            assert await happens(alice) == Said(name_of(bob), "and the same")
            assert alice.private.requests == bob.private.requests == []

    run(scenario())


def test_whoever_does_not_look_holds_up_only_the_one_who_talks(server: ServerProcess) -> None:
    """Bob's program takes no events: what waits for him there is bounded, and nothing of it is lost."""

    async def scenario() -> None:
        async with devices(server, "alice", "bob") as (alice, bob):
            await meet(alice, bob)
            said = 0
            while said < 10_000:
                try:
                    alice.private.say(name_of(bob), f"{said:<{MAX_TEXT}}")
                except CannotSay:
                    break
                said += 1
                await asyncio.sleep(0)
            assert said < 10_000
            for n in range(said):
                event = await happens(bob)
                assert isinstance(event, Said)
                assert int(event.text) == n
            await alice.private.room(name_of(bob))
            alice.private.say(name_of(bob), "thanks")
            assert await happens(bob) == Said(name_of(alice), "thanks")

    run(scenario())
