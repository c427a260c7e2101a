"""Off-the-record sessions in the browser: with another browser, and with a terminal; who says no, who goes, who breaks.

No path leaves loopback, and browsers tell each other the addresses of this machine, as in one network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import befriend
from tests.support.browser import CHROMIUM, FLAGS, Tab, until, violations
from tests.support.chat import Chat, Chats
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

STORED = """async (text) => {
    const found = [];
    for (const { name } of await indexedDB.databases()) {
        const database = await new Promise((resolve) => {
            const opening = indexedDB.open(name);
            opening.onsuccess = () => resolve(opening.result);
        });
        for (const store of database.objectStoreNames) {
            const all = await new Promise((resolve) => {
                const asking = database.transaction(store).objectStore(store).getAll();
                asking.onsuccess = () => resolve(asking.result);
            });
            if (JSON.stringify(all).includes(text)) found.push(store);
        }
        database.close();
    }
    if (JSON.stringify({ ...localStorage, ...sessionStorage }).includes(text)) found.push("Storage");
    return found;
}"""


@pytest.fixture(scope="module")
def open_browser(browser: Browser) -> Iterator[Browser]:
    """A browser that tells its addresses, also without a camera."""
    flags = [*FLAGS, "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"]
    made = browser.browser_type.launch(executable_path=CHROMIUM, args=flags)
    yield made
    made.close()


class Talker(Tab):
    """Somebody who talks off the record."""

    wire: Wire

    @property
    def session(self) -> Locator:
        return self.page.locator("section.private")

    @property
    def question(self) -> Locator:
        return self.page.get_by_role("alertdialog")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def ask(self, login: str) -> None:
        self.page.goto(f"{self.url}/#/chat/{login}/about")
        self.button("Start an off-the-record session").click()

    def stands(self) -> None:
        expect(self.session).to_have_attribute("data-state", "open", timeout=30_000)

    def is_over(self, why: str) -> None:
        expect(self.session.get_by_text(why)).to_be_visible(timeout=90_000)
        expect(self.session).to_have_attribute("data-state", "ended")

    def say(self, text: str) -> None:
        self.page.get_by_role("textbox", name="Say something off the record").fill(text)
        self.page.keyboard.press("Enter")

    def hears(self, text: str) -> None:
        expect(self.session.get_by_role("log").get_by_text(text, exact=True)).to_be_visible()


@pytest.fixture
def talkers(open_browser: Browser, server: ServerProcess) -> Iterator[Callable[..., list[Talker]]]:
    """Friends, signed in; at the end none of their pages may have complained."""
    made: list[Talker] = []

    def make(*names: str, port: int = server.port, **options: object) -> list[Talker]:
        wires = [newcomer(port, name) for name in names]
        for index, one in enumerate(wires):
            for other in wires[index + 1 :]:
                befriend(one, other)
        for wire in wires:
            talker = Talker(open_browser, f"http://127.0.0.1:{port}", **options)
            talker.context.set_default_timeout(15_000)
            talker.wire = wire
            talker.sign_in(wire.login)
            made.append(talker)
        return made[-len(names) :]

    yield make
    faults = [fault for one in made for fault in one.faults]
    for one in made:
        one.wire.close()
        one.close()
    assert faults == []


@contextmanager
def terminals(folder: Path) -> Generator[Chats]:
    chats = Chats(folder)
    try:
        yield chats
    finally:
        chats.close()


def meet(asker: Talker, asked: Talker) -> None:
    """A session between the two."""
    asker.ask(asked.login)
    expect(asked.question).to_contain_text(f"{asker.login} wants to talk off the record")
    asked.button("Accept").click()
    asker.stands()
    asked.stands()


def check(page: Page) -> None:
    """Nothing keeps anybody out, and nothing is wider than the page."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_two_browsers_talk_and_nothing_of_it_is_kept(talkers: Callable[..., list[Talker]]) -> None:
    """Consent, texts both ways while reading something else, the end, and that it is gone: here and at the server.

    Rows: X11 (partly), T42 (partly), T43 (partly), T49 (partly), T54 (partly), T57 (partly).
    """
    ann, bob = talkers("ann", "bob")
    sent: list[str] = []
    for one in (ann, bob):
        one.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
        one.page.reload()
        one.is_connected()
    meet(ann, bob)
    ann.say("a secret of ours")
    bob.hears("a secret of ours")
    bob.say("and one <b>more</b>\n\N{SNOWMAN}")
    ann.hears("and one <b>more</b> \N{SNOWMAN}")
    bob.page.evaluate("location.hash = '#/settings'")
    ann.say("are you there?")
    bar = bob.page.get_by_role("group", name=f"Off the record with {ann.login}")
    expect(bar).to_contain_text("1 unread message")
    bar.get_by_role("link").click()
    bob.hears("are you there?")
    for one in (ann, bob):
        assert one.page.evaluate(STORED, "a secret of ours") == []
        history = one.wire.ask("HISTORY-GET", peer=(bob if one is ann else ann).login)
        assert history["messages"] == []
    assert sent
    assert not [line for line in sent if "secret" in line or "are you there" in line]
    bob.button("End").click()
    bob.is_over("You have ended it.")
    ann.is_over(f"{bob.login} has ended it.")
    ann.hears("a secret of ours")
    ann.button("Put away").click()
    expect(ann.page.get_by_role("textbox", name="Message", exact=True)).to_be_visible()
    expect(ann.page.get_by_text("a secret of ours")).to_have_count(0)
    bob.button("Ask again").click()
    ann.button("Accept").click()
    ann.stands()
    bob.stands()
    bob.page.reload()
    bob.session.get_by_text("Nothing of an earlier one was kept").wait_for()
    ann.is_over(f"{bob.login} has signed out or closed the page.")


