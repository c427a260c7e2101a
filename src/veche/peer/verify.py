"""A history judged from its beginning, or from where one's own ends: rules in order, signatures on all processors.

The first commit that is refused, oldest first, is the answer, whichever check finds it: signatures are checked in
pieces that come back in order.  Checking one releases the interpreter, so two processors do twice as much.

Source: rows B27-B30, B97.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from veche.swarm.history import History
from veche.swarm.model import Commit, Rejected, State, Told
from veche.swarm.rules import Verdict, check

from .objects import Objects, Unreadable
from .walk import Broken, Past, Walk

PIECE = 32
_ASKED = 64
"""Pieces that may wait to be checked: what waits is in memory."""


class Accepted(Struct, frozen=True):
    """A history that holds."""

    head: str
    count: int
    state: State
    """After its head."""


Progress = Callable[[int, int], None]
"""Told how many of how many commits are done."""
Seen = Callable[[Commit, Verdict], None]
"""Given each commit that the rules accept, oldest first.  Signatures may still be refused later."""


def verify(
    objects: Objects,
    head: str,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    seen: Seen | None = None,
) -> Accepted | Rejected:
    """Judge a whole history."""
    try:
        walk = Walk(objects, head)
    except Broken as error:
        return Rejected(error.id, error.rule, error.reason)
    return judge(walk, head, History(walk.children()), workers=workers, progress=progress, seen=seen)


def judge(
    walk: Walk,
    head: str,
    history: History,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    seen: Seen | None = None,
    signatures: bool = True,
) -> Accepted | Rejected:
    """Judge the commits of a walk after what the history knows.  `head` must be among them.

    signatures: False for a history that has been accepted before, and whose state is wanted anew.
    """
    checks = _Checks(workers if workers is not None else processors())
    try:
        for at, id in enumerate(walk.order):
            refused, key = _judge_one(walk, history, id, seen)
            if isinstance(refused, Rejected):
                return checks.finish() or refused
            commit = refused
            if signatures and key is not None:
                earlier = checks.add(commit, key)
                if earlier is not None:
                    return earlier
            if progress is not None and at % 64 == 0:
                progress(at, len(walk.order))
        refused = checks.finish()
        if refused is not None:
            return refused
    finally:
        checks.close()
    state = history.state(head)
    if state is None:
        return Rejected(head, "root", "It does not begin with the first commit of a conversation.")
    if progress is not None:
        progress(len(walk.order), len(walk.order))
    return Accepted(head, len(walk.order), state)


def _judge_one(
    walk: Walk, history: History, id: str, seen: Seen | None
) -> tuple[Commit | Rejected, RSAPublicKey | None]:
    try:
        commit = walk.commit(id)
    except (Unreadable, Broken) as error:
        return Rejected(id, error.rule, error.reason), None
    verdict = history.judge(commit)
    if isinstance(verdict, Rejected):
        return verdict, None
    if seen is not None:
        seen(commit, verdict)
    return commit, verdict.key


class _Checks:
    """Signatures that are being checked, in order."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers, "signatures") if workers > 1 else None
        self._piece: list[tuple[Commit, RSAPublicKey]] = []
        self._asked: deque[Future[Rejected | None]] = deque()

    def add(self, commit: Commit, key: RSAPublicKey) -> Rejected | None:
        """Have a signature checked.  Returns the first refusal that has come back."""
        if self._pool is None:
            return check(commit, key)
        self._piece.append((commit, key))
        if len(self._piece) >= PIECE:
            self._ask(self._pool)
        while self._asked and (len(self._asked) > _ASKED or self._asked[0].done()):
            refused = self._asked.popleft().result()
            if refused is not None:
                return refused
        return None

    def finish(self) -> Rejected | None:
        """Wait for all of them; the first refusal."""
        if self._pool is not None:
            self._ask(self._pool)
        while self._asked:
            refused = self._asked.popleft().result()
            if refused is not None:
                return refused
        return None

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _ask(self, pool: ThreadPoolExecutor) -> None:
        if self._piece:
            self._asked.append(pool.submit(_check_all, self._piece))
            self._piece = []


def _check_all(piece: list[tuple[Commit, RSAPublicKey]]) -> Rejected | None:
    for commit, key in piece:
        refused = check(commit, key)
        if refused is not None:
            return refused
    return None


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


__all__ = ["Accepted", "History", "Past", "Told", "judge", "processors", "verify"]
