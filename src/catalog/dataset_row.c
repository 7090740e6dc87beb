/*-------------------------------------------------------------------------
 *
 * dataset_row.c
 *		Reads rows of spice.dataset.
 *
 * A refresh works from the catalog and not from the file, so that a broken
 * manifest, or one that changes during the refresh, changes nothing about it.
 * A definition is jsonb, so that a new key of the manifest needs no change of
 * the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "catalog/dataset_row.h"
#include "catalog/execute.h"
#include "catalog/rights.h"

/* columns of the query below, counted from 1 */
enum
{
	COL_ID = 1, COL_NAME, COL_IN_MANIFEST, COL_PAUSED, COL_DEFINITION, COL_CHANGED,
	COL_SOURCE_CHANGED, COL_RELATION, COL_SOURCE_RELATION, COL_LOADED, COL_ROWS,
	COL_ETAG, COL_LAST_MODIFIED, COL_DIGEST, COL_ATTEMPT, COL_SECRETS, COL_PATH,
	COL_SCHEMA, COL_TABLE, COL_FROM, COL_DESCRIPTION, COL_USERNAME, COL_PASSWORD,
	COL_HEADERS, COL_PORT, COL_CLIENT_TIMEOUT, COL_CONNECT_TIMEOUT, COL_FORMAT,
	COL_POINTER, COL_ACCELERATED, COL_MODE, COL_REFRESH_MODE, COL_REFRESH_SQL,
	COL_INTERVAL, COL_RETRY, COL_MAX_ATTEMPTS, COL_ON_STARTUP,
	COL_RELOAD, COL_DESCRIBED, COL_FETCHED_QUERY, COL_TIME_COLUMN, COL_TIME_FORMAT,
	COL_OVERLAP, COL_WINDOW, COL_APPEND_QUERY, COL_ON_SCHEMA_CHANGE, COL_MIN_ROWS,
	COL_MAX_SHRINK, COL_JITTER, COL_RETENTION_PERIOD, COL_RETENTION_SQL,
	COL_RETENTION_INTERVAL, COL_READY_STATE, COL_CSV_HEADER, COL_CSV_DELIMITER,
	COL_CSV_QUOTE, COL_CSV_ESCAPE, COL_CONNECTOR, COL_REMOTE_SCHEMA, COL_REMOTE_TABLE,
	COL_REFRESH_METHOD, COL_HAS_SLOT, COL_TROUBLED
};

/*
 * What decides which columns a source has, which rows a table holds, and how
 * the table is made besides.  A change of any other key changes neither.
 */
#define SOURCE_KEYS "'{from,place,accelerated,http_port,format,json_pointer,csv,columns}'"
#define ROW_KEYS "'{from,place,accelerated,http_port,format,json_pointer,csv,columns,refresh_sql,time_column,time_format}'"
#define TABLE_KEYS "'{mode,refresh_mode,indexes,primary_key}'"
#define DIFFERS(then, keys) \
	" (SELECT bool_or(d." then " -> k IS DISTINCT FROM d.definition -> k)" \
	"  FROM unnest(" keys "::text[]) k),"

#define DATASET_QUERY DATASET_QUERY_FROM("spice.dataset")
#define DATASET_QUERY_FROM(dataset) \
	"SELECT d.id, d.name, d.in_manifest, d.paused, d.definition::text," \
DIFFERS("applied", TABLE_KEYS) \
DIFFERS("source_applied", SOURCE_KEYS) \
	" (SELECT c.oid FROM pg_class c WHERE c.oid = d.relation)," \
	" (SELECT c.oid FROM pg_class c WHERE c.oid = d.source_relation)," \
	" d.loaded IS NOT NULL, d.rows, d.etag, d.last_modified, d.digest, d.attempt," \
	" m.secrets::text, m.path," \
	" r.schema, r.\"table\", r.\"from\", r.description," \
	" r.params->>'http_username', r.params->>'http_password', r.http_headers," \
	" r.http_port, least(r.client_timeout_ms, 2147483647), least(r.connect_timeout_ms, 2147483647)," \
	" r.format, r.json_pointer," \
	" r.accelerated, r.mode, r.refresh_mode, r.refresh_sql, r.refresh_interval_ms," \
	" r.refresh_retry_enabled, r.refresh_retry_max_attempts, r.refresh_on_startup," \
