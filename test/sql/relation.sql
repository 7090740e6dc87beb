\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- A relation of this very database as a source.

CREATE SCHEMA own;
CREATE TABLE own.orders (id int PRIMARY KEY, total numeric(8,2), note text, at timestamptz NOT NULL);
COMMENT ON COLUMN own.orders.total IS 'in euro';
INSERT INTO own.orders SELECT i, i, 'n' || i, timestamptz '2024-01-01 00:00Z' + i * interval '1 h' FROM generate_series(1, 5) i;
CREATE VIEW own."Big" AS SELECT * FROM own.orders WHERE total > 3;

SELECT $$datasets:
  - {from: 'table:Own.orders', name: every, acceleration: {primary_key: id}}
  - {from: 'table:own."Big"', name: big, acceleration: {refresh_sql: SELECT id FROM big WHERE id <> 4}}
  - {from: 'table:own.orders', name: live}
  - from: table:own.orders
    name: events
    time_column: at
    columns: [{name: note}, {name: id, type: bigint}]
    acceleration: {refresh_mode: append, primary_key: id, on_conflict: {id: upsert}}
  - {from: 'table:own.nothing', name: nothing}
  - {from: 'table:spice_source.itself', name: itself, acceleration: {enabled: true}}
$$ :datasets
SELECT * FROM spice_reload();
SELECT spice_refresh('every'), spice_refresh('big'), spice_refresh('live'), spice_refresh('events');
SELECT pg_temp.failure('SELECT spice_refresh(''nothing'')');
SELECT pg_temp.failure('SELECT spice_refresh(''itself'')');
TABLE big;
SELECT count(*) FROM live;
SELECT relkind FROM pg_class WHERE oid = 'spice_source.events'::regclass;
SELECT col_description('every'::regclass, 2) AS comment;
\d events

-- append takes what is new; the view is the relation, live
INSERT INTO own.orders VALUES (6, 6, 'new', '2024-01-02 00:00Z');
UPDATE own.orders SET note = 'changed', at = '2024-01-02 01:00Z' WHERE id = 1;
SELECT spice_refresh('events');
SELECT note, id FROM events WHERE id IN (1, 2, 6) ORDER BY id;
SELECT count(*) FROM live;

-- the columns stay as they were found, until the definition says otherwise
ALTER TABLE own.orders ADD COLUMN more int DEFAULT 7;
SELECT spice_refresh('every');
SELECT pg_temp.failure('SELECT more FROM every');
SELECT pg_temp.failure('ALTER TABLE own.orders DROP COLUMN note');
SELECT $$datasets:
  - {from: 'table:own.orders', name: every, on_schema_change: append_new_columns, acceleration: {primary_key: id}}
  - {from: 'table:own."Big"', name: live}
$$ :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('every'), spice_refresh('live');
SELECT more, count(*) FROM every GROUP BY 1;
SELECT count(*) FROM live;

-- another kind of source: the view makes way for a foreign table
SELECT $$every
{"body": [{"id": 1}]}$$ :answer
SELECT $$datasets:
  - {from: SOURCE/every, name: every, acceleration: {primary_key: id}}
$$ :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT spice_refresh('every');
SELECT relkind FROM pg_class WHERE oid = 'spice_source.every'::regclass;

-- HTTP's settings have no meaning here
SELECT * FROM spice_validate($$version: v1
kind: Spicepod
name: test
datasets:
  - from: table:own.orders
    name: a
    params: {json_pointer: /a}
  - from: postgres:own.orders
    name: b
    time_column: at
    params: {pg_host: h, pg_db: d, pg_user: u, http_password: x}
    acceleration: {refresh_mode: append, params: {http_append_query: 't={watermark}'}}
  - from: http://h/x
    name: c
    params: {pg_pass: x}
$$);

SELECT spice_drop(dataset) FROM spice.datasets WHERE status = 'removed' \g /dev/null
SELECT count(*) FROM pg_class WHERE relnamespace = 'spice_source'::regnamespace;
SET client_min_messages = warning;
DROP SCHEMA own CASCADE;
\i :teardown
