\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- What a dataset of several files knows of the place of each: location, time, size, and
-- folders such as year=2024.  Conditions on these decide which files are read.

SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'German';
\! mkdir -p "$FOLDER/sales/year=2023/city=K%C3%B6ln" "$FOLDER/sales/year=2024/city=__HIVE_DEFAULT_PARTITION__" "$FOLDER/sales/year=2024/city=a%2Fb" "$FOLDER/news"
\! printf 'id\n1\n2\n' >"$FOLDER/sales/year=2023/city=K%C3%B6ln/a.csv"
\! printf 'id,note\n3,x\n' >"$FOLDER/sales/year=2024/city=__HIVE_DEFAULT_PARTITION__/b.csv"
\! printf 'id\n4\n' >"$FOLDER/sales/year=2024/city=a%2Fb/c.csv"
\! printf '{"id": 1}\n' >"$FOLDER/news/1.jsonl"; printf '{"id": 2}\n' >"$FOLDER/news/2.jsonl"
\! touch -d '2024-01-01 00:00:00.25 UTC' "$FOLDER/news/1.jsonl"; touch -d '2024-01-02 00:00:00 UTC' "$FOLDER/news/2.jsonl"
SELECT 'datasets:
  - {from: "file:sales", name: sales, params: {file_format: csv, hive_partitioning_enabled: true}, acceleration: {}}
  - {from: "file:sales", name: recent, params: {file_format: csv, hive_partitioning_enabled: "true"}, acceleration: {refresh_sql: "SELECT * FROM recent WHERE year >= 2024"}}
  - from: "file:news"
    name: news
    params: {file_format: jsonl}
    metadata: {_location: enabled, size: enabled}
    time_column: last_modified
    acceleration: {refresh_mode: append}
  - from: "file:news/1.jsonl"
    name: one
    metadata: {_last_modified: enabled, _size: disabled}
    on_schema_change: fail
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();

SELECT name, spice_refresh(name) FROM unnest('{sales,recent,news,one}'::text[]) name;
\d sales
SELECT id, note, year, city FROM sales ORDER BY id;
SELECT id, year FROM recent ORDER BY id;
SELECT id, replace(_location, :'folder', 'FOLDER') AS location, last_modified, size FROM news ORDER BY id;
TABLE one;

-- a condition on folders, location or time excludes files: the broken one is not read
\! printf 'id\n"never closed\n' >"$FOLDER/sales/year=2023/city=K%C3%B6ln/broken.csv"
SELECT spice_refresh('recent');
SELECT count(*) FROM spice_source.sales WHERE year = 2024 AND id > 3;
SELECT count(*) FROM spice_source.sales WHERE city IS NULL AND year IS NOT NULL;
SELECT count(*) FROM spice_source.sales WHERE year = (SELECT 2024);
SELECT count(*) FROM spice_source.sales WHERE year = 2022;
SELECT pg_temp.failure('SELECT count(*) FROM spice_source.sales WHERE year = 2023') ~ 'quote' AS is_read;
SELECT pg_temp.failure('SELECT count(*) FROM spice_source.sales') ~ 'quote' AS is_read;
SELECT pg_temp.failure('SELECT count(*) FROM spice_source.sales WHERE year = 2024 OR id = 1') ~ 'quote' AS is_read;

-- append by the files' times: old files are not read again, and new ones are
\! printf 'broken' >"$FOLDER/news/1.jsonl"; touch -d '2023-12-31 UTC' "$FOLDER/news/1.jsonl"
\! printf '{"id": 3}\n' >"$FOLDER/news/3.jsonl"; touch -d '2024-01-03 UTC' "$FOLDER/news/3.jsonl"
SELECT spice_refresh('news');
SELECT id, last_modified FROM news ORDER BY id;
SELECT spice_refresh('news');
-- one with the very time of the newest
\! printf '{"id": 4}\n' >"$FOLDER/news/4.jsonl"; touch -d '2024-01-03 UTC' "$FOLDER/news/4.jsonl"
SELECT spice_refresh('news');
SELECT id, last_modified FROM news ORDER BY id;

-- row groups of Parquet that a condition excludes by their statistics are not read: the pages of the
-- first are no pages
\! mkdir "$FOLDER/groups"
CREATE FUNCTION pg_temp.groups(options jsonb) RETURNS text LANGUAGE sql AS
$$
	SELECT jsonb_build_object('schema', '[{"name": "id", "type": "int64"}, {"name": "day", "type": "int32", "logical": "date"},
		{"name": "at", "type": "int64", "logical": "timestamp-micros"}, {"name": "price", "type": "int32", "logical": "decimal-9-2"},
		{"name": "word", "type": "binary", "logical": "string"}, {"name": "gap", "type": "int32"}]'::jsonb,
		'rows', (SELECT jsonb_agg(jsonb_build_array(i, 19000 + i, i * 86400000000, i * 100, 'w' || i, CASE WHEN i <> 3 THEN i END)) FROM generate_series(1, 9) i),
		'group_rows', 3) || options
$$;
SELECT pg_temp.groups('{"statistics": "exact", "broken": true}') \g (format=unaligned tuples_only=on) |python3 "$PG_ABS_SRCDIR/parquet.py" >"$FOLDER/groups/exact.parquet"
SELECT pg_temp.groups('{"statistics": "inexact", "broken": true}') \g (format=unaligned tuples_only=on) |python3 "$PG_ABS_SRCDIR/parquet.py" >"$FOLDER/groups/inexact.parquet"
SELECT pg_temp.groups('{"statistics": "deprecated", "broken": true}') \g (format=unaligned tuples_only=on) |python3 "$PG_ABS_SRCDIR/parquet.py" >"$FOLDER/groups/deprecated.parquet"
SELECT 'datasets:
  - {from: "file:groups/exact.parquet", name: exact}
  - {from: "file:groups/inexact.parquet", name: inexact}
  - {from: "file:groups/deprecated.parquet", name: deprecated}
' :datasets
SELECT count(*) AS datasets FROM spice_reload() WHERE action = 'added';
SELECT name, spice_refresh(name) FROM unnest('{exact,inexact,deprecated}'::text[]) name;
-- how many rows a condition has; null: the broken row group is read
CREATE FUNCTION pg_temp.rows_of(relation text, condition text) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %I WHERE %s', relation, condition) INTO n;
	RETURN n;
EXCEPTION WHEN invalid_binary_representation THEN
	RETURN NULL;
END
$$;
SELECT condition, pg_temp.rows_of('exact', condition) FROM unnest(ARRAY['true', 'id > 3', 'id >= 4', 'id >= 3', '3 < id', 'id = 5', 'id = 3',
	'id < 4', 'id BETWEEN 4 AND 6', 'id > 3::smallint', 'id > 3.5', 'id <> 1', 'id + 0 > 3', 'id > 3 AND word = ''w5''', 'id > 3 OR word = ''w1''',
	'day > ''2022-01-11''', 'day > ''2022-01-11''::timestamptz', 'day > ''2022-01-11''::timestamp', 'at >= ''1970-01-05''', 'price > 3', 'price > 3.00', 'word > ''w3''',
	'id > 3 OR id IS NULL', 'gap > 3 OR gap IS NULL', 'gap > 3', 'gap IS NULL', 'id > 100', 'id > NULL']) condition;
SELECT name, pg_temp.rows_of(name, 'id > 3') FROM unnest('{exact,inexact,deprecated}'::text[]) name;
\i :teardown
