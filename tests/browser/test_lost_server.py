"""A connection that breaks, a server that is away, a second tab, a browser that keeps nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Tab, until
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

from .conftest import Person, befriend
from .test_people import entry
from .test_talking import IS_KEPT, log, message

POSTS_ARE_KEPT = """() => new Promise((resolve) => {
    const opening = indexedDB.open("veche");
    opening.onsuccess = () => {
        const asking = opening.result.transaction("conversations").objectStore("conversations").getAll();
        asking.onsuccess = () => (opening.result.close(), resolve(asking.result.some(({ posts }) => posts.length > 0)));
    };
})"""


@pytest.fixture
def alice(tab: Callable[..., Tab], own_server: ServerProcess) -> Tab:
    """In a conversation with bob, on a server of their own."""
    with Wire(own_server.port) as bob, Wire(own_server.port) as wire:
        for one, login in ((bob, "bob"), (wire, "alice")):
            one.register(login)
            one.connect(login)
        befriend(bob, wire)
        wire.send("MESSAGE-READ", id=bob.say("alice", "before")["id"])
        alice = tab(own_server.port)
        alice.sign_in("alice")
    alice.talk_to("bob")
    expect(message(alice.page, "before")).to_be_visible()
    return alice


def test_what_is_sent_while_the_server_is_away_arrives_once(alice: Tab, own_server: ServerProcess) -> None:
    """Rows: M19 (partly)."""
    page = alice.page
    own_server.kill()
    expect(page.locator("html")).to_have_attribute("data-state", "reconnecting")
    expect(page.get_by_text("No connection.")).to_be_visible()
    for number in range(3):
        alice.write(f"while away {number}")
    expect(message(page, "while away").get_by_role("img", name="Waiting to be sent")).to_have_count(3)
    until(page, IS_KEPT, ["outbox", 3])
    page.reload()
    own_server.start()
    page.get_by_role("button", name="Try now").or_(page.locator("html[data-state=connected]")).first.wait_for()
    alice.is_connected()
    expect(message(page, "while away").get_by_role("img", name="Sent")).to_have_count(3)
    with Wire(own_server.port).connect("bob", device="fresh") as bob:
        texts = [one["text"] for one in bob.ask("HISTORY-GET", peer="alice")["messages"]]
        assert texts == ["before", "while away 0", "while away 1", "while away 2"]


def test_a_server_killed_in_the_middle_of_sending_loses_and_doubles_nothing(
    alice: Tab, own_server: ServerProcess
) -> None:
    """Rows: M19 (partly), X15 (partly)."""
    for number in range(24):
        alice.write(f"text {number:02}")
        if number == 12:
            own_server.kill()
    own_server.start()
    alice.is_connected()
    expect(message(alice.page, "text").get_by_role("img", name="Sent")).to_have_count(24)
    with Wire(own_server.port).connect("bob", device="fresh") as bob:
        texts = [one["text"] for one in bob.ask("HISTORY-GET", peer="alice", limit=100)["messages"]]
        assert texts == ["before", *(f"text {number:02}" for number in range(24))]


def test_what_was_read_can_be_read_without_the_server(alice: Tab, own_server: ServerProcess) -> None:
    """Rows: A04 (partly), M37 (partly)."""
    page = alice.page
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    until(page, "() => caches.match('/').then((page) => page !== undefined)")
    until(page, POSTS_ARE_KEPT)
    own_server.kill()
    page.reload()
    expect(entry(page, "bob")).to_contain_text("before")
    expect(message(page, "before")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-state", "reconnecting")


def test_the_words_of_another_language_are_there_without_the_server(alice: Tab, own_server: ServerProcess) -> None:
    """Also when the page was loaded again since they were fetched.

    Rows: A04 (partly).
    """
    page = alice.page
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.goto(alice.url + "/#/settings")
    page.get_by_role("combobox").select_option("ru")
    heading = page.get_by_role("heading", name="Настройки")
    expect(heading).to_be_visible()
    for _ in range(2):
        page.reload()
        expect(heading).to_be_visible()
    until(page, "() => caches.match('/').then((page) => page !== undefined)")
    own_server.kill()
    session: Any = alice.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    page.reload()
    expect(heading).to_be_visible()


def test_the_client_can_be_installed(alice: Tab) -> None:
    """Rows: A04 (partly)."""
    page = alice.page
    manifest = page.evaluate("() => fetch(document.querySelector('link[rel=manifest]').href).then((it) => it.json())")
    assert manifest["display"] == "standalone"
    assert manifest["start_url"] == "/"
    for icon in manifest["icons"]:
        assert page.evaluate("(url) => fetch(url).then((it) => it.status)", icon["src"]) == 200, icon


def test_of_two_tabs_one_has_the_connection_and_the_other_can_take_it(alice: Tab) -> None:
    second = alice.context.new_page()
    second.goto(alice.url)
    expect(entry(second, "bob")).to_contain_text("before")
    expect(alice.page.get_by_role("heading", name="Veche is open in another tab")).to_be_visible()
    expect(alice.page.locator("html")).to_have_attribute("data-state", "offline")
    alice.page.get_by_role("button", name="Use it here").click()
    expect(message(alice.page, "before")).to_be_visible()
    expect(second.get_by_role("heading", name="Veche is open in another tab")).to_be_visible()


@pytest.mark.parametrize(
    "obstacle",
    [
        "delete window.indexedDB; Object.defineProperty(window, 'indexedDB', { value: undefined });",
        "IDBFactory.prototype.open = () => { throw new DOMException('', 'SecurityError'); };",
        "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError'); };",
    ],
    ids=["absent", "forbidden", "full"],
)
def test_without_a_store_all_works_until_the_tab_is_closed(
    person: Callable[..., Person], tab: Callable[..., Tab], server: ServerProcess, obstacle: str
) -> None:
    """Rows: M38."""
    forgetful = tab()
    forbidden = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException(); } });"
    forgetful.context.add_init_script(obstacle + forbidden)
    with newcomer(server.port, "alice") as wire, newcomer(server.port, "bob") as bob:
        befriend(bob, wire)
        forgetful.sign_in(wire.login)
        page: Page = forgetful.talk_to(bob.login)
        forgetful.write("I forget everything")
        expect(message(page, "I forget everything").get_by_role("img", name="Sent")).to_be_visible()
        bob.say(wire.login, "I do not")
        expect(log(page)).to_contain_text("I do not")
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_text("This browser keeps nothing for this page")).to_be_visible()
        page.get_by_role("radio", name="Dark").check()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_message_that_is_refused_says_why_and_can_be_dropped(
    person: Callable[..., Person], server: ServerProcess
) -> None:
    alice = person("alice")
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        alice.tab.talk_to(bob.login)
        bob.ask("ACCOUNT-DELETE", password="a password")
        alice.tab.write("Still there?")
        refused = log(alice.page).get_by_text("Not sent: There is no such user.")
        expect(refused).to_be_visible()
        alice.page.get_by_role("button", name="Try again").click()
        expect(refused).to_be_visible()
        alice.page.get_by_role("button", name="Discard").click()
        expect(refused).to_have_count(0)


def test_who_is_called_back_by_the_title_and_a_notification(
    person: Callable[..., Person], server: ServerProcess
) -> None:
    alice = person("alice")
    page = alice.page
    alice.tab.context.grant_permissions(["notifications"])
    page.evaluate(
        """() => {
            window.told = [];
            window.Notification = class extends EventTarget {
                static permission = "granted";
                static requestPermission = () => Promise.resolve("granted");
                constructor(title, options) { super(); told.push([title, options.body]); }
            };
            document.hasFocus = () => false;
            dispatchEvent(new Event("blur"));
        }"""
    )
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("switch", name="Notifications").click()
    expect(page.get_by_role("switch", name="Notifications")).to_be_checked()
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        bob.say(alice.login, "**Dinner** is ready")
        expect(page).to_have_title("(1) Veche")
        page.wait_for_function("() => told.length === 2")
        assert page.evaluate("() => told") == [
            [f"{bob.login} wants to be your friend", ""],
            [f"{bob.login} has written", "Dinner is ready"],
        ]


def test_the_page_says_when_the_network_is_gone(person: Callable[..., Person]) -> None:
    alice = person("alice")
    alice.tab.context.set_offline(True)
    alice.page.evaluate("() => dispatchEvent(new Event('offline'))")
    state = alice.page.locator("html")
    expect(state).to_have_attribute("data-state", re.compile("connected|offline"))
    alice.tab.context.set_offline(False)
    alice.tab.is_connected()
