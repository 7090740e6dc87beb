/*-------------------------------------------------------------------------
 *
 * dataset_row.c
 *		Reads rows of spice_catalog.dataset.
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
#include "utils/array.h"
#include "utils/builtins.h"

#include "catalog/dataset_row.h"
#include "catalog/execute.h"

/* a definition spread into columns, one a key */
static const char *const keys_query =
	"SELECT * FROM spice.definition_keys($1::jsonb)";

static const char *const columns_query = "SELECT * FROM spice.definition_columns($1::jsonb)";
static const char *const indexes_query = "SELECT * FROM spice.definition_indexes($1::jsonb)";
static const char *const conflicts_query = "SELECT * FROM spice.definition_conflicts($1::jsonb)";
static const char *const params_query = "SELECT * FROM spice.definition_params($1::jsonb)";

static CatalogRows *
query_definition(const char *command, const char *definition)
{
	CatalogArguments arguments = {0};

	catalog_add_text(&arguments, definition);
	return catalog_query(command, &arguments);
}

static List *
read_columns(const char *definition)
{
	CatalogRows *rows = query_definition(columns_query, definition);
	List	   *columns = NIL;

	for (uint64 row = 0; row < rows->n; row++)
	{
		DatasetColumn *column = palloc0(sizeof(DatasetColumn));

		column->name = catalog_get_text(rows, row, "name");
		column->type = catalog_get_text(rows, row, "type");
		column->nullable = catalog_get_bool(rows, row, "nullable");
		column->description = catalog_get_text(rows, row, "description");
		columns = lappend(columns, column);
	}
	return columns;
}

/* an array of text as a list of char * */
static List *
text_list(const CatalogRows *rows, uint64 row, const char *column)
{
	List	   *list = NIL;
	bool		isnull;
	Datum	   *elements;
	int			n_elements;

	deconstruct_array(DatumGetArrayTypeP(catalog_get(rows, row, column, &isnull)),
					  TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n_elements);
	for (int i = 0; i < n_elements; i++)
		list = lappend(list, TextDatumGetCString(elements[i]));
	return list;
}

static List *
read_conflicts(const char *definition)
{
	CatalogRows *rows = query_definition(conflicts_query, definition);
	List	   *conflicts = NIL;

	for (uint64 row = 0; row < rows->n; row++)
	{
		DatasetConflict *conflict = palloc0(sizeof(DatasetConflict));
		char	   *action = catalog_get_text(rows, row, "action");

		conflict->columns = text_list(rows, row, "columns");
		conflict->action = strcmp(action, "drop") == 0 ? CONFLICT_DROP :
			strcmp(action, "upsert_dedup_by_row_id") == 0 ? CONFLICT_UPSERT_LAST : CONFLICT_UPSERT;
		conflicts = lappend(conflicts, conflict);
	}
	return conflicts;
}

static List *
read_indexes(const char *definition)
{
	CatalogRows *rows = query_definition(indexes_query, definition);
	List	   *indexes = NIL;

	for (uint64 row = 0; row < rows->n; row++)
	{
		DatasetIndex *index = palloc0(sizeof(DatasetIndex));

		index->columns = text_list(rows, row, "columns");
		index->unique = catalog_get_bool(rows, row, "is_unique");
		index->primary = catalog_get_bool(rows, row, "is_primary");
		indexes = lappend(indexes, index);
	}
	return indexes;
}

static List *
read_params(const char *definition)
{
	CatalogRows *rows = query_definition(params_query, definition);
	List	   *params = NIL;

	for (uint64 row = 0; row < rows->n; row++)
	{
		DatasetParam *param = palloc(sizeof(DatasetParam));

		param->name = catalog_get_text(rows, row, "name");
		param->value = catalog_get_text(rows, row, "value");
		params = lappend(params, param);
	}
	return params;
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

/* a key that every definition has, unless another version or a person has written it */
static char *
get_needed_text(const CatalogRows *rows, const char *key, const char *name)
{
	char	   *text = catalog_get_text(rows, 0, key);

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the definition of dataset \"%s\" has no %s", name, key),
				 errhint("SELECT spice_reload() writes it anew from the manifest.")));
	return text;
}

static double
get_fraction(const CatalogRows *rows, const char *key, double absent)
{
	bool		isnull;
	Datum		value = catalog_get(rows, 0, key, &isnull);

	return isnull ? absent : DatumGetFloat8(value);
}

