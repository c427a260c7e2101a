"""`veche invite`: a link that makes an account here, and a friend of whoever invited.

Source: rows B134 (partly), A25 (partly); the link is that of `veche.net.invites`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from veche.core.names import BadLogin, normal_login

from .admin import failed, now_us, secret_hash, store_flags, with_database
from .serve import EXIT_OK, EXIT_USAGE

DURATION = re.compile(r"(\d{1,6})([smhdw])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
EPILOG = """\
examples:
  veche invite                          for one person, within a week
  veche invite --uses 30 --expires 12h  for a class
  veche invite --from alice             who follows the link is alice's friend at once

Whoever gets the link runs `veche chat LINK`: they choose a name and a password, and are in.
"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "invite",
        help="print a link that makes an account here",
        description="Print a link, in a terminal also as a QR code, that lets somebody make an account on this server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    store_flags(parser)
    parser.add_argument("--uses", type=int, default=1, metavar="N", help="accounts it makes (default: 1)")
    parser.add_argument("--expires", default="7d", metavar="TIME", help="such as 30m, 12h, 7d (default: 7d)")
    parser.add_argument("--from", dest="inviter", metavar="LOGIN", help="who invites (default: the administrator)")
    parser.add_argument("--host", metavar="HOST[:PORT]", help="how others reach this server, when it cannot know that")
    parser.add_argument("--qr", action=argparse.BooleanOptionalAction, help="a QR code (default: in a terminal)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from veche.net.invites import Place, link, new_code
    from veche.storage import accounts, facts, invites

    duration = DURATION.fullmatch(args.expires)
    if duration is None or not 1 <= args.uses <= 1_000_000:
        print("veche invite: --expires takes a number and s, m, h, d or w; --uses 1 to 1000000.", file=sys.stderr)
        return EXIT_USAGE
    try:
        login = None if args.inviter is None else normal_login(args.inviter)
    except BadLogin as error:
        return failed("invite", str(error))

    async def work(database: Any) -> int:
        place = await database.find(facts.get("place"))
        if place is None:
            return failed("invite", "This server has never been started. Start it once: veche serve")
        inviter = await database.find(accounts.first_admin() if login is None else accounts.find(login))
        if login is not None and (inviter is None or inviter.deleted_at is not None):
            return failed("invite", f"There is no account {login!r}.")
        now = now_us()
        code = new_code()
        await database.write(
            invites.create(
                secret_hash(code),
                is_setup=False,
                uses=args.uses,
                now=now,
                expires_at=now + int(duration[1]) * SECONDS[duration[2]] * 1_000_000,
                inviter_id=None if inviter is None else inviter.id,
            )
        )
        show(link(msgspec.json.decode(place, type=Place), code, args.host), args.qr)
        return EXIT_OK

    return with_database("invite", args, environ, work)


def show(text: str, qr: bool | None) -> None:
    """The link on a line of its own; below it the picture for a camera."""
    print(text, flush=True)
    if sys.stdout.isatty() if qr is None else qr:
        import segno

        segno.make(text, error="l", micro=False).terminal(compact=True)
    if "//127." in text or "//[::1]" in text:
        print(
            "veche invite: only this machine can follow this link, since the server listens on it alone.\n"
            "For others: veche serve --listen 0.0.0.0:3215",
            file=sys.stderr,
        )
