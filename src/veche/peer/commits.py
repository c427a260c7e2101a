"""A commit's bytes: read as strangers wrote them, written as all clients write them.

    tree, parent*, author, committer, signature, blank line, message

The signature is one line, and covers the object without that line.  Author and committer are the same: a name that
means nothing, the device's id as the mail, the time in UTC.

Source: gitformat for commits; repository facts §3; row B95.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

from msgspec import Struct

from veche.swarm.messages import LARGEST_MESSAGE

LARGEST_COMMIT = LARGEST_MESSAGE + 64 * 1024
MOST_PARENTS = 16
_LATEST = 1 << 40
"""Seconds since 1970: nobody's clock is that wrong."""

_USUAL = re.compile(
    rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n){0,16})"
    rb"author ([^<>\n\0]*)<([^<>\n\0]*)> (\d{1,13}) [+-]\d{4}\n"
    rb"committer [^<>\n\0]*<[^<>\n\0]*> (\d{1,13}) [+-]\d{4}\n"
    rb"(?:signature ([^\n\0]*)\n)?\n"
)


class BadCommit(Exception):
    """These bytes are no commit that a conversation holds; the text says why."""


class Read(Struct, frozen=True):
    """A commit as it was read, before anything is judged."""

    tree: str
    parents: tuple[str, ...]
    author_name: str
    device: str
    time: int
    """The committer's; seconds since 1970."""
    signature: bytes
    signed: bytes
    message: bytes


def parse(data: bytes) -> Read:
    """Read a commit.  Raises BadCommit, for any bytes, and nothing else."""
    found = _USUAL.match(data)
    if found is None:
        return _parse_unusual(data)
    tree, parents, name, mail, _, at, signature = found.groups()
    end = found.end()
    time = int(at)
    if time > _LATEST:
        raise BadCommit("Its time is none.")
    signed = data if signature is None else data[: found.start(7) - 10] + data[end - 1 :]
    return Read(
        tree.decode("ascii"),
        tuple(parents.decode("ascii").split()[1::2]) if parents else (),
        name.decode("utf-8", "replace").strip(),
        mail.decode("utf-8", "replace"),
        time,
        signature or b"",
        signed,
        data[end:],
    )


def _parse_unusual(data: bytes) -> Read:
    """The same for commits with other headers, which count as signed, and for what is none."""
    head, blank, message = data.partition(b"\n\n")
    if not blank:
        raise BadCommit("It has no end of its headers.")
    lines = head.split(b"\n")
    usual = [line for line in lines if line.partition(b" ")[0] in (b"tree", b"parent", b"author", b"committer")]
    signatures = [line for line in lines if line.startswith(b"signature ")]
    if len(signatures) > 1:
        raise BadCommit("It has two signatures.")
    after = lines.index(signatures[0]) + 1 if signatures else 0
    if after and after < len(lines) and lines[after].startswith(b" "):
        raise BadCommit("Its signature is more than one line.")
    if lines[: len(usual)] != usual:
        raise BadCommit("Its headers are not in the usual order.")
    found = _USUAL.match(b"\n".join([*usual, b"", b""]))
    if found is None:
        raise BadCommit("Its headers are not those of a commit.")
    rest = b"\n".join(line for line in lines if not line.startswith(b"signature "))
    usual_read = parse(b"\n".join([*usual, *signatures, b"", b""]))
    return Read(
        usual_read.tree,
        usual_read.parents,
        usual_read.author_name,
        usual_read.device,
        usual_read.time,
        usual_read.signature,
        rest + b"\n\n" + message,
        message,
    )


def write(
    tree: str,
    parents: tuple[str, ...],
    name: str,
    device: str,
    time: int,
    message: bytes,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """The bytes of a signed commit.  sign: gives the signature of some bytes."""
    name = "".join(letter for letter in name if letter not in "<>\n\0").strip() or device
    author = f"{name} <{device}> {time} +0000"
    head = "".join(
        [f"tree {tree}\n", *(f"parent {parent}\n" for parent in parents), f"author {author}\n", f"committer {author}\n"]
    ).encode("utf-8")
    signature = base64.b64encode(sign(head + b"\n" + message))
    return head + b"signature " + signature + b"\n\n" + message


def commit_id(data: bytes) -> str:
    return hashlib.sha1(b"commit %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
