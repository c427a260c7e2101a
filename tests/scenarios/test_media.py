"""Legs with media on a real server: what each sends arrives at each, through joins, drops and re-invitations."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.media import Person, all_perceive, people, timed, until
from tests.support.server import ServerProcess
from tests.support.wire import newcomer
from veche.client import RequestFailed
from veche.media import Call, NoSuchConference
from veche.packets.conference import (
    CallPacket,
    CallStatus,
    ConferenceMute,
    ConferenceRemove,
    MediaKind,
    Signal,
    SignalKind,
)


@timed()
async def test_three_legs_see_and_hear_each_other_through_joins_and_drops(server: ServerProcess) -> None:
    """Pixels and tones of each sender at each receiver; who leaves is gone at once, who comes is there at once.

    Rows: V05, A45 (partly), A46 (partly), V01 (partly).
    """
    async with people(server, "ann", "ben", "cleo") as (ann, ben, cleo):
        conference = (await ann.join("Media", create=True)).conference
        await ben.join(conference.id)
        await all_perceive(ann, ben)
        await cleo.join("media")
        await all_perceive(ann, ben, cleo)
        left = ben.leg
        await ben.leave()
        await until(lambda: left not in ann.watch.colours and left not in cleo.watch.colours, "ben gone")
        await all_perceive(ann, cleo)
        await ben.join(cleo.client.address or "")
        await all_perceive(ann, ben, cleo)


@timed()
async def test_a_leg_that_begins_anew_is_connected_anew_with_everybody(server: ServerProcess) -> None:
    """A join without `resume` while inside gives a new epoch; only its pairs begin again.

    Rows: X10 (partly), V31 (partly).
    """
    async with people(server, "dan", "eve", "fay") as (dan, eve, fay):
        await dan.join("Anew", create=True)
        await asyncio.gather(eve.join("Anew"), fay.join("Anew"))
        await all_perceive(dan, eve, fay)
        assert fay.call is not None
        assert dan.call is not None
        untouched = dan.call.engine._runners[eve.leg]  # pyright: ignore[reportPrivateUsage]
        epoch = fay.call.leg.epoch
        await fay.call.restart()
        assert fay.call.leg.epoch > epoch
        await all_perceive(dan, eve, fay)
        assert dan.call.engine._runners[eve.leg] is untouched  # pyright: ignore[reportPrivateUsage]


@timed()
async def test_a_leg_that_is_put_out_and_called_again_is_connected_again(server: ServerProcess) -> None:
    """Rows: A69 (partly), V29 (partly)."""
    async with people(server, "gus", "hal") as (gus, hal):
        conference = (await gus.join("Out", create=True)).conference
        await hal.join("Out")
        await all_perceive(gus, hal)
        assert hal.call is not None
        call = hal.call
        await gus.client.request(ConferenceRemove(id=conference.id, leg=hal.leg))
        await call.until(lambda: call.ended is not None)
        assert call.ended is not None
        assert call.engine.states == {}
        await hal.leave()
        with pytest.raises(RequestFailed):
            await hal.join(conference.id)
        await gus.client.request(
            CallPacket(status=CallStatus.REINVITE, id=conference.id, users=[hal.client.address or ""])
        )
        await hal.join(conference.id)
        await all_perceive(gus, hal)


@timed()
async def test_media_begins_when_both_have_said_yes_and_with_participants_only(server: ServerProcess) -> None:
    """While it rings there is no connection; whoever takes the call is called at once and answers by themselves; what a
    stranger offers is refused, before and after, and answered by nobody.

    Rows: V24, V26.
    """
    async with people(server, "ada", "bea") as (ada, bea):
        conference = (await ada.join("Yes", create=True)).conference
        await bea.client.login()
        mallory = await asyncio.to_thread(newcomer, server.port, "mallory")

        async def offer() -> str:
            to, sdp = ada.leg, "v=0\r\n"
            answer = await asyncio.to_thread(
                lambda: mallory.ask("SIGNAL", id=conference.id, to=to, epoch=1, kind="offer", sdp=sdp)
            )
            return answer["code"]

        await ada.client.request(
            CallPacket(status=CallStatus.INITIATE, id=conference.id, users=[bea.client.address or ""])
        )
        assert await offer() == "unknown-conference"
        assert ada.call is not None
        assert ada.call.states == {}
        await bea.join(conference.id)
        await all_perceive(ada, bea)
        assert await offer() == "unknown-conference"
        assert set(ada.call.states) == {bea.leg}
        await all_perceive(ada, bea)


@timed()
async def test_whoever_was_dropped_and_is_invited_again_by_another_is_connected_anew(server: ServerProcess) -> None:
    """Somebody who is not the initiator invites them; the connection of the two others goes on as it is.

    Rows: V29, V31.
    """
    async with people(server, "cem", "dov", "eli") as (cem, dov, eli):
        conference = (await cem.join("Again", create=True)).conference
        await dov.join("Again")
        await eli.join("Again")
        await all_perceive(cem, dov, eli)
        assert cem.call is not None
        kept = cem.call.engine._runners[dov.leg]  # pyright: ignore[reportPrivateUsage]
        serial = kept._pair.serial  # pyright: ignore[reportPrivateUsage]
        epoch, gone = cem.call.engine._runners[eli.leg].link.epoch, eli.leg  # pyright: ignore[reportPrivateUsage]
        kill(eli)
        await until(lambda: is_lost(cem.call, gone), "lost")
        await dov.client.request(CallPacket(status=CallStatus.REINVITE, id=conference.id, users=[eli.login]))
        again = Person(server, eli.login, 3)
        try:
            await again.join(conference.id)
            await all_perceive(cem, dov, again)
            assert cem.call.engine._runners[again.leg].link.epoch > epoch  # pyright: ignore[reportPrivateUsage]
        finally:
            await again.close()
        assert cem.call.engine._runners[dov.leg] is kept  # pyright: ignore[reportPrivateUsage]
        assert kept._pair.serial == serial  # pyright: ignore[reportPrivateUsage]


@timed()
async def test_text_legs_have_no_connection_and_sound_alone_has_no_picture(server: ServerProcess) -> None:
    """Who sends nothing still receives."""
    async with people(server, "ida", "jon", "kim", "lea") as (ida, jon, kim, lea):
        await ida.join("Kinds", create=True)
        await jon.join("Kinds", media=MediaKind.AUDIO)
        await kim.join("Kinds", media=MediaKind.TEXT)
        await lea.join("Kinds", is_dumb=True)
        await until(lambda: ida.perceives(jon, picture=False) and jon.perceives(ida) and lea.perceives(ida), "media")
        await until(lambda: lea.perceives(jon, picture=False), "sound")
        assert jon.leg not in ida.watch.colours
        assert kim.call is not None
        assert kim.call.states == {}
        assert ida.call is not None
        assert set(ida.call.states) == {jon.leg, lea.leg}
        assert lea.leg not in ida.watch.tones


@timed(90)
async def test_over_a_leg_that_is_held_goes_nothing_until_it_is_back(server: ServerProcess) -> None:
    """Neither does it send nor is it given what others send, while they go on with each other; nor does a leg whose
    microphone and camera the owner has switched off.

    Rows: A39 (partly), A69 (partly).
    """
    async with people(server, "meg", "ned", "oda") as (meg, ned, oda):
        conference = (await meg.join("Held", create=True)).conference
        await asyncio.gather(ned.join("Held"), oda.join("Held"))
        await all_perceive(meg, ned, oda)
        assert oda.call is not None
        await oda.call.set(held=True)
        await until(lambda: all(one.knows(oda).held for one in (meg, ned, oda)), "everybody knows")
        before = await sent_by(oda, ned)
        await all_perceive(meg, ned)
        oda.watch.forget()
        await all_perceive(meg, ned)
        assert oda.watch.colours == oda.watch.tones == {}
        assert not any(oda.leg in seen for one in (meg, ned) for seen in (one.watch.colours, one.watch.tones))
        assert await sent_by(oda, ned) <= before + 5, "what was on its way when it was held"
        await oda.call.set(held=False)
        await all_perceive(meg, ned, oda)

        await meg.client.request(ConferenceMute(id=conference.id, leg=ned.leg, audio=True, video=True))
        await until(lambda: all(one.knows(ned).hidden_by for one in (meg, ned, oda)), "everybody knows")
        await all_perceive(meg, oda)
        assert not any(ned.leg in seen for one in (meg, oda) for seen in (one.watch.colours, one.watch.tones))
        assert ned.perceives(meg, oda), "who is switched off hears and sees"
        await meg.client.request(ConferenceMute(id=conference.id, leg=ned.leg, audio=False, video=False))
        assert ned.call is not None
        await ned.call.set(is_muted=False, is_hidden=False)
        await all_perceive(meg, ned, oda)


async def sent_by(one: Person, to: Person) -> int:
    """How many packets of sound and pictures have gone out."""
    assert one.call is not None
    connection = one.call.engine._runners[to.leg]._connection  # pyright: ignore[reportPrivateUsage]
    assert connection is not None
    report: Any = await connection.pc.getStats()
    return sum(stats.packetsSent for stats in report.values() if stats.type == "outbound-rtp")


@timed()
async def test_a_killed_leg_leaves_the_others_untouched(server: ServerProcess) -> None:
    """Its process is gone without a word: the others go on, and it is shown as lost, then as weak."""
    async with people(server, "max", "nia", "ole") as (max_, nia, ole):
        await max_.join("Killed", create=True)
        await nia.join("Killed")
        await ole.join("Killed")
        await all_perceive(max_, nia, ole)
        assert ole.call is not None
        assert max_.call is not None
        gone = ole.leg
        kill(ole)
        await until(lambda: is_lost(max_.call, gone), "lost")
        await all_perceive(max_, nia)


def kill(person: Person) -> None:
    """As SIGKILL does: no farewell on any path."""
    assert person.call is not None
    person.client._core.is_final = True  # pyright: ignore[reportPrivateUsage]
    link = person.client._link  # pyright: ignore[reportPrivateUsage]
    assert link is not None
    link.abort()
    for runner in person.call.engine._runners.values():  # pyright: ignore[reportPrivateUsage]
        connection = runner._connection  # pyright: ignore[reportPrivateUsage]
        assert connection is not None
        for transport in connection._transports():  # pyright: ignore[reportPrivateUsage]
            for protocol in transport._connection._protocols:
                protocol.transport.abort()


def is_lost(call: Call | None, leg: str) -> bool:
    assert call is not None
    found = call.engine.leg(leg)
    return found is not None and found.is_lost


@timed()
async def test_media_goes_on_while_the_server_is_killed_and_started_again(own_server: ServerProcess) -> None:
    """And afterwards somebody can come in, so everybody's place was taken up again.

    Rows: X07 (partly).
    """
    async with people(own_server, "pia", "rex", "sue") as (pia, rex, sue):
        await pia.join("Restart", create=True)
        await rex.join("Restart")
        await all_perceive(pia, rex)
        assert pia.call is not None
        assert rex.call is not None
        runner = pia.call.engine._runners[rex.leg]  # pyright: ignore[reportPrivateUsage]
        await asyncio.to_thread(own_server.kill)
        await until(lambda: not pia.client.is_online and not rex.client.is_online, "offline")
        await all_perceive(pia, rex)
        await asyncio.to_thread(own_server.start)
        await until(lambda: pia.client.is_online and rex.client.is_online, "online")
        await sue.join(pia.call.conference.id)
        await all_perceive(pia, rex, sue)
        assert pia.call.engine._runners[rex.leg] is runner  # pyright: ignore[reportPrivateUsage]
        assert runner._pair.serial == 1  # pyright: ignore[reportPrivateUsage]


@timed()
async def test_what_cannot_be_found_is_said_in_a_sentence(server: ServerProcess) -> None:
    async with people(server, "tim", "una") as (tim, una):
        await tim.client.login()
        for where in ("Nowhere", "Nowhere at all", "no/such"):
            call = Call(tim.client, where)
            with pytest.raises(NoSuchConference, match="no conference"):
                await call.join()
        with pytest.raises(RequestFailed):
            await Call(tim.client, "https://x/#/join/nothing").join()
        await una.join("Twice", create=True)
        await tim.join("Twice")
        assert tim.call is not None
        assert tim.call.conference.name == "Twice"


@timed()
async def test_a_flood_of_offers_from_a_leg_does_no_harm_to_the_others(server: ServerProcess) -> None:
    """A thousand offers, each of another connection, and nonsense between: the third leg sees and hears as before."""
    async with people(server, "xan", "yul", "zoe") as (xan, yul, zoe):
        await xan.join("Flood", create=True)
        await yul.join("Flood")
        await zoe.join("Flood")
        await all_perceive(xan, yul, zoe)
        assert zoe.call is not None
        epoch = zoe.call.engine._runners[xan.leg].link.epoch  # pyright: ignore[reportPrivateUsage]
        for number in range(1000):
            sdp = f"v=0\r\na=ice-ufrag:flood{number}\r\n" + "m=audio 9 X 0\r\n" * (number % 20)
            zoe.client.post(Signal(id=zoe.call.conference.id, to=xan.leg, epoch=epoch, kind=SignalKind.OFFER, sdp=sdp))
        await all_perceive(xan, yul)
        await zoe.call.restart()
        await all_perceive(xan, yul, zoe)
