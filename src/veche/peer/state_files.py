"""The small files around a conversation, in MessagePack: what other clients keep in theirs, under the same names.

    <folder>/convInfo                          conversation -> ConvInfo
    <folder>/convRequests                      conversation -> ConvRequest
    <folder>/conversation_data/<id>/
        lastDisplayed                          uri -> commit; `cached`: one that is not fetched yet
        preferences                            name -> value
        fetched                                devices that have fetched our newest commit
        sending                                commits that nobody has fetched yet
        waiting                                files that are to come: file id -> WaitingFile

Written whole or not at all.  One that cannot be read is put aside under `.damaged`, never overwritten, and counts as
empty.

Source: repository facts §8; rows B56-B62, B80-B91.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from veche.swarm import reading
from veche.swarm.reading import IsLater, Marker, check_preference

from .files import make_private, write_whole
from .repository import DATA

LARGEST_FILE = 64 * 1024 * 1024
CACHED = "cached"

T = TypeVar("T")


class ConvInfo(Struct, kw_only=True):
    """What an account knows of a conversation.  Times: seconds since 1970, 0 for never."""

    id: str
    created: int = 0
    removed: int = 0
    erased: int = 0
    members: list[str] = []
    lastDisplayed: str = ""


class ConvRequest(Struct, kw_only=True):
    """An invitation that waits for an answer."""

    conversationId: str
    from_: str = msgspec.field(name="from", default="")
    metadatas: dict[str, str] = {}
    received: int = 0
    declined: int = 0


class WaitingFile(Struct, kw_only=True):
    """A file that was asked for and has not come: where it goes, and what it must be."""

    path: str
    sha3sum: str = ""
    totalSize: int = 0
    asked: int = 0


def load(path: Path, type: type[T], empty: T) -> T:
    """What a file holds; `empty` when there is none, or when it was damaged.  Raises OSError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return empty
    try:
        if len(data) > LARGEST_FILE:
            raise msgspec.DecodeError("too large")
        return msgspec.msgpack.decode(data, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        with contextlib.suppress(OSError):
            path.replace(path.with_name(path.name + ".damaged"))
        return empty


def save(path: Path, value: Any) -> None:
    """Put a value into a file.  Raises OSError."""
    make_private(path.parent)
    write_whole(path, msgspec.msgpack.encode(value))


class AccountFiles:
    """The files of an account about its conversations."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def infos(self) -> dict[str, ConvInfo]:
        return load(self._folder / "convInfo", dict[str, ConvInfo], {})

    def save_info(self, info: ConvInfo) -> None:
        save(self._folder / "convInfo", {**self.infos(), info.id: info})

    def forget_info(self, id: str) -> None:
        save(self._folder / "convInfo", {key: info for key, info in self.infos().items() if key != id})

    def requests(self) -> dict[str, ConvRequest]:
        return load(self._folder / "convRequests", dict[str, ConvRequest], {})

    def save_request(self, request: ConvRequest) -> None:
        save(self._folder / "convRequests", {**self.requests(), request.conversationId: request})

    def forget_request(self, id: str) -> None:
        save(self._folder / "convRequests", {key: one for key, one in self.requests().items() if key != id})


class ConversationFiles:
    """The files of one conversation."""

    def __init__(self, folder: Path, id: str) -> None:
        self.folder = folder / DATA / id

    # -- how far people have seen it (rows B80-B84)

    def marker(self, uri: str) -> Marker:
        found = self._markers()
        return Marker(found.get(uri, ""), found.get(f"{CACHED}:{uri}", found.get(CACHED, "")))

    def save_marker(self, uri: str, marker: Marker, *, is_own: bool) -> None:
        """is_own: of the account whose files these are; its waiting commit stands under `cached`."""
        key = CACHED if is_own else f"{CACHED}:{uri}"
        found = self._markers()
        for name, value in ((uri, marker.shown), (key, marker.cached)):
            if value:
                found[name] = value
            else:
                found.pop(name, None)
        save(self.folder / "lastDisplayed", found)

    def seen_elsewhere(self, uri: str, commit: str, *, is_here: bool, is_later: IsLater) -> Marker:
        """Another device of theirs tells how far they have seen it.  Returns the marker as it is now."""
        old = self.marker(uri)
        new = reading.remote_marker(old, commit, is_here=is_here, is_later=is_later)
        if new != old:
            self.save_marker(uri, new, is_own=True)
        return new

    def arrived(self, uri: str, commit: str, is_later: IsLater) -> Marker:
        """A commit has come that may be the one that was waited for."""
        old = self.marker(uri)
        new = reading.fetched(old, commit, is_later)
        if new != old:
            self.save_marker(uri, new, is_own=True)
        return new

    def wrote(self, uri: str, commit: str) -> Marker:
        """Whoever writes has seen everything before."""
        new = reading.own_message(self.marker(uri), commit)
        self.save_marker(uri, new, is_own=True)
        return new

    def _markers(self) -> dict[str, str]:
        return load(self.folder / "lastDisplayed", dict[str, str], {})

    # -- how one wants it to look (rows B85-B89)

    def preferences(self) -> dict[str, str]:
        return load(self.folder / "preferences", dict[str, str], {})

    def preferences_for_sync(self) -> dict[str, str]:
        """The same with `lastModified`, for one's own other devices."""
        path = self.folder / "preferences"
        if not path.exists():
            return {}
        return {**self.preferences(), "lastModified": str(int(path.stat().st_mtime))}

    def set_preferences(self, changed: dict[str, str]) -> dict[str, str]:
        """Change some; what is not named stays.  Raises BadPreference."""
        checked = {name: check_preference(name, value) for name, value in changed.items()}
        new = {**self.preferences(), **checked}
        save(self.folder / "preferences", new)
        return new

    def take_preferences(self, remote: dict[str, str]) -> bool:
        """Another device of one's own tells its preferences: the newer ones stand.  Whether something changed."""
        at = remote.get("lastModified", "")
        path = self.folder / "preferences"
        mine = int(path.stat().st_mtime) if path.exists() else -1
        new: dict[str, str] = {}
        for name, value in remote.items():
            if name != "lastModified":
                with contextlib.suppress(reading.BadPreference):
                    new[name] = check_preference(name, value)
        if not at.isdecimal() or int(at) <= mine or new == self.preferences():
            return False
        save(path, new)
        os.utime(path, (int(at), int(at)))
        return True

    # -- who has what

    def fetched(self) -> list[str]:
        """Devices that have fetched our newest commit."""
        return load(self.folder / "fetched", list[str], [])

    def add_fetched(self, device: str) -> None:
        found = self.fetched()
        if device not in found:
            save(self.folder / "fetched", [*found, device])

    def clear_fetched(self) -> None:
        save(self.folder / "fetched", [])

    def sending(self) -> list[str]:
        """Commits of ours that nobody has fetched yet."""
        return load(self.folder / "sending", list[str], [])

    def set_sending(self, commits: list[str]) -> None:
        save(self.folder / "sending", commits)

    def waiting(self) -> dict[str, WaitingFile]:
        """Files that were asked for, by their ids."""
        return load(self.folder / "waiting", dict[str, WaitingFile], {})

    def set_waiting(self, files: dict[str, WaitingFile]) -> None:
        save(self.folder / "waiting", files)

    def link_file(self, file_id: str, target: Path) -> Path:
        """Keep a file under its id: a link to where it lies (row B105).  Raises OSError, ValueError."""
        if not file_id or "/" in file_id or "\\" in file_id or "\0" in file_id or file_id.startswith("."):
            raise ValueError("no file id")
        make_private(self.folder)
        link = self.folder / file_id
        link.unlink(missing_ok=True)
        try:
            link.hardlink_to(target)
        except OSError:
            link.symlink_to(target.resolve())
        return link
