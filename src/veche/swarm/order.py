"""The one order of a history that forks: newest first, the same on every device that has the same commits.

Kahn's algorithm from the head: a commit is ready once all its children have been given out; of those that are ready
the one with the greatest time comes first.  Ties are decided by the heap itself, whose moves are fixed here: going up
it passes only what is strictly older; going down it takes the right child only when the left is strictly older, and
stops at a child that is not strictly newer.  Other clients have the same heap, so the order is the same as theirs.

Source: repository facts §7; rows B01, B95.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

Graph = Mapping[str, tuple[Sequence[str], int]]
"""By commit: its parents, and its time."""


def linear(graph: Graph, head: str) -> Iterator[str]:
    """Give the commits that `head` has in its past, and itself, newest first.  O(n log n); nothing recurs.

    Parents that the graph does not have are passed over.
    """
    waiting = children(graph, head)
    heap = Heap(lambda commit: graph[commit][1])
    if head in graph:
        heap.push(head)
    while heap:
        commit = heap.pop()
        yield commit
        for parent in graph[commit][0]:
            if parent in waiting:
                waiting[parent] -= 1
                if not waiting[parent]:
                    heap.push(parent)


def children(graph: Graph, head: str) -> dict[str, int]:
    """How many children each commit in the past of `head` has there, counted as often as they name it."""
    counts: dict[str, int] = {}
    todo = [head] if head in graph else []
    while todo:
        for parent in graph[todo.pop()][0]:
            if parent not in graph:
                continue
            if parent not in counts:
                counts[parent] = 0
                todo.append(parent)
            counts[parent] += 1
    return counts


def newest(graph: Graph, head: str, counts: Mapping[str, int]) -> Iterator[str]:
    """The same as `linear`, without a walk of everything first: what is not asked for costs nothing.

    counts: how many children each commit has in the past of `head`; a history with one head counts them as they come.
    """
    given: dict[str, int] = {}
    heap = Heap(lambda commit: graph[commit][1])
    if head in graph:
        heap.push(head)
    while heap:
        commit = heap.pop()
        yield commit
        for parent in graph[commit][0]:
            if parent in graph:
                given[parent] = given.get(parent, 0) + 1
                if given[parent] == counts[parent]:
                    del given[parent]
                    heap.push(parent)


class Heap:
    """A binary heap, greatest first, whose ties are decided as the module says."""

    __slots__ = ("_items", "_time")

    def __init__(self, time: Callable[[str], int]) -> None:
        self._items: list[tuple[int, str]] = []
        self._time = time

    def __len__(self) -> int:
        return len(self._items)

    def push(self, commit: str) -> None:
        items, item = self._items, (self._time(commit), commit)
        items.append(item)
        at = len(items) - 1
        while at:
            up = (at - 1) // 2
            if items[up][0] >= item[0]:
                break
            items[at] = items[up]
            at = up
        items[at] = item

    def pop(self) -> str:
        items = self._items
        first, item = items[0], items.pop()
        if items:
            at, size = 0, len(items)
            while (down := 2 * at + 1) < size:
                if down + 1 < size and items[down][0] < items[down + 1][0]:
                    down += 1
                if items[down][0] <= item[0]:
                    break
                items[at] = items[down]
                at = down
            items[at] = item
        return first[1]
