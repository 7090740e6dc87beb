\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- JSON to columns: which types are found, what a column holds, what is refused.

CREATE FUNCTION pg_temp.columns(name regclass) RETURNS TABLE (name name, type text) LANGUAGE sql AS
$$
	SELECT attname, format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
	FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
$$;
-- each dataset below is forgotten before the next, so that its columns are found anew
CREATE FUNCTION pg_temp.forget() RETURNS void LANGUAGE sql AS
$$
	DROP TABLE IF EXISTS j;
	DROP FOREIGN TABLE IF EXISTS spice_source.j;
$$;
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT 'datasets:
  - {from: "SOURCE/j", name: j, acceleration: {}}
' :datasets
SELECT * FROM spice_reload();

-- types
SELECT E'j\n' || json_build_object('body', '[{
 "integer": 1, "minimum": -9223372036854775808, "beyond": 9223372036854775808, "mixed_number": 1, "large_and_decimal": 9007199254740993,
 "decimal": 1.5, "exponent": 1e3, "digits": 0.12345678901234567891, "zero": -0.0, "boolean": true, "text": "word",
 "instant": "2025-03-01T10:00:00Z", "offset": "2025-03-01T10:00:00.123456+02:00", "local": "2025-03-01T10:00:00", "day": "2025-03-01",
 "day_or_instant": "2025-03-01", "object": {"a": [1, null]}, "array": [], "nothing": null,
 "number_or_text": 1, "boolean_or_number": true, "object_or_text": {}, "text_or_day": "soon", "late": 1
 }, {
 "late": 2, "mixed_number": 1.25, "large_and_decimal": 0.5, "day_or_instant": "2025-03-01T00:00:00Z", "number_or_text": "x", "boolean_or_number": 2,
 "object_or_text": "t", "text_or_day": "2025-03-01", "only_here": 7
 }, {"late": 2.5}]') :answer
SELECT spice_refresh('j');
SELECT * FROM pg_temp.columns('j');
\x on
SELECT * FROM j;
\x off

-- names
SELECT pg_temp.forget();
SELECT 'j
{"body": [{"Größe": 1, "ORDER": 2, "a b": 3, "select": 4, "日本": 5, "a\"b": 6, "é": 7, "x.y": 8}]}' :answer
SELECT spice_refresh('j');
TABLE j;
SELECT pg_temp.forget();
SELECT format('j
{"body": [{"%s": 1}]}', repeat('é', 31) || 'x') :answer
SELECT spice_refresh('j');
SELECT pg_temp.forget();
SELECT 'j
{"body": "[{\"a\": 1, \"A\": 2, \"\\u0061\": 3, \"b\": 1, \"b\": null}]"}' :answer
SELECT spice_refresh('j');
TABLE j;

-- layouts
SELECT pg_temp.forget();
SELECT 'j
{"body": {"id": 1, "name": "single"}}' :answer
SELECT spice_refresh('j');
TABLE j;
SELECT pg_temp.forget();
SELECT 'j
{"body": "{\"id\": 1}\n{\"id\": 2}\r\n\n  {\"name\": \"third\"}\n"}' :answer
SELECT spice_refresh('j');
TABLE j;

-- nothing to tell columns from is a state, not a failure
SELECT 'j
{"body": "\ufeff [ ]"}' :answer
SELECT 'datasets:
  - {from: "SOURCE/j", name: bare, acceleration: {}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('bare');
SELECT "table", status, last_error FROM spice.datasets WHERE dataset = 'bare';
SELECT outcome, notice FROM spice.refreshes ORDER BY started DESC LIMIT 1;
SELECT spice_ready();
SELECT 'j
{"body": [{}, {}]}' :answer
SELECT spice_refresh('bare');
SELECT 'j
{"body": [{"id": 1}, {}, {"id": null}]}' :answer
SELECT spice_refresh('bare');
TABLE bare;
SELECT status FROM spice.datasets WHERE dataset = 'bare';
SELECT spice_ready();

-- records that are not the whole of the document
SELECT 'j
{"body": {"meta": {"id": 0}, "data": {"a/b": [[{"id": 1}, {"id": 2}], {"id": 3}], "empty": []}}}' :answer
SELECT 'datasets:
  - {from: "SOURCE/j", name: deep, params: {json_pointer: /data/a~1b/0}, acceleration: {}}
  - {from: "SOURCE/j", name: one, params: {json_pointer: /data/a~1b/1}, acceleration: {}}
  - {from: "SOURCE/j", name: missing, params: {json_pointer: /data/items}, acceleration: {}}
  - {from: "SOURCE/j", name: wrong, params: {json_pointer: /meta/id}, acceleration: {}}
  - {from: "SOURCE/j", name: lines, params: {file_format: jsonl}, acceleration: {}}
  - {from: "SOURCE/j", name: declared, params: {json_pointer: /data/empty}, columns: [{name: id, type: int}, {name: at}], acceleration: {}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('deep'), spice_refresh('one'), spice_refresh('declared');
TABLE deep;
TABLE one;
SELECT * FROM pg_temp.columns('declared');
SELECT spice_refresh('missing');
SELECT spice_refresh('wrong');
SELECT spice_refresh('lines');
TABLE lines;

-- what is no document of records is refused, says where, and changes nothing
SELECT 'datasets:
  - {from: "SOURCE/j", name: j, acceleration: {}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT 'j
{"body": [{"id": 1, "name": "kept", "at": "2025-03-01T10:00:00Z", "ok": true, "x": 0.5, "doc": {}}]}' :answer
SELECT pg_temp.forget();
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"id\": 1}, {\"id\": 2} {\"id\": 3}]"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"id\": 1}, {\"id\": 2"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"id\": 1}] more"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"id\": 1},]"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"id\": 01}]"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"id\": NaN}]"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{''id'': 1}]"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": 1}, 2]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "<html><body>Sign in</body></html>"}' :answer
SELECT pg_temp.failure($$SELECT spice_refresh('j')$$);
SELECT 'j
{"body": ""}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "42"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body_base64": "W3sibmFtZSI6ICJhIn0sIHsibmFtZSI6ICL/In1d"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"generate": {"kind": "repeat", "text": "[", "count": 10000}}' :answer
SELECT spice_refresh('j');

-- what does not fit its column, too
SELECT 'j
{"body": [{"name": "fine"}, {"name": "bad \u0000 one"}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"name\": \"half \\ud83d pair\"}]"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": 9223372036854775808}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": 3.0}, {"id": 3.5}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": "many"}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": [1, 2]}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"x\": 1e400}]"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": "[{\"x\": 0.12345678901234567891}]"}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"ok": 1}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"at": "2025-02-30T00:00:00Z"}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"at": 1740823200}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"doc": {"a": "\u0000"}}]}' :answer
SELECT pg_temp.failure($$SELECT spice_refresh('j')$$);
TABLE j;

