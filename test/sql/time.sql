\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- time_column and time_format: the watermark, how the source hears of it, windows.

-- the source's own look: it is asked for what it has after the watermark
CREATE FUNCTION pg_temp.times(VARIADIC times text[]) RETURNS text AS
$$
	SELECT format(E'times\n{"body": [%s]}', string_agg(format('{"at": %s, "n": %s}', t, n), ', ' ORDER BY n))
	FROM unnest(times) WITH ORDINALITY AS u(t, n)
$$ LANGUAGE sql;
CREATE FUNCTION pg_temp.dataset(name text, format text, type text DEFAULT NULL, more text DEFAULT '') RETURNS text AS
$$
	SELECT concat(E'  - from: SOURCE/times?key=1\n    name: ', name, E'\n    time_column: at\n',
		E'    time_format: ' || format || E'\n', E'    columns: [{name: at, type: "' || type || E'"}]\n',
		E'    acceleration:\n      refresh_mode: append\n', more,
		E'      params: {http_append_query: "since={watermark}&limit=10"}\n')
$$ LANGUAGE sql;
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE sql AS
$$ SELECT pg_temp.failure($1) $$;

SELECT concat(E'datasets:\n', pg_temp.dataset('zoned', NULL), pg_temp.dataset('zoned_named', 'timestamptz'),
	pg_temp.dataset('zoned_iso', 'ISO8601'), pg_temp.dataset('text_iso', 'ISO8601', 'text'),
	pg_temp.dataset('overlapping', 'timestamptz', NULL, E'      refresh_append_overlap: 90s\n'),
	pg_temp.dataset('not_a_number', 'unix_seconds')) :datasets
SELECT * FROM spice_reload();
SELECT pg_temp.times(VARIADIC ARRAY['"2025-03-01T12:30:00.250+02:00"', '"2025-03-01T12:00:00Z"', '"2025-03-01T12:00:00.5Z"']) :answer
SET timezone = 'America/New_York';
SELECT spice_refresh('zoned'), spice_refresh('zoned_named'), spice_refresh('zoned_iso'), spice_refresh('text_iso'), spice_refresh('overlapping');
SELECT pg_temp.times(VARIADIC ARRAY['"2025-03-01T12:00:00.499Z"', '"2025-03-01T14:00:00.500+02:00"', '"2025-03-01T07:00:01-05:00"']) :answer
SELECT spice_refresh('zoned'), spice_refresh('zoned_named'), spice_refresh('zoned_iso'), spice_refresh('text_iso'), spice_refresh('overlapping');
:log
SELECT dataset, rows, inserted, unchanged FROM spice.refreshes WHERE mode = 'append' AND outcome = 'appended' ORDER BY started;
SELECT at AT TIME ZONE 'UTC' AS at, n FROM zoned ORDER BY at, n;
TABLE text_iso ORDER BY at::timestamptz, n;
SELECT spice_refresh('not_a_number');
RESET timezone;
-- however the session shows times and numbers
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Kolkata';
SELECT pg_temp.times(VARIADIC ARRAY['"2025-03-01T12:00:01Z"', '"2025-03-01T12:00:02Z"']) :answer
SELECT spice_refresh('zoned');
RESET datestyle;
RESET timezone;
:log
SELECT rows, inserted, unchanged FROM spice.refreshes LIMIT 1;

-- without a zone, and days
SELECT concat(E'datasets:\n', pg_temp.dataset('plain', NULL), pg_temp.dataset('plain_named', 'timestamp'),
	pg_temp.dataset('mismatch', 'timestamptz')) :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.times(VARIADIC ARRAY['"2025-03-01T12:00:00"', '"2025-03-01T13:00:00.000001"']) :answer
SELECT spice_refresh('plain'), spice_refresh('plain_named');
SELECT pg_temp.times(VARIADIC ARRAY['"2025-03-01T13:00:00"', '"2025-03-01T13:00:00.000001"', '"2025-03-02T00:00:00"']) :answer
SELECT spice_refresh('plain'), spice_refresh('plain_named');
SELECT * FROM plain_named ORDER BY at, n;
SELECT spice_refresh('mismatch');
:log
SELECT concat(E'datasets:\n', pg_temp.dataset('days', NULL), pg_temp.dataset('days_named', 'date'),
	pg_temp.dataset('days_overlapping', 'date', NULL, E'      refresh_append_overlap: 36h\n')) :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.times(VARIADIC ARRAY['"2025-03-01"', '"2025-03-05"']) :answer
