"""Text of other people, made harmless to show.

What a message holds was written by anyone: an escape sequence in it could recolour the screen, answer for the person
or overwrite what others said, and a direction override could make it read as something else.  Every character that a
terminal obeys instead of showing is replaced by one that shows what it was.

Source: row T39; Unicode Technical Report 36 §2 for the direction overrides.
"""

from __future__ import annotations

SECOND_COLUMN = 28
"""Where the meaning of a command begins."""
_SHOWN: dict[int, str] = {code: chr(0x2400 + code) for code in range(0x20)}  # ␀ ␁ ... ␛ ...
_SHOWN.update({0x7F: "␡", 0x85: "\n", 0x2028: "\n", 0x2029: "\n", ord("\t"): "    "})
_SHOWN.update({code: f"<{code:02X}>" for code in range(0x80, 0xA0) if code != 0x85})
_SHOWN.update({code: f"<{code:04X}>" for code in (0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A))})
_SHOWN.update({code: "\ufffd" for code in (0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xD800, 0xE000))})
_ONE_LINE = {**_SHOWN, **dict.fromkeys((0x0A, 0x85, 0x2028, 0x2029), " ↵ ")}
del _SHOWN[0x0A]


def harmless(text: str) -> str:
    """The text with nothing in it that a terminal would obey; its line ends stay, as LF."""
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\r\n", "\n").translate(_SHOWN)


def on_one_line(text: str, limit: int = 200) -> str:
    """The same on a single line, its end cut off where it is too long."""
    text = text[: limit + 1].replace("\r\n", "\n").translate(_ONE_LINE)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def short_name(address: str, domain: str) -> str:
    """How an address is shown to people of `domain`: their neighbours without it."""
    login, _, of = address.rpartition("@")
    return on_one_line(login if login and of == domain else address)


def count(number: int) -> str:
    """How many messages wait; the server counts up to a thousand."""
    return str(number) if number < 1000 else "1000+"


def explained(usage: str, what: str) -> str:
    """A command and what it does, in two columns; a long one stands above."""
    width = SECOND_COLUMN - 3
    return f"  {usage:<{width}} {what}" if len(usage) <= width else f"  {usage}\n{'':{SECOND_COLUMN}}{what}"


def seconds(duration_s: float) -> str:
    """A waiting time for people."""
    if duration_s < 90:
        return f"{max(1, round(duration_s))} s"
    if duration_s < 5400:
        return f"{round(duration_s / 60)} min"
    return f"{round(duration_s / 3600)} h"
