"""What others write into the fields that one sees: markup, control characters, endless words, other directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.server import ServerProcess
from tests.support.wire import newcomer

from .conftest import Person, befriend
from .test_talking import log, message

SCRIPT = "<script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"
HIDDEN = "a\u0007b\u202egnp.exe\u2066\u200f"
ARABIC = "שלום עולם مرحبا"
FIELDS = [SCRIPT, HIDDEN, ARABIC, "W" * 100, "{{7*7}}${7*7}", "' OR 1=1 --"]


@pytest.mark.parametrize("text", FIELDS, ids=["script", "hidden", "right to left", "long", "template", "sql"])
def test_names_notes_groups_and_texts_are_text(person: Callable[..., Person], server: ServerProcess, text: str) -> None:
    alice = person("alice", viewport={"width": 360, "height": 740})
    page = alice.page
    with newcomer(server.port, "mallory") as mallory:
        befriend(mallory, alice.wire)
        mallory.ask("PROFILE-UPDATE", name=text[:100], note=text)
        alice.wire.ask("CONTACTS-CHANGE", id=mallory.login, group=text[:100].replace("/", "|"), memo=text)
        mallory.say(alice.login, text)
        page.get_by_role("button", name="Groups").click()
        page.locator("a[data-entry]").click()
        expect(message(page, "mallory").or_(log(page).get_by_role("listitem")).last).to_be_visible()
        page.get_by_role("link", name="Details").click()
        expect(page.get_by_role("region", name="Details")).to_be_visible()
        page.get_by_role("link", name="Close").click()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360, "the page is wider than its window"
        assert page.evaluate("() => document.querySelectorAll('script:not([src]), #app img[src=x]').length") == 0
        assert page.title() != "broken"


def test_a_word_without_end_fits_and_folds(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice", viewport={"width": 360, "height": 740})
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        bob.say(alice.login, "W" * 16_000)
        alice.tab.talk_to(bob.login)
        expect(log(page).get_by_role("button", name="Show all")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
        page.get_by_role("textbox", name="Message").fill("y" * 30_000)
        expect(page.get_by_text("13,616 characters too long")).to_be_visible()
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        page.get_by_role("textbox", name="Message").fill("y" * 16_384)
        page.get_by_role("button", name="Send").click()
        expect(log(page).get_by_role("button", name="Show all")).to_have_count(2)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_each_text_runs_in_its_own_direction(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        bob.say(alice.login, ARABIC)
        bob.say(alice.login, "left to right")
        alice.tab.talk_to(bob.login)
        directions = [
            message(alice.page, text).locator("p").evaluate("(p) => getComputedStyle(p).direction")
            for text in (ARABIC, "left to right")
        ]
        assert directions == ["rtl", "ltr"]
