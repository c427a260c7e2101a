"""The log of the conversations: what a device is owed, pages of history, search, and changes of what was written.

Every change is an entry of its own, with an id and a `seq`, so devices that were away hear of it; at the same time it
is applied to the message it is about, so history shows messages as they stand.  What was replaced or taken back is gone
everywhere: an EDIT in the log always holds the newest text of its message, or none (`retracted_at` is set: whoever
replays the log passes over such an entry).

What a blocked author changes is hidden: an entry of the log for the author alone.  So a message may stand in two ways:
`own_edit_id` of it and of its edits names the hidden edit whose text the author sees there, and `reaction.hidden` says
which of the two sees a reaction.  What is changed visibly later, or taken back, is the same for both again.

Plain messages do not come this way: see `Database.append`.

Source: rows M13-M23, T26, T29, X15.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from . import conversations, files
from .database import Entry, Kind, Rows, Statement, Steps, Stored, Words

ONLY_ME = 1
"""`reaction.hidden`: only who reacted sees it."""
ONLY_THEM = 2
"""Who reacted has taken it back unseen: only the other one sees it."""


class UnknownMessage(Exception):
    """There is no such message that this account may see, or it was taken back."""


class NotYours(Exception):
    """Somebody else wrote it."""


class LogRow(NamedTuple):
    """One entry of a log, for reading."""

    id: int
    conversation: int
    seq: int
    kind: int
    author_id: int
    author_login: str
    other_login: str
    """The person of the conversation who is not the author."""
    at: int
    text: str
    target_id: int | None
    edited_at: int | None
    retracted_at: int | None
    """A TEXT: taken back.  Another kind: erased, there is nothing left to tell."""
    hidden: int
    """1: only the author may see it."""
    device_id: int
    """The author's device that wrote it."""
    other_id: int
    """The account of `other_login`."""
    files: str = ""
    """See `files.infos`."""


class Reaction(NamedTuple):
    """One person's reaction to a message."""

    message_id: int
    login: str
    emoji: str


class Page(NamedTuple):
    """Messages as they stand, and the reactions to them."""

    rows: Sequence[LogRow]
    reactions: dict[int, list[Reaction]]
    """By the message's id; a message without reactions is not in it."""
    more: bool
    """There are further messages in the direction asked for."""


_ROW = """SELECT m.id, m.conversation_id, m.seq, m.kind, m.author_id, a.login, o.login, m.at, coalesce(e.text, m.text),
    m.target_id, coalesce(e.at, m.edited_at), m.retracted_at, m.hidden, m.device_id, o.id, m.files
    FROM message m JOIN conversation c ON c.id = m.conversation_id
    JOIN account a ON a.id = m.author_id JOIN account o ON o.id = c.low_id + c.high_id - m.author_id
    LEFT JOIN message e ON e.id = m.own_edit_id AND m.author_id = $1"""
"""$1: the viewer."""


def last_id() -> Steps[int]:
    """Return the id of the newest entry of all, 0 if there is none."""
    rows: Rows = yield Statement("SELECT max(id) FROM message")
    return rows[0][0] or 0


def owed(account_id: int, after_id: int, limit: int, *, kind: Kind | None = None) -> Steps[Sequence[LogRow]]:
    """Return what was logged for the account after an id, oldest first; fewer than `limit` rows: that was all.

    Cost: one step in an index for each conversation of the account; then, with n conversations that have something,
    about `limit * ln(n)` steps in that index and `limit` rows, however long the backlog is: conversations are looked
    at in the order of their first entries, each only up to the `limit`-th id found so far.
    """
    first: Rows = yield Statement(
        """SELECT conversation_id, id FROM (
            SELECT m.conversation_id AS conversation_id, (
                SELECT x.id FROM message x WHERE x.conversation_id = m.conversation_id AND x.id > $2
                ORDER BY x.id LIMIT 1) AS id
            FROM member m WHERE m.account_id = $1) AS first
        WHERE id IS NOT NULL""",
        (account_id, after_id),
    )
    first.sort(key=itemgetter(1))
    only = "" if kind is None else f" AND m.kind = {int(kind)}"
    page: list[LogRow] = []
    size = limit
    while len(page) < limit:
        ids = yield from _next_ids(first, after_id, size)
        if ids:
            rows: Rows = yield Statement(
                f"{_ROW} WHERE m.id IN {_slots(ids, 2)} AND (m.hidden = 0 OR m.author_id = $1){only}",
                (account_id, *_padded(ids)),
            )
            page += sorted((LogRow(*row) for row in rows), key=itemgetter(0))
        if len(ids) < size:
            break
        after_id = ids[-1]
        size = min(2 * size, 1024)  # much is hidden here: take longer strides over it
    return page[:limit]


