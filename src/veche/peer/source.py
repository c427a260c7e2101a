"""A history that somebody points at: a bundle, a bare repository, a clone.  Opened to be read, never written.

Of a repository only HEAD, the references and the objects are read; its configuration and hooks do nothing here.  The
pack of a bundle is scanned, then put into a folder of its own that goes when the source is closed.

Source: gitformat-bundle(5), gitrepository-layout(5).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from .objects import Objects
from .pack import BadPack, Limits
from .pack_check import check_packs
from .pack_file import make_objects, store

MAIN = "refs/heads/main"
_ID = re.compile(r"[0-9a-f]{40}")
_LARGEST_TEXT = 4096
_LARGEST_REFS = 16 * 1024 * 1024
_LARGEST_HEADER = 1024 * 1024
_MOST_REFS = 4096


class NotARepository(Exception):
    """There is nothing at this path that can be read as a history; the text says why."""


class Refused(Exception):
    """It is a bundle, and what is in it is refused before it is a history."""

    def __init__(self, head: str, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.head, self.rule, self.reason = head, rule, reason


class Source:
    """An opened history."""

    def __init__(self, objects: Objects, head: str, folder: Path | None = None) -> None:
        self.objects = objects
        self.head = head
        self._folder = folder

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget it, and what was made to read it."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def open_source(path: Path, limits: Limits | None = None) -> Source:
    """Open what is at a path.  Raises NotARepository, Refused."""
    try:
        if path.is_dir():
            return _open_repository(path, limits or Limits())
        if path.is_file():
            return _open_bundle(path, limits or Limits())
    except OSError as error:
        raise NotARepository(f"{path} cannot be read: {error.strerror or error}.") from error
    raise NotARepository(f"There is no {path}.")


# -- repositories


def _open_repository(path: Path, limits: Limits) -> Source:
    folder = git_folder(path)
    head = read_head(folder)
    try:
        is_scanned = check_packs(folder / "objects", limits)
    except BadPack as error:
        raise _refusal(path, head, error) from error
    return Source(Objects(folder / "objects", is_scanned=is_scanned), head)


def _refusal(path: Path, head: str, error: BadPack) -> NotARepository | Refused:
    """Damage is one thing, a bomb another."""
    if error.rule in ("pack-format", "pack-checksum", "delta-base"):
        return NotARepository(f"{path} is damaged. {error}")
    return Refused(head, error.rule, error.reason)


def git_folder(path: Path) -> Path:
    """The folder that holds HEAD and the objects.  Raises NotARepository."""
    inner = path / ".git"
    if inner.is_file():  # a work tree of another repository
        text = _text(inner) or ""
        if not text.startswith("gitdir: "):
            raise NotARepository(f"{path} is no Git repository.")
        inner = path / text.removeprefix("gitdir: ").strip()
    for folder in (inner, path):
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
            return folder
    raise NotARepository(f"{path} is no Git repository, nor a bundle.")


def read_head(folder: Path) -> str:
    """The commit that HEAD is, or else that of the branch `main`.  Raises NotARepository."""
    head = (_text(folder / "HEAD") or "").strip()
    if _ID.fullmatch(head):
        return head
    names = [head.removeprefix("ref: ")] if head.startswith("ref: ") else []
    names += [MAIN, "refs/remotes/origin/main", "refs/remotes/origin/HEAD"]
    packed = _packed_refs(folder)
    for name in names:
        id = _reference(folder, name, packed)
        if id is not None:
            return id
    raise NotARepository(f"There is no branch `main` in {folder}, and no commit.")


def _reference(folder: Path, name: str, packed: dict[str, str]) -> str | None:
    for _ in range(5):
        if not name.startswith("refs/") or ".." in name or "\0" in name or "\\" in name:
            return None
        text = (_text(folder / name) or packed.get(name, "")).strip()
        if _ID.fullmatch(text):
            return text
        if not text.startswith("ref: "):
            return None
        name = text.removeprefix("ref: ")
    return None


def _packed_refs(folder: Path) -> dict[str, str]:
    file = folder / "packed-refs"
    if not file.is_file():
        return {}
    with file.open("rb") as opened:
        text = opened.read(_LARGEST_REFS).decode("utf-8", "replace")
    pairs = (line.split(" ", 1) for line in text.split("\n") if line[:1] not in ("#", "^", ""))
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def _text(file: Path) -> str | None:
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        return opened.read(_LARGEST_TEXT).decode("utf-8", "replace")


# -- bundles


def _open_bundle(path: Path, limits: Limits) -> Source:
    head, start = read_bundle_header(path)
    folder = Path(tempfile.mkdtemp(prefix="veche-bundle-"))
    try:
        pack = folder / "received.pack"
        with path.open("rb") as source, pack.open("wb") as target:
            source.seek(start)
            left = limits.pack_bytes + 1
            while left > 0 and (piece := source.read(min(left, 1 << 20))):
                target.write(piece)
                left -= len(piece)
        objects = folder / "objects"
        make_objects(objects)
        try:
            store(pack, objects, limits=limits)
        except BadPack as error:
            raise _refusal(path, head, error) from error
        pack.unlink()
        return Source(Objects(objects, is_scanned=True), head, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_bundle_header(path: Path) -> tuple[str, int]:
    """The head that a bundle brings, and where its pack begins.  Raises NotARepository."""
    with path.open("rb") as file:
        data = file.read(_LARGEST_HEADER)
    if not data.startswith((b"# v2 git bundle\n", b"# v3 git bundle\n")):
        raise NotARepository(f"{path} is no bundle, nor a Git repository.")
    end = data.find(b"\n\n")
    if end < 0:
        raise NotARepository(f"{path} is a damaged bundle: its header does not end.")
    refs: dict[str, str] = {}
    for line in data[:end].decode("utf-8", "replace").split("\n")[1:]:
        if line.startswith("@"):
            if line != "@object-format=sha1":
                raise NotARepository(f"{path} needs what is not known here: {line[:60]}")
            continue
        if line.startswith("-"):
            raise NotARepository(f"{path} is not complete: it continues another history.")
        id, _, name = line.partition(" ")
        if not _ID.fullmatch(id):
            raise NotARepository(f"{path} is a damaged bundle: a reference in it is none.")
        refs[name] = id
        if len(refs) > _MOST_REFS:
            raise NotARepository(f"{path} has more than {_MOST_REFS} references.")
    branches = [id for name, id in refs.items() if name.startswith("refs/heads/")]
    head = refs.get(MAIN) or refs.get("HEAD") or (branches[0] if len(branches) == 1 else None)
    if head is None:
        raise NotARepository(f"{path} has no branch `main`.")
    return head, end + 2
