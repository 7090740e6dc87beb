\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- Kinds of query that other columnar and vectorized executors have answered wrongly, by their
-- public lists of faults.  Each is answered here with and without columns, and must not differ.
SET timezone = 'Europe/Berlin';
SET max_parallel_workers_per_gather = 0;
SET enable_sort = off;
CREATE TABLE pit (i int, v int, b int8, r real, f float8, n numeric, s text, u text, c char(4), vc varchar(8),
	ok bool, d date, t timestamptz, w interval) WITH (autovacuum_enabled = off);
INSERT INTO pit SELECT i, CASE WHEN i % 13 <> 0 THEN i % 100 - 20 END, 9007199254740993 + i, i / 8.0,
	CASE i % 50 WHEN 3 THEN 'NaN' WHEN 4 THEN '-0' WHEN 5 THEN '0' ELSE i / 7.0 END, i * 0.000067,
	CASE WHEN i % 11 <> 0 THEN 'k' || i % 300 END, 'unique ' || i || ' é', 'c' || i % 3, 'v' || i % 3 || repeat(' ', i % 2),
	CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END, date '2025-03-01' + i % 60,
	CASE i % 90 WHEN 1 THEN 'infinity' ELSE timestamptz '2025-03-29 12:00' + i * interval '97 seconds' END, i % 70 * interval '1 minute'
	FROM generate_series(1, 4000) i;
VACUUM (FREEZE, ANALYZE) pit;
CREATE INDEX ON pit USING spice_columns (i, v, b, r, f, n, s, u, c, vc, ok, d, t, w);
-- a part of the rows is read from the heap
UPDATE pit SET v = v WHERE i BETWEEN 1000 AND 1010;

CREATE FUNCTION answer(query text, columns boolean) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('spice.enable_columns', columns::text, true);
	EXECUTE format('SELECT string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C") FROM (%s) t', query) INTO answer;
	RETURN coalesce(answer, 'no row');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END
$$;
CREATE FUNCTION reads_columns(query text) RETURNS boolean LANGUAGE plpgsql AS
$$
DECLARE
	line text;
