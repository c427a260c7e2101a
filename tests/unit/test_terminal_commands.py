"""What is typed becomes requests: the lines of the plain mode, and the commands of the screen."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veche.packets import Packet
from veche.packets.account import PasswordChange, SessionsRevoke, TokenCreate, TokenRevoke
from veche.packets.blocking import Block, Unblock
from veche.packets.message import (
    Edit,
    HistoryGet,
    MessageSend,
    React,
    Retract,
    Search,
    TypingEndTo,
    TypingStartedTo,
)
from veche.terminal import plain_commands, screen_commands
from veche.terminal.plain_commands import Help, Logout, Read, Reply
from veche.terminal.screen_commands import COMMANDS, Typed, completions


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("message bob hello", MessageSend(to="bob", text="hello")),
        ("message bob   hello   there ", MessageSend(to="bob", text="  hello   there ")),
        ("  message  bob hello", MessageSend(to="bob", text="hello")),
        ("message bob@home привет", MessageSend(to="bob@home", text="привет")),
        ("reply 17 yes", Reply(17, "yes")),
        ("history bob", HistoryGet(peer="bob", limit=50)),
        ("history bob 3", HistoryGet(peer="bob", limit=3)),
        ("read bob", Read("bob")),
        ("search bob two words", Search(peer="bob", query="two words")),
        ("edit 17 new text", Edit(id=17, text="new text")),
        ("edit #17 new text", Edit(id=17, text="new text")),
        ("retract 17", Retract(id=17)),
        ("react 17 👍", React(id=17, emoji="👍")),
        ("unreact 17 👍", React(id=17, emoji="👍", remove=True)),
        ("typing bob", TypingStartedTo(to="bob")),
        ("typing bob end", TypingEndTo(to="bob")),
        ("block bob", Block(login="bob")),
        ("unblock bob", Unblock(login="bob")),
        ("revoke old laptop 2", SessionsRevoke(device="old laptop 2")),
        ("token my bot", TokenCreate(name="my bot")),
        ("untoken 3", TokenRevoke(id=3)),
        ("password old new", PasswordChange(old_password="old", password="new")),
        ('{"type":"MESSAGE","to":"bob","text":"two\\nlines"}', MessageSend(to="bob", text="two\nlines")),
        ("help", Help()),
        ("logout", Logout()),
        ("", None),
        ("   ", None),
    ],
)
def test_a_line_of_the_plain_mode(line: str, command: Packet | None) -> None:
    """Rows: T26 (partly), T33 (partly), T36 (partly), T37 (partly)."""
    assert plain_commands.parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        *("whatsthetime", "message", "message bob", "message bob ", "read", "read a b", "history bob 0"),
        *("history bob 201", "history bob x", "edit x y", "edit 1", "retract", "retract 1 2", "react 1"),
        *("edit 99999999999999999 x", "edit ١ x", "password a b c", "{", "{}", '{"type":"NO-SUCH"}'),
        *('{"type":"CONNECT"}', '{"type":"GOODBYE"}', '{"type":"MESSAGE-DELIVERED","id":1}', '{"type":"MESSAGE"}'),
    ],
)
def test_a_line_that_is_no_command_is_refused(line: str) -> None:
    """Rows: T38 (partly)."""
    with pytest.raises(plain_commands.Wrong):
        plain_commands.parse(line)


@given(st.text(max_size=60))
def test_any_line_is_a_command_or_refused(line: str) -> None:
    with suppress(plain_commands.Wrong):
        plain_commands.parse(line)


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("hello", "hello"),
        ("//shrug", "/shrug"),
        ("/to bob", Typed("to", "bob")),
        ("/to bob hello there", Typed("to", "bob hello there")),
        ("/msg bob hi", Typed("to", "bob hi")),
        ("/edit new text", Typed("edit", "new text")),
        ("/edit #17 new  text", Typed("edit", "new  text", 17)),
        ("/reply #17 two\nlines", Typed("reply", "two\nlines", 17)),
        ("/retract", Typed("retract", "")),
        ("/retract #17", Typed("retract", "", 17)),
        ("/react 👍", Typed("react", "👍")),
        ("/block", Typed("block", "")),
        ("/sea word", Typed("search", "word")),
        ("/QUIT", Typed("quit", "")),
        ("/bell off", Typed("bell", "off")),
        ("/untoken 7", Typed("untoken", "7")),
    ],
)
def test_what_is_typed_into_the_screen(line: str, typed: Typed | str) -> None:
    assert screen_commands.parse(line) == typed


@pytest.mark.parametrize(
    "line",
    [
        "/",
        "/nonsense",
        "/re",
        "/to",
        "/edit",
        "/edit #17",
        "/react #17",
        "/bell",
        "/bell loud",
        "/untoken x",
        "/search",
    ],
)
def test_what_is_no_command_of_the_screen_is_refused(line: str) -> None:
    """Rows: T38 (partly)."""
    with pytest.raises(screen_commands.Wrong):
        screen_commands.parse(line)


def test_every_command_is_explained() -> None:
    for name in COMMANDS:
        assert f"/{name}" in screen_commands.HELP


def test_commands_and_names_are_completed() -> None:
    names = ["alice", "bob", "bobby"]
    assert [one[0] for one in completions("/ret", names)] == ["/retract "]
    assert [one[0] for one in completions("/to b", names)] == ["bob", "bobby"]
    assert "👍" in [one[0] for one in completions("/react ", names)]
    assert list(completions("plain text", names)) == []
    assert list(completions("/to bob hel", names)) == []
