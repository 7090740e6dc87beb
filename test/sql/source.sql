\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- The source itself in SQL: spice_source.<dataset>, and datasets without acceleration.

SELECT 'rates
{"body": [{"code": "EUR", "rate": 1}, {"code": "USD", "rate": 1.1}, {"code": "JPY", "rate": 160}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/rates", name: rates, description: Euro rates, acceleration: {}}
  - {from: "SOURCE/rates", name: live-rates, description: live, columns: [{name: rate, description: for one euro}]}
  - {from: "SOURCE/rates", name: off, acceleration: {enabled: false}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('rates'), spice_refresh('live-rates'), spice_refresh('off');
SELECT dataset, "table", status, rows FROM spice.datasets ORDER BY dataset;
SELECT dataset, outcome FROM spice.refreshes ORDER BY started;
SELECT c.oid::regclass, relkind, obj_description(c.oid), ftoptions
FROM pg_class c LEFT JOIN pg_foreign_table ON ftrelid = c.oid
WHERE relname IN ('rates', 'live_rates', 'off') ORDER BY c.oid::regclass::text COLLATE "C";

-- live while the table keeps what was loaded
SELECT 'rates
{"body": [{"code": "EUR", "rate": 2}, {"code": "USD", "rate": 2.2}, {"code": "JPY", "rate": 320, "new": true}]}' :answer
:log
SELECT * FROM rates ORDER BY code;
:log
SELECT * FROM spice_source.rates;
SELECT * FROM live_rates;
:log
-- what a registered foreign table has to learn, it knows already
SELECT spice_refresh('live-rates'), spice_refresh('off');
:log

-- plans
EXPLAIN (COSTS OFF) SELECT code FROM spice_source.rates WHERE rate > 1;
EXPLAIN (COSTS OFF) SELECT count(*) FROM live_rates;
EXPLAIN (COSTS OFF, VERBOSE) SELECT code FROM live_rates WHERE rate > 1;
:log

-- few columns, none, the whole row, system columns, one row, one fetch for all rescans
SELECT rate FROM spice_source.rates WHERE code = 'JPY';
SELECT count(*) FROM spice_source.rates;
SELECT r FROM spice_source.rates r ORDER BY r.code;
SELECT tableoid::regclass FROM spice_source.rates LIMIT 1;
SELECT code FROM spice_source.rates LIMIT 1;
:log
SET enable_material = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT * FROM generate_series(1, 3) n LEFT JOIN spice_source.rates r ON r.rate > n;
SELECT n, count(r.code) FROM generate_series(1, 3) n LEFT JOIN spice_source.rates r ON r.rate > n GROUP BY n ORDER BY n;
RESET enable_material;
RESET enable_hashjoin;
RESET enable_mergejoin;
:log
BEGIN;
DECLARE moving SCROLL CURSOR FOR SELECT code FROM spice_source.rates;
FETCH 2 FROM moving;
FETCH ABSOLUTE 1 FROM moving;
COMMIT;
SELECT code FROM spice_source.rates WHERE false;
:log

-- in a view, a prepared statement, a subquery, together with the table
CREATE VIEW regress_view AS SELECT code, rate FROM live_rates;
SELECT * FROM regress_view WHERE code = 'USD';
DROP VIEW regress_view;
PREPARE one(text) AS SELECT rate FROM live_rates WHERE code = $1;
EXECUTE one('EUR');
EXECUTE one('USD');
DEALLOCATE one;
SELECT code, r.rate, s.rate FROM rates r JOIN spice_source.rates s USING (code) WHERE s.rate <> r.rate ORDER BY code;
ANALYZE live_rates;

-- no writing
INSERT INTO live_rates VALUES (1, 'CHF');
UPDATE spice_source.rates SET rate = 1;
DELETE FROM spice_source.rates;
TRUNCATE live_rates;

-- the one option there is
CREATE FOREIGN TABLE regress_other (code text) SERVER spice OPTIONS (dataset 'rates');
SELECT * FROM regress_other;
CREATE FOREIGN TABLE regress_url (code text) SERVER spice OPTIONS (dataset 'rates', url 'http://localhost/');
ALTER SERVER spice OPTIONS (ADD password 'secret');
ALTER FOREIGN DATA WRAPPER spice OPTIONS (ADD dataset 'rates');
CREATE USER MAPPING FOR CURRENT_USER SERVER spice OPTIONS (password 'secret');
CREATE FOREIGN TABLE regress_none (code text) SERVER spice;
SELECT * FROM regress_none;
ALTER FOREIGN TABLE regress_other OPTIONS (SET dataset 'nonsense');
SELECT * FROM regress_other;
DROP FOREIGN TABLE regress_other, regress_none;

-- answers that are no rows
SELECT 'rates
{"status": 404, "body": {"title": "No such thing", "detail": "Look elsewhere"}}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates');
SELECT pg_temp.failure($$SELECT spice_refresh('rates')$$);
SELECT 'rates
{"status": 500, "headers": {"Content-Type": "text/html"}, "body": "<html><h1>It   broke</h1></html>"}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates');
SELECT 'rates
{"basic": ["u", "p"], "body": []}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates');
SELECT 'rates
{"status": 429, "headers": {"Retry-After": "7"}}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates');
SELECT 'rates
{"status": 204}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates');
SELECT 'rates
{"body": [{"code": "EUR"}], "truncate_after": 10}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates') LIKE '%response is truncated%';
SET spice.fetch_max_size = 1;
SELECT 'rates
{"gzip": true, "generate": {"kind": "repeat", "text": " ", "count": 2000000}}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates');
RESET spice.fetch_max_size;
TABLE rates;

-- redirects, to the same origin only with what is private
SELECT 'moved
{"body": [{"code": "MOV", "rate": 1}]}' :answer
SELECT 'rates
{"redirect": "/moved"}' :answer
TABLE live_rates;
SELECT 'rates
{"redirect": "/rates"}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates');
SELECT 'rates
{"redirect": "ftp://localhost/rates"}' :answer
SELECT pg_temp.failure('SELECT * FROM live_rates');

-- compressed, and in pieces
SELECT 'rates
{"gzip": true, "body": [{"code": "ZIP", "rate": 1}]}' :answer
TABLE live_rates;
SELECT 'rates
{"chunked": true, "body": [{"code": "CHU", "rate": 1}]}' :answer
TABLE live_rates;
-- more than the memory for it holds
SET spice.fetch_memory = 64;
SELECT 'rates
{"generate": {"kind": "repeat", "text": "{\"code\": \"row\", \"rate\": 1},", "count": 20000, "prefix": "[", "suffix": "{}]"}}' :answer
SELECT count(*), count(rate), min(code), max(code) FROM live_rates;
SELECT n, (SELECT count(rate) FROM live_rates WHERE rate = n) FROM generate_series(1, 2) n;
RESET spice.fetch_memory;

-- from live to accelerated and back, under one name
SELECT 'rates
{"body": [{"code": "EUR", "rate": 3}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/rates", name: live-rates, acceleration: {}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('live-rates');
SELECT c.oid::regclass, relkind FROM pg_class c WHERE relname = 'live_rates' ORDER BY relkind;
SELECT 'datasets:
  - {from: "SOURCE/rates", name: live-rates}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('live-rates');
TABLE live_rates;
DROP TABLE live_rates;
SELECT spice_refresh('live-rates');
SELECT c.oid::regclass, relkind FROM pg_class c WHERE relname = 'live_rates' ORDER BY relkind;
TABLE live_rates;

\i :teardown
