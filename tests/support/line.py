"""A line between a client and a server that breaks when a test wants it to."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Line:
    """A connection to a server that can be made to break after so many bytes, either way."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self.breaks: list[int] = []
        """After so many bytes the next connections break, one after the other."""
        self.each: list[int] = []
        """Bytes that have passed, by connection, both ways together."""
        self.slow = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def passed(self) -> int:
        return sum(self.each)

    async def __aenter__(self) -> Line:
        self._listening = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        except BaseException:
            writer.transport.abort()
            raise
        left = self.breaks.pop(0) if self.breaks else 2**62
        number = len(self.each)
        self.each.append(0)

        async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            nonlocal left
            while left > 0 and (data := await source.read(min(left, 65_536))):
                left -= len(data)
                self.each[number] += len(data)
                target.write(data)
                await target.drain()
                if self.slow:
                    await asyncio.sleep(0.005)

        ways = [asyncio.ensure_future(pass_on(*way)) for way in ((reader, far_writer), (far_reader, writer))]
        try:
            with suppress(asyncio.CancelledError):
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for one in (writer, far_writer):  # whoever reads no more must not keep it open
                one.transport.abort()
