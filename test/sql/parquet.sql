\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- Parquet to columns: the types that the file says, its values as they are, and what is refused.

CREATE FUNCTION pg_temp.columns(name regclass) RETURNS TABLE (name name, type text) LANGUAGE sql AS
$$
	SELECT attname, format_type(atttypid, atttypmod)
	FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
$$;
CREATE FUNCTION pg_temp.forget() RETURNS void LANGUAGE sql AS
$$
	DROP TABLE IF EXISTS p;
	DROP FOREIGN TABLE IF EXISTS spice_source.p;
$$;
-- a file with these columns and rows
CREATE FUNCTION pg_temp.file(columns json, rows json, options jsonb DEFAULT '{}', path text DEFAULT 'p.parquet')
RETURNS text LANGUAGE sql AS
$$
	SELECT path || E'\n' || (jsonb_build_object('schema', columns, 'rows', rows) || options)
$$;
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT 'datasets:
  - {from: "SOURCE/p.parquet", name: p, acceleration: {}}
' :datasets
SELECT * FROM spice_reload();

-- every type has its column
SELECT pg_temp.file('[
	{"name": "flag", "type": "boolean"}, {"name": "small", "type": "int32", "logical": "int-16"},
	{"name": "number", "type": "int32"}, {"name": "large", "type": "int64"},
	{"name": "byte", "type": "int32", "logical": "uint-8"}, {"name": "unsigned", "type": "int32", "logical": "uint-32"},
	{"name": "huge", "type": "int64", "logical": "uint-64"}, {"name": "single", "type": "float"},
	{"name": "double", "type": "double"}, {"name": "half", "type": "fixed", "length": 2, "logical": "float16"},
	{"name": "price", "type": "int32", "logical": "decimal-9-2"}, {"name": "long_price", "type": "fixed", "length": 16, "logical": "decimal-38-10"},
	{"name": "day", "type": "int32", "logical": "date"}, {"name": "clock", "type": "int64", "logical": "time-micros"},
	{"name": "local", "type": "int64", "logical": "timestamp-millis"}, {"name": "instant", "type": "int64", "logical": "timestamp-micros-utc"},
	{"name": "exact", "type": "int64", "logical": "timestamp-nanos-utc"}, {"name": "old", "type": "int96"},
	{"name": "words", "type": "binary", "logical": "string"}, {"name": "old_words", "type": "binary", "converted": 0},
	{"name": "document", "type": "binary", "logical": "json"}, {"name": "bytes", "type": "binary"},
	{"name": "id", "type": "fixed", "length": 16, "logical": "uuid"}, {"name": "span", "type": "fixed", "length": 12, "converted": 21},
	{"name": "nothing", "type": "int32", "logical": "null"}]', '[
	[true, -32768, -2147483648, -9223372036854775808, 255, 4294967295, 18446744073709551615, 0.1, 1.7976931348623157e308,
		{"hex": "003c"}, -150, {"hex": "ffffffffffffffffffffffffffffff85"}, -719162, 86399999999, -1, 1700000000123456,
		1700000000123456789, {"hex": "0000000000000000b8752500"}, "zwölf \"q\" \\", "alt", "{\"a\": [1, null]}", {"hex": "00ff"},
		{"hex": "0123456789abcdef0123456789abcdef"}, {"hex": "0e00000003000000e8030000"}, null],
	[null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null]]') :parquet
SELECT spice_refresh('p');
SELECT * FROM pg_temp.columns('p');
\x on
SELECT * FROM p;
\x off

-- lists of scalars are arrays, what is nested otherwise is jsonb
SELECT pg_temp.forget();
SELECT pg_temp.file('[
	{"name": "tags", "logical": "list", "children": [{"name": "list", "repetition": "repeated", "children": [{"name": "element", "type": "binary", "logical": "string"}]}]},
	{"name": "bare", "type": "int32", "repetition": "repeated"},
	{"name": "address", "children": [{"name": "city", "type": "binary", "logical": "string"}, {"name": "zip", "type": "int32"}]},
	{"name": "prices", "logical": "map", "children": [{"name": "key_value", "repetition": "repeated", "children": [{"name": "key", "type": "int32", "repetition": "required"}, {"name": "value", "type": "double"}]}]},
	{"name": "matrix", "logical": "list", "children": [{"name": "list", "repetition": "repeated", "children": [{"name": "element", "logical": "list", "children": [{"name": "list", "repetition": "repeated", "children": [{"name": "element", "type": "int64"}]}]}]}]}]', '[
	[{"list": [{"element": "a"}, {"element": null}, {"element": ""}]}, [1, 2], {"city": "Köln", "zip": 50667}, {"key_value": [{"key": 1, "value": 0.5}, {"key": 2}]}, {"list": [{"element": {"list": [{"element": 1}, {"element": 2}]}}, {"element": {"list": []}}, {"element": null}]}],
	[{"list": []}, [], {"city": null}, {"key_value": []}, {"list": []}],
	[null, [], null, null, null]]') :parquet
