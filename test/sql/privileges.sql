\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- Who may do what, and where secrets are not.

CREATE ROLE regress_nobody;
CREATE ROLE regress_refresher;
CREATE ROLE regress_owner;
\! echo 'API_KEY=s3cret-word' >"$FOLDER/.env"
SELECT 'p
{"basic": ["someone", "s3cret-word"], "body": [{"id": 1}, {"id": 2}]}' :answer
SELECT 'datasets:
  - from: SOURCE/p
    name: p
    params:
      http_username: someone
      http_password: ${secrets:API_KEY}
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('p');

-- nobody can read or call anything without a grant
SET ROLE regress_nobody;
SELECT spice_refresh('p');
SELECT spice_reload();
SELECT spice_validate('');
SELECT spice_ready();
SELECT spice_pause('p');
SELECT spice_resume('p');
SELECT spice_drop('p');
TABLE p;
TABLE spice_source.p;
TABLE spice.datasets;
TABLE spice.refreshes;
TABLE spice_catalog.dataset;
TABLE spice.manifest;
SET spice.role = 'regress_nobody';
SET spice.spicepod = '/etc/passwd';
RESET ROLE;
GRANT CREATE ON SCHEMA public TO regress_nobody;
SET ROLE regress_nobody;
CREATE FOREIGN TABLE regress_nobody_p (id bigint) SERVER spice OPTIONS (dataset 'p');
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM regress_nobody;
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'spice') AND has_function_privilege('regress_nobody', p.oid, 'EXECUTE')
	AND has_schema_privilege('regress_nobody', p.pronamespace, 'USAGE');
SELECT c.oid::regclass FROM pg_class c WHERE relnamespace IN ('spice'::regnamespace, 'spice_catalog'::regnamespace, 'spice_source'::regnamespace)
	AND relkind IN ('r', 'v', 'f', 'S') AND (CASE WHEN relkind = 'S' THEN has_sequence_privilege('regress_nobody', c.oid, 'USAGE')
	ELSE has_any_column_privilege('regress_nobody', c.oid, 'SELECT, INSERT, UPDATE') END);

-- one who may refresh may do just that
GRANT EXECUTE ON FUNCTION spice_refresh(text, text, text, boolean, boolean), spice_ready() TO regress_refresher;
SET ROLE regress_refresher;
SELECT spice_refresh('p'), spice_ready();
SELECT spice_refresh('p', 'SELECT 99 AS id FROM p');
SELECT spice_refresh('p', refresh_mode => 'full');
SELECT spice_refresh('p', 'SELECT 99 AS id FROM p', wait => false);
TABLE p;
RESET ROLE;
SELECT 'p
{"basic": ["someone", "s3cret-word"], "body": [{"id": 3}]}' :answer
SET ROLE regress_refresher;
-- whatever he puts in the way of names
CREATE TEMP TABLE p (id bigint);
CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$;
SET search_path = pg_temp, public;
SELECT spice_refresh('p');
RESET search_path;
DROP TABLE pg_temp.p;
DROP FUNCTION pg_temp.clock_timestamp();
RESET ROLE;
TABLE p;
GRANT SELECT ON p TO regress_refresher;
GRANT USAGE ON SCHEMA spice TO regress_refresher;
GRANT SELECT ON spice.datasets, spice.refreshes TO regress_refresher;
SET ROLE regress_refresher;
TABLE p;
SELECT dataset, status, rows FROM spice.datasets;
SELECT count(*) FROM spice.refreshes;
RESET ROLE;

-- reading the source live takes USAGE of its schema and SELECT, and shows no secret
GRANT USAGE ON SCHEMA spice_source TO regress_refresher;
GRANT SELECT ON spice_source.p TO regress_refresher;
SET ROLE regress_refresher;
TABLE spice_source.p;
RESET ROLE;
:log

-- refresh_sql is run as the table's owner, who can read what he may and change nothing
CREATE TABLE regress_secret (word text);
INSERT INTO regress_secret VALUES ('hidden');
CREATE FUNCTION regress_intruder() RETURNS bigint LANGUAGE plpgsql AS
$$
BEGIN
	CREATE TABLE regress_intruded ();
	RETURN 1;
END
$$;
SET spice.role = 'regress_owner';
SELECT 'datasets:
  - from: SOURCE/p
    name: owned
    params: {http_username: someone, http_password: "${secrets:API_KEY}"}
    acceleration: {refresh_sql: "SELECT id, current_user::text COLLATE \"default\" AS who FROM owned"}
  - from: SOURCE/p
    name: regress_schema.nosy
    params: {http_username: someone, http_password: "${secrets:API_KEY}"}
    acceleration: {refresh_sql: "SELECT id, word FROM regress_schema.nosy, regress_secret"}
  - from: SOURCE/p
    name: regress_schema.live
    params: {http_username: someone, http_password: "${secrets:API_KEY}"}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('owned');
TABLE owned;
SELECT spice_refresh('regress_schema.nosy');
SELECT spice_refresh('owned', 'SELECT id, (SELECT word FROM regress_secret) AS who FROM owned');
SELECT spice_refresh('owned', 'SELECT id, regress_intruder()::text AS who FROM owned');
SELECT spice_refresh('owned', 'SELECT id, set_config(''role'', ''none'', false) AS who FROM owned');
SELECT spice_refresh('regress_schema.live');
SELECT c.oid::regclass, relowner::regrole FROM pg_class c
WHERE relname IN ('owned', 'live') AND relkind IN ('r', 'f') ORDER BY c.oid::regclass::text COLLATE "C";
SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'regress_schema';
-- members of it may put their own query in its place
GRANT EXECUTE ON FUNCTION spice_refresh(text, text, text, boolean, boolean) TO regress_owner;
SET ROLE regress_owner;
SELECT spice_refresh('owned', 'SELECT id + 1 AS id, current_user::text COLLATE "default" AS who FROM owned');
TABLE owned;
RESET ROLE;
SELECT current_user = session_user AS back, current_setting('search_path');
SET spice.role = 'regress_missing';
SELECT spice_refresh('owned');
RESET spice.role;

-- the secret is in no table and no option
SELECT count(*) AS rows, count(*) FILTER (WHERE d::text LIKE '%s3cret%') AS leaks FROM spice_catalog.dataset d;
SELECT count(*) AS rows, count(*) FILTER (WHERE h::text LIKE '%s3cret%') AS leaks FROM spice_catalog.refresh_history h;
SELECT count(*) AS rows, count(*) FILTER (WHERE m::text LIKE '%s3cret%') AS leaks FROM spice.manifest m;
SELECT count(*) AS rows, count(*) FILTER (WHERE f::text LIKE '%s3cret%') AS leaks FROM pg_foreign_table f;
SELECT definition -> 'params' FROM spice_catalog.dataset WHERE name = 'owned';
-- nor in an error, even of a source that repeats it
\! echo 'API_KEY=wr0ng-word' >"$FOLDER/.env"
SELECT 'p
{"status": 403, "body": {"title": "Forbidden", "detail": "someone with wr0ng-word and c29tZW9uZTp3cjBuZy13b3Jk may not"}}' :answer
SELECT pg_temp.failure($$SELECT spice_refresh('owned')$$);

\i :teardown
DROP FUNCTION regress_intruder();
DROP TABLE regress_secret;
DROP SCHEMA regress_schema CASCADE;
DROP ROLE regress_nobody, regress_refresher, regress_owner;
