"""python -m bench.conference_browser: how soon one sees a friend, and what a conference of four pages costs.

`join`: a person with the main window open clicks on Join beside a friend who is in a conference; milliseconds until
the first picture of the friend is shown, measured in that page.  Two Chromium processes, each with a camera.

`mesh`: four pages in one Chromium, 320x180, 15 pictures a second and a tone, each to all others, over `--secs` seconds;
CPU of all its processes in per cent of one core.  `veche` is the conference window; `bare` four pages with the same
cameras and microphones, plain RTCPeerConnections and a video element for each, in the same places, and no more.  In
turn, each run in a browser of its own.

Needs Chromium and the browser client as built: python3 dev.py build.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserType, Page, sync_playwright

from tests.support.browser import Tab, until
from tests.support.conferences import friends
from tests.support.seen import launch, start, tone
from tests.support.server import ServerProcess
from tests.support.wire import home

LEGS = 4
WIDTH, HEIGHT, FPS = 320, 180, 15
SETTLE_MS = 4000
GOAL_MS = 500
GOAL_RATIO = 1.15

JOIN = """async (login) => {
  const button = [...document.querySelectorAll("button")].find((one) => one.textContent.trim() === "Join");
  const from = performance.now();
  button.click();
  return await new Promise((resolve) => {
    const look = () => {
      const video = document.querySelector(`figure[data-leg^="${login}@"] video`);
      if (video === null) requestAnimationFrame(look);
      else video.requestVideoFrameCallback((at) => resolve(at - from));
    };
    look();
  });
}"""

BARE = """async () => {
  const grid = document.createElement("div");
  Object.assign(grid.style, { position: "fixed", inset: "0", display: "grid", gap: "12px", background: "#1d2429",
    gridTemplate: "1fr 1fr / 1fr 1fr" });
  document.body.replaceChildren(grid);
  const show = (stream, muted) => {
    const video = Object.assign(document.createElement("video"), { autoplay: true, playsInline: true, muted });
    Object.assign(video.style, { width: "100%", height: "100%", minHeight: "0", objectFit: "cover" });
    video.srcObject = stream;
    grid.append(video);
  };
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    video: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24, max: 30 } },
  });
  const gathered = (pc) => new Promise((resolve) => {
    const look = () => pc.iceGatheringState === "complete" && resolve(pc.localDescription.sdp);
    pc.addEventListener("icegatheringstatechange", look);
    look();
  });
  window.pcs = [];
  const make = (other) => {
    const pc = pcs[other] = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const remote = new MediaStream();
    pc.ontrack = ({ track }) => {
      remote.addTrack(track);
      if (remote.getTracks().length === 2) show(remote, false);
    };
    for (const track of stream.getTracks()) pc.addTrack(track);
    return pc;
  };
  window.offer = async (other) => {
    const pc = make(other);
    await pc.setLocalDescription();
    return gathered(pc);
  };
  window.answer = async (other, sdp) => {
    const pc = make(other);
    await pc.setRemoteDescription({ type: "offer", sdp });
    await pc.setLocalDescription();
    return gathered(pc);
  };
  window.accept = (other, sdp) => pcs[other].setRemoteDescription({ type: "answer", sdp });
  show(new MediaStream(stream.getVideoTracks()), true);
}"""

FRAMES = """() => [...document.querySelectorAll("video")].filter((one) => !one.muted)
  .reduce((sum, one) => sum + one.getVideoPlaybackQuality().totalVideoFrames, 0)"""
ALL_PLAY = f"""() => {{
  const them = [...document.querySelectorAll("video")].filter((one) => !one.muted);
  return them.length === {LEGS - 1} && them.every((one) => one.videoWidth > 0);
}}"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.conference_browser", description=__doc__)
    parser.add_argument("what", nargs="*", choices=("join", "mesh", []), help="which figures (default: both)")
    parser.add_argument("--joins", type=int, default=12)
    parser.add_argument("--runs", type=int, default=3, help="of each kind of mesh, in turn")
    parser.add_argument("--secs", type=float, default=10.0, help="of the standing mesh")
    args = parser.parse_args()
    home.move()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        server = ServerProcess(folder / "data", "--registration", "open").start()
        try:
            if "mesh" not in args.what or "join" in args.what:
                joins(playwright.chromium, server, folder, args.joins)
            if "join" not in args.what or "mesh" in args.what:
                meshes(playwright.chromium, server, folder, args.runs, args.secs)
        finally:
            server.stop()


# -- joining


