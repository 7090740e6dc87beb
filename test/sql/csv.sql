\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- CSV and TSV to columns: which types are found, which field goes where, what is refused.

CREATE FUNCTION pg_temp.columns(name regclass) RETURNS TABLE (name name, type text) LANGUAGE sql AS
$$
	SELECT attname, format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
	FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
$$;
-- each dataset below is forgotten before the next, so that its columns are found anew
CREATE FUNCTION pg_temp.forget() RETURNS void LANGUAGE sql AS
$$
	DROP TABLE IF EXISTS c;
	DROP FOREIGN TABLE IF EXISTS spice_source.c;
$$;
-- an answer with this text as its body
CREATE FUNCTION pg_temp.answer(body text, path text DEFAULT 'c.csv') RETURNS text LANGUAGE sql AS
$$
	SELECT path || E'\n' || json_build_object('body', body, 'headers', json_build_object('Content-Type', 'text/csv'))
$$;
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT 'datasets:
  - {from: "SOURCE/c.csv", name: c, acceleration: {}}
' :datasets
SELECT * FROM spice_reload();

-- types: the narrowest that hold every value; what only looks like a number stays as it is
SELECT pg_temp.answer($csv$integer,minimum,beyond,mixed_number,large_and_decimal,decimal,exponent,digits,boolean,any_case,text,zip,plus,point,instant,local,day,day_or_instant,nothing,number_or_text,letters,quoted_number,quoted_empty,late
1,-9223372036854775808,9223372036854775808,1,9007199254740993,1.5,1e3,0.12345678901234567891,true,TRUE,word,00501,+1,.5,2025-03-01T10:00:00Z,2025-03-01 10:00:00,2025-03-01,2025-03-01,,1,t,"7","",1
2,,,1.25,0.5,-0.25,1,1,false,False,"a ""b"", c",10115,1,1.,2025-03-01 10:00:00.123456+02,2025-03-01T10:00,2025-03-02,2025-03-01T00:00:00Z,,x,f,8,1,2
3,,,,,,,,,,"two
lines",,,,,,,,,,,,,2.5
$csv$) :answer
SELECT spice_refresh('c');
SELECT * FROM pg_temp.columns('c');
\x on
SELECT * FROM c;
\x off

-- an empty field is null unless it is quoted
SELECT pg_temp.forget();
SELECT pg_temp.answer(E'a,b\n,""\n"",\nnull,NULL\n') :answer
SELECT spice_refresh('c');
SELECT a, a IS NULL AS no_a, b, b IS NULL AS no_b FROM c;
-- one column: a blank line is a null; several: it is nothing
SELECT pg_temp.forget();
SELECT pg_temp.answer(E'a\n1\n\n3\n') :answer
SELECT spice_refresh('c');
SELECT count(*), count(a) FROM c;
SELECT pg_temp.forget();
SELECT pg_temp.answer(E'\n\na,b\n1,2\n\n3,4\n\n') :answer
SELECT spice_refresh('c');
TABLE c;

-- line breaks of every kind, a byte order mark, no break at the end, \. that means nothing
SELECT pg_temp.forget();
SELECT pg_temp.answer(E'\uFEFFid,name\r\n1,a\r\n2,"b\r\nc"\n3,d\r4,\\.\r\n\\.,5') :answer
SELECT spice_refresh('c');
SELECT id, to_json(name) FROM c;

-- fields are found by name: moved, new and missing ones
SELECT pg_temp.forget();
SELECT pg_temp.answer(E'id,name,price\n1,a,1.5\n2,b,2\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'price,colour,id,name\n2.5,red,3,c\n,,4,d\n') :answer
SELECT spice_refresh('c');
TABLE c;
SELECT outcome, rows, notice FROM spice.refreshes LIMIT 1;
SELECT pg_temp.answer(E'id\n5\n') :answer
SELECT spice_refresh('c');
TABLE c;
-- a header alone is no record
SELECT pg_temp.answer(E'price,name,id\n') :answer
SELECT spice_refresh('c');
TABLE c;
-- of the foreign table, only what a query asks for is made a value
SELECT pg_temp.answer(E'id,name,price\n1,a,x\n2,b,2\n') :answer
SELECT id, name FROM spice_source.c WHERE id > 1;
SELECT count(*) FROM spice_source.c;
SELECT * FROM spice_source.c LIMIT 1;
SELECT a.id FROM spice_source.c a, spice_source.c b WHERE a.id < b.id;

-- the same bytes again
SELECT pg_temp.answer(E'id,name,price\n1,a,3\n') :answer
SELECT spice_refresh('c');
SELECT spice_refresh('c');
SELECT outcome, rows FROM spice.refreshes LIMIT 1;

-- what is refused says where, and changes nothing
SELECT pg_temp.answer(E'id,name,price\n1,a,1\n2,b\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n1,a,1,2\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n1,"a\nb",1\n2,"c,2\n3,d,3\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n1,"a "b" c",1\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n1,"a\n\n",1\n2,b,many\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n1.5,a,1\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n9223372036854775808,a,1\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n1,a,1e400\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n1,a,0.12345678901234567891\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id,name,price\n"1 2",a,1\n') :answer
SELECT spice_refresh('c');
SELECT E'c.csv\n{"body_base64": "aWQsbmFtZSxwcmljZQoxLGEsMQoyLP8sMQo="}' :answer
SELECT spice_refresh('c');
SELECT E'c.csv\n{"body_base64": "aWQsbmFtZSxwcmljZQoxLGEAYiwxCg=="}' :answer
SELECT spice_refresh('c');
SELECT E'c.csv\n{"body": "id,name,price\\n1,a,1\\n2,b,2\\n", "truncate_after": 20}' :answer
SELECT substring(pg_temp.failure($$SELECT spice_refresh('c')$$), '^[^\n]*');
SELECT pg_temp.answer('') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'<!DOCTYPE html>\n<html><body>Sign in</body></html>\n') :answer
SELECT pg_temp.failure($$SELECT spice_refresh('c')$$);
SELECT pg_temp.answer('{"error": "try again later", "code": 17}') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'id;name;price\n1;a;1\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(repeat(',', 1600)) :answer
SELECT spice_refresh('c');
TABLE c;

