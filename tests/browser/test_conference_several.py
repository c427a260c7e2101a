"""Being in several conferences, talking by the space bar, choosing devices, and what a tile says of its person."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.guests import Guest, create, has_no_violations, join, keep_connections, open_menu, tile
from tests.support import conferences
from tests.support.browser import Tab, until
from tests.support.conferences import befriend, friends
from tests.support.seen import hears, is_silent, sees, start
from tests.support.server import ServerProcess
from tests.support.wire import Wire


def test_who_is_in_two_conferences_is_heard_in_one_and_held_in_the_other(
    guests: Callable[[int], list[Guest]],
) -> None:
    """The connections stand meanwhile; by one button the person is back in the first, and held in the second.

    A friend in one conference is joined by one click, a friend in several by name; never into two of one name.

    Rows: A39, A40 (partly), A41, A42.
    """
    ann, bob, cleo = guests(3)
    keep_connections(ann, bob)
    create(ann, "Alpha")
    join(bob)
    sees(bob.page, ann.login, "red")
    hears(bob.page, ann.login, "red")
    create(cleo, "Beta")
    ann.page.get_by_role("listitem").filter(has_text="Beta").get_by_role("button", name="Join").click()
    sees(cleo.page, ann.login, "red")
    hears(cleo.page, ann.login, "red")
    expect(tile(bob, ann).get_by_text("On hold")).to_be_visible()
    expect(tile(bob, ann).locator(".nobody")).to_be_visible()
    is_silent(bob.page, ann.login)
    bar = ann.page.get_by_role("group", name="Alpha")
    expect(bar).to_be_visible()

    # where ann is, as bob sees it
    several = bob.page.get_by_role("listitem").filter(has_text=ann.login)
    several.get_by_role("button", name="In conferences").click()
    names = bob.page.get_by_role("list", name=f"Conferences {ann.login} is in")
    expect(names.get_by_role("listitem")).to_have_count(2)
    expect(names.get_by_role("listitem").filter(has_text="Alpha").get_by_role("button", name="Join")).to_have_count(0)
    names.get_by_role("listitem").filter(has_text="Beta").get_by_role("button", name="Join").click()
    expect(bob.page.get_by_role("heading", name="Beta")).to_be_visible()
    sees(bob.page, cleo.login, "blue")
    expect(tile(cleo, bob)).to_be_visible()

    bar.get_by_role("link").click()
    expect(ann.page.get_by_text("You are in another conference.").first).to_be_visible()
    has_no_violations(ann.page)
    ann.button("Resume here").click()
    expect(tile(cleo, ann).get_by_text("On hold")).to_be_visible()
    expect(ann.page.get_by_text("You are in another conference.").first).to_be_hidden()
    bob.page.get_by_role("group", name="Alpha").get_by_role("link").click()
    bob.button("Resume here").click()
    sees(bob.page, ann.login, "red")
    hears(bob.page, ann.login, "red")
    sees(ann.page, bob.login, "green")
    assert [one.page.evaluate("connections.length") for one in (ann, bob)] == [3, 3]  # none was made anew


LONG = "Planning of the summer gathering by the lake with everybody"


def test_nobody_joins_two_conferences_of_one_name(guests: Callable[[int], list[Guest]], server: ServerProcess) -> None:
    """The button says so before the server would; a long name leaves it its place.

    Rows: A40.
    """
    (ann,) = guests(1)
    create(ann, LONG)
    (dora,) = friends(server.port, "dora")
    with Wire(server.port).connect(ann.login, device="befriending") as other:
        befriend(dora, other)
    conferences.create(dora, LONG.upper())
    theirs = ann.page.get_by_role("listitem").filter(has_text=dora.login).get_by_role("button", name="Join")
    expect(theirs).to_be_disabled()
    expect(theirs).to_be_in_viewport(ratio=1)
    expect(theirs).to_have_attribute("title", "You are in one of this name already.")
    ann.button("Leave").click()
    expect(theirs).to_be_enabled()
    dora.close()


def test_the_space_bar_opens_the_microphone_while_it_is_held(guests: Callable[[int], list[Guest]]) -> None:
    """And a tile is marked while somebody speaks.  In a field the space bar writes."""
    ann, bob = guests(2)
    create(ann, "Radio")
    join(bob)
    hears(ann.page, bob.login, "green")
    expect(tile(ann, bob).get_by_text("is speaking")).to_be_attached()
    bob.button("Mute microphone").click()
    expect(tile(ann, bob).get_by_text("Microphone off")).to_be_attached()
    expect(tile(ann, bob).get_by_text("is speaking")).to_have_count(0)
    is_silent(ann.page, bob.login)

    bob.page.get_by_role("heading", name="Radio").click()
    bob.page.keyboard.down("Space")
    expect(tile(ann, bob).get_by_text("Microphone off")).to_have_count(0)
    hears(ann.page, bob.login, "green")
    expect(tile(ann, bob).get_by_text("is speaking")).to_be_attached()
    bob.page.keyboard.up("Space")
    expect(tile(ann, bob).get_by_text("Microphone off")).to_be_attached()
    is_silent(ann.page, bob.login)

    bob.button("Chat").click()
    field = bob.page.get_by_role("textbox", name="Write to all here")
    field.press_sequentially("a b")
    expect(field).to_have_value("a b")
    expect(bob.button("Unmute microphone")).to_be_visible()


@pytest.fixture(scope="module")
def equipped(browser: Browser) -> Iterator[Browser]:
    """A browser with two cameras and some microphones."""
    made = start(browser.browser_type, "--use-fake-device-for-media-stream=device-count=2,fps=10")
    yield made
    made.close()


USED = """(kind) => {
  const own = [...document.querySelectorAll("video")].find((one) => one.muted && one.srcObject);
  return own?.srcObject.getVideoTracks()[0]?.label ?? "";
}"""


def test_camera_and_microphone_are_chosen_before_and_during_a_conference(
    equipped: Browser, server: ServerProcess
) -> None:
    """A preview with the level of the microphone; what was chosen is what others get, and is kept."""
    eve, frank = friends(server.port, "eve", "frank")
    view = conferences.create(frank, "Choice", media="text")
    tab = Tab(equipped, f"http://127.0.0.1:{server.port}")
    try:
        tab.context.set_default_timeout(15_000)
        page = tab.sign_in(eve.login)
        tab.open(f"/#/conference/{view['id']}")
        page.get_by_role("heading", name="Choice").wait_for()
        camera, microphone = (page.get_by_role("combobox", name=one) for one in ("Camera", "Microphone"))
        expect(camera.locator("option")).to_have_count(3)
        assert microphone.locator("option").count() > 2
        has_no_violations(page)
        until(page, f"() => ({USED})() === 'fake_device_0'")
        until(page, "() => document.querySelector('meter').value > 0.02")
        camera.select_option(label="fake_device_1")
        microphone.select_option(label="Fake Audio Input 2")
        until(page, f"() => ({USED})() === 'fake_device_1'")
        page.get_by_role("main").get_by_role("button", name="Join", exact=True).last.click()
        page.get_by_role("button", name="Leave").wait_for()
        until(page, f"() => document.querySelector('figure') && ({USED})() === 'fake_device_1'")

        page.get_by_role("button", name="Conference settings").click()
        camera.select_option(label="fake_device_0")
        page.keyboard.press("Escape")
        until(page, f"() => ({USED})() === 'fake_device_0'")
        page.get_by_role("button", name="Leave").click()
        page.reload()
        tab.is_connected()
        tab.open(f"/#/conference/{view['id']}")
        until(page, f"() => ({USED})() === 'fake_device_0'")
        expect(microphone.locator("option:checked")).to_have_text("Fake Audio Input 2")
        assert tab.faults == []
    finally:
        tab.close()
        for wire in (eve, frank):
            wire.close()


LARGEST = """() => {
  const area = (one) => one.clientWidth * one.clientHeight;
  const [first, second] = [...document.querySelectorAll("figure")].sort((one, other) => area(other) - area(one));
  return area(first) > 3 * area(second) ? first.dataset.leg.split("@")[0] : "";
}"""


@pytest.mark.parametrize("width", [360, 1280])
def test_a_shared_screen_is_large_and_so_is_whom_one_chooses(guests: Callable[[int], list[Guest]], width: int) -> None:
    """By the menu of a tile; full screen too.  Nothing of it is cut off on a phone.

    Rows: V34 (partly), V37 (partly).
    """
    ann, bob, cleo = guests(3)
    create(ann, "Stage")
    join(bob)
    join(cleo)
    bob.page.set_viewport_size({"width": width, "height": 740})
    sees(bob.page, cleo.login, "blue")
    until(bob.page, f"() => ({LARGEST})() === ''")
    cleo.button("Share screen").click()
    until(bob.page, f"(login) => ({LARGEST})() === login", cleo.login)
    sees(bob.page, cleo.login, "green")
    has_no_violations(bob.page)
    open_menu(bob, cleo)
    bob.button("Show all alike").click()
    until(bob.page, f"() => ({LARGEST})() === ''")
    open_menu(bob, ann)
    bob.button("Show large").click()
    until(bob.page, f"(login) => ({LARGEST})() === login", ann.login)
    cleo.button("Stop sharing").click()
    sees(bob.page, cleo.login, "blue")
    assert bob.page.evaluate(LARGEST) == ann.login
    ann.button("Leave").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Hand over and leave").click()
    until(bob.page, f"() => ({LARGEST})() === ''")
    assert bob.page.evaluate("document.documentElement.scrollWidth") <= width
    open_menu(bob, cleo)
    bob.button("Full screen").click()
    until(bob.page, "(login) => document.fullscreenElement?.dataset.leg.startsWith(login + '@')", cleo.login)
    bob.page.evaluate("document.exitFullscreen()")