DIFFERS("applied", ROW_KEYS) \
	" d.applied IS NOT DISTINCT FROM d.definition, d.fetched_query," \
	" r.time_column, r.time_format, r.refresh_append_overlap_ms, r.refresh_data_window_ms," \
	" r.http_append_query, r.on_schema_change, r.refresh_min_rows, r.refresh_max_shrink," \
	" r.refresh_jitter_max_ms, r.retention_period_ms, r.retention_sql, r.retention_check_interval_ms," \
	" r.ready_state, (r.csv->>'has_header')::bool, r.csv->>'delimiter', r.csv->>'quote', r.csv->>'escape'," \
	" r.connector, r.remote_schema, r.remote_table, r.refresh_method," \
	" EXISTS (SELECT 1 FROM spice.slot s WHERE s.dataset = d.id)," \
	" d.last_error IS NOT NULL OR d.failures > 0 OR d.attempt > 0 OR d.last_outcome = 'empty'" \
	" FROM " dataset " d LEFT JOIN spice.manifest m ON true," \
	" jsonb_to_record(d.definition) AS r(schema text, \"table\" text, \"from\" text," \
	" description text, params jsonb, http_headers text, http_port int," \
	" client_timeout_ms int8, connect_timeout_ms int8, format text, json_pointer text," \
	" accelerated bool, mode text, refresh_mode text, refresh_sql text," \
	" refresh_interval_ms int8, refresh_retry_enabled bool," \
	" refresh_retry_max_attempts int, refresh_on_startup text, time_column text," \
	" time_format text, refresh_append_overlap_ms int8, refresh_data_window_ms int8," \
	" http_append_query text, on_schema_change text, refresh_min_rows int8," \
	" refresh_max_shrink float8, refresh_jitter_max_ms int8, retention_period_ms int8," \
	" retention_sql text, retention_check_interval_ms int8, ready_state text," \
	" csv jsonb, connector text, remote_schema text, remote_table text," \
	" refresh_method text)" \
	" WHERE d.definition IS NOT NULL AND "

static const char *const by_id_query = DATASET_QUERY "d.id = $1";

/* the name itself before any other spelling of it */
static const char *const by_name_query = DATASET_QUERY
	"$1 IN (d.name, r.\"table\", r.schema || '.' || r.\"table\")"
	" ORDER BY d.name = $1 DESC, r.schema = 'public' DESC LIMIT 1";

/* one whose definition is given, and which has no state */
static const char *const by_definition_query = DATASET_QUERY_FROM(
																  "(SELECT $1 AS id, $2::jsonb->>'name' AS name, false AS in_manifest, false AS paused,"
																  " $2::jsonb AS definition, NULL::jsonb AS applied, NULL::jsonb AS source_applied,"
																  " NULL::regclass AS relation, NULL::regclass AS source_relation, NULL::timestamptz AS loaded,"
																  " NULL::int8 AS rows, NULL::text AS etag, NULL::text AS last_modified, NULL::bytea AS digest,"
																  " 0 AS attempt, 0 AS failures, NULL::text AS last_error, NULL::text AS last_outcome,"
																  " NULL::text AS fetched_query)") "true";

static const char *const columns_query =
	"SELECT c.name, c.type, c.nullable, c.description"
	" FROM spice.dataset d,"
	" jsonb_to_recordset(CASE WHEN $2 THEN d.applied ELSE d.definition END->'columns')"
	" AS c(name text, type text, nullable bool, description text) WHERE d.id = $1";

/*
 * The primary key, then the others, in the order in which they are written;
 * last the one with which append finds the watermark and what lies behind it.
 */