SELECT spice_refresh('days'), spice_refresh('days_named'), spice_refresh('days_overlapping');
SELECT pg_temp.times(VARIADIC ARRAY['"2025-03-02"', '"2025-03-05"', '"2025-03-05"', '"2025-03-03"', '"2025-03-06"']) :answer
SELECT spice_refresh('days'), spice_refresh('days_named'), spice_refresh('days_overlapping');
TABLE days ORDER BY at, n;
TABLE days_overlapping ORDER BY at, n;
:log

-- numbers
SELECT concat(E'datasets:\n', pg_temp.dataset('seconds', 'unix_seconds'), pg_temp.dataset('millis', 'unix_millis'),
	pg_temp.dataset('millis_int', 'unix_millis', 'numeric', E'      refresh_append_overlap: 1500ms\n'),
	pg_temp.dataset('unset', NULL)) :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.times(VARIADIC ARRAY['1740830400000', '1740830401000']) :answer
SELECT spice_refresh('seconds'), spice_refresh('millis'), spice_refresh('millis_int');
SELECT pg_temp.times(VARIADIC ARRAY['1740830400999', '1740830401000', '1740830401000', '1740830402000']) :answer
SELECT spice_refresh('seconds'), spice_refresh('millis'), spice_refresh('millis_int');
:log
TABLE millis ORDER BY at, n;
SELECT spice_refresh('unset');
-- with fractions: a second is not split by the way to the source, and the table's own comparison is exact
SELECT concat(E'datasets:\n', pg_temp.dataset('fractions', 'unix_seconds')) :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.times(VARIADIC ARRAY['1740830400.5', '1740830401.987654']) :answer
SELECT spice_refresh('fractions');
SET extra_float_digits = -4;
SELECT pg_temp.times(VARIADIC ARRAY['1740830401.987654', '1740830401.99', '1740830401.98']) :answer
SELECT spice_refresh('fractions');
RESET extra_float_digits;
TABLE fractions ORDER BY at, n;
:log

-- text that compares otherwise as text than as time
SELECT concat(E'datasets:\n', pg_temp.dataset('text_keyed', 'ISO8601', 'text',
	E'      refresh_append_overlap: 1d\n      primary_key: n\n      on_conflict: {n: upsert}\n')) :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT 'times
{"body": [{"n": 1, "at": "2025-03-01T12:00:00-05:00", "v": "newest"}, {"n": 1, "at": "2025-03-01T13:00:00Z", "v": "older"}]}' :answer
SELECT spice_refresh('text_keyed');
TABLE text_keyed;
SELECT 'times
{"body": [{"n": 1, "at": "2025-03-01T14:00:00Z", "v": "older, too"}]}' :answer
SELECT spice_refresh('text_keyed');
TABLE text_keyed;
SELECT 'times
{"body": [{"n": 1, "at": "next week", "v": "no time"}]}' :answer
SELECT spice_refresh('text_keyed');
:log

-- refresh_data_window: of the first load in append, of every load in full
SELECT 'datasets:
  - from: SOURCE/window
    name: first_load
    time_column: at
    acceleration: {refresh_mode: append, refresh_data_window: 10d}
  - from: SOURCE/window
    name: every_load
    time_column: at
    acceleration: {refresh_data_window: 10d, refresh_sql: "SELECT at, n FROM every_load WHERE n <> 3"}
  - from: SOURCE/window
    name: no_column
    time_column: at
    acceleration: {refresh_data_window: 10d, refresh_sql: "SELECT n FROM no_column"}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT format(E'window\n{"body": [{"at": "%s", "n": 1}, {"at": "%s", "n": 2}, {"at": "%s", "n": 3}]}',
	to_char(now() - interval '11 days', 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM'), to_char(now() - interval '9 days', 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM'),
	to_char(now() - interval '8 days', 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')) :answer
SELECT spice_refresh('first_load'), spice_refresh('every_load');
SELECT n FROM first_load ORDER BY n;
SELECT n FROM every_load ORDER BY n;
SELECT spice_refresh('no_column');
-- one week on, as far as the rows can tell
UPDATE first_load SET at = at - interval '7 days';
SELECT format(E'window\n{"body": [{"at": "%s", "n": 4}, {"at": "%s", "n": 5}]}',
	to_char(now() - interval '14 days', 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM'), to_char(now() - interval '17 days', 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')) :answer
SELECT spice_refresh('first_load'), spice_refresh('every_load');
SELECT n FROM first_load ORDER BY n;
SELECT n FROM every_load ORDER BY n;

-- a time_column that is not there
SELECT 'datasets:
  - {from: "SOURCE/window", name: nowhere, time_column: att, acceleration: {refresh_mode: append}}
  - from: SOURCE/window
    name: not_taken
    time_column: at
    acceleration: {refresh_mode: append, refresh_sql: SELECT n FROM not_taken}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('nowhere');
SELECT spice_refresh('not_taken');

\i :teardown
