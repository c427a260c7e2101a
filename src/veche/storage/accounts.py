"""Accounts: a login that is never given out twice, and the verifier of its password.

Deleting an account erases what the person wrote and everything that let them in; the row stays, so that the name stays
taken and the other people's conversations keep their order.

Source: rows A09-A11, M24, X03.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from . import messages
from .database import Kind, Rows, Statement, Steps


class LoginTaken(Exception):
    """There is, or was, an account of that login."""


class BadInvite(Exception):
    """No such invite, or used up, or expired."""


class Account(NamedTuple):
    """One account.  A deleted one has empty keys: nobody can log in."""

    id: int
    login: str
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes
    generation: int
    """Raised whenever every resumption token of the account must become void."""
    is_admin: bool
    created_at: int
    delivered_id: int
    """Some device has taken everything up to here; a new device starts here."""
    deleted_at: int | None


_ACCOUNT = """SELECT id, login, salt, iterations, stored_key, server_key, generation, is_admin, created_at,
    delivered_id, deleted_at FROM account"""


def _account(rows: Rows) -> Account | None:
    return Account(*rows[0])._replace(is_admin=bool(rows[0][7])) if rows else None


def find(login: str) -> Steps[Account | None]:
    """Return the account of this login, deleted or not."""
    return _account((yield Statement(f"{_ACCOUNT} WHERE login = $1", (login,))))


def get(account_id: int) -> Steps[Account | None]:
    """Return the account of this id, deleted or not."""
    return _account((yield Statement(f"{_ACCOUNT} WHERE id = $1", (account_id,))))


def count() -> Steps[int]:
    """Return how many accounts there are, deleted ones not counted."""
    rows: Rows = yield Statement("SELECT count(*) FROM account WHERE deleted_at IS NULL")
    return rows[0][0]


def any_exists() -> Steps[bool]:
    """Return whether there has ever been an account."""
    rows: Rows = yield Statement("SELECT 1 FROM account LIMIT 1")
    return bool(rows)


def create(
    login: str,
    salt: bytes,
    iterations: int,
    stored_key: bytes,
    server_key: bytes,
    *,
    is_admin: bool = False,
    now: int,
    invite_hash: bytes | None = None,
) -> Steps[int]:
    """Make an account and return its id; use up one use of the invite, if one is given.

    A set-up invite makes an administrator, and ends all set-up invites.  Whoever has no valid invite does not learn
    which logins exist.  Raises BadInvite or LoginTaken.
    """
    is_setup = False
    invites: Rows = []
    if invite_hash is not None:
        invites = yield Statement(
            """SELECT id, is_setup FROM invite
            WHERE hash = $1 AND uses_left > 0 AND (expires_at IS NULL OR expires_at > $2)""",
            (invite_hash, now),
        )
        if not invites:
            raise BadInvite
        is_setup = bool(invites[0][1])
    rows: Rows = yield Statement(
        """INSERT INTO account (login, salt, iterations, stored_key, server_key, is_admin, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (login) DO NOTHING RETURNING id""",
        (login, salt, iterations, stored_key, server_key, int(is_admin or is_setup), now),
    )
    if not rows:
        raise LoginTaken
    if is_setup:
        yield Statement("DELETE FROM invite WHERE is_setup = 1")
    elif invites:
        yield Statement("UPDATE invite SET uses_left = uses_left - 1 WHERE id = $1", (invites[0][0],))
    return rows[0][0]


def set_password(account_id: int, salt: bytes, iterations: int, stored_key: bytes, server_key: bytes) -> Steps[int]:
    """Set a new verifier and return the new generation.  A deleted account stays shut: LookupError."""
    rows: Rows = yield Statement(
        """UPDATE account SET salt = $2, iterations = $3, stored_key = $4, server_key = $5, generation = generation + 1
        WHERE id = $1 AND deleted_at IS NULL RETURNING generation""",
        (account_id, salt, iterations, stored_key, server_key),
    )
    if not rows:
        raise LookupError(account_id)
    return rows[0][0]


def delete(account_id: int, now: int) -> Steps[None]:
    """Erase what the account wrote, its reactions, devices, tokens and blocks (both ways), and shut it for good."""
    conversations: Rows = yield Statement("SELECT conversation_id FROM member WHERE account_id = $1", (account_id,))
    for (conversation,) in conversations:
        yield Statement(
            """DELETE FROM reaction WHERE message_id IN
            (SELECT id FROM message WHERE conversation_id = $1 AND author_id = $2)""",
            (conversation, account_id),
        )
        yield Statement(
            """UPDATE message SET text = '', retracted_at = $3
            WHERE conversation_id = $1 AND author_id = $2 AND retracted_at IS NULL""",
            (conversation, account_id, now),
        )
    for table in ("reaction", "device", "token", "block"):
        yield Statement(f"DELETE FROM {table} WHERE account_id = $1", (account_id,))
    yield Statement("DELETE FROM block WHERE blocked_id = $1", (account_id,))
    yield Statement(
        """UPDATE account SET salt = $2, stored_key = $2, server_key = $2, generation = generation + 1, is_admin = 0,
        deleted_at = $3 WHERE id = $1 AND deleted_at IS NULL""",
        (account_id, b"", now),
    )


def export_page(account_id: int, after_id: int, limit: int) -> Steps[Sequence[messages.LogRow]]:
    """Return the messages of all the account's conversations after an id, oldest first; fewer than `limit`: the end."""
    return (yield from messages.owed(account_id, after_id, limit, kind=Kind.TEXT))
