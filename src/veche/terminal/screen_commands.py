"""What a person types into the screen: a text for the conversation, or a command that begins with a slash.

Source: rows A15-A29, M31-M33, M39-M58, T22, T23, T26, T30, T33-T38, T42-T54.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prompt_toolkit.completion import CompleteEvent, PathCompleter
from prompt_toolkit.document import Document

from .conference_commands import CONFERENCE
from .people_commands import CONTACT, FRIEND, Wrong, is_word
from .text import explained, harmless, on_one_line

GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Conversations": {
        "to": ("NAME [TEXT]", "open a conversation, and write TEXT into it"),
        "home": ("", "everyone: friends, requests, other conversations"),
        "history": ("", "older messages; PageUp does the same"),
        "search": ("TEXT", "messages of this conversation with all the words"),
        "read": ("", "mark this conversation as read"),
        "reply": ("[#ID] TEXT", "answer a message, by default the other's last one"),
        "edit": ("[#ID] TEXT", "replace your message, by default your last one"),
        "retract": ("[#ID]", "take your message back, by default your last one"),
        "react": ("[#ID] EMOJI", "react to a message, by default the other's last one"),
        "unreact": ("[#ID] EMOJI", "take that reaction back"),
        "broadcast": ("TEXT", "tell all friends who are online; not stored"),
    },
    "Files": {
        "send": ("PATH... [-- TEXT]", "send files into this conversation, with TEXT"),
        "files": ("", "the files of this conversation, with their numbers"),
        "download": ("N|NAME [PATH]", "save a file; by default here, over no other file"),
        "offer": ("PATH", "ask the other to take a file; it is not kept"),
        "offers": ("", "files that are offered or on their way"),
        "accept-file": ("[N] [PATH]", "take what is offered"),
        "refuse-file": ("[N]", "say no"),
        "cancel-file": ("[N]", "stop a file or an offer; so does Ctrl-C"),
    },
    "People": {
        "friend": ("add|accept|refuse|ignore|cancel|remove NAME", "ask, answer, take back, end a friendship"),
        "contact": ("add|set|remove NAME [name=... group=... memo=...]", "your own name, group (a/b: b in a), memo"),
        "ungroup": ("GROUP", "take everyone out of a group, or off your list"),
        "profile": ("[NAME]", "what you, or NAME, say about yourselves"),
        "me": ("name=... note=... avatar=FILE", "change what you say about yourself; empty removes"),
        "who": ("", "who is online"),
        "whosince": ("SECONDS", "who was online in the last so many seconds"),
        "block": ("[NAME]", "hear nothing from NAME any more"),
        "unblock": ("[NAME]", "undo that"),
    },
    "Conferences and calls": {
        "conference": ("|".join(CONFERENCE), "meet; /help conference says how each is written"),
        "room": ("[CONFERENCE]", "the room of the conference you are in"),
        "call": ("NAME...", "call friends into a new conference"),
        "calls": ("on|wait|off", "on: in a call you are busy; wait: it rings then too; off: you are busy"),
        "microphone": ("on|off", "off: nobody hears you; in a room /mute does the same"),
    },
    "Off the record: from device to device, past the server, never stored": {
        "private": ("[NAME]", "ask for it, or go to the one there is"),
        "accept": ("[NAME]", "take a call; say yes to who asks for it, or to be friends"),
        "decline": ("[NAME]", "say no"),
        "stopprivate": ("[NAME]", "end it"),
    },
    "This terminal": {
        "away": ("", "be shown as away until the next key"),
        "mute": ("[NAME]", "no bell for NAME; on the list, for nobody; in a room, no microphone"),
        "unmute": ("[NAME]", "undo that"),
        "bell": ("on|off", "ring at all"),
        "typing": ("on|off", "let others see that you are typing"),
        "help": ("[COMMAND]", "this page"),
        "quit": ("", "leave; Ctrl-D does the same"),
    },
    "Your account": {
        "sessions": ("", "the devices that are logged in as you"),
        "revoke": ("DEVICE", "log a device out"),
        "password": ("", "change your password"),
        "tokens": ("", "your access tokens, for bots"),
        "token": ("NAME", "make an access token"),
        "untoken": ("ID", "end an access token"),
        "export": ("FILE", "everything the server keeps about you, to a new file"),
        "delete-account": ("", "delete your account"),
    },
}
COMMANDS = {name: usage for group in GROUPS.values() for name, usage in group.items()}
KEYS = """\
Text without a slash goes to the open conversation; // at its start writes a text that begins with /.
Enter sends, Alt-Enter starts a new line, Tab completes commands and names, Up brings back what was typed.
Ctrl-N and Ctrl-P go to the next and the previous conversation, Alt-A to the next unread one.
PageUp and PageDown scroll. Ctrl-C empties the line, or stops a file; Ctrl-D on an empty line leaves."""


def usage_of(name: str) -> str:
    """How a command is written."""
    return f"/{name} {COMMANDS[name][0]}".rstrip()


def help_of(name: str = "") -> str:
    """The help of one command (with its slash or without), or of all.  Raises Wrong."""
    if name:
        found = named(name.removeprefix("/"))
        verbs = {"friend": {verb: what for verb, (what, _) in FRIEND.items()}, "contact": CONTACT_HELP}
        verbs["conference"] = {f"{verb} {arguments}".rstrip(): what for verb, (arguments, what) in CONFERENCE.items()}
        verbs = verbs.get(found, {})
        lines = [explained(usage_of(found), COMMANDS[found][1])]
        return "\n".join(lines + [explained(f"/{found} {verb}", what) for verb, what in verbs.items()])
    lines = [line for group, names in GROUPS.items() for line in (f"{group}:", *_group(names), "")]
    return "\n".join([*lines, KEYS])


def _group(names: Iterable[str]) -> Iterator[str]:
    return (explained(usage_of(name), COMMANDS[name][1]) for name in names)


CONTACT_HELP = {f"{verb} {arguments}": what for verb, (what, arguments) in CONTACT.items()}
ALIASES = {
    **dict.fromkeys(("exit", "logout", "q"), "quit"),
    **dict.fromkeys(("msg", "message", "m"), "to"),
    "whoelse": "who",
    "whoelsesince": "whosince",
    "startprivate": "private",
}
TAKES_NAME = frozenset(
    {"to", "block", "unblock", "profile", "private", "accept", "decline", "stopprivate", "mute", "unmute"} | {"call"}
)
TAKES_VERB = {"friend": tuple(FRIEND), "contact": tuple(CONTACT), "conference": tuple(CONFERENCE)}
TAKES_EMOJI = frozenset({"react", "unreact"})
TAKES_PATH = {"send": 0, "offer": 0, "export": 0, "download": 1, "accept-file": 1}
"""Commands that take paths, and how many words stand before them."""
EMOJI = ("👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀", "✅", "👎")


class Typed(NamedTuple):
    """A command.  target: the message that it names with #ID, None for the default one."""

    name: str
    argument: str
    target: int | None = None


