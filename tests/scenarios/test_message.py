"""Messages between two people on several devices, on a real server."""

from __future__ import annotations

import json
import socket

import pytest

from tests.support.server import ServerProcess
from tests.support.wire import ANY, Wire, newcomer, unique


def test_a_message_reaches_the_other_and_is_acknowledged_with_its_id(alice: Wire, bob: Wire) -> None:
    """Rows: M13, M14, M17, T26 (partly)."""
    alice.send("MESSAGE", to=bob.login, text="hello   bob", cookie="c1", tag="x")
    sent = alice.expect("MESSAGE-SENT", cookie="c1", tag="x", seq=1, at=ANY)
    got = bob.expect("MESSAGE", id=sent["id"], seq=1, text="hello   bob", at=sent["at"])
    assert got["from"] == alice.address
    assert got["to"] == bob.address


def test_messages_to_the_full_address_and_to_the_login_are_one_conversation(alice: Wire, bob: Wire) -> None:
    """Rows: M13."""
    assert alice.say(bob.login, "one")["seq"] == 1
    assert alice.say(bob.address, "two")["seq"] == 2
    assert bob.say(alice.address, "three")["seq"] == 3


def test_a_message_to_a_name_that_does_not_exist_fails_with_its_cookie(alice: Wire) -> None:
    """Rows: M15, T27 (partly)."""
    alice.send("MESSAGE", to="nobody-of-this-name", text="hi", cookie="c9", tag="t")
    alice.expect("MESSAGE-SEND-FAILED", code="unknown-user", cookie="c9", tag="t", reason=ANY)
    alice.send("MESSAGE", to="bob@elsewhere.example", text="hi", cookie="c10")
    alice.expect("MESSAGE-SEND-FAILED", code="unknown-user", cookie="c10")


def test_a_message_to_oneself_is_refused(alice: Wire) -> None:
    """Rows: T27 (partly)."""
    alice.send("MESSAGE", to=alice.login, text="hi")
    alice.expect("MESSAGE-SEND-FAILED", code="self")


def test_a_repeated_cookie_is_answered_with_the_same_id_and_delivered_once(alice: Wire, bob: Wire) -> None:
    """Rows: M19."""
    first = alice.say(bob.login, "once", cookie="same")
    again = alice.say(bob.login, "once", cookie="same")
    assert again["id"] == first["id"]
    assert again["seq"] == first["seq"]
    bob.expect("MESSAGE", text="once")
    bob.expect_nothing()


def test_repeats_within_one_batch_are_stored_once(alice: Wire, bob: Wire) -> None:
    """Rows: M19."""
    line = json.dumps({"type": "MESSAGE", "to": bob.login, "text": "once", "cookie": "batch"}).encode() + b"\r\n"
    alice.write(line * 20)
    ids = {alice.expect("MESSAGE-SENT")["id"] for _ in range(20)}
    assert len(ids) == 1
    bob.expect("MESSAGE", text="once")
    bob.expect_nothing()


def test_the_other_devices_of_both_people_hear_of_it_exactly_once(server: ServerProcess) -> None:
    """Rows: M13, X05 (partly)."""
    with newcomer(server.port, "ann", device="phone") as phone, newcomer(server.port, "ben", device="desk") as desk:
        laptop = Wire(server.port).connect(phone.login, device="laptop")
        tablet = Wire(server.port).connect(desk.login, device="tablet")
        sent = phone.say(desk.login, "to all")
        for device in (laptop, desk, tablet):
            device.expect("MESSAGE", id=sent["id"], text="to all")
            device.expect_nothing()
        phone.expect_nothing()
        laptop.close()
        tablet.close()


def test_a_thousand_messages_arrive_in_order_without_gaps(alice: Wire, bob: Wire) -> None:
    """Rows: M13, T29 (partly)."""
    alice.write(
        b"".join(
            json.dumps({"type": "MESSAGE", "to": bob.login, "text": f"m{n}", "cookie": f"c-{n}"}).encode() + b"\n"
            for n in range(1000)
        )
    )
    got = [bob.expect("MESSAGE") for _ in range(1000)]
    assert [one["text"] for one in got] == [f"m{n}" for n in range(1000)]
    assert [one["seq"] for one in got] == list(range(1, 1001))
    assert sorted({one["id"] for one in got}) == [one["id"] for one in got]


