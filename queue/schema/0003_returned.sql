-- What the legacy side said of an item long after it was exported. Each answer has a name of its adapter's making and
-- takes effect once: its row and what it changes are one commit.
CREATE TABLE returned (
    adapter TEXT    NOT NULL CHECK (adapter <> ''),
    token   TEXT    NOT NULL CHECK (token <> '' AND length(token) <= 200),
    item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,  -- goes with its item in the purge
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (adapter, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX returned_item ON returned (item_id);
