"""The rules of a vote: an admin says, by an empty file, that somebody or a device should be banned or let in again.

Source: repository facts §5; rows B37, B49, B50.
"""

from __future__ import annotations

from . import paths
from .messages import Said
from .model import Commit, State
from .paths import Target
from .refusal import refuse


def check_vote(old: State, commit: Commit, said: Said, author: str) -> None:
    """One vote, and perhaps the certificate of the device that writes for the first time."""
    if not commit.changes:
        return  # a vote for nothing: others accept it, and it does nothing
    if not old.is_admin(author):
        refuse("vote-admin", f"{author} is no admin, and votes.")
    own = paths.device(commit.device)
    cast = [change for change in commit.changes if change.path != own]
    if len(cast) != 1 or len(commit.changes) - len(cast) > 1:
        refuse("files", "A vote is one file.")
    [change] = cast
    vote = paths.parse_vote(change.path)
    if vote is None:
        refuse("files", f"It changes {change.path}, which is no vote.")
    if vote.voter != author:
        refuse("vote-voter", f"{author} votes in the name of {vote.voter}.")
    if change.old is not None or change.new != b"":
        refuse("vote-file", "A vote is a new and empty file.")
    if vote.target != said.uri:
        refuse("vote-target", "It names somebody else than its file.")
    if vote.where is Target.DEVICES:
        if vote.target == commit.device:
            refuse("vote-self", "A device votes about itself.")
        if paths.device(vote.target) not in old.files:
            refuse("vote-target", f"There is no device {vote.target} here.")
        return
    if vote.target == author:
        refuse("vote-self", f"{author} votes about themselves.")
    if vote.kind == "ban" and paths.standing(vote.where, vote.target) not in old.files:
        refuse("vote-target", f"{vote.target} is not in {vote.where}/.")
