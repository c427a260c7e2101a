"""Repositories that somebody made to hurt: an honest first commit by Alice, then one thing that nobody can want.

They are written byte by byte, since no decent program writes such things.  Each function makes a bare repository and
returns the commit that must be refused for it.
"""

from __future__ import annotations

import hashlib
import struct
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.support.histories import BLOB, BY_ID, COMMIT, TREE, entry, pack, person, varint
from veche.peer import commits
from veche.peer.pack_file import index_bytes
from veche.swarm import writing
from veche.swarm.model import Mode

TEXT = b'{"body":"boom","type":"text/plain"}'
KINDS = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}
MEGABYTE = 1_000_000

Entry = tuple[bytes, bytes, bytes]
"""Mode, name, id, as they stand in a tree."""


class Repository:
    """A bare repository of loose objects, with Alice's first commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "objects" / "pack").mkdir(parents=True)
        (folder / "refs" / "heads").mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/main\n", "ascii")
        (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n", "ascii")
        self.alice = person("Alice")
        draft = writing.create(self.alice.author, Mode.INVITES_ONLY)
        folders: dict[bytes, bytes] = {}
        for path, content in draft.files.items():
            name, _, file = path.encode("ascii").partition(b"/")
            folders[name] = self.tree([(b"100644", file, self.put(BLOB, content or b""))])
        self.usual: list[Entry] = [(b"40000", name, id) for name, id in sorted(folders.items())]
        self.root = self.commit(self.tree(self.usual), (), draft.message)

    def put(self, kind: int, content: bytes) -> bytes:
        """Write an object, whatever is in it.  Returns its id."""
        raw = b"%b %d\0" % (KINDS[kind], len(content)) + content
        id = hashlib.sha1(raw, usedforsecurity=False).digest()
        file = self.folder / "objects" / id.hex()[:2] / id.hex()[2:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(raw, 1))
        return id

    def tree(self, entries: Iterable[Entry]) -> bytes:
        """Write a folder, its entries in the order given."""
        return self.put(TREE, b"".join(b"%b %b\0%b" % one for one in entries))

    def with_entry(self, *entries: Entry) -> bytes:
        """Write the usual folder with more in it, in Git's order."""
        found = sorted([*self.usual, *entries], key=lambda one: one[1] + b"/" if one[0] == b"40000" else one[1])
        return self.tree(found)

    def commit(self, tree: bytes, parents: tuple[str, ...] | None = None, message: bytes = TEXT) -> str:
        """Write a commit that Alice signs, upon the first one, and have the branch be there."""
        data = commits.write(
            tree.hex(),
            (self.root,) if parents is None else parents,
            "Alice",
            self.alice.device,
            int(time.time()),
            message,
            self.alice.sign,
        )
        id = self.put(COMMIT, data).hex()
        (self.folder / "refs" / "heads" / "main").write_text(id + "\n", "ascii")
        return id


# -- folders


def nested(repository: Repository, *, under: bytes, depth: int = 20_000) -> str:
    """Folders within folders."""
    id = repository.tree([(b"100644", b"x", repository.put(BLOB, b""))])
    for _ in range(depth):
        id = repository.tree([(b"40000", b"a", id)])
    return repository.commit(repository.with_entry((b"40000", under, id)))


def multiplied(repository: Repository) -> str:
    """Ten folders, each with ten folders, twelve times over: a million million files in a few bytes."""
    id = repository.put(BLOB, b"")
    mode = b"100644"
    for _ in range(12):
        id = repository.tree([(mode, b"%d" % name, id) for name in range(10)])
        mode = b"40000"
    return repository.commit(repository.with_entry((b"40000", b"votes", id)))


def crowded(repository: Repository) -> str:
    """A folder of allowed names, but far too many."""
    empty = repository.put(BLOB, b"")
    id = repository.tree([(b"100644", b"%040x" % name, empty) for name in range(1, 200_000)])
    return repository.commit(repository.with_entry((b"40000", b"invited", id)))


