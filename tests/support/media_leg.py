"""A leg in a process of its own, for tests that put it into a network of its own, or beside browsers.

    python -m tests.support.media_leg HOST PORT FINGERPRINT LOGIN NUMBER CONFERENCE [--known] [--loopback]

Makes its account, unless it is known, creates the conference, open to all, or joins it, sends pattern NUMBER, and says
ten times in a second, one JSON object a line, what it has seen and heard since the last line, how it stands, the
security numbers, and which legs there are.
"""

from __future__ import annotations

import argparse
import asyncio
import json

from tests.support.media import Watch
from veche.client import Client
from veche.media import LOOPBACK, Call, Paths, Shared
from veche.media.pattern import pattern, sources_of
from veche.packets.conference import ConferencePolicy, Policy

TICK_S = 0.1


async def main(args: argparse.Namespace) -> None:
    watch = Watch()
    client = Client(args.host, args.port, args.login, password="a password", device="leg", fingerprint=args.fingerprint)
    if not args.known:
        await client.register("a password")
    source = Shared(*sources_of(pattern(args.number), width=160, height=90))
    paths = LOOPBACK if args.loopback else Paths()
    async with (
        client,
        Call(client, args.conference, create=True, source=source, sinks=[watch], paths=paths) as call,
    ):
        if call.conference.owner == client.address:
            await client.request(ConferencePolicy(id=call.conference.id, policy=Policy.OPEN))
        while call.ended is None:
            await asyncio.sleep(TICK_S)
            said = {
                "me": call.engine.me,
                "sees": watch.colours,
                "hears": watch.tones,
                "states": {leg: state.state for leg, state in call.states.items()},
                "numbers": {leg: call.engine.security_number(leg) for leg in call.states},
                "lost": [leg.id for leg in call.conference.legs if leg.is_lost],
            }
            print(json.dumps(said), flush=True)
            watch.forget()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("host", "port", "fingerprint", "login", "number", "conference"):
        parser.add_argument(name, type=int if name in ("port", "number") else str)
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--loopback", action="store_true")
    asyncio.run(main(parser.parse_args()))
