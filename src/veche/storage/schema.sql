-- The schema as it stands, for SQLite; a test holds it against what the migrations make.
-- Ids are never reused, columns are NOT NULL unless absence means something, and a column's meaning never changes.
-- Instants are microseconds since 1970, UTC.

CREATE TABLE account (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    login       TEXT    NOT NULL UNIQUE,     -- lower case (RFC 8265, UsernameCaseMapped)
    salt        BLOB    NOT NULL,
    iterations  INTEGER NOT NULL,
    stored_key  BLOB    NOT NULL,      -- SCRAM-SHA-256, RFC 5802; empty: nobody can log in by password
    server_key  BLOB    NOT NULL,
    generation  INTEGER NOT NULL DEFAULT 0,  -- raised to void every resumption token of the account
    is_admin    INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    delivered_id INTEGER NOT NULL DEFAULT 0, -- some device has everything up to this entry: where a new device starts
    deleted_at  INTEGER,               -- the name stays taken
    name        TEXT    NOT NULL DEFAULT '', -- name, note, avatar: what the person says about themselves
    note        TEXT    NOT NULL DEFAULT '',
    avatar      TEXT    NOT NULL DEFAULT '', -- the hash of a picture
    seen_at     INTEGER NOT NULL DEFAULT 0,  -- when the person last came or went
    is_disabled INTEGER NOT NULL DEFAULT 0   -- nothing logs it in
) STRICT;
CREATE INDEX account_avatar ON account (avatar) WHERE avatar <> '';

CREATE TABLE picture (
    hash        TEXT    NOT NULL PRIMARY KEY,  -- SHA-256 of data, hexadecimal
    type        TEXT    NOT NULL,
    data        BLOB    NOT NULL
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
    expires_at  INTEGER,
    inviter_id  INTEGER REFERENCES account(id)  -- becomes a friend of those whom the invite lets in
) STRICT;

CREATE TABLE reset (                         -- a one-time code that sets a new password of an account
    account_id  INTEGER NOT NULL PRIMARY KEY REFERENCES account(id),
    hash        BLOB    NOT NULL UNIQUE,
    expires_at  INTEGER NOT NULL
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
    told_read_id    INTEGER NOT NULL DEFAULT 0,  -- what the peer was told of read_id
    counted_id      INTEGER NOT NULL DEFAULT 0,  -- not below read_id; unread: the peer's texts between the two
    unread          INTEGER NOT NULL DEFAULT 0,
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
    retracted_at    INTEGER,
    own_edit_id     INTEGER,                     -- the hidden edit whose text the author sees instead of this one
    files           TEXT    NOT NULL DEFAULT ''  -- what its readers are told of its files: JSON, packets.files.FileInfo
) STRICT;
CREATE INDEX message_conversation ON message (conversation_id);  -- and id, which SQLite adds to every index by itself
CREATE UNIQUE INDEX message_cookie ON message (device_id, cookie) WHERE cookie IS NOT NULL;
CREATE INDEX message_edit ON message (target_id) WHERE kind = 1;

CREATE TABLE reaction (
    message_id  INTEGER NOT NULL,
    account_id  INTEGER NOT NULL,
    emoji       TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    hidden      INTEGER NOT NULL DEFAULT 0,  -- 1: only who reacted sees it; 2: only the other one does
    PRIMARY KEY (message_id, account_id, emoji)
) STRICT, WITHOUT ROWID;
CREATE INDEX reaction_account ON reaction (account_id);