-- an error document that comes with status 200, and fields that are no column
SELECT 'j
{"body": {"error": "try again later", "code": 17}}' :answer
SELECT spice_refresh('j');
TABLE j;
SELECT 'j
{"body": [{"id": 1, "colour": "red"}, {"id": 2, "colour": "blue", "size": 1}]}' :answer
SELECT spice_refresh('j');
TABLE j;
SELECT outcome, rows, notice FROM spice.refreshes ORDER BY started DESC LIMIT 1;

-- declared columns win, in their order, with the rest behind them
SELECT 'datasets:
  - from: SOURCE/j
    name: j
    columns:
      - {name: price, type: "numeric(12,2)", nullable: false, description: in euros}
      - {name: key, type: uuid}
      - {name: code, type: varchar(3)}
      - {name: doc, type: jsonb}
      - {name: id, type: integer}
      - {name: tags, type: "text[]"}
      - {name: seen}
      - {name: note, type: text, description: never sent}
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();
SELECT 'j
{"body": [{"id": 1, "price": 9.9, "key": "2f1c5bb0-9a0b-4c5e-8d38-000000000001", "code": "abc", "doc": "text", "seen": "2025-03-01", "tags": "{a,b}", "rest": 1},
 {"id": "2", "price": "10", "key": null, "code": 123, "doc": 1.50, "rest": 2}]}' :answer
SELECT pg_temp.forget();
SELECT spice_refresh('j');
SELECT * FROM pg_temp.columns('j');
TABLE j;
SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
WHERE attrelid = 'j'::regclass AND col_description(attrelid, attnum) IS NOT NULL ORDER BY attnum;
SELECT 'j
{"body": [{"id": 2147483648, "price": 1}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": 1, "price": 12345678901}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": 1, "price": 1, "key": "no uuid"}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": 1, "price": 1, "code": "abcd"}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": 1, "price": 1, "tags": ["a", "b"]}]}' :answer
SELECT spice_refresh('j');
SELECT 'j
{"body": [{"id": 1, "price": 1}, {"id": 2}]}' :answer
SELECT spice_refresh('j');
SELECT 'datasets:
  - {from: "SOURCE/j", name: j, columns: [{name: id, type: intger}], acceleration: {}}
  - {from: "SOURCE/j", name: k, columns: [{name: id, type: cstring}], acceleration: {}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('j');
SELECT spice_refresh('k');
SELECT count(*) FROM j;

\i :teardown
