-- Read models: thrown away and rebuilt from events at will. Every row belongs to a generation, so that a
-- rebuild can be made beside the rows that are read. Large rows under random keys are rowid tables: they are
-- written at the end, and only their narrow index is scattered.
CREATE TABLE checkpoints (
    account_id BLOB NOT NULL,
    projection TEXT NOT NULL,
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (account_id, projection, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE parked_streams (
    account_id BLOB NOT NULL,
    projection TEXT NOT NULL,
    generation INTEGER NOT NULL,
    stream_type TEXT NOT NULL,
    stream_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    events INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (account_id, projection, generation, stream_type, stream_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy_checkpoints (
    account_id BLOB NOT NULL,
    policy TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (account_id, policy)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_conversations (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    conversation_id BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    channel_id BLOB NOT NULL,
    state TEXT NOT NULL,
    assignee BLOB,
    assigned_at INTEGER,
    last_message_id BLOB NOT NULL,
    last_message_at INTEGER NOT NULL,
    last_message_position INTEGER NOT NULL,
    last_contact_at INTEGER,
    last_contact_position INTEGER,
    messages INTEGER NOT NULL,
    changed_position INTEGER NOT NULL,
    profile BLOB,
    readers BLOB NOT NULL,
    PRIMARY KEY (account_id, generation, conversation_id)
) STRICT;

CREATE INDEX inbox_conversations_by_assignee
    ON inbox_conversations (account_id, generation, assignee, conversation_id) WHERE assignee IS NOT NULL;

CREATE TABLE inbox_counts (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    channel_id BLOB NOT NULL,
    state TEXT NOT NULL,
    assignee BLOB NOT NULL,
    conversations INTEGER NOT NULL,
    contacted INTEGER NOT NULL,
    PRIMARY KEY (account_id, generation, channel_id, state, assignee)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_seen (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    channel_id BLOB NOT NULL,
    member_id BLOB NOT NULL,
    state TEXT NOT NULL,
    assignee BLOB NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (account_id, generation, channel_id, member_id, state, assignee)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_access (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    channel_id BLOB NOT NULL,
    member_id BLOB NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (account_id, generation, channel_id, member_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_channels (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    channel_id BLOB NOT NULL,
    visibility TEXT NOT NULL,
    installer BLOB NOT NULL,
    last_access_since INTEGER NOT NULL,
    PRIMARY KEY (account_id, generation, channel_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_members (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    member_id BLOB NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (account_id, generation, member_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE thread_messages (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    conversation_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    present INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    direction TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    provider_at INTEGER,
    recorded_at INTEGER NOT NULL,
    content BLOB,
    edited_at INTEGER,
    edited_position INTEGER,
    edited BLOB,
    reacted_at INTEGER,
    reacted_position INTEGER,
    reaction BLOB,
    unsent_at INTEGER,
    PRIMARY KEY (account_id, generation, conversation_id, message_id)
) STRICT;

CREATE TABLE channels (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    channel_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    connection_id BLOB NOT NULL,
    installer BLOB NOT NULL,
    health TEXT NOT NULL,
    visibility TEXT NOT NULL,
    reopen_rule TEXT NOT NULL,
    retention_days INTEGER,
    connected_at INTEGER NOT NULL,
    identity BLOB,
    PRIMARY KEY (account_id, generation, channel_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    account_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    member_id BLOB NOT NULL,
    standing TEXT NOT NULL,
    settings_access INTEGER NOT NULL,
    available INTEGER NOT NULL,
    joined_at INTEGER,
    profile BLOB,
    PRIMARY KEY (account_id, generation, member_id)
) STRICT, WITHOUT ROWID;
