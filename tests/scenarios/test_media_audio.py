"""Microphone and loudspeaker: devices of ALSA that are files, so what is played and heard can be looked at."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
from aiortc.mediastreams import MediaStreamError

from tests.support.media import people, timed, until
from tests.support.server import ServerProcess
from tests.support.sound_devices import devices, hears
from veche.media.audio import Microphone, NoDevices, Voice, mixed, open_devices
from veche.media.sources import EchoTrack

TALKER = """
import asyncio, sys
from veche.client import Client
from veche.media import LOOPBACK, Call
from veche.media.audio import open_devices
from veche.packets.conference import MediaKind

async def main(port, login, fingerprint, microphone, loudspeaker):
    devices = await asyncio.to_thread(open_devices, microphone, loudspeaker)
    client = Client("127.0.0.1", int(port), login, password="a password", device="talker", fingerprint=fingerprint)
    call = Call(client, "Talk", media=MediaKind.AUDIO, source=devices, sinks=[devices], paths=LOOPBACK)
    async with client, call:
        print("inside", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        devices.is_muted = True
        print("muted", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main(*sys.argv[1:]))
"""


@timed()
async def test_what_the_microphone_hears_is_sent_and_what_others_send_is_played(
    server: ServerProcess, tmp_path: Path
) -> None:
    """And once it is muted the others hear silence."""
    async with people(server, "mic", "ear") as (mic, ear):
        await mic.client.close()
        await ear.join("Talk", create=True)
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-c",
                TALKER,
                str(server.port),
                mic.login,
                server.fingerprint,
                "microphone",
                "loudspeaker",
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=devices(tmp_path, 860),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert await process.stdout.readline() == b"inside\n"
        talker = f"{mic.login}@localhost/talker"
        await until(lambda: ear.watch.tones.get(talker) == 860, "the tone of the microphone")
        played = tmp_path / "played.raw"
        await until(lambda: hears(played, ear.pattern.tone_hz), "the tone of the other in the loudspeaker")
        process.stdin.write(b"\n")
        assert await process.stdout.readline() == b"muted\n"
        await until(lambda: ear.watch.tones.get(talker, 0) is None, "silence")
        process.stdin.write(b"\n")
        assert await process.wait() == 0


def test_without_a_device_a_sentence_says_which_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And nothing else is written, where a screen may be."""
    monkeypatch.setenv("ALSA_CONFIG_PATH", devices(tmp_path, 860)["ALSA_CONFIG_PATH"])
    with pytest.raises(NoDevices, match=r"The microphone 'nowhere' cannot be used \(Unknown PCM nowhere\)\."):
        open_devices("nowhere", "nowhere")
    with pytest.raises(NoDevices, match=r"The loudspeaker 'nowhere' cannot be used \(Unknown PCM nowhere\)\."):
        open_devices("microphone", "nowhere")
    assert capfd.readouterr().err == ""


def test_a_microphone_that_is_unplugged_is_gone_and_one_that_is_let_go_is_not() -> None:
    async def ended(*, by_us: bool) -> bool:
        source = EchoTrack("audio")
        microphone = Microphone(source)
        (microphone if by_us else source).stop()
        with pytest.raises(MediaStreamError):
            await microphone.recv()
        return microphone.is_gone

    assert asyncio.run(ended(by_us=False))
    assert not asyncio.run(ended(by_us=True))


def test_voices_are_mixed_and_what_is_too_loud_is_cut_off() -> None:
    assert mixed([]) == array("h", bytes(1920))
    assert mixed([array("h", [1, -2])]) == array("h", [1, -2])
    assert mixed([array("h", [30_000, -30_000, 5]), array("h", [10_000, -10_000, -7])]) == array(
        "h", [32_767, -32_768, -2]
    )


def test_a_voice_gives_20_ms_at_a_time_and_forgets_what_is_too_old() -> None:
    voice = Voice()
    assert voice.take() is None
    voice.put(array("h", range(500)))
    assert voice.take() is None
    voice.put(array("h", range(500, 2000)))
    assert voice.take() == array("h", range(960))
    assert voice.take() == array("h", range(960, 1920))
    assert voice.take() is None
    for number in range(100):
        voice.put(array("h", [number] * 960))
    kept = last = 0
    while (taken := voice.take()) is not None:
        kept += 1
        last = taken[-1]
    assert kept <= 20
    assert last == 99
