"""`veche send [LOGIN@]HOST[:PORT] TO FILE...`: one message with files, for scripts.

Source: rows M48, X18.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from veche.terminal.wish import EXIT_OK, EXIT_USAGE, Leave

from .chat import Usage, add_login_flags, wish_of

EPILOG = """\
  VECHE_PASSWORD=... veche send alice@chat.example.org bob harbour.jpg --text 'from this morning'

What broke off goes on where it stopped when the same command is given again. Standard output gets one line, the
number of the message; standard error shows how it goes, when it is a terminal.
exit codes: 0 sent, 1 refused or not readable, 2 usage, 3 cannot connect, 4 certificate not trusted
"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "send",
        help="send files to somebody, in one message",
        description="Send files to somebody, in one message. Logs in as `veche chat` does.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_login_flags(parser)
    parser.add_argument("to", metavar="TO", help="who gets them: a login")
    parser.add_argument("paths", metavar="FILE", type=Path, nargs="+", help="what is sent, at most 10 files")
    parser.add_argument("--text", metavar="TEXT", default="", help="the text of the message")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from veche.terminal.plain import RawInput, TerminalAsker
    from veche.terminal.send_once import send_once

    try:
        wish = wish_of(args, environ)
    except Usage as error:
        say(str(error))
        return EXIT_USAGE
    raw: RawInput = cast("Any", sys.stdin.buffer).raw
    asker = TerminalAsker(raw) if sys.stdin.isatty() else None
    try:
        sent = asyncio.run(send_once(wish, asker, say, args.to, args.paths, args.text, show))
    except Leave as leave:
        if str(leave):
            say(str(leave))
        return leave.code
    print(f"sent {sent.id}")
    return EXIT_OK


def show(line: str) -> None:
    """One line on standard error in the place of the last, if that is a terminal."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:<{width}}" + ("" if line else "\r"), end="", file=sys.stderr, flush=True)


def say(sentence: str) -> None:
    """One line on standard error."""
    print(f"veche send: {sentence}", file=sys.stderr, flush=True)
