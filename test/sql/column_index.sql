\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- The access method spice_columns: what becomes of a column index when its table changes.
-- Rows of one block in ten change, so that a row group is covered anew.
CREATE VIEW coverage AS SELECT "table", index, blocks > 0 AS has_blocks, covered = blocks AS all_covered, covered = 0 AS none_covered
	FROM spice.column_indexes ORDER BY index::text;
CREATE TABLE c (id int PRIMARY KEY, kind text, price numeric(10,2), note text) WITH (autovacuum_enabled = off, fillfactor = 50);
INSERT INTO c SELECT i, 'kind ' || i % 5, i, repeat('n', 100) FROM generate_series(1, 5000) i;

-- an index of rows that are not visible to everybody holds nothing; VACUUM covers
CREATE INDEX c_columns ON c USING spice_columns (id, kind, price);
SELECT * FROM coverage;
VACUUM c;
SELECT * FROM coverage;
SELECT spice_cover_columns('c');

-- insertions, deletions and updates
INSERT INTO c VALUES (10001, 'new', 1, 'n');
SELECT * FROM coverage;
DELETE FROM c WHERE id % 300 = 0;
UPDATE c SET kind = 'other' WHERE id % 300 = 1;
SELECT * FROM coverage;
VACUUM (INDEX_CLEANUP on) c;
SELECT * FROM coverage;
-- a change of one block in a hundred waits for others
UPDATE c SET price = price + 1 WHERE id = 77;
VACUUM (INDEX_CLEANUP on) c;
SELECT covered < blocks AND covered > blocks * 0.9 AS nearly FROM spice.column_indexes;
-- one that changes no value of the index leaves it as it is
REINDEX INDEX c_columns;
UPDATE c SET note = 'other' WHERE id = 78;
SELECT * FROM coverage;
VACUUM (INDEX_CLEANUP on) c;
SELECT * FROM coverage;
-- an insertion that is rolled back
BEGIN;
INSERT INTO c SELECT i, 'gone', 1, 'n' FROM generate_series(20000, 22000) i;
ROLLBACK;
VACUUM c;
SELECT * FROM coverage;

-- REINDEX, CLUSTER, VACUUM FULL, TRUNCATE
REINDEX TABLE c;
CLUSTER c USING c_pkey;
SELECT * FROM coverage;
VACUUM c;
SELECT * FROM coverage;
VACUUM FULL c;
VACUUM c;
SELECT * FROM coverage;
TRUNCATE c;
SELECT * FROM coverage;
INSERT INTO c SELECT i, 'kind ' || i % 5, i, repeat('n', 100) FROM generate_series(1, 5000) i;
SELECT * FROM coverage;
VACUUM c;
SELECT * FROM coverage;

-- beside writers it begins empty
CREATE INDEX CONCURRENTLY c_beside ON c USING spice_columns (note);
SELECT * FROM coverage WHERE index = 'c_beside'::regclass;
SELECT spice_cover_columns('c');
SELECT * FROM coverage;
DROP INDEX c_beside;

-- columns that come and go
ALTER TABLE c ADD COLUMN flag boolean DEFAULT true;
SELECT * FROM coverage;
ALTER TABLE c ALTER COLUMN price TYPE float8;
VACUUM c;
SELECT * FROM coverage;
ALTER TABLE c DROP COLUMN note;
SELECT * FROM coverage;
ALTER TABLE c DROP COLUMN kind;
SELECT * FROM coverage;

-- it answers no condition and no order, and no query waits for it
CREATE INDEX c_columns ON c USING spice_columns (id, price, flag);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT price FROM c WHERE price = 5 ORDER BY price;
EXPLAIN (COSTS OFF) SELECT price FROM c WHERE id = 5;
RESET enable_seqscan;

-- what it is not
CREATE INDEX ON c USING spice_columns ((id + 1));
CREATE INDEX ON c USING spice_columns (id) WHERE id > 5;
CREATE UNIQUE INDEX ON c USING spice_columns (id);
CREATE INDEX ON c USING spice_columns (id DESC);
CREATE INDEX ON c USING spice_columns (id) INCLUDE (price);
CREATE INDEX ON c USING spice_columns (id) WITH (fillfactor = 50);
CLUSTER c USING c_columns;

-- every type; values that are too long or out of line
CREATE TABLE many (b boolean, c "char", i2 int2, i4 int4, i8 int8, o oid, f4 float4, f8 float8, n numeric, t text, v varchar(5), p char(5),
	y bytea, d date, h time, z timetz, s timestamp, st timestamptz, i interval, u uuid, j jsonb, a int[], nm name, ip inet, bx box)
	WITH (autovacuum_enabled = off);
CREATE INDEX many_columns ON many USING spice_columns (b, c, i2, i4, i8, o, f4, f8, n, t, v, p, y, d, h, z, s, st, i, u, j, a, nm, ip, bx);
INSERT INTO many VALUES (true, 'c', -1, -1, -1, 1, 'NaN', '-0', 'NaN', '', 'v', 'p', '\x00', 'infinity', '24:00', '12:00+01', '-infinity', '2000-01-01Z',
	'1 month', gen_random_uuid(), '{"a": 1}', '{1,NULL}', 'name', '::1', '(1,1),(0,0)');
INSERT INTO many (i4) SELECT i FROM generate_series(1, 1000) i;
INSERT INTO many (t, y, n) VALUES (repeat('long', 1000), sha256('x'), 1e500), ((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i), NULL, 1.10);
VACUUM many;
SELECT * FROM coverage WHERE "table" = 'many'::regclass;

-- temporary and unlogged tables, partitions
CREATE TEMPORARY TABLE short AS SELECT i FROM generate_series(1, 1000) i;
CREATE INDEX short_columns ON short USING spice_columns (i);
VACUUM short;
SELECT has_blocks, all_covered FROM coverage WHERE "table" = 'short'::regclass;
CREATE UNLOGGED TABLE unsafe AS SELECT i FROM generate_series(1, 1000) i;
VACUUM unsafe;
CREATE INDEX unsafe_columns ON unsafe USING spice_columns (i);
ALTER TABLE unsafe SET LOGGED;
VACUUM unsafe;
SELECT has_blocks, all_covered FROM coverage WHERE "table" = 'unsafe'::regclass;
CREATE TABLE parts (i int, v int) PARTITION BY RANGE (i);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (1000);
INSERT INTO parts SELECT i, i FROM generate_series(1, 999) i;
VACUUM parts;
CREATE INDEX ON parts USING spice_columns (v);
SELECT has_blocks, all_covered FROM coverage WHERE "table" = 'parts_1'::regclass;

-- rights
CREATE ROLE regress_columns;
GRANT EXECUTE ON FUNCTION spice_cover_columns(regclass) TO regress_columns;
SET ROLE regress_columns;
SELECT spice_cover_columns('c');
RESET ROLE;
SELECT spice_cover_columns('pg_class');
SELECT spice_cover_columns('coverage');
DROP OWNED BY regress_columns;
DROP ROLE regress_columns;
DROP VIEW coverage;
DROP TABLE c, many, unsafe, parts;
\i :teardown
