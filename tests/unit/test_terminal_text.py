"""Text of other people is shown harmlessly."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veche.terminal.text import harmless, on_one_line, seconds, short_name

OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"


def is_obeyed(char: str) -> bool:
    """Whether a terminal would do something for this character instead of showing it."""
    return (unicodedata.category(char) in ("Cc", "Cs") and char != "\n") or char in OVERRIDES


@given(st.text(st.characters(codec=None), max_size=50))
def test_no_text_makes_the_terminal_do_anything(text: str) -> None:
    """Rows: T39."""
    assert not any(map(is_obeyed, harmless(text)))
    assert not any(map(is_obeyed, on_one_line(text)))
    assert "\n" not in on_one_line(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain  text", "plain  text"),
        ("привет 👩‍👩‍👧 e\u0301", "привет 👩‍👩‍👧 e\u0301"),
        ("\x1b[2Jgone", "␛[2Jgone"),
        ("\x9b2J", "<9B>2J"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("a\tb", "a    b"),
        ("a\x7fb", "a␡b"),
        ("line\u2028separator", "line\nseparator"),
        ("exe\u202egpj", "exe<202E>gpj"),
    ],
)
def test_what_it_looks_like(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_a_long_text_is_cut_on_one_line() -> None:
    assert on_one_line("x" * 300, 10) == "xxxxxxxxx…"
    assert on_one_line("a\nb") == "a ↵ b"


def test_neighbours_have_short_names() -> None:
    assert short_name("bob@home", "home") == "bob"
    assert short_name("bob@elsewhere", "home") == "bob@elsewhere"
    assert short_name("nobody", "home") == "nobody"
    assert short_name("b\x1bob@home", "home") == "b␛ob"


@pytest.mark.parametrize(("duration", "text"), [(0.2, "1 s"), (59.6, "60 s"), (200, "3 min"), (7200, "2 h")])
def test_waiting_times(duration: float, text: str) -> None:
    assert seconds(duration) == text
