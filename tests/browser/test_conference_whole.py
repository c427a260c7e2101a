"""The whole of it: three pages and a Python leg, and what each of them sees and hears of each other, all along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import pytest
from playwright.sync_api import expect

from tests.browser.guests import Guest, create, join, keep_connections, number_shown, tile
from tests.support.conferences import befriend
from tests.support.legs import LegProcess, wait_until
from tests.support.seen import Shown, perceives, sees, shown
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer


def all_perceive(pages: Sequence[Guest], leg: LegProcess) -> None:
    """Colours and tones of everybody at everybody, from now on."""
    leg.forget()
    of_leg = {leg.login: Shown(*leg.pattern)}
    for one in pages:
        perceives(one.page, of_leg | {other.login: shown(other.colour) for other in pages if other is not one})
    for one in pages:
        wanted = shown(one.colour)
        wait_until(
            lambda who=f"{one.login}@", wanted=wanted: (
                leg.has_seen(who, wanted.left, wanted.right) and leg.has_heard(who, wanted.hertz)
            ),
            [leg],
        )


def made(guest: Guest) -> int:
    """How many connections a page has made."""
    return guest.page.evaluate("connections.length")


SMALL_SCREEN = """const ask = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getDisplayMedia = () => ask({ video: { width: 320, height: 180, frameRate: 10 } });"""
"""So that a Python leg on a busy machine can follow it."""


@pytest.mark.timeout(300)
def test_three_pages_and_a_python_leg_through_joins_drops_reinvitations_and_screens(
    guests: Callable[[int], list[Guest]], server: ServerProcess
) -> None:
    """Four senders, each with colours and a tone of its own, are told apart by pixels and tones at every receiver.

    They come in one by one; each pair has keys of its own; the leg is killed and comes again; somebody leaves,
    declines, is called again by one who is no owner, while all are told, and only connections with them are made anew;
    the owner shares a screen; all ends.

    Rows: A45, A51 (partly), A63, A70, V24 (partly), V26 (partly), V29, V30, V31, V34.
    """
    ann, bob, cleo = pages = guests(3)
    ann.page.add_init_script(SMALL_SCREEN)
    keep_connections(*pages)
    with newcomer(server.port, "leg") as wire:
        login = wire.login
        for one in pages:
            with Wire(server.port).connect(one.login, device="befriending") as other:
                befriend(wire, other)

    # joins
    create(ann, "Whole")
    join(bob)
    sees(ann.page, bob.login, "green")
    join(cleo)
    leg = LegProcess(server, login, 4, "Whole", "--known", "--loopback")
    try:
        all_perceive(pages, leg)
        numbers = {
            frozenset((one.login, other)): number_shown(one, other)
            for one, other in [*((a, b.login) for a, b in combinations(pages, 2)), *((one, login) for one in pages)]
        }
        assert len(set(numbers.values())) == 6
        for one, other in combinations(pages, 2):
            assert number_shown(other, one.login) == numbers[frozenset((one.login, other.login))]
        for one in pages:
            assert leg.number_with(f"{one.login}@") == numbers[frozenset((one.login, login))]

        # a drop
        leg.end()
        for one in pages:
            expect(tile(one, login).get_by_text("Lost the server")).to_be_attached()
        leg = LegProcess(server, login, 4, "Whole", "--known", "--loopback")
        all_perceive(pages, leg)

        # a re-invitation
        bob.button("Leave").click()
        for one in (ann, cleo):
            expect(tile(one, bob)).to_have_count(0)
        before = [made(ann), made(cleo)]
        card = bob.page.get_by_role("alertdialog", name=f"{cleo.login} is calling")
        cleo.button("Invite people").click()
        cleo.page.get_by_role("button", name=f"Call: {bob.login}").click()
        card.get_by_role("button", name="Decline").click()
        expect(cleo.page.get_by_role("dialog").get_by_text("declined")).to_be_visible()
        cleo.page.get_by_role("button", name=f"Call again: {bob.login}").click()
        for one in (ann, cleo):
            expect(one.page.get_by_text(f"Calling {bob.login}")).to_be_visible()
        card.wait_for()
        assert [made(ann), made(cleo)] == before  # nobody calls who has not accepted
        cleo.page.keyboard.press("Escape")
        card.get_by_role("button", name="Accept").click()
        all_perceive(pages, leg)
        assert [made(ann), made(cleo)] == [count + 1 for count in before]

        # a screen
        ann.button("Share screen").click()
        leg.forget()
        for one in (bob, cleo):
            sees(one.page, ann.login, "green")  # as the screen of such a browser is
            expect(tile(one, ann).get_by_text("Shares the screen")).to_be_attached()
        wait_until(lambda: leg.has_seen(f"{ann.login}@", "green", "green"), [leg])
        ann.button("Stop sharing").click()
        all_perceive(pages, leg)

        # the end
        ann.button("End for all").click()
        for one in (bob, cleo):
            expect(one.page.get_by_role("status").get_by_text("“Whole” is over")).to_be_visible()
        for one in pages:
            expect(one.page.locator("figure")).to_have_count(0)
        assert leg.process.wait(20) == 0
    finally:
        leg.end()
