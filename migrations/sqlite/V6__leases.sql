-- How servers share the work: a lease for each bucket of accounts. The embedded store has one server at a time, which
-- holds them all; the tables are there so that the same code runs on every store.
CREATE TABLE servers (
    server_id BLOB NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    bucket INTEGER NOT NULL PRIMARY KEY,
    fence INTEGER NOT NULL,
    server_id BLOB,
    expires_at INTEGER NOT NULL
) STRICT;

WITH RECURSIVE numbers(bucket) AS (SELECT 0 UNION ALL SELECT bucket + 1 FROM numbers WHERE bucket < 63)
INSERT INTO leases (bucket, fence, server_id, expires_at) SELECT bucket, 0, NULL, 0 FROM numbers;
