"""An invite link: made beside a running server, followed by somebody who is a friend from then on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.test_contacts import contact
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer, unique


def invite(data: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "veche.cli.main", "invite", "--data", str(data), *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_a_link_names_the_server_its_certificate_and_a_code(server: ServerProcess) -> None:
    """Rows: B134 (partly)."""
    made = invite(server.data)
    assert made.returncode == 0, made.stderr
    link = re.fullmatch(r"https://127\.0\.0\.1:(\d+)/invite/([0-9a-f-]{24})#sha256=([0-9a-f]{64})\n", made.stdout)
    assert link is not None, made.stdout
    assert int(link[1]) == server.port
    assert link[3] == server.fingerprint.replace(":", "").lower()
    assert "only this machine" in made.stderr
    assert f"https://chat.example.org:{server.port}/" in invite(server.data, "--host", "chat.example.org").stdout


def test_who_follows_a_link_is_a_friend_of_who_invited(own_server: ServerProcess) -> None:
    """Also when the whole link is pasted as the code; a used-up one makes no further account.  Rows: B134 (partly)."""
    alice = newcomer(own_server.port, "alice")
    link = invite(own_server.data, "--from", alice.login, "--host", "chat.example.org:443").stdout.strip()
    assert link.startswith("https://chat.example.org:443/invite/")
    bob = Wire(own_server.port)
    login = unique("bob")
    assert bob.register(login, code=link)["type"] == "REGISTER-OK"
    bob.connect(login)
    patch = alice.expect("CONTACT-UPDATED", id=bob.address)
    assert (patch["relation"], patch["name"]) == ("mutual", login)
    assert [one["id"] for one in bob.snapshot["contacts"] if one["relation"] == "mutual"] == [alice.address]
    alice.expect("UPDATE-LAST-SEEN", id=bob.address, status="online")
    assert contact(alice, bob)["status"] == "online"
    with Wire(own_server.port) as late:
        assert late.register(unique("carol"), code=link)["code"] == "bad-invite"


def test_without_a_name_the_administrator_invites(own_server: ServerProcess) -> None:
    """Rows: B134 (partly)."""
    setup = next(re.search(r"--code (\S+)", line) for line in own_server.said if "--code" in line)
    assert setup is not None
    root = Wire(own_server.port)
    root.register("root", code=setup[1])
    root.connect("root")
    code = invite(own_server.data, "--uses", "2").stdout.strip()
    for name in ("bob", "carol"):
        with Wire(own_server.port) as wire:
            wire.register(name, code=code)
            assert wire.connect(name).snapshot["contacts"][0]["id"] == root.address


@pytest.mark.parametrize(
    ("flags", "exit_code", "said"),
    [
        (["--expires", "soon"], 2, "--expires takes a number"),
        (["--uses", "0"], 2, "--uses 1 to"),
        (["--from", "nobody-of-that-name"], 1, "no account 'nobody-of-that-name'"),
        (["--from", "two words"], 1, "spaces"),
    ],
)
def test_a_wish_that_cannot_be_met_is_answered_in_a_sentence(
    server: ServerProcess, flags: list[str], exit_code: int, said: str
) -> None:
    """Rows: B134 (partly)."""
    made = invite(server.data, *flags)
    assert (made.returncode, made.stdout) == (exit_code, "")
    assert said in made.stderr


def test_there_must_be_a_server(tmp_path: Path) -> None:
    """Rows: B134 (partly)."""
    assert "There is no server in" in invite(tmp_path / "nothing").stderr