static const char *const indexes_query =
	"SELECT ARRAY(SELECT jsonb_array_elements_text(i.columns)), i.\"unique\", i.\"primary\""
	" FROM spice.dataset d, LATERAL (SELECT CASE WHEN $2 THEN d.applied ELSE d.definition END AS def) x,"
	" LATERAL (SELECT x.def->'primary_key' AS columns, true AS \"unique\", true AS \"primary\""
	"  WHERE jsonb_array_length(x.def->'primary_key') > 0"
	"  UNION ALL SELECT r.columns, r.\"unique\", false"
	"  FROM jsonb_to_recordset(x.def->'indexes') AS r(columns jsonb, \"unique\" bool)"
	"  UNION ALL SELECT jsonb_build_array(x.def->'time_column'), false, false"
	"  WHERE x.def->>'refresh_mode' = 'append'"
	"  AND NOT coalesce(x.def->'primary_key'->0 = x.def->'time_column', false)"
	"  AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(x.def->'indexes') AS r(columns jsonb)"
	"   WHERE r.columns->0 = x.def->'time_column')) i"
	" WHERE d.id = $1";

static const char *const conflicts_query =
	"SELECT ARRAY(SELECT jsonb_array_elements_text(r.columns)), r.action"
	" FROM spice.dataset d, jsonb_to_recordset(d.definition->'on_conflict')"
	" AS r(columns jsonb, action text) WHERE d.id = $1";

#define PARAMS_OF(definition) \
	" jsonb_each_text((" definition "->'params') || (" definition "->'place')) p"

static const char *const params_query =
	"SELECT p.key, p.value FROM spice.dataset d," PARAMS_OF("d.definition") " WHERE d.id = $1";

static List *
read_columns(const Dataset *dataset, bool applied, MemoryContext context)
{
	Oid			types[] = {INT4OID, BOOLOID};
	Datum		values[] = {Int32GetDatum(dataset->id), BoolGetDatum(applied)};
	List	   *columns = NIL;

	catalog_execute_saved(columns_query, 2, types, values, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		DatasetColumn *column = palloc0(sizeof(DatasetColumn));

		column->name = catalog_text(row, 1, context);
		column->type = catalog_text(row, 2, context);
		column->nullable = catalog_bool(row, 3);
		column->description = catalog_text(row, 4, context);
		columns = lappend(columns, column);
		MemoryContextSwitchTo(old);
	}
	return columns;
}

/* an array of text in the SPI result, as a list of char * in the current context */
static List *
text_list(int row, int column)
{
	List	   *list = NIL;
	bool		isnull;
	Datum	   *elements;
	int			n_elements;

	deconstruct_array(DatumGetArrayTypeP(catalog_datum(row, column, &isnull)),
					  TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n_elements);
	for (int i = 0; i < n_elements; i++)
		list = lappend(list, TextDatumGetCString(elements[i]));
	return list;
}

static List *
read_conflicts(const Dataset *dataset, MemoryContext context)
{
	Oid			types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(dataset->id)};
	List	   *conflicts = NIL;

	catalog_execute_saved(conflicts_query, 1, types, values, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		DatasetConflict *conflict = palloc0(sizeof(DatasetConflict));
		char	   *action = catalog_text(row, 2, context);

		conflict->columns = text_list(row, 1);
		conflict->action = strcmp(action, "drop") == 0 ? CONFLICT_DROP :
			strcmp(action, "upsert_dedup_by_row_id") == 0 ? CONFLICT_UPSERT_LAST : CONFLICT_UPSERT;
		conflicts = lappend(conflicts, conflict);
		MemoryContextSwitchTo(old);
	}
	return conflicts;
}

