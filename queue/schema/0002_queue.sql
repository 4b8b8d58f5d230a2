-- The outbound queue. One item is one artifact for one adapter, with one commit point.
-- Each change of state is one UPDATE guarded by id, old state and, for a holder, its epoch (I3); docs/STATES.md has
-- them all. The CHECKs make a state without its evidence unstorable. They compare and do not say IN where there are
-- three words and more: for such a list SQLite makes a table each time it is asked, which was half the cost of a mail.

CREATE TABLE item (
    id         INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    message_id INTEGER NOT NULL REFERENCES message (id),
    adapter    TEXT    NOT NULL CHECK (adapter <> ''),
    grp        TEXT    NOT NULL CHECK (grp <> ''),       -- which of the message's artifacts for that adapter
    state      TEXT    NOT NULL DEFAULT 'ready'
                   CHECK (state = 'ready' OR state = 'claimed' OR state = 'publishing' OR state = 'exported' OR
                          state = 'failed' OR state = 'held' OR state = 'in_doubt' OR state = 'deleted'),
    epoch      INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),  -- +1 with each claim and takeover: the fencing token
    owner      TEXT,                                     -- the process that holds it
    lease_ms   INTEGER,                                  -- when the holder loses it
    due_ms     INTEGER NOT NULL,                         -- not before
    expires_ms INTEGER NOT NULL,                         -- not after: then it fails
    attempts   INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),  -- counted when claimed, before the message is read
    deaths     INTEGER NOT NULL DEFAULT 0 CHECK (deaths >= 0),    -- holders that died holding it
    doubted    INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1)),  -- tried again although an attempt was in doubt
    evidence   TEXT CHECK (evidence <> ''),              -- what the adapter needs to tell whether it published
    staged_epoch INTEGER CHECK (staged_epoch > 0 AND staged_epoch <= epoch),
                                                         -- the epoch that staged it and names the artifact; it outlives
                                                         -- takeovers, which raise only epoch
    target     TEXT NOT NULL DEFAULT '',                 -- where it went, for people
    reason     TEXT NOT NULL DEFAULT '',                 -- why it is not exported, or the last trouble
    settled_ms INTEGER,                                  -- when it reached a final state
    UNIQUE (message_id, adapter, grp),                   -- a message can not be queued twice for one artifact (I2)
    CHECK ((state IN ('claimed', 'publishing')) = (owner IS NOT NULL)),
    CHECK ((state IN ('claimed', 'publishing')) = (lease_ms IS NOT NULL)),
    CHECK (state <> 'publishing' OR evidence IS NOT NULL),
    CHECK (state <> 'in_doubt' OR evidence IS NOT NULL),
    CHECK ((evidence IS NULL) = (staged_epoch IS NULL)),
    CHECK (state NOT IN ('ready', 'claimed') OR evidence IS NULL),  -- what was not published has none
    CHECK ((state = 'exported' OR state = 'failed' OR state = 'deleted') = (settled_ms IS NOT NULL))
) STRICT;

-- The claim reads these two in order and stops after a batch: its cost does not depend on how many wait.
CREATE INDEX item_ready ON item (adapter, due_ms, id, expires_ms) WHERE state = 'ready' AND deaths = 0;
-- Items whose holder died are claimed alone, so that one that kills its worker can not take others with it (I7).
CREATE INDEX item_suspect ON item (adapter, due_ms, id, expires_ms) WHERE state = 'ready' AND deaths > 0;
-- Both carry the expiry, so that what fails by age while its adapter is suspended is found without the rows.
-- Few at a time. The lease is not in it, so that the mark and a renewal touch no index.
CREATE INDEX item_held_by ON item (adapter) WHERE state IN ('claimed', 'publishing');
CREATE INDEX item_waiting_for_people ON item (id) WHERE state IN ('held', 'in_doubt');
CREATE INDEX item_settled ON item (settled_ms) WHERE settled_ms IS NOT NULL;

CREATE TABLE recipient (
    item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL CHECK (ordinal > 0),
    address TEXT    NOT NULL CHECK (address <> ''),      -- the Internet address of the envelope
    legacy  TEXT    NOT NULL,                            -- what the legacy side calls it
    outcome TEXT    NOT NULL DEFAULT 'pending'
             CHECK (outcome = 'pending' OR outcome = 'exported' OR outcome = 'failed' OR outcome = 'deleted'),
    reason  TEXT    NOT NULL DEFAULT '',
    notify   TEXT   NOT NULL DEFAULT '',                 -- NOTIFY (RFC 3461) in lower case: 'never', 'success,failure', ...
    original TEXT   NOT NULL DEFAULT '',                 -- ORCPT as given, "rfc822;xtext"
    reported TEXT   NOT NULL DEFAULT ''                  -- what the sender was told: a thing is told once (RFC 3461 6.2)
             CHECK (reported = '' OR reported = 'delayed' OR reported = 'final'),
    PRIMARY KEY (item_id, ordinal)
) STRICT, WITHOUT ROWID;

-- Who did what to which item, and when. Only inserted, never changed; goes with its item in the purge.
CREATE TABLE history (
    item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    n       INTEGER NOT NULL CHECK (n > 0),              -- counts the item's rows: their order
    at_ms   INTEGER NOT NULL,
    who     TEXT    NOT NULL CHECK (who <> ''),          -- 'postern', or the operator's name
    what    TEXT    NOT NULL CHECK (what <> ''),         -- a word of queue/history.h, or a verb of operate.h
    detail  TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (item_id, n)
) STRICT, WITHOUT ROWID;

-- An adapter's own state, apart from its items'.
CREATE TABLE adapter_state (
    adapter  TEXT PRIMARY KEY,
    state    TEXT NOT NULL CHECK (state IN ('running', 'suspended')),
    since_ms INTEGER NOT NULL,
    who      TEXT NOT NULL,
    reason   TEXT NOT NULL,
    until_ms INTEGER,                                    -- an operator's suspension may end by itself
    probe_ms INTEGER                                     -- when its folder or tool is looked at again
) STRICT;

-- An operator's suspension: the adapter's own health is in adapter_state, both may hold at once.
CREATE TABLE adapter_hold (
    adapter  TEXT    PRIMARY KEY CHECK (adapter <> ''),
    since_ms INTEGER NOT NULL,
    who      TEXT    NOT NULL CHECK (who <> ''),
    reason   TEXT    NOT NULL,
    until_ms INTEGER                                                 -- NULL: until somebody resumes it
) STRICT, WITHOUT ROWID;
