"""How fast the browser client is: prints what is measured with the built files and a real server.

    python3 -m tools.web_speed

- first load: bytes of scripts and styles with brotli and gzip; until the sign-in page can be used
- a conversation of 100,000 messages: from the click until the first unread message is drawn, where it opens; what
  scrolling adds to the page
- 1,000 messages a second into the open conversation: how far the page is behind at the end, and its longest task
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.support.browser import Tab, chromium, long_history
from tests.support.server import ServerProcess
from tests.support.wire import Wire
from veche.server import static

LENGTH = 100_000
RATE, SECONDS = 1000, 10
PASSWORD = "a password"
OPEN = """(name) => new Promise((resolve) => {
    const link = [...document.querySelectorAll("a[data-entry]")].find((one) => one.textContent.trim() === name);
    const started = performance.now();
    link.click();
    const look = () => {
        const rows = document.querySelectorAll("[role=log] li[data-id]");
        const isSeen = (row) => row.getBoundingClientRect().top < innerHeight && row.getBoundingClientRect().bottom > 0;
        if ([...rows].some(isSeen)) resolve(performance.now() - started);
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""
SCROLL = """async () => {
    const log = document.querySelector("[role=log]");
    let most = 0;
    for (let i = 0; i < 300; i++) {
        log.scrollTop += 500;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, document.querySelectorAll("*").length);
    }
    return most;
}"""


def main() -> int:
    first_load_bytes()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        server = ServerProcess(Path(folder) / "data", "--registration", "open").start()
        try:
            measure(browser, server.port)
        finally:
            server.stop()
    return 0


def measure(browser: Browser, port: int) -> None:
    with Wire(port) as alice, Wire(port) as bob, Wire(port) as carol:
        for wire, login in ((alice, "alice"), (bob, "bob"), (carol, "carol")):
            wire.register(login, PASSWORD)
            wire.connect(login, PASSWORD, device="wire")
        for friend in (bob, carol):
            friend.ask("FRIEND-REQUEST", login="alice")
            alice.ask("FRIEND-ANSWER", login=friend.login, accepted=True)
        url = f"http://127.0.0.1:{port}"
        until_usable(browser, url)
        long_conversation(browser, url)
        flood(browser, url, bob)


def first_load_bytes() -> None:
    page = (static.FOLDER / "index.html").read_text()
    named = re.findall(r'(?:src|href)="(/assets/[^"]+\.(?:js|css))"', page)
    for end in (".br", ".gz"):
        size = sum(sent(static.FOLDER / name[1:], end).stat().st_size for name in named)
        print(f"first load, {end[1:]}: {size / 1024:.1f} KiB in {len(named)} files")


def sent(file: Path, end: str) -> Path:
    """What is sent to a browser that takes this compression: tiny files are not compressed."""
    packed = Path(f"{file}{end}")
    return packed if packed.exists() else file


def until_usable(browser: Browser, url: str) -> None:
    times: list[float] = []
    for _ in range(3):
        tab = Tab(browser, url)
        tab.page.goto(url)
        tab.page.get_by_role("button", name="Sign in").wait_for()
        tab.page.wait_for_function("() => document.documentElement.dataset.state === 'connected'")
        times.append(tab.page.evaluate("() => performance.now()"))
        tab.close()
    print(f"until one can sign in: {sorted(times)[1]:.0f} ms (the middle of 3)")


def long_conversation(browser: Browser, url: str) -> None:
    tab = Tab(browser, url)
    long_history(tab, "carol@localhost", LENGTH)
    page = tab.sign_in("alice", PASSWORD)
    tab.talk_to("carol")
    page.locator(".person", has_text=f"message {LENGTH}").wait_for(timeout=60_000)
    times: list[float] = []
    for _ in range(3):
        page.goto(f"{url}/#/")
        page.wait_for_timeout(500)
        times.append(page.evaluate(OPEN, "carol"))
    print(f"open {LENGTH:,} messages: {sorted(times)[1]:.0f} ms (the middle of 3)")
    before = page.evaluate("() => document.querySelectorAll('*').length")
    most = page.evaluate(SCROLL)
    first = page.locator("[role=log] li[data-id]").first.get_attribute("data-id")
    print(
        f"elements in the page: {before} at first, {most} at most in 300 steps of 500 pixels, down to message {first}"
    )
    tab.close()


def flood(browser: Browser, url: str, bob: Wire) -> None:
    tab = Tab(browser, url)
    page = tab.sign_in("alice", PASSWORD)
    tab.talk_to("bob")
    browser.start_tracing(page=page, categories=["toplevel"])
    started, sent = time.monotonic(), 0
    while sent < RATE * SECONDS:
        due = min(int((time.monotonic() - started) * RATE), RATE * SECONDS)
        for number in range(sent, due):
            bob.send("MESSAGE", to="alice", text=f"flood {number} with a few more words", cookie=f"f{number}")
        sent = due
        while bob.has_line():
            bob.receive()
        time.sleep(0.005)
    took = time.monotonic() - started
    page.get_by_role("log").get_by_text(f"flood {RATE * SECONDS - 1} ").wait_for(timeout=60_000)
    behind = time.monotonic() - started - took
    wall, work = longest_task(browser.stop_tracing())
    print(f"{sent / took:,.0f} messages a second for {took:.0f} s: {behind:.1f} s behind at the end")
    print(f"longest task: {work:.0f} ms of work, {wall:.0f} ms with what else this machine did")
    tab.close()


def longest_task(trace: bytes) -> tuple[float, float]:
    """Of the page's main thread, in milliseconds: by the clock, and of work."""
    events: list[dict[str, Any]] = json.loads(trace)["traceEvents"]
    names = {(one["pid"], one["tid"]): one["args"]["name"] for one in events if one["name"] == "thread_name"}
    tasks = [one for one in events if names.get((one["pid"], one["tid"])) == "CrRendererMain" and "tdur" in one]
    return max(one["dur"] for one in tasks) / 1000, max(one["tdur"] for one in tasks) / 1000


if __name__ == "__main__":
    sys.exit(main())
