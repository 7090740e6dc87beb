\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- Queries that group, count and sort one table are answered from its column index, with
-- PostgreSQL's answers; where that is uncertain, the server's own plan runs.
SET timezone = 'UTC';
CREATE TABLE goods (id int, category text, status varchar(10), price float8, stock int8, weight numeric(8,3),
	sold bool, day date, at timestamptz, gone int, note text) WITH (fillfactor = 20, autovacuum_enabled = off);
ALTER TABLE goods DROP COLUMN gone;
INSERT INTO goods SELECT i, (array['home','garden','toys',NULL])[1 + i % 4], 's' || i % 3, i / 8.0, i * 1000003::int8,
	i / 1000.0, i % 5 = 0, date '2025-01-01' + i % 100, timestamptz '2025-01-01' + i * interval '7 minutes', 'note ' || i
	FROM generate_series(1, 30000) i;
VACUUM (FREEZE, ANALYZE) goods;
CREATE INDEX goods_columns ON goods USING spice_columns (id, category, status, price, stock, weight, sold, day, at, note);

-- how EXPLAIN shows it
CREATE FUNCTION explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE query LOOP
		RETURN NEXT regexp_replace(line, ' \(actual.*', '');
	END LOOP;
END
$$;
EXPLAIN (COSTS OFF) SELECT category, count(*), avg(price) FROM goods WHERE price > 100 AND status = 's1'
	GROUP BY category HAVING count(*) > 10 ORDER BY category;
SELECT * FROM explained('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT category, count(*) FROM goods WHERE id > 25000 GROUP BY category');
EXPLAIN (COSTS OFF) SELECT id, note FROM goods ORDER BY price DESC, id LIMIT 3;
EXPLAIN (COSTS OFF, VERBOSE) SELECT g.n FROM (SELECT count(DISTINCT status) AS n FROM goods WHERE day < '2025-02-01') g;

