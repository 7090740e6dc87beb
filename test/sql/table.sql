\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- What lives on when a table's rows are replaced, and what the manifest says of it.

SELECT 't
{"body": [{"id": 1, "name": "one", "price": 10, "tag": null}, {"id": 2, "name": "two", "price": 20, "tag": "x"}]}' :answer
SELECT 'datasets:
  - from: SOURCE/t
    name: t
    description: first
    acceleration: {engine: duckdb, mode: file, params: {refresh_method: swap}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('t');
SET client_min_messages = error; -- of CREATE PUBLICATION, where wal_level is low
CREATE PUBLICATION regress_publication FOR TABLE t;
RESET client_min_messages;
CREATE ROLE regress_reader;
GRANT SELECT (id, name) ON t TO regress_reader;
GRANT UPDATE ON t TO regress_reader WITH GRANT OPTION;
CREATE VIEW t_view AS SELECT id, name FROM t WHERE price > 10;
CREATE MATERIALIZED VIEW t_copy AS TABLE t;
COMMENT ON COLUMN t.name IS 'by hand';
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY cheap ON t TO regress_reader USING (id < 3);
ALTER TABLE t ADD CONSTRAINT positive CHECK (price > 0);
CREATE INDEX by_hand ON t (lower(name) text_pattern_ops) WHERE price > 5;
CREATE UNIQUE INDEX by_hand_unique ON t (id DESC) INCLUDE (price);
COMMENT ON INDEX by_hand IS 'an expression and a predicate';
CREATE INDEX by_hand_hash ON t USING hash (name);
ALTER TABLE t CLUSTER ON by_hand_unique;
ALTER TABLE t REPLICA IDENTITY FULL;
ALTER TABLE t SET (fillfactor = 50);
ALTER TABLE t ALTER name SET STATISTICS 7, ALTER name SET STORAGE external;
PREPARE all_of_t AS SELECT id, name FROM t ORDER BY id;
EXECUTE all_of_t;
SELECT 't'::regclass::oid AS oid, pg_relation_filenode('t') AS filenode \gset
CREATE VIEW regress_state AS
SELECT relacl IS NOT NULL AS acl, relrowsecurity, relpersistence, relkind, relreplident, reloptions,
	relchecks, obj_description(oid) AS comment,
	(SELECT count(*) FROM pg_publication_rel WHERE prrelid = c.oid) AS publications,
	(SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies,
	(SELECT string_agg(attname || ' ' || attstorage::text, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0) AS storage
FROM pg_class c WHERE oid = 't'::regclass;
\x on
TABLE regress_state;
\x off
CREATE VIEW regress_index AS
SELECT indexrelid::regclass, pg_get_indexdef(indexrelid), indisprimary AS key, indisvalid AS valid, indisready AS ready,
	indislive AS live, indisclustered AS clustered, c.relpersistence AS persistence, c.reltuples AS tuples,
	(SELECT contype FROM pg_constraint WHERE conindid = indexrelid) AS constraint
FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 't'::regclass
ORDER BY relname COLLATE "C";
TABLE regress_index;

SELECT 't
{"body": [{"id": 1, "name": "ONE", "price": 11, "tag": "y"}, {"id": 3, "name": "three", "price": 30, "tag": null}, {"id": 2, "name": "two", "price": 22, "tag": null}]}' :answer
SELECT spice_refresh('t');
SELECT 't'::regclass = :oid AS same_table, pg_relation_filenode('t') = :filenode AS same_storage;
\x on
TABLE regress_state;
\x off
TABLE regress_index;
SELECT obj_description('by_hand'::regclass), col_description('t'::regclass, 2);
EXECUTE all_of_t;
SELECT * FROM t_view ORDER BY id;
REFRESH MATERIALIZED VIEW t_copy;
SELECT count(*) FROM t_copy;
SET ROLE regress_reader;
SELECT id, name FROM t ORDER BY id;
SELECT price FROM t;
RESET ROLE;
-- the indexes have the new rows
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE lower(name) = 'one' AND price > 5;
SELECT id FROM t WHERE lower(name) = 'one' AND price > 5;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE name = 'ONE';
SELECT id FROM t WHERE name = 'ONE';
EXPLAIN (COSTS OFF) SELECT price FROM t WHERE id = 3;
SELECT price FROM t WHERE id = 3;
RESET enable_seqscan;
-- and an ordinary statement keeps them so
INSERT INTO t VALUES (1, 'again', 1, NULL);
INSERT INTO t VALUES (4, 'negative', -1, NULL);
DELETE FROM t WHERE id = 1;
VACUUM (FULL) t;
SELECT spice_refresh('t', 'SELECT * FROM t WHERE id < 3');
SELECT id FROM t ORDER BY id;

-- what people ask of the table holds for what is loaded; a failure leaves the old rows and nothing else
SELECT 't
{"body": [{"id": 1, "name": "one", "price": 1, "tag": null}, {"id": 2, "name": "two", "price": -20, "tag": null}]}' :answer
SELECT spice_refresh('t');
SELECT 't
{"body": [{"id": 1, "name": "one", "price": 1, "tag": null}, {"id": 1, "name": "two", "price": 20, "tag": null}]}' :answer
SELECT pg_temp.failure($$SELECT spice_refresh('t')$$);
DROP INDEX by_hand_unique;
TRUNCATE t;
ALTER TABLE t ALTER tag SET NOT NULL;
SELECT spice_refresh('t');
ALTER TABLE t ALTER tag DROP NOT NULL;
SELECT spice_refresh('t');
SELECT relname FROM pg_class WHERE relname LIKE 'spice\_new%';
SELECT count(*) FROM pg_type WHERE typname LIKE '%spice\_new%';

-- triggers and foreign keys
CREATE FUNCTION regress_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER regress_trigger BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION regress_trigger();
SELECT spice_refresh('t', 'SELECT * FROM t');
DROP TRIGGER regress_trigger ON t;
DROP FUNCTION regress_trigger();
CREATE TABLE regress_parent (id bigint PRIMARY KEY);
INSERT INTO regress_parent VALUES (1), (2), (3);
ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES regress_parent;
SELECT spice_refresh('t', 'SELECT * FROM t');
ALTER TABLE t DROP CONSTRAINT t_id_fkey;
DROP TABLE regress_parent;
SELECT spice_refresh('t', 'SELECT * FROM t');
DROP MATERIALIZED VIEW t_copy;
DROP VIEW t_view;
DROP OWNED BY regress_reader;
DROP PUBLICATION regress_publication;
DROP ROLE regress_reader;
DROP INDEX by_hand, by_hand_hash;
ALTER TABLE t DROP CONSTRAINT positive;

-- the manifest's own key and indexes: added, changed, removed
SELECT 't
{"body": [{"id": 1, "name": "one", "price": 10, "tag": "a"}, {"id": 2, "name": "two", "price": 20, "tag": "b"}]}' :answer
SELECT 'datasets:
  - from: SOURCE/t
    name: t
    description: second
    acceleration:
      engine: duckdb
      mode: file
      primary_key: id
      indexes:
        name: enabled
        (tag, price): unique
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('t');
TABLE regress_index;
SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum;
SELECT obj_description('t'::regclass), 't'::regclass = :oid AS same_table;
CREATE INDEX by_hand ON t (price);
SELECT spice_refresh('t', 'SELECT * FROM t');
TABLE regress_index;
SELECT 't
{"body": [{"id": 1, "name": "one", "price": 10, "tag": "a"}, {"id": 1, "name": "two", "price": 20, "tag": "b"}]}' :answer
-- the last row of each primary key remains
SELECT spice_refresh('t');
SELECT id, name FROM t;
SELECT notice FROM spice.refreshes ORDER BY started DESC LIMIT 1;
SELECT 't
{"body": [{"id": 1, "name": "one", "price": 10, "tag": "a"}, {"id": null, "name": "two", "price": 20, "tag": "b"}]}' :answer
SELECT spice_refresh('t');
SELECT 'datasets:
  - from: SOURCE/t
    name: t
    acceleration:
      engine: duckdb
      mode: file
      primary_key: (tag, name)
      indexes:
        name: enabled
        (tag, price): enabled
        nothing: enabled
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('t');
SELECT 'datasets:
  - from: SOURCE/t
    name: t
    acceleration:
      engine: duckdb
      mode: file
      primary_key: (tag, name)
      indexes:
        name: enabled
        (tag, price): enabled
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('t');
TABLE regress_index;
SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum;
SELECT obj_description('t'::regclass);
SELECT * FROM t ORDER BY name;

-- another storage: lost at a crash, and back
SELECT 'datasets:
  - {from: "SOURCE/t", name: t, acceleration: {mode: memory, indexes: {name: unique}}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('t');
TABLE regress_index;
SELECT relpersistence, (SELECT relpersistence FROM pg_class WHERE oid = c.reltoastrelid) AS toast,
	reloptions FROM pg_class c WHERE oid = 't'::regclass;
SELECT 'datasets:
  - {from: "SOURCE/t", name: t, acceleration: {engine: sqlite, mode: file, indexes: {name: unique}}}
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('t');
TABLE regress_index;
SELECT relpersistence, (SELECT relpersistence FROM pg_class WHERE oid = c.reltoastrelid) AS toast
FROM pg_class c WHERE oid = 't'::regclass;
DROP INDEX by_hand;

-- other columns: the table stays the same one
SELECT 't
{"body": [{"id": 1, "name": "one", "price": 10, "tag": "a"}, {"id": 2, "name": "two", "price": 20, "tag": "b"}]}' :answer
CREATE VIEW t_view AS SELECT id, name FROM t;
CREATE INDEX by_hand ON t (price, id);
CREATE INDEX by_hand_expression ON t ((price + 1));
SELECT 'datasets:
  - from: SOURCE/t
    name: t
    acceleration:
      engine: sqlite
      mode: file
      indexes: {name: unique}
      refresh_sql: SELECT upper(tag) AS label, name, id, price::text AS price FROM t
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('t');
SELECT * FROM t ORDER BY id;
SELECT 't'::regclass = :oid AS same_table;
TABLE regress_index;
SELECT * FROM t_view ORDER BY id;
SELECT attname, n_distinct, null_frac FROM pg_stats WHERE tablename = 't' ORDER BY attname;
SELECT spice_refresh('t', 'SELECT * FROM t');
SELECT spice_refresh('t', 'SELECT id, name, ''x'' AS label, price::text AS price FROM t');
SELECT * FROM t ORDER BY id;
-- a column that a view needs
SELECT 'datasets:
  - from: SOURCE/t
    name: t
    acceleration:
      engine: sqlite
      mode: file
      refresh_sql: SELECT name, price FROM t
' :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('t');
SELECT * FROM t ORDER BY id;
DROP VIEW t_view;
SELECT spice_refresh('t');
SELECT * FROM t ORDER BY name;
SELECT spice_refresh('t', 'SELECT name, price FROM t');
SELECT relname FROM pg_class WHERE relname LIKE 'spice\_new%';
TABLE regress_index;
-- by hand
ALTER TABLE t ADD COLUMN mine text;
SELECT spice_refresh('t', 'SELECT name, price FROM t');
ALTER TABLE t DROP COLUMN mine;
SELECT spice_refresh('t', 'SELECT name, price FROM t');
DROP VIEW regress_index, regress_state;

-- long values: out of line, in a TOAST table of the right name
SELECT 'long
{"body": [{"id": 1, "text": "' || string_agg(md5(i::text), '') || '"}]}' FROM generate_series(1, 1000) i :answer
SELECT 'datasets:
  - {from: "SOURCE/long", name: long, acceleration: {indexes: {id: unique}}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('long'), spice_refresh('long', 'SELECT * FROM long'), spice_refresh('long', 'SELECT * FROM long');
SELECT id, length(text), md5(text) = md5(string_agg(md5(i::text), '')) AS intact FROM long, generate_series(1, 1000) i GROUP BY id, text;
SELECT t.relname = 'pg_toast_' || c.oid AS name, i.relname = 'pg_toast_' || c.oid || '_index' AS index_name,
	pg_relation_size(t.oid) > 0 AS used
FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
WHERE c.oid = 'long'::regclass;
SELECT count(*) FROM pg_class t WHERE relkind = 't' AND relname LIKE 'pg_toast_%'
	AND NOT EXISTS (SELECT FROM pg_class c WHERE c.reltoastrelid = t.oid);
UPDATE long SET text = text || 'more';
SELECT length(text) FROM long;
-- the next version has no long value: neither are those of before left
CREATE VIEW regress_toast AS SELECT t.relname = 'pg_toast_' || c.oid AS name, pg_relation_size(t.oid) AS size,
	t.relpersistence = c.relpersistence AS persistence
FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.oid = to_regclass('long');
SELECT spice_refresh('long', 'SELECT id, left(text, 3) AS text FROM long');
TABLE regress_toast;
-- what is empty is kept
SELECT reltoastrelid AS toast FROM pg_class WHERE oid = 'long'::regclass \gset
SELECT spice_refresh('long', 'SELECT id, left(text, 4) AS text FROM long');
SELECT reltoastrelid = :toast AS kept FROM pg_class WHERE oid = 'long'::regclass;
TABLE regress_toast;
-- and serves who writes by hand, which the next version does not inherit
UPDATE long SET text = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i);
SELECT size > 0 AS used FROM regress_toast;
SELECT spice_refresh('long', 'SELECT id, left(text, 5) AS text FROM long');
TABLE long;
TABLE regress_toast;
-- of another storage
SELECT 'datasets:
  - {from: "SOURCE/long", name: long, acceleration: {engine: sqlite, mode: file, indexes: {id: unique}, refresh_sql: "SELECT id, left(text, 6) AS text FROM long"}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('long');
TABLE long;
TABLE regress_toast;
-- a long value in any row; a transaction that is rolled back leaves all as it was
SELECT spice_refresh('long', 'SELECT i::bigint AS id, CASE i WHEN 250 THEN text ELSE left(text, 7) END AS text FROM long, generate_series(1, 300) i');
SELECT count(*), max(length(text)) FROM long;
SELECT name, size > 0 AS used, persistence FROM regress_toast;
BEGIN;
SELECT spice_refresh('long');
TABLE regress_toast;
ROLLBACK;
SELECT count(*), max(length(text)) FROM long;
SELECT name, size > 0 AS used, persistence FROM regress_toast;
DROP VIEW regress_toast;
SELECT count(*) FROM pg_class t WHERE relkind = 't' AND relname LIKE 'pg_toast_%'
	AND NOT EXISTS (SELECT FROM pg_class c WHERE c.reltoastrelid = t.oid);

-- many rows: all visible, so that an index alone answers; counted, and analyzed
SELECT 'many
{"generate": {"kind": "products", "count": 5000}}' :answer
SELECT 'datasets:
  - {from: "SOURCE/many", name: many, acceleration: {primary_key: id}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('many');
-- (from version 16 on there may be empty pages behind those)
SELECT relallvisible >= (SELECT count(DISTINCT split_part(ctid::text, ',', 1)) FROM many) AS visible, reltuples
FROM pg_class WHERE oid = 'many'::regclass;
SELECT reltuples FROM pg_class WHERE oid = 'many_pkey'::regclass;
SELECT count(*) > 3 AS analyzed FROM pg_stats WHERE tablename = 'many';
-- and they stay when about as many rows come again
CREATE TEMP VIEW statistics AS SELECT staattnum, xmin::text AS writer, ctid AS place FROM pg_statistic WHERE starelid = 'many'::regclass;
CREATE TEMP TABLE before AS TABLE statistics;
SELECT spice_refresh('many', 'SELECT * FROM many WHERE id > 100');
SELECT count(*) AS written FROM (TABLE statistics EXCEPT TABLE before) d;
SELECT reltuples FROM pg_class WHERE oid = 'many'::regclass;
-- more rows than autovacuum's threshold are analyzed at once, with the expressions of indexes
CREATE INDEX many_expression ON many (abs(id - 10));
SELECT count(*) > 0 AS analyzed FROM pg_stats WHERE tablename = 'many_expression';
SELECT spice_refresh('many', 'SELECT id, upper(name) AS name, sku, category, status, description, price, weight, stock, active, updated_at FROM many WHERE id <= 3000');
SELECT count(*) FROM pg_stats WHERE tablename = 'many' AND attname = 'name' AND most_common_vals::text ~ '[[:lower:]]';
SELECT count(*) > 0 AS analyzed FROM pg_stats WHERE tablename = 'many_expression';
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE FUNCTION pg_temp.heap_fetches(query text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		IF line LIKE '%Heap Fetches%' THEN
			RETURN trim(line);
		END IF;
	END LOOP;
	RETURN 'no index-only scan';
END
$$;
SELECT pg_temp.heap_fetches('SELECT count(id) FROM many WHERE id > 0');
SELECT count(id) FROM many WHERE id > 0;
SELECT spice_refresh('many', 'SELECT * FROM many');
SELECT pg_temp.heap_fetches('SELECT count(id) FROM many WHERE id > 0');
SELECT pg_stat_force_next_flush();
SELECT n_live_tup, n_dead_tup FROM pg_stat_user_tables WHERE relname = 'many';

-- primary_key keeps one row of each key, but a unique index of a person's own is not the manifest's
SELECT 'own
{"body": [{"id": 1, "word": "a"}, {"id": 2, "word": "b"}]}' :answer
SELECT 'datasets:
  - {from: "SOURCE/own", name: own, acceleration: {enabled: true, primary_key: id, params: {refresh_method: swap}}}
' :datasets
SELECT * FROM spice_reload() WHERE dataset = 'own';
SELECT spice_refresh('own');
CREATE UNIQUE INDEX own_word ON own (word);
SELECT 'own
{"body": [{"id": 1, "word": "a"}, {"id": 2, "word": "a"}]}' :answer
SELECT pg_temp.failure($$SELECT spice_refresh('own')$$);
SELECT 'own
{"body": [{"id": 1, "word": "a"}, {"id": 1, "word": "a"}, {"id": 3, "word": "c"}]}' :answer
SELECT spice_refresh('own');

\i :teardown
