"""The engine of private sessions: the test is the server, the links between the devices are real."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import pytest

from veche.client.errors import LinkLost
from veche.client.private import (
    AlreadyThere,
    Asked,
    CannotSay,
    Closed,
    Declined,
    Failed,
    NotAsked,
    NotOpen,
    Opened,
    PeerGone,
    PrivateError,
    PrivateEvent,
    PrivateSessions,
    Said,
    Waiting,
)
from veche.packets import MAX_TEXT, ErrorCode, Packet
from veche.packets.link import ErrorNotImplemented, Ping
from veche.packets.presence import PresenceSet
from veche.packets.private import (
    PrivateAnswer,
    PrivateAnswered,
    PrivateAnswerFailed,
    PrivateAnswerOk,
    PrivateRequest,
    PrivateStart,
    PrivateStartFailed,
    PrivateStartOk,
    PrivateStop,
    PrivateStopOk,
    PrivateStopped,
)

P = TypeVar("P", bound=Packet)
HERE = ["127.0.0.1"]


def run(work: Coroutine[Any, Any, None]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(timed(), debug=True)


class Device:
    """A device of somebody, what it sent to the server, and what it told its person."""

    def __init__(self, login: str, **options: Any) -> None:
        self.address = f"{login}@home"
        self.sent: list[Packet] = []
        self.events: list[PrivateEvent] = []
        self.has_server = True
        self._tags = itertools.count(1)
        self._news = asyncio.Event()
        self.private = PrivateSessions(
            self._send, self._happened, full_address=lambda name: name if "@" in name else f"{name}@home", **options
        )

    def _send(self, packet: Packet) -> str:
        if not self.has_server:
            raise LinkLost("There is no server.")
        self.sent.append(packet)
        self._news.set()
        return f"tag{next(self._tags)}"

    def _happened(self, event: PrivateEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._news.clear()
            await self._news.wait()

    async def told(self, *events: PrivateEvent) -> None:
        """Wait for these, and nothing else."""
        await self._until(lambda: len(self.events) >= len(events))
        assert self.events == list(events)
        self.events.clear()

    async def sends(self, kind: type[P]) -> P:
        """The next packet to the server, which must be of this kind; that somebody is there is passed over."""

        def others() -> list[Packet]:
            return [one for one in self.sent if not isinstance(one, PresenceSet)]

        await self._until(lambda: bool(others()))
        packet = others()[0]
        assert isinstance(packet, kind), packet
        self.sent.remove(packet)
        return packet

    def last_tag(self) -> str:
        return f"tag{next(self._tags) - 1}"

    async def asks(self, other: Device) -> PrivateRequest:
        """Ask somebody; the server has told neither of it."""
        self.private.ask(other.address)
        start = await self.sends(PrivateStart)
        assert start.login == other.address
        return PrivateRequest(id=f"of {self.address}", from_=self.address, certificate=start.certificate)

    def is_asked(self, request: PrivateRequest) -> None:
        assert self.private.handle(request)

    async def has_asked(self, other: Device) -> None:
        """The server says that they are asked."""
        ok = PrivateStartOk(id=f"of {self.address}", login=other.address, tag=self.last_tag())
        assert self.private.handle(ok)
        await self.told(Waiting(other.address))

    async def answers(self, asker: Device, **fields: Any) -> None:
        """What this device answers reaches the one that asked."""
        answer = await self.sends(PrivateAnswer)
        assert self.private.handle(PrivateAnswerOk(id=answer.id))
        packet = PrivateAnswered(
            id=answer.id,
            from_=self.address,
            accepted=answer.accepted,
            port=fields.get("port", answer.port),
            addresses=fields.get("addresses", HERE),
            certificate=fields.get("certificate", answer.certificate),
        )
        assert asker.private.handle(packet)


@asynccontextmanager
async def devices(*logins: str, **options: Any) -> AsyncGenerator[list[Device]]:
    made = [Device(login, **options) for login in logins]
    yield made
    async with asyncio.TaskGroup() as group:
        for one in made:
            group.create_task(one.private.close())


async def meet(alice: Device, bob: Device) -> None:
    """Alice asks, bob says yes."""
    bob.is_asked(await alice.asks(bob))
    await alice.has_asked(bob)
    await bob.told(Asked(alice.address, f"of {alice.address}"))
    bob.private.answer(alice.address, True)
    await bob.answers(alice)
    await alice.told(Opened(bob.address))
    await bob.told(Opened(alice.address))


def test_two_people_talk_and_one_stops() -> None:
    """Rows: T54 (partly), T57 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            await meet(alice, bob)
            alice.private.say("bob", "hi")
            await bob.told(Said("alice@home", "hi"))
            bob.private.say("alice", "hi yourself")
            await alice.told(Said("bob@home", "hi yourself"))
            assert alice.private.sessions == ["bob@home"]
            bob.private.stop("alice")
            await bob.told(Closed("alice@home", False, None))
            await alice.told(Closed("bob@home", True, None))
            assert alice.private.sessions == bob.private.sessions == []
            for one, other in ((alice, "bob"), (bob, "alice")):
                with pytest.raises(NotOpen, match="Ask for one first"):
                    one.private.say(other, "are you there?")
                with pytest.raises(NotOpen):
                    one.private.stop(other)
            await meet(bob, alice)

    run(scenario())


