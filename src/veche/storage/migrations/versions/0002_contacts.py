"""Contacts, profiles, what a blocked person goes on seeing, and unread messages counted once.

Revision: 0002.  Frozen.  Logins are lower case from now on (ASCII; other letters are left as they are): where two
differ by case alone, the older account gets the name and the other one its id behind it.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

BOTH = """\
UPDATE account SET login = lower(login) WHERE login <> lower(login)
    AND NOT EXISTS (SELECT 1 FROM account o WHERE o.login = lower(account.login))
    AND id = (SELECT min(o.id) FROM account o WHERE lower(o.login) = lower(account.login));
UPDATE account SET login = lower(login) || '-' || id || CASE
    WHEN EXISTS (SELECT 1 FROM account o WHERE o.login = lower(account.login) || '-' || account.id)
    THEN '-' || created_at ELSE '' END
    WHERE login <> lower(login);
UPDATE member SET told_read_id = read_id, counted_id = read_id;
"""

POSTGRESQL = """\
ALTER TABLE account ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN avatar TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX account_avatar ON account (avatar) WHERE avatar <> '';
CREATE TABLE picture (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    type TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL
);
CREATE TABLE relation (
    first_id BIGINT NOT NULL REFERENCES account(id),
    second_id BIGINT NOT NULL REFERENCES account(id),
    state SMALLINT NOT NULL,
    asker_id BIGINT NOT NULL DEFAULT 0,
    is_ignored SMALLINT NOT NULL DEFAULT 0,
    at BIGINT NOT NULL,
    refused_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (first_id, second_id)
);
CREATE INDEX relation_second ON relation (second_id);
CREATE INDEX relation_waiting ON relation (at) WHERE state <> 4;
CREATE TABLE contact (
    account_id BIGINT NOT NULL REFERENCES account(id),
    peer_id BIGINT NOT NULL REFERENCES account(id),
    listed SMALLINT NOT NULL DEFAULT 0,
    name TEXT NOT NULL DEFAULT '',
    path TEXT NOT NULL DEFAULT '',
    memo TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, peer_id)
);
CREATE INDEX contact_peer ON contact (peer_id);
ALTER TABLE block ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE block ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE block ADD COLUMN avatar TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX block_blocked ON block (blocked_id);
CREATE INDEX block_avatar ON block (avatar) WHERE avatar <> '';
ALTER TABLE member ADD COLUMN told_read_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN counted_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN unread BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN own_edit_id BIGINT;
ALTER TABLE reaction ADD COLUMN hidden SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE invite ADD COLUMN inviter_id BIGINT REFERENCES account(id);
"""

SQLITE = """\
ALTER TABLE account ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN avatar TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX account_avatar ON account (avatar) WHERE avatar <> '';
CREATE TABLE picture (
    hash        TEXT    NOT NULL PRIMARY KEY,
    type        TEXT    NOT NULL,
    data        BLOB    NOT NULL
) STRICT;
CREATE TABLE relation (
    first_id    INTEGER NOT NULL REFERENCES account(id),
    second_id   INTEGER NOT NULL REFERENCES account(id),
    state       INTEGER NOT NULL,
    asker_id    INTEGER NOT NULL DEFAULT 0,
    is_ignored  INTEGER NOT NULL DEFAULT 0,
    at          INTEGER NOT NULL,
    refused_at  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (first_id, second_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX relation_second ON relation (second_id);
CREATE INDEX relation_waiting ON relation (at) WHERE state <> 4;
CREATE TABLE contact (
    account_id  INTEGER NOT NULL REFERENCES account(id),
    peer_id     INTEGER NOT NULL REFERENCES account(id),
    listed      INTEGER NOT NULL DEFAULT 0,
    name        TEXT    NOT NULL DEFAULT '',
    path        TEXT    NOT NULL DEFAULT '',
    memo        TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, peer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_peer ON contact (peer_id);
ALTER TABLE block ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE block ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE block ADD COLUMN avatar TEXT NOT NULL DEFAULT '';
CREATE INDEX block_blocked ON block (blocked_id);
CREATE INDEX block_avatar ON block (avatar) WHERE avatar <> '';
ALTER TABLE member ADD COLUMN told_read_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN counted_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN own_edit_id INTEGER;
ALTER TABLE reaction ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invite ADD COLUMN inviter_id INTEGER REFERENCES account(id);
DROP TRIGGER message_reworded;
DROP VIEW message_text;
CREATE VIEW message_text AS
    SELECT id, text, CASE kind WHEN 0 THEN 'c' ELSE 'e' END || conversation_id AS place FROM message
    WHERE (kind = 0 OR own_edit_id = id) AND retracted_at IS NULL;
CREATE TRIGGER message_reworded AFTER UPDATE OF text, own_edit_id ON message
WHEN old.id <= (SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM fact WHERE name = 'indexed')
BEGIN
    INSERT INTO message_words (message_words, rowid, text, place)
        SELECT 'delete', old.id, old.text, CASE old.kind WHEN 0 THEN 'c' ELSE 'e' END || old.conversation_id
        WHERE (old.kind = 0 OR old.own_edit_id = old.id) AND old.retracted_at IS NULL;
    INSERT INTO message_words (rowid, text, place) SELECT id, text, place FROM message_text WHERE id = new.id;
END;
"""


def upgrade() -> None:
    op.execute((SQLITE if op.get_context().dialect.name == "sqlite" else POSTGRESQL) + BOTH)
