"""An administrator, and those who are none, on a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import veche
from tests.support.server import ServerProcess
from tests.support.wire import ANY, Wire, newcomer

REQUESTS: dict[str, dict[str, Any]] = {
    "ADMIN-ACCOUNTS-GET": {},
    "ADMIN-ACCOUNT-CHANGE": {"login": "root", "disabled": True},
    "ADMIN-ACCOUNT-RESET": {"login": "root"},
    "ADMIN-INVITES-GET": {},
    "INVITE-CREATE": {},
    "INVITE-REVOKE": {"id": 1},
    "ADMIN-SERVER-GET": {},
    "ADMIN-REGISTRATION-SET": {"registration": "open"},
    "ADMIN-ANNOUNCE": {"text": "Mine!"},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose administrator is root; each test leaves root the only one, and registration open."""
    running = ServerProcess(tmp_path_factory.mktemp("admin") / "data", "--registration", "open").start()
    with Wire(running.port) as wire:
        assert wire.register("root", code=setup_code(running))["type"] == "REGISTER-OK"
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


@pytest.fixture
def root(home: ServerProcess) -> Wire:
    return Wire(home.port).connect("root", device="desk")


def setup_code(server: ServerProcess) -> str:
    found = next(match for line in server.said if (match := re.search(r"--code (\S+)", line)))
    return found[1]


def refusal(port: int, login: str, password: str = "a password", **fields: Any) -> str:
    """The code with which a login by password is refused."""
    with Wire(port) as wire:
        answer = wire.scram(login, password, **fields)
        assert answer["type"] == "CONNECT-FAILED", answer
        return answer["code"]


def token_answer(port: int, mechanism: str, token: str) -> dict[str, Any]:
    """What a login by token is answered."""
    with Wire(port) as wire:
        wire.send("CONNECT", mechanism=mechanism, token=token)
        return wire.receive()


# -- who may


def test_whoever_is_no_administrator_is_refused_everything(home: ServerProcess, root: Wire) -> None:
    """Rows: X03 (partly)."""
    with newcomer(home.port, "mallory") as mallory:
        for request, fields in REQUESTS.items():
            answer = mallory.ask(request, **fields)
            assert (answer["type"], answer["code"]) == (f"{request}-FAILED", "forbidden")
    with Wire(home.port) as stranger:
        for request, fields in REQUESTS.items():
            stranger.send(request, **fields)
            stranger.expect(f"{request}-FAILED", code="not-logged-in")
    assert "announcement" not in root.snapshot


def test_the_account_of_the_set_up_code_is_told_that_it_administers(home: ServerProcess) -> None:
    with Wire(home.port) as wire:
        assert wire.scram("root", "a password")["admin"] is True
    with newcomer(home.port, "bob") as bob, Wire(home.port) as again:
        assert "admin" not in again.scram(bob.login, "a password")


def test_hello_says_that_administration_works(home: ServerProcess) -> None:
    """Rows: M10 (partly)."""
    with Wire(home.port) as wire:
        wire.send("HELLO")
        assert "administration" in wire.expect("HELLO")["features"]


def test_another_administrator_is_made_and_unmade_at_once(home: ServerProcess, root: Wire) -> None:
    with newcomer(home.port, "bob") as bob:
        assert root.ask("ADMIN-ACCOUNT-CHANGE", login=bob.login, admin=True)["admin"] is True
        assert bob.ask("ADMIN-SERVER-GET")["type"] == "ADMIN-SERVER-GET-OK"
        assert "admin" not in root.ask("ADMIN-ACCOUNT-CHANGE", login=bob.login, admin=False)
        assert bob.ask("ADMIN-SERVER-GET")["code"] == "forbidden"


def test_there_is_always_an_administrator_left(home: ServerProcess, root: Wire) -> None:
    for change in ({"disabled": True}, {"admin": False}):
        assert root.ask("ADMIN-ACCOUNT-CHANGE", login="root", **change)["code"] == "last-admin"
    assert root.ask("ACCOUNT-DELETE", password="a password")["code"] == "last-admin"
    assert root.ask("ADMIN-SERVER-GET")["type"] == "ADMIN-SERVER-GET-OK"
    with newcomer(home.port, "bob") as bob:
        root.ask("ADMIN-ACCOUNT-CHANGE", login=bob.login, admin=True)
        assert bob.ask("ACCOUNT-DELETE", password="a password")["type"] == "ACCOUNT-DELETE-OK"
    assert root.ask("ADMIN-ACCOUNT-CHANGE", login="root", admin=False)["code"] == "last-admin"


