\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- Fields whose names no column can have get one that it can, the same in each refresh; the
-- manifest gives names of its own.

SET client_min_messages = warning;
SET regress.folder = :'folder';
CREATE FUNCTION pg_temp.write(file text, content text) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE format('COPY (SELECT unnest(string_to_array(rtrim(%L, E''\n''), E''\n''))) TO %L (FORMAT csv, DELIMITER E''\x02'', QUOTE E''\x01'')', content,
		current_setting('regress.folder') || '/' || file);
END
$$;
-- a refresh with this response: the rows, and what the notice says
CREATE FUNCTION pg_temp.load(dataset text, content text) RETURNS TABLE (result text) LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM pg_temp.write(dataset, content);
	PERFORM spice_refresh(dataset);
	RETURN QUERY EXECUTE format('SELECT row_to_json(t)::text FROM %I t', dataset);
	RETURN QUERY SELECT 'notice: ' || notice FROM (SELECT notice FROM spice.refreshes LIMIT 1) r WHERE notice IS NOT NULL;
EXCEPTION WHEN data_exception OR datatype_mismatch THEN
	RETURN QUERY SELECT 'ERROR: ' || SQLERRM;
END
$$;
CREATE FUNCTION pg_temp.fields(dataset text) RETURNS TABLE (name name, type text, options text[]) LANGUAGE sql AS
$$
	SELECT attname, format_type(atttypid, atttypmod), attfdwoptions FROM pg_attribute
	WHERE attrelid = ('spice_source.' || dataset)::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
$$;

SELECT 'datasets:
  - {from: "file:json", name: json, params: {file_format: json}, acceleration: {}}
  - {from: "file:csv", name: csv, params: {file_format: csv}, acceleration: {}}
  - {from: "file:grow", name: grow, on_schema_change: append_new_columns, params: {file_format: json}, acceleration: {}}
  - {from: "file:snake", name: snake, column_names: snake_case, params: {file_format: json}, acceleration: {}}
' :datasets
SELECT * FROM spice_reload();

-- JSON: empty, too long, a system column's, with a NUL
SELECT * FROM pg_temp.load('json', format('[{"id": 1, "": 2, "xmin": 3, "xmin_": 4, "%s": 5, "%1$s!": 6, "a\u0000b": 7, "Id": 8}]', repeat('ä', 32)));
SELECT * FROM pg_temp.fields('json');
SELECT * FROM spice_source.json;
-- stable, whatever comes first
SELECT * FROM pg_temp.load('json', format('[{"%s!": 66, "xmin_": 44, "xmin": 33, "new": 0, "": 22, "id": 2}]', repeat('ä', 32)));
-- a field that comes later stops nothing
SELECT * FROM pg_temp.load('grow', '[{"id": 1}]');
SELECT * FROM pg_temp.load('grow', '[{"id": 2, "xmin": 3, "xmin_": 4}]');
SELECT * FROM pg_temp.load('grow', '[{"id": 3, "xmin_": 5, "xmin": 6}]');

-- CSV: the index of a data frame, names that are there twice, padding with and without a value
SELECT * FROM pg_temp.load('csv', E',id,id,id_2,,,\n0,1,2,3,,,x\n1,4,5,6,,"",\n');
SELECT * FROM pg_temp.fields('csv');
SELECT * FROM pg_temp.load('csv', E',id,id,id_2,,,\n0,1,2,3,,,x\n1,4,5,6,,7,\n');
-- the same, and a trailing delimiter
SELECT * FROM pg_temp.load('csv', E',id,id,id_2,,,,\n0,1,2,3,,,x,\n');

-- names by choice
SELECT * FROM pg_temp.load('snake', '[{"userId": 1, "HTTPServer": 2, "Total Price (EUR)": 3, "user_id": 4, "straße": 5, "--": 6, "ID2": 7, "xMin": 8, "x min": 9}]');
SELECT * FROM pg_temp.fields('snake');
SELECT 'datasets:
  - from: file:json
    name: json
    params: {file_format: json}
    columns: [{name: low, source: xmin}, {name: key, source: id, type: text}, {name: nothing, source: none, type: int}]
    acceleration: {primary_key: key}
  - from: file:csv
    name: csv
    params: {file_format: csv}
    columns: [{name: number, source: 1}, {name: second, source: 3, type: numeric}, {name: named, source: "3"}]
    acceleration: {}
  - {from: "file:csv", name: live, params: {file_format: csv, csv_has_header: false}, columns: [{name: first, source: 1, type: text}, {name: third, source: 3, type: text}]}
  - {from: "file:snake", name: snake, column_names: snake_case, columns: [{name: user_id, type: text}], params: {file_format: json}, acceleration: {}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT * FROM pg_temp.load('json', '[{"id": 1, "xmin": 3, "low": 4, "key": 5}]');
SELECT * FROM pg_temp.fields('json');
SELECT * FROM pg_temp.load('json', '[{"xmin": 30, "none": 7, "id": 10}]');
SELECT * FROM pg_temp.load('csv', E'a,3,Preis\n1,2,3\n');
SELECT * FROM pg_temp.fields('csv');
-- a position stays where it is, whatever the header calls it
SELECT * FROM pg_temp.load('csv', E'x,Preis,y,3\n10,20,30,40\n');
SELECT * FROM pg_temp.load('csv', E'x,3\n10,20\n');
SELECT pg_temp.write('csv', E'x,3,y\n10,20,30');
SELECT spice_refresh('live');
SELECT * FROM live;
SELECT * FROM pg_temp.load('snake', '[{"userId": 1, "more": 2}]');
SELECT * FROM pg_temp.fields('snake');
SELECT * FROM pg_temp.load('snake', '[{"more": 2}]');
SELECT * FROM pg_temp.load('snake', '[{"userId": 3}]');

-- what the manifest refuses
SELECT 'datasets:
  - {from: "file:csv", name: a, params: {file_format: csv}, columns: [{name: a, source: 0}, {name: b, source: 1601}]}
  - {from: "file:json", name: b, params: {file_format: json}, columns: [{name: a, source: x}, {name: x}]}
  - {from: "table:public.t", name: c, columns: [{name: a, source: x}]}
  - {from: "table:public.t", name: d, column_names: snake_case}
  - {from: "file:json", name: e, params: {file_format: json}, column_names: camel}
' :datasets
SELECT dataset, action, detail FROM spice_reload() WHERE action <> 'removed';
\i :teardown
