-- Accepted mail. A row here and its items (0002) are made in one transaction, before the sender is told 250 (I1).

CREATE TABLE store (            -- facts about this store itself
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE message (
    id          INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),  -- never reused: file names derive from ids (I2)
    received_ms INTEGER NOT NULL CHECK (received_ms > 0),
    sender      TEXT    NOT NULL,                                  -- '' is the null reverse path
    source      TEXT    NOT NULL CHECK (source <> ''),
    client      TEXT    NOT NULL,
    helo        TEXT    NOT NULL,
    protocol    TEXT    NOT NULL,
    header_id   TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    size        INTEGER NOT NULL CHECK (size >= 0),
    eight_bit   INTEGER NOT NULL CHECK (eight_bit IN (0, 1)),
    body_file   TEXT    CHECK (body_file <> '')                    -- under the store's folder; NULL: the bytes stand in table body
) STRICT;

-- Two messages can not share a file; the sweep at start looks files up here.
CREATE UNIQUE INDEX message_body_file ON message (body_file) WHERE body_file IS NOT NULL;

-- Apart from message, so that walking the messages never drags the bytes through the cache.
CREATE TABLE body (
    message_id INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    bytes      BLOB NOT NULL
) STRICT;
