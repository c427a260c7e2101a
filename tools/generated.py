"""Writing generated files, or telling that they are stale.  Both tools end here."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def stale(files: dict[str, str]) -> list[str]:
    """Names of the files, relative to the root, that do not hold their text.  Their line ends do not matter."""
    return [name for name, text in files.items() if not _holds(ROOT / name, text)]


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except FileNotFoundError:
        return False


def write_or_check(files: dict[str, str], command: str) -> int:
    """The rest of a tool's `main`: write what is stale, or with `--check` name it and fail."""
    names = stale(files)
    if "--check" in sys.argv[1:]:
        for name in names:
            print(f"{name} is stale. Run: python3 dev.py {command}")
        return 1 if names else 0
    for name in names:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(files[name], encoding="utf-8", newline="\n")
        print(f"Wrote {name}")
    return 0
