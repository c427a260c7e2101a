"""Bad networks, real ones: each leg in a network namespace of its own, the server in a third.

left --veth-- hub (bridge, server) --veth-- right
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.legs import LegProcess, wait_until
from tests.support.networks import HubServer, Networks, Quality
from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def two(
    networks: Networks, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LegProcess, LegProcess, ServerProcess]]:
    """Two legs that see and hear each other."""
    server = HubServer(tmp_path_factory.mktemp("hub") / "data", networks).start()
    legs: list[LegProcess] = []
    try:
        for number, machine in enumerate("lr", 1):
            legs.append(
                LegProcess(
                    server, f"leg{machine}", number, "Net", host=networks.address("h"), before=networks.inside(machine)
                )
            )
            wait_until(lambda: bool(legs[-1].me), legs)
        left, right = legs
        wait_until(lambda: left.has_perceived(right) and right.has_perceived(left), legs)
        yield left, right, server
    finally:
        for leg in legs:
            leg.end()
        server.stop()


def perceive_each_other(left: LegProcess, right: LegProcess) -> None:
    """From now on."""
    for leg in (left, right):
        wait_until(lambda leg=leg: bool(leg.said), [left, right])
        me = leg.me
        leg.forget()
        wait_until(lambda leg=leg, me=me: leg.me == me, [left, right])
    wait_until(lambda: left.has_perceived(right) and right.has_perceived(left), [left, right])


def test_a_path_that_is_closed_for_longer_is_given_up_and_found_anew(
    networks: Networks, two: tuple[LegProcess, LegProcess, ServerProcess]
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
    networks: Networks, two: tuple[LegProcess, LegProcess, ServerProcess]
) -> None:
    left, right, server = two
    perceive_each_other(left, right)
    server.kill()
    perceive_each_other(left, right)
    server.start()
    wait_until(lambda: left.said[-1]["lost"] == [] and right.said[-1]["lost"] == [], [left, right])
    perceive_each_other(left, right)


def test_a_link_that_is_cut_for_ten_seconds_is_weak_and_then_well(
    networks: Networks, two: tuple[LegProcess, LegProcess, ServerProcess]
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
    networks: Networks, two: tuple[LegProcess, LegProcess, ServerProcess]
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