/* what the definition says; the name is set already */
static void
read_definition(Dataset *dataset)
{
	CatalogRows *keys = query_definition(keys_query, dataset->definition);
	const char *name = dataset->name;

	dataset->schema = get_needed_text(keys, "schema", name);
	dataset->table = get_needed_text(keys, "table", name);
	dataset->accelerated = catalog_get_bool(keys, 0, "accelerated");
	dataset->connector = get_needed_text(keys, "connector", name);
	dataset->from = get_needed_text(keys, "from", name);
	dataset->remote_schema = catalog_get_text(keys, 0, "remote_schema");
	dataset->remote_table = catalog_get_text(keys, 0, "remote_table");
	dataset->description = catalog_get_text(keys, 0, "description");
	dataset->username = catalog_get_text(keys, 0, "http_username");
	dataset->password = catalog_get_text(keys, 0, "http_password");
	dataset->http_headers = catalog_get_text(keys, 0, "http_headers");
	dataset->http_port = (int) catalog_get_int(keys, 0, "http_port", 0);
	dataset->client_timeout_ms = (int) catalog_get_int(keys, 0, "client_timeout_ms", 0);
	dataset->connect_timeout_ms = (int) catalog_get_int(keys, 0, "connect_timeout_ms", 0);
	dataset->format = catalog_get_text(keys, 0, "format");
	dataset->json_pointer = catalog_get_text(keys, 0, "json_pointer");
	dataset->csv_header = catalog_get_bool(keys, 0, "csv_header");
	dataset->csv_delimiter = catalog_get_text(keys, 0, "csv_delimiter");
	dataset->csv_quote = catalog_get_text(keys, 0, "csv_quote");
	dataset->csv_escape = catalog_get_text(keys, 0, "csv_escape");
	dataset->unlogged = strcmp(get_needed_text(keys, "mode", name), "memory") == 0;
	dataset->refresh_mode = get_needed_text(keys, "refresh_mode", name);
	dataset->append = strcmp(dataset->refresh_mode, "append") == 0;
	dataset->follows = strcmp(dataset->refresh_mode, "changes") == 0;
	dataset->refresh_method = refresh_method(catalog_get_text(keys, 0, "refresh_method"));
	dataset->refresh_sql = catalog_get_text(keys, 0, "refresh_sql");
	dataset->refresh_interval_ms = catalog_get_int(keys, 0, "refresh_interval_ms", 0);
	dataset->retry = catalog_get_bool(keys, 0, "refresh_retry_enabled");
	dataset->retry_max_attempts = (int) catalog_get_int(keys, 0, "refresh_retry_max_attempts", -1);
	dataset->time_column = catalog_get_text(keys, 0, "time_column");
	dataset->time_format = catalog_get_text(keys, 0, "time_format");
	dataset->append_overlap_ms = catalog_get_int(keys, 0, "refresh_append_overlap_ms", 0);
	dataset->data_window_ms = catalog_get_int(keys, 0, "refresh_data_window_ms", 0);
	dataset->append_query = catalog_get_text(keys, 0, "http_append_query");
	dataset->on_schema_change = schema_change(catalog_get_text(keys, 0, "on_schema_change"));
	dataset->min_rows = catalog_get_int(keys, 0, "refresh_min_rows", -1);
	dataset->max_shrink = get_fraction(keys, "refresh_max_shrink", 1);
	dataset->jitter_ms = catalog_get_int(keys, 0, "refresh_jitter_max_ms", 0);
	dataset->retention_period_ms = catalog_get_int(keys, 0, "retention_period_ms", 0);
	dataset->retention_sql = catalog_get_text(keys, 0, "retention_sql");
	dataset->retention_interval_ms = catalog_get_int(keys, 0, "retention_check_interval_ms", 0);
	dataset->on_registration = strcmp(get_needed_text(keys, "ready_state", name), "on_load") != 0;
	dataset->columns = read_columns(dataset->definition);
	dataset->indexes = read_indexes(dataset->definition);
	dataset->conflicts = read_conflicts(dataset->definition);
	dataset->params = read_params(dataset->definition);
}

