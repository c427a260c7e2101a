"""Very many messages: the page holds a window of them, however many there are and however fast they come."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Tab, long_history
from tests.support.server import ServerProcess
from tests.support.wire import newcomer

from .conftest import Person, befriend
from .test_talking import log, message

LENGTH = 20_000
WINDOW = 120
"""Rows that the page has at most, as talk/Timeline.svelte says."""
SCROLL = """async (log) => {
    let most = 0;
    for (let i = 0; i < 40; i++) {
        log.scrollTop -= 1500;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, log.querySelectorAll("li[data-id]").length);
    }
    return most;
}"""


def rows(page: Page) -> int:
    return log(page).locator("li[data-id]").count()


def test_a_long_conversation_is_scrolled_in_a_window(tab: Callable[..., Tab], server: ServerProcess) -> None:
    with newcomer(server.port, "alice") as wire, newcomer(server.port, "bob") as bob:
        befriend(bob, wire)
        alice = tab()
        long_history(alice, bob.address, LENGTH)
        page = alice.sign_in(wire.login)
        alice.talk_to(bob.login)
        newest = message(page, f"message {LENGTH} ")
        expect(newest).to_be_visible(timeout=60_000)
        assert rows(page) <= WINDOW
        assert log(page).evaluate(SCROLL) <= WINDOW
        expect(newest).to_have_count(0)
        page.get_by_role("button", name=re.compile("To the newest|unread")).click()
        expect(newest).to_be_in_viewport()


def test_a_flood_is_followed_and_nothing_of_it_is_lost(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        alice.tab.talk_to(bob.login)
        for number in range(2000):
            bob.send("MESSAGE", to=alice.login, text=f"flood {number:04}", cookie=f"f{number}")
        expect(message(page, "flood 1999")).to_be_in_viewport(timeout=60_000)
        assert rows(page) <= WINDOW
        expect(page).to_have_title(f"{bob.login} – Veche")
        texts = log(page).locator("li[data-id] .text").all_inner_texts()
        assert texts == [f"flood {number:04}" for number in range(2000 - len(texts), 2000)]


def test_who_reads_further_up_is_not_moved_by_what_arrives(
    person: Callable[..., Person], server: ServerProcess
) -> None:
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        alice.tab.talk_to(bob.login)
        for number in range(100):
            bob.say(alice.login, f"line {number:03}")
        expect(message(page, "line 099")).to_be_in_viewport()
        expect(page).to_have_title(f"{bob.login} – Veche")
        log(page).evaluate("(log) => { log.scrollTop -= 900 }")
        expect(page.get_by_role("button", name="To the newest")).to_be_visible()
        top = "(log) => [...log.querySelectorAll('li[data-id]')].find((row) => row.getBoundingClientRect().top > 200)"
        place = f"(log) => {{ const row = ({top})(log); return [row.innerText, row.getBoundingClientRect().top] }}"
        before = log(page).evaluate(place)
        for number in range(100):
            bob.say(alice.login, f"later {number:03}")
        expect(page.get_by_role("button", name="100 unread messages")).to_be_visible()
        text, top = log(page).evaluate(place)
        assert text == before[0]
        assert top == pytest.approx(before[1], abs=1)  # a page scrolls by whole pixels
