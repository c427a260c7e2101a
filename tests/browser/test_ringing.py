"""Being called while one is in a call: told as busy, or ringing, as the person has settled it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.support.browser import until
from tests.support.server import ServerProcess
from tests.support.wire import newcomer

from .conftest import Person, befriend

COUNT_BELLS = """() => {
  window.bells = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) { window.bells++; return start.apply(this, at); };
}"""


def test_who_is_in_a_call_is_busy_unless_they_want_it_to_ring(
    person: Callable[..., Person], server: ServerProcess
) -> None:
    """Rows: V32 (partly)."""
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob, newcomer(server.port, "carl") as carl:
        for friend in (bob, carl):
            befriend(friend, alice.wire)
        created = bob.ask("CONFERENCE-CREATE", name="Tea", media="audio")
        page.get_by_role("button", name="Join", exact=True).first.click()
        page.locator("figure").nth(1).wait_for()
        page.evaluate(COUNT_BELLS)
        ringing = page.get_by_role("alertdialog", name=f"{carl.login} is calling")

        carl.send("CALL", status="initiate", users=[alice.login], media="audio")
        assert carl.until("CALL")[-1]["status"] == "occupied"
        expect(ringing).to_have_count(0)
        assert page.evaluate("bells") == 0
        page.evaluate("location.hash = '#/settings'")
        switch = page.get_by_role("switch", name="Let calls ring while I am in another call")
        expect(switch).not_to_be_checked()
        switch.check()
        carl.send("CALL", status="initiate", users=[alice.login], media="audio")
        expect(ringing).to_be_visible()
        until(page, "() => bells > 0")
        ringing.get_by_role("button", name="Decline").click()
        assert carl.until("CALL")[-1]["status"] == "abort"
        page.reload()
        expect(switch).to_be_checked()
        bob.ask("CONFERENCE-END", id=created["conference"]["id"])
