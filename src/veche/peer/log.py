"""The log of any history that can be read, judged or not: newest first, in the linear order.

Source: repository facts §7.
"""

from __future__ import annotations

from collections.abc import Iterator

from veche.swarm import messages, paths
from veche.swarm.certificates import LARGEST_CERTIFICATE, BadCertificate, first_certificate
from veche.swarm.order import linear

from . import commits
from .objects import Objects, Unreadable
from .repository import Line, fields_of
from .source import NotARepository
from .trees import entry_at
from .walk import Broken, Walk


def lines(objects: Objects, head: str, count: int | None = None) -> Iterator[Line]:
    """Give the newest lines of a history, or all.  Raises NotARepository where it cannot be read."""
    try:
        walk = Walk(objects, head)
        authors = _Authors(objects)
        order = linear(walk.graph, head)
        id = next(order, None)
        given = 0
        while id is not None and (count is None or given < count):
            after = next(order, None)
            read = commits.parse(objects.commit(id))
            message = fields_of(read.message)
            kind = "merge" if len(read.parents) > 1 else type_of(read.message)
            yield Line(
                id,
                read.parents,
                after or "",
                authors.of(read),
                read.device,
                kind,
                read.time,
                message,
            )
            id = after
            given += 1
    except (Broken, Unreadable, commits.BadCommit) as error:
        raise NotARepository(f"The history cannot be read: {error}") from error


def type_of(message: bytes) -> str:
    """The type that a message says, empty for none."""
    try:
        return messages.said(message).type
    except messages.NotAMessage:
        return ""


class _Authors:
    """Whom devices speak for, by their certificates."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[str, str] = {}

    def of(self, read: commits.Read) -> str:
        """The uri of who wrote a commit: of the device's certificate there, or before it; empty when there is none."""
        if read.device not in self._known and paths.is_device(read.device):
            for tree in (read.tree, *(commits.parse(self._objects.commit(id)).tree for id in read.parents[:1])):
                entry = entry_at(self._objects, bytes.fromhex(tree), paths.device(read.device))
                if entry is None:
                    continue
                try:
                    data = self._objects.blob(entry[1], LARGEST_CERTIFICATE)
                    self._known[read.device] = first_certificate(data).issuer_uid
                    break
                except (BadCertificate, Unreadable):
                    continue
        return self._known.get(read.device, "")
