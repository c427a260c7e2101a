"""The security number: both ends of a connection show the same, whoever they are."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.guests import Guest, create, has_no_violations, join, open_menu
from tests.support.conferences import befriend
from tests.support.legs import LegProcess, wait_until
from tests.support.seen import sees
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer
from veche.core import security_number


def number_shown(guest: Guest, login: str) -> str:
    """The number that the tile of somebody leads to; the dialog is closed again."""
    open_menu(guest, login)
    guest.button("Compare the security number").click()
    dialog = guest.page.get_by_role("dialog", name=f"Security number with {login}")
    expect(dialog.locator(".number span")).to_have_count(8)
    has_no_violations(guest.page)
    text = " ".join(dialog.locator(".number").inner_text().split())
    guest.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    return text


def test_two_browsers_and_a_python_leg_compare_their_security_numbers(
    guests: Callable[[int], list[Guest]], server: ServerProcess
) -> None:
    """The same at both ends of each connection, another one for each connection, and that of the descriptions in use.

    Rows: A45 (partly).
    """
    ann, bob = guests(2)
    for one in (ann, bob):
        one.page.add_init_script(
            """window.connections = [];
            window.RTCPeerConnection = class extends RTCPeerConnection {
              constructor(...args) { super(...args); connections.push(this); }
            };"""
        )
        one.open("/")
        one.is_connected()
    with newcomer(server.port, "leg") as wire, Wire(server.port).connect(ann.login, device="befriending") as other:
        befriend(wire, other)
    create(ann, "Numbers")
    join(bob)
    for one, other in ((ann, bob), (bob, ann)):
        sees(one.page, other.login, other.colour)
    shown = number_shown(ann, bob.login)
    assert shown == number_shown(bob, ann.login)
    used = ann.page.evaluate(
        """async () => {
          const stats = [...(await connections[0].getStats()).values()];
          const { localCertificateId, remoteCertificateId } = stats.find(({ type }) => type === "transport");
          return [localCertificateId, remoteCertificateId].map((id) => stats.find((one) => one.id === id).fingerprint);
        }"""
    )
    assert shown == security_number.of(*used)

    leg = LegProcess(server, wire.login, 4, "Numbers", "--known", "--loopback")
    try:
        wait_until(lambda: leg.has_seen(ann.login, "red", "red") and leg.has_seen(bob.login, "green", "green"), [leg])
        numbers = [number_shown(one, wire.login) for one in (ann, bob)]
        assert numbers == [leg.number_with(one.login) for one in (ann, bob)]
        assert len({shown, *numbers}) == 3
    finally:
        leg.end()