# -- accounts


def test_accounts_are_listed_a_page_at_a_time(home: ServerProcess, root: Wire) -> None:
    people = [newcomer(home.port, f"pager-{name}") for name in "cab"]
    people[2].close()
    expected = sorted(one.address for one in people)
    first = root.ask("ADMIN-ACCOUNTS-GET", query="PAGER-", limit=2)
    assert [one["login"] for one in first["accounts"]] == expected[:2]
    assert first["next"] == expected[1]
    rest = root.ask("ADMIN-ACCOUNTS-GET", query="pager-", limit=2, after=first["next"])
    assert [one["login"] for one in rest["accounts"]] == expected[2:]
    assert "next" not in rest
    found = root.ask("ADMIN-ACCOUNTS-GET", query=people[0].address)["accounts"]
    assert [(one["login"], one["online"]) for one in found] == [(people[0].address, True)]
    assert found[0]["created_at"] <= found[0]["seen_at"]
    me = next(one for one in root.ask("ADMIN-ACCOUNTS-GET", query="root")["accounts"] if one["login"] == root.address)
    assert me["admin"] is True


def test_a_page_that_cannot_be_is_refused(root: Wire) -> None:
    for fields in ({"limit": 0}, {"limit": 201}, {"query": 5}, {"after": ""}):
        assert root.ask("ADMIN-ACCOUNTS-GET", **fields)["code"] == "bad-request"
    assert root.ask("ADMIN-ACCOUNTS-GET", after="x@elsewhere.example")["code"] == "bad-login"
    assert root.ask("ADMIN-ACCOUNTS-GET", query="no%body\0")["accounts"] == []


@pytest.mark.parametrize("request_", ["ADMIN-ACCOUNT-CHANGE", "ADMIN-ACCOUNT-RESET"])
def test_only_accounts_that_are_there_can_be_changed(home: ServerProcess, root: Wire, request_: str) -> None:
    with newcomer(home.port, "gone") as gone:
        gone.ask("ACCOUNT-DELETE", password="a password")
        assert root.ask(request_, login=gone.login)["code"] == "unknown-user"
    assert root.ask(request_, login="nobody")["code"] == "unknown-user"
    assert root.ask(request_, login="a b")["code"] == "bad-login"
    assert root.ask(request_)["code"] == "bad-request"


def test_a_disabled_account_is_thrown_out_and_nothing_logs_it_in(home: ServerProcess, root: Wire) -> None:
    """Rows: X03 (partly)."""
    eve = newcomer(home.port, "eve")
    token = eve.ask("TOKEN-CREATE", name="bot")["token"]
    with Wire(home.port) as bot:
        bot.send("CONNECT", mechanism="TOKEN", token=token)
        bot.connected(bot.receive())
        answer = root.ask("ADMIN-ACCOUNT-CHANGE", login=eve.login, disabled=True)
        assert answer["type"] == "ADMIN-ACCOUNT-CHANGE-OK"
        assert (answer["login"], answer["disabled"]) == (eve.address, True)
        for link in (eve, bot):
            assert link.until("GOODBYE")[-1]["code"] == "disabled"
            assert link.is_closed()
    assert refusal(home.port, eve.login) == "disabled"
    assert refusal(home.port, eve.login, "a guess") == "wrong-credentials"
    assert token_answer(home.port, "TOKEN", token)["code"] == "disabled"
    assert token_answer(home.port, "RESUME", eve.resume)["code"] == "disabled"
    (listed,) = root.ask("ADMIN-ACCOUNTS-GET", query=eve.login)["accounts"]
    assert listed["disabled"] is True
    assert "online" not in listed


def test_who_is_let_in_again_has_missed_nothing(home: ServerProcess, root: Wire) -> None:
    eve = newcomer(home.port, "eve")
    root.ask("ADMIN-ACCOUNT-CHANGE", login=eve.login, disabled=True)
    root.say(eve.login, "You are back.")
    assert "disabled" not in root.ask("ADMIN-ACCOUNT-CHANGE", login=eve.login, disabled=False)
    with Wire(home.port).resumed(eve.resume) as again:
        assert [one["text"] for one in again.replayed] == ["You are back."]