-- both ways in one snapshot
CREATE FUNCTION answers(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$
DECLARE
	plan text;
	columns text;
	heap text;
BEGIN
	SET LOCAL spice.enable_columns = on;
	SELECT string_agg(line, ' ') FROM explained('EXPLAIN ' || query) line INTO plan;
	EXECUTE format('SELECT string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C") FROM (%s) t', query) INTO columns;
	SET LOCAL spice.enable_columns = off;
	EXECUTE format('SELECT string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C") FROM (%s) t', query) INTO heap;
	IF columns IS DISTINCT FROM heap THEN
		columns := concat_ws(E'\n', 'columns:', columns, 'heap:', heap);
	END IF;
	RETURN QUERY SELECT unnest(ARRAY[CASE WHEN plan LIKE '%SpiceColumns%' THEN 'from columns' ELSE 'as ever' END, columns]);
END
$$;
SET enable_sort = off;
SET max_parallel_workers_per_gather = 0;
SELECT * FROM answers('SELECT category, count(*), count(category), sum(id), avg(id), min(price), max(price) FROM goods GROUP BY category');
SELECT * FROM answers('SELECT sum(stock), avg(stock), sum(weight), avg(weight), min(weight), max(note), bool_and(sold), bool_or(sold) FROM goods');
SELECT * FROM answers('SELECT stddev(price), var_pop(stock), stddev(weight) FROM goods WHERE id % 7 = 1');
SELECT * FROM answers('SELECT status, sold, count(DISTINCT category), count(DISTINCT day) FROM goods GROUP BY 1, 2');
SELECT * FROM answers('SELECT date_trunc(''month'', at), count(*) FILTER (WHERE sold), sum(price) FROM goods GROUP BY 1');
SELECT * FROM answers('SELECT count(*), sum(price * stock) FROM goods WHERE status = ''s1'' AND price BETWEEN 100 AND 500');
SELECT * FROM answers('SELECT count(*) FROM goods WHERE category LIKE ''%ar%'' OR category IS NULL');
SELECT * FROM answers('SELECT upper(category), id % 3, count(*) FROM goods GROUP BY 1, 2 HAVING sum(id) > 4');
SELECT * FROM answers('SELECT count(*) FROM goods');
SELECT * FROM answers('SELECT count(*), sum(price), min(category) FROM goods WHERE false');
SELECT * FROM answers('SELECT count(*), sum(price), min(category) FROM goods WHERE id < 0');
SELECT * FROM answers('(SELECT id, note FROM goods WHERE sold ORDER BY price DESC, id LIMIT 3 OFFSET 2)');
SELECT * FROM answers('(SELECT id, category FROM goods ORDER BY category NULLS FIRST, id DESC LIMIT 2)');
-- an error is the server's
SELECT pg_temp.failure('SELECT sum(2000000000 + id * 10000) FROM goods');
SELECT pg_temp.failure('SELECT 1 / (id - 7), count(*) FROM goods GROUP BY 1');
SELECT * FROM answers('SELECT count(*) FROM goods WHERE id > 7 AND 1 / (id - 7) = 0');

-- rows that have changed come from the heap
UPDATE goods SET price = -1 WHERE id = 12345;
DELETE FROM goods WHERE id = 20000;
SELECT * FROM answers('SELECT count(*), min(price), sum(id) FROM goods');
BEGIN;
INSERT INTO goods (id, category) VALUES (0, 'new');
SELECT * FROM answers('SELECT category, count(*) FROM goods GROUP BY 1');
SAVEPOINT a;
DELETE FROM goods WHERE id < 1000;
SELECT * FROM answers('SELECT count(*) FROM goods');
ROLLBACK TO a;
SELECT * FROM answers('SELECT count(*) FROM goods');
COMMIT;
SELECT * FROM answers('(SELECT id, category FROM goods ORDER BY id LIMIT 2)');

-- prepared, correlated, in a cursor
SET enable_sort = on;
PREPARE by_status(text, float8) AS SELECT status, count(*) FROM goods WHERE category = $1 AND price < $2 GROUP BY 1 ORDER BY 1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_status('home', 100);
EXECUTE by_status('home', 100);
EXECUTE by_status('toys', 10);
EXECUTE by_status(NULL, 10);
RESET plan_cache_mode;
SELECT c, (SELECT count(*) FROM goods WHERE category = c) FROM unnest(ARRAY['home', 'toys', 'none']) c;
BEGIN;
DECLARE rows SCROLL CURSOR FOR SELECT category, count(*) FROM goods GROUP BY 1 ORDER BY 1;
FETCH 2 FROM rows;
FETCH BACKWARD 1 FROM rows;
UPDATE goods SET category = 'late';
FETCH 2 FROM rows;
ROLLBACK;
-- a plan ends with the index
DROP INDEX goods_columns;
EXECUTE by_status('home', 100);
EXPLAIN (COSTS OFF) EXECUTE by_status('home', 100);
CREATE INDEX goods_columns ON goods USING spice_columns (id, category, status, price);

-- what is not taken
EXPLAIN (COSTS OFF) SELECT count(day) FROM goods;
EXPLAIN (COSTS OFF) SELECT category, count(*) FROM goods GROUP BY ROLLUP (category);
EXPLAIN (COSTS OFF) SELECT count(*) FROM goods TABLESAMPLE SYSTEM (100);
EXPLAIN (COSTS OFF) SELECT count(*) FROM goods WHERE random() > 2;
-- (from 16 on under a sort)
SELECT count(*) AS scans FROM explained('EXPLAIN (COSTS OFF) SELECT sum(price ORDER BY id) FROM goods') plan WHERE plan LIKE '%Custom Scan%';
EXPLAIN (COSTS OFF) SELECT count(goods) FROM goods;
SET spice.enable_columns = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM goods;
RESET spice.enable_columns;
-- a point read stays one
CREATE INDEX goods_id ON goods (id);
EXPLAIN (COSTS OFF) SELECT count(*) FROM goods WHERE id = 7;

-- privileges and policies
CREATE ROLE regress_columns;
GRANT SELECT (id, category) ON goods TO regress_columns;
SET ROLE regress_columns;
SELECT category, count(*) FROM goods GROUP BY 1 ORDER BY 1;
SELECT sum(price) FROM goods;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION pg_catalog.sum(int) FROM PUBLIC;
SET ROLE regress_columns;
SELECT sum(id) FROM goods WHERE category = 'home';
RESET ROLE;
GRANT EXECUTE ON FUNCTION pg_catalog.sum(int) TO PUBLIC;
CREATE POLICY few ON goods USING (id < 100);
ALTER TABLE goods ENABLE ROW LEVEL SECURITY;
SET ROLE regress_columns;
EXPLAIN (COSTS OFF) SELECT category, count(*) FROM goods GROUP BY 1;
SELECT category, count(*) FROM goods GROUP BY 1 ORDER BY 1;
RESET ROLE;

DROP TABLE goods;
DROP FUNCTION answers, explained;
DROP ROLE regress_columns;
\i :teardown
