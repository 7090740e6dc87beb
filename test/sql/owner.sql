\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- What the owner of the tables can put in a table's way runs with the owner's rights and
-- with the same settings, whoever refreshes it and on whichever way rows or columns come.
CREATE ROLE regress_keeper;
CREATE SCHEMA regress_keep AUTHORIZATION regress_keeper;
GRANT CREATE ON SCHEMA public TO regress_keeper;
CREATE TABLE regress_seen (what text, by name DEFAULT current_user);
GRANT SELECT, INSERT ON regress_seen TO PUBLIC;
SET spice.role = 'regress_keeper';
SET ROLE regress_keeper;
CREATE FUNCTION regress_keep.note(what text) RETURNS boolean LANGUAGE plpgsql AS
$$BEGIN INSERT INTO public.regress_seen VALUES (what); RETURN true; END$$;
-- what claims to be immutable is called for a constant while an expression is simplified
CREATE FUNCTION regress_keep.constant(what text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
$$BEGIN PERFORM regress_keep.note(what); RETURN 0; END$$;
CREATE DOMAIN regress_keep.word AS text CHECK (regress_keep.note('domain'));
CREATE DOMAIN regress_keep.later AS text CHECK (regress_keep.note('later domain'));
RESET ROLE;
SELECT 'a
{"body": [{"id": 1, "at": "2025-03-01T10:00:00Z", "w": "a"}, {"id": 2, "at": "2025-03-01T11:00:00Z", "w": "b"}]}' :answer
\set columns 'columns: [{name: id, type: int4}, {name: at, type: timestamptz}, {name: w, type: regress_keep.word'
SELECT 'datasets:
  - {from: "SOURCE/a", name: swapped, ' || :'columns' || '}], acceleration: {enabled: true}}
  - {from: "SOURCE/a", name: merged, ' || :'columns' || '}], acceleration: {primary_key: id, params: {refresh_method: merge}}}
  - {from: "SOURCE/a", name: appended, time_column: at, ' || :'columns' || '}],
     acceleration: {primary_key: id, on_conflict: {id: upsert}, refresh_mode: append}}
  - {from: "SOURCE/a", name: plain, time_column: at, ' || :'columns' || '}], acceleration: {refresh_mode: append}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh(name) FROM spice_catalog.dataset ORDER BY name;
SET ROLE regress_keeper;
SELECT format('
	ALTER TABLE %1$s ADD CHECK (regress_keep.note(''check''));
	ALTER TABLE %1$s ALTER w SET DEFAULT regress_keep.note(''default'')::text;
	CREATE INDEX ON %1$s ((id + regress_keep.constant(''index''))) WHERE regress_keep.constant(''predicate'') = 0;
	CREATE STATISTICS %1$s_statistics ON (id + regress_keep.constant(''statistics'')), at FROM %1$s;
	CREATE POLICY p ON %1$s USING (regress_keep.note(''policy'') AND id > 100);
	ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY; ALTER TABLE %1$s FORCE ROW LEVEL SECURITY', name)
FROM unnest('{swapped,merged,appended,plain}'::text[]) name \gexec
RESET ROLE;
TRUNCATE regress_seen;

-- every way of loading
SELECT 'a
{"body": [{"id": 1, "at": "2025-03-01T10:00:00Z", "w": "a"}, {"id": 2, "at": "2025-03-01T11:00:00Z", "w": "c"}, {"id": 3, "at": "2025-03-01T12:00:00Z", "w": "d"}]}' :answer
SELECT name, spice_refresh(name) FROM spice_catalog.dataset ORDER BY name;
SELECT DISTINCT what, by FROM regress_seen ORDER BY 1, 2;
-- FORCE ROW LEVEL SECURITY has neither lost nor doubled rows
SELECT string_agg(id || w, ' ' ORDER BY id) AS rows FROM swapped;
SELECT string_agg(id || w, ' ' ORDER BY id) AS rows FROM merged;
SELECT string_agg(id || w, ' ' ORDER BY id) AS rows FROM appended;
SELECT string_agg(id || w, ' ' ORDER BY id, w) AS rows FROM plain;
TRUNCATE regress_seen;

-- every way in which a table changes: a column comes, a column is NOT NULL, an index, a rebuild
SELECT 'datasets:
  - {from: "SOURCE/a", name: swapped, ' || :'columns' || ', nullable: false}, {name: x, type: regress_keep.later}], acceleration: {indexes: {at: enabled}}}
  - {from: "SOURCE/a", name: merged, ' || :'columns' || ', nullable: false}, {name: x, type: regress_keep.later}], acceleration: {primary_key: id, params: {refresh_method: merge}, indexes: {at: enabled}}}
  - {from: "SOURCE/a", name: appended, time_column: at, ' || :'columns' || '}],
     acceleration: {primary_key: id, on_conflict: {id: upsert}, refresh_mode: append, indexes: {w: enabled}}}
  - {from: "SOURCE/a", name: plain, time_column: at, ' || :'columns' || '}], acceleration: {refresh_mode: append, indexes: {w: enabled}}}
' :datasets
SELECT * FROM spice_reload();
SELECT name, spice_refresh(name) FROM spice_catalog.dataset ORDER BY name;
SELECT DISTINCT what, by FROM regress_seen ORDER BY 1, 2;
SELECT string_agg(id || w, ' ' ORDER BY id) AS rows FROM appended;
SELECT string_agg(id || w, ' ' ORDER BY id, w) AS rows FROM plain;

