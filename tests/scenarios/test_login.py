"""Accounts and logging in, on a real server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import unicodedata

import pytest

from tests.support.server import ServerProcess
from tests.support.wire import ANY, Wire, newcomer, unique


def test_hello_tells_what_the_server_is_before_login(server: ServerProcess) -> None:
    """Rows: M10, M11 (partly), M60."""
    with Wire(server.port) as wire:
        wire.send("HELLO", versions=[1], client="a test", tag="h")
        hello = wire.expect("HELLO", server="localhost", registration="open", federated=False, tag="h")
        assert "SCRAM-SHA-256-PLUS" in hello["mechanisms"]
        assert hello["limits"]["line_bytes"] == 65_536


def test_an_account_is_made_and_logs_in(server: ServerProcess) -> None:
    """Rows: A09, A11, M04, M05, M07, M08, M24, M26, X03."""
    login = unique("new")
    with Wire(server.port) as wire:
        assert wire.register(login, "pass") == {"type": "REGISTER-OK", "login": f"{login}@localhost"}
        assert wire.connect(login, "pass").address == f"{login}@localhost"
    with Wire(server.port) as wire:
        assert wire.scram(f"{login}@localhost", "pass")["type"] == "CONNECT-OK"


def test_registration_refuses_what_is_wrong_and_says_why(server: ServerProcess, alice: Wire) -> None:
    """Rows: A09, M25."""
    with Wire(server.port) as wire:
        assert wire.register(alice.login)["code"] == "login-taken"
        refused = wire.register("has space")
        assert (refused["code"], refused["reason"]) == ("bad-login", "A name may not have spaces.")
        assert wire.register("a@elsewhere.example")["code"] == "bad-login"
        wire.send("REGISTER", login="x", tag="q")
        wire.expect("REGISTER-FAILED", code="bad-request", tag="q")
        wire.send("REGISTER", login="x", password="")
        wire.expect("REGISTER-FAILED", code="bad-request")


SPELLINGS = [
    ("Vasya{}", "vasya{}", "VASYA{}"),
    ("Zoe\u0301{}", "zo\u00e9{}", "ZO\u00c9{}"),
    ("\uff4d\uff41\uff52\uff4b{}", "mark{}", "\uff2dARK{}"),
    ("Пётр{}", "п\u0435\u0308тр{}", "ПЁТР{}"),
]
"""What one person registers, then two other spellings of it; all are one login."""


@pytest.mark.parametrize("spellings", SPELLINGS)
def test_spellings_of_one_name_are_one_account(server: ServerProcess, alice: Wire, spellings: tuple[str, ...]) -> None:
    """Rows: A09, M04."""
    number = unique("")
    names = [one.format(number) for one in spellings]
    address = unicodedata.normalize("NFKC", names[0]).lower() + "@localhost"
    with Wire(server.port) as wire:
        assert wire.register(names[0])["login"] == address
        for name in names:
            assert wire.register(name)["code"] == "login-taken"
        assert wire.scram(names[0], "A passworD")["code"] == "wrong-credentials"
    for name in names:
        with Wire(server.port).connect(name, device="first") as person:
            assert person.address == address
            alice.say(name, "hello")
            assert person.expect("MESSAGE", text="hello")["to"] == address


@pytest.mark.parametrize("spellings", SPELLINGS)
def test_the_scram_message_may_write_the_name_as_it_was_typed(
    server: ServerProcess, spellings: tuple[str, ...]
) -> None:
    """SCRAM by hand: the server compares names by its rule, and proves what the client has sent, byte by byte.

    Rows: M04, M05, M07, M08.
    """
    number = unique("")
    registered, typed, other = (one.format(number) for one in spellings)
    with Wire(server.port) as wire:
        wire.register(registered)
        wire.send("CONNECT", login=typed, message=f"n,,n={other},r=abc")
        ack = wire.expect("CONNECT-ACK")
        salted = hashlib.pbkdf2_hmac("sha256", b"a password", base64.b64decode(ack["salt"]), ack["iterations"])
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        asked = f"n={other},r=abc,r={ack['nonce']},s={ack['salt']},i={ack['iterations']},c=biws,r={ack['nonce']}"
        signature = hmac.digest(hashlib.sha256(client_key).digest(), asked.encode(), "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        wire.send("CONNECT-CONTINUE", hash=base64.b64encode(proof).decode())
        answer = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), asked.encode(), "sha256")
        wire.expect("CONNECT-OK", signature=base64.b64encode(answer).decode())
    with Wire(server.port) as wire:
        wire.send("CONNECT", login=typed, message=f"n,,n=x{other},r=abc")
        wire.expect("CONNECT-FAILED", code="bad-request")


def test_failures_are_counted_by_person_not_by_spelling(server: ServerProcess) -> None:
    """Rows: T10 (partly)."""
    number = unique("")
    with Wire(server.port) as wire:
        wire.register(f"lena{number}")
        codes = [wire.scram(name + number, "wrong")["code"] for name in ("lena", "Lena", "ＬＥＮＡ")]
        assert codes == ["wrong-credentials", "wrong-credentials", "locked"]


def test_channel_binding_ties_the_login_to_the_certificate(server: ServerProcess, alice: Wire) -> None:
    """Rows: X03."""
    with Wire(server.port) as wire:
        binding = hashlib.sha256(wire.der).digest()
        answer = wire.scram(alice.login, "a password", mechanism="SCRAM-SHA-256-PLUS", binding=binding)
        assert answer["type"] == "CONNECT-OK"
    with Wire(server.port) as wire:
        other = hashlib.sha256(b"a man in the middle's certificate").digest()
        answer = wire.scram(alice.login, "a password", mechanism="SCRAM-SHA-256-PLUS", binding=other)
        assert answer["code"] == "wrong-credentials"


def test_a_replayed_proof_does_not_log_in(server: ServerProcess) -> None:
    """Rows: M06."""
    login = unique("replay")
    with Wire(server.port) as wire:
        wire.register(login)
    from veche.core.scram import ClientScram

    with Wire(server.port) as wire:
        client = ClientScram(login, "a password", "fixednonce")
        wire.send("CONNECT", login=login, message=client.first())
        ack = wire.expect("CONNECT-ACK")
        proof = client.answer(ack["salt"], ack["iterations"], ack["nonce"])
        wire.send("CONNECT-CONTINUE", hash=proof)
        wire.expect("CONNECT-OK")
    with Wire(server.port) as wire:
        wire.send("CONNECT", login=login, message=client.first())
        assert wire.expect("CONNECT-ACK")["nonce"] != ack["nonce"]
        wire.send("CONNECT-CONTINUE", hash=proof)
        wire.expect("CONNECT-FAILED", code="wrong-credentials")


def test_an_unknown_name_gets_the_same_answers_as_a_known_one(server: ServerProcess, alice: Wire) -> None:
    """Rows: M05, M09, X03."""
    answers: dict[str, list[dict[str, object]]] = {}
    unknown = unique("ghost")
    for login in (alice.login, unknown, unknown):
        with Wire(server.port) as wire:
            wire.send("CONNECT", login=login, message=f"n,,n={login},r=abc")
            ack = wire.expect("CONNECT-ACK", salt=ANY, iterations=4096, nonce=ANY)
            wire.send("CONNECT-CONTINUE", hash="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            answers.setdefault(login, []).extend([ack, wire.expect("CONNECT-FAILED")])
    known, ghost = answers[alice.login], answers[unknown]
    assert set(known[0]) == set(ghost[0])
    assert len(str(known[0]["salt"])) == len(str(ghost[0]["salt"]))
    assert len(str(known[0]["nonce"])) == len(str(ghost[0]["nonce"]))
    assert known[1] == ghost[1] == ghost[3]
    assert ghost[0]["salt"] == ghost[2]["salt"]


def test_an_unknown_name_takes_the_same_time_as_a_known_one(own_server: ServerProcess) -> None:
    """The medians differ by less than half; a missing hash or look-up would show as a factor.  Rows: M05, X03."""
    own_server.stop()
    own_server.flags = (*own_server.flags, "--block-duration", "0")
    own_server.start()
    with newcomer(own_server.port, "timed") as known:
        taken: dict[str, list[float]] = {known.login: [], "not-" + known.login: []}
        wire = known
        for n in range(200):
            if n % 40 == 0:  # a connection that is not logged in has a budget of packets
                wire = Wire(own_server.port)
            for login, times in taken.items():
                start = time.perf_counter()
                wire.send("CONNECT", login=login, message=f"n,,n={login},r=abc")
                wire.expect("CONNECT-ACK")
                wire.send("CONNECT-CONTINUE", hash="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
                wire.expect("CONNECT-FAILED")
                times.append(time.perf_counter() - start)
        one, other = (sorted(times)[100] for times in taken.values())
        assert max(one, other) / min(one, other) < 1.5


def test_three_failures_lock_the_account_for_a_while_also_for_the_right_password(server: ServerProcess) -> None:
    """Rows: T10 (partly), T11 (partly), T12 (partly), M09."""
    login = unique("locked")
    with Wire(server.port) as wire:
        wire.register(login)
        assert wire.scram(login, "wrong")["code"] == "wrong-credentials"
        assert wire.scram(login, "wrong")["code"] == "wrong-credentials"
        third = wire.scram(login, "wrong")
        assert third["code"] == "locked"
        assert 0 < third["retry_after_s"] <= 2
    with Wire(server.port) as wire:
        assert wire.scram(login, "a password")["code"] == "locked"
        time.sleep(2.1)  # --block-duration 2: the one thing here that only real time shows
        assert wire.scram(login, "a password")["type"] == "CONNECT-OK"


def test_a_token_logs_a_bot_in_until_it_is_revoked(server: ServerProcess, alice: Wire) -> None:
    """Rows: X03 (partly)."""
    created = alice.ask("TOKEN-CREATE", name="weather bot")
    assert created["type"] == "TOKEN-CREATE-OK"
    with Wire(server.port) as bot:
        bot.send("CONNECT", mechanism="TOKEN", token=created["token"])
        bot.connected(bot.receive())
        assert bot.login == alice.login
        alice.ask("TOKEN-REVOKE", id=created["id"])
        assert bot.until("GOODBYE")[-1]["code"] == "revoked"
        assert bot.is_closed()
    assert alice.ask("TOKEN-LIST")["tokens"] == []
    with Wire(server.port) as bot:
        bot.send("CONNECT", login=alice.login, mechanism="TOKEN", token=created["token"])
        bot.expect("CONNECT-FAILED", code="wrong-credentials")


def test_token_create_of_the_command_line_logs_in_while_the_server_runs(own_server: ServerProcess) -> None:
    """Rows: X03 (partly)."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "veche.cli.main", "token", "create", "--data", str(own_server.data)]
    with newcomer(own_server.port, "botty") as owner:
        made = subprocess.run([*command, owner.login.upper()], capture_output=True, text=True, timeout=30)
        assert made.returncode == 0, made.stderr
        with Wire(own_server.port) as bot:
            bot.send("CONNECT", login=owner.login, mechanism="TOKEN", token=made.stdout.strip())
            bot.connected(bot.receive())
    refused = subprocess.run([*command, "nobody"], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1
    assert "no account" in refused.stderr


def test_a_dropped_session_is_resumed_without_loss(server: ServerProcess, alice: Wire) -> None:
    """Rows: X05 (partly), T29 (partly)."""
    moe = newcomer(server.port, "moe", device="phone")
    first = alice.say(moe.login, "before the tunnel")
    moe.expect("MESSAGE")
    moe.send("MESSAGE-DELIVERED", id=first["id"])
    moe.expect_nothing()
    moe.kill()
    alice.say(moe.login, "in the tunnel")
    with Wire(server.port).resumed(moe.resume) as again:
        assert again.login == moe.login
        assert [one["text"] for one in again.replayed] == ["in the tunnel"]


def test_a_resumption_token_is_worth_nothing_when_changed_or_revoked(server: ServerProcess, alice: Wire) -> None:
    """Rows: X03 (partly)."""
    other = Wire(server.port).connect(alice.login, device="lost phone")
    names = {one["device"]: one for one in alice.ask("SESSIONS-GET")["sessions"]}
    assert names["lost phone"]["online"] is True
    assert names["first"]["current"] is True
    assert alice.ask("SESSIONS-REVOKE", device="lost phone")["type"] == "SESSIONS-REVOKE-OK"
    assert other.until("GOODBYE")[-1]["code"] == "revoked"
    for token in (other.resume, alice.resume[:-2] + "AA", "vr_1.1.", "vr_..", "x" * 1000, "vr_9" * 30):
        with Wire(server.port) as wire:
            wire.send("CONNECT", mechanism="RESUME", token=token)
            answer = wire.expect("CONNECT-FAILED")
            assert answer["code"] in ("wrong-credentials", "locked")
    assert alice.ask("SESSIONS-REVOKE", device="lost phone")["code"] == "unknown-id"


def test_the_same_device_again_replaces_the_older_link(server: ServerProcess, alice: Wire) -> None:
    """Rows: X05 (partly)."""
    with Wire(server.port).connect(alice.login, device="first"):
        assert alice.until("GOODBYE")[-1]["code"] == "replaced"
        assert alice.is_closed()


def test_a_new_password_ends_the_other_sessions_and_the_old_password(server: ServerProcess) -> None:
    """Rows: X03."""
    with newcomer(server.port, "ned", device="one") as ned:
        other = Wire(server.port).connect(ned.login, device="two")
        assert ned.ask("PASSWORD-CHANGE", old_password="wrong", password="n")["code"] == "wrong-credentials"
        changed = ned.ask("PASSWORD-CHANGE", old_password="a password", password="new one")
        assert changed["type"] == "PASSWORD-CHANGE-OK"
        assert other.until("GOODBYE")[-1]["code"] == "revoked"
        with Wire(server.port) as wire:
            wire.send("CONNECT", mechanism="RESUME", token=other.resume)
            wire.expect("CONNECT-FAILED")
        with Wire(server.port) as wire:
            assert wire.scram(ned.login, "a password")["code"] == "wrong-credentials"
        with Wire(server.port) as wire:
            wire.connect(ned.login, "new one", device="three")
        with Wire(server.port) as wire:
            wire.resumed(changed["resume"])


def test_a_deleted_account_is_gone_and_its_name_is_not_given_out_again(server: ServerProcess, alice: Wire) -> None:
    """Rows: A10 (partly)."""
    with newcomer(server.port, "olga") as olga:
        login = olga.login
        olga.say(alice.login, "remember me")
        alice.expect("MESSAGE")
        assert olga.ask("ACCOUNT-DELETE", password="wrong")["code"] == "wrong-credentials"
        olga.send("ACCOUNT-DELETE", password="a password")
        olga.expect("ACCOUNT-DELETE-OK")
        olga.expect("GOODBYE", code="account-deleted")
    with Wire(server.port) as wire:
        assert wire.scram(login, "a password")["code"] == "wrong-credentials"
        assert wire.register(login)["code"] == "login-taken"
    alice.send("MESSAGE", to=login, text="are you there?")
    alice.expect("MESSAGE-SEND-FAILED", code="unknown-user")


def test_an_export_holds_everything(alice: Wire, bob: Wire) -> None:
    """Rows: A10 (partly)."""
    alice.say(bob.login, "one")
    bob.say(alice.login, "two")
    export = bob.ask("ACCOUNT-EXPORT")
    assert export["login"] == bob.address
    assert [one["text"] for one in export["messages"]] == ["one", "two"]
    assert [one["author"] for one in export["messages"]] == [alice.address, bob.address]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1", ""])
def test_an_unknown_mechanism_is_refused(server: ServerProcess, alice: Wire, mechanism: str) -> None:
    """Rows: M10."""
    with Wire(server.port) as wire:
        wire.send("CONNECT", login=alice.login, mechanism=mechanism, message="n,,n=a,r=b")
        wire.expect("CONNECT-FAILED", code="unknown-mechanism")


def test_everything_but_login_needs_login(server: ServerProcess) -> None:
    """Rows: M08."""
    with Wire(server.port) as wire:
        wire.send("MESSAGE", to="x", text="y", cookie="c", tag="t")
        wire.expect("MESSAGE-SEND-FAILED", code="not-logged-in", cookie="c", tag="t")
        wire.send("HISTORY-GET", peer="x")
        wire.expect("HISTORY-GET-FAILED", code="not-logged-in")
        wire.send("CONNECT-CONTINUE", hash="x")
        wire.expect("CONNECT-FAILED", code="bad-request")


def test_logging_in_twice_on_one_link_is_refused(alice: Wire) -> None:
    """Rows: M04."""
    alice.send("CONNECT", login=alice.login, message="n,,n=a,r=b")
    alice.expect("CONNECT-FAILED", code="already-logged-in")


def test_the_first_account_needs_the_code_of_the_first_start(own_server: ServerProcess) -> None:
    """Rows: A09, M12 (partly), M25."""
    own_server.stop()
    own_server.flags = ()
    own_server.start()
    code = next(line for line in own_server.said if "--code" in line).split("--code ")[1].split()[0]
    with Wire(own_server.port) as wire:
        wire.send("HELLO")
        assert wire.receive()["registration_text"]
        assert wire.register("root")["code"] == "registration-closed"
        assert wire.register("root", code="0000-0000-0000-0000")["code"] == "bad-invite"
        assert wire.register("root", code=code)["type"] == "REGISTER-OK"
        assert wire.register("second", code=code)["code"] == "bad-invite"
        assert wire.register("second")["code"] == "registration-closed"
    own_server.stop()
    own_server.start()
    assert not any("--code" in line for line in own_server.said)


def test_an_invite_makes_as_many_accounts_as_it_says(own_server: ServerProcess) -> None:
    """Rows: M25, B134 (partly)."""
    import subprocess
    import sys

    own_server.stop()
    own_server.flags = ("--registration", "invite")
    own_server.start()
    command = [sys.executable, "-m", "veche.cli.main", "invite", "--data", str(own_server.data), "--uses", "2"]
    code = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    with Wire(own_server.port) as wire:
        assert wire.register("a")["code"] == "bad-invite"
        assert wire.register("a", code=code)["type"] == "REGISTER-OK"
        assert wire.register("a", code=code)["code"] == "login-taken"
        assert wire.register("b", code=code)["type"] == "REGISTER-OK"
        assert wire.register("c", code=code)["code"] == "bad-invite"
