\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- A whole new version of a table by changes of its rows: refresh_method merge, and
-- whatever is in a publication.
CREATE VIEW last AS
SELECT outcome, rows, inserted, updated, unchanged, deleted, notice FROM spice.refreshes LIMIT 1;

-- what the versions of a table's rows are, and which of them are not the ones they were
CREATE TABLE versions (name text, place tid, born xid, locked xid);
CREATE PROCEDURE remember(name text) LANGUAGE plpgsql AS
$$
BEGIN
	DELETE FROM versions v WHERE v.name = remember.name;
	EXECUTE format('INSERT INTO versions SELECT %L, ctid, xmin, xmax FROM %I', name, name);
END
$$;
CREATE FUNCTION touched(name text) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM versions v WHERE name = %L AND NOT EXISTS
		(SELECT 1 FROM %I t WHERE t.ctid = v.place AND t.xmin = v.born AND t.xmax = v.locked)', name, name) INTO result;
	RETURN result;
END
$$;

CREATE SCHEMA own;
CREATE TABLE own.items (id int, code text, price numeric, note text, meta json, place point);
INSERT INTO own.items SELECT i, 'c' || i, i, nullif('n' || i, 'n3'), json_build_object('i', i), point(i, i) FROM generate_series(1, 9) i;
SELECT $$datasets:
  - {from: 'table:own.items', name: keyed, acceleration: {engine: duckdb, mode: file, primary_key: id, indexes: {code: unique, price: enabled}, params: {refresh_method: merge}}}
  - {from: 'table:own.items', name: rows, acceleration: {engine: duckdb, mode: file, params: {refresh_method: merge}}}
  - {from: 'table:own.items', name: memory, acceleration: {primary_key: id, params: {refresh_method: merge}}}
$$ :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('keyed'), spice_refresh('rows'), spice_refresh('memory');
TABLE last;
-- the planner knows a table that has just been filled
SELECT reltuples FROM pg_class WHERE oid IN ('keyed'::regclass, 'rows'::regclass, 'memory'::regclass);
SELECT count(*) FROM pg_stats WHERE tablename = 'keyed' AND attname = 'id';

-- nothing has changed: of no row anything is written, not even a lock
SELECT pg_relation_filenode('keyed') AS file, 'keyed'::regclass::oid AS oid \gset
CALL remember('keyed');
CALL remember('rows');
CALL remember('memory');
SELECT spice_refresh('keyed'), spice_refresh('rows'), spice_refresh('memory');
TABLE last;
SELECT touched('keyed'), touched('rows'), touched('memory');

-- some rows leave, some change, some come; a value is another if it is stored as another
DELETE FROM own.items WHERE id IN (1, 2);
UPDATE own.items SET note = 'changed' WHERE id = 3;
UPDATE own.items SET price = 4.0 WHERE id = 4;
UPDATE own.items SET note = NULL, meta = NULL WHERE id = 5;
UPDATE own.items SET id = 60 WHERE id = 6;
INSERT INTO own.items (id, code) VALUES (10, 'c10');
SELECT spice_refresh('keyed');
TABLE last;
SELECT spice_refresh('rows');
TABLE last;
SELECT spice_refresh('memory');
TABLE last;
SELECT touched('keyed'), touched('rows'), touched('memory');
CREATE FUNCTION differs(name text) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ((SELECT t::text FROM %1$I t EXCEPT ALL SELECT i::text FROM own.items i)
		UNION ALL (SELECT i::text FROM own.items i EXCEPT ALL SELECT t::text FROM %1$I t)) d', name) INTO result;
	RETURN result;
END
$$;
SELECT differs('keyed'), differs('rows'), differs('memory');
SELECT pg_relation_filenode('keyed') = :file AS file, 'keyed'::regclass::oid = :oid AS oid;
SELECT dataset, rows FROM spice.datasets ORDER BY dataset;

