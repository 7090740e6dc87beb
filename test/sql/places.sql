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
\i :teardown
