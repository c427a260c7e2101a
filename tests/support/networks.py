"""Networks of a test's own: a namespace for each machine, and between them a switch in this process that can be bad.

Each namespace has one TAP device whose other end is held here, so loss, delay and cuts need nothing of the kernel but
namespaces and TUN/TAP.  Needs root; raises CannotMake where the machine does not let us.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import itertools
import os
import random
import selectors
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.server import ServerProcess

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000


class CannotMake(Exception):
    """This machine has no namespaces, or no TAP devices, for us."""


class Quality(NamedTuple):
    """How the cable of a machine is, in both directions."""

    loss: float = 0.0
    """0 to 1"""
    delay_s: float = 0.0
    udp_loss: float = 0.0
    """Of UDP beside that: 1 is a firewall that lets TCP alone through."""


UDP = 17
ETHERNET_TYPE, IPV4 = slice(12, 14), b"\x08\x00"
IP_PROTOCOL = 23
"""Where it stands in a frame."""


class HubServer(ServerProcess):
    """A server on the machine `h`, which is 127.0.0.1 there."""

    def __init__(self, data: Path, networks: Networks) -> None:
        super().__init__(data, "--registration", "open")
        self._networks = networks

    def command(self) -> Sequence[str]:
        ours = [word.replace("127.0.0.1", "0.0.0.0") for word in super().command()]
        return [*self._networks.inside("h"), *ours]


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)


class Networks:
    """Machines called by letters, at 10.77.0.1, .2 and so on."""

    def __init__(self, names: str) -> None:
        self.names = names
        self._namespaces = {name: f"veche-{os.getpid()}-{name}" for name in names}
        self._fds: dict[int, str] = {}
        self._quality = dict.fromkeys(names, Quality())
        self._chance = random.Random(7)
        self._due: list[tuple[float, int, int, bytes]] = []
        self._count = itertools.count()
        self._thread = threading.Thread(target=self._switch, name="switch")
        self._wake, self._waker = os.pipe()

    def make(self) -> None:
        """Raises CannotMake."""
        try:
            for number, name in enumerate(self.names, 1):
                self._add(number, name)
        except (OSError, subprocess.SubprocessError) as error:
            self._remove()
            raise CannotMake(str(error)) from None
        self._thread.start()

    def _add(self, number: int, name: str) -> None:
        namespace, device = self._namespaces[name], f"v{os.getpid()}{name}"[:15]
        run("ip", "netns", "add", namespace)
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        self._fds[fd] = name
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TAP | IFF_NO_PI))
        run("ip", "link", "set", device, "netns", namespace)
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "-n", namespace, "addr", "add", f"{self.address(name)}/24", "dev", device)
        run("ip", "-n", namespace, "link", "set", device, "up")

    def address(self, name: str) -> str:
        """Of a machine."""
        return f"10.77.0.{self.names.index(name) + 1}"

    def inside(self, name: str) -> list[str]:
        """What to put before a command that shall run on this machine."""
        return ["ip", "netns", "exec", self._namespaces[name]]

    def set(self, name: str, quality: Quality = Quality()) -> None:  # noqa: B008 - it is immutable
        """How the cable of this machine is from now on."""
        self._quality[name] = quality

    def close(self) -> None:
        """Take all away."""
        os.write(self._waker, b"x")
        self._thread.join()
        self._remove()

    def _remove(self) -> None:
        for fd in [*self._fds, self._wake, self._waker]:
            os.close(fd)
        self._fds.clear()
        for namespace in self._namespaces.values():
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, timeout=20)

    def _switch(self) -> None:
        """Every frame goes to all others, as on a hub."""
        with selectors.DefaultSelector() as selector:
            for fd in [*self._fds, self._wake]:
                selector.register(fd, selectors.EVENT_READ)
            while True:
                wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
                for key, _ in selector.select(wait):
                    if key.fd == self._wake:
                        return
                    self._read(key.fd)
                now = time.monotonic()
                while self._due and self._due[0][0] <= now:
                    _, _, fd, frame = heapq.heappop(self._due)
                    self._write(fd, frame)

    def _read(self, fd: int) -> None:
        try:
            frame = os.read(fd, 65_536)
        except OSError:
            return
        from_ = self._quality[self._fds[fd]]
        is_udp = len(frame) > IP_PROTOCOL and frame[ETHERNET_TYPE] == IPV4 and frame[IP_PROTOCOL] == UDP
        for to, name in self._fds.items():
            quality = self._quality[name]
            if to == fd or any(self._is_lost(one, is_udp=is_udp) for one in (from_, quality)):
                continue
            delay = from_.delay_s + quality.delay_s
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._count), to, frame))

    def _is_lost(self, quality: Quality, *, is_udp: bool) -> bool:
        return self._chance.random() < quality.loss or (is_udp and self._chance.random() < quality.udp_loss)

    @staticmethod
    def _write(fd: int, frame: bytes) -> None:
        with contextlib.suppress(OSError):  # its queue is full, or the device is down: lost, as on a cable
            os.write(fd, frame)


@pytest.fixture(scope="module")
def networks() -> Iterator[Networks]:
    """Machines `h`, `l` and `r`, each on a cable of its own."""
    made = Networks("hlr")
    try:
        made.make()
    except CannotMake as error:
        pytest.skip(f"needs network namespaces: {error}")
    yield made
    made.close()
