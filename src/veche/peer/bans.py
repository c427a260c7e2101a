"""Banning, as an admin does it: vote, and once more than half of the admins have voted, do it.

Source: rows B49-B55.
"""

from __future__ import annotations

from veche.swarm import writing
from veche.swarm.model import State
from veche.swarm.writing import Author, Draft

from .identity import Identity
from .repository import Conversation


def vote_and_resolve(talk: Conversation, identity: Identity, kind: str, target: str) -> str:
    """Vote, unless one has, and resolve it when it is decided.  Returns that commit, empty while others must vote.

    Raises CannotWrite, OSError.
    """
    if not writing.is_decided(talk.state, kind, target):
        talk.write(identity, lambda state, author: writing.vote(state, author, kind, target))
    if not writing.is_decided(talk.state, kind, target):
        return ""

    def drafting(state: State, author: Author) -> Draft:
        return writing.resolve(state, author, kind, target)

    return talk.write(identity, drafting)
