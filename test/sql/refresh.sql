\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- One refresh after another: what is fetched, what is loaded, what is left alone.

-- the manifest that the documentation begins with
SELECT 'v1/products
{"basic": ["api-user", "s3cret"], "body": [
 {"id": 1, "name": "Laptop", "category": "electronics", "status": "active", "price": 999.5},
 {"id": 2, "name": "Phone", "category": "electronics", "status": "retired", "price": 10},
 {"id": 3, "name": "Chair", "category": "furniture", "status": "active", "price": 49}]}' :answer
SELECT 'version: v1
kind: Spicepod
name: product-catalog
datasets:
  - from: SOURCE/v1/products
    name: products
    description: Product catalog data for active electronics category
    params:
      http_username: api-user
      http_password: ${secrets:API_KEY}
    acceleration:
      enabled: true
      engine: duckdb
      refresh_mode: full # Replace entire dataset on each refresh
      refresh_sql: | # Accelerate specific product subset
        SELECT * FROM products
        WHERE category = ''electronics''
          AND status = ''active''
      refresh_check_interval: 1h # Refresh hourly or via API
' :manifest
SELECT * FROM spice_reload();
SELECT spice_ready();
SELECT spice_refresh('products');
\! echo 'API_KEY=s3cret' >"$FOLDER/.env"
SELECT spice_refresh('products');
TABLE products;
SELECT obj_description('products'::regclass);
SELECT dataset, "table", engine, mode, refresh_mode, status, rows, bytes > 0 AS bytes,
	last_refresh <= clock_timestamp() AS refreshed, next_refresh - last_refresh > '59 min' AS scheduled,
	failures, last_error
FROM spice.datasets;
SELECT spice_ready();
:log

-- on demand: nothing new, then one more product
SELECT spice_refresh('products');
SELECT 'v1/products
{"basic": ["api-user", "s3cret"], "body": [
 {"id": 4, "name": "Tablet", "category": "electronics", "status": "active", "price": 199},
 {"id": 1, "name": "Laptop", "category": "electronics", "status": "active", "price": 899}]}' :answer
SELECT spice_refresh('products');
SELECT * FROM products ORDER BY id;

-- no credentials
\! rm "$FOLDER/.env"
SELECT spice_refresh('products');
SELECT count(*) FROM products;

-- what history shows of them
SELECT dataset, trigger, mode, outcome, rows, bytes > 0 AS bytes, fetch_time > '0' AS fetch,
	load_time > '0' AS load, swap_time > '0' AS swap, http_status, attempt, error, notice
FROM spice.refreshes ORDER BY started;

