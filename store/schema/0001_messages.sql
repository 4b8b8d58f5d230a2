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
    body_file   TEXT    CHECK (body_file <> ''),                   -- under the store's folder; NULL: the bytes stand in table body
    account     TEXT    NOT NULL DEFAULT '',                       -- who logged on; '' is nobody
    envelope_id TEXT    NOT NULL DEFAULT '',                       -- ENVID (RFC 3461), decoded
    ret         TEXT    NOT NULL DEFAULT '' CHECK (ret = '' OR ret = 'full' OR ret = 'hdrs'),
    utf8        INTEGER NOT NULL DEFAULT 0 CHECK (utf8 IN (0, 1)), -- SMTPUTF8 (RFC 6531)
    binary_body INTEGER NOT NULL DEFAULT 0 CHECK (binary_body IN (0, 1)),  -- BINARYMIME (RFC 3030)
    reports_item INTEGER                                           -- the item whose fate this reports; NULL: ordinary mail
) STRICT;

-- Two messages can not share a file; the sweep at start looks files up here.
CREATE UNIQUE INDEX message_body_file ON message (body_file) WHERE body_file IS NOT NULL;

-- Apart from message, so that walking the messages never drags the bytes through the cache.
CREATE TABLE body (
    message_id INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    bytes      BLOB NOT NULL
) STRICT;

-- Mail stored whose "250" was not seen to arrive: a second copy of it is answered with the first one's id (RFC 1047).
-- A row lives for moments, or, after a crash or a lost connection, for five days at most.
CREATE TABLE unconfirmed (
    message_id INTEGER PRIMARY KEY,
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),  -- half a SHA-256 of way in, sender and content as received, half of one of the recipients
    at_ms      INTEGER NOT NULL
) STRICT;

-- The wider window of a listener that asks for it (duplicates_within): accepted mail by its digest, and when the
-- window of that listener ends.
CREATE TABLE seen (
    digest     BLOB    PRIMARY KEY CHECK (length(digest) = 32),
    message_id INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_until ON seen (until_ms);

-- People and programs that may log on. Only SCRAM verifiers (RFC 5802, 7677): no password can be read from here.
CREATE TABLE account (
    name       TEXT    PRIMARY KEY CHECK (name <> ''),  -- as SASLprep leaves it
    iterations INTEGER NOT NULL CHECK (iterations >= 4096),
    salt       BLOB    NOT NULL CHECK (length(salt) >= 16),
    stored_key BLOB    NOT NULL CHECK (length(stored_key) = 32),
    server_key BLOB    NOT NULL CHECK (length(server_key) = 32),
    roles      TEXT    NOT NULL DEFAULT 'send',         -- words with blanks between: send, viewer, operator, admin
    changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
