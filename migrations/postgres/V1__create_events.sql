-- The log. Written once, never changed: there is no UPDATE or DELETE on events anywhere. All of an append is one call
-- of append_batch: one round trip and one commit, which Citus can hand to the account's shard.

-- One row an account, rewritten by every append: room in its page keeps the updates there, and the index alone.
CREATE TABLE log_heads (
    account_id uuid NOT NULL PRIMARY KEY,
    last_position bigint NOT NULL,
    last_recorded_at bigint NOT NULL,
    epoch integer NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE events (
    account_id uuid NOT NULL,
    position bigint NOT NULL,
    stream_type text COLLATE "C" NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    schema_version integer NOT NULL,
    recorded_at bigint NOT NULL,
    actor_kind text COLLATE "C" NOT NULL,
    actor_id uuid,
    actor_reason text COLLATE "C",
    correlation_id uuid NOT NULL,
    causation_id uuid NOT NULL,
    payload bytea NOT NULL,
    sealed bytea,
    key_id uuid,
    dedupe uuid,
    PRIMARY KEY (account_id, position),
    CONSTRAINT events_by_version UNIQUE (account_id, stream_type, stream_id, version)
);

-- A provider's message is told at most once, for ever: the row outlives the deletion of what it told.
CREATE UNIQUE INDEX events_by_dedupe ON events (account_id, dedupe) WHERE dedupe IS NOT NULL;

-- What is sealed cannot be made smaller: no time is spent on trying.
ALTER TABLE events ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- States at a version, so that a cold load is bounded. Disposable.
CREATE TABLE snapshots (
    account_id uuid NOT NULL,
    stream_type text COLLATE "C" NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    shape bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (account_id, stream_type, stream_id)
) WITH (fillfactor = 70);

-- Everything of a batch or nothing of it. The head's row comes first: it is what appends to one account wait for, and
-- every look behind it is a statement of its own, which sees all that was committed before. Places count from 1, in
-- the order of the arrays. Times are passed in as the latest so far in the batch.
--
-- stale_places is null and known_places too: recorded, or (without events) only checked. Else nothing was written.
CREATE FUNCTION append_batch(
    for_account uuid,
    expected_types text[], expected_ids uuid[], expected_versions bigint[],
    stream_types text[], stream_ids uuid[], versions bigint[],
    event_types text[], schema_versions integer[], times bigint[],
    actor_kinds text[], actor_ids uuid[], actor_reasons text[],
    correlations uuid[], causations uuid[],
    payloads bytea[], sealed_parts bytea[], keys uuid[], tokens uuid[],
    account_keys_new bytea[], id_keys_new bytea[],
    keys_new uuid[], keys_new_wrapped bytea[], keys_destroyed uuid[],
    snapshot_types text[], snapshot_ids uuid[], snapshot_versions bigint[],
    snapshot_shapes bigint[], snapshot_states bytea[],
    OUT before bigint, OUT not_before bigint, OUT recorded_last bigint,
    OUT stale_places bigint[], OUT stale_versions bigint[],
    OUT known_places bigint[], OUT known_positions bigint[]
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    is_new boolean := false;
    added bigint := cardinality(versions);
BEGIN
    SELECT h.last_position, h.last_recorded_at INTO before, not_before
    FROM log_heads h WHERE h.account_id = for_account FOR UPDATE;
    IF NOT FOUND THEN
        -- Two first batches: one waits here for the other's end.
        INSERT INTO log_heads (account_id, last_position, last_recorded_at, epoch)
        VALUES (for_account, 0, 0, 0) ON CONFLICT (account_id) DO NOTHING;
        is_new := FOUND;
        SELECT h.last_position, h.last_recorded_at INTO STRICT before, not_before
        FROM log_heads h WHERE h.account_id = for_account FOR UPDATE;
    END IF;
    recorded_last := not_before;

    SELECT array_agg(s.place ORDER BY s.place), array_agg(s.version ORDER BY s.place)
    INTO stale_places, stale_versions
    FROM (SELECT x.place, x.version AS expected,
                 coalesce((SELECT e.version FROM events e
                           WHERE e.account_id = for_account AND e.stream_type = x.stream_type
                             AND e.stream_id = x.stream_id
                           ORDER BY e.version DESC LIMIT 1), 0) AS version
          FROM unnest(expected_types, expected_ids, expected_versions)
               WITH ORDINALITY AS x(stream_type, stream_id, version, place)
          OFFSET 0) s
    WHERE s.version <> s.expected;

    SELECT array_agg(t.place ORDER BY t.place), array_agg(t.position ORDER BY t.place)
    INTO known_places, known_positions
    FROM (SELECT x.place,
                 (SELECT e.position FROM events e
                  WHERE e.account_id = for_account AND e.dedupe = x.token) AS position
          FROM unnest(tokens) WITH ORDINALITY AS x(token, place) WHERE x.token IS NOT NULL
          OFFSET 0) t
    WHERE t.position IS NOT NULL;

    IF stale_places IS NOT NULL OR known_places IS NOT NULL THEN
        -- An account without events has no head.
        IF is_new THEN
            DELETE FROM log_heads h WHERE h.account_id = for_account;
        END IF;
        RETURN;
    END IF;

    IF added > 0 THEN
        INSERT INTO events (account_id, position, stream_type, stream_id, version, event_type, schema_version,
                            recorded_at, actor_kind, actor_id, actor_reason, correlation_id, causation_id,
                            payload, sealed, key_id, dedupe)
        SELECT for_account, before + x.place, x.stream_type, x.stream_id, x.version, x.event_type,
               x.schema_version, greatest(not_before, x.recorded_at), x.actor_kind, x.actor_id, x.actor_reason,
               x.correlation_id, x.causation_id, x.payload, x.sealed, x.key_id, x.token
        FROM unnest(stream_types, stream_ids, versions, event_types, schema_versions, times, actor_kinds,
                    actor_ids, actor_reasons, correlations, causations, payloads, sealed_parts, keys, tokens)
             WITH ORDINALITY AS x(stream_type, stream_id, version, event_type, schema_version, recorded_at,
                                  actor_kind, actor_id, actor_reason, correlation_id, causation_id, payload,
                                  sealed, key_id, token, place);
        recorded_last := greatest(not_before, times[added]);
        UPDATE log_heads h SET last_position = before + added, last_recorded_at = recorded_last
        WHERE h.account_id = for_account;
    ELSIF is_new THEN
        DELETE FROM log_heads h WHERE h.account_id = for_account;
    END IF;

    IF cardinality(account_keys_new) > 0 THEN
        INSERT INTO account_keys (account_id, account_key, id_key)
        SELECT for_account, x.account_key, x.id_key
        FROM unnest(account_keys_new, id_keys_new) AS x(account_key, id_key);
    END IF;
    IF cardinality(keys_new) > 0 THEN
        INSERT INTO data_keys (account_id, key_id, destroyed, wrapped)
        SELECT for_account, x.key_id, false, x.wrapped
        FROM unnest(keys_new, keys_new_wrapped) AS x(key_id, wrapped);
    END IF;
    IF cardinality(keys_destroyed) > 0 THEN
        -- As many zeros as there were bytes. A stream whose events carried nothing personal never had a key.
        -- Where the bytes were is remembered: they are to leave that page, too.
        WITH destroyed_now AS (
            UPDATE data_keys k
            SET destroyed = true, wrapped = decode(repeat('00', length(k.wrapped)), 'hex')
            FROM (SELECT o.key_id, (o.ctid::text::point)[0]::bigint AS block
                  FROM unnest(keys_destroyed) AS x(key_id)
                  JOIN data_keys o ON o.account_id = for_account AND o.key_id = x.key_id AND NOT o.destroyed) was
            WHERE k.account_id = for_account AND k.key_id = was.key_id AND NOT k.destroyed
            RETURNING k.key_id, was.block
        )
        INSERT INTO erasures_pending (account_id, key_id, recorded_at, block)
        SELECT for_account, d.key_id, recorded_last, d.block FROM destroyed_now d;
    END IF;
    -- A state that was made with earlier times than the rows have is not theirs.
    IF cardinality(snapshot_ids) > 0 AND (added = 0 OR times[1] >= not_before) THEN
        INSERT INTO snapshots (account_id, stream_type, stream_id, version, shape, state)
        SELECT for_account, x.stream_type, x.stream_id, x.version, x.shape, x.state
        FROM unnest(snapshot_types, snapshot_ids, snapshot_versions, snapshot_shapes, snapshot_states)
             AS x(stream_type, stream_id, version, shape, state)
        ON CONFLICT (account_id, stream_type, stream_id)
        DO UPDATE SET version = excluded.version, shape = excluded.shape, state = excluded.state;
    END IF;
END
$$;
