"""What passes between the sans-I/O core of a client and its shell."""

from __future__ import annotations

from typing import NamedTuple

from veche.core.scram import ClientScram
from veche.packets import ErrorCode, Packet, ServerPacket
from veche.packets.account import ConnectOk


class Credentials(NamedTuple):
    """How to log in.  A device that has a resumption token uses that first."""

    login: str | None = None
    password: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"<Credentials of {self.login}>"


class Place(NamedTuple):
    """What a device keeps between two runs."""

    device: str | None
    resume: str | None
    cursor: int

    def __repr__(self) -> str:
        return f"<Place of {self.device} at {self.cursor}>"


class NotAPacket(ValueError):
    """This request cannot be sent: it breaks a limit that the server would refuse.  Its message is a sentence."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


# -- events


class Arrived(NamedTuple):
    """The server said something."""

    packet: ServerPacket | None
    """None: this client cannot read it (the server is newer)."""
    line: bytes
    """as it came, without its LF"""
    key: str | None = None
    """of the request that it answers"""
    request: Packet | None = None
    """the request that it answers"""


class Unanswered(NamedTuple):
    """The link was lost, and nobody knows whether this request was done."""

    key: str
    request: Packet


class Challenged(NamedTuple):
    """Compute `scram.answer(salt, iterations, nonce)` away from the event loop and give it to `Core.prove`."""

    scram: ClientScram
    salt: str
    iterations: int
    nonce: str


class LoggedIn(NamedTuple):
    """The device is logged in."""

    packet: ConnectOk


class Refused(NamedTuple):
    """The login was refused.  The link is there for another try, unless Lost follows."""

    code: ErrorCode
    reason: str
    retry_after_s: float | None = None


class Lost(NamedTuple):
    """The link is gone, or has to go: the shell drops it.

    retry_in_s: when `DialDue` comes; None: not at all, `code` says why.
    """

    code: ErrorCode | None
    reason: str
    retry_in_s: float | None


class DialDue(NamedTuple):
    """It is time to dial again."""


CoreEvent = Arrived | Unanswered | Challenged | LoggedIn | Refused | Lost | DialDue
