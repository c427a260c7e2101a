"""A conversation as lines of a screen."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veche.client.state import State, fold
from veche.packets import ErrorCode, Packet
from veche.packets.message import (
    Edited,
    HistoryGet,
    HistoryGetOk,
    HistoryMessage,
    Message,
    MessageDelivered,
    MessageRead,
    MessageSend,
    MessageSendFailed,
    Reacted,
    Retracted,
)
from veche.terminal.render import ASCII, Line, Look, Notice, conversation_lines, width_of, wrapped
from veche.terminal.view import View

ME, BOB = "alice@home", "bob@home"
LOOK = Look(70, ME, zone=UTC)


def message(entry_id: int, text: str = "hi", author: str = BOB, day: int = 1, reply_to: int | None = None) -> Message:
    at = f"2026-01-{day:02d}T10:{entry_id % 60:02d}:00Z"
    to = ME if author == BOB else BOB
    return Message(id=entry_id, seq=entry_id, from_=author, to=to, at=at, text=text, reply_to=reply_to)


def state_of(*packets: Packet) -> State:
    state = State(me=ME)
    for packet in packets:
        state = fold(state, packet)
    return state


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(text for _, text in line.fragments).rstrip() for line in lines]


def shown(state: State, look: Look = LOOK, **options: object) -> list[str]:
    return text_of(conversation_lines(state, BOB, look, **options))  # type: ignore[arg-type]


def test_a_message_has_its_time_its_author_and_its_number() -> None:
    """Rows: T26 (partly)."""
    day, line = shown(state_of(message(1, "hello   there")))
    assert day.strip("─ ") == "Thursday 1 January 2026"
    assert line.startswith("10:01 bob hello   there")
    assert line.endswith("#1")


def test_each_day_begins_with_its_name() -> None:
    lines = shown(state_of(message(1), message(2), message(3, day=2)))
    assert [line.strip("─ ") for line in lines if "2026" in line] == [
        "Thursday 1 January 2026",
        "Friday 2 January 2026",
    ]


def test_my_messages_show_how_far_they_have_come() -> None:
    """Rows: M14, M16."""
    state = state_of(
        *(message(i, author=ME) for i in range(1, 5)),
        MessageDelivered(id=3, peer=ME, by=BOB),
        MessageRead(id=2, peer=ME, by=BOB),
    )
    ends = [line.rpartition("#")[2] for line in shown(state)[1:]]
    assert ends == ["1 ✓✓", "2 read", "3 ✓✓", "4 ✓"]


def test_a_message_on_its_way_and_one_that_was_refused() -> None:
    """Rows: M15."""
    request = MessageSend(to="bob", text="hi", cookie="c")
    state = fold(State(me=ME), request)
    assert shown(state)[-1].endswith("…")
    state = fold(state, MessageSendFailed(code=ErrorCode.STORAGE_FULL, cookie="c"), request=request)
    assert shown(state)[0].endswith("✗")
    assert " ".join(" ".join(shown(state)[1:]).split()) == (
        "Not sent. The server has no room left. Nothing was saved; tell its administrator."
    )


def test_what_was_edited_taken_back_answered_and_reacted_to() -> None:
    entry = {"seq": 9, "from_": BOB, "to": ME, "at": "2026-01-01T10:00:00Z"}
    state = state_of(
        message(1, "first"),
        message(2, "second"),
        message(3, "an answer", author=ME, reply_to=1),
        Edited(id=4, **entry, target=1, text="changed"),  # type: ignore[arg-type]
        Retracted(id=5, **entry, target=2),  # type: ignore[arg-type]
        Reacted(id=6, **entry, target=3, emoji="👍"),  # type: ignore[arg-type]
    )
    lines = [line.split("#")[0].rstrip() for line in shown(state)[1:]]
    assert lines == [
        "10:01 bob changed (edited)",
        "10:02 bob taken back",
        "10:03 you ↪ bob: changed",
        "          an answer",
        "          👍 bob",
    ]


def test_other_peoples_escape_sequences_are_shown_not_obeyed() -> None:
    assert "bob ␛[2J␛]0;x␇" in "\n".join(shown(state_of(message(1, "\x1b[2J\x1b]0;x\x07"))))


def test_what_is_new_is_marked_once() -> None:
    lines = shown(state_of(*(message(i) for i in range(1, 6))), new_after=3)
    at = [i for i, line in enumerate(lines) if line.strip("─ ") == "new"]
    assert at == [4]


def test_older_messages_are_offered_when_there_are_any() -> None:
    page = HistoryGetOk(peer=BOB, messages=[HistoryMessage(id=5, seq=5, from_=BOB, at="x", text="hi")], more=True)
    state = fold(State(me=ME), page, request=HistoryGet(peer=BOB))
    lines = shown(state)
    assert "PageUp" in lines[0]
    assert lines[1].startswith("--:--"), "a time that is none"


def test_notices_stand_where_they_were_said() -> None:
    state = state_of(message(1), message(2))
    notices = [Notice(0, 1, "", "before"), Notice(1, 2, "", "between"), Notice(2, 3, "", "after\nthat")]
    lines = [line.split("#")[0].rstrip() for line in shown(state, notices=notices)]
    assert lines[0] == "  before"
    assert lines[2:] == ["10:01 bob hi", "  between", "10:02 bob hi", "  after", "  that"]


def test_a_narrow_screen_puts_the_text_below_the_name() -> None:
    lines = shown(state_of(message(1, "a text that is too long for one line of it")), Look(30, ME, zone=UTC))
    assert lines[1].split() == ["10:01", "bob", "#1"]
    assert lines[2:] == ["  a text that is too long for", "  one line of it"]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    lines = shown(state_of(message(1, author=ME)), Look(70, ME, ASCII, UTC))
    assert lines[1].endswith("#1 v")


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(8, 120), st.booleans())
def test_no_line_is_wider_than_the_screen(text: str, width: int, mine: bool) -> None:
    state = state_of(message(1, text, author=ME if mine else BOB), message(2, "x", reply_to=1))
    for line in conversation_lines(state, BOB, Look(max(width, 24), ME, zone=UTC)):
        assert sum(width_of(part) for _, part in line.fragments) <= max(width, 24)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=200), st.integers(2, 40))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("one  two", ["one  two"]),
        ("1234567890", ["12345678", "90"]),
        ("漢字漢字漢字", ["漢字漢字", "漢字"]),
        ("a\n\nb", ["a", "", "b"]),
        ("   indented", ["   inden", "ted"]),
    ],
)
def test_wrapping(text: str, lines: list[str]) -> None:
    assert wrapped(text, 8) == lines


# -- scrolling


def test_a_view_that_is_scrolled_back_stays_while_more_arrives() -> None:
    """Rows: T39."""
    state = state_of(*(message(i) for i in range(1, 40)))
    view = View()
    view.show(BOB)
    assert text_of(view.lines(state, LOOK, 10))[-1].endswith("#39")
    assert not view.scroll(state, LOOK, -1)
    before = text_of(view.lines(state, LOOK, 10))
    assert before[-1].endswith("#31")
    state = fold(state, message(40))
    assert text_of(view.lines(state, LOOK, 10)) == before
    assert view.is_scrolled_back
    view.scroll(state, LOOK, 1)
    view.scroll(state, LOOK, 1)
    assert not view.is_scrolled_back
    assert text_of(view.lines(state, LOOK, 10))[-1].endswith("#40")


def test_scrolling_up_says_when_the_top_is_reached() -> None:
    state = state_of(*(message(i) for i in range(1, 20)))
    view = View()
    view.show(BOB)
    view.lines(state, LOOK, 10)
    assert not view.scroll(state, LOOK, -1)
    assert view.scroll(state, LOOK, -1)
    lines = text_of(view.lines(state, LOOK, 10))
    assert len(lines) == 10
    assert "January" in lines[0]


def test_a_notice_brings_the_end_into_sight() -> None:
    state = state_of(*(message(i) for i in range(1, 40)))
    view = View()
    view.show(BOB)
    view.lines(state, LOOK, 10)
    view.scroll(state, LOOK, -1)
    view.say(state, "Error. No.", "class:error")
    assert text_of(view.lines(state, LOOK, 10))[-1] == "  Error. No."
