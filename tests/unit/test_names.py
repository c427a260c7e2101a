"""What a login may be, which spellings are one login, and how an address is split."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from precis_i18n import get_profile

from veche.core.names import BadLogin, normal_login, split_address

ANY_TEXT = st.text(st.characters())
"""Surrogates too: JSON may hold them."""
NAME_LIKE = st.text(
    st.characters(categories=["Ll", "Lu", "Lt", "Lo", "Lm", "Mn", "Mc", "Nd"])
    | st.characters(max_codepoint=0x7E)
    | st.sampled_from("İıſßẞΣσςǅᾈﬁⅧ·ＡａｶﾞﾡK\u0301\u0307\u0345\u200c\u200d\u212a\u2126א1٠۰"),
    max_size=8,
)
"""Texts that are names more often, of characters that mappings change."""
KEEPS_CASE = pytest.mark.parametrize("keeps_case", [False, True])


def outcome(text: str, *, keeps_case: bool = False) -> str | None:
    """The login, or None when it is refused."""
    try:
        return normal_login(text, keeps_case=keeps_case)
    except BadLogin:
        return None


# -- which spellings are one login


@KEEPS_CASE
@pytest.mark.parametrize(
    "login",
    ["alice", "a", "a" * 64, "боб", "李雷", "שלום", "نامه\u200cای", "straße", "x,y=z", "~!#$%^*_-+=`|\\(){}[];,.?"],
)
def test_a_plain_login_is_its_own_normal_form(login: str, keeps_case: bool) -> None:
    """Rows: A09, M04, T03 (partly)."""
    assert normal_login(login, keeps_case=keeps_case) == login


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("Alice", "alice"),
        ("ALICE", "alice"),
        ("Ａｌｉｃｅ", "alice"),
        ("\u212aevin", "kevin"),
        ("Пётр", "пётр"),
        ("ÉLAN", "élan"),
        ("E\u0301lan", "élan"),
        ("ΟΔΟΣ", "οδος"),
        ("ｶﾞ", "ガ"),
    ],
)
def test_case_width_and_composition_do_not_tell_logins_apart(text: str, login: str) -> None:
    """RFC 8265 §3.3.  Rows: A09, M04."""
    assert normal_login(text) == login


@pytest.mark.parametrize(
    ("text", "login"), [("Yoda", "Yoda"), ("Ｙoda", "Yoda"), ("E\u0301lan", "Élan"), ("\u212aevin", "Kevin")]
)
def test_in_the_classroom_case_does_and_the_rest_does_not(text: str, login: str) -> None:
    """RFC 8265 §3.4.  Rows: T03 (partly)."""
    assert normal_login(text, keeps_case=True) == login
    assert split_address(f"{text}@Example.ORG", keeps_case=True) == (login, "example.org")
    assert normal_login("Yoda", keeps_case=True) != normal_login("yoda", keeps_case=True)


@KEEPS_CASE
@given(text=ANY_TEXT | NAME_LIKE)
def test_any_text_is_refused_or_has_one_normal_form(text: str, keeps_case: bool) -> None:
    """Rows: A09, M04."""
    login = outcome(text, keeps_case=keeps_case)
    assume(login is not None)
    assert login is not None
    assert normal_login(login, keeps_case=keeps_case) == login
    assert 1 <= len(login) <= 64
    assert split_address(text, keeps_case=keeps_case) == (login, None)
    assert split_address(text + "@Example.ORG", keeps_case=keeps_case) == (login, "example.org")


@given(text=ANY_TEXT | NAME_LIKE)
def test_who_passes_a_name_on_with_its_case_has_not_changed_it(text: str) -> None:
    """A client that does not know the server's rule yet.  Rows: M04."""
    kept = outcome(text, keeps_case=True)
    assume(kept is not None)
    assert outcome(kept or "") == outcome(text)


@KEEPS_CASE
@given(text=st.text(st.characters(max_codepoint=0x7F), max_size=66))
def test_the_short_way_for_ascii_is_that_of_the_library(text: str, keeps_case: bool) -> None:
    """Rows: A09, M04."""
    login = outcome(text, keeps_case=keeps_case)
    assume(login is not None)
    assert login == get_profile("UsernameCasePreserved" if keeps_case else "UsernameCaseMapped").enforce(text)


def test_names_in_ascii_do_not_load_the_tables_of_unicode() -> None:
    """A start waits for nothing that it may not need."""
    program = (
        "import sys; from veche.core.names import normal_login, split_address;"
        "normal_login('Alice'); split_address('Bob@Example.ORG', keeps_case=True);"
        "print([name for name in sys.modules if name.startswith('precis')])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


# -- what is no login


@KEEPS_CASE
@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 65,
        "é" * 65,
        "e\u0301" * 65,
        "e\u0301" * 1_000_000,
        "İ" * 65,
        "a b",
        " alice",
        "alice\n",
        "a\u00a0b",
        "a\u3000b",
        "a\u2028b",
        "a\0b",
        "a\u200bb",
        "a\u200cb",
        "a\u202eb",
        "a\ud800b",
        "a\ue000b",
        "a\uffffb",
        "a☃b",
        "a—b",
        "ﬁona",
        "Ⅷ",
        "alice\u05d0",
        *(f"a{char}b" for char in "\"&'/:<>@＂＆＇／：＜＞＠"),
    ],
)
def test_a_bad_login_is_refused_with_a_sentence(text: str, keeps_case: bool) -> None:
    """Rows: A09."""
    with pytest.raises(BadLogin, match=r"^A name [^\n\0\ud800]+\.$"):
        normal_login(text, keeps_case=keeps_case)


def test_64_code_points_are_counted_after_mapping() -> None:
    """Rows: A09."""
    assert normal_login("e\u0301" * 64) == "é" * 64
    assert normal_login("\u03b1\u0313\u0300\u0345" * 64) == "\u1f82" * 64
    assert normal_login("ｶﾞ" * 64) == "ガ" * 64
    with pytest.raises(BadLogin, match="at most 64"):
        normal_login("İ" * 33)


@KEEPS_CASE
@pytest.mark.parametrize("text", ["\u30fb" * 256, "\u0627" + "\u0660" * 255, "a\u0300" * 128, "\u30fb" * 10_000_000])
def test_a_long_text_is_refused_before_its_characters_are_compared_with_each_other(text: str, keeps_case: bool) -> None:
    """Rows: A09."""
    with pytest.raises(BadLogin, match="at most 64"):
        normal_login(text, keeps_case=keeps_case)


# -- addresses


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("bob", ("bob", None)),
        ("bob@host", ("bob", "host")),
        ("Bob@Example.ORG", ("bob", "example.org")),
        ("bob@127.0.0.1", ("bob", "127.0.0.1")),
        ("bob@[::1]", ("bob", "[::1]")),
        ("bob@[2001:DB8:0:0::1]", ("bob", "[2001:db8::1]")),
        ("bob@xn--mnchen-3ya.example", ("bob", "xn--mnchen-3ya.example")),
        ("bob@my_server", ("bob", "my_server")),
        ("Ame\u0301lie@host", ("am\u00e9lie", "host")),
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
