"""Bad networks, real ones: each leg in a network namespace of its own, the server in a third.

left --veth-- hub (bridge, server) --veth-- right
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.networks import CannotMake, Networks, Quality
from tests.support.server import ServerProcess
from veche.media.pattern import pattern

PATIENCE_S = 40.0


class HubServer(ServerProcess):
    """A server on the machine `h`."""

    def __init__(self, data: Path, networks: Networks) -> None:
        super().__init__(data, "--registration", "open")
        self._networks = networks

    def command(self) -> Sequence[str]:
        ours = [word.replace("127.0.0.1", self._networks.address("h")) for word in super().command()]
        return [*self._networks.inside("h"), *ours]


class Leg:
    """A leg's process: what it says last, and what it has said."""

    def __init__(self, networks: Networks, machine: str, server: ServerProcess, login: str, number: int) -> None:
        self.pattern = pattern(number)
        self.said: deque[dict[str, Any]] = deque(maxlen=1000)
        self.states: list[set[str]] = []
        self.process = subprocess.Popen(
            [
                *(*networks.inside(machine), sys.executable, "-m", "tests.support.media_leg"),
                *(networks.address("h"), str(server.port), server.fingerprint, login, str(number), "Net"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            self.states.append(set(said["states"].values()))
            self.said.append(said)

    @property
    def me(self) -> str:
        return self.said[-1]["me"] if self.said else ""

    def has_perceived(self, other: Leg) -> bool:
        """Picture and tone of the other, since the last `forget`."""
        said = list(self.said)
        colours = [other.pattern.left, other.pattern.right]
        return any(one["sees"].get(other.me) == colours for one in said) and any(
            one["hears"].get(other.me) == other.pattern.tone_hz for one in said
        )

    def forget(self) -> None:
        self.said.clear()
        self.states.clear()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture(scope="module")
def networks() -> Iterator[Networks]:
    made = Networks("hlr")
    try:
        made.make()
    except CannotMake as error:
        pytest.skip(f"needs network namespaces: {error}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def two(networks: Networks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Leg, Leg, ServerProcess]]:
    """Two legs that see and hear each other."""
    server = HubServer(tmp_path_factory.mktemp("hub") / "data", networks).start()
    legs: list[Leg] = []
    try:
        for number, machine in enumerate("lr", 1):
            legs.append(Leg(networks, machine, server, f"leg{machine}", number))
            wait_until(lambda: bool(legs[-1].me), legs)
        left, right = legs
        wait_until(lambda: left.has_perceived(right) and right.has_perceived(left), legs)
        yield left, right, server
    finally:
        for leg in legs:
            leg.end()
        server.stop()


def wait_until(is_so: Callable[[], bool], legs: Sequence[Leg], patience_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + patience_s
    while not is_so():
        for leg in legs:
            if leg.process.poll() is not None:
                assert leg.process.stderr is not None
                raise AssertionError(leg.process.stderr.read())
        assert time.monotonic() < end, [list(leg.said)[-1:] for leg in legs]
        time.sleep(0.05)


def perceive_each_other(left: Leg, right: Leg) -> None:
    """From now on."""
    for leg in (left, right):
        wait_until(lambda leg=leg: bool(leg.said), [left, right])
        me = leg.me
        leg.forget()
        wait_until(lambda leg=leg, me=me: leg.me == me, [left, right])
    wait_until(lambda: left.has_perceived(right) and right.has_perceived(left), [left, right])


def test_a_path_that_is_closed_for_longer_is_given_up_and_found_anew(
    networks: Networks, two: tuple[Leg, Leg, ServerProcess]
) -> None:
    """A firewall swallows the media alone; once it lets them through the pair has its next try, with other ports."""
    left, right, _ = two
    perceive_each_other(left, right)
    networks.set("r", Quality(udp_loss=1.0))
    left.forget()
    right.forget()
    wait_until(lambda: {"failed"} in left.states, [left, right])
    networks.set("r")
    perceive_each_other(left, right)


def test_the_server_is_killed_and_media_goes_on_between_two_networks(
    networks: Networks, two: tuple[Leg, Leg, ServerProcess]
) -> None:
    left, right, server = two
    perceive_each_other(left, right)
    server.kill()
    perceive_each_other(left, right)
    server.start()
    wait_until(lambda: left.said[-1]["lost"] == [] and right.said[-1]["lost"] == [], [left, right])
    perceive_each_other(left, right)


def test_a_link_that_is_cut_for_ten_seconds_is_weak_and_then_well(
    networks: Networks, two: tuple[Leg, Leg, ServerProcess]
) -> None:
    """Both notice, neither gives up, and nobody is called anew."""
    left, right, _ = two
    perceive_each_other(left, right)
    networks.set("l", Quality(loss=1.0))
    cut_at = time.monotonic()
    left.forget()
    right.forget()
    wait_until(lambda: {"weak"} in right.states, [left, right])
    time.sleep(max(0.0, cut_at + 10 - time.monotonic()))
    networks.set("l")
    perceive_each_other(left, right)
    wait_until(lambda: right.states[-1:] == [{"connected"}] and left.states[-1:] == [{"connected"}], [left, right])


def test_with_five_percent_loss_and_200_ms_delay_they_see_and_hear_each_other(
    networks: Networks, two: tuple[Leg, Leg, ServerProcess]
) -> None:
    left, right, _ = two
    for name in "lr":
        networks.set(name, Quality(loss=0.025, delay_s=0.1))
    perceive_each_other(left, right)
    left.forget()
    wait_until(lambda: len(left.states) > 30, [left, right])
    assert all(states == {"connected"} for states in left.states)
    for name in "lr":
        networks.set(name)
