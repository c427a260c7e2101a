"""How the trees of some commits differ, as the files that a conversation may hold.

The walk is never deeper than the longest path of a conversation, does not recur, and stops at the first thing that has
no place there: a folder within folders without end costs one look.

Source: repository facts §2, §5; rows B31, B33, B101.
"""

from __future__ import annotations

from collections.abc import Iterator

from veche.swarm import paths
from veche.swarm.card import LARGEST_CARD
from veche.swarm.certificates import LARGEST_CERTIFICATE
from veche.swarm.model import Change, MergedPath

from .objects import FOLDER, Objects, Unreadable

MOST_CHANGES = 10_000
"""Files that one commit may change."""

Entry = tuple[int, bytes] | None
"""Mode and id of what stands at a path; None: nothing."""


def differences(objects: Objects, trees: tuple[bytes | None, ...]) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """Every path whose entries are not the same in all trees.  Raises Unreadable.

    A folder that no conversation has is given as one path, and nothing comes after it.
    """
    todo: list[tuple[str, tuple[bytes | None, ...]]] = [("", trees)]
    count = 0
    while todo:
        prefix, ids = todo.pop()
        folders = [objects.tree(id) if id is not None else {} for id in ids]
        names = sorted({name for folder in folders for name in folder})
        for name in names:
            entries = tuple(folder.get(name) for folder in folders)
            if all(entry == entries[0] for entry in entries):
                continue
            path = prefix + name.decode("utf-8", "backslashreplace")
            count += 1
            if count > MOST_CHANGES:
                raise Unreadable("files", f"It changes more than {MOST_CHANGES} files.")
            below = tuple(entry[1] if entry is not None and entry[0] == FOLDER else None for entry in entries)
            files = tuple(entry if entry is not None and entry[0] != FOLDER else None for entry in entries)
            if any(below) and not paths.is_folder(path):
                yield path, entries
                return
            if any(files):
                yield path, files
            if any(below):
                todo.append((path + "/", below))


def changes(objects: Objects, old: bytes | None, new: bytes) -> tuple[Change, ...]:
    """The files by which a tree differs from another one, or from nothing.  Raises Unreadable.

    Of a path that no conversation has, nothing is read: to name it is enough to refuse it.
    """
    found: list[Change] = []
    for path, (before, after) in differences(objects, (old, new)):
        mode = after[0] if after is not None else paths.PLAIN_FILE
        if not paths.is_allowed(path) or mode != paths.PLAIN_FILE:
            return (*found, Change(path, None, b"", mode))
        found.append(Change(path, _content(objects, path, before), _content(objects, path, after), mode))
    return tuple(found)


def merged(
    objects: Objects, result: bytes, ours: bytes, theirs: bytes, bases: list[bytes] | None
) -> tuple[MergedPath, ...]:
    """The paths that a merge has otherwise than one of its parents.  Raises Unreadable.

    bases: the trees of the merge bases; None: they are not known yet, and nothing is said of them.
    """
    found: list[MergedPath] = []
    for path, entries in differences(objects, (result, ours, theirs)):
        old = tuple(_text(entry_at(objects, tree, path)) for tree in bases or ())
        after, mine, other = (_text(entry) for entry in entries)
        found.append(MergedPath(path, after, mine, other, old))
    return tuple(found)


def entry_at(objects: Objects, tree: bytes, path: str) -> Entry:
    """What stands at a path.  Raises Unreadable."""
    *folders, name = path.encode("utf-8").split(b"/")
    for folder in folders:
        entry = objects.tree(tree).get(folder)
        if entry is None or entry[0] != FOLDER:
            return None
        tree = entry[1]
    return objects.tree(tree).get(name)


def all_files(objects: Objects, tree: bytes) -> dict[str, bytes]:
    """All files of a tree that has been accepted, by path.  Raises Unreadable."""
    return {change.path: change.new or b"" for change in changes(objects, None, tree)}


def _content(objects: Objects, path: str, entry: Entry) -> bytes | None:
    if entry is None:
        return None
    return objects.blob(entry[1], LARGEST_CARD if path == paths.PROFILE else LARGEST_CERTIFICATE)


def _text(entry: Entry) -> str | None:
    """An entry as one text, so that a change of its mode is a change."""
    return None if entry is None else f"{entry[0]:o}:{entry[1].hex()}"
