"""Chromium of the system, driven by Playwright: one browser, a context for each person.

Nothing of it goes to the network: what browsers do in the background is switched off.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, WebSocketRoute, sync_playwright

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
NO_CHROMIUM = "needs Chromium: apt-get install chromium"
INSECURE_HOST = "insecure.test"
"""A name of this machine that is no secure context for a browser: over plain HTTP it has no cryptography."""
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
    f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1",
]


@contextmanager
def chromium() -> Generator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page of one person, in a context of their own: `tab.page`, and what went wrong in it.

    options: those of `Browser.new_context`.
    """

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.login = ""
        defaults: dict[str, Any] = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}
        self.context = browser.new_context(**defaults | options)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        watch(self.page, self.faults)

    def open(self, path: str = "/") -> Page:
        """Go to a page of the client and wait until it is there."""
        self.page.goto(self.url + path)
        self.page.locator("#app > *").first.wait_for()
        return self.page

    def sign_in(self, login: str, password: str = "a password") -> Page:
        """Sign in with login and password, and wait until all is there."""
        page = self.open()
        page.get_by_role("textbox", name="Login").fill(login)
        page.get_by_role("textbox", name="Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        self.login = login
        self.is_connected()
        page.get_by_role("navigation", name="Contacts").wait_for()
        return page

    def is_connected(self) -> None:
        """Wait until the page says so."""
        self.page.locator("html[data-state=connected]").wait_for(state="attached")

    def write(self, text: str) -> None:
        """Write a message in the open conversation and send it."""
        self.page.get_by_role("textbox", name="Message").fill(text)
        self.page.get_by_role("button", name="Send").click()

    def talk_to(self, name: str) -> Page:
        """Open the conversation with somebody."""
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("textbox", name="Message").wait_for()
        return self.page

    def close(self) -> None:
        self.context.close()


def until(page: Page, script: str, arg: object = None, within_s: float = 15) -> None:
    """Wait until a script, which may be asynchronous, gives true; `Page.wait_for_function` takes a promise for true."""
    deadline = time.monotonic() + within_s
    while not page.evaluate(script, arg):
        assert time.monotonic() < deadline, f"never true: {script}"
        page.wait_for_timeout(50)


def violations(page: Page) -> list[str]:
    """What keeps people out of a page, by axe-core: rule, element, what is wrong.

    Colours on their way from one to another are waited for.
    """
    page.evaluate(
        "() => Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition)"
        ".map((one) => one.finished.catch(() => {})))"
    )
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] }).then((it) => it.violations)")
    return [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def watch(page: Page, faults: list[str]) -> None:
    """Collect what the page complains about: exceptions, and what its policy (CSP) has refused."""
    page.on("pageerror", lambda error: faults.append(describe(error)))
    page.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)


def describe(error: Error) -> str:
    """An exception of a page with where it came from."""
    return f"{error.message}\n{error.stack or ''}"


def long_history(tab: Tab, peer: str, length: int) -> None:
    """Answer what the page asks of its history with `peer` by one page of so many messages, half of them its own.

    The rest of the link is that of the real server.
    """

    def between(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()
        me = ""

        def from_page(line: str | bytes) -> None:
            packet = json.loads(line)
            if packet["type"] == "HISTORY-GET":
                page_side.send(json.dumps(history(packet, me, peer, length)))
            else:
                server_side.send(line)

        def from_server(line: str | bytes) -> None:
            nonlocal me
            packet = json.loads(line)
            me = packet["login"] if packet["type"] == "CONNECT-OK" else me
            page_side.send(line)

        page_side.on_message(from_page)
        server_side.on_message(from_server)

    tab.page.route_web_socket("**/ws", between)


def history(asked: dict[str, Any], me: str, peer: str, length: int) -> dict[str, Any]:
    """HISTORY-GET-OK with all that there ever was, whatever part was asked for; a message a minute."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    messages = [
        {
            "id": number,
            "seq": number,
            "from": me if number % 2 else peer,
            "at": (start + timedelta(minutes=number)).isoformat().replace("+00:00", "Z"),
            "text": f"message {number} " + "and some words " * (number % 7),
        }
        for number in range(1, length + 1)
    ]
    return {"type": "HISTORY-GET-OK", "peer": peer, "tag": asked["tag"], "messages": messages}
