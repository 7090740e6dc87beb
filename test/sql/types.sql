\getenv inputs PG_ABS_SRCDIR
\set setup :inputs '/sql/setup.inc'
\set teardown :inputs '/sql/teardown.inc'
\i :setup
-- A column's type goes from narrow to wide, as far as the values of a response ask for it:
-- never by a null, and never back.

CREATE FUNCTION pg_temp.types(relation text) RETURNS text LANGUAGE sql AS
$$
	SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attname) FROM pg_attribute
	WHERE attrelid = relation::regclass AND attnum > 0 AND NOT attisdropped
$$;

-- sync_all_columns: wider types are followed
SELECT 'datasets:
  - {from: SOURCE/wide, name: wide, on_schema_change: sync_all_columns, acceleration: {indexes: {price: enabled}}}
' :datasets
SELECT * FROM spice_reload();
SELECT 'wide
{"body": [{"id": 1, "price": 1, "day": "2025-01-01", "flag": true}, {"id": 2, "price": 2, "day": null, "flag": null}]}' :answer
SELECT spice_refresh('wide');
SELECT pg_temp.types('wide');
SELECT 'wide
{"body": [{"id": 1, "price": 1.5, "day": "2025-01-01T12:00:00", "flag": 1}, {"id": 2, "price": 2, "day": "2025-01-02", "flag": false}]}' :answer
SELECT spice_refresh('wide');
SELECT pg_temp.types('wide');
SELECT * FROM wide ORDER BY id;
CREATE VIEW on_wide AS SELECT sum(price) AS total FROM wide;
-- whole numbers and nulls are no narrower type
SELECT 'wide
{"body": [{"id": 1, "price": 2, "day": "2025-01-03", "flag": null}]}' :answer
SELECT spice_refresh('wide');
SELECT 'wide
{"body": [{"id": 1, "price": null, "day": null, "flag": null}]}' :answer
SELECT spice_refresh('wide');
SELECT pg_temp.types('wide');
DROP VIEW on_wide;
-- an integer that no double holds, beside fractions of earlier responses
SELECT 'wide
{"body": [{"id": 1, "price": 9007199254740993, "day": null, "flag": null}]}' :answer
SELECT spice_refresh('wide');
SELECT pg_temp.types('wide');
SELECT price FROM wide;
SELECT 'wide
{"body": [{"id": "one", "price": "much", "day": "soon", "flag": {}}]}' :answer
SELECT spice_refresh('wide');
SELECT pg_temp.types('wide');
-- another source is described anew
SELECT 'datasets:
  - {from: "SOURCE/again", name: wide, on_schema_change: sync_all_columns, acceleration: {enabled: true}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT 'again
{"body": [{"id": 1, "price": 1, "day": null, "flag": false}]}' :answer
SELECT spice_refresh('wide');
SELECT pg_temp.types('wide');

-- a field that has had nothing but null is no column until its first value
CREATE TEMP VIEW late AS SELECT dataset FROM spice.datasets WHERE dataset IN ('block', 'fail', 'append_new_columns', 'sync_all_columns');
SELECT format(E'datasets:\n%s', string_agg(format('  - from: SOURCE/late
    name: %s
    on_schema_change: %1$s
    acceleration: {enabled: true}
', w), '')) FROM unnest('{block,fail,append_new_columns,sync_all_columns}'::text[]) w :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT 'late
{"body": [{"id": 1, "score": null, "Is late": null}, {"id": 2, "score": null}]}' :answer
SELECT spice_refresh(dataset) FROM late ORDER BY dataset;
SELECT dataset, pg_temp.types(dataset) FROM late ORDER BY dataset;
SELECT DISTINCT outcome, notice FROM spice.refreshes JOIN late USING (dataset);
SELECT 'late
{"body": [{"id": 1, "score": 9, "Is late": null}, {"id": 2, "score": 10}, {"id": 3, "score": 2.5}]}' :answer
SELECT spice_refresh(dataset) FROM late ORDER BY dataset;
SELECT dataset, pg_temp.types(dataset) FROM late ORDER BY dataset;
SELECT max(score) FROM block;
SELECT 'late
{"body": [{"id": 1, "score": 9, "Is late": true}, {"id": 2, "score": null}]}' :answer
SELECT spice_refresh(dataset) FROM late ORDER BY dataset;
SELECT dataset, pg_temp.types(dataset) FROM late ORDER BY dataset;
SELECT DISTINCT ON (dataset) dataset, outcome, notice FROM spice.refreshes JOIN late USING (dataset) ORDER BY dataset, started DESC;
-- a field that is new and null is no change of the fields, either
SELECT 'late
{"body": [{"id": 1, "score": 9, "Is late": true, "new": null}]}' :answer
SELECT spice_refresh(dataset) FROM late ORDER BY dataset;
SELECT dataset, pg_temp.types(dataset) FROM late ORDER BY dataset;
-- what is declared is a column at once
SELECT 'datasets:
  - {from: SOURCE/declared, name: declared, acceleration: {enabled: true}, columns: [{name: score, type: bigint}, {name: note}]}
  - {from: SOURCE/declared, name: live}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT 'declared
{"body": [{"id": 1, "score": null, "note": null}]}' :answer
SELECT spice_refresh('declared');
SELECT pg_temp.types('declared');
-- a dataset that is read live is described once: its fields are columns at once, too
SELECT spice_refresh('live');
SELECT pg_temp.types('live');

-- what the definition names has to be there
SELECT 'datasets:
  - {from: SOURCE/declared, name: keyed, acceleration: {primary_key: id, indexes: {score: enabled}}}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT pg_temp.failure($$SELECT spice_refresh('keyed')$$);

-- numbers that double precision would round to zero, or that lose digits there
SELECT 'datasets:
  - {from: SOURCE/tiny, name: tiny, acceleration: {enabled: true}}
  - {from: SOURCE/tiny, name: refused, acceleration: {enabled: true}, columns: [{name: b, type: double precision}]}
' :datasets
SELECT * FROM spice_reload() WHERE action <> 'removed';
SELECT E'tiny\n' || json_build_object('body', '[{"a": 5e-324, "b": 1e-400, "c": 1.234567890123e-320, "d": 0.0, "e": 2.5e-308}]') :answer
SELECT spice_refresh('tiny');
SELECT pg_temp.types('tiny');
SELECT a, b = 1e-400 AS b, c = 1.234567890123e-320 AS c, d, e FROM tiny;
SELECT pg_temp.failure($$SELECT spice_refresh('refused')$$);
\i :teardown
