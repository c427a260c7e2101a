"""Contacts: what two people are to each other, and what each notes about the other for themselves.

`relation` holds one row for two people (core.contacts), `contact` one for each who has listed the other or noted
something, `block` hides the first from the one who blocks.  A `ContactRow` is all of that as one of the two has it; an
operation returns it from before and from after, for both: a `Change`.

Source: rows A12, A13, A15-A29, M28-M43, X01, X06, X22; documents 000 and 003.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from veche.core import contacts as rule
from veche.core.contacts import NOTHING, Pair, State, in_order, relation
from veche.packets.contacts import Relation

from .database import Rows, Statement, Steps


class AlreadyListed(Exception):
    """The person is on the list."""


class NoContact(Exception):
    """The person is no contact: see `is_contact`."""


class TooMany(Exception):
    """The account would have more contacts of its own making than it may."""


class Told(NamedTuple):
    """What somebody was last told about the one who has blocked them since."""

    at: int
    """When they were blocked."""
    name: str
    note: str
    avatar: str


class ContactRow(NamedTuple):
    """Somebody (the peer) as somebody else (the viewer) has them."""

    peer_id: int
    login: str
    listed: bool
    name: str
    """What the viewer calls them; with `group` and `memo` the viewer's own notes."""
    group: str
    memo: str
    pair: Pair
    blocked_at: int | None
    """The viewer has blocked them."""
    told: Told | None
    """They have blocked the viewer."""
    profile_name: str
    note: str
    avatar: str
    seen_at: int
    is_deleted: bool


class Change(NamedTuple):
    """What an operation of `me` changed: my row of the peer and theirs of me."""

    mine_before: ContactRow
    mine: ContactRow
    theirs_before: ContactRow
    theirs: ContactRow


_FRIENDS = int(State.FRIENDS)
_STATES = tuple(State)
_new = cast("Callable[..., ContactRow]", tuple.__new__)  # pyright: ignore[reportUnknownMemberType]
"""ContactRow(*row) in two thirds of the time."""
_new_pair = cast("Callable[..., Pair]", tuple.__new__)  # pyright: ignore[reportUnknownMemberType]

_ROWS = """SELECT x.viewer_id, p.id, p.login, c.listed, c.name, c.path, c.memo,
        r.state, r.asker_id, r.is_ignored, r.at, r.refused_at, b.at, t.at, t.name, t.note, t.avatar,
        p.name, p.note, p.avatar, CASE WHEN p.deleted_at IS NULL THEN p.seen_at END
    FROM ({people}) AS x CROSS JOIN account v CROSS JOIN account p
        LEFT JOIN contact c ON c.account_id = x.viewer_id AND c.peer_id = x.peer_id
        LEFT JOIN relation r ON r.first_id = CASE WHEN v.login < p.login THEN v.id ELSE p.id END
            AND r.second_id = CASE WHEN v.login < p.login THEN p.id ELSE v.id END
        LEFT JOIN block b ON b.account_id = x.viewer_id AND b.blocked_id = x.peer_id
        LEFT JOIN block t ON t.account_id = x.peer_id AND t.blocked_id = x.viewer_id
    WHERE v.id = x.viewer_id AND p.id = x.peer_id"""
"""people: pairs of viewer_id and peer_id.  CROSS JOIN: SQLite takes them as they come, see _OF_ACCOUNT."""
_ONE = _ROWS.format(people="SELECT CAST($1 AS BIGINT) AS viewer_id, CAST($2 AS BIGINT) AS peer_id")
_BOTH = _ROWS.format(people="SELECT CAST($1 AS BIGINT) AS viewer_id, CAST($2 AS BIGINT) AS peer_id UNION SELECT $2, $1")
_LISTED = "EXISTS (SELECT 1 FROM contact WHERE account_id = $1 AND peer_id = {id})"
_RELATED = """EXISTS (SELECT 1 FROM relation WHERE first_id = $1 AND second_id = {id})
    OR EXISTS (SELECT 1 FROM relation WHERE first_id = {id} AND second_id = $1)"""
_OF_ACCOUNT = _ROWS.format(
    people=f"""SELECT CAST($1 AS BIGINT) AS viewer_id, peer_id FROM contact WHERE account_id = $1
        UNION ALL SELECT $1, second_id FROM relation WHERE first_id = $1 AND NOT {_LISTED.format(id="second_id")}
        UNION ALL SELECT $1, first_id FROM relation WHERE second_id = $1 AND NOT {_LISTED.format(id="first_id")}
        UNION ALL SELECT $1, blocked_id FROM block WHERE account_id = $1
            AND NOT ({_LISTED.format(id="blocked_id")} OR {_RELATED.format(id="blocked_id")})"""
)
"""Each person once, without a UNION: the table that SQLite makes for one would, at every login, take memory between
those of two connections, and leave a hole there (30 KiB a session)."""
_OF_VIEWERS = _ROWS.format(
    people="""SELECT account_id AS viewer_id, CAST($1 AS BIGINT) AS peer_id FROM contact WHERE peer_id = $1
        UNION SELECT second_id, $1 FROM relation WHERE first_id = $1
        UNION SELECT first_id, $1 FROM relation WHERE second_id = $1
        UNION SELECT account_id, $1 FROM block WHERE blocked_id = $1"""
)


