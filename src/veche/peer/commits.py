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

_ID = rb"[0-9a-f]{40}"
_SAME = re.compile(  # author and committer are the same, as every client writes them
    rb"tree (%b)\n((?:parent %b\n){0,16})author (([^<>\n\0]*)<([^<>\n\0]*)> (\d{1,13}) [+-]\d{4})\ncommitter \3\n"
    % (_ID, _ID)
)
_OTHER = re.compile(
    rb"tree (%b)\n((?:parent %b\n){0,16})author (([^<>\n\0]*)<([^<>\n\0]*)> \d{1,13} [+-]\d{4})\n"
    rb"committer [^<>\n\0]*<[^<>\n\0]*> (\d{1,13}) [+-]\d{4}\n" % (_ID, _ID)
)
_SIGNATURE = b"signature "


class BadCommit(Exception):
    """These bytes are no commit that a conversation holds; the text says why."""


class Read(Struct, frozen=True, gc=False):
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
    found = _SAME.match(data) or _OTHER.match(data)
    if found is None:
        raise BadCommit("Its headers are not those of a commit.")
    tree, parents, _, name, mail, at = found.groups()
    time = int(at)
    if time > _LATEST:
        raise BadCommit("Its time is none.")
    end = found.end()
    signature, signed = b"", data
    if data.startswith(_SIGNATURE, end):
        line_end = data.find(b"\n", end)
        signature = data[end + len(_SIGNATURE) : line_end]
        signed = data[:end] + data[line_end + 1 :]
    if signed[end : end + 1] != b"\n":
        signature, signed = _with_other_headers(signed, end, signature)
    return Read(
        tree.decode("ascii"),
        tuple(parents.decode("ascii").split()[1::2]) if parents else (),
        name.decode("utf-8", "replace").strip(),
        mail.decode("utf-8", "replace"),
        time,
        signature,
        signed,
        signed[signed.index(b"\n\n", end - 1) + 2 :],
    )


def _with_other_headers(signed: bytes, end: int, signature: bytes) -> tuple[bytes, bytes]:
    """The signature, and what it covers, of a commit with headers that are not known: those count as signed.

    The first of several signatures counts.  One of several lines is refused.
    """
    stop = signed.find(b"\n\n", end)
    if stop < 0:
        raise BadCommit("It has no end of its headers.")
    lines = signed[end:stop].split(b"\n")
    kept: list[bytes] = []
    for line in lines:
        if line.startswith(_SIGNATURE) and not signature:
            signature = line[len(_SIGNATURE) :]
        else:
            kept.append(line)
    if lines[0].startswith(b" ") or any(b"\0" in line for line in lines):
        raise BadCommit("Its signature is more than one line.")
    head = b"".join(line + b"\n" for line in kept)
    return signature, signed[:end] + head + signed[stop + 1 :]


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
