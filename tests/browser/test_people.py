"""Friends, requests, groups, presence and profiles, as two people see them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, WebSocket, expect

from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

from .conftest import Person, befriend


def entry(page: Page, name: str) -> Locator:
    """The entry of somebody in the list."""
    contacts = page.get_by_role("navigation", name="Contacts")
    return contacts.locator(".person").filter(has=page.get_by_role("link", name=name, exact=True))


def add_friend(page: Page, login: str) -> None:
    page.get_by_role("button", name="Add friend").click()
    page.get_by_role("textbox", name="Friend's login").fill(login)
    page.get_by_role("button", name="Send request").click()


def test_a_friend_is_added_and_accepts_and_both_see_each_other(person: Callable[..., Person]) -> None:
    """Rows: A55, A56, A61."""
    alice, bob = person("alice"), person("bob")
    add_friend(alice.page, "nobody-of-that-name")
    expect(alice.page.get_by_role("alert")).to_have_text("There is no such user.")
    alice.page.get_by_role("textbox", name="Friend's login").fill(bob.login)
    alice.page.keyboard.press("Enter")
    expect(alice.page.get_by_role("dialog")).to_have_count(0)
    expect(alice.page.get_by_text("Asked by you")).to_be_visible()

    request = bob.page.get_by_role("listitem").filter(has_text="wants to be your friend")
    expect(request).to_contain_text(alice.login)
    expect(bob.page).to_have_title("(1) Veche")
    request.get_by_role("button", name="Accept").click()
    for one, other in ((alice, bob), (bob, alice)):
        expect(entry(one.page, other.login)).to_be_visible()
        expect(entry(one.page, other.login).get_by_role("img", name="online")).to_be_visible()
    expect(request).to_have_count(0)


def test_requests_are_refused_and_put_aside(person: Callable[..., Person], server: ServerProcess) -> None:
    """Rows: A55 (partly)."""
    alice = person("alice")
    with newcomer(server.port, "bob") as bob, newcomer(server.port, "carol") as carol:
        bob.ask("FRIEND-REQUEST", login=alice.login)
        carol.ask("FRIEND-REQUEST", login=alice.login)
        of_bob = alice.page.get_by_role("listitem").filter(has_text=bob.login)
        of_carol = alice.page.get_by_role("listitem").filter(has_text=carol.login)
        of_bob.get_by_role("button", name="Refuse").click()
        of_carol.get_by_role("button", name="Ignore").click()
        expect(of_bob).to_have_count(0)
        expect(of_carol).to_have_count(0)
        alice.page.get_by_role("button", name="1 put aside").click()
        of_carol.get_by_role("button", name="Accept").click()
        expect(entry(alice.page, carol.login)).to_be_visible()


def test_coming_going_notes_and_names_are_seen_at_once(person: Callable[..., Person], server: ServerProcess) -> None:
    """Rows: A56, M47."""
    alice = person("alice")
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        bob.ask("PROFILE-UPDATE", name="Robert of the Hill", note="on vacation")
        row = entry(alice.page, "Robert of the Hill")
        expect(row).to_contain_text("on vacation")
        bob.send("PRESENCE", away=True)
        expect(row.get_by_role("img", name="away")).to_be_visible()
        bob.close()
        expect(row.get_by_role("img", name="offline")).to_be_visible()
        row.click()
        alice.page.get_by_role("link", name="Details").click()
        alice.page.get_by_label("My name for them").fill("Bobby")
        alice.page.get_by_role("button", name="Save").click()
        expect(entry(alice.page, "Bobby")).to_be_visible()


def test_coming_and_going_do_not_cost_the_connection(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    links: list[WebSocket] = []
    alice.page.on("websocket", lambda link: links.append(link))
    alice.page.reload()
    alice.tab.is_connected()
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        status = entry(alice.page, bob.login).get_by_role("img")
        expect(status).to_have_accessible_name("online")
        bob.close()
        expect(status).to_have_accessible_name("offline")
        with Wire(server.port).connect(bob.login):
            expect(status).to_have_accessible_name("online")
    assert len(links) == 1


def test_groups_are_a_tree_that_can_be_renamed_and_dissolved(
    person: Callable[..., Person], server: ServerProcess
) -> None:
    """Rows: M39, M40, M41."""
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "bob") as bob, newcomer(server.port, "carol") as carol:
        for friend in (bob, carol):
            befriend(friend, alice.wire)
        entry(page, bob.login).click()
        page.get_by_role("link", name="Details").click()
        page.get_by_label("Group", exact=True).fill("work / tea")
        page.get_by_role("button", name="Save").click()
        alice.wire.ask("CONTACTS-CHANGE", id=carol.login, group="work")
        page.get_by_role("button", name="Groups").click()
        work = page.get_by_role("button", name="work")
        expect(work).to_have_text(re.compile("2/2"))
        expect(page.get_by_role("button", name="tea")).to_be_visible()
        work.click()
        expect(entry(page, bob.login)).to_have_count(0)
        page.reload()
        expect(entry(page, bob.login)).to_have_count(0)
        work.click()
        work.hover()
        page.get_by_role("button", name="Edit group").first.click()
        page.get_by_label("Name of the group").fill("office")
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        office = page.get_by_role("button", name="office")
        expect(office).to_have_text(re.compile("2/2"))
        office.hover()
        page.get_by_role("button", name="Edit group").first.click()
        page.get_by_role("button", name="Delete 2 contacts").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete 2 contacts").click()
        expect(office).to_have_count(0)


def test_people_are_found_by_what_is_typed(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    with newcomer(server.port, "bob") as bob, newcomer(server.port, "carol") as carol:
        for friend in (bob, carol):
            befriend(friend, alice.wire)
        expect(entry(alice.page, carol.login)).to_be_visible()
        alice.page.keyboard.press("Control+k")
        alice.page.keyboard.type(bob.login.upper())
        expect(entry(alice.page, carol.login)).to_have_count(0)
        alice.page.keyboard.press("ArrowDown")
        alice.page.keyboard.press("Enter")
        expect(alice.page.get_by_role("heading", name=bob.login)).to_be_visible()


def test_what_a_stranger_writes_waits_under_requests(person: Callable[..., Person], server: ServerProcess) -> None:
    """Rows: X01 (partly), X06 (partly)."""
    alice = person("alice")
    page = alice.page
    with newcomer(server.port, "mallory") as mallory:
        mallory.say(alice.login, "Buy this")
        expect(page.get_by_role("button", name="Requests")).to_contain_text("1")
        entry(page, mallory.login).click()
        expect(page.get_by_text(f"{mallory.login} is not among your friends.")).to_be_visible()
        page.get_by_role("button", name="Block", exact=True).click()
        expect(entry(page, mallory.login)).to_have_count(0)
        mallory.say(alice.login, "Buy it now")
        page.get_by_role("link", name="Settings").click()
        page.get_by_role("button", name="Unblock").click()
        expect(page.get_by_text("You have blocked nobody.")).to_be_visible()
        entry(page, mallory.login).click()
        expect(page.get_by_role("log")).to_contain_text("Buy this")
        expect(page.get_by_role("log")).not_to_contain_text("Buy it now")
        alice.tab.write("No, thank you")  # whoever is answered is no stranger
        expect(page.get_by_role("button", name="Requests")).to_have_count(0)
        expect(entry(page, mallory.login)).to_be_visible()


def test_a_friend_is_removed_after_a_question(person: Callable[..., Person], server: ServerProcess) -> None:
    alice = person("alice")
    with newcomer(server.port, "bob") as bob:
        befriend(bob, alice.wire)
        entry(alice.page, bob.login).click()
        alice.page.get_by_role("link", name="Details").click()
        alice.page.get_by_role("button", name="Remove friend").click()
        alice.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        expect(entry(alice.page, bob.login)).to_be_visible()
        alice.page.get_by_role("button", name="Remove friend").click()
        alice.page.get_by_role("dialog").get_by_role("button", name="Remove friend").click()
        expect(entry(alice.page, bob.login)).to_have_count(0)


def test_my_profile_has_a_picture_that_friends_see(person: Callable[..., Person]) -> None:
    """Rows: M45 (partly)."""
    alice, bob = person("alice"), person("bob")
    befriend(alice.wire, bob.wire)
    page = alice.page
    page.get_by_role("link", name="My profile").click()
    page.get_by_label("Name", exact=True).fill("Alice of the Valley")
    page.get_by_label("Note").fill("<b>in</b> a meeting")
    page.get_by_role("button", name="Save").click()
    expect(entry(bob.page, "Alice of the Valley")).to_contain_text("<b>in</b> a meeting")

    large = page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(3000, 1500);
            const context = canvas.getContext("2d");
            for (let i = 0; i < 3000; i++) {
                context.fillStyle = `hsl(${(i * 37) % 360} 80% 50%)`;
                context.fillRect((i * 7919) % 3000, (i * 104729) % 1500, 90, 90);
            }
            const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        }"""
    )
    picture = {"name": "large.png", "mimeType": "image/png", "buffer": base64.b64decode(large)}
    page.get_by_label("Picture").set_input_files(picture)  # pyright: ignore[reportArgumentType]
    for one in (page.locator(".pane"), entry(bob.page, "Alice of the Valley")):
        expect(one.locator("img[src^='blob:']")).to_be_visible()
    nothing = {"name": "no.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.get_by_label("Picture").set_input_files(nothing)  # pyright: ignore[reportArgumentType]
    expect(page.get_by_text("This file is no picture")).to_be_visible()
