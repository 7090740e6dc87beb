\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- Whoever may create things in public, in the caller's search_path or in pg_temp gets
-- none of them called, and a query of the manifest does not leave its owner's rights.
CREATE ROLE regress_hostile;
CREATE ROLE regress_caller;
CREATE ROLE regress_tables;
CREATE TABLE regress_called (what text, by name DEFAULT current_user);
GRANT INSERT, SELECT ON regress_called TO PUBLIC;
CREATE SCHEMA regress_path;
GRANT CREATE, USAGE ON SCHEMA regress_path, public TO regress_hostile;
GRANT USAGE ON SCHEMA regress_path TO PUBLIC;

-- A twin of every operator and function that spice's statements could mean, for types
-- for which the server has none that fits exactly; and, where a search_path may begin
-- with another schema than pg_catalog, for the very same types.
CREATE FUNCTION pg_temp.plant(schema text, also_exact boolean) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	a text;
	b text;
	o text;
	types text[] := '{integer,bigint,double precision,numeric,text,character varying,timestamptz,timestamp,date,interval,jsonb}';
	exact boolean;
	n integer := 0;
BEGIN
	FOREACH a IN ARRAY types LOOP
		FOREACH b IN ARRAY types LOOP
			EXECUTE format('CREATE FUNCTION %I.hostile(a %s, b %s) RETURNS boolean LANGUAGE plpgsql AS '
				'%L', schema, a, b, format('BEGIN INSERT INTO public.regress_called (what) VALUES (%L); RETURN true; END', a || ' op ' || b));
			FOREACH o IN ARRAY '{=,<>,<,>=,-,*,||,->,->>}'::text[] LOOP
				exact := EXISTS (SELECT FROM pg_operator WHERE oprname = o AND oprleft = a::regtype AND oprright = b::regtype
					AND oprnamespace = 'pg_catalog'::regnamespace);
				CONTINUE WHEN exact AND NOT also_exact;
				EXECUTE format('CREATE OPERATOR %I.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %I.hostile)', schema, o, a, b, schema);
				n := n + 1;
			END LOOP;
		END LOOP;
		FOREACH o IN ARRAY '{now,count,max,min,floor,ceil,isfinite,to_char,lower,upper,least,greatest,unnest,quote_ident,format,clock_timestamp,jsonb_to_record,jsonb_array_elements_text,jsonb_array_length,bool_or,coalesce,current_setting,jsonb_each_text,array_agg,extract,timezone,date_part}'::text[] LOOP
			CONTINUE WHEN NOT also_exact AND EXISTS (SELECT FROM pg_proc WHERE proname = o AND pronamespace = 'pg_catalog'::regnamespace
				AND (pronargs = 0 OR (pronargs = 1 AND proargtypes[0] = a::regtype)));
			EXECUTE format('CREATE FUNCTION %I.%I(a %s) RETURNS %s LANGUAGE plpgsql AS %L', schema, o, a, a,
				format('BEGIN INSERT INTO public.regress_called (what) VALUES (%L); RETURN $1; END', o || '(' || a || ')'));
		END LOOP;
	END LOOP;
	EXECUTE format('CREATE FUNCTION %I.now() RETURNS timestamptz LANGUAGE plpgsql AS %L', schema,
		'BEGIN INSERT INTO public.regress_called (what) VALUES (''now''); RETURN pg_catalog.now(); END');
	EXECUTE format('CREATE FUNCTION %I.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS %L', schema,
		'BEGIN INSERT INTO public.regress_called (what) VALUES (''clock_timestamp''); RETURN pg_catalog.now(); END');
	EXECUTE format('CREATE TABLE %I.dataset (id integer)', schema);
	EXECUTE format('CREATE TABLE %I.pg_class (oid oid)', schema);
	EXECUTE format('CREATE DOMAIN %I.timestamptz AS text', schema);
	EXECUTE format('CREATE DOMAIN %I.int8 AS text', schema);
	EXECUTE format('CREATE DOMAIN %I.jsonb AS text', schema);