def _next_ids(first: Rows, after_id: int, limit: int) -> Steps[list[int]]:
    """Return the first ids after one in these conversations, given as (conversation, an id not after its first one)."""
    found: list[int] = []
    bound = 2**62
    for conversation, first_id in first:
        if first_id > bound:
            break
        more: Rows = yield Statement(
            """SELECT id FROM message WHERE conversation_id = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4""",
            (conversation, after_id, bound, limit),
        )
        found = list(islice(merge(found, [row[0] for row in more]), limit))
        if len(found) == limit:
            bound = found[-1]
    return found


def get(message_id: int, viewer_id: int) -> Steps[LogRow | None]:
    """Return one entry, None unless the viewer is of its conversation and may see it."""
    rows: Rows = yield Statement(
        f"""{_ROW} WHERE m.id = $2 AND (m.hidden = 0 OR m.author_id = $1) AND (c.low_id = $1 OR c.high_id = $1)""",
        (viewer_id, message_id),
    )
    return LogRow(*rows[0]) if rows else None


def history(conversation: int, viewer_id: int, before: int | None, after: int | None, limit: int) -> Steps[Page]:
    """Return a page of messages, oldest first: the first ones after `after`, else the last ones before `before`."""
    forward = after is not None
    sql = f"""{_ROW} WHERE m.conversation_id = $2 AND m.id > $3 AND m.id < $4 AND m.kind IN (0, 5, 6)
        AND (m.hidden = 0 OR m.author_id = $1) ORDER BY m.id {"" if forward else "DESC"} LIMIT $5"""
    rows: Rows = yield Statement(
        sql,
        (viewer_id, conversation, after or 0, 2**62 if before is None else before, limit + 1),
    )
    found = [LogRow(*row) for row in rows[:limit]]
    if not forward:
        found.reverse()
    return Page(found, (yield from _reactions(found, viewer_id)), len(rows) > limit)


def search(conversation: int, viewer_id: int, query: str, before: int | None, limit: int) -> Steps[Page]:
    """Return messages that hold all words of the query, newest first; none if there is no word in it."""
    words = split_words(query)
    if not words:
        return Page([], {}, False)
    ids: Rows = yield Words(conversation, viewer_id, words, before, limit + 1)
    if not ids:
        return Page([], {}, False)
    wanted = [row[0] for row in ids[:limit]]
    rows: Rows = yield Statement(f"{_ROW} WHERE m.id IN {_slots(wanted, 2)}", (viewer_id, *_padded(wanted)))
    found = sorted((LogRow(*row) for row in rows), key=itemgetter(0), reverse=True)
    return Page(found, (yield from _reactions(found, viewer_id)), len(ids) > limit)


