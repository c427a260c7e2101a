"""docs/screenshots: the pages of the browser client, wide and narrow, light and dark; and the icons of web/public.

    python3 -m tools.screenshots            all of them
    python3 -m tools.screenshots settings   those whose name has this in it
    python3 -m tools.screenshots icons      web/public/icon-*.png from icon.svg

A real server with some days of talk on it; the days are made by moving its clock marks back in the database.
"""

from __future__ import annotations

import base64
import io
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, FilePayload, Page

from tests.support.browser import Tab, chromium
from tests.support.files import upload
from tests.support.server import ServerProcess
from tests.support.wire import Wire
from tools import screenshots_conference

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/screenshots"
PUBLIC = ROOT / "web/public"
WIDE, NARROW = (1440, 900), (360, 740)
PASSWORD = "a password"

PEOPLE = {
    "alice": ("Alice Moreau", "Building a shed"),
    "bob": ("Bob Ferreira", "on vacation until Monday"),
    "chloe": ("Chloé Lambert", "in the workshop"),
    "dmitri": ("Дмитрий", ""),
    "emre": ("Emre K.", "call me after five"),
    "fatima": ("فاطمة", ""),
    "grace": ("Grace H.", "reading"),
    "henrik": ("Henrik Dahl", ""),
    "ines": ("Inês Duarte", ""),
    "judith": ("Judith", ""),
}
FRIENDS = ("bob", "chloe", "dmitri", "emre", "fatima", "grace")
GROUPS = {"bob": "family", "emre": "work", "grace": "work/reading circle", "dmitri": "work"}
"""Whom alice has sorted."""

DAY_S = 86_400
TALK = [
    (-2, "alice", "Did you find the plans for the shed?"),
    (-2, "bob", "I did! They were in the blue folder all along."),
    (-2, "bob", "> three windows\n\nI would make it **two**, the north wall is *always* wet."),
    (-2, "alice", "Two it is then."),
    (-1, "bob", "Here is what we still need:\n- screws, `4 x 60`\n- roofing felt, 10 m\n- somebody with a van"),
    (-1, "alice", "Chloé has a van. I ask her."),
    (-1, "alice", "The shop: https://timber.example/felt?width=100"),
    (0, "bob", "Van is settled, she comes on Saturday at nine."),
    (0, "bob", "Bring gloves, and the good ladder 🪜"),
    (0, "alice", "Will do. I also made a list of what to carry up first, so that we are not in each other's way."),
    (0, "bob", "🎉"),
]
ANNOUNCEMENT = (
    "The server moves to a bigger disk on **Sunday at nine** and is away for an hour. "
    "What you write meanwhile is sent afterwards. More: https://home.example/disk"
)


class Shot(NamedTuple):
    """One page: how to come to it from a page that is signed in as alice, or from a blank one."""

    path: str
    is_signed_in: bool
    prepare: Callable[[Page, ServerProcess], object]


def nothing(page: Page, server: ServerProcess) -> None:
    """The page is as it should be."""


def open_talk(page: Page, server: ServerProcess) -> None:
    page.get_by_role("log").get_by_text("🎉").wait_for()


def open_details(page: Page, server: ServerProcess) -> None:
    page.get_by_role("region", name="Details").get_by_label("My notes").wait_for()


def search(page: Page, server: ServerProcess) -> None:
    page.get_by_role("searchbox", name="Search in this conversation").fill("van")
    page.get_by_text("3 found").wait_for()


def requests_shown(page: Page, server: ServerProcess) -> None:
    page.get_by_role("button", name="Accept").wait_for()


def show_groups(page: Page, server: ServerProcess) -> None:
    page.get_by_role("button", name="Groups").click()


def devices_shown(page: Page, server: ServerProcess) -> None:
    page.get_by_text("this device").wait_for()


def announce(page: Page, server: ServerProcess) -> None:
    tell_everyone(server, ANNOUNCEMENT)
    page.get_by_role("region", name="Announcement").wait_for()


def open_account(page: Page, server: ServerProcess) -> None:
    accounts = page.get_by_role("list", name="Accounts")
    accounts.get_by_role("button", name="bob").click()
    page.get_by_role("button", name="Disable").scroll_into_view_if_needed()


def invite(page: Page, server: ServerProcess) -> None:
    page.get_by_role("button", name="Create invitation").click()
    page.get_by_role("dialog").wait_for()


def lose_the_server(page: Page, server: ServerProcess) -> None:
    server.kill()
    page.get_by_role("textbox", name="Message").fill("I am on my way")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("No connection.").wait_for()


def open_files(page: Page, server: ServerProcess) -> None:
    page.get_by_role("log").locator(".picture img").nth(2).wait_for()
    page.get_by_role("list", name="Direct transfers").get_by_text("wants to send you a file").wait_for()
    sketch = FilePayload(name="sketch of the north wall.png", mimeType="image/png", buffer=landscape("#8fa3ad", 480))
    bill = FilePayload(name="timber-bill.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4" + b" " * 184_000)
    page.locator("input[type=file][data-for=message]").set_input_files([sketch, bill])
    page.get_by_role("listitem").get_by_text("Uploaded").nth(1).wait_for()


