"""Which schema a database has, without loading Alembic: the start of the server must be quick."""

from __future__ import annotations

from importlib.resources import files

from .database import StorageError

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""The migrations in their order; the last one is the schema of `schema.sql`.  A test holds this against Alembic."""
HEAD = REVISIONS[-1]

VERSION_TABLE = """CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""
"""As Alembic makes it."""


def sqlite_schema() -> str:
    """Return the text of `schema.sql`."""
    return files("veche.storage").joinpath("schema.sql").read_text(encoding="utf-8")


def check_known(revision: str) -> None:
    """Raise StorageError if the schema is newer than this program."""
    if revision not in REVISIONS:
        raise StorageError(
            f"The database was written by a newer version of Veche (its schema is {revision}, this version knows "
            f"{HEAD}). Start that version, or restore a copy from before the upgrade."
        )
