"""Conversations of two accounts, and each one's place in them.

A conversation is opened once and never goes away.  Each of the two has a member row: what is delivered to them, and
what they have read.

Source: rows M16, M18, M20, X15, X17.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .database import Rows, Statement, Steps

UNREAD_CAP = 1000
UNREAD_WINDOW = 5000
"""Unread texts are counted among that many newest entries: who writes much and reads nothing costs no more."""


class Route(NamedTuple):
    """Where a message from one account to another goes."""

    conversation: int
    peer_account_id: int
    peer_login: str
    blocked_by_peer: bool


class Summary(NamedTuple):
    """One conversation as one of its two people has it."""

    conversation: int
    peer_id: int
    peer_login: str
    last_id: int
    """The last entry that this person may see."""
    unread: int
    """Texts of the peer after `read_id`, taken-back ones not counted, up to UNREAD_CAP."""
    read_id: int
    peer_read_id: int
    peer_delivered_id: int


def find_direct(a: int, b: int) -> Steps[int | None]:
    """Return the conversation of two accounts, None if they have none yet."""
    rows: Rows = yield Statement(
        "SELECT id FROM conversation WHERE low_id = $1 AND high_id = $2",
        (min(a, b), max(a, b)),
    )
    return rows[0][0] if rows else None


def open_direct(a: int, b: int, now: int) -> Steps[int]:
    """Return the conversation of two accounts, made now if they have none yet."""
    found = yield from find_direct(a, b)
    if found is not None:
        return found
    low, high = min(a, b), max(a, b)
    if low == high:
        raise ValueError("a conversation has two people")
    rows: Rows = yield Statement(
        "INSERT INTO conversation (low_id, high_id, created_at) VALUES ($1, $2, $3) RETURNING id",
        (low, high, now),
    )
    yield Statement(
        "INSERT INTO member (account_id, conversation_id, peer_id) VALUES ($1, $3, $2), ($2, $3, $1)",
        (low, high, rows[0][0]),
    )
    return rows[0][0]


def find_route(account_id: int, peer_login: str) -> Steps[Route | None]:
    """Return the way to a living account by its login, None if there is no such account or no conversation yet."""
    rows: Rows = yield Statement(
        """SELECT c.id, p.id, p.login, (SELECT count(*) FROM block b WHERE b.account_id = p.id AND b.blocked_id = $1)
        FROM account p JOIN conversation c
            ON c.low_id = CASE WHEN p.id < $1 THEN p.id ELSE $1 END
            AND c.high_id = CASE WHEN p.id < $1 THEN $1 ELSE p.id END
        WHERE p.login = $2 AND p.deleted_at IS NULL""",
        (account_id, peer_login),
    )
    return Route(rows[0][0], rows[0][1], rows[0][2], bool(rows[0][3])) if rows else None


def open_route(account_id: int, peer_login: str, now: int) -> Steps[Route | None]:
    """As `find_route`, opening the conversation; None if there is no such account, or it is the account itself."""
    rows: Rows = yield Statement("SELECT id FROM account WHERE login = $1 AND deleted_at IS NULL", (peer_login,))
    if not rows or rows[0][0] == account_id:
        return None
    yield from open_direct(account_id, rows[0][0], now)
    return (yield from find_route(account_id, peer_login))


def snapshot(account_id: int) -> Steps[Sequence[Summary]]:
    """Return the conversations that hold something for the account to see, in the order of their opening."""
    rows: Rows = yield Statement(
        f"""SELECT m.conversation_id, m.peer_id, a.login, (
                SELECT x.id FROM message x
                WHERE x.conversation_id = m.conversation_id AND (x.hidden = 0 OR x.author_id = $1)
                ORDER BY x.id DESC LIMIT 1),
            (SELECT count(*) FROM (
                SELECT 1 FROM (
                    SELECT x.author_id, x.kind, x.hidden, x.retracted_at FROM message x
                    WHERE x.conversation_id = m.conversation_id AND x.id > m.read_id
                    ORDER BY x.id DESC LIMIT {UNREAD_WINDOW}) AS newest
                WHERE author_id = m.peer_id AND kind = 0 AND hidden = 0 AND retracted_at IS NULL
                LIMIT {UNREAD_CAP}) AS unread),
            m.read_id, p.read_id, p.delivered_id
        FROM member m
            JOIN member p ON p.account_id = m.peer_id AND p.conversation_id = m.conversation_id
            JOIN account a ON a.id = m.peer_id
        WHERE m.account_id = $1""",
        (account_id,),
    )
    return [Summary(*row) for row in sorted(rows) if row[3] is not None]


def mark_read(account_id: int, conversation: int, upto: int) -> Steps[bool]:
    """The person has read the conversation up to this entry; False if that was known."""
    rows: Rows = yield Statement(
        """UPDATE member SET read_id = $3 WHERE account_id = $1 AND conversation_id = $2 AND read_id < $3
        RETURNING read_id""",
        (account_id, conversation, upto),
    )
    return bool(rows)
