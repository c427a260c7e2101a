"""docs/screenshots/conference-*: the conference window, a call that rings, and the preview, with people in front of
cameras: a browser each, whose camera shows a drawn portrait.  Called by tools/screenshots.py.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page

from tests.support.browser import CHROMIUM, FLAGS, Tab, until
from tests.support.server import ServerProcess
from tests.support.wire import Wire

PASSWORD = "a password"
ALICE = "alice"
GUESTS = ("bob", "chloe", "dmitri")
SIZE = (640, 360)


class Portrait(NamedTuple):
    """Colours of somebody at home: the wall, the light on it, hair, skin, clothes."""

    wall: str
    light: str
    hair: str
    skin: str
    clothes: str


PORTRAITS = {
    "alice": Portrait("#c9b79c", "#f3e3c4", "#4a2f22", "#e0b08c", "#3f6648"),
    "bob": Portrait("#8fa3ad", "#d3e0e4", "#2b2724", "#c98f6b", "#7a4a2c"),
    "chloe": Portrait("#b98f7d", "#ecd2bd", "#7c4a26", "#edc6a6", "#42596a"),
    "dmitri": Portrait("#7f9183", "#cfdacb", "#a58a63", "#e6bd9c", "#6a5063"),
}


def portrait(look: Portrait) -> bytes:
    """A JPEG of somebody before a wall with a window's light on it."""
    scale = 2
    width, height = SIZE[0] * scale, SIZE[1] * scale
    image = Image.new("RGB", (width, height), look.wall)
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 0), (width * 0.42, 0), (width * 0.2, height), (0, height)], fill=look.light)
    draw.rectangle([width * 0.74, height * 0.12, width * 0.92, height * 0.16], fill="#6b5540")
    for index, colour in enumerate(("#8a4b23", "#42596a", "#d8c8a8", "#3f6648", "#85611d")):
        left = width * (0.75 + index * 0.03)
        draw.rectangle([left, height * -0.05, left + width * 0.022, height * 0.12], fill=colour)
    image = image.filter(ImageFilter.GaussianBlur(9))
    draw = ImageDraw.Draw(image)
    middle, head = width / 2, height * 0.27

    def round_(x: float, y: float, across: float, down: float, fill: str) -> None:
        draw.ellipse([x - across, y - down, x + across, y + down], fill=fill)

    round_(middle, height * 0.42, head * 0.78, head * 1.02, look.hair)
    round_(middle, height * 1.22, head * 1.75, head * 1.9, look.clothes)
    draw.rounded_rectangle(
        [middle - head * 0.27, height * 0.55, middle + head * 0.27, height * 0.8], head * 0.2, fill=look.skin
    )
    round_(middle, height * 0.46, head * 0.6, head * 0.8, look.skin)
    draw.pieslice([middle - head * 0.7, height * 0.13, middle + head * 0.7, height * 0.62], 180, 360, fill=look.hair)
    for side in (-1, 1):
        round_(middle + side * head * 0.24, height * 0.46, head * 0.05, head * 0.06, "#2a211c")
    draw.arc([middle - head * 0.24, height * 0.48, middle + head * 0.24, height * 0.62], 20, 160, "#8a4a3c", 7)
    out = io.BytesIO()
    image.resize(SIZE, Image.Resampling.LANCZOS).save(  # pyright: ignore[reportUnknownMemberType]
        out, "jpeg", quality=92
    )
    return out.getvalue()


@contextmanager
def people(browser: Browser, folder: Path) -> Generator[dict[str, Browser]]:
    """A browser for each, with a camera."""
    with ExitStack() as stack:
        made: dict[str, Browser] = {}
        for login, look in PORTRAITS.items():
            film = folder / f"{login}.mjpeg"
            film.write_bytes(portrait(look) * 4)
            flags = [
                *FLAGS,
                "--disable-gpu",
                "--allow-loopback-in-peer-connection",
                "--disable-features=WebRtcHideLocalIpsWithMdns",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
            ]
            made[login] = browser.browser_type.launch(executable_path=CHROMIUM, args=flags)
            stack.callback(made[login].close)
        yield made


