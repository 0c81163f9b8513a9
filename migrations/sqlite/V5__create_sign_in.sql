-- How people sign in. Tokens get an id to be named by, what they may be used for, and when they were used last;
-- passwords belong to one membership each. None of it is an event, and a rebuild leaves it alone.
CREATE TABLE tokens_with_ids (
    account_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    token_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    member_id BLOB NOT NULL,
    -- What the member calls it, sealed by the installation's sign-in key.
    name BLOB,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    PRIMARY KEY (account_id, token_hash)
) STRICT, WITHOUT ROWID;

-- Every API token so far could be used for everything.
INSERT INTO tokens_with_ids
SELECT account_id, token_hash, randomblob(16), kind, member_id, NULL,
       CASE kind WHEN 'api' THEN 'read conversations settings' ELSE '' END,
       created_at, expires_at, NULL
FROM tokens;

DROP TABLE tokens;
ALTER TABLE tokens_with_ids RENAME TO tokens;

CREATE INDEX tokens_by_member ON tokens (account_id, member_id, kind);
CREATE UNIQUE INDEX tokens_by_id ON tokens (account_id, token_id);

-- What a member's password is checked against; of no use without the installation's sign-in key.
CREATE TABLE passwords (
    account_id BLOB NOT NULL,
    member_id BLOB NOT NULL,
    recipe INTEGER NOT NULL,
    salt BLOB NOT NULL,
    verifier BLOB NOT NULL,
    set_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, member_id)
) STRICT, WITHOUT ROWID;

-- The operator's: which accounts know an e-mail address, by its keyed hash. A hint: whether its member may sign
-- in says the member's state.
CREATE TABLE sign_in_directory (
    email_hash BLOB NOT NULL,
    account_id BLOB NOT NULL,
    member_id BLOB NOT NULL,
    PRIMARY KEY (email_hash, account_id)
) STRICT, WITHOUT ROWID;

-- The installation's sign-in key, wrapped by the master key.
CREATE TABLE sign_in_key (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    wrapped BLOB NOT NULL
) STRICT;
