-- What webhooks have not been told of yet. Triggers fill it in the transaction of the event itself, so that a crash loses
-- none and doubles none; they exist only while a webhook is configured, and are made by queue/outbox.cpp.
CREATE TABLE event (
    id      INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),  -- the order of events; never reused
    at_ms   INTEGER NOT NULL,
    word    TEXT NOT NULL,                               -- of history.what, or of an adapter's own: queue/outbox.h
    who     TEXT NOT NULL,
    detail  TEXT NOT NULL,
    adapter TEXT NOT NULL,
    item_id INTEGER                                      -- no REFERENCES: what became of an item outlives its purge
) STRICT;

-- Who is told of events, and behind which one: a new follower begins with the present.
CREATE TABLE event_follower (
    adapter  TEXT    PRIMARY KEY CHECK (adapter <> ''),
    after_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The words that any of them wants to hear.
CREATE TABLE event_word (
    word TEXT PRIMARY KEY CHECK (word <> '')
) STRICT, WITHOUT ROWID;
