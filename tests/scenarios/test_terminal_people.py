"""Friends, presence, profiles, blocking, broadcasts and private sessions in `veche chat --plain`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chat import Chat, Chats, Listening
from tests.support.server import ServerProcess
from tests.support.wire import Wire, unique

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\xdac\xfc\xcf\xc0P\x0f\0\4"
    b"\x85\1\x80\x84\xa9\x8c!\0\0\0\0IEND\xaeB`\x82"
)


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chats]:
    chats = Chats(tmp_path / "state")
    yield chats
    chats.close()


def newcomer(chat: Chats, server: Listening, name: str, *flags: str) -> tuple[Chat, str]:
    """A terminal of somebody new, logged in."""
    login = unique(name)
    terminal = chat(server, login, "--register", *flags)
    if "--json" in flags:
        terminal.packet("REPLAY-END")
    else:
        terminal.until("the account")
    return terminal, login


def friends(chat: Chats, server: Listening, *flags: str) -> tuple[Chat, str, Chat, str]:
    """Two terminals of two friends."""
    (alice, a), (bob, b) = newcomer(chat, server, "alice", *flags), newcomer(chat, server, "bob", *flags)
    alice.write(f"friend add {b}")
    if "--json" in flags:
        bob.packet("FRIEND-REQUEST")
        bob.write(f"friend accept {a}")
        bob.packet("FRIEND-ANSWER-OK")
        while alice.packet("CONTACT-UPDATED").get("relation") != "mutual":
            pass
    else:
        bob.until(f"{a} wants to be your friend: friend accept {a}")
        bob.write(f"friend accept {a}")
        bob.until(f"{a} is online")
        alice.until(f"{b} is online")
    return alice, a, bob, b


def test_two_people_become_friends(server: ServerProcess, chat: Chats) -> None:
    """Rows: A15 (partly), A17, A20 (partly), A22, T20 (partly), X02 (partly)."""
    (alice, a), (bob, b) = newcomer(chat, server, "alice"), newcomer(chat, server, "bob")
    alice.write(f"friend add {b.upper()}", "requests")
    assert alice.line() == f"{b} is asked to be your friend"
    assert alice.line() == f"you have asked {b}: friend cancel {b}"
    assert bob.line() == f"{a} wants to be your friend: friend accept {a}"
    bob.write("requests", f"friend ignore {a}", f"friend accept {a}", "friends")
    assert [bob.line() for _ in range(5)] == [
        f"{a} wants to be your friend: friend accept {a}",
        f"{a} waits, and you are not reminded; friend accept {a} still works",
        f"{a} is your friend now",
        f"{a} is online",
        f"{a}: online",
    ]
    assert [alice.line(), alice.line()] == [f"{b} is your friend now", f"{b} is online"]
    bob.write("away")
    assert bob.line() == "you are away"
    assert alice.line() == f"{b} is away"
    bob.write("back", "whoelse", "whoelsesince 3600")
    assert [bob.line() for _ in range(3)] == ["you are back", a, a]
    assert alice.line() == f"{b} is online"
    assert bob.end() == 0
    assert alice.line() == f"{b} went offline"
    alice.write("friends", "whoelse", f"friend remove {b}", "friends")
    assert re.fullmatch(rf"{b}: offline, last seen \d{{4}}-\d\d-\d\d \d\d:\d\d", alice.line())
    assert [alice.line() for _ in range(3)] == ["nobody else is online", f"{b} is no longer your friend", "nobody"]


def test_what_was_asked_meanwhile_is_told_at_the_next_login(server: ServerProcess, chat: Chats) -> None:
    """Rows: A12, A18 (partly), A23 (partly), A26 (partly), X22 (partly)."""
    bob, b = newcomer(chat, server, "bob")
    assert bob.end() == 0
    (alice, a), (carol, c) = newcomer(chat, server, "alice"), newcomer(chat, server, "carol")
    for terminal in (alice, carol):
        terminal.write(f"friend add {b}")
        assert terminal.line() == f"{b} is asked to be your friend"
    again = chat(server, b)
    assert {again.line(), again.line()} == {f"{one} wants to be your friend: friend accept {one}" for one in (a, c)}
    carol.write(f"friend cancel {b}")
    assert carol.line() == f"your request to {b} is taken back"
    assert again.line() == f"{c} no longer waits for your answer"
    again.write(f"friend accept {c}", f"friend refuse {a}")
    assert again.line() == "Error. There is no such request, or no longer."
    assert again.until("you have refused")[-1] == f"you have refused {a}, who is not told"
    alice.write("requests")
    assert alice.line() == f"you have asked {b}: friend cancel {b}", "a no is not told"


def test_contacts_are_noted_as_one_likes(server: ServerProcess, chat: Chats) -> None:
    """Rows: M31, M32, M33 (partly), M39 (partly), M47 (partly), X01 (partly)."""
    (alice, _), (_, b) = newcomer(chat, server, "alice"), newcomer(chat, server, "bob")
    alice.write(f'contact add {b} name="Bob Smith" group=work/kitchen', "contacts")
    assert alice.line() == f"{b} is listed and asked to be your friend"
    assert alice.line() == f"you have asked {b} (Bob Smith): friend cancel {b}"
    alice.write(f'contact set {b} memo="owes me 5" name=', f"friend cancel {b}", "contacts")
    assert alice.line() == f"{b} is changed in your list"
    assert alice.line() == f"your request to {b} is taken back"
    assert alice.line() == f"{b}: not a friend; group: work/kitchen; memo: owes me 5"
    alice.write(f"contact add {b}", "contact set nobody-of-this-name memo=x", f"contact remove {b}", "contacts")
    assert alice.line() == "Error. It is so already."
    assert alice.line() == "Error. There is no such user."
    assert [alice.line(), alice.line()] == [f"{b} is off your list", "nobody"]


def test_a_profile_is_shown_to_friends(server: ServerProcess, chat: Chats, tmp_path: Path) -> None:
    """Rows: M42, M45, X23 (partly)."""
    alice, _, bob, b = friends(chat, server)
    file = tmp_path / "me.png"
    file.write_bytes(PNG)
    bob.write(f'profile name="Robert Smith" note="on vacation" avatar={file}', "profile")
    assert bob.line() == "your profile: name: Robert Smith; note: on vacation; picture: yes"
    assert bob.line() == f"{b}: name: Robert Smith; note: on vacation; picture: image/png, {len(PNG)} bytes"
    assert [alice.line(), alice.line()] == [f"{b} is called Robert Smith now", f"{b} says: on vacation"]
    alice.write(f"profile {b}", f"contact set {b} name=Bobby", "friends")
    assert alice.line() == f"{b}: name: Robert Smith; note: on vacation; picture: image/png, {len(PNG)} bytes"
    assert alice.line() == f"{b} is changed in your list"
    assert alice.line() == f"{b} (Bobby): online; note: on vacation"
    bob.write("profile name=R. note=")
    assert bob.line() == "your profile: name: R.; picture: yes"
    bob.write(f"profile avatar={tmp_path}")
    assert "cannot be read" in bob.line()
    assert alice.line() == f"{b} has no note any more", "and keeps the name that I gave"
    file.write_bytes(b"no picture")
    bob.write(f"profile avatar={file}")
    assert bob.line().startswith("Error. ")
    alice.write("friends")
    assert alice.line() == f"{b} (Bobby): online"


def test_broadcasts_and_blocks(server: ServerProcess, chat: Chats) -> None:
    """Rows: T22 (partly), T30 (partly), T33 (partly), T34 (partly), T35 (partly), T36 (partly)."""
    alice, a, bob, b = friends(chat, server)
    bob.write("broadcast   the  veche is called")
    assert bob.line() == "told to those who are online"
    assert alice.line() == f"{b} to all: the  veche is called"
    alice.write(f"block {b}", "blocked", f"block {a}", "block nobody-of-this-name", "friends")
    assert alice.line() == f"{b} is blocked"
    assert alice.line() == f"{b}: blocked"
    assert alice.line() == "Error. You cannot do this to yourself."
    assert alice.line() == "Error. There is no such user."
    assert alice.line() == "nobody"
    assert bob.line() == f"{a} went offline", "as anybody who leaves"
    bob.write("whoelse", "broadcast anybody?", f"message {a} hello?")
    assert bob.line() == "nobody else is online"
    assert bob.line() == "told to those who are online"
    assert bob.line().startswith("sent ")
    alice.write(f"unblock {b}", f"unblock {b}")
    assert alice.until(f"{b} is unblocked")[:-1] == [f"{b} is online"]
    assert alice.line().startswith("Error. ")
    assert bob.line() == f"{a} is online"


def test_with_json_everything_is_a_packet(server: ServerProcess, chat: Chats) -> None:
    """Rows: A22 (partly), M27 (partly), M29 (partly), M34 (partly), M35 (partly), T22 (partly), T23 (partly)."""
    alice, _, bob, b = friends(chat, server, "--json")
    address = f"{b}@localhost"
    alice.write("friends", "requests", "contacts", "blocked", "whoelse", "whoelsesince 100", f"profile {b}")
    lists = [alice.packet("CONTACTS-GET-RESPONSE") for _ in range(4)]
    assert [[one["id"] for one in answer["contacts"]] for answer in lists] == [[address], [], [address], []]
    assert lists[0]["contacts"][0]["status"] == "online"
    assert alice.packet("WHOELSE-OK")["users"] == [address]
    assert alice.packet("WHOELSESINCE-OK")["users"] == [address]
    assert alice.packet("PROFILE-GET-OK")["id"] == address
    bob.write("broadcast hi", "profile note=here", "away")
    told = alice.packet("BROADCAST")
    assert (told["from"], told["text"]) == (address, "hi")
    assert alice.packet("CONTACT-UPDATED") == {"type": "CONTACT-UPDATED", "id": address, "note": "here"}
    assert alice.packet("CONTACT-UPDATED") == {"type": "CONTACT-UPDATED", "id": address, "status": "away"}
    assert bob.end() == 0
    assert alice.packet("UPDATE-LAST-SEEN")["status"] == "offline"
    assert alice.packet("CONTACT-UPDATED")["status"] == "offline"
    alice.write("friend hug bob", "y", f"friend add {b}")
    assert alice.packet("ERROR")["reason"].startswith("Write: friend add LOGIN")
    assert alice.packet("ERROR")["reason"] == "Nobody asks."
    assert alice.packet("FRIEND-REQUEST-FAILED")["code"] == "already-there"


# -- private sessions


def talk(alice: Chat, a: str, bob: Chat, b: str) -> None:
    """A private session that alice asked for."""
    alice.write(f"startprivate {b}")
    bob.until(f"{a} would like to talk privately: accept {a}, or decline {a}")
    bob.write("y")
    bob.until(f"you talk with {a} privately now")
    alice.until(f"you talk with {b} privately now")


def test_two_people_talk_privately(server: ServerProcess, chat: Chats) -> None:
    """Rows: T42 (partly), T43 (partly), T49 (partly), T50 (partly), T54 (partly), T57 (partly)."""
    alice, a, bob, b = friends(chat, server)
    alice.write(f"private {b} too early", f"startprivate {a}")
    assert "There is no private session" in alice.line()
    assert alice.line() == f"no private session with {a}: You cannot do this to yourself."
    alice.write("startprivate nobody-of-this-name")
    assert alice.line() == "no private session with nobody-of-this-name: There is no such user."
    alice.write(f"startprivate {b}")
    assert alice.line() == f"{b} is asked to talk privately"
    assert bob.line() == f"{a} would like to talk privately: accept {a}, or decline {a}"
    bob.write(f"decline {a}")
    assert alice.line() == f"{b} does not want to talk privately"
    talk(alice, a, bob, b)
    alice.write(f"private {b}  psst  \x1b[2J", f"message {b} for the record")
    assert {bob.line(), bob.line()} == {f"{a} (private):  psst  ␛[2J", f"{a}: for the record"}
    bob.write(f"private {a} yes?", f"history {a}")
    assert alice.until(f"{b} (private): yes?")
    page = bob.line()
    assert page.endswith(f"{a}: for the record"), "nothing of the private session is stored"
    bob.write(f"stopprivate {a}", f"private {a} gone")
    assert bob.line() == f"the private session with {a} is ended"
    assert bob.line().startswith("Error. There is no private session with")
    assert alice.until(f"{b} has ended")[-1] == f"{b} has ended the private session"
    talk(bob, b, alice, a)
    assert bob.end() == 0
    assert alice.line() == f"{b} has ended the private session"
    assert alice.until(f"{b} went offline")


def test_private_sessions_as_json(server: ServerProcess, chat: Chats) -> None:
    """Rows: T42 (partly), T49 (partly), T54 (partly)."""
    alice, a, bob, b = friends(chat, server, "--json")
    alice.write(f"startprivate {b}")
    asked = bob.packet("PRIVATE-REQUEST")
    assert asked["from"] == f"{a}@localhost"
    assert alice.packet("PRIVATE-START-OK")["id"] == asked["id"]
    bob.write(f"accept {a}")
    assert bob.packet("PRIVATE-ANSWER-OK")["id"] == asked["id"]
    assert bob.packet("PRIVATE-OPENED") == {"type": "PRIVATE-OPENED", "peer": f"{a}@localhost"}
    assert alice.packet("PRIVATE-ANSWERED")["accepted"]
    assert alice.packet("PRIVATE-OPENED") == {"type": "PRIVATE-OPENED", "peer": f"{b}@localhost"}
    alice.write(*(f"private {b} {i}" for i in range(300)))
    assert [bob.packet("PRIVATE")["text"] for _ in range(300)] == [str(i) for i in range(300)]
    alice.write(f"stopprivate {b}")
    closed = {"type": "PRIVATE-CLOSED", "code": None}
    assert alice.packet("PRIVATE-CLOSED") == {**closed, "peer": f"{b}@localhost", "by_peer": False}
    assert bob.packet("PRIVATE-CLOSED") == {**closed, "peer": f"{a}@localhost", "by_peer": True}
    assert bob.end() == 0
    alice.packet("UPDATE-LAST-SEEN")
    alice.write(f"startprivate {b}", f"private {b} hm")
    failed = json.loads(alice.until('{"type":"PRIVATE-FAILED"')[-1])
    assert (failed["peer"], failed["code"]) == (f"{b}@localhost", "offline")


# -- invite links


def link_of(server: ServerProcess, inviter: str) -> str:
    command = [sys.executable, "-m", "veche.cli.main", "invite", "--data", str(server.data), "--from", inviter]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def test_a_link_makes_an_account_and_a_friend(server: ServerProcess, chat: Chats, bob: Wire) -> None:
    """Rows: B134 (partly)."""
    link, login = link_of(server, bob.login), unique("alice")
    alice = chat.to(link.replace("//", f"//{login}@"))
    assert alice.line() == f"the account {login}@localhost is made"
    alice.write("friends")
    assert alice.line() == f"{bob.login}: online"
    assert alice.end() == 0
    again = chat.to(link.replace("//", f"//{login}@"))
    assert again.end() == 0
    assert "veche chat: This link has been used up; you are logged in to the account that you have here." in (
        again.complained
    )
    wrong = chat.to(link.replace("//", f"//{unique('mallory')}@"))
    assert wrong.wait() == 1
    assert "This invite link is used up or too old." in wrong.complained[-1]