-- unchanged, as the source says by its ETag or by Last-Modified, and as the bytes show
CREATE VIEW outcomes AS
SELECT dataset, outcome, http_status, rows, bytes FROM spice.refreshes ORDER BY started DESC;
SELECT 'tagged
{"etag": true, "body": [{"id": 1}]}' :answer
SELECT 'dated
{"last_modified": "Sat, 01 Mar 2025 10:00:00 GMT", "body": [{"id": 1}]}' :answer
SELECT 'plain
{"body": [{"id": 1}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/tagged", name: tagged, acceleration: {}}
  - {from: "SOURCE/dated", name: dated, acceleration: {}}
  - {from: "SOURCE/plain", name: plain, acceleration: {}}
  - from: SOURCE/tagged
    name: clocked
    acceleration: {refresh_sql: "SELECT id, now() AS at FROM clocked"}
  - from: SOURCE/tagged
    name: joined
    acceleration: {refresh_sql: "SELECT id, (SELECT count(*) FROM pg_class) > 0 AS some FROM joined"}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('tagged'), spice_refresh('dated'), spice_refresh('plain');
:log
SELECT pg_relation_filenode('tagged') AS tagged, pg_relation_filenode('dated') AS dated,
	pg_relation_filenode('plain') AS plain \gset
SELECT spice_refresh('tagged'), spice_refresh('dated'), spice_refresh('plain');
:log
SELECT * FROM outcomes LIMIT 3;
SELECT pg_relation_filenode('tagged') = :tagged AS tagged, pg_relation_filenode('dated') = :dated AS dated,
	pg_relation_filenode('plain') = :plain AS plain;
-- another body has another tag
SELECT 'tagged
{"etag": true, "body": [{"id": 2}]}' :answer
SELECT spice_refresh('tagged');
TABLE tagged;

-- a query that depends on more than the source's bytes is run every time
SELECT spice_refresh('clocked'), spice_refresh('joined');
SELECT spice_refresh('clocked'), spice_refresh('joined');
SELECT count(DISTINCT rows), count(*), min(outcome), max(outcome), min(http_status)
FROM spice.refreshes WHERE dataset IN ('clocked', 'joined');
SELECT name, etag IS NULL AS no_etag, digest IS NULL AS no_digest FROM spice_catalog.dataset ORDER BY name;

-- another query for one refresh; the next one puts the manifest's rows back
SELECT 'plain
{"body": [{"id": 1}, {"id": 2}, {"id": 3}]}' :answer
SELECT spice_refresh('plain', 'SELECT * FROM plain WHERE id > 1');
SELECT * FROM plain ORDER BY id;
SELECT spice_refresh('plain', refresh_sql => 'SELECT * FROM plain WHERE id > 5');
SELECT * FROM plain ORDER BY id;
SELECT spice_refresh('plain', refresh_sql => 'DELETE FROM plain');
SELECT spice_refresh(dataset => 'plain', refresh_mode => 'full', wait => true);
SELECT * FROM plain ORDER BY id;
SELECT spice_refresh('plain', refresh_mode => 'append');
SELECT spice_refresh(NULL);

-- rolled back: the table, and what is known about it, are as before
SELECT 'plain
{"body": [{"id": 10}]}' :answer
BEGIN;
SELECT spice_refresh('plain');
TABLE plain;
ROLLBACK;
SELECT * FROM plain ORDER BY id;
SELECT * FROM outcomes LIMIT 1;
SELECT rows FROM spice.datasets WHERE dataset = 'plain';

-- twice in one transaction, and inside of savepoints
BEGIN;
SELECT spice_refresh('plain');
SELECT 'plain
{"body": [{"id": 11}]}' :answer
SELECT spice_refresh('plain');
TABLE plain;
SAVEPOINT s;
SELECT 'plain
{"body": [{"id": 12}]}' :answer
SELECT spice_refresh('plain');
TABLE plain;
ROLLBACK TO s;
TABLE plain;
SELECT spice_refresh('plain');
RELEASE s;
SAVEPOINT t;
SELECT spice_refresh('nonsense');
ROLLBACK TO t;
TABLE plain;
COMMIT;
TABLE plain;
SELECT count(*) FROM spice.refreshes WHERE outcome NOT IN ('loaded', 'unchanged');

-- a table that is in use in the same session
BEGIN;
DECLARE open_query CURSOR FOR TABLE plain;
FETCH open_query;
SELECT spice_refresh('plain', 'SELECT * FROM plain');
ROLLBACK;
TABLE plain;
BEGIN READ ONLY;
SELECT spice_refresh('plain');
ROLLBACK;

-- rows that are gone are loaded again although the source is unchanged
TRUNCATE tagged;
SELECT spice_refresh('tagged');
TABLE tagged;
DROP TABLE tagged;
SELECT spice_refresh('tagged');
TABLE tagged;
DROP FOREIGN TABLE spice_source.tagged;
SELECT spice_refresh('tagged');
SELECT 'tagged
{"body": [{"id": 5}]}' :answer
SELECT spice_refresh('tagged');
TABLE tagged;
TABLE spice_source.tagged;

-- none at all is a table too
SELECT 'tagged
{"body": []}' :answer
SELECT spice_refresh('tagged');
TABLE tagged;
SELECT status, rows FROM spice.datasets WHERE dataset = 'tagged';

-- somebody else's relation of that name stays as it is
CREATE TABLE taken (mine text);
INSERT INTO taken VALUES ('mine');
CREATE VIEW taken_view AS SELECT 1 AS mine;
CREATE SEQUENCE taken_sequence;
CREATE TABLE spice_source.taken_source (mine text);
SELECT 'datasets:
  - {from: "SOURCE/plain", name: taken, acceleration: {}}
  - {from: "SOURCE/plain", name: taken_view, acceleration: {}}
  - {from: "SOURCE/plain", name: taken_sequence}
  - {from: "SOURCE/plain", name: taken_source, acceleration: {}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('taken');
SELECT spice_refresh('taken_view');
SELECT spice_refresh('taken_sequence');
SELECT spice_refresh('taken_source');
TABLE taken;
SELECT dataset, "table", status FROM spice.datasets WHERE dataset LIKE 'taken%' ORDER BY dataset;
DROP TABLE taken, spice_source.taken_source;
DROP VIEW taken_view;
DROP SEQUENCE taken_sequence;
SELECT spice_refresh('taken');

-- pause, resume, drop
SELECT 'datasets:
  - {from: "SOURCE/plain", name: taken, acceleration: {refresh_check_interval: 1h}}
  - {from: "SOURCE/plain", name: later-on, acceleration: {}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_ready();
SELECT spice_pause('taken');
SELECT dataset, status FROM spice.datasets WHERE dataset = 'taken';
SELECT spice_refresh('taken');
SELECT dataset, status, rows FROM spice.datasets WHERE dataset = 'taken';
SELECT spice_resume('taken');
SELECT dataset, status, next_refresh <= clock_timestamp() AS due FROM spice.datasets WHERE dataset = 'taken';
SELECT spice_refresh('later-on'), spice_refresh('later_on');
SELECT spice_ready();
SELECT spice_drop('later-on');
SELECT spice_pause('nonsense');
SELECT spice_resume('nonsense');
SELECT spice_drop('nonsense');
SELECT spice_pause(NULL), spice_resume(NULL), spice_drop(NULL);
SELECT spice_drop('plain');
TABLE plain;
TABLE spice_source.plain;
SELECT count(*) FROM spice.datasets WHERE dataset = 'plain';
CREATE VIEW on_dated AS TABLE dated;
SELECT spice_drop('dated');
DROP VIEW on_dated;
SELECT spice_drop('dated');

-- handed to a launcher that is not there
SELECT spice_refresh('taken', wait => false);
SELECT count(*) FROM spice_catalog.refresh_request;

\i :teardown