-- unique values change hands: two rows, three rows, the key itself, and a row that takes what another leaves
UPDATE own.items SET code = CASE id WHEN 3 THEN 'c4' ELSE 'c3' END WHERE id IN (3, 4);
UPDATE own.items SET code = CASE id WHEN 7 THEN 'c8' WHEN 8 THEN 'c9' ELSE 'c7' END, price = 0 WHERE id IN (7, 8, 9);
UPDATE own.items SET id = CASE id WHEN 10 THEN 5 ELSE 10 END WHERE id IN (5, 10);
DELETE FROM own.items WHERE id = 60;
INSERT INTO own.items (id, code) VALUES (61, 'c6');
SELECT spice_refresh('keyed');
TABLE last;
SELECT spice_refresh('memory');
SELECT differs('keyed'), differs('memory');
-- the same, of indexes that somebody has made: of an expression, of some of the rows, of the row as a whole
CREATE UNIQUE INDEX of_expression ON keyed (lower(note));
CREATE UNIQUE INDEX of_some ON keyed (price) WHERE code < 'c5';
CREATE FUNCTION first_value(keyed) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1.meta::text';
CREATE UNIQUE INDEX of_whole ON keyed (first_value(keyed));
UPDATE own.items SET note = CASE id WHEN 3 THEN 'N4' WHEN 4 THEN 'CHANGED' END WHERE id IN (3, 4);
SELECT spice_refresh('keyed');
UPDATE own.items SET note = CASE id WHEN 3 THEN 'changed' WHEN 4 THEN 'n4' END,
	price = CASE id WHEN 3 THEN 4.0 WHEN 4 THEN 3 END WHERE id IN (3, 4);
UPDATE own.items SET meta = json_build_object('i', 12 - (meta->>'i')::int) WHERE id IN (4, 8);
SELECT spice_refresh('keyed');
TABLE last;
SELECT differs('keyed');
DROP INDEX of_expression, of_some, of_whole;
DROP FUNCTION first_value;
-- what is not valid as a whole fails, and changes nothing
BEGIN;
INSERT INTO own.items (id, code) VALUES (70, 'c3');
DELETE FROM own.items WHERE id = 7;
SELECT pg_temp.failure('SELECT spice_refresh(''keyed'')');
SELECT count(*) FROM keyed;
ROLLBACK;
-- one row of each key remains, the last
BEGIN;
INSERT INTO own.items (id, code) SELECT id, code || '!' FROM own.items WHERE id = 7;
SELECT spice_refresh('keyed');
SELECT id, code FROM keyed WHERE id = 7;
TABLE last;
ROLLBACK;
-- rolled back
BEGIN;
DELETE FROM own.items WHERE id = 7;
SELECT spice_refresh('keyed');
SELECT count(*) FROM keyed;
ROLLBACK;
SELECT differs('keyed');

-- without a key: a multiset, in which null is a value
TRUNCATE own.items;
INSERT INTO own.items (id, code) VALUES (1, 'a'), (1, 'a'), (1, 'a'), (NULL, 'b'), (NULL, 'b'), (NULL, NULL), (2, NULL);
SELECT spice_refresh('rows');
TABLE last;
CALL remember('rows');
DELETE FROM own.items;
INSERT INTO own.items (id, code) VALUES (2, NULL), (NULL, NULL), (NULL, NULL), (NULL, 'b'), (1, 'a'), (1, 'a');
SELECT spice_refresh('rows');
TABLE last;
SELECT touched('rows'), differs('rows');
SELECT id, code, count(*) FROM rows GROUP BY 1, 2 ORDER BY 1, 2;
-- many of the same are not compared with each other
INSERT INTO own.items (id) SELECT 7 FROM generate_series(1, 50000);
SELECT spice_refresh('rows'), spice_refresh('rows');
DELETE FROM own.items WHERE ctid = (SELECT max(ctid) FROM own.items);
SELECT spice_refresh('rows');
TABLE last;
TRUNCATE own.items;
SELECT spice_refresh('rows');
TABLE last;
SELECT count(*) FROM rows;