def crowded_beyond(repository: Repository) -> str:
    """A folder larger than any folder may be."""
    empty = repository.put(BLOB, b"")
    id = repository.tree([(b"100644", b"%040x" % name, empty) for name in range(1, 700_000)])
    return repository.commit(repository.with_entry((b"40000", b"invited", id)))


def odd(mode: bytes, name: bytes) -> Callable[[Repository], str]:
    """An entry with an odd mode, or name."""

    def make(repository: Repository) -> str:
        id = repository.put(BLOB, b"../../../etc/passwd")
        if mode == b"40000":
            id = repository.tree([(b"100644", b"x", id)])
        return repository.commit(repository.with_entry((mode, name, id)))

    return make


def odd_certificate(mode: bytes) -> Callable[[Repository], str]:
    """The mode of a file that is there is changed, and nothing else."""

    def make(repository: Repository) -> str:
        author = repository.alice.author
        file = repository.put(BLOB, author.account_pem)
        admins = repository.tree([(mode, author.uri.encode() + b".crt", file)])
        rest = [one for one in repository.usual if one[1] != b"admins"]
        return repository.commit(repository.tree([(b"40000", b"admins", admins), *rest]))

    return make


def twice(repository: Repository) -> str:
    """The same name twice in one folder: which one counts, readers disagree about."""
    return repository.commit(repository.tree([*repository.usual, repository.usual[-1]]))


def disordered(repository: Repository) -> str:
    """Names in the wrong order: a search finds them, or not."""
    return repository.commit(repository.tree(reversed(repository.usual)))


def torn(repository: Repository) -> str:
    """A folder that ends within an entry."""
    return repository.commit(repository.put(TREE, b"100644 profile.vcf\0short"))


def itself(repository: Repository) -> str:
    """A commit whose tree is a commit."""
    return repository.commit(bytes.fromhex(repository.root))


def absent(repository: Repository) -> str:
    """A commit whose tree is not there."""
    return repository.commit(b"\1" * 20)


# -- large things


def large_card(repository: Repository) -> str:
    """A card of 200 MB, which is 1 MB in the repository."""
    id = repository.put(BLOB, bytes(200 * MEGABYTE))
    card = b'{"type":"application/update-profile"}'
    return repository.commit(repository.with_entry((b"100644", b"profile.vcf", id)), message=card)


def large_certificate(repository: Repository) -> str:
    """A device's certificate of 200 MB."""
    id = repository.put(BLOB, bytes(200 * MEGABYTE))
    devices = repository.tree([(b"100644", b"f" * 64 + b".crt", id)])
    rest = [one for one in repository.usual if one[1] != b"devices"]
    return repository.commit(repository.tree([rest[0], (b"40000", b"devices", devices), *rest[1:]]))


def large_message(repository: Repository) -> str:
    """A text of 200 MB."""
    message = b'{"body":"' + b"x" * (200 * MEGABYTE) + b'","type":"text/plain"}'
    return repository.commit(repository.tree(repository.usual), message=message)


def deep_message(repository: Repository) -> str:
    """JSON within JSON."""
    message = b'{"type":"text/plain","body":"x","more":' + b"[" * 400_000 + b"]" * 400_000 + b"}"
    return repository.commit(repository.tree(repository.usual), message=message)


def large_between(repository: Repository) -> str:
    """A small card by a delta upon a delta whose own result has a gigabyte: no header that is asked for tells."""
    base, size = bytes(65_536), 1 << 30
    grow = varint(len(base)) + varint(size) + b"\x80" * (size >> 16)
    small = b"BEGIN:VCARD"
    shrink = varint(size) + varint(len(small)) + bytes((len(small),)) + small
    names = [hashlib.sha1(b"blob %d\0" % len(base) + base, usedforsecurity=False).digest(), b"\2" * 20]
    names.append(hashlib.sha1(b"blob %d\0" % len(small) + small, usedforsecurity=False).digest())
    entries = [
        entry(BLOB, base),
        entry(BY_ID, grow, base=names[0]),
        entry(BY_ID, shrink, base=names[1]),
    ]
    put_pack(repository, entries, names)
    card = b'{"type":"application/update-profile"}'
    return repository.commit(repository.with_entry((b"100644", b"profile.vcf", names[2])), message=card)


