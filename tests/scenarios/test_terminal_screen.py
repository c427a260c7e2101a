"""The screen of `veche chat` on a real pseudo-terminal, against a real server: conversations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ServerProcess
from tests.support.terminal import PATIENCE_S, Terminals
from tests.support.wire import Wire, newcomer, unique


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminals]:
    terminals = Terminals(tmp_path / "state")
    yield terminals
    terminals.close()


def test_a_first_evening_from_the_certificate_to_goodbye(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: A07, A08 (partly), A09, T26 (partly), M12 (partly), M13."""
    login = unique("alice")
    screen = terminal(f"{login}@127.0.0.1:{server.port}")
    lines = screen.until_shown("Trust it from now on?")
    assert server.fingerprint in "".join("".join(lines).split())
    screen.enter("y")
    screen.until_shown(f"Password of {login} (Enter alone: make this account)")
    screen.enter("")
    screen.until_shown("Choose a password:")
    screen.enter("geheim")
    screen.until_shown("Once more:")
    screen.enter("gehiem")
    screen.until_shown("two different passwords")
    screen.enter("geheim")
    screen.until(lambda lines: sum("Once more:" in line for line in lines) == 2)
    screen.enter("geheim")
    lines = screen.until_shown(f"You are {login}@localhost.")
    assert not any("geheim" in line for line in lines)
    screen.enter(f"/to {bob.login} hello   there")
    lines = screen.until_shown("✓")
    assert any("you " in line and "hello   there" in line for line in lines)
    assert bob.expect("MESSAGE")["text"] == "hello   there"
    screen.type("\x04")
    assert screen.wait() == 0

    again = terminal(f"{login}@127.0.0.1:{server.port}")
    again.until_shown(bob.login)
    again.enter(f"/to {bob.login}")
    again.until_shown("hello   there")
    again.enter("/quit")
    assert again.wait() == 0


