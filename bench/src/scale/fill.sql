-- Accounts from {first} on, up to {last}, each of {conversations} conversations and {messages} messages: log, keys and
-- read models that fit together, as far as statements can tell. Ids come from the seed. The log is in the order of its
-- positions, and so are the rows of threads, as they are when they are folded one after the other.
--
-- One message of twenty goes to one of ten long threads, the others to all other conversations in turn.
CREATE TEMP TABLE of_accounts AS
SELECT a AS number, md5('{seed} account ' || a)::uuid AS account_id FROM generate_series({first}, {last}) AS a;

CREATE TEMP TABLE blob AS
SELECT decode(string_agg(md5('{seed} blob ' || n), ''), 'hex') AS bytes FROM generate_series(1, 400) AS n;

INSERT INTO events (account_id, position, stream_type, stream_id, version, event_type, schema_version, recorded_at,
                    actor_kind, actor_id, actor_reason, correlation_id, causation_id, payload, sealed, key_id, dedupe)
SELECT m.account_id, m.position, 'conversation', m.stream_id, m.version, 'MessageReceived', 1,
       {begin} + m.position * 1000000, 'contact', m.stream_id, NULL,
       md5('{seed} correlation ' || m.number || ' ' || m.position)::uuid,
       md5('{seed} cause ' || m.number || ' ' || m.position)::uuid,
       convert_to('{"channel":"chan_0000000000000000","kind":"message","provider_at":' || {begin} + m.position * 1000000
                  || ',"source":"webhook"}', 'UTF8'),
       substr(m.bytes, (m.position % 4096)::integer, {bytes}),
       m.stream_id, md5('{seed} token ' || m.number || ' ' || m.position)::uuid
FROM (SELECT a.account_id, a.number, p AS position, blob.bytes,
             md5('{seed} conversation ' || a.number || ' ' ||
                 CASE WHEN p % 20 = 0 THEN {conversations} - 1 - (p / 20) % 10
                      ELSE (p - p / 20 - 1) % ({conversations} - 10) END)::uuid AS stream_id,
             CASE WHEN p % 20 = 0 THEN (p / 20 - 1) / 10
                  ELSE (p - p / 20 - 1) / ({conversations} - 10) END + 1 AS version
      FROM of_accounts a CROSS JOIN generate_series(1::bigint, {messages}) AS p CROSS JOIN blob) m;

INSERT INTO log_heads (account_id, last_position, last_recorded_at, epoch)
SELECT account_id, {messages}, {begin} + {messages}::bigint * 1000000, 1 FROM of_accounts;

INSERT INTO account_keys (account_id, account_key, id_key)
SELECT account_id, substr(bytes, 1, 73), substr(bytes, 101, 73) FROM of_accounts, blob;

INSERT INTO thread_messages (account_id, generation, conversation_id, message_id, present, incarnation, direction, kind,
                             at, position, provider_at, recorded_at, content)
SELECT e.account_id, 1, uuid_send(e.stream_id), uuid_send(e.correlation_id), 1, 1, 'in', 'message',
       e.recorded_at, e.position, e.recorded_at, e.recorded_at, e.sealed
FROM events e JOIN of_accounts USING (account_id);

-- The first channel has almost half of all, the last of the twenty three of a hundred; a quarter is open, two of five
-- are nobody's, and a few members have most of the others.
INSERT INTO inbox_conversations (account_id, generation, conversation_id, incarnation, channel_id, state, assignee,
                                 assigned_at, last_message_id, last_message_at, last_message_position,
                                 last_contact_at, last_contact_position, messages, changed_position, profile, readers)
SELECT c.account_id, 1, c.id, 1,
       uuid_send(md5('{seed} channel ' || a.number || ' ' ||
           floor({channels} * power((get_byte(c.id, 0) * 256 + get_byte(c.id, 1)) / 65536.0::float8, 4)))::uuid),
       CASE WHEN get_byte(c.id, 2) < 64 THEN 'open' ELSE 'closed' END,
       CASE WHEN get_byte(c.id, 3) < 102 THEN NULL
            ELSE uuid_send(md5('{seed} member ' || a.number || ' ' ||
                floor({members} * power((get_byte(c.id, 4) * 256 + get_byte(c.id, 5)) / 65536.0::float8, 3)))::uuid) END,
       NULL, uuid_send(md5('{seed} correlation ' || a.number || ' ' || c.last)::uuid),
       {begin} + c.last * 1000000, c.last, {begin} + c.last * 1000000, c.last, c.messages, c.last,
       substr(blob.bytes, (c.last % 4096)::integer, 120), ''
FROM (SELECT account_id, uuid_send(stream_id) AS id, max(position) AS last, count(*) AS messages
      FROM events JOIN of_accounts USING (account_id) GROUP BY account_id, stream_id) c
JOIN of_accounts a USING (account_id) CROSS JOIN blob;

INSERT INTO data_keys (account_id, key_id, destroyed, wrapped)
SELECT c.account_id, encode(c.conversation_id, 'hex')::uuid, false, substr(blob.bytes, 7, 73)
FROM inbox_conversations c JOIN of_accounts USING (account_id) CROSS JOIN blob;

-- Of the long ones, and of one of eight others.
INSERT INTO snapshots (account_id, stream_type, stream_id, version, shape, state)
SELECT c.account_id, 'conversation', encode(c.conversation_id, 'hex')::uuid, c.messages, 1, substr(blob.bytes, 9, 300)
FROM inbox_conversations c JOIN of_accounts USING (account_id) CROSS JOIN blob
WHERE c.messages >= 100 OR get_byte(c.conversation_id, 6) < 32;

