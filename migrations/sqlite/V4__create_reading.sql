-- What pages of sections and threads are read by: places in order, so that a page costs its own length and
-- never the section's. Then the read models of connections and kept deliveries, and the tokens that people
-- and operators show; tokens are no read model, and a rebuild leaves them alone.
CREATE INDEX inbox_conversations_by_place
    ON inbox_conversations
       (account_id, generation, channel_id, state, assignee, last_message_at, last_message_position);

CREATE INDEX thread_messages_by_place
    ON thread_messages (account_id, generation, conversation_id, at, position) WHERE present = 1;

CREATE TABLE connections (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    connection_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    rotated_at INTEGER,
    secrets BLOB,
    PRIMARY KEY (account_id, generation, connection_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    delivery_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    because TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    fate TEXT NOT NULL,
    PRIMARY KEY (account_id, generation, delivery_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_by_position ON deliveries (account_id, generation, position);

-- A token's hash, whose it is, and until when it counts. The token itself is nowhere.
CREATE TABLE tokens (
    account_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    member_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (account_id, token_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_by_member ON tokens (account_id, member_id, kind);

-- The operators' own: they are members of no account.
CREATE TABLE operator_tokens (
    token_hash BLOB NOT NULL PRIMARY KEY,
    operator_id BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
