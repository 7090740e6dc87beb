\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- refresh_mode append: what is taken, what is left alone, what wins.
CREATE VIEW last AS
SELECT outcome, rows, inserted, updated, unchanged, dropped FROM spice.refreshes LIMIT 1;

-- the second manifest of the documentation; times count back from one hour of today
SELECT date_trunc('hour', now()) AS hour \gset
SET regress.hour = :'hour';
CREATE FUNCTION pg_temp.interactions(VARIADIC records text[]) RETURNS text AS
$$
	SELECT E'v1/interactions\n' || jsonb_build_object('basic', '["customer-service", "s3cret"]'::jsonb,
		'body', jsonb_agg(jsonb_build_object('interaction_id', split_part(r, '|', 1)::int,
			'interaction_timestamp', to_char((current_setting('regress.hour')::timestamptz -
				split_part(r, '|', 2)::interval) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
			'note', split_part(r, '|', 3)) ORDER BY n))::text
	FROM unnest(records) WITH ORDINALITY AS u(r, n)
$$ LANGUAGE sql;
SELECT 'version: v1
kind: Spicepod
name: customer-portal
datasets:
  - from: SOURCE/v1/interactions
    name: customer-interactions
    description: Customer support interactions and engagement history
    time_column: interaction_timestamp # Column used to track when data is updated
    params:
      http_username: customer-service
      http_password: ${secrets:CUSTOMER_API_KEY}
      client_timeout: 30s
    acceleration:
      enabled: true
      engine: duckdb # Persist the accelerated data to a DuckDB file
      mode: file
      refresh_mode: append # Append only the data that has changed since the last refresh
      refresh_sql: | # Configure the initial load of the dataset to only load data from the last 90 days
        SELECT * FROM customer_interactions
        WHERE interaction_timestamp >= NOW() - INTERVAL ''90 days''
      primary_key: interaction_id # Primary key is required if data is updated in place as opposed to only appending new data
      on_conflict:
        interaction_id: upsert # Tell the runtime how to handle conflicts when updating data in place
      refresh_check_interval: 30s # Refresh the data every 30 seconds
      refresh_retry_enabled: true # Retry the refresh if it fails
      refresh_retry_max_attempts: 3 # Retry the refresh up to 3 times
      retention_check_enabled: true # Check if the data is older than the retention period
      retention_period: 90d # Retain the data for 90 days
      retention_check_interval: 24h # Run a cleanup of old data every 24 hours
' :manifest
SELECT * FROM spice_reload();
\! echo 'CUSTOMER_API_KEY=s3cret' >"$FOLDER/.env"

-- the first load settles repeated keys: the newest time wins, then the last position
SELECT pg_temp.interactions(VARIADIC ARRAY['1|100 days|too old', '2|10 days|first', '2|10 days|second',
	'3|4 days|newer', '3|5 days|older', '4|1 day|kept', '5|1 day|kept']) :answer
SELECT spice_refresh('customer-interactions');
SELECT interaction_id, note FROM customer_interactions ORDER BY interaction_id;
TABLE last;
SELECT d.refresh_mode, d.status, d.rows, d.watermark::timestamptz = :'hour'::timestamptz - interval '1 day' AS watermark,
	d.next_retention <= clock_timestamp() AS retention_due
FROM spice.datasets d;
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'customer_interactions'::regclass ORDER BY 1;
CREATE VIEW notes AS SELECT interaction_id, note FROM customer_interactions;
CREATE ROLE regress_append_reader;
GRANT SELECT ON customer_interactions TO regress_append_reader;
SELECT 'customer_interactions'::regclass::oid AS table_oid \gset
SELECT pg_relation_filenode('customer_interactions') AS filenode \gset
CREATE TEMP TABLE places AS SELECT interaction_id, ctid AS place FROM customer_interactions;

-- the source is unchanged, and the query depends on the time: everything is compared, nothing is written
SELECT spice_refresh('customer-interactions');
TABLE last;
SELECT count(*) FROM customer_interactions JOIN places USING (interaction_id) WHERE customer_interactions.ctid = place;

-- new rows, a new version at and one past the watermark, and one that comes late
SELECT pg_temp.interactions(VARIADIC ARRAY['2|10 days|second', '3|2 days|too late', '4|1 day|changed', '5|1 day|kept',
	'6|1 day|at the watermark', '7|12 hours|new', '2|11 hours|moved on', '7|11 hours|newer', '7|13 hours|older']) :answer
SELECT spice_refresh('customer-interactions');
SELECT interaction_id, note FROM customer_interactions ORDER BY interaction_id;
TABLE last;
SELECT rows FROM spice.datasets;
SELECT interaction_id FROM customer_interactions JOIN places USING (interaction_id)
WHERE customer_interactions.ctid = place ORDER BY interaction_id;
-- nothing was rewritten beside them
SELECT 'customer_interactions'::regclass::oid = :table_oid AS oid,
	pg_relation_filenode('customer_interactions') = :filenode AS file;
TABLE notes ORDER BY interaction_id;
SET ROLE regress_append_reader;
SELECT count(*) FROM customer_interactions;
RESET ROLE;

-- rolled back: table, watermark and history are as before, and the news are not lost
SELECT pg_temp.interactions(VARIADIC ARRAY['8|1 hour|rolled back']) :answer
BEGIN;
SELECT spice_refresh('customer-interactions');
SELECT count(*) FROM customer_interactions;
ROLLBACK;
SELECT count(*) FROM customer_interactions;
SELECT watermark::timestamptz = :'hour'::timestamptz - interval '11 hours' AS watermark, rows FROM spice.datasets;
SELECT spice_refresh('customer-interactions');
SELECT count(*) FROM customer_interactions;

-- a first load of nothing but old rows has no watermark, and the next is a first load again
TRUNCATE customer_interactions;
SELECT pg_temp.interactions(VARIADIC ARRAY['1|100 days|too old']) :answer
SELECT spice_refresh('customer-interactions');
TABLE last;
SELECT watermark IS NULL AS none, rows FROM spice.datasets;
SELECT pg_temp.interactions(VARIADIC ARRAY['1|100 days|too old', '9|20 days|first']) :answer
SELECT spice_refresh('customer-interactions');
TABLE notes;
DROP VIEW notes;
DROP OWNED BY regress_append_reader;
DROP ROLE regress_append_reader;

-- without a key: a multiset.  Rows at the watermark are neither lost nor doubled
SELECT 'datasets:
  - from: SOURCE/events
    name: events
    time_column: at
    acceleration: {refresh_mode: append}
  - from: SOURCE/events
    name: late
    time_column: at
    acceleration: {refresh_mode: append, refresh_append_overlap: 2h}
' :datasets
SELECT * FROM spice_reload();
SELECT 'events
{"body": [{"at": "2025-03-01T10:00:00Z", "what": "a"}, {"at": "2025-03-01T12:00:00Z", "what": "b"},
 {"at": "2025-03-01T12:00:00Z", "what": "b"}, {"at": "2025-03-01T12:00:00Z", "what": null}]}' :answer
SELECT spice_refresh('events'), spice_refresh('late');
SELECT 'events
{"body": [{"at": "2025-03-01T10:00:00Z", "what": "a"}, {"at": "2025-03-01T12:00:00Z", "what": "b"},
 {"at": "2025-03-01T12:00:00Z", "what": "b"}, {"at": "2025-03-01T12:00:00Z", "what": "b"},
 {"at": "2025-03-01T12:00:00Z", "what": null}, {"at": "2025-03-01T12:00:00Z", "what": "late at the watermark"},
 {"at": "2025-03-01T09:59:59Z", "what": "two hours late"}, {"at": "2025-03-01T10:00:00Z", "what": "late"},
 {"at": "2025-03-01T11:59:59Z", "what": "late"}, {"at": "2025-03-01T13:00:00Z", "what": "new"}]}' :answer
SELECT spice_refresh('events'), spice_refresh('late');
SELECT dataset, outcome, rows, inserted, updated, unchanged, dropped FROM spice.refreshes
WHERE dataset IN ('events', 'late') ORDER BY started;
SELECT at AT TIME ZONE 'UTC' AS at, what, count(*) FROM events GROUP BY at, what ORDER BY at, what;
SELECT at AT TIME ZONE 'UTC' AS at, what, count(*) FROM late GROUP BY at, what ORDER BY at, what;
SELECT dataset, rows FROM spice.datasets WHERE dataset IN ('events', 'late') ORDER BY dataset;

-- the same bytes again: not even compared.  The same rows in other bytes: nothing is written
SELECT spice_refresh('events');
TABLE last;
SELECT 'events
{"body": [ {"what": "new", "at": "2025-03-01T13:00:00+00:00"}]}' :answer
VACUUM (FREEZE) events;
SELECT pg_relation_size('events') AS size, pg_relation_filenode('events') AS file,
	(SELECT string_agg(ctid || xmin::text, ' ' ORDER BY ctid) FROM events) AS rows \gset old_
SELECT spice_refresh('events');
TABLE last;
SELECT pg_relation_size('events') = :old_size AS size, pg_relation_filenode('events') = :old_file AS file,
	(SELECT string_agg(ctid || xmin::text, ' ' ORDER BY ctid) FROM events) = :'old_rows' AS rows;
-- a source that forgets what it has told: the table does not
SELECT 'events
{"body": []}' :answer
SELECT spice_refresh('events');
SELECT count(*) FROM events;

-- a time that is null is refused: nothing could be said about such a row the next time
SELECT 'events
{"body": [{"at": null, "what": "never"}, {"at": "2025-03-01T14:00:00Z", "what": "lost"}]}' :answer
SELECT pg_temp.failure('SELECT spice_refresh(''events'')') <> 'did not fail' AS refused;
SELECT count(*) FROM events;
-- so is one in the first load
TRUNCATE events;
SELECT pg_temp.failure('SELECT spice_refresh(''events'')') <> 'did not fail' AS refused;
SELECT count(*) FROM events;

-- on_conflict: drop, also with several keys; upsert_dedup; by position; none
SELECT 'keyed
{"body": [{"id": 1, "code": "a", "at": "2025-03-01", "v": 1}, {"id": 2, "code": "b", "at": "2025-03-01", "v": 1},
 {"id": 1, "code": "c", "at": "2025-03-02", "v": 2}]}' :answer
SELECT 'unique
{"body": [{"id": 1, "code": "a", "at": "2025-03-01", "v": 1}, {"id": 2, "code": "b", "at": "2025-03-01", "v": 1}]}' :answer
SELECT 'datasets:
  - from: SOURCE/keyed
    name: dropping
    time_column: at
    acceleration: {refresh_mode: append, primary_key: id, on_conflict: {id: drop}}
  - from: SOURCE/keyed
    name: dropping_both
    time_column: at
    acceleration: {refresh_mode: append, primary_key: id, indexes: {code: unique}, on_conflict: {id: drop, code: drop}}
  - from: SOURCE/keyed
    name: dedup
    time_column: at
    acceleration: {refresh_mode: append, primary_key: id, on_conflict: {id: upsert_dedup}}
  - from: SOURCE/keyed
    name: by_position
    time_column: at
    acceleration: {refresh_mode: append, primary_key: id, on_conflict: {id: upsert_dedup_by_row_id}}
  - from: SOURCE/keyed
    name: upserting
    time_column: at
    acceleration: {refresh_mode: append, indexes: {"(id, code)": unique}, on_conflict: {"(code, id)": upsert}}
  - from: SOURCE/unique
    name: strict
    time_column: at
    acceleration: {refresh_mode: append, indexes: {id: unique}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
CREATE FUNCTION pg_temp.refresh_keyed() RETURNS TABLE (dataset text, outcome text, rows bigint, inserted bigint,
	updated bigint, unchanged bigint, dropped bigint) LANGUAGE plpgsql AS
$$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{dropping,dropping_both,dedup,by_position,upserting}'::text[]
	LOOP
		PERFORM spice_refresh(name);
		RETURN QUERY SELECT r.dataset, r.outcome, r.rows, r.inserted, r.updated, r.unchanged, r.dropped
			FROM spice.refreshes r LIMIT 1;
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.keyed() RETURNS TABLE (dataset text, id bigint, code text, at date, v bigint) LANGUAGE plpgsql AS
$$
BEGIN
	FOREACH dataset IN ARRAY '{dropping,dropping_both,dedup,by_position,upserting}'::text[]
	LOOP
		FOR id, code, at, v IN EXECUTE format('SELECT id, code, at, v FROM %I ORDER BY id, code', dataset)
		LOOP
			RETURN NEXT;
		END LOOP;
	END LOOP;
END
$$;
SELECT * FROM pg_temp.refresh_keyed();
SELECT * FROM pg_temp.keyed();
SELECT 'keyed
{"body": [{"id": 3, "code": "d", "at": "2025-03-04", "v": 4}, {"id": 3, "code": "d", "at": "2025-03-03", "v": 3},
 {"id": 2, "code": "b", "at": "2025-03-03", "v": 3}, {"id": 1, "code": "c", "at": "2025-03-02", "v": 2},
 {"id": 5, "code": "d", "at": "2025-03-03", "v": 3}, {"id": 6, "code": "f", "at": "2025-03-03", "v": 3}]}' :answer
SELECT * FROM pg_temp.refresh_keyed();
SELECT * FROM pg_temp.keyed();
-- a version that is older than the table's, though newer than the watermark less its overlap
SELECT 'datasets:
  - from: SOURCE/keyed
    name: dedup
    time_column: at
    acceleration: {refresh_mode: append, refresh_append_overlap: 30d, primary_key: id, on_conflict: {id: upsert_dedup}}
  - from: SOURCE/keyed
    name: by_position
    time_column: at
    acceleration: {refresh_mode: append, refresh_append_overlap: 30d, primary_key: id, on_conflict: {id: upsert_dedup_by_row_id}}
  - from: SOURCE/unique
    name: strict
    time_column: at
    acceleration: {refresh_mode: append, indexes: {id: unique}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT 'keyed
{"body": [{"id": 3, "code": "d", "at": "2025-03-01", "v": -1}, {"id": 2, "code": "b", "at": "2025-03-03", "v": 33}]}' :answer
SELECT spice_refresh('dedup') AS dedup, spice_refresh('by_position') AS by_position;
SELECT spice_refresh('dedup') AS dedup, spice_refresh('by_position') AS by_position;
SELECT * FROM dedup WHERE id IN (2, 3) ORDER BY id;
SELECT * FROM by_position WHERE id IN (2, 3) ORDER BY id;

-- without on_conflict a key that comes again fails the refresh, by name
SELECT spice_refresh('strict');
SELECT 'unique
{"body": [{"id": 2, "code": "b", "at": "2025-03-01", "v": 1}, {"id": 3, "code": "c", "at": "2025-03-02", "v": 1},
 {"id": 1, "code": "a", "at": "2025-03-02", "v": 2}]}' :answer
SELECT pg_temp.failure('SELECT spice_refresh(''strict'')');
TABLE strict ORDER BY id;
SELECT watermark FROM spice.datasets WHERE dataset = 'strict';
TRUNCATE strict;
SELECT 'unique
{"body": [{"id": 1, "code": "a", "at": "2025-03-02", "v": 1}, {"id": 1, "code": "b", "at": "2025-03-02", "v": 1}]}' :answer
SELECT pg_temp.failure('SELECT spice_refresh(''strict'')');

-- a key of a unique index may be null: those rows are never the same
SELECT 'nulls
{"body": [{"code": null, "at": "2025-03-01", "v": 1}, {"code": null, "at": "2025-03-01", "v": 2}, {"code": "a", "at": "2025-03-01", "v": 3}]}' :answer
SELECT 'datasets:
  - from: SOURCE/nulls
    name: nulls_upserted
    time_column: at
    acceleration: {refresh_mode: append, indexes: {code: unique}, on_conflict: {code: upsert}}
  - from: SOURCE/nulls
    name: nulls_dropped
    time_column: at
    acceleration: {refresh_mode: append, indexes: {code: unique}, on_conflict: {code: drop}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('nulls_upserted'), spice_refresh('nulls_dropped');
SELECT 'nulls
{"body": [{"code": null, "at": "2025-03-01", "v": 1}, {"code": null, "at": "2025-03-01", "v": 2}, {"code": "a", "at": "2025-03-01", "v": 3}, {"code": "b", "at": "2025-03-01", "v": 4}]}' :answer
SELECT spice_refresh('nulls_upserted'), spice_refresh('nulls_dropped');
TABLE nulls_upserted ORDER BY code, v;
TABLE nulls_dropped ORDER BY code, v;

\i :teardown
