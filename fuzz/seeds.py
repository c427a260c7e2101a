"""The first inputs of a fuzzer: the examples of the protocol."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "protocol" / "examples.jsonl"


def seed_directory(form: str) -> str:
    """A new directory with one file for each example.  form: `json` or `text`."""
    directory = Path(tempfile.mkdtemp(prefix="veche-seeds-"))
    for number, line in enumerate(EXAMPLES.read_text(encoding="utf-8").splitlines()):
        example = json.loads(line)[form]
        seed = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
        (directory / f"{number:03d}").write_text(seed, encoding="utf-8")
    return str(directory)
