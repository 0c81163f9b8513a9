-- What pages of sections and threads are read by: places in order, so that a page costs its own length and
-- never the section's. Then the read models of connections and kept deliveries, and the tokens that people
-- and operators show; tokens are no read model, and a rebuild leaves them alone.

-- "Nobody" is a value here, because a seek takes an equality; no id is empty. The channel comes first, so that even a
-- planner that knows nothing of the rows yet sees that a conversation's id is no use here.
CREATE INDEX inbox_conversations_by_place
    ON inbox_conversations
       (channel_id, state, coalesce(assignee, ''::bytea), account_id, generation, last_message_at,
        last_message_position);

CREATE INDEX thread_messages_by_place
    ON thread_messages (account_id, generation, conversation_id, at, position) WHERE present = 1;

CREATE TABLE connections (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    connection_id bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    added_at bigint NOT NULL,
    rotated_at bigint,
    secrets bytea,
    PRIMARY KEY (account_id, generation, connection_id)
);

CREATE TABLE deliveries (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    delivery_id bytea NOT NULL,
    connection_id bytea NOT NULL,
    because text COLLATE "C" NOT NULL,
    bytes bigint NOT NULL,
    kept_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    position bigint NOT NULL,
    fate text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, generation, delivery_id)
);

-- Every position is above zero; whoever does not say so seeks by the key, whatever the planner knows of the rows.
CREATE INDEX deliveries_by_position ON deliveries (account_id, generation, position) WHERE position > 0;

-- A token's hash, whose it is, and until when it counts. The token itself is nowhere.
CREATE TABLE tokens (
    account_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    member_id uuid NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    PRIMARY KEY (account_id, token_hash)
);

CREATE INDEX tokens_by_member ON tokens (account_id, member_id, kind);

-- The operators' own: they are members of no account.
CREATE TABLE operator_tokens (
    token_hash bytea NOT NULL PRIMARY KEY,
    operator_id uuid NOT NULL,
    created_at bigint NOT NULL
);