def put_pack(repository: Repository, entries: list[bytes], names: list[bytes]) -> None:
    """Put entries as a pack, under names that need not be theirs."""
    data = pack(entries)
    rows: list[tuple[bytes, int, int]] = []
    at = struct.calcsize(">4sLL")
    for one, name in zip(entries, names, strict=True):
        rows.append((name, zlib.crc32(one), at))
        at += len(one)
    path = repository.folder / "objects" / "pack" / f"pack-{data[-20:].hex()}.pack"
    path.write_bytes(data)
    path.with_suffix(".idx").write_bytes(index_bytes(rows, data[-20:]))


# -- commits


def many_parents(repository: Repository) -> str:
    """A commit with a thousand parents."""
    tree = repository.tree(repository.usual)
    found = tuple(repository.commit(tree, message=b'{"body":"%d","type":"text/plain"}' % n) for n in range(20))
    return repository.commit(tree, found * 50)


def same_parent(repository: Repository) -> str:
    """A merge of a commit with itself, without end in some readers: its parent is counted twice."""
    tree = repository.tree([])
    return repository.commit(tree, (repository.root, repository.root), b"Merge commit '%b'" % repository.root.encode())


def second_root(repository: Repository) -> str:
    """A merge with a history of its own beginning."""
    tree = repository.tree(repository.usual)
    other = repository.commit(tree, (), b'{"mode":3,"type":"initial"}')
    repository.commit(tree, (repository.root, other), f"Merge commit '{other}'".encode("ascii"))
    return other


BOMBS: dict[str, Callable[[Repository], str]] = {
    "folders within folders": lambda one: nested(one, under=b"profile"),
    "folders within a folder that is allowed": lambda one: nested(one, under=b"votes"),
    "folders within folders, multiplied": multiplied,
    "many files": crowded,
    "more files than a folder may have": crowded_beyond,
    "symlink": odd(b"120000", b"link"),
    "symlink in the place of the card": odd(b"120000", b"profile.vcf"),
    "symlink in the place of a folder": odd(b"120000", b"votes"),
    "gitlink": odd(b"160000", b"votes"),
    "executable card": odd(b"100755", b"profile.vcf"),
    "card for a group": odd(b"100664", b"profile.vcf"),
    "card that is a folder": odd(b"40000", b"profile.vcf"),
    "folder that is a file": odd(b"100644", b"votes"),
    "mode nobody knows": odd(b"7", b"profile.vcf"),
    ".git": odd(b"40000", b".git"),
    ".git, as some disks read it": odd(b"40000", b".GIT"),
    ".git, with a letter that is ignored": odd(b"40000", ".g\u200cit".encode()),
    "git~1": odd(b"40000", b"git~1"),
    ".gitmodules": odd(b"100644", b".gitmodules"),
    ".gitattributes": odd(b"100644", b".gitattributes"),
    "..": odd(b"40000", b".."),
    ".": odd(b"40000", b"."),
    "slash in a name": odd(b"100644", b"invited/x"),
    "backslash in a name": odd(b"100644", b"..\\x"),
    "no name": odd(b"100644", b""),
    "name that is no text": odd(b"100644", b"\xff\xfe"),
    "name of a megabyte": odd(b"100644", b"n" * MEGABYTE),
    "name with a line break": odd(b"100644", b"profile.vcf\n"),
    "executable certificate": odd_certificate(b"100755"),
    "certificate that is a symlink": odd_certificate(b"120000"),
    "certificate whose mode has a zero before it": odd_certificate(b"0100644"),
    "same name twice": twice,
    "names in disorder": disordered,
    "torn folder": torn,
    "tree that is a commit": itself,
    "tree that is not there": absent,
    "large card": large_card,
    "large certificate": large_certificate,
    "large message": large_message,
    "deep message": deep_message,
    "large thing between small ones": large_between,
    "many parents": many_parents,
    "merge with itself that removes everything": same_parent,
    "second root": second_root,
}
