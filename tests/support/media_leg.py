"""A leg in a process of its own, for tests that put it into a network of its own.

    python -m tests.support.media_leg HOST PORT FINGERPRINT LOGIN NUMBER CONFERENCE

Makes its account, creates the conference, open to all, or joins it, sends pattern NUMBER, and says ten times in a
second, one JSON object a line, what it has seen and heard since the last line, how it stands, and which legs there are.
"""

from __future__ import annotations

import asyncio
import json
import sys

from tests.support.media import Watch
from veche.client import Client
from veche.media import Call, Shared
from veche.media.pattern import pattern, sources_of
from veche.packets.conference import ConferencePolicy, Policy

TICK_S = 0.1


async def main(host: str, port: str, fingerprint: str, login: str, number: str, conference: str) -> None:
    watch = Watch()
    client = Client(host, int(port), login, password="a password", device="leg", fingerprint=fingerprint)
    await client.register("a password")
    source = Shared(*sources_of(pattern(int(number)), width=160, height=90))
    async with client, Call(client, conference, create=True, source=source, sinks=[watch]) as call:
        if call.conference.owner == client.address:
            await client.request(ConferencePolicy(id=call.conference.id, policy=Policy.OPEN))
        while call.ended is None:
            await asyncio.sleep(TICK_S)
            said = {
                "me": call.engine.me,
                "sees": watch.colours,
                "hears": watch.tones,
                "states": {leg: state.state for leg, state in call.states.items()},
                "lost": [leg.id for leg in call.conference.legs if leg.is_lost],
            }
            print(json.dumps(said), flush=True)
            watch.forget()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
