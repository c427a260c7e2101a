"""The screen of `veche chat`: friends, requests, presence, private conversations, invites; and without a server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ServerProcess
from tests.support.terminal import Terminal, Terminals
from tests.support.wire import Wire, newcomer, unique


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminals]:
    terminals = Terminals(tmp_path / "state")
    yield terminals
    terminals.close()


def befriended(screen: Terminal, login: str, friend: Wire) -> None:
    """The person at the screen accepts a friend."""
    friend.ask("FRIEND-REQUEST", login=login)
    screen.until_shown(f"◆ {friend.login}")
    screen.enter(f"/accept {friend.login}")
    screen.until_shown(f"● {friend.login}")
    screen.enter("/home")


def test_requests_stand_on_top_with_how_to_answer(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: A12 (partly), A17 (partly), A22 (partly), X01 (partly), X02 (partly)."""
    screen, login = terminal.registered(server)
    screen.until_shown("Nobody is here yet.")
    bells = screen.screen.bells
    bob.ask("PROFILE-UPDATE", name="Robert Smith", note="on vacation")
    bob.ask("FRIEND-REQUEST", login=login)
    lines = screen.until_shown(f"◆ Robert Smith ({bob.login})")
    at = lines.index("  Requests")
    assert lines[at + 2].startswith(f"    /friend accept {bob.login}, /friend refuse {bob.login}")
    assert screen.screen.bells > bells
    bob.say(login, "it is me")
    with newcomer(server.port, "mallory") as mallory:
        mallory.say(login, "cheap watches")
        lines = screen.until_shown(f"◆ {mallory.login}")
        assert lines.index("  Requests") < next(i for i, line in enumerate(lines) if mallory.login in line)
        assert not any("cheap watches" in line for line in lines)
    screen.enter(f"/friend accept {bob.login}")
    lines = screen.until_shown(f"● Robert Smith ({bob.login})")
    assert any("1 new  on vacation" in line for line in lines)
    assert "  Friends" in lines
    screen.enter("/to " + bob.login)
    screen.until_shown(f"Robert Smith ({bob.address})  ● online  on vacation")
    bob.send("PRESENCE", away=True)
    screen.until_shown("◐ away")
    bob.close()
    screen.until_shown("seen ")


