-- How people sign in. Tokens get an id to be named by, what they may be used for, and when they were used last;
-- passwords belong to one membership each. None of it is an event, and a rebuild leaves it alone.
CREATE TABLE tokens_with_ids (
    account_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    token_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    member_id uuid NOT NULL,
    -- What the member calls it, sealed by the installation's sign-in key.
    name bytea,
    scopes text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    last_used_at bigint,
    PRIMARY KEY (account_id, token_hash)
);

-- Every API token so far could be used for everything.
INSERT INTO tokens_with_ids
SELECT account_id, token_hash, gen_random_uuid(), kind, member_id, NULL,
       CASE kind WHEN 'api' THEN 'read conversations settings' ELSE '' END,
       created_at, expires_at, NULL
FROM tokens;

DROP TABLE tokens;
ALTER TABLE tokens_with_ids RENAME TO tokens;
ALTER INDEX tokens_with_ids_pkey RENAME TO tokens_pkey;

CREATE INDEX tokens_by_member ON tokens (account_id, member_id, kind);
CREATE UNIQUE INDEX tokens_by_id ON tokens (account_id, token_id);

-- What a member's password is checked against; of no use without the installation's sign-in key.
CREATE TABLE passwords (
    account_id uuid NOT NULL,
    member_id uuid NOT NULL,
    recipe bigint NOT NULL,
    salt bytea NOT NULL,
    verifier bytea NOT NULL,
    set_at bigint NOT NULL,
    PRIMARY KEY (account_id, member_id)
);

-- Whoever changes a member's tokens or password locks this row first, and a missing row cannot be locked: so bounds
-- hold and what is exchanged is exchanged once, whichever server asks.
CREATE TABLE credential_holders (
    account_id uuid NOT NULL,
    member_id uuid NOT NULL,
    PRIMARY KEY (account_id, member_id)
) WITH (fillfactor = 50);

-- The operator's: which accounts know an e-mail address, by its keyed hash. A hint: whether its member may sign
-- in says the member's state.
CREATE TABLE sign_in_directory (
    email_hash bytea NOT NULL,
    account_id uuid NOT NULL,
    member_id uuid NOT NULL,
    PRIMARY KEY (email_hash, account_id)
);

-- The installation's sign-in key, wrapped by the master key.
CREATE TABLE sign_in_key (
    "only" bigint NOT NULL PRIMARY KEY CHECK ("only" = 1),
    wrapped bytea NOT NULL
);