def named(name: str) -> str:
    """The command that is meant by its name, the beginning of its name, or another name.  Raises Wrong."""
    name = ALIASES.get(name.lower(), name.lower())
    if name in COMMANDS:
        return name
    close = [one for one in COMMANDS if one.startswith(name)] if name else []
    close = [one for one in close if not any(one.startswith(f"{other}-") for other in close)]  # /acc is /accept
    if len(close) != 1:
        raise Wrong(f"There is no command /{name}. /help lists the commands.")
    return close[0]


def parse(line: str) -> Typed | str:
    """Return the command, or the text when there is none.  Raises Wrong."""
    if not line.startswith("/"):
        return line
    if line.startswith("//"):
        return line[1:]
    name, _, argument = line[1:].partition(" ")
    name, argument = named(name.strip()), argument.strip()
    target: int | None = None
    needed = COMMANDS[name][0]
    if needed.startswith("[#ID]"):
        match = re.fullmatch(r"#(\d{1,15})(?:\s+(.*))?", argument, re.DOTALL)
        if match is not None:
            target, argument = int(match[1]), match[2] or ""
        needed = needed.removeprefix("[#ID]").strip()
    if needed and not needed.startswith("[") and not argument:
        raise Wrong(f"Write: {usage_of(name)}")
    if needed in ("ID", "SECONDS") and not re.fullmatch(r"[0-9]{1,9}", argument):
        raise Wrong(f"Write: {usage_of(name)}, with a number")
    if needed == "on|off" and argument not in ("on", "off"):
        raise Wrong(f"Write: /{name} on, or /{name} off")
    if needed in ("[NAME]", "[N]") and argument and not is_word(argument):
        raise Wrong(f"Write: {usage_of(name)}")
    return Typed(name, argument, target)


def completions(
    text: str,
    names: Sequence[tuple[str, str]],
    files: Sequence[tuple[str, str]] = (),
    conferences: Sequence[str] = (),
) -> Iterator[tuple[str, int, str]]:
    """(what to insert, where from the cursor, what it means) for the text before the cursor.

    names: known people, (login, shown name); either is completed to the login, which is what commands take.
    files: (number, name), in the same way.  conferences: their names, for /conference join.
    """
    if not text.startswith("/") or "\n" in text:
        return
    name, space, argument = text[1:].partition(" ")
    if not space:
        for command, (arguments, what) in COMMANDS.items():
            if command.startswith(name.lower()):
                yield f"/{command}" + (" " if arguments else ""), -len(text), what
        return
    name = ALIASES.get(name, name)
    if name == "room":
        yield from _beginning(argument, conferences)
    if name in TAKES_VERB:
        verb, space, argument = argument.partition(" ")
        if not space:
            yield from ((f"{one} ", -len(verb), "") for one in TAKES_VERB[name] if one.startswith(verb.lower()))
            return
        if name == "conference" and verb in ("join", "leave", "resume"):
            yield from _beginning(argument, conferences)
        if name == "conference" and verb in ("create", "leave", "resume", "say", "rename", "policy", "history"):
            return
    if (name in TAKES_NAME or name in TAKES_VERB) and " " not in argument:
        for login, shown in names:
            begins = (login, shown, *shown.split())
            if any(one.lower().startswith(argument.lower()) for one in begins):
                yield login, -len(argument), "" if shown == login else shown
    elif name == "download" and " " not in argument:
        for number, shown in files:
            if any(one.lower().startswith(argument.lower()) for one in (number, shown)):
                yield number, -len(argument), on_one_line(shown, 60)
    elif name in TAKES_PATH and argument.count(" ") >= TAKES_PATH[name]:
        yield from path_completions(argument.split(" ", TAKES_PATH[name])[-1])
    elif name in TAKES_EMOJI and not argument.rpartition(" ")[2]:
        for emoji in EMOJI:
            yield emoji, 0, ""


def _beginning(typed: str, words: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    return ((one, -len(typed), "") for one in words if one.lower().startswith(typed.lower()))


def path_completions(typed: str) -> Iterator[tuple[str, int, str]]:
    """The same for a path.  Names that nobody could type are left out, and hidden ones until their dot is typed."""
    typed = typed.rpartition('"')[2]
    begun = os.path.basename(typed)
    for one in PathCompleter(expanduser=True).get_completions(Document(typed), CompleteEvent()):
        shown = one.display_text
        if harmless(shown) == shown and (begun or not shown.startswith(".")):
            yield begun + one.text + ("/" if shown.endswith("/") else ""), -len(begun), ""