BEGIN
	PERFORM set_config('spice.enable_columns', 'on', true);
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line LIKE '%SpiceColumns%' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;
CREATE TABLE pitfall (number int GENERATED ALWAYS AS IDENTITY, kind text, query text);
COPY pitfall (kind, query) FROM stdin (DELIMITER '|');
empty array|SELECT count(*) FROM pit WHERE v = ALL (ARRAY[]::int[])
null array|SELECT count(*) FROM pit WHERE v = ANY (NULL::int[])
null in a list|SELECT count(*) FROM pit WHERE v IN (1, NULL, 7)
not in a list with null|SELECT count(*) FROM pit WHERE v NOT IN (1, NULL)
keys that are not shown|SELECT count(*) FROM (SELECT count(*) FROM pit GROUP BY v, s) g
a key twice|SELECT v AS a, v AS b, count(*) FROM pit GROUP BY v, 2
not in a subquery|SELECT count(*) FROM pit WHERE v NOT IN (SELECT generate_series(0, 3))
null of a comparison|SELECT count(*) FROM pit WHERE (v > 0) IS NULL
null test beside ranges|SELECT count(*) FROM pit WHERE s IS NULL AND i > 3900
averages and deviations of one column|SELECT avg(r), stddev(r), variance(r), avg(i), stddev(i), sum(i) FROM pit
large floats that cancel|SELECT sum(CASE i WHEN 1 THEN 1e16 WHEN 9 THEN -1e16 ELSE 1 END) FROM pit WHERE i < 16
NaN in a condition|SELECT count(*) FROM pit WHERE f <> 'NaN'
NaN is the greatest|SELECT max(f), min(f), count(*) FROM pit WHERE f > 500
NaN between|SELECT count(*) FROM pit WHERE f BETWEEN 10 AND 'NaN'
NaN as a key|SELECT f, count(*) FROM pit WHERE i % 50 IN (3, 4, 5) GROUP BY f
zeros of both signs|SELECT min(f), max(f), sum(f) FROM pit WHERE i % 50 IN (4, 5)
only negative zeros|SELECT sum(f), avg(f), min(f) FROM pit WHERE i % 50 = 4
the type of a sum|SELECT sum(r), pg_typeof(sum(r)), pg_typeof(avg(r)), pg_typeof(sum(v)), pg_typeof(sum(b)) FROM pit
a condition without columns|SELECT count(*) FROM pit WHERE current_setting('timezone') = 'UTC'
a condition without columns that holds|SELECT count(*) FROM pit WHERE current_setting('timezone') <> 'UTC'
an aggregate's condition|SELECT count(*), count(*) FILTER (WHERE v > 50), sum(v) FILTER (WHERE v < 0), sum(v) FROM pit
two conditions of one aggregate|SELECT sum(i) FILTER (WHERE ok), sum(i) FILTER (WHERE NOT ok), sum(i) FILTER (WHERE ok IS NULL) FROM pit
constants in aggregates|SELECT count(1), count(NULL), sum(1), max('x'::text), min(2.50) FROM pit
an expression in an aggregate|SELECT sum(v * 2 + 1), avg(f * 0.5), max(i - v) FROM pit WHERE i % 50 <> 3
around an aggregate|SELECT round(avg(n), 2), max(i) - min(i), count(*)::text, sum(v) / nullif(count(v), 0) FROM pit
a range of intervals|SELECT count(*) FROM pit WHERE w > interval '45 min' AND w <= interval '60 min'
LIKE without a dictionary|SELECT count(*) FROM pit WHERE u LIKE '%99%'
LIKE of letters beyond ASCII|SELECT count(*) FROM pit WHERE u LIKE '%9 é%'
LIKE with a wildcard inside|SELECT count(*) FROM pit WHERE u LIKE '%9_é%'
LIKE of an expression|SELECT count(*) FROM pit WHERE upper(u) LIKE '%UNIQUE 39%'
NOT LIKE beside null|SELECT count(*), count(s) FROM pit WHERE s NOT LIKE '%k1%'
more entries than a byte|SELECT s, count(*), min(i) FROM pit GROUP BY s HAVING count(*) > 14
double precision|SELECT count(*) FROM pit WHERE f < 8.1
a date beside a point in time|SELECT count(*) FROM pit WHERE t > date '2025-03-30' AND t < date '2025-03-31'
the day on which clocks change|SELECT date_trunc('day', t), count(*), min(t) FROM pit GROUP BY 1
hours on that day|SELECT date_trunc('hour', t), count(*) FROM pit WHERE t < '2025-03-30 06:00' GROUP BY 1
days as dates|SELECT t::date, count(*) FROM pit GROUP BY 1
trailing blanks|SELECT c, count(*) FROM pit WHERE c = 'c1' GROUP BY c
blanks that count|SELECT vc, count(*), count(DISTINCT vc) FROM pit GROUP BY vc
no rows, no keys|SELECT count(*), sum(v), avg(f), min(s), count(DISTINCT s), bool_and(ok) FROM pit WHERE i < 0
no rows, keys|SELECT v, count(*) FROM pit WHERE i < 0 GROUP BY v
HAVING without aggregates|SELECT v, sum(i) FROM pit GROUP BY v HAVING v = 5
HAVING that never holds|SELECT count(*) FROM pit HAVING count(*) < 0
HAVING with a subquery|SELECT ok, count(*) FROM pit GROUP BY ok HAVING count(*) > (SELECT 1333)
HAVING on another aggregate|SELECT ok FROM pit GROUP BY ok HAVING sum(i) > 2660000 AND max(v) = 79
a condition by the clock|SELECT count(*) FROM pit WHERE v = (CASE WHEN t > now() + interval '100 years' THEN -1 ELSE 2 END)
digits of a numeric|SELECT sum(n), avg(n), min(n), max(n), stddev(n) FROM pit
averages beyond 2^53|SELECT avg(b), sum(b), max(b), avg(b - 1) FROM pit
distinct beside null|SELECT count(DISTINCT s), count(DISTINCT v), count(DISTINCT ok), count(DISTINCT f) FROM pit
functions that return null|SELECT sum(nullif(v, 7)), count(nullif(s, 'k1')), max(nullif(i, 4000)) FROM pit
the order of letters|SELECT min(s), max(s), min(u), max(u COLLATE "C") FROM pit
equal or not, with null|SELECT count(*) FROM pit WHERE ok IS DISTINCT FROM true
both sides null|SELECT count(*) FROM pit WHERE NOT (ok AND v > 3)
first of a descending order|SELECT * FROM (SELECT i, v FROM pit ORDER BY v DESC, i LIMIT 7) x
last nulls of a descending order|SELECT * FROM (SELECT i, v FROM pit ORDER BY v DESC NULLS LAST, i DESC LIMIT 7) x
first of NaN|SELECT * FROM (SELECT i, f FROM pit ORDER BY f DESC, i LIMIT 5 OFFSET 78) x
division that a condition guards|SELECT count(*) FROM pit WHERE v <> 0 AND 100 / v > 3
division that a condition does not guard|SELECT count(*) FROM pit WHERE 100 / v > 3
an overflow|SELECT sum(i * 1000000) FROM pit
an overflow that a condition guards|SELECT sum(i * 1000000) FROM pit WHERE i < 2000
the same subquery for equal rows|SELECT x, (SELECT count(*) FROM pit WHERE v = x) FROM (VALUES (1), (1), (NULL), (2)) y(x)
\.
SELECT number, kind, CASE WHEN columns = heap THEN 'as the heap' ELSE concat_ws(E'\n', 'columns:', columns, 'heap:', heap) END AS answers, reads_columns(query) AS columns
FROM pitfall, answer(query, true) AS columns, answer(query, false) AS heap ORDER BY number;
-- a parameter is no constant
PREPARE gate(int) AS SELECT count(*) FROM pit WHERE $1 > 3;
SET plan_cache_mode = force_generic_plan;
EXECUTE gate(2);
EXECUTE gate(4);
DROP TABLE pit, pitfall;
DROP FUNCTION answer, reads_columns;
\i :teardown
