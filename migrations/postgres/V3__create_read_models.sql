-- Read models: thrown away and rebuilt from events at will. Every row belongs to a generation, so that a
-- rebuild can be made beside the rows that are read. Ids are bytes as the folds have them, text is ordered by its
-- bytes. Small rows that are updated all the time leave room in their pages: their updates then touch no index.
CREATE TABLE checkpoints (
    account_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    position bigint NOT NULL,
    taken bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (account_id, projection, generation)
) WITH (fillfactor = 50);

CREATE TABLE parked_streams (
    account_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    stream_type text COLLATE "C" NOT NULL,
    stream_id uuid NOT NULL,
    position bigint NOT NULL,
    events bigint NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, projection, generation, stream_type, stream_id)
);

CREATE TABLE policy_checkpoints (
    account_id uuid NOT NULL,
    policy text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (account_id, policy)
) WITH (fillfactor = 50);

CREATE TABLE inbox_conversations (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    conversation_id bytea NOT NULL,
    incarnation bigint NOT NULL,
    channel_id bytea NOT NULL,
    state text COLLATE "C" NOT NULL,
    assignee bytea,
    assigned_at bigint,
    last_message_id bytea NOT NULL,
    last_message_at bigint NOT NULL,
    last_message_position bigint NOT NULL,
    last_contact_at bigint,
    last_contact_position bigint,
    messages bigint NOT NULL,
    changed_position bigint NOT NULL,
    profile bytea,
    readers bytea NOT NULL,
    PRIMARY KEY (account_id, generation, conversation_id)
);

CREATE INDEX inbox_conversations_by_assignee
    ON inbox_conversations (account_id, generation, assignee, conversation_id) WHERE assignee IS NOT NULL;

CREATE TABLE inbox_counts (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    channel_id bytea NOT NULL,
    state text COLLATE "C" NOT NULL,
    assignee bytea NOT NULL,
    conversations bigint NOT NULL,
    contacted bigint NOT NULL,
    PRIMARY KEY (account_id, generation, channel_id, state, assignee)
) WITH (fillfactor = 50);

CREATE TABLE inbox_seen (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    channel_id bytea NOT NULL,
    member_id bytea NOT NULL,
    state text COLLATE "C" NOT NULL,
    assignee bytea NOT NULL,
    seen bigint NOT NULL,
    PRIMARY KEY (account_id, generation, channel_id, member_id, state, assignee)
) WITH (fillfactor = 50);

CREATE TABLE inbox_access (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    channel_id bytea NOT NULL,
    member_id bytea NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (account_id, generation, channel_id, member_id)
);

CREATE TABLE inbox_channels (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    channel_id bytea NOT NULL,
    visibility text COLLATE "C" NOT NULL,
    installer bytea NOT NULL,
    last_access_since bigint NOT NULL,
    PRIMARY KEY (account_id, generation, channel_id)
) WITH (fillfactor = 50);

CREATE TABLE inbox_members (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    member_id bytea NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (account_id, generation, member_id)
);

CREATE TABLE thread_messages (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    conversation_id bytea NOT NULL,
    message_id bytea NOT NULL,
    present bigint NOT NULL,
    incarnation bigint NOT NULL,
    direction text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    position bigint NOT NULL,
    provider_at bigint,
    recorded_at bigint NOT NULL,
    content bytea,
    edited_at bigint,
    edited_position bigint,
    edited bytea,
    reacted_at bigint,
    reacted_position bigint,
    reaction bytea,
    unsent_at bigint,
    PRIMARY KEY (account_id, generation, conversation_id, message_id)
);

CREATE TABLE channels (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    channel_id bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    connection_id bytea NOT NULL,
    installer bytea NOT NULL,
    health text COLLATE "C" NOT NULL,
    visibility text COLLATE "C" NOT NULL,
    reopen_rule text COLLATE "C" NOT NULL,
    retention_days bigint,
    connected_at bigint NOT NULL,
    identity bytea,
    PRIMARY KEY (account_id, generation, channel_id)
);

CREATE TABLE members (
    account_id uuid NOT NULL,
    generation bigint NOT NULL,
    member_id bytea NOT NULL,
    standing text COLLATE "C" NOT NULL,
    settings_access bigint NOT NULL,
    available bigint NOT NULL,
    joined_at bigint,
    profile bytea,
    PRIMARY KEY (account_id, generation, member_id)
);

-- Ciphertext does not get smaller; a long one is stored aside as it is.
ALTER TABLE thread_messages
    ALTER COLUMN content SET STORAGE EXTERNAL,
    ALTER COLUMN edited SET STORAGE EXTERNAL;