def test_messages_for_someone_away_wait_and_come_in_order_at_login(server: ServerProcess, alice: Wire) -> None:
    """Rows: T29 (partly), A18 (partly)."""
    with newcomer(server.port, "cy", device="d") as cy:
        login = cy.login
    sent = [alice.say(login, f"n{n}")["id"] for n in range(20)]
    with Wire(server.port).connect(login, device="d") as cy:
        assert [one["id"] for one in cy.replayed] == sent
        assert [one["text"] for one in cy.replayed] == [f"n{n}" for n in range(20)]


def test_what_a_device_acknowledged_is_not_sent_to_it_again(server: ServerProcess, alice: Wire) -> None:
    """Rows: T29 (partly), X05 (partly)."""
    with newcomer(server.port, "di", device="d") as di:
        login = di.login
        first = alice.say(login, "first")
        di.expect("MESSAGE", text="first")
        di.send("MESSAGE-DELIVERED", id=first["id"])
        di.expect_nothing()
    alice.say(login, "second")
    with Wire(server.port).connect(login, device="d") as di:
        assert [one["text"] for one in di.replayed] == ["second"]
    with Wire(server.port).connect(login, device="d") as di:  # not acknowledged: it comes again
        assert [one["text"] for one in di.replayed] == ["second"]
    with Wire(server.port).connect(login, device="brand-new") as di:
        assert [one["text"] for one in di.replayed] == ["second"]


def test_a_device_may_say_what_it_has_and_is_not_sent_that_again(server: ServerProcess, alice: Wire) -> None:
    """Rows: X05 (partly)."""
    with newcomer(server.port, "ed", device="d") as ed:
        login = ed.login
    first, _ = alice.say(login, "first"), alice.say(login, "second")
    with Wire(server.port).connect(login, device="d", cursor=first["id"]) as ed:
        assert [one["text"] for one in ed.replayed] == ["second"]


def test_each_device_has_its_own_place_in_the_delivery(server: ServerProcess, alice: Wire) -> None:
    """Rows: X05 (partly), T29 (partly)."""
    with newcomer(server.port, "flo", device="one") as one:
        login = one.login
        Wire(server.port).connect(login, device="two").close()
        sent = alice.say(login, "hello")
        one.expect("MESSAGE", text="hello")
        one.send("MESSAGE-DELIVERED", id=sent["id"])
        one.expect_nothing()
    with Wire(server.port).connect(login, device="two") as two:
        assert [message["text"] for message in two.replayed] == ["hello"]
    with Wire(server.port).connect(login, device="one") as one:
        assert one.replayed == []


def test_a_device_cannot_acknowledge_what_it_was_not_sent(server: ServerProcess, alice: Wire) -> None:
    """Rows: T29 (partly)."""
    with newcomer(server.port, "gus", device="d") as gus:
        login = gus.login
        gus.send("MESSAGE-DELIVERED", id=2**53 - 1)
        gus.expect_nothing()
    alice.say(login, "still here")
    with Wire(server.port).connect(login, device="d") as gus:
        assert [one["text"] for one in gus.replayed] == ["still here"]


def test_the_sender_learns_that_it_was_delivered_and_read(alice: Wire, bob: Wire) -> None:
    """Rows: M16, M18, X17 (partly)."""
    sent = [alice.say(bob.login, text)["id"] for text in ("a", "b")]
    bob.expect("MESSAGE")
    bob.expect("MESSAGE")
    bob.send("MESSAGE-DELIVERED", id=sent[1])
    alice.expect("MESSAGE-DELIVERED", id=sent[1], by=bob.address, peer=alice.address)
    bob.send("MESSAGE-READ", id=sent[1])
    alice.expect("MESSAGE-READ", id=sent[1], by=bob.address, peer=alice.address)
    bob.send("MESSAGE-READ", id=sent[0])  # earlier: nothing moves, nobody is told
    bob.expect_nothing()
    alice.expect_nothing()


def test_my_other_devices_learn_what_i_have_read(server: ServerProcess, alice: Wire) -> None:
    """Rows: M16, X05 (partly)."""
    with newcomer(server.port, "hal", device="one") as one, Wire(server.port) as two:
        two.connect(one.login, device="two")
        sent = alice.say(one.login, "hello")
        one.expect("MESSAGE")
        two.expect("MESSAGE")
        one.send("MESSAGE-READ", id=sent["id"])
        two.expect("MESSAGE-READ", id=sent["id"], by=one.address, peer=alice.address)


