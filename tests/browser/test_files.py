"""Files in the browser: attached, shown, fetched, and passed on directly."""

from __future__ import annotations

import base64
import io
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page, Request, expect

from tests.support.browser import Tab, until
from tests.support.files import answer, fetched, get, kept, offered, put, sha256, upload
from tests.support.server import ServerProcess, wait_for
from tests.support.wire import Wire, newcomer

from .conftest import Person, befriend
from .test_pages import check
from .test_people import entry
from .test_talking import log

ATTACHED = "Attached files"
IN_ONE = "input[type=file][data-for=message]"
TO_TRANSFER = "input[type=file][data-for=transfer]"


def picture(colour: str = "teal", size: tuple[int, int] = (900, 600), kind: str = "png") -> bytes:
    """A picture file."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def attach(page: Page, *files: tuple[str, bytes], type: str = "") -> None:
    """Pick files."""
    payloads = [
        FilePayload(name=name, mimeType=type or "application/octet-stream", buffer=data) for name, data in files
    ]
    page.locator(IN_ONE).set_input_files(payloads)


GIVE = """([name, type, base64, kind]) => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    if (kind === "paste") {
        const event = new ClipboardEvent("paste", { clipboardData: dataTransfer, bubbles: true, cancelable: true });
        document.querySelector("textarea").dispatchEvent(event);
    } else {
        const options = { dataTransfer, bubbles: true, cancelable: true };
        document.querySelector(".talk").dispatchEvent(new DragEvent(kind, options));
    }
}"""


def give(page: Page, kind: str, name: str, data: bytes, type: str = "image/png") -> None:
    """An event of the page with a file in it: dragenter, drop or paste."""
    page.evaluate(GIVE, [name, type, base64.b64encode(data).decode(), kind])


def uploaded(page: Page, count: int = 1) -> None:
    """All that is attached is on the server."""
    items = page.get_by_role("list", name=ATTACHED).get_by_role("listitem")
    expect(items).to_have_count(count)
    expect(items.get_by_text("Uploaded")).to_have_count(count)


def saved(page: Page, button: Locator) -> tuple[str, bytes]:
    """Click, and what the browser saves then: its name, its bytes."""
    with page.expect_download() as downloading:
        button.click()
    path = downloading.value.path()
    return downloading.value.suggested_filename, Path(path).read_bytes()


@pytest.fixture(scope="module")
def tabs(browser: Browser, server: ServerProcess) -> Iterator[tuple[Tab, Tab]]:
    """Two friends with browsers, each in the conversation with the other; for all who leave the server running."""
    with newcomer(server.port, "alice") as one, newcomer(server.port, "bob") as other:
        befriend(one, other)
        names = one.login, other.login
    tabs = Tab(browser, f"http://127.0.0.1:{server.port}"), Tab(browser, f"http://127.0.0.1:{server.port}")
    for tab, me, peer in zip(tabs, names, reversed(names), strict=True):
        tab.context.set_default_timeout(15_000)
        tab.sign_in(me)
        tab.talk_to(peer)
    yield tabs
    for tab in tabs:
        tab.close()
    assert tabs[0].faults + tabs[1].faults == []


@pytest.fixture
def pair(tabs: tuple[Tab, Tab], server: ServerProcess) -> Iterator[tuple[Person, Person]]:
    """The same two, each with a bare link besides."""
    wires = [Wire(server.port).connect(tab.login, device="wire") for tab in tabs]
    yield Person(tabs[0], wires[0]), Person(tabs[1], wires[1])
    for wire in wires:
        wire.close()


def newest(page: Page) -> Locator:
    """The last message."""
    return log(page).locator("li[data-id]").last


def test_pictures_are_picked_dropped_and_pasted_and_seen_by_the_other(pair: tuple[Person, Person]) -> None:
    """Each of them opens large, goes on by arrow, and is fetched as it was sent.

    Rows: M48 (partly), X18 (partly).
    """
    alice, bob = pair
    page = alice.page
    first, second, third = picture("teal"), picture("maroon", (300, 900)), picture("olive", (64, 64))
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Attach files").click()
    choosing.value.set_files({"name": "harbour.png", "mimeType": "image/png", "buffer": first})
    give(page, "dragenter", "x", b"")
    expect(page.get_by_text(f"Drop files here to send them to {bob.login}")).to_be_visible()
    give(page, "drop", "tall.png", second)
    expect(page.get_by_text("Drop files here")).to_be_hidden()
    give(page, "paste", "image.png", third)
    uploaded(page, 3)
    expect(page.get_by_role("list", name=ATTACHED).get_by_title(re.compile(r"^Picture 20.*[.]png$"))).to_be_visible()
    page.get_by_role("button", name="Remove harbour.png").click()
    uploaded(page, 2)
    attach(page, ("harbour.png", first), type="image/png")
    uploaded(page, 3)
    alice.tab.write("Three of them")
    expect(page.get_by_role("list", name=ATTACHED)).to_be_hidden()

    page = bob.page
    pictures = newest(page).get_by_role("button", name=re.compile("^Open picture"))
    expect(pictures).to_have_count(3)
    expect(pictures.locator("img")).to_have_count(3)
    until(page, "() => [...document.querySelectorAll('.picture img')].every((one) => one.naturalWidth > 0)")
    pictures.first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer).to_have_accessible_name("tall.png")
    expect(viewer.get_by_text("1 of 3")).to_be_visible()
    expect(viewer.locator("img[data-whole=true]")).to_be_visible()
    until(page, "() => document.querySelector('dialog img').naturalHeight === 900")
    assert saved(page, viewer.get_by_role("button", name="Download tall.png")) == ("tall.png", second)
    page.keyboard.press("End")
    expect(viewer).to_have_accessible_name("harbour.png")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert saved(page, viewer.get_by_role("button", name="Download harbour.png")) == ("harbour.png", first)
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(pictures.first).to_be_focused()


def test_a_message_of_files_alone_is_told_in_the_list_and_can_be_taken_back(pair: tuple[Person, Person]) -> None:
    """Rows: M48 (partly)."""
    alice, bob = pair
    page = alice.page
    give(page, "paste", "harbour.png", picture())
    uploaded(page)
    page.get_by_role("textbox", name="Message").press("Enter")
    expect(newest(page).get_by_role("button", name="Open picture harbour.png")).to_be_visible()
    expect(entry(page, bob.login)).to_contain_text("You: Photo")
    attach(page, ("minutes of the meeting.pdf", b"%PDF-1.4 ..."), ("notes.txt", b"notes"))
    uploaded(page, 2)
    page.get_by_role("button", name="Send").click()
    expect(entry(bob.page, alice.login)).to_contain_text("2 files")
    rows = newest(bob.page).locator(".file")
    expect(rows).to_have_count(2)
    assert saved(bob.page, rows.get_by_role("button", name="Download notes.txt")) == ("notes.txt", b"notes")
    newest(page).hover()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(0)
    expect(newest(bob.page)).to_contain_text("This message was deleted.")


def test_names_and_types_are_never_trusted(pair: tuple[Person, Person]) -> None:
    """What could act in a page is a plain download with a warning; a name is text without a path.

    Rows: M48 (partly), M58.
    """
    alice, bob = pair
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "taken"</script></svg>'
    page = alice.page
    attach(page, ("pixel.svg", svg), ("page.html", b"<script>document.title = 'taken'</script>"), type="image/png")
    attach(page, ("<img src=x onerror=alert(1)>.txt", b"x"), ("..\\..\\invoice\u202efdp.exe", b"MZ"))
    attach(page, ("a very long name of a file that says nothing at all until it comes to its end.txt", b"y"))
    uploaded(page, 5)
    page.get_by_role("button", name="Send").click()
    page = bob.page
    rows = newest(page).locator(".file")
    expect(rows).to_have_count(5)
    expect(rows.get_by_text("May be a program")).to_have_count(3)
    expect(newest(page).locator("img")).to_have_count(0)
    expect(rows.get_by_text("_img src=x onerror=alert(1)_.txt")).to_be_visible()
    row = rows.filter(has_text="a very long name")
    expect(row.locator(".tail")).to_have_text("s end.txt")
    expect(row.locator(".tail")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Download invoicefdp.exe").click()
    asked = page.get_by_role("dialog", name="This may be a program")
    asked.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Download pixel.svg").click()
    assert saved(page, asked.get_by_role("button", name="Download")) == ("pixel.svg", svg)
    assert page.title() != "taken"


def test_what_cannot_be_sent_says_why_and_what_to_do(tab: Callable[..., Tab], own_server: ServerProcess) -> None:
    """Too large, too many, the quota of the account, a folder; what is removed is not sent.  Rows: M48 (partly)."""
    own_server.stop()
    own_server.flags = (*own_server.flags, "--file-bytes", "50000", "--account-bytes", "60000")
    own_server.start()
    with newcomer(own_server.port, "bob") as bob, newcomer(own_server.port, "alice") as wire:
        befriend(bob, wire)
        alice = tab(own_server.port)
        page = alice.sign_in(wire.login)
        alice.talk_to(bob.login)
        attach(page, ("large.dat", os.urandom(50_001)), ("fits.dat", os.urandom(50_000)))
        expect(page.get_by_text("Too large: a file may have at most 50 kB here.")).to_be_visible()
        expect(page.get_by_role("button", name="Try large.dat again")).to_be_hidden()
        expect(page.get_by_text("Remove what could not be uploaded, or try it again.")).to_be_visible()
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        page.get_by_role("button", name="Remove large.dat").click()
        uploaded(page)
        attach(page, ("more.dat", os.urandom(20_000)))
        expect(page.get_by_text("Your files take as much as they may here.")).to_be_visible()
        expect(page.get_by_role("button", name="Try more.dat again")).to_be_visible()
        page.get_by_role("button", name="Remove more.dat").click()
        attach(page, *((f"{number}.txt", b"%d" % number) for number in range(11)))
        expect(page.get_by_text("A message takes at most 10 files.")).to_be_visible()
        uploaded(page, 10)
        page.get_by_role("button", name="Remove 3.txt").click()
        page.get_by_role("button", name="Send").click()
        expect(log(page).locator(".file")).to_have_count(9)
        sent = bob.until("MESSAGE")[-1]
        assert [one["name"] for one in sent["files"]] == ["fits.dat", *(f"{n}.txt" for n in range(9) if n != 3)]


def test_an_upload_outlives_the_server_and_can_be_cancelled(
    tab: Callable[..., Tab], own_server: ServerProcess, tmp_path: Path
) -> None:
    """Its speed and the time left are told; killed in its middle, it goes on where the server stands.

    Rows: M48 (partly), M55 (partly), X18 (partly).
    """
    with newcomer(own_server.port, "bob") as bob, newcomer(own_server.port, "alice") as wire:
        befriend(bob, wire)
        names = bob.login, wire.login
    alice = tab(own_server.port)
    page = alice.sign_in(names[1])
    alice.talk_to(names[0])
    network = alice.context.new_cdp_session(page)

    def limit(bytes_a_second: int) -> None:
        limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second}
        network.send("Network.emulateNetworkConditions", limits)  # pyright: ignore[reportUnknownMemberType]

    offsets: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PUT":
            offsets.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    network.send("Network.enable")  # pyright: ignore[reportUnknownMemberType]
    limit(2_500_000)
    data = os.urandom(9_000_000)
    (tmp_path / "film.dat").write_bytes(data)
    page.locator(IN_ONE).set_input_files(tmp_path / "film.dat")
    bar = page.get_by_role("progressbar", name="film.dat")
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"MB of 9 MB · .*/s · .* left"))
    expect(page.get_by_text("You can send once 1 file is uploaded.")).to_be_visible()
    until(page, "() => Number(document.querySelector('[role=progressbar]').ariaValueNow) >= 30")
    own_server.kill()
    expect(page.get_by_text("Goes on when the connection is back")).to_be_visible()
    limit(-1)
    own_server.start()
    page.get_by_role("button", name="Try now").or_(page.locator("html[data-state=connected]")).first.click()
    uploaded(page)
    assert offsets[0] == 0
    assert offsets[-1] > 1_000_000
    alice.write("The film")
    with Wire(own_server.port).connect(names[0], device="fresh") as bob:
        file = bob.ask("HISTORY-GET", peer=names[1])["messages"][-1]["files"][0]
        assert (file["name"], file["sha256"]) == ("film.dat", sha256(data))
        assert fetched(bob, file["id"]) == data

        limit(1_000_000)
        attach(page, ("dropped.dat", os.urandom(1_500_000)))
        until(page, "() => Number(document.querySelector('[role=progressbar]')?.ariaValueNow ?? 0) >= 10")
        with page.expect_response(lambda response: response.request.method == "DELETE") as deleting:
            page.get_by_role("button", name="Remove dropped.dat").click()
        assert deleting.value.status == 204
        expect(page.get_by_role("list", name=ATTACHED)).to_be_hidden()


def test_a_file_that_is_too_old_is_no_longer_on_the_server(tab: Callable[..., Tab], own_server: ServerProcess) -> None:
    """The message says what it had.  Rows: M48 (partly)."""
    with newcomer(own_server.port, "bob") as bob, newcomer(own_server.port, "alice") as wire:
        befriend(bob, wire)
        names = bob.login, wire.login
        files = [upload(bob, data, name)["id"] for data, name in ((picture(), "a.png"), (b"x", "b.txt"))]
        bob.say(wire.login, "Two of them", files=files)
    own_server.stop()
    with sqlite3.connect(own_server.data / "veche.db") as database:
        database.execute("UPDATE file SET at = 0")
    database.close()
    own_server.start()
    wait_for(lambda: not kept(own_server))
    alice = tab(own_server.port)
    page = alice.sign_in(names[1])
    alice.talk_to(names[0])
    expect(log(page).get_by_role("button", name="a.png: No longer on the server")).to_be_disabled()
    log(page).get_by_role("button", name="Download b.txt").click()
    expect(page.get_by_text("b.txt is no longer on the server.")).to_be_visible()
    expect(log(page).locator(".file").get_by_text("No longer on the server")).to_be_visible()


# -- from one to another


def offer(page: Page, path: Path) -> None:
    """Offer the other one a file."""
    page.get_by_role("link", name="Details").click()
    page.get_by_role("button", name="Send a file directly").wait_for()
    page.locator(TO_TRANSFER).set_input_files(path)


def card(page: Page, name: str) -> Locator:
    """What a page says of a direct transfer."""
    return page.get_by_role("list", name="Direct transfers").get_by_role("listitem").filter(has_text=name)


def test_a_file_goes_directly_once_the_other_has_said_yes(pair: tuple[Person, Person], tmp_path: Path) -> None:
    """Refused, cancelled, taken back, asked in the list, and by keyboard.

    Rows: M49, M50, M51, M52, M53, M54, M57 (partly), M58 (partly), X18 (partly).
    """
    alice, bob = pair
    data = os.urandom(3_000_000)
    (tmp_path / "film.exe").write_bytes(data)
    (tmp_path / "notes.txt").write_bytes(b"notes")
    offer(alice.page, tmp_path / "film.exe")
    expect(card(alice.page, "film.exe")).to_contain_text(f"Waiting for {bob.login} to accept")
    asked = card(bob.page, "film.exe")
    expect(asked).to_contain_text(f"{alice.login} wants to send you a file")
    expect(asked).to_contain_text("3 MB")
    expect(asked).to_contain_text("May be a program")
    check(bob.page, 1280, "asked")
    asked.get_by_role("button", name="Accept").click()
    warned = bob.page.get_by_role("dialog", name="This may be a program")
    assert saved(bob.page, warned.get_by_role("button", name="Download")) == ("film.exe", data)
    expect(asked).to_contain_text("Saved")
    expect(card(alice.page, "film.exe")).to_contain_text("Sent")
    for page in (alice.page, bob.page):
        page.get_by_role("button", name="Dismiss").click()
        expect(card(page, "film.exe")).to_have_count(0)

    bob.page.evaluate("() => { location.hash = '#/settings' }")
    offer(alice.page, tmp_path / "notes.txt")
    asked = card(bob.page, "notes.txt")
    asked.get_by_role("button", name="Refuse").focus()
    bob.page.keyboard.press("Enter")
    expect(card(alice.page, "notes.txt")).to_contain_text(f"{bob.login} refused it.")
    expect(asked).to_have_count(0)
    alice.page.get_by_role("button", name="Dismiss").click()

    offer(alice.page, tmp_path / "notes.txt")
    expect(asked).to_be_visible()
    alice.page.get_by_role("button", name="Cancel notes.txt").click()
    expect(card(alice.page, "notes.txt")).to_contain_text("You cancelled it.")
    bob.tab.talk_to(alice.login)
    expect(asked).to_contain_text(f"{alice.login} cancelled it.")


def test_another_program_sends_and_fetches_directly_too(pair: tuple[Person, Person], tmp_path: Path) -> None:
    """What came otherwise than its sender said is thrown away; what is cancelled in its middle ends for both.

    Rows: M55 (partly), M57 (partly), M58 (partly).
    """
    alice, bob = pair
    page = alice.page
    data = os.urandom(1_000_000)
    (tmp_path / "notes.dat").write_bytes(data)
    offer(page, tmp_path / "notes.dat")
    id = bob.wire.until("SEND-FILE-PROXY-REQUEST")[-1]["transfer-id"]
    answer(bob.wire, "ACCEPT", id)
    ready = bob.wire.until("SEND-FILE-PROXY-READY")[-1]
    assert ready["sha256"] == sha256(data)
    assert get(bob.wire, ready["url"]).body == data
    expect(card(page, "notes.dat")).to_contain_text("Sent")

    offered(bob.wire, alice.wire, "first.dat", 1_000_000)
    card(page, "first.dat").get_by_role("button", name="Accept").click()
    ok = bob.wire.until("SEND-FILE-PROXY-OK")[-1]
    put(bob.wire, ok["url"], data[:600_000])
    bar = page.get_by_role("progressbar", name="first.dat")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("^[1-9]"))
    check(page, 1280, "moving")
    card(page, "first.dat").get_by_role("button", name="Cancel first.dat").click()
    assert bob.wire.until("SEND-FILE-PROXY-CANCELLED")[-1]["code"] == "withdrawn"
    expect(card(page, "first.dat")).to_contain_text("You cancelled it.")

    with page.expect_download() as downloading:
        offered(bob.wire, alice.wire, "second.dat", len(data))
        card(page, "second.dat").get_by_role("button", name="Accept").click()
        put(bob.wire, bob.wire.until("SEND-FILE-PROXY-OK")[-1]["url"], data)
    assert Path(downloading.value.path()).read_bytes() == data


PICK = """() => {
    globalThis.showSaveFilePicker = async ({ suggestedName }) => {
        const folder = await navigator.storage.getDirectory();
        return folder.getFileHandle(suggestedName, { create: true });
    };
}"""
PICKED = """async (name) => {
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle(name)).getFile();
    const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}"""


def test_a_large_file_goes_to_the_disk_as_it_comes(pair: tuple[Person, Person]) -> None:
    """Into a place that the person chooses, checked before it stays; else it is the browser's own download.

    Rows: M48 (partly), X18 (partly).
    """
    alice, bob = pair
    data = os.urandom(1_000_000) * 34
    file = upload(bob.wire, data, "large.dat")
    bob.wire.say(alice.login, "", files=[file["id"]])
    page = alice.page
    button = log(page).get_by_role("button", name="Download large.dat")
    page.evaluate("() => { globalThis.showSaveFilePicker = undefined }")
    name, got = saved(page, button)
    assert (name, sha256(got)) == ("large.dat", sha256(data))
    page.evaluate(PICK)
    button.click()
    page.get_by_role("progressbar", name="large.dat").wait_for()
    expect(button).to_be_visible()
    assert page.evaluate(PICKED, "large.dat") == sha256(data)


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_files_keep_nobody_out(person: Callable[..., Person], server: ServerProcess, width: int, scheme: str) -> None:
    """Rows: A04 (partly), A53 (partly)."""
    look = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "reduced_motion": "reduce"}
    alice = person("alice", **look)
    page = alice.page
    with newcomer(server.port, "bob") as bob:
        befriend(alice.wire, bob)
        pictures = [upload(bob, picture(colour), f"{colour}.png") for colour in ("teal", "maroon", "olive")]
        others = [upload(bob, b"MZ" + bytes(5000), "a long name of a program that asks to be cut in its middle.exe")]
        bob.say(alice.login, "Look", files=[one["id"] for one in [*pictures, *others]])
        bob.say(alice.login, "", files=[pictures[0]["id"]])
        alice.tab.talk_to(bob.login)
        expect(log(page).locator(".picture img")).to_have_count(4)
        attach(page, ("one.txt", b"1"), ("two.txt", b"2"))
        uploaded(page, 2)
        offered(bob, alice.wire, "offered.exe", 1000)
        expect(card(page, "offered.exe")).to_be_visible()
        check(page, width, "files")
        log(page).get_by_role("button", name="Open picture teal.png").last.focus()
        page.keyboard.press("Enter")
        expect(page.locator("dialog img[data-whole=true]")).to_be_visible()
        check(page, width, "viewer")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
