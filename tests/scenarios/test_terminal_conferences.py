"""Conferences and calls in `veche chat --plain`, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.test_terminal_people import friends, newcomer
from tests.support.chat import Chat, Chats
from tests.support.clocked import ClockedServer
from tests.support.server import ServerProcess
from veche.packets.conference import CALL_ANSWER_S


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chats]:
    chats = Chats(tmp_path / "state")
    yield chats
    chats.close()


def meet(one: Chat, a: str, other: Chat, b: str) -> None:
    """Make two people friends."""
    one.write(f"friend add {b}")
    other.until_text(f"{a} wants to be your friend")
    other.write(f"friend accept {a}")
    other.until_text(f"{a} is online")
    one.until_text(f"{b} is online")


def test_a_friend_joins_with_one_command_and_the_owner_hands_over(server: ServerProcess, chat: Chats) -> None:
    """Rows: A30, A32, A33 (partly), A35, A36, A41, A44, A46, A57 (partly), V21."""
    alice, a, bob, b = friends(chat, server)
    alice.write(f"conference create Shed of {a}")
    assert alice.line() == f"you are in Shed of {a}: you (owner, text)"
    assert bob.line().startswith(f"{a} is in Shed of {a}: conference join ")
    bob.write(f"conference join {a}")
    assert bob.line() == f"you are in Shed of {a}: {a} (owner, text), you (text)"
    assert alice.line() == f"{b} has come into Shed of {a}"
    bob.write("conference say  two  spaces ", "conference rename Barn")
    assert alice.line() == f"{b} in Shed of {a}:  two  spaces "
    assert "Error." in bob.line(), "only the owner renames"
    alice.write("conference rename Barn", f"conference transfer {b}", "conference who")
    assert alice.line() == f"Shed of {a} is called Barn now"
    assert bob.line() == f"Shed of {a} is called Barn now, by {a}"
    assert alice.line() == f"{b} is the owner of Barn now"
    assert bob.line() == "you are the owner of Barn now"
    assert alice.line() == f"Barn: you (text), {b} (owner, text)"
    alice.write("conference leave")
    assert alice.line() == "you have left Barn"
    assert bob.line() == f"{a} has left Barn"


def test_everybody_is_told_why_a_conference_is_over(server: ServerProcess, chat: Chats) -> None:
    """Rows: A34, A48, A70, X07 (partly)."""
    alice, a, bob, _ = friends(chat, server)
    for how, why in (("end", "Its owner has ended the conference."), ("leave", "its owner left")):
        alice.write(f"conference create {how} {a}")
        alice.until_text("you are in")
        bob.until_text("conference join ")
        bob.write(f"conference join {how} {a}")
        bob.until_text("you are in")
        bob.write("conference end")
        assert bob.until_text("Error.")
        alice.until_text("has come into")
        alice.write(f"conference {how}")
        assert why in bob.until_text(f"{how} {a} is over: ")


def test_a_friend_in_several_conferences_is_asked_which(server: ServerProcess, chat: Chats) -> None:
    """Rows: A39, A42, A58 (partly)."""
    alice, a, bob, _ = friends(chat, server)
    for name in ("One", "Two"):
        alice.write(f"conference create {name} of {a}")
        bob.until_text(f"{a} is in {name}")
    bob.write(f"conference join {a}")
    assert bob.line() == f"Error. {a} is in several conferences. Write one of:"
    assert {bob.line().strip(), bob.line().strip()} == {f"conference join One of {a}", f"conference join Two of {a}"}
    bob.write(f"conference join Two of {a}", "conference list")
    assert bob.line().startswith(f"you are in Two of {a}")
    listed = bob.until_text(f"One of {a}: {a}")
    assert "conference join " in listed


def test_a_call_rings_until_it_is_taken_declined_or_given_up(server: ServerProcess, chat: Chats) -> None:
    """Rows: V22, V23, V25, V27, V28, X08, X22 (partly)."""
    alice, a, bob, b = friends(chat, server)
    alice.write(f"call {b}")
    assert alice.until_text("you are in").startswith(f"you are in {a}, {b}: you (owner, text)")
    assert alice.line() == "it rings"
    assert bob.until_text("calls you") == f"{a} calls you into {a}, {b}. accept, or decline"
    bob.write("accept")
    assert bob.until_text("you are in").startswith(f"you are in {a}, {b}")
    alice.until_text(f"{b} has come into {a}, {b}")
    alice.write("conference end")
    bob.until_text("is over")
    alice.until_text("is over")
    alice.write(f"call {b}")
    bob.until_text("calls you")
    bob.write("decline")
    assert bob.until_text("you have declined")
    assert alice.until_text(f"{b} has declined")
    alice.write(f"conference invite {b}")
    bob.until_text("calls you")
    alice.write("conference end")
    bob.until_text("has given up")
    bob.write("accept")
    refused = ("Error. Nobody calls you.", "Error. There is no such conference, or no longer.")
    assert bob.until_text("Error.") in refused, "by what is known here, or by the server"
    bob.write(f"history {a} 5")
    assert bob.until_text("(call, declined)")


def test_a_call_that_nobody_answers_is_missed_and_seen_later(tmp_path: Path, chat: Chats) -> None:
    """After 20 seconds on the clock of the server, by who is there and by who comes home hours later.

    Rows: V33 (partly), X06 (partly).
    """
    with ClockedServer(tmp_path / "data") as server:
        alice, a, bob, b = friends(chat, server)
        alice.write(f"call {b}")
        assert alice.until_text("it rings")
        bob.until_text("calls you")
        server.move(CALL_ANSWER_S - 2)
        bob.write("whoelse")
        while (line := bob.line()) != a:  # who else is there
            assert "missed" not in line, "it rings still"
        server.move(2)
        assert alice.until_text("answer") == f"{b} does not answer"
        assert bob.until_text("missed") == f"you have missed a call of {a}"
        bob.write("accept")
        assert bob.until_text("Error.") == "Error. Nobody calls you."
        assert bob.end() == 0
        alice.write(f"conference invite {b}")
        assert alice.until_text("it rings")
        server.move(CALL_ANSWER_S)
        assert alice.until_text("answer") == f"{b} does not answer"
        bob = chat(server, b)
        assert bob.until_text("unread from").startswith("2 unread")
        bob.write(f"history {a}")
        for number in (1, 2):
            assert bob.until(f"{number} ")[-1].endswith(f" {a}: (missed call)")


def test_who_takes_no_calls_is_busy(server: ServerProcess, chat: Chats) -> None:
    """Rows: V32, V36 (partly)."""
    alice, _, bob, b = friends(chat, server)
    bob.write("calls off")
    assert bob.line() == "whoever calls you is told that you are busy"
    alice.write(f"call {b}")
    assert alice.until_text(f"{b} is in another call")


def test_an_answer_on_one_device_stops_the_others(server: ServerProcess, chat: Chats, tmp_path: Path) -> None:
    """Rows: V23 (partly), X05 (partly)."""
    alice, _, bob, b = friends(chat, server)
    phones = Chats(tmp_path / "phone")
    try:
        phone = phones(server, b).connected()
        alice.write(f"call {b}")
        for device in (bob, phone):
            device.until_text("calls you")
        phone.write("accept")
        phone.until_text("you are in")
        bob.write("history x", "accept")
        assert bob.until_text("Error. Nobody")
    finally:
        phones.close()


def test_a_leg_is_taken_up_again_after_a_restart(own_server: ServerProcess, chat: Chats) -> None:
    """Rows: X07 (partly)."""
    server = own_server
    alice, a, bob, _ = friends(chat, server)
    alice.write("conference create Shed")
    alice.until_text("you are in")
    bob.until_text("is in Shed")
    bob.write("conference join Shed")
    bob.until_text("you are in")
    server.stop()
    server.start()
    for device in (alice, bob):
        device.until_text("you are in again Shed")
    server.kill()
    server.start()
    for device in (alice, bob):
        device.until_text("you are in again Shed")
    alice.write("conference say still here")
    assert bob.until_text(f"{a} in Shed: still here")


def test_as_json_every_event_is_a_packet(server: ServerProcess, chat: Chats) -> None:
    """Rows: A30 (partly), A37 (partly), V22 (partly)."""
    alice, a, bob, b = friends(chat, server, "--json")
    alice.write("conference create Shed")
    made = alice.packet("CONFERENCE-JOIN-OK")
    id = made["conference"]["id"]
    assert bob.packet("CONFERENCE-SEEN")["conference"]["id"] == id
    bob.write(f"conference join {id}", "conference list")
    assert bob.packet("CONFERENCE-JOIN-OK")["conference"]["id"] == id
    assert any(one["id"] == id for one in bob.packet("CONFERENCE-LIST-OK")["conferences"])
    bob.write("conference nonsense")
    assert bob.packet("ERROR")["code"] == "bad-request"
    assert alice.packet("CONFERENCE-JOINED")["leg"]["user"].startswith(b)
    alice.write(f"call {b}")
    assert bob.packet("CALL")["from"].startswith(a)


def test_nonsense_about_conferences_is_a_sentence(server: ServerProcess, chat: Chats) -> None:
    """Rows: A37 (partly), X25 (partly)."""
    alice, _ = newcomer(chat, server, "alice")
    wanted = {
        "conference": "Error. Write: conference create|",
        "conference create": "Error. Write: conference create NAME",
        "conference leave": "Error. You are in no conference.",
        "conference join No such": "Error. You see no conference of that name.",
        "conference policy perhaps": "Error. Write: conference policy friends",
        "call": "Error. Write: call LOGIN...",
        "call nobody-of-that-name": "Error. There is no such user.",
        "decline": "Error. Nobody calls you.",
    }
    for command, answer in wanted.items():
        alice.write(command)
        assert alice.line().startswith(answer), command