-- no page and no header alone makes a table, either
SELECT pg_temp.forget();
SELECT pg_temp.answer(E'  <HTML><body>Sign in</body></html>\n') :answer
SELECT pg_temp.failure($$SELECT spice_refresh('c')$$);
SELECT pg_temp.answer(E'id,name\n') :answer
SELECT spice_refresh('c');
SELECT outcome, notice FROM spice.refreshes LIMIT 1;
SELECT to_regclass('c');

-- declared columns
SELECT 'datasets:
  - from: SOURCE/c.csv
    name: c
    columns:
      - {name: price, type: "numeric(12,2)", nullable: false}
      - {name: key, type: uuid}
      - {name: ok, type: boolean}
      - {name: small, type: smallint}
      - {name: doc, type: jsonb}
      - {name: tags, type: "text[]"}
      - {name: zip, type: text}
      - {name: day, type: date}
      - {name: real, type: real}
      - {name: note, type: text, description: never sent}
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();
SELECT pg_temp.answer($csv$zip,price,key,ok,small,doc,tags,day,real,rest
00501,9.999,2f1c5bb0-9a0b-4c5e-8d38-000000000001,t,1,"{""a"": [1, null]}","{a,""b c""}",2025-03-01,1.5,1
1,10,,F,-2,"""text""",{},"March 2, 2025",NaN,2
,1,,yes,,1.50,,,,
,1,,0,,null,,,,
$csv$) :answer
SET datestyle = 'German, DMY';
SELECT spice_refresh('c');
RESET datestyle;
SELECT * FROM pg_temp.columns('c');
\x on
TABLE c;
\x off
SELECT pg_temp.answer(E'price,ok\n1,maybe\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'price,small\n1,32768\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'price,doc\n1,{a}\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'price,day\n1,2025-03-01T10:00:00Z\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'price,zip\n,1\n') :answer
SELECT spice_refresh('c');

-- without a header
SELECT 'datasets:
  - {from: "SOURCE/c.csv", name: c, params: {csv_has_header: false}, columns: [{name: column_3, type: text}], acceleration: {}}
' :datasets
SELECT * FROM spice_reload();
SELECT pg_temp.forget();
SELECT pg_temp.answer('') :answer
SELECT spice_refresh('c');
SELECT outcome FROM spice.refreshes LIMIT 1;
SELECT pg_temp.answer(E'1,a,7\n2,b,8\n') :answer
SELECT pg_temp.forget();
SELECT spice_refresh('c');
SELECT * FROM pg_temp.columns('c');
TABLE c;
SELECT pg_temp.answer(E'3,c,9,new\n') :answer
SELECT spice_refresh('c');
TABLE c;
SELECT notice FROM spice.refreshes LIMIT 1;
SELECT pg_temp.answer(E'4,d\n') :answer
SELECT spice_refresh('c');
SELECT pg_temp.answer(E'<html>\n') :answer
SELECT pg_temp.failure($$SELECT spice_refresh('c')$$);
SELECT pg_temp.answer('') :answer
SELECT spice_refresh('c');
TABLE c;

