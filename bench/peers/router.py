"""The limit: bench/router.py."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from .. import machine
from ..link import Link, open_link
from .base import Frames, Peer


class RouterLink(Link):
    """Also knows how many of its messages the router must have stored."""

    written = 0


class Router(Peer):
    """Options: loop=uvloop|asyncio, net=fast|std, ack=range|each."""

    name = "router"
    persist_modes = ("full", "normal", "off")
    options = frozenset({"loop", "net", "ack"})
    without = {"off": frozenset({"offline"})}  # noqa: RUF012
    marker = b'"t":"m"'

    async def start(self) -> None:
        program = Path(__file__).parents[1] / "router.py"
        command = [sys.executable, program, "--port", str(self.port), "--persist", self.setup.persist]
        command += ["--path", self.folder / "router.db"]
        if self.setup.tls:
            made = self.certificate()
            command += ["--certificate", made.certificate, "--key", made.key]
        for option, value in self.setup.options.items():
            command += ["--" + option, value]
        process = machine.spawn(command, self.log)
        self.processes.append(process)
        await machine.wait_for_line(b"ready", process, self.log)

    async def connect(self, user: str, *, present: bool = True) -> Link:
        link = await open_link(self.port, self.setup.tls, RouterLink)
        link.write(b'{"t":"login","u":"%s"}\n' % user.encode())
        await link.expect(b'"ok"}\n')
        return link

    def message(self, sender: str, receiver: str, body: str) -> Frames:
        frame = b'{"t":"m","to":"%s","id":123456,"body":"%s"}\n' % (receiver.encode(), body.encode())
        return lambda count: frame * count

    async def taken_in(self, link: Link, count: int) -> None:
        assert isinstance(link, RouterLink)
        if self.setup.options.get("ack") == "each":
            for _ in range(count):
                await link.expect(b'"t":"a"')
            return
        link.written += count
        stored = 0
        while stored < link.written:
            heard = await link.expect(b"}\n")
            stored = int((re.findall(rb'"upto":(\d+)', heard) or [b"0"])[-1])

    def ask_for_stored(self, link: Link) -> None:
        link.write(b'{"t":"replay"}\n')