def _contact_rows(rows: Rows) -> list[ContactRow]:
    return [
        _new(
            ContactRow,
            (
                peer,
                login,
                listed == 1,
                own_name or "",
                path or "",
                memo or "",
                NOTHING
                if state is None
                else _new_pair(Pair, (_STATES[state], asker, is_ignored == 1, at, refused_at)),
                blocked_at,
                None if told_at is None else Told(told_at, told_name, told_note, told_avatar),
                name,
                note,
                avatar,
                seen_at or 0,
                seen_at is None,
            ),
        )
        for _, peer, login, listed, own_name, path, memo, state, asker, is_ignored, at, refused_at, blocked_at,
            told_at, told_name, told_note, told_avatar, name, note, avatar, seen_at in rows
    ]  # fmt: skip


def is_contact(row: ContactRow, viewer_id: int) -> bool:
    """Whether the viewer has the peer among their contacts: listed, noted, related as they see it, or blocked."""
    return (
        row.listed
        or row.blocked_at is not None
        or bool(row.name or row.group or row.memo)
        or relation(row.pair, viewer_id) is not Relation.NONE
    )


def are_open(row: ContactRow) -> bool:
    """The two are friends, and neither blocks the other: they may know of each other's presence."""
    return row.pair.state is State.FRIENDS and row.blocked_at is None and row.told is None and not row.is_deleted


def all(account_id: int) -> Steps[Sequence[ContactRow]]:
    """Return the contacts of an account (`is_contact`), ascending by `peer_id`."""
    rows: Rows = yield Statement(_OF_ACCOUNT, (account_id,))
    return [row for row in _contact_rows(sorted(rows)) if row.listed or is_contact(row, account_id)]


def viewers(account_id: int) -> Steps[Sequence[tuple[int, ContactRow]]]:
    """Return who has the account among their contacts, ascending, each with their row of it."""
    rows: Rows = yield Statement(_OF_VIEWERS, (account_id,))
    rows.sort()
    found = [(row[0], contact) for row, contact in zip(rows, _contact_rows(rows), strict=True)]
    return [(viewer, row) for viewer, row in found if is_contact(row, viewer)]


def get(viewer_id: int, peer_id: int) -> Steps[ContactRow]:
    """Return the peer as the viewer has them, also when there is nothing between them.  Raises LookupError."""
    rows: Rows = yield Statement(_ONE, (viewer_id, peer_id))
    return _contact_rows(rows)[0]


def both(me_id: int, peer_id: int) -> Steps[tuple[ContactRow, ContactRow]]:
    """Return my row of the peer and theirs of me.  Raises LookupError; ValueError if the two are one."""
    if me_id == peer_id:
        raise ValueError("nobody is their own contact")
    rows: Rows = yield Statement(_BOTH, (me_id, peer_id))
    one, other = _contact_rows(rows)
    return (other, one) if one.peer_id == me_id else (one, other)


# -- changing


def change(me_id: int, peer_id: int, step: Callable[[Pair], Pair], limit: int = 0) -> Steps[Change]:
    """Make a step of core.contacts, whose Refusal is passed on.

    limit: how many contacts of its own making the account may have (listed, noted, asked, friends: not those who ask);
    0: any number.  Raises TooMany.
    """
    before = yield from both(me_id, peer_id)
    yield from _relate(me_id, peer_id, before, step)
    return (yield from since(me_id, peer_id, before, limit))


def add(
    me_id: int, peer_id: int, name: str, group: str, memo: str, step: Callable[[Pair], Pair], limit: int = 0
) -> Steps[Change]:
    """List the peer with these notes (an empty one leaves what was noted before), and make a step.

    Raises AlreadyListed, TooMany (see `change`), Refusal.
    """
    before = yield from both(me_id, peer_id)
    mine = before[0]
    if mine.listed:
        raise AlreadyListed
    yield from _relate(me_id, peer_id, before, step)
    yield from _write(me_id, peer_id, True, name or mine.name, group or mine.group, memo or mine.memo)
    return (yield from since(me_id, peer_id, before, limit))


