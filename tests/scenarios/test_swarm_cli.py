"""`veche swarm` as people and scripts use it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import FIXTURES, facts, first_offender, fixtures, person
from veche.cli.main import main
from veche.peer import archive, identity

PAGE = Path(__file__).parents[2] / "docs" / "swarm.md"


def swarm(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    capsys.readouterr()
    code = main(["swarm", *words])
    out, err = capsys.readouterr()
    return code, out, err


def done(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code, out, err = swarm(capsys, *words)
    assert code == 0, err
    return out.strip()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Folders of Alice and Bob."""
    for name in ("Alice", "Bob"):
        identity.save(person(name), tmp_path / name)
    return tmp_path


def test_two_people_talk_by_commands_alone(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows: B51 (partly), B55 (partly), B57 (partly)."""
    a, b = str(people / "Alice"), str(people / "Bob")
    bob = person("Bob").uri
    talk = done(capsys, "--data", a, "init", "--title", "Rowing")
    assert done(capsys, "--data", b, "init", "--account-only") == bob
    short = talk[:8]
    done(capsys, "--data", a, "invite", short, bob)
    assert "3 new commits" in done(capsys, "--data", b, "pull", a)
    done(capsys, "--data", b, "join", short)
    text = done(capsys, "--data", b, "send", short, "Who has the oars?")
    assert "2 new commits" in done(capsys, "--data", a, "pull", b, short)
    done(capsys, "--data", a, "send", short, "👍", "--react-to", text[:12])
    done(capsys, "--data", a, "profile", short, "--description", "Tuesdays")
    shown: dict[str, Any] = json.loads(done(capsys, "--data", a, "show", short, "--json"))
    assert (shown["title"], shown["description"], shown["members"]) == ("Rowing", "Tuesdays", [bob])
    newest = [json.loads(line) for line in done(capsys, "--data", a, "log", short, "--json").split("\n")]
    assert json.loads(done(capsys, "--data", a, "log", short, "--json", "-n", "1")) == newest[0]
    assert set(newest[0]) == {
        "id", "parents", "linearized_parent", "author", "device", "type", "timestamp", "message",
    }  # fmt: skip
    assert "Who has the oars?" in done(capsys, "--data", a, "log", short)
    done(capsys, "--data", a, "vote", short, "ban", bob)
    done(capsys, "--data", a, "ban", short, bob)
    assert json.loads(done(capsys, "--data", a, "verify", short, "--json"))["banned"] == [bob]
    done(capsys, "--data", a, "unban", short, bob)
    assert done(capsys, "--data", a, "verify", short).startswith("valid: ")
    assert talk in done(capsys, "--data", a, "show")
    done(capsys, "--data", a, "leave", short)
    assert talk not in done(capsys, "--data", a, "show")
    done(capsys, "--data", b, "pull", a)
    done(capsys, "--data", b, "send", short, "She has gone")
    code, _, err = swarm(capsys, "--data", a, "pull", b)
    assert (code, "You have left" in err) == (1, True)
    assert "She has gone" not in done(capsys, "--data", a, "log", short)


def test_refusals_are_sentences_with_exit_codes(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = str(people / "Alice")
    talk = done(capsys, "--data", a, "init")
    for code, words in {
        1: ("join", talk),
        2: ("send", talk, "x", "--edit", "ffff"),
    }.items():
        found, out, err = swarm(capsys, "--data", a, *words)
        assert (found, out) == (code, "")
        assert err.startswith("veche swarm: ")
        assert "Traceback" not in err
    assert swarm(capsys, "--data", a, "show", "0000")[0] == 1
    assert swarm(capsys, "--data", a, "init", "--mode", "one-to-one")[0] == 2
    assert swarm(capsys, "--data", str(people / "nobody"), "show")[0] == 2
    assert swarm(capsys, "--data", a, "import", str(FIXTURES / "archives" / "alice_nopassword.gz"))[0] == 1
    assert swarm(capsys, "--data", a, "pull", str(people / "nothing"))[0] == 2


@pytest.mark.parametrize("name", fixtures("valid"))
def test_verify_says_what_is_in_a_valid_history(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = facts("valid", name)
    code, out, _ = swarm(capsys, "verify", str(FIXTURES / "valid" / f"{name}.bundle"), "--json")
    tree = told["tree"]
    found = json.loads(out)
    assert code == 0
    assert found == {
        "valid": True,
        "conversation": told["conversation_id"],
        "mode": told["mode"],
        "head": told["head"],
        "commits": len(told["commits_newest_first"]),
        "members": tree.get("members", []),
        "admins": tree.get("admins", []),
        "banned": sorted(one for where in ("members", "admins", "devices", "invited")
                         for one in tree.get(f"banned/{where}", [])),
        "invited": tree.get("invited", []),
    }  # fmt: skip


@pytest.mark.parametrize("name", fixtures("invalid"))
def test_verify_names_the_first_wrong_commit(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows: B29 (partly)."""
    code, out, _ = swarm(capsys, "verify", str(FIXTURES / "invalid" / f"{name}.bundle"), "--json")
    found = json.loads(out)
    assert code == 1
    assert set(found) == {"valid", "commit", "rule", "reason"}
    assert (found["valid"], found["commit"]) == (False, first_offender(facts("invalid", name)))


@pytest.mark.parametrize("name", fixtures("valid"))
def test_log_is_the_list_that_real_clients_have(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = facts("valid", name)["commits_newest_first"]
    lines = done(capsys, "log", str(FIXTURES / "valid" / f"{name}.bundle"), "--json").split("\n")
    assert [json.loads(line) for line in lines] == [
        {
            "id": one["id"],
            "parents": one["parents"],
            "linearized_parent": one["linearized_parent"] or "",
            "author": one["author_uri"],
            "device": one["author_device"],
            "type": one["type"],
            "timestamp": one["timestamp"],
            "message": one["message"],
        }
        for one in told
    ]


def test_verify_never_writes_into_what_it_reads_nor_runs_its_hooks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = tmp_path / "clone"
    bundle = FIXTURES / "valid" / "one_to_one.bundle"
    subprocess.run(["git", "clone", "-q", "-b", "main", str(bundle), str(clone)], check=True, capture_output=True)
    marker = tmp_path / "ran"
    config = clone / ".git" / "config"
    config.write_text(config.read_text() + f"[core]\n\tfsmonitor = touch {marker}\n[include]\n\tpath = /dev/zero\n")
    for hook in ("post-checkout", "pre-commit", "reference-transaction"):
        (clone / ".git" / "hooks").mkdir(exist_ok=True)
        (clone / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (clone / ".git" / "hooks" / hook).chmod(0o755)
    before = {file: file.stat().st_mtime_ns for file in clone.rglob("*")}
    for command in ("verify", "log"):
        assert swarm(capsys, command, str(clone), "--json")[0] == 0
    assert {file: file.stat().st_mtime_ns for file in clone.rglob("*")} == before
    assert not marker.exists()


@pytest.mark.parametrize(
    "what", ["missing", "text", "empty folder", "empty repository", "cut bundle", "damaged bundle"]
)
def test_what_is_no_readable_repository_is_exit_code_two(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x"
    data = (FIXTURES / "valid" / "one_to_one.bundle").read_bytes()
    if what == "text":
        path.write_text("hello")
    elif what == "empty folder":
        path.mkdir()
    elif what == "empty repository":
        subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True)
    elif what == "cut bundle":
        path.write_bytes(data[: len(data) // 2])
    elif what == "damaged bundle":
        path.write_bytes(data[:3000] + b"?" + data[3001:])
    for command in ("verify", "log"):
        code, out, err = swarm(capsys, command, str(path), "--json")
        assert (code, out) == (2, "")
        assert err.startswith("veche swarm: ")


def test_an_account_moves_to_another_machine_with_its_conversations(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows: B91."""
    a, c = str(people / "Alice"), str(people / "Laptop")
    talk = done(capsys, "--data", a, "init")
    password = people / "password"
    password.write_text("пароль\n", "utf-8")
    exported = people / "account.bin"
    done(capsys, "--data", a, "export", str(exported), "--password-file", str(password))
    if os.name == "posix":
        assert exported.stat().st_mode & 0o777 == 0o600
    assert swarm(capsys, "--data", a, "export", str(exported))[0] == 1
    assert archive.has_password(exported.read_bytes())
    assert swarm(capsys, "--data", c, "import", str(exported))[0] == 2
    assert not identity.has_identity(Path(c))
    told = done(capsys, "--data", c, "import", str(exported), "--password-file", str(password)).split()
    assert told == [person("Alice").uri, talk]
    done(capsys, "--data", c, "pull", a)
    done(capsys, "--data", c, "send", talk, "from the laptop")
    done(capsys, "--data", a, "pull", c)
    assert "from the laptop" in done(capsys, "--data", a, "log", talk)


@pytest.mark.parametrize(
    ("file", "password"), [("alice_nopassword.gz", ""), ("denys_password_is_secret.bin", "secret")]
)
def test_archives_of_real_accounts_are_imported(
    file: str, password: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(tmp_path / "new"), "import", str(FIXTURES / "archives" / file)]
    if password:
        (tmp_path / "password").write_text(password)
        words += ["--password-file", str(tmp_path / "password")]
    uri, *ids = done(capsys, *words).split()
    assert identity.load(tmp_path / "new").uri == uri
    assert ids


def test_help_has_examples_and_the_command_starts_without_the_heavy_parts() -> None:
    program = """
import sys
from veche.cli.main import main
try:
    main(["swarm", "--help"])
except SystemExit:
    pass
heavy = {"pygit2", "cryptography", "dulwich", "prompt_toolkit", "uvloop", "sqlalchemy", "argon2"} & set(sys.modules)
assert not heavy, heavy
"""
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "veche swarm --data a init" in ran.stdout
    assert "exit codes" in ran.stdout


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    """docs/swarm.md is true: its code runs."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "example.py").write_text(code, "utf-8")
    ran = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=100
    )
    assert "Alice: Who has the oars?" in ran.stdout
    assert "valid" in ran.stdout
    shutil.rmtree(tmp_path, ignore_errors=True)
