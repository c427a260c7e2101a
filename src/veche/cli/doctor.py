"""`veche doctor calls`: which paths sound and pictures can take from this machine.

Source: row A02 (no library is loaded before it is needed).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any, cast

from veche.terminal.wish import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, Leave, why

from .chat import Usage, add_account_flags, wish_of

EPILOG = """\
  veche doctor calls                                   this machine alone
  veche doctor calls --server alice@chat.example.org   and the STUN and TURN servers that this server names
  veche doctor calls --stun stun:stun.example.org:3478 and this one

One line for each path: ok or FAILED, its name, what that means. Calls between two machines of one network need nothing
more than their addresses; calls between networks need STUN, and where firewalls let no UDP through, TURN.
exit codes: 0 all paths work, 1 one does not, 2 usage, 3 cannot connect to the server, 4 certificate not trusted
"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("doctor", help="find out what does not work, and why")
    topics = parser.add_subparsers(required=True, metavar="calls")
    calls = topics.add_parser(
        "calls",
        help="which paths sound and pictures can take",
        description="Find out which paths sound and pictures can take from this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    calls.add_argument("--server", metavar="[LOGIN@]HOST[:PORT]", help="ask this server for STUN and TURN servers")
    calls.add_argument("--stun", metavar="URL", action="append", default=[], help="try this STUN server too")
    calls.add_argument("--loopback", action="store_true", help="by 127.0.0.1 alone")
    add_account_flags(calls)
    calls.set_defaults(run=run)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        wish = wish_of(args, environ) if args.server else None
    except Usage as error:
        say(str(error))
        return EXIT_USAGE
    try:
        return asyncio.run(check_all(wish, args.stun, loopback=args.loopback))
    except Leave as leave:
        if str(leave):
            say(str(leave))
        return leave.code


async def check_all(wish: Any, stun: list[str], *, loopback: bool) -> int:
    """Try every path; returns the exit code.  wish: the server to ask, or None.  Raises Leave."""
    from veche.media.check import check_paths
    from veche.packets.conference import IceServer

    servers = [IceServer(urls=[url]) for url in stun]
    if wish is not None:
        named = await named_servers(wish)
        print(f"ok      {wish.where}  It names {sum(len(one.urls) for one in named) or 'no'} STUN and TURN servers.")
        servers += named
    failed = 0
    async for finding in check_paths(servers, loopback=loopback):
        failed += not finding.is_ok
        print(f"{'ok     ' if finding.is_ok else 'FAILED '} {finding.name}  {finding.sentence}", flush=True)
    if not any(url.startswith("turn") for one in servers for url in one.urls):
        print("        No TURN server was tried: where firewalls let no UDP through, calls between networks need one.")
    return EXIT_REFUSED if failed else EXIT_OK


async def named_servers(wish: Any) -> list[Any]:
    """What the home server names for calls of this account.  Raises Leave."""
    from veche.client import ClientError
    from veche.packets.conference import IceServersGet, IceServersGetOk
    from veche.terminal.entrance import enter
    from veche.terminal.plain import RawInput, TerminalAsker

    raw: RawInput = cast("Any", sys.stdin.buffer).raw
    asker = TerminalAsker(raw) if sys.stdin.isatty() else None
    entered = await enter(wish, asker, say, everything=False)
    try:
        answer: IceServersGetOk = await entered.client.request(IceServersGet())
    except ClientError as error:
        raise why(error, wish) or Leave(EXIT_REFUSED, str(error)) from None
    finally:
        await entered.client.close(handled=False)
        entered.slot.release()
    return answer.ice_servers


def say(sentence: str) -> None:
    """One line on standard error."""
    print(f"veche doctor: {sentence}", file=sys.stderr, flush=True)
