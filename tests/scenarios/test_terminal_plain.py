"""`veche chat --plain` against a real server: the transcripts that a script sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chat import PATIENCE_S, Chats
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer, unique


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chats]:
    chats = Chats(tmp_path / "state")
    yield chats
    chats.close()


def test_two_people_register_and_talk(server: ServerProcess, chat: Chats) -> None:
    """Rows: T26 (partly), M13, M14, M16, M24, M26, A07, A11."""
    alice_login, bob_login = unique("alice"), unique("bob")
    alice, bob = chat(server, alice_login, "--register"), chat(server, bob_login, "--register")
    assert alice.line() == f"the account {alice_login}@localhost is made"
    assert bob.line() == f"the account {bob_login}@localhost is made"
    alice.write(f"message {bob_login}   hello   there")
    sent = alice.line()
    assert sent.startswith("sent ")
    assert bob.until(f"{alice_login}:")[-1] == f"{alice_login}:   hello   there"
    assert alice.line() == f"delivered to {bob_login}"
    bob.write(f"read {alice_login}")
    assert alice.line() == f"read by {bob_login}"
    message_id = sent.removeprefix("sent ")
    bob.write(f"react {message_id} 👍", f"reply {message_id} hi")
    assert alice.until(f"{bob_login}: ") == [
        f"{bob_login} reacted 👍 to {message_id}",
        f"{bob_login}: (to {message_id}) hi",
    ]
    alice.write(f"edit {message_id} hello again", f"retract {message_id}")
    assert bob.until(f"{alice_login} took back")[-2:] == [
        f"{alice_login} edited {message_id}: hello again",
        f"{alice_login} took back {message_id}",
    ]
    assert (alice.end(), bob.end()) == (0, 0)


def test_with_json_every_line_is_a_packet(server: ServerProcess, chat: Chats, bob: Wire) -> None:
    """Rows: M10, M14, M15, T38 (partly)."""
    login = unique("alice")
    alice = chat(server, login, "--json", "--register")
    types = [json.loads(alice.line())["type"] for _ in range(5)]
    assert types == ["HELLO", "REGISTER-OK", "CONNECT-OK", "SNAPSHOT", "REPLAY-END"]
    alice.write("message nobody-of-this-name hi")
    assert alice.packet("MESSAGE-SEND-FAILED")["code"] == "unknown-user"
    alice.write(f"message {bob.login} hi")
    sent = alice.packet("MESSAGE-SENT")
    run, counter = sent["cookie"].rsplit("-", 1)
    assert run
    assert counter.isdigit()
    assert bob.expect("MESSAGE", text="hi")["id"] == sent["id"]
    alice.write(f'{{"type":"MESSAGE","to":"{bob.login}","text":"two\\nlines"}}')
    bob.expect("MESSAGE", text="two\nlines")
    bob.say(login, "an answer")
    assert alice.packet("MESSAGE")["text"] == "an answer"
    alice.write(f"history {bob.login} 2")
    page = alice.packet("HISTORY-GET-OK")
    assert [one["text"] for one in page["messages"]] == ["two\nlines", "an answer"]
    alice.write(f"search {bob.login} answ")
    assert [one["text"] for one in alice.packet("SEARCH-OK")["messages"]] == ["an answer"]
    alice.write("logout", f"message {bob.login} never sent")
    assert alice.wait() == 0
    bob.expect_nothing(but=("MESSAGE-DELIVERED",))


def test_a_line_that_is_no_command_is_an_error_packet(server: ServerProcess, chat: Chats) -> None:
    """Rows: T38 (partly)."""
    alice = chat(server, unique("alice"), "--json", "--register")
    alice.packet("REPLAY-END")
    alice.write("whatsthetime", "message", "read nobody", f"message bob {'x' * 20_000}")
    reasons = [alice.packet("ERROR") for _ in range(4)]
    assert [one["code"] for one in reasons] == ["bad-request", "bad-request", "unknown-message", "too-large"]
    assert all(one["reason"] for one in reasons)
    assert alice.end() == 0


def test_who_was_away_gets_everything_once_and_in_order(server: ServerProcess, chat: Chats, bob: Wire) -> None:
    """Rows: T29 (partly), M19."""
    login = unique("alice")
    assert chat(server, login, "--register").end() == 0
    for i in range(30):
        bob.say(login, f"message {i}")
    again = chat(server, login)
    assert [line for line in again.until(f"{bob.login}: message 29") if ":" in line] == [
        f"{bob.login}: message {i}" for i in range(30)
    ]
    assert again.end() == 0
    third = chat(server, login)
    assert third.end() == 0
    assert third.rest() == [f"30 unread from {bob.login}"], "nothing comes twice"


def test_the_end_of_the_input_waits_for_the_answers(server: ServerProcess, chat: Chats, bob: Wire) -> None:
    alice = chat(server, unique("alice"), "--register")
    alice.write(*(f"message {bob.login} {i}" for i in range(500)))
    assert alice.end() == 0
    assert sum(line.startswith("sent ") for line in alice.rest()) == 500
    got = [bob.expect("MESSAGE")["text"] for _ in range(500)]
    assert got == [str(i) for i in range(500)]


def test_a_script_may_write_as_fast_as_it_likes(tmp_path: Path, chat: Chats) -> None:
    """A window of requests on the way, and reading that stops while it is full; twenty thousand lines a second."""
    server = ServerProcess(tmp_path / "data", "--registration", "open", "--message-rate", "0").start()
    try:
        with newcomer(server.port, "bob") as bob:
            alice = chat(server, unique("alice"), "--register")
            alice.until("the account")
            total = 20_000
            started = time.monotonic()
            alice.write(*(f"message {bob.login} line {i}" for i in range(total)))
            assert alice.end() == 0
            lasted_s = time.monotonic() - started
            lines = alice.rest()
            assert sum(line.startswith("sent ") for line in lines) == total
            assert lasted_s < 20, "a slow machine takes long, but not so long"
    finally:
        server.stop()


def test_a_server_that_is_killed_loses_nothing_and_doubles_nothing(own_server: ServerProcess, chat: Chats) -> None:
    """Rows: M13, M19."""
    alice_login, bob_login = unique("alice"), unique("bob")
    bob = chat(own_server, bob_login, "--json", "--register")
    bob.packet("REPLAY-END")
    alice = chat(own_server, alice_login, "--json", "--register")
    alice.packet("REPLAY-END")
    alice.write(*(f"message {bob_login} {i}" for i in range(2000)))
    bob.packet("MESSAGE")
    own_server.kill()
    own_server.start()
    texts = ["0"]
    while texts[-1] != "1999":
        texts.append(bob.packet("MESSAGE")["text"])
    assert texts == [str(i) for i in range(2000)]
    assert alice.end() == 0
    assert sum('"MESSAGE-SENT"' in line for line in alice.rest()) == 2000
    assert any("reconnecting" in line for line in alice.complained)
    assert sum("connected as" in line for line in alice.complained) == 2
    assert bob.end() == 0


def test_a_wrong_password_is_refused(server: ServerProcess, chat: Chats) -> None:
    """Rows: A11, T09 (partly)."""
    login = unique("alice")
    assert chat(server, login, "--register").end() == 0
    wrong = chat(server, login, password="wrong")
    assert wrong.wait() == 1
    assert wrong.complained == ["veche chat: Wrong login or password. Check both, or make the account with --register."]


def test_registering_an_account_that_is_mine_just_logs_in(server: ServerProcess, chat: Chats) -> None:
    """Rows: M25."""
    login = unique("alice")
    assert chat(server, login, "--register").end() == 0
    again = chat(server, login, "--json", "--register")
    assert json.loads(again.line())["type"] == "HELLO"
    assert json.loads(again.line())["type"] == "CONNECT-OK"
    assert again.end() == 0


def test_registering_a_name_that_is_taken_is_refused(server: ServerProcess, chat: Chats, bob: Wire) -> None:
    """Rows: M25."""
    taken = chat(server, bob.login, "--json", "--register", password="not bob's")
    assert taken.wait() == 1
    assert json.loads(taken.rest()[-1])["code"] == "login-taken"
    assert "This name is taken" in taken.complained[-1]


def test_registration_that_is_closed_says_what_to_do(tmp_path: Path, chat: Chats) -> None:
    """Rows: M12 (partly), M25."""
    server = ServerProcess(tmp_path / "data", "--registration", "closed").start()
    try:
        code = next(line.split("--code ")[1].split()[0] for line in server.said if "--code" in line)
        refused = chat(server, "alice", "--register")
        assert refused.wait() == 1
        assert "--code" in refused.complained[-1]
        wrong = chat(server, "alice", "--register", "--code", "wrong")
        assert wrong.wait() == 1
        assert "not valid" in wrong.complained[-1]
        assert chat(server, "alice", "--register", "--code", code).end() == 0
        assert chat(server, "alice", "--register", "--code", code).end() == 0, "a second start of the same script"
    finally:
        server.stop()


def test_a_terminal_logs_in_again_without_the_password(server: ServerProcess, chat: Chats) -> None:
    """Rows: X05 (partly)."""
    login = unique("alice")
    first = chat(server, login, "--json", "--register")
    device = first.packet("CONNECT-OK")["device"]
    assert first.end() == 0
    again = chat(server, login, "--json", password=None)
    assert again.packet("CONNECT-OK")["device"] == device
    other = chat(server, login, "--json")
    assert other.packet("CONNECT-OK")["device"] != device, "two terminals at once are two devices"
    other.write(f"revoke {device}")
    assert other.packet("SESSIONS-REVOKE-OK")["device"] == device
    assert again.wait() == 1
    assert "revoked" in again.complained[-1]
    assert other.end() == 0
    late = chat(server, login, password=None)
    assert late.wait() == 2
    assert "VECHE_PASSWORD" in late.complained[-1]


def test_an_access_token_logs_in(server: ServerProcess, chat: Chats, tmp_path: Path) -> None:
    login = unique("alice")
    alice = chat(server, login, "--json", "--register")
    alice.write("token bot")
    token = tmp_path / "token"
    token.write_text(alice.packet("TOKEN-CREATE-OK")["token"])
    bot = chat(server, "", "--json", "--token-file", str(token), password=None)
    assert bot.packet("CONNECT-OK")["login"].startswith(f"{login}@")
    assert (bot.end(), alice.end()) == (0, 0)


def test_tokens_of_two_accounts_do_not_share_a_place(server: ServerProcess, chat: Chats, tmp_path: Path) -> None:
    with newcomer(server.port, "carol") as carol, newcomer(server.port, "dave", device="bot") as dave:
        for wire, name in ((carol, "one"), (dave, "two")):
            (tmp_path / name).write_text(wire.ask("TOKEN-CREATE", name="bot")["token"])
        dave.say(carol.login, "first")
        carol.expect("MESSAGE")
        carol.say(dave.login, "second")
        dave.expect("MESSAGE")
        for name, text in (("two", "second"), ("one", "first")):
            bot = chat(server, "", "--token-file", str(tmp_path / name), password=None)
            assert bot.until_text(text)
            assert bot.end() == 0


def test_nobody_there_is_exit_code_3(chat: Chats, own_server: ServerProcess) -> None:
    own_server.stop()
    nobody = chat(own_server, "alice")
    assert nobody.wait() == 3
    assert nobody.complained == [f"veche chat: Nobody listens at 127.0.0.1:{own_server.port}. Is the server running?"]


def test_another_certificate_is_exit_code_4_and_loud(own_server: ServerProcess, chat: Chats) -> None:
    """Rows: A08 (partly)."""
    login = unique("alice")
    first = chat(own_server, login, "--register")
    assert first.end() == 0
    assert own_server.fingerprint in "\n".join(first.complained), "trusted on first use, and said"
    own_server.stop()
    for name in ("certificate.pem", "key.pem"):
        (own_server.data / name).unlink()
    own_server.start()
    changed = chat(own_server, login)
    assert changed.wait() == 4
    assert "HAS CHANGED" in changed.complained[-1]
    assert own_server.fingerprint in changed.complained[-1]
    assert "known_servers.json" in changed.complained[-1]
    assert chat(own_server, login, "--fingerprint", own_server.fingerprint).end() == 0
    assert chat(own_server, login).end() == 0, "what was given with --fingerprint is trusted from then on"
    wrong = chat(own_server, login, "--fingerprint", "00" * 32)
    assert wrong.wait() == 4


def test_insecure_says_what_it_does(own_server: ServerProcess, chat: Chats) -> None:
    insecure = chat(own_server, unique("alice"), "--register", "--insecure")
    assert insecure.end() == 0
    assert "not checked" in insecure.complained[0]
    assert not (chat.state / "known_servers.json").exists()


def test_plain_text_works_on_this_machine(server: ServerProcess, chat: Chats) -> None:
    """Rows: A08 (partly)."""
    alice = chat(server, unique("alice"), "--register", "--no-tls")
    assert alice.end() == 0
    assert not any("certificate" in line for line in alice.complained)


def test_typing_blocking_and_devices(server: ServerProcess, chat: Chats, bob: Wire) -> None:
    """Rows: M21, M23, T33 (partly), T36 (partly)."""
    login = unique("alice")
    alice = chat(server, login, "--register")
    alice.until("the account")
    alice.write(f"typing {bob.login}", f"typing {bob.login} end")
    bob.expect("TYPING-STARTED")
    bob.expect("TYPING-END")
    bob.send("TYPING-STARTED", to=login)
    assert alice.line() == f"{bob.login} is typing"
    bob.send("TYPING-END", to=login)
    assert alice.line() == f"{bob.login} stopped typing"
    alice.write(f"block {bob.login}")
    assert alice.line() == f"{bob.login} is blocked"
    alice.write(f"unblock {bob.login}", f"unblock {bob.login}")
    assert alice.line() == f"{bob.login} is unblocked"
    assert alice.line() == f"Error. {bob.login} was not blocked."
    alice.write("sessions")
    assert alice.line().endswith("this device")
    assert alice.end() == 0


def test_input_that_is_not_utf_8_and_never_ends_a_line(server: ServerProcess, chat: Chats, bob: Wire) -> None:
    alice = chat(server, unique("alice"), "--register")
    alice.until("the account")
    assert alice.process.stdin is not None
    alice.process.stdin.write(f"message {bob.login} ".encode() + b"\xff\xfe broken\r\n" + b"x" * 600_000)
    assert alice.end() == 0
    assert bob.expect("MESSAGE")["text"] == "\ufffd\ufffd broken"
    assert any(line.startswith("Error. ") for line in alice.rest())


def test_nobody_reading_the_output_ends_the_terminal(server: ServerProcess, tmp_path: Path, bob: Wire) -> None:
    login = unique("alice")
    alice = subprocess.Popen(
        [
            *(sys.executable, "-m", "veche.cli.main", "chat", "--plain", "--register"),
            *("--state-dir", str(tmp_path / "state"), f"{login}@127.0.0.1:{server.port}"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "VECHE_PASSWORD": "a password"},
    )
    assert alice.stdout is not None
    assert alice.stdout.readline() == f"the account {login}@localhost is made\n".encode()
    alice.stdout.close()
    bob.say(login, "one")
    assert alice.wait(PATIENCE_S) == 1
    _, complained = alice.communicate()
    assert b"Traceback" not in complained
