"""A whole history as a fold: each commit judged after its parents, states kept only while a child still needs them.

    history = History(children)            # how many children each commit has, as `order.children` counts them
    for commit in oldest_first:
        verdict = history.judge(commit)    # Verdict, or Rejected: then the whole history is refused
    history.state(head)

A device that knows a history gives the states of its heads, and goes on from there: what it costs does not grow.

Source: rows B05, B27-B29.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .model import Commit, Rejected, State, Told
from .rules import Verdict, judge


class History:
    """The states of a history's commits, and what later ones may ask of earlier ones."""

    def __init__(
        self,
        children: Mapping[str, int],
        known: Mapping[str, State] | None = None,
        lookup: Callable[[str], Told | None] | None = None,
    ) -> None:
        """children: of the commits that will come and of their parents.  known: states after commits that were
        accepted before; lookup: what is known of those and of their past.
        """
        self._left = dict(children)
        self._states: dict[str, State] = dict(known or {})
        self._told: dict[str, Told] = {}
        self._kinds: dict[Told, Told] = {}
        """One object for many equal ones."""
        self._earlier = lookup
        self._has_root = bool(known)

    def judge(self, commit: Commit) -> Verdict | Rejected:
        """Judge the next commit, all but its signature.  All its parents must have been judged."""
        if not commit.parents:
            if self._has_root:
                return Rejected(commit.id, "second-root", "A conversation has one first commit.")
            verdict = judge(None, commit, self.lookup)
        else:
            states = [self._states.get(parent) for parent in commit.parents]
            if any(state is None for state in states):
                return Rejected(commit.id, "parent", "One of its parents is not in this conversation.")
            verdict = judge(states[0], commit, self.lookup, states[1] if len(states) == 2 else None)
        if isinstance(verdict, Rejected):
            return verdict
        self._has_root = True
        self._told[commit.id] = self._kinds.setdefault(verdict.told, verdict.told)
        self._states[commit.id] = verdict.state
        for parent in commit.parents:
            left = self._left.get(parent, 0) - 1
            self._left[parent] = left
            if left <= 0:
                self._states.pop(parent, None)
        return verdict

    def state(self, commit: str) -> State | None:
        """The state after a commit that has been judged and has children to come, or none at all."""
        return self._states.get(commit)

    def lookup(self, commit: str) -> Told | None:
        """Who wrote an accepted commit, and of what type."""
        return self._told.get(commit) or (self._earlier(commit) if self._earlier else None)
