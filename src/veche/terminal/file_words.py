"""Files and their transfers in words: what stands in a line of the plain mode and on the screen.  Pure.

Names are what others have chosen: they are shown with nothing in them that a terminal would obey, or that would make
them read as another name.

Source: rows M48, M50, M54, M58, T39.
"""

from __future__ import annotations

from veche.client.files import Progress
from veche.packets import ERROR_TEXT, ErrorCode
from veche.packets.files import FileInfo

from .text import harmless, on_one_line, seconds
from .transfer import Stage, Transfer, Way

WARNING = "It is a program, which could harm this computer. Open it only if you expect it."
UNITS = ("kB", "MB", "GB", "TB")


def size(count: float) -> str:
    """`2.1 MB`, in decimal units."""
    if count < 1000:
        return f"{count:.0f} byte{'s' if round(count) != 1 else ''}"
    unit = -1
    while round(count, 1) >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {UNITS[max(0, unit)]}"


def name(shown: str) -> str:
    """A file's name on one line."""
    return on_one_line(shown, 120)


def line(file: FileInfo, slash: str = "", which: str = "") -> str:
    """A file of a message, and how to have it.  which: its number, where files have one; by default its id."""
    warned = "  (a program: take care)" if file.warning else ""
    return f"[{name(file.name)}, {size(file.bytes)}: {slash}download {which or on_one_line(file.id)}]{warned}"


def percent(progress: Progress) -> int:
    """Of the bytes."""
    return 100 if progress.done >= progress.total else int(100 * progress.done / progress.total)


def course(progress: Progress) -> str:
    """`45 %, 2.1 MB/s, 30 s left`, or why it rests."""
    said = f"{percent(progress)} %"
    if progress.trouble:
        return f"{said}, waiting for the connection ({harmless(progress.trouble).rstrip('.')}); goes on by itself"
    if progress.speed:
        said += f", {size(progress.speed)}/s"
    return said + (f", {seconds(progress.left_s)} left" if progress.left_s else "")


def sentence(one: Transfer, who: str, slash: str = "") -> str:
    """How a transfer stands, for people.  who: what the other person is called; slash: what commands begin with."""
    file = f"{name(one.name)} ({size(one.size)})"
    number, warning = one.number, f" {WARNING}" if one.warning else ""
    match one.way, one.stage:
        case Way.RECEIVE, Stage.ASKED:
            return f"{who} offers you {file}: {slash}accept-file {number}, or {slash}refuse-file {number}.{warning}"
        case Way.OFFER, Stage.ASKED:
            return f"{who} is asked to take {file}; {slash}cancel-file {number} takes it back."
        case Way.UPLOAD, Stage.MOVING:
            return f"Sending {file} to {who}"
        case Way.OFFER, Stage.MOVING:
            return f"{who} takes {file}"
        case ((Way.DOWNLOAD | Way.RECEIVE), Stage.MOVING):
            return f"Fetching {file}"
        case Way.UPLOAD, Stage.DONE:
            return f"{file} is on the server."
        case Way.OFFER, Stage.DONE:
            return f"{who} has {file} now."
        case ((Way.DOWNLOAD | Way.RECEIVE), Stage.DONE):
            return f"{file} is saved as {on_one_line(str(one.path), 500)}.{warning}"
        case Way.OFFER, Stage.REFUSED:
            return f"{who} does not want {file}."
        case Way.RECEIVE, Stage.REFUSED:
            return f"{file} is refused."
        case _, Stage.FAILED:
            what = "Nothing was sent to" if one.way is Way.UPLOAD else "Nothing was fetched from"
            whom = who if one.way is not Way.DOWNLOAD else "the server"
            what = "Nothing was offered or sent to" if one.way is Way.OFFER else what
            return f"{what} {whom}: {name(one.name)}: {harmless(one.reason)}"
        case _:
            return _cancelled(one, file, who, slash)


def _cancelled(one: Transfer, file: str, who: str, slash: str) -> str:
    if one.is_mine_to_end or one.code is None:
        again = {
            Way.UPLOAD: " Nothing was sent; sending it again goes on where it stopped.",
            Way.DOWNLOAD: f" {slash}download goes on where it stopped.",
        }.get(one.way, f" {who} is told.")
        return f"Stopped: {file}.{again}"
    if one.code == ErrorCode.WITHDRAWN:
        return f"{who} has stopped {file}."
    return f"{file}: {harmless(one.reason or ERROR_TEXT[one.code])}"