def take(browser: Browser, server: ServerProcess, folder: Path, sizes: dict[str, tuple[int, int]]) -> None:
    """All of them, in all sizes and both themes."""
    with tempfile.TemporaryDirectory() as films, people(browser, Path(films)) as browsers:
        url = f"http://127.0.0.1:{server.port}"
        for kind, (width, height) in sizes.items():
            for scheme in ("light", "dark"):
                options = {
                    "viewport": {"width": width, "height": height},
                    "color_scheme": scheme,
                    "reduced_motion": "reduce",
                }
                tabs = {login: Tab(browsers[login], url, **options) for login in PORTRAITS}
                for login, tab in tabs.items():
                    tab.sign_in(login, PASSWORD)
                story(server, tabs, folder, f"{kind}-{scheme}")
                for tab in tabs.values():
                    print(*tab.faults, sep="\n", end="")
                    tab.close()


def story(server: ServerProcess, tabs: dict[str, Tab], folder: Path, end: str) -> None:
    """From the ringing to the end."""
    alice = tabs[ALICE].page

    def shot(name: str) -> None:
        alice.wait_for_timeout(700)
        alice.screenshot(path=folder / f"conference-{name}-{end}.png", scale="css")

    tabs["bob"].page.goto(tabs["bob"].url + f"/#/chat/{ALICE}%40home.example")
    tabs["bob"].page.get_by_role("button", name="Video call").click()
    alice.get_by_role("alertdialog").wait_for()
    shot("ringing")
    alice.get_by_role("button", name="Decline").click()
    tabs["bob"].page.get_by_role("button", name="Leave", exact=True).click()

    alice.goto(tabs[ALICE].url + "/#/")
    alice.get_by_role("button", name="Create conference").click()
    alice.get_by_role("textbox", name="Name of the conference").fill("Shed on Saturday")
    alice.get_by_role("button", name="Create", exact=True).click()
    tiles(alice, 1)
    shot("1")
    with Wire(server.port).connect("grace", PASSWORD) as grace:
        view = next(one for one in grace.ask("CONFERENCE-LIST")["conferences"] if one["name"] == "Shed on Saturday")
    for count, login in enumerate(GUESTS, 2):
        page = tabs[login].page
        page.goto(tabs[login].url + f"/#/conference/{view['id']}")
        join = page.get_by_role("main").get_by_role("button", name="Join", exact=True).last
        join.wait_for()
        if count == 2:
            page.locator("video").wait_for()
            page.wait_for_timeout(700)
            page.screenshot(path=folder / f"conference-preview-{end}.png", scale="css")
        join.click()
        tiles(alice, count)
        if count == 2:
            shot("2")
    tabs["dmitri"].page.get_by_role("button", name="Mute microphone").click()
    alice.get_by_text("Microphone off").first.wait_for(state="attached")
    shot("4")
    bob = alice.locator("figure").first
    bob.get_by_role("button", name="Actions for").click()
    alice.get_by_role("button", name="Compare the security number").click()
    alice.locator("dialog .number span").first.wait_for()
    shot("number")
    alice.keyboard.press("Escape")
    chat = tabs["bob"].page
    chat.get_by_role("button", name="Chat", exact=True).click()
    chat.get_by_role("textbox", name="Write to all here").fill("The van is settled, nine o'clock")
    chat.keyboard.press("Enter")
    alice.get_by_role("button", name="Chat", exact=True).click()
    alice.get_by_role("textbox", name="Write to all here").fill("Lovely. I bring coffee")
    alice.keyboard.press("Enter")
    alice.get_by_role("log").get_by_text("I bring coffee").wait_for()
    shot("chat")
    alice.get_by_role("button", name="Close").first.click()
    alice.get_by_role("button", name="End for all").click()
    alice.locator("figure").first.wait_for(state="detached")


def tiles(page: Page, count: int) -> None:
    """Wait until so many pictures are seen."""
    until(
        page,
        "(count) => [...document.querySelectorAll('figure video')]"
        ".filter((one) => one.videoWidth > 0 && one.currentTime > 0).length === count",
        count,
    )
