"""The page of requirements: each row's state follows from the docstrings of the tests."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tools import generated, requirements
from tools.requirements import Mention, Row, RowsError, mentions_in, read_mentions, read_rows, state_of

ROOT = generated.ROOT


def mentions(docstring: str, file: str = "tests/unit/test_x.py") -> list[Mention]:
    return list(mentions_in(f'def test_it():\n    """{docstring}"""\n', file))


def test_the_page_is_fresh() -> None:
    """Else: python3 dev.py requirements."""
    page = requirements.requirements_page(read_rows(ROOT), list(read_mentions(ROOT)))
    assert generated.stale({requirements.PAGE: page}) == []


def test_no_row_of_the_documents_is_missing() -> None:
    rows = read_rows(ROOT)
    count = Counter(row.id[0] for row in rows)
    assert count == {"A": 70, "B": 140, "T": 64, "M": 73, "V": 37, "X": 25}
    for letter, number in count.items():
        assert [row.id for row in rows if row.id[0] == letter] == [f"{letter}{n:02d}" for n in range(1, number + 1)]


@pytest.mark.parametrize(
    ("docstring", "named"),
    [
        ("Rows: A17.", ["A17"]),
        ("It is so.  Rows: A17, T20 (partly), B100.", ["A17", "T20 (partly)", "B100"]),
        ("It is so.\n\n    Rows: A17,\n    T20\n    (partly).\n    ", ["A17", "T20 (partly)"]),
        ("Rows: A17", ["A17"]),
        ("Rows: A17.  And more.  Rows: A18.", ["A17", "A18"]),
        ("Nothing here.", []),
    ],
)
def test_a_docstring_names_rows(docstring: str, named: list[str]) -> None:
    assert [one.row + (" (partly)" if one.partly else "") for one in mentions(docstring)] == named


@pytest.mark.parametrize(
    "docstring", ["Rows: A17 and A18.", "Rows: all.", "Rows: A17 (mostly).", "Rows: A17-A19.", "Rows:"]
)
def test_a_list_that_cannot_be_counted_is_refused(docstring: str) -> None:
    with pytest.raises(RowsError, match="test_it says"):
        mentions(docstring)


def test_rows_outside_of_tests_are_refused() -> None:
    with pytest.raises(RowsError, match="no test"):
        mentions("Rows: A17.", "tests/support/alice.py")
    with pytest.raises(RowsError, match="no test"):
        list(mentions_in('"""Rows: A17."""\n', "tests/unit/test_x.py"))
    with pytest.raises(RowsError, match="no test"):
        list(mentions_in('def helper():\n    """Rows: A17."""\n', "tests/unit/test_x.py"))


def test_methods_and_classes_of_tests_count() -> None:
    source = 'class Machine:\n    """Rows: A17."""\n    async def test_it(self):\n        """Rows: A18."""\n'
    assert sorted(one.row for one in mentions_in(source, "tests/properties/test_x.py")) == ["A17", "A18"]


def test_an_unknown_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "docs" / "rows.tsv").write_text("id\tkind\tsection\trequirement\nA01\tmust\tA.1 Here\tIt works.\n")
    (tmp_path / "tests" / "test_x.py").write_text('def test_it():\n    """Rows: A02."""\n')
    with pytest.raises(RowsError, match="names row A02"):
        list(read_mentions(tmp_path))


def test_a_row_works_when_one_test_shows_the_whole_of_it() -> None:
    whole = Mention("A01", False, "tests/test_x.py", "test_a")
    part = Mention("A01", True, "tests/test_x.py", "test_b")
    assert state_of([]) == "not yet"
    assert state_of([part, part]) == "partly"
    assert state_of([part, whole]) == "works"


def test_the_page_counts_and_names() -> None:
    rows = [
        Row("A01", "must", "A.1 Here", "It works | `a|b` for <you>."),
        Row("A02", "maybe", "A.1 Here", "More."),
        Row("X01", "rule", "X Rules", "One rule."),
    ]
    shown = [Mention("A01", True, "tests/test_x.py", "test_b"), Mention("A01", False, "tests/test_x.py", "test_a")]
    page = requirements.requirements_page(rows, shown)
    assert "| A. Document 000: conferences and friends | 1 | 0 | 1 | 2 |" in page
    assert "| **All** | 1 | 0 | 2 | 3 |" in page
    tests = "[`test_a`](../tests/test_x.py), [`test_b`](../tests/test_x.py) (partly)"
    assert f"| A01 | must | It works \\| `a\\|b` for &lt;you>. | works | {tests} |" in page
    assert "| A02 | maybe | More. | not yet |  |" in page