def test_a_disabled_administrator_is_thrown_out_too(home: ServerProcess, root: Wire) -> None:
    bob = newcomer(home.port, "bob")
    root.ask("ADMIN-ACCOUNT-CHANGE", login=bob.login, admin=True)
    assert bob.ask("ADMIN-ACCOUNT-CHANGE", login=bob.login, disabled=True)["disabled"] is True
    assert bob.until("GOODBYE")[-1]["code"] == "disabled"
    assert root.ask("ADMIN-ACCOUNT-CHANGE", login="root", admin=False)["code"] == "last-admin"


# -- a new password


def test_a_code_sets_a_new_password_once(home: ServerProcess, root: Wire) -> None:
    """The old one holds until then.  Rows: M25 (partly), X03 (partly)."""
    bob = newcomer(home.port, "bob")
    token = bob.ask("TOKEN-CREATE", name="bot")["token"]
    void = root.ask("ADMIN-ACCOUNT-RESET", login=bob.login)["code"]
    answer = root.ask("ADMIN-ACCOUNT-RESET", login=bob.address)
    assert (answer["type"], answer["login"]) == ("ADMIN-ACCOUNT-RESET-OK", bob.address)
    code = answer["code"]
    bob.expect_nothing()
    with Wire(home.port).connect(bob.login, device="second"):
        pass
    with Wire(home.port) as wire:
        assert wire.register(bob.login, "taken over")["code"] == "login-taken"
        assert wire.register(bob.login, "taken over", code=void)["code"] == "bad-invite"
    with Wire(home.port) as wire:
        assert wire.register("somebody-else", code=code)["code"] == "bad-invite"
        assert wire.register(bob.login, "a new one", code=code) == {"type": "REGISTER-OK", "login": bob.address}
    assert bob.until("GOODBYE")[-1]["code"] == "revoked"
    assert refusal(home.port, bob.login) == "wrong-credentials"
    assert token_answer(home.port, "RESUME", bob.resume)["code"] == "wrong-credentials"
    assert token_answer(home.port, "TOKEN", token)["type"] == "CONNECT-OK"
    with Wire(home.port).connect(bob.login, "a new one"):
        pass
    with Wire(home.port) as wire:
        assert wire.register(bob.login, "another", code=code)["code"] == "bad-invite"


def test_a_new_password_does_not_let_a_disabled_account_in(home: ServerProcess, root: Wire) -> None:
    eve = newcomer(home.port, "eve")
    root.ask("ADMIN-ACCOUNT-CHANGE", login=eve.login, disabled=True)
    code = root.ask("ADMIN-ACCOUNT-RESET", login=eve.login)["code"]
    with Wire(home.port) as wire:
        assert wire.register(eve.login, "a new one", code=code)["type"] == "REGISTER-OK"
    assert refusal(home.port, eve.login, "a new one") == "disabled"


# -- invites


def test_an_invite_makes_accounts_and_friends_until_it_is_revoked(home: ServerProcess, root: Wire) -> None:
    """Rows: M25 (partly), B134 (partly), A25 (partly)."""
    made = root.ask("INVITE-CREATE", uses=3, expires_s=3600)
    digest = home.fingerprint.replace(":", "").lower()
    assert made["link"] == f"https://127.0.0.1:{home.port}/invite/{made['code']}#sha256={digest}"
    with Wire(home.port) as wire:
        assert wire.register("invited", code=made["link"])["type"] == "REGISTER-OK"
        wire.connect("invited")
        assert [(one["id"], one["relation"]) for one in wire.snapshot["contacts"]] == [(root.address, "mutual")]
    (listed,) = [one for one in root.ask("ADMIN-INVITES-GET")["invites"] if one["id"] == made["id"]]
    assert (listed["uses_left"], listed["inviter"]) == (2, root.address)
    assert listed["created_at"] < listed["expires_at"]
    assert "code" not in listed
    assert root.ask("INVITE-REVOKE", id=made["id"])["type"] == "INVITE-REVOKE-OK"
    with Wire(home.port) as wire:
        assert wire.register("uninvited", code=made["code"])["code"] == "bad-invite"
    assert root.ask("INVITE-REVOKE", id=made["id"])["code"] == "unknown-id"
    assert root.ask("ADMIN-INVITES-GET")["invites"] == []


@pytest.mark.parametrize("fields", [{"uses": 0}, {"uses": 1_000_001}, {"expires_s": 0}, {"expires_s": 10**12}])
def test_an_invite_that_cannot_be_is_refused(root: Wire, fields: dict[str, int]) -> None:
    assert root.ask("INVITE-CREATE", **fields)["code"] == "bad-request"


# -- the server