def test_several_sessions_stand_at_once_and_outlive_the_server() -> None:
    """Rows: T57 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob", "carol") as (alice, bob, carol):
            await meet(alice, bob)
            await meet(carol, alice)
            for one in (alice, bob, carol):
                one.has_server = False
                one.private.server_lost()
            alice.private.say("bob", "to bob")
            alice.private.say("carol", "to carol")
            await bob.told(Said("alice@home", "to bob"))
            await carol.told(Said("alice@home", "to carol"))
            await alice.private.close()
            await bob.told(Closed("alice@home", True, ErrorCode.LOGGED_OUT))
            await carol.told(Closed("alice@home", True, ErrorCode.LOGGED_OUT))

    run(scenario())


def test_whoever_leaves_tells_why() -> None:
    """Rows: T55 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            await meet(alice, bob)
            await alice.private.close(ErrorCode.INACTIVE)
            await bob.told(Closed("alice@home", True, ErrorCode.INACTIVE))
            await alice.told(Closed("bob@home", False, ErrorCode.INACTIVE))
            await alice.private.close()

    run(scenario())


def test_a_no_is_told() -> None:
    """Rows: T44 (partly), X22 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            bob.is_asked(await alice.asks(bob))
            await alice.has_asked(bob)
            assert bob.private.requests == [Asked("alice@home", "of alice@home")]
            bob.private.answer("of alice@home", False)
            await bob.answers(alice)
            await alice.told(Declined("bob@home"))
            with pytest.raises(NotAsked):
                bob.private.answer("alice", True)
            assert bob.private.requests == []

    run(scenario())


def test_what_makes_no_sense_is_refused_in_a_sentence() -> None:
    """Rows: T50 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            wrong: list[Callable[[], object]] = [
                lambda: alice.private.say("bob", "hi"),
                lambda: alice.private.stop("bob"),
                lambda: alice.private.answer("bob", True),
            ]
            for call in wrong:
                with pytest.raises(PrivateError, match=r"^.+ .+\.$"):
                    call()
            with pytest.raises(NotOpen):
                await alice.private.room("bob")
            alice.private.ask("bob")
            with pytest.raises(AlreadyThere):
                alice.private.ask("bob@home")
            await alice.sends(PrivateStart)
            with pytest.raises(AlreadyThere):
                alice.private.ask("bob")
            alice.private.stop("bob")
            await alice.told(Failed("bob@home", ErrorCode.WITHDRAWN, "The request was withdrawn."))
            await meet(alice, bob)
            with pytest.raises(AlreadyThere):
                alice.private.ask("bob")
            for text in ("", "x" * (MAX_TEXT + 1), "\ud800"):
                with pytest.raises(CannotSay):
                    alice.private.say("bob", text)
            assert not alice.private.handle(Ping())

    run(scenario())


