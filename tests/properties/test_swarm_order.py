"""The linear order of a history that forks, against Git's own walk and against its own rule."""

from __future__ import annotations

from itertools import islice
from tempfile import TemporaryDirectory

import pygit2
from hypothesis import given, settings
from hypothesis import strategies as st
from pygit2.enums import SortMode

from veche.swarm.order import Heap, children, linear, newest

Drawn = list[tuple[list[int], int]]
"""Of each commit but the first: how far back its parents are, and its time."""

GRAPHS = st.lists(
    st.tuples(st.lists(st.integers(0, 6), min_size=1, max_size=3), st.integers(0, 5)), min_size=1, max_size=40
)


def parents_of(drawn: Drawn) -> list[list[int]]:
    """Of each commit, by number; the last one joins all ends."""
    found: list[list[int]] = [[]]
    for back, _ in drawn:
        at = len(found)
        found.append(list(dict.fromkeys(max(0, at - 1 - steps) for steps in back)))
    named = {parent for parents in found for parent in parents}
    ends = [at for at in range(len(found)) if at not in named]
    return found if len(ends) == 1 else [*found, ends]


@settings(deadline=None, max_examples=60)
@given(GRAPHS)
def test_the_order_is_that_of_git(drawn: Drawn) -> None:
    """Many commits have equal times.  Rows: B95 (partly), B130 (partly)."""
    with TemporaryDirectory() as folder:
        repository = pygit2.init_repository(folder, bare=True)
        tree = repository.TreeBuilder().write()
        times = [0, *(time for _, time in drawn), 3]
        ids: list[str] = []
        graph: dict[str, tuple[list[str], int]] = {}
        for at, numbers in enumerate(parents_of(drawn)):
            parents = [ids[number] for number in numbers]
            who = pygit2.Signature("a", "b", times[at], 0)
            id = str(repository.create_commit(None, who, who, str(at), tree, [pygit2.Oid(hex=one) for one in parents]))
            ids.append(id)
            graph[id] = parents, times[at]
        walk = repository.walk(pygit2.Oid(hex=ids[-1]), SortMode.TOPOLOGICAL | SortMode.TIME)
        expected = [str(commit.id) for commit in walk]
    assert list(linear(graph, ids[-1])) == expected
    counts = children(graph, ids[-1])
    for count in (1, 5, len(ids)):
        assert list(islice(newest(graph, ids[-1], counts), count)) == expected[:count]
    assert sorted(expected) == sorted(ids)


@settings(deadline=None)
@given(GRAPHS)
def test_no_commit_comes_before_its_children_and_none_waits_behind_an_older_one(drawn: Drawn) -> None:
    """The rule itself, without its ties.  Rows: B130 (partly)."""
    times = [0, *(time for _, time in drawn), 3]
    parents = parents_of(drawn)
    graph = {str(at): ([str(one) for one in found], times[at]) for at, found in enumerate(parents)}
    left = {str(at): sum(at in found for found in parents) for at in range(len(parents))}
    ready = {id for id, count in left.items() if not count}
    for id in linear(graph, str(len(parents) - 1)):
        assert id in ready
        assert graph[id][1] == max(graph[one][1] for one in ready)
        ready.remove(id)
        for parent in graph[id][0]:
            left[parent] -= 1
            if not left[parent]:
                ready.add(parent)
    assert not ready


def test_the_newest_of_a_long_history_are_given_without_a_walk_of_it() -> None:
    """What is not asked for is not looked at."""

    class Long(dict[str, tuple[list[str], int]]):
        looked = 0

        def __missing__(self, id: str) -> tuple[list[str], int]:
            self.looked += 1
            return [str(int(id) - 1)], int(id)

        def __contains__(self, id: object) -> bool:
            return True

    class Ones(dict[str, int]):
        def __missing__(self, id: str) -> int:
            return 1

    graph = Long()
    assert list(islice(newest(graph, "100000", Ones()), 50)) == [str(at) for at in range(100_000, 99_950, -1)]
    assert graph.looked < 200


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), max_size=30))
def test_the_heap_gives_the_greatest_first(times: list[int]) -> None:
    heap = Heap(lambda commit: times[int(commit)])
    for at in range(len(times)):
        heap.push(str(at))
    assert [times[int(heap.pop())] for _ in times] == sorted(times, reverse=True)
