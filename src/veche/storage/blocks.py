"""Who has blocked whom.  Source: rows T28, X06."""

from __future__ import annotations

from collections.abc import Sequence

from .database import Rows, Statement, Steps


def block(account: int, blocked: int, now: int) -> Steps[bool]:
    """Block; False if it was so already."""
    rows: Rows = yield Statement(
        """INSERT INTO block (account_id, blocked_id, at) VALUES ($1, $2, $3)
        ON CONFLICT (account_id, blocked_id) DO NOTHING RETURNING at""",
        (account, blocked, now),
    )
    return bool(rows)


def unblock(account: int, blocked: int) -> Steps[bool]:
    """End a block; False if there was none."""
    rows: Rows = yield Statement(
        "DELETE FROM block WHERE account_id = $1 AND blocked_id = $2 RETURNING at",
        (account, blocked),
    )
    return bool(rows)


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