END
$$;
GRANT ALL ON FUNCTION pg_temp.plant(text, boolean) TO regress_hostile;
SET client_min_messages = warning;
SET ROLE regress_hostile;
SELECT pg_temp.plant('regress_path', true);
SELECT pg_temp.plant('public', false);
RESET ROLE;
RESET client_min_messages;
-- they would be called
SELECT 1 * interval '1 ms', 'a'::varchar = 'b'::varchar;
TABLE regress_called;
TRUNCATE regress_called;

GRANT EXECUTE ON FUNCTION spice_refresh(text, text, text, boolean, boolean), spice_reload(), spice_validate(text), spice_ready(),
	spice_wait_ready(interval), spice_pause(text), spice_resume(text), spice_retain(text), spice_drop(text) TO regress_caller;
GRANT USAGE ON SCHEMA spice, spice_catalog, spice_source TO regress_caller;
GRANT SELECT ON spice.datasets, spice.refreshes TO regress_caller;
GRANT CREATE ON SCHEMA public TO regress_tables;
SET spice.role = 'regress_tables';
CREATE FUNCTION pg_temp.rows(VARIADIC n integer[]) RETURNS text LANGUAGE sql AS
$$
	SELECT pg_catalog.format(E'h\n{"body": [%s]}', pg_catalog.string_agg(pg_catalog.format(
		'{"id": %s, "code": "c%s", "at": "2024-01-0%sT00:00:00Z", "day": "2024-01-0%s", "sec": %s, "price": 1.5, "tags": ["a"], "ok": true}',
		i, i, i, i, 1704067200 OPERATOR(pg_catalog.+) i), ','))
	FROM pg_catalog.unnest(n) i
$$;
CREATE FUNCTION pg_temp.entry(name text, rest text) RETURNS text LANGUAGE sql AS
$$
	SELECT pg_catalog.format(E'  - from: SOURCE/h\n    name: %s\n    columns: [{name: code, type: varchar(10)}]\n%s', name, rest)
$$;
CREATE FUNCTION pg_temp.manifest() RETURNS text LANGUAGE sql AS
$$
	SELECT pg_catalog.concat(E'datasets:\n',
		pg_temp.entry('h_full', E'    acceleration: {primary_key: code, indexes: {price: enabled}, refresh_sql: "SELECT * FROM h_full WHERE id OPERATOR(pg_catalog.>) 0"}\n'),
		pg_temp.entry('h_plain', E'    time_column: at\n    acceleration: {refresh_mode: append}\n'),
		pg_temp.entry('h_window', E'    time_column: at\n    acceleration: {refresh_mode: append, refresh_append_overlap: 1h, refresh_data_window: 36500d, primary_key: code, on_conflict: {code: upsert}}\n'),
		pg_temp.entry('h_day', E'    time_column: day\n    acceleration: {refresh_mode: append, refresh_append_overlap: 1h, refresh_data_window: 36500d, primary_key: code, on_conflict: {code: drop}}\n'),
		pg_temp.entry('h_sec', E'    time_column: sec\n    time_format: unix_seconds\n    acceleration: {refresh_mode: append, refresh_append_overlap: 1h, refresh_data_window: 36500d, primary_key: "code, id", on_conflict: {"code, id": upsert_dedup}}\n'),
		pg_temp.entry('h_live', ''),
		E'  - from: table:regress_relation\n    name: h_table\n    acceleration: {}\n')