def test_unread_counts_stand_in_the_snapshot(server: ServerProcess, alice: Wire) -> None:
    """Rows: M20."""
    with newcomer(server.port, "ida", device="d") as ida:
        login = ida.login
    ids = [alice.say(login, f"{n}")["id"] for n in range(3)]
    with Wire(server.port).connect(login, device="d") as ida:
        (state,) = ida.snapshot["conversations"]
        assert state["peer"] == alice.address
        assert state["unread"] == 3
        assert state["last_id"] == ids[2]
        ida.send("MESSAGE-READ", id=ids[1])
        ida.expect_nothing()
    with Wire(server.port).connect(login, device="d") as ida:
        (state,) = ida.snapshot["conversations"]
        assert state["unread"] == 1
        assert state["read_id"] == ids[1]


def test_reading_a_message_of_others_is_refused(alice: Wire, bob: Wire, mallory: Wire) -> None:
    """Rows: M16."""
    sent = alice.say(bob.login, "private")
    for request in ("MESSAGE-READ", "EDIT", "RETRACT", "REACT"):
        extra = {"EDIT": {"text": "x"}, "REACT": {"emoji": "x"}}.get(request, {})
        answer = mallory.ask(request, id=sent["id"], **extra)
        assert (answer["type"], answer["code"]) == (f"{request}-FAILED", "unknown-message")


def test_an_edit_reaches_everyone_and_stands_in_the_history(alice: Wire, bob: Wire) -> None:
    """Rows: X17 (partly)."""
    sent = alice.say(bob.login, "helo")
    bob.expect("MESSAGE")
    alice.send("EDIT", id=sent["id"], text="hello", cookie="e1")
    changed = alice.expect("EDIT-OK", cookie="e1")
    bob.expect("EDITED", id=changed["id"], target=sent["id"], text="hello", from_=alice.address)
    (message,) = bob.ask("HISTORY-GET", peer=alice.login)["messages"]
    assert (message["text"], message["edited"]) == ("hello", True)
    alice.send("EDIT", id=sent["id"], text="hello", cookie="e1")
    assert alice.expect("EDIT-OK")["id"] == changed["id"]
    bob.expect_nothing()


def test_only_the_author_may_edit_or_retract(alice: Wire, bob: Wire) -> None:
    """Rows: X17 (partly)."""
    sent = alice.say(bob.login, "mine")
    bob.expect("MESSAGE")
    assert bob.ask("EDIT", id=sent["id"], text="yours")["code"] == "forbidden"
    assert bob.ask("RETRACT", id=sent["id"])["code"] == "forbidden"
    alice.expect_nothing()


