"""Conferences in the browser: three people with a colour and a tone of their own, and what each of them sees and hears.

Each test is one story, since starting browsers is what takes the time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.guests import Guest, all_see_all, create, has_no_violations, join, tile
from tests.support.browser import until
from tests.support.seen import heard, hears, is_silent, sees
from tests.support.server import ServerProcess


def test_three_people_see_and_hear_each_other(guests: Callable[[int], list[Guest]]) -> None:
    """Creating, joining by one click through a friend, leaving and coming back, the owner's end for all.

    Rows: A57, A59, A63, A44 (partly), A45 (partly), A65 (partly), A70.
    """
    ann, bob, cleo = people = guests(3)
    create(ann, "Tea")
    expect(ann.page.get_by_role("heading", name="Tea")).to_be_visible()
    has_no_violations(ann.page)
    join(bob)
    sees(bob.page, ann.login, "red")
    join(cleo)
    all_see_all(people)
    for one in people:
        expect(one.page.locator('figure[data-state="connected"]')).to_have_count(3)
    has_no_violations(bob.page)
    bob.button("Leave").click()
    for one in (ann, cleo):
        expect(one.page.locator("figure")).to_have_count(2)
    expect(bob.page.locator("figure")).to_have_count(0)
    join(bob)
    all_see_all(people)
    ann.button("End for all").click()
    for one in (bob, cleo):
        expect(one.page.get_by_role("status").get_by_text("“Tea” is over")).to_be_visible()
        expect(one.page.locator("figure")).to_have_count(0)


def test_switches_and_screen(guests: Callable[[int], list[Guest]]) -> None:
    """The microphone, the camera and the screen; the owner mutes; the text chat; the bar beside other pages.

    Rows: A62, A68 (partly), A69 (partly), A64 (partly).
    """
    ann, bob = guests(2)
    create(ann, "Switches")
    join(bob)
    hears(ann.page, bob.login, "green")
    bob.button("Mute microphone").click()
    expect(tile(ann, bob).get_by_text("Microphone off")).to_be_attached()
    is_silent(ann.page, bob.login)
    bob.button("Unmute microphone").click()
    hears(ann.page, bob.login, "green")

    bob.button("Turn off camera").click()
    expect(tile(ann, bob).locator(".nobody")).to_be_visible()
    bob.button("Turn on camera").click()
    sees(ann.page, bob.login, "green")

    sees(bob.page, ann.login, "red")
    ann.button("Share screen").click()
    expect(tile(bob, ann).get_by_text("Shares the screen")).to_be_attached()
    sees(bob.page, ann.login, "green")  # as the screen of such a browser is
    ann.button("Stop sharing").click()
    sees(bob.page, ann.login, "red")

    bob.button("Chat").click()
    bob.page.get_by_role("textbox", name="Write to all here").fill("hello there")
    bob.page.keyboard.press("Enter")
    ann.button("Chat").click()
    expect(ann.page.get_by_role("log").get_by_text("hello there")).to_be_visible()
    has_no_violations(ann.page)

    tile(ann, bob).get_by_role("button", name="Actions for").click()
    ann.button("Mute in the conference").click()
    expect(bob.page.get_by_text("The owner has muted you.")).to_be_visible()
    bob.button("Ask to speak").click()
    tile(ann, bob).get_by_role("button", name="Let them speak again").click()
    bob.button("Unmute microphone").click()
    hears(ann.page, bob.login, "green")

    bob.page.get_by_role("link", name="Back", exact=True).first.click()
    bar = bob.page.get_by_role("group", name="Switches")
    expect(bar).to_be_visible()
    bob.page.get_by_role("link", name=ann.login, exact=True).click()
    bob.page.get_by_role("textbox", name="Message").wait_for()
    hears(ann.page, bob.login, "green")
    bar.get_by_role("link").click()
    sees(bob.page, ann.login, "red")

    tile(ann, bob).get_by_role("button", name="Actions for").click()
    ann.button("Make owner").click()
    expect(bob.button("End for all")).to_be_visible()
    expect(ann.button("End for all")).to_have_count(0)


def test_calling_a_friend(guests: Callable[[int], list[Guest]]) -> None:
    """A call is taken, another one declined; what came of it stands in the conversation.

    Rows: V22 (partly), V23 (partly), V24 (partly), V25 (partly), V33 (partly).
    """
    ann, bob = guests(2)
    ann.talk_to(bob.login)
    ann.button("Video call").click()
    card = bob.page.get_by_role("alertdialog", name=f"{ann.login} is calling")
    card.wait_for()
    has_no_violations(bob.page)
    card.get_by_role("button", name="Accept").click()
    sees(bob.page, ann.login, "red")
    sees(ann.page, bob.login, "green")
    hears(ann.page, bob.login, "green")
    bob.button("Leave").click()
    expect(ann.page.locator("figure")).to_have_count(1)
    ann.button("Leave").click()
    ann.talk_to(bob.login)
    ann.button("Voice call").click()
    card.get_by_role("button", name="Decline").click()
    card.wait_for(state="hidden")
    ann.button("Leave").click()
    ann.talk_to(bob.login)
    expect(ann.page.get_by_role("log").get_by_text("Declined")).to_be_visible()


def test_the_server_restarts_during_a_call(
    browsers: dict[str, Browser], guests: Callable[..., list[Guest]], tmp_path: Path
) -> None:
    """While it is away sound and picture go on; then the legs have their places again, and a third one comes in.

    Rows: X05 (partly), X07 (partly).
    """
    own = ServerProcess(tmp_path / "data", "--registration", "open").start()
    try:
        ann, bob, cleo = guests(3, own.port)
        create(ann, "Storm")
        join(bob)
        sees(ann.page, bob.login, "green")
        own.kill()
        ann.page.get_by_text("The server is away.").wait_for()
        before = ann.page.evaluate(FRAMES, bob.login)
        until(ann.page, f"(before) => ({FRAMES})('{bob.login}') > before + 5", before)
        hears(ann.page, bob.login, "green")
        own.start()
        for one in (ann, bob, cleo):
            until(one.page, "() => document.documentElement.dataset.state === 'connected'", within_s=40)
        join(cleo)
        for one, other in ((cleo, ann), (cleo, bob), (ann, cleo), (bob, cleo), (ann, bob)):
            sees(one.page, other.login, other.colour)
    finally:
        own.stop()


FRAMES = """(login) => [...document.querySelectorAll("figure")].find((one) => one.dataset.leg.startsWith(login + "@"))
  .querySelector("video").getVideoPlaybackQuality().totalVideoFrames"""


def test_without_camera_and_by_link(browsers: dict[str, Browser], guests: Callable[[int], list[Guest]]) -> None:
    """Who refuses the camera is told, and sees is shown as a name; the link lets in.

    Rows: A49 (partly), A37 (partly).
    """
    ann, bob = guests(2)
    bob.page.add_init_script(
        """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wants) => {
          // on loopback alone a browser finds a way only for pages that it has trusted with a device once
          for (const track of (await ask(wants)).getTracks()) track.stop();
          throw new DOMException("no", "NotAllowedError");
        };"""
    )
    bob.open("/")
    bob.is_connected()
    create(ann, "Names only")
    ann.button("Conference settings").click()
    has_no_violations(ann.page)
    ann.page.get_by_label("Who may come in").select_option("link")
    ann.context.grant_permissions(["clipboard-read", "clipboard-write", "camera", "microphone"])
    expect(ann.button("Copy link")).to_be_enabled()
    ann.button("Copy link").click()
    ann.page.get_by_text("The link is copied.").wait_for()
    link = ann.page.evaluate("() => navigator.clipboard.readText()")
    ann.page.keyboard.press("Escape")
    bob.page.goto(link)
    expect(bob.page.get_by_text("does not let this page use the camera")).to_be_visible()
    has_no_violations(bob.page)
    bob.page.get_by_role("main").get_by_role("button", name="Join", exact=True).last.click()
    sees(bob.page, ann.login, "red")
    hears(bob.page, ann.login, "red")
    expect(tile(ann, bob).locator(".nobody")).to_be_visible()
    expect(tile(ann, bob).get_by_text("Microphone off")).to_be_attached()
    assert heard(ann.page, bob.login) == 0


def test_the_camera_is_unplugged(guests: Callable[[int], list[Guest]]) -> None:
    """The process that has it is killed, as if it were: that is told to all, and it can be turned on when it is back.

    In THE CONFERENCE, which is joined by one click.

    Rows: A60, A50 (partly).
    """
    ann, bob = guests(2)
    for one in (ann, bob):
        one.button("The Veche").click()
        one.button("Leave").wait_for()
    sees(ann.page, bob.login, "green")
    assert bob.kill("VideoCaptureService") == 1
    expect(bob.page.get_by_text("The camera is gone.")).to_be_visible()
    expect(tile(ann, bob).locator(".nobody")).to_be_visible()
    bob.button("Turn on camera").click()
    sees(ann.page, bob.login, "green")


def test_a_silent_connection_is_restarted(guests: Callable[[int], list[Guest]]) -> None:
    """Nothing comes any more: the caller restarts the ICE of the same connection, and sound and picture go on.

    Rows: V31 (partly).
    """
    ann, bob = guests(2)
    for one in (ann, bob):
        one.page.add_init_script(
            """window.connections = [];
            const real = RTCPeerConnection;
            window.RTCPeerConnection = class extends real {
              constructor(...args) { super(...args); connections.push(this); }
              get connectionState() { return this.pretended ?? super.connectionState; }
            };"""
        )
        one.open("/")
        one.is_connected()
    create(ann, "Wires")
    join(bob)
    sees(ann.page, bob.login, "green")
    before = [one.page.evaluate(UFRAG) for one in (ann, bob)]
    for one in (ann, bob):
        one.page.evaluate(
            """() => {
              const [pc] = connections;
              pc.pretended = "disconnected";
              pc.dispatchEvent(new Event("connectionstatechange"));
              pc.addEventListener("signalingstatechange", () => delete pc.pretended);
            }"""
        )
    expect(tile(ann, bob).get_by_text("Weak connection")).to_be_visible()
    until(ann.page, f"(before) => ({UFRAG})() !== before", before[0])
    until(bob.page, f"(before) => ({UFRAG})() !== before", before[1])
    for one, other in ((ann, bob), (bob, ann)):
        expect(tile(one, other).get_by_text("Weak connection")).to_have_count(0)
        assert one.page.evaluate("() => connections.length") == 1
        sees(one.page, other.login, other.colour)
        hears(one.page, other.login, other.colour)


UFRAG = "() => /a=ice-ufrag:(.+)/.exec(connections[0].localDescription.sdp)[1]"
