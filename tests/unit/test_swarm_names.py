"""The names of rules: the page of them is whole, and each is shown by a test."""

from __future__ import annotations

import re
from pathlib import Path

HOME = Path(__file__).parents[2]
NAME = re.compile(r'(?:refuse|NotAuthorised|Rejected)\((?:commit\.id,)?\s*"([a-z-]+)"')


def names() -> set[str]:
    return {name for file in (HOME / "src/veche/swarm").glob("*.py") for name in NAME.findall(file.read_text())}


def test_every_rule_has_its_line_on_the_page_and_none_is_left_there() -> None:
    text = (HOME / "docs/swarm-rules.md").read_text()
    lines = [line.split("|")[1] for line in text.partition("## Why a commit")[2].splitlines() if line.startswith("| `")]
    assert {name for line in lines for name in re.findall("`([a-z-]+)`", line)} == names()


def test_every_rule_is_shown_by_a_test() -> None:
    files = [file for file in (HOME / "tests/unit").glob("test_swarm_*.py") if file != Path(__file__)]
    tests = "".join(file.read_text() for file in files)
    assert [name for name in sorted(names()) if f'"{name}"' not in tests] == []
