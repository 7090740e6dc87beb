\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- What becomes of a table when its source or its definition changes, and of a source
-- that comes back short.

-- on_schema_change: the same drift for each way to meet it
SELECT format(E'datasets:\n%s', string_agg(format('  - from: SOURCE/drifting
    name: %s
    time_column: at
    on_schema_change: %s
    acceleration: {refresh_mode: %s, primary_key: id}
', w || '_' || m, w, m), '')) FROM unnest('{block,fail,append_new_columns,sync_all_columns,drop_and_recreate}'::text[]) w,
	unnest('{full,append}'::text[]) m WHERE w <> 'drop_and_recreate' OR m = 'full' :datasets
SELECT * FROM spice_reload();
-- refreshes all and says how; a function, so that each has a subtransaction of its own
CREATE FUNCTION pg_temp.refresh_all() RETURNS TABLE (dataset text, result text) LANGUAGE plpgsql AS
$$
BEGIN
	FOR dataset IN SELECT d.dataset FROM spice.datasets d ORDER BY 1
	LOOP
		result := pg_temp.failure(format('SELECT spice_refresh(%L)', dataset));
		IF result = 'did not fail' THEN
			SELECT concat_ws(', ', r.outcome, r.rows, r.notice) INTO result FROM spice.refreshes r LIMIT 1;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.columns() RETURNS TABLE (relation regclass, columns text) LANGUAGE sql AS
$$
	SELECT attrelid::regclass, string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
	FROM spice.datasets d JOIN pg_attribute ON attrelid = d."table" WHERE attnum > 0 AND NOT attisdropped
	GROUP BY attrelid ORDER BY attrelid::regclass::text
$$;
CREATE FUNCTION pg_temp.rows() RETURNS TABLE (dataset text, record jsonb) LANGUAGE plpgsql AS
$$
BEGIN
	FOR dataset IN SELECT d.dataset FROM spice.datasets d ORDER BY 1
	LOOP
		FOR record IN EXECUTE format('SELECT to_jsonb(t) FROM %I t ORDER BY id', dataset)
		LOOP
			RETURN NEXT;
		END LOOP;
	END LOOP;
END
$$;
SELECT 'drifting
{"body": [{"id": 1, "at": "2025-03-01", "name": "a", "price": 1}, {"id": 2, "at": "2025-03-01", "name": "b", "price": 2}]}' :answer
SELECT * FROM pg_temp.refresh_all();
CREATE VIEW on_full AS SELECT id, name FROM append_new_columns_full;
CREATE VIEW on_append AS SELECT id, name FROM append_new_columns_append;
CREATE INDEX by_hand ON append_new_columns_append (name);
GRANT SELECT ON append_new_columns_full, append_new_columns_append TO PUBLIC;
CREATE TEMP TABLE before AS SELECT dataset, "table"::oid AS table_oid FROM spice.datasets;

-- a new field
SELECT 'drifting
{"body": [{"id": 2, "at": "2025-03-01", "name": "b", "price": 2}, {"id": 3, "at": "2025-03-02", "name": "c", "price": 3, "colour": "red", "size": 5},
 {"id": 4, "at": "2025-03-02", "name": "d", "price": 4, "colour": "blue"}]}' :answer
SELECT * FROM pg_temp.refresh_all();
SELECT * FROM pg_temp.columns();
SELECT * FROM pg_temp.rows();
SELECT dataset FROM spice.datasets d JOIN before b USING (dataset) WHERE "table"::oid <> table_oid;
SELECT * FROM on_full ORDER BY id;
SELECT * FROM on_append ORDER BY id;
SELECT tablename, indexname FROM pg_indexes WHERE tablename LIKE 'append_new_columns%' ORDER BY 1, 2;
SELECT table_name FROM information_schema.table_privileges
WHERE grantee = 'PUBLIC' AND table_name LIKE 'append_new_columns%' ORDER BY 1;
-- nothing more of it
SELECT * FROM pg_temp.refresh_all() WHERE dataset NOT LIKE 'fail%';

-- a field that is gone from all records, and one whose values are of another type
SELECT 'drifting
{"body": [{"id": 5, "at": "2025-03-03", "price": 5, "colour": "red", "size": 6}]}' :answer
SELECT * FROM pg_temp.refresh_all();
SELECT * FROM pg_temp.columns();
SELECT 'drifting
{"body": [{"id": 6, "at": "2025-03-04", "name": "f", "price": "a lot", "colour": "red", "size": 6}]}' :answer
SELECT * FROM pg_temp.refresh_all();
SELECT * FROM pg_temp.columns();
SELECT * FROM pg_temp.rows();

-- gone alone
SELECT 'drifting
{"body": [{"id": 7, "at": "2025-03-05", "price": 7}]}' :answer
SELECT * FROM pg_temp.refresh_all() WHERE dataset LIKE 'fail%';

-- refresh_sql decides what the table has: a new column of the source is only a column of the source
SELECT 'datasets:
  - from: SOURCE/narrow
    name: narrow
    on_schema_change: append_new_columns
    acceleration: {refresh_sql: SELECT id FROM narrow}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT 'narrow
{"body": [{"id": 1}]}' :answer
SELECT spice_refresh('narrow');
SELECT 'narrow
{"body": [{"id": 1, "name": "a"}]}' :answer
SELECT spice_refresh('narrow');
TABLE narrow;
TABLE spice_source.narrow;

-- a definition that changes: append keeps what the source no longer has, as long as
-- the rows themselves are not other ones
SELECT 'forgetful
{"body": [{"id": 1, "at": "2025-03-01T00:00:00Z", "name": "a"}, {"id": 2, "at": "2025-03-02T00:00:00Z", "name": "b"}]}' :answer
SELECT 'datasets:
  - from: SOURCE/forgetful
    name: forgetful
    time_column: at
    acceleration: {refresh_mode: append, primary_key: id, on_conflict: {id: upsert}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('forgetful');
SELECT 'forgetful
{"body": [{"id": 3, "at": "2025-03-03T00:00:00Z", "name": "c"}]}' :answer
SELECT spice_refresh('forgetful');
\! python3 "$PG_ABS_SRCDIR/server.py" --clear "$SOURCE"
CREATE VIEW remembered AS SELECT id, name FROM forgetful;
SELECT 'forgetful'::regclass::oid AS table_oid \gset
SELECT 'datasets:
  - from: SOURCE/forgetful
    name: forgetful
    description: now with an index, and logged
    time_column: at
    acceleration: {refresh_mode: append, engine: duckdb, mode: file, primary_key: id, on_conflict: {id: upsert}, indexes: {name: enabled}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('forgetful');
SELECT outcome, rows FROM spice.refreshes LIMIT 1;
SELECT next_refresh <= clock_timestamp() AS source_is_next FROM spice.datasets WHERE dataset = 'forgetful';
SELECT relpersistence, obj_description(oid) FROM pg_class WHERE oid = 'forgetful'::regclass;
SELECT indexname FROM pg_indexes WHERE tablename = 'forgetful' ORDER BY 1;
TABLE remembered ORDER BY id;
SELECT 'forgetful'::regclass::oid = :table_oid AS same;
:log
SELECT spice_refresh('forgetful');
:log
-- an interval or a retention changes nothing of the table
SELECT pg_relation_filenode('forgetful') AS file \gset
SELECT 'datasets:
  - from: SOURCE/forgetful
    name: forgetful
    description: now with an index, and logged
    time_column: at
    acceleration: {refresh_mode: append, engine: duckdb, mode: file, primary_key: id, on_conflict: {id: upsert}, indexes: {name: enabled},
      refresh_check_interval: 1h, retention_check_enabled: true, retention_period: 1000w, retention_check_interval: 1d}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('forgetful');
SELECT pg_relation_filenode('forgetful') = :file AS same;
-- another mode for one refresh, there and back
SELECT spice_refresh('forgetful', refresh_mode => 'full');
TABLE remembered ORDER BY id;
SELECT spice_refresh('forgetful');
SELECT mode, outcome, rows FROM spice.refreshes WHERE dataset = 'forgetful' LIMIT 2;
-- another query: other rows, so all of them are loaded again
SELECT 'forgetful
{"body": [{"id": 3, "at": "2025-03-03T00:00:00Z", "name": "c"}, {"id": 4, "at": "2025-03-01T00:00:00Z", "name": "d"}]}' :answer
SELECT spice_refresh('forgetful');
TABLE remembered ORDER BY id;
SELECT 'datasets:
  - from: SOURCE/forgetful
    name: forgetful
    time_column: at
    acceleration: {refresh_mode: append, primary_key: id, on_conflict: {id: upsert}, refresh_sql: "SELECT id, at, upper(name) AS name FROM forgetful"}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('forgetful');
TABLE remembered ORDER BY id;

-- mode append for one refresh of a dataset that is replaced as a whole, and back
SELECT 'datasets:
  - {from: "SOURCE/whole", name: whole, time_column: at, acceleration: {}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT 'whole
{"body": [{"id": 1, "at": "2025-03-01T00:00:00Z"}]}' :answer
SELECT spice_refresh('whole');
SELECT 'whole
{"body": [{"id": 2, "at": "2025-03-02T00:00:00Z"}]}' :answer
SELECT spice_refresh('whole', refresh_mode => 'append');
TABLE whole ORDER BY id;
SELECT spice_refresh('whole');
TABLE whole ORDER BY id;

-- guards
SELECT 'many
{"body": [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/many", name: at_least, acceleration: {params: {refresh_min_rows: 2}}}
  - {from: "SOURCE/many", name: half, acceleration: {params: {refresh_max_shrink: 50%}}}
  - {from: "SOURCE/many", name: none, acceleration: {params: {refresh_max_shrink: "0"}}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT * FROM pg_temp.refresh_all() WHERE dataset IN ('at_least', 'half', 'none');
SELECT 'many
{"body": [{"id": 5}, {"id": 6}]}' :answer
SELECT * FROM pg_temp.refresh_all() WHERE dataset IN ('at_least', 'half', 'none');
SELECT 'many
{"body": [{"id": 5}]}' :answer
SELECT * FROM pg_temp.refresh_all() WHERE dataset IN ('at_least', 'half', 'none');
SELECT 'many
{"body": []}' :answer
SELECT * FROM pg_temp.refresh_all() WHERE dataset IN ('at_least', 'half', 'none');
SELECT (SELECT count(*) FROM at_least) AS at_least, (SELECT count(*) FROM half) AS half, (SELECT count(*) FROM none) AS none;

\i :teardown
