"""Devices: installations of a client, each with its own place in the delivery.

A device's cursor is the largest id it has acknowledged: everything up to it is taken, whatever conversation it is in.
It never goes back.  What one device has taken counts as delivered to the account.

Source: rows M13, T14, T29, X05.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .database import Rows, Statement, Steps


class Device(NamedTuple):
    """One device of an account."""

    id: int
    account_id: int
    name: str
    client: str
    cursor_id: int
    created_at: int
    seen_at: int


class Delivered(NamedTuple):
    """The account has, on some device, everything that the peer wrote in the conversation up to this message."""

    conversation: int
    peer_id: int
    id: int


_COLUMNS = "id, account_id, name, client, cursor_id, created_at, seen_at"


def find(account_id: int, name: str) -> Steps[Device | None]:
    """Return the account's device of this name."""
    rows: Rows = yield Statement(
        f"SELECT {_COLUMNS} FROM device WHERE account_id = $1 AND name = $2",
        (account_id, name),
    )
    return Device(*rows[0]) if rows else None


def get(account_id: int, device_id: int) -> Steps[Device | None]:
    """Return the account's device of this id."""
    rows: Rows = yield Statement(
        f"SELECT {_COLUMNS} FROM device WHERE account_id = $1 AND id = $2",
        (account_id, device_id),
    )
    return Device(*rows[0]) if rows else None


def create(account_id: int, name: str, client: str, now: int, limit: int = 100) -> Steps[Device]:
    """Make a device, which starts where the account's furthest device is; one of that name is returned as it is.

    An account keeps `limit` devices: those least recently seen make room.
    """
    rows: Rows = yield Statement(
        f"""INSERT INTO device (account_id, name, client, cursor_id, created_at, seen_at)
        SELECT id, $2, $3, delivered_id, CAST($4 AS BIGINT), CAST($4 AS BIGINT) FROM account WHERE id = $1
        ON CONFLICT (account_id, name) DO UPDATE SET client = excluded.client, seen_at = excluded.seen_at
        RETURNING {_COLUMNS}""",
        (account_id, name, client, now),
    )
    device = Device(*rows[0])
    yield Statement(
        """DELETE FROM device WHERE account_id = $1 AND id IN
        (SELECT id FROM device WHERE account_id = $1 AND id <> $2
            ORDER BY seen_at DESC, id DESC LIMIT 1000 OFFSET $3)""",
        (account_id, device.id, limit - 1),
    )
    return device


def list(account_id: int) -> Steps[Sequence[Device]]:
    """Return the devices of the account, most recently seen first."""
    rows: Rows = yield Statement(
        f"SELECT {_COLUMNS} FROM device WHERE account_id = $1 ORDER BY seen_at DESC, id DESC",
        (account_id,),
    )
    return [Device(*row) for row in rows]


def delete(account_id: int, name: str) -> Steps[bool]:
    """Forget a device; False if there is none of this name."""
    rows: Rows = yield Statement(
        "DELETE FROM device WHERE account_id = $1 AND name = $2 RETURNING id",
        (account_id, name),
    )
    return bool(rows)


def seen(device_id: int, now: int) -> Steps[None]:
    """Note that the device is there.  The clock may have stepped back; the latest instant stays."""
    yield Statement("UPDATE device SET seen_at = $2 WHERE id = $1 AND seen_at < $2", (device_id, now))


def moved(account_id: int, device_id: int, upto: int, delivered: Mapping[int, int]) -> Steps[int]:
    """The device has everything up to `upto`, which holds these messages of others: {conversation: last id}.

    The short form of `acknowledge`, for a server that has just delivered them itself: nothing is looked up.
    Returns `upto`.
    """
    yield Statement("UPDATE device SET cursor_id = $2 WHERE id = $1 AND cursor_id < $2", (device_id, upto))
    yield Statement("UPDATE account SET delivered_id = $2 WHERE id = $1 AND delivered_id < $2", (account_id, upto))
    for conversation, id in delivered.items():
        yield Statement(
            """UPDATE member SET delivered_id = $3
            WHERE account_id = $1 AND conversation_id = $2 AND delivered_id < $3""",
            (account_id, conversation, id),
        )
    return upto


_DELIVERED = """SELECT conversation_id, peer_id, id FROM (
        SELECT m.conversation_id, m.peer_id, m.delivered_id, (
            SELECT x.id FROM message x
            WHERE x.conversation_id = m.conversation_id AND x.id > $2 AND x.id <= $3
                AND x.author_id = m.peer_id AND x.kind = 0 AND x.hidden = 0
            ORDER BY x.id DESC LIMIT 1) AS id
        FROM member m WHERE m.account_id = $1{only} AND NOT EXISTS (
            SELECT 1 FROM block b WHERE b.account_id = $1 AND b.blocked_id = m.peer_id)) AS found
    WHERE id > delivered_id ORDER BY id"""
_DELIVERED_ANY = _DELIVERED.format(only="")
_DELIVERED_ONE = _DELIVERED.format(only=" AND m.conversation_id = $4")


def acknowledge(
    account_id: int,
    device_id: int,
    upto: int,
    conversations: Iterable[int] | None = None,
) -> Steps[Sequence[Delivered]]:
    """The device has everything up to `upto`: move its cursor, and say what is newly delivered to the account.

    conversations: all that may have entries after the account's last acknowledgement; None: look at each (one step in
    an index for each conversation of the account).  An `upto` beyond the log means the end of the log.
    """
    rows: Rows = yield Statement(
        """SELECT d.cursor_id, a.delivered_id, (SELECT max(id) FROM message)
        FROM device d JOIN account a ON a.id = d.account_id WHERE d.id = $1 AND d.account_id = $2""",
        (device_id, account_id),
    )
    if not rows:
        return []
    cursor, delivered, last = rows[0]
    upto = min(upto, last or 0)
    if upto > cursor:
        yield Statement("UPDATE device SET cursor_id = $2 WHERE id = $1", (device_id, upto))
    if upto <= delivered:
        return []
    yield Statement("UPDATE account SET delivered_id = $2 WHERE id = $1", (account_id, upto))
    if conversations is None:
        moved: Rows = yield Statement(_DELIVERED_ANY, (account_id, delivered, upto))
    else:
        moved = []
        for conversation in conversations:
            moved += yield Statement(_DELIVERED_ONE, (account_id, delivered, upto, conversation))
    for conversation, _, id in moved:
        yield Statement(
            "UPDATE member SET delivered_id = $3 WHERE account_id = $1 AND conversation_id = $2",
            (account_id, conversation, id),
        )
    return [Delivered(*row) for row in moved]
