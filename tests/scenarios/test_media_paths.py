"""`veche doctor calls`, and calls through a real TURN server (coturn) with the credentials of the home server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.media import accounts, all_perceive, people, timed, until
from tests.support.server import ServerProcess
from tests.support.turn import SECRET, coturn, free_port
from veche.media import Paths
from veche.packets.conference import IceServer


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a coturn on loopback that shares a secret with the home server."""
    with coturn(tmp_path_factory.mktemp("turn")) as port:
        yield port


@pytest.fixture(scope="module")
def home(turn: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A home server that names that TURN server."""
    running = ServerProcess(
        tmp_path_factory.mktemp("home") / "data",
        *("--registration", "open", "--stun", f"stun:127.0.0.1:{turn}", "--turn-secret", SECRET),
        *("--turn", f"turn:127.0.0.1:{turn}?transport=udp,turn:127.0.0.1:{turn}?transport=tcp"),
    ).start()
    yield running
    running.stop()


def doctor(state: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "veche.cli.main", "doctor", "calls", "--loopback", "--state-dir", str(state), *args],
        env={**os.environ, "VECHE_PASSWORD": "a password"},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_the_doctor_tries_every_path_that_the_server_names(home: ServerProcess, turn: int, tmp_path: Path) -> None:
    login = accounts(home, "doc")[0]
    ended = doctor(tmp_path, "--server", f"{login}@127.0.0.1:{home.port}")
    assert ended.returncode == 0, ended
    lines = ended.stdout.splitlines()
    assert f"ok      127.0.0.1:{home.port}  It names 3 STUN and TURN servers." in lines
    for path in (
        "a call on this machine",
        f"turn:127.0.0.1:{turn}?transport=udp",
        f"turn:127.0.0.1:{turn}?transport=tcp",
    ):
        assert any(line.startswith(f"ok      {path}") and "Picture and tone arrive" in line for line in lines), lines
    assert any(line.startswith(f"ok      stun:127.0.0.1:{turn}  It sees this machine at 127.0.0.1") for line in lines)


def test_the_doctor_says_what_does_not_work(tmp_path: Path) -> None:
    ended = doctor(tmp_path, "--stun", f"stun:127.0.0.1:{free_port()}", "--stun", "nonsense", "--stun", "stun:")
    assert ended.returncode == 1, ended
    assert "ok      a call on this machine" in ended.stdout
    assert "FAILED  stun:127.0.0.1" in ended.stdout
    assert "does not answer" in ended.stdout
    assert "FAILED  nonsense  This is no STUN or TURN address" in ended.stdout
    assert "No TURN server was tried" in ended.stdout
    away = doctor(tmp_path, "--server", "somebody@127.0.0.1:1")
    assert away.returncode == 3, away
    assert "Traceback" not in ended.stderr + away.stderr


@timed()
async def test_a_call_by_relays_alone_works_with_the_credentials_of_the_server(home: ServerProcess) -> None:
    """Rows: V01 (partly)."""
    async with people(home, "rae", "sol") as (rae, sol):
        relayed = Paths(relay_only=True)
        await rae.join("Relay", create=True, paths=relayed)
        await sol.join("Relay", paths=relayed)
        await all_perceive(rae, sol)
        assert sol.call is not None
        connection = sol.call.engine._runners[rae.leg]._connection  # pyright: ignore[reportPrivateUsage]
        assert connection is not None
        ice = connection._transports()[0]._connection  # pyright: ignore[reportPrivateUsage]
        assert [pair.local_candidate.type for pair in ice._nominated.values()] == ["relay"]


@timed()
async def test_wrong_credentials_give_no_connection_and_a_reason(home: ServerProcess, turn: int) -> None:
    async with people(home, "tad", "uma") as (tad, uma):
        wrong = IceServer(urls=[f"turn:127.0.0.1:{turn}"], username="1:x", credential="wrong")
        paths = Paths(relay_only=True, ice_servers=(wrong,))
        await tad.join("Wrong", create=True, paths=paths)
        await uma.join("Wrong", paths=paths)
        calls = [person.call for person in (tad, uma) if person.call is not None]
        assert len(calls) == 2
        reasons: list[str] = []

        def has_failed() -> bool:
            reasons.extend(state.reason for call in calls for state in call.states.values() if state.reason)
            return bool(reasons)

        await until(has_failed, "failed")
        assert "TURN server gives no place" in reasons[0]
        assert not tad.watch.tones
        assert not uma.watch.tones


@timed()
async def test_credentials_that_are_too_old_are_asked_for_anew(home: ServerProcess, turn: int) -> None:
    """A connection that breaks in a call of more than half a day is made with fresh ones."""
    async with people(home, "vic", "wyn") as (vic, wyn):
        relayed = Paths(relay_only=True)
        await vic.join("Old", create=True, paths=relayed)
        await wyn.join("Old", paths=relayed)
        await all_perceive(vic, wyn)
        old = IceServer(urls=[f"turn:127.0.0.1:{turn}"], username="1:x", credential="old")
        for person in (vic, wyn):
            assert person.call is not None
            person.call.engine.paths = relayed._replace(ice_servers=(old,))
            person.call._servers_at = float("-inf")  # pyright: ignore[reportPrivateUsage]
            runner = next(iter(person.call.engine._runners.values()))  # pyright: ignore[reportPrivateUsage]
            runner._broke(runner._serial, "Cut.")  # pyright: ignore[reportPrivateUsage]
        await all_perceive(vic, wyn)
        assert vic.call is not None
        assert old not in vic.call.engine.paths.ice_servers
