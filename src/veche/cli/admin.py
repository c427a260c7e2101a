"""Commands of the administrator, on the data directory: `veche token`, `veche invite`, `veche config`.

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
from .serve import EXIT_FAILED, EXIT_OK, EXIT_USAGE, open_database

DURATION = re.compile(r"(\d+)([smhdw])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def add_parsers(subparsers: Any) -> None:
    token = subparsers.add_parser("token", help="access tokens for bots and load tests")
    token_commands = token.add_subparsers(dest="command", required=True, metavar="COMMAND")
    create = token_commands.add_parser("create", help="make an access token and print it")
    _store_flags(create)
    create.add_argument("--name", default="bot", help="what it is for (default: bot)")
    create.add_argument("login", help="the account it logs in as")
    create.set_defaults(run=token_create)

    invite = subparsers.add_parser("invite", help="make an invite code and print it")
    _store_flags(invite)
    invite.add_argument("--uses", type=int, default=1, metavar="N", help="accounts it makes (default: 1)")
    invite.add_argument("--expires", default="7d", metavar="TIME", help="such as 30m, 12h, 7d (default: 7d)")
    invite.set_defaults(run=invite_create)

    config = subparsers.add_parser("config", help="the settings")
    config_commands = config.add_subparsers(dest="command", required=True, metavar="COMMAND")
    show = config_commands.add_parser("show", help="show every setting, its value and where it comes from")
    settings.add_flags(show)
    show.set_defaults(run=config_show)


def _store_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="data directory of the server")
    parser.add_argument("--storage", metavar="URL", help="postgresql://... when the server uses PostgreSQL")


def token_create(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from veche.storage import accounts, tokens

    async def work(database: Any) -> int:
        account = await database.find(accounts.find(args.login))
        if account is None or account.deleted_at is not None:
            return _failed("token", f"There is no account {args.login!r}. Make it first: veche chat --register ...")
        token = "vt_" + secrets.token_urlsafe(32)
        await database.write(tokens.create(account.id, args.name, _hash(token), _now_us()))
        print(token)
        return EXIT_OK

    return _with_database("token", args, environ, work)


def invite_create(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from veche.storage import invites

    duration = DURATION.fullmatch(args.expires)
    if duration is None or args.uses < 1:
        print("veche invite: --expires takes a number and s, m, h, d or w; --uses at least 1.", file=sys.stderr)
        return EXIT_USAGE
    expires_at = _now_us() + int(duration[1]) * SECONDS[duration[2]] * 1_000_000

    async def work(database: Any) -> int:
        code = "-".join(secrets.token_hex(2) for _ in range(5))
        await database.write(
            invites.create(_hash(code), is_setup=False, uses=args.uses, now=_now_us(), expires_at=expires_at)
        )
        print(code)
        return EXIT_OK

    return _with_database("invite", args, environ, work)


def config_show(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        config, source = settings.load(args, environ)
    except settings.SettingError as error:
        return _failed("config", str(error))
    for field in settings.fields():
        value = settings.plain(getattr(config, field.name))
        if field.name == "storage" and "@" in value:
            value = re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", value)
        print(f"{field.name:<22} {value:<28} {source.get(field.name, 'default')}")
    return EXIT_OK


def _with_database(command: str, args: argparse.Namespace, environ: Mapping[str, str], work: Any) -> int:
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
        return _failed(command, str(error))
    if not config.storage and not (config.data / "veche.db").exists():
        return _failed(command, f"There is no server in {config.data}. Name its data directory with --data.")
    try:
        return asyncio.run(run())
    except StorageError as error:
        return _failed(command, str(error))


def _failed(command: str, reason: str) -> int:
    print(f"veche {command}: {reason}", file=sys.stderr)
    return EXIT_FAILED


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _now_us() -> int:
    return time.time_ns() // 1000
