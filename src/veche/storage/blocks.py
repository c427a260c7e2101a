"""Who has blocked whom, and what the blocked one was last told about the other: that is what they go on seeing.

Source: rows T28, T33-T36, X06.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import contacts, profiles
from .contacts import Change
from .database import Rows, Statement, Steps


def block(account: int, blocked: int, now: int) -> Steps[Change | None]:
    """Block; None if it was so already."""
    before = yield from contacts.both(account, blocked)
    if before[0].blocked_at is not None:
        return None
    yield Statement(
        """INSERT INTO block (account_id, blocked_id, at, name, note, avatar)
        SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), name, note, avatar FROM account WHERE id = $1""",
        (account, blocked, now),
    )
    return (yield from contacts.since(account, blocked, before))


def unblock(account: int, blocked: int) -> Steps[Change | None]:
    """End a block; None if there was none."""
    before = yield from contacts.both(account, blocked)
    rows: Rows = yield Statement(
        "DELETE FROM block WHERE account_id = $1 AND blocked_id = $2 RETURNING avatar",
        (account, blocked),
    )
    if not rows:
        return None
    yield from profiles.drop_picture(rows[0][0])
    return (yield from contacts.since(account, blocked, before))


def is_blocked(account: int, other: int) -> Steps[bool]:
    """Return whether `account` has blocked `other`."""
    rows: Rows = yield Statement("SELECT 1 FROM block WHERE account_id = $1 AND blocked_id = $2", (account, other))
    return bool(rows)


def list(account: int) -> Steps[Sequence[str]]:
    """Return the logins that the account has blocked, in order."""
    rows: Rows = yield Statement(
        "SELECT a.login FROM block b JOIN account a ON a.id = b.blocked_id WHERE b.account_id = $1 ORDER BY a.login",
        (account,),
    )
    return [row[0] for row in rows]
