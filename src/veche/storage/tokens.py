"""Access tokens of bots.  Only a token's SHA-256 is kept; a token is random, so that is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .database import Rows, Statement, Steps


class Token(NamedTuple):
    """One access token, without its secret."""

    id: int
    name: str
    created_at: int


def create(account_id: int, name: str, hash: bytes, now: int) -> Steps[int]:
    """Keep a token and return its id."""
    rows: Rows = yield Statement(
        "INSERT INTO token (account_id, name, hash, created_at) VALUES ($1, $2, $3, $4) RETURNING id",
        (account_id, name, hash, now),
    )
    return rows[0][0]


def find(hash: bytes) -> Steps[tuple[int, int] | None]:
    """Return (token id, account id) of the token with this hash."""
    rows: Rows = yield Statement("SELECT id, account_id FROM token WHERE hash = $1", (hash,))
    return (rows[0][0], rows[0][1]) if rows else None


def list(account_id: int) -> Steps[Sequence[Token]]:
    """Return the tokens of the account, oldest first."""
    rows: Rows = yield Statement(
        "SELECT id, name, created_at FROM token WHERE account_id = $1 ORDER BY id",
        (account_id,),
    )
    return [Token(*row) for row in rows]


def delete(account_id: int, id: int) -> Steps[bool]:
    """End a token; False if the account has none of this id."""
    rows: Rows = yield Statement("DELETE FROM token WHERE account_id = $1 AND id = $2 RETURNING id", (account_id, id))
    return bool(rows)
