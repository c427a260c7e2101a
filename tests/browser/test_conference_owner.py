"""What an owner can do in the conference window, what others cannot, and what everybody can do for themselves."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.guests import Guest, all_see_all, create, has_no_violations, join, open_menu, tile
from tests.support.browser import until
from tests.support.seen import COLOURS_OF, hears, sees


def menu_of(guest: Guest, other: Guest) -> Locator:
    """The open menu of somebody's tile."""
    open_menu(guest, other)
    return tile(guest, other).locator(".menu")


def settings(guest: Guest) -> Locator:
    guest.button("Conference settings").click()
    dialog = guest.page.get_by_role("dialog", name="Conference settings")
    expect(dialog).to_be_visible()
    return dialog


def test_an_owner_who_leaves_is_asked_hands_over_or_ends_it(guests: Callable[[int], list[Guest]]) -> None:
    """Cancelled, nothing happens; handed over, the new owner has the badge and the buttons; ended, it is over at once.

    Rows: A64, A66 (partly), A70 (partly), X07 (partly).
    """
    ann, bob, cleo = guests(3)
    create(ann, "Keys")
    for one in (bob, cleo):
        join(one)
        expect(one.button("End for all")).to_have_count(0)
        expect(tile(one, ann).get_by_text("Owner:")).to_be_attached()

    ann.button("Leave").click()
    dialog = ann.page.get_by_role("dialog", name="Leave “Keys”")
    has_no_violations(ann.page)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(tile(bob, ann)).to_be_visible()

    ann.button("Leave").click()
    dialog.get_by_label("New owner").select_option(label=cleo.login)
    dialog.get_by_role("button", name="Hand over and leave").click()
    expect(ann.page.locator("figure")).to_have_count(0)
    expect(tile(bob, ann)).to_have_count(0)
    expect(tile(bob, cleo).get_by_text("Owner:")).to_be_attached()
    expect(cleo.button("End for all")).to_be_visible()
    expect(bob.button("End for all")).to_have_count(0)

    join(ann)
    expect(tile(ann, cleo).get_by_text("Owner:")).to_be_attached()
    expect(ann.button("End for all")).to_have_count(0)
    cleo.button("Leave").click()
    cleo.page.get_by_role("dialog").get_by_role("button", name="End for all").click()
    for one in (ann, bob):
        expect(one.page.get_by_text(f"“Keys” is over: {cleo.login}")).to_be_visible()
    for one in (ann, bob, cleo):
        expect(one.page.locator("figure")).to_have_count(0)


def test_an_end_for_several_others_can_be_taken_back_for_a_moment(guests: Callable[[int], list[Guest]]) -> None:
    """By the keyboard too; a second press on the button does not wait; with one other there is nothing to take back.

    Rows: A66 (partly).
    """
    ann, bob, cleo = guests(3)
    ann.page.add_init_script(
        """const real = setTimeout;
        window.setTimeout = (work, ms, ...rest) => real(work, ms === 3000 ? 60000 : ms, ...rest);"""
    )  # the moment is a minute, so that a slow machine has the time for it too
    ann.open("/")
    ann.is_connected()
    create(ann, "Slip")
    join(bob)
    join(cleo)
    for way in ("Enter", "Escape"):
        ann.button("End for all").click()
        expect(ann.page.get_by_role("alert").filter(has_text="ends for all")).to_be_visible()
        expect(ann.button("Keep it going")).to_be_focused()
        has_no_violations(ann.page)
        ann.page.keyboard.press(way)
        expect(ann.button("Keep it going")).to_have_count(0)
        expect(ann.button("End for all")).to_be_focused()
    cleo.button("Leave").click()
    expect(ann.page.locator("figure")).to_have_count(2)
    expect(tile(bob, ann)).to_be_visible()
    ann.button("End for all").click()
    expect(bob.page.get_by_text("“Slip” is over")).to_be_visible()

    create(ann, "Slip again")
    join(bob)
    join(cleo)
    expect(ann.page.locator("figure")).to_have_count(3)
    ann.button("End for all").dblclick()
    for one in (bob, cleo):
        expect(one.page.get_by_text("“Slip again” is over")).to_be_visible()


def test_an_owner_renames_and_removes_and_turns_a_camera_off(guests: Callable[[int], list[Guest]]) -> None:
    """The others see the name, and have none of these buttons; who was removed is told, and comes back by invitation.

    Rows: A66, A69 (partly), V29 (partly).
    """
    ann, bob, cleo = guests(3)
    create(ann, "First name")
    join(bob)
    join(cleo)
    all_see_all((ann, bob, cleo))
    dialog = settings(ann)
    dialog.get_by_label("Name").fill("Second name")
    dialog.get_by_role("button", name="Rename").click()
    for one in (bob, cleo):
        expect(one.page.get_by_role("heading", name="Second name")).to_be_visible()
    ann.page.keyboard.press("Escape")
    other = settings(bob)
    expect(other.get_by_role("button", name="Rename")).to_have_count(0)
    expect(other.get_by_label("Who may come in")).to_have_count(0)
    bob.page.keyboard.press("Escape")
    menu = menu_of(bob, cleo)
    expect(menu.get_by_role("button", name="Silence for me")).to_be_visible()
    for name in ("Mute in the conference", "Make owner", "Remove from the conference"):
        expect(menu.get_by_role("button", name=name)).to_have_count(0)
    bob.page.keyboard.press("Escape")

    menu_of(ann, bob).get_by_role("button", name="Turn off their camera for all").click()
    expect(bob.page.get_by_text("The owner has turned your camera off.")).to_be_visible()
    for one in (ann, cleo):
        expect(tile(one, bob).locator(".nobody")).to_be_visible()
        hears(one.page, bob.login, "green")
    menu_of(ann, bob).get_by_role("button", name="Let them show themselves again").click()
    expect(bob.button("Turn on camera")).to_be_visible()
    bob.button("Turn on camera").click()
    sees(cleo.page, bob.login, "green")

    menu_of(ann, cleo).get_by_role("button", name="Remove from the conference").click()
    ann.page.get_by_role("dialog", name=f"Remove {cleo.login}?").get_by_role("button", name="Cancel").click()
    menu_of(ann, cleo).get_by_role("button", name="Remove from the conference").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Remove from the conference").click()
    expect(cleo.page.get_by_text("You are no longer in “Second name”: the owner took you out.")).to_be_visible()
    expect(cleo.page.locator("figure")).to_have_count(0)
    expect(tile(bob, cleo)).to_have_count(0)
    sees(ann.page, bob.login, "green")
    ann.button("Invite people").click()
    ann.page.get_by_role("button", name=f"Call: {cleo.login}").click()
    ann.page.keyboard.press("Escape")
    cleo.page.get_by_role("alertdialog").get_by_role("button", name="Accept").click()
    all_see_all((ann, bob, cleo))


