-- Keys, all wrapped. A destroyed key's row stays with its bytes overwritten in place: no page is rebuilt, so
-- no copy of them stays behind, and an erased value can be told from a lost key.
CREATE TABLE account_keys (
    account_id BLOB NOT NULL PRIMARY KEY,
    account_key BLOB NOT NULL,
    id_key BLOB NOT NULL
) STRICT;

CREATE TABLE data_keys (
    account_id BLOB NOT NULL,
    key_id BLOB NOT NULL,
    destroyed INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (account_id, key_id)
) STRICT;

-- Erasures that are not yet known to be on the list outside the database.
CREATE TABLE erasures_pending (
    account_id BLOB NOT NULL,
    key_id BLOB NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, key_id)
) STRICT, WITHOUT ROWID;

-- One row: what tells a wrong master key from the right one.
CREATE TABLE installation (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    key_check BLOB NOT NULL
) STRICT;
