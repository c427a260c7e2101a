"""Disabled accounts, and one-time codes for a new password.

Revision: 0004.  Frozen.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

POSTGRESQL = """\
ALTER TABLE account ADD COLUMN is_disabled SMALLINT NOT NULL DEFAULT 0;
CREATE TABLE reset (
    account_id BIGINT NOT NULL PRIMARY KEY REFERENCES account(id),
    hash BYTEA NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);
"""

SQLITE = """\
ALTER TABLE account ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0;
CREATE TABLE reset (
    account_id  INTEGER NOT NULL PRIMARY KEY REFERENCES account(id),
    hash        BLOB    NOT NULL UNIQUE,
    expires_at  INTEGER NOT NULL
) STRICT;
"""


def upgrade() -> None:
    op.execute(SQLITE if op.get_context().dialect.name == "sqlite" else POSTGRESQL)
