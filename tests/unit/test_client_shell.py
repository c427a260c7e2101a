"""The asyncio client against a scripted server on this machine: what the real one does only when something breaks."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from veche.client import (
    Arrived,
    CannotConnect,
    Client,
    ClientEnded,
    LinkLost,
    LoginRefused,
    NotVeche,
    Offline,
    Online,
    Place,
    RequestFailed,
)
from veche.client import client as shell
from veche.client.events import Unanswered
from veche.client.private import Asked
from veche.packets import ErrorCode
from veche.packets.contacts import FriendAnswer, Relation
from veche.packets.link import ServerHello
from veche.packets.message import Message
from veche.packets.private import PrivateRequest

HELLO = {
    "type": "HELLO",
    "version": 1,
    "server": "home",
    "software": "scripted",
    "federated": False,
    "registration": "open",
    "mechanisms": ["SCRAM-SHA-256", "TOKEN", "RESUME"],
    "features": [],
    "layer": 3,
    "limits": {"line_bytes": 65536, "text_chars": 16384, "history_page": 200, "unacknowledged": 10},
}
CONNECT_OK = {"type": "CONNECT-OK", "login": "alice@home", "device": "laptop", "resume": "r1"}


class Link:
    """One connection, as the scripted server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, *packets: dict[str, Any]) -> None:
        self._writer.writelines(json.dumps(packet).encode() + b"\r\n" for packet in packets)

    def raw(self, data: bytes) -> None:
        self._writer.write(data)

    async def drain(self) -> None:
        await self._writer.drain()

    async def hear(self) -> dict[str, Any]:
        line = await self._reader.readline()
        if not line:
            raise EOFError
        return json.loads(line)

    async def expect(self, name: str, **fields: Any) -> dict[str, Any]:
        packet = await self.hear()
        assert packet["type"] == name, packet
        assert all(packet.get(key) == value for key, value in fields.items()), packet
        return packet

    async def let_in(self, *missed: dict[str, Any], upto: int = 0) -> dict[str, Any]:
        """HELLO, login, snapshot, replay; returns the CONNECT."""
        await self.expect("HELLO")
        self.say(HELLO)
        connect = await self.expect("CONNECT")
        self.say(CONNECT_OK, {"type": "SNAPSHOT", "upto": upto}, *missed, {"type": "REPLAY-END", "upto": upto})
        return connect

    async def expect_goodbye(self) -> None:
        """The client leaves; what it acknowledges before that is another test's."""
        while (packet := await self.hear())["type"] == "MESSAGE-DELIVERED":
            pass
        assert packet["type"] == "GOODBYE", packet

    def close(self) -> None:
        self._writer.close()


Script = Callable[[Link], Awaitable[None]]


@asynccontextmanager
async def scripted(*scripts: Script, then: Script | None = None) -> AsyncGenerator[int]:
    """A server that plays one script for each connection, in turn, and `then` for all further ones.

    None of them may fail.
    """
    left = list(scripts)
    failures: list[BaseException] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        link = Link(reader, writer)
        try:
            script = left.pop(0) if left else then
            assert script is not None, "the client connected too often"
            await script(link)
        except (EOFError, ConnectionError):
            pass
        except BaseException as error:
            failures.append(error)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    for writer in writers:
        with suppress(ConnectionError):
            await writer.wait_closed()
    if failures:
        raise failures[0]
    assert not left, "the client did not connect often enough"