def split_words(query: str) -> tuple[str, ...]:
    """Return the runs of letters and digits of a query, at most 16."""
    return tuple(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", query))[:16])


def _slots(ids: Sequence[int], first: int) -> str:
    """Return the placeholders of `_padded(ids)`, from that number on."""
    return "(" + ", ".join(f"${first + n}" for n in range(len(_padded(ids)))) + ")"


def _padded(ids: Sequence[int]) -> tuple[int, ...]:
    """Return ids, the last one repeated up to a power of two: so few statements differ, and they stay prepared."""
    size = 1 << (len(ids) - 1).bit_length()
    return (*ids, *[ids[-1]] * (size - len(ids)))


def _reactions(page: Sequence[LogRow], viewer_id: int) -> Steps[dict[int, list[Reaction]]]:
    found: dict[int, list[Reaction]] = {}
    if page:
        ids = [row.id for row in page]
        rows: Rows = yield Statement(
            f"""SELECT r.message_id, r.at, a.login, r.emoji FROM reaction r JOIN account a ON a.id = r.account_id
            WHERE r.message_id IN {_slots(ids, 2)}
                AND r.hidden <> CASE WHEN r.account_id = $1 THEN {ONLY_THEM} ELSE {ONLY_ME} END""",
            (viewer_id, *_padded(ids)),
        )
        for message_id, _, login, emoji in sorted(rows):
            found.setdefault(message_id, []).append(Reaction(message_id, login, emoji))
    return found


def edit(entry: Entry, now: int) -> Steps[Stored]:
    """Replace the text of the author's own message `entry.target`, when the entry is hidden for the author alone.

    Raises UnknownMessage or NotYours.
    """
    target = yield from _aimed(entry, own=True)
    if isinstance(target, Exception):
        return (yield from _repeat_or(entry, target))
    entry, is_own = entry._replace(hidden=entry.hidden or target.hidden), entry.hidden > target.hidden
    stored: Stored = yield entry
    if stored.repeat:
        return stored
    if is_own:
        yield Statement(
            "UPDATE message SET own_edit_id = $2 WHERE id = $1 OR (target_id = $1 AND kind = 1)",
            (entry.target, stored.id),
        )
    else:
        yield Statement(
            "UPDATE message SET text = $2, edited_at = $3, own_edit_id = NULL WHERE id = $1",
            (entry.target, entry.text, now),
        )
    yield Statement(
        f"""UPDATE message SET text = $2{"" if is_own else ", own_edit_id = NULL"}
        WHERE target_id = $1 AND kind = 1 AND id < $3 AND hidden >= $4""",
        (entry.target, entry.text, stored.id, int(is_own)),
    )
    return stored


def retract(entry: Entry, now: int) -> Steps[Stored]:
    """Take the author's own message `entry.target` back: its text, its edits and the reactions to it are erased."""
    target = yield from _aimed(entry, own=True)
    if isinstance(target, Exception):
        return (yield from _repeat_or(entry, target))
    entry = entry._replace(hidden=target.hidden)  # what is erased is erased for both
    stored: Stored = yield entry
    if not stored.repeat:
        yield Statement(
            """UPDATE message SET text = '', files = '', own_edit_id = NULL, retracted_at = $2
            WHERE id = $1 OR (target_id = $1 AND kind = 1)""",
            (entry.target, now),
        )
        yield Statement("DELETE FROM reaction WHERE message_id = $1", (entry.target,))
        yield from files.detach(target.id)
        if not entry.hidden:
            yield from conversations.forget_unread(entry.conversation, entry.author, target.id)
    return stored


def react(entry: Entry, now: int) -> Steps[Stored]:
    """Add or remove (kind REACT or UNREACT) the author's reaction `entry.text` to a message.  Raises UnknownMessage."""
    target = yield from _aimed(entry, own=False)
    if isinstance(target, Exception):
        return (yield from _repeat_or(entry, target))
    entry = entry._replace(hidden=entry.hidden or target.hidden)
    stored: Stored = yield entry
    if stored.repeat:
        return stored
    reaction = (entry.target, entry.author, entry.text)
    if entry.kind == Kind.REACT:
        yield Statement(
            f"""INSERT INTO reaction (message_id, account_id, emoji, at, hidden) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (message_id, account_id, emoji) DO UPDATE SET hidden =
            CASE WHEN excluded.hidden = 0 OR reaction.hidden = {ONLY_THEM} THEN 0 ELSE reaction.hidden END""",
            (*reaction, now, ONLY_ME if entry.hidden else 0),
        )
        return stored
    yield Statement(
        f"""DELETE FROM reaction WHERE message_id = $1 AND account_id = $2 AND emoji = $3
        AND (hidden = {ONLY_ME} OR $4 = 0)""",
        (*reaction, entry.hidden),
    )
    yield Statement(
        f"UPDATE reaction SET hidden = {ONLY_THEM} WHERE message_id = $1 AND account_id = $2 AND emoji = $3",
        reaction,
    )
    return stored


unreact = react


def erase(conversation: int, author: int, now: int) -> Steps[None]:
    """Take back everything that somebody wrote in a conversation, with the reactions to it."""
    yield Statement(
        """DELETE FROM reaction WHERE message_id IN
        (SELECT id FROM message WHERE conversation_id = $1 AND author_id = $2)""",
        (conversation, author),
    )
    yield Statement(
        """UPDATE message SET text = '', files = '', own_edit_id = NULL, retracted_at = $3
        WHERE conversation_id = $1 AND author_id = $2 AND retracted_at IS NULL""",
        (conversation, author, now),
    )
    yield from conversations.forget_unread(conversation, author)


class _Target(NamedTuple):
    """The message that an entry is about."""

    id: int
    author: int
    hidden: int
    retracted_at: int | None


def _aimed(entry: Entry, *, own: bool) -> Steps[_Target | Exception]:
    """Look at the target; return it, or why the entry is refused.  own: only its author may do this."""
    rows: Rows = yield Statement(
        "SELECT id, author_id, hidden, retracted_at FROM message WHERE id = $1 AND conversation_id = $2 AND kind = 0",
        (entry.target, entry.conversation),
    )
    target = _Target(*rows[0]) if rows else None
    if target is None or (target.hidden and target.author != entry.author):
        return UnknownMessage()
    if own and target.author != entry.author:
        return NotYours()
    return target if target.retracted_at is None else UnknownMessage()


def _repeat_or(entry: Entry, refusal: Exception) -> Steps[Stored]:
    """What is refused now may have been done before: then it is answered as it was."""
    if entry.cookie is not None:
        rows: Rows = yield Statement(
            "SELECT id, seq, at FROM message WHERE device_id = $1 AND cookie = $2",
            (entry.device, entry.cookie),
        )
        if rows:
            return Stored(*rows[0], repeat=True)
    raise refusal
