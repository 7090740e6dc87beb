\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- What is too much is refused by name, before it is too much for the server; what is
-- only much is loaded.
SELECT 'datasets:
' || string_agg(format(E'  - {from: SOURCE/%s, name: %s, params: {file_format: %s}, acceleration: {}}', name, name, CASE WHEN name LIKE 'c%' THEN 'csv' ELSE 'json' END), E'\n')
FROM unnest(ARRAY['keys', 'known', 'same', 'wide', 'columns', 'fat', 'text', 'key', 'digits', 'deep', 'deeper', 'bottomless', 'zoned', 'c_wide', 'c_columns', 'c_text', 'c_open', 'c_lines']) name :datasets
SELECT count(*) FROM spice_reload() WHERE action = 'added';
CREATE FUNCTION pg_temp.object(keys integer, value text) RETURNS text LANGUAGE sql AS
$$SELECT '{' || string_agg(format('"k%s": %s', i, value), ', ' ORDER BY i) || '}' FROM generate_series(1, keys) i$$;
CREATE FUNCTION pg_temp.body(path text, body text) RETURNS text LANGUAGE sql AS
$$SELECT format(E'%s\n{"body": %s}', path, to_json(body))$$;
CREATE FUNCTION pg_temp.repeated(path text, part text, count integer, prefix text, suffix text) RETURNS text LANGUAGE sql AS
$$SELECT format(E'%s\n%s', path, json_build_object('generate', json_build_object('kind', 'repeat', 'text', part, 'count', count, 'prefix', prefix, 'suffix', suffix)))$$;

-- fields
SELECT pg_temp.body('keys', '[' || pg_temp.object(100000, '1') || ']') :answer
SELECT pg_temp.failure('SELECT spice_refresh(''keys'')');
SELECT pg_temp.body('columns', '[' || pg_temp.object(1601, 'true') || ']') :answer
SELECT pg_temp.failure('SELECT spice_refresh(''columns'')');
SELECT pg_temp.body('wide', '[' || pg_temp.object(1600, 'true') || ', {"k1600": false}]') :answer
SELECT spice_refresh('wide');
SELECT count(*), count(k1), bool_and(k1600) FROM wide;
SELECT pg_temp.body('fat', '[' || pg_temp.object(1600, '12345678901') || ']') :answer
SELECT pg_temp.failure('SELECT spice_refresh(''fat'')');
-- 100,000 that are no column are counted and passed over; one key 100,000 times is one
SELECT pg_temp.body('known', '[{"id": 1}]') :answer
SELECT spice_refresh('known');
SELECT pg_temp.body('known', '[{"id": 2, "more": ' || pg_temp.object(100000, '1') || '}, {"id": 3, ' || ltrim(pg_temp.object(100000, '1'), '{') || ']') :answer
SELECT spice_refresh('known');
TABLE known;
SELECT left(notice, 100) FROM spice.refreshes LIMIT 1;
SELECT pg_temp.repeated('same', '"id": 1, ', 100000, '[{', '"id": 2}]') :answer
SELECT spice_refresh('same');
TABLE same;
-- the same of CSV
SELECT pg_temp.body('c_columns', (SELECT string_agg('k' || i, ',') FROM generate_series(1, 100000) i) || E'\n') :answer
SELECT pg_temp.failure('SELECT spice_refresh(''c_columns'')');
SELECT pg_temp.body('c_wide', (SELECT string_agg('k' || i, ',') FROM generate_series(1, 1600) i) || E'\n' || repeat('true,', 1599) || E'true\n') :answer
SELECT spice_refresh('c_wide');

-- 10 MB: a text, a key, a number, a field of CSV
SELECT pg_temp.repeated('text', 'äöü€', 1000000, '[{"id": 1, "t": "', '"}]') :answer
SELECT spice_refresh('text');
SELECT octet_length(t), length(t) FROM text;
SELECT pg_temp.repeated('key', 'äöü€', 1000000, '[{"id": 1, "', '": 2}]') :answer
SELECT spice_refresh('key');
SELECT to_jsonb(key), notice FROM key, LATERAL (SELECT * FROM spice.refreshes LIMIT 1) r;
SELECT pg_temp.repeated('digits', '1234567890', 1000000, '[{"n": ', '}]') :answer
SELECT left(pg_temp.failure('SELECT spice_refresh(''digits'')'), 500);
SELECT pg_temp.repeated('c_text', 'abc,"" ', 1000000, E't\n"', E'"\n') :answer
SELECT spice_refresh('c_text');
SELECT length(t) FROM c_text;
SELECT pg_temp.repeated('c_open', E'abc\n', 2500000, E't\n1\n"', '') :answer
SELECT pg_temp.failure('SELECT spice_refresh(''c_open'')');
SELECT pg_temp.repeated('c_lines', E'\n', 1000000, E't\n', E'x\n') :answer
SELECT spice_refresh('c_lines');

-- depth
SELECT pg_temp.body('deep', '[{"v": ' || repeat('[', 500) || repeat(']', 500) || '}]') :answer
SELECT spice_refresh('deep');
SELECT length(v::text) FROM deep;
SELECT pg_temp.body('deeper', '[{"v": ' || repeat('{"a":', 511) || '1' || repeat('}', 511) || '}]') :answer
SELECT pg_temp.failure('SELECT spice_refresh(''deeper'')');
SELECT pg_temp.repeated('bottomless', '[', 20000000, '[{"v": ', '') :answer
SELECT replace(pg_temp.failure('SELECT spice_refresh(''bottomless'')'), '[', '');

\i :teardown
