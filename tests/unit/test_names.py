"""What a login may be, and how an address is split."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veche.core.names import BadLogin, normal_login, split_address

ANY_TEXT = st.text(st.characters())
"""Surrogates too: JSON may hold them."""


@pytest.mark.parametrize("login", ["alice", "Yoda", "a", "a" * 64, "боб", "李雷", "x,y=z", "~!#$%^*_-+=`|\\(){}[];,.?"])
def test_a_plain_login_is_its_own_normal_form(login: str) -> None:
    """Rows: A09, M04, T03."""
    assert normal_login(login) == login


def test_case_counts() -> None:
    """Rows: T03."""
    assert normal_login("Yoda") != normal_login("yoda")


def test_two_spellings_of_one_character_are_one_login() -> None:
    """Rows: A09, M04."""
    assert normal_login("Ame\u0301lie") == normal_login("Am\u00e9lie") == "Am\u00e9lie"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 65,
        "é" * 65,
        "e\u0301" * 65,
        "e\u0301" * 1_000_000,
        "a b",
        " alice",
        "alice\n",
        "a\u00a0b",
        "a\u3000b",
        "a\u2028b",
        "a\0b",
        "a\u200bb",
        "a\u202eb",
        "a\ud800b",
        "a\ue000b",
        "a\uffffb",
        *(f"a{char}b" for char in "\"&'/:<>@"),
    ],
)
def test_a_bad_login_is_refused_with_a_sentence(text: str) -> None:
    """Rows: A09."""
    with pytest.raises(BadLogin, match=r"^A name .+"):
        normal_login(text)


def test_64_code_points_are_counted_after_normalisation() -> None:
    """Rows: A09."""
    assert normal_login("e\u0301" * 64) == "é" * 64
    assert normal_login("\u03b1\u0313\u0300\u0345" * 64) == "\u1f82" * 64


@given(ANY_TEXT)
def test_any_text_is_refused_or_has_one_normal_form(text: str) -> None:
    """Rows: A09, M04."""
    try:
        login = normal_login(text)
    except BadLogin:
        return
    assert normal_login(login) == login == unicodedata.normalize("NFC", text)
    assert 1 <= len(login) <= 64
    assert split_address(text) == (login, None)
    assert split_address(text + "@Example.ORG") == (login, "example.org")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("bob", ("bob", None)),
        ("bob@host", ("bob", "host")),
        ("Bob@Example.ORG", ("Bob", "example.org")),
        ("bob@127.0.0.1", ("bob", "127.0.0.1")),
        ("bob@[::1]", ("bob", "[::1]")),
        ("bob@[2001:DB8:0:0::1]", ("bob", "[2001:db8::1]")),
        ("bob@xn--mnchen-3ya.example", ("bob", "xn--mnchen-3ya.example")),
        ("bob@my_server", ("bob", "my_server")),
        ("Ame\u0301lie@host", ("Am\u00e9lie", "host")),
    ],
)
def test_an_address_is_split_into_login_and_domain(text: str, address: tuple[str, str | None]) -> None:
    """Rows: M04."""
    assert split_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@host",
        "bob@",
        "bob@@host",
        "bob@host@host",
        "bob@ho st",
        "bob@host\n",
        "bob@host.",
        "bob@.host",
        "bob@a..b",
        "bob@-host",
        "bob@host-",
        "bob@host:5222",
        "bob@host/phone",
        "bob@münchen",
        "bob@\u212aelvin",
        "bob@" + "a" * 64,
        "bob@" + "a." * 127 + "a",
        "bob@[::1",
        "bob@[]",
        "bob@[fe80::1%eth0]",
        "bob@[127.0.0.1]",
        "b:ob@host",
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    """Rows: M04."""
    with pytest.raises(BadLogin):
        split_address(text)


@given(ANY_TEXT)
def test_any_text_is_an_address_in_one_spelling_or_refused(text: str) -> None:
    """Rows: M04."""
    try:
        login, domain = split_address(text)
    except BadLogin:
        return
    assert split_address(login if domain is None else f"{login}@{domain}") == (login, domain)
