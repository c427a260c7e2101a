"""The bots, as people start them: `python -m veche.media.bots`; and a bot of ten lines."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path
from typing import Any

import av
import pytest

from tests.support.media import Person, accounts, people, timed, until
from tests.support.server import ServerProcess
from veche.media.pattern import Pattern, ToneTrack, colours_of, pattern, picture, samples_of, tone_of
from veche.packets.conference import ConferenceDelete, ConferenceTransfer
from veche.peer import identity

DOCS = Path(__file__).parents[2] / "docs" / "bot-media.md"


class Bot:
    """One bot's process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.said: list[str] = []
        self.complained: list[str] = []
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self.said)),
            asyncio.create_task(self._read(process.stderr, self.complained)),
        ]

    @staticmethod
    async def _read(stream: asyncio.StreamReader | None, lines: list[str]) -> None:
        assert stream is not None
        async for line in stream:
            lines.append(line.decode().rstrip())

    async def says(self, text: str) -> None:
        await until(lambda: any(text in line for line in self.said), f"{text!r} in {self.said} {self.complained}")

    async def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.wait()

    async def wait(self) -> int:
        code = await self.process.wait()
        await asyncio.gather(*self._readers)
        return code


async def bot(server: ServerProcess, state: Path, login: str, *args: str) -> Bot:
    """A bot whose account is there."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "veche.media.bots", args[0], "--server", f"127.0.0.1:{server.port}"),
        *("--login", login, "--loopback", "--state-dir", str(state), *args[1:]),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "VECHE_PASSWORD": "a password", "PYTHONUNBUFFERED": "1"},
    )
    return Bot(process)


def content(path: Path) -> tuple[Counter[tuple[str, str]], Counter[int | None], float]:
    """Which colours its pictures have, which tones its tenths of a second, and how many seconds of sound there are."""
    colours: Counter[tuple[str, str]] = Counter()
    samples: list[int] = []
    to_mono = av.AudioResampler("s16", "mono", 48_000)
    opened: Any = av.open(str(path))
    with opened as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                colours[colours_of(frame)] += 1
            else:
                for piece in to_mono.resample(frame):
                    samples.extend(samples_of(piece))
    tones = Counter(tone_of(samples[n : n + 4800]) for n in range(0, len(samples) - 4800, 4800))
    return colours, tones, len(samples) / 48_000


def address(person: Person) -> str:
    """`login@domain`."""
    return f"{person.login}@localhost"


def legs(person: Person) -> list[str]:
    """Who is where this person is."""
    assert person.call is not None
    return [leg.id for leg in person.call.conference.legs]


def film(path: Path, shown: Pattern, seconds: int) -> None:
    """A file of a pattern: VP8 and Opus in WebM."""
    opened: Any = av.open(str(path), "w")
    with opened as container:
        video = container.add_stream("libvpx", rate=15)
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        audio = container.add_stream("libopus", rate=48_000)
        audio.layout = "mono"
        for number in range(seconds * 15):
            frame = picture(shown, 160, 90, 40 if number % 2 else 200)
            frame.pts = number
            container.mux(video.encode(frame))

        async def sound() -> None:
            track = ToneTrack(shown)
            for _ in range(seconds * 50):
                track._start_at = -1e9  # pyright: ignore[reportPrivateUsage]
                container.mux(audio.encode(await track.recv()))

        asyncio.run(sound())
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


@timed()
async def test_the_recorder_writes_what_each_leg_sends_into_its_own_file(server: ServerProcess, tmp_path: Path) -> None:
    """Colours and tones of each, of nobody else; and whole, though the bot is told to end by SIGTERM."""
    async with people(server, "ada", "bob", "rec") as (ada, bob, rec):
        await rec.client.close()
        await ada.join("Record", create=True)
        await bob.join("Record")
        login = rec.login
        running = await bot(server, tmp_path, login, "record", "--conference", "Record", "--out", str(tmp_path / "out"))
        await running.says(f"{ada.leg} connected")
        await running.says(f"{bob.leg} connected")
        await asyncio.sleep(2.5)
        name = bob.leg.replace("/", " ")
        await bob.leave()
        await running.says(f"wrote {tmp_path / 'out' / name}.webm")
        await asyncio.sleep(0.5)
        assert await running.end() == 0, running.complained
        await until(lambda: all(not leg.startswith(login) for leg in legs(ada)), "recorder gone")
    files = {path.name: content(path) for path in (tmp_path / "out").glob("*.webm")}
    assert sorted(files) == sorted(f"{leg} leg.webm" for leg in (address(ada), address(bob)))
    for person in (ada, bob):
        colours, tones, seconds = files[f"{address(person)} leg.webm"]
        assert set(colours) == {(person.pattern.left, person.pattern.right)}
        assert colours.total() >= 5, "a busy machine takes its time for the first picture"
        assert tones.most_common(1)[0][0] == person.pattern.tone_hz
        assert set(tones) <= {person.pattern.tone_hz, None}
        assert seconds > 0.5


@timed()
async def test_the_echo_sends_the_first_leg_to_all_and_then_the_next(server: ServerProcess, tmp_path: Path) -> None:
    async with people(server, "cyd", "deb", "echo") as (cyd, deb, echo):
        await echo.client.close()
        conference = (await cyd.join("Echo", create=True)).conference
        running = await bot(server, tmp_path, echo.login, "echo", "--conference", conference.id)
        leg = f"{address(echo)}/echo bot"
        await until(lambda: cyd.watch.perceives(leg, cyd.pattern), "echo")
        await deb.join("Echo")
        await until(lambda: deb.watch.perceives(leg, cyd.pattern) and deb.perceives(cyd), "echo of the first")
        await cyd.client.request(ConferenceTransfer(id=conference.id, login=deb.login))
        await cyd.leave()
        await until(lambda: deb.watch.perceives(leg, deb.pattern), "echo of the next")
        assert await running.end(signal.SIGINT) == 0, running.complained


@timed()
async def test_the_player_plays_a_file_and_leaves_at_its_end(server: ServerProcess, tmp_path: Path) -> None:
    shown = pattern(5)
    await asyncio.to_thread(film, tmp_path / "film.webm", shown, 3)
    async with people(server, "eli", "dj") as (eli, dj):
        await dj.client.close()
        await eli.join("Play", create=True)
        running = await bot(
            *(server, tmp_path, dj.login, "play", "--conference", "Play"),
            *("--file", str(tmp_path / "film.webm"), "--say", "Curtain up."),
        )
        leg = f"{address(dj)}/play bot"
        await until(lambda: eli.watch.perceives(leg, shown), "film")
        assert await running.wait() == 0, running.complained
        assert any("inside Play" in line for line in running.said)


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        (["play", "--conference", "X", "--file", "/nowhere.mp4"], 2, "There is no file /nowhere.mp4"),
        (["play", "--conference", "X", "--file", __file__], 2, "cannot be played"),
        (["record", "--conference", "X", "--out", "/proc/nowhere"], 2, "/proc/nowhere cannot be written"),
        (["echo", "--conference", "No such room"], 1, "There is no conference 'No such room'"),
        (["echo", "--conference", "nosuch"], 1, "There is no conference 'nosuch'"),
        (["echo", "--conference", "X", "--seconds", "-1"], 2, "--seconds is a number above 0"),
        (["echo", "--conference", "X", "--fingerprint", "AB"], 2, "64 hexadecimal digits"),
        (["echo", "--conference", "X", "--fingerprint", "AB" * 32], 4, "CERTIFICATE"),
        (["echo", "--conference", "X", "--server", "127.0.0.1:1"], 3, "127.0.0.1:1"),
        (["echo", "--conference", "X", "--server", "http://127.0.0.1"], 2, "is no server"),
        (["echo", "--conference", "X", "--login", "nobody9"], 1, "--register"),
    ],
)
def test_bad_input_is_answered_by_a_sentence_and_an_exit_code(
    server: ServerProcess, tmp_path: Path, args: list[str], code: int, text: str
) -> None:
    login = accounts(server, "bad")[0]
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "veche.media.bots", args[0], "--server", f"127.0.0.1:{server.port}"),
            *("--login", login, "--loopback", "--state-dir", str(tmp_path), *args[1:]),
        ],
        env={**os.environ, "VECHE_PASSWORD": "a password"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == code, ended
    assert text in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_help_teaches() -> None:
    for args in (["--help"], ["record", "--help"]):
        ended = subprocess.run(
            [sys.executable, "-m", "veche.media.bots", *args], capture_output=True, text=True, timeout=30
        )
        assert ended.returncode == 0
        for word in ("VECHE_PASSWORD", "exit codes", "--conference Friday"):
            assert word in ended.stdout


@timed()
async def test_the_ten_lines_of_the_documentation_work(server: ServerProcess, tmp_path: Path) -> None:
    """The program in docs/bot-media.md, as it stands there: it greets, and records who is inside."""
    program = re.search(r"```python\n(import asyncio, sys\nfrom pathlib.*?)```", DOCS.read_text(), re.DOTALL)
    assert program is not None
    code = program[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 14
    async with people(server, "fin", "ten") as (fin, ten):
        await fin.join("Ten", create=True)
        await ten.client.login()
        token = (await ten.client.create_token("ten lines")).token
        path = tmp_path / "ten.py"
        path.write_text(
            code.replace("import Call,", "import LOOPBACK, Call,").replace(
                "conference, ", "conference, paths=LOOPBACK, "
            )
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(path), "127.0.0.1", str(server.port), token, server.fingerprint, "Ten"),
            stdout=PIPE,
            stderr=PIPE,
            cwd=tmp_path,
        )
        running = Bot(process)
        await running.says("connected")
        await asyncio.sleep(1.5)
        assert fin.call is not None
        await fin.client.request(ConferenceDelete(id=fin.call.conference.id))
        assert await running.wait() == 0, running.complained
        assert set(content(tmp_path / "recordings" / f"{address(fin)} leg.webm")[0]) == {
            (fin.pattern.left, fin.pattern.right)
        }


@timed(90)
async def test_a_bot_signs_its_calls(server: ServerProcess, tmp_path: Path) -> None:
    """`--identity` names the folder of an account; both ends say who vouches for the connection."""
    async with people(server, "ora", "pam", "quin") as (ora, pam, quin):
        for person in (pam, quin):
            made = identity.make(person.login, bits=2048)
            identity.save(made, tmp_path / person.login)
        await ora.join("Signed", create=True)
        state = tmp_path / "state"
        first = await bot(
            server, state, pam.login, "echo", "--conference", "Signed", "--identity", str(tmp_path / pam.login)
        )
        await first.says("inside Signed")
        second = await bot(
            server, state, quin.login, "echo", "--conference", "Signed", "--identity", str(tmp_path / quin.login)
        )
        await first.says(f"echo bot connected (signed by {identity.load(tmp_path / quin.login).uri})")
        await second.says(f"echo bot connected (signed by {identity.load(tmp_path / pam.login).uri})")
        await second.says(f"{ora.leg} connected")
        assert not any(f"{ora.leg} connected (signed" in line for line in second.said)
        assert (await first.end(), await second.end()) == (0, 0)
        homeless = await bot(server, state, pam.login, "echo", "--conference", "X", "--identity", str(tmp_path / "no"))
        assert await homeless.wait() == 2
        assert "Make one with `veche swarm init`" in homeless.complained[0]