def test_hiding_and_silencing_somebody_is_for_oneself_alone(guests: Callable[[int], list[Guest]]) -> None:
    """Rows: A68."""
    ann, bob, cleo = guests(3)
    create(ann, "Ears")
    join(bob)
    join(cleo)
    all_see_all((ann, bob, cleo))
    tile(bob, cleo).click(button="right")
    bob.button("Hide the picture for me").click()
    expect(tile(bob, cleo).locator(".nobody")).to_be_visible()
    until(bob.page, f"(login) => ({COLOURS_OF})(login).length === 0", cleo.login)
    hears(bob.page, cleo.login, "blue")
    menu_of(bob, cleo).get_by_role("button", name="Silence for me").click()
    until(bob.page, "(leg) => document.querySelector(`figure[data-leg^='${leg}@'] video`).muted", cleo.login)
    sees(ann.page, cleo.login, "blue")
    hears(ann.page, cleo.login, "blue")
    expect(cleo.button("Mute microphone")).to_be_visible()
    menu_of(bob, cleo).get_by_role("button", name="Show the picture again").click()
    sees(bob.page, cleo.login, "blue")
    menu_of(bob, cleo).get_by_role("button", name="Hear again").click()
    hears(bob.page, cleo.login, "blue")


def test_somebody_who_is_no_friend_is_asked_from_their_tile(guests: Callable[..., list[Guest]]) -> None:
    """Two who have a friend in common: the right button on a tile offers it, and for friends it does not.

    Rows: A67.
    """
    ann, bob, cleo = guests(3, is_star=True)
    create(ann, "Meeting")
    join(bob)
    join(cleo)
    sees(bob.page, cleo.login, "blue")
    expect(menu_of(bob, ann).get_by_role("button", name="Add to friends")).to_have_count(0)
    bob.page.keyboard.press("Escape")
    tile(bob, cleo).click(button="right")
    bob.button("Add to friends").click()
    expect(bob.page.get_by_text(f"{cleo.login}").first).to_be_visible()
    cleo.button("Accept").click()
    expect(bob.page.get_by_role("link", name=cleo.login, exact=True)).to_be_visible()
    expect(menu_of(bob, cleo).get_by_role("button", name="Add to friends")).to_have_count(0)


def test_leaving_is_quick_and_lets_the_camera_go(guests: Callable[[int], list[Guest]]) -> None:
    """All tracks of the camera and the microphone end with it.

    Rows: A65.
    """
    ann, bob = guests(2)
    bob.page.add_init_script(
        """window.tracks = [];
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wants) => {
          const stream = await ask(wants);
          tracks.push(...stream.getTracks());
          return stream;
        };"""
    )
    bob.open("/")
    bob.is_connected()
    create(ann, "Short")
    join(bob)
    sees(ann.page, bob.login, "green")
    assert bob.page.evaluate("tracks.map((one) => one.readyState)") == ["live", "live"]
    took_ms = bob.page.evaluate(
        """async () => {
          const button = [...document.querySelectorAll("button")].find((one) => one.textContent.trim() === "Leave");
          const from = performance.now();
          button.click();
          while (document.querySelector("figure") || tracks.some((one) => one.readyState === "live"))
            await new Promise(requestAnimationFrame);
          return performance.now() - from;
        }"""
    )
    print(f"left and let go after {took_ms:.0f} ms")
    expect(tile(ann, bob)).to_have_count(0)
    assert bob.page.evaluate("tracks.every((one) => one.readyState === 'ended')")


def test_the_owner_whose_page_dies_comes_back_within_the_minute(guests: Callable[[int], list[Guest]]) -> None:
    """The renderer is killed: the others go on and see that it is lost; another page comes back and owns it still.

    Rows: X07 (partly), A64 (partly).
    """
    ann, bob, cleo = guests(3)
    create(ann, "Crash")
    join(bob)
    join(cleo)
    all_see_all((ann, bob, cleo))
    with ann.page.expect_event("crash"):
        ann.kill("type=renderer")
    for one in (bob, cleo):
        expect(tile(one, ann).get_by_text("Lost the server")).to_be_attached()
    sees(cleo.page, bob.login, "green")
    started = time.monotonic()
    ann.anew()
    join(ann)
    assert time.monotonic() - started < 60
    expect(ann.button("End for all")).to_be_visible()
    expect(tile(bob, ann).get_by_text("Owner:")).to_be_attached()
    all_see_all((ann, bob, cleo))