SELECT spice_refresh('p');
SELECT * FROM pg_temp.columns('p');
SELECT tags, tags IS NULL AS no_tags, bare FROM p;
SELECT address, prices, matrix FROM p;

-- encodings, versions of pages, compression, pages and row groups make no difference
CREATE TEMPORARY TABLE encodings (encoding text, version int, codec text, page_rows int, group_rows int, rows int, digest text);
SELECT format($f$
SELECT pg_temp.forget();
SELECT pg_temp.file('[{"name": "id", "type": "int64", "repetition": "required"}, {"name": "n", "type": "int32"}, {"name": "f", "type": "double"}, {"name": "t", "type": "binary", "logical": "string"}, {"name": "b", "type": "boolean"}]',
	(SELECT json_agg(json_build_array(i, CASE WHEN i %% 3 > 0 THEN i %% 7 END, i / 4.0, CASE WHEN i %% 5 > 0 THEN 'text ' || i / 10 END, i %% 2 = 0)) FROM generate_series(1, 500) i),
	%L) :parquet
SELECT spice_refresh('p');
INSERT INTO encodings SELECT %L, %s, %L, %L, %L, count(*), md5(string_agg(p::text, ',' ORDER BY id)) FROM p;
$f$, jsonb_build_object('encoding', e, 'version', v, 'codec', c, 'page_rows', p, 'group_rows', g, 'crc', true), e, v, c, p, g)
FROM (VALUES ('plain', 1, 'none', NULL::int, NULL::int), ('plain', 2, 'gzip', 7, 100), ('dictionary', 1, 'gzip', 100, NULL),
	('dictionary', 2, 'none', 33, 250), ('delta', 2, 'none', NULL, NULL), ('delta-length', 1, 'none', 64, NULL),
	('delta-text', 2, 'gzip', 64, 333), ('split', 1, 'none', NULL, 499)) v(e, v, c, p, g) \g (format=unaligned tuples_only=on) statements.out
\set ECHO none
\o /dev/null
\i statements.out
\o
\set ECHO all
\! rm -f statements.out
SELECT encoding, version, codec, page_rows, group_rows, rows, digest = first_value(digest) OVER (ORDER BY encoding, version) AS same FROM encodings ORDER BY encoding, version;

-- declared types take the values' texts, and an error says which value does not fit
SELECT 'datasets:
  - from: "SOURCE/p.parquet"
    name: p
    columns: [{name: number, type: text}, {name: words, type: integer}, {name: price, type: "numeric(6,1)"}, {name: late, type: date}]
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();
SELECT pg_temp.forget();
SELECT pg_temp.file('[{"name": "number", "type": "int64"}, {"name": "words", "type": "binary", "logical": "string"}, {"name": "price", "type": "int32", "logical": "decimal-9-2"}]', '[[12, "13", 1405]]') :parquet
SELECT spice_refresh('p');
TABLE p;
SELECT pg_temp.file('[{"name": "number", "type": "int64"}, {"name": "words", "type": "binary", "logical": "string"}]', '[[1, "1"], [2, "two"]]') :parquet
SELECT pg_temp.failure($$SELECT spice_refresh('p')$$);
SELECT pg_temp.file('[{"name": "words", "type": "binary", "logical": "string"}]', '[[{"hex": "ff"}]]') :parquet
SELECT pg_temp.failure($$SELECT spice_refresh('p')$$);
TABLE p;

-- a column that the table does not have is named
SELECT pg_temp.file('[{"name": "number", "type": "int64"}, {"name": "extra", "type": "int64"}, {"name": "other", "type": "int64"}]', '[[1, 2, 3], [4, 5, 6]]') :parquet
SELECT spice_refresh('p');
SELECT outcome, rows, notice FROM spice.refreshes LIMIT 1;

-- a file that is not whole is refused
SELECT E'p.parquet\n{"body": "id,name"}' :answer
SELECT pg_temp.failure($$SELECT spice_refresh('p')$$);
SELECT E'p.parquet\n{"body": "PAR1 and no more"}' :answer
SELECT pg_temp.failure($$SELECT spice_refresh('p')$$);
TABLE p;
\i :teardown
