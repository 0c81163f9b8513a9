-- Keys, all wrapped. A destroyed key's row stays with zeros in the place of its bytes, so that an erased value can be
-- told from a lost key.
CREATE TABLE account_keys (
    account_id uuid NOT NULL PRIMARY KEY,
    account_key bytea NOT NULL,
    id_key bytea NOT NULL
);

CREATE TABLE data_keys (
    account_id uuid NOT NULL,
    key_id uuid NOT NULL,
    destroyed boolean NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (account_id, key_id)
) WITH (fillfactor = 50);

-- Every row is written at most twice, and has room for that in its page. Never compressed and never moved out: what
-- is to leave the files is in the row's page and nowhere else. The width of all columns is known (erasures.rs).
ALTER TABLE data_keys ALTER COLUMN wrapped SET STORAGE PLAIN;

-- Statistics would keep samples of the keys in a table of PostgreSQL's own, long after a key is destroyed.
ALTER TABLE data_keys ALTER COLUMN wrapped SET STATISTICS 0;

-- Erasures that are not yet known to be on the list outside the database; and those that are on it, until the key's
-- bytes have left the page that they were in.
CREATE TABLE erasures_pending (
    account_id uuid NOT NULL,
    key_id uuid NOT NULL,
    recorded_at bigint NOT NULL,
    -- The page of data_keys in which the key's bytes were; null when they never were in this database.
    block bigint,
    listed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, key_id)
);

-- One row: what tells a wrong master key from the right one.
CREATE TABLE installation (
    "only" integer NOT NULL PRIMARY KEY CHECK ("only" = 1),
    key_check bytea NOT NULL
);
