"""Writes docs/requirements.md: every row of docs/rows.tsv, its state, and the tests that show it.

A test names the rows that it shows in its docstring: `Rows: A17, T20.`; a row of which it shows only a part:
`Rows: A17 (partly).`  A row *works* when a test names it whole, works *partly* when tests name only
parts of it, and else does *not yet* work.  Nothing else decides; the tests themselves must pass.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .generated import ROOT, write_or_check

PAGE = "docs/requirements.md"
DOCUMENTS = {
    "A": "Document 000: conferences and friends",
    "B": "Document 001: swarm conversations",
    "T": "Document 002: classroom chat",
    "M": "Document 003: the mSIM protocol",
    "V": "Document 004: mesh videoconference",
    "X": "Rules where the documents overlap",
}
STATES = ("works", "partly", "not yet")
MOST_TESTS = 4
"""So many tests of one row are named, the others counted."""

_ROWS = re.compile(r"\bRows:([^.]*)")
_MENTION = re.compile(r"([A-Z]\d\d+)( \(partly\))?")


class Row(NamedTuple):
    """One row of docs/rows.tsv."""

    id: str
    kind: str
    section: str
    text: str


class Mention(NamedTuple):
    """A test that names a row."""

    row: str
    partly: bool
    file: str
    test: str


class RowsError(Exception):
    """A `Rows:` line that cannot be counted, with its place."""


def main() -> int:
    try:
        page = requirements_page(read_rows(ROOT), list(read_mentions(ROOT)))
    except RowsError as error:
        print(error)
        return 1
    return write_or_check({PAGE: page}, "requirements")


def read_rows(root: Path) -> list[Row]:
    lines = (root / "docs" / "rows.tsv").read_text(encoding="utf-8").splitlines()
    return [Row(*line.split("\t")) for line in lines[1:]]


def read_mentions(root: Path) -> Iterator[Mention]:
    """What the docstrings of all tests name, in the order of files and lines.  Raises RowsError."""
    known = {row.id for row in read_rows(root)}
    for path in sorted((root / "tests").rglob("*.py")):
        file = path.relative_to(root).as_posix()
        for mention in mentions_in(path.read_text(encoding="utf-8"), file):
            if mention.row not in known:
                raise RowsError(f"{file}: {mention.test} names row {mention.row}, which docs/rows.tsv does not have.")
            yield mention


def mentions_in(source: str, file: str) -> Iterator[Mention]:
    """What the docstrings of one file name.  Raises RowsError for a `Rows:` that is no test's, or is not a list."""
    in_test_file = file.rpartition("/")[2].startswith("test_")
    for node in ast.walk(ast.parse(source, file)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lists = _ROWS.findall(ast.get_docstring(node) or "")
        if not lists:
            continue
        name = getattr(node, "name", "the module")
        if not in_test_file or not (isinstance(node, ast.ClassDef) or name.startswith("test_")):
            raise RowsError(f"{file}: `Rows:` stands in the docstring of {name}, which is no test.")
        for item in ",".join(lists).split(","):
            mention = _MENTION.fullmatch(" ".join(item.split()))
            if mention is None:
                raise RowsError(f"{file}: {name} says `Rows:{item}`; write `Rows: A17, T20 (partly).`")
            yield Mention(mention[1], bool(mention[2]), file, name)


def state_of(mentions: list[Mention]) -> str:
    if any(not mention.partly for mention in mentions):
        return "works"
    return "partly" if mentions else "not yet"


def requirements_page(rows: list[Row], mentions: list[Mention]) -> str:
    by_row: dict[str, list[Mention]] = {row.id: [] for row in rows}
    for mention in mentions:
        by_row[mention.row].append(mention)
    states = {row.id: state_of(by_row[row.id]) for row in rows}

    lines = [
        "# Requirements",
        "",
        "<!-- Written by tools/requirements.py from docs/rows.tsv and the docstrings of the tests; do not edit.",
        "     python3 dev.py requirements -->",
        "",
        "Every row of the founding documents, and what runs today. A row **works** when a test shows the whole of it,",
        "works **partly** when tests show some of it; the tests are named beside it.",
        "",
        "| document | works | partly | not yet | rows |",
        "|---|---:|---:|---:|---:|",
    ]
    for letter, title in DOCUMENTS.items():
        lines.append(f"| {letter}. {title} | {_counts(states[row.id] for row in rows if row.id[0] == letter)} |")
    lines.append(f"| **All** | {_counts(states.values())} |")

    letter = section = ""
    for row in rows:
        if row.id[0] != letter:
            letter = row.id[0]
            lines += ["", f"## {letter}. {DOCUMENTS[letter]}"]
        if row.section != section:
            section = row.section
            heading = ["", f"### {section}"] if "." in section else []
            lines += [*heading, "", "| row | kind | requirement | state | tests |", "|---|---|---|---|---|"]
        tests = _tests(by_row[row.id])
        lines.append(f"| {row.id} | {row.kind} | {_cell(row.text)} | {states[row.id]} | {tests} |")
    return "\n".join(lines) + "\n"


def _counts(states: Iterable[str]) -> str:
    """The cells of one line of the table of counts."""
    count = Counter(states)
    return " | ".join(str(n) for n in (*(count[state] for state in STATES), count.total()))


def _tests(mentions: list[Mention]) -> str:
    """The tests of one row: those that show the whole of it first, otherwise as they stand in the files."""
    ordered = sorted(mentions, key=lambda mention: mention.partly)
    named = [f"[`{test.test}`](../{test.file})" + (" (partly)" if test.partly else "") for test in ordered[:MOST_TESTS]]
    more = len(ordered) - len(named)
    return ", ".join([*named, f"and {more} more"] if more > 0 else named)


def _cell(text: str) -> str:
    """Text as it may stand in a table: `<` only within code."""
    pieces = text.replace("|", "\\|").split("`")
    return "`".join(
        piece if i % 2 else piece.replace("<", "&lt;").replace("*", "\\*") for i, piece in enumerate(pieces)
    )


if __name__ == "__main__":
    sys.exit(main())