-- a column that is computed is none of the dataset's
ALTER TABLE swapped ADD COLUMN g integer GENERATED ALWAYS AS (id + regress_keep.constant('generated')) STORED;
SELECT 'a
{"body": [{"id": 1, "at": "2025-03-01T10:00:00Z", "w": "a"}]}' :answer
TRUNCATE regress_seen;
SELECT spice_refresh('swapped');
ALTER TABLE swapped DROP COLUMN g;
SELECT spice_refresh('swapped');
SELECT DISTINCT what, by FROM regress_seen WHERE by <> 'regress_keeper';

-- Settings.  Each that a user may change is set to something else, and a refresh must not see
-- that, or the setting is known to change no row.
RESET spice.role;
CREATE TABLE regress_harmless (pattern text, reason text);
INSERT INTO regress_harmless VALUES
	('(spice\.enable|enable|geqo|jit|cpu|parallel|min_parallel|seq_page|random_page)_.*|geqo|jit|effective_.*|.*_collapse_limit|constraint_exclusion|cursor_tuple_fraction|plan_cache_mode|recursive_worktable_factor|(force|debug)_parallel_(mode|query)|max_parallel_.*', 'chooses a plan; each gives the same rows'),
	('default_statistics_target|stats_fetch_consistency', 'statistics'),
	('work_mem|maintenance_work_mem|logical_decoding_work_mem|hash_mem_multiplier|temp_buffers|temp_tablespaces|backend_flush_after|maintenance_io_concurrency|io_.*|commit_siblings|synchronous_commit|wal_skip_threshold|wal_sender_timeout|gin_pending_list_limit|file_copy_method|synchronize_seqscans', 'memory and disk'),
	('vacuum_.*', 'VACUUM'),
	('.*_timeout|client_connection_check_interval|tcp_.*|exit_on_error', 'how long it may take, and how it ends'),
	('client_.*|application_name|log_.*|debug_.*|trace_.*|escape_string_warning|md5_password_warnings|plpgsql\.(extra_warnings|print_strict_params)', 'what is shown and logged, and in which encoding'),
	('check_function_bodies|createrole_self_grant|default_table_access_method|default_toast_compression|icu_validation_level|password_encryption|scram_iterations', 'what is made later; a table names its access method'),
	('(default_)?transaction_.*', 'of the caller''s transaction, or of later ones'),
	('search_path', 'hostile.sql'),
	('local_preload_libraries', 'of later sessions');
SELECT 'b
{"body": [{"id": 1}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/b", name: b, acceleration: {refresh_sql: "SELECT s.name, s.setting FROM b, pg_settings s WHERE s.context = ''user'' AND s.name NOT LIKE ''regress.%''"}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('b') > 100 AS many;
CREATE TABLE regress_before AS TABLE b;
DO $$
DECLARE
	s record;
	v text;
BEGIN
	FOR s IN SELECT p.* FROM pg_settings p WHERE p.context = 'user'
		AND p.name NOT LIKE 'regress.%'
		AND NOT EXISTS (SELECT FROM regress_harmless h WHERE p.name ~ ('^(' || h.pattern || ')$'))
	LOOP
		v := CASE
			WHEN s.name = 'DateStyle' THEN 'German, DMY'
			WHEN s.name = 'TimeZone' THEN 'Asia/Kathmandu'
			WHEN s.name = 'timezone_abbreviations' THEN 'India'
			WHEN s.name LIKE 'lc\_%' THEN 'C.UTF-8'
			WHEN s.name = 'default_text_search_config' THEN 'pg_catalog.danish'
			WHEN s.name = 'default_tablespace' THEN 'pg_default'
			WHEN s.name = 'restrict_nonsystem_relation_kind' THEN 'view'
			WHEN s.name = 'plpgsql.extra_errors' THEN 'all'
			WHEN s.name = 'plpgsql.extra_warnings' THEN 'all'
			WHEN s.vartype = 'bool' THEN (NOT s.setting::boolean)::text
			WHEN s.vartype = 'enum' THEN (SELECT e FROM unnest(s.enumvals) e WHERE e <> s.setting LIMIT 1)
			ELSE s.min_val END;
		IF v = s.setting THEN
			v := s.max_val;
		END IF;
		PERFORM set_config(s.name, v, false);
	END LOOP;
END
$$;
SELECT spice_refresh('b') > 100 AS many;
-- those that a refresh has seen
SELECT name, r.setting AS before, b.setting AS now FROM regress_before r FULL JOIN b USING (name) WHERE r.setting IS DISTINCT FROM b.setting
	AND NOT EXISTS (SELECT FROM regress_harmless h WHERE name ~ ('^(' || h.pattern || ')$'));
RESET ALL;
-- a time zone is the database's, whatever the session and its role say
SET spice.spicepod = :'path';
SELECT format('ALTER DATABASE %I SET timezone = ''America/Caracas''', current_database()) \gexec
\c -
SET spice.spicepod = :'path';
SET timezone = 'Asia/Kathmandu';
SELECT 'c
{"body": [{"at": "2025-03-01T10:00:00"}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/c", name: c, columns: [{name: at, type: timestamptz}], acceleration: {enabled: true}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('c');
SELECT at AT TIME ZONE 'UTC' AS utc FROM c;
\setenv PGTZ Asia/Kathmandu
\c -
SET spice.spicepod = :'path';
SHOW timezone;
DROP TABLE c;
SELECT spice_refresh('c');
SELECT at AT TIME ZONE 'UTC' AS utc FROM c;
SELECT format('ALTER DATABASE %I RESET timezone', current_database()) \gexec

\i :teardown
DROP TABLE regress_seen, regress_before, regress_harmless;
DROP OWNED BY regress_keeper CASCADE;
DROP ROLE regress_keeper;