/* the dataset of a row of spice_catalog.dataset_state; NULL when there is none */
static Dataset *
read_dataset(const CatalogRows *state)
{
	Dataset    *dataset = palloc0(sizeof(Dataset));
	char	   *applied;
	bool		isnull;
	Datum		digest;

	if (state->n == 0)
		return NULL;
	dataset->id = (int) catalog_get_int(state, 0, "id", 0);
	dataset->name = catalog_get_text(state, 0, "name");
	dataset->definition = catalog_get_text(state, 0, "definition");
	read_definition(dataset);
	applied = catalog_get_text(state, 0, "applied");
	dataset->applied_columns = read_columns(applied);
	dataset->applied_indexes = read_indexes(applied);
	dataset->in_manifest = catalog_get_bool(state, 0, "in_manifest");
	dataset->paused = catalog_get_bool(state, 0, "paused");
	dataset->source_changed = catalog_get_bool(state, 0, "source_changed");
	dataset->reload = catalog_get_bool(state, 0, "reload");
	dataset->changed = dataset->reload || catalog_get_bool(state, 0, "remade");
	dataset->described = catalog_get_bool(state, 0, "described");
	dataset->relation = catalog_get_oid(state, 0, "relation");
	dataset->source_relation = catalog_get_oid(state, 0, "source_relation");
	dataset->moved = catalog_get_bool(state, 0, "moved");
	dataset->loaded = catalog_get_bool(state, 0, "loaded");
	dataset->rows = catalog_get_int(state, 0, "rows", 0);
	dataset->etag = catalog_get_text(state, 0, "etag");
	dataset->last_modified = catalog_get_text(state, 0, "last_modified");
	digest = catalog_get(state, 0, "digest", &isnull);
	dataset->digest = isnull ? NULL : DatumGetByteaPCopy(digest);
	dataset->attempt = (int) catalog_get_int(state, 0, "attempt", 0);
	dataset->fetched_query = catalog_get_text(state, 0, "fetched_query");
	dataset->troubled = catalog_get_bool(state, 0, "troubled");
	dataset->has_slot = catalog_get_bool(state, 0, "has_slot");
	dataset->secrets = catalog_get_text(state, 0, "secrets");
	dataset->manifest_path = catalog_get_text(state, 0, "manifest_path");
	return dataset;
}

Dataset *
catalog_dataset_by_id(int id)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, id);
	return read_dataset(catalog_query("SELECT * FROM spice_catalog.dataset_state WHERE id = $1", &arguments));
}

Dataset *
catalog_dataset_of(int id, const char *definition)
{
	CatalogArguments arguments = {0};
	Dataset    *dataset = palloc0(sizeof(Dataset));
	CatalogRows *state;

	catalog_add_text(&arguments, definition);
	state = catalog_query("SELECT $1::jsonb->>'name' AS name, m.secrets::text AS secrets, m.path AS manifest_path"
						  " FROM (VALUES (true)) v LEFT JOIN spice.manifest m ON true", &arguments);
	dataset->id = id;
	dataset->name = catalog_get_text(state, 0, "name");
	dataset->definition = pstrdup(definition);
	read_definition(dataset);
	dataset->secrets = catalog_get_text(state, 0, "secrets");
	dataset->manifest_path = catalog_get_text(state, 0, "manifest_path");
	return dataset;
}

bool
catalog_dataset_again(Dataset *dataset)
{
	CatalogArguments arguments = {0};
	CatalogRows *rows;

	catalog_add_int(&arguments, dataset->id);
	catalog_add_text(&arguments, dataset->definition);
	rows = catalog_query("SELECT relation, source_relation FROM spice_catalog.dataset_state"
						 " WHERE id = $1 AND definition = $2", &arguments);
	if (rows->n == 0)
		return false;
	dataset->relation = catalog_get_oid(rows, 0, "relation");
	dataset->source_relation = catalog_get_oid(rows, 0, "source_relation");
	return true;
}

pg_noreturn static void
refuse_missing_dataset(const char *name)
{
	CatalogArguments arguments = {0};
	CatalogRows *rows;
	char	   *reason;

	catalog_add_text(&arguments, name);
	rows = catalog_query("SELECT manifest_error FROM spice_catalog.dataset WHERE name = $1", &arguments);
	reason = rows->n > 0 ? catalog_get_text(rows, 0, "manifest_error") : NULL;
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

/* the name itself before any other spelling of it */
Dataset *
catalog_dataset_by_name(const char *name, bool must_exist)
{
	CatalogArguments arguments = {0};
	Dataset    *dataset;

	catalog_add_text(&arguments, name);
	dataset = read_dataset(catalog_query("SELECT * FROM spice_catalog.dataset_state"
										 " WHERE $1 IN (name, \"table\", schema || '.' || \"table\")"
										 " ORDER BY name = $1 DESC, schema = 'public' DESC LIMIT 1",
										 &arguments));
	if (dataset == NULL && must_exist)
		refuse_missing_dataset(name);
	return dataset;
}