$$;
CREATE TABLE regress_relation (code varchar(10), n numeric);
GRANT SELECT ON regress_relation TO regress_tables;
INSERT INTO regress_relation VALUES ('a', 1), ('b', 2);
SELECT pg_temp.rows(1, 2, 3) :answer
SELECT pg_temp.manifest() :datasets
SET search_path = regress_path, pg_catalog, public;
SELECT public.spice_validate('x');
SELECT dataset, action, detail FROM public.spice_reload();
SELECT name, public.spice_refresh(name) FROM pg_catalog.unnest(ARRAY['h_full', 'h_plain', 'h_window', 'h_day', 'h_sec', 'h_live', 'h_table']) name;
SELECT code FROM public.h_live ORDER BY code;
RESET search_path;
SELECT pg_temp.rows(3, 4, 5) :answer
SET search_path = regress_path, pg_temp, pg_catalog, public;
SET ROLE regress_caller;
SELECT name, public.spice_refresh(name) FROM pg_catalog.unnest(ARRAY['h_full', 'h_plain', 'h_window', 'h_day', 'h_sec', 'h_live', 'h_table']) name;
SELECT public.spice_pause('h_full'), public.spice_resume('h_full'), public.spice_ready();
SELECT count(*) FROM spice.datasets WHERE status OPERATOR(pg_catalog.=) 'ready'::pg_catalog.text;
SELECT pg_catalog.count(*) FROM public.spice_reload() WHERE action OPERATOR(pg_catalog.=) 'error'::pg_catalog.text;
RESET ROLE;
RESET search_path;
-- a change that moves the rows there are, and a new definition
SELECT pg_catalog.replace(pg_temp.manifest(), 'refresh_mode: append', 'engine: postgres, mode: file, refresh_mode: append') :datasets
SET search_path = regress_path, pg_catalog, public;
SELECT pg_catalog.count(*) FROM public.spice_reload() WHERE action OPERATOR(pg_catalog.=) 'changed'::pg_catalog.text;
SELECT name, public.spice_refresh(name) FROM pg_catalog.unnest(ARRAY['h_full', 'h_plain', 'h_window', 'h_day', 'h_sec', 'h_live', 'h_table']) name;
RESET search_path;
SELECT dataset, outcome, rows, inserted, updated, unchanged, error FROM spice.refreshes ORDER BY dataset, started;
SELECT 'datasets: []' :datasets
SET search_path = regress_path, pg_catalog, public;
SELECT pg_catalog.count(*) FROM public.spice_reload() WHERE action OPERATOR(pg_catalog.=) 'removed'::pg_catalog.text;
SELECT public.spice_drop('h_full'), public.spice_drop('h_plain'), public.spice_drop('h_live'), public.spice_drop('h_table');
RESET search_path;
TABLE regress_called;
SET client_min_messages = warning;
DROP OWNED BY regress_hostile CASCADE;
RESET client_min_messages;
TRUNCATE regress_called;

-- What refresh_sql calls has the rights of spice.role, whoever refreshes, and keeps nothing.
CREATE TABLE regress_secret (word text);
INSERT INTO regress_secret VALUES ('hidden');
GRANT CREATE ON SCHEMA public TO regress_tables;
SET ROLE regress_tables;
CREATE FUNCTION regress_attempt(command text) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE command;
	RETURN current_user;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE FUNCTION regress_commit() RETURNS text LANGUAGE plpgsql AS $$BEGIN COMMIT; RETURN 'committed'; END$$;
