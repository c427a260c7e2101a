"""The list of people, a private conversation, and the bars around them, as lines of a screen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veche.client.state import State, fold
from veche.packets import Packet
from veche.packets.contacts import Contact, Relation
from veche.packets.message import ConversationState, Message, Snapshot, TypingStarted
from veche.packets.presence import Status
from veche.packets.profile import Profile
from veche.terminal.bars import Connection, status, title
from veche.terminal.frame import COLOURS, NO_COLOURS
from veche.terminal.keyboard import AWAY_AFTER_S, WRITING_AGAIN_S, Absence, Writing
from veche.terminal.render import ASCII, UNICODE, Fragments, Line, Look, Notice, page_lines, width_of
from veche.terminal.roster import ALONE, Around, home_lines, last_seen, listed, side_lines
from veche.terminal.screen_commands import help_of
from veche.terminal.talk import Stage, Talk, talk_lines
from veche.terminal.view import View

ME, BOB = "alice@home", "bob@home"
AT = "2026-01-02T10:00:00Z"
CONNECTED = Connection(is_online=True)


def someone(login: str, relation: Relation = Relation.MUTUAL, **fields: Any) -> Contact:
    fields.setdefault("name", login)
    return Contact(id=f"{login}@home", relation=relation, **fields)


CONTACTS = [
    someone("bob", name="Robert Smith", status=Status.ONLINE, presence=AT, note="on vacation"),
    someone("dave", status=Status.AWAY, presence=AT, group="Work"),
    someone("eve", status=Status.OFFLINE, presence=AT, group="Work/Kitchen"),
    someone("zed", status=Status.OFFLINE, presence="2025-12-24T10:00:00Z"),
    someone("gus"),
    someone("carol", Relation.INCOMING),
    someone("ivan", Relation.INCOMING, ignored=True),
    someone("frank", Relation.OUTGOING),
    someone("hugo", Relation.NONE, listed=True, group="Work"),
    someone("spam", Relation.BLOCKED),
]
CONVERSATIONS = [
    ConversationState(peer=BOB, last_id=9, unread=2),
    ConversationState(peer="mallory@home", last_id=8, unread=1),
    ConversationState(peer="trent@elsewhere", last_id=7, peer_delivered_id=7),
]


def state_of(*packets: Packet) -> State:
    state = State(me=ME)
    for packet in packets:
        state = fold(state, packet)
    return state


STATE = state_of(
    Snapshot(contacts=CONTACTS, conversations=CONVERSATIONS, blocked=["spam@home"], profile=Profile(name="Al"))
)


def look(width: int = 80, state: State = STATE, **fields: Any) -> Look:
    return Look(width, ME, zone=UTC, names=state.names(), today=date(2026, 1, 2))._replace(**fields)


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(text for _, text in line.fragments).rstrip() for line in lines]


def one_line(fragments: Fragments) -> str:
    return "".join(text for _, text in fragments).rstrip()


def test_the_list_of_people() -> None:
    """Rows: A12 (partly), A13 (partly), M40 (partly), M42 (partly), T33 (partly), X01 (partly), X21 (partly)."""
    assert text_of(home_lines(STATE, look())) == [
        "  You are alice@home, shown as Al.",
        "  /to NAME opens a conversation, /friend add NAME asks somebody to be your",
        "  friend, /help lists all commands.",
        "",
        "  Requests",
        "  ◆ carol               wants to be your friend",
        "    /friend accept carol, /friend refuse carol, /friend ignore carol",
        "  ◆ ivan                wants to be your friend, put off",
        "    /friend accept ivan, /friend refuse ivan",
        "  ◆ mallory             1 new  no friend of yours; /to mallory, /block mallory",
        "",
        "  Friends",
        "  ● Robert Smith (bob)  2 new  on vacation",
        "  · gus",
        "  ○ zed                 seen 24 Dec 2025",
        "  Work (1/3)",
        "    ◐ dave              away",
        "    · hugo              not a friend",
        "    Kitchen (0/1)",
        "      ○ eve             seen 10:00",
        "",
        "  Asked",
        "  ◇ frank               asked; /friend cancel frank",
        "",
        "  Others",
        "  · trent@elsewhere",
        "",
        "  Blocked",
        "  ✗ spam                /unblock spam",
    ]


def test_a_narrow_list_of_people() -> None:
    lines = text_of(home_lines(STATE, look(40)))
    assert lines[8:10] == ["    /friend accept carol, /friend", "    refuse carol, /friend ignore carol"]
    assert "  ● Robert Smith (bob)  2 new  on vacat…" in lines


def test_the_list_beside_a_conversation_has_only_what_is_short() -> None:
    around = Around(muted=frozenset({BOB}), asking=("gus@home",), talks={"eve@home": 2, "zed@home": 0})
    lines = side_lines(STATE, look(28), around, BOB)
    assert text_of(lines)[:6] == ["Requests", "◆ gus", "◆ carol", "◆ ivan", "◆ mallory  1 new", ""]
    assert "● Robert Smith  2 new, muted" in text_of(lines)
    assert "    ○ eve  off the record: …" in text_of(lines)
    here = [text for line in lines for style, text in line.fragments if style == "class:here"]
    assert here == ["Robert Smith"]


def test_who_would_like_to_talk_privately_stands_first() -> None:
    """Rows: T42 (partly)."""
    lines = text_of(home_lines(STATE, look(), around=Around(asking=(BOB,))))
    at = lines.index("  Requests")
    assert lines[at + 1 : at + 3] == [
        "  ◆ Robert Smith (bob)  2 new  would like to talk privately",
        "    /accept bob, /decline bob",
    ]


def test_a_list_of_nobody_says_what_to_do() -> None:
    lines = text_of(home_lines(State(me=ME), look(100, State())))
    assert lines[1] == "  Nobody is here yet."
    assert "/friend add NAME" in lines[2]
    assert len(lines) == 4


def test_presence_has_a_shape_and_a_colour_of_its_own() -> None:
    """Also without colours and without Unicode.  Rows: X21 (partly)."""
    for marks in (UNICODE, ASCII):
        assert len({marks.online, marks.away, marks.offline, marks.unknown}) == 4
    assert len({COLOURS[one.value] for one in (Status.ONLINE, Status.AWAY, Status.OFFLINE)}) == 3
    assert not any("ansi" in style for style in NO_COLOURS.values())
    lines = text_of(home_lines(STATE, look(marks=ASCII)))
    assert "  * Robert Smith (bob)  2 new  on vacation" in lines
    assert "    ~ dave              away" in lines


def test_the_order_of_the_list_is_the_order_of_the_keys() -> None:
    order = [one.partition("@")[0] for one in listed(STATE, Around(asking=(BOB,))).in_order()]
    assert order == [
        *("bob", "carol", "ivan", "mallory", "gus", "zed", "dave", "hugo", "eve", "frank", "trent", "spam"),
    ]


def test_whom_i_have_written_to_asks_for_nothing() -> None:
    """Rows: X01 (partly)."""
    message = Message(id=1, seq=1, from_="x@home", to=ME, at=AT, text="hi")
    state = state_of(message)
    assert listed(state).strangers == ["x@home"]
    answer = Message(id=2, seq=2, from_=ME, to="x@home", at=AT, text="hi yourself")
    assert (listed(fold(state, answer)).strangers, listed(fold(state, answer)).others) == ([], ["x@home"])


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        ("2026-01-02T09:05:00+0000", "seen 09:05"),
        ("2026-01-01T23:05:00Z", "seen 1 Jan"),
        ("2018-09-09T14:22:31+0300", "seen 9 Sep 2018"),
        ("whenever", ""),
    ],
)
def test_when_somebody_was_seen_last(instant: str, shown: str) -> None:
    """Rows: M27 (partly), M37 (partly)."""
    assert last_seen(instant, look()) == shown


names = st.text(max_size=30)


@settings(deadline=None)
@given(names, names, names, st.sampled_from(list(Relation)), st.integers(12, 120))
def test_no_line_of_the_list_is_wider_than_the_screen(
    name: str, note: str, group: str, relation: Relation, width: int
) -> None:
    contact = someone("bob", relation, name=name, note=note, group=group, listed=True)
    state = state_of(Snapshot(contacts=[contact], conversations=CONVERSATIONS))
    around = Around(talks={BOB: 3}, asking=(BOB,))
    here = look(width, state)
    for line in [*home_lines(state, here, around=around), *side_lines(state, here, around, BOB)]:
        assert width_of("".join(text for _, text in line.fragments)) <= width
        assert "\n" not in "".join(text for _, text in line.fragments)
    view = View()
    view.around = around
    view.show(BOB)
    bars = (title(state, view, here, CONNECTED), status(state, view, here, CONNECTED, 0.0))
    assert all(width_of("".join(text for _, text in bar)) == width for bar in bars)


# -- off the record


def talk_of(*texts: str, stage: Stage = Stage.OPEN) -> Talk:
    talk = Talk(BOB, stage)
    for i, text in enumerate(texts):
        talk.add(datetime(2026, 1, 2, 10, i, tzinfo=UTC), text, is_mine=i % 2 == 0)
    return talk


def test_a_private_conversation_says_at_both_ends_what_it_is() -> None:
    """Rows: T49 (partly), X11 (partly)."""
    lines = text_of(talk_lines(talk_of("hi", "hello \x1b[2J"), look(60), [Notice(1, 1, "", "a notice")]))
    assert lines == [
        "────────────────────── Off the record ──────────────────────",
        "  Straight to the device of Robert Smith, past the server.",
        "  Kept nowhere.",
        "10:00 you          hi",
        "  a notice",
        "10:01 Robert Smith hello ␛[2J",
        "─────────────────── Off the record: open ───────────────────",
    ]


def test_a_private_conversation_never_stands_among_what_is_stored() -> None:
    """Rows: X11 (partly)."""
    view, talk = View(), talk_of("a secret")
    state = state_of(Message(id=1, seq=1, from_=BOB, to=ME, at=AT, text="for the record"))
    view.show(BOB, talk=talk)
    view.say(state, "a notice there", "")
    private = "\n".join(text_of(view.lines(state, look(), 20)))
    assert "a secret" in private
    assert "a notice there" in private
    assert "for the record" not in private
    view.show(BOB)
    stored = "\n".join(text_of(view.lines(state, look(), 20)))
    assert "for the record" in stored
    assert "secret" not in stored
    assert "a notice there" not in stored


def test_the_oldest_of_a_long_private_conversation_is_forgotten() -> None:
    talk = talk_of()
    for _ in range(1005):
        talk.add(datetime(2026, 1, 2, tzinfo=UTC), "x", is_mine=True)
    assert (len(talk.sayings), talk.sayings[0].number) == (1000, 6)


# -- the view of lists and pages


def test_a_list_shows_its_beginning_and_a_notice_its_end() -> None:
    view = View()
    assert text_of(view.lines(STATE, look(), 10))[0] == "  You are alice@home, shown as Al."
    assert view.is_scrolled_back, "there is more below"
    assert not view.scroll(STATE, look(), 1)
    assert "  ● Robert Smith (bob)  2 new  on vacation" in text_of(view.lines(STATE, look(), 10))
    assert view.scroll(STATE, look(), -1)
    assert text_of(view.lines(STATE, look(), 10))[0] == "  You are alice@home, shown as Al."
    view.say(STATE, "something", "")
    assert text_of(view.lines(STATE, look(), 10))[-1] == "  something"
    assert not view.is_scrolled_back
    view.show(None)
    assert text_of(view.lines(STATE, look(), 10))[0] == "  You are alice@home, shown as Al."
    assert len(view.lines(STATE, look(), 60)) == 60, "a short one stands at the top"


def test_a_page_of_help_stands_before_the_conversation() -> None:
    view = View()
    view.show(BOB)
    view.show_page(help_of())
    assert text_of(view.lines(STATE, look(), 10))[0] == " Conversations:"
    while view.is_scrolled_back:
        view.scroll(STATE, look(), 1)
        view.lines(STATE, look(), 10)
    assert text_of(view.lines(STATE, look(), 10))[-2].startswith(" PageUp and PageDown")
    view.show_page("")
    assert view.peer == BOB
    assert not view.is_scrolled_back


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_help_fits(width: int) -> None:
    lines = text_of(page_lines(help_of(), look(width)))
    assert all(width_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(help_of().split())


# -- the bars


def opened(peer: str | None = None, talk: Talk | None = None, around: Around = ALONE) -> View:
    view = View()
    view.around = around
    view.show(peer, talk=talk)
    return view


@pytest.mark.parametrize(
    ("view", "connection", "shown"),
    [
        (opened(), CONNECTED, " ● alice │ Veche"),
        (opened(), Connection(True, is_away=True), " ◐ alice, away │ Veche"),
        (opened(), Connection(False, retry_in_s=3.2), " ○ alice: reconnecting in 3 s │ Veche"),
        (opened(BOB), CONNECTED, " ● alice │ Robert Smith (bob@home)  ● online  on vacation"),
        (opened("eve@home"), CONNECTED, " ● alice │ eve@home  seen 10:00"),
        (opened("gus@home"), CONNECTED, " ● alice │ gus@home  · presence unknown"),
        (opened("mallory@home"), CONNECTED, " ● alice │ mallory@home  no friend of yours"),
        (opened("spam@home"), CONNECTED, " ● alice │ spam@home  blocked: what they write does not reach you"),
        (
            opened("eve@home", around=Around(frozenset({"eve@home"}))),
            CONNECTED,
            " ● alice │ eve@home  seen 10:00  muted",
        ),
        (opened(BOB, talk_of()), CONNECTED, " ● alice Off the record with Robert Smith: open"),
    ],
)
def test_the_first_line_says_who_i_am_and_whom_i_look_at(view: View, connection: Connection, shown: str) -> None:
    """Rows: M42 (partly), X21 (partly)."""
    assert one_line(title(STATE, view, look(), connection)) == shown


@pytest.mark.parametrize(
    ("view", "connection", "shown"),
    [
        (opened(BOB), CONNECTED, " 1 friend request: /home  unread: mallory 1"),
        (opened(), CONNECTED, " unread: Robert Smith 2, mallory 1"),
        (
            opened(BOB, around=Around(asking=("gus@home",), talks={"eve@home": 3})),
            CONNECTED,
            " gus would like to talk privately: /accept or /decline  1 friend request: /home  unread…",
        ),
        (opened(), Connection(False, trouble="Nobody listens."), " Nobody listens.  unread: Robert Smith 2, mallory 1"),
    ],
)
def test_the_last_line_says_what_waits(view: View, connection: Connection, shown: str) -> None:
    assert one_line(status(STATE, view, look(88), connection, 0.0)) == shown


def test_the_last_line_says_who_is_typing_but_not_off_the_record() -> None:
    """Rows: M21 (partly)."""
    state = fold(STATE, TypingStarted(from_=BOB), now=5.0)
    assert one_line(status(state, opened(BOB), look(), CONNECTED, 6.0)).startswith(" Robert Smith is typing…")
    assert "typing" not in one_line(status(state, opened(BOB, talk_of()), look(), CONNECTED, 6.0))
    assert one_line(status(State(me=ME), opened(), look(), CONNECTED, 0.0)).startswith(" /help")


# -- away


def test_who_presses_no_key_is_away_until_the_next() -> None:
    """Rows: X21 (partly)."""
    absence = Absence(100.0)
    assert not absence.time_passed(100.0 + AWAY_AFTER_S - 1)
    assert absence.time_passed(100.0 + AWAY_AFTER_S)
    assert not absence.time_passed(100.0 + AWAY_AFTER_S + 1), "told once"
    assert absence.is_away
    assert absence.key_pressed(1000.0)
    assert not absence.key_pressed(1001.0)
    assert absence.since_key(1004.0) == 3.0
    absence.leave()
    assert absence.is_away
    assert absence.key_pressed(1005.0)


def test_who_is_written_to_is_told_now_and_then() -> None:
    """Rows: M21 (partly), M22 (partly)."""
    writing = Writing()
    assert writing.changed(BOB, "h", 10.0) == (BOB, False)
    assert writing.changed(BOB, "hi", 10.0 + WRITING_AGAIN_S) is None
    assert writing.changed(BOB, "hi,", 11.0 + WRITING_AGAIN_S) == (BOB, False)
    assert writing.changed(BOB, "", 20.0) == (BOB, True)
    assert writing.ended() is None
    assert writing.changed(BOB, "/help", 21.0) is None, "a command is for nobody"
    assert writing.changed(None, "hi", 21.0) is None
    assert writing.changed(BOB, "x", 22.0) == (BOB, False)
    writing.sent()
    assert writing.ended() is None