@pytest.mark.parametrize("code", [ErrorCode.OFFLINE, ErrorCode.UNKNOWN_USER, ErrorCode.BLOCKED, ErrorCode.SELF])
def test_a_refusal_of_the_server_is_told(code: ErrorCode) -> None:
    """Rows: T45 (partly), T46 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            await alice.asks(bob)
            assert alice.private.handle(PrivateStartFailed(code=code, reason="No.", tag=alice.last_tag()))
            await alice.told(Failed("bob@home", code, "No."))
            await alice.asks(bob)

    run(scenario())


def test_a_server_that_does_not_know_private_sessions_says_so() -> None:
    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            await alice.asks(bob)
            assert not alice.private.handle(ErrorNotImplemented(request_type="OTHER", tag="t"))
            assert alice.private.handle(ErrorNotImplemented(request_type="PRIVATE-START", tag=alice.last_tag()))
            await alice.told(Failed("bob@home", ErrorCode.NOT_IMPLEMENTED, "This server does not have that."))

    run(scenario())


def test_a_request_that_ends_without_an_answer_is_told_to_both() -> None:
    """Rows: X22 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            bob.is_asked(await alice.asks(bob))
            await alice.has_asked(bob)
            await bob.told(Asked("alice@home", "of alice@home"))
            for one, other in ((alice, bob), (bob, alice)):
                over = PrivateStopped(id="of alice@home", code=ErrorCode.NO_ANSWER, reason="They did not answer.")
                assert one.private.handle(over)
                await one.told(Failed(other.address, ErrorCode.NO_ANSWER, "They did not answer."))
                assert one.private.handle(over)
            with pytest.raises(NotAsked):
                bob.private.answer("alice", True)

    run(scenario())


def test_what_was_taken_back_before_the_server_knew_it_is_taken_back_there() -> None:
    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            alice.private.ask("bob")
            alice.private.stop("bob")  # before there is a certificate
            await alice.told(Failed("bob@home", ErrorCode.WITHDRAWN, "The request was withdrawn."))
            await alice.asks(bob)
            tag = alice.last_tag()
            alice.private.stop("bob")
            assert alice.private.handle(PrivateStartOk(id="17", login="bob@home", tag=tag))
            assert await alice.sends(PrivateStop) == PrivateStop(id="17")
            assert alice.private.handle(PrivateStopOk(id="17"))
            alice.events.clear()
            await alice.asks(bob)
            await alice.has_asked(bob)
            alice.private.stop("bob")
            assert await alice.sends(PrivateStop) == PrivateStop(id="of alice@home")

    run(scenario())


def test_the_servers_spelling_of_a_name_is_taken() -> None:
    async def scenario() -> None:
        async with devices("alice") as (alice,):
            alice.private.ask("BOB")
            await alice.sends(PrivateStart)
            assert alice.private.handle(PrivateStartOk(id="1", login="bob@home", tag=alice.last_tag()))
            await alice.told(Waiting("bob@home"))
            with pytest.raises(AlreadyThere):
                alice.private.ask("bob")

    run(scenario())


def test_asking_whoever_asks_is_saying_yes() -> None:
    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            bob.is_asked(await alice.asks(bob))
            await alice.has_asked(bob)
            await bob.told(Asked("alice@home", "of alice@home"))
            bob.private.ask("alice")
            await bob.answers(alice)
            await alice.told(Opened("bob@home"))
            await bob.told(Opened("alice@home"))

    run(scenario())


