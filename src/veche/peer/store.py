"""A repository of ours on the disk: a bare one, written object by object.

    HEAD, config, objects/, refs/heads/main

Each object is flushed before anything refers to it, and the branch moves last: a process that is killed leaves the
history as it was, or with the new commit.  `git` reads it as any repository.

Source: gitrepository-layout(5); repository facts §3; rows B13, B95.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from pathlib import Path

from .files import flush_folder, make_private, write_whole
from .objects import FOLDER, Objects, write_tree
from .pack import BLOB, NAMES, TREE, Limits, object_id
from .pack_file import make_objects, write_pack
from .pack_file import store as store_pack
from .source import MAIN, read_head

_CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = false\n\tbare = true\n"
_PLAIN = 0o100644
MOST_PACKS, MOST_LOOSE = 50, 6400
KINDS = {name: kind for kind, name in NAMES.items()}
_NO_LIMIT = 1 << 62
_OURS = Limits(pack_bytes=_NO_LIMIT, objects=_NO_LIMIT, total_bytes=_NO_LIMIT, commits=_NO_LIMIT)
"""What is ours already may be of any size; each object has been within its limits."""


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
        self._reopen()

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
        header = b"%b %d\0" % (NAMES[kind], len(content))
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
        self._reopen()

    def move_out(self, *names: str) -> None:
        """Take back a pack that was moved in and that nothing refers to: the index first.  Raises OSError."""
        for name in sorted(names):
            (self.folder / "objects" / "pack" / name).unlink(missing_ok=True)
        self._reopen()

    def needs_tidying(self) -> bool:
        """Whether there are so many packs, or loose objects, that reading them gets slow."""
        objects = self.folder / "objects"
        if len(list((objects / "pack").glob("*.idx"))) > MOST_PACKS:
            return True
        sample = objects / "17"  # ids are evenly spread: one folder of 256 tells of all
        return sample.is_dir() and len(list(sample.iterdir())) > MOST_LOOSE // 256

    def tidy(self, ids: Iterable[bytes]) -> None:
        """Put some objects into one pack, and take away all packs and loose objects that were there.

        ids: of everything that the branch refers to.  Who calls it holds the conversation; readers find the new pack
        before the old places go.  Raises OSError.
        """
        objects = self.folder / "objects"
        old = [*(objects / "pack").glob("pack-*")]
        loose = [file for folder in objects.iterdir() if len(folder.name) == 2 for file in folder.iterdir()]
        aside = objects / "pack" / f".new-{os.getpid()}"
        found = dict.fromkeys(ids)
        try:
            write_pack(aside, (self._entry(id) for id in found), len(found))
            new = store_pack(aside, objects, limits=_OURS)
        finally:
            aside.unlink(missing_ok=True)
        for file in sorted(old, key=lambda one: one.suffix):  # an index before its pack
            if file not in (new.pack, new.index):
                file.unlink(missing_ok=True)
        for file in loose:
            file.unlink(missing_ok=True)
        self._reopen()

    def _entry(self, id: bytes) -> tuple[int, bytes]:
        raw = self.objects.raw(id)
        if raw is None:
            raise FileNotFoundError(f"the object {id.hex()} is missing")
        header, _, content = raw.partition(b"\0")
        return KINDS[header.partition(b" ")[0]], content

    def see_packs(self) -> None:
        """Forget what is known of packs, if another process has put some there or taken some away."""
        if self._packs_at() != self._packs_seen:
            self._reopen()

    def _reopen(self) -> None:
        self._packs_seen = self._packs_at()
        self.objects = Objects(self.folder / "objects", is_scanned=True)

    def _packs_at(self) -> int:
        return (self.folder / "objects" / "pack").stat().st_mtime_ns