def test_people_are_noted_grouped_and_ungrouped(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: M31 (partly), M39 (partly), M40 (partly), M41, X23 (partly)."""
    screen, login = terminal.registered(server)
    befriended(screen, login, bob)
    with newcomer(server.port, "carol") as carol:
        befriended(screen, login, carol)
        screen.enter(f'/contact set {bob.login} name="Bobby" group=Work/Kitchen')
        screen.enter(f"/contact set {carol.login} group=Work")
        lines = screen.until_shown("Work (2/2)")
        lines = screen.until_shown(f"● Bobby ({bob.login})")
        assert "    Kitchen (1/1)" in lines
        screen.enter("/ungroup Play")
        screen.until_shown("There is no group Play.")
        screen.type("\x03")
        screen.enter("/ungroup Work/Kitchen")
        screen.until_shown("1 contact: u ungroup, d delete and end friendships, Enter nothing:")
        screen.enter("u")
        screen.until_gone("Kitchen (1/1)")
        screen.enter("/ungroup Work")
        screen.until_shown("1 contact: u ungroup, d delete")
        screen.enter("d")
        screen.until_shown("Work: 1 contact deleted.")
        assert screen.until_gone(f"● {carol.login}")
        assert [one["id"] for one in carol.ask("CONTACTS-GET")["contacts"]] == []
    screen.type("/to bobb\t")
    screen.until_shown(f"> /to {bob.login}")


def test_commands_about_people_answer_in_sentences(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: M45 (partly), T22 (partly), T23 (partly), T30 (partly), T33 (partly), T36 (partly)."""
    screen, login = terminal.registered(server)
    befriended(screen, login, bob)
    screen.enter('/me name="Alice A." note="at work"')
    screen.until_shown("your profile: name: Alice A.; note: at work")
    screen.until_shown("shown as Alice A.")
    screen.enter(f"/profile {bob.login}")
    screen.until_shown(f"{bob.login}: nothing is said")
    screen.enter("/home")
    screen.enter("/who")
    screen.until(lambda lines: f"  {bob.login}" in lines, "who is online")
    screen.enter("/whosince 60")
    screen.until(lambda lines: lines.count(f"  {bob.login}") == 2, "who was online")
    screen.enter("/broadcast the veche is called")
    screen.until_shown("told to those who are online")
    assert bob.until("BROADCAST")[-1]["text"] == "the veche is called"
    bob.ask("BROADCAST", text="I come")
    screen.until_shown(f"{bob.login} to all: I come")
    screen.enter("/home")
    screen.enter(f"/block {bob.login}")
    screen.until_shown(f"✗ {bob.login}")
    screen.enter(f"/unblock {bob.login}")
    screen.until_shown(f"● {bob.login}")
    screen.enter("/friend hug bob")
    screen.until_shown("Write: /friend add|accept|refuse|ignore|cancel|remove NAME")


def test_who_leaves_the_keyboard_is_away_until_the_next_key(
    server: ServerProcess, terminal: Terminals, bob: Wire
) -> None:
    """Rows: X21 (partly)."""
    screen, login = terminal.registered(server)
    befriended(screen, login, bob)
    screen.enter("/away")
    screen.until_shown(f"◐ {login}, away")
    while bob.until("CONTACT-UPDATED")[-1].get("status") != "away":
        pass
    screen.type("x")
    screen.until_shown(f"● {login} │")
    assert bob.until("CONTACT-UPDATED")[-1]["status"] == "online"


def test_a_private_conversation_is_off_the_record(server: ServerProcess, terminal: Terminals) -> None:
    """Rows: T42 (partly), T43 (partly), T44 (partly), T47 (partly), T49 (partly), T54 (partly), X11 (partly)."""
    bob, b = terminal.registered(server, "bob")
    alice, a = terminal.registered(server)
    alice.enter(f"/friend add {b}")
    bob.until_shown(f"◆ {a}")
    bob.enter("/accept")
    bob.until_shown(f"● {a}")
    alice.enter(f"/to {b} for the record")
    alice.until_shown("✓")
    alice.enter("/private")
    alice.until_shown(f"Off the record with {b}: asked; waiting for the answer")
    bells = bob.screen.bells
    bob.until_shown(f"/accept {a}, /decline {a}")
    assert bob.screen.bells >= bells
    bob.type("half a line")
    bob.until_shown("> half a line")
    bob.type("\x15")
    bob.enter("/decline")
    alice.until_shown(f"{b} does not want to talk off the record now.")
    bob.until_gone("/decline")
    alice.enter(f"/private {b}")
    bob.until_shown(f"/accept {a}")
    bob.enter("/accept")
    lines = bob.until_shown(f"Off the record with {a}: open")
    assert f"{a} (off the record)>" in lines
    alice.until_shown(f"Off the record with {b}: open")
    alice.enter("a secret \x1b[2J")
    bob.until_shown("a secret")
    bob.enter("no one knows")
    lines = alice.until_shown("no one knows")
    assert not any("for the record" in line for line in lines)
    bob.enter("/home")
    bob.until_shown("You are")
    bells = bob.screen.bells
    alice.enter("another secret")
    lines = bob.until_shown(f"{a} off the record 1")
    assert not any("secret" in line for line in lines)
    assert bob.screen.bells > bells
    bob.type("\x1ba")
    bob.until_shown("another secret")
    bob.enter("/stopprivate")
    alice.until_shown(f"{b} has ended it.")
    alice.enter("typed too late")
    alice.until_shown("Nothing was sent: the private conversation is not open")
    alice.until_shown("> typed too late")
    alice.type("\x15")
    alice.enter(f"/to {b}")
    lines = alice.until_shown("for the record")
    assert not any("secret" in line or "too late" in line for line in lines)
    with Wire(server.port) as wire:
        wire.connect(b, device="another")
        assert [one["text"] for one in wire.ask("HISTORY-GET", peer=a)["messages"]] == ["for the record"]


def test_a_bell_is_muted_for_one_and_stays_so(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    screen, login = terminal.registered(server)
    befriended(screen, login, bob)
    screen.enter(f"/mute {bob.login}")
    screen.until_shown(f"The bell is off for {bob.login}.")
    screen.enter("/home")
    screen.until_shown("muted")
    screen.type("\x04")
    assert screen.wait() == 0
    again = terminal(f"{login}@127.0.0.1:{server.port}")
    again.until_shown("muted")
    bells = again.screen.bells
    bob.say(login, "quietly")
    again.until_shown("1 new, muted")
    assert again.screen.bells == bells
    again.enter(f"/unmute {bob.login}")
    again.until_shown(f"The bell is on for {bob.login}.")
    bob.say(login, "loudly")
    again.until_shown(f"unread: {bob.login} 2")
    assert again.screen.bells > bells


def test_without_a_server_the_list_is_there_and_the_terminal_goes_on_trying(
    own_server: ServerProcess, terminal: Terminals
) -> None:
    """Rows: M37."""
    with newcomer(own_server.port, "bob") as bob:
        screen, login = terminal.registered(own_server)
        befriended(screen, login, bob)
        screen.enter(f"/contact set {bob.login} group=Work")
        screen.until_shown("Work (1/1)")
        screen.type("\x04")
        assert screen.wait() == 0
    own_server.stop()
    again = terminal(f"{login}@127.0.0.1:{own_server.port}")
    lines = again.until_shown("reconnecting")
    again.until_shown("Nobody listens at")
    assert any(f"· {bob.login}" in line and "seen " in line for line in lines), lines
    assert "  Work (0/1)" in lines
    again.enter(f"/to {bob.login} written before there was a server")
    again.until_shown("written before there was a server")
    own_server.start()
    again.until_shown("✓")
    again.enter("/home")
    again.until_shown(f"○ {bob.login}")
    with Wire(own_server.port) as wire:
        wire.connect(bob.login, device="first")
        assert [one["text"] for one in wire.replayed if one["type"] == "MESSAGE"] == [
            "written before there was a server"
        ]
        again.until_shown(f"● {bob.login}")


def test_a_terminal_that_is_not_known_needs_its_server(own_server: ServerProcess, terminal: Terminals) -> None:
    own_server.stop()
    screen = terminal(f"alice@127.0.0.1:{own_server.port}")
    assert screen.wait() == 3
    assert "Nobody listens at" in "\n".join(screen.screen.lines)


def test_nothing_need_be_kept(server: ServerProcess, bob: Wire) -> None:
    """Rows: M38 (partly)."""
    terminal = Terminals(Path("/dev/null/veche"))
    try:
        login = unique("alice")
        screen = terminal(
            *(f"{login}@127.0.0.1:{server.port}", "--register", "--fingerprint", server.fingerprint),
            VECHE_PASSWORD="a password",
        )
        screen.until_shown(f"You are {login}@localhost.")
        screen.until_shown("So nothing is remembered")
        befriended(screen, login, bob)
        screen.enter("/bell off")
        screen.until_shown("bell: off")
        screen.type("\x04")
        assert screen.wait() == 0
    finally:
        terminal.close()


def test_who_follows_an_invite_link_lands_with_who_invited(
    server: ServerProcess, terminal: Terminals, bob: Wire
) -> None:
    """Rows: B134 (partly)."""
    command = [sys.executable, "-m", "veche.cli.main", "invite", "--data", str(server.data), "--from", bob.login]
    link = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    screen = terminal(link)
    screen.until_shown("Choose a name:")
    screen.enter(bob.login)
    screen.until_shown("Choose a password:")
    screen.enter("geheim")
    screen.until_shown("Once more:")
    screen.enter("geheim")
    screen.until_shown(f"The name {bob.login} is taken.")
    login = unique("alice")
    screen.until_shown("Choose another name:")
    screen.enter(login.capitalize())
    screen.until_shown(f"You are friends with {bob.login}, who has invited you.")
    screen.until_shown(f"{bob.login}@localhost  ● online")
    screen.enter("hello, and thank you")
    assert bob.until("MESSAGE")[-1]["text"] == "hello, and thank you"
    screen.type("\x04")
    assert screen.wait() == 0
    again = terminal(link.replace("//", f"//{login}@"))
    again.until_shown("You have an account here already, so this link was not needed.")
    again.until_shown(f"● {bob.login}")
    again.type("\x04")
    assert again.wait() == 0


def test_the_list_stands_beside_a_conversation_on_a_wide_screen(
    server: ServerProcess, terminal: Terminals, bob: Wire
) -> None:
    screen, login = terminal.registered(server, columns=120)
    befriended(screen, login, bob)
    screen.enter(f"/to {bob.login}")
    lines = screen.until(lambda lines: any(line.startswith("Friends ") for line in lines), "the list")
    assert any(line.startswith(f"● {bob.login}") and "│" in line for line in lines)
    bob.say(login, "a text")
    lines = screen.until_shown("a text")
    assert any(line[28:].startswith("│ ") and "a text" in line for line in lines)


def test_a_small_list_without_colours(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    screen, login = terminal.registered(server, columns=40, rows=12, NO_COLOR="1")
    befriended(screen, login, bob)
    screen.until_shown(f"● {bob.login}")
    screen.enter("/help")
    lines = screen.until_shown("Help")
    assert lines[1] == " Conversations:"
    screen.type("\x1b[6~")
    screen.until_gone(" Conversations:")
    screen.enter("")
    screen.until_shown("You are")
    assert not screen.colours
    assert all(len(line) <= 40 for line in screen.screen.lines)
