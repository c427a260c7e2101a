"""The line editor of the classic terminal, on a terminal that obeys CR, LF and ESC [K."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcwidth

from veche.terminal.line_editor import Key, LineEditor

UP, DOWN, RIGHT, LEFT, HOME, END, DELETE = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~"


class Screen:
    """An editor and the terminal that shows it."""

    def __init__(self, columns: int = 40) -> None:
        self.editor = LineEditor(columns)
        self.columns = columns
        self.rows: list[str] = []
        self.row = ""
        self.x = 0
        self.written = ""
        self.events: list[str | Key] = []

    def press(self, keys: str | bytes) -> Screen:
        data = keys.encode() if isinstance(keys, str) else keys
        self.events += self.editor.feed(data)
        return self.show()

    def show(self) -> Screen:
        text = self.editor.take()
        self.written += text
        for number, part in enumerate(text.split("\x1b[K")):
            if number:
                self.row = self.row[: self.x]
            for char in part:
                if char == "\r":
                    self.x = 0
                elif char == "\n":
                    self.rows.append(self.row)
                    self.row, self.x = "", 0
                else:
                    self.row = self.row[: self.x] + char + self.row[self.x + 1 :]
                    self.x += 1
        return self


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_what_is_typed_is_shown_and_a_line_is_given_at_its_end(screen: Screen) -> None:
    screen.press("hel")
    assert (screen.row, screen.events) == ("hel", [])
    screen.press("lo\r")
    assert (screen.rows, screen.row, screen.events) == (["hello"], "", ["hello"])
    assert screen.written == "hello\n"  # nothing but what was typed


def test_a_line_that_arrives_stands_above_the_half_typed_one(screen: Screen) -> None:
    """Rows: T39 (partly)."""
    screen.press("message luke he")
    screen.editor.say("yoda: hm")
    screen.show()
    assert (screen.rows, screen.row) == (["yoda: hm"], "message luke he")
    screen.press("llo\n")
    assert (screen.rows, screen.events) == (["yoda: hm", "message luke hello"], ["message luke hello"])


def test_a_line_that_arrives_when_nothing_is_typed_needs_no_escape_codes(screen: Screen) -> None:
    screen.editor.say("yoda: hm")
    assert screen.show().written == "yoda: hm\n"


def test_a_prompt_stands_before_what_is_typed(screen: Screen) -> None:
    screen.editor.prompt("Username: ")
    screen.show().press("yoda\r")
    assert (screen.rows, screen.events) == (["Username: yoda"], ["yoda"])
    assert screen.written == "Username: yoda\n"


def test_what_was_typed_before_the_prompt_came_is_its_answer(screen: Screen) -> None:
    screen.press("yo").editor.prompt("Username: ")
    assert screen.show().row == "Username: yo"


def test_a_question_puts_the_half_typed_line_aside(screen: Screen) -> None:
    """Rows: T47 (partly)."""
    screen.press("message luke I am" + LEFT * 2)
    screen.editor.ask("y or n: ")
    screen.show()
    assert screen.row == "y or n: "
    screen.press("x\r")
    screen.editor.ask("y or n: ")
    screen.show().press("y\r")
    screen.editor.resume()
    screen.show()
    assert (screen.rows, screen.row, screen.x) == (["y or n: x", "y or n: y"], "message luke I am", 15)
    screen.press("will be; I \r")
    assert screen.events == ["x", "y", "message luke I will be; I am"]


def test_a_question_may_be_asked_between_two_lines_that_were_typed_at_once(screen: Screen) -> None:
    """Rows: T47 (partly)."""
    lines = screen.editor.feed(b"first\rno\rlast")
    assert next(lines) == "first"
    screen.editor.ask("y or n: ")
    assert next(lines) == "no"
    screen.editor.resume()
    assert next(lines, None) is None
    screen.show()
    assert (screen.rows, screen.row) == (["first", "y or n: no"], "last")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("abc\x7f", "ab"),
        ("abc\x08\x08", "a"),
        ("one two\x15x", "x"),
        ("one two  \x17x", "one x"),
        ("one\x17", ""),
        (f"ac{LEFT}b", "abc"),
        (f"bc{HOME}a", "abc"),
        (f"ac\x01{RIGHT}b{END}d\x02\x02\x06", "abcd"),
        (f"abcd{LEFT}{LEFT}\x0b", "ab"),
        (f"abc{HOME}{DELETE}", "bc"),
        ("abc\x01\x04", "bc"),
        (f"ab{HOME}\x15\x7f{LEFT}{END}{RIGHT}{DELETE}c", "abc"),
        ("a\x1b[15~\x1b[1;5Cb\x1bOQ\x1bxc\x1b[200~d", "abcd"),
        ("a\tb", "a b"),
        ("a\x00\x1f\x7fb", "b"),
        ("a\x1b", "a"),
        ("a\u202eb\u2028c", "abc"),
    ],
)
def test_keys(screen: Screen, keys: str, line: str) -> None:
    screen.press(keys)
    assert screen.row == line
    assert screen.press("\r").events == [line]


def test_a_sequence_may_come_in_pieces(screen: Screen) -> None:
    for key in "ab\x1b[Dc\r":
        screen.press(key)
    assert screen.events == ["acb"]


def test_a_sequence_without_an_end_does_not_swallow_everything(screen: Screen) -> None:
    screen.press("\x1b[" + "1" * 100 + "\r")
    assert len(screen.events) == 1


def test_a_character_may_come_in_pieces(screen: Screen) -> None:
    for byte in "вече\r".encode():
        screen.press(bytes([byte]))
    assert screen.events == ["вече"]
    assert screen.press(b"\xff\r").events[-1] == "\ufffd"


def test_the_history_goes_up_and_down_and_back_to_what_was_typed(screen: Screen) -> None:
    screen.press("first\rsecond\rsecond\rthi")
    seen: list[str] = []
    for key in (UP, UP, UP, DOWN, DOWN, DOWN):
        screen.press(key)
        seen.append(screen.row)
    assert seen == ["second", "first", "first", "second", "thi", "thi"]
    screen.press("rd\r" + UP)
    assert screen.row == "third"


def test_what_answers_a_prompt_is_no_history(screen: Screen) -> None:
    screen.editor.prompt("Password: ")
    screen.press("secret\r" + UP)
    assert screen.row == ""


def test_ctrl_c_and_ctrl_d(screen: Screen) -> None:
    screen.press("a\x04\x03\x15\x04")
    assert screen.events == [Key.INTERRUPT, Key.END]


def test_ctrl_l_clears_the_screen_and_draws_the_line_again(screen: Screen) -> None:
    screen.press("half")
    list(screen.editor.feed(b"\x0c"))
    assert screen.editor.take() == "\x1b[H\x1b[2Jhalf"


def test_cr_lf_is_one_line_end(screen: Screen) -> None:
    assert screen.press("a\r\nb\n\n").events == ["a", "b", ""]


def test_a_long_line_scrolls_sideways_and_is_whole_at_its_end() -> None:
    screen = Screen(columns=10)
    screen.press("abcdefghij")
    assert screen.row == "cdefghij"
    assert screen.x == 8
    screen.press(LEFT * 4)
    assert screen.row == "abcdefghi"
    screen.press(HOME + "_")
    assert (screen.row, screen.x) == ("_abcdefgh", 1)
    screen.press("\r")
    assert screen.rows == ["_abcdefghij"]


def test_a_question_longer_than_the_row_scrolls_too() -> None:
    screen = Screen(columns=20)
    screen.editor.ask("hans would like to private message, enter y or n: ")
    assert screen.show().row == "ge, enter y or n: "
    assert screen.press("y").row == "e, enter y or n: y"


def test_wide_characters_take_two_columns() -> None:
    screen = Screen(columns=11)
    screen.press("日本語日本語")
    assert screen.row == "語日本語"  # of ten columns one is the cursor's
    screen.press("\x7f\x7f\r")
    assert screen.events == ["日本語日"]


def test_a_character_with_its_accent_is_deleted_as_one() -> None:
    screen = Screen()
    screen.press("e\u0301\u0323x" + LEFT + LEFT + "a\x7f" + DELETE)
    assert screen.press("\r").events == ["x"]


def test_leaving_begins_a_new_row(screen: Screen) -> None:
    screen.press("half").editor.leave()
    assert screen.show().rows == ["half"]
    screen.editor.leave()
    assert screen.show().rows == ["half"]


def test_a_pasted_book_is_cut() -> None:
    screen = Screen()
    screen.press("x" * 50_000 + "\r")
    assert [len(event) for event in screen.events if isinstance(event, str)] == [20_000]


typed = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=("Cs",)), max_size=4),
        st.sampled_from([UP, DOWN, RIGHT, LEFT, HOME, END, DELETE, "\x7f", "\x15", "\x17", "\x0b", "\r"]),
    ),
    max_size=30,
)


@given(typed, st.integers(2, 30), st.sampled_from(["", "Password: "]))
def test_whatever_is_typed_the_row_shows_what_the_editor_holds(keys: list[str], columns: int, prompt: str) -> None:
    """However the drawing was saved, the row is what a drawing from nothing gives.  Rows: T39 (partly)."""
    screen = Screen(columns)
    screen.editor.prompt(prompt)
    for key in keys:
        screen.press(key.replace("\x0c", ""))
        drawn = screen.row, screen.x
        screen.editor.redraw()
        screen.show()
        assert drawn == (screen.row, screen.x)
        assert sum(wcwidth(char) for char in screen.row) <= max(2, columns - 1)
    lines = "".join(event for event in screen.events if isinstance(event, str))
    assert "Cc" not in map(unicodedata.category, lines)


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(data: bytes) -> None:
    screen = Screen()
    screen.press(data)
    assert all("\n" not in event for event in screen.events if isinstance(event, str))
