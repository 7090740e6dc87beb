\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- append, retention and schedule: what a manifest is refused, and the cure.
CREATE FUNCTION pg_temp.problems(dataset text, acceleration text) RETURNS TABLE (severity text, message text) LANGUAGE sql AS
$$
	SELECT v.severity, v.message FROM spice_validate(concat(E'version: v1\nkind: Spicepod\nname: test\ndatasets:\n',
		E'  - from: http://localhost/t\n    name: t\n', '    ' || dataset || E'\n',
		'    acceleration: {', acceleration, E'}\n')) v
$$;

-- keys that only mean something together
SELECT * FROM pg_temp.problems(NULL, 'refresh_mode: append');
SELECT * FROM pg_temp.problems(NULL, 'refresh_data_window: 1d');
SELECT * FROM pg_temp.problems(NULL, 'retention_check_enabled: true, retention_period: 1d, retention_check_interval: 1h');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_append_overlap: 1h');
SELECT * FROM pg_temp.problems('time_column: at', 'params: {http_append_query: "a={watermark}"}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, on_conflict: {id: upsert}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, primary_key: id, on_conflict: {name: upsert}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, primary_key: id, on_conflict: {id: replace}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, primary_key: id, on_conflict: {}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, primary_key: id, indexes: {a: unique}, on_conflict: {id: drop, a: upsert}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, primary_key: "(a, b)", on_conflict: {"(a, b)": drop, "(b, a)": drop}');
SELECT * FROM pg_temp.problems('time_column: at', 'primary_key: id, on_conflict: {id: upsert}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, params: {refresh_max_shrink: 10%}');
SELECT * FROM pg_temp.problems(NULL, 'params: {refresh_max_shrink: 110%, refresh_min_rows: -1}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, params: {http_append_query: since}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, params: {http_append_query: "?since={watermark}"}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, params: {http_append_query: "a={watermark}&b={watermark}"}');
SELECT * FROM pg_temp.problems('time_column: at', 'refresh_mode: append, params: {http_append_query: "a={watermark}&b={x}"}');
SELECT * FROM pg_temp.problems('time_format: date', '');
SELECT * FROM pg_temp.problems('on_schema_change: ignore', '');

-- half a retention
SELECT * FROM pg_temp.problems('time_column: at', 'retention_period: 1d');
SELECT * FROM pg_temp.problems('time_column: at', 'retention_check_enabled: false, retention_sql: DELETE FROM t WHERE x, retention_check_interval: 1h');
SELECT * FROM pg_temp.problems('time_column: at', 'retention_check_enabled: true');
SELECT * FROM pg_temp.problems('time_column: at', 'retention_check_enabled: true, retention_period: 1d');
SELECT * FROM pg_temp.problems('time_column: at', 'retention_check_enabled: true, retention_period: 0s, retention_check_interval: 0s');
SELECT * FROM pg_temp.problems('time_column: at', 'retention_check_enabled: true, retention_period: 1d, retention_check_interval: 1h, retention_cron: "0 4 * * *"');
-- what can be a rule in SQL
CREATE FUNCTION pg_temp.rule(sql text) RETURNS TABLE (severity text, message text) LANGUAGE sql AS
$$ SELECT * FROM pg_temp.problems(NULL, 'retention_check_enabled: true, retention_check_interval: 1h, retention_sql: ' || to_json(sql)) $$;
SELECT * FROM pg_temp.rule('DELETE FROM t WHERE state = 1');
SELECT * FROM pg_temp.rule('DELETE FROM public.t AS x WHERE x.state IN (SELECT state FROM gone);');
SELECT * FROM pg_temp.rule('DELETE FROM t');
SELECT * FROM pg_temp.rule('DELETE FROM other WHERE true');
SELECT * FROM pg_temp.rule('DELETE FROM t USING other WHERE t.id = other.id');
SELECT * FROM pg_temp.rule('DELETE FROM t WHERE true RETURNING *');
SELECT * FROM pg_temp.rule('WITH w AS (SELECT 1) DELETE FROM t WHERE true');
SELECT * FROM pg_temp.rule('DELETE FROM t WHERE true; DELETE FROM t WHERE false');
SELECT * FROM pg_temp.rule('UPDATE t SET id = 1 WHERE true');
SELECT * FROM pg_temp.rule('TRUNCATE t');
SELECT * FROM pg_temp.rule('DELETE FROM t WHERE');
SELECT * FROM pg_temp.rule('');

-- schedules
SELECT * FROM pg_temp.problems(NULL, 'refresh_cron: "0 * * * *", refresh_check_interval: 1h');
SELECT cron, m.message FROM unnest('{* * * * *,"0 4 * * mon-fri","*/15 0-6/2,12 1,15 jan-mar 7"}'::text[]) cron
LEFT JOIN LATERAL pg_temp.problems(NULL, 'refresh_cron: ' || to_json(cron)) m ON true;
SELECT cron, m.message FROM unnest('{@daily,"* * * *","5 * * * * *","60 * * * *","* 24 * * *","* * 0 * *","* * * 13 *","* * * * 8",
"5-1 * * * *","5/2 * * * *","*/0 * * * *","*/99 * * * *","a * * * *","1,,2 * * * *","* * 30 feb *","* * * * mo",""}'::text[]) cron
LEFT JOIN LATERAL pg_temp.problems(NULL, 'refresh_cron: ' || to_json(cron)) m ON true;
SELECT * FROM pg_temp.problems(NULL, 'refresh_jitter_max: 1s');
SELECT * FROM pg_temp.problems(NULL, 'refresh_jitter_enabled: true');
SELECT * FROM pg_temp.problems(NULL, 'refresh_jitter_enabled: true, refresh_check_interval: 1h');

-- cron without pg_cron: the dataset says what it takes, and can be refreshed all the same
SELECT 't
{"body": [{"id": 1, "at": "2025-03-01T00:00:00Z"}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/t", name: by_cron, acceleration: {refresh_cron: "0  4 * * MON"}}
  - from: SOURCE/t
    name: kept_by_cron
    time_column: at
    acceleration: {retention_check_enabled: true, retention_period: 1d, retention_cron: "0 4 * * *"}
  - {from: "SOURCE/t", name: t, acceleration: {}}
' :datasets
SELECT dataset, action, replace(detail, 'postgresql-' || current_setting('server_version_num')::int / 10000 || '-cron', 'postgresql-N-cron') AS detail
FROM spice_reload() ORDER BY action, dataset;
SELECT spice_refresh('by_cron'), spice_refresh('t');
SELECT dataset, status, cron_zone, next_refresh IS NULL AS unscheduled, next_retention FROM spice.datasets ORDER BY dataset;

-- retention is the launcher's
SELECT spice_retain('t');
SELECT spice_retain('kept_by_cron');
SELECT spice_retain('nobody');
SELECT spice_retain(NULL);
SELECT count(*) FROM spice_catalog.refresh_request;

\i :teardown
