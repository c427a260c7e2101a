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
UNCOUNTED_WINDOW = 5000
"""Of what `count_unread` has not counted, a snapshot counts among that many newest entries."""
UNCOUNTED = 5
"""So many entries are worth counting for good."""
COUNT_AT_ONCE = 10_000
"""Entries that are counted in one go: some 30 ms in which nothing else is written."""


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
    """Texts of the peer and calls missed after `read_id`, taken-back ones not counted, up to UNREAD_CAP."""
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


_IS_UNREAD = "author_id = m.peer_id AND kind IN (0, 6) AND hidden = 0 AND retracted_at IS NULL"
"""Whether a row of `message` is something for the person of the member row `m` to read."""


def snapshot(account_id: int) -> Steps[Sequence[Summary]]:
    """Return the conversations that hold something for the account to see, in the order of their opening.

    Cost: some steps in indexes for each conversation, and one for each entry that `count_unread` has not counted.
    """
    rows: Rows = yield Statement(
        f"""SELECT m.conversation_id, m.peer_id, a.login, (
                SELECT x.id FROM message x
                WHERE x.conversation_id = m.conversation_id AND (x.hidden = 0 OR x.author_id = $1)
                ORDER BY x.id DESC LIMIT 1),
            m.unread + (SELECT count(*) FROM (
                SELECT 1 FROM (
                    SELECT x.author_id, x.kind, x.hidden, x.retracted_at FROM message x
                    WHERE x.conversation_id = m.conversation_id AND x.id > m.counted_id
                    ORDER BY x.id DESC LIMIT {UNCOUNTED_WINDOW}) AS newest
                WHERE {_IS_UNREAD} LIMIT {UNREAD_CAP}) AS unread),
            m.read_id, p.told_read_id, p.delivered_id
        FROM member m
            JOIN member p ON p.account_id = m.peer_id AND p.conversation_id = m.conversation_id
            JOIN account a ON a.id = m.peer_id
        WHERE m.account_id = $1""",
        (account_id,),
    )
    return [
        Summary(conversation, peer, login, last, unread if unread < UNREAD_CAP else UNREAD_CAP, read, told, delivered)
        for conversation, peer, login, last, unread, read, told, delivered in sorted(rows)
        if last is not None
    ]


def count_unread(account_id: int) -> Steps[None]:
    """Count for good what each `snapshot` would have to count again, in conversations where that is much."""
    rows: Rows = yield Statement(
        f"""SELECT conversation_id, counted_id FROM (
            SELECT m.conversation_id, m.counted_id, (
                SELECT count(*) FROM (
                    SELECT 1 FROM message x WHERE x.conversation_id = m.conversation_id AND x.id > m.counted_id
                    LIMIT {UNCOUNTED}) AS few) AS size
            FROM member m WHERE m.account_id = $1) AS sized
        WHERE size = {UNCOUNTED}""",
        (account_id,),
    )
    left = COUNT_AT_ONCE
    for conversation, counted_id in rows:
        counted: Rows = yield Statement(
            f"""SELECT max(id), count(*), count(CASE WHEN {_IS_UNREAD} THEN 1 END) FROM (
                SELECT x.* FROM message x WHERE x.conversation_id = $2 AND x.id > $3 ORDER BY x.id LIMIT $4) AS next
            JOIN member m ON m.account_id = $1 AND m.conversation_id = $2""",
            (account_id, conversation, counted_id, left),
        )
        upto, size, unread = counted[0]
        yield Statement(
            "UPDATE member SET counted_id = $3, unread = unread + $4 WHERE account_id = $1 AND conversation_id = $2",
            (account_id, conversation, upto, unread),
        )
        left -= size
        if left <= 0:
            break


def forget_unread(conversation: int, author: int, message_id: int = 0) -> Steps[None]:
    """A text of the author was taken back (0: all of them), so the peer has not to read it any more."""
    yield Statement(
        """UPDATE member SET unread = CASE WHEN $3 = 0 THEN 0
            WHEN read_id < $3 AND counted_id >= $3 THEN unread - 1 ELSE unread END
        WHERE conversation_id = $1 AND account_id = (SELECT low_id + high_id - $2 FROM conversation WHERE id = $1)""",
        (conversation, author, message_id),
    )


def mark_read(account_id: int, conversation: int, upto: int, is_told: bool) -> Steps[bool]:
    """The person has read the conversation up to this entry; False if that was known.  is_told: so is the peer.

    What comes after it is counted anew.
    """
    rows: Rows = yield Statement(
        """UPDATE member SET read_id = $3, told_read_id = CASE WHEN $4 = 1 THEN $3 ELSE told_read_id END,
            counted_id = $3, unread = 0
        WHERE account_id = $1 AND conversation_id = $2 AND read_id < $3 RETURNING read_id""",
        (account_id, conversation, upto, int(is_told)),
    )
    return bool(rows)
