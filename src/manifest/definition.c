/*-------------------------------------------------------------------------
 *
 * definition.c
 *		A validated dataset as JSON.
 *
 * The definition is what the catalog keeps, and comparing it with the one
 * kept before is how a change of the manifest is noticed.  Therefore every
 * key is always there, defaults are filled in, and keys are sorted: the same
 * meaning gives the same bytes, however the YAML is laid out.
 *
 * Every value hangs on parser->json as soon as it exists, so leaving by the
 * arena's escape loses none of them.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

/*
 * The server has a function of its own called json_object, which a call from
 * this library would reach instead of jansson's.
 */
static json_t *
new_object(void)
{
	return json_pack("{}");
}

json_t *
json_begin(Parser *parser, json_t *root)
{
	if (root == NULL)
		arena_out_of_memory(parser->arena);
	parser->json = root;
	return root;
}

/* Prints into the arena and gives the tree back. */
char *
json_finish(Parser *parser)
{
	/* 15 digits, so that 0.1 is not printed as 0.10000000000000001 */
	const size_t flags = JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(15);
	size_t		size = json_dumpb(parser->json, NULL, 0, flags);
	char	   *text = arena_alloc(parser->arena, size + 1);

	if (size == 0 || json_dumpb(parser->json, text, size, flags) != size)
		arena_out_of_memory(parser->arena);
	json_decref(parser->json);
	parser->json = NULL;
	return text;
}

/* Takes the value over, also when it fails. */
void
json_put(Parser *parser, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		arena_out_of_memory(parser->arena);
}

void
json_put_text(Parser *parser, json_t *object, const char *key, const char *text)
{
	json_put(parser, object, key, text ? json_string(text) : json_null());
}

/* Negative stands for "not set". */
void
json_put_number(Parser *parser, json_t *object, const char *key, int64_t number)
{
	json_put(parser, object, key,
			 number >= 0 ? json_integer((json_int_t) number) : json_null());
}

json_t *
json_put_list(Parser *parser, json_t *object, const char *key)
{
	json_put(parser, object, key, json_array());
	return json_object_get(object, key);
}

json_t *
json_add_object(Parser *parser, json_t *list)
{
	if (json_array_append_new(list, new_object()) != 0)
		arena_out_of_memory(parser->arena);
	return json_array_get(list, json_array_size(list) - 1);
}

static void
put_column_list(Parser *parser, json_t *object, const char *key,
				const ColumnList *columns)
{
	json_t	   *list = json_put_list(parser, object, key);

	for (size_t i = 0; i < columns->count; i++)
	{
		if (json_array_append_new(list, json_string(columns->names[i])) != 0)
			arena_out_of_memory(parser->arena);
	}
}

static void
put_columns(Parser *parser, json_t *object, const DatasetSpec *spec)
{
	json_t	   *list = json_put_list(parser, object, "columns");

	for (size_t i = 0; i < spec->n_columns; i++)
	{
		json_t	   *column = json_add_object(parser, list);

		json_put_text(parser, column, "name", spec->columns[i].name);
		json_put_text(parser, column, "type", spec->columns[i].type);
		json_put(parser, column, "nullable", json_boolean(spec->columns[i].nullable));
		json_put_text(parser, column, "description", spec->columns[i].description);
	}
}

/* How the fields of CSV are told apart; TSV is CSV then. */
static void
put_csv(Parser *parser, json_t *object, const CsvSpec *spec)
{
	json_t	   *csv;

	if (!spec->used)
	{
		json_put(parser, object, "csv", json_null());
		return;
	}
	json_put(parser, object, "csv", new_object());
	csv = json_object_get(object, "csv");
	json_put(parser, csv, "has_header", json_boolean(spec->header));
	json_put(parser, csv, "delimiter", json_stringn(&spec->delimiter, 1));
	/* no quote is an empty text */
	json_put(parser, csv, "quote", json_stringn(&spec->quote, spec->quote != '\0'));
	json_put(parser, csv, "escape", json_stringn(&spec->escape, spec->escape != '\0'));
}

/* Params by what a change of one means: "place" other rows, "params" the same ones. */
static void
put_params(Parser *parser, json_t *object, const ConnectionSpec *spec)
{
	json_t	   *params,
			   *place;

	json_put(parser, object, "params", new_object());
	json_put(parser, object, "place", new_object());
	params = json_object_get(object, "params");
	place = json_object_get(object, "place");
	for (int i = 0; i < spec->n_params; i++)
	{
		const ParamSpec *param = &spec->params[i];

		if (param->value != NULL)
			json_put_text(parser, param->place ? place : params, param->name, param->value);
	}
}

