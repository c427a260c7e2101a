"""Private sessions with devices that no TLS link reaches, such as browsers: over a data channel (media/channel.py).

WebRTC takes half a second to load, so it is loaded with the first private session; where it cannot be loaded, sessions
go over TLS alone.  The STUN and TURN servers are those of the home server.

Source: rows T43, X11; packets/private.py.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from veche.client import Client, ClientError
from veche.client.private import Meeting
from veche.net.direct import NoDirectPath
from veche.packets.conference import IceServer, IceServersGet, IceServersGetOk

ASK_S = 2.0
"""So long the server is waited for; without its answer the two devices meet in one network alone."""


class Channels:
    """The bearer of a client's private sessions."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def offer(self) -> Meeting:
        return await (await self._bearer()).offer()

    async def answer(self, sdp: str) -> Meeting:
        return await (await self._bearer()).answer(sdp)

    async def _bearer(self) -> Any:
        try:
            channel = await asyncio.to_thread(import_module, "veche.media.channel")
        except ImportError as error:
            raise NoDirectPath(f"This device has no WebRTC: {error}.") from None
        return channel.DataChannels(channel.Paths(ice_servers=tuple(await self._servers())))

    async def _servers(self) -> list[IceServer]:
        try:
            async with asyncio.timeout(ASK_S):
                answer: IceServersGetOk = await self._client.request(IceServersGet())
        except (ClientError, TimeoutError):
            return []
        return answer.ice_servers
