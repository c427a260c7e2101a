"""What a person types into the screen: a text for the conversation, or a command that begins with a slash.

Source: rows T26, T33-T38.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

COMMANDS: dict[str, tuple[str, str]] = {
    "to": ("NAME [TEXT]", "open a conversation, and write TEXT into it"),
    "home": ("", "the list of conversations"),
    "history": ("", "older messages; PageUp does the same"),
    "search": ("TEXT", "find messages of this conversation that hold all the words"),
    "read": ("", "mark this conversation as read"),
    "reply": ("[#ID] TEXT", "answer a message, by default the other's last one"),
    "edit": ("[#ID] TEXT", "replace the text of your message, by default your last one"),
    "retract": ("[#ID]", "take your message back, by default your last one"),
    "react": ("[#ID] EMOJI", "react to a message, by default the other's last one"),
    "unreact": ("[#ID] EMOJI", "take that reaction back"),
    "block": ("[NAME]", "hear nothing from NAME any more"),
    "unblock": ("[NAME]", "undo that"),
    "sessions": ("", "the devices that are logged in as you"),
    "revoke": ("DEVICE", "log a device out"),
    "password": ("", "change your password"),
    "tokens": ("", "your access tokens, for bots"),
    "token": ("NAME", "make an access token"),
    "untoken": ("ID", "end an access token"),
    "export": ("FILE", "write everything the server keeps about you into a new file"),
    "delete-account": ("", "delete your account"),
    "bell": ("on|off", "ring when a message arrives"),
    "typing": ("on|off", "let others see that you are typing"),
    "help": ("", "this list"),
    "quit": ("", "leave; Ctrl-D does the same"),
}

HELP = "\n".join(
    [f"/{name} {arguments}".ljust(24) + f" {what}" for name, (arguments, what) in COMMANDS.items()]
    + [
        "",
        "Text without a slash goes to the open conversation; // at its start writes a text that begins with /.",
        "Alt-Enter starts a new line. Ctrl-N and Ctrl-P change the conversation, Alt-A goes to the next unread one.",
    ]
)

TAKES_NAME = frozenset({"to", "block", "unblock"})
TAKES_EMOJI = frozenset({"react", "unreact"})
EMOJI = ("👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀", "✅", "👎")


class Wrong(ValueError):
    """This is no command.  Its message is a sentence for the person."""


class Typed(NamedTuple):
    """A command.  target: the message that it names with #ID, None for the default one."""

    name: str
    argument: str
    target: int | None = None


def parse(line: str) -> Typed | str:
    """Return the command, or the text when there is none.  Raises Wrong."""
    if not line.startswith("/"):
        return line
    if line.startswith("//"):
        return line[1:]
    name, _, argument = line[1:].partition(" ")
    name, argument = name.strip().lower(), argument.strip()
    if name in ("exit", "logout", "q"):
        name = "quit"
    if name in ("msg", "message", "m"):
        name = "to"
    known = COMMANDS.get(name)
    if known is None:
        close = [one for one in COMMANDS if one.startswith(name)] if name else []
        if len(close) != 1:
            raise Wrong(f"There is no command /{name}. /help lists the commands.")
        name, known = close[0], COMMANDS[close[0]]
    target: int | None = None
    if known[0].startswith("[#ID]"):
        match = re.fullmatch(r"#(\d{1,15})(?:\s+(.*))?", argument, re.DOTALL)
        if match is not None:
            target, argument = int(match[1]), match[2] or ""
    needed = known[0].removeprefix("[#ID]").strip()
    if needed and not needed.startswith("[") and not argument:
        raise Wrong(f"Write: /{name} {known[0]}")
    if needed == "ID" and not re.fullmatch(r"[0-9]{1,15}", argument):
        raise Wrong(f"Write: /{name} ID, with a number of /tokens")
    if needed in ("on|off",) and argument not in ("on", "off"):
        raise Wrong(f"Write: /{name} on, or /{name} off")
    return Typed(name, argument, target)


def completions(text: str, names: Iterable[str]) -> Iterable[tuple[str, int, str]]:
    """(what to insert, where from the cursor, what it means) for the text before the cursor.  names: known people."""
    if not text.startswith("/") or "\n" in text:
        return
    name, space, argument = text[1:].partition(" ")
    if not space:
        for command, (arguments, what) in COMMANDS.items():
            if command.startswith(name.lower()):
                yield f"/{command}" + (" " if arguments else ""), -len(text), what
    elif name in TAKES_NAME and " " not in argument:
        for one in names:
            if one.lower().startswith(argument.lower()):
                yield one, -len(argument), ""
    elif name in TAKES_EMOJI and not argument.rpartition(" ")[2]:
        for emoji in EMOJI:
            yield emoji, 0, ""
