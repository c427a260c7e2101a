"""Very many messages: the page holds a window of them, however many there are and however fast they come."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Tab, long_history, until
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


def test_the_list_follows_what_grows_while_it_is_scrolled(person: Callable[..., Person], server: ServerProcess) -> None:
    """Scrolled to its end, and in the same frame there is less room for it: the scroll event finds it short of the end.

    So it is when a message arrives and a file card appears beside it.
    """
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        for number in range(40):
            bob.say(alice.login, f"message {number}")
        alice.tab.talk_to(bob.login)
        until(page, f"() => ({BELOW})() < 1")
        page.evaluate("""async () => {
            const frames = async () => {
                for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
            };
            const list = document.querySelector("[role=log]");
            list.scrollTop -= 20;
            await frames();
            await new Promise((resolve) => setTimeout(resolve)); // in a frame's own work it would be placed at once
            list.scrollTop += 20;
            document.querySelector(".write").style.paddingBottom = "200px";
            await frames();
        }""")
        assert page.evaluate(BELOW) < 1
        expect(page.get_by_role("button", name="To the newest")).to_have_count(0)
        id = bob.say(alice.login, "one more")["id"]
        expect(log(page).get_by_text("one more")).to_be_in_viewport()
        while bob.until("MESSAGE-READ")[-1]["id"] < id:
            pass
        # who scrolls up stays there
        page.evaluate("() => { document.querySelector('[role=log]').scrollTop -= 300 }")
        expect(page.get_by_role("button", name="To the newest")).to_be_visible()
        bob.say(alice.login, "out of sight")
        page.get_by_role("button", name="1 unread message").wait_for()
        expect(log(page).get_by_text("one more")).not_to_be_in_viewport()


def test_what_arrives_is_there_below_although_the_beginning_is_near_too(
    person: Callable[..., Person], server: ServerProcess
) -> None:
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        id = 0
        for number in range(25):
            id = bob.say(alice.login, f"message {number}")["id"]
        alice.tab.talk_to(bob.login)
        while bob.until("MESSAGE-READ")[-1]["id"] < id:
            pass
        page.evaluate("() => { document.querySelector('[role=log]').scrollTop -= 150 }")
        expect(page.get_by_role("button", name="To the newest")).to_be_visible()
        assert page.evaluate("() => document.querySelector('[role=log]').scrollHeight") < 1400
        bob.say(alice.login, "one more")
        expect(log(page).get_by_text("one more")).to_have_count(1)
        page.evaluate("() => { document.querySelector('[role=log]').scrollTop += 1000 }")
        expect(log(page).get_by_text("one more")).to_be_in_viewport()
        expect(page.locator(".newest")).to_have_count(0)
        bob.say(alice.login, "and followed")
        expect(log(page).get_by_text("and followed")).to_be_in_viewport()


BELOW = """() => {
    const list = document.querySelector("[role=log]");
    return list.scrollHeight - list.scrollTop - list.clientHeight;
}"""
