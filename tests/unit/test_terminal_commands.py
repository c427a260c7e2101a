"""What is typed becomes requests: the lines of the plain mode, and the commands of the screen."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veche.packets.account import PasswordChange, SessionsRevoke, TokenCreate, TokenRevoke
from veche.packets.blocking import Block, Unblock
from veche.packets.broadcast import BroadcastSend
from veche.packets.contacts import (
    ContactsAdd,
    ContactsChange,
    ContactsDelete,
    ContactsGet,
    FriendAnswer,
    FriendCancel,
    FriendIgnore,
    FriendRemove,
    FriendRequest,
    Relation,
)
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
from veche.packets.presence import PresenceSet, WhoElse, WhoElseSince
from veche.packets.profile import MAX_AVATAR_BYTES, ProfileGet, ProfileUpdate
from veche.terminal import plain_commands, screen_commands
from veche.terminal.people_commands import ProfileChange, Wrong
from veche.terminal.plain_commands import (
    Command,
    Contacts,
    Help,
    Logout,
    PrivateAnswer,
    PrivateSay,
    PrivateStart,
    PrivateStop,
    Read,
    Reply,
)
from veche.terminal.screen_commands import COMMANDS, Typed, completions, help_of


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
        ("friend add bob", FriendRequest(login="bob")),
        ("friend accept bob", FriendAnswer(login="bob", accepted=True)),
        ("friend  refuse  bob ", FriendAnswer(login="bob", accepted=False)),
        ("friend ignore bob", FriendIgnore(login="bob")),
        ("friend cancel bob", FriendCancel(login="bob")),
        ("friend remove bob@home", FriendRemove(login="bob@home")),
        ("friends", Contacts((Relation.MUTUAL,))),
        ("requests", Contacts((Relation.INCOMING, Relation.OUTGOING))),
        ("contacts", Contacts(tuple(Relation))),
        ("blocked", Contacts((Relation.BLOCKED,))),
        ("contact add bob", ContactsAdd(id="bob")),
        ("contact add bob group=a/b", ContactsAdd(id="bob", group="a/b")),
        ('contact set bob name="Bob Smith" memo=', ContactsChange(id="bob", name="Bob Smith", memo="")),
        ("contact set bob memo='owes \"5\"'", ContactsChange(id="bob", memo='owes "5"')),
        ("contact set bob group=C:\\x#y", ContactsChange(id="bob", group="C:\\x#y")),
        ("contact remove bob", ContactsDelete(id="bob")),
        ("whoelse", WhoElse()),
        ("whoelsesince 300", WhoElseSince(seconds=300)),
        ("whoelsesince 999999999999", WhoElseSince(seconds=10**9)),
        ("broadcast hello   all", BroadcastSend(text="hello   all")),
        ("away", PresenceSet(away=True)),
        ("back", PresenceSet()),
        ("profile", ProfileGet(login="")),
        ("profile bob", ProfileGet(login="bob")),
        ('profile name=Al note="on vacation"', ProfileChange("Al", "on vacation", None)),
        ("profile avatar=", ProfileChange(None, None, "")),
        ("startprivate bob", PrivateStart("bob")),
        ("private bob   hi", PrivateSay("bob", "  hi")),
        ("stopprivate bob", PrivateStop("bob")),
        ("accept bob", PrivateAnswer("bob", True)),
        ("decline bob", PrivateAnswer("bob", False)),
        ("y", PrivateAnswer(None, True)),
        ("n", PrivateAnswer(None, False)),
        ('{"type":"CONTACTS-GET"}', ContactsGet()),
        ("help", Help()),
        ("help  conference ", Help("conference")),
        ("logout", Logout()),
        ("", None),
        ("   ", None),
    ],
)
def test_a_line_of_the_plain_mode(line: str, command: Command | None) -> None:
    """Rows: T22 (partly), T23 (partly), T26 (partly), T30 (partly), T33 (partly), T36 (partly), T37 (partly)."""
    assert plain_commands.parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        *("whatsthetime", "message", "message bob", "message bob ", "read", "read a b", "history bob 0"),
        *("history bob 201", "history bob x", "edit x y", "edit 1", "retract", "retract 1 2", "react 1"),
        *("edit 99999999999999999 x", "edit ١ x", "password a b c", "{", "{}", '{"type":"NO-SUCH"}'),
        *("friend", "friend bob", "friend add", "friend add a b", "friend hug bob", "contact", "contact set bob"),
        *("contact set bob bob", "contact set bob nmae=x", "contact set bob name=a name=b", "contact remove bob x"),
        *("contact set bob memo=don't", 'contact add bob name="x', "whoelsesince", "whoelsesince x", "whoelsesince -1"),
        *("broadcast", "profile a b", "profile nmae=x", "startprivate", "private bob", "y es", "accept a b"),
        *('{"type":"PRIVATE-ANSWER","id":"x","accepted":true}', '{"type":"CLASSIC"}', '{"type":"INPUT","text":"x"}'),
        *('{"type":"CONNECT"}', '{"type":"GOODBYE"}', '{"type":"MESSAGE-DELIVERED","id":1}', '{"type":"MESSAGE"}'),
    ],
)
def test_a_line_that_is_no_command_is_refused(line: str) -> None:
    """Rows: T38 (partly)."""
    with pytest.raises(Wrong):
        plain_commands.parse(line)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("friend", "Write: friend add LOGIN, or: friend accept LOGIN, or: "),
        ("message bob", "Write: message LOGIN TEXT"),
        ("profile a b", "Write: profile [LOGIN], or: profile name=... note=... avatar=FILE"),
        ("contact set bob memo=don't", "A quote is not closed; a value that holds ' stands in double quotes."),
        ("whatsthetime", "Invalid command. help lists the commands."),
    ],
)
def test_a_refusal_shows_the_right_usage(line: str, sentence: str) -> None:
    """Rows: T38 (partly)."""
    with pytest.raises(Wrong) as wrong:
        plain_commands.parse(line)
    assert str(wrong.value).startswith(sentence)


def test_every_command_of_the_plain_mode_is_explained() -> None:
    for name in plain_commands.COMMANDS:
        assert f"\n  {name} " in plain_commands.HELP
        assert plain_commands.help_of(name).lstrip().startswith(name)
    assert plain_commands.help_of("") == plain_commands.HELP
    assert plain_commands.help_of("quit") == plain_commands.help_of("logout")
    assert "conference join ID|NAME|FRIEND" in plain_commands.help_of("conference")
    assert "message LOGIN" not in plain_commands.help_of("conference")
    with pytest.raises(Wrong, match="There is no command frob"):
        plain_commands.help_of("frob")


def test_a_picture_is_read_from_a_file(tmp_path: Path) -> None:
    """Rows: M45 (partly)."""
    file = tmp_path / "me.png"
    file.write_bytes(b"\x89PNG")
    assert ProfileChange("Al", None, str(file)).request() == ProfileUpdate(name="Al", avatar="iVBORw==")
    assert ProfileChange(None, None, "").request() == ProfileUpdate(avatar="")
    file.write_bytes(b"x" * (MAX_AVATAR_BYTES + 1))
    with pytest.raises(Wrong, match="larger than 32 KiB"):
        ProfileChange(None, None, str(file)).request()
    for bad in (str(tmp_path), str(tmp_path / "none.png"), "a\0b"):
        with pytest.raises(Wrong, match="cannot be read"):
            ProfileChange(None, None, bad).request()


@given(st.text(max_size=60))
def test_any_line_is_a_command_or_refused(line: str) -> None:
    with suppress(Wrong):
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
        ("/friend accept bob", Typed("friend", "accept bob")),
        ("/private bob", Typed("private", "bob")),
        ("/startprivate bob", Typed("private", "bob")),
        ("/whosince 300", Typed("whosince", "300")),
        ("/mute", Typed("mute", "")),
        ('/me note="on vacation"', Typed("me", 'note="on vacation"')),
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
        "/friend",
        "/whosince soon",
        "/private a b",
        "/me",
    ],
)
def test_what_is_no_command_of_the_screen_is_refused(line: str) -> None:
    """Rows: T38 (partly)."""
    with pytest.raises(Wrong):
        screen_commands.parse(line)


def test_every_command_is_explained() -> None:
    for name in COMMANDS:
        assert f"/{name}" in help_of()
        assert f"/{name}" in help_of(name)
    with pytest.raises(Wrong):
        help_of("nonsense")


def test_commands_and_names_are_completed() -> None:
    names = [("alice", "alice"), ("bob", "Robert Smith"), ("bobby", "bobby")]
    assert [one[0] for one in completions("/ret", names)] == ["/retract "]
    assert [one[0] for one in completions("/to b", names)] == ["bob", "bobby"]
    assert list(completions("/block smi", names)) == [("bob", -3, "Robert Smith")], "what commands take is the login"
    assert [one[0] for one in completions("/friend ", names)][:2] == ["add ", "accept "]
    assert [one[0] for one in completions("/friend accept Rob", names)] == ["bob"]
    assert "👍" in [one[0] for one in completions("/react ", names)]
    assert list(completions("plain text", names)) == []
    assert list(completions("/to bob hel", names)) == []
