"""Histories to measure with: packed, bare, as long as asked for, signed with RSA-4096 like those of the world.

Three people write in turns; after every twenty texts two of them write at once, and one merges.  Signing costs about
2 ms a commit, so a long history is made once and kept in the temporary folder of the system.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from veche.peer import commits, identity
from veche.peer.identity import Identity
from veche.peer.objects import FOLDER, Entries, write_tree
from veche.peer.pack import BLOB, COMMIT, TREE, object_id
from veche.peer.pack_file import make_objects, store, write_pack
from veche.swarm import messages, writing
from veche.swarm.model import Mode, State
from veche.swarm.paths import PLAIN_FILE
from veche.swarm.writing import Draft

FORM = 1
"""Raised when what is made here changes, so that no older history is measured instead."""
SETTLED = 5
"""Commits until all three are in."""
EVERY = 20

Objects = Iterator[tuple[int, bytes]]


def kept(count: int) -> tuple[Path, Path]:
    """A bare repository with that many commits, and the folder of the account that made it.  Made when missing."""
    folder = Path(tempfile.gettempdir()) / f"veche-bench-swarm-{FORM}-{count}"
    if not (folder / "history.git" / "HEAD").exists():
        shutil.rmtree(folder, ignore_errors=True)
        people = [identity.make(name) for name in ("Alice", "Bob", "Carla")]
        identity.save(people[0], folder / "account")
        build(folder / "history.git", people, count)
    return folder / "history.git", folder / "account"


class Making:
    """A history while it grows: the objects that are new, and what the next commit stands on."""

    def __init__(self, people: list[Identity], count: int) -> None:
        self.people, self.count, self.made = people, count, 0
        self.head = ""
        self._files: dict[str, bytes] = {}
        self._tree = ""
        self._seen: set[bytes] = set()
        self._started = int(time.time()) - 3600

    def objects(self) -> Objects:
        """All objects, each once, what it names before it."""
        alice, bob, carla = self.people
        yield from self._draft(alice, writing.create(alice.author, Mode.INVITES_ONLY))
        for guest in (bob, carla):
            yield from self._draft(alice, writing.invite(self._state(), alice.author, guest.uri))
            yield from self._draft(guest, writing.join(self._state(), guest.author))
        while self.made < self.count:
            turn = self.made
            if turn % EVERY == 0 and self.count - turn >= 3:
                yield from self._fork(self.people[turn % 3], self.people[(turn + 1) % 3])
            else:
                yield self._commit(self.people[turn % 3], (self.head,), text(turn))

    def _fork(self, ours: Identity, theirs: Identity) -> Objects:
        base = self.head
        yield self._commit(ours, (base,), text(self.made))
        mine = self.head
        yield self._commit(theirs, (base,), text(self.made))
        other = self.head
        yield self._commit(ours, (mine, other), messages.merge_message(other))

    def _draft(self, who: Identity, draft: Draft) -> Objects:
        for path, content in draft.files.items():
            if content is None:
                self._files.pop(path)
            else:
                self._files[path] = content
        yield from self._trees()
        yield self._commit(who, (self.head,) if self.head else (), draft.message)

    def _commit(self, who: Identity, parents: tuple[str, ...], message: bytes) -> tuple[int, bytes]:
        at = self._started + self.made // 1000
        data = commits.write(self._tree, parents, who.name, who.device, at, message, who.sign)
        self.head = commits.commit_id(data)
        self.made += 1
        return COMMIT, data

    def _state(self) -> State:
        return State(self.head, Mode.INVITES_ONLY, (self.people[0].uri,), dict(self._files))

    def _trees(self) -> Objects:
        folders: dict[bytes, Entries] = {}
        for path, content in self._files.items():
            folder, _, name = path.encode("ascii").rpartition(b"/")
            folders.setdefault(folder, {})[name] = (PLAIN_FILE, object_id(BLOB, content))
            yield from self._once(BLOB, content)
        root: Entries = {}
        for name, entries in folders.items():
            data = write_tree(entries)
            root[name] = (FOLDER, object_id(TREE, data))
            yield from self._once(TREE, data)
        yield from self._once(TREE, write_tree(root))
        self._tree = object_id(TREE, write_tree(root)).hex()

    def _once(self, kind: int, content: bytes) -> Objects:
        id = object_id(kind, content)
        if id not in self._seen:
            self._seen.add(id)
            yield kind, content


def text(number: int) -> bytes:
    """The message of a text, of no remarkable length."""
    words = f"This is number {number} of what people say to each other. " * (1 + number % 3)
    return messages.encode(messages.Text(body=words))


def build(folder: Path, people: list[Identity], count: int) -> str:
    """Make a bare repository with one pack.  Returns its head."""
    aside = folder.with_name(folder.name + ".new")
    objects = aside / "objects"
    make_objects(objects)
    (aside / "refs" / "heads").mkdir(parents=True)
    making = Making(people, count)
    found = list(making.objects())
    write_pack(aside / "made.pack", found, len(found))
    del found
    store(aside / "made.pack", objects)
    (aside / "made.pack").unlink()
    (aside / "refs" / "heads" / "main").write_text(making.head + "\n", "ascii")
    (aside / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n", "ascii")
    (aside / "HEAD").write_text("ref: refs/heads/main\n", "ascii")
    aside.rename(folder)
    return making.head
