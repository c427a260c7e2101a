"""Files in the plain mode: its commands, and how transfers fare, as sentences and as JSON.

What a transfer does is no packet of the server, so with --json it has a line of its own whenever its stage changes,
and at most once a second while it moves; every key is always there:

    {"type":"TRANSFER","number":1,"way":"download","stage":"moving","name":"harbour.jpg","peer":"bob@home",
     "id":"...","bytes":2100000,"done":840000,"speed":910000.0,"left_s":1.4,"path":"/home/alice/harbour.jpg",
     "warning":"","trouble":"","code":null,"reason":""}

way: upload, download, offer (to somebody), receive (from somebody).  stage: asked, moving, and at the end done,
refused, cancelled, failed.  id: of the file, or `transfer-id`; commands take it in place of the number.  code, reason:
why it ended.

Source: rows M48-M58, X18.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from veche.client import Client, ClientError
from veche.packets import Packet
from veche.packets.files import FileInfo
from veche.packets.message import HistoryGet, HistoryGetOk, HistoryMessage, Message, MessageSend, MessageSent, SearchOk

from . import file_words
from .plain_commands import AcceptFile, CancelFile, Download, Files, Offer, Offers, OfFiles, RefuseFile, SendFiles
from .sentences import Reader
from .transfer import Stage, Transfer, Transfers

JSON_EVERY_S, TEXT_EVERY_S = 1.0, 10.0
"""While a transfer moves, it is told of so often."""
PAGE = 200
MAX_PAGES = 10
"""Of a conversation, when its files are looked for."""
KNOWN_FILES = 10_000
"""At least so many files are remembered, for `download NAME`."""


class PlainFiles:
    """The files of one run.  put: takes what is to be printed."""

    def __init__(self, client: Client, reader: Reader, put: Callable[[bytes], None], *, as_json: bool) -> None:
        self.transfers = Transfers(client, self._changed)
        self._client, self._reader, self._put, self._as_json = client, reader, put, as_json
        self._seen: dict[str, FileInfo] = {}
        """by id, as they were shown"""
        self._lists: dict[str, int] = {}
        """key of a HISTORY-GET whose files alone are to be printed -> how many pages may follow"""
        self._told: dict[int, tuple[Stage, str, float]] = {}
        """number of a transfer -> stage, trouble and time that were told last"""

    def obey(self, command: OfFiles) -> None:
        """Do what is asked for.  Raises Wrong, ClientError."""
        transfers, address = self.transfers, self._client.full_address
        match command:
            case SendFiles(login, paths, text):
                transfers.send(address(login), paths, lambda found: self._post(login, text, found))
            case Files(""):
                self._put(self._listed(list(self._seen.values())))
            case Files(login):
                self._lists[self._client.post(HistoryGet(peer=login, limit=PAGE))] = MAX_PAGES - 1
            case Download(which, where):
                transfers.download(self._meant(which), where)
            case Offer(login, path):
                transfers.offer(address(login), path)
            case Offers():
                self._put(b"".join(map(self._line, transfers.live)) or self._text("no file is on its way"))
            case AcceptFile(which, where):
                transfers.accept(transfers.find(which, waits_for_me=True), where)
            case RefuseFile(which):
                transfers.refuse(transfers.find(which, waits_for_me=True))
            case CancelFile(which):
                transfers.cancel(transfers.find(which))

    def _post(self, login: str, text: str, found: list[FileInfo]) -> None:
        try:
            self._client.post(MessageSend(to=login, text=text, files=[one.id for one in found]))
        except ClientError as error:
            self._put(self._text(f"Error. {error}"))

    def _meant(self, which: str) -> FileInfo | str:
        """By its id, else the newest of that name; what was not shown here may be an id that the server knows."""
        named = next((one for one in reversed(self._seen.values()) if one.name == which), which)
        return self._seen.get(which, named)

    # -- what arrives

    def arrived(self, packet: Packet | None, key: str | None) -> bytes | None:
        """Take what came.  Returns what is to be printed in the place of it, None: what is always printed."""
        match packet:
            case Message() | MessageSent():
                self._see(packet.files)
            case HistoryGetOk() | SearchOk():
                for one in packet.messages:
                    self._see(one.files)
                left = self._lists.pop(key or "", None)
                if left is not None and isinstance(packet, HistoryGetOk):
                    return self._page(packet, left)
            case _ if packet is not None:
                self.transfers.handle(packet)
            case _:
                pass
        return None

    def _see(self, found: list[FileInfo]) -> None:
        for one in found:
            self._seen.pop(one.id, None)
            self._seen[one.id] = one
        if len(self._seen) > 2 * KNOWN_FILES:
            self._seen = dict(list(self._seen.items())[-KNOWN_FILES:])

    def _page(self, packet: HistoryGetOk, left: int) -> bytes:
        """The messages with files of a page; the page before it is asked for."""
        found = [one for one in packet.messages if one.files]
        is_last = not (packet.more and packet.messages and left)
        if not is_last:
            asked = HistoryGet(peer=packet.peer, before=packet.messages[0].id, limit=PAGE)
            self._lists[self._client.post(asked)] = left - 1
        if self._as_json:
            return msgspec.json.encode(replace(packet, messages=found, more=not is_last)) + b"\n"
        if not found:
            return self._text(f"no files {'in' if is_last else 'among the newest of'} the conversation") * is_last
        return self._listed([file for one in found for file in one.files], found)

    def _listed(self, found: list[FileInfo], of: list[HistoryMessage] | None = None) -> bytes:
        """Files, one a line: id, size, type, name; and by whom."""
        if self._as_json:
            return b"".join(msgspec.json.encode({"type": "FILE", "file": one}) + b"\n" for one in found)
        origin = {
            file.id: f"  {self._reader.when(one.at)} {self._reader.name(one.from_)}"
            for one in of or ()
            for file in one.files
        }
        lines = [
            f"{one.id}  {file_words.size(one.bytes):>9}  {file_words.name(one.type)}  {file_words.name(one.name)}"
            + ("  (a program)" if one.warning else "")
            + origin.get(one.id, "")
            for one in found
        ]
        return self._text("\n".join(lines) or "no files were shown here; files LOGIN asks for those of a conversation")

    # -- what transfers do

    def _changed(self, one: Transfer) -> None:
        now = asyncio.get_running_loop().time()
        trouble = one.progress.trouble if one.progress is not None and one.is_moving else ""
        stage, told_trouble, at = self._told.get(one.number, (None, "", now))
        every_s = JSON_EVERY_S if self._as_json else TEXT_EVERY_S
        if one.stage is stage and trouble == told_trouble and (now - at < every_s or not one.is_moving):
            return
        self._told[one.number] = one.stage, trouble, now
        if one.number not in {live.number for live in self.transfers.live}:
            del self._told[one.number]
        self._put(self._line(one, is_first=one.stage is not stage))

    def _line(self, one: Transfer, *, is_first: bool = False) -> bytes:
        progress = one.progress
        if not self._as_json:
            who = self._reader.name(one.peer) if one.peer else ""
            said = file_words.sentence(one, who)
            if one.is_moving and progress is not None and not is_first:
                said = f"{file_words.name(one.name)}: {file_words.course(progress)}"
            return self._text(f"{one.number}: {said}" if one.is_moving else said)
        shown = {
            "type": "TRANSFER",
            "number": one.number,
            "way": one.way,
            "stage": one.stage,
            "name": one.name,
            "peer": one.peer,
            "id": one.id,
            "bytes": one.size,
            "done": one.size if one.stage is Stage.DONE else progress.done if progress is not None else 0,
            "speed": round(progress.speed, 1) if progress is not None else 0.0,
            "left_s": round(progress.left_s, 1) if progress is not None and progress.left_s is not None else None,
            "path": str(one.path).encode(errors="replace").decode() if one.path is not None else None,
            "warning": one.warning,
            "trouble": progress.trouble if progress is not None and one.is_moving else "",
            "code": one.code,
            "reason": one.reason,
        }
        return msgspec.json.encode(shown) + b"\n"

    def _text(self, sentence: str) -> bytes:
        return b"" if self._as_json else (sentence + "\n").encode(errors="replace")
