"""What others send is judged aside, and moved in only when all of it holds.

    the pack is scanned and indexed in a folder of its own, with the repository beside it to be read
    its commits are judged, oldest first, after what is known here
    the pack is moved into the repository, then the branch: forward, or to a merge of both heads

A pull that is refused leaves nothing: the folder goes, and the refusal names who sent it, the commit and the reason.

Source: DESIGN §6; repository facts §5, §6; rows B18, B27-B31, B98, B99.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from veche.swarm import messages, paths, writing
from veche.swarm.history import History
from veche.swarm.model import Rejected, State
from veche.swarm.writing import CannotWrite, Draft

from . import store
from .files import make_private
from .identity import Identity
from .index import Row
from .objects import FOLDER, Objects, Unreadable
from .pack import BLOB, COMMIT, TREE, BadPack, Limits
from .pack_file import Stored, make_objects, write_pack
from .pack_file import store as store_pack
from .repository import CONVERSATIONS, DATA, Conversation, Theirs, row_of
from .store import Store
from .verify import Progress, judge
from .walk import Broken, Past, Walk, merge_bases

_LEFT_S = 3600.0


class PullRefused(Exception):
    """Nothing of a pull was taken: who sent it, which commit (empty: the pack itself), by which rule, and why."""

    def __init__(self, peer: str, commit: str, rule: str, reason: str) -> None:
        where = f"commit {commit}" if commit else "the pack"
        super().__init__(f"What {peer} sent is refused, and nothing of it is kept: {where}: {reason} ({rule})")
        self.peer, self.commit, self.rule, self.reason = peer, commit, rule, reason


class Pulled(Struct, frozen=True):
    """What a pull brought."""

    new: tuple[str, ...]
    """Commits that were not here, oldest first."""
    head: str
    """Where the branch stands now."""
    merge: str = ""
    """The merge that was written, if both sides had something new."""


def clone(
    folder: Path,
    id: str,
    pack: Path,
    head: str,
    peer: str,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Conversation:
    """Take a conversation that is not here from a pack.  Raises PullRefused, FileExistsError, OSError."""
    limits = limits or Limits()
    target = folder / CONVERSATIONS / id
    if target.exists():
        raise FileExistsError(f"The conversation {id} is here already.")
    make_private(folder / CONVERSATIONS)
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder / CONVERSATIONS))
    try:
        store.make(aside / "repository")
        objects = aside / "repository" / "objects"
        _stored(pack, objects, peer, limits, None)
        walk = _walk(Objects(objects, is_scanned=True), head, peer, limits)
        verdict = judge(walk, head, History(walk.children()), progress=progress)
        if isinstance(verdict, Rejected):
            raise PullRefused(peer, verdict.commit, verdict.rule, verdict.reason)
        if verdict.state.conversation != id:
            found = verdict.state.conversation
            raise PullRefused(peer, found, "conversation", f"This is the conversation {found}, and not {id}.")
        Store(aside / "repository").set_head(head)
        (aside / "repository").replace(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Conversation(folder, id)


def pull(
    talk: Conversation,
    pack: Path,
    head: str,
    peer: str,
    identity: Identity,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
    now: int | None = None,
) -> Pulled:
    """Take what is new from a pack.  Raises PullRefused, CannotWrite (the heads cannot be merged), OSError."""
    limits = limits or Limits()
    with _aside(talk) as aside:
        objects = aside / "objects"
        make_objects(objects)
        stored = _stored(pack, objects, peer, limits, talk)
        with talk.writing():
            walk = _walk(
                Objects(objects, talk.store.folder / "objects", is_scanned=True), head, peer, limits, talk.index
            )
            if not walk.order:
                return Pulled((), talk.head)
            rows: list[Row] = []
            try:
                history = talk.history(walk)
            except Unreadable as error:
                raise PullRefused(peer, head, error.rule, error.reason) from error
            verdict = judge(
                walk,
                head,
                history,
                progress=progress,
                seen=lambda commit, found: rows.append(row_of(commit, found)),
            )
            if isinstance(verdict, Rejected):
                raise PullRefused(peer, verdict.commit, verdict.rule, verdict.reason)
            new = tuple(walk.order)
            is_forward = any(talk.head in parents for parents, _ in walk.graph.values())
            if is_forward:
                talk.store.move_in(stored.pack, stored.index)
                talk.store.set_head(head)
                talk.note(rows, head, verdict.state)
                return Pulled(new, head)
            numbers = {id: talk.index.count() + at for at, id in enumerate(walk.order)}
            bases = merge_bases(
                talk.head,
                head,
                lambda id: walk.graph[id][0] if id in walk.graph else talk.index.parents(id),
                lambda id: numbers[id] if id in numbers else talk.index.number(id),
            )
            files = writing.merge(talk.state, _common_past(talk, bases), verdict.state, (talk.head, head))
            draft = Draft(files, messages.merge_message(head))
            talk.store.move_in(stored.pack, stored.index)
            try:
                merge = talk.commit(
                    identity, draft, (talk.head, head), now, theirs=Theirs(verdict.state, tuple(bases)), rows=rows
                )
            except CannotWrite:
                talk.store.move_out(stored.pack.name, stored.index.name)
                raise
            return Pulled(new, merge, merge)


def _common_past(talk: Conversation, bases: list[str]) -> State:
    """The state that two heads have in common; of several, their merge, which nobody writes."""
    state, merged = talk.state_at(bases[0]), bases[0]
    for other in bases[1:]:
        below = merge_bases(merged, other, talk.index.parents, talk.index.number)
        state = writing.blend(state, talk.state_at(below[0]), talk.state_at(other))
    return state


def offer(source: Objects, head: str, target: Path, past: Past | None = None, most: int = 1_000_000) -> int:
    """Write a pack of what of a history is not known to `past`, for another device.  Returns how many commits.

    Only what a conversation can hold is looked at, so a repository that nobody vouches for can be offered.  Raises
    Unreadable, Broken, OSError.
    """
    walk = Walk(source, head, past, most)
    found = reachable(source, walk)
    raw = (source.raw(id) for id in found)
    kinds = zip(found.values(), raw, strict=True)
    write_pack(target, ((kind, data.partition(b"\0")[2]) for kind, data in kinds if data is not None), len(found))
    return len(walk.order)


def reachable(source: Objects, walk: Walk) -> dict[bytes, int]:
    """All objects that the commits of a walk bring: their ids and kinds, oldest first.  Raises Unreadable."""
    found: dict[bytes, int] = {}
    for id in walk.order:
        found[bytes.fromhex(id)] = COMMIT
        parents = walk.graph[id][0]
        _collect(source, walk.tree(parents[0]) if parents else None, walk.tree(id), found)
    return found


def tidy(talk: Conversation, *, at_any_size: bool = False) -> bool:
    """Put a conversation that lies in many pieces into one pack.  Whether it was done.  Raises OSError."""
    if not at_any_size and not talk.store.needs_tidying():
        return False
    with talk.writing():
        talk.store.tidy(reachable(talk.store.objects, Walk(talk.store.objects, talk.head)))
    return True


def sweep(folder: Path, now: float) -> None:
    """Take away what a process that was killed left aside more than an hour ago.  Raises OSError."""
    for pattern in (f"{CONVERSATIONS}/.new-*", f"{CONVERSATIONS}/.gone-*", f"{DATA}/.gone-*", f"{DATA}/*/quarantine-*"):
        for left in folder.glob(pattern):
            if now - left.stat().st_mtime > _LEFT_S:
                shutil.rmtree(left, ignore_errors=True)


def _collect(source: Objects, old: bytes | None, new: bytes, found: dict[bytes, int]) -> None:
    """Add what a tree has otherwise than another one."""
    todo = [("", old, new)]
    while todo:
        prefix, before, after = todo.pop()
        if before == after or after in found:
            continue
        found[after] = TREE
        had = source.tree(before) if before is not None else {}
        for name, entry in source.tree(after).items():
            path = prefix + name.decode("utf-8", "backslashreplace")
            mode, id = entry
            if had.get(name) == entry:
                continue
            if mode == FOLDER and paths.is_folder(path):
                was = had.get(name)
                todo.append((path + "/", was[1] if was is not None and was[0] == FOLDER else None, id))
            elif mode == paths.PLAIN_FILE and paths.is_allowed(path):
                found[id] = BLOB


@contextmanager
def _aside(talk: Conversation) -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="quarantine-", dir=talk.data))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stored(pack: Path, objects: Path, peer: str, limits: Limits, talk: Conversation | None) -> Stored:
    try:
        return store_pack(pack, objects, limits=limits, outside=talk.store.objects.raw if talk else None)
    except BadPack as error:
        raise PullRefused(peer, "", error.rule, error.reason) from error


def _walk(objects: Objects, head: str, peer: str, limits: Limits, past: Past | None = None) -> Walk:
    try:
        return Walk(objects, head, past, limits.commits)
    except Broken as error:
        raise PullRefused(peer, error.id, error.rule, error.reason) from error
