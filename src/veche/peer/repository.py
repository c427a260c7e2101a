"""One conversation on this device: its repository, its index, what may be written into it, and what comes from others.

    conversations/<id>/              the repository (store.py)
    conversation_data/<id>/index.db  the index (index.py)
    conversation_data/<id>/lock      held by whoever writes: one writer per conversation

    me = identity.load(folder)
    talk = Conversation.create(folder, me, Mode.INVITES_ONLY)
    talk.say(me, Text(body="hello"))
    for line in talk.newest(50): ...

Whatever is written is judged first by the rules that judge what others write.  Appending costs the same at any length.

Source: repository facts §2-§6; rows B07-B24, B35, B97-B99, B125-B129.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from veche.swarm import messages, writing
from veche.swarm.bans import Ban
from veche.swarm.history import History
from veche.swarm.messages import Message
from veche.swarm.model import Commit, MergedPath, Mode, Rejected, State
from veche.swarm.rules import Verdict, judge
from veche.swarm.writing import Author, CannotWrite, Draft

from . import commits, store
from .files import locked, make_private
from .identity import Identity
from .index import Facts, Index, IndexUnusable, Row
from .objects import Unreadable
from .pack import COMMIT
from .source import NotARepository
from .store import Store
from .trees import all_files, changes, merged
from .verify import judge as judge_walk
from .walk import Broken, Walk

CONVERSATIONS, DATA = "conversations", "conversation_data"

Drafting = Callable[[State, Author], Draft]


class Line(Struct, frozen=True):
    """One commit, as the log has it."""

    id: str
    parents: tuple[str, ...]
    linearized_parent: str
    author: str
    """A uri."""
    device: str
    type: str
    timestamp: int
    message: Any
    """The fields of the message; of a merge, its text."""


class Theirs(Struct, frozen=True):
    """The other side of a merge."""

    state: State
    bases: tuple[str, ...]


class NoConversation(Exception):
    """There is no such conversation here, or its repository is damaged; the text says what to do."""


class Conversation:
    """One conversation.  One thread uses an object; any number of processes may have one."""

    def __init__(self, folder: Path, id: str) -> None:
        """Open what is in an account's folder; the index is made anew when it must be.  Raises NoConversation."""
        self.id = id
        self.folder = folder
        self.data = folder / DATA / id
        self._path = folder / CONVERSATIONS / id
        if not (self._path / "HEAD").is_file():
            raise NoConversation(f"There is no conversation {id} here.")
        make_private(self.data)
        self.store = Store(self._path)
        self._state: tuple[str, State] | None = None
        self._states: dict[tuple[bytes, frozenset[str]], State] = {}
        with self._damage():
            self.index = self._open_index()

    @staticmethod
    def create(
        folder: Path, identity: Identity, mode: Mode, invited: str = "", *, now: int | None = None
    ) -> Conversation:
        """Begin a conversation.  invited: of one of two, the other; oneself, for notes.  Raises CannotWrite."""
        draft = writing.create(identity.author, mode, invited)
        aside = folder / CONVERSATIONS / f".new-{identity.device[:8]}-{time.monotonic_ns()}"
        store.make(aside)
        try:
            made = Store(aside)
            tree = made.write_files(None, draft.files)
            data = _commit(identity, tree, (), draft.message, now)
            id = made.write(COMMIT, data).hex()
            made.set_head(id)
            aside.replace(folder / CONVERSATIONS / id)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        return Conversation(folder, id)

    def close(self) -> None:
        self.index.close()

    # -- reading

    @property
    def head(self) -> str:
        """The newest commit."""
        return self.index.head

    @property
    def state(self) -> State:
        """What the head's tree says."""
        if self._state is None or self._state[0] != self.head:
            with self._damage():
                self._state = self.head, self.state_at(self.head)
        return self._state[1]

    def state_at(self, id: str) -> State:
        """The state after any commit of the conversation.  Raises Unreadable, KeyError."""
        facts = self.index.facts
        bans = frozenset(facts.bans)
        if bans and id != self.head:
            bans = frozenset(ban for ban in bans if self.index.is_before(ban.commit, id))
        tree = bytes.fromhex(commits.parse(self.store.objects.commit(id)).tree)
        key = tree, frozenset(ban.commit for ban in bans)
        found = self._states.get(key)
        if found is None:
            files = all_files(self.store.objects, tree)
            found = State(facts.conversation, Mode(facts.mode), facts.initial, files, bans)
            if len(self._states) > 64:
                self._states.clear()
            self._states[key] = found
        return found

    def newest(self, count: int | None = None) -> Iterator[Line]:
        """The log, newest first.  Raises NoConversation."""
        with self._damage():
            rows = self.index.newest(None if count is None else count + 1)
            row = next(rows, None)
            given = 0
            while row is not None and (count is None or given < count):
                after = next(rows, None)
                read = commits.parse(self.store.objects.commit(row.id))
                yield Line(
                    row.id,
                    row.parents,
                    after.id if after is not None else "",
                    row.author,
                    row.device,
                    row.type,
                    row.time,
                    fields_of(read.message),
                )
                row = after
                given += 1

    def is_later(self, one: str, other: str) -> bool:
        """Whether a commit comes after another one in the linear order.  Raises NoConversation."""
        with self._damage():
            return next((row.id == one for row in self.index.newest() if row.id in (one, other)), False)

    # -- writing

    def write(self, identity: Identity, drafting: Drafting, *, now: int | None = None) -> str:
        """Commit what a draft says of the state at that moment.  Returns the id.  Raises CannotWrite, OSError."""
        with self.writing():
            return self.commit(identity, drafting(self.state, identity.author), (self.head,), now)

    def say(self, identity: Identity, message: Message, *, now: int | None = None) -> str:
        """Commit a message that changes no file."""
        return self.write(identity, lambda state, author: writing.say(state, author, message), now=now)

    @contextmanager
    def writing(self) -> Generator[None]:
        """Hold the conversation, with everything that other processes have written."""
        with locked(self.data / "lock"), self._damage():
            self.store.see_packs()
            if not self.index.is_current() or self.store.head() != self.head:
                self.index.close()
                self.index = self._open_index()
            yield

    def commit(
        self,
        identity: Identity,
        draft: Draft,
        parents: tuple[str, ...],
        now: int | None,
        *,
        theirs: Theirs | None = None,
        rows: Sequence[Row] = (),
    ) -> str:
        """Write a commit, if the rules allow it; who calls it holds the conversation.  Raises CannotWrite, OSError.

        theirs: of a merge, the other side.  rows: commits that came with it, and are noted together with this one.
        """
        state, objects = self.state, self.store.objects
        before = self._tree(parents[0])
        tree = self.store.write_files(before, draft.files) if draft.files else before
        data = _commit(identity, tree, parents, draft.message, now)
        id = commits.commit_id(data)
        read = commits.parse(data)
        both: tuple[MergedPath, ...] = ()
        if theirs is not None:
            both = merged(objects, tree, before, self._tree(parents[1]), [self._tree(base) for base in theirs.bases])
        commit = Commit(
            id,
            parents,
            read.author_name,
            read.device,
            read.time,
            read.message,
            read.signature,
            read.signed,
            changes(objects, before, tree) if tree != before else (),
            both,
        )
        verdict = judge(state, commit, self.index.told, theirs.state if theirs is not None else None)
        if isinstance(verdict, Rejected):
            raise CannotWrite(verdict.reason)
        self.store.write(COMMIT, data)
        self.store.set_head(id)
        self.note([*rows, row_of(commit, verdict)], id, verdict.state)
        return id

    def note(self, rows: list[Row], head: str, state: State) -> None:
        """Take new commits into the index, after the branch has moved."""
        try:
            self.index.add(rows, head, facts_of(state))
        except IndexUnusable:
            self.index.close()
            self.index = self._rebuild(head)
        self._state = head, state

    def _tree(self, id: str) -> bytes:
        return bytes.fromhex(commits.parse(self.store.objects.commit(id)).tree)

    # -- the index

    def _open_index(self) -> Index:
        head = self.store.head()
        try:
            index = Index(self.data / "index.db")
        except IndexUnusable:
            return self._rebuild(head)
        if index.head == head:
            return index
        try:
            return self._catch_up(index, head)
        except (IndexUnusable, Unreadable, KeyError, NoConversation):
            index.close()
            return self._rebuild(head)

    def _catch_up(self, index: Index, head: str) -> Index:
        """Note commits that another process wrote before it could note them."""
        self.index = index
        walk = Walk(self.store.objects, head, index)
        if not any(index.head in parents for parents, _ in walk.graph.values()):
            raise IndexUnusable("it is not of this history")
        rows, state = self._judge(walk, head, self.history(walk))
        index.add(rows, head, facts_of(state))
        return index

    def _rebuild(self, head: str) -> Index:
        walk = Walk(self.store.objects, head)
        rows, state = self._judge(walk, head, History(walk.children()))
        if state.conversation != self.id:
            raise NoConversation(f"The repository of {self.id} holds another conversation.")
        try:
            return Index.make(self.data / "index.db", rows, head, facts_of(state))
        except IndexUnusable as error:
            raise NoConversation(f"The index of {self.id} cannot be written: {error}.") from error

    def history(self, walk: Walk) -> History:
        """What is known here of the commits that new ones follow.  Raises Unreadable."""
        known = {
            parent: self.state_at(parent)
            for parents, _ in walk.graph.values()
            for parent in parents
            if parent not in walk.graph and self.index.knows(parent)
        }
        known[self.head] = self.state_at(self.head)  # so that a second first commit is one
        return History(walk.children(), known, self.index.told)

    def _judge(self, walk: Walk, head: str, history: History) -> tuple[list[Row], State]:
        rows: list[Row] = []
        verdict = judge_walk(
            walk, head, history, signatures=False, seen=lambda commit, found: rows.append(row_of(commit, found))
        )
        if isinstance(verdict, Rejected):
            raise NoConversation(
                f"The repository of {self.id} is damaged at {verdict.commit}: {verdict.reason} Fetch it again."
            )
        return rows, verdict.state

    @contextmanager
    def _damage(self) -> Generator[None]:
        """What cannot be read here is damage on the disk."""
        try:
            yield
        except (Unreadable, Broken, NotARepository, commits.BadCommit, IndexUnusable, KeyError) as error:
            raise NoConversation(f"The repository of {self.id} is damaged: {error} Fetch it again.") from error


def conversations(folder: Path) -> list[str]:
    """The ids of all conversations of an account's folder, sorted."""
    found = folder / CONVERSATIONS
    return sorted(one.name for one in found.iterdir() if len(one.name) == 40) if found.is_dir() else []


def fields_of(message: bytes) -> Any:
    """A message for people and programs: its fields, or its text when it has none."""
    try:
        return messages.read(message)
    except messages.NotAMessage:
        return message.decode("utf-8", "replace")


def row_of(commit: Commit, verdict: Verdict) -> Row:
    told = verdict.told
    return Row(commit.id, commit.parents, commit.time, commit.device, told.author, told.type)


def facts_of(state: State) -> Facts:
    bans: list[Ban] = sorted(state.bans, key=lambda ban: ban.commit)
    return Facts(state.conversation, int(state.mode), state.initial, bans)


def _commit(identity: Identity, tree: bytes, parents: tuple[str, ...], message: bytes, now: int | None) -> bytes:
    at = int(time.time()) if now is None else now
    return commits.write(tree.hex(), parents, identity.name, identity.device, at, message, identity.sign)
