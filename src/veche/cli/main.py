"""`veche`: one command, its parts as subcommands."""

from __future__ import annotations

import argparse
import os
import sys

import veche

EPILOG = """\
a first conversation, on one machine:
  veche serve --registration open          the server; leave it running
  veche chat --register alice@127.0.0.1    one terminal: asks for a password
  veche chat --register bob@127.0.0.1      another one; then type: /to alice, and write
"""


def main(argv: list[str] | None = None) -> int:
    """Run `veche`.  Exit codes: 0 done, 1 refused or failed, 2 usage, see each command for more."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="veche",
        description="Your own communicator: a home server that one command starts, and a client for the terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"veche {veche.__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = next((word for word in argv if not word.startswith("-")), "")
    if asked not in (
        "chat",
        "send",
        "classic",
        "swarm",
        "doctor",
    ):  # the terminal's library is slow to import, and a server has no use for it
        from . import admin, invite, serve

        serve.add_parser(subparsers)
        invite.add_parser(subparsers)
        admin.add_parsers(subparsers)
    if asked not in ("serve", "token", "invite", "config", "chat", "send", "classic", "doctor"):
        from . import swarm

        swarm.add_parser(subparsers)
    if asked not in ("serve", "token", "invite", "config", "swarm"):
        from . import chat, classic, doctor, send

        chat.add_parser(subparsers)
        send.add_parser(subparsers)
        classic.add_parser(subparsers)
        doctor.add_parser(subparsers)
    args = parser.parse_args(argv)
    try:
        return args.run(args, os.environ)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
