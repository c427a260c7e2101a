"""Conferences as they survive a restart: what they are, their legs with their epochs, whom they remember; their rooms.

The server keeps conferences in memory and saves what is different: who comes before they are told that they are
inside, everything else right after it happened.  Everything is read once, at the start.  The texts of a room stand in
`message`, in a conversation of the number `-conference.number`, which has no members: nobody is owed them, search
passes over them.

Source: rows A30-A50, X07, X10, X16.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from .database import Kind, Rows, Statement, Steps

THE_CONFERENCE = "veche"
"""The id of the permanent one that everybody may join.  Source: row A50."""


class ConferenceRow(NamedTuple):
    """What a conference is, apart from its people."""

    number: int
    id: str
    name: str
    owner_id: int | None
    acting_id: int | None
    policy: str
    is_permanent: int
    is_call: int
    link: str
    initiator: str
    epoch: int
    created_at: int


class LegRow(NamedTuple):
    """A device inside."""

    account_id: int
    device: str
    place: int
    """Ascending in the order in which they came."""
    epoch: int
    initiator: str
    media: str
    is_muted: int
    is_hidden: int
    is_sharing: int
    held: int
    asks: int
    muted_by: str
    hidden_by: str
    at: int


class GuestRow(NamedTuple):
    """What a conference remembers of somebody; see core.conference.Guest."""

    account_id: int
    may_come: int
    called_by: str
    status: str
    is_silent: int
    is_removed: int
    muted_by: str
    hidden_by: str
    entry_id: int


class Person(NamedTuple):
    """Somebody as their legs show them."""

    login: str
    name: str
    avatar: str


class Saved(NamedTuple):
    """One conference, whole."""

    row: ConferenceRow
    legs: Sequence[LegRow]
    guests: Sequence[GuestRow]


class Difference(NamedTuple):
    """What is to be saved of one conference."""

    row: ConferenceRow | None = None
    """None: as it was."""
    legs: Sequence[LegRow] = ()
    gone_legs: Sequence[tuple[int, str]] = ()
    guests: Sequence[GuestRow] = ()
    gone_guests: Sequence[int] = ()


class RoomRow(NamedTuple):
    """One text of a room."""

    seq: int
    login: str
    at: int
    text: str


_COLUMNS = ", ".join(ConferenceRow._fields)
_LEG_COLUMNS = ", ".join(LegRow._fields)
_GUEST_COLUMNS = ", ".join(GuestRow._fields)


def _slots(first: int, count: int) -> str:
    return ", ".join(f"${n}" for n in range(first, first + count))


@cache
def _upsert(table: str, key: Sequence[str], columns: Sequence[str], rows: int) -> str:
    width = len(columns)
    values = ", ".join(f"({_slots(1 + n * width, width)})" for n in range(rows))
    rest = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return f"""INSERT INTO {table} ({", ".join(columns)}) VALUES {values}
        ON CONFLICT ({", ".join(key)}) DO UPDATE SET {rest}"""


def _put(table: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Steps[None]:
    """Many rows at once, by powers of two: a writer that takes few steps is not held up by a busy loop."""
    while rows:
        count = 1 << min(_MANY, len(rows).bit_length() - 1)
        yield Statement(_upsert(table, key, columns, count), tuple(chain.from_iterable(rows[:count])))
        rows = rows[count:]


_MANY = 6
_PUT = f"""UPDATE conference SET ({_COLUMNS}) = ({_slots(1, len(ConferenceRow._fields))}) WHERE number = $1"""


def all() -> Steps[Sequence[Saved]]:
    """Return every conference; legs in the order in which they came, none of deleted or disabled accounts."""
    rows: Rows = yield Statement(f"SELECT {_COLUMNS} FROM conference ORDER BY number")
    legs: Rows = yield Statement(
        f"""SELECT number, {_LEG_COLUMNS} FROM conference_leg WHERE account_id IN
        (SELECT id FROM account WHERE deleted_at IS NULL AND is_disabled = 0) ORDER BY number, place"""
    )
    guests: Rows = yield Statement(
        f"""SELECT number, {_GUEST_COLUMNS} FROM conference_guest WHERE account_id IN
        (SELECT id FROM account WHERE deleted_at IS NULL) ORDER BY number, account_id"""
    )
    legs_of: dict[int, list[LegRow]] = {}
    for number, *leg in legs:
        legs_of.setdefault(number, []).append(LegRow(*leg))
    guests_of: dict[int, list[GuestRow]] = {}
    for number, *guest in guests:
        guests_of.setdefault(number, []).append(GuestRow(*guest))
    return [
        Saved(row, legs_of.get(row.number, []), guests_of.get(row.number, []))
        for row in (ConferenceRow(*one) for one in rows)
    ]


def person(account_id: int) -> Steps[Person]:
    """Return how somebody is shown.  Raises LookupError."""
    rows: Rows = yield Statement("SELECT login, name, avatar FROM account WHERE id = $1", (account_id,))
    return Person(*rows[0])


def create(row: ConferenceRow, first: Difference) -> Steps[int]:
    """Make a conference, with who comes first; its number is given here, and never given again."""
    rows: Rows = yield Statement(
        f"""INSERT INTO conference ({", ".join(ConferenceRow._fields[1:])})
        VALUES ({_slots(1, len(ConferenceRow._fields) - 1)}) RETURNING number""",
        tuple(row[1:]),
    )
    number: int = rows[0][0]
    yield from save([(number, first)])
    return number


def save(changed: Sequence[tuple[int, Difference]], ended: Sequence[int] = ()) -> Steps[None]:
    """Save what is different of some conferences, each named once by its number, and delete those that are over."""
    for number in ended:
        yield from delete(number)
    for number, one in changed:
        if one.row is not None:
            yield Statement(_PUT, one.row)
        for account_id, device in one.gone_legs:
            yield Statement(
                "DELETE FROM conference_leg WHERE number = $1 AND account_id = $2 AND device = $3",
                (number, account_id, device),
            )
        for account_id in one.gone_guests:
            yield Statement("DELETE FROM conference_guest WHERE number = $1 AND account_id = $2", (number, account_id))
    legs = [(number, *leg) for number, one in changed for leg in one.legs]
    yield from _put("conference_leg", ("number", "account_id", "device"), ("number", *LegRow._fields), legs)
    guests = [(number, *guest) for number, one in changed for guest in one.guests]
    yield from _put("conference_guest", ("number", "account_id"), ("number", *GuestRow._fields), guests)


def delete(number: int) -> Steps[None]:
    """The conference is over: forget it and its room.

    The newest entry of all stays, emptied, until the next start: the ids that devices have acknowledged must not be
    given again.
    """
    for table in ("conference_leg", "conference_guest", "conference"):
        yield Statement(f"DELETE FROM {table} WHERE number = $1", (number,))
    yield from _forget_room("conversation_id = $1", (-number,))


def forget_old_rooms() -> Steps[None]:
    """Delete what `delete` had to leave."""
    yield from _forget_room("conversation_id < 0 AND conversation_id NOT IN (SELECT -number FROM conference)", ())


def _forget_room(which: str, args: tuple[int, ...]) -> Steps[None]:
    newest = "(SELECT max(id) FROM message)"
    yield Statement(f"UPDATE message SET text = '' WHERE {which} AND id = {newest}", args)
    yield Statement(f"DELETE FROM message WHERE {which} AND conversation_id < 0 AND id <> {newest}", args)


def history(number: int, before: int | None, limit: int) -> Steps[Sequence[RoomRow]]:
    """Return the last texts of a room before a `seq`, oldest first."""
    rows: Rows = yield Statement(
        """SELECT m.seq, a.login, m.at, m.text FROM message m JOIN account a ON a.id = m.author_id
        WHERE m.conversation_id = $1 AND m.conversation_id < 0 AND m.seq < $2 ORDER BY m.seq DESC LIMIT $3""",
        (-number, 2**62 if before is None else before, limit),
    )
    return [RoomRow(*row) for row in reversed(rows)]


def erase(account_id: int) -> Steps[None]:
    """Take back what somebody wrote in rooms."""
    numbers: Rows = yield Statement("SELECT number FROM conference")
    for (number,) in numbers:
        yield Statement(
            f"""UPDATE message SET text = '' WHERE conversation_id = $1 AND conversation_id < 0
            AND author_id = $2 AND kind = {int(Kind.ROOM)}""",
            (-number, account_id),
        )
