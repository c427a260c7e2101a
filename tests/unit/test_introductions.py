"""The server's part of private sessions: what waits, for how long, and what addresses it passes on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from veche.client import Client
from veche.client.private import Asked, Failed, Waiting
from veche.packets import ErrorCode
from veche.packets.private import PRIVATE_ANSWER_S
from veche.server.app import HomeServer
from veche.server.config import Registration, ServerConfig
from veche.server.features.private import addresses
from veche.server.session import Refused
from veche.storage.sqlite import open_sqlite


@pytest.mark.parametrize(
    ("named", "seen", "by", "told"),
    [
        ([], "192.0.2.1", "192.0.2.2", ["192.0.2.1"]),
        (["10.0.0.7", "2001:db8::7"], "192.0.2.1", "192.0.2.2", ["192.0.2.1", "10.0.0.7", "2001:db8::7"]),
        (["192.0.2.1", "10.0.0.7", "10.0.0.7"], "::ffff:192.0.2.1", "192.0.2.2", ["192.0.2.1", "10.0.0.7"]),
        (["127.0.0.1", "::1", "10.0.0.7"], "127.0.0.1", "192.0.2.2", ["10.0.0.7"]),
        (["127.0.0.1", "::1", "10.0.0.7"], "127.0.0.1", "127.0.0.5", ["127.0.0.1", "::1", "10.0.0.7"]),
        (["0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1", "fe80::1%eth0"], "192.0.2.1", "::1", ["192.0.2.1"]),
        (["169.254.7.7"], "unknown", "unknown", ["169.254.7.7"]),
    ],
)
def test_a_dialer_is_told_the_seen_address_first_and_none_that_means_nothing_there(
    named: list[str], seen: str, by: str, told: list[str]
) -> None:
    assert addresses(named, seen=seen, by=by) == told


@pytest.mark.parametrize("wrong", ["", "bob.example", "10.0.0.7:80", "1", "10.0.0.256", "\x00"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(Refused):
        addresses(["10.0.0.7", wrong], seen="192.0.2.1", by="192.0.2.2")


def test_a_request_that_nobody_answers_is_over_after_a_minute(tmp_path: Path) -> None:
    """On a clock that the test moves.  Rows: X22 (partly)."""

    async def scenario() -> None:
        config = ServerConfig(
            data=tmp_path, listen="127.0.0.1:0", registration=Registration.OPEN, scram_iterations=4096, away_after=1e6
        )
        app = HomeServer(config, await open_sqlite(tmp_path / "veche.db"))
        moved_s = 0.0
        app.monotonic = lambda: time.monotonic() + moved_s
        await app.start()
        port = int(app.url.rpartition(":")[2])
        alice, bob = (Client("127.0.0.1", port, name, insecure=True) for name in ("alice", "bob"))
        for one in (alice, bob):
            await one.register("a password")
            await one.login()
        await alice.friend_request("bob")
        await bob.friend_answer("alice", accepted=True)
        alice.private.ask("bob")
        assert await happens(alice, Waiting) == Waiting("bob@localhost")
        await happens(bob, Asked)
        moved_s = PRIVATE_ANSWER_S
        over = ErrorCode.NO_ANSWER, "They did not answer."
        assert await happens(alice, Failed) == Failed("bob@localhost", *over)
        assert await happens(bob, Failed) == Failed("alice@localhost", *over)
        assert len(app.introductions) == 0
        for one in (alice, bob):
            await one.close()
        await app.stop()

    async def happens(client: Client, kind: type[object]) -> object:
        """The next event of this kind."""
        while not isinstance(event := await client.next_event(), kind):
            pass
        return event

    asyncio.run(scenario())
