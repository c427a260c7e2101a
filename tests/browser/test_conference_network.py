"""Two browsers on machines of their own, and a cable between them that is cut; the server on a third one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.guests import Guest, create, join, keep_connections, tile
from tests.support.browser import until
from tests.support.networks import HubServer, Networks, Quality
from tests.support.seen import launch, perceives, shown

FRIENDS = """import sys
from tests.support.conferences import friends
print(*(wire.login for wire in friends(int(sys.argv[1]), "ann", "bob")))"""
CUT_S = 10


@pytest.fixture(scope="module")
def two(
    networks: Networks, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Guest, Guest]]:
    """Ann, whose machine is `l`, and bob, whose machine is `r`, in a conference, seeing and hearing each other."""
    folder = tmp_path_factory.mktemp("machines")
    server = HubServer(folder / "data", networks).start()
    browsers: list[Browser] = []
    try:
        made = subprocess.run(
            [*networks.inside("h"), sys.executable, "-c", FRIENDS, str(server.port)],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        people: list[Guest] = []
        for machine, colour, login in zip("lr", ("red", "green"), made.stdout.split(), strict=True):
            browsers.append(launch(browser.browser_type, folder, colour, networks.inside(machine)))
            url = f"https://{networks.address('h')}:{server.port}"
            guest = Guest(browsers[-1], url, ignore_https_errors=True)
            guest.colour = colour
            guest.context.set_default_timeout(30_000)
            guest.sign_in(login)
            people.append(guest)
        ann, bob = people
        keep_connections(ann, bob)
        create(ann, "Cable")
        join(bob)
        both_perceive(ann, bob)
        yield ann, bob
    finally:
        for one in browsers:
            one.close()
        server.stop()


def both_perceive(ann: Guest, bob: Guest) -> None:
    perceives(ann.page, {bob.login: shown(bob.colour)}, 60)
    perceives(bob.page, {ann.login: shown(ann.colour)}, 60)


UFRAG = "() => /a=ice-ufrag:(.+)/.exec(connections[0].localDescription.sdp)[1]"


@pytest.mark.timeout(240)
def test_a_cable_that_is_cut_for_ten_seconds(networks: Networks, two: tuple[Guest, Guest]) -> None:
    """Both are told that it is weak; then sound and picture go on, on the same connection and by themselves."""
    ann, bob = two
    networks.set("l", Quality(loss=1.0))
    cut_at = time.monotonic()
    for one, other in ((ann, bob), (bob, ann)):
        expect(tile(one, other).get_by_text("Weak connection")).to_be_visible(timeout=30_000)
    bob.page.wait_for_timeout(max(0.0, cut_at + CUT_S - time.monotonic()) * 1000)
    networks.set("l")
    both_perceive(ann, bob)
    for one, other in ((ann, bob), (bob, ann)):
        expect(tile(one, other).get_by_text("Weak connection")).to_have_count(0)
        expect(tile(one, other)).to_have_attribute("data-state", "connected")
        assert one.page.evaluate("connections.length") == 1


@pytest.mark.timeout(240)
def test_media_alone_is_cut_and_the_ice_of_the_connection_is_restarted(
    networks: Networks, two: tuple[Guest, Guest]
) -> None:
    """The server can be reached all the while, so the caller restarts ICE; once the way is free it is found.

    Rows: V31 (partly).
    """
    ann, bob = two
    both_perceive(ann, bob)
    before = [one.page.evaluate(UFRAG) for one in two]
    networks.set("l", Quality(udp_loss=1.0))
    expect(tile(bob, ann).get_by_text("Weak connection")).to_be_visible(timeout=30_000)
    for one, ufrag in zip(two, before, strict=True):
        until(one.page, f"(before) => ({UFRAG})() !== before", ufrag, within_s=40)
    networks.set("l")
    both_perceive(ann, bob)
    for one in two:
        assert one.page.evaluate("connections.length") == 1