-- more rows than there is memory for: they are gone through part by part
INSERT INTO own.items (id, code) SELECT i, md5(i::text) FROM generate_series(1, 100000) i;
SET maintenance_work_mem = '1MB';
SELECT spice_refresh('rows'), spice_refresh('keyed');
CALL remember('rows');
CALL remember('keyed');
UPDATE own.items SET note = 'changed' WHERE id % 1000 = 7;
UPDATE own.items SET code = code || '!' WHERE id % 1000 = 8;
DELETE FROM own.items WHERE id % 1000 = 9;
INSERT INTO own.items (id, code) SELECT i, i FROM generate_series(100001, 100100) i;
SELECT spice_refresh('rows');
TABLE last;
SELECT spice_refresh('keyed');
TABLE last;
SELECT touched('rows'), touched('keyed'), differs('rows'), differs('keyed');
RESET maintenance_work_mem;

-- long values stay where they are when other columns change
TRUNCATE own.items;
INSERT INTO own.items (id, code, note, meta)
SELECT i, i, (SELECT string_agg(md5(i || '.' || j), '') FROM generate_series(1, 500) j), json_build_object('many', repeat('x', 100000))
FROM generate_series(1, 4) i;
SELECT spice_refresh('keyed');
\set ECHO none
SELECT format('CREATE VIEW chunks AS SELECT chunk_id AS id, chunk_seq AS seq, ctid AS place, xmin::text AS born, xmax::text AS locked FROM pg_toast.pg_toast_%s', 'keyed'::regclass::oid) \gexec
\set ECHO all
CREATE TABLE old_chunks AS TABLE chunks;
CALL remember('keyed');
SELECT spice_refresh('keyed');
SELECT touched('keyed');
UPDATE own.items SET price = 5 WHERE id = 1;
UPDATE own.items SET note = note || 'longer' WHERE id = 2;
UPDATE own.items SET code = 'another' WHERE id = 3;
SELECT spice_refresh('keyed');
TABLE last;
SELECT touched('keyed'), differs('keyed');
-- those of the first row, which was updated in place, and of the last, which was not touched
SELECT count(DISTINCT id), count(*) = 2 * (SELECT count(*) / 4 FROM old_chunks) FROM old_chunks JOIN chunks USING (id, seq, place, born, locked);
CALL remember('keyed');
SELECT spice_refresh('keyed');
SELECT touched('keyed');
DROP VIEW chunks;
-- as it is stored does not matter: the same value, stored by hand in another way
ALTER TABLE keyed ALTER note SET STORAGE main;
UPDATE keyed SET note = note || '' WHERE id = 4;
CALL remember('keyed');
SELECT spice_refresh('keyed');
SELECT touched('keyed');

-- columns come and go; a column that is gone does not make rows differ
SELECT $$datasets:
  - {from: 'table:own.items', name: keyed, acceleration: {engine: duckdb, mode: file, primary_key: id, params: {refresh_method: merge},
     refresh_sql: "SELECT id, code, length(note) AS note, price > 1 AS dear FROM keyed"}}
  - {from: 'table:own.items', name: rows, acceleration: {engine: duckdb, mode: file, params: {refresh_method: merge},
     refresh_sql: "SELECT id, code FROM rows"}}
$$ :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('keyed'), spice_refresh('rows');
SELECT * FROM keyed ORDER BY id;
SELECT id, left(code, 10) FROM rows ORDER BY id;
\d keyed
SELECT 'keyed'::regclass::oid = :oid AS oid;
CALL remember('keyed');
CALL remember('rows');
SELECT spice_refresh('keyed'), spice_refresh('rows');
SELECT touched('keyed'), touched('rows');
-- a key that only the new rows have, and an index that only the old ones had
SELECT $$datasets:
  - {from: 'table:own.items', name: keyed, columns: [{name: code, nullable: false}], acceleration: {engine: duckdb, mode: file,
     indexes: {code: enabled}, params: {refresh_method: merge}, refresh_sql: "SELECT 1 AS id, code, note FROM keyed"}}
  - {from: 'table:own.items', name: rows, acceleration: {engine: duckdb, mode: file, primary_key: id, indexes: {code: unique},
     params: {refresh_method: merge}, refresh_sql: "SELECT DISTINCT id, code FROM rows"}}