static List *
read_indexes(const Dataset *dataset, bool applied, MemoryContext context)
{
	Oid			types[] = {INT4OID, BOOLOID};
	Datum		values[] = {Int32GetDatum(dataset->id), BoolGetDatum(applied)};
	List	   *indexes = NIL;

	catalog_execute_saved(indexes_query, 2, types, values, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		DatasetIndex *index = palloc0(sizeof(DatasetIndex));

		index->columns = text_list(row, 1);
		index->unique = catalog_bool(row, 2);
		index->primary = catalog_bool(row, 3);
		indexes = lappend(indexes, index);
		MemoryContextSwitchTo(old);
	}
	return indexes;
}

/* of the rows of params_query, or of its kin */
static List *
params_list(MemoryContext context)
{
	List	   *params = NIL;

	for (uint64 row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		DatasetParam *param = palloc(sizeof(DatasetParam));

		param->name = catalog_text(row, 1, context);
		param->value = catalog_text(row, 2, context);
		params = lappend(params, param);
		MemoryContextSwitchTo(old);
	}
	return params;
}

static List *
read_params(const Dataset *dataset, MemoryContext context)
{
	Oid			types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(dataset->id)};

	catalog_execute_saved(params_query, 1, types, values, NULL);
	return params_list(context);
}

static SchemaChange
schema_change(const char *word)
{
	if (word == NULL || strcmp(word, "block") == 0)
		return SCHEMA_BLOCK;
	if (strcmp(word, "fail") == 0)
		return SCHEMA_FAIL;
	return strcmp(word, "append_new_columns") == 0 ? SCHEMA_APPEND : SCHEMA_SYNC;
}

static RefreshMethod
refresh_method(const char *word)
{
	if (word == NULL)
		return METHOD_FITTING;
	return strcmp(word, "merge") == 0 ? METHOD_MERGE : METHOD_SWAP;
}

/* of a definition that another version, or somebody by hand, may have written */
static char *
needed_text(int column, const char *key, MemoryContext context)
{
	char	   *text = catalog_text(0, column, context);

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the definition of dataset \"%s\" has no %s", catalog_text(0, COL_NAME, context), key),
				 errhint("SELECT spice_reload() writes it anew from the manifest.")));
	return text;
}

