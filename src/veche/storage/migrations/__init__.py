"""Migrations: how a database of an older schema becomes one of ours.

Alembic keeps the order of the revisions and writes the SQL; our own connections run it, in one transaction, so neither
database needs a driver of SQLAlchemy's.  Hence the rule for a revision: plain SQL by `op.execute`, no reading of rows.
This package is loaded only when there is something to migrate.

A new revision: `versions/<number>_<what>.py`, its number in `schema.REVISIONS`, and `schema.sql` as it is afterwards; a
test holds the three against each other.
"""

from __future__ import annotations

import sqlite3
from io import StringIO
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

Dialect = Literal["sqlite", "postgresql"]


def script(dialect: Dialect, revision: str | None) -> str:
    """Return the SQL that brings a database of this revision (None: an empty one) to ours."""
    written = StringIO()
    config = _config(written)
    config.attributes["dialect"] = dialect
    command.upgrade(config, f"{revision or 'base'}:head", sql=True)
    return written.getvalue()


def revisions() -> list[str]:
    """Return all revisions in their order."""
    found = ScriptDirectory.from_config(_config(StringIO())).walk_revisions()
    return [revision.revision for revision in found][::-1]


def upgrade_sqlite(db: sqlite3.Connection, revision: str | None) -> None:
    """Bring an open SQLite database from this revision to ours, wholly or not at all."""
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        db.executescript(f"BEGIN IMMEDIATE; {script('sqlite', revision)}; COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
        db.execute("PRAGMA foreign_keys = ON")


def _config(written: StringIO) -> Config:
    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
