"""The files that this terminal sends and fetches, for the screen, the plain mode and `veche send` alike.

A transfer is a task of its own: uploads and downloads go between this device and its server, direct ones to or from
another person who has said yes.  Whatever happens to one is told by `tell`, and nothing that happens to one touches
another, or the client.

Source: rows M48-M58, X18.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from collections.abc import Callable, Coroutine, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from veche.client import Client, ClientError, DialError, LinkLost, RequestFailed
from veche.client.files import Progress, beside, download, fetch, measure, place_for, push, upload
from veche.core.files import clean_name
from veche.packets import ERROR_TEXT, ErrorCode, Packet
from veche.packets.files import (
    STALL_S,
    FileDownload,
    FileDownloadFailed,
    FileDownloadOk,
    FileInfo,
    FileUploadFailed,
    FileUploadOk,
    SendFileProxy,
    SendFileProxyAccept,
    SendFileProxyAcceptFailed,
    SendFileProxyAcceptOk,
    SendFileProxyAsked,
    SendFileProxyCancel,
    SendFileProxyCancelFailed,
    SendFileProxyCancelled,
    SendFileProxyCancelOk,
    SendFileProxyCompleted,
    SendFileProxyFailed,
    SendFileProxyOk,
    SendFileProxyReady,
    SendFileProxyReject,
    SendFileProxyRejected,
    SendFileProxyRejectFailed,
    SendFileProxyRejectOk,
    SendFileProxyRequest,
)

from .people_commands import Wrong

T = TypeVar("T")

MAX_FILES = 10
"""Of one message."""
CHECK_S = 10.0
"""So long it is waited for what the server has seen of a file of which the sender has said nothing."""
GRACE_S = 30.0
"""After the server should have said that nobody answers."""


OF_THE_SERVER = (
    *(FileUploadOk, FileUploadFailed, FileDownloadOk, FileDownloadFailed),
    *(SendFileProxyAsked, SendFileProxyFailed, SendFileProxyRequest, SendFileProxyAcceptOk, SendFileProxyAcceptFailed),
    *(SendFileProxyRejectOk, SendFileProxyRejectFailed, SendFileProxyCancelOk, SendFileProxyCancelFailed),
    *(SendFileProxyOk, SendFileProxyRejected, SendFileProxyReady, SendFileProxyCompleted, SendFileProxyCancelled),
)


def is_told_as_transfer(packet: Packet | None) -> bool:
    """People are told of the transfer that follows from this packet."""
    return isinstance(packet, OF_THE_SERVER)


class Way(StrEnum):
    """From where to where."""

    UPLOAD = "upload"
    """to the server, for a message"""
    DOWNLOAD = "download"
    """from the server"""
    OFFER = "offer"
    """through the server to somebody"""
    RECEIVE = "receive"
    """and from somebody"""


class Stage(StrEnum):
    """How far a transfer has come.  The last four are its end."""

    ASKED = "asked"
    MOVING = "moving"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Transfer:
    """One file on its way.  number: its name in this run.  peer: the other person's address, "" for none."""

    def __init__(self, number: int, way: Way, name: str, size: int, peer: str, id: str = "", warning: str = "") -> None:
        self.number, self.way, self.name, self.size, self.peer = number, way, name, size, peer
        self.id, self.warning = id, warning
        self.stage = Stage.ASKED if way in (Way.OFFER, Way.RECEIVE) else Stage.MOVING
        self.progress: Progress | None = None
        self.path: Path | None = None
        """on this machine: what is sent, or where it comes to lie"""
        self.code: ErrorCode | None = None
        """why it ended"""
        self.reason = ""
        """the same as the end of a sentence"""
        self.is_mine_to_end = False
        """this side has ended it"""
        self.task: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        self.agreed: asyncio.Future[SendFileProxyOk | SendFileProxyReady] = loop.create_future()
        """The bytes may move."""
        self.completed: asyncio.Future[str] = loop.create_future()
        """The SHA-256 of what has passed the server."""

    @property
    def is_moving(self) -> bool:
        return self.stage is Stage.MOVING

    @property
    def is_direct(self) -> bool:
        return self.way in (Way.OFFER, Way.RECEIVE)