$$ :datasets
INSERT INTO own.items (id, code) VALUES (1, '1');
INSERT INTO rows VALUES (1, '1'), (NULL, '2');
SELECT spice_reload();
SELECT spice_refresh('keyed'), spice_refresh('rows');
\d keyed
\d rows
TABLE last;
SELECT id, code FROM keyed ORDER BY code;

-- what is published is merged, however it is published; that it is, is enough
SELECT $$datasets:
  - {from: 'table:own.items', name: keyed, acceleration: {engine: duckdb, mode: file, primary_key: id}}
  - {from: 'table:own.items', name: swapped, acceleration: {engine: duckdb, mode: file, primary_key: id, params: {refresh_method: swap}}}
  - {from: 'table:own.items', name: rows, acceleration: {engine: duckdb, mode: file}}
  - {from: 'table:own.items', name: memory, acceleration: {primary_key: id}}
$$ :datasets
DELETE FROM own.items WHERE note IS NULL;
SELECT spice_reload();
CREATE FUNCTION refresh_all() RETURNS TABLE (dataset text, outcome text, notice text) LANGUAGE plpgsql AS
$$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{keyed,swapped,rows,memory}'::text[]
	LOOP
		PERFORM spice_refresh(name);
		RETURN QUERY SELECT r.dataset, r.outcome, r.notice FROM spice.refreshes r LIMIT 1;
	END LOOP;
END
$$;
SELECT * FROM refresh_all();
SET client_min_messages = error; -- of CREATE PUBLICATION, where wal_level is low
CREATE PUBLICATION regress_publication FOR TABLE keyed, rows, swapped;
SELECT * FROM refresh_all();
DROP PUBLICATION regress_publication;
SELECT * FROM refresh_all();
CREATE PUBLICATION regress_publication FOR TABLES IN SCHEMA public;
SELECT * FROM refresh_all();
DROP PUBLICATION regress_publication;
CREATE PUBLICATION regress_publication FOR ALL TABLES;
SELECT * FROM refresh_all();
-- the first load, too: subscribers may be waiting for the table

SELECT $$datasets:
  - {from: 'table:own.items', name: keyed, acceleration: {engine: duckdb, mode: file, primary_key: id}}
  - {from: 'table:own.items', name: swapped, acceleration: {engine: duckdb, mode: file, primary_key: id, params: {refresh_method: swap}}}
  - {from: 'table:own.items', name: rows, acceleration: {engine: duckdb, mode: file}}
  - {from: 'table:own.items', name: memory, acceleration: {primary_key: id}}
  - {from: 'table:own.items', name: late, acceleration: {engine: duckdb, mode: file, primary_key: id}}
$$ :datasets
SELECT spice_reload();
SELECT spice_refresh('late');
TABLE last;
-- without a key rows can be added, and not be changed; the cure is in the error
ALTER TABLE own.items REPLICA IDENTITY FULL;
DELETE FROM own.items WHERE id = 1;
SELECT spice_refresh('keyed');
SELECT pg_temp.failure('SELECT spice_refresh(''rows'')');
ALTER TABLE rows REPLICA IDENTITY FULL;
SELECT spice_refresh('rows');
TABLE last;
-- a table that is published does not become unlogged
SELECT $$datasets:
  - {from: 'table:own.items', name: keyed, acceleration: {primary_key: id}}
$$ :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.failure('SELECT spice_refresh(''keyed'')');
DROP PUBLICATION regress_publication;
RESET client_min_messages;

-- who reads the table reads it as before: views, grants, policies, prepared statements; the owner's own too
SELECT $$datasets:
  - {from: 'table:own.items', name: keyed, acceleration: {engine: duckdb, mode: file, primary_key: id, params: {refresh_method: merge}}}
$$ :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('keyed');
CREATE ROLE regress_merge_reader;
GRANT SELECT ON keyed TO regress_merge_reader;
CREATE VIEW few AS SELECT id FROM keyed WHERE id < 3;
ALTER TABLE keyed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY odd ON keyed USING (id % 2 = 1);
PREPARE all_keys AS SELECT id FROM keyed ORDER BY id;
SET ROLE regress_merge_reader;
EXECUTE all_keys;
RESET ROLE;
UPDATE own.items SET note = 'short';
INSERT INTO own.items (id, code) VALUES (1, 'one'), (6, 'six'), (7, 'seven');
SELECT spice_refresh('keyed');
TABLE last;
SELECT id, code, note FROM keyed ORDER BY id;
TABLE few ORDER BY id;
SET ROLE regress_merge_reader;
EXECUTE all_keys;
RESET ROLE;
DEALLOCATE all_keys;