def joins(chromium: BrowserType, server: ServerProcess, folder: Path, count: int) -> None:
    """Bob joins ann, again and again."""
    logins = accounts(server, 2)
    browsers = [launch(chromium, folder, colour) for colour in ("red", "green")]
    ann, bob = (signed_in(browser, server, login) for browser, login in zip(browsers, logins, strict=True))
    create_in(ann, "Bench")
    took: list[float] = []
    for _ in range(count):
        bob.get_by_role("button", name="Join").first.wait_for()
        took.append(bob.evaluate(JOIN, logins[0]))
        bob.get_by_role("button", name="Leave").click()
        ann.locator("figure").nth(1).wait_for(state="detached")
    for browser in browsers:
        browser.close()
    print(
        f"click on Join to first picture: median {statistics.median(took):.0f} ms of {count}, "
        f"{min(took):.0f} to {max(took):.0f}, the first one {took[0]:.0f} (goal: below {GOAL_MS})",
        flush=True,
    )


# -- the mesh


def meshes(chromium: BrowserType, server: ServerProcess, folder: Path, runs: int, secs: float) -> None:
    """Both kinds in turn."""
    camera = film(folder / "bench.y4m")
    microphone = tone(folder / "bench.wav", "red")
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "veche": []}
    makes: dict[str, Callable[[Browser, ServerProcess], Sequence[Page]]] = {"bare": bare, "veche": veche}
    for _ in range(runs):
        for kind, make in makes.items():
            browser = start(
                chromium,
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={camera}",
                f"--use-file-for-fake-audio-capture={microphone}",
            )
            pages = make(browser, server)
            for page in pages:
                until(page, ALL_PLAY, within_s=60)
            found[kind].append(measure(browser, pages, secs))
            print(f"  {kind:<6} {found[kind][-1][0]:6.1f} % CPU {found[kind][-1][1]:6.1f} pictures/s", flush=True)
            browser.close()
    middle = {kind: [statistics.median(column) for column in zip(*each, strict=True)] for kind, each in found.items()}
    for kind, (cpu, frames) in middle.items():
        print(f"mesh of {LEGS}, {kind:<6} {cpu:6.1f} % of a core, {frames:6.1f} pictures/s arrive")
    ratio = middle["veche"][0] / middle["bare"][0]
    print(f"CPU of veche over bare: {ratio:.2f} (goal: at most {GOAL_RATIO})")


def measure(browser: Browser, pages: Sequence[Page], secs: float) -> tuple[float, float]:
    """CPU in per cent of one core, and pictures that arrive in a second, while nobody touches the pages."""
    session: Any = browser.new_browser_cdp_session()
    pages[0].wait_for_timeout(SETTLE_MS)

    def look() -> tuple[float, float, float]:
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        frames = sum(page.evaluate(FRAMES) for page in pages)
        return pages[0].evaluate("performance.now() / 1000"), sum(one["cpuTime"] for one in processes), frames

    before = look()
    pages[0].wait_for_timeout(secs * 1000)
    took, cpu, frames = (after - earlier for after, earlier in zip(look(), before, strict=True))
    return cpu / took * 100, frames / took


def bare(browser: Browser, server: ServerProcess) -> Sequence[Page]:
    """Pages of the same origin, connected by hand."""
    pages = [browser.new_context(viewport={"width": 1280, "height": 800}).new_page() for _ in range(LEGS)]
    for page in pages:
        page.goto(f"http://127.0.0.1:{server.port}/healthz")
        page.evaluate(BARE)
    for one, other in combinations(range(LEGS), 2):
        sdp = pages[one].evaluate("(other) => offer(other)", other)
        sdp = pages[other].evaluate("([other, sdp]) => answer(other, sdp)", [one, sdp])
        pages[one].evaluate("([other, sdp]) => accept(other, sdp)", [other, sdp])
    return pages


def veche(browser: Browser, server: ServerProcess) -> Sequence[Page]:
    """The conference window of four people."""
    pages = [signed_in(browser, server, login) for login in accounts(server, LEGS)]
    create_in(pages[0], "Mesh")
    for page in pages[1:]:
        page.get_by_role("button", name="Join").first.click()
        page.get_by_role("button", name="Leave").wait_for()
    return pages


def accounts(server: ServerProcess, count: int) -> list[str]:
    """New friends; their links are closed."""
    wires = friends(server.port, *(f"bench{number}" for number in range(count)))
    for wire in wires:
        wire.close()
    return [wire.login for wire in wires]


def signed_in(browser: Browser, server: ServerProcess, login: str) -> Page:
    return Tab(browser, f"http://127.0.0.1:{server.port}").sign_in(login)


def create_in(page: Page, name: str) -> None:
    page.get_by_role("button", name="Create conference").click()
    page.get_by_role("textbox", name="Name of the conference").fill(name)
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("button", name="Leave").wait_for()


def film(path: Path) -> Path:
    """A slope that moves: a Y4M file of three seconds."""
    flat = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(3 * FPS):
            slope = bytes(16 + (column + 5 * number) % 200 for column in range(WIDTH + HEIGHT))
            file.write(b"FRAME\n" + b"".join(slope[row : row + WIDTH] for row in range(HEIGHT)) + flat)
    return path


if __name__ == "__main__":
    main()