@pytest.mark.parametrize("is_ok_first", [True, False])
def test_two_requests_that_cross_become_one_session(is_ok_first: bool) -> None:
    """Whose certificate is the smaller text stays the one who asked; the other takes back and says yes."""

    async def scenario() -> None:
        async with devices("alice", "bob") as people:
            alice, bob = people
            requests = {bob: await alice.asks(bob), alice: await bob.asks(alice)}
            is_alices = requests[bob].certificate < requests[alice].certificate
            first, second = people if is_alices else people[::-1]
            for one, other in ((alice, bob), (bob, alice)):
                ok = PrivateStartOk(id=f"of {one.address}", login=other.address, tag=one.last_tag())
                packets: list[Packet] = [ok, requests[one]]
                for packet in packets if is_ok_first else packets[::-1]:
                    assert one.private.handle(packet)
            taken_back = await second.sends(PrivateStop)
            assert taken_back == PrivateStop(id=f"of {second.address}")
            assert first.private.handle(PrivateStopped(id=taken_back.id, code=ErrorCode.WITHDRAWN))
            assert first.private.requests == second.private.requests == []
            await second.answers(first)
            await first.told(Waiting(second.address), Opened(second.address))
            if is_ok_first:
                assert second.events.pop(0) == Waiting(first.address)
            await second.told(Opened(first.address))

    run(scenario())


def test_when_mine_comes_to_nothing_theirs_that_it_crossed_is_told() -> None:
    """Somebody whose program does not know the rule of crossing declines mine and still waits for me."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            mine = await alice.asks(bob)
            await alice.has_asked(bob)
            alice.is_asked(PrivateRequest(id="9", from_="bob@home", certificate=mine.certificate + "~"))
            assert alice.private.requests == []
            alice.private.handle(PrivateAnswered(id=mine.id, from_="bob@home", accepted=False))
            await alice.told(Declined("bob@home"), Asked("bob@home", "9"))

    run(scenario())


def test_without_a_server_nobody_can_be_asked_and_requests_end() -> None:
    async def scenario() -> None:
        async with devices("alice", "bob", "carol") as (alice, bob, carol):
            await alice.asks(bob)
            alice.is_asked(await carol.asks(alice))
            await alice.told(Asked("carol@home", "of carol@home"))
            alice.has_server = False
            alice.private.server_lost()
            lost = "The link to the server was lost."
            await alice.told(
                Failed("bob@home", ErrorCode.TRY_AGAIN_LATER, lost),
                Failed("carol@home", ErrorCode.TRY_AGAIN_LATER, lost),
            )
            alice.private.ask("bob")
            await alice.told(Failed("bob@home", ErrorCode.TRY_AGAIN_LATER, "There is no server."))

    run(scenario())


def test_no_direct_path_is_told() -> None:
    """Rows: T43 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob", answer_s=0.2) as (alice, bob):
            bob.is_asked(await alice.asks(bob))
            await alice.has_asked(bob)
            bob.private.answer("alice", True)
            await bob.answers(alice, addresses=["127.0.0.1"], port=1)
            reason = "There is no direct path to the other device: it does not answer at 127.0.0.1."
            await alice.told(Failed("bob@home", ErrorCode.NO_DIRECT_PATH, reason))
            reason = "The other device did not reach this one."
            await bob.told(Asked("alice@home", "of alice@home"), Failed("alice@home", ErrorCode.NO_DIRECT_PATH, reason))

    run(scenario())


@pytest.mark.parametrize("bad", ["!", "\u202e", "bm9uc2Vuc2U="])
def test_a_certificate_that_is_none_is_told(bad: str) -> None:
    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            bob.is_asked(PrivateRequest(id="1", from_="alice@home", certificate=bad))
            bob.private.answer("alice", True)
            assert await bob.sends(PrivateAnswer) == PrivateAnswer(id="1", accepted=False)
            reason = "The other device sent a certificate that cannot be read."
            await bob.told(Asked("alice@home", "1"), Failed("alice@home", ErrorCode.NO_DIRECT_PATH, reason))
            mine = await alice.asks(bob)
            await alice.has_asked(bob)
            alice.private.handle(
                PrivateAnswered(id=mine.id, from_="bob@home", accepted=True, port=9, addresses=HERE, certificate=bad)
            )
            await alice.told(Failed("bob@home", ErrorCode.NO_DIRECT_PATH, reason))

    run(scenario())


