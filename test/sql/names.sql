\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- Names of datasets, schemas, fields and secret stores are data, whatever is in them.
CREATE TABLE regress_victim (id integer);
CREATE VIEW refreshed AS SELECT outcome, inserted, updated, unchanged, deleted, error FROM spice.refreshes LIMIT 1;

-- what cannot be a table's name without quotes is refused, and what would be another's
SELECT 'datasets:
' || string_agg(format(E'  - {from: "SOURCE/none", name: %s, acceleration: {}}', to_jsonb(name)), E'\n' ORDER BY n)
FROM unnest(ARRAY['"; DROP TABLE regress_victim; --', 'two words', 'semi;colon', E'new\nline', 'back\slash', '$$', 'a%s',
	'select', 'Select', '"open', '""', '"a"b', 'a."b".c', '.a', 'a.', 'pg_catalog.a', '"pg_x".a', 'spice.a', '"spice_source".a',
	'information_schema.a', repeat('n', 64), repeat('ä', 32), 'schema.' || repeat('n', 64), repeat('s', 64) || '.a',
	'same-name', 'same_name', 'SAME-NAME', '"same_name"', 'public.same-name']) WITH ORDINALITY AS u(name, n) :datasets
SELECT dataset, action, detail FROM spice_reload();

-- anything in quotes is one, to the letter
SELECT E'n\n'::text || jsonb_build_object('body', jsonb_build_array(jsonb_build_object('id', 1))) :answer
CREATE TABLE names (n serial, name text);
INSERT INTO names (name) VALUES ('"""; DROP TABLE regress_victim; --"'), (''''), (E'"line\nbreak"'), ('"back\slash"'),
	('"$$ $1 $a$"'), ('"%s%n%1$s"'), ('"select"'), ('"Mixed Case"'), ('" blanks "'), ('"tab' || E'\t"'), ('"*"'), ('"?column?"'),
	('"{watermark}"'), ('products'), (U&'"\0440roducts"'), ('"PRODUCTS"'), ('"' || repeat('n', 62) || 'a"'), ('"' || repeat('n', 62) || 'b"'),
	('"' || repeat('ä', 31) || 'a"'), ('"a.b"'), ('a.b'), ('"a"".""b"'), ('"a."".b"'), ('"."'), ('".a.1"'), ('"7"'),
	('"""; DROP TABLE regress_victim; --".t'), ('"a.b".c'), ('a."b.c"'),
	(repeat('s', 40) || '.' || repeat('t', 40) || '_a'), (repeat('s', 40) || '.' || repeat('t', 40) || '_b');
UPDATE names SET name = '"''; DROP TABLE regress_victim; --"' WHERE name = '''';
SELECT 'datasets:
' || string_agg(format(E'  - {from: "SOURCE/n?%s", name: %s, acceleration: {}}', n, to_jsonb(name)), E'\n' ORDER BY n)
FROM names :datasets
SELECT action, count(*) FROM spice_reload() WHERE detail IS DISTINCT FROM 'left the manifest' GROUP BY action;
SELECT (SELECT d FROM spice_reload() d WHERE action <> 'unchanged' LIMIT 1) AS changed;
SELECT count(spice_refresh(name)) FROM names;
-- each has a table, an index of its own, and a source that is its own
SELECT count(*), count(DISTINCT relation), count(DISTINCT source_relation) FROM spice_catalog.dataset WHERE in_manifest;
SELECT d.name, d.relation::regclass::text AS "table", replace(source_relation::regclass::text, '.' || d.id || '"', '.ID"') AS source,
	(SELECT ftoptions = ARRAY['dataset=' || d.name] FROM pg_foreign_table WHERE ftrelid = source_relation) AS own
FROM spice_catalog.dataset d WHERE in_manifest ORDER BY id;
SELECT name FROM names WHERE name NOT IN (SELECT dataset FROM spice.datasets);
SELECT count(*) FILTER (WHERE rows = 1) AS loaded FROM spice.datasets WHERE status = 'ready';
-- every function takes them
SELECT count(spice_pause(name)), count(spice_resume(name)) FROM names;
SELECT 'datasets: []' :datasets
SELECT count(*) FROM spice_reload() WHERE action = 'removed';
SELECT count(spice_drop(name)) FROM names;
SELECT count(*) AS left_over FROM pg_class WHERE relkind IN ('r', 'f') AND (relnamespace = 'spice_source'::regnamespace
	OR relnamespace = 'public'::regnamespace AND quote_ident(relname) IN (SELECT name FROM names UNION ALL SELECT btrim(name, '"') FROM names));
-- an argument is a name and nothing else
SELECT pg_temp.failure(format('SELECT spice_refresh(%L)', name)) FROM unnest(ARRAY['x"; DROP TABLE regress_victim; --', '', E'a\nb', '%s', '\']) name;

-- fields are columns, to the letter
CREATE TABLE fields (n serial, name text);
INSERT INTO fields (name) VALUES ('when'), ('"; DROP TABLE regress_victim; --'), ('''; DROP TABLE regress_victim; --'), ('"'), (''''), ('""'),
	('sel''ect'), ('select'), ('user'), (E'new\nline'), (E'tab\t'), ('back\slash'), ('\'), ('$$'), ('$1'), ('%s%n'), ('%'), (' '), ('*'),
	('Name'), ('name'), ('NAME'), (U&'n\0430me'), (U&'na\0301me'), (U&'n\00E1me'), ('{watermark}'), ('-- '), ('/*'), ('constraint'), ('oid'),
	(repeat('f', 62) || 'a'), (repeat('f', 62) || 'b'), (repeat('ä', 31) || 'a');
CREATE FUNCTION pg_temp.records(VARIADIC records text[]) RETURNS text LANGUAGE sql AS
$$
	SELECT E'f\n'::text || jsonb_build_object('body', jsonb_agg(record ORDER BY r)) FROM
		(SELECT r, json_object_agg(name, CASE n WHEN 1 THEN to_jsonb(split_part(r, ' ', 2)) WHEN 2 THEN to_jsonb(split_part(r, ' ', 3))
			ELSE to_jsonb(split_part(r, ' ', 1)::int) END ORDER BY n) AS record FROM unnest(records) r, fields GROUP BY r) x
$$;
SELECT pg_temp.records('1 2024-01-01T00:00:00Z a', '2 2024-01-02T00:00:00Z b') :answer
SELECT 'datasets:
  - from: SOURCE/f
    name: f
    acceleration:
      primary_key: "back\\slash, %s%n, $$"
      indexes: ' || json_build_object('sel''ect', 'enabled', '(select, user)', 'unique', '*', 'enabled', '{watermark}', 'unique', 'name', 'enabled',
		repeat('f', 62) || 'a', 'enabled', repeat('f', 62) || 'b', 'enabled', U&'n\0430me', 'enabled') :datasets
SELECT dataset, action, detail FROM spice_reload();
SELECT spice_refresh('f');
SELECT count(*) FROM pg_attribute JOIN fields ON attname = name WHERE attrelid = 'f'::regclass;
SELECT indexdef FROM pg_indexes WHERE tablename = 'f' ORDER BY indexdef COLLATE "C";
SELECT sum((to_jsonb(f) ->> fields.name)::int) FROM f, fields WHERE n > 2;
-- as text they are quoted by whoever writes them
SELECT 'datasets:
  - from: SOURCE/f
    name: f
    acceleration:
      refresh_sql: '::text || to_jsonb('SELECT ' || string_agg(quote_ident(name), ', ' ORDER BY n DESC) || ' FROM f WHERE "%s%n" = 1') FROM fields :datasets
SELECT dataset, action, detail FROM spice_reload();
SELECT spice_refresh('f');
SELECT sum((to_jsonb(f) ->> fields.name)::int) FROM f, fields WHERE n > 2;
-- and in every way of merging them
CREATE FUNCTION pg_temp.merged(action text) RETURNS text LANGUAGE sql AS
$$
	SELECT E'datasets:\n  - from: SOURCE/f\n    name: f\n    time_column: when\n    acceleration:\n      refresh_mode: append\n'
		|| E'      primary_key: "back\\\\slash, %s%n, $1, *"\n      on_conflict: {"back\\\\slash, %s%n, $1, *": ' || $1 || E'}\n'
		|| E'      refresh_append_overlap: 1d\n      refresh_sql: SELECT * FROM f WHERE "%s%n" > 0'
$$;
SELECT pg_temp.merged('drop') :datasets
SELECT dataset, action, detail FROM spice_reload();
DROP TABLE f;
SELECT pg_temp.records('1 2024-01-01T00:00:00Z a', '2 2024-01-02T00:00:00Z b') :answer
SELECT spice_refresh('f');
SELECT pg_temp.records('2 2024-01-02T00:00:00Z c', '3 2024-01-03T00:00:00Z d') :answer
SELECT spice_refresh('f');
TABLE refreshed;
SELECT "%s%n", """; DROP TABLE regress_victim; --" AS text FROM f ORDER BY 1;
SELECT pg_temp.merged('upsert') :datasets
SELECT dataset, action, detail FROM spice_reload();
DROP TABLE f;
SELECT pg_temp.records('1 2024-01-01T00:00:00Z a', '2 2024-01-02T00:00:00Z b') :answer
SELECT spice_refresh('f');
SELECT pg_temp.records('2 2024-01-02T00:00:00Z c', '3 2024-01-03T00:00:00Z d') :answer
SELECT spice_refresh('f');
TABLE refreshed;
SELECT "%s%n", """; DROP TABLE regress_victim; --" AS text FROM f ORDER BY 1;
SELECT pg_temp.merged('upsert_dedup') :datasets
SELECT dataset, action, detail FROM spice_reload();
DROP TABLE f;
SELECT pg_temp.records('1 2024-01-01T00:00:00Z a', '2 2024-01-02T00:00:00Z b') :answer
SELECT spice_refresh('f');
SELECT pg_temp.records('2 2024-01-02T00:00:00Z c', '3 2024-01-03T00:00:00Z d') :answer
SELECT spice_refresh('f');
TABLE refreshed;
SELECT "%s%n", """; DROP TABLE regress_victim; --" AS text FROM f ORDER BY 1;
SELECT pg_temp.merged('upsert_dedup_by_row_id') :datasets
SELECT dataset, action, detail FROM spice_reload();
DROP TABLE f;
SELECT pg_temp.records('1 2024-01-01T00:00:00Z a', '2 2024-01-02T00:00:00Z b') :answer
SELECT spice_refresh('f');
SELECT pg_temp.records('2 2024-01-02T00:00:00Z c', '3 2024-01-03T00:00:00Z d') :answer
SELECT spice_refresh('f');
TABLE refreshed;
SELECT "%s%n", """; DROP TABLE regress_victim; --" AS text FROM f ORDER BY 1;
-- without a key
SELECT 'datasets:
  - from: SOURCE/f
    name: f
    time_column: when
    acceleration: {refresh_mode: append}' :datasets
SELECT dataset, action, detail FROM spice_reload();
SELECT spice_refresh('f');
TABLE refreshed;
SELECT spice_refresh('f');
TABLE refreshed;
-- columns that come and go
SELECT 'datasets:
  - from: SOURCE/f
    name: f
    on_schema_change: sync_all_columns
    acceleration: {}' :datasets
SELECT dataset, action, detail FROM spice_reload();
SELECT spice_refresh('f');
SELECT 'f
{"body": [{"x\"; DROP TABLE regress_victim; --": 1, "$$": 2}]}' :answer
SELECT spice_refresh('f');
SELECT attname FROM pg_attribute WHERE attrelid = 'f'::regclass AND attnum > 0 AND NOT attisdropped;

-- CSV has them in its header
SELECT E'c\n'::text || jsonb_build_object('body', (SELECT string_agg('"' || replace(name, '"', '""') || '"', ',' ORDER BY n) || E'\n' || string_agg(n::text, ',' ORDER BY n) || E'\n'
	FROM fields)) :answer
SELECT 'datasets:
  - {from: SOURCE/c, name: c, params: {file_format: csv}, acceleration: {primary_key: "back\\slash, %s%n, $$"}}' :datasets
SELECT dataset, action, detail FROM spice_reload();
SELECT spice_refresh('c');
SELECT count(*) FROM c, fields WHERE (to_jsonb(c) ->> fields.name)::int = n;

-- what cannot be a column's name is another one there, as a field and in the header
SELECT 'datasets:
  - {from: SOURCE/r, name: r, acceleration: {}}
  - {from: SOURCE/rc, name: rc, params: {file_format: csv}, acceleration: {}}' :datasets
SELECT dataset, action, detail FROM spice_reload();
SELECT E'r\n'::text || format('{"body": [{"": 1, "%s": 2, "%s": 3, "xmin": 4, "?column?": 5, "a\u0000b": 6, "%s": 7}]}',
	repeat('n', 64), repeat('ä', 32), repeat('x', 54) || '; DROP TABLE regress_victim; --') :answer
SELECT spice_refresh('r');
SELECT key, value FROM r, json_each(row_to_json(r));
SELECT E'rc\n'::text || jsonb_build_object('body', format(E'"",%s,ctid,a,a,"a",id,%s\n1,2,3,4,5,6,7,8\n', repeat('n', 64),
	'"' || repeat('x', 54) || '""; DROP TABLE regress_victim; --"')) :answer
SELECT spice_refresh('rc');
SELECT key, value FROM rc, json_each(row_to_json(rc));
SELECT spice_refresh('rc');
-- two names that are the same up to the 63rd byte are not one
SELECT 'datasets:
  - {from: SOURCE/r, name: two, acceleration: {}}' :datasets
SELECT dataset, action, detail FROM spice_reload() WHERE action <> 'removed';
SELECT E'r\n'::text || jsonb_build_object('body', jsonb_build_array(jsonb_build_object(repeat('n', 63) || 'a', 1, repeat('n', 63) || 'b', 2))) :answer
SELECT spice_refresh('two');
SELECT key, value FROM two, json_each(row_to_json(two));

-- columns, keys and secret stores of the manifest
SELECT line, dataset, severity, message FROM spice_validate($$
version: v1
kind: Spicepod
name: n
secrets:
  - {from: "env", name: "\"; DROP TABLE regress_victim; --"}
  - {from: "file:a", name: "two words"}
  - {from: "env:'; DROP TABLE regress_victim; --", name: ok}
$$);
SELECT line, dataset, severity, message FROM spice_validate($$
version: v1
kind: Spicepod
name: n
datasets:
  - from: http://h/a
    name: a
    time_column: "; DROP"
    params: {http_password: "${\"; DROP:KEY}"}
    columns:
      - {name: "", type: text}
      - {name: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn, type: text}
    acceleration:
      primary_key: "a\"b"
      indexes: {"(a;b)": enabled, "a:b": enabled, "lower(a)": enabled, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn": enabled}
      on_conflict: {"a) DO NOTHING; --": upsert}
$$);
SELECT 'r
{"body": [{"id": 1}]}' :answer
SELECT 'datasets:
' || string_agg(format(E'  - {from: SOURCE/r, name: r%s, columns: [{name: id, type: %s}], acceleration: {}}', n, to_jsonb(type)), E'\n' ORDER BY n)
FROM unnest(ARRAY['text); DROP TABLE regress_victim; --', 'text; DROP TABLE regress_victim', 'text COLLATE "C"', 'integer DEFAULT 1', 'integer CHECK (false)',
	'(SELECT 1)', 'SETOF integer', 'pg_temp."; --"', '']) WITH ORDINALITY AS u(type, n) :datasets
SELECT dataset, action, detail FROM spice_reload() WHERE action <> 'removed';
SELECT dataset, pg_temp.failure(format('SELECT spice_refresh(%L)', dataset)) FROM spice.datasets WHERE status <> 'removed' ORDER BY dataset;
SELECT count(*) AS victim FROM regress_victim;

\i :teardown
DROP VIEW IF EXISTS refreshed;
DROP TABLE names, fields, regress_victim;
DROP SCHEMA a, "a.b", """; DROP TABLE regress_victim; --" CASCADE;
SELECT 'DROP SCHEMA ' || repeat('s', 40) || ' CASCADE' \gexec
