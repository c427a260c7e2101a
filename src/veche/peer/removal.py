"""Removing a conversation, in stages, so that the others learn of it and one's own devices agree.

    removed     it is hidden at once, everywhere, and what comes later is ignored
    left        others are in it: a commit says that one goes, and stays until another device has it
    erased      the repository and its files are deleted; all own devices do the same

With nobody else in it, the last follows the first at once.  A conversation of two is removed without a commit.

Source: repository facts §4 (leave), §8; rows B56-B62.
"""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path

from veche.swarm import writing
from veche.swarm.model import Mode
from veche.swarm.writing import CannotWrite

from .identity import Identity
from .repository import CONVERSATIONS, DATA, Conversation, conversations
from .state_files import AccountFiles, ConversationFiles, ConvInfo


class Stage(StrEnum):
    """How far a removal has come."""

    HERE = "here"
    REMOVED = "removed"
    """Hidden; another device has still to fetch that we go."""
    ERASED = "erased"


def stage(folder: Path, id: str) -> Stage:
    info = AccountFiles(folder).infos().get(id)
    if info is None:
        return Stage.HERE
    return Stage.ERASED if info.erased else Stage.REMOVED if info.removed else Stage.HERE


def listed(folder: Path) -> list[str]:
    """The conversations that people are shown (row B58): one whose repository waits to go is not among them."""
    infos = AccountFiles(folder).infos()
    return [id for id in conversations(folder) if id not in infos or not infos[id].removed]


def note(folder: Path, talk: Conversation, me: str, now: int) -> ConvInfo:
    """The entry of a conversation, made when it has none, with its members as they are: the others."""
    files = AccountFiles(folder)
    info = files.infos().get(talk.id) or ConvInfo(id=talk.id, created=now)
    info.members = sorted({*talk.state.people, *talk.state.initial} - {me})
    files.save_info(info)
    return info


def remove(folder: Path, talk: Conversation, identity: Identity, now: int) -> Stage:
    """Remove a conversation.  Returns how far it came.  Raises OSError."""
    files = AccountFiles(folder)
    info = files.infos().get(talk.id) or ConvInfo(id=talk.id, created=now)
    if info.removed:
        return stage(folder, talk.id)
    info.removed = now
    files.save_info(info)
    others = set(talk.state.people) - {identity.uri}
    if not others:
        return erase(folder, talk, now)
    if talk.state.mode is not Mode.ONE_TO_ONE and talk.state.is_member(identity.uri):
        try:
            commit = talk.write(identity, writing.leave, now=now)
        except CannotWrite:  # banned meanwhile: there is nothing to tell
            return erase(folder, talk, now)
        state = ConversationFiles(folder, talk.id)
        state.clear_fetched()
        state.set_sending([commit])
    return Stage.REMOVED


def acknowledged(folder: Path, talk: Conversation, device: str, identity: Identity, now: int) -> Stage:
    """A device has fetched the newest commit; of somebody else, it ends a removal (row B60)."""
    state = ConversationFiles(folder, talk.id)
    state.add_fetched(device)
    info = AccountFiles(folder).infos().get(talk.id)
    if info is None or not info.removed or talk.state.owner(device) in ("", identity.uri):
        return stage(folder, talk.id)
    return erase(folder, talk, now)


def erase(folder: Path, talk: Conversation, now: int) -> Stage:
    """Delete the repository and its files; the entry stays, so that own devices learn of it (row B61)."""
    files = AccountFiles(folder)
    info = files.infos().get(talk.id) or ConvInfo(id=talk.id, created=now)
    info.removed, info.erased = info.removed or now, now
    files.save_info(info)
    talk.close()
    delete(folder, talk.id)
    return Stage.ERASED


def delete(folder: Path, id: str) -> None:
    """Take a conversation from the disk: out of sight first, then piece by piece."""
    for part in (CONVERSATIONS, DATA):
        place = folder / part / id
        if place.exists():
            aside = place.with_name(f".gone-{id}")
            shutil.rmtree(aside, ignore_errors=True)
            place.replace(aside)
            shutil.rmtree(aside, ignore_errors=True)


def take_infos(folder: Path, remote: dict[str, ConvInfo]) -> list[str]:
    """Another device of one's own tells what it knows.  Returns the conversations that have gone with that.

    Times only grow: what one device removed stays removed, unless it was created anew later: then `created` is greater.
    """
    files = AccountFiles(folder)
    mine = files.infos()
    gone: list[str] = []
    for id, theirs in remote.items():
        info = mine.get(id)
        if info is None:
            info = ConvInfo(id=id, created=theirs.created, members=theirs.members)
        info.removed = max(info.removed, theirs.removed)
        info.created = max(info.created, theirs.created)
        if info.removed and info.created > info.removed:
            info.removed = info.erased = 0
        elif theirs.erased and not info.erased:
            info.erased = theirs.erased
            gone.append(id)
        if not info.lastDisplayed:
            info.lastDisplayed = theirs.lastDisplayed
        files.save_info(info)
    for id in gone:
        delete(folder, id)
    return gone