-- it runs as the tables' role, and an index asks its functions with no other rights
CREATE ROLE regress_merge_owner;
GRANT CREATE ON SCHEMA public TO regress_merge_owner;
GRANT USAGE ON SCHEMA own TO regress_merge_owner;
GRANT SELECT ON own.items TO regress_merge_owner;
SET spice.role = 'regress_merge_owner';
SELECT $$datasets:
  - {from: 'table:own.items', name: owned, acceleration: {engine: duckdb, mode: file, primary_key: id, params: {refresh_method: merge}}}
$$ :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('owned');
SELECT tableowner FROM pg_tables WHERE tablename = 'owned';
CREATE FUNCTION who(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''as %'', current_user; RETURN $1; END';
CREATE INDEX ON owned (who(note)) WHERE id > 6;
UPDATE own.items SET note = 'who' WHERE id = 7;
SELECT spice_refresh('owned');
RESET spice.role;

-- before its first load a table may have its source for a child
SELECT $$stand
{"body": [{"id": 1}, {"id": 2}]}$$ :answer
SELECT $$datasets:
  - {from: SOURCE/stand, name: stand, ready_state: on_registration, columns: [{name: id, type: int}], acceleration: {params: {refresh_method: merge}}}
$$ :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('stand');
TABLE stand;
TABLE last;
-- bytes that have not changed are not even compared
SELECT spice_refresh('stand');
TABLE last;
-- guards hold before anything is written
SELECT $$datasets:
  - {from: SOURCE/stand, name: stand, columns: [{name: id, type: int}], acceleration: {params: {refresh_method: merge, refresh_max_shrink: 10%}}}
$$ :datasets
SELECT * FROM spice_reload();
SELECT $$stand
{"body": [{"id": 1}]}$$ :answer
SELECT pg_temp.failure('SELECT spice_refresh(''stand'')');
TABLE stand;
-- a dataset that appends has its table loaded whole, too
SELECT $$stand
{"body": [{"id": 1, "at": "2025-01-01"}, {"id": 1, "at": "2025-01-02"}, {"id": 2, "at": "2025-01-01"}]}$$ :answer
SELECT $$datasets:
  - {from: SOURCE/stand, name: events, time_column: at, acceleration: {engine: duckdb, mode: file, refresh_mode: append, primary_key: id, on_conflict: {id: upsert}}}
$$ :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('events');
SET client_min_messages = error;
CREATE PUBLICATION regress_publication FOR TABLE events;
RESET client_min_messages;
SELECT $$stand
{"body": [{"id": 1, "at": "2025-01-02"}, {"id": 3, "at": "2025-01-03"}, {"id": 3, "at": "2025-01-02"}]}$$ :answer
SELECT spice_refresh('events', refresh_mode => 'full');
SELECT outcome, rows, inserted, updated, unchanged, dropped, deleted FROM spice.refreshes LIMIT 1;
TABLE events ORDER BY id;
SELECT watermark, rows FROM spice.datasets WHERE dataset = 'events';
DROP PUBLICATION regress_publication;

SELECT line, severity, message FROM spice_validate('version: v1
kind: Spicepod
name: p
datasets:
  - {from: "table:own.items", name: a, acceleration: {params: {refresh_method: copy}}}
  - {from: "table:own.items", name: b, time_column: at, acceleration: {refresh_mode: append, params: {refresh_method: merge}}}
');
DROP TABLE owned CASCADE;
DROP OWNED BY regress_merge_reader, regress_merge_owner;
DROP ROLE regress_merge_reader, regress_merge_owner;
SET client_min_messages = warning;
DROP SCHEMA own CASCADE;
DROP TABLE versions, old_chunks;
DROP FUNCTION touched, differs, refresh_all, who;
DROP PROCEDURE remember;
\i :teardown
