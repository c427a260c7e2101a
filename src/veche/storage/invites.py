"""Invites: codes that let somebody make an account.  Only a code's hash is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .database import Rows, Statement, Steps


class Invite(NamedTuple):
    """One invite."""

    id: int
    is_setup: bool
    """Makes the administrator."""
    uses_left: int
    created_at: int
    expires_at: int | None


def create(
    hash: bytes, is_setup: bool, uses: int, now: int, expires_at: int | None, inviter_id: int | None = None
) -> Steps[int]:
    """Make an invite and return its id.  inviter_id: who becomes a friend of those whom it lets in."""
    rows: Rows = yield Statement(
        """INSERT INTO invite (hash, is_setup, uses_left, created_at, expires_at, inviter_id)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""",
        (hash, int(is_setup), uses, now, expires_at, inviter_id),
    )
    return rows[0][0]


def setup_exists() -> Steps[bool]:
    """Return whether a set-up code waits to be used."""
    rows: Rows = yield Statement("SELECT 1 FROM invite WHERE is_setup = 1 AND uses_left > 0 LIMIT 1")
    return bool(rows)


def list() -> Steps[Sequence[Invite]]:
    """Return all invites, oldest first."""
    rows: Rows = yield Statement("SELECT id, is_setup, uses_left, created_at, expires_at FROM invite ORDER BY id")
    return [Invite(row[0], bool(row[1]), *row[2:]) for row in rows]


def clear_setup() -> Steps[None]:
    """End all set-up codes."""
    yield Statement("DELETE FROM invite WHERE is_setup = 1")
