"""The security number: both ends of a connection show the same, whoever they are."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.guests import Guest, create, has_no_violations, join, keep_connections, number_shown, open_menu
from tests.support.conferences import befriend
from tests.support.legs import LegProcess, wait_until
from tests.support.seen import sees
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer
from veche.core import security_number


def test_two_browsers_and_a_python_leg_compare_their_security_numbers(
    guests: Callable[[int], list[Guest]], server: ServerProcess
) -> None:
    """The same at both ends of each connection, another one for each connection, and that of the descriptions in use.

    Rows: A45 (partly).
    """
    ann, bob = guests(2)
    keep_connections(ann, bob)
    with newcomer(server.port, "leg") as wire, Wire(server.port).connect(ann.login, device="befriending") as other:
        befriend(wire, other)
    create(ann, "Numbers")
    join(bob)
    for one, other in ((ann, bob), (bob, ann)):
        sees(one.page, other.login, other.colour)
    open_menu(ann, bob)
    ann.button("Compare the security number").click()
    has_no_violations(ann.page)
    ann.page.keyboard.press("Escape")
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
