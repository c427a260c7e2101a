"""A history judged from its beginning, or from where one's own ends: rules in order, signatures on all processors.

The first commit that is refused, oldest first, is the answer, whichever check finds it: signatures are checked in
pieces that come back in order.  Checking one releases the interpreter, so two processors do twice as much.

Source: rows B27-B30, B97.
"""

from __future__ import annotations

import base64
import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from veche.swarm import paths
from veche.swarm.certificates import LARGEST_CERTIFICATE, BadCertificate, first_certificate, is_signature
from veche.swarm.history import History
from veche.swarm.model import Commit, Rejected, State
from veche.swarm.rules import SHA512, Verdict, check

from . import commits
from .objects import Objects, Unreadable
from .trees import entry_at
from .walk import Broken, Walk

PIECE = 32
_ASKED = 64
"""Pieces that may wait to be checked: what waits is in memory."""
_MOST_DEVICES = 4096
_SWITCH_S = 0.0002
"""A thread waits so long for one that computes in Python, by default 5 ms; a signature takes 0.07."""


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
    workers = workers if workers is not None else processors()
    ahead = Ahead(objects, head, workers) if workers > 1 else None
    before = sys.getswitchinterval()
    if ahead is not None:
        sys.setswitchinterval(_SWITCH_S)
    try:
        walk = Walk(objects, head, on_read=ahead.offer if ahead is not None else None)
        history = History(walk.children())
        return judge(walk, head, history, workers=workers, progress=progress, seen=seen, ahead=ahead)
    except Broken as error:
        return Rejected(error.id, error.rule, error.reason)
    finally:
        sys.setswitchinterval(before)
        if ahead is not None:
            ahead.close()


def judge(
    walk: Walk,
    head: str,
    history: History,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    seen: Seen | None = None,
    signatures: bool = True,
    ahead: Ahead | None = None,
) -> Accepted | Rejected:
    """Judge the commits of a walk after what the history knows.  `head` must be among them.

    signatures: False for a history that has been accepted before, and whose state is wanted anew.  ahead: what was
    checked while the walk was made.
    """
    checks = _Checks(walk, workers if workers is not None else processors(), ahead)
    try:
        for at, id in enumerate(walk.order):
            refused, key = _judge_one(walk, history, id, seen)
            if isinstance(refused, Rejected):
                return checks.finish(refused) or refused
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


class Ahead:
    """Signatures that are checked while the history is still being read: most devices have the same key all along.

    The key is that of the device's certificate in the tree of the head.  It is only a guess: `judge` says which key
    must have signed, and what was checked counts if that is the same one.
    """

    def __init__(self, objects: Objects, head: str, workers: int) -> None:
        self._objects, self._head = objects, head
        self._pool = ThreadPoolExecutor(workers, "ahead")
        self._keys: dict[str, RSAPublicKey | None] = {}
        self._piece: list[tuple[str, RSAPublicKey, commits.Read]] = []
        self._asked: list[Future[list[str]]] = []
        self._offered: dict[str, RSAPublicKey] = {}
        self._failed: set[str] | None = None

    def offer(self, id: str, read: commits.Read) -> None:
        """A commit has been read.  Passed over when too many wait."""
        key = self._key(read.device)
        if key is None or (len(self._asked) > _ASKED and not self._asked[-_ASKED].done()):
            return
        self._offered[id] = key
        self._piece.append((id, key, read))
        if len(self._piece) >= PIECE:
            self._ask()

    def is_asked(self, id: str, key: RSAPublicKey) -> bool:
        """Whether that very signature has been, or is being, checked by that key."""
        return self._offered.get(id) is key

    def failed(self) -> set[str]:
        """The commits whose signatures do not hold.  Waits for all of them."""
        if self._failed is None:
            self._ask()
            self._failed = {id for one in self._asked for id in one.result()}
        return self._failed

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _ask(self) -> None:
        if self._piece:
            self._asked.append(self._pool.submit(_failed_of, self._piece))
            self._piece = []

    def _key(self, device: str) -> RSAPublicKey | None:
        if device not in self._keys:
            self._keys[device] = None
            if paths.is_device(device) and len(self._keys) < _MOST_DEVICES:
                with contextlib.suppress(Unreadable, commits.BadCommit, BadCertificate):
                    tree = bytes.fromhex(commits.parse(self._objects.commit(self._head)).tree)
                    entry = entry_at(self._objects, tree, paths.device(device))
                    if entry is not None:
                        file = self._objects.blob(entry[1], LARGEST_CERTIFICATE)
                        self._keys[device] = first_certificate(file).key
        return self._keys[device]


def _failed_of(piece: list[tuple[str, RSAPublicKey, commits.Read]]) -> list[str]:
    failed: list[str] = []
    for id, key, read in piece:
        try:
            signature = base64.b64decode(read.signature, validate=True)
        except ValueError:
            signature = b""
        if not signature or not is_signature(key, signature, read.signed, SHA512):
            failed.append(id)
    return failed


class _Checks:
    """Signatures that are being checked, in order."""

    def __init__(self, walk: Walk, workers: int, ahead: Ahead | None) -> None:
        self._walk = walk
        self._ahead = ahead
        self._relied: list[tuple[str, RSAPublicKey]] = []
        self._pool = ThreadPoolExecutor(workers, "signatures") if workers > 1 else None
        self._piece: list[tuple[Commit, RSAPublicKey]] = []
        self._asked: deque[Future[Rejected | None]] = deque()

    def add(self, commit: Commit, key: RSAPublicKey) -> Rejected | None:
        """Have a signature checked.  Returns the first refusal that has come back."""
        if self._ahead is not None and self._ahead.is_asked(commit.id, key):
            self._relied.append((commit.id, key))
            return None
        if self._pool is None:
            return check(commit, key)
        self._piece.append((commit, key))
        if len(self._piece) >= PIECE:
            self._ask(self._pool)
        while self._asked and (len(self._asked) > _ASKED or self._asked[0].done()):
            refused = self._asked.popleft().result()
            if refused is not None:
                return self._earlier(refused)
        return None

    def finish(self, last: Rejected | None = None) -> Rejected | None:
        """Wait for all of them; the first refusal, or `last`, which comes after all of them."""
        if self._pool is not None:
            self._ask(self._pool)
        while self._asked:
            refused = self._asked.popleft().result()
            if refused is not None:
                return self._earlier(refused)
        return self._earlier(last)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _earlier(self, refused: Rejected | None) -> Rejected | None:
        """The refusal, or an earlier one among those that were checked ahead."""
        if self._ahead is None or not self._relied:
            return refused
        failed = self._ahead.failed()
        found = next(((id, key) for id, key in self._relied if id in failed), None)
        if found is None:
            return refused
        order = {id: at for at, id in enumerate(self._walk.order)}
        if refused is not None and order[refused.commit] < order[found[0]]:
            return refused
        return check(self._walk.commit(found[0]), found[1])

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
