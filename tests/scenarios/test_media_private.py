"""Private sessions over a data channel: where TLS finds no path, and with devices that speak nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from msgspec.structs import replace

from tests.support.media import befriended, timed
from tests.support.server import ServerProcess
from tests.support.wire import newcomer
from veche.client import Client, private
from veche.client.private import PrivateEvent
from veche.media.channel import DataChannels
from veche.media.connection import LOOPBACK

T = TypeVar("T", bound=PrivateEvent)


@asynccontextmanager
async def friends(server: ServerProcess) -> AsyncGenerator[tuple[Client, Client]]:
    with newcomer(server.port, "pam") as pam, newcomer(server.port, "quin") as quin:
        befriended(pam, quin)
        logins = pam.login, quin.login
    clients = [
        Client("127.0.0.1", server.port, login, password="a password", device="two", fingerprint=server.fingerprint)
        for login in logins
    ]
    async with clients[0] as first, clients[1] as second:
        for client in clients:
            client.private.bearer = DataChannels(LOOPBACK)
        yield first, second


async def happens(client: Client, kind: type[T]) -> T:
    """The next event of this kind."""
    async with asyncio.timeout(20):
        while True:
            event = await client.next_event()
            if isinstance(event, kind):
                return event
            assert not isinstance(event, private.Failed), event


async def opened(asker: Client, asked: Client) -> None:
    assert asked.address is not None
    asker.private.ask(asked.address)
    request = await happens(asked, private.Asked)
    asked.private.answer(request.id, True)
    await asyncio.gather(happens(asker, private.Opened), happens(asked, private.Opened))


async def talk(asker: Client, asked: Client) -> None:
    """A session, texts both ways, and its end."""
    await opened(asker, asked)
    assert asker.address is not None
    assert asked.address is not None
    for number in range(20):
        asker.private.say(asked.address, f"hello {number} \N{SNOWMAN}")
        asked.private.say(asker.address, "x" * (number * 300 + 1))
    for number in range(20):
        assert (await happens(asked, private.Said)).text == f"hello {number} \N{SNOWMAN}"
        assert (await happens(asker, private.Said)).text == "x" * (number * 300 + 1)
    asker.private.stop(asked.address)
    closed = await happens(asked, private.Closed)
    assert closed.by_peer
    await happens(asker, private.Closed)


def no_tls(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Let nobody reach a listener, as a firewall does; returns how many have tried."""
    tries = 0

    async def refused(*_: object, **__: object) -> None:
        nonlocal tries
        tries += 1
        raise private.NoDirectPath("There is no direct path to the other device.")

    monkeypatch.setattr(private, "dial", refused)
    return lambda: tries


@timed()
async def test_where_a_path_for_tls_exists_it_is_taken(server: ServerProcess) -> None:
    """Rows: X11 (partly)."""
    async with friends(server) as (pam, quin):
        await opened(pam, quin)
        link = next(iter(pam.private._open.values()))  # pyright: ignore[reportPrivateUsage]
        transport = link.lines._transport  # pyright: ignore[reportPrivateUsage]
        assert transport is not None
        assert transport.get_extra_info("ssl_object") is not None


@timed()
async def test_where_there_is_none_the_data_channel_carries_the_session(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows: X11 (partly), T43 (partly)."""
    tries = no_tls(monkeypatch)
    async with friends(server) as (pam, quin):
        await talk(pam, quin)
        await talk(quin, pam)
    assert tries() == 2


@timed()
async def test_a_device_that_has_the_channel_alone_is_asked_and_asks(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a browser does: no certificate in its request, no port in its answer."""
    async with friends(server) as (pam, quin):
        original = pam.private._send  # pyright: ignore[reportPrivateUsage]

        def without_tls(packet: private.Packet) -> str:
            if isinstance(packet, private.PrivateStart):
                packet = replace(packet, certificate="")
            return original(packet)

        monkeypatch.setattr(pam.private, "_send", without_tls)
        await talk(pam, quin)


@timed()
async def test_a_friend_without_the_channel_says_so(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    no_tls(monkeypatch)
    async with friends(server) as (pam, quin):
        quin.private.bearer = None
        assert quin.address is not None
        pam.private.ask(quin.address)
        quin.private.answer((await happens(quin, private.Asked)).id, True)
        async with asyncio.timeout(20):
            while not isinstance(event := await pam.next_event(), private.Failed):
                pass
        assert "no direct path" in event.reason
        quin.private.stop(pam.address or "")


@timed()
async def test_nonsense_in_the_place_of_an_offer_is_declined(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with friends(server) as (_, quin):
        with newcomer(server.port, "mal") as mal:
            assert quin.address is not None
            quin_name = quin.address.split("@")[0]
            mal.ask("FRIEND-REQUEST", login=quin_name)
            await quin.friend_answer(mal.login, accepted=True)
            for sdp in ("nonsense", "v=0\r\n" + "m=audio 9 X 0\r\n" * 100, "a=ice-ufrag:x\r\n"):
                asked = mal.ask("PRIVATE-START", login=quin_name, sdp=sdp)
                assert asked["type"] == "PRIVATE-START-OK", asked
                quin.private.answer((await happens(quin, private.Asked)).id, True)
                while (answer := await asyncio.to_thread(mal.receive))["type"] != "PRIVATE-ANSWERED":
                    pass
                assert not answer["accepted"]
                assert isinstance(await quin.next_event(), private.Failed)