class Transfers:
    """All of one terminal.  tell: is given a transfer whenever something about it has changed.

    slash: what commands begin with there.
    """

    def __init__(self, client: Client, tell: Callable[[Transfer], None], *, slash: str = "") -> None:
        self._client, self._tell, self._slash = client, tell, slash
        self._count = 0
        self._live: dict[int, Transfer] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def live(self) -> tuple[Transfer, ...]:
        """Those that are not over, oldest first."""
        return tuple(self._live.values())

    async def settled(self) -> None:
        """Wait until all that this side has begun is over."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """End everything; who is offered something is told, as far as there is a link."""
        for one in self.live:
            if one.task is not None:
                self.cancel(one)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def find(self, which: str, *, waits_for_me: bool = False) -> Transfer:
        """The live one of this number or id; "": the only one there is.  Raises Wrong.

        waits_for_me: of those alone that somebody offers and that have no answer.
        """
        live = [one for one in self.live if not waits_for_me or (one.way is Way.RECEIVE and one.task is None)]
        found = [one for one in live if which in ("", str(one.number), one.id)]
        if len(found) == 1:
            return found[0]
        what = "is offered to you" if waits_for_me else "is on its way"
        if which:
            raise Wrong(f"No file of the number {which} {what}.")
        raise Wrong(f"Which one? {self._slash}offers shows their numbers." if live else f"No file {what}.")

    def interrupt(self) -> bool:
        """Stop the newest of those that move.  Returns whether there was one."""
        moving = [one for one in self.live if one.is_moving]
        if moving:
            self.cancel(moving[-1])
        return bool(moving)

    # -- what a person asks for

    def send(self, peer: str, paths: Iterable[Path], then: Callable[[list[FileInfo]], None]) -> None:
        """Upload files, one after the other, and call `then`, which posts the message, when all are there.

        Raises Wrong for what cannot be sent; then nothing is.
        """
        sizes = {path: readable_size(path) for path in paths}
        if len(sizes) > MAX_FILES:
            raise Wrong(f"A message takes at most {MAX_FILES} files.")
        self._spawn(self._send(peer, sizes, then))

    async def _send(self, peer: str, sizes: dict[Path, int], then: Callable[[list[FileInfo]], None]) -> None:
        found: list[FileInfo] = []
        for path, size in sizes.items():
            one = self._new(Way.UPLOAD, clean_name(path.name), size, peer)
            one.path = path
            self._start(one, self._upload(one, path, found))
            assert one.task is not None
            await asyncio.wait([one.task])
            if one.stage is not Stage.DONE:
                return  # a message goes with all of its files or not at all; those that are there are found again
        then(found)

    async def _upload(self, one: Transfer, path: Path, found: list[FileInfo]) -> None:
        info = await upload(self._client, path, name=one.name, progress=self._meter(one))
        one.id = info.id
        found.append(info)

    def download(self, file: FileInfo | str, typed: str = "", peer: str = "") -> None:
        """Fetch a file, given by its id too, to where the person has typed; "": into the current folder.

        Raises Wrong where it cannot be put.
        """
        one = self._new(Way.DOWNLOAD, "", 0, peer)
        try:
            if isinstance(file, FileInfo):
                self._place(one, file, typed)
            self._start(one, self._download(one, file, typed), is_told=isinstance(file, FileInfo))
        except Wrong:
            del self._live[one.number]
            raise

    async def _download(self, one: Transfer, file: FileInfo | str, typed: str) -> None:
        if isinstance(file, str):
            one.id = one.name = file
            ok: FileDownloadOk = await self._client.request(FileDownload(id=file))
            file = ok.file
            self._place(one, file, typed)
            self._tell(one)
        assert one.path is not None
        await download(self._client, file, one.path, progress=self._meter(one))

    def _place(self, one: Transfer, file: FileInfo, typed: str) -> None:
        one.id, one.name, one.size, one.warning = file.id, file.name, file.bytes, file.warning
        one.path = self._target(typed, file.name)

    def offer(self, peer: str, path: Path) -> None:
        """Ask somebody whether they take a file.  Raises Wrong for what cannot be sent."""
        one = self._new(Way.OFFER, clean_name(path.name), readable_size(path), peer)
        one.path = path
        self._start(one, self._offer(one, path), is_told=False)

    async def _offer(self, one: Transfer, path: Path) -> None:
        client = self._client
        one.size, sha256 = await measure(path)
        offer = SendFileProxy(to=one.peer, filename=one.name, size=one.size, sha256=sha256)
        asking: asyncio.Task[SendFileProxyAsked] = asyncio.ensure_future(client.request(offer))
        try:
            asked = await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(self._take_back)  # by then it has an id
            raise
        one.id, one.peer = asked.transfer_id, asked.to
        self._tell(one)
        ok = await self._in_time(one.agreed, asked.expires_s + GRACE_S)
        assert isinstance(ok, SendFileProxyOk)
        one.stage = Stage.MOVING
        self._tell(one)
        if await push(client, ok, path, progress=self._meter(one)) != sha256:
            raise RequestFailed(ErrorCode.WRONG_HASH)
        await self._in_time(one.completed, STALL_S + GRACE_S)

    def _take_back(self, asking: asyncio.Task[SendFileProxyAsked]) -> None:
        if not asking.cancelled() and asking.exception() is None:
            with contextlib.suppress(ClientError):
                self._client.post(SendFileProxyCancel(transfer_id=asking.result().transfer_id))

    def accept(self, one: Transfer, typed: str = "") -> None:
        """Take what somebody offers.  Raises Wrong where it cannot be put."""
        one.path = self._target(typed, one.name)
        self._start(one, self._receive(one, one.path), is_told=False)

    async def _receive(self, one: Transfer, target: Path) -> None:
        client = self._client
        part = beside(target, one.id)
        await client.request(SendFileProxyAccept(transfer_id=one.id))
        one.stage = Stage.MOVING
        self._tell(one)
        try:
            ready = await self._in_time(one.agreed, STALL_S + GRACE_S)
            assert isinstance(ready, SendFileProxyReady)
            found = await fetch(client, ready, one.size, target, progress=self._meter(one))
        finally:
            part.unlink(missing_ok=True)  # it cannot be gone on with later
        if not ready.sha256:
            try:
                passed = await asyncio.wait_for(asyncio.shield(one.completed), CHECK_S)
            except TimeoutError:
                return
            if passed != found:
                await asyncio.to_thread(target.unlink, missing_ok=True)
                raise RequestFailed(ErrorCode.WRONG_HASH)

    def refuse(self, one: Transfer) -> None:
        """Say no to what somebody offers.  Raises ClientError."""
        self._client.post(SendFileProxyReject(transfer_id=one.id))
        one.is_mine_to_end = True
        self._over(one, Stage.REFUSED)

    def cancel(self, one: Transfer) -> None:
        """Stop it; the other side is told, as far as there is a link."""
        one.is_mine_to_end = True
        if one.is_direct and one.id:
            with contextlib.suppress(ClientError):  # then the server ends it in time
                self._client.post(SendFileProxyCancel(transfer_id=one.id))
        if one.task is not None:
            one.task.cancel()
        else:
            self._over(one, Stage.CANCELLED)

    # -- what happens

    def handle(self, packet: Packet) -> Transfer | None:
        """Something has come from the server.  Returns the transfer that it is about, if it is about one."""
        match packet:
            case SendFileProxyRequest():
                if (known := self._by_id(packet.transfer_id)) is not None:
                    return known  # told again after a lost link
                one = self._new(
                    *(Way.RECEIVE, clean_name(packet.filename), packet.size, packet.from_),
                    *(packet.transfer_id, packet.warning),
                )
                self._tell(one)
                return one
            case SendFileProxyOk() | SendFileProxyReady() if one := self._by_id(packet.transfer_id):
                if not one.agreed.done():
                    one.agreed.set_result(packet)
                return one
            case SendFileProxyCompleted() if one := self._by_id(packet.transfer_id):
                if not one.completed.done():
                    one.completed.set_result(packet.sha256)
                return one
            case SendFileProxyRejected() if one := self._by_id(packet.transfer_id):
                self._end(one, Stage.REFUSED)
                return one
            case SendFileProxyCancelled() if one := self._by_id(packet.transfer_id):
                one.code, one.reason = packet.code, packet.reason or ERROR_TEXT[packet.code]
                self._end(one, Stage.CANCELLED)
                return one
            case _:
                return None

    def _by_id(self, id: str) -> Transfer | None:
        return next((one for one in self.live if one.id == id), None)

    def _end(self, one: Transfer, stage: Stage) -> None:
        """The other side has ended it."""
        one.stage = stage
        if one.task is not None:
            one.task.cancel()
        else:
            self._over(one, stage)

    # -- inside

    def _new(self, way: Way, name: str, size: int, peer: str, id: str = "", warning: str = "") -> Transfer:
        self._count += 1
        one = self._live[self._count] = Transfer(self._count, way, name, size, peer, id, warning)
        return one

    def _start(self, one: Transfer, work: Coroutine[Any, Any, None], *, is_told: bool = True) -> None:
        one.task = self._spawn(self._guarded(one, work))
        if is_told:
            self._tell(one)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, one: Transfer, work: Coroutine[Any, Any, None]) -> None:
        """Do it, and tell how it ended."""
        stage = Stage.DONE
        try:
            await work
        except asyncio.CancelledError:
            stage = one.stage if one.stage is Stage.REFUSED else Stage.CANCELLED
        except (Wrong, ClientError, DialError, OSError) as error:
            stage = Stage.FAILED
            one.code, one.reason = error.code if isinstance(error, RequestFailed) else None, why(error, one)
        self._over(one, stage)

    def _over(self, one: Transfer, stage: Stage) -> None:
        one.stage = stage
        self._live.pop(one.number, None)
        self._tell(one)

    def _meter(self, one: Transfer) -> Callable[[Progress], None]:
        def moved(progress: Progress) -> None:
            if one.number in self._live:  # the last of it may be told after its end
                one.progress = progress
                self._tell(one)

        return moved

    async def _in_time(self, future: asyncio.Future[T], timeout_s: float) -> T:
        """Wait for what the server says, which a broken link may have swallowed.  Raises RequestFailed: no-answer."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(future)
        except TimeoutError:
            raise RequestFailed(ErrorCode.NO_ANSWER) from None

    def _target(self, typed: str, name: str) -> Path:
        """Where a file of this name is put, in place of nothing.  Raises Wrong."""
        taken = {one.path for one in self.live if one.path is not None}
        if "\0" in typed:
            raise Wrong(f"{typed} is no path.")
        try:
            path = Path(typed or ".").expanduser()
            if path.is_dir():
                return place_for(path.absolute(), name, taken)
            if path.exists() or path.absolute() in taken:
                raise Wrong(f"{typed} exists already; choose another name.")
            if typed.endswith(("/", os.sep)) or not path.parent.is_dir():
                raise Wrong(f"There is no folder {path if typed.endswith(('/', os.sep)) else path.parent}.")
            return path.absolute()
        except (OSError, RuntimeError) as error:
            raise Wrong(f"{typed}: {getattr(error, 'strerror', None) or error}.") from None


