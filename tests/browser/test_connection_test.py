"""`Test my connection`: what it finds out with a real TURN server and without one, and what it says that means."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import CHROMIUM, FLAGS, Tab, violations
from tests.support.seen import launch
from tests.support.server import ServerProcess
from tests.support.turn import SECRET, coturn, free_port
from tests.support.wire import newcomer

LOOPBACK = [
    *FLAGS,
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
LONG_MS = 90_000


class Visitor(Tab):
    """Somebody who tests their connection."""

    def begin(self) -> Page:
        self.page.goto(f"{self.url}/#/connection")
        self.page.get_by_role("button", name="Begin the test").click()
        return self.page

    @property
    def verdict(self) -> Locator:
        return self.page.locator("[data-verdict]")

    def step(self, name: str) -> Locator:
        return self.page.get_by_role("listitem").filter(has_text=name)

    def found(self, name: str, state: str, text: str) -> None:
        """A step has ended so, with this sentence."""
        expect(self.step(name)).to_have_attribute("data-state", state, timeout=LONG_MS)
        expect(self.step(name)).to_contain_text(text)


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Signs somebody in, in a browser of their own; at the end their page may not have complained."""
    made: list[tuple[Visitor, Browser]] = []

    def make(port: int, *flags: str, with_devices: Path | None = None, **options: object) -> Visitor:
        if with_devices is not None:
            own = launch(browser.browser_type, with_devices, "red", *flags)
        else:
            own = browser.browser_type.launch(executable_path=CHROMIUM, args=[*LOOPBACK, *flags])
        one = Visitor(own, f"http://127.0.0.1:{port}", **options)
        made.append((one, own))
        with newcomer(port, "ann") as wire:
            one.sign_in(wire.login)
        return one

    yield make
    for one, own in made:
        own.close()
        assert one.faults == []


@contextmanager
def home(folder: Path, *flags: str) -> Generator[ServerProcess]:
    server = ServerProcess(folder / "data", "--registration", "open", *flags).start()
    try:
        yield server
    finally:
        server.stop()