/* the row that SPI has just returned */
static Dataset *
read_dataset(MemoryContext context)
{
	Dataset    *dataset = MemoryContextAllocZero(context, sizeof(Dataset));
	bool		isnull;
	Datum		digest,
				max_shrink;

	dataset->id = (int) catalog_number(COL_ID, 0);
	dataset->name = catalog_text(0, COL_NAME, context);
	dataset->schema = needed_text(COL_SCHEMA, "schema", context);
	dataset->table = needed_text(COL_TABLE, "table", context);
	dataset->in_manifest = catalog_bool(0, COL_IN_MANIFEST);
	dataset->paused = catalog_bool(0, COL_PAUSED);

	dataset->definition = catalog_text(0, COL_DEFINITION, context);
	dataset->changed = catalog_bool(0, COL_CHANGED);
	dataset->described = catalog_bool(0, COL_DESCRIBED);
	dataset->source_changed = catalog_bool(0, COL_SOURCE_CHANGED);
	dataset->accelerated = catalog_bool(0, COL_ACCELERATED);
	dataset->connector = needed_text(COL_CONNECTOR, "connector", context);
	dataset->from = needed_text(COL_FROM, "from", context);
	dataset->remote_schema = catalog_text(0, COL_REMOTE_SCHEMA, context);
	dataset->remote_table = catalog_text(0, COL_REMOTE_TABLE, context);
	dataset->description = catalog_text(0, COL_DESCRIPTION, context);
	dataset->username = catalog_text(0, COL_USERNAME, context);
	dataset->password = catalog_text(0, COL_PASSWORD, context);
	dataset->http_headers = catalog_text(0, COL_HEADERS, context);
	dataset->http_port = (int) catalog_number(COL_PORT, 0);
	dataset->client_timeout_ms = (int) catalog_number(COL_CLIENT_TIMEOUT, 0);
	dataset->connect_timeout_ms = (int) catalog_number(COL_CONNECT_TIMEOUT, 0);
	dataset->format = catalog_text(0, COL_FORMAT, context);
	dataset->json_pointer = catalog_text(0, COL_POINTER, context);
	dataset->csv_header = catalog_bool(0, COL_CSV_HEADER);
	dataset->csv_delimiter = catalog_text(0, COL_CSV_DELIMITER, context);
	dataset->csv_quote = catalog_text(0, COL_CSV_QUOTE, context);
	dataset->csv_escape = catalog_text(0, COL_CSV_ESCAPE, context);
	dataset->unlogged = strcmp(needed_text(COL_MODE, "mode", context), "memory") == 0;
	dataset->refresh_mode = needed_text(COL_REFRESH_MODE, "refresh_mode", context);
	dataset->refresh_sql = catalog_text(0, COL_REFRESH_SQL, context);
	dataset->refresh_interval_ms = catalog_number(COL_INTERVAL, 0);
	dataset->retry = catalog_bool(0, COL_RETRY);
	dataset->retry_max_attempts = (int) catalog_number(COL_MAX_ATTEMPTS, -1);
	dataset->refresh_always = strcmp(needed_text(COL_ON_STARTUP, "refresh_on_startup", context), "always") == 0;

	dataset->reload = catalog_bool(0, COL_RELOAD);
	dataset->changed |= dataset->reload;
	dataset->append = strcmp(dataset->refresh_mode, "append") == 0;
	dataset->refresh_method = refresh_method(catalog_text(0, COL_REFRESH_METHOD, context));
	dataset->follows = strcmp(dataset->refresh_mode, "changes") == 0;
	dataset->has_slot = catalog_bool(0, COL_HAS_SLOT);
	dataset->time_column = catalog_text(0, COL_TIME_COLUMN, context);
	dataset->time_format = catalog_text(0, COL_TIME_FORMAT, context);
	dataset->append_overlap_ms = catalog_number(COL_OVERLAP, 0);
	dataset->data_window_ms = catalog_number(COL_WINDOW, 0);
	dataset->append_query = catalog_text(0, COL_APPEND_QUERY, context);
	dataset->on_schema_change = schema_change(catalog_text(0, COL_ON_SCHEMA_CHANGE, context));
	dataset->min_rows = catalog_number(COL_MIN_ROWS, -1);
	max_shrink = catalog_datum(0, COL_MAX_SHRINK, &isnull);
	dataset->max_shrink = isnull ? 1 : DatumGetFloat8(max_shrink);
	dataset->jitter_ms = catalog_number(COL_JITTER, 0);
	dataset->retention_period_ms = catalog_number(COL_RETENTION_PERIOD, 0);
	dataset->retention_sql = catalog_text(0, COL_RETENTION_SQL, context);
	dataset->retention_interval_ms = catalog_number(COL_RETENTION_INTERVAL, 0);

	dataset->on_registration = strcmp(needed_text(COL_READY_STATE, "ready_state", context), "on_load") != 0;
	dataset->relation = (Oid) catalog_number(COL_RELATION, InvalidOid);
	dataset->source_relation = (Oid) catalog_number(COL_SOURCE_RELATION, InvalidOid);
	dataset->loaded = catalog_bool(0, COL_LOADED);
	dataset->rows = catalog_number(COL_ROWS, 0);
	dataset->etag = catalog_text(0, COL_ETAG, context);
	dataset->last_modified = catalog_text(0, COL_LAST_MODIFIED, context);
	dataset->attempt = (int) catalog_number(COL_ATTEMPT, 0);
	dataset->troubled = catalog_bool(0, COL_TROUBLED);
	digest = catalog_datum(0, COL_DIGEST, &isnull);
	if (!isnull)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		dataset->digest = DatumGetByteaPCopy(digest);
		MemoryContextSwitchTo(old);
	}
	dataset->fetched_query = catalog_text(0, COL_FETCHED_QUERY, context);
	dataset->secrets = catalog_text(0, COL_SECRETS, context);
	dataset->manifest_path = catalog_text(0, COL_PATH, context);
	return dataset;
}

