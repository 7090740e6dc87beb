\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- refresh_sql: which statements there may be, and what the dataset's name means
-- in them.

-- refused when the manifest is read, each with its reason
CREATE FUNCTION pg_temp.problem(refresh_sql text) RETURNS text LANGUAGE sql AS
$$
	SELECT message FROM spice_validate(concat(
		'{version: v1, kind: Spicepod, name: x, datasets: [',
		'{from: "http://localhost/a", name: web-sales, acceleration: {refresh_sql: ',
		to_json(refresh_sql), '}}]}'))
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.problem('SELECT * FROM web_sales; SELECT * FROM web_sales');
SELECT pg_temp.problem(';');
SELECT pg_temp.problem('INSERT INTO web_sales SELECT 1');
SELECT pg_temp.problem('TRUNCATE web_sales');
SELECT pg_temp.problem('SELECT * INTO copied FROM web_sales');
SELECT pg_temp.problem('SELECT * FROM web_sales FOR UPDATE');
SELECT pg_temp.problem('SELECT * FROM (SELECT * FROM web_sales FOR SHARE) s');
SELECT pg_temp.problem('WITH gone AS (DELETE FROM web_sales RETURNING *) SELECT * FROM gone');
SELECT pg_temp.problem('SELECT * FROM other');
SELECT pg_temp.problem('SELECT * FROM another_schema.web_sales');
SELECT pg_temp.problem('WITH web_sales AS (SELECT 1 AS id) SELECT * FROM web_sales');
SELECT pg_temp.problem('WITH "web-sales" AS (SELECT 1 AS id) SELECT * FROM "web-sales"');
SELECT pg_temp.problem('SELECT * FORM web_sales');
SELECT pg_temp.problem('VALUES (1)');
-- accepted
SELECT pg_temp.problem('SELECT * FROM web_sales');
SELECT pg_temp.problem('TABLE "web-sales"');
SELECT pg_temp.problem('SELECT * FROM public.web_sales;');
SELECT pg_temp.problem('SELECT (SELECT max(id) FROM web_sales) AS id');
SELECT pg_temp.problem('SELECT 1 AS id UNION ALL SELECT id FROM web_sales');
SELECT pg_temp.problem('WITH recent AS (SELECT * FROM web_sales) SELECT * FROM recent');
SELECT pg_temp.problem('WITH web_sales AS (SELECT * FROM web_sales) SELECT * FROM web_sales');
\pset tuples_only off
\pset format aligned

-- and run
SELECT 'sales
{"body": [{"id": 1, "customer": 10}, {"id": 2, "customer": 20}, {"id": 3, "customer": 10}]}' :answer
CREATE TABLE regress_customer (customer bigint, name text);
INSERT INTO regress_customer VALUES (10, 'Zuse'), (20, 'Hopper');
SELECT 'datasets:
  - from: SOURCE/sales
    name: web-sales
    acceleration:
      refresh_sql: |
        -- the name in the middle hides the dataset from there on
        WITH big AS (SELECT * FROM "web-sales" WHERE id > 1),
          web_sales AS (SELECT * FROM big WHERE customer = 10)
        SELECT * FROM web_sales
  - from: SOURCE/sales
    name: joined
    acceleration:
      refresh_sql: SELECT joined.id, c.name FROM joined JOIN regress_customer c USING (customer)
  - from: SOURCE/sales
    name: nested
    acceleration:
      refresh_sql: |
        SELECT n.id, EXISTS (SELECT FROM nested o WHERE o.customer = n.customer AND o.id <> n.id) AS again
        FROM nested n
  - from: SOURCE/sales
    name: recursive
    acceleration:
      refresh_sql: |
        WITH RECURSIVE chain AS (
          SELECT id FROM recursive WHERE id = 1
          UNION ALL
          SELECT r.id FROM recursive r JOIN chain c ON r.id = c.id + 1)
        SELECT id FROM chain
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('web-sales'), spice_refresh('joined'), spice_refresh('nested'), spice_refresh('recursive');
TABLE web_sales;
SELECT * FROM joined ORDER BY id;
SELECT * FROM nested ORDER BY id;
SELECT * FROM recursive ORDER BY id;

-- the other datasets' names mean their tables, not their sources
:log
SELECT 'datasets:
  - from: SOURCE/sales
    name: web-sales
    acceleration:
      refresh_sql: SELECT s.* FROM "web-sales" s WHERE EXISTS (SELECT FROM joined j WHERE j.id = s.id)
  - from: SOURCE/sales
    name: joined
    acceleration:
      refresh_sql: SELECT joined.id, c.name FROM joined JOIN regress_customer c USING (customer)
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('web-sales');
:log

-- refused when they are run: what the parser alone cannot see
SELECT spice_refresh('joined', 'SELECT id, nothing FROM joined');
SELECT spice_refresh('joined', 'SELECT id, name FROM joined');
SELECT spice_refresh('joined', 'SELECT FROM joined');
SELECT spice_refresh('joined', 'SELECT id + 1 FROM joined');
SELECT spice_refresh('joined', 'SELECT id, id FROM joined');
SELECT spice_refresh('joined', 'SELECT id AS xmin FROM joined');
SELECT spice_refresh('joined', 'SELECT id / (id - 1) AS id, ''x'' AS name FROM joined');
SELECT spice_refresh('joined', 'SELECT id, set_config(''spice.role'', ''x'', false) AS c FROM joined');
SELECT * FROM joined ORDER BY id;
SHOW spice.role;

\i :teardown
DROP TABLE regress_customer;
