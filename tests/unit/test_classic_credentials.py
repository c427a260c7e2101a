"""credentials.txt: what may stand in it, and how it grows."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.classic import SAMPLE
from veche.core.names import BadLogin, normal_login
from veche.server.classic.credentials import BadCredentials, BadPassword, Credentials, NameTaken, parse

SIGNS = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credentials.txt"


def test_the_sample_of_document_002_is_read(path: Path) -> None:
    """Rows: T02 (partly)."""
    path.write_text("".join(f"{name} {password}\n" for name, password in SAMPLE.items()))
    credentials = Credentials(path)
    assert list(credentials) == list(SAMPLE)
    assert all(credentials.is_right(name, password) for name, password in SAMPLE.items())


def test_names_and_passwords_are_told_apart_by_case(path: Path) -> None:
    """Rows: T03 (partly)."""
    path.write_text("yoda wise@!man\nYoda Wise@!man\n")
    credentials = Credentials(path)
    assert credentials.is_right("Yoda", "Wise@!man")
    assert not credentials.is_right("yoda", "Wise@!man")
    assert not credentials.is_right("YODA", "wise@!man")


def test_a_password_may_hold_every_sign_that_document_002_names(path: Path) -> None:
    """Rows: T02 (partly)."""
    path.write_bytes(b"")
    Credentials(path).add("jaba", SIGNS + string.ascii_letters + string.digits)
    assert Credentials(path).is_right("jaba", SIGNS + string.ascii_letters + string.digits)


def test_an_empty_line_is_passed_over(path: Path) -> None:
    """Rows: T02 (partly)."""
    path.write_text("\nhans falcon*solo\n\nyoda wise\n  \n")
    assert list(Credentials(path)) == ["hans", "yoda"]


@pytest.mark.parametrize(
    ("content", "number", "why"),
    [
        ("hans\n", 1, "one space"),
        ("hans falcon*solo\n\nyoda\n", 3, "one space"),
        ("hans falcon*solo\nyoda wise man\n", 2, "no spaces"),
        ("hans  falcon*solo\n", 1, "no spaces"),
        (" hans falcon\n", 1, "one space"),
        ("hans \n", 1, "one space"),
        ("hans fal\tcon\n", 1, "invisible"),
        ("hans a\nyoda b\nhans c", 3, "line before"),
        ("h<a>ns falcon\n", 1, "may not have <"),
        ("hans " + "x" * 2000, 1, "1024"),
    ],
)
def test_a_malformed_line_is_named(path: Path, content: str, number: int, why: str) -> None:
    """Rows: T02 (partly)."""
    path.write_text(content)
    with pytest.raises(BadCredentials, match=rf"credentials\.txt, line {number}: .*{why}") as error:
        Credentials(path)
    assert str(error.value).count("\n") == 0


def test_what_is_no_utf_8_is_named(path: Path) -> None:
    path.write_bytes(b"hans falcon\nyoda \xff\n")
    with pytest.raises(BadCredentials, match="line 2: This is not UTF-8"):
        Credentials(path)


def test_a_missing_file_and_a_folder_are_said(path: Path, tmp_path: Path) -> None:
    with pytest.raises(BadCredentials, match=r"There is no .*one account a line"):
        Credentials(path)
    with pytest.raises(BadCredentials, match="cannot be read"):
        Credentials(tmp_path)


def test_windows_line_ends_and_its_mark_are_no_part_of_anything(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfhans falcon\r\nyoda wise\r\n")
    credentials = Credentials(path)
    assert [credentials.password(name) for name in ("hans", "yoda")] == ["falcon", "wise"]
    credentials.add("jaba", "tongue")
    assert path.read_bytes().endswith(b"yoda wise\r\njaba tongue\r\n")


@pytest.mark.parametrize("content", ["", "hans falcon\n", "hans falcon"])
def test_a_new_account_is_the_last_line_whether_or_not_the_file_ended_well(path: Path, content: str) -> None:
    """Rows: T07 (partly)."""
    path.write_text(content)
    path.chmod(0o600)
    Credentials(path).add("jaba", "longtongue")
    assert path.read_text() == (content.rstrip("\n") + "\n" if content else "") + "jaba longtongue\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert Credentials(path).is_right("jaba", "longtongue")


def test_a_name_that_is_taken_and_a_password_with_a_space_change_nothing(path: Path) -> None:
    path.write_text("hans falcon\n")
    credentials = Credentials(path)
    with pytest.raises(NameTaken):
        credentials.add("hans", "other")
    for bad in ("", "a b", "a\u00a0b", "a\nb", "a\x00b", "x" * 1025, "\u200b"):
        with pytest.raises(BadPassword):
            credentials.add("jaba", bad)
    assert path.read_text() == "hans falcon\n"
    assert len(credentials) == 1


def test_what_cannot_be_written_makes_no_account(path: Path) -> None:
    """Rows: T07 (partly)."""
    path.write_text("hans falcon\n")
    credentials = Credentials(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        credentials.add("jaba", "longtongue")
    assert "jaba" not in credentials


def test_a_full_disk_leaves_the_file_as_it_was() -> None:
    """Rows: T07 (partly)."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    credentials = Credentials(Path("/dev/null"))
    credentials._path = full  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(OSError, match="space"):
        credentials.add("jaba", "longtongue")
    assert "jaba" not in credentials


@given(st.binary(max_size=60))
def test_any_line_is_a_pair_or_a_sentence(line: bytes) -> None:
    try:
        name, password = parse(line)
    except ValueError as error:
        assert str(error).endswith(".")  # noqa: PT017
    else:
        assert normal_login(name, keeps_case=True) == name
        assert not any(map(str.isspace, name + password))


names = st.text(min_size=1, max_size=10)
passwords = st.text(min_size=1, max_size=20)


@given(st.dictionaries(names, passwords, max_size=5))
def test_what_was_added_is_read_again(tmp_path_factory: pytest.TempPathFactory, pairs: dict[str, str]) -> None:
    """Law: reading the file gives what was added, nothing more.  Rows: T02 (partly), T07 (partly)."""
    path = tmp_path_factory.mktemp("class") / "credentials.txt"
    path.write_bytes(b"")
    credentials, added = Credentials(path), dict[str, str]()
    for text, password in pairs.items():
        try:
            name = normal_login(text, keeps_case=True)
            credentials.add(name, password)
        except (BadLogin, BadPassword, NameTaken):
            continue
        added[name] = password
    again = Credentials(path)
    assert {name: again.password(name) for name in again} == added


def test_a_hundred_thousand_lines_are_read_quickly(path: Path) -> None:
    path.write_text("".join(f"user{number} password{number}\n" for number in range(100_000)))
    assert len(Credentials(path)) == 100_000
