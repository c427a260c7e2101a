"""Conferences, their legs, whom they remember; the order of the texts of their rooms.

Revision: 0005.  Frozen.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

POSTGRESQL = """\
CREATE TABLE conference (
    number BIGSERIAL PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT NOT NULL,
    owner_id BIGINT REFERENCES account(id),
    acting_id BIGINT REFERENCES account(id),
    policy TEXT COLLATE "C" NOT NULL,
    is_permanent SMALLINT NOT NULL DEFAULT 0,
    is_call SMALLINT NOT NULL DEFAULT 0,
    link TEXT COLLATE "C" NOT NULL DEFAULT '',
    initiator TEXT COLLATE "C" NOT NULL DEFAULT '',
    epoch BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE TABLE conference_leg (
    number BIGINT NOT NULL REFERENCES conference(number),
    account_id BIGINT NOT NULL REFERENCES account(id),
    device TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    initiator TEXT COLLATE "C" NOT NULL,
    media TEXT COLLATE "C" NOT NULL,
    is_muted SMALLINT NOT NULL DEFAULT 0,
    is_hidden SMALLINT NOT NULL DEFAULT 0,
    is_sharing SMALLINT NOT NULL DEFAULT 0,
    held SMALLINT NOT NULL DEFAULT 0,
    asks SMALLINT NOT NULL DEFAULT 0,
    muted_by TEXT COLLATE "C" NOT NULL DEFAULT '',
    hidden_by TEXT COLLATE "C" NOT NULL DEFAULT '',
    at BIGINT NOT NULL,
    PRIMARY KEY (number, account_id, device)
);
CREATE TABLE conference_guest (
    number BIGINT NOT NULL REFERENCES conference(number),
    account_id BIGINT NOT NULL REFERENCES account(id),
    may_come SMALLINT NOT NULL DEFAULT 0,
    called_by TEXT COLLATE "C" NOT NULL DEFAULT '',
    status TEXT COLLATE "C" NOT NULL DEFAULT '',
    is_silent SMALLINT NOT NULL DEFAULT 0,
    is_removed SMALLINT NOT NULL DEFAULT 0,
    muted_by TEXT COLLATE "C" NOT NULL DEFAULT '',
    hidden_by TEXT COLLATE "C" NOT NULL DEFAULT '',
    entry_id BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (number, account_id)
);
CREATE INDEX message_room ON message (conversation_id, seq) WHERE conversation_id < 0;
"""

SQLITE = """\
CREATE TABLE conference (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    owner_id     INTEGER REFERENCES account(id),
    acting_id    INTEGER REFERENCES account(id),
    policy       TEXT    NOT NULL,
    is_permanent INTEGER NOT NULL DEFAULT 0,
    is_call      INTEGER NOT NULL DEFAULT 0,
    link         TEXT    NOT NULL DEFAULT '',
    initiator    TEXT    NOT NULL DEFAULT '',
    epoch        INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE TABLE conference_leg (
    number      INTEGER NOT NULL REFERENCES conference(number),
    account_id  INTEGER NOT NULL REFERENCES account(id),
    device      TEXT    NOT NULL,
    place       INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    initiator   TEXT    NOT NULL,
    media       TEXT    NOT NULL,
    is_muted    INTEGER NOT NULL DEFAULT 0,
    is_hidden   INTEGER NOT NULL DEFAULT 0,
    is_sharing  INTEGER NOT NULL DEFAULT 0,
    held        INTEGER NOT NULL DEFAULT 0,
    asks        INTEGER NOT NULL DEFAULT 0,
    muted_by    TEXT    NOT NULL DEFAULT '',
    hidden_by   TEXT    NOT NULL DEFAULT '',
    at          INTEGER NOT NULL,
    PRIMARY KEY (number, account_id, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE conference_guest (
    number      INTEGER NOT NULL REFERENCES conference(number),
    account_id  INTEGER NOT NULL REFERENCES account(id),
    may_come    INTEGER NOT NULL DEFAULT 0,
    called_by   TEXT    NOT NULL DEFAULT '',
    status      TEXT    NOT NULL DEFAULT '',
    is_silent   INTEGER NOT NULL DEFAULT 0,
    is_removed  INTEGER NOT NULL DEFAULT 0,
    muted_by    TEXT    NOT NULL DEFAULT '',
    hidden_by   TEXT    NOT NULL DEFAULT '',
    entry_id    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_room ON message (conversation_id, seq) WHERE conversation_id < 0;
"""


def upgrade() -> None:
    op.execute(SQLITE if op.get_context().dialect.name == "sqlite" else POSTGRESQL)