def run(work: Coroutine[Any, Any, None]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(20):
            await work

    asyncio.run(timed(), debug=True)


def client_of(port: int, **options: Any) -> Client:
    options.setdefault("token", "t")
    return Client("127.0.0.1", port, "alice", tls=False, **options)


def message(entry_id: int, text: str = "hi") -> dict[str, Any]:
    return {
        **{"type": "MESSAGE", "id": entry_id, "seq": entry_id, "from": "bob@home", "to": "alice@home"},
        **{"at": "2026-01-01T00:00:00Z", "text": text},
    }


def stored(packet: dict[str, Any], entry_id: int) -> dict[str, Any]:
    at = "2026-01-01T00:00:00Z"
    return {"type": "MESSAGE-SENT", "id": entry_id, "seq": entry_id, "at": at, "cookie": packet["cookie"]}


async def until(client: Client, kind: type[Any]) -> Any:
    while not isinstance(event := await client.next_event(), kind):
        assert event is not None
    return event


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts are for the core's tests."""
    monkeypatch.setattr("veche.client.core.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("veche.client.core.LONGEST_PAUSE_S", 0.02)


def test_a_message_is_delivered_once_whatever_happens_to_the_link() -> None:
    """Rows: M13, M19."""

    async def work() -> None:
        cookies: list[str] = []

        async def breaks(link: Link) -> None:
            await link.let_in()
            cookies.append((await link.expect("MESSAGE", text="hi"))["cookie"])
            link.close()

        async def answers(link: Link) -> None:
            connect = await link.let_in()
            assert connect["mechanism"] == "RESUME"
            again = await link.expect("MESSAGE", text="hi")
            cookies.append(again["cookie"])
            link.say(stored(again, 7))
            await link.expect("GOODBYE")

        async with scripted(breaks, answers) as port, client_of(port) as client:
            assert (await client.send("bob", "hi")).id == 7
        assert cookies[0] == cookies[1]

    run(work())


def test_an_event_is_acknowledged_when_the_next_one_is_asked_for() -> None:
    """Rows: T29 (partly)."""

    async def work() -> None:
        async def serve(link: Link) -> None:
            await link.let_in(message(1), message(2), message(3), upto=3)
            await link.expect("MESSAGE-DELIVERED", id=1)
            await link.expect("MESSAGE-DELIVERED", id=2)
            await link.expect("GOODBYE")

        async with scripted(serve) as port:
            client = client_of(port)
            await client.connect()
            await client.login()
            assert (await until(client, Message)).id == 1
            assert (await client.next_event()).id == 2  # type: ignore[union-attr]
            for _ in range(5):
                await asyncio.sleep(0)
            assert (await client.next_event()).id == 3  # type: ignore[union-attr]
            for _ in range(5):
                await asyncio.sleep(0)
            await client.close(handled=False)
            assert client.place.cursor == 2

    run(work())


def test_a_batch_is_acknowledged_as_one() -> None:
    async def work() -> None:
        async def serve(link: Link) -> None:
            await link.let_in(*(message(i + 1) for i in range(100)), upto=100)
            await link.expect("MESSAGE-DELIVERED", id=100)
            await link.expect("GOODBYE")

        async with scripted(serve) as port, client_of(port, everything=True) as client:
            seen = 0
            async for batch in client.batches():
                seen += sum(isinstance(item, Arrived) and isinstance(item.packet, Message) for item in batch)
                if seen == 100:
                    break

    run(work())


def test_what_was_handled_is_kept_and_the_next_run_goes_on_from_there() -> None:
    async def work() -> None:
        kept: list[Place] = []

        async def first(link: Link) -> None:
            await link.let_in(message(1), upto=1)
            await link.expect("MESSAGE-DELIVERED", id=1)
            await link.expect("GOODBYE")

        async def second(link: Link) -> None:
            connect = await link.let_in(message(1), message(2), upto=2)
            assert (connect["token"], connect["cursor"], connect["device"]) == ("r1", 1, "laptop")
            await link.expect_goodbye()

        async with scripted(first, second) as port:
            async with client_of(port, keep=kept.append) as client:
                await until(client, Message)
            assert kept[-1] == Place("laptop", "r1", 1)
            async with client_of(port, token=None, place=kept[-1]) as client:
                assert (await until(client, Message)).id == 2

    run(work())


def test_a_slow_consumer_loses_nothing_and_holds_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an answer is awaited the link is read whatever waits; what is too much comes again later."""
    monkeypatch.setattr(shell, "OVERFLOW_BYTES", 20_000)
    monkeypatch.setattr(shell, "HIGH_BYTES", 10_000)
    monkeypatch.setattr(shell, "LOW_BYTES", 5_000)

    async def work() -> None:
        total = 1000

        async def flood(link: Link) -> None:
            await link.let_in()
            link.say(*(message(i + 1, "x" * 100) for i in range(total)))
            while True:
                packet = await link.hear()
                if packet["type"] == "MESSAGE":
                    link.say(stored(packet, 5000))

        async def rest(link: Link) -> None:
            await link.expect("HELLO")
            link.say(HELLO)
            cursor = (await link.expect("CONNECT"))["cursor"]
            assert 0 < cursor < total
            link.say(CONNECT_OK, {"type": "SNAPSHOT", "upto": total})
            link.say(*(message(i + 1, "x" * 100) for i in range(cursor, total)))
            while True:
                await link.hear()

        async with scripted(flood, rest, then=rest) as port, client_of(port) as client:
            ids: list[int] = []
            while len(ids) < total:
                event = await until(client, Message)
                ids.append(event.id)
                if len(ids) == 1:
                    await client.send("bob", "an answer from behind the flood")
            assert ids == list(range(1, total + 1))

    run(work())


def test_requests_are_refused_with_code_and_reason() -> None:
    """Rows: M15, T27 (partly)."""

    async def work() -> None:
        async def serve(link: Link) -> None:
            await link.let_in()
            sent = await link.expect("MESSAGE")
            link.say({"type": "MESSAGE-SEND-FAILED", "code": "unknown-user", "reason": "No.", "cookie": sent["cookie"]})
            asked = await link.expect("HISTORY-GET")
            link.say(
                {"type": "HISTORY-GET-FAILED", "code": "try-again-later", "retry_after_s": 2.5, "tag": asked["tag"]}
            )
            asked = await link.expect("SEARCH")
            link.say({"type": "ERROR-NOT-IMPLEMENTED", "request_type": "SEARCH", "tag": asked["tag"]})
            asked = await link.expect("SESSIONS-GET")
            link.say({"type": "ERROR", "code": "not-logged-in", "reason": "", "tag": asked["tag"]})
            await link.expect("GOODBYE")

        async with scripted(serve) as port, client_of(port) as client:
            with pytest.raises(RequestFailed, match=r"No\.") as caught:
                await client.send("nobody", "hi")
            assert caught.value.code == ErrorCode.UNKNOWN_USER
            with pytest.raises(RequestFailed) as caught:
                await client.history("bob")
            assert (caught.value.code, caught.value.retry_after_s) == (ErrorCode.TRY_AGAIN_LATER, 2.5)
            with pytest.raises(RequestFailed) as caught:
                await client.search("bob", "x")
            assert caught.value.code == ErrorCode.NOT_IMPLEMENTED
            with pytest.raises(RequestFailed, match="Log in first"):
                await client.sessions()
            with pytest.raises(RequestFailed) as caught:
                await client.send("bob", "x" * 20_000)
            assert caught.value.code == ErrorCode.TOO_LARGE

    run(work())


def test_a_request_that_may_have_been_done_is_not_repeated() -> None:
    async def work() -> None:
        async def breaks(link: Link) -> None:
            await link.let_in()
            await link.expect("TOKEN-CREATE")
            link.close()

        async def again(link: Link) -> None:
            await link.let_in()
            await link.expect("TOKEN-LIST")
            raise EOFError

        async def last(link: Link) -> None:
            await link.let_in()
            asked = await link.expect("TOKEN-LIST")
            link.say({"type": "TOKEN-LIST-OK", "tokens": [], "tag": asked["tag"]})
            await link.expect("GOODBYE")

        async with scripted(breaks, again, last) as port, client_of(port) as client:
            with pytest.raises(LinkLost):
                await client.create_token("bot")
            assert await client.tokens() == []

    run(work())


def test_a_posted_request_that_may_have_been_done_is_told_of() -> None:
    """Rows: A21 (partly)."""

    async def work() -> None:
        async def breaks(link: Link) -> None:
            await link.let_in()
            await link.expect("FRIEND-ANSWER")
            link.close()

        async def goes_on(link: Link) -> None:
            await link.let_in()
            await link.expect("GOODBYE")

        async with scripted(breaks, goes_on) as port, client_of(port, everything=True) as client:
            client.post(FriendAnswer(login="bob", accepted=True))
            told: list[Any] = []
            async for batch in client.batches():
                told += batch
                if sum(isinstance(item, Online) for item in told) == 2:
                    break
            (unanswered,) = [item for item in told if isinstance(item, Unanswered)]
            assert isinstance(unanswered.request, FriendAnswer)

    run(work())


def test_a_request_that_was_given_up_before_it_was_sent_is_not_sent() -> None:
    async def work() -> None:
        gone = asyncio.Event()

        async def breaks(link: Link) -> None:
            await link.let_in()

        async def late(link: Link) -> None:
            await gone.wait()
            await link.let_in()
            await link.expect("MESSAGE", text="second")
            await link.expect("GOODBYE")

        async with scripted(breaks, late) as port, client_of(port) as client:
            await until(client, Offline)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.send("bob", "first")
            client.post(shell_message("second"))
            gone.set()
            await until(client, Online)
            for _ in range(20):
                await asyncio.sleep(0)

    run(work())


def shell_message(text: str) -> Any:
    from veche.packets.message import MessageSend

    return MessageSend(to="bob", text=text)


@pytest.mark.parametrize("code", ["revoked", "replaced", "account-deleted"])
def test_the_end_of_a_session_ends_the_client(code: str) -> None:
    """Rows: X05 (partly)."""

    async def work() -> None:
        async def serve(link: Link) -> None:
            await link.let_in()
            await link.expect("HISTORY-GET")
            link.say({"type": "GOODBYE", "code": code, "reason": "Because."})
            link.close()

        async with scripted(serve) as port, client_of(port) as client:
            with pytest.raises(ClientEnded, match="Because") as caught:
                await client.history("bob")
            assert caught.value.code == code
            with pytest.raises(ClientEnded):
                async for _ in client.events():
                    pass
            with pytest.raises(ClientEnded):
                await client.send("bob", "hi")
            assert await client.settled(1.0) in (True, False)
            await client.room()

    run(work())


def test_the_server_stopping_is_survived() -> None:
    async def work() -> None:
        async def stops(link: Link) -> None:
            await link.let_in(message(1), upto=1)
            link.say({"type": "GOODBYE", "code": "shutting-down", "retry_after_s": 0.01})

        async def goes_on(link: Link) -> None:
            await link.let_in(message(2), upto=2)
            await link.expect_goodbye()

        async with scripted(stops, goes_on) as port, client_of(port) as client:
            seen: list[Any] = []
            async for event in client.events():
                seen.append(event)
                if isinstance(event, Message) and event.id == 2:
                    break
            kinds = [type(event) for event in seen if isinstance(event, Online | Offline | Message)]
            assert kinds == [Online, Message, Offline, Online, Message]

    run(work())


def test_what_is_no_veche_server_is_said() -> None:
    async def work() -> None:
        async def http(link: Link) -> None:
            await link.hear()
            link.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        async def closes(link: Link) -> None:
            await link.hear()

        async def speaks_another_version(link: Link) -> None:
            await link.hear()
            link.say({**HELLO, "version": 2})
            await link.hear()

        async with scripted(http, closes, speaks_another_version) as port:
            for kind, words in (
                (NotVeche, "is no Veche server"),
                (CannotConnect, "did not say HELLO"),
                (CannotConnect, "speaks version 2"),
            ):
                client = client_of(port)
                with pytest.raises(kind, match=words):
                    await client.connect()
                await client.close()

    run(work())


def test_a_refused_login_is_raised_and_may_be_tried_again_on_the_same_link() -> None:
    """Rows: A11, T09 (partly)."""

    async def work() -> None:
        async def serve(link: Link) -> None:
            await link.expect("HELLO")
            link.say(HELLO)
            await link.expect("CONNECT")
            link.say({"type": "CONNECT-FAILED", "code": "locked", "reason": "Wait.", "retry_after_s": 3.0})
            await link.expect("CONNECT")
            link.say(CONNECT_OK, {"type": "SNAPSHOT"}, {"type": "REPLAY-END", "upto": 0})
            await link.expect("GOODBYE")

        async with scripted(serve) as port:
            client = client_of(port)
            hello = await client.connect()
            assert isinstance(hello, ServerHello)
            with pytest.raises(LoginRefused) as caught:
                await client.login()
            assert (caught.value.code, caught.value.retry_after_s) == (ErrorCode.LOCKED, 3.0)
            await client.login()
            assert client.address == "alice@home"
            await client.close()

    run(work())


def test_a_link_that_breaks_during_the_login_is_an_error_not_a_wait() -> None:
    async def work() -> None:
        async def breaks(link: Link) -> None:
            await link.expect("HELLO")
            link.say(HELLO)
            await link.expect("CONNECT")

        async with scripted(breaks) as port:
            client = client_of(port)
            await client.connect()
            with pytest.raises(CannotConnect, match="was lost"):
                await client.login()
            await client.close()

    run(work())


def test_closing_waits_for_the_server_so_that_nothing_sent_is_lost() -> None:
    async def work() -> None:
        heard: list[str] = []

        async def serve(link: Link) -> None:
            await link.let_in()
            link.say(*(message(i + 1, "x" * 1000) for i in range(200)))  # unread when the client closes
            while True:
                heard.append((await link.hear())["type"])
                if heard[-1] == "GOODBYE":
                    link.say({"type": "GOODBYE", "code": "logged-out"})
                    return

        async with scripted(serve) as port:
            client = client_of(port)
            await client.connect()
            await client.login()
            client.post(shell_message("last words"))
            await asyncio.sleep(0.01)
            await client.close()
            await client.close()
        assert "MESSAGE" in heard
        assert heard[-1] == "GOODBYE"

    run(work())


def test_a_line_beyond_all_measure_is_a_lost_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veche.net.dial.ANSWER_BYTES", 4096)

    async def work() -> None:
        async def serve(link: Link) -> None:
            await link.let_in()
            link.raw(b"x" * 10_000)
            await link.drain()
            await link.hear()

        async def again(link: Link) -> None:
            await link.let_in()
            await link.expect("GOODBYE")

        async with scripted(serve, again) as port, client_of(port) as client:
            lost = await until(client, Offline)
            assert "longer than any packet" in lost.reason
            await until(client, Online)

    run(work())


def test_every_request_about_people_is_answered_in_its_own_way() -> None:
    """Rows: A15 (partly), M28 (partly), M31 (partly), M32 (partly), M45 (partly), T22 (partly), T30 (partly)."""

    async def work() -> None:
        asked: list[dict[str, Any]] = []
        answers: dict[str, dict[str, Any]] = {
            "FRIEND-REQUEST": {"type": "FRIEND-REQUEST-OK", "login": "bob@home", "relation": "outgoing"},
            "FRIEND-ANSWER": {"type": "FRIEND-ANSWER-OK", "login": "bob@home", "accepted": True},
            **{
                f"FRIEND-{verb}": {"type": f"FRIEND-{verb}-OK", "login": "bob@home"}
                for verb in ("IGNORE", "CANCEL", "REMOVE")
            },
            "CONTACTS-GET": {"type": "CONTACTS-GET-RESPONSE", "contacts": [{"id": "bob@home", "name": "bob"}]},
            "CONTACTS-ADD": {"type": "CONTACTS-ADD-OK", "id": "bob@home", "relation": "outgoing"},
            "CONTACTS-CHANGE": {"type": "CONTACTS-CHANGE-OK", "id": "bob@home"},
            "CONTACTS-DELETE": {"type": "CONTACTS-DELETE-OK", "id": "bob@home"},
            "PROFILE-GET": {"type": "PROFILE-GET-OK", "id": "bob@home", "name": "Robert"},
            "PROFILE-UPDATE": {"type": "PROFILE-UPDATE-OK", "note": "here"},
            "WHOELSE": {"type": "WHOELSE-OK", "users": ["bob@home"]},
            "WHOELSESINCE": {"type": "WHOELSESINCE-OK", "users": []},
            "BROADCAST": {"type": "BROADCAST-OK"},
        }

        async def serve(link: Link) -> None:
            await link.let_in()
            while (packet := await link.hear())["type"] != "GOODBYE":
                asked.append(packet)
                if packet["type"] in answers:
                    link.say({**answers[packet["type"]], "tag": packet["tag"]})

        async with scripted(serve) as port, client_of(port) as client:
            assert (await client.friend_request("bob")).relation is Relation.OUTGOING
            await client.friend_answer("bob", accepted=True)
            await client.friend_ignore("bob")
            await client.friend_cancel("bob")
            await client.friend_remove("bob")
            assert [one.id for one in await client.contacts()] == ["bob@home"]
            assert (await client.contacts_add("bob", group="a/b")).id == "bob@home"
            await client.contacts_change("bob", name="", memo="x")
            await client.contacts_delete("bob")
            assert (await client.profile("bob")).name == "Robert"
            assert (await client.update_profile(note="here", avatar=b"\x89PNG")).note == "here"
            client.set_away(True)
            assert await client.who_else() == ["bob@home"]
            assert await client.who_else_since(300) == []
            assert not (await client.broadcast("hi")).skipped
        said = {
            one["type"]: {name: value for name, value in one.items() if name not in ("type", "tag")} for one in asked
        }
        assert list(said) == [*list(answers)[:11], "PRESENCE", *list(answers)[11:]]
        assert said["CONTACTS-CHANGE"] == {"id": "bob", "name": "", "memo": "x"}
        assert said["PROFILE-UPDATE"] == {"note": "here", "avatar": "iVBORw=="}
        assert said["PRESENCE"] == {"away": True}

    run(work())


def test_a_known_device_waits_for_its_server() -> None:
    """Rows: M37 (partly)."""

    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        client = client_of(port, token=None, place=Place("laptop", "r0", 0))
        with pytest.raises(CannotConnect) as refused:
            await client.connect()
        client.persist(str(refused.value))
        assert await until(client, Offline)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            link = Link(reader, writer)
            assert (await link.let_in())["token"] == "r0"
            with suppress(EOFError):
                await link.expect_goodbye()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", port):
            assert await until(client, Online) == Online("alice@home", "laptop")
            await client.close()

    run(work())


def test_what_the_server_says_of_private_sessions_comes_before_what_follows_from_it() -> None:
    """Rows: T42 (partly)."""

    async def work() -> None:
        async def serve(link: Link) -> None:
            await link.let_in()
            link.say({"type": "PRIVATE-REQUEST", "id": "p1", "from": "bob@home", "certificate": "x"})
            await link.expect("GOODBYE")

        seen: list[Any] = []
        async with scripted(serve) as port, client_of(port, everything=True) as client:
            async for batch in client.batches():
                seen += batch
                if any(isinstance(item, Asked) for item in batch):
                    break
        assert isinstance(seen[-2], Arrived)
        assert type(seen[-2].packet) is PrivateRequest
        assert seen[-1] == Asked("bob@home", "p1")

    run(work())


def test_full_addresses_are_written_as_the_server_writes_them() -> None:
    async def work() -> None:
        async def serve(link: Link) -> None:
            await link.let_in(message(4), upto=4)
            await link.expect("MESSAGE-DELIVERED")
            await link.expect("MESSAGE-READ", id=4)
            await link.expect("GOODBYE")

        async with scripted(serve) as port, client_of(port) as client:
            await until(client, Message)
            assert client.full_address("bob") == "bob@home"
            assert client.full_address("Bob@HOME") == "bob@home", "in the community profile case makes no difference"
            assert client.full_address("no login") == "no login"
            assert client.last_id("bob") == 4
            await client.next_event()
            await asyncio.sleep(0.01)
            assert client.read("bob")
            assert not client.read("carol")
            await asyncio.sleep(0.01)

    run(work())
