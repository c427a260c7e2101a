"""A Python leg and a bare page of Chromium: offers either way, trickled candidates, restarts; pixels and tones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from tests.support.browser import CHROMIUM, FLAGS, NO_CHROMIUM
from tests.support.media import Watch, timed, until
from veche.media import LOOPBACK, Engine, LegState, LinkState, Shared
from veche.media.channel import DataChannels
from veche.media.pattern import Pattern, pattern, sources_of
from veche.net.direct import DirectLink
from veche.packets import ErrorCode
from veche.packets.conference import Conference, Leg, Signal, SignalKind, Signalled

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)

PAGE, PYTHON = "page@here/1", "python@here/1"
SHOWN = Pattern("red", "blue", 860)
"""Of the page."""
SCRIPT = """
window.stream = (() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
  const context = canvas.getContext('2d');
  let count = 0;
  setInterval(() => {
    context.fillStyle = 'rgb(255,0,0)'; context.fillRect(0, 0, 160, 180);
    context.fillStyle = 'rgb(0,0,255)'; context.fillRect(160, 0, 160, 180);
    context.fillStyle = count++ % 2 ? 'white' : 'black'; context.fillRect(0, 158, 320, 22);
  }, 66);
  const audio = window.audio = new AudioContext({ sampleRate: 48000 });
  const tone = new OscillatorNode(audio, { frequency: 860 });
  const out = new MediaStreamAudioDestinationNode(audio);
  tone.connect(new GainNode(audio, { gain: 0.3 })).connect(out); tone.start();
  return new MediaStream([...canvas.captureStream(15).getTracks(), ...out.stream.getTracks()]);
})();
window.begin = () => {
  window.pc?.close();
  const pc = window.pc = new RTCPeerConnection();
  for (const track of stream.getTracks()) pc.addTrack(track, stream);
  pc.onicecandidate = ({ candidate: one }) =>
    signal('candidate', '', one?.candidate ?? '', one?.sdpMid ?? '', one?.sdpMLineIndex ?? 0);
  pc.ontrack = ({ track }) => {
    if (track.kind === 'video') {
      window.video = document.createElement('video');
      Object.assign(video, { muted: true, srcObject: new MediaStream([track]) });
      video.play();
    } else {
      const element = window.silent = Object.assign(new Audio(), { muted: true, srcObject: new MediaStream([track]) });
      element.play();
      window.analyser = new AnalyserNode(audio, { fftSize: 8192 });
      audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    }
  };
};
window.offer = async (options) => {
  await pc.setLocalDescription(await pc.createOffer(options));
  signal('offer', pc.localDescription.sdp, '', '', 0);
};
window.take = async (kind, sdp) => {
  if (kind === 'bye') return;
  await pc.setRemoteDescription({ type: kind, sdp });
  if (kind !== 'offer') return;
  await pc.setLocalDescription();
  signal('answer', pc.localDescription.sdp, '', '', 0);
};
window.gathered = (pc) => new Promise((resolve) => {
  const look = () => pc.iceGatheringState === 'complete' && resolve(pc.localDescription.sdp);
  pc.addEventListener('icegatheringstatechange', look);
  look();
});
window.talk = (channel) => {
  window.channel = channel;
  window.heard = [];
  channel.onmessage = ({ data }) => heard.push(JSON.parse(data));
};
window.askPrivately = async () => {
  const pc = window.pc = new RTCPeerConnection();
  talk(pc.createDataChannel('private'));
  await pc.setLocalDescription();
  return gathered(pc);
};
window.answerPrivately = async (sdp) => {
  const pc = window.pc = new RTCPeerConnection();
  pc.ondatachannel = ({ channel }) => { talk(channel); channel.send(JSON.stringify({ type: 'PING' })); };
  await pc.setRemoteDescription({ type: 'offer', sdp });
  await pc.setLocalDescription();
  return gathered(pc);
};
window.perceived = () => {
  const found = { left: [], right: [], tone: 0, state: pc.connectionState };
  if (window.video?.videoWidth) {
    const context = new OffscreenCanvas(320, 180).getContext('2d');
    context.drawImage(video, 0, 0, 320, 180);
    found.left = [...context.getImageData(80, 70, 1, 1).data];
    found.right = [...context.getImageData(240, 70, 1, 1).data];
  }
  if (window.analyser) {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    if (bins[loudest] > -60) found.tone = loudest * 48000 / 8192;
  }
  return found;
};
void 0;
"""
GREEN, BLACK = (0, 255, 0), (0, 0, 0)


class Meeting:
    """The page and the Python leg, with the server left out."""

    def __init__(self, page: Page, *, is_page_calling: bool) -> None:
        self.page, self.watch = page, Watch()
        self.states: list[LegState] = []
        # the initiator calls everybody (row V09)
        initiator = PAGE if is_page_calling else PYTHON
        at = "1970-01-01T00:00:00Z"
        legs = [
            Leg(id=id, user=id.partition("/")[0], epoch=epoch, initiator=initiator, at=at)
            for epoch, id in enumerate((PAGE, PYTHON), 1)
        ]
        conference = Conference(id="c", name="C", owner="", at=at, legs=legs, epoch=2)
        self._tasks: set[asyncio.Task[Any]] = set()
        source = Shared(*sources_of(pattern(2)))
        self.engine = Engine(
            conference,
            PYTHON,
            self._to_page,
            paths=LOOPBACK,
            source=source,
            sinks=[self.watch],
            told=self.states.append,
        )

    def _to_page(self, signal: Signal) -> None:
        task = asyncio.create_task(self.page.evaluate("([kind, sdp]) => take(kind, sdp)", [signal.kind, signal.sdp]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def from_page(self, kind: str, sdp: str, candidate: str, mid: str, mline: int) -> None:
        self.engine.handle(
            Signalled(
                id="c", from_=PAGE, epoch=2, kind=SignalKind(kind), sdp=sdp, candidate=candidate, mid=mid, mline=mline
            )
        )

    async def both_perceive(self) -> None:
        """From now on."""
        self.watch.forget()
        await until(lambda: self.watch.perceives(PAGE, SHOWN), "what the page sends, at the Python leg")
        loop = asyncio.get_running_loop()
        end = loop.time() + 20
        while not self.is_pattern(found := await self.page.evaluate("perceived()")):
            assert loop.time() < end, found
            await asyncio.sleep(0.05)

    @staticmethod
    def is_pattern(found: dict[str, Any]) -> bool:
        """Pattern 2 at the page: green, black, 550 Hz."""
        return is_near(found["left"], GREEN) and is_near(found["right"], BLACK) and abs(found["tone"] - 550) < 15


def is_near(colour: list[int], wanted: tuple[int, int, int]) -> bool:
    return len(colour) == 4 and all(abs(a - b) < 60 for a, b in zip(colour, wanted, strict=False))


@asynccontextmanager
async def bare_page() -> AsyncGenerator[Page]:
    async with async_playwright() as playwright:
        flags = [*FLAGS, "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = await browser.new_page()
        try:
            yield page
        finally:
            await browser.close()


@asynccontextmanager
async def meeting(*, is_page_calling: bool) -> AsyncGenerator[Meeting]:
    async with bare_page() as page:
        made: list[Meeting] = []

        def signal(kind: str, sdp: str, candidate: str, mid: str, mline: int) -> None:
            made[0].from_page(kind, sdp, candidate, mid, mline)

        untyped: Any = page
        await untyped.expose_function("signal", signal)
        await page.goto("about:blank")
        await page.evaluate(SCRIPT)
        await page.evaluate("begin()")
        made.append(Meeting(page, is_page_calling=is_page_calling))
        try:
            yield made[0]
        finally:
            await made[0].engine.close()


@timed()
async def test_a_page_answers_a_python_leg_and_they_see_and_hear_each_other() -> None:
    """Rows: A51 (partly)."""
    async with meeting(is_page_calling=False) as two:
        await two.both_perceive()


@timed()
async def test_a_page_calls_with_candidates_that_come_later_and_begins_anew_by_a_fresh_offer() -> None:
    async with meeting(is_page_calling=True) as two:
        await two.page.evaluate("offer()")
        await two.both_perceive()
        await two.page.evaluate("begin(), offer()")
        await until(lambda: two.engine.states[PAGE].state is not LinkState.CONNECTED, "a new connection")
        await two.both_perceive()


@timed()
async def test_a_page_that_restarts_ice_is_connected_again() -> None:
    """aiortc has no ICE restart: another connection of ours answers, and the page takes its fingerprint."""
    async with meeting(is_page_calling=True) as two:
        await two.page.evaluate("offer()")
        await two.both_perceive()
        await two.page.evaluate("offer({ iceRestart: true })")
        await until(lambda: two.engine.states[PAGE].state is not LinkState.CONNECTED, "a new connection")
        await two.both_perceive()


async def talk(page: Page, link: DirectLink) -> None:
    """A text each way, and the page says goodbye."""
    said: list[str] = []
    ended: list[tuple[bool, ErrorCode | None]] = []
    link.start(said.append, lambda by_peer, code: ended.append((by_peer, code)))
    link.say("hello \N{SNOWMAN}")
    await page.evaluate("channel.send(JSON.stringify({ type: 'PRIVATE', text: 'hi ' + 'x'.repeat(5000) }))")
    await until(lambda: said == ["hi " + "x" * 5000], "the text of the page")
    await page.wait_for_function("heard.some(({ type, text }) => type === 'PRIVATE' && text === 'hello \\u2603')")
    await page.evaluate("channel.send(JSON.stringify({ type: 'PRIVATE-BYE' }))")
    await until(lambda: ended == [(True, None)], "its goodbye")
    await link.closed()


@timed()
async def test_a_private_session_that_a_page_asks_for() -> None:
    """Rows: X11 (partly)."""
    async with bare_page() as page:
        await page.goto("about:blank")
        await page.evaluate(SCRIPT)
        mine = await DataChannels(LOOPBACK).answer(await page.evaluate("askPrivately()"))
        meeting = asyncio.create_task(mine.meet())
        await page.evaluate("(sdp) => pc.setRemoteDescription({ type: 'answer', sdp })", mine.sdp)
        link = await meeting
        await page.wait_for_function("heard.some(({ type }) => type === 'PING')")
        await talk(page, link)


@timed()
async def test_a_private_session_that_a_page_is_asked_for() -> None:
    """Rows: X11 (partly)."""
    async with bare_page() as page:
        await page.goto("about:blank")
        await page.evaluate(SCRIPT)
        mine = await DataChannels(LOOPBACK).offer()
        link = await mine.meet(await page.evaluate("(sdp) => answerPrivately(sdp)", mine.sdp))
        await talk(page, link)
