"""What a device remembers of reading: how far somebody has seen a conversation, and how they want it to look.

The read marker (rows B80-B84): equal to ours, nothing; none of ours, theirs; a commit that is not here yet, kept until
it is; a later one, theirs; and whoever writes has seen what they wrote.

Source: repository facts §8; rows B80-B90.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
LARGEST_SYMBOL = 32
KNOWN = ("color", "ignoreNotifications", "symbol", "fileSizeLimit")

IsLater = Callable[[str, str], bool]
"""Whether the first commit comes after the second in the linear order."""


class Marker(Struct, frozen=True):
    """How far somebody has seen a conversation.  Empty: nothing known."""

    shown: str = ""
    cached: str = ""
    """A commit that is not in the repository yet."""


def remote_marker(mine: Marker, theirs: str, *, is_here: bool, is_later: IsLater) -> Marker:
    """The marker after another device of theirs has told of `theirs`."""
    if theirs == mine.shown:
        return mine
    if not is_here:
        return Marker(mine.shown, theirs)
    if not mine.shown or is_later(theirs, mine.shown):
        return Marker(theirs, "" if mine.cached == theirs else mine.cached)
    return mine


def fetched(mine: Marker, commit: str, is_later: IsLater) -> Marker:
    """The marker after a commit has arrived that may be the one that was waited for."""
    if mine.cached != commit:
        return mine
    return remote_marker(Marker(mine.shown), commit, is_here=True, is_later=is_later)


def own_message(mine: Marker, commit: str) -> Marker:
    """Whoever writes has seen everything up to what they wrote."""
    return Marker(commit, mine.cached)


class BadPreference(Exception):
    """A preference that means nothing, and why."""


def check_preference(name: str, value: str) -> str:
    """The preference as it is kept.  Raises BadPreference.  Names that are not known are kept as they are."""
    match name:
        case "color":
            if not COLOUR.fullmatch(value):
                raise BadPreference("A colour is written #RRGGBB, such as #3A7BD5.")
        case "ignoreNotifications":
            if value not in ("true", "false"):
                raise BadPreference("ignoreNotifications is true or false.")
        case "symbol":
            if not value or len(value) > LARGEST_SYMBOL or any(letter.isspace() for letter in value):
                raise BadPreference("A symbol is one emoji.")
        case "fileSizeLimit":
            if not value.isdecimal() or len(value) > 15:
                raise BadPreference("fileSizeLimit is a number of bytes; 0: files are never fetched by themselves.")
        case _:
            pass
    return value
