"""Profiles: what people say about themselves, and their pictures.

A picture is kept once, by its hash, as long as somebody's profile shows it, or somebody blocked goes on seeing it.

Source: rows M42, M44-M47, X23.
"""

from __future__ import annotations

from typing import NamedTuple

from .database import Rows, Statement, Steps


class Profile(NamedTuple):
    """What an account says about itself."""

    name: str
    note: str
    avatar: str
    """SHA-256 of the picture, hexadecimal; empty: none."""


class Picture(NamedTuple):
    """A picture to be shown."""

    hash: str
    """SHA-256 of `data`, hexadecimal."""
    type: str
    """Such as `image/png`."""
    data: bytes


def get(account_id: int) -> Steps[Profile]:
    """Return the profile of an account.  Raises LookupError."""
    rows: Rows = yield Statement("SELECT name, note, avatar FROM account WHERE id = $1", (account_id,))
    return Profile(*rows[0])


def update(
    account_id: int, name: str | None, note: str | None, picture: Picture | None, removes_picture: bool
) -> Steps[Profile]:
    """Change the profile and return it; None stays as it is.  A deleted account has none: LookupError."""
    before = yield from get(account_id)
    if picture is not None:
        yield Statement(
            "INSERT INTO picture (hash, type, data) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING", tuple(picture)
        )
    after = Profile(
        before.name if name is None else name,
        before.note if note is None else note,
        picture.hash if picture is not None else "" if removes_picture else before.avatar,
    )
    rows: Rows = yield Statement(
        "UPDATE account SET name = $2, note = $3, avatar = $4 WHERE id = $1 AND deleted_at IS NULL RETURNING id",
        (account_id, *after),
    )
    if not rows:
        raise LookupError(account_id)
    if before.avatar != after.avatar:
        yield from drop_picture(before.avatar)
    return after


def picture(hash: str) -> Steps[tuple[str, bytes] | None]:
    """Return the type and the bytes of a picture."""
    rows: Rows = yield Statement("SELECT type, data FROM picture WHERE hash = $1", (hash,))
    return (rows[0][0], rows[0][1]) if rows else None


def drop_picture(hash: str) -> Steps[None]:
    """Forget a picture unless somebody still shows it or sees it."""
    yield Statement(
        """DELETE FROM picture WHERE hash = $1
        AND NOT EXISTS (SELECT 1 FROM account WHERE avatar = $1 AND avatar <> '')
        AND NOT EXISTS (SELECT 1 FROM block WHERE avatar = $1 AND avatar <> '')""",
        (hash,),
    )