CREATE TABLE block (
    account_id  INTEGER NOT NULL REFERENCES account(id),
    blocked_id  INTEGER NOT NULL REFERENCES account(id),
    at          INTEGER NOT NULL,
    name        TEXT    NOT NULL DEFAULT '', -- name, note, avatar: what the blocked one was last told of the account
    note        TEXT    NOT NULL DEFAULT '',
    avatar      TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, blocked_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX block_blocked ON block (blocked_id);
CREATE INDEX block_avatar ON block (avatar) WHERE avatar <> '';

CREATE TABLE relation (
    first_id    INTEGER NOT NULL REFERENCES account(id),  -- of the two, whose login sorts first by code points
    second_id   INTEGER NOT NULL REFERENCES account(id),
    state       INTEGER NOT NULL,            -- core.contacts.State; no row for NONE
    asker_id    INTEGER NOT NULL DEFAULT 0,
    is_ignored  INTEGER NOT NULL DEFAULT 0,
    at          INTEGER NOT NULL,
    refused_at  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (first_id, second_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX relation_second ON relation (second_id);
CREATE INDEX relation_waiting ON relation (at) WHERE state <> 4;  -- what is not a friendship ends by itself

CREATE TABLE contact (                       -- a row: the peer is listed, or something is noted
    account_id  INTEGER NOT NULL REFERENCES account(id),
    peer_id     INTEGER NOT NULL REFERENCES account(id),
    listed      INTEGER NOT NULL DEFAULT 0,
    name        TEXT    NOT NULL DEFAULT '',
    path        TEXT    NOT NULL DEFAULT '', -- the group
    memo        TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, peer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_peer ON contact (peer_id);

CREATE TABLE blob (                          -- the content of all files of one SHA-256; the bytes are no matter of SQL
    sha256      TEXT    NOT NULL PRIMARY KEY,
    bytes       INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    width       INTEGER NOT NULL DEFAULT 0,
    height      INTEGER NOT NULL DEFAULT 0,
    has_preview INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE file (                          -- one upload of one account
    id          TEXT    NOT NULL PRIMARY KEY,  -- random
    account_id  INTEGER NOT NULL REFERENCES account(id),
    name        TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    sha256      TEXT    NOT NULL DEFAULT '', -- as announced, until it is whole
    is_whole    INTEGER NOT NULL DEFAULT 0,
    warning     TEXT    NOT NULL DEFAULT '',
    at          INTEGER NOT NULL             -- when it was last asked for by its account, completed, or put in a message
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

CREATE TABLE conference (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,        -- random
    name         TEXT    NOT NULL,
    owner_id     INTEGER REFERENCES account(id), -- of nobody: a permanent one
    acting_id    INTEGER REFERENCES account(id), -- who stands in for the owner
    policy       TEXT    NOT NULL,               -- packets.conference.Policy
    is_permanent INTEGER NOT NULL DEFAULT 0,
    is_call      INTEGER NOT NULL DEFAULT 0,     -- made by calling somebody
    link         TEXT    NOT NULL DEFAULT '',    -- the code of its link, random; empty: nobody has asked for one
    initiator    TEXT    NOT NULL DEFAULT '',    -- a leg
    epoch        INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE conference_leg (
    number      INTEGER NOT NULL REFERENCES conference(number),
    account_id  INTEGER NOT NULL REFERENCES account(id),
    device      TEXT    NOT NULL,
    place       INTEGER NOT NULL,                -- ascending in the order in which they came
    epoch       INTEGER NOT NULL,
    initiator   TEXT    NOT NULL,
    media       TEXT    NOT NULL,                -- packets.conference.MediaKind
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

CREATE TABLE conference_guest (                  -- what a conference remembers of somebody, inside or not
    number      INTEGER NOT NULL REFERENCES conference(number),
    account_id  INTEGER NOT NULL REFERENCES account(id),
    may_come    INTEGER NOT NULL DEFAULT 0,      -- was called
    called_by   TEXT    NOT NULL DEFAULT '',
    status      TEXT    NOT NULL DEFAULT '',     -- packets.conference.CallStatus; empty: came, or was not called
    is_silent   INTEGER NOT NULL DEFAULT 0,      -- blocks who calls
    is_removed  INTEGER NOT NULL DEFAULT 0,
    muted_by    TEXT    NOT NULL DEFAULT '',
    hidden_by   TEXT    NOT NULL DEFAULT '',
    entry_id    INTEGER NOT NULL DEFAULT 0,      -- the message by which the answered call stands in a conversation
    PRIMARY KEY (number, account_id)
) STRICT, WITHOUT ROWID;
-- the texts of a room are in `message`, with conversation_id = -conference.number
CREATE INDEX message_room ON message (conversation_id, seq) WHERE conversation_id < 0;

-- facts about this database: domain, secret (resumption tokens, fake salts), clock (the latest instant used)
CREATE TABLE fact (
    name        TEXT    NOT NULL PRIMARY KEY,
    value       BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- search, SQLite only: filled after the fact by the indexer, up to the id in fact 'indexed'; the conversation is a word
-- too, so that a search costs what the conversation holds, not what the server holds: c12 is a message in it, e12 the
-- hidden edit that the author of a message sees instead
CREATE VIEW message_text AS
    SELECT id, text, CASE kind WHEN 0 THEN 'c' ELSE 'e' END || conversation_id AS place FROM message
    WHERE (kind = 0 OR own_edit_id = id) AND retracted_at IS NULL;
CREATE VIRTUAL TABLE message_words USING fts5(
    text, place, content='message_text', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
-- edits and retractions of what is indexed already; inserting is never slowed down by a trigger
CREATE TRIGGER message_reworded AFTER UPDATE OF text, own_edit_id ON message
WHEN old.id <= (SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM fact WHERE name = 'indexed')
BEGIN
    INSERT INTO message_words (message_words, rowid, text, place)
        SELECT 'delete', old.id, old.text, CASE old.kind WHEN 0 THEN 'c' ELSE 'e' END || old.conversation_id
        WHERE (old.kind = 0 OR old.own_edit_id = old.id) AND old.retracted_at IS NULL;
    INSERT INTO message_words (rowid, text, place) SELECT id, text, place FROM message_text WHERE id = new.id;
END;
