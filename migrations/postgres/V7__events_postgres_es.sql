-- The log in the shape of postgres-es 0.5's own table, so that its stock repository can read it:
-- PostgresEventRepository::new(pool).with_tables("events_postgres_es", "..."). For reading only. The aggregate's id
-- names the account, '<account>/<stream>'; the payload names its event as serde does, {"Assigned": {...}}; what is
-- sealed stays sealed, as base64 in the metadata, whose values are all texts.
--
-- The repository asks for one id, as text, which no index on uuid columns answers. So the first event of every stream
-- (and no other) is found by its id's hash, and the rest of the stream by the index that appends use. A hash keeps
-- four bytes of the id, and one event in a stream pays for it.
CREATE INDEX events_first_by_text ON events USING hash ((account_id::text || '/' || stream_id::text))
WHERE version = 1;

CREATE VIEW events_postgres_es AS
SELECT
    first.stream_type AS aggregate_type,
    first.account_id::text || '/' || first.stream_id::text AS aggregate_id,
    e.version AS sequence,
    e.event_type,
    e.schema_version || '.0.0' AS event_version,
    json_build_object(e.event_type, convert_from(e.payload, 'UTF8')::json) AS payload,
    json_strip_nulls(json_build_object(
        'position', e.position::text,
        'recorded_at', e.recorded_at::text,
        'actor_kind', e.actor_kind,
        'actor_id', e.actor_id,
        'actor_reason', e.actor_reason,
        'correlation_id', e.correlation_id,
        'causation_id', e.causation_id,
        'key_id', e.key_id,
        'dedupe', e.dedupe,
        'sealed', translate(encode(e.sealed, 'base64'), E'\n', '')
    )) AS metadata
FROM events first
JOIN events e
    ON e.account_id = first.account_id AND e.stream_type = first.stream_type AND e.stream_id = first.stream_id
WHERE first.version = 1;