def open_viewer(page: Page, server: ServerProcess) -> None:
    page.get_by_role("log").get_by_role("button", name="Open picture harbour.jpg").click()
    page.locator("dialog img[data-whole=true]").wait_for()


SHOTS = {
    "sign-in": Shot("/", False, nothing),
    "invite": Shot("/invite/1a2b-3c4d-5e6f-7a8b-9c0d#sha256=" + "5e" * 32, False, nothing),
    "main": Shot("/#/", True, requests_shown),
    "groups": Shot("/#/", True, show_groups),
    "conversation": Shot("/#/chat/bob%40home.example", True, open_talk),
    "files": Shot("/#/chat/chloe%40home.example", True, open_files),
    "viewer": Shot("/#/chat/chloe%40home.example", True, open_viewer),
    "details": Shot("/#/chat/bob%40home.example/about", True, open_details),
    "search": Shot("/#/chat/bob%40home.example/search", True, search),
    "profile": Shot("/#/profile", True, nothing),
    "settings": Shot("/#/settings", True, devices_shown),
    "offline": Shot("/#/chat/bob%40home.example", True, lose_the_server),
    "new-password": Shot("/#/reset/bob/1a2b-3c4d-5e6f-7a8b-9c0d", False, nothing),
    "announcement": Shot("/#/", True, announce),
    "admin": Shot("/#/admin", True, open_account),
    "admin-invite": Shot("/#/admin", True, invite),
}


def main(argv: list[str]) -> int:
    wanted = argv[0] if argv else ""
    with chromium() as browser:
        if wanted == "icons":
            return draw_icons(browser)
        with tempfile.TemporaryDirectory() as folder:
            server = ServerProcess(Path(folder) / "data", "--registration", "invite", "--domain", "home.example")
            try:
                wires = populate(server)
                for size in (WIDE, NARROW):
                    for scheme in ("light", "dark"):
                        take(browser, server, wires, wanted, size, scheme)
                if wanted in "conference":
                    screenshots_conference.take(browser, server, FOLDER, {"wide": WIDE, "narrow": NARROW})
            finally:
                server.stop()
    return 0


def take(
    browser: Browser, server: ServerProcess, wires: list[Wire], wanted: str, size: tuple[int, int], scheme: str
) -> None:
    """All the wanted pages in one size and theme."""
    width, height = size
    options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "reduced_motion": "reduce"}
    url = f"http://127.0.0.1:{server.port}"
    fresh, alice = Tab(browser, url, **options), Tab(browser, url, **options)
    alice.sign_in("alice", PASSWORD)
    for name, shot in SHOTS.items():
        if wanted not in name:
            continue
        tab = alice if shot.is_signed_in else fresh
        tab.page.goto("about:blank")
        page = tab.open(shot.path)
        tab.is_connected()
        shot.prepare(page, server)
        page.wait_for_timeout(600)  # pictures and fonts
        page.screenshot(path=FOLDER / f"{name}-{'wide' if size == WIDE else 'narrow'}-{scheme}.png", scale="css")
        if server.process is not None and server.process.poll() is not None:
            server.start()
            for wire in wires:
                wire.close()
            wires[:] = arrive(server)
    tell_everyone(server, "")
    for tab in (fresh, alice):
        print(*tab.faults, sep="\n", end="")
        tab.close()


# -- what there is to be seen


def populate(server: ServerProcess) -> list[Wire]:
    """Accounts, friends, requests and some days of talk; returns the links of those who are there."""
    server.start()
    code = next(line for line in server.said if "--code" in line).split("--code ")[1].split()[0]
    first = Wire(server.port)
    first.register("alice", PASSWORD, code=code)
    first.close()
    server.stop()
    server.flags = (*server.flags, "--registration", "open")
    server.start()
    wires = {login: account(server, login) for login in PEOPLE}
    alice = wires["alice"]
    for login in FRIENDS:
        wires[login].ask("FRIEND-REQUEST", login="alice")
        alice.ask("FRIEND-ANSWER", login=login, accepted=True)
    alice.ask("CONTACTS-CHANGE", id="bob", memo="Borrowed the long saw in May.")
    for login, group in GROUPS.items():
        alice.ask("CONTACTS-CHANGE", id=login, group=group)
    wires["henrik"].ask("FRIEND-REQUEST", login="alice")
    alice.ask("FRIEND-REQUEST", login="ines")
    ids: list[tuple[int, int]] = []
    for day, author, text in TALK:
        ids.append((day, wires[author].say("alice" if author == "bob" else "bob", text)["id"]))
    wires["bob"].ask("REACT", id=ids[3][1], emoji="👍")
    alice.ask("REACT", id=ids[7][1], emoji="❤️")
    wires["alice"].ask("EDIT", id=ids[9][1], text=TALK[9][2].replace("I also made", "I made"))
    for login, text in (
        ("chloe", "Saturday at nine, I bring the van and coffee ☕"),
        ("dmitri", "Посмотри, пожалуйста, когда будет время"),
        ("fatima", "شكرا جزيلا على المساعدة"),
        ("emre", "See you on Monday"),
    ):
        wires[login].say("alice", text)
    reply = wires["bob"].say("alice", "Perfect, then I take the planks.", reply_to=ids[9][1])
    ids.append((0, reply["id"]))
    wires["alice"].send("MESSAGE-READ", id=reply["id"])
    wires["bob"].send("MESSAGE-READ", id=ids[9][1])
    wires["dmitri"].say("alice", "Это не срочно")
    show_files(wires["chloe"], wires["alice"])
    wires["judith"].say("alice", "Hi Alice, we met at the market. Is the ladder still for sale?")
    for wire in wires.values():
        wire.ask("CONTACTS-GET")
        wire.close()
    server.stop()
    with sqlite3.connect(server.data / "veche.db") as database:
        for day, id in ids:
            database.execute("UPDATE message SET at = at + ? WHERE id = ?", (day * DAY_S * 1_000_000, id))
        database.execute("UPDATE account SET seen_at = ?", (int((time.time() - 3 * 3600) * 1e6),))
    database.close()
    server.start()
    return arrive(server)