def note(me_id: int, peer_id: int, name: str | None, group: str | None, memo: str | None) -> Steps[Change]:
    """Note something about a contact; None stays as it is.  Raises NoContact."""
    before = yield from both(me_id, peer_id)
    mine = before[0]
    if not is_contact(mine, me_id):
        raise NoContact
    yield from _write(
        me_id,
        peer_id,
        mine.listed,
        mine.name if name is None else name,
        mine.group if group is None else group,
        mine.memo if memo is None else memo,
    )
    return (yield from since(me_id, peer_id, before))


def delete(me_id: int, peer_id: int, step: Callable[[Pair], Pair]) -> Steps[Change]:
    """Take the peer off the list, forget what was noted, and make a step.  Raises NoContact, Refusal."""
    before = yield from both(me_id, peer_id)
    if not is_contact(before[0], me_id):
        raise NoContact
    yield from _relate(me_id, peer_id, before, step)
    yield from _write(me_id, peer_id, False, "", "", "")
    return (yield from since(me_id, peer_id, before))


def expire(now: int, limit: int) -> Steps[Sequence[tuple[int, int, Change]]]:
    """End what nobody waits for any more (core.contacts.expire), the oldest first, at most `limit` rows.

    Returns (first, second, the change as of the first).
    """
    rows: Rows = yield Statement(
        f"""SELECT first_id, second_id FROM relation WHERE state <> {_FRIENDS} AND at <= $1
            AND (state <> {int(State.WITHDRAWN)} OR refused_at <= $2)
        ORDER BY at, first_id, second_id LIMIT $3""",
        (now - rule.EXPIRY_US, now - rule.COOL_DOWN_US, limit),
    )
    ended: list[tuple[int, int, Change]] = []
    for first, second in rows:
        ended.append((first, second, (yield from change(first, second, lambda pair: rule.expire(pair, now)))))
    return ended


def _relate(
    me_id: int, peer_id: int, before: tuple[ContactRow, ContactRow], step: Callable[[Pair], Pair]
) -> Steps[None]:
    mine, theirs = before
    pair = step(mine.pair)
    if pair == mine.pair:
        return
    is_first = in_order(theirs.login, mine.login)[0] == theirs.login
    first_id, second_id = (me_id, peer_id) if is_first else (peer_id, me_id)
    if pair.state == State.NONE:
        yield Statement("DELETE FROM relation WHERE first_id = $1 AND second_id = $2", (first_id, second_id))
    else:
        yield Statement(
            """INSERT INTO relation (first_id, second_id, state, asker_id, is_ignored, at, refused_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (first_id, second_id) DO UPDATE SET
            state = excluded.state, asker_id = excluded.asker_id, is_ignored = excluded.is_ignored,
            at = excluded.at, refused_at = excluded.refused_at""",
            (first_id, second_id, int(pair.state), pair.asker, int(pair.is_ignored), pair.at, pair.refused_at),
        )


def _write(me_id: int, peer_id: int, listed: bool, name: str, group: str, memo: str) -> Steps[None]:
    if listed or name or group or memo:
        yield Statement(
            """INSERT INTO contact (account_id, peer_id, listed, name, path, memo) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (account_id, peer_id) DO UPDATE SET
            listed = excluded.listed, name = excluded.name, path = excluded.path, memo = excluded.memo""",
            (me_id, peer_id, int(listed), name, group, memo),
        )
    else:
        yield Statement("DELETE FROM contact WHERE account_id = $1 AND peer_id = $2", (me_id, peer_id))


def since(me_id: int, peer_id: int, before: tuple[ContactRow, ContactRow], limit: int = 0) -> Steps[Change]:
    """Return what is different from `both` of before.  Raises TooMany; see `change`."""
    after = yield from both(me_id, peer_id)
    if limit and _is_own(after[0], me_id) and not _is_own(before[0], me_id):
        rows: Rows = yield Statement(_COUNT_OWN, (me_id,))
        if rows[0][0] > limit:
            raise TooMany
    return Change(before[0], after[0], before[1], after[1])


def _is_own(row: ContactRow, me_id: int) -> bool:
    """Whether the contact counts against the account's limit."""
    pair = row.pair
    return row.listed or bool(row.name or row.group or row.memo) or pair.state == State.FRIENDS or pair.asker == me_id


_COUNT_OWN = f"""SELECT count(*) FROM (SELECT peer_id FROM contact WHERE account_id = $1
    UNION SELECT second_id FROM relation WHERE first_id = $1 AND (state = {_FRIENDS} OR asker_id = $1)
    UNION SELECT first_id FROM relation WHERE second_id = $1 AND (state = {_FRIENDS} OR asker_id = $1)) AS own"""


# -- who may know


def blockers(account_id: int) -> Steps[Sequence[int]]:
    """Return who has blocked the account, ascending."""
    rows: Rows = yield Statement(
        "SELECT account_id FROM block WHERE blocked_id = $1 ORDER BY account_id", (account_id,)
    )
    return [row[0] for row in rows]