-- other delimiters, quotes and escapes; TSV; settings without effect
SELECT pg_temp.answer(E'id;text\n1;''a;\\''b\\''''\n2;"c"\n') :answer
SELECT pg_temp.answer(E'id\ttext\n1\t"a\tb"\n2\tc "d"\n', 't.tsv') :answer
SELECT pg_temp.answer(E'id\ttext\n1\t"a, b\n', 'open') :answer
SELECT $yaml$datasets:
  - {from: "SOURCE/c.csv", name: c, params: {csv_delimiter: ";", csv_quote: "'", csv_escape: '\'}, acceleration: {}}
  - {from: "SOURCE/t.tsv", name: t, acceleration: {}}
  - {from: "SOURCE/open", name: open, params: {file_format: tsv, tsv_quote: ""}, acceleration: {}}
  - {from: "SOURCE/t.tsv", name: other, params: {csv_delimiter: "|"}, acceleration: {}}
$yaml$ :datasets
SELECT * FROM spice_validate(pg_read_file(:'path'));
SELECT dataset, action FROM spice_reload();
SELECT pg_temp.forget();
SELECT spice_refresh('c'), spice_refresh('t'), spice_refresh('open');
TABLE c;
TABLE t;
TABLE open;
-- another delimiter is another source
SELECT $yaml$datasets:
  - {from: "SOURCE/c.csv", name: c, params: {csv_delimiter: "|", csv_quote: ""}, acceleration: {}}
$yaml$ :datasets
SELECT dataset, action FROM spice_reload() WHERE dataset = 'c';
SELECT spice_refresh('c');
TABLE c;

-- append, and a source that changes its columns
SELECT 'datasets:
  - from: SOURCE/a.csv
    name: a
    time_column: at
    on_schema_change: append_new_columns
    acceleration: {refresh_mode: append, primary_key: id, on_conflict: {id: upsert}}
  - {from: "SOURCE/a.csv", name: sync, on_schema_change: sync_all_columns, acceleration: {}}
  - {from: "SOURCE/a.csv", name: fail, on_schema_change: fail, acceleration: {}}
' :datasets
SELECT dataset, action FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.answer(E'id,at,name\n1,2025-03-01,a\n2,2025-03-02,b\n', 'a.csv') :answer
SELECT spice_refresh('a'), spice_refresh('sync'), spice_refresh('fail');
SELECT pg_temp.answer(E'at,id,size\n2025-03-02,2,5\n2025-03-03,3,6\n', 'a.csv') :answer
SELECT spice_refresh('a'), spice_refresh('sync');
SELECT spice_refresh('fail');
SELECT * FROM a ORDER BY id;
SELECT * FROM sync ORDER BY id;
SELECT * FROM fail ORDER BY id;

-- what COPY writes is read back as it was: quotes, delimiters and breaks of all kinds
CREATE TABLE made AS
SELECT n AS id, CASE WHEN n % 7 > 0 THEN
	(SELECT string_agg((ARRAY['"', ',', ';', E'\t', E'\n', E'\r', E'\r\n', ' ', 'a', 'é', '日', '𝄞', '\', '''', '""', '0', '', E'\x01'])[1 + (hashint8(n * 31 + i) & 2147483647) % 18], '')
	 FROM generate_series(0, (hashint4(n) & 2147483647) % 40) i) END AS text,
	(hashint8(n)::float8 / 1000) AS number, n % 3 = 0 AS ok,
	timestamptz '2025-01-01 00:00:00+00' + n * interval '1 hour 1.000001 s' AS at
FROM generate_series(1, 5000) n;
\getenv folder FOLDER
SELECT format('COPY made TO %L (FORMAT csv, HEADER)', :'folder' || '/made.csv') AS csv,
	format('COPY made TO %L (FORMAT csv, HEADER, DELIMITER E''\t'', QUOTE '''''''', ESCAPE ''\'', FORCE_QUOTE *)', :'folder' || '/made.tsv') AS tsv \gset
\! chmod 777 "$FOLDER"
SET datestyle = 'ISO';
:csv;
:tsv;
RESET datestyle;
SELECT format('made.csv
{"body_file": "%s/made.csv"}', :'folder') :answer
SELECT format('made.tsv
{"body_file": "%s/made.tsv"}', :'folder') :answer
SELECT $yaml$datasets:
  - {from: "SOURCE/made.csv", name: from_csv, columns: [{name: ok, type: boolean}], acceleration: {}}
  - {from: "SOURCE/made.tsv", name: from_tsv, columns: [{name: ok, type: boolean}], params: {tsv_quote: "'", tsv_escape: '\'}, acceleration: {}}
$yaml$ :datasets
SELECT dataset, action FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('from_csv'), spice_refresh('from_tsv');
SELECT * FROM pg_temp.columns('from_csv');
SELECT count(*), count(text) FROM (SELECT id, text, number, ok, at FROM made EXCEPT ALL SELECT id, text, number, ok, at FROM from_csv) d;
SELECT count(*), count(text) FROM (SELECT id, text, number, ok, at FROM made EXCEPT ALL SELECT id, text, number, ok, at FROM from_tsv) d;

-- a definition that another version has written, without what this one adds
SELECT 'datasets:
  - {from: SOURCE/older.csv, name: older, acceleration: {enabled: true}}
' :datasets
SELECT * FROM spice_reload() WHERE action = 'added';
SELECT E'older.csv\n' || json_build_object('body', E'a,b\n1,"x"\n') :answer
UPDATE spice_catalog.dataset SET definition = definition - 'csv_quote' - 'csv_escape' WHERE name = 'older';
SELECT spice_refresh('older');
TABLE older;
\i :teardown
