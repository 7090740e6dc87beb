\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- What spice finds by an OID or by a name it touches only if it is the extension's.
SELECT 'a
{"body": [{"id": 1}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/a", name: a, acceleration: {enabled: true}}
  - {from: "SOURCE/a", name: b, acceleration: {enabled: true}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('a'), spice_refresh('b');

-- the OID of a table that was dropped is another table's
CREATE TABLE regress_other AS SELECT 'kept' AS word;
DROP TABLE a, b;
UPDATE spice_catalog.dataset SET relation = 'regress_other'::regclass;
SELECT dataset, "table", status FROM spice.datasets ORDER BY dataset;
SELECT spice_refresh('a');
TABLE a;
TABLE regress_other;

-- a table in the dataset's schema with the name of a new heap
DO $$ BEGIN EXECUTE 'CREATE TABLE public.spice_new_' || 'public.a'::regclass::oid || ' (id int)'; END $$;
SELECT 'a
{"body": [{"id": 2}]}' :answer
SELECT spice_refresh('a');
TABLE a;
DO $$ BEGIN EXECUTE 'DROP TABLE public.spice_new_' || 'public.a'::regclass::oid; END $$;

-- a server and a type with the names of the dataset's own
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE EXTENSION postgres_fdw;
CREATE ROLE regress_stranger;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO regress_stranger;
SELECT id AS a FROM spice_catalog.dataset WHERE name = 'a' \gset
CREATE SERVER spice_:a FOREIGN DATA WRAPPER regress_wrapper;
CREATE FOREIGN TABLE regress_far (id int) SERVER spice_:a;
\set local_type '"local numeric(3,1) of ' :a '"'
CREATE DOMAIN spice_source.:local_type AS numeric(3,1);
CREATE TABLE regress_copy (n spice_source.:local_type);
DROP FOREIGN TABLE spice_source.a;
SELECT spice_refresh('a');
SELECT srvname = 'spice_' || :a AS kept, (SELECT count(*) FROM pg_foreign_table WHERE ftserver = s.oid) AS tables
FROM pg_foreign_server s WHERE srvname LIKE 'spice\__%';
\d regress_copy
DROP FOREIGN TABLE regress_far;
DROP SERVER spice_:a;
DROP TABLE regress_copy;
SET ROLE regress_stranger;
CREATE SERVER spice_:a FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');
RESET ROLE;
SELECT 'datasets:
  - {from: "postgres:x", name: a, params: {pg_host: localhost, pg_db: postgres, pg_user: postgres}, acceleration: {enabled: true}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('a');
SELECT srvowner::regrole, srvoptions, (SELECT count(*) FROM pg_user_mapping WHERE umserver = s.oid) AS mappings
FROM pg_foreign_server s WHERE srvname = 'spice_' || :a;
SELECT spice_drop('b');
TABLE regress_other;

\i :teardown
DROP TABLE regress_other;
DROP OWNED BY regress_stranger CASCADE;
DROP ROLE regress_stranger;
DROP EXTENSION postgres_fdw;
DROP FOREIGN DATA WRAPPER regress_wrapper;
