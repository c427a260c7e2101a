"""What the harness asks of a server under test."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..link import Link
from ..machine import Certificate, free_port, make_certificate, stop
from ..plan import Plan

Frames = Callable[[int], bytes]
"""The bytes of that many messages, ready to be written."""


@dataclass(frozen=True)
class Setup:
    """How one run wants the server."""

    folder: Path
    """Empty, and gone after the run."""
    tls: bool
    persist: str
    options: Mapping[str, str]
    plan: Plan


class Peer(ABC):
    """One server, started fresh for one run.  A new one: subclass, and put it into PEERS."""

    name: ClassVar[str]
    persist_modes: ClassVar[tuple[str, ...]]
    """How it stores; the first is what is measured unless another is asked for."""
    options: ClassVar[frozenset[str]] = frozenset()
    without: ClassVar[Mapping[str, frozenset[str]]] = {}
    """Scenarios that it does not have, by persist mode."""
    marker: ClassVar[bytes]
    """Occurs once in every delivered message and in nothing else that a receiver gets."""
    confirmation: ClassVar[bytes | None] = None
    """Occurs once for every message that a sender is told to be stored; None: it is told otherwise, or never."""
    window: ClassVar[int] = 32

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.folder = setup.folder
        self.log = setup.folder / "server.log"
        self.port = free_port()
        self.processes: list[subprocess.Popen[bytes]] = []

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be run on this machine, if so."""
        return None

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    def certificate(self) -> Certificate:
        return make_certificate(self.folder)

    @abstractmethod
    async def start(self) -> None:
        """Configure, provide the accounts of the plan, start, and wait until it accepts connections."""

    @abstractmethod
    async def connect(self, user: str, *, present: bool = True) -> Link:
        """Connect and log in; `present`: ready to be sent messages, else `ask_for_stored` follows."""

    @abstractmethod
    def message(self, sender: str, receiver: str, body: str) -> Frames:
        """Messages from one to the other."""

    async def taken_in(self, link: Link, count: int) -> None:
        """Wait until the server has taken in (and, if it says so, stored) the `count` messages just written."""
        raise NotImplementedError

    def ask_for_stored(self, link: Link) -> None:
        """After `connect` without presence: have sent what was missed."""
        raise NotImplementedError

    async def stop(self) -> None:
        for process in self.processes:
            stop(process)
