\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- The extension leaves with its tables or not at all, and comes back.

SELECT 'a
{"body": [{"id": 1}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/a", name: kept, acceleration: {primary_key: id}}
  - {from: "SOURCE/a", name: live}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('kept'), spice_refresh('live');
CREATE VIEW regress_view AS TABLE kept;

-- what would go is named
DROP EXTENSION spice;
TABLE kept;
SELECT spice_refresh('kept', 'SELECT * FROM kept');
DROP EXTENSION spice;

-- in a transaction
BEGIN;
SET LOCAL client_min_messages = warning;
DROP EXTENSION spice CASCADE;
TABLE kept;
ROLLBACK;
TABLE kept;
SELECT spice_refresh('kept', 'SELECT * FROM kept');

DROP EXTENSION spice CASCADE;
TABLE kept;
TABLE regress_view;
TABLE live;
SELECT spice_refresh('kept');
SELECT nspname FROM pg_namespace WHERE nspname LIKE 'spice%';
SELECT proname FROM pg_proc WHERE proname LIKE 'spice%';
SELECT relname FROM pg_class WHERE relname LIKE 'spice\_%';

-- again, in another schema
CREATE SCHEMA regress_spice;
CREATE EXTENSION spice SCHEMA regress_spice;
SELECT spice_ready();
SELECT regress_spice.spice_ready();
SELECT regress_spice.spice_refresh('kept');
SELECT * FROM regress_spice.spice_reload();
SELECT regress_spice.spice_refresh('kept'), regress_spice.spice_refresh('live');
TABLE kept;
TABLE live;
DROP EXTENSION spice CASCADE;
CREATE EXTENSION spice VERSION '0.1.0';
SELECT * FROM spice_reload();
SELECT spice_refresh('kept');
-- a table alone, as any other
DROP TABLE kept;
SELECT spice_refresh('kept');
DROP TABLE kept;
DROP EXTENSION spice;
DROP FOREIGN TABLE spice_source.kept;
DROP EXTENSION spice;

\i :teardown
DROP SCHEMA regress_spice;
