"""Facts about this database: its domain, its secret, its clock.  Name and bytes."""

from __future__ import annotations

from .database import Rows, Statement, Steps


def get(name: str) -> Steps[bytes | None]:
    """Return the fact's value, None if there is none."""
    rows: Rows = yield Statement("SELECT value FROM fact WHERE name = $1", (name,))
    return rows[0][0] if rows else None


def set_default(name: str, value: bytes) -> Steps[bytes]:
    """Set the fact unless it is set; return what holds now."""
    yield Statement(
        "INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        (name, value),
    )
    rows: Rows = yield Statement("SELECT value FROM fact WHERE name = $1", (name,))
    return rows[0][0]


def put(name: str, value: bytes) -> Steps[None]:
    """Set the fact, whatever it was."""
    yield Statement(
        "INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def nothing() -> Steps[None]:
    """Do nothing; as a write it ends when all that was queued before it is stored."""
    yield from ()
