"""A history as it stands in a repository: who is whose parent, the order in which it is judged, and common pasts.

Source: repository facts §6, §7; rows B29, B33, B95.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping

from veche.swarm.model import Change, Commit, MergedPath
from veche.swarm.order import linear

from . import commits
from .objects import Objects, Unreadable
from .trees import changes, merged

_KEPT_BYTES = 20 * 1024 * 1024
"""Commits are read once to find the order, and kept up to here until they are judged; the rest is read again."""
_KEPT_TREES = 262_144
"""Ids of the trees of commits; those of others are read again."""

MOST_STEPS = 20_000_000
"""Commits that are passed, in all, while the common pasts of merges are looked for: half a minute.  Who merges what
began long ago, again and again, costs the square of what they sent; honest devices pass a few commits a merge."""


class Past:
    """What is known of commits that were accepted before: none, for a history that is judged from its beginning."""

    def knows(self, id: str) -> bool:
        return False

    def parents(self, id: str) -> tuple[str, ...]:
        """Raises KeyError."""
        raise KeyError(id)

    def number(self, id: str) -> int:
        """Its place: greater than those of all commits in its past.  Raises KeyError."""
        raise KeyError(id)

    def count(self) -> int:
        """Greater than every place."""
        return 0


class Broken(Exception):
    """A commit that cannot be read: its id, the name of the rule, and why."""

    def __init__(self, id: str, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.id, self.rule, self.reason = id, rule, reason


class Walk:
    """The commits of a history that are new, oldest first, read on demand."""

    def __init__(
        self,
        objects: Objects,
        head: str,
        past: Past | None = None,
        most: int = 1_000_000,
        on_read: Callable[[str, commits.Read], None] | None = None,
    ) -> None:
        """Read who is whose parent.  Raises Broken for the first commit, seen from the head, that is none.

        on_read: is given each new commit as soon as it is read, in no order.
        """
        self._objects = objects
        self._past = past or Past()
        self._trees: dict[str, bytes] = {}
        self._ids: dict[bytes, bytes] = {}
        self._kept: dict[str, commits.Read] = {}
        graph: dict[str, tuple[tuple[str, ...], int]] = {}
        names: dict[str, str] = {}
        kept = 0
        todo = [] if self._past.knows(head) else [head]
        while todo:
            id = todo.pop()
            if id in graph:
                continue
            read = self._read(id)
            if on_read is not None:
                on_read(id, read)
            graph[id] = tuple(names.setdefault(parent, parent) for parent in read.parents), read.time
            names.setdefault(id, id)
            if len(graph) > most:
                raise Broken(id, "commits", f"The history has more than {most} commits.")
            if kept < _KEPT_BYTES:
                kept += len(read.signed) + len(read.signature) + 400
                self._kept[id] = read
            self._remember_tree(id, read.tree)
            todo.extend(parent for parent in read.parents if parent not in graph and not self._past.knows(parent))
        del names
        self.graph: Mapping[str, tuple[tuple[str, ...], int]] = graph
        self.order = list(linear(graph, head)) if graph else []
        """Oldest first; a history that is linear in itself, other ones as they are shown."""
        self.order.reverse()
        if sum(not parents for parents, _ in graph.values()) > 1:  # that of the first parents is the conversation's
            root = head
            while graph[root][0] and graph[root][0][0] in graph:
                root = graph[root][0][0]
            self.order.remove(root)
            self.order.insert(0, root)
        self._numbers: dict[str, int] | None = None
        self._steps = 0

    def children(self) -> dict[str, int]:
        """How many children each new commit, and each known parent of one, has among the new ones."""
        counts: dict[str, int] = {}
        for parents, _ in self.graph.values():
            for parent in parents:
                counts[parent] = counts.get(parent, 0) + 1
        return counts

    def commit(self, id: str) -> Commit:
        """A commit with what it changes.  Raises Unreadable."""
        read = self._kept.pop(id, None) or self._read(id)
        tree = self.tree(id)
        before = self.tree(read.parents[0]) if read.parents else None
        files: tuple[Change, ...] = () if tree == before else changes(self._objects, before, tree)
        both: tuple[MergedPath, ...] = ()
        if len(read.parents) == 2:
            both = self._merged(read.parents, tree)
        return Commit(
            id,
            read.parents,
            read.author_name,
            read.device,
            read.time,
            read.message,
            read.signature,
            read.signed,
            files,
            both,
        )

    def tree(self, id: str) -> bytes:
        """The id of a commit's tree.  Raises Unreadable."""
        found = self._trees.get(id)
        if found is None:
            try:
                found = self._remember_tree(id, self._read(id).tree)
            except Broken as error:
                raise Unreadable(error.rule, error.reason) from error
        return found

    def _read(self, id: str) -> commits.Read:
        try:
            return commits.parse(self._objects.commit(id))
        except commits.BadCommit as error:
            raise Broken(id, "commit", str(error)) from error
        except Unreadable as error:
            raise Broken(id, error.rule, error.reason) from error

    def _remember_tree(self, id: str, tree: str) -> bytes:
        raw = bytes.fromhex(tree)
        if len(self._trees) >= _KEPT_TREES:
            self._trees.clear()
            self._ids.clear()
        raw = self._trees[id] = self._ids.setdefault(raw, raw)
        return raw

    def _merged(self, parents: tuple[str, ...], tree: bytes) -> tuple[MergedPath, ...]:
        ours, theirs = (self.tree(parent) for parent in parents)
        if tree == ours == theirs:
            return ()
        bases = merge_bases(parents[0], parents[1], self._parents, self._number)
        return merged(self._objects, tree, ours, theirs, [self.tree(base) for base in bases])

    def _parents(self, id: str) -> tuple[str, ...]:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise Unreadable("merges", "Its merges reach back too far, too often, for their common past to be found.")
        found = self.graph.get(id)
        return found[0] if found is not None else self._past.parents(id)

    def _number(self, id: str) -> int:
        if self._numbers is None:
            first = self._past.count()
            self._numbers = {one: first + at for at, one in enumerate(self.order)}
        found = self._numbers.get(id)
        return found if found is not None else self._past.number(id)


_OURS, _THEIRS, _BELOW = 1, 2, 4


def merge_bases(
    ours: str, theirs: str, parents: Callable[[str], tuple[str, ...]], number: Callable[[str], int]
) -> list[str]:
    """The commits in the past of both that are in the past of no other such commit; usually one.

    It costs what the two have not in common.  number: of a commit, greater than of those in its past.
    """
    marks = {ours: _OURS}
    marks[theirs] = marks.get(theirs, 0) | _THEIRS
    heap = [(-number(id), id) for id in marks]
    heapq.heapify(heap)
    open_ones = len(heap)  # in the heap, and not below a base
    found: list[str] = []
    while heap and open_ones:
        _, id = heapq.heappop(heap)
        mark = marks[id]
        if not mark & _BELOW:
            open_ones -= 1
        if mark & (_OURS | _THEIRS) == _OURS | _THEIRS and not mark & _BELOW:
            found.append(id)
            mark |= _BELOW
        for parent in parents(id):
            old = marks.get(parent)
            new = (old or 0) | mark
            if old is None:
                heapq.heappush(heap, (-number(parent), parent))
                open_ones += not new & _BELOW
            elif new & _BELOW and not old & _BELOW:
                open_ones -= 1
            marks[parent] = new
    return found