def test_a_retracted_text_is_gone_everywhere(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Rows: X17 (partly)."""
    sent = alice.say(bob.login, "a secret word")
    bob.expect("MESSAGE")
    alice.ask("EDIT", id=sent["id"], text="another secret word")
    bob.expect("EDITED")
    assert alice.ask("RETRACT", id=sent["id"])["type"] == "RETRACT-OK"
    bob.expect("RETRACTED", target=sent["id"])
    (message,) = bob.ask("HISTORY-GET", peer=alice.login)["messages"]
    assert (message["text"], message["retracted"]) == ("", True)
    assert bob.ask("SEARCH", peer=alice.login, query="secret")["messages"] == []
    with Wire(server.port).connect(bob.login, device="fresh") as fresh:
        assert "secret" not in json.dumps(fresh.replayed)
    assert alice.ask("EDIT", id=sent["id"], text="back")["code"] == "unknown-message"


def test_a_reaction_is_added_and_taken_back(alice: Wire, bob: Wire) -> None:
    """Rows: B126 (partly)."""
    sent = alice.say(bob.login, "hi")
    bob.expect("MESSAGE")
    assert bob.ask("REACT", id=sent["id"], emoji="👍")["type"] == "REACT-OK"
    alice.expect("REACTED", target=sent["id"], emoji="👍", from_=bob.address)
    (message,) = alice.ask("HISTORY-GET", peer=bob.login)["messages"]
    assert message["reactions"] == [{"by": bob.address, "emoji": "👍"}]
    bob.ask("REACT", id=sent["id"], emoji="👍", remove=True)
    alice.expect("REACTED", target=sent["id"], emoji="👍", removed=True)
    (message,) = alice.ask("HISTORY-GET", peer=bob.login)["messages"]
    assert "reactions" not in message


def test_an_answer_names_the_message_it_answers(alice: Wire, bob: Wire, mallory: Wire) -> None:
    """Rows: B126 (partly)."""
    sent = alice.say(bob.login, "question?")
    bob.expect("MESSAGE")
    bob.say(alice.login, "answer", reply_to=sent["id"])
    alice.expect("MESSAGE", text="answer", reply_to=sent["id"])
    mallory.send("MESSAGE", to=bob.login, text="me too", reply_to=sent["id"])
    mallory.expect("MESSAGE-SEND-FAILED", code="unknown-message")


def test_changes_made_while_away_come_at_login(server: ServerProcess, alice: Wire) -> None:
    """Rows: T29 (partly), X05 (partly)."""
    with newcomer(server.port, "jo", device="d") as jo:
        login = jo.login
        sent = alice.say(login, "helo")
        jo.expect("MESSAGE")
        jo.send("MESSAGE-DELIVERED", id=sent["id"])
        jo.expect_nothing()
    alice.until("MESSAGE-DELIVERED")
    alice.ask("EDIT", id=sent["id"], text="hello")
    alice.ask("REACT", id=sent["id"], emoji="!")
    with Wire(server.port).connect(login, device="d") as jo:
        assert [one["type"] for one in jo.replayed] == ["EDITED", "REACTED"]


def test_history_comes_in_pages_both_ways(alice: Wire, bob: Wire) -> None:
    """Rows: M20."""
    ids = [alice.say(bob.login, f"h{n}")["id"] for n in range(30)]
    newest = alice.ask("HISTORY-GET", peer=bob.login, limit=10)
    assert [one["id"] for one in newest["messages"]] == ids[20:]
    assert newest["more"] is True
    before = alice.ask("HISTORY-GET", peer=bob.login, limit=25, before=ids[20])
    assert [one["id"] for one in before["messages"]] == ids[:20]
    assert "more" not in before
    after = alice.ask("HISTORY-GET", peer=bob.login, limit=5, after=ids[9])
    assert [one["id"] for one in after["messages"]] == ids[10:15]
    assert alice.ask("HISTORY-GET", peer=bob.login, before=5, after=3)["code"] == "bad-request"
    assert alice.ask("HISTORY-GET", peer=bob.login, limit=100_000)["code"] == "bad-request"


def test_history_of_people_who_never_wrote_is_empty(alice: Wire, bob: Wire) -> None:
    """Rows: M20."""
    assert alice.ask("HISTORY-GET", peer=bob.login)["messages"] == []
    assert alice.ask("HISTORY-GET", peer="nobody-here")["code"] == "unknown-user"


def test_history_asked_for_right_after_sending_has_what_was_sent(alice: Wire, bob: Wire) -> None:
    """Rows: M20, M14."""
    for n in range(20):
        alice.send("MESSAGE", to=bob.login, text=f"p{n}")
    alice.send("HISTORY-GET", peer=bob.login)
    alice.send("SEARCH", peer=bob.login, query="p19")
    history = alice.until("HISTORY-GET-OK")[-1]
    assert [one["text"] for one in history["messages"]] == [f"p{n}" for n in range(20)]
    assert [one["text"] for one in alice.until("SEARCH-OK")[-1]["messages"]] == ["p19"]


def test_search_finds_words_of_one_conversation_at_once(alice: Wire, bob: Wire, mallory: Wire) -> None:
    """Rows: X15 (partly)."""
    first = alice.say(bob.login, "Ёжик в тумане")["id"]
    alice.say(bob.login, "nothing of interest")
    second = alice.say(bob.login, "the foggy hedgehog")["id"]
    alice.say(mallory.login, "the foggy other")
    assert [one["id"] for one in bob.ask("SEARCH", peer=alice.login, query="foggy")["messages"]] == [second]
    assert [one["id"] for one in bob.ask("SEARCH", peer=alice.login, query="тума")["messages"]] == [first]
    for query in ('"', "*", "a OR b", "NEAR(", "-", "'; DROP TABLE message; --", "col:x", "\u0000"):
        assert bob.ask("SEARCH", peer=alice.login, query=query)["type"] == "SEARCH-OK"


def test_typing_is_told_and_never_stored(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Rows: M21, M22, M23."""
    alice.send("TYPING-STARTED", to=bob.login)
    bob.expect("TYPING-STARTED", from_=alice.address)
    alice.send("TYPING-END", to=bob.login)
    bob.expect("TYPING-END", from_=alice.address)
    alice.send("TYPING-STARTED", to="nobody-at-all")
    alice.expect_nothing()
    with Wire(server.port).connect(bob.login, device="later") as later:
        assert later.replayed == []


def test_typing_is_forgotten_after_ten_seconds(alice: Wire, bob: Wire) -> None:
    """Rows: M22."""
    bob.socket.settimeout(20.0)
    alice.send("TYPING-STARTED", to=bob.login)
    bob.expect("TYPING-STARTED")
    bob.expect("TYPING-END", from_=alice.address)


def test_a_message_ends_typing(alice: Wire, bob: Wire) -> None:
    """Rows: M22."""
    alice.send("TYPING-STARTED", to=bob.login)
    bob.expect("TYPING-STARTED")
    alice.say(bob.login, "done")
    bob.expect("MESSAGE", text="done")
    alice.send("TYPING-END", to=bob.login)  # there is nothing left to end
    alice.expect_nothing()
    bob.expect_nothing()


def test_a_blocked_sender_sees_no_difference_and_nothing_arrives(server: ServerProcess, alice: Wire) -> None:
    """Rows: T33 (partly), T34 (partly), X06 (partly), B122 (partly)."""
    with newcomer(server.port, "kim", device="d") as kim, newcomer(server.port, "lea", device="d") as lea:
        assert kim.ask("BLOCK", login=alice.login)["type"] == "BLOCK-OK"
        to_blocker = alice.say(kim.login, "can you hear me", cookie="b1")
        lea_login = lea.login
        lea.close()
        to_absent = alice.say(lea_login, "can you hear me", cookie="b2")
        assert set(to_blocker) == set(to_absent)
        alice.send("TYPING-STARTED", to=kim.login)
        kim.expect_nothing()
        alice.expect_nothing()
        mine = alice.ask("HISTORY-GET", peer=kim.login)["messages"]
        assert [one["text"] for one in mine] == ["can you hear me"]
        assert kim.ask("HISTORY-GET", peer=alice.login)["messages"] == []
        assert kim.ask("SEARCH", peer=alice.login, query="hear")["messages"] == []
        assert alice.ask("EDIT", id=to_blocker["id"], text="edited")["type"] == "EDIT-OK"
        kim.expect_nothing()
        assert kim.ask("UNBLOCK", login=alice.login)["type"] == "UNBLOCK-OK"
        alice.say(kim.login, "now")
        kim.expect("MESSAGE", text="now")
    with Wire(server.port).connect(kim.login, device="new") as again:
        assert [one["text"] for one in again.replayed] == ["now"]


def test_blocking_refuses_nonsense(alice: Wire, bob: Wire) -> None:
    """Rows: T35 (partly), T36 (partly)."""
    assert alice.ask("BLOCK", login=alice.login)["code"] == "self"
    assert alice.ask("BLOCK", login="nobody-here")["code"] == "unknown-user"
    assert alice.ask("UNBLOCK", login=bob.login)["code"] == "unknown-id"


def test_the_text_form_works_by_hand(server: ServerProcess, alice: Wire) -> None:
    """A person with `openssl s_client` or netcat can talk.  Rows: M01, M02."""
    login = unique("hand")
    with Wire(server.port, tls=False) as hand:
        hand.write(f'REGISTER login={login} password="pass word"\n'.encode())
        assert hand.line() == f"REGISTER-OK login={login}@localhost".encode()
        hand.write(b"SUBSCRIBE to=bob\n")
        assert hand.line() == b"ERROR-NOT-IMPLEMENTED type=SUBSCRIBE"
        hand.write(b"what is this?\n")
        answer = hand.line()
        assert answer is not None
        assert answer.startswith(b"ERROR")


@pytest.mark.parametrize("count", [1, 7])
def test_segments_may_be_split_anywhere(alice: Wire, bob: Wire, count: int) -> None:
    """Rows: T58."""
    lines = b"".join(
        json.dumps({"type": "MESSAGE", "to": bob.login, "text": "é" * 50}, ensure_ascii=False).encode() + b"\r\n"
        for _ in range(count)
    )
    alice.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(lines), 13):
        alice.write(lines[at : at + 13])
    for _ in range(count):
        bob.expect("MESSAGE", text="é" * 50)
