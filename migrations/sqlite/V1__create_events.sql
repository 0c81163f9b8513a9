-- The log. Written once, never changed: there is no UPDATE or DELETE on events anywhere. A rowid table keeps
-- inserts at the end whatever the account; streams are numbered, so that the version index stays narrow.
CREATE TABLE log_heads (
    account_id BLOB NOT NULL PRIMARY KEY,
    last_position INTEGER NOT NULL,
    last_recorded_at INTEGER NOT NULL,
    last_stream_no INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE streams (
    account_id BLOB NOT NULL,
    stream_no INTEGER NOT NULL,
    stream_type TEXT NOT NULL,
    stream_id BLOB NOT NULL,
    PRIMARY KEY (account_id, stream_no)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX streams_by_id ON streams (account_id, stream_id, stream_type);

CREATE TABLE events (
    account_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    stream_no INTEGER NOT NULL,
    version INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id BLOB,
    actor_reason TEXT,
    correlation_id BLOB NOT NULL,
    causation_id BLOB NOT NULL,
    payload BLOB NOT NULL,
    sealed BLOB,
    key_id BLOB,
    dedupe BLOB,
    PRIMARY KEY (account_id, position)
) STRICT;

CREATE UNIQUE INDEX events_by_version ON events (account_id, stream_no, version);

-- A provider's message is told at most once, for ever: the row outlives the deletion of what it told.
CREATE UNIQUE INDEX events_by_dedupe ON events (account_id, dedupe) WHERE dedupe IS NOT NULL;

-- States at a version, so that a cold load is bounded. Disposable.
CREATE TABLE snapshots (
    account_id BLOB NOT NULL,
    stream_no INTEGER NOT NULL,
    version INTEGER NOT NULL,
    shape INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (account_id, stream_no)
) STRICT;
