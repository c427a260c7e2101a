"""One device across its links, without any: lines and the time in, lines and events out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from veche.client.core import LONGEST_PAUSE_S, SILENCE_S, Core, Phase
from veche.client.events import (
    Arrived,
    Challenged,
    CoreEvent,
    Credentials,
    DialDue,
    LoggedIn,
    Lost,
    NotAPacket,
    Place,
    Refused,
    Unanswered,
)
from veche.core.scram import ServerScram, Verifier, make_verifier
from veche.packets import ErrorCode, Packet
from veche.packets.account import (
    Connect,
    ConnectAck,
    ConnectContinue,
    ConnectFailed,
    ConnectOk,
    PasswordChange,
    PasswordChangeOk,
    Register,
    RegisterOk,
)
from veche.packets.broadcast import BroadcastSend
from veche.packets.codec import JsonCodec
from veche.packets.contacts import ContactsGet, FriendAnswer
from veche.packets.link import (
    ClientHello,
    Error,
    ErrorNotImplemented,
    Goodbye,
    Limits,
    Ping,
    Pong,
    ServerHello,
)
from veche.packets.message import (
    Edit,
    HistoryGet,
    HistoryGetOk,
    Message,
    MessageDeliveredUpTo,
    MessageSend,
    MessageSendFailed,
    MessageSent,
    ReplayEnd,
    Snapshot,
    TypingStartedTo,
)
from veche.packets.presence import PresenceSet, WhoElse

CODEC = JsonCodec()
VERIFIER: Verifier = make_verifier("secret", b"0123456789abcdef", 4096)


class Server:
    """The other end of a core: what it was sent, as packets, and what it answers, as lines."""

    def __init__(self, **settings: Any) -> None:
        self.now = 1000.0
        settings.setdefault("chance", lambda: 1.0)
        self.core = Core(run="run", client="test", nonce=lambda: "clientnonce", **settings)

    def link(self, binding: bytes | None = None) -> Server:
        self.core.link_made(self.now, binding)
        assert isinstance(self.sent()[0], ClientHello)
        return self

    def hello(self, window: int = 3, plus: bool = False, **limits: int) -> Server:
        mechanisms = ["SCRAM-SHA-256", "TOKEN", "RESUME"]
        self.say(
            ServerHello(
                version=1,
                server="home",
                software="test",
                federated=False,
                registration="open",
                mechanisms=(["SCRAM-SHA-256-PLUS"] if plus else []) + mechanisms,
                features=[],
                layer=3,
                limits=Limits(
                    **{
                        "line_bytes": 65536,
                        "text_chars": 16384,
                        "history_page": 200,
                        "unacknowledged": window,
                        **limits,
                    }
                ),
            )
        )
        return self

    def welcome(self, upto: int = 0, **fields: Any) -> Server:
        self.say(ConnectOk(login="alice@home", device="laptop", resume="r1", **fields))
        self.say(Snapshot(upto=upto))
        return self

    def online(self, window: int = 3, upto: int = 0) -> Server:
        """A device that is logged in by an access token, its first packets out of the way."""
        self.link().hello(window)
        self.core.login(Credentials(token="t"), self.now)
        self.sent()
        self.welcome(upto)
        self.sent()
        self.events()
        return self

    def say(self, *packets: Packet) -> None:
        for packet in packets:
            self.core.receive_line(CODEC.encode(packet).rstrip(b"\n"), self.now)

    def sent(self) -> list[Packet]:
        return [CODEC.decode_client(line) for line in self.core.lines_to_send()]

    def events(self) -> list[CoreEvent]:
        return list(self.core.events())

    def wait(self, seconds: float) -> list[CoreEvent]:
        self.now += seconds
        self.core.handle_timer(self.now)
        return self.events()


def message(entry_id: int, text: str = "hi") -> Message:
    return Message(id=entry_id, seq=entry_id, from_="bob@home", to="alice@home", at="2026-01-01T00:00:00Z", text=text)


def sent(entry_id: int, cookie: str) -> MessageSent:
    return MessageSent(id=entry_id, seq=entry_id, at="2026-01-01T00:00:00Z", cookie=cookie)


def arrived(events: list[CoreEvent]) -> Iterator[Any]:
    return (event.packet for event in events if isinstance(event, Arrived))


# -- logging in


@pytest.mark.parametrize(
    ("plus", "binding"), [(True, b"certificate hash"), (False, b"hash"), (False, None), (True, None)]
)
def test_a_password_is_proved_by_the_strongest_scram_that_both_ends_have(plus: bool, binding: bytes | None) -> None:
    """Rows: M04, M05, M06, M07, M08, M09, X03."""
    server = Server()
    server.core.login(Credentials("alice", "secret"), server.now)
    server.link(binding).hello(plus=plus)
    (connect,) = server.sent()
    assert isinstance(connect, Connect)
    assert connect.mechanism == ("SCRAM-SHA-256-PLUS" if plus and binding else "SCRAM-SHA-256")
    scram = ServerScram(
        connect.mechanism,
        connect.message or "",
        "alice",
        VERIFIER,
        "servernonce",
        binding=binding,
        offered_plus=plus and binding is not None,
    )
    server.say(ConnectAck(salt=scram.salt_b64, iterations=scram.iterations, nonce=scram.nonce))
    (challenge,) = [event for event in server.events() if isinstance(event, Challenged)]
    server.core.prove(challenge.scram.answer(challenge.salt, challenge.iterations, challenge.nonce))
    (proof,) = server.sent()
    assert isinstance(proof, ConnectContinue)
    server.welcome(signature=scram.finish(proof.hash))
    assert any(isinstance(event, LoggedIn) for event in server.events())
    assert server.core.phase == Phase.ONLINE
    assert server.core.address == "alice@home"


@pytest.mark.parametrize("signature", [None, "AAAA", "bm9ib2R5IGtub3dzIHRoaXMgdmVyaWZpZXIgaGVyZSEh"])
def test_a_server_that_does_not_know_the_verifier_is_left(signature: str | None) -> None:
    """Rows: X03."""
    server = Server()
    server.core.login(Credentials("alice", "secret"), server.now)
    server.link().hello()
    (connect,) = server.sent()
    assert isinstance(connect, Connect)
    scram = ServerScram(
        connect.mechanism, connect.message or "", "alice", VERIFIER, "n", binding=None, offered_plus=False
    )
    server.say(ConnectAck(salt=scram.salt_b64, iterations=scram.iterations, nonce=scram.nonce))
    (challenge,) = [event for event in server.events() if isinstance(event, Challenged)]
    server.core.prove(challenge.scram.answer(challenge.salt, challenge.iterations, challenge.nonce))
    server.welcome(signature=signature)
    events = server.events()
    assert [type(event) for event in events] == [Refused, Lost]
    assert server.core.is_final
    assert server.core.phase == Phase.NO_LINK


def test_a_resumption_token_is_used_first_and_the_password_when_it_is_void() -> None:
    server = Server(place=Place("laptop", "old", 7))
    server.core.login(Credentials("alice", "secret"), server.now)
    server.link().hello()
    (connect,) = server.sent()
    assert isinstance(connect, Connect)
    assert (connect.mechanism, connect.token, connect.cursor) == ("RESUME", "old", 7)
    server.say(ConnectFailed(code=ErrorCode.WRONG_CREDENTIALS))
    (connect,) = server.sent()
    assert isinstance(connect, Connect)
    assert connect.mechanism == "SCRAM-SHA-256"
    assert connect.device == "laptop"
    assert connect.cursor is None, "a server that does not know the session does not know what our cursor means"
    assert not any(isinstance(event, Refused) for event in server.events())


def test_a_locked_resumption_keeps_its_token() -> None:
    server = Server(place=Place("laptop", "old", 7))
    server.core.login(Credentials("alice"), server.now)
    server.link().hello()
    server.say(ConnectFailed(code=ErrorCode.LOCKED, retry_after_s=9.0))
    (refused,) = [event for event in server.events() if isinstance(event, Refused)]
    assert (refused.code, refused.retry_after_s) == (ErrorCode.LOCKED, 9.0)
    assert server.core.place.resume == "old"


def test_a_resumption_token_is_not_shown_to_a_server_that_is_not_trusted() -> None:
    server = Server(place=Place("laptop", "old", 7), may_resume=False)
    server.core.login(Credentials("alice", "secret"), server.now)
    server.link().hello()
    (connect,) = server.sent()
    assert isinstance(connect, Connect)
    assert connect.token is None


def test_a_refused_login_leaves_the_link_for_another_try() -> None:
    server = Server()
    server.core.login(Credentials("alice", "wrong"), server.now)
    server.link().hello()
    server.say(ConnectFailed(code=ErrorCode.WRONG_CREDENTIALS, reason="no"))
    assert Refused(ErrorCode.WRONG_CREDENTIALS, "no") in server.events()
    server.core.login(Credentials("alice", "secret"), server.now)
    assert isinstance(server.sent()[-1], Connect)


def test_registering_comes_before_the_login() -> None:
    """Rows: M24, M26."""
    server = Server().link().hello()
    key = server.core.submit(Register(login="alice", password="secret"))
    assert [type(packet) for packet in server.sent()] == [Register]
    server.say(RegisterOk(login="alice@home", tag=key))
    assert server.events()[-1][2] == key  # type: ignore[misc]
    server.core.login(Credentials("alice", "secret"), server.now)
    assert isinstance(server.sent()[0], Connect)


def test_nothing_but_hello_is_sent_before_the_server_says_hello() -> None:
    server = Server()
    server.core.login(Credentials("alice", "secret"), server.now)
    server.core.submit(MessageSend(to="bob", text="hi"))
    server.link()
    assert server.sent() == []
    assert server.wait(20.0)[0] == Lost(None, "The server does not answer.", None)


def test_what_does_not_speak_packets_is_no_server() -> None:
    server = Server().link()
    server.core.receive_line(b"HTTP/1.1 400 Bad Request\r", server.now)
    (lost,) = server.events()
    assert isinstance(lost, Lost)
    assert lost.retry_in_s is None


def test_a_server_that_wants_tls_says_so_before_hello() -> None:
    """Rows: A08 (partly)."""
    server = Server().link()
    server.say(Error(code=ErrorCode.TLS_REQUIRED, reason="Connect with TLS."))
    assert server.events()[-1] == Lost(ErrorCode.TLS_REQUIRED, "Connect with TLS.", None)


# -- requests


def test_requests_wait_for_the_login_and_go_out_in_their_order() -> None:
    server = Server()
    server.core.submit(MessageSend(to="bob", text="one"))
    server.core.submit(HistoryGet(peer="bob"))
    server.core.submit(MessageSend(to="bob", text="two"))
    server.online()
    server.core.link_lost(server.now, "test")
    server.wait(60.0)
    server.link().hello().welcome()
    packets = server.sent()
    assert [type(packet) for packet in packets if not isinstance(packet, Connect)] == [
        MessageSend,
        HistoryGet,
        MessageSend,
    ]


def test_cookies_are_of_the_run_and_ascend() -> None:
    """Rows: M19."""
    server = Server().online()
    keys = [server.core.submit(MessageSend(to="bob", text="hi")) for _ in range(3)]
    assert keys == ["run-1", "run-2", "run-3"]
    assert [packet.cookie for packet in server.sent() if isinstance(packet, MessageSend)] == keys


def test_an_answer_carries_its_request() -> None:
    server = Server().online()
    key = server.core.submit(MessageSend(to="bob", text="hi"))
    server.sent()
    server.say(sent(5, key))
    (event,) = server.events()
    assert isinstance(event, Arrived)
    assert event.key == key
    assert isinstance(event.request, MessageSend)
    assert server.core.outbox.unfinished == 0


def test_unanswered_messages_are_sent_again_under_their_old_cookies() -> None:
    """Rows: M13, M19."""
    server = Server().online()
    keys = [server.core.submit(MessageSend(to="bob", text=str(i))) for i in range(5)]
    assert len(server.sent()) == 3, "the window"
    server.say(sent(1, keys[0]))
    assert [packet.cookie for packet in server.sent() if isinstance(packet, MessageSend)] == [keys[3]]
    server.core.link_lost(server.now, "test")
    assert isinstance(server.events()[-1], Lost)
    assert server.wait(60.0) == [DialDue()]
    server.link().hello().welcome()
    again = [packet for packet in server.sent() if isinstance(packet, MessageSend)]
    assert [packet.cookie for packet in again] == keys[1:4]
    assert [packet.text for packet in again] == ["1", "2", "3"]
    server.say(*(sent(i + 2, key) for i, key in enumerate(keys[1:4])))
    assert [packet.cookie for packet in server.sent() if isinstance(packet, MessageSend)] == [keys[4]]


def test_a_refused_message_is_answered_and_not_sent_again() -> None:
    """Rows: M15."""
    server = Server().online()
    key = server.core.submit(MessageSend(to="nobody", text="hi"))
    server.sent()
    server.say(MessageSendFailed(code=ErrorCode.UNKNOWN_USER, cookie=key))
    (event,) = server.events()
    assert isinstance(event, Arrived)
    assert event.key == key
    assert server.core.outbox.unfinished == 0


def test_a_lost_link_ends_only_what_cannot_be_repeated() -> None:
    server = Server().online()
    server.core.submit(HistoryGet(peer="bob"))
    key = server.core.submit(PasswordChange(old_password="a", password="b"))
    server.sent()
    server.core.link_lost(server.now, "test")
    events = server.events()
    assert [event.key for event in events if isinstance(event, Unanswered)] == [key]
    server.wait(60.0)
    server.link().hello().welcome()
    assert any(isinstance(packet, HistoryGet) for packet in server.sent())


def test_typing_is_not_told_later() -> None:
    server = Server()
    server.core.submit(TypingStartedTo(to="bob"))
    server.online()
    assert server.sent() == []
    server.core.submit(TypingStartedTo(to="bob"))
    assert server.sent() == [TypingStartedTo(to="bob")]
    assert server.core.outbox.unfinished == 0


def test_that_somebody_was_away_is_not_told_later() -> None:
    server = Server()
    server.core.submit(PresenceSet(away=True))
    server.online()
    assert server.sent() == []
    server.core.submit(PresenceSet(away=True))
    assert server.sent() == [PresenceSet(away=True)]
    assert server.core.outbox.unfinished == 0


def test_what_changes_a_relation_is_asked_once_and_what_asks_again() -> None:
    server = Server().online(window=9)
    for packet in (FriendAnswer(login="bob", accepted=True), BroadcastSend(text="hi"), ContactsGet(), WhoElse()):
        server.core.submit(packet)
    server.sent()
    server.core.link_lost(server.now, "test")
    ended = [event.request for event in server.events() if isinstance(event, Unanswered)]
    assert [type(one) for one in ended] == [FriendAnswer, BroadcastSend]
    server.wait(60.0)
    server.link().hello().welcome()
    assert [type(one) for one in server.sent()][-2:] == [ContactsGet, WhoElse]


@pytest.mark.parametrize(
    "packet",
    [
        MessageSend(to="bob", text="x" * 16_385),
        MessageSend(to="bob", text="\U0001f600" * 16_384),
        MessageSend(to="bob", text="lone \ud800 surrogate"),
        MessageSend(to="", text="hi"),
        MessageSend(to="b" * 256, text="hi"),
        HistoryGet(peer="bob", limit=0),
        Edit(id=-1, text="x"),
        Edit(id=2**53, text="x"),
    ],
)
def test_what_the_server_would_refuse_for_its_shape_is_not_sent(packet: Packet) -> None:
    server = Server().online()
    with pytest.raises(NotAPacket):
        server.core.submit(packet)
    assert server.sent() == []
    assert server.core.outbox.unfinished == 0


def test_the_limits_are_those_of_hello() -> None:
    server = Server().link().hello(text_chars=5)
    with pytest.raises(NotAPacket, match="longer than 5"):
        server.core.submit(MessageSend(to="bob", text="123456"))


def test_an_answer_that_cannot_be_read_still_ends_the_request() -> None:
    server = Server().online()
    key = server.core.submit(HistoryGet(peer="bob"))
    server.sent()
    server.core.receive_line(
        b'{"type":"HISTORY-GET-FAILED","code":"from-the-future","tag":"%s"}' % key.encode(), server.now
    )
    (event,) = server.events()
    assert isinstance(event, Arrived)
    assert (event.packet, event.key) == (None, key)


def test_a_packet_of_an_unknown_type_is_passed_on_unread() -> None:
    server = Server().online()
    server.core.receive_line(b'{"type":"FROM-THE-FUTURE","x":1}\r', server.now)
    (event,) = server.events()
    assert isinstance(event, Arrived)
    assert event.packet is None
    assert server.core.phase == Phase.ONLINE


def test_not_implemented_without_a_tag_answers_the_oldest_request_of_its_type() -> None:
    server = Server().online()
    key = server.core.submit(MessageSend(to="bob", text="hi"))
    server.sent()
    server.say(ErrorNotImplemented(request_type="MESSAGE"))
    (event,) = server.events()
    assert isinstance(event, Arrived)
    assert event.key == key


def test_a_request_can_be_taken_back_until_it_is_sent() -> None:
    server = Server().online(window=1)
    first, second = (server.core.submit(MessageSend(to="bob", text=text)) for text in "ab")
    server.sent()
    assert not server.core.outbox.forget(first)
    assert server.core.outbox.forget(second)
    server.say(sent(1, first))
    assert server.sent() == []


def test_a_changed_password_brings_a_new_resumption_token() -> None:
    server = Server().online()
    key = server.core.submit(PasswordChange(old_password="a", password="b"))
    server.sent()
    server.say(PasswordChangeOk(resume="r2", tag=key))
    assert server.core.place.resume == "r2"


# -- what arrives


def test_a_repeated_entry_is_dropped() -> None:
    server = Server().online()
    server.say(message(1), message(2), message(2), message(1), message(3))
    assert [packet.id for packet in arrived(server.events())] == [1, 2, 3]


def test_what_was_handled_is_acknowledged_once_and_is_the_next_cursor() -> None:
    server = Server().online()
    server.say(message(1), message(2), message(3))
    server.core.handled(1)
    server.core.handled(2)
    assert server.sent() == [MessageDeliveredUpTo(id=2)]
    assert server.sent() == []
    assert server.core.place.cursor == 2
    server.core.link_lost(server.now, "test")
    server.events()
    server.wait(60.0)
    server.link().hello()
    (connect,) = server.sent()
    assert isinstance(connect, Connect)
    assert (connect.mechanism, connect.token, connect.cursor) == ("RESUME", "r1", 2)
    server.welcome(upto=4)
    server.say(message(3), message(4), ReplayEnd(upto=4))
    assert [packet.id for packet in arrived(server.events()) if isinstance(packet, Message)] == [4], "3 waits already"


def test_the_end_of_a_replay_moves_the_cursor_over_what_was_ours() -> None:
    server = Server().online(upto=9)
    server.say(ReplayEnd(upto=9))
    server.core.handled(9)
    assert server.sent() == [MessageDeliveredUpTo(id=9)]


def test_a_cursor_beyond_the_end_of_a_restored_server_is_taken_back() -> None:
    server = Server(place=Place("laptop", "old", 500)).online(upto=20)
    assert server.core.place.cursor == 20
    server.say(message(21))
    assert [packet.id for packet in arrived(server.events())] == [21]


def test_a_later_snapshot_takes_nothing_back() -> None:
    server = Server().online()
    server.say(message(5))
    server.core.handled(5)
    server.say(Snapshot(upto=3))
    assert server.core.place.cursor == 5


def test_what_a_slow_consumer_left_out_comes_again_on_the_next_link() -> None:
    server = Server().online()
    server.say(message(1), message(2), message(3))
    server.events()
    server.core.leave_out(3)
    server.say(message(4), ReplayEnd(upto=4))
    assert server.events() == []
    server.core.handled(2)
    server.core.link_lost(server.now, "behind")
    server.events()
    server.core.dial_at_once(server.now)
    assert server.wait(0.0) == [DialDue()]
    server.link().hello().welcome(upto=4)
    server.say(message(3), message(4))
    assert [packet.id for packet in arrived(server.events()) if isinstance(packet, Message)] == [3, 4]


# -- time


def test_a_ping_is_answered_and_not_shown() -> None:
    server = Server().online()
    server.say(Ping(tag="x"))
    assert server.events() == []
    assert server.sent() == [Pong(tag="x")]


def test_a_silent_server_is_asked_and_then_lost() -> None:
    server = Server().online()
    assert server.wait(SILENCE_S) == []
    assert server.sent() == [Ping()]
    server.say(Pong())
    assert server.wait(SILENCE_S - 1) == []
    assert server.sent() == []
    server.wait(1)
    assert server.sent() == [Ping()]
    (lost,) = server.wait(SILENCE_S)
    assert isinstance(lost, Lost)
    assert lost.retry_in_s is not None


def test_silence_means_nothing_while_nobody_reads() -> None:
    server = Server().online()
    server.core.pause()
    assert server.core.next_deadline() is None
    server.core.resume(server.now)
    assert server.core.next_deadline() == server.now + SILENCE_S


def test_the_pauses_between_attempts_grow_and_have_an_end() -> None:
    server = Server().online()
    server.core.link_lost(server.now, "test")
    pauses: list[float] = []
    for _ in range(12):
        (lost,) = server.events()
        assert isinstance(lost, Lost)
        assert lost.retry_in_s is not None
        pauses.append(lost.retry_in_s)
        assert server.wait(lost.retry_in_s) == [DialDue()]
        server.core.dial_failed(server.now, "test")
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == LONGEST_PAUSE_S


def test_a_link_that_held_makes_the_next_pause_short_again() -> None:
    server = Server().online()
    for _ in range(5):
        server.core.link_lost(server.now, "test")
        server.wait(60.0)
        server.link().hello().welcome()
    server.events()
    server.now += 11.0
    server.core.link_lost(server.now, "test")
    (lost,) = server.events()
    assert isinstance(lost, Lost)
    assert lost.retry_in_s == 0.5


def test_the_jitter_halves_a_pause_at_most() -> None:
    server = Server(chance=lambda: 0.0).online()
    server.core.link_lost(server.now, "test")
    (lost,) = server.events()
    assert isinstance(lost, Lost)
    assert lost.retry_in_s == 0.25


def test_a_server_that_stops_says_when_to_come_back() -> None:
    server = Server().online()
    server.say(Goodbye(code=ErrorCode.SHUTTING_DOWN, retry_after_s=5.0))
    lost = server.events()[-1]
    assert isinstance(lost, Lost)
    assert lost.retry_in_s == 6.0


@pytest.mark.parametrize(
    "code",
    [
        *(ErrorCode.REPLACED, ErrorCode.REVOKED, ErrorCode.ACCOUNT_DELETED, ErrorCode.LOGGED_OUT),
        *(ErrorCode.TOO_MANY_ERRORS, ErrorCode.TOO_LARGE, ErrorCode.INACTIVE),
    ],
)
def test_some_goodbyes_are_for_good(code: ErrorCode) -> None:
    server = Server().online()
    server.say(Goodbye(code=code))
    lost = server.events()[-1]
    assert isinstance(lost, Lost)
    assert (lost.code, lost.retry_in_s) == (code, None)
    assert server.core.is_final
    assert (server.core.place.resume is None) == (code in (ErrorCode.REVOKED, ErrorCode.ACCOUNT_DELETED))


def test_a_session_that_ended_while_away_is_the_end_without_a_password() -> None:
    server = Server()
    server.online()
    server.core.login(Credentials("alice"), server.now)
    server.core.link_lost(server.now, "test")
    server.events()
    server.wait(60.0)
    server.link().hello()
    server.say(ConnectFailed(code=ErrorCode.WRONG_CREDENTIALS, reason="no"))
    lost = server.events()[-1]
    assert lost == Lost(ErrorCode.WRONG_CREDENTIALS, "no", None)


def test_a_device_that_is_known_goes_on_trying_from_the_start() -> None:
    """Rows: M37 (partly)."""
    server = Server(place=Place("laptop", "r0", 7))
    server.core.persist(Credentials("alice"), server.now, "Nobody listens.")
    assert server.events() == [Lost(None, "Nobody listens.", 0.5)]
    assert server.wait(0.5) == [DialDue()]
    server.core.dial_failed(server.now, "Nobody listens.")
    assert server.events() == [Lost(None, "Nobody listens.", 1.0)]
    assert server.wait(1.0) == [DialDue()]
    server.link().hello()
    (connect,) = server.sent()
    assert isinstance(connect, Connect)
    assert (connect.mechanism, connect.token, connect.cursor) == ("RESUME", "r0", 7)
    server.welcome()
    assert server.core.phase is Phase.ONLINE


def test_a_lock_while_reconnecting_is_waited_for() -> None:
    server = Server().online()
    server.core.link_lost(server.now, "test")
    server.wait(60.0)
    server.link().hello()
    server.events()
    server.say(ConnectFailed(code=ErrorCode.LOCKED, retry_after_s=10.0))
    (lost,) = server.events()
    assert isinstance(lost, Lost)
    assert lost.retry_in_s == 12.0


def test_goodbye_is_the_last_that_is_sent() -> None:
    server = Server().online()
    server.say(message(1))
    server.core.handled(1)
    server.core.submit(MessageSend(to="bob", text="too late"))
    server.core.say_goodbye()
    assert server.sent() == [MessageDeliveredUpTo(id=1), Goodbye()]
    server.core.submit(HistoryGet(peer="bob"))
    assert server.sent() == []
    server.say(Goodbye(code=ErrorCode.LOGGED_OUT))
    assert server.core.next_deadline() is None


def test_lines_of_a_link_that_was_lost_mean_nothing() -> None:
    server = Server().online()
    server.core.link_lost(server.now, "test")
    server.events()
    server.say(message(1))
    server.core.link_lost(server.now, "again")
    assert server.events() == []


def test_history_is_answered_by_its_tag() -> None:
    server = Server().online()
    first, second = (server.core.submit(HistoryGet(peer="bob")) for _ in range(2))
    assert len(server.sent()) == 2
    server.say(
        HistoryGetOk(peer="bob@home", messages=[], tag=second), HistoryGetOk(peer="bob@home", messages=[], tag=first)
    )
    assert [event.key for event in server.events() if isinstance(event, Arrived)] == [second, first]