static void
put_connection(Parser *parser, json_t *object, const ConnectionSpec *spec)
{
	json_put_text(parser, object, "connector", spec->connector);
	json_put_text(parser, object, "from", spec->from);
	json_put_text(parser, object, "remote_schema", spec->remote_schema);
	json_put_text(parser, object, "remote_table", spec->remote_table);
	put_params(parser, object, spec);
	json_put_number(parser, object, "http_port", spec->port);
	json_put_text(parser, object, "http_headers", spec->headers);
	json_put_number(parser, object, "client_timeout_ms", spec->client_timeout_ms);
	json_put_number(parser, object, "connect_timeout_ms", spec->connect_timeout_ms);
	json_put_text(parser, object, "format", spec->format);
	json_put_text(parser, object, "json_pointer", spec->json_pointer);
	put_csv(parser, object, &spec->csv);
}

static void
put_indexes(Parser *parser, json_t *object, const AccelerationSpec *spec)
{
	json_t	   *list = json_put_list(parser, object, "indexes");

	for (size_t i = 0; i < spec->n_indexes; i++)
	{
		json_t	   *index = json_add_object(parser, list);

		put_column_list(parser, index, "columns", &spec->indexes[i].columns);
		json_put(parser, index, "unique", json_boolean(spec->indexes[i].unique));
	}
}

static void
put_conflicts(Parser *parser, json_t *object, const AccelerationSpec *spec)
{
	json_t	   *list = json_put_list(parser, object, "on_conflict");

	for (size_t i = 0; i < spec->n_conflicts; i++)
	{
		json_t	   *conflict = json_add_object(parser, list);

		put_column_list(parser, conflict, "columns", spec->conflicts[i].columns);
		json_put_text(parser, conflict, "action", spec->conflicts[i].action);
	}
}

/* What a refresh takes from the source, and what it refuses to believe. */
static void
put_reach(Parser *parser, json_t *object, const AccelerationSpec *spec)
{
	json_put_number(parser, object, "refresh_data_window_ms", spec->data_window_ms);
	json_put_number(parser, object, "refresh_append_overlap_ms", spec->append_overlap_ms);
	json_put_text(parser, object, "http_append_query", spec->append_query);
	json_put_number(parser, object, "refresh_min_rows", spec->min_rows);
	json_put(parser, object, "refresh_max_shrink",
			 spec->max_shrink >= 0 ? json_real(spec->max_shrink) : json_null());
}

static void
put_retention(Parser *parser, json_t *object, const RetentionSpec *spec)
{
	json_put_number(parser, object, "retention_period_ms", spec->period_ms);
	json_put_text(parser, object, "retention_sql", spec->sql);
	json_put_number(parser, object, "retention_check_interval_ms", spec->check_interval_ms);
	json_put_text(parser, object, "retention_cron", spec->cron);
}

static void
put_acceleration(Parser *parser, json_t *object, const AccelerationSpec *spec)
{
	json_put(parser, object, "accelerated", json_boolean(spec->accelerated));
	json_put_text(parser, object, "engine", spec->engine);
	json_put_text(parser, object, "mode", spec->mode);
	json_put_text(parser, object, "refresh_mode", spec->refresh_mode);
	json_put_text(parser, object, "refresh_method", spec->refresh_method);
	json_put_text(parser, object, "refresh_sql", spec->refresh_sql);
	json_put_number(parser, object, "refresh_interval_ms", spec->refresh_interval_ms);
	json_put_text(parser, object, "refresh_cron", spec->refresh_cron);
	json_put_number(parser, object, "refresh_jitter_max_ms", spec->jitter_max_ms);
	json_put(parser, object, "refresh_retry_enabled", json_boolean(spec->retry_enabled));
	json_put_number(parser, object, "refresh_retry_max_attempts", spec->retry_max_attempts);
	json_put_text(parser, object, "refresh_on_startup", spec->refresh_on_startup);
	put_indexes(parser, object, spec);
	put_column_list(parser, object, "primary_key", &spec->primary_key);
	put_conflicts(parser, object, spec);
	put_reach(parser, object, spec);
	put_retention(parser, object, &spec->retention);
}

char *
definition_print(Parser *parser, const ManifestDataset *dataset,
				 const DatasetSpec *spec)
{
	json_t	   *object = json_begin(parser, new_object());

	json_put_text(parser, object, "name", dataset->name);
	json_put_text(parser, object, "schema", dataset->schema);
	json_put_text(parser, object, "table", dataset->table);
	json_put_text(parser, object, "description", spec->description);
	json_put_text(parser, object, "time_column", spec->time_column);
	json_put_text(parser, object, "time_format", spec->time_format);
	json_put_text(parser, object, "ready_state", spec->ready_state);
	json_put_text(parser, object, "on_schema_change", spec->on_schema_change);
	put_connection(parser, object, &spec->connection);
	put_columns(parser, object, spec);
	put_acceleration(parser, object, &spec->acceleration);
	return json_finish(parser);
}