def test_each_session_needs_a_yes(talkers: Callable[..., list[Talker]]) -> None:
    """A no, a request that is taken back, one to somebody who is not there, and one who has blocked.

    Rows: T44 (partly), T45 (partly), T46 (partly), X06 (partly), X22 (partly).
    """
    ann, bob = talkers("ann", "bob")
    ann.ask(bob.login)
    expect(ann.session).to_have_attribute("data-state", "asking")
    bob.button("Decline").click()
    ann.is_over(f"{bob.login} does not want to talk off the record now.")
    expect(bob.question).to_have_count(0)
    ann.button("Ask again").click()
    expect(bob.question).to_be_visible()
    ann.button("Take back").click()
    expect(bob.question).to_have_count(0)
    bob.page.get_by_text(f"{ann.login} no longer waits for your answer.").wait_for()
    # who has blocked is not there for them, and sees nothing
    bob.wire.ask("BLOCK", login=ann.login)
    ann.button("Ask again").click()
    ann.is_over(f"{bob.login} is not there now.")
    expect(bob.question).to_have_count(0)
    bob.page.goto(f"{bob.url}/#/chat/{ann.login}/about")
    bob.button("Unblock").last.wait_for()
    expect(bob.button("Start an off-the-record session")).to_have_count(0)


def test_a_block_made_later_does_not_cut_a_session(talkers: Callable[..., list[Talker]]) -> None:
    """Rows: T53 (partly)."""
    ann, bob = talkers("ann", "bob")
    meet(ann, bob)
    bob.wire.ask("BLOCK", login=ann.login)
    until(bob.page, "() => document.querySelector('section.private') !== null")
    ann.say("still here")
    bob.hears("still here")


def test_two_who_ask_each_other_at_once_meet(talkers: Callable[..., list[Talker]]) -> None:
    """Rule 2 of the sessions; both offers are on their way before either is told of the other's."""
    ann, bob = talkers("ann", "bob")
    for one, other in ((ann, bob), (bob, ann)):
        one.page.goto(f"{one.url}/#/chat/{other.login}/about")
        one.button("Start an off-the-record session").wait_for()
    for one in (ann, bob):
        one.page.evaluate("""() => {
            const button = [...document.querySelectorAll("button")].find((it) => it.textContent.includes("off-the"));
            setTimeout(() => button.click(), 1000 - (Date.now() % 1000));
        }""")
    for one in (ann, bob):
        one.stands()
        expect(one.question).to_have_count(0)
    ann.say("both")
    bob.hears("both")
    bob.say("of us")
    ann.hears("of us")


