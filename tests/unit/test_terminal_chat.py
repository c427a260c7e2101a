"""`veche chat`: what flags and environment ask for, and the one sentence when that cannot be."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from veche.cli import chat
from veche.cli.chat import Usage, parse_fingerprint, parse_server, wish_of
from veche.client import CannotConnect, CertificateChanged, ClientEnded, LoginRefused, NotVeche, RequestFailed
from veche.packets import ErrorCode
from veche.terminal.wish import Wish, why


def wish(*arguments: str, **environ: str) -> Wish:
    return wish_of(parsed(*arguments), environ)


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    chat.add_parser(parser.add_subparsers())
    return parser.parse_args(["chat", "--state-dir", "state", *arguments])


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("alice@home.example", ("alice", "home.example", 3215)),
        ("alice@home.example:4000", ("alice", "home.example", 4000)),
        ("home.example", (None, "home.example", 3215)),
        ("127.0.0.1:1", (None, "127.0.0.1", 1)),
        ("alice@[::1]", ("alice", "::1", 3215)),
        ("alice@[::1]:4000", ("alice", "::1", 4000)),
        ("alice@::1", ("alice", "::1", 3215)),
        ("alice@home.example@10.0.0.1:4000", ("alice@home.example", "10.0.0.1", 4000)),
        ("https://127.0.0.1:4000/", (None, "127.0.0.1", 4000)),
        ("İvan@host", ("İvan", "host", 3215)),
    ],
)
def test_a_server_is_login_host_and_port(text: str, server: tuple[str | None, str, int]) -> None:
    """Rows: A07."""
    assert parse_server(text) == server


@pytest.mark.parametrize("text", ["", "alice@", "@host", "al ice@host", "host:0x", "host:70000", "[::1", "host:-1"])
def test_what_is_no_server_is_said(text: str) -> None:
    with pytest.raises(Usage):
        parse_server(text)


HEX = "0f" * 32


@pytest.mark.parametrize(
    ("text", "where", "code", "fingerprint"),
    [
        (f"https://chat.example.org:3215/invite/ab-cd#sha256={HEX}", (None, "chat.example.org", 3215), "ab-cd", HEX),
        (f"https://[::1]:4000/invite/ab-cd#sha256={HEX.upper()}", (None, "::1", 4000), "ab-cd", HEX),
        ("https://bob@127.0.0.1:4000/invite/ab-cd", ("bob", "127.0.0.1", 4000), "ab-cd", None),
        ("https://bob%2B@127.0.0.1:4000/invite/a%20b/", ("bob+", "127.0.0.1", 4000), "a b", None),
        ("https://chat.example.org/invite/ab-cd", (None, "chat.example.org", 443), "ab-cd", None),
    ],
)
def test_an_invite_link_says_where_with_what_and_whom_to_trust(
    text: str, where: tuple[str | None, str, int], code: str, fingerprint: str | None
) -> None:
    """Rows: B134 (partly)."""
    found = wish(text)
    assert (found.login, found.host, found.port) == where
    assert (found.code, found.fingerprint, found.is_invited, found.register) == (code, fingerprint, True, True)


def test_a_damaged_invite_link_is_said() -> None:
    for damaged in ("#sha256=00", f"#{HEX}", f"#md5={HEX}"):
        with pytest.raises(Usage, match="Copy it whole"):
            wish(f"https://chat.example.org/invite/ab-cd{damaged}")
    with pytest.raises(Usage, match="This link asks for a check"):
        wish(f"https://127.0.0.1/invite/ab-cd#sha256={HEX}", "--insecure")


def test_a_code_makes_the_account() -> None:
    found = wish("alice@host", "--code", "ab-cd")
    assert (found.register, found.is_invited, found.code) == (True, False, "ab-cd")


def test_a_fingerprint_may_have_colons() -> None:
    digits = "0aF1" * 16
    colons = ":".join(digits[i : i + 2] for i in range(0, 64, 2))
    assert (
        parse_fingerprint(digits)
        == parse_fingerprint(colons)
        == parse_fingerprint(f"SHA256:{colons}")
        == digits.lower()
    )
    for bad in ("", "00", digits + "0", "z" * 64):
        with pytest.raises(Usage, match="64 hexadecimal"):
            parse_fingerprint(bad)


def test_the_password_is_taken_from_the_environment_or_a_file(tmp_path: Path) -> None:
    assert wish("alice@host").password is None
    assert wish("alice@host", VECHE_PASSWORD="from env").password == "from env"
    file = tmp_path / "password"
    file.write_text("from file \r\nsecond line\n")
    found = wish("alice@host", "--password-file", str(file), VECHE_PASSWORD="from env", VECHE_TOKEN="t")
    assert (found.password, found.token) == ("from file ", None)


def test_a_token_logs_in_without_a_password(tmp_path: Path) -> None:
    found = wish("host", VECHE_TOKEN="vt_1", VECHE_PASSWORD="x")
    assert (found.token, found.password) == ("vt_1", None)
    file = tmp_path / "token"
    file.write_text("vt_2\n")
    assert wish("host", "--token-file", str(file), VECHE_TOKEN="vt_1").token == "vt_2"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["alice@host", "--no-tls"], "on this machine only"),
        (["alice@host", "--password-file", "/no/such/file"], "cannot be read"),
        (["alice@host", "--fingerprint", "0" * 64, "--insecure"], "leave out"),
        (["alice@host", "--device", "x" * 65], "1 to 64"),
        (["alice@host", "--register", "--token-file", __file__], "not with an access token"),
    ],
)
def test_what_cannot_be_asked_for_is_said(arguments: list[str], sentence: str) -> None:
    """Rows: A08 (partly)."""
    with pytest.raises(Usage, match=sentence):
        wish(*arguments)


def test_no_tls_is_for_this_machine() -> None:
    """Rows: A08 (partly)."""
    for host in ("127.0.0.1", "localhost", "::1", "127.1.2.3"):
        assert not wish(f"alice@[{host}]" if ":" in host else f"alice@{host}", "--no-tls").tls


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (CannotConnect("Nobody listens at host:1."), 3, "Nobody listens"),
        (NotVeche("host:1 is no Veche server."), 3, "no Veche server"),
        (CertificateChanged("host:1", "00" * 32, "ff" * 32), 4, "HAS CHANGED"),
        (LoginRefused(ErrorCode.WRONG_CREDENTIALS), 1, "--register"),
        (LoginRefused(ErrorCode.LOCKED, "", 58.0), 1, "Try again in 58 s"),
        (LoginRefused(ErrorCode.TRY_AGAIN_LATER, "", 2.0), 3, "Try again in 2 s"),
        (ClientEnded(ErrorCode.REVOKED), 1, "password"),
        (RequestFailed(ErrorCode.BAD_INVITE), 1, "--code"),
        (EOFError(), 2, "Nobody answered"),
    ],
)
def test_every_failure_has_a_code_and_a_sentence_with_what_to_do(error: Exception, code: int, words: str) -> None:
    leave = why(error, wish("alice@host:1"))
    assert leave is not None
    assert leave.code == code
    assert words in str(leave)


def test_a_link_that_is_used_up_is_said() -> None:
    leave = why(RequestFailed(ErrorCode.BAD_INVITE), wish("https://bob@host:1/invite/ab-cd"))
    assert leave is not None
    assert "used up or too old" in str(leave)
    assert str(leave).endswith("veche chat bob@host:1")


def test_an_error_of_ours_is_not_explained_away() -> None:
    assert why(ZeroDivisionError(), wish("alice@host")) is None


def test_json_needs_the_plain_mode(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal: Any = type("Terminal", (), {"isatty": lambda self: True})()  # type: ignore[reportUnknownLambdaType]
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("veche.cli.chat.sys.stdout", terminal)
    assert chat.run(parsed("alice@host", "--json"), {}) == 2
    assert "--plain" in capsys.readouterr().err
