"""`python -m veche.media.bots echo|record|play`: three bots that are legs of a conference, and how such a bot is made.

Source: rows A51, A63, M25.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from veche.client import ClientEnded, ClientError, DialError
from veche.client.inbox import Offline, Online
from veche.packets import ErrorCode
from veche.packets.conference import ConferenceJoined, ConferenceLeft, ConferenceMessage, MediaKind

from .call import Call, Ended, NoSuchConference
from .connection import LOOPBACK, Paths
from .engine import LegState
from .identity import NoIdentity, of_folder
from .recorder import Recorder
from .signing_in import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, Leave, Login, add_flags, leave_for, login_of, sign_in, usage
from .sources import Echo, NotPlayable, Player
from .streams import Sink, Source

DESCRIPTION = {
    "echo": "Send back to a conference what one of its legs sends: the one that has been inside longest, itself "
    "included; when it goes, the next. For trying out camera, microphone and connection.",
    "record": "Record a conference: each leg into a file of its own, WHO.webm, with its sound and its pictures. "
    "The others see the bot among the people inside.",
    "play": "Play a file to a conference, and leave at its end.",
}
EPILOG = """\
--conference is the name of a conference, its id, its link, or a friend who is inside.

  export VECHE_PASSWORD=...
  python -m veche.media.bots echo   --server chat.example.org --login echo --register --conference Friday
  python -m veche.media.bots record --server 127.0.0.1:3215 --login rec --conference Friday --out recordings
  python -m veche.media.bots play   --server 127.0.0.1:3215 --login dj --conference Friday --file song.mp3 --loop

Standard output tells what happens, one line each. Ctrl-C or SIGTERM ends the bot properly: recordings are whole.
A lost server is looked for again; the call goes on meanwhile.
exit codes: 0 done, 1 refused, or the conference is over, 2 usage, 3 cannot connect, 4 certificate not trusted
"""


def parser_of() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m veche.media.bots",
        description="Bots that take part in conferences by sound and picture.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(required=True, metavar="echo|record|play", dest="kind")
    for kind, description in DESCRIPTION.items():
        one = subparsers.add_parser(
            kind,
            help=description.partition(":")[0].rstrip(".").lower(),
            description=description,
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_flags(one, f"{kind} bot")
        one.add_argument("--conference", metavar="NAME|ID|LINK|FRIEND", required=True, help="where it goes")
        one.add_argument("--create", action="store_true", help="make the conference, if there is none of that name")
        one.add_argument("--audio", action="store_true", help="sound alone, no pictures")
        one.add_argument("--seconds", metavar="N", type=float, help="leave after so long")
        one.add_argument("--say", metavar="TEXT", help="write this into the room on coming in")
        one.add_argument(
            "--identity",
            metavar="DIR",
            type=Path,
            help="sign calls as the account in this folder (`veche swarm init`), so that the others need not trust the "
            "server; they learn its address, 40 digits",
        )
        one.add_argument("--loopback", action="store_true", help="media on this machine alone, by 127.0.0.1")
        if kind == "record":
            one.add_argument(
                "--out", metavar="DIR", type=Path, default=Path(), help="where the files go (default: here)"
            )
        if kind == "play":
            one.add_argument("--file", metavar="FILE", type=Path, required=True, help="any format that FFmpeg reads")
            one.add_argument("--loop", action="store_true", help="again and again")
    return parser


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a bot; returns the exit code."""
    args = parser_of().parse_args(argv)
    try:
        if args.seconds is not None and not 0 < args.seconds < 10_000_000:
            raise usage("--seconds is a number above 0.")
        login = login_of(args, environ)
        return asyncio.run(run(args, login))
    except Leave as leave:
        complain(str(leave))
        return leave.code
    except KeyboardInterrupt:
        return EXIT_OK


async def run(args: argparse.Namespace, login: Login) -> int:
    """From the way in to the exit code.  Raises Leave."""
    source: Source | None = None
    sinks: list[Sink] = []
    player: Player | None = None
    stop = asyncio.Event()
    with suppress(NotImplementedError):  # Windows has Ctrl-C alone
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        match args.kind:
            case "echo":
                echo = Echo()
                source, sinks = echo, [echo]
            case "record":
                sinks = [Recorder(args.out, lambda path: tell(f"wrote {path}"))]
            case _:
                source = player = Player(args.file, loop=args.loop)
    except NotPlayable as error:
        raise Leave(EXIT_USAGE, str(error)) from None
    except OSError as error:
        raise Leave(EXIT_USAGE, f"{args.out} cannot be written: {error.strerror or error}.") from None
    known = login.state.known_identities(login.host, login.port)
    try:
        identities = of_folder(args.identity, known)
    except NoIdentity as error:
        raise usage(str(error)) from None
    client = await sign_in(login, complain)
    call = Call(
        client,
        args.conference,
        create=args.create,
        media=MediaKind.AUDIO if args.audio else MediaKind.VIDEO,
        source=source,
        sinks=sinks,
        paths=LOOPBACK if args.loopback else Paths(),
        identities=identities,
    )
    try:
        conference = await call.join()
        tell(f"inside {conference.name} as {call.leg.id}")
        if call.note:
            complain(call.note)
        if args.say:
            await call.say(args.say)
        return await stay(call, stop, args.seconds, player)
    except NoSuchConference as error:
        raise Leave(EXIT_REFUSED, str(error)) from None
    except (DialError, ClientError) as error:
        raise leave_for(error, login) from None
    finally:
        await call.leave()
        await client.close()


async def stay(call: Call, stop: asyncio.Event, seconds: float | None, player: Player | None) -> int:
    """Tell what happens until it is time to leave."""
    teller = asyncio.create_task(tell_all(call))
    waits: set[asyncio.Task[Any]] = {teller, asyncio.create_task(stop.wait())}
    if player is not None:
        waits.add(asyncio.create_task(player.finished.wait()))
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if teller.done():
            return teller.result()
        return EXIT_OK
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def tell_all(call: Call) -> int:
    """What happens, in words, until the call is over; returns the exit code of that."""
    async for event in call.events():
        match event:
            case LegState(leg, state, reason, retry, identity):
                again = f" Trying again in {retry:.0f} s." if retry is not None else ""
                signed = f" (signed by {identity})" if identity else ""
                tell(f"{leg} {state.value}{signed}{': ' if reason else ''}{reason}{again}")
            case ConferenceJoined(leg=leg):
                tell(f"{leg.id} came")
            case ConferenceLeft(leg=leg):
                tell(f"{leg} left")
            case ConferenceMessage():
                tell(f"{event.from_}: {event.text}")
            case Offline(reason, _):
                tell(f"offline: {reason}")
            case Online():
                tell("online")
            case Ended(code, reason):
                complain(f"The call is over: {reason}")
                return EXIT_OK if code is ErrorCode.LOGGED_OUT else EXIT_REFUSED
            case _:
                pass
    return EXIT_OK


def tell(line: str) -> None:
    """One line on standard output; what others wrote must not steer the terminal."""
    print("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line), flush=True)


def complain(sentence: str) -> None:
    """One line on standard error."""
    print(f"bots: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], os.environ))


__all__ = ["Call", "ClientEnded", "Echo", "Player", "Recorder", "main"]