def check(page: Page) -> None:
    """Nothing keeps anybody out, and nothing is wider than the page."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_with_a_relay_every_path_is_tried_by_itself(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    """Camera and microphone, STUN, the relay by UDP, TCP and TLS; the report.

    Rows: A04 (partly).
    """
    tls = free_port()
    with coturn(tmp_path, tls_port=tls) as turn:
        urls = [
            f"turn:127.0.0.1:{turn}?transport=udp",
            f"turn:127.0.0.1:{turn}?transport=tcp",
            f"turns:127.0.0.1:{tls}?transport=tcp",
        ]
        names = ("--stun", f"stun:127.0.0.1:{turn}", "--turn", ",".join(urls), "--turn-secret", SECRET)
        with home(tmp_path, *names) as server:
            ann = visitor(server.port, with_devices=tmp_path)
            page = ann.begin()
            ann.found("The server", "ok", "It answers, and names 4 STUN and TURN servers.")
            ann.found("Camera", "ok", "It works.")
            ann.found("Microphone", "ok", "It works.")
            ann.found("Addresses of this device", "ok", "This device offers")
            ann.found("A direct connection", "ok", "reach each other by UDP")
            ann.found("How the world sees", "ok", "It sees this device at")
            ann.found("The relay over UDP", "ok", "It relays by 127.0.0.1, there and back.")
            ann.found("The relay over TCP", "ok", "It relays by 127.0.0.1, there and back.")
            ann.found("The relay over TLS", "failed", "its certificate is not one that browsers trust")
            for name in ("The server", "A direct connection", "The relay over UDP", "The relay over TCP"):
                expect(ann.step(name)).to_contain_text(" ms")
            expect(ann.verdict).to_have_attribute("data-verdict", "both")
            expect(ann.verdict).to_contain_text("Calls work directly, and through the relay")
            check(page)
            ann.context.grant_permissions(["clipboard-read", "clipboard-write"])
            page.get_by_role("button", name="Copy report").click()
            page.get_by_text("The report is copied.").wait_for()
            report = page.evaluate("navigator.clipboard.readText()")
            assert f"works: The relay over TCP · {urls[1]} · " in report
            assert f"does not work: The relay over TLS · {urls[2]} · It gives no place" in report
            assert "Calls work directly" in report


def test_a_relay_that_refuses_is_none(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    """The secrets differ; and an address is no address."""
    with coturn(tmp_path) as turn:
        named = ("--stun", f"stun:127.0.0.1:{turn}", "--turn", f"turn:127.0.0.1:{turn}", "--turn-secret", "another")
        with home(tmp_path, *named) as server:
            ann = visitor(server.port)
            ann.begin()
            ann.found("The relay over UDP", "failed", "It refuses (401)")
            ann.found("Camera", "failed", "")
            expect(ann.verdict).to_have_attribute("data-verdict", "direct")
            expect(ann.verdict).to_contain_text("as no relay works. Give the report to the administrator")


def test_where_no_direct_path_goes_out_the_relay_carries_calls(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    """The browser lets no UDP out; and trusts the certificate of the relay."""
    tls = free_port()
    with coturn(tmp_path, tls_port=tls) as turn:
        relay = f"turn:127.0.0.1:{turn}?transport"
        urls = f"{relay}=udp,{relay}=tcp,turns:127.0.0.1:{tls}?transport=tcp"
        named = ("--stun", f"stun:127.0.0.1:{turn}", "--turn", urls, "--turn-secret", SECRET)
        with home(tmp_path, *named) as server:
            flags = ("--webrtc-ip-handling-policy=disable_non_proxied_udp", "--ignore-certificate-errors")
            ann = visitor(server.port, *flags)
            ann.begin()
            ann.found("A direct connection", "failed", "something forbids UDP here")
            ann.found("How the world sees", "failed", "a firewall lets no UDP through")
            ann.found("The relay over UDP", "failed", "a firewall is between")
            ann.found("The relay over TCP", "ok", "It relays by 127.0.0.1, there and back.")
            ann.found("The relay over TLS", "ok", "It relays by 127.0.0.1, there and back.")
            expect(ann.verdict).to_have_attribute("data-verdict", "relay")
            expect(ann.verdict).to_contain_text("Calls work through the relay only.")


def test_without_a_relay_and_stun_calls_stay_in_ones_network(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    """It is found from the settings and from the lobby of a conference; and the server goes away."""
    with home(tmp_path) as server:
        ann = visitor(server.port, permissions=[])
        page = ann.page
        page.goto(f"{ann.url}/#/join/nothing")
        page.get_by_role("link", name="Test my connection").click()
        page.get_by_role("heading", name="Test my connection").wait_for()
        page.goto(f"{ann.url}/#/settings")
        page.get_by_role("link", name="Test my connection").click()
        page.get_by_role("button", name="Begin the test").click()
        ann.found("The server", "ok", "It names no STUN and no TURN server.")
        ann.found("A direct connection", "ok", "reach each other by UDP")
        expect(ann.verdict).to_have_attribute("data-verdict", "near")
        expect(ann.verdict).to_contain_text("Ask its administrator to name them with --stun and --turn")
        server.kill()
        page.locator("html[data-state=reconnecting]").wait_for(state="attached")
        page.get_by_role("button", name="Test again").click()
        ann.found("The server", "failed", "It does not answer.")
        expect(ann.verdict).to_have_attribute("data-verdict", "no-server")


def test_a_silent_server_is_told_from_one_that_answers(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    with home(tmp_path, "--stun", f"stun:127.0.0.1:{free_port()}") as server:
        ann = visitor(server.port)
        ann.begin()
        ann.found("How the world sees", "failed", "It does not answer.")
        expect(ann.verdict).to_have_attribute("data-verdict", "near")


@pytest.mark.parametrize(("language", "scheme"), [("ru", "dark"), ("fr", "light"), ("en", "dark")])
def test_the_test_keeps_nobody_out(visitor: Callable[..., Visitor], tmp_path: Path, language: str, scheme: str) -> None:
    """At 360 pixels.  Rows: A04 (partly)."""
    with coturn(tmp_path) as turn:
        urls = f"turn:127.0.0.1:{turn}?transport=udp,turn:localhost:{free_port()}?transport=tcp"
        named = ("--stun", f"stun:127.0.0.1:{turn}", "--turn", urls, "--turn-secret", SECRET)
        with home(tmp_path, *named) as server:
            ann = visitor(server.port, viewport={"width": 360, "height": 740}, color_scheme=scheme)
            page = ann.page
            page.evaluate("(it) => localStorage.setItem('veche-settings', JSON.stringify({ language: it }))", language)
            page.goto(f"{ann.url}/#/connection")
            page.reload()
            button = page.locator(".buttons button").first
            button.wait_for()
            check(page)
            button.click()
            expect(ann.verdict).to_be_visible(timeout=LONG_MS)
            check(page)
