"""Accounts: a login that is never given out twice, and the verifier of its password.

Deleting an account erases what the person wrote, who they were and everything that let them in; the row stays, so that
the name stays taken and the other people's conversations keep their order, and their notes about the person too.

Source: rows A09-A11, M24, X03.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from veche.core.contacts import NOTHING, Pair, State

from . import contacts, files, messages, profiles
from .contacts import ContactRow
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
    is_disabled: bool
    """Nothing logs it in."""


class Created(NamedTuple):
    """A new account."""

    id: int
    inviter_id: int | None
    """Who invited them, and is their friend now."""


class Gone(NamedTuple):
    """What changes in somebody's contacts when an account is deleted."""

    viewer_id: int
    before: ContactRow
    after: ContactRow


_ACCOUNT = """SELECT id, login, salt, iterations, stored_key, server_key, generation, is_admin, created_at,
    delivered_id, deleted_at, is_disabled FROM account"""


def _account(rows: Rows) -> Account | None:
    return Account(*rows[0])._replace(is_admin=bool(rows[0][7]), is_disabled=bool(rows[0][11])) if rows else None


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


def first_admin() -> Steps[Account | None]:
    """Return the oldest administrator there is."""
    return _account((yield Statement(f"{_ACCOUNT} WHERE is_admin = 1 AND deleted_at IS NULL ORDER BY id LIMIT 1")))


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
) -> Steps[Created]:
    """Make an account; use up one use of the invite, if one is given, and make the two friends if somebody gave it.

    A set-up invite makes an administrator, and ends all set-up invites.  Whoever has no valid invite does not learn
    which logins exist.  Raises BadInvite or LoginTaken.
    """
    is_setup = False
    invites: Rows = []
    if invite_hash is not None:
        invites = yield Statement(
            """SELECT i.id, i.is_setup, a.id FROM invite i
            LEFT JOIN account a ON a.id = i.inviter_id AND a.deleted_at IS NULL
            WHERE i.hash = $1 AND i.uses_left > 0 AND (i.expires_at IS NULL OR i.expires_at > $2)""",
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
    created = Created(rows[0][0], invites[0][2] if invites else None)
    if created.inviter_id is not None:
        yield from contacts.change(created.id, created.inviter_id, lambda _: Pair(State.FRIENDS, at=now))
    return created


def seen(account_id: int, now: int) -> Steps[None]:
    """Note that the person has come or gone.  The clock may have stepped back; the latest instant stays."""
    yield Statement("UPDATE account SET seen_at = $2 WHERE id = $1 AND seen_at < $2", (account_id, now))


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


def delete(account_id: int, now: int) -> Steps[Sequence[Gone]]:
    """Shut the account for good and erase what it wrote, its profile, devices, tokens, contacts and blocks (both ways).

    Others keep what they noted about it.  Returns what changed for those who had it among their contacts.
    """
    viewers = yield from contacts.viewers(account_id)
    shown: Rows = yield Statement(
        """SELECT avatar FROM account WHERE id = $1 UNION SELECT avatar FROM block WHERE account_id = $1
        UNION SELECT avatar FROM block WHERE blocked_id = $1""",
        (account_id,),
    )
    conversations: Rows = yield Statement("SELECT conversation_id FROM member WHERE account_id = $1", (account_id,))
    for (conversation,) in conversations:
        yield from messages.erase(conversation, account_id, now)
    yield from files.forget(account_id)
    for table in ("reaction", "device", "token", "reset", "contact", "block"):
        yield Statement(f"DELETE FROM {table} WHERE account_id = $1", (account_id,))
    yield Statement("DELETE FROM block WHERE blocked_id = $1", (account_id,))
    yield Statement("DELETE FROM relation WHERE first_id = $1 OR second_id = $1", (account_id,))
    yield Statement(
        """UPDATE account SET salt = $2, stored_key = $2, server_key = $2, generation = generation + 1, is_admin = 0,
        name = '', note = '', avatar = '', seen_at = 0, deleted_at = $3 WHERE id = $1 AND deleted_at IS NULL""",
        (account_id, b"", now),
    )
    for (avatar,) in shown:
        yield from profiles.drop_picture(avatar)
    after = [
        before._replace(
            pair=NOTHING,
            blocked_at=None,
            told=None,
            profile_name="",
            note="",
            avatar="",
            seen_at=0,
            is_deleted=True,
        )
        for _, before in viewers
    ]
    return [
        Gone(viewer, before, now_gone)
        for (viewer, before), now_gone in zip(viewers, after, strict=True)
        if before != now_gone
    ]


def export_page(account_id: int, after_id: int, limit: int) -> Steps[Sequence[messages.LogRow]]:
    """Return the messages of all the account's conversations after an id, oldest first; fewer than `limit`: the end."""
    return (yield from messages.owed(account_id, after_id, limit, kind=Kind.TEXT))
