"""Commands of the administrator, on the data directory: `veche token`, `veche config`; what such commands share.

They work while the server runs: both open the same database.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import re
import secrets
import sys
import time
from collections.abc import Mapping
from typing import Any

from . import settings
from .serve import EXIT_FAILED, EXIT_OK, open_database


def add_parsers(subparsers: Any) -> None:
    token = subparsers.add_parser("token", help="access tokens for bots and load tests")
    token_commands = token.add_subparsers(dest="command", required=True, metavar="COMMAND")
    create = token_commands.add_parser("create", help="make an access token and print it")
    store_flags(create)
    create.add_argument("--name", default="bot", help="what it is for (default: bot)")
    create.add_argument("login", help="the account it logs in as")
    create.set_defaults(run=token_create)

    config = subparsers.add_parser("config", help="the settings")
    config_commands = config.add_subparsers(dest="command", required=True, metavar="COMMAND")
    show = config_commands.add_parser("show", help="show every setting, its value and where it comes from")
    settings.add_flags(show)
    show.set_defaults(run=config_show)


def store_flags(parser: argparse.ArgumentParser) -> None:
    """Which server's data."""
    parser.add_argument("--data", metavar="DIR", help="data directory of the server")
    parser.add_argument("--storage", metavar="URL", help="postgresql://... when the server uses PostgreSQL")


def token_create(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from veche.core.names import BadLogin, normal_login
    from veche.storage import accounts, tokens

    try:
        login = normal_login(args.login)
    except BadLogin as error:
        return failed("token", str(error))

    async def work(database: Any) -> int:
        account = await database.find(accounts.find(login))
        if account is None or account.deleted_at is not None:
            return failed("token", f"There is no account {login!r}. Make it first: veche chat --register ...")
        token = "vt_" + secrets.token_urlsafe(32)
        await database.write(tokens.create(account.id, args.name, secret_hash(token), now_us()))
        print(token)
        return EXIT_OK

    return with_database("token", args, environ, work)


def config_show(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        config, source = settings.load(args, environ)
    except settings.SettingError as error:
        return failed("config", str(error))
    for field in settings.fields():
        value = settings.plain(getattr(config, field.name))
        if field.name == "storage" and "@" in value:
            value = re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", value)
        where = source.get(field.name, "default")
        if field.name == "registration" and config.registration is None:
            value, where = "closed", "default, unless an administrator has said otherwise (ADMIN-REGISTRATION-SET)"
        print(f"{field.name:<22} {value:<28} {where}")
    return EXIT_OK


def with_database(command: str, args: argparse.Namespace, environ: Mapping[str, str], work: Any) -> int:
    """Run work on the server's database; `work(database)` returns the exit code."""
    from veche.storage.database import StorageError

    async def run() -> int:
        database = await open_database(config)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        config, _ = settings.load(args, environ)
    except settings.SettingError as error:
        return failed(command, str(error))
    if not config.storage and not (config.data / "veche.db").exists():
        return failed(command, f"There is no server in {config.data}. Name its data directory with --data.")
    try:
        return asyncio.run(run())
    except StorageError as error:
        return failed(command, str(error))


def failed(command: str, reason: str) -> int:
    """Say why in one sentence."""
    print(f"veche {command}: {reason}", file=sys.stderr)
    return EXIT_FAILED


def secret_hash(secret: str) -> bytes:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode()).digest()


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
