-- How servers share the work: a lease for each bucket of accounts. Both tables are the installation's, few rows, and
-- rewritten at every beat: room in their pages keeps the updates there.
CREATE TABLE servers (
    server_id uuid NOT NULL PRIMARY KEY,
    expires_at bigint NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE leases (
    bucket smallint NOT NULL PRIMARY KEY,
    fence bigint NOT NULL,
    server_id uuid,
    expires_at bigint NOT NULL
) WITH (fillfactor = 20);

INSERT INTO leases (bucket, fence, server_id, expires_at) SELECT bucket, 0, NULL, 0 FROM generate_series(0, 63) AS bucket;

-- One row, which every beat locks first: beats settle one after the other, so no bucket gets two holders and no two
-- beats wait for each other's rows.
CREATE TABLE beats (
    only_one integer NOT NULL PRIMARY KEY CHECK (only_one = 1)
);

INSERT INTO beats (only_one) VALUES (1);

-- What a server holds from now on. Time is the database's own, in microseconds, and is taken once the turn has come.
-- What is valid for longer than any beat gives was given before that clock was set back: it has ended. Twice as long is
-- still taken for one that another release gave.
CREATE FUNCTION beat(
    me uuid, ttl bigint, buckets bigint,
    OUT alive bigint, OUT held smallint[], OUT fences bigint[]
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    at_now bigint;
    at_most bigint;
    share bigint;
BEGIN
    PERFORM 1 FROM beats WHERE only_one = 1 FOR UPDATE;
    at_now := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    at_most := at_now + ttl * 2;
    DELETE FROM servers s WHERE (s.expires_at <= at_now OR s.expires_at > at_most) AND s.server_id <> me;
    INSERT INTO servers (server_id, expires_at) VALUES (me, at_now + ttl)
    ON CONFLICT (server_id) DO UPDATE SET expires_at = excluded.expires_at;
    SELECT count(*) INTO alive FROM servers;
    share := (buckets + alive - 1) / alive;
    UPDATE leases l SET server_id = NULL, expires_at = 0
    WHERE l.bucket IN (SELECT mine.bucket FROM leases mine WHERE mine.server_id = me
                       ORDER BY mine.bucket OFFSET share);
    UPDATE leases l SET server_id = me, fence = l.fence + 1
    WHERE l.bucket IN (SELECT free.bucket FROM leases free
                       WHERE free.server_id IS NULL
                          OR (free.server_id <> me AND (free.expires_at <= at_now OR free.expires_at > at_most))
                       ORDER BY free.bucket
                       LIMIT greatest(0, share - (SELECT count(*) FROM leases mine WHERE mine.server_id = me)));
    UPDATE leases l SET expires_at = at_now + ttl WHERE l.server_id = me;
    SELECT array_agg(l.bucket ORDER BY l.bucket), array_agg(l.fence ORDER BY l.bucket) INTO held, fences
    FROM leases l WHERE l.server_id = me;
END
$$;

-- The same turn first, so that who leaves and who takes over do not wait for each other.
CREATE FUNCTION leave(me uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM 1 FROM beats WHERE only_one = 1 FOR UPDATE;
    UPDATE leases SET server_id = NULL, expires_at = 0 WHERE server_id = me;
    DELETE FROM servers WHERE server_id = me;
END
$$;