def test_the_state_of_the_server_is_told(home: ServerProcess, root: Wire) -> None:
    before = root.ask("ADMIN-SERVER-GET")
    with newcomer(home.port, "bob", device="one") as bob, Wire(home.port).connect(bob.login, device="two"):
        sent = bob.say("root", "hello")
        state = root.ask("ADMIN-SERVER-GET")
        assert state["accounts"] == before["accounts"] + 1
        assert (state["online"], state["sessions"]) == (before["online"] + 1, before["sessions"] + 2)
        assert state["messages"] == sent["id"]
    assert state["version"] == veche.__version__
    assert state["started_at"] == before["started_at"]
    assert 0 <= before["uptime_s"] <= state["uptime_s"]
    assert state["database_bytes"] > 50_000
    assert state["file_bytes"] == 0
    assert state["free_bytes"] > 0
    assert (state["registration"], state["domain"]) == ("open", "localhost")
    assert state["fingerprint"] == home.fingerprint.replace(":", "").lower()


def test_registration_changes_while_the_server_runs(home: ServerProcess, root: Wire) -> None:
    """Rows: M10 (partly), M12 (partly), M25 (partly)."""
    refused = {"invite": "bad-invite", "closed": "registration-closed"}
    for registration, code in refused.items():
        answer = root.ask("ADMIN-REGISTRATION-SET", registration=registration)
        assert (answer["registration"], answer["until_restart"]) == (registration, True)
        with Wire(home.port) as wire:
            wire.send("HELLO")
            assert wire.expect("HELLO", registration=registration)["registration_text"]
            assert wire.register("outsider")["code"] == code
    assert root.ask("ADMIN-REGISTRATION-SET", registration="perhaps")["code"] == "bad-request"
    assert root.ask("ADMIN-SERVER-GET")["registration"] == "closed"
    assert "until_restart" not in root.ask("ADMIN-REGISTRATION-SET", registration="open")
    with Wire(home.port) as wire:
        assert wire.register("insider")["type"] == "REGISTER-OK"


def test_what_was_said_of_registration_and_to_everyone_outlasts_a_restart(tmp_path: Path) -> None:
    """A setting that is given is stronger.  Rows: M12 (partly)."""
    server = ServerProcess(tmp_path / "data").start()
    with Wire(server.port) as root:
        root.register("root", code=setup_code(server))
        root.connect("root")
        assert root.ask("ADMIN-SERVER-GET")["registration"] == "closed"
        assert "until_restart" not in root.ask("ADMIN-REGISTRATION-SET", registration="open")
        root.ask("ADMIN-ANNOUNCE", text="Still here.")
    for flags, registration in (((), "open"), (("--registration", "invite"), "invite")):
        assert server.stop() == 0
        server.flags = flags
        server.start()
        with Wire(server.port) as wire:
            wire.send("HELLO")
            wire.expect("HELLO", registration=registration)
            assert wire.connect("root").snapshot["announcement"]["text"] == "Still here."
    assert server.stop() == 0
    command = [sys.executable, "-m", "veche.cli.main", "config", "show", "--data", str(server.data)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert re.search(r"^registration +closed +default, unless an administrator", shown, re.MULTILINE)


# -- announcements


def test_an_announcement_reaches_everyone_and_those_who_come_later_until_it_is_removed(
    home: ServerProcess, root: Wire
) -> None:
    bob = newcomer(home.port, "bob")
    root.send("ADMIN-ANNOUNCE", text=" Tea at five. ", tag="a")
    root.expect("ADMIN-ANNOUNCE-OK", tag="a")
    told = bob.expect("ANNOUNCEMENT", text="Tea at five.", at=ANY, by=root.address)
    assert root.expect("ANNOUNCEMENT") == told
    announcement = {name: told[name] for name in ("text", "at", "by")}
    assert newcomer(home.port, "late").snapshot["announcement"] == announcement
    root.ask("ADMIN-ANNOUNCE", text="Tea at six.")
    bob.expect("ANNOUNCEMENT", text="Tea at six.")
    root.ask("ADMIN-ANNOUNCE", text="")
    bob.expect("ANNOUNCEMENT", text="")
    assert "announcement" not in newcomer(home.port, "later").snapshot


def test_an_announcement_has_bounds(root: Wire) -> None:
    assert root.ask("ADMIN-ANNOUNCE", text="x" * 2001)["code"] == "bad-request"
    assert root.ask("ADMIN-ANNOUNCE")["code"] == "bad-request"
