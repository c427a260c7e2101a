"""Files: what is known of each, which messages hold it, and when it goes.  Their bytes lie in blobs.py.

A *file* is one upload of one account, named by a random id; a *blob* is the content of all files of one SHA-256.  A
message keeps what its readers are told of its files beside its text, so reading a log looks nothing up; `message_file`
says who may fetch a file, and what would miss it.

A file goes with the last message that holds it, with its account, when it is too old, and after a day when no message
ever took it.  A blob goes when no file has it: first its row, then its bytes, so a crash leaves at worst bytes that
nothing names, which the next start finds.

Source: rows M48, B102, X18.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from veche.packets.files import FileInfo

from .database import Entry, Rows, Statement, Steps, Stored

BATCH = 200
"""Files that are removed in one transaction."""

_json = msgspec.json.Encoder()
_infos = msgspec.json.Decoder(list[FileInfo])


class UnknownFile(Exception):
    """There is no such file of this account, or it is not whole, or it is."""


class TooMany(Exception):
    """The account has too many unfinished uploads, or too many bytes (`by_bytes`)."""

    def __init__(self, *, by_bytes: bool) -> None:
        super().__init__(by_bytes)
        self.by_bytes = by_bytes


class Full(Exception):
    """All files together would take more than they may."""


class Quota(NamedTuple):
    """What may not be exceeded."""

    parts: int
    """Unfinished uploads of one account."""
    account_bytes: int
    """Bytes of all uploads of one account."""
    total_bytes: int
    """Bytes of all contents, and of what is still to come."""


class File(NamedTuple):
    """One upload."""

    id: str
    account_id: int
    name: str
    bytes: int
    sha256: str
    """Of a part: as announced, or empty."""
    is_whole: bool
    warning: str
    type: str
    """This and what follows: empty of a part."""
    width: int
    height: int
    has_preview: bool

    def info(self) -> FileInfo:
        """What everyone is told of it."""
        return FileInfo(
            id=self.id,
            name=self.name,
            type=self.type,
            bytes=self.bytes,
            sha256=self.sha256,
            width=self.width or None,
            height=self.height or None,
            preview=self.has_preview,
            warning=self.warning,
        )


def infos(column: str) -> list[FileInfo]:
    """What `message.files` holds."""
    return _infos.decode(column) if column else []


_FILE = """SELECT f.id, f.account_id, f.name, f.bytes, f.sha256, f.is_whole, f.warning, coalesce(b.type, ''),
    coalesce(b.width, 0), coalesce(b.height, 0), coalesce(b.has_preview, 0)
    FROM file f LEFT JOIN blob b ON f.is_whole = 1 AND b.sha256 = f.sha256"""


def _files(rows: Rows) -> list[File]:
    return [File(*row)._replace(is_whole=bool(row[5]), has_preview=bool(row[10])) for row in rows]


# -- uploading


def begin(id: str, account_id: int, name: str, size: int, sha256: str, now: int, quota: Quota) -> Steps[File]:
    """Make a part; or return the account's own file of this size and SHA-256, unfinished, or whole and of this name.

    Raises TooMany, Full.
    """
    same: Rows = yield Statement(
        f"""{_FILE} WHERE f.account_id = $1 AND f.sha256 = $2 AND f.sha256 <> '' AND f.bytes = $3
            AND (f.is_whole = 0 OR f.name = $4) ORDER BY f.is_whole DESC LIMIT 1""",
        (account_id, sha256, size, name),
    )
    if same:
        return (yield from go_on(same[0][0], account_id, now))
    rows: Rows = yield Statement(
        """SELECT (SELECT count(*) FROM file WHERE account_id = $1 AND is_whole = 0),
            (SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM file WHERE account_id = $1),
            (SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM blob),
            (SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM file WHERE is_whole = 0)""",
        (account_id,),
    )
    parts, mine, kept, coming = rows[0]
    if parts >= quota.parts or mine + size > quota.account_bytes:
        raise TooMany(by_bytes=parts < quota.parts)
    if kept + coming + size > quota.total_bytes:
        raise Full
    yield Statement(
        "INSERT INTO file (id, account_id, name, bytes, sha256, at) VALUES ($1, $2, $3, $4, $5, $6)",
        (id, account_id, name, size, sha256, now),
    )
    return File(id, account_id, name, size, sha256, False, "", "", 0, 0, False)


def go_on(id: str, account_id: int, now: int) -> Steps[File]:
    """Return an upload of the account, whole or not; from now on it is a day old in a day.  Raises UnknownFile."""
    yield Statement("UPDATE file SET at = $3 WHERE id = $1 AND account_id = $2 AND is_whole = 0", (id, account_id, now))
    found = _files((yield Statement(f"{_FILE} WHERE f.id = $1 AND f.account_id = $2", (id, account_id))))
    if not found:
        raise UnknownFile
    return found[0]


def complete(id: str, sha256: str, type: str, warning: str, now: int) -> Steps[File]:
    """All bytes of a part have arrived, and are kept under this hash.  Raises UnknownFile: it is gone meanwhile."""
    rows: Rows = yield Statement(
        """UPDATE file SET sha256 = $2, is_whole = 1, warning = $3, at = $4 WHERE id = $1 AND is_whole = 0
        RETURNING bytes""",
        (id, sha256, warning, now),
    )
    if not rows:
        raise UnknownFile
    yield Statement(
        "INSERT INTO blob (sha256, bytes, type) VALUES ($1, $2, $3) ON CONFLICT (sha256) DO NOTHING",
        (sha256, rows[0][0], type),
    )
    return _files((yield Statement(f"{_FILE} WHERE f.id = $1", (id,))))[0]


def seen(id: str, sha256: str, width: int, height: int) -> Steps[File | None]:
    """A content is a picture of this size, and has a preview.  Returns the file; None: it is gone meanwhile."""
    yield Statement(
        "UPDATE blob SET width = $2, height = $3, has_preview = 1 WHERE sha256 = $1", (sha256, width, height)
    )
    found = _files((yield Statement(f"{_FILE} WHERE f.id = $1", (id,))))
    return found[0] if found else None


def drop_part(id: str) -> Steps[None]:
    """Forget an unfinished upload."""
    yield Statement("DELETE FROM file WHERE id = $1 AND is_whole = 0", (id,))


# -- messages


def attach(entry: Entry, ids: Sequence[str]) -> Steps[tuple[Stored, list[FileInfo]]]:
    """Append a message with whole files of its author, in this order.  Raises UnknownFile.

    A repeat is answered as it was, whatever has become of the files.
    """
    ids = list(dict.fromkeys(ids))
    found: dict[str, File] = {}
    for id in ids:
        rows: Rows = yield Statement(
            f"{_FILE} WHERE f.id = $1 AND f.account_id = $2 AND f.is_whole = 1", (id, entry.author)
        )
        found.update((file.id, file) for file in _files(rows))
    if len(found) < len(ids):
        known: Rows = []
        if entry.cookie is not None:
            known = yield Statement(
                "SELECT id FROM message WHERE device_id = $1 AND cookie = $2", (entry.device, entry.cookie)
            )
        if not known:
            raise UnknownFile
    stored: Stored = yield entry
    if stored.repeat:
        rows = yield Statement("SELECT files FROM message WHERE id = $1", (stored.id,))
        return stored, infos(rows[0][0])
    told = [found[id].info() for id in ids]
    yield Statement("UPDATE message SET files = $2 WHERE id = $1", (stored.id, _json.encode(told).decode()))
    for id in ids:
        yield Statement("INSERT INTO message_file (message_id, file_id) VALUES ($1, $2)", (stored.id, id))
        yield Statement("UPDATE file SET at = $2 WHERE id = $1 AND at < $2", (id, entry.at))
    return stored, told


def detach(message_id: int) -> Steps[None]:
    """A message was taken back: its files go, but for those that others hold."""
    rows: Rows = yield Statement("DELETE FROM message_file WHERE message_id = $1 RETURNING file_id", (message_id,))
    for (id,) in rows:
        yield Statement(
            "DELETE FROM file WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM message_file WHERE file_id = $1)", (id,)
        )


def forget(account_id: int) -> Steps[None]:
    """An account is deleted, and its files with it."""
    yield Statement(
        "DELETE FROM message_file WHERE file_id IN (SELECT id FROM file WHERE account_id = $1)", (account_id,)
    )
    yield Statement("DELETE FROM file WHERE account_id = $1", (account_id,))


def visible(id: str, viewer_id: int) -> Steps[File | None]:
    """Return a whole file that the viewer has uploaded, or sees in a message; else None."""
    rows: Rows = yield Statement(
        f"""{_FILE} WHERE f.id = $1 AND f.is_whole = 1 AND (f.account_id = $2 OR EXISTS (
            SELECT 1 FROM message_file r JOIN message m ON m.id = r.message_id
                JOIN conversation c ON c.id = m.conversation_id
            WHERE r.file_id = f.id AND m.hidden = 0 AND (c.low_id = $2 OR c.high_id = $2)))""",
        (id, viewer_id),
    )
    return next(iter(_files(rows)), None)


# -- going


def stale(old: int, idle: int) -> Steps[Sequence[str]]:
    """Return files before these instants: whole ones before `old`; parts, and what no message holds, before `idle`."""
    rows: Rows = yield Statement(
        f"""SELECT id FROM file WHERE at < $1 OR (at < $2 AND (is_whole = 0
            OR NOT EXISTS (SELECT 1 FROM message_file WHERE file_id = file.id))) LIMIT {BATCH}""",
        (old, idle),
    )
    return [row[0] for row in rows]


def surplus(total_bytes: int) -> Steps[Sequence[str]]:
    """Return the oldest whole files, without which all contents together would take no more than this."""
    rows: Rows = yield Statement("SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM blob")
    left = rows[0][0] - total_bytes
    if left <= 0:
        return []
    oldest: Rows = yield Statement(f"SELECT id, bytes FROM file WHERE is_whole = 1 ORDER BY at LIMIT {BATCH}")
    found: list[str] = []
    for id, size in oldest:
        if left > 0:
            found.append(id)
            left -= size
    return found


def remove(ids: Sequence[str], before: int) -> Steps[int]:
    """Forget these files, but for those that were used since; return how many went."""
    gone = 0
    for id in ids:
        yield Statement(
            """DELETE FROM message_file WHERE file_id = $1
            AND EXISTS (SELECT 1 FROM file WHERE id = $1 AND at < $2)""",
            (id, before),
        )
        rows: Rows = yield Statement("DELETE FROM file WHERE id = $1 AND at < $2 RETURNING id", (id, before))
        gone += len(rows)
    return gone


def unused() -> Steps[Sequence[str]]:
    """Return the hashes of contents that no file has."""
    rows: Rows = yield Statement(f"SELECT sha256 FROM blob b WHERE NOT EXISTS ({_USE}) LIMIT {BATCH}")
    return [row[0] for row in rows]


def bury(sha256: str) -> Steps[bool]:
    """Forget a content unless some file has it; True: it is not known any more, and its bytes may go."""
    yield Statement(f"DELETE FROM blob AS b WHERE b.sha256 = $1 AND NOT EXISTS ({_USE})", (sha256,))
    rows: Rows = yield Statement("SELECT 1 FROM blob WHERE sha256 = $1", (sha256,))
    return not rows


_USE = "SELECT 1 FROM file f WHERE f.sha256 = b.sha256 AND f.is_whole = 1"


def named() -> Steps[tuple[set[str], set[str]]]:
    """Return the ids of all parts, and the hashes of all contents."""
    parts: Rows = yield Statement("SELECT id FROM file WHERE is_whole = 0")
    blobs: Rows = yield Statement("SELECT sha256 FROM blob")
    return {row[0] for row in parts}, {row[0] for row in blobs}