static Dataset *
find_dataset(const char *query, Oid type, Datum value)
{
	MemoryContext context = CurrentMemoryContext;
	CatalogRights rights;
	Dataset    *dataset = NULL;

	catalog_enter(&rights);
	SPI_connect();
	catalog_execute_saved(query, 1, &type, &value, NULL);
	if (SPI_processed > 0)
	{
		dataset = read_dataset(context);
		dataset->columns = read_columns(dataset, false, context);
		dataset->applied_columns = read_columns(dataset, true, context);
		dataset->indexes = read_indexes(dataset, false, context);
		dataset->applied_indexes = read_indexes(dataset, true, context);
		dataset->conflicts = read_conflicts(dataset, context);
		dataset->params = read_params(dataset, context);
	}
	SPI_finish();
	catalog_leave(&rights);
	return dataset;
}

Dataset *
catalog_dataset_by_id(int id)
{
	return find_dataset(by_id_query, INT4OID, Int32GetDatum(id));
}

Dataset *
catalog_dataset_of(int id, const char *definition)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {INT4OID, TEXTOID};
	Datum		values[] = {Int32GetDatum(id), CStringGetTextDatum(definition)};
	CatalogRights rights;
	Dataset    *dataset;

	catalog_enter(&rights);
	SPI_connect();
	catalog_execute(by_definition_query, 2, types, values, NULL);
	dataset = read_dataset(context);
	catalog_execute("SELECT p.key, p.value FROM" PARAMS_OF("($2::jsonb)") " WHERE $1 IS NOT NULL",
					2, types, values, NULL);
	dataset->params = params_list(context);
	SPI_finish();
	catalog_leave(&rights);
	return dataset;
}

bool
catalog_dataset_again(Dataset *dataset)
{
	Oid			types[] = {INT4OID, TEXTOID};
	Datum		values[] = {Int32GetDatum(dataset->id), CStringGetTextDatum(dataset->definition)};
	CatalogRights rights;
	bool		same;

	catalog_enter(&rights);
	SPI_connect();
	catalog_execute_saved("SELECT (SELECT c.oid FROM pg_class c WHERE c.oid = d.relation),"
						  " (SELECT c.oid FROM pg_class c WHERE c.oid = d.source_relation)"
						  " FROM spice.dataset d WHERE d.id = $1 AND d.definition::text = $2",
						  2, types, values, NULL);
	same = SPI_processed > 0;
	if (same)
	{
		dataset->relation = (Oid) catalog_number(1, InvalidOid);
		dataset->source_relation = (Oid) catalog_number(2, InvalidOid);
	}
	SPI_finish();
	catalog_leave(&rights);
	return same;
}

/* why there is no dataset of this name */
static void
dataset_missing(const char *name)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	CatalogRights rights;
	char	   *reason = NULL;
	MemoryContext context = CurrentMemoryContext;

	catalog_enter(&rights);
	SPI_connect();
	catalog_execute("SELECT d.manifest_error FROM spice.dataset d WHERE d.name = $1",
					1, types, values, NULL);
	if (SPI_processed > 0)
		reason = catalog_text(0, 1, context);
	SPI_finish();
	catalog_leave(&rights);

	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("dataset \"%s\" has no valid definition", name),
				 errdetail("%s", reason),
				 errhint("Correct the manifest and run spice_reload().")));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("dataset \"%s\" does not exist", name),
			 errhint("SELECT dataset FROM spice.datasets lists them; spice_reload() reads the manifest again.")));
}

Dataset *
catalog_dataset_by_name(const char *name, bool must_exist)
{
	Dataset    *dataset;

	dataset = find_dataset(by_name_query, TEXTOID, CStringGetTextDatum(name));
	if (dataset == NULL && must_exist)
		dataset_missing(name);
	return dataset;
}