def readable_size(path: Path) -> int:
    """The size in bytes of a file that can be sent.  Raises Wrong."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Wrong(f"{path} is a folder; pack it first, with zip or tar.")
        if not stat.S_ISREG(status.st_mode):
            raise Wrong(f"{path} is no file that could be sent.")
        path.open("rb").close()
        return status.st_size
    except FileNotFoundError:
        raise Wrong(f"There is no file {path}.") from None
    except Wrong:
        raise
    except ValueError:
        raise Wrong(f"{path} is no path.") from None
    except OSError as error:
        raise Wrong(f"{path} cannot be read: {error.strerror}.") from None


DISC_FULL = frozenset({errno.ENOSPC, errno.EDQUOT}) if hasattr(errno, "EDQUOT") else frozenset({errno.ENOSPC})


def why(error: Exception, one: Transfer) -> str:
    """Why a transfer failed, and what to do: a sentence."""
    match error:
        case OSError() if error.errno in DISC_FULL:
            return "The disc is full. Make room, and fetch it again."
        case OSError():
            return f"{error.filename or one.path}: {error.strerror or error}."
        case RequestFailed(code=ErrorCode.WRONG_HASH) if one.way in (Way.UPLOAD, Way.OFFER):
            return "The file has changed while it was sent. Send it again."
        case RequestFailed(code=ErrorCode.WRONG_HASH):
            return "What arrived is damaged, and was thrown away. Fetch it again."
        case RequestFailed(code=ErrorCode.UNKNOWN_ID) if one.way is Way.DOWNLOAD:
            return "It is no longer on the server, or not for you."
        case RequestFailed():
            return error.reason
        case LinkLost() if not one.is_direct:
            return f"{error} The same command goes on where it stopped."
        case _:
            return str(error)
