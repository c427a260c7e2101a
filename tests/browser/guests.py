"""Friends with browsers of their own: each with a colour and a tone, in contexts of three Chromium processes.

`guests(2)` signs two friends in.  Source of what they see and hear: tests/support/seen.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import Tab, violations, watch
from tests.support.conferences import befriend
from tests.support.seen import launch, perceives, shown
from tests.support.server import ServerProcess
from tests.support.wire import newcomer

COLOURS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def browsers(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Browser]]:
    """A browser process for each colour."""
    folder = tmp_path_factory.mktemp("devices")
    made = {colour: launch(browser.browser_type, folder, colour) for colour in COLOURS}
    yield made
    for one in made.values():
        one.close()


class Guest(Tab):
    """Somebody with a browser of their colour."""

    colour: str

    def anew(self) -> None:
        """Another page in the same browser, after the first one has died."""
        self.page = self.context.new_page()
        watch(self.page, self.faults)
        self.open("/")
        self.is_connected()

    def kill(self, word: str) -> int:
        """Kill the processes of their browser with this word in the command, as the kernel may; how many there were."""
        assert self.context.browser is not None
        session: Any = self.context.browser.new_browser_cdp_session()
        ids: list[int] = [one["id"] for one in session.send("SystemInfo.getProcessInfo")["processInfo"]]
        found = [id for id in ids if word in Path(f"/proc/{id}/cmdline").read_text()]
        for id in found:
            os.kill(id, signal.SIGKILL)
        return len(found)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)


@pytest.fixture
def guests(browsers: dict[str, Browser], server: ServerProcess) -> Iterator[Callable[[int], list[Guest]]]:
    """So many friends, signed in; `is_star`: of the first one, and not of each other.  No page may have complained."""
    made: list[Guest] = []

    def make(count: int, port: int = server.port, *, is_star: bool = False) -> list[Guest]:
        wires = [newcomer(port, name) for name in ("ann", "bob", "cleo")[:count]]
        for index, one in enumerate(wires):
            for other in wires[: 1 if is_star else index] if index else ():
                befriend(one, other)
        for colour, wire in zip(COLOURS, wires, strict=False):
            guest = Guest(browsers[colour], f"http://127.0.0.1:{port}")
            guest.colour = colour
            guest.context.set_default_timeout(15_000)
            guest.sign_in(wire.login)
            made.append(guest)
            wire.close()
        return made

    yield make
    faults = [fault for one in made for fault in one.faults]
    for one in made:
        one.close()
    assert faults == []


def create(guest: Guest, name: str) -> None:
    guest.button("Create conference").click()
    guest.page.get_by_role("textbox", name="Name of the conference").fill(name)
    guest.button("Create").click()
    guest.button("Leave").wait_for()


def join(guest: Guest) -> None:
    guest.button("Join").first.click()
    guest.button("Leave").wait_for()


def all_see_all(guests: Sequence[Guest]) -> None:
    """Each sees the colour and hears the tone of each other."""
    for one in guests:
        perceives(one.page, {other.login: shown(other.colour) for other in guests if other is not one})


def has_no_violations(page: Page) -> None:
    faults = violations(page)
    assert faults == [], faults


def number_shown(guest: Guest, login: str) -> str:
    """The security number that the tile of somebody leads to; its dialog is closed again."""
    open_menu(guest, login)
    guest.button("Compare the security number").click()
    dialog = guest.page.get_by_role("dialog", name=f"Security number with {login}")
    expect(dialog.locator(".number span")).to_have_count(8)
    text = " ".join(dialog.locator(".number").inner_text().split())
    guest.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    return text


def keep_connections(*guests: Guest) -> None:
    """Open their pages anew, with all RTCPeerConnections that they will make in `connections`."""
    for one in guests:
        one.page.add_init_script(
            """window.connections = [];
            window.RTCPeerConnection = class extends RTCPeerConnection {
              constructor(...args) { super(...args); connections.push(this); }
            };"""
        )
        one.open("/")
        one.is_connected()


def tile(guest: Guest, other: Guest | str) -> Locator:
    """The tile of somebody, by whom they are or by their login."""
    login = other if isinstance(other, str) else other.login
    return guest.page.locator(f'figure[data-leg^="{login}@"]')


def open_menu(guest: Guest, other: Guest | str) -> None:
    """The menu of somebody's tile."""
    tile(guest, other).get_by_role("button", name="Actions for").click()
