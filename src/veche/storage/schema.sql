-- The schema as it stands, for SQLite; a test holds it against what the migrations make.
-- Ids are never reused, columns are NOT NULL unless absence means something, and a column's meaning never changes.
-- Instants are microseconds since 1970, UTC.

CREATE TABLE account (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    login       TEXT    NOT NULL UNIQUE,
    salt        BLOB    NOT NULL,
    iterations  INTEGER NOT NULL,
    stored_key  BLOB    NOT NULL,      -- SCRAM-SHA-256, RFC 5802; empty: nobody can log in by password
    server_key  BLOB    NOT NULL,
    generation  INTEGER NOT NULL DEFAULT 0,  -- raised to void every resumption token of the account
    is_admin    INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    delivered_id INTEGER NOT NULL DEFAULT 0, -- some device has everything up to this entry: where a new device starts
    deleted_at  INTEGER                -- the name stays taken
) STRICT;

CREATE TABLE device (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL REFERENCES account(id),
    name        TEXT    NOT NULL,
    client      TEXT    NOT NULL DEFAULT '',
    cursor_id   INTEGER NOT NULL,      -- everything up to this entry was acknowledged by the device
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    UNIQUE (account_id, name)
) STRICT;

CREATE TABLE token (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL REFERENCES account(id),
    name        TEXT    NOT NULL,
    hash        BLOB    NOT NULL UNIQUE,     -- SHA-256 of the token, which is random
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX token_account ON token (account_id);

CREATE TABLE invite (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        BLOB    NOT NULL UNIQUE,
    is_setup    INTEGER NOT NULL DEFAULT 0,  -- makes the administrator
    uses_left   INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER
) STRICT;

CREATE TABLE conversation (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    low_id      INTEGER NOT NULL REFERENCES account(id),   -- direct: the two accounts, low_id < high_id
    high_id     INTEGER NOT NULL REFERENCES account(id),
    created_at  INTEGER NOT NULL,
    UNIQUE (low_id, high_id)
) STRICT;

CREATE TABLE member (
    account_id      INTEGER NOT NULL REFERENCES account(id),
    conversation_id INTEGER NOT NULL REFERENCES conversation(id),
    peer_id         INTEGER NOT NULL REFERENCES account(id),
    delivered_id    INTEGER NOT NULL DEFAULT 0,  -- some device of the account has the conversation up to here
    read_id         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, conversation_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    id              INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    kind            INTEGER NOT NULL,            -- storage.database.Kind
    author_id       INTEGER NOT NULL,
    device_id       INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    text            TEXT    NOT NULL,
    target_id       INTEGER,
    cookie          TEXT,
    hidden          INTEGER NOT NULL DEFAULT 0,
    edited_at       INTEGER,
    retracted_at    INTEGER
) STRICT;
CREATE INDEX message_conversation ON message (conversation_id);  -- and id, which SQLite adds to every index by itself
CREATE UNIQUE INDEX message_cookie ON message (device_id, cookie) WHERE cookie IS NOT NULL;
CREATE INDEX message_edit ON message (target_id) WHERE kind = 1;

CREATE TABLE reaction (
    message_id  INTEGER NOT NULL,
    account_id  INTEGER NOT NULL,
    emoji       TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (message_id, account_id, emoji)
) STRICT, WITHOUT ROWID;
CREATE INDEX reaction_account ON reaction (account_id);

CREATE TABLE block (
    account_id  INTEGER NOT NULL REFERENCES account(id),
    blocked_id  INTEGER NOT NULL REFERENCES account(id),
    at          INTEGER NOT NULL,
    PRIMARY KEY (account_id, blocked_id)
) STRICT, WITHOUT ROWID;

-- facts about this database: domain, secret (resumption tokens, fake salts), clock (the latest instant used)
CREATE TABLE fact (
    name        TEXT    NOT NULL PRIMARY KEY,
    value       BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- search, SQLite only: filled after the fact by the indexer, up to the id in fact 'indexed'; the conversation is a word
-- too, so that a search costs what the conversation holds, not what the server holds
CREATE VIEW message_text AS
    SELECT id, text, 'c' || conversation_id AS place FROM message WHERE kind = 0 AND retracted_at IS NULL;
CREATE VIRTUAL TABLE message_words USING fts5(
    text, place, content='message_text', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
-- edits and retractions of what is indexed already; inserting is never slowed down by a trigger
CREATE TRIGGER message_reworded AFTER UPDATE OF text ON message
WHEN old.kind = 0 AND old.retracted_at IS NULL
    AND old.id <= (SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM fact WHERE name = 'indexed')
BEGIN
    INSERT INTO message_words (message_words, rowid, text, place)
        VALUES ('delete', old.id, old.text, 'c' || old.conversation_id);
    INSERT INTO message_words (rowid, text, place) SELECT id, text, place FROM message_text WHERE id = new.id;
END;