CREATE FUNCTION regress_who(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
	PERFORM public.regress_attempt(format('INSERT INTO public.regress_called (what) VALUES (%L)',
		concat(value, ': ', public.regress_attempt('SET ROLE postgres'), ', ', public.regress_attempt('TABLE public.regress_secret'))));
	RETURN value;
END
$$;
CREATE FUNCTION regress_trigger() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	INSERT INTO public.regress_called (what) VALUES (concat(TG_NAME, ': ', public.regress_attempt('TABLE public.regress_secret')));
	RETURN NEW;
END
$$;
RESET ROLE;
SELECT 'e
{"body": [{"id": 1, "at": "2024-01-01T00:00:00Z"}]}' :answer
SELECT 'datasets:
  - {from: SOURCE/e, name: e, acceleration: {refresh_sql: "SELECT id, regress_attempt(''SELECT 1'') AS did FROM e"}}
  - {from: SOURCE/e, name: a, time_column: at, acceleration: {refresh_mode: append, refresh_append_overlap: 1d}}' :datasets
SELECT dataset, action, detail FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('e'), spice_refresh('a');
-- as the superuser himself
CREATE FUNCTION pg_temp.did(command text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	result text;
BEGIN
	PERFORM spice_refresh('e', format('SELECT id, regress_attempt(%L) AS did FROM e', command));
	SELECT did INTO result FROM e;
	RETURN result;
END
$$;
SELECT command, pg_temp.did(command) FROM unnest(ARRAY['SELECT 1', 'TABLE regress_secret', 'INSERT INTO regress_secret VALUES (''x'')', 'TABLE pg_authid',
	'SET ROLE postgres', 'RESET ROLE', 'SET LOCAL ROLE NONE', 'SET SESSION AUTHORIZATION postgres', 'RESET SESSION AUTHORIZATION',
	'SELECT set_config(''role'', ''postgres'', false)', 'SELECT set_config(''session_authorization'', ''postgres'', false)', 'RESET ALL', 'DISCARD ALL',
	'SET spice.role = ''postgres''', 'SET session_replication_role = replica', 'ALTER ROLE regress_tables SUPERUSER', 'GRANT pg_read_all_data TO regress_tables',
	'CREATE TEMP TABLE t ()', 'CREATE TEMP VIEW v AS SELECT 1',
	'LISTEN x', 'UNLISTEN *', 'PREPARE p AS SELECT 1', 'DEALLOCATE ALL', 'DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'CLOSE ALL',
	'LOCK TABLE regress_secret', 'COPY regress_secret TO PROGRAM ''id''', 'SELECT pg_read_file(''postgresql.conf'')', 'SELECT lo_import(''/etc/passwd'')',
	'DROP EXTENSION spice CASCADE', 'TABLE spice_catalog.dataset', 'SELECT spice_refresh(''e'')', 'COMMIT', 'ROLLBACK', 'SAVEPOINT s']) command;
SELECT pg_temp.failure($$SELECT spice_refresh('e', 'SELECT id, regress_commit() AS did FROM e')$$);
-- settings that it makes end with it
SELECT pg_temp.did('SET search_path = nowhere'), pg_temp.did('SET statement_timeout = 1'), pg_temp.did('SELECT set_config(''row_security'', ''off'', false)');
SELECT session_user = current_user AS same, current_setting('search_path'), current_setting('statement_timeout'), current_setting('row_security');
SELECT (SELECT count(*) FROM pg_prepared_statements) AS prepared, (SELECT count(*) FROM pg_cursors WHERE is_holdable) AS held;
-- expressions of the table's indexes and conditions are its owner's, too
SET ROLE regress_tables;
CREATE INDEX ON a (regress_who(id::text));
ALTER TABLE a ADD CONSTRAINT who CHECK (regress_who(id::text) <> '') NOT VALID;
RESET ROLE;
TRUNCATE regress_called;
SELECT 'e
{"body": [{"id": 2, "at": "2024-01-02T00:00:00Z"}]}' :answer
SELECT spice_refresh('a');
SELECT DISTINCT what, by FROM regress_called ORDER BY what;
TRUNCATE regress_called;
SELECT spice_refresh('a', refresh_mode => 'full');
SELECT DISTINCT what, by FROM regress_called ORDER BY what;
-- a trigger, which might wait for the end of the transaction, where the rights are others, is refused
SET ROLE regress_tables;
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regress_trigger();
RESET ROLE;
SELECT 'e
{"body": [{"id": 3, "at": "2024-01-03T00:00:00Z"}]}' :answer
TRUNCATE regress_called;
SELECT pg_temp.failure($$SELECT spice_refresh('a')$$);
TABLE regress_called;
DROP TRIGGER deferred ON a;

-- Who may refresh may do nothing else: no word of his gets into it.
REVOKE ALL ON FUNCTION spice_reload(), spice_pause(text), spice_resume(text), spice_drop(text), spice_retain(text), spice_validate(text),
	spice_ready(), spice_wait_ready(interval) FROM regress_caller;
SET ROLE regress_caller;
SELECT pg_temp.failure(command) FROM unnest(ARRAY['SELECT spice_refresh(''e'', ''SELECT 1 AS id, word AS did FROM regress_secret, e'')',
	'SELECT spice_refresh(''e'', refresh_mode => ''append'')', 'SELECT spice_refresh(''e'', wait => false, refresh_sql => ''SELECT 1 AS id FROM e'')',
	'SELECT spice_refresh(''nothing'')', 'SELECT spice_refresh(NULL)', 'TABLE e', 'TABLE spice_source.e', 'TABLE spice_catalog.dataset', 'SELECT spice_pause(''e'')',
	'SELECT spice_reload()', 'SELECT spice_drop(''e'')', 'SELECT spice_retain(''e'')', 'SELECT spice_validate('''')', 'SET spice.role = ''regress_caller''',
	'SET spice.spicepod = ''/dev/null''']) command;
SELECT spice_refresh('e') IS NOT NULL AS refreshed;
RESET ROLE;

-- A definition that spice has not written, or not this version of it, is an error.
UPDATE spice_catalog.dataset SET definition = definition - key FROM unnest(ARRAY['mode', 'schema', 'refresh_mode', 'ready_state']) key WHERE name = 'e';
SELECT pg_temp.failure('SELECT spice_refresh(''e'')');
UPDATE spice_catalog.dataset SET definition = '{}' WHERE name = 'e';
SELECT pg_temp.failure('SELECT spice_refresh(''e'')');
SELECT dataset, action, detail FROM spice_reload() WHERE dataset = 'e';
SELECT spice_refresh('e') IS NOT NULL AS refreshed;

-- Every function of the extension is for those it is granted to, says what it does, and
-- if it is not written in C has a search_path of its own; what it keeps is dumped, but not
-- requests, which mean nothing to another server.
SELECT p.oid::regprocedure AS function,
	EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0) AS public,
	obj_description(p.oid, 'pg_proc') IS NULL AS uncommented, p.prosecdef AS definer,
	l.lanname <> 'c' AND NOT coalesce(p.proconfig::text LIKE '%search_path=%', false) AS unpinned
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'spice'
WHERE EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)
		AND has_schema_privilege('public', p.pronamespace, 'USAGE')
	OR obj_description(p.oid, 'pg_proc') IS NULL OR p.prosecdef OR (l.lanname <> 'c' AND NOT coalesce(p.proconfig::text LIKE '%search_path=%', false));
SELECT pg_describe_object(d.classid, d.objid, 0) AS uncommented FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'spice'
	LEFT JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
WHERE d.deptype = 'e' AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_foreign_server'::regclass, 'pg_foreign_data_wrapper'::regclass)
	AND coalesce(c.relkind, 'r') IN ('r', 'v') AND obj_description(d.objid, d.classid::regclass::name) IS NULL;
SELECT c.oid::regclass AS not_dumped FROM pg_class c, pg_extension e WHERE e.extname = 'spice' AND relnamespace IN ('spice'::regnamespace, 'spice_catalog'::regnamespace)
	AND relkind IN ('r', 'S') AND NOT coalesce(c.oid = ANY (e.extconfig), false) ORDER BY 1;

\i :teardown
SET client_min_messages = warning;
DROP TABLE IF EXISTS regress_called, regress_secret, regress_relation CASCADE;
DROP OWNED BY regress_tables, regress_caller, regress_hostile CASCADE;
DROP ROLE regress_tables, regress_caller, regress_hostile;
