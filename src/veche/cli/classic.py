"""The classic profile on the command line: `veche classic`, and what server.py and client.py of the repository run.

Source: document 002; rows T01, T02, T04, T40, T41, T61.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veche.server.config import ServerConfig

EXIT_FAILED, EXIT_USAGE = 1, 2
LOCALHOST = "127.0.0.1"
SERVER_USAGE = """\
usage: server.py <server_port> <block_duration> <timeout> [-d]
  server_port     the port to listen on, 1 to 65535
  block_duration  seconds for which a name is blocked after three wrong passwords
  timeout         seconds without a command after which somebody is logged out
  -d              say on standard error what happens
The names and passwords are in credentials.txt in the current folder."""
CLIENT_USAGE = "usage: client.py [<server_ip>] <server_port>"


# -- the server


@contextmanager
def home(config: ServerConfig) -> Generator[ServerConfig]:
    """The settings to serve with.  A classic server keeps nothing but credentials.txt: all else lives in a temporary
    directory, which is gone afterwards (row T41).
    """
    from msgspec.structs import replace

    from veche.server.config import Registration, Rules

    if config.profile is not Rules.CLASSIC:
        yield config
        return
    with tempfile.TemporaryDirectory(prefix="veche-classic-", ignore_cleanup_errors=True) as folder:
        yield replace(config, data=Path(folder), storage="", registration=Registration.OPEN, scram_iterations=4096)


def serve_main(words: list[str]) -> int:
    """`server.py <server_port> <block_duration> <timeout> [-d]`; returns the exit code."""
    from veche.cli import logs, serve, settings

    is_debug = "-d" in words
    numbers = [word for word in words if word != "-d"]
    if len(numbers) != 3 or not all(word.isascii() and word.isdigit() and int(word[:10]) for word in numbers):
        return usage(SERVER_USAGE)
    number, block_duration, timeout = numbers
    try:
        config = settings.convert(
            {
                "data": ".",
                "profile": "classic",
                "credentials": "credentials.txt",
                "listen": f"0.0.0.0:{port(number)}",
                "block_duration": block_duration,
                "timeout": timeout,
            }
        )
    except ValueError:  # msgspec's is one
        return usage(SERVER_USAGE)
    logs.configure("debug" if is_debug else "critical", "text", colours=False)
    return serve.run_server(config, sys.stderr if is_debug else io.StringIO())


# -- the terminal


def client_main(words: list[str]) -> int:
    """`client.py [<server_ip>] <server_port>`; returns the exit code."""
    if len(words) == 1:
        words = [LOCALHOST, *words]
    try:
        host, number = words[0], port(words[-1])
    except (IndexError, ValueError):
        return usage(CLIENT_USAGE)
    return usage(CLIENT_USAGE) if len(words) != 2 else run_terminal(host, number)


def run_terminal(host: str, number: int) -> int:
    """Be the terminal of a server; returns the exit code."""
    from veche.terminal import classic

    return asyncio.run(classic.run(host, number))


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "classic",
        help="a plain terminal for a server of the classic profile",
        description="A plain terminal for a server of the classic profile (`veche serve --profile classic`).",
    )
    parser.add_argument("server", nargs="?", default=LOCALHOST, metavar="IP", help=f"default: {LOCALHOST}")
    parser.add_argument("port", metavar="PORT", type=port)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    return run_terminal(args.server, args.port)


def port(word: str) -> int:
    """The number of a port.  Raises ValueError."""
    if not (word.isascii() and word.isdigit() and len(word) <= 5 and 1 <= int(word) <= 65_535):
        raise ValueError(word)
    return int(word)


def usage(text: str) -> int:
    """How the program is called."""
    print(text, file=sys.stderr)
    return EXIT_USAGE


def main(words: list[str]) -> int:
    """`python -m veche.cli.classic server|client WORDS`."""
    start = {"server": serve_main, "client": client_main}[words[0]]
    try:
        return start(words[1:])
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return EXIT_FAILED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