def test_a_terminal_and_a_browser_talk(
    talkers: Callable[..., list[Talker]], server: ServerProcess, tmp_path: Path
) -> None:
    """Either may ask, either may end it.

    Rows: X11 (partly), T43 (partly), T49 (partly), T54 (partly).
    """
    (ann,) = talkers("ann")
    with newcomer(server.port, "tom") as wire:
        befriend(ann.wire, wire)
        tom_login = wire.login
    with terminals(tmp_path) as chats:
        tom = chats(server, tom_login).connected()
        ann.ask(tom_login)
        tom.until_text("would like to talk privately")
        tom.write(f"accept {ann.login}")
        tom.until_text("you talk with")
        ann.stands()
        exchange(ann, tom, "first")
        ann.button("End").click()
        tom.until_text("has ended the private session")
        ann.is_over("You have ended it.")
        tom.write(f"startprivate {ann.login}")
        ann.button("Accept").click()
        ann.stands()
        tom.until_text("you talk with")
        exchange(ann, tom, "second")
        tom.write(f"stopprivate {ann.login}")
        ann.is_over(f"{tom_login} has ended it.")
        tom.write(f"startprivate {ann.login}")
        ann.button("Decline").click()
        tom.until_text("does not want to talk privately")
        # a terminal that is killed says nothing
        ann.button("Ask again").click()
        tom.until_text("would like to talk privately")
        tom.write(f"accept {ann.login}")
        ann.stands()
        tom.process.kill()
        ann.is_over(f"The connection to {tom_login} was lost.")


def exchange(ann: Talker, tom: Chat, word: str) -> None:
    ann.say(f"{word} from the browser")
    tom.until_text(f"{word} from the browser")
    tom.write(f"private {ann.login} {word} from the terminal")
    ann.hears(f"{word} from the terminal")


def test_a_session_outlives_the_server_and_ends_with_the_page(
    talkers: Callable[..., list[Talker]], tmp_path: Path
) -> None:
    """Rows: X11 (partly), T52 (partly), T55 (partly)."""
    own = ServerProcess(tmp_path / "data", "--registration", "open").start()
    try:
        ann, bob = talkers("ann", "bob", port=own.port)
        meet(ann, bob)
        own.kill()
        for one in (ann, bob):
            expect(one.page.locator("html")).to_have_attribute("data-state", re.compile("reconnecting|connecting"))
        ann.say("without a server")
        bob.hears("without a server")
        bob.say("as with one")
        ann.hears("as with one")
        bob.page.close()
        ann.is_over(f"{bob.login} has signed out or closed the page.")
        ann.button("Ask again").click()
        ann.is_over("The server cannot be reached, so nobody can be asked now.")
    finally:
        own.stop()


def test_signing_out_ends_a_session_and_leaving_is_warned_of(talkers: Callable[..., list[Talker]]) -> None:
    """Rows: T55 (partly)."""
    ann, bob = talkers("ann", "bob")
    meet(ann, bob)
    bob.say("a word")  # a browser warns of a page in which somebody has done something
    ann.hears("a word")
    with bob.page.expect_event("dialog") as dialog:
        bob.page.once("dialog", lambda dialog: dialog.dismiss())
        bob.page.close(run_before_unload=True)
    assert dialog.value.type == "beforeunload"
    bob.say("I stay")
    ann.hears("I stay")
    bob.page.evaluate("location.hash = '#/settings'")
    bob.button("Sign out").last.click()
    bob.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    bob.button("Sign in").wait_for()
    ann.is_over(f"{bob.login} has signed out or closed the page.")


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(360, "light", "ru"), (360, "dark", "en"), (1280, "light", "fr")]
)
def test_a_session_keeps_nobody_out(
    talkers: Callable[..., list[Talker]], width: int, scheme: str, language: str
) -> None:
    """Rows: A04 (partly)."""
    look = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme, "reduced_motion": "reduce"}
    ann, bob = talkers("ann", "bob", **look)
    for one in (ann, bob):
        one.page.evaluate(
            "(language) => localStorage.setItem('veche-settings', JSON.stringify({ language }))", language
        )
        one.page.reload()
        one.is_connected()
    ann.page.evaluate("(peer) => { location.hash = `#/chat/${peer}/about` }", bob.login)
    ann.page.locator("button[aria-describedby=private-hint]").click()
    bob.question.wait_for()
    check(bob.page)
    check(ann.page)
    bob.question.get_by_role("button").first.click()
    ann.stands()
    bob.stands()
    for one, text in ((ann, "Is anybody listening?"), (bob, "x" * 300), (ann, "No.\nNobody is.")):
        one.session.get_by_role("textbox").fill(text)
        one.page.keyboard.press("Enter")
    expect(bob.session.locator(".one")).to_have_count(3)
    check(bob.page)
    bob.page.evaluate("location.hash = '#/'")
    bob.page.get_by_role("group").first.wait_for()
    check(bob.page)
    ann.session.locator("header button").click()
    expect(ann.session).to_have_attribute("data-state", "ended")
    check(ann.page)
