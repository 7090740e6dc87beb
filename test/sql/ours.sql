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
SELECT 'datasets:
  - {from: "SOURCE/a", name: a, acceleration: {enabled: true}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_drop('b');
TABLE regress_other;

\i :teardown
DROP TABLE regress_other;
