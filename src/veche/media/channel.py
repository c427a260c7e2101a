"""Private sessions over a WebRTC data channel: where no TCP path exists, and with browsers, which cannot listen.

    client.private.bearer = DataChannels(Paths(ice_servers=...))

The channel is called `private`, reliable and in order; one message is one line, its end may be left out.  It carries
what a TLS link carries (net/direct.py), and is held by the same `DirectLink`: below it stands a transport that is a
data channel.  Both ends are known by the DTLS fingerprints in the two descriptions, which the server has carried.

A data channel cannot be made to wait by its reader, so what comes while nobody reads is kept, up to `MAX_KEPT_BYTES`.

Source: rows T43, T52, X11; packets/private.py; RFC 8831, RFC 8832.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from aiortc import RTCDataChannel

from veche.net.direct import DirectLink, NoDirectPath

from .connection import BadDescription, Connection, NoAddress, Paths
from .pair import ufrag_of

LABEL = "private"
OPEN_S = 20.0
"""From both descriptions to an open channel."""
MAX_KEPT_BYTES = 4 * 1024 * 1024
FLUSH_S, FLUSH_LOOK_S = 2.0, 0.02
NO_PATH = "There is no path to the other device, direct or by data channel."


class DataChannels:
    """The bearer of private sessions that client/private.py is given."""

    def __init__(self, paths: Paths | None = None) -> None:
        self.paths = paths or Paths()

    async def offer(self) -> ChannelMeeting:
        """Ask: its `sdp` goes to the other device, whose answer `meet` takes.  Raises NoDirectPath."""
        meeting = ChannelMeeting(self.paths)
        meeting.opens(meeting.connection.pc.createDataChannel(LABEL))
        await meeting.describe(None)
        return meeting

    async def answer(self, sdp: str) -> ChannelMeeting:
        """Say yes to such an offer: its `sdp` goes back.  Raises NoDirectPath."""
        meeting = ChannelMeeting(self.paths)
        meeting.connection.pc.on("datachannel", meeting.opens)
        await meeting.describe(sdp)
        return meeting


class ChannelMeeting:
    """Two devices on their way to a channel."""

    def __init__(self, paths: Paths) -> None:
        self.sdp = ""
        self._is_answer = False
        loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[RTCDataChannel] = loop.create_future()
        self._link: DirectLink | None = None
        self.connection = Connection(paths, (), up=lambda: None, down=self._down, took=lambda _: None)

    async def describe(self, offer: str | None) -> None:
        """Make our description.  offer: theirs, if they made one.  Raises NoDirectPath."""
        try:
            if offer is not None and not ("m=application" in offer and ufrag_of(offer)):
                raise BadDescription("The offer of the other device holds no data channel.")
            if offer is None:
                self.sdp = await self.connection.describe()
            else:
                self._is_answer = True
                self.sdp = await self.connection.answer(offer)
        except BaseException as error:
            await self.close()
            if isinstance(error, BadDescription | NoAddress):
                raise NoDirectPath(str(error)) from None
            raise

    async def meet(self, answer: str = "") -> DirectLink:
        """The link, once the channel is open and the other device is heard.  Raises NoDirectPath."""
        link: DirectLink | None = None
        try:
            async with asyncio.timeout(OPEN_S if answer else None):
                if answer:
                    await self.connection.accept(answer)
                channel = await self._opened
                self._link = link = DirectLink()
                transport = ChannelTransport(self.connection, channel, link.lines)
                link.lines.connection_made(transport)
                transport.begin()
                if self._is_answer:
                    link.greet()
                elif not await link.heard():
                    raise NoDirectPath(NO_PATH)
                return link
        except BaseException as error:
            if link is not None:
                link.abort()
            await self.close()
            if isinstance(error, BadDescription | NoAddress):
                raise NoDirectPath(str(error)) from None
            if isinstance(error, TimeoutError):
                raise NoDirectPath(NO_PATH) from None
            raise

    async def close(self) -> None:
        """Nobody will meet here.  Idempotent."""
        if self._opened.done():
            if not self._opened.cancelled():
                self._opened.exception()
        else:
            self._opened.cancel()
        await self.connection.close()

    def opens(self, channel: RTCDataChannel) -> None:
        """This is the channel, once it opens; one of another name is none of ours."""
        if channel.label != LABEL:
            return
        if channel.readyState == "open":
            self._open(channel)
        else:
            channel.on("open", lambda: self._open(channel))

    def _open(self, channel: RTCDataChannel) -> None:
        if not self._opened.done():
            self._opened.set_result(channel)

    def _down(self, reason: str) -> None:
        if not self._opened.done():
            self._opened.set_exception(NoDirectPath(NO_PATH))


class ChannelTransport(asyncio.Transport):
    """An asyncio transport that is a data channel."""

    def __init__(self, connection: Connection, channel: RTCDataChannel, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._connection, self._channel, self._protocol = connection, channel, protocol
        self._loop = asyncio.get_running_loop()
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._is_reading = self._begun = False
        self._is_closing = self._is_waiting = False
        self._high = 64 * 1024
        self._ending: asyncio.Task[None] | None = None
        channel.on("message", self._received)
        channel.on("close", self.abort)
        channel.on("bufferedamountlow", self._drained)
        connection.pc.on("connectionstatechange", self._state_changed)

    def begin(self) -> None:
        """Hand on what comes, if reading was not paused meanwhile."""
        self._begun = True
        self.resume_reading()

    # -- out

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._is_closing:
            return
        for line in bytes(data).splitlines(keepends=True):
            with suppress(Exception):  # the channel closes while we speak: its close event says so
                self._channel.send(line.decode("utf-8", "replace"))
        if not self._is_waiting and self._channel.bufferedAmount > self._high:
            self._is_waiting = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high or 64 * 1024
        self._channel.bufferedAmountLowThreshold = low or self._high // 4

    def get_write_buffer_size(self) -> int:
        return int(self._channel.bufferedAmount)

    def _drained(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._protocol.resume_writing()

    # -- in

    def is_reading(self) -> bool:
        return self._is_reading

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        if not self._begun:
            return
        self._is_reading = True
        while self._kept and self._is_reading and not self._is_closing:
            line = self._kept.popleft()
            self._kept_bytes -= len(line)
            self._protocol.data_received(line)

    def _received(self, message: bytes | str) -> None:
        if self._is_closing:
            return
        line = message.encode("utf-8", "replace") if isinstance(message, str) else message
        if not line.endswith(b"\n"):
            line += b"\r\n"
        self._kept.append(line)
        self._kept_bytes += len(line)
        if self._kept_bytes > MAX_KEPT_BYTES:
            self.abort()
        elif self._is_reading:
            self.resume_reading()

    # -- the end

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        """What was written is sent first."""
        if not self._is_closing:
            self._is_closing = True
            self._ending = self._loop.create_task(self._end(FLUSH_S))

    def abort(self) -> None:
        self._is_closing = True
        if self._ending is None:
            self._ending = self._loop.create_task(self._end(0))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def _state_changed(self) -> None:
        if self._connection.pc.connectionState in ("failed", "closed"):
            self.abort()

    async def _end(self, patience_s: float) -> None:
        looks = int(patience_s / FLUSH_LOOK_S)
        for look in range(looks):
            await asyncio.sleep(FLUSH_LOOK_S)
            if look and (self._channel.readyState != "open" or not self._channel.bufferedAmount):
                break  # the last of it has had time to be on its way
        await self._connection.close()
        self._protocol.connection_lost(None)