def test_another_certificate_than_was_announced_is_refused() -> None:
    """The server, or who stands between, puts another in place of bob's.  Rows: X11 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob", "mallory", answer_s=0.3) as (alice, bob, mallory):
            bob.is_asked(await alice.asks(bob))
            await alice.has_asked(bob)
            await bob.told(Asked("alice@home", "of alice@home"))
            bob.private.answer("alice", True)
            of_mallory = await mallory.asks(bob)
            await bob.answers(alice, certificate=of_mallory.certificate)
            await bob.told(Failed("alice@home", ErrorCode.NO_DIRECT_PATH, "The other device did not reach this one."))
            assert [type(one) for one in alice.events] == [Failed]
            assert alice.private.sessions == []

    run(scenario())


def test_an_answer_that_came_too_late_listens_no_longer() -> None:
    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            bob.is_asked(await alice.asks(bob))
            await bob.told(Asked("alice@home", "of alice@home"))
            bob.private.answer("alice", True)
            answer = await bob.sends(PrivateAnswer)
            refusal = PrivateAnswerFailed(code=ErrorCode.UNKNOWN_REQUEST, reason="Too late.", tag=bob.last_tag())
            assert bob.private.handle(refusal)
            await bob.told(Failed("alice@home", ErrorCode.UNKNOWN_REQUEST, "Too late."))
            await bob.private.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", answer.port)

    run(scenario())


def test_a_session_that_broke_is_told_now_and_when_something_is_said() -> None:
    """Rows: T52 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            await meet(alice, bob)
            bob.private._open["alice@home"].abort()  # pyright: ignore[reportPrivateUsage]
            await alice.told(Closed("bob@home", False, ErrorCode.OFFLINE))
            for _ in range(2):
                with pytest.raises(PeerGone, match="bob@home is gone"):
                    alice.private.say("bob", "are you there?")
            await alice.asks(bob)
            with pytest.raises(NotOpen, match="Ask for one first"):
                alice.private.say("bob", "are you there?")

    run(scenario())


def test_a_second_device_of_theirs_takes_the_place_of_the_first() -> None:
    async def scenario() -> None:
        async with devices("alice", "bob", "bob") as (alice, laptop, phone):
            await meet(alice, laptop)
            alice.is_asked(await phone.asks(alice))
            await phone.has_asked(alice)
            await alice.told(Asked("bob@home", "of bob@home"))
            alice.private.answer("bob", True)
            await alice.answers(phone)
            await phone.told(Opened("alice@home"))
            await alice.told(Closed("bob@home", False, None), Opened("bob@home"))
            await laptop.told(Closed("alice@home", True, None))
            alice.private.say("bob", "which one are you?")
            await phone.told(Said("alice@home", "which one are you?"))

    run(scenario())


def test_who_talks_is_there_and_the_server_is_told_so() -> None:
    """Rows: T56 (partly)."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            await meet(alice, bob)
            assert PresenceSet() not in alice.sent
            for _ in range(10):
                alice.private.say("bob", "hi")
            assert alice.sent == [PresenceSet()]
            bob.private.stop("alice")
            assert bob.sent == [PresenceSet()]

    run(scenario())


def test_nobody_is_flooded() -> None:
    """A device that takes no more is not sent more, and who says more is told."""

    async def scenario() -> None:
        async with devices("alice", "bob") as (alice, bob):
            await meet(alice, bob)
            bob.private.pause()
            said = 0
            with suppress(CannotSay):
                while said < 4000:
                    alice.private.say("bob", "x" * MAX_TEXT)
                    said += 1
                    if said % 4 == 0:
                        await asyncio.sleep(0)
            with pytest.raises(CannotSay, match="Wait a little"):
                alice.private.say("bob", "more")
            bob.private.resume()
            bob.private.resume()
            await alice.private.room("bob")
            await bob.told(*[Said("alice@home", "x" * MAX_TEXT)] * said)

    run(scenario())


def test_importing_the_client_does_not_load_cryptography() -> None:
    """It takes a quarter of a second, and is needed when a link is made."""
    code = "import sys, veche.client, veche.client.private; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
