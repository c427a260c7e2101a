"""`veche chat` takes part in conferences by its microphone and its loudspeaker, devices of ALSA that are files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.chat import Chat, Chats
from tests.support.media import Person, people, timed, until
from tests.support.server import ServerProcess, wait_for
from tests.support.sound_devices import devices, hears
from tests.support.wire import unique
from veche.media import Identities
from veche.packets.conference import Called, CallPacket, CallStatus, ConferenceMute, Leg, MediaKind
from veche.peer import identity
from veche.terminal.sound import NO_DEVICES, Devices

TONE_HZ = 860
THREE_SECONDS = 3 * 96_000
"""In bytes of the loudspeaker.  On a busy machine what is sent may come half a second late."""
NAMED = ("--microphone", "microphone", "--loudspeaker", "loudspeaker")


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chats]:
    chats = Chats(tmp_path / "state")
    yield chats
    chats.close()


async def begun(chat: Chats, server: ServerProcess, who: Person, folder: Path, *flags: str) -> Chat:
    """A terminal of this person, who sits nowhere else."""
    await who.client.close()
    flags = ("--fingerprint", server.fingerprint, "--device", "terminal", *flags)
    began = chat(server, who.login, *flags, env=devices(folder, TONE_HZ))
    return await asyncio.to_thread(began.connected)


async def told(one: Chat, text: str) -> str:
    return await asyncio.to_thread(one.until_text, text)


@timed(90)
async def test_a_terminal_speaks_and_hears_in_a_conference(server: ServerProcess, chat: Chats, tmp_path: Path) -> None:
    """What its microphone hears is heard by a bot, the tone of the bot is played by its loudspeaker; muted it is
    silent, and muted by the owner it stays so until both have let it on again.

    Rows: A45 (partly), A63 (partly), A69 (partly).
    """
    async with people(server, "tess", "bot") as (tess, bot):
        terminal = await begun(chat, server, tess, tmp_path, "--audio", *NAMED)
        mine = f"{tess.login}@localhost/terminal"
        conference = (await bot.join("Sound", create=True)).conference
        terminal.write(f"conference join {bot.login}")
        assert "text" not in await told(terminal, "you are in Sound")
        assert (
            await told(terminal, "microphone")
            == "your microphone is on. Wear headphones, or the others hear themselves."
        )
        await told(terminal, f"connecting with {bot.login}")
        await told(terminal, f"connected with {bot.login}")
        await until(lambda: bot.watch.tones.get(mine) == TONE_HZ, "the tone of the microphone")
        played = tmp_path / "played.raw"
        await until(lambda: hears(played, bot.pattern.tone_hz), "the bot in the loudspeaker")

        async def until_speaks(shown: str) -> None:
            while True:
                terminal.write("conference who")
                if shown in await told(terminal, "Sound: "):
                    return

        await until_speaks(f"{bot.login} (owner, speaks), you (speaks)")

        async def until_silent() -> None:
            """For as long as the loudspeaker plays three seconds, the microphone is not heard."""
            tones: set[int | None] = {TONE_HZ}
            while TONE_HZ in tones:
                bot.watch.forget()
                tones.clear()
                size = played.stat().st_size
                while played.stat().st_size < size + THREE_SECONDS:
                    await asyncio.sleep(0.02)
                    tones.add(bot.watch.tones.get(mine))

        terminal.write("mute")
        await told(terminal, "your microphone is off: nobody hears you")
        await until(lambda: bot.call is not None and leg_of(bot, mine).is_muted, "the bot knows")
        await until_speaks(f"{bot.login} (owner, speaks), you (muted)")
        await until_silent()
        terminal.write("unmute")
        await until(lambda: bot.watch.tones.get(mine) == TONE_HZ, "the microphone is on again")

        await bot.client.request(ConferenceMute(id=conference.id, leg=mine, audio=True))
        await told(terminal, f"{bot.login} has switched your microphone off")
        terminal.write("microphone on")
        assert await told(terminal, "Error.") == "Error. The owner has switched your microphone off."
        terminal.write("conference ask")
        await until(lambda: leg_of(bot, mine).asks, "asking")
        await bot.client.request(ConferenceMute(id=conference.id, leg=mine, audio=False))
        assert await told(terminal, "may be on") == "your microphone may be on again: microphone on"
        await until_speaks(f"{bot.login} (owner, speaks), you (muted)")
        await until_silent()
        terminal.write("microphone on")
        await until(lambda: bot.watch.tones.get(mine) == TONE_HZ, "heard again")

        terminal.write("conference leave")
        await told(terminal, "you have left Sound")
        await until(lambda: mine not in bot.watch.tones, "gone")
        await until(lambda: not has_open(terminal, "heard.raw"), "the microphone is let go of")
        assert await asyncio.to_thread(terminal.end) == 0
        assert all("connected as" in line for line in terminal.complained), terminal.complained


@timed(90)
async def test_a_terminal_signs_its_calls_and_shows_the_security_number(
    server: ServerProcess, chat: Chats, tmp_path: Path
) -> None:
    """Both ends name the account that vouches for the other, and compute the same number.

    Rows: A45 (partly).
    """
    folder = tmp_path / "account"
    mine, theirs = identity.make("yara", bits=2048), identity.make("bot", bits=2048)
    identity.save(mine, folder)
    async with people(server, "yara", "bot") as (yara, bot):
        refused = chat(server, yara.login, "--identity", str(tmp_path / "nobody"))
        assert await asyncio.to_thread(refused.wait) == 2
        assert "veche swarm init" in refused.complained[0]
        terminal = await begun(chat, server, yara, tmp_path, "--audio", "--identity", str(folder), *NAMED)
        await bot.join("Signed", create=True, identities=Identities(theirs))
        terminal.write(f"conference number {bot.login}")
        assert "You are in no conference" in await told(terminal, "Error.")
        terminal.write("conference join Signed")
        await told(terminal, f"connected with {bot.login}, signed by {theirs.uri}")
        leg = f"{yara.login}@localhost/terminal"
        await until(lambda: bot.is_connected_with(leg), "connected there too")
        assert bot.call is not None
        assert bot.call.states[leg].identity == mine.uri
        terminal.write(f"conference number {bot.login}")
        said = await told(terminal, "the security number")
        assert said.endswith(f"with {bot.login}: {bot.call.engine.security_number(leg)}")
        assert await told(terminal, "signs") == f"{bot.login} signs as {theirs.uri}"
        terminal.write("conference who")
        assert ", signed)" in await told(terminal, "Signed: ")
        terminal.write("conference number nobody")
        assert await told(terminal, "Error.") == "Error. nobody is not in Signed."


@timed(90)
async def test_without_a_device_it_takes_part_in_writing_and_says_so_once(
    server: ServerProcess, chat: Chats, tmp_path: Path
) -> None:
    """Rows: A45 (partly), X25 (partly)."""
    async with people(server, "una", "bot") as (una, bot):
        terminal = await begun(chat, server, una, tmp_path, "--audio", "--microphone", "nowhere")
        await bot.join("Quiet", create=True)
        terminal.write("conference join Quiet")
        assert await told(terminal, "you are in") == f"you are in Quiet: {bot.login} (owner), you (text)"
        assert await told(terminal, "") == (
            "The microphone 'nowhere' cannot be used (Unknown PCM nowhere). You take part in writing. "
            "arecord -L and aplay -L list names for --microphone and --loudspeaker."
        )
        terminal.write("conference leave", "conference join Quiet", "conference leave")
        assert [await told(terminal, "Quiet") for _ in range(3)] == [
            "you have left Quiet",
            f"you are in Quiet: {bot.login} (owner), you (text)",
            "you have left Quiet",
        ]


@pytest.mark.skipif(not Devices().are_missing, reason="this machine has sound devices")
def test_a_machine_without_sound_says_so_in_the_conference(server: ServerProcess, chat: Chats) -> None:
    terminal = chat(server, unique("mute"), "--register", "--audio").connected()
    terminal.write("conference create Alone", "mute", "conference leave", "conference create Alone", "conference leave")
    assert terminal.until("you are in Alone")[-1] == "you are in Alone: you (owner, text)"
    assert [terminal.line() for _ in range(5)] == [
        NO_DEVICES,
        "Error. No microphone is open. You take part in writing.",
        "you have left Alone",
        "you are in Alone: you (owner, text)",
        "you have left Alone",
    ]


def test_a_script_opens_no_microphone_unless_it_is_told_to(server: ServerProcess, chat: Chats, tmp_path: Path) -> None:
    """Neither with --json nor where the input is no terminal, whatever devices there are.

    Rows: V23 (partly).
    """
    env = devices(tmp_path, TONE_HZ)
    for flags in (("--json",), (), ("--json", "--no-audio")):
        script = chat(server, unique("script"), "--register", *flags, *NAMED, env=env).connected()
        script.write("conference create Alone", "microphone on")
        if "--json" in flags:
            (leg,) = script.packet("CONFERENCE-JOIN-OK")["conference"]["legs"]
            assert leg["media"] == MediaKind.TEXT
            assert "--audio" in script.packet("ERROR")["reason"]
        else:
            assert script.until_text("you are in") == "you are in Alone: you (owner, text)"
            assert "--audio" in script.until_text("Error.")
        assert script.end() == 0
    told = chat(server, unique("script"), "--register", "--json", *NAMED, env={**env, "VECHE_AUDIO": "on"}).connected()
    told.write("conference create Alone")
    (leg,) = told.packet("CONFERENCE-JOIN-OK")["conference"]["legs"]
    assert leg["media"] == MediaKind.AUDIO
    assert has_open(told, "heard.raw")
    told.write("conference leave")
    told.packet("CONFERENCE-LEAVE-OK")
    wait_for(lambda: not has_open(told, "heard.raw"))
    told.write("call nobody-of-that-name")
    told.packet("CALL-FAILED")
    wait_for(lambda: not has_open(told, "heard.raw"))


@timed(90)
async def test_in_a_call_it_is_busy_and_one_conference_is_heard_at_a_time(
    server: ServerProcess, chat: Chats, tmp_path: Path
) -> None:
    """A further call is answered by itself, unless it may ring; who comes into another conference is held in the first,
    and goes back with one command.

    Rows: A39 (partly), V32 (partly).
    """
    async with people(server, "vera", "wim", "xena") as (vera, wim, xena):
        terminal = await begun(chat, server, vera, tmp_path, "--audio", "--json", *NAMED)
        mine = f"{vera.login}@localhost/terminal"
        await xena.client.login()
        first = (await wim.join("First", create=True)).conference
        terminal.write("conference join First")
        await packet(terminal, "SOUND", conference=first.id, leg=wim.leg, state="connected", identity="")
        await until(lambda: wim.watch.tones.get(mine) == TONE_HZ, "the microphone in the first")

        called = await outcome(xena, vera)
        assert called is CallStatus.OCCUPIED
        await packet(terminal, "CALL", status="occupied")
        terminal.write("calls wait", "conference who")
        await packet(terminal, "CONFERENCE-GET-OK")
        await xena.client.request(CallPacket(status=CallStatus.INITIATE, users=[vera.login]))
        second = (await packet(terminal, "CALL", status="initiate"))["id"]
        terminal.write("accept")
        await packet(terminal, "CONFERENCE-LEG", id=first.id)
        await until(lambda: leg_of(wim, mine).held, "held in the first")
        wim.watch.forget()
        terminal.write("conference resume First")
        await until(lambda: wim.watch.tones.get(mine) == TONE_HZ, "back in the first")
        while not (await packet(terminal, "CONFERENCE-LEG", id=second))["leg"].get("held"):
            pass


@timed(90)
async def test_it_is_heard_while_the_server_is_away_and_comes_back_to_its_place(
    own_server: ServerProcess, chat: Chats, tmp_path: Path
) -> None:
    """Rows: X07 (partly)."""
    server = own_server
    async with people(server, "yan", "bot") as (yan, bot):
        terminal = await begun(chat, server, yan, tmp_path, "--audio", *NAMED)
        mine = f"{yan.login}@localhost/terminal"
        await bot.join("Steady", create=True)
        terminal.write("conference join Steady")
        await until(lambda: bot.watch.tones.get(mine) == TONE_HZ, "the tone of the microphone")
        epoch = leg_of(bot, mine).epoch
        await asyncio.to_thread(server.stop)
        bot.watch.forget()
        await until(lambda: bot.watch.tones.get(mine) == TONE_HZ, "the tone while the server is away")
        await asyncio.to_thread(server.start)
        await told(terminal, "you are in again Steady")
        terminal.write("mute")
        await until(lambda: leg_of(bot, mine).is_muted, "the bot knows")
        terminal.write("unmute")
        await until(lambda: not leg_of(bot, mine).is_muted, "the bot knows")
        bot.watch.forget()
        await until(lambda: bot.watch.tones.get(mine) == TONE_HZ, "the tone again")
        assert leg_of(bot, mine).epoch == epoch, "the connection was not made anew"


def has_open(terminal: Chat, name: str) -> bool:
    """The process has this file open."""
    return any(Path(one.path).name == name for one in psutil.Process(terminal.process.pid).open_files())


async def packet(terminal: Chat, name: str, **fields: object) -> dict[str, Any]:
    """The next packet of this type with these fields."""
    while True:
        found = await asyncio.to_thread(terminal.packet, name)
        if all(found[key] == value for key, value in fields.items()):
            return found


async def outcome(one: Person, other: Person) -> CallStatus:
    """Call somebody; what comes of it."""
    await one.client.request(CallPacket(status=CallStatus.INITIATE, users=[other.login]))
    async for event in one.client.events():
        if isinstance(event, Called) and event.from_.startswith(f"{other.login}@"):
            return event.status
    raise AssertionError


def leg_of(one: Person, id: str) -> Leg:
    """A leg as somebody inside knows it."""
    assert one.call is not None
    leg = one.call.engine.leg(id)
    assert leg is not None
    return leg
