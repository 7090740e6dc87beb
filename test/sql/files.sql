\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- Files as a source: a file or all of a folder, of every format; what is listed, what is read
-- again, what is refused.  FOLDER in an answer stands for the manifest's folder.

CREATE FUNCTION pg_temp.failed(statement text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	detail text;
	line text;
BEGIN
	EXECUTE statement;
	RETURN 'did not fail';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, line = PG_EXCEPTION_CONTEXT;
	RETURN replace(concat_ws(E'\n', SQLERRM, 'DETAIL:  ' || nullif(detail, ''),
		'CONTEXT:  ' || substring(line FROM 'file "[^\n]*')), current_setting('regress.folder'), 'FOLDER');
END
$$;
SET client_min_messages = warning;
SET regress.folder = :'folder';
\! mkdir -p "$FOLDER/data/2024/01" "$FOLDER/data/_old" "$FOLDER/data/.git" "$FOLDER/mixed"
\! printf 'id,name\n1,one\n2,two\n' >"$FOLDER/data/b.csv"
\! printf 'name,id\nthree,3\n' >"$FOLDER/data/a.csv"
\! printf 'id,name,extra\n4,four,x\n' >"$FOLDER/data/2024/01/c.csv"
\! printf 'id,name\n9,old\n' | tee "$FOLDER/data/_old/o.csv" "$FOLDER/data/.git/g.csv" "$FOLDER/data/_hidden.csv" "$FOLDER/data/.h.csv" >"$FOLDER/data/notes.txt"
\! printf '[{"id": 1, "at": "2024-01-01"}]' >"$FOLDER/one.json"
\! printf '{"id": 1}\n{"id": 2.5}\n' >"$FOLDER/mixed/a.jsonl"
\! printf '{"id": "x", "more": true}\n' >"$FOLDER/mixed/b.ndjson"
\! printf 'id\tname\n1\tone\n' >"$FOLDER/tab.tsv"
\! printf 'id,name\n1,one\n' >"$FOLDER/table.data"
SELECT 'datasets:
  - {from: "file:data", name: folder, params: {file_format: csv}, acceleration: {}}
  - {from: "file://one.json", name: one, acceleration: {}}
  - {from: "file:mixed", name: mixed, params: {file_format: jsonl}, acceleration: {}}
  - {from: "file:tab.tsv", name: tab, acceleration: {}}
  - {from: "file:table.data", name: named, params: {file_format: csv}, acceleration: {}}
  - {from: "file:data", name: texts, params: {file_format: csv, file_extension: .txt}, acceleration: {}}
  - {from: "file:absent.csv", name: absent, acceleration: {}}
  - {from: "file:data", name: none, params: {file_format: parquet}, acceleration: {}}
  - {from: "file:fifo.csv", name: fifo, acceleration: {}}
  - {from: "file:/dev/zero", name: device, params: {file_format: csv}, acceleration: {}}
  - {from: "file:own", name: own, params: {file_format: csv}, acceleration: {}}
  - {from: "file:linked", name: linked, params: {file_format: csv}, acceleration: {}}
  - {from: "file:circle", name: circle, params: {file_format: csv}, acceleration: {}}
' :datasets
SELECT * FROM spice_reload();

-- a folder: every file of the format, also below, in the order of their paths; columns by their names
SELECT spice_refresh('folder');
TABLE folder;
SELECT name, spice_refresh(name) FROM unnest('{one,mixed,tab,named,texts}'::text[]) name;
TABLE one;
TABLE mixed;
TABLE texts;

-- the list is what tells a change: an unchanged one is not read
SELECT spice_refresh('folder');
\! touch -d '2024-01-01 00:00:00' "$FOLDER/data/a.csv"
SELECT spice_refresh('folder');
SELECT spice_refresh('folder');
\! printf 'id,name\n5,five\n' >"$FOLDER/data/d.csv"
SELECT spice_refresh('folder');
\! rm "$FOLDER/data/d.csv"
SELECT spice_refresh('folder');
-- files of another format are not looked at
\! printf 'more\n' >>"$FOLDER/data/notes.md"
SELECT spice_refresh('folder');

-- the foreign table reads the files live
SELECT count(*), sum(id) FROM spice_source.folder;

-- a file that does not fit is named, and the table keeps its rows
\! printf 'id,name\nmany,five\n' >"$FOLDER/data/e.csv"
SELECT pg_temp.failed($$SELECT spice_refresh('folder')$$);
\! rm "$FOLDER/data/e.csv"
\! printf '{"id": 3}\n{"id": \n' >"$FOLDER/mixed/c.jsonl"
SELECT pg_temp.failed($$SELECT spice_refresh('mixed')$$);
SELECT count(*) FROM mixed;
\! printf '{"other": 3}\n' >"$FOLDER/mixed/c.jsonl"
SELECT pg_temp.failed($$SELECT spice_refresh('mixed')$$);

-- what is not there, and what is no file
\! mkfifo "$FOLDER/fifo.csv"
SELECT pg_temp.failed(format('SELECT spice_refresh(%L)', name)) FROM unnest('{absent,none,fifo,device}'::text[]) name;

-- no way leads into the server's own directories
SELECT current_setting('data_directory') AS data \gset
\setenv DATA :data
\! ln -s "$DATA" "$FOLDER/own"
\! mkdir "$FOLDER/linked" "$FOLDER/circle"
\! ln -s "$DATA/PG_VERSION" "$FOLDER/linked/a.csv"
\! ln -s . "$FOLDER/circle/again"
SELECT replace(pg_temp.failed(format('SELECT spice_refresh(%L)', name)), current_setting('data_directory'), 'DATA')
FROM unnest('{own,linked,circle}'::text[]) name;
\! printf "id\n1\n" >"$FOLDER/aside" && ln -sf ../aside "$FOLDER/linked/a.csv"
SELECT spice_refresh('linked');

-- spice.file_roots restricts further
SET spice.file_roots = '/nowhere, /usr/share';
SELECT pg_temp.failed($$SELECT spice_refresh('one')$$);
SET spice.file_roots = :'folder';
SELECT spice_refresh('one');
RESET spice.file_roots;

-- Parquet: read in place, and the types of several files are unified
\! mkdir "$FOLDER/lake"
\! echo '{"schema": [{"name": "id", "type": "int32"}, {"name": "price", "type": "int32", "logical": "decimal-9-2"}, {"name": "only", "type": "boolean"}, {"name": "none", "type": "int32", "logical": "null"}], "rows": [[1, 150, true, null], [2, null, null, null]]}' | python3 "$PG_ABS_SRCDIR/parquet.py" >"$FOLDER/lake/a.parquet"
\! echo '{"schema": [{"name": "price", "type": "int64", "logical": "decimal-18-4"}, {"name": "id", "type": "int64"}, {"name": "none", "type": "int32"}], "rows": [[12345, 3000000000, 7]]}' | python3 "$PG_ABS_SRCDIR/parquet.py" >"$FOLDER/lake/b.parquet"
SELECT 'datasets:
  - {from: "file:lake/", name: lake, params: {file_format: parquet}, acceleration: {}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('lake');
\d lake
TABLE lake;
\! head -c 60 "$FOLDER/lake/a.parquet" >"$FOLDER/lake/c.parquet"
SELECT pg_temp.failed($$SELECT spice_refresh('lake')$$);

-- the manifest says what it cannot mean
SELECT line, severity, message FROM spice_validate('version: v1
kind: Spicepod
name: test
datasets:
  - {from: "file:data", name: f, acceleration: {}}
  - {from: "file:", name: g, acceleration: {}}
  - {from: "file:a.csv", name: h, params: {http_port: 80}, acceleration: {}}
  - {from: "file:a.avro", name: i, acceleration: {}}
  - {from: "http://host/a.json", name: j, acceleration: {params: {file_watcher: enabled}}}
');
\i :teardown
