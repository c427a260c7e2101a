"""What a person types about files, the same in the plain mode and on the screen.

    send bob harbour.jpg "two words.txt" -- look at this
    download 3 pictures/

A path with spaces stands in quotes, unless it is the only one.  A backslash keeps the next character, where it does not
part folders, so that what other programs paste is understood.

Source: rows M48-M58, X18.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from .people_commands import Wrong


def words(text: str) -> list[str]:
    """The words of a line.  Raises Wrong."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", "" if os.sep == "\\" else "\\"
    try:
        return list(lexer)
    except ValueError:
        raise Wrong("A quote is not closed; a path that holds ' stands in double quotes.") from None


def path_of(typed: str) -> Path:
    """Raises Wrong."""
    try:
        return Path(typed).expanduser()
    except RuntimeError as error:
        raise Wrong(f"{typed}: {error}") from None


def paths(text: str) -> tuple[Path, ...]:
    """The paths of a line: the whole of it, if there is such a file.  Raises Wrong."""
    whole = path_of(text.strip())
    try:
        if text.strip() and whole.exists():
            return (whole,)
    except (OSError, ValueError):
        pass  # then it is several
    return tuple(map(path_of, words(text)))


def to_send(rest: str, usage: str) -> tuple[tuple[Path, ...], str]:
    """Paths and text of `PATH... [-- TEXT]`.  Raises Wrong."""
    files, _, text = f" {rest} ".partition(" -- ")
    found = paths(files)
    if not found:
        raise Wrong(f"Write: {usage}")
    return found, text.strip()


def which_and_where(rest: str, usage: str, *, may_be_empty: bool = False) -> tuple[str, str]:
    """The file that is meant, and where it is to be put, of `WHICH [PATH]`.  Raises Wrong."""
    match words(rest):
        case [which]:
            return which, ""
        case [which, where]:
            return which, where
        case [] if may_be_empty:
            return "", ""
        case _:
            raise Wrong(f"Write: {usage} (a path with spaces in quotes)")