INSERT INTO inbox_counts (account_id, generation, channel_id, state, assignee, conversations, contacted)
SELECT c.account_id, 1, c.channel_id, c.state, coalesce(c.assignee, ''), count(*), count(*)
FROM inbox_conversations c JOIN of_accounts USING (account_id)
GROUP BY c.account_id, c.channel_id, c.state, coalesce(c.assignee, '');

CREATE TEMP TABLE of_members AS
SELECT a.account_id, a.number, n, md5('{seed} member ' || a.number || ' ' || n)::uuid AS id
FROM of_accounts a CROSS JOIN generate_series(0, {members} - 1) AS n;

CREATE TEMP TABLE of_channels AS
SELECT a.account_id, n, md5('{seed} channel ' || a.number || ' ' || n)::uuid AS id
FROM of_accounts a CROSS JOIN generate_series(0, {channels} - 1) AS n;

-- Three members have read half of everything.
INSERT INTO inbox_seen (account_id, generation, channel_id, member_id, state, assignee, seen)
SELECT c.account_id, 1, c.channel_id, uuid_send(m.id), c.state, c.assignee, c.conversations / 2
FROM inbox_counts c JOIN of_members m ON m.account_id = c.account_id AND m.n < 3 WHERE c.conversations > 1;

INSERT INTO inbox_access (account_id, generation, channel_id, member_id, since)
SELECT m.account_id, 1, uuid_send(c.id), uuid_send(m.id), 1 FROM of_members m JOIN of_channels c USING (account_id);

INSERT INTO inbox_channels (account_id, generation, channel_id, visibility, installer, last_access_since)
SELECT c.account_id, 1, uuid_send(c.id), 'shared', uuid_send(m.id), 1
FROM of_channels c JOIN of_members m ON m.account_id = c.account_id AND m.n = 0;

INSERT INTO inbox_members (account_id, generation, member_id, since)
SELECT account_id, 1, uuid_send(id), 1 FROM of_members;

INSERT INTO channels (account_id, generation, channel_id, kind, connection_id, installer, health, visibility,
                      reopen_rule, retention_days, connected_at, identity)
SELECT c.account_id, 1, uuid_send(c.id), 'messenger', uuid_send(c.id), uuid_send(m.id), 'connected', 'shared',
       'same', NULL, 1, substr(blob.bytes, 11, 90)
FROM of_channels c JOIN of_members m ON m.account_id = c.account_id AND m.n = 0 CROSS JOIN blob;

INSERT INTO connections (account_id, generation, connection_id, kind, added_at, rotated_at, secrets)
SELECT account_id, 1, uuid_send(id), 'messenger', 1, NULL, substr(blob.bytes, 13, 200) FROM of_channels, blob;

INSERT INTO members (account_id, generation, member_id, standing, settings_access, available, joined_at, profile)
SELECT account_id, 1, uuid_send(id), CASE WHEN n % 10 = 9 THEN 'removed' ELSE 'active' END, 0, 1, 1,
       substr(blob.bytes, 17, 90)
FROM of_members, blob;

INSERT INTO deliveries (account_id, generation, delivery_id, connection_id, because, bytes, kept_at, expires_at,
                        position, fate)
SELECT a.account_id, 1, uuid_send(md5('{seed} delivery ' || a.number || ' ' || d)::uuid), uuid_send(c.id), 'unknown',
       1000, d, d, d, 'kept'
FROM of_accounts a JOIN of_channels c ON c.account_id = a.account_id AND c.n = 0
CROSS JOIN generate_series(1, {deliveries}) AS d;

INSERT INTO checkpoints (account_id, projection, generation, position, taken, version)
SELECT a.account_id, p.name, 1, {messages}, {messages}, 1
FROM of_accounts a
CROSS JOIN unnest(ARRAY['inbox', 'thread', 'channels', 'members', 'connections', 'deliveries']) AS p(name);

INSERT INTO policy_checkpoints (account_id, policy, position) SELECT account_id, 'departure', {messages} FROM of_accounts;

-- Two of three are of the member's browsers, one is an API token.
INSERT INTO tokens (account_id, token_hash, token_id, kind, member_id, name, scopes, created_at, expires_at, last_used_at)
SELECT m.account_id, sha256(uuid_send(m.id) || int4send(t)), md5('{seed} token ' || m.id || t)::uuid,
       CASE WHEN t % 3 = 0 THEN 'api' ELSE 'session' END, m.id, NULL, 'read', t, NULL, t
FROM of_members m CROSS JOIN generate_series(1, {tokens}) AS t;

INSERT INTO credential_holders (account_id, member_id) SELECT account_id, id FROM of_members;

INSERT INTO passwords (account_id, member_id, recipe, salt, verifier, set_at)
SELECT account_id, id, 1, uuid_send(id), sha256(uuid_send(id)), 1 FROM of_members;

-- The first twenty people are members everywhere.
INSERT INTO sign_in_directory (email_hash, account_id, member_id)
SELECT sha256(convert_to(CASE WHEN n < 20 THEN 'one ' || n ELSE id::text END, 'UTF8')), account_id, id FROM of_members;

DROP TABLE of_members, of_channels, of_accounts, blob;
