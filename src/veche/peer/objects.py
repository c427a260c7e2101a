"""Git objects of a repository that nobody vouches for: read by id, never more than asked for, nothing written.

Only the folder `objects` of a repository is opened, never its configuration, hooks or index.  What is read is bounded
by its kind: a header says the size before anything is unpacked.

Source: gitrepository-layout(5); rows B31, B98.
"""

from __future__ import annotations

from pathlib import Path

import pygit2

from .commits import LARGEST_COMMIT
from .pack import BLOB, COMMIT, NAMES, TREE

LARGEST_TREE = 16 * 1024 * 1024
_TREES_KEPT = 512
_ENTRIES_KEPT = 100_000
_ERRORS = (KeyError, ValueError, OSError, MemoryError, pygit2.GitError)

# For the whole process: a history is read once, so what has been read is not kept (libgit2 would keep 256 MB of it),
# and only so much of a pack is mapped at a time.
pygit2.settings.enable_caching(False)
pygit2.settings.mwindow_size = 1024 * 1024
pygit2.settings.mwindow_mapped_limit = 16 * 1024 * 1024


class Unreadable(Exception):
    """Something of a commit cannot be read: the name of the rule, and why."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


Entries = dict[bytes, tuple[int, bytes]]
"""A tree: by name, the mode and the id (20 bytes) of what stands there."""


class Objects:
    """The objects in some folders, the first of which may get new ones from others."""

    def __init__(self, *folders: Path, is_scanned: bool = False) -> None:
        """is_scanned: all packs there have passed `pack.scan`, so no object is larger than that allows."""
        self._odb = pygit2.Odb(str(folders[0]))
        for folder in folders[1:]:
            self._odb.add_disk_alternate(str(folder))
        self._trees: dict[bytes, Entries] = {}
        self._entries = 0
        self._is_scanned = is_scanned

    def has(self, id: str) -> bool:
        try:
            return pygit2.Oid(hex=id) in self._odb
        except _ERRORS:
            return False

    def commit(self, id: str) -> bytes:
        """The bytes of a commit.  Raises Unreadable."""
        return self._read(id, COMMIT, LARGEST_COMMIT, "commit")

    def blob(self, id: bytes, largest: int) -> bytes:
        """The content of a file.  Raises Unreadable."""
        return self._read(id.hex(), BLOB, largest, "file-size")

    def tree(self, id: bytes) -> Entries:
        """A folder.  Raises Unreadable: also for one whose names are not in order, or stand there twice."""
        found = self._trees.get(id)
        if found is None:
            found = parse_tree(self._read(id.hex(), TREE, LARGEST_TREE, "tree"))
            self._entries += len(found)
            if len(self._trees) >= _TREES_KEPT or self._entries > _ENTRIES_KEPT:
                self._trees.clear()
                self._entries = len(found)
            self._trees[id] = found
        return found

    def raw(self, id: bytes) -> bytes | None:
        """Any object, as kind, size, NUL, content; None when there is none of that id."""
        try:
            kind, size = self._odb.read_header(id.hex())
            if int(kind) not in NAMES or size > LARGEST_TREE:
                return None
            _, content = self._odb.read(id.hex())
        except _ERRORS:
            return None
        return b"%b %d\0" % (NAMES[int(kind)], len(content)) + content

    def _read(self, id: str, kind: int, largest: int, rule: str) -> bytes:
        try:
            if not self._is_scanned:
                size = self._odb.read_header(id)[1]
                if size > largest:
                    raise Unreadable(rule, f"The object {id} has {size} bytes; {largest} are allowed.")
            found, content = self._odb.read(id)
        except _ERRORS as error:
            raise Unreadable("object", f"The object {id} is missing, or damaged.") from error
        if found != kind:
            raise Unreadable("object-kind", f"The object {id} is of another kind than it should be.")
        if len(content) > largest:
            raise Unreadable(rule, f"The object {id} has {len(content)} bytes; {largest} are allowed.")
        return content


def parse_tree(data: bytes) -> Entries:
    """The entries of a tree.  Raises Unreadable, for any bytes."""
    entries: Entries = {}
    at, last = 0, b""
    while at < len(data):
        space = data.find(b" ", at, at + 8)
        end = data.find(b"\0", space) if space > 0 else -1
        if end < 0 or end + 21 > len(data):
            raise Unreadable("tree", "A folder is damaged.")
        digits, name = data[at:space], data[space + 1 : end]
        if not digits.isdigit() or any(digit > 0x37 for digit in digits) or digits.startswith(b"0"):
            raise Unreadable("tree", "A folder is damaged.")
        mode = int(digits, 8)
        key = name + b"/" if mode == FOLDER else name
        if not name or b"/" in name or (key <= last and last) or name in entries:
            raise Unreadable("tree", "The names in a folder are not in order, or stand there twice.")
        entries[name] = (mode, data[end + 1 : end + 21])
        last, at = key, end + 21
    return entries


FOLDER = 0o40000


def write_tree(entries: Entries) -> bytes:
    """The bytes of a tree."""
    ordered = sorted(entries.items(), key=lambda one: one[0] + b"/" if one[1][0] == FOLDER else one[0])
    return b"".join(b"%o %b\0%b" % (mode, name, id) for name, (mode, id) in ordered)
