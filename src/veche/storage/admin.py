"""What administrators ask: pages of accounts, disabling, codes for a new password, invites, sizes.

None of it reads the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from . import accounts
from .database import Rows, Statement, Steps

INVITES = 1000
"""Listed at most."""


class LastAdmin(Exception):
    """Nobody who can log in would be an administrator any more."""


class AccountRow(NamedTuple):
    """One account of a page."""

    id: int
    login: str
    created_at: int
    seen_at: int
    """0: never."""
    is_admin: bool
    is_disabled: bool
    file_bytes: int


class InviteRow(NamedTuple):
    """One invite."""

    id: int
    uses_left: int
    created_at: int
    expires_at: int | None
    inviter_login: str | None


def account_page(query: str, after: str, limit: int) -> Steps[Sequence[AccountRow]]:
    """Return accounts whose login holds `query`, after this login, in the order of their logins."""
    pattern = query.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    rows: Rows = yield Statement(
        """SELECT a.id, a.login, a.created_at, a.seen_at, a.is_admin, a.is_disabled,
            (SELECT CAST(coalesce(sum(f.bytes), 0) AS BIGINT) FROM file f WHERE f.account_id = a.id)
        FROM account a WHERE a.deleted_at IS NULL AND a.login > $1 AND a.login LIKE $2 ESCAPE '!'
        ORDER BY a.login LIMIT $3""",
        (after, f"%{pattern}%", limit),
    )
    return [AccountRow(*row)._replace(is_admin=bool(row[4]), is_disabled=bool(row[5])) for row in rows]


def change(account_id: int, *, disabled: bool | None = None, admin: bool | None = None) -> Steps[tuple[bool, bool]]:
    """Change what is not None; return (disabled, admin) as they are now.  Raises LookupError (deleted), LastAdmin."""
    rows: Rows = yield Statement(
        """UPDATE account SET is_disabled = coalesce($2, is_disabled), is_admin = coalesce($3, is_admin)
        WHERE id = $1 AND deleted_at IS NULL RETURNING is_disabled, is_admin""",
        (account_id, *(None if one is None else int(one) for one in (disabled, admin))),
    )
    if not rows:
        raise LookupError(account_id)
    yield from check_admin_left()
    return bool(rows[0][0]), bool(rows[0][1])


def check_admin_left() -> Steps[None]:
    """Raises LastAdmin, which undoes the transaction that it stands in."""
    rows: Rows = yield Statement(
        "SELECT 1 FROM account WHERE is_admin = 1 AND is_disabled = 0 AND deleted_at IS NULL LIMIT 1"
    )
    if not rows:
        raise LastAdmin


# -- codes for a new password


def allow_reset(account_id: int, hash: bytes, expires_at: int) -> Steps[None]:
    """Keep the hash of a one-time code; an earlier one of the account is void."""
    yield Statement(
        """INSERT INTO reset (account_id, hash, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at""",
        (account_id, hash, expires_at),
    )


def resettable(hash: bytes, now: int) -> Steps[str | None]:
    """Return the login of the account whose password this code may set, None if it is no such code."""
    rows: Rows = yield Statement(
        "SELECT a.login FROM reset r JOIN account a ON a.id = r.account_id WHERE r.hash = $1 AND r.expires_at > $2",
        (hash, now),
    )
    return rows[0][0] if rows else None


def reset(hash: bytes, salt: bytes, iterations: int, stored_key: bytes, server_key: bytes, *, now: int) -> Steps[int]:
    """Use up a code: set the new verifier, and return the account's id.  Raises BadInvite."""
    rows: Rows = yield Statement(
        "DELETE FROM reset WHERE hash = $1 AND expires_at > $2 RETURNING account_id", (hash, now)
    )
    if not rows:
        raise accounts.BadInvite
    yield from accounts.set_password(rows[0][0], salt, iterations, stored_key, server_key)
    return rows[0][0]


# -- invites


def usable_invites(now: int) -> Steps[Sequence[InviteRow]]:
    """Return the invites that still let somebody in, newest first; set-up codes are none."""
    rows: Rows = yield Statement(
        f"""SELECT i.id, i.uses_left, i.created_at, i.expires_at, a.login FROM invite i
            LEFT JOIN account a ON a.id = i.inviter_id AND a.deleted_at IS NULL
        WHERE i.is_setup = 0 AND i.uses_left > 0 AND (i.expires_at IS NULL OR i.expires_at > $1)
        ORDER BY i.id DESC LIMIT {INVITES}""",
        (now,),
    )
    return [InviteRow(*row) for row in rows]


def revoke_invite(id: int) -> Steps[bool]:
    """End an invite; False if there is none of this id."""
    rows: Rows = yield Statement("DELETE FROM invite WHERE id = $1 AND is_setup = 0 RETURNING id", (id,))
    return bool(rows)


# -- sizes


def file_bytes() -> Steps[int]:
    """Return the bytes of all contents."""
    rows: Rows = yield Statement("SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM blob")
    return rows[0][0]


def database_bytes(*, is_postgres: bool) -> Steps[int]:
    """Return what the database takes on its disk; each kind has its own question for that."""
    rows: Rows = yield Statement(
        "SELECT pg_database_size(current_database())"
        if is_postgres
        else "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    )
    return rows[0][0]
