"""A repository of ours on the disk: a bare one, written object by object.

    HEAD, config, objects/, refs/heads/main

Each object is flushed before anything refers to it, and the branch moves last: a process that is killed leaves the
history as it was, or with the new commit.  `git` reads it as any repository.

Source: gitrepository-layout(5); repository facts §3; rows B13, B95.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from .files import flush_folder, make_private, write_whole
from .objects import FOLDER, Objects, write_tree
from .pack import BLOB, TREE, object_id
from .pack_file import make_objects
from .source import MAIN, read_head

_CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = false\n\tbare = true\n"
_PLAIN = 0o100644


def make(folder: Path) -> None:
    """An empty repository.  Raises OSError."""
    make_private(folder)
    make_objects(folder / "objects")
    (folder / "refs" / "heads").mkdir(parents=True)
    write_whole(folder / "config", _CONFIG, 0o644)
    write_whole(folder / "HEAD", f"ref: {MAIN}\n".encode("ascii"), 0o644)


class Store:
    """One repository: its objects, and its branch `main`.  Who writes holds the conversation's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = Objects(folder / "objects", is_scanned=True)

    def head(self) -> str:
        """The commit of `main`.  Raises NotARepository."""
        return read_head(self.folder)

    def set_head(self, id: str) -> None:
        """Move `main`.  Raises OSError."""
        write_whole(self.folder / MAIN, f"{id}\n".encode("ascii"), 0o644)

    def write(self, kind: int, content: bytes) -> bytes:
        """Put an object, if it is not there, on the disk.  Returns its id.  Raises OSError."""
        id = object_id(kind, content)
        name = id.hex()
        folder = self.folder / "objects" / name[:2]
        path = folder / name[2:]
        if path.exists() or (kind in (BLOB, TREE) and self.objects.has(name)):
            return id
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            flush_folder(folder.parent)
        kinds = {BLOB: b"blob", TREE: b"tree"}
        header = b"%b %d\0" % (kinds.get(kind, b"commit"), len(content))
        write_whole(path, zlib.compress(header + content, 1), 0o444)
        return id

    def write_files(self, root: bytes | None, files: dict[str, bytes | None]) -> bytes:
        """The tree that some files make of another one, or of nothing; None removes.  Returns its id.

        Folders go with their last file.  Raises Unreadable, OSError.
        """
        folders: dict[str, dict[bytes, bytes | None]] = {"": {}}
        for path, content in files.items():
            folder, _, name = path.rpartition("/")
            while folder not in folders:
                folders[folder] = {}
                folder = folder.rpartition("/")[0]
            id = None if content is None else self.write(BLOB, content)
            folders[path.rpartition("/")[0]][name.encode("utf-8")] = id
        made: dict[str, bytes | None] = {}
        for folder in sorted(folders, key=lambda one: one.count("/") + bool(one), reverse=True):
            entries = dict(self.objects.tree(old)) if (old := self._folder_id(root, folder)) is not None else {}
            for name, id in folders[folder].items():
                entries.pop(name, None)
                if id is not None:
                    entries[name] = (_PLAIN, id)
            for below, tree in made.items():
                if below and below.rpartition("/")[0] == folder:
                    name = below.rpartition("/")[2].encode("utf-8")
                    entries.pop(name, None)
                    if tree is not None:
                        entries[name] = (FOLDER, tree)
            made[folder] = self.write(TREE, write_tree(entries)) if entries or not folder else None
        return made[""] or b""

    def _folder_id(self, root: bytes | None, folder: str) -> bytes | None:
        id = root
        for name in folder.split("/") if folder else ():
            entry = self.objects.tree(id).get(name.encode("utf-8")) if id is not None else None
            id = entry[1] if entry is not None and entry[0] == FOLDER else None
        return id

    def move_in(self, pack: Path, index: Path) -> None:
        """Take a pack over from a folder aside, the pack first, then the index that makes it count.  Raises OSError."""
        folder = self.folder / "objects" / "pack"
        for file in (pack, index):
            os.replace(file, folder / file.name)
        flush_folder(folder)
        self.objects = Objects(self.folder / "objects", is_scanned=True)

    def move_out(self, *names: str) -> None:
        """Take back a pack that was moved in and that nothing refers to: the index first.  Raises OSError."""
        for name in sorted(names):
            (self.folder / "objects" / "pack" / name).unlink(missing_ok=True)
        self.objects = Objects(self.folder / "objects", is_scanned=True)
