"""`veche serve`: run the home server until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from veche.server.config import ServerConfig

from . import classic, settings

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="run a home server",
        description="Run a home server. The first start makes everything it needs and prints how to make the first "
        "account. Every setting is also an environment variable (VECHE_LISTEN ...) and a key of veche.toml in the data "
        "directory.",
    )
    settings.add_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        config, _ = settings.load(args, environ)
    except settings.SettingError as error:
        print(f"veche serve: {error}", file=sys.stderr)
        return EXIT_USAGE
    from . import logs

    logs.configure(config.log_level, config.log_format, colours=sys.stderr.isatty() and not environ.get("NO_COLOR"))
    return run_server(config, sys.stdout)


def run_server(config: ServerConfig, out: TextIO) -> int:
    """Serve until told to stop; returns the exit code."""
    raise_file_limit()
    with classic.home(config) as config:
        try:
            import uvloop
        except ImportError:  # Windows
            return asyncio.run(serve(config, out))
        return uvloop.run(serve(config, out))


def raise_file_limit() -> None:
    """A connection is a file: allow as many as the system lets us."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def open_database(config: ServerConfig) -> Any:
    """The database that the settings name.  Raises StorageError."""
    if config.storage.startswith(("postgresql://", "postgres://")):
        from veche.storage.postgres import open_postgres

        return await open_postgres(config.storage)
    from veche.storage.sqlite import open_sqlite

    return await open_sqlite(config.data / "veche.db")


async def serve(config: ServerConfig, out: TextIO) -> int:
    """Start, say `ready` on one line, run until told to stop.  Returns the exit code."""
    from veche.server.app import StartError, take_directory

    if config.storage and not config.storage.startswith(("postgresql://", "postgres://")):
        return failed("--storage takes postgresql://USER@HOST/DATABASE; leave it out for SQLite.")
    try:
        lock = take_directory(config.data)
    except StartError as error:
        return failed(str(error))
    with contextlib.closing(lock):
        return await serve_from(config, out)


async def serve_from(config: ServerConfig, out: TextIO) -> int:
    """Serve from a data directory that is ours."""
    from veche.net.invites import LOOPBACK, setup_links
    from veche.net.tls import readable
    from veche.server.app import HomeServer, StartError
    from veche.storage.database import StorageError

    try:
        database = await open_database(config)
    except StorageError as error:
        return failed(str(error))
    app = HomeServer(config, database)
    try:
        await app.start()
    except (StartError, StorageError) as error:
        await database.close()
        return failed(str(error))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):
            number = getattr(signal, name)
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, stop.set)
    host, port = config.address()
    address = app.url.removeprefix("https://").replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
    if app.setup_code is not None:
        out.write(
            "This server has no account yet. Make yours, the administrator's, on this page; the link works once:\n"
            + "".join(f"    {link}\n" for link in setup_links(app.place, app.setup_code))
            + f"or in a terminal: {program()} chat --register --code {app.setup_code} YOURNAME@{address}\n"
        )
    if host in LOOPBACK:
        out.write(f"Only this machine can connect. For others: {program()} serve --listen 0.0.0.0:{port}\n")
    out.write(f"ready {app.url} fingerprint {readable(app.fingerprint)}\n")
    out.flush()
    app.web.load()
    try:
        await stop.wait()
    finally:
        await app.stop()
    return EXIT_OK


def program() -> str:
    """How whoever started this can start our program again: by its name, or by the path they used."""
    if shutil.which("veche") is not None or not sys.argv[0].endswith("veche"):
        return "veche"
    path = os.path.relpath(sys.argv[0])
    return path if not path.startswith("..") else sys.argv[0]


def failed(reason: str) -> int:
    """Say why in one sentence."""
    print(f"veche serve: {reason}", file=sys.stderr)
    return EXIT_FAILED
