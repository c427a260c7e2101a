"""Two people press everything at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.guests import Guest, all_see_all, create, join
from tests.support.browser import until

PRESS = """async (seed) => {
  // mulberry32: the same presses for the same seed
  const chance = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const pause = (most) => new Promise((resolve) => setTimeout(resolve, chance() * most));
  const name = (button) => button.getAttribute("aria-label") ?? button.textContent.trim();
  const shown = (where) => [...document.querySelectorAll(where)].filter((one) =>
    !one.disabled && !one.closest("[inert]") && one.checkVisibility());
  const rare = ["End for all", "Leave", "Hand over and leave", "Remove from the conference"];
  const pressed = [];
  const press = (button) => {
    pressed.push(name(button));
    button.click();
  };
  for (let count = 0; count < 200; count++) {
    const isInDialog = document.querySelector("dialog[open]") !== null;
    if (!isInDialog && document.querySelector("figure") === null) {
      const [way] = shown("button").filter((one) => name(one) === "Join");
      if (way) press(way);
      else {
        press(shown("button").find((one) => name(one) === "Create conference"));
        await pause(50);
        const field = document.querySelector("dialog[open] input");
        field.value = `Storm ${seed} ${count}`;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        await pause(50);
        press(shown("dialog[open] form button").at(-1));
      }
      await pause(600);
    } else {
      const all = shown(isInDialog ? "dialog[open] button" : ".window button, [role=alertdialog] button, .bars button");
      const some = all.filter((one) => !rare.includes(name(one)) || chance() < 0.2);
      if (some.length > 0) press(some[Math.floor(chance() * some.length)]);
    }
    await pause(80);
  }
  return pressed;
}"""


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.timeout(240)
def test_two_people_who_press_everything_at_once_can_meet_afterwards(
    guests: Callable[[int], list[Guest]], seed: int
) -> None:
    """Whatever the window and its dialogs offer, 200 times each; no page breaks, and afterwards all is as it was."""
    ann, bob = guests(2)
    create(ann, "Storm")
    join(bob)
    for one in (ann, bob):
        one.page.evaluate(
            f"(seed) => {{ window.pressed = null; ({PRESS})(seed).then((all) => (window.pressed = all)); }}",
            seed if one is ann else seed + 1000,
        )
    for one in (ann, bob):
        until(one.page, "() => window.pressed !== null", within_s=90)
        pressed: list[str] = one.page.evaluate("pressed")
        print(Counter(pressed))
        assert len(set(pressed)) > 12, pressed
    for one in (ann, bob):
        calm(one)
    create(ann, "After the storm")
    join(bob)
    unmute(ann)
    unmute(bob)
    all_see_all((ann, bob))


def calm(guest: Guest) -> None:
    """Close what is open, stop what rings, and leave where one is."""
    page = guest.page
    page.evaluate(
        """async () => {
          const press = (words) => [...document.querySelectorAll("button")].find((one) =>
            !one.closest("[inert]") && one.checkVisibility() &&
            words.includes(one.getAttribute("aria-label") ?? one.textContent.trim()))?.click();
          for (let look = 0; look < 40; look++) {
            document.querySelectorAll("dialog[open]").forEach((one) => one.dispatchEvent(new Event("close")));
            press(["Decline"]);
            if (document.querySelector("figure") === null) break;
            if (location.hash.startsWith("#/conference/")) press(["End for all", "Leave"]);
            else document.querySelector(".bars a")?.click();
            await new Promise((resolve) => setTimeout(resolve, 250));
          }
        }"""
    )
    expect(page.locator("figure")).to_have_count(0)
    page.goto(guest.url + "/#/")


def unmute(guest: Guest) -> None:
    """The microphone and the camera are on."""
    for name in ("Unmute microphone", "Turn on camera"):
        if guest.button(name).count():
            guest.button(name).click()
