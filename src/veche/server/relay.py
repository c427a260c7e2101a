"""Direct transfers: files that pass through the server, from one person to another who has said yes.

The bytes go to a file of the spool as they come, and out of it as they are fetched: the receiver need not wait for the
end, nor the sender for a slow receiver, and both can go on after a broken connection.  The last batch may be fetched
only when the whole was found to be what was announced.

Source: rows M49-M57, X18; core/transfer.py.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from veche.core.files import UNKNOWN
from veche.core.transfer import Course, State, begun
from veche.packets import ErrorCode
from veche.packets.files import FileInfo
from veche.storage.blobs import DiskBlobs, Reader
from veche.storage.database import StorageError

from .filing import Intake, Outlet
from .session import Refused

if TYPE_CHECKING:
    from .live import LiveAccount

LINGER_S = 60.0
"""Who has been sent the last byte may come back for so long, if it was lost on the way."""
OPEN_TRANSFERS = 20
"""Transfers of one sender that are not over."""


class Watcher(Protocol):
    """Is told what happens to the bytes of a transfer."""

    def moved(self, one: Transfer) -> None:
        """Some came in, or went out."""
        ...

    def fetched(self, one: Transfer) -> None:
        """All have gone out."""
        ...

    def spoiled(self, one: Transfer, code: ErrorCode) -> None:
        """They cannot go out."""
        ...


class Transfer:
    """One file, from one device of somebody to one of somebody else."""

    def __init__(
        self, sender: LiveAccount, device: int, receiver: LiveAccount, name: str, size: int, sha256: str, now: float
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self.sender, self.sender_device, self.receiver = sender, device, receiver
        self.receiver_device = 0
        """The one that said yes."""
        self.name, self.size, self.sha256 = name, size, sha256
        self.is_hidden = False
        """The receiver has blocked the sender, and knows nothing."""
        self.course: Course = begun(now)
        self.relay: Relay | None = None
        """Once it is accepted."""

    def accepted(self, device: int, spool: DiskBlobs, watcher: Watcher) -> Relay:
        """A device of the receiver has said yes."""
        self.receiver_device = device
        self.relay = Relay(self, spool, watcher)
        return self.relay


class Transfers:
    """All that are not over."""

    def __init__(self) -> None:
        self._by_id: dict[str, Transfer] = {}

    def __iter__(self) -> Iterator[Transfer]:
        return iter(list(self._by_id.values()))

    def add(self, one: Transfer) -> None:
        """Raises Refused: too-many."""
        if sum(other.sender is one.sender for other in self) >= OPEN_TRANSFERS:
            raise Refused(ErrorCode.TOO_MANY, "You are sending too many files at once.")
        self._by_id[one.id] = one

    def find(self, id: str) -> Transfer:
        """Raises Refused: unknown-request."""
        found = self._by_id.get(id)
        if found is None:
            raise Refused(ErrorCode.UNKNOWN_REQUEST)
        return found

    def remove(self, one: Transfer) -> None:
        """It is over."""
        self._by_id.pop(one.id, None)

    def asked(self, receiver: LiveAccount) -> list[Transfer]:
        """What waits for somebody's answer."""
        return [
            one for one in self if one.receiver is receiver and one.course.state is State.PENDING and not one.is_hidden
        ]

    @property
    def coming_bytes(self) -> int:
        """What the spool will still grow by at most."""
        return sum(one.relay.size - one.relay.arrived for one in self if one.relay is not None)


class Relay(Intake):
    """The sender's bytes of a transfer, on their way into the spool."""

    def __init__(self, one: Transfer, spool: DiskBlobs, watcher: Watcher) -> None:
        super().__init__(one.id, one.size, one.sha256, spool)
        self.spool = spool
        self.available = 0
        """So many may be fetched."""
        self.found = ""
        """Their SHA-256, once they are whole."""
        self.is_over = False
        self.fetch = Fetch(one, self, watcher)
        self._one, self._watcher = one, watcher
        self._news = asyncio.Event()

    def moved(self) -> None:
        if self.arrived < self.size:
            self._open_up(self.arrived)

    async def whole(self, sha256: str) -> FileInfo | None:
        self.found = sha256
        self._open_up(self.size)
        return None

    async def abandon(self, code: ErrorCode) -> None:
        self._watcher.spoiled(self._one, code)

    def _open_up(self, upto: int) -> None:
        self.available = upto
        self._tell()
        self._watcher.moved(self._one)

    async def end(self) -> None:
        """Interrupt both sides, and keep nothing."""
        self.is_over = True
        self._tell()
        await self.offset()
        await self.spool.drop_part(self.id)

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self, offset: int) -> int:
        """Wait for bytes after `offset`; return how many of all there are then.  Raises StorageError: it is over."""
        while not self.is_over and not self.found and self.available <= offset:
            await self._news.wait()
        if self.is_over:
            raise StorageError("The transfer is over.")
        return self.available


class Fetch(Outlet):
    """The receiver's way to the bytes of a transfer."""

    def __init__(self, one: Transfer, relay: Relay, watcher: Watcher) -> None:
        self.id, self.name, self.size = one.id, one.name, one.size
        self.type, self.etag, self.is_inline, self.is_once = UNKNOWN, "", False, False
        self._one, self._relay, self._watcher = one, relay, watcher

    async def open(self) -> FetchReader | None:
        if self._relay.is_over:
            return None
        return FetchReader(self._relay, await self._relay.spool.read_part(self.id))

    def sent(self, upto: int) -> None:
        if upto < self.size:
            self._watcher.moved(self._one)
        else:
            self._watcher.fetched(self._one)


class FetchReader:
    """Gives what is there, and waits for what is not."""

    def __init__(self, relay: Relay, reader: Reader) -> None:
        self._relay, self._reader = relay, reader

    async def read(self, offset: int, length: int) -> bytes:
        """See `Reader`; fewer bytes do not mean the end.  Raises StorageError, also when the transfer is over."""
        available = await self._relay.wait(offset)
        return await self._reader.read(offset, min(length, available - offset))

    async def close(self) -> None:
        await self._reader.close()
