"""A conversation in two browsers: writing, marks, changes, reactions, search, drafts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import until
from tests.support.server import ServerProcess
from tests.support.wire import newcomer

from .conftest import Person, befriend
from .test_people import entry


@pytest.fixture
def friends(person: Callable[..., Person]) -> tuple[Person, Person]:
    """Alice and bob, each with the conversation open."""
    alice, bob = person("alice"), person("bob")
    befriend(alice.wire, bob.wire)
    alice.tab.talk_to(bob.login)
    bob.tab.talk_to(alice.login)
    return alice, bob


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def message(page: Page, text: str) -> Locator:
    """The message that holds this text."""
    return log(page).get_by_role("listitem").filter(has_text=text)


def act(page: Page, text: str, name: str) -> None:
    """Do something with a message, by the mouse."""
    message(page, text).hover()
    message(page, text).get_by_role("button", name=name, exact=True).click()


def test_a_message_goes_there_and_its_marks_come_back(friends: tuple[Person, Person]) -> None:
    """Rows: M16 (partly), M18 (partly)."""
    alice, bob = friends
    alice.page.get_by_role("textbox", name="Message").press_sequentially("Hello, Bob!")
    expect(bob.page.get_by_text("is writing…").first).to_be_visible()
    alice.page.keyboard.press("Enter")
    expect(message(bob.page, "Hello, Bob!")).to_be_visible()
    expect(bob.page.get_by_text("is writing…")).to_have_count(0)
    expect(message(alice.page, "Hello, Bob!").get_by_role("img", name="Read")).to_be_visible()
    expect(log(alice.page)).to_contain_text("Today")


def test_delivered_is_not_read_until_somebody_looks(person: Callable[..., Person], server: ServerProcess) -> None:
    alice, bob = person("alice"), person("bob")
    befriend(alice.wire, bob.wire)
    alice.tab.talk_to(bob.login)
    alice.tab.write("Are you there?")
    mark = message(alice.page, "Are you there?").get_by_role("img")
    expect(mark).to_have_accessible_name("Delivered")
    expect(entry(bob.page, alice.login)).to_contain_text("Are you there?")
    link = bob.page.get_by_role("link", name=alice.login, exact=True)
    expect(link).to_have_accessible_description(re.compile("online Are you there\\? 1 unread message"))
    expect(bob.page).to_have_title("(1) Veche")
    bob.tab.talk_to(alice.login)
    expect(log(bob.page)).to_contain_text("New")
    expect(mark).to_have_accessible_name("Read")
    expect(bob.page).to_have_title(f"{alice.login} – Veche")


def test_what_was_written_is_changed_and_taken_back(friends: tuple[Person, Person]) -> None:
    """Rows: X17 (partly)."""
    alice, bob = friends
    alice.tab.write("Tuseday")
    expect(message(bob.page, "Tuseday")).to_be_visible()
    field = alice.page.get_by_role("textbox", name="Message")
    field.press("ArrowUp")
    expect(field).to_have_value("Tuseday")
    field.fill("Tuesday")
    field.press("Enter")
    expect(message(bob.page, "Tuesday")).to_contain_text("edited")
    act(alice.page, "Tuesday", "Delete")
    alice.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(message(bob.page, "This message was deleted.")).to_be_visible()
    expect(log(bob.page)).not_to_contain_text("Tuesday")


def test_reactions_and_answers(friends: tuple[Person, Person]) -> None:
    alice, bob = friends
    alice.tab.write("Shall we meet at nine?")
    act(bob.page, "Shall we meet", "React")
    bob.page.get_by_role("dialog", name="Emoji").get_by_role("button", name="👍").click()
    reaction = message(alice.page, "Shall we meet").get_by_role("button", name=re.compile("👍"))
    expect(reaction).to_have_attribute("aria-pressed", "false")
    reaction.click()
    expect(reaction).to_have_text("👍2")
    reaction.click()
    expect(reaction).to_have_text("👍")

    act(bob.page, "Shall we meet", "Reply")
    expect(bob.page.get_by_text(f"Reply to {alice.login}")).to_be_visible()
    bob.tab.write("Gladly")
    answer = message(alice.page, "Gladly")
    expect(answer.get_by_role("button", name="Shall we meet at nine?")).to_be_visible()
    answer.get_by_role("button", name="Shall we meet at nine?").click()
    expect(alice.page.locator("li:focus")).to_contain_text("Shall we meet")


def test_markdown_is_shown_and_html_is_text(friends: tuple[Person, Person]) -> None:
    alice, bob = friends
    alice.tab.write(
        "**strong** *slanted* ~~gone~~ `code`\n> quoted\n- one\n- two\n```\n<b>as it is</b>\n```\n"
        "[the page](https://example.org/) <img src=x onerror=alert(1)> [x](javascript:alert(1))"
    )
    shown = message(bob.page, "as it is").first
    for element, text in (
        ("strong", "strong"),
        ("em", "slanted"),
        ("s", "gone"),
        ("code", "code"),
        ("blockquote", "quoted"),
    ):
        expect(shown.locator(element).first).to_have_text(text)
    expect(shown.get_by_role("list").get_by_role("listitem")).to_have_text(["one", "two"])
    expect(shown.locator("pre")).to_have_text("<b>as it is</b>")
    link = shown.get_by_role("link")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("href", "https://example.org/")
    expect(link).to_have_attribute("rel", re.compile("noopener noreferrer"))
    expect(shown).to_contain_text("<img src=x onerror=alert(1)>")
    expect(shown.locator("img")).to_have_count(0)


IS_KEPT = """([name, count]) => new Promise((resolve) => {
    const opening = indexedDB.open("veche");
    opening.onsuccess = () => {
        const asking = opening.result.transaction(name).objectStore(name).count();
        asking.onsuccess = () => (opening.result.close(), resolve(asking.result === count));
    };
})"""
"""Whether the browser keeps so many drafts, or requests on the way; it writes them a moment after they are made."""


def test_a_draft_survives_a_reload(friends: tuple[Person, Person]) -> None:
    alice, bob = friends
    alice.page.get_by_role("textbox", name="Message").fill("What I always wanted to say")
    alice.page.get_by_role("link", name="Settings").click()
    expect(entry(alice.page, bob.login)).to_contain_text("Draft: What I always wanted")
    until(alice.page, IS_KEPT, ["drafts", 1])
    alice.page.reload()
    alice.tab.talk_to(bob.login)
    expect(alice.page.get_by_role("textbox", name="Message")).to_have_value("What I always wanted to say")


def test_emoji_are_put_where_one_writes(friends: tuple[Person, Person]) -> None:
    alice, _ = friends
    field = alice.page.get_by_role("textbox", name="Message")
    field.fill("Hurray !")
    field.press("ArrowLeft")
    alice.page.get_by_role("button", name="Emoji").click()
    alice.page.keyboard.press("ArrowDown")
    alice.page.keyboard.press("ArrowRight")
    alice.page.keyboard.press("Enter")
    expect(field).to_have_value("Hurray 😄!")


def test_history_loads_upwards_without_a_jump(person: Callable[..., Person], server: ServerProcess) -> None:
    """Rows: M21 (partly)."""
    alice = person("alice")
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        for number in range(400):
            bob.say(alice.login, f"line {number:03}")
        page = alice.page
        alice.wire.send("MESSAGE-READ", id=bob.say(alice.login, "the last line")["id"])
        expect(entry(page, bob.login)).to_contain_text("the last line")
        expect(page).to_have_title("Veche")
        page.reload()
        alice.tab.talk_to(bob.login)
        expect(message(page, "the last line")).to_be_visible()
        scroller = log(page)
        seen: set[str] = set()
        for _ in range(60):
            first = scroller.evaluate(
                """(log) => {
                    const top = log.getBoundingClientRect().top;
                    const rows = [...log.querySelectorAll("li[data-id]")];
                    const row = rows.find((one) => one.getBoundingClientRect().bottom > top + 1);
                    log.scrollTop -= 400;
                    return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve({
                        text: row.textContent, moved: row.isConnected ? row.getBoundingClientRect().top - top : null,
                        rows: log.querySelectorAll("li[data-id]").length,
                        start: log.textContent.includes("This is where you"),
                    }))));
                }"""
            )
            seen.add(first["text"])
            assert first["rows"] <= 120
            assert first["moved"] is None or first["moved"] < 460, "what was in view moved by more than was scrolled"
            if first["start"]:
                break
            page.wait_for_function("() => true")
        expect(log(page)).to_contain_text("This is where you and")
        expect(message(page, "line 000")).to_be_attached()
        page.get_by_role("button", name="To the newest").click()
        expect(message(page, "the last line")).to_be_in_viewport()


def test_what_is_old_is_found_and_shown_in_its_place(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        bob.say(alice.login, "The ladder stands behind the shed")
        for number in range(300):
            bob.say(alice.login, f"line {number:03}")
        alice.wire.send("MESSAGE-READ", id=bob.say(alice.login, "the last line")["id"])
        expect(entry(page, bob.login)).to_contain_text("the last line")
        expect(page).to_have_title("Veche")
        alice.tab.talk_to(bob.login)
        expect(message(page, "the last line")).to_be_visible()
        page.get_by_role("link", name="Search in this conversation").click()
        page.get_by_role("searchbox", name="Search in this conversation").fill("ladd")
        page.get_by_role("region", name="Search").get_by_role("button", name="ladder").click()
        expect(message(page, "The ladder stands")).to_be_in_viewport()
        expect(page.locator("li:focus")).to_contain_text("The ladder")
        log(page).evaluate("(log) => { log.scrollTop = log.scrollHeight }")
        expect(message(page, "line 090")).to_be_attached()
        page.get_by_role("button", name=re.compile("To the newest|unread")).click()
        expect(message(page, "the last line")).to_be_in_viewport()


def test_what_came_while_away_begins_with_a_divider(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        alice.wire.send("MESSAGE-READ", id=bob.say(alice.login, "read long ago")["id"])
        for number in range(80):
            bob.say(alice.login, f"line {number:03}")
        alice.page.reload()
        alice.tab.is_connected()  # before, not all of it is known to be unread
        alice.tab.talk_to(bob.login)
        expect(log(alice.page).get_by_text("New", exact=True)).to_be_in_viewport()
        expect(message(alice.page, "line 000")).to_be_in_viewport()
        expect(message(alice.page, "line 079")).to_have_count(0)
        alice.page.get_by_role("button", name="80 unread messages").click()
        expect(message(alice.page, "line 079")).to_be_in_viewport()
        expect(alice.page).to_have_title(f"{bob.login} – Veche")


def test_by_keyboard_alone(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        bob.say(alice.login, "first")
        bob.say(alice.login, "second")
        expect(entry(page, bob.login)).to_contain_text("second")
        page.keyboard.press("Control+k")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Message")).to_be_focused()
        page.keyboard.type("a message")
        page.keyboard.press("Enter")
        expect(message(page, "a message").get_by_role("img", name="Sent")).to_be_visible()  # until then it moves
        message(page, "a message").focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        expect(page.locator("li:focus")).to_contain_text("first")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="React")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Message")).to_be_focused()
        page.keyboard.type("an answer")
        page.keyboard.press("Enter")
        expect(message(page, "an answer")).to_contain_text("first")
        page.keyboard.press("ArrowUp")
        expect(page.get_by_text("Edit your text")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_text("Edit your text")).to_have_count(0)
