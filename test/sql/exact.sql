\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- A column whose type was inferred takes what inference takes for it; a declared date or time
-- loses nothing of what a text says; an empty string is null where a type has no empty value.

SET client_min_messages = warning;
SET timezone = 'America/New_York';
SET regress.folder = :'folder';
CREATE FUNCTION pg_temp.types(relation text) RETURNS text LANGUAGE sql AS
$$
	SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = relation::regclass AND attnum > 0 AND NOT attisdropped
$$;
CREATE FUNCTION pg_temp.write(file text, content text) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE format('COPY (SELECT unnest(string_to_array(%L, E''\n''))) TO %L (FORMAT csv, DELIMITER E''\x02'', QUOTE E''\x01'')', content,
		current_setting('regress.folder') || '/' || file);
END
$$;
-- what a refresh makes of one value of a field: the column's text, or the error
CREATE FUNCTION pg_temp.load(dataset text, field text, value text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	result text;
BEGIN
	PERFORM pg_temp.write(dataset || '.json', format('[{%s: %s}]', to_json(field), value));
	PERFORM spice_refresh(dataset);
	EXECUTE format('SELECT %I::text FROM %I', field, dataset) INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN data_exception OR datatype_mismatch THEN
	RETURN 'ERROR: ' || SQLERRM;
END
$$;

SELECT 'datasets:
  - {from: "file:found.json", name: found, acceleration: {}}
  - {from: "file:found.csv", name: csv, acceleration: {}}
  - from: file:declared.json
    name: declared
    columns: [{name: n, type: bigint}, {name: x, type: double precision}, {name: ok, type: boolean}, {name: price, type: numeric},
      {name: day, type: date}, {name: local, type: timestamp}, {name: at, type: timestamptz}, {name: clock, type: time},
      {name: days, type: "date[]"}, {name: period, type: daterange}]
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();

-- inferred, JSON
SELECT pg_temp.write('found.json', '[{"n": 1, "x": 1.5, "price": 1e400, "ok": true, "day": "2024-01-31", "local": "2024-01-31 10:00", "at": "2024-01-31T10:00:00Z"}]');
SELECT spice_refresh('found');
SELECT pg_temp.types('found');
SELECT field, value, pg_temp.load('found', field, value) AS result FROM (VALUES
	-- strings that spell the very value are it
	('n', '"12"'), ('n', '"-3"'), ('x', '"2.5"'), ('price', '"7"'), ('ok', '"False"'), ('day', '"2024-02-29"'),
	('local', '"2024-02-29"'), ('at', '"2024-02-29T24:00:00+01"'),
	-- all others are not
	('n', '"04101"'), ('n', '"+12"'), ('n', '" 12 "'), ('n', '"1_000"'), ('n', '"0x10"'), ('n', '"1.5"'),
	('x', '"0x1A"'), ('x', '"infinity"'), ('x', '"NaN"'), ('x', '"01.50"'), ('price', '"NaN"'), ('price', '"012"'), ('price', 'true'),
	('ok', '"t"'), ('ok', '"yes"'), ('ok', '"1"'), ('ok', '1'),
	('day', '"03/04/2024"'), ('day', '"03.04.2024"'), ('day', '"1/2/3"'), ('day', '"today"'), ('day', '"infinity"'),
	('day', '"January 31, 2024"'), ('day', '"2024-01-31 10:00 PST"'), ('day', '"2024-01-31 00:00"'),
	('local', '"2024-01-31 10:00:00 EST"'), ('local', '"2024-01-31 10:00:00 Europe/Berlin"'), ('local', '"now"'), ('local', '"2024-01-31T10:00Z"'),
	('at', '"2024-01-31 10:00"'), ('at', '"2024-01-31"'), ('at', '"now"'), ('at', '"2024-01-31 10:00 UTC"'),
	-- an empty string is null where the type has no empty value
	('n', '""'), ('x', '""'), ('price', '""'), ('ok', '""'), ('day', '""'), ('local', '""'), ('at', '""')) v (field, value);
SELECT pg_temp.write('found.json', '[{"n": 1}, {"n": "04101"}]');
SELECT pg_temp.failure($$SELECT spice_refresh('found')$$);

-- inferred, CSV: an empty text, with or without quotes, tells no type, unless there is nothing else
SELECT pg_temp.write('found.csv', E'n,x,ok,day,note,nothing,code\n"1","","true","2024-01-31","","","007"\n"","1.5","","","","","1"');
SELECT spice_refresh('csv');
SELECT pg_temp.types('csv');
TABLE csv;
SELECT pg_temp.write('found.csv', E'n,ok\n007,\n');
SELECT pg_temp.failure($$SELECT spice_refresh('csv')$$);
SELECT pg_temp.write('found.csv', E'n,ok\n7,t\n');
SELECT pg_temp.failure($$SELECT spice_refresh('csv')$$);

-- declared: the input of the type, but for what would be lost or mean another time tomorrow
SELECT field, value, pg_temp.load('declared', field, value) AS result FROM (VALUES
	('n', '"04101"'), ('x', '"infinity"'), ('x', '"NaN"'), ('ok', '"yes"'), ('price', '"NaN"'),
	('day', '"January 31, 2024"'), ('day', '"31-Jan-2024"'), ('day', '"20240131"'), ('day', '"2024/01/31"'), ('day', '"infinity"'),
	('local', '"Wed 31 Jan 2024 10:00 PM"'), ('at', '"31 Jan 2024 10:00 PST"'), ('at', '"Wed, 31 Jan 2024 10:00:00 +0100"'), ('clock', '"10:00 PM"'),
	('days', '"{2024-01-31,2024-02-01}"'), ('period', '"[2024-01-31,infinity)"'),
	('day', '"03/04/2024"'), ('day', '"31.12.2024"'), ('day', '"today"'), ('day', '"yesterday"'), ('day', '"2024-01-31 10:00 PST"'),
	('day', '"Jan 31, 2024 23:30 -0800"'), ('day', '"20240131T103000"'),
	('local', '"now"'), ('local', '"2024-01-31 10:00:00 EST"'), ('local', '"Jan 31, 2024 23:30 -0800"'), ('local', '"3/4/24 10:00"'),
	('at', '"now"'), ('at', '"Today 10:00"'), ('at', '"3/4/24 10:00 PST"'), ('clock', '"now"'), ('clock', '"10:00 PST"'),
	('days', '"{2024-01-31,tomorrow}"'), ('period', '"[today,)"'),
	('n', '""'), ('day', '""'), ('clock', '""'), ('days', '""'), ('period', '""')) v (field, value);
SELECT pg_temp.write('declared.json', '[{"day": "03/04/2024"}]');
SELECT pg_temp.failure($$SELECT spice_refresh('declared')$$);

-- declared formats
SELECT 'datasets:
  - from: file:declared.json
    name: declared
    columns: [{name: day, type: date, format: DD/MM/YYYY}, {name: compact, type: date, format: YYYYMMDD}, {name: named, type: timestamp, format: "DD Mon YYYY HH12:MI AM"},
      {name: at, type: timestamptz, format: "DD.MM.YYYY HH24:MI:SS TZH:TZM"}, {name: here, type: timestamptz, format: DD.MM.YYYY}, {name: clock, type: time, format: HH12.MI AM},
      {name: cut, type: date, format: DD/MM/YYYY HH24}, {name: rounded, type: timestamp(0), format: "YYYY-MM-DD HH24:MI:SS.FF3"}]
    acceleration: {}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT field, value, pg_temp.load('declared', field, value) AS result FROM (VALUES
	('day', '"03/04/2024"'), ('day', '"3/4/2024"'), ('compact', '20240131'), ('compact', '"20240131"'), ('named', '"31 Jan 2024 10:30 pm"'),
	('at', '"31.01.2024 10:00:00 +01:00"'), ('here', '"31.01.2024"'), ('clock', '"10.30 PM"'), ('rounded', '"2024-01-31 10:00:59.501"'), ('day', '""'),
	('day', '"31/13/2024"'), ('day', '"03/04/2024 10:00"'), ('day', '"2024-04-03"'), ('day', '"03/04"'), ('day', '"today"'), ('compact', '2024'),
	('cut', '"03/04/2024 10"')) v (field, value);
SELECT 'datasets:
  - {from: "file:declared.json", name: words, columns: [{name: word, type: text, format: DD}, {name: cut}], acceleration: {}}
  - {from: "file:declared.json", name: untyped, columns: [{name: day, format: DD}], acceleration: {}}
' :datasets
SELECT dataset, action, detail FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.failure($$SELECT spice_refresh('words')$$);

-- texts that stand for null, when types are found and later
SELECT 'datasets:
  - {from: "file:nulls.csv", name: nulls, params: {null_values: [NA, "-", "-999", ""]}, acceleration: {}}
  - {from: "file:found.json", name: found, params: {null_values: [NA, "12"]}, acceleration: {}}
  - {from: "file:found.json", name: wrong, params: {null_values: [[NA], "a\nb"]}, acceleration: {}}
' :datasets
SELECT dataset, action, detail FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.write('nulls.csv', E'a,b,c,d\n1,-,-999,""\nNA,2024-01-31,5,"-"');
SELECT spice_refresh('nulls');
SELECT pg_temp.types('nulls');
TABLE nulls;
SELECT pg_temp.write('nulls.csv', E'a,b,c,d\n-,NA,-999,NAN');
SELECT spice_refresh('nulls');
TABLE nulls;
SELECT field, value, pg_temp.load('found', field, value) AS result FROM (VALUES ('n', '"NA"'), ('n', '12'), ('n', '"12"')) v (field, value);

-- NaN and Infinity, which JSON does not have
SELECT pg_temp.write('found.json', '[{"x": 1.5, "y": 1, "n": 1}, {"x": NaN, "y": -Infinity}, {"x": Infinity, "y": 1e400}]');
SELECT 'datasets:
  - {from: "file:found.json", name: strict, acceleration: {}}
  - {from: "file:found.json", name: as_null, params: {json_nan: null}, acceleration: {}}
  - {from: "file:found.json", name: as_float, params: {json_nan: float}, columns: [{name: n, type: int}], acceleration: {}}
' :datasets
SELECT dataset, action, detail FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.failure($$SELECT spice_refresh('strict')$$);
SELECT spice_refresh('as_null'), spice_refresh('as_float');
SELECT pg_temp.types('as_float');
SELECT n, x, left(y::text, 10) FROM as_null;
SELECT n, x, left(y::text, 10) FROM as_float;
SELECT pg_temp.write('found.json', '[{"n": NaN}]');
SELECT pg_temp.failure($$SELECT spice_refresh('as_float')$$);
SELECT pg_temp.write('found.json', '[{"n": {"deep": [1, NaN]}}]');
SELECT pg_temp.failure($$SELECT spice_refresh('as_null')$$);

-- values that do not fit, by choice: null, or U+FFFD in the place of what is no character
SELECT format($$datasets:
  - {from: "file:declared.json", name: %s, invalid_value_action: %s, acceleration: {}, columns: [{name: n, type: int}, {name: x, type: float8}, {name: ok, type: boolean},
      {name: day, type: date}, {name: note, type: text}, {name: code, type: varchar(3)}, {name: doc, type: jsonb}, {name: key, type: uuid, nullable: false}]}
$$, 'declared', 'null') :datasets
SELECT dataset, action, detail FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.write('declared.json', $$[{"n": 1, "key": "00000000-0000-0000-0000-000000000000"},
{"n": 2147483648, "x": 1e400, "ok": 1, "day": "0000-00-00", "note": "a\u0000b", "code": "long", "doc": {"a": ["\ud83d", "\u00e9"]}, "key": "00000000-0000-0000-0000-000000000001"}]$$);
SELECT spice_refresh('declared');
SELECT row_to_json(declared) FROM declared;
SELECT notice FROM spice.refreshes LIMIT 1;
SELECT replace(pg_read_file(:'path'), 'action: null', 'action: replace') :manifest
SELECT dataset, action, detail FROM spice_reload();
SELECT spice_refresh('declared');
SELECT row_to_json(declared) FROM declared;
SELECT notice FROM spice.refreshes LIMIT 1;
-- a null where none may be is an error still
SELECT pg_temp.write('declared.json', '[{"n": 1, "key": "none"}]');
SELECT pg_temp.failure($$SELECT spice_refresh('declared')$$);
\i :teardown
