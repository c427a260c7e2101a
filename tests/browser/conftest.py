"""People with browsers: `person("alice")` is a fresh account, signed in, in a browser context of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.guests import browsers, guests
from tests.support.browser import CHROMIUM, NO_CHROMIUM, Tab, chromium
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer
from veche.server import static

__all__ = ["browsers", "guests"]

expect.set_options(10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if CHROMIUM is None and "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all of these tests, and no longer: while it runs, no other asyncio loop may."""
    assert static.PAGE in static.asset_table(), "The browser client is not built: python3 dev.py build"
    with chromium() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser, server: ServerProcess) -> Iterator[Callable[..., Tab]]:
    """Opens browsers that know nothing yet; at the end none of them may have complained."""
    tabs: list[Tab] = []

    def open_tab(port: int = server.port, **options: object) -> Tab:
        tabs.append(Tab(browser, f"http://127.0.0.1:{port}", **options))
        tabs[-1].context.set_default_timeout(15_000)
        return tabs[-1]

    yield open_tab
    faults = [fault for one in tabs for fault in one.faults]
    for one in tabs:
        one.close()
    assert faults == []


class Person:
    """Somebody with a browser, and with a bare link besides."""

    def __init__(self, tab: Tab, wire: Wire) -> None:
        self.tab = tab
        self.wire = wire
        self.login = wire.login
        self.page = tab.page


@pytest.fixture
def person(tab: Callable[..., Tab], server: ServerProcess) -> Iterator[Callable[..., Person]]:
    """Makes accounts and signs them in."""
    wires: list[Wire] = []

    def make(name: str, **options: object) -> Person:
        wires.append(newcomer(server.port, name))
        made = tab(**options)
        made.sign_in(wires[-1].login)
        return Person(made, wires[-1])

    yield make
    for wire in wires:
        wire.close()


def befriend(one: Wire, other: Wire) -> None:
    """Make two people friends."""
    one.ask("FRIEND-REQUEST", login=other.login)
    answer = other.ask("FRIEND-ANSWER", login=one.login, accepted=True)
    assert answer["type"] == "FRIEND-ANSWER-OK", answer
