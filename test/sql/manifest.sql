\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- What spice_reload() makes of a manifest, one change after another.

SELECT 'a
{"body": [{"id": 1}]}' :answer

-- added, also with a warning and an error beside it
SELECT 'version: v1
kind: Spicepod
name: first
datasets:
  - from: SOURCE/a
    name: good
    acceleration: {}
  - from: SOURCE/a
    name: warned
    acceleration:
      write_mode: write_back
  - from: SOURCE/a
    name: misspelt
    acceleration:
      refresh_sq: SELECT * FROM misspelt
  - from: kafka:topic
    name: elsewhere
    acceleration: {}
' :manifest
SELECT * FROM spice_reload();
SELECT dataset, source IS NOT NULL AS has_source, engine, mode, refresh_mode, status, last_error
FROM spice.datasets ORDER BY dataset;
SELECT name, error, loaded IS NOT NULL AS loaded FROM spice.manifest;
SELECT spice_refresh('good');
SELECT spice_refresh('misspelt');
SELECT spice_refresh('nonsense');

-- nothing has changed, however the same is written
SELECT '# the same
name: "first"
kind: Spicepod
version: v1
datasets:
  - name: good
    from: SOURCE/a
    acceleration: {enabled: true, engine: arrow, refresh_mode: full}
  - {name: warned, from: SOURCE/a, acceleration: {write_mode: write_back}}
' :manifest
SELECT * FROM spice_reload();

-- a bad entry keeps its previous definition, the others go on
SELECT 'datasets:
  - from: SOURCE/a
    name: good
    acceleration:
      engine: duck
  - from: SOURCE/a
    name: warned
    description: another
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();
SELECT dataset, engine, status, last_error FROM spice.datasets ORDER BY dataset;
TRUNCATE good;
SELECT spice_refresh('good');
TABLE good;

-- corrected
SELECT 'datasets:
  - from: SOURCE/a
    name: good
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();
SELECT dataset, status, last_error FROM spice.datasets ORDER BY dataset;
SELECT spice_refresh('warned');

-- removal loses no rows, and coming back makes it the dataset's table again
SELECT 'datasets: []' :datasets
SELECT * FROM spice_reload();
TABLE good;
SELECT dataset, status, next_refresh FROM spice.datasets ORDER BY dataset;
SELECT 'datasets:
  - from: SOURCE/a
    name: good
    acceleration: {}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('good');

-- what is broken as a whole changes nothing
SELECT 'datasets:
  - from: SOURCE/a
    name: good
   acceleration: {}
' :datasets
SELECT replace(pg_temp.failure('SELECT * FROM spice_reload()'), :'folder', 'FOLDER');
SELECT 'datasest: []' :datasets
SELECT replace(pg_temp.failure('SELECT * FROM spice_reload()'), :'folder', 'FOLDER');
SELECT 'datasets:
  - from: SOURCE/a
    acceleration: {}
' :datasets
SELECT replace(pg_temp.failure('SELECT * FROM spice_reload()'), :'folder', 'FOLDER');
SELECT 'kind: Spicepod
datasets: []' :manifest
SELECT replace(pg_temp.failure('SELECT * FROM spice_reload()'), :'folder', 'FOLDER');
\! rm "$FOLDER/spicepod.yaml"
SELECT replace(pg_temp.failure('SELECT * FROM spice_reload()'), :'folder', 'FOLDER');
SELECT dataset, status, last_error FROM spice.datasets ORDER BY dataset;

-- names: two spellings of one table, the same twice, words SQL keeps for itself
SELECT 'datasets:
  - {from: "SOURCE/a", name: customer-interactions, acceleration: {}}
  - {from: "SOURCE/a", name: customer_interactions, acceleration: {}}
  - {from: "SOURCE/a", name: twice, acceleration: {}}
  - {from: "SOURCE/a", name: twice, acceleration: {}}
  - {from: "SOURCE/a", name: order, acceleration: {}}
  - {from: "SOURCE/a", name: ''"order"'', acceleration: {}}
  - {from: "SOURCE/a", name: Web-Sales, acceleration: {}}
  - {from: "SOURCE/a", name: regress_eth.blocks, acceleration: {}}
  - {from: "SOURCE/a", name: pg_catalog.blocks, acceleration: {}}
  - {from: "SOURCE/a", name: a.b.c, acceleration: {}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('Web-Sales'), spice_refresh('regress_eth.blocks'), spice_refresh('"order"');
SELECT spice_refresh('web_sales');
SELECT "order".id, web_sales.id, blocks.id FROM "order", web_sales, regress_eth.blocks;
SELECT dataset, "table" FROM spice.datasets WHERE "table" IS NOT NULL ORDER BY dataset COLLATE "C";

-- a secret that is nowhere fails its dataset by name, at the refresh
\! echo 'SPICE_TOKEN=abc' >"$FOLDER/.env"
SELECT 'datasets:
  - from: SOURCE/a
    name: known
    params: {http_headers: "Authorization: Bearer ${secrets:TOKEN}"}
    acceleration: {}
  - from: SOURCE/a
    name: unknown
    params: {http_username: u, http_password: "${secrets:NOWHERE}"}
    acceleration: {}
' :datasets
SELECT * FROM spice_reload() WHERE dataset IN ('known', 'unknown');
SELECT spice_refresh('known');
SELECT spice_refresh('unknown');

-- without applying it
SELECT * FROM spice_validate('version: v1
kind: Spicepod
name: first
datasets:
  - from: http://localhost/a
    name: one
    acceleration:
      refresh_check_interval: 1h30m
      refresh_mode: ful
      primary_kee: id
      write_mode: write_back
  - from: http://user:word@localhost/a
    name: two
    colour: red
    acceleration:
      refresh_sql: |
        DELETE FROM two
  - from: http://localhost/a
    name: three
    acceleration:
      enabled: maybe
      refresh_sql: |
        SELECT *
        FROM three; SELECT 1
  - from: http://localhost/a
    name: four
    acceleration:
      refresh_sql: SELECT 1
');
SELECT * FROM spice_validate('version: v1
  kind: Spicepod');
SELECT * FROM spice_validate('');
SELECT * FROM spice_validate(NULL);
SELECT * FROM spice_validate('{version: v1, kind: Spicepod, name: x, datasets: []}');

\i :teardown
DROP TABLE IF EXISTS regress_eth.blocks;
DROP SCHEMA regress_eth;