def arrive(server: ServerProcess) -> list[Wire]:
    """Some of the friends are there, one of them away."""
    wires = [Wire(server.port).connect(login, PASSWORD) for login in ("bob", "chloe", "emre")]
    wires[2].send("PRESENCE", away=True)
    wires[1].ask("SEND-FILE-PROXY", to="alice", filename="the whole film of the day.mp4", size=734_003_200)
    return wires


def tell_everyone(server: ServerProcess, text: str) -> None:
    """Announce something, or nothing any more."""
    with Wire(server.port).connect("alice", PASSWORD) as wire:
        wire.ask("ADMIN-ANNOUNCE", text=text)


def show_files(chloe: Wire, alice: Wire) -> None:
    """Two people and what they send each other."""
    harbour = upload(chloe, landscape("#e2a15f", 1600, "jpeg"), "harbour.jpg")
    shed = [
        upload(chloe, landscape(colour, 900, "jpeg"), f"shed {colour[1:]}.jpg") for colour in ("#7fa7a0", "#b9805a")
    ]
    plans = [
        upload(alice, b"PK\x03\x04" + bytes(2_411_000), "plans for the shed, second version (final).zip"),
        upload(alice, b"MZ" + bytes(811_000), "saw-setup.exe"),
    ]
    chloe.say("alice", "This is where I get the planks", files=[harbour["id"]])
    alice.say("chloe", "Lovely light! Here are the plans.", files=[one["id"] for one in plans])
    chloe.say("alice", "", files=[one["id"] for one in shed])


def landscape(sky: str, width: int, kind: str = "png") -> bytes:
    """A picture of hills and a hut under a sky of that colour."""
    height = width * 2 // 3
    image = Image.new("RGB", (width, height), sky)
    draw = ImageDraw.Draw(image)
    for step in range(height):
        tone = tuple(int(one + (255 - one) * step / height * 0.75) for one in image.getpixel((0, 0)) or (0,))  # type: ignore[union-attr]
        draw.line([(0, step), (width, step)], fill=tone)
    draw.ellipse([width * 0.68, height * 0.16, width * 0.78, height * 0.31], fill="#fff3d6")
    for colour, top, left in (("#5d7468", 0.58, -0.2), ("#43594e", 0.66, 0.35), ("#2f4038", 0.76, -0.1)):
        draw.ellipse([width * left, height * top, width * (left + 0.95), height * (top + 0.9)], fill=colour)
    x, y, side = width * 0.24, height * 0.6, width * 0.13
    draw.rectangle([x, y, x + side, y + side * 0.8], fill="#8a4b23")
    draw.polygon([(x - side * 0.12, y), (x + side / 2, y - side * 0.5), (x + side * 1.12, y)], fill="#3a2a20")
    draw.rectangle([x + side * 0.4, y + side * 0.3, x + side * 0.62, y + side * 0.8], fill="#f1d9a8")
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def account(server: ServerProcess, login: str) -> Wire:
    wire = Wire(server.port)
    if login != "alice":
        wire.register(login, PASSWORD)
    wire.connect(login, PASSWORD)
    name, note = PEOPLE[login]
    wire.ask("PROFILE-UPDATE", name=name, note=note)
    return wire


def draw_icons(browser: Browser) -> int:
    """The icons that want pixels: as it is in two sizes, and one that fills its square for systems that cut it."""
    svg = (PUBLIC / "icon.svg").read_text()
    full = svg.replace(' rx="14"', "").replace("scale(.94)", "scale(.72)")
    page = browser.new_page()
    for name, drawing, side in (("192", svg, 192), ("512", svg, 512), ("maskable-512", full, 512)):
        page.set_viewport_size({"width": side, "height": side})
        encoded = base64.b64encode(drawing.encode()).decode()
        page.set_content(f'<body style="margin:0"><img width={side} src="data:image/svg+xml;base64,{encoded}">')
        page.screenshot(path=PUBLIC / f"icon-{name}.png", omit_background=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
