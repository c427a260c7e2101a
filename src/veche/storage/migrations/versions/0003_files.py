"""Files of messages.

Revision: 0003.  Frozen.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

POSTGRESQL = """\
CREATE TABLE blob (
    sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    bytes BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    has_preview SMALLINT NOT NULL DEFAULT 0
);
CREATE TABLE file (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account(id),
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL DEFAULT '',
    is_whole SMALLINT NOT NULL DEFAULT 0,
    warning TEXT COLLATE "C" NOT NULL DEFAULT '',
    at BIGINT NOT NULL
);
CREATE INDEX file_account ON file (account_id);
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX file_at ON file (at);
CREATE INDEX file_part ON file (account_id) WHERE is_whole = 0;
CREATE TABLE message_file (
    message_id BIGINT NOT NULL,
    file_id TEXT COLLATE "C" NOT NULL REFERENCES file(id),
    PRIMARY KEY (message_id, file_id)
);
CREATE INDEX message_file_file ON message_file (file_id);
ALTER TABLE message ADD COLUMN files TEXT NOT NULL DEFAULT '';
"""

SQLITE = """\
CREATE TABLE blob (
    sha256      TEXT    NOT NULL PRIMARY KEY,
    bytes       INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    width       INTEGER NOT NULL DEFAULT 0,
    height      INTEGER NOT NULL DEFAULT 0,
    has_preview INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE file (
    id          TEXT    NOT NULL PRIMARY KEY,
    account_id  INTEGER NOT NULL REFERENCES account(id),
    name        TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    sha256      TEXT    NOT NULL DEFAULT '',
    is_whole    INTEGER NOT NULL DEFAULT 0,
    warning     TEXT    NOT NULL DEFAULT '',
    at          INTEGER NOT NULL
) STRICT;
CREATE INDEX file_account ON file (account_id);
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX file_at ON file (at);
CREATE INDEX file_part ON file (account_id) WHERE is_whole = 0;
CREATE TABLE message_file (
    message_id  INTEGER NOT NULL,
    file_id     TEXT    NOT NULL REFERENCES file(id),
    PRIMARY KEY (message_id, file_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_file_file ON message_file (file_id);
ALTER TABLE message ADD COLUMN files TEXT NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    op.execute(SQLITE if op.get_context().dialect.name == "sqlite" else POSTGRESQL)
