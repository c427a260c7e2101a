"""Every page in every look: no violation that axe-core finds, nothing wider than its window; and in three languages."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Tab, violations
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer
from veche.server import static

from .conftest import Person, befriend

LOOKS = [(width, scheme) for width in (360, 1440) for scheme in ("light", "dark")]
FIRST_LOAD_BYTES = 120 * 1024


def check(page: Page, width: int, name: str) -> None:
    assert violations(page) == [], name
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width, name


@pytest.fixture
def company(server: ServerProcess) -> Callable[[Wire], list[Wire]]:
    """Gives somebody a friend with some talk, a friend request, and a stranger's message."""

    def make(alice: Wire) -> list[Wire]:
        bob, carol, mallory = (newcomer(server.port, name) for name in ("bob", "carol", "mallory"))
        befriend(bob, alice)
        alice.ask("CONTACTS-CHANGE", id=bob.login, group="work/tea")
        bob.ask("PROFILE-UPDATE", note="on vacation")
        first = bob.say(alice.login, "**Strong** words and [a page](https://example.org)\n- with\n- a list\n> quoted")
        alice.say(bob.login, "An answer with `code`", reply_to=first["id"])
        alice.ask("REACT", id=first["id"], emoji="👍")
        bob.say(alice.login, "```\nsome code\n```")
        carol.ask("FRIEND-REQUEST", login=alice.login)
        mallory.say(alice.login, "Hello")
        return [bob, carol, mallory]

    return make


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_no_page_keeps_anybody_out(
    tab: Callable[..., Tab],
    person: Callable[..., Person],
    company: Callable[[Wire], list[Wire]],
    width: int,
    scheme: str,
) -> None:
    """Rows: A04 (partly), A53 (partly)."""
    look = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "reduced_motion": "reduce"}
    blank = tab(**look)
    for path in ("/", "/invite/1a2b-3c4d#sha256=" + "5e" * 32, "/setup"):
        page = blank.open(path)
        blank.is_connected()
        check(page, width, path)

    alice = person("alice", **look)
    page = alice.page
    check(page, width, "an empty list")
    wires = company(alice.wire)
    bob = wires[0].login
    page.get_by_role("button", name="Accept").wait_for()
    check(page, width, "the list")
    page.get_by_role("button", name="Groups").click()
    check(page, width, "groups")
    page.get_by_role("button", name="Add friend").click()
    check(page, width, "add a friend")
    page.get_by_role("button", name="Close").click()
    alice.tab.talk_to(bob)
    page.get_by_role("log").get_by_text("some code").wait_for()
    check(page, width, "a conversation")
    page.get_by_role("log").get_by_text("Strong", exact=True).hover()
    page.get_by_role("button", name="React").click()
    check(page, width, "reactions")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Details").click()
    page.get_by_label("My notes").wait_for()
    check(page, width, "details")
    page.get_by_role("link", name="Close").click()
    page.get_by_role("link", name="Search in this conversation").click()
    page.get_by_role("searchbox", name="Search in this conversation").fill("answer")
    page.get_by_text("1 found").wait_for()
    check(page, width, "search")
    for path, text in (("#/profile", "Choose a picture"), ("#/settings", "this device")):
        page.evaluate("(path) => { location.hash = path }", path)
        page.get_by_text(text).wait_for()
        check(page, width, path)
    for wire in wires:
        wire.close()


@pytest.mark.parametrize(
    ("locale", "button", "title"),
    [("en-US", "Sign in", "Sign in to"), ("ru-RU", "Войти", "Вход на"), ("fr-CA", "Se connecter", "Connexion à")],
)
def test_the_words_are_those_of_the_browser_and_can_be_changed(
    tab: Callable[..., Tab], locale: str, button: str, title: str
) -> None:
    page = tab(locale=locale).open()
    expect(page.locator("html")).to_have_attribute("lang", locale[:2])
    expect(page.get_by_role("button", name=button)).to_be_visible()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    page.get_by_role("combobox").select_option("fr")
    expect(page.get_by_role("button", name="Se connecter")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Se connecter")).to_be_visible()


def test_numbers_take_the_form_that_their_language_wants(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        for _ in range(3):
            bob.say(alice.login, "tick")
        page.get_by_role("link", name="Settings").click()
        page.get_by_role("combobox").select_option("ru")
        entry = page.get_by_role("link", name=bob.login)
        expect(entry).to_have_accessible_description(re.compile("3 непрочитанных сообщения"))
        for _ in range(2):
            bob.say(alice.login, "tick")
        expect(entry).to_have_accessible_description(re.compile("5 непрочитанных сообщений"))
        page.get_by_role("combobox").select_option("fr")
        expect(entry).to_have_accessible_description(re.compile("5 messages non lus"))


def test_the_theme_is_that_of_the_system_until_one_chooses(person: Callable[..., Person]) -> None:
    page = person("alice", color_scheme="dark").page
    ground = "() => getComputedStyle(document.querySelector('.sidebar')).backgroundColor"
    dark = page.evaluate(ground)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    assert dark != light
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("radio", name="Dark").check()
    assert page.evaluate(ground) == dark
    page.reload()
    page.get_by_role("navigation", name="Contacts").wait_for()
    assert page.evaluate(ground) == dark


def test_the_first_load_is_small() -> None:
    page = (static.FOLDER / "index.html").read_text()
    named = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css))"', page)
    packed = sum(len(gzip.compress((static.FOLDER / name[1:]).read_bytes(), 9)) for name in named)
    assert len(named) >= 2
    assert packed < FIRST_LOAD_BYTES, f"{packed} bytes with gzip"
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", page), "inline or foreign"