def test_a_half_typed_line_survives_what_arrives(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: T39."""
    screen, login = terminal.registered(server)
    screen.enter(f"/to {bob.login}")
    screen.until_shown(f"{bob.login}>")
    screen.type("half a line, not se")
    screen.until_shown("half a line, not se")
    for i in range(40):
        bob.say(login, f"message {i}")
    lines = screen.until_shown("message 39")
    assert f"{bob.login}> half a line, not se" in lines
    assert sum("half a line" in line for line in lines) == 1
    screen.enter("nt yet")
    screen.until_shown("half a line, not sent yet")
    assert bob.until("MESSAGE")[-1]["text"] == "half a line, not sent yet"


def test_escape_sequences_of_others_are_shown_not_obeyed(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: T39."""
    screen, login = terminal.registered(server)
    bob.say(login, "\x1b[2J\x1b[1;1Hgone\x1b]0;title\x07\x9b31m \u202egnp.exe")
    screen.enter(f"/to {bob.login}")
    lines = screen.until_shown("gone")
    assert any("␛[2J␛[1;1Hgone␛]0;title␇<9B>31m <202E>gnp.exe" in line for line in lines)


def test_how_far_a_message_has_come_and_who_is_typing(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: M14, M16, M21, M22."""
    screen, login = terminal.registered(server)
    screen.enter(f"/to {bob.login} are you there?")
    message_id = bob.until("MESSAGE")[-1]["id"]
    screen.until_shown(f"#{message_id} ✓")
    bob.send("MESSAGE-DELIVERED", id=message_id)
    screen.until_shown(f"#{message_id} ✓✓")
    bob.send("MESSAGE-READ", id=message_id)
    screen.until_shown(f"#{message_id} read")
    bob.send("TYPING-STARTED", to=login)
    screen.until_shown(f"{bob.login} is typing")
    bob.say(login, "yes")
    screen.until_gone("is typing")
    screen.until_shown("yes")
    read = bob.until("MESSAGE-READ")[-1]
    assert read["by"] == f"{login}@localhost", "the conversation is open, and somebody is at the keyboard"


def test_what_was_edited_taken_back_answered_and_reacted_to(
    server: ServerProcess, terminal: Terminals, bob: Wire
) -> None:
    screen, login = terminal.registered(server)
    screen.enter(f"/to {bob.login} frist")
    first = bob.until("MESSAGE")[-1]["id"]
    screen.until_shown(f"#{first}")
    screen.enter("/edit first")
    screen.until_shown("first (edited)")
    bob.say(login, "an answer", reply_to=first)
    lines = screen.until_shown("an answer")
    assert any("↪ you: first" in line for line in lines)
    screen.enter("/react 👍")
    screen.until_shown("👍 you")
    assert bob.until("REACTED")[-1]["emoji"] == "👍"
    screen.enter(f"/retract #{first}")
    screen.until_shown("taken back")
    assert bob.until("RETRACTED")[-1]["target"] == first
    screen.enter("/search answ")
    screen.until(lambda lines: sum("an answer" in line for line in lines) == 2)


def test_other_conversations_wait_in_the_bottom_line(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: M20."""
    screen, login = terminal.registered(server)
    screen.enter(f"/to {bob.login}")
    screen.until_shown(f"{bob.login}>")
    with newcomer(server.port, "carol") as carol:
        bells = screen.screen.bells
        carol.say(login, "psst")
        carol.say(login, "psst!")
        lines = screen.until_shown(f"unread: {carol.login} 2")
        assert not any("psst" in line for line in lines)
        assert screen.screen.bells > bells
        screen.type("\x1ba")
        lines = screen.until_shown("psst!")
        assert any(line.strip("─ ") == "new" for line in lines)
        screen.until_gone("unread:")
        screen.enter("/bell off")
        screen.until_shown("bell: off")
        bells = screen.screen.bells
        bob.say(login, "quietly")
        screen.until_shown(f"unread: {bob.login} 1")
        assert screen.screen.bells == bells


def test_refusals_are_sentences_and_the_line_stays(server: ServerProcess, terminal: Terminals) -> None:
    """Rows: T27 (partly), T38 (partly)."""
    screen, login = terminal.registered(server)
    screen.enter("to whom?")
    screen.until_shown("Whom to? /to NAME opens a conversation.")
    screen.until_shown("> to whom?")  # what was typed is not lost
    screen.type("\x03")
    screen.enter("/whatsthetime")
    screen.until_shown("There is no command /whatsthetime.")
    screen.type("\x03")
    screen.enter("/to nobody-of-this-name")
    screen.until_shown("Error. There is no such user.")
    screen.enter(f"/to {login}")
    screen.until_shown("Error. You cannot do this to yourself.")


def test_a_text_of_several_lines_is_pasted_as_one(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    screen, _ = terminal.registered(server)
    screen.enter(f"/to {bob.login}")
    screen.until_shown(f"{bob.login}>")
    screen.paste("one\r\ntwo\r\nthree")
    screen.until_shown("three")
    screen.type("\x1b\rfour")
    screen.until_shown("four")
    screen.enter("")
    assert bob.until("MESSAGE")[-1]["text"] == "one\ntwo\nthree\nfour"
    screen.type("\x1b[A")
    screen.until(lambda lines: any(line.startswith(f"{bob.login}> one") for line in lines), "the last line again")


def test_commands_and_names_are_completed(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    screen, login = terminal.registered(server)
    bob.say(login, "hi")
    screen.until_shown("1 new")
    screen.type("/unb")
    screen.until_shown("undo that")
    screen.type("\t")
    screen.until_shown("> /unblock")
    screen.type("\x15/to bo\t")
    screen.until_shown(f"> /to {bob.login}")


def test_older_messages_come_when_one_scrolls_up(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    """Rows: M20."""
    screen, login = terminal.registered(server)
    for i in range(130):
        bob.say(login, f"message {i};")
    screen.enter(f"/to {bob.login}")
    screen.until_shown("message 129;")
    end = time.monotonic() + PATIENCE_S
    while not any("message 0;" in line for line in screen.screen.lines):
        assert time.monotonic() < end
        screen.type("\x1b[5~")
        for _ in range(4):
            screen.pump()
    top = screen.until_shown("message 0;")
    bob.say(login, "something new")
    screen.until_shown("PageDown")
    assert [line for line in screen.screen.lines if "message" in line] == [line for line in top if "message" in line]
    screen.enter("/home")
    screen.until_shown("opens a conversation")


def test_what_is_written_while_away_is_sent_later(own_server: ServerProcess, terminal: Terminals) -> None:
    """Rows: M13."""
    with newcomer(own_server.port, "bob") as bob:
        bob_login = bob.login
    screen, login = terminal.registered(own_server)
    screen.enter(f"/to {bob_login}")
    screen.until_shown(f"{bob_login}>")
    own_server.stop()
    screen.until_shown("reconnecting")
    screen.enter("written while away")
    lines = screen.until_shown("written while away")
    assert any(line.endswith("…") for line in lines if "written while away" in line)
    own_server.start()
    screen.until(lambda lines: any(line.endswith("✓") for line in lines), "that it was stored")
    screen.until_shown(f"● {login}")
    with Wire(own_server.port) as wire:
        wire.connect(bob_login, device="first")
        assert [one["text"] for one in wire.replayed] == ["written while away"]


def test_a_new_password_is_asked_for_without_showing_it(server: ServerProcess, terminal: Terminals) -> None:
    screen, login = terminal.registered(server)
    screen.enter("/password")
    for question, answer in (("Old password:", "a password"), ("New password:", "geheim"), ("Once more:", "geheim")):
        screen.until_shown(question)
        screen.enter(answer)
    lines = screen.until_shown("The password is changed.")
    assert not any("geheim" in line for line in lines)
    screen.enter("/password")
    screen.until_shown("Old password:")
    screen.type("\x03")
    screen.until_gone("Old password:")
    screen.enter("/quit")
    assert screen.wait() == 0
    with Wire(server.port) as wire:
        assert wire.scram(login, "geheim")["type"] == "CONNECT-OK"


def test_an_account_can_be_exported_and_deleted(server: ServerProcess, terminal: Terminals, tmp_path: Path) -> None:
    screen, _ = terminal.registered(server)
    screen.enter(f"/export {tmp_path / 'export'}")
    screen.until_shown("Written to")
    assert (tmp_path / "export").read_bytes().startswith(b'{"type":"ACCOUNT-EXPORT-OK"')
    screen.enter(f"/export {tmp_path / 'export'}")
    screen.until_shown("File exists")
    screen.enter("/delete-account")
    screen.until_shown("Your password, or Ctrl-C")
    screen.enter("a password")
    assert screen.wait() == 1
    assert "This account was deleted." in "\n".join(screen.screen.lines)
    assert list(terminal.state.rglob("*.contacts")) == [], "nor are the people remembered whom it knew"


def test_a_session_that_is_revoked_leaves_the_screen_with_a_sentence(
    server: ServerProcess, terminal: Terminals
) -> None:
    """Rows: X05 (partly)."""
    screen, login = terminal.registered(server)
    with Wire(server.port) as wire:
        wire.connect(login, device="other")
        sessions = wire.ask("SESSIONS-GET")["sessions"]
        wire.ask("SESSIONS-REVOKE", device=next(one["device"] for one in sessions if one["device"] != "other"))
    assert screen.wait() == 1
    assert "This session was revoked." in "\n".join(screen.screen.lines)


def test_a_small_screen_without_colours(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    screen, login = terminal.registered(server, columns=32, rows=10, NO_COLOR="1")
    bob.say(login, "a text that does not fit into a line of this screen")
    screen.enter(f"/to {bob.login}")
    lines = screen.until_shown("line of this screen")
    assert "  a text that does not fit into" in lines
    assert not screen.colours


def test_colours_are_there_when_nobody_objects(server: ServerProcess, terminal: Terminals, bob: Wire) -> None:
    screen, login = terminal.registered(server)
    bob.say(login, "hi")
    screen.enter(f"/to {bob.login}")
    screen.until_shown(f"{bob.login} hi")
    assert screen.colours


def test_a_certificate_that_is_not_trusted_ends_it(server: ServerProcess, terminal: Terminals) -> None:
    """Rows: A08 (partly)."""
    screen = terminal(f"alice@127.0.0.1:{server.port}")
    screen.until_shown("Trust it from now on?")
    screen.enter("")
    assert screen.wait() == 4
    assert "Not trusted" in "\n".join(screen.screen.lines)


def test_a_wrong_password_may_be_typed_again(server: ServerProcess, terminal: Terminals, alice: Wire) -> None:
    """Rows: A11, T09 (partly)."""
    screen = terminal(f"{alice.login}@127.0.0.1:{server.port}", "--fingerprint", server.fingerprint)
    screen.until_shown("Password of")
    screen.enter("wrong")
    screen.until_shown("Wrong login or password.")
    screen.until(lambda lines: sum("Password of" in line for line in lines) == 2)
    screen.enter("a password")
    screen.until_shown(f"You are {alice.login}@localhost.")
