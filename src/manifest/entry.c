/*-------------------------------------------------------------------------
 *
 * entry.c
 *		One entry of "datasets".
 *
 * All of an entry is looked at before it is refused, so that its author sees
 * every mistake at once instead of one per attempt.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <string.h>

/* what the server allows */
#define MAX_COLUMNS		1600

static void
parse_column(Parser *parser, const DocNode *entry, DatasetSpec *spec)
{
	ColumnSpec	column = {0};
	const DocNode *name;

	if (entry->kind != DOC_MAPPING)
	{
		parse_problem(parser, MANIFEST_ERROR, entry->line, "write - name: a_column",
					  "an entry of columns must be a mapping");
		return;
	}
	check_mapping(parser, &keys_of_column, entry);
	name = valid_value(&keys_of_column, entry, "name");
	if (name == NULL)
	{
		if (document_get(entry, "name") == NULL || document_is_null(document_get(entry, "name")))
			parse_problem(parser, MANIFEST_ERROR, entry->line, "write - name: a_column",
						  "an entry of columns has no name");
		return;
	}
	column_name_check(parser, name->text, name->line);
	for (size_t i = 0; i < spec->n_columns; i++)
	{
		if (strcmp(spec->columns[i].name, name->text) == 0)
			parse_problem(parser, MANIFEST_ERROR, name->line, "keep one of the two",
						  "column \"%s\" is there twice",
						  document_excerpt(parser->arena, name->text));
	}
	column.name = name->text;
	column.type = valid_text(&keys_of_column, entry, "type", NULL);
	if (column.type != NULL && column.type[strspn(column.type, " \t\r\n")] == '\0')
		parse_problem(parser, MANIFEST_ERROR, document_get(entry, "type")->line,
					  "name a type, or take it out to have it inferred",
					  "the type of column \"%s\" is empty",
					  document_excerpt(parser->arena, name->text));
	column.nullable = valid_boolean(&keys_of_column, entry, "nullable", true);
	column.description = valid_text(&keys_of_column, entry, "description", NULL);
	spec->columns = arena_grow(parser->arena, spec->columns, spec->n_columns,
							   &spec->columns_capacity, sizeof(ColumnSpec));
	spec->columns[spec->n_columns++] = column;
}

static void
parse_columns(Parser *parser, const DocNode *entry, DatasetSpec *spec)
{
	const DocNode *columns = valid_value(&keys_of_dataset, entry, "columns");

	if (columns == NULL)
		return;
	if (columns->count > MAX_COLUMNS)
	{
		parse_problem(parser, MANIFEST_ERROR, columns->line, NULL,
					  "there are more than %d columns", MAX_COLUMNS);
		return;
	}
	for (size_t i = 0; i < columns->count; i++)
		parse_column(parser, columns->items[i], spec);
}

static void
parse_time(Parser *parser, const DocNode *entry, DatasetSpec *spec)
{
	const DocNode *column = valid_value(&keys_of_dataset, entry, "time_column");
	const DocNode *format = valid_value(&keys_of_dataset, entry, "time_format");

	if (column != NULL)
	{
		column_name_check(parser, column->text, column->line);
		spec->time_column = column->text;
	}
	if (format == NULL)
		return;
	spec->time_format = format->text;
	if (document_get(entry, "time_column") == NULL)
		parse_problem(parser, MANIFEST_WARNING, format->line, "name the time_column",
					  "time_format has no effect without time_column");
}

/* what a table cannot answer before its first load without */
static void
check_registration(Parser *parser, const DatasetSpec *spec, int line)
{
	const char *missing = spec->n_columns == 0 ? "columns" : NULL;

	for (size_t i = 0; i < spec->n_columns; i++)
	{
		if (spec->columns[i].type == NULL)
			missing = "a type of every column";
	}
	if (!spec->acceleration.accelerated)
		parse_problem(parser, MANIFEST_WARNING, line, "write ready_state: on_load",
					  "ready_state %s has no effect without acceleration", spec->ready_state);
	else if (strcmp(spec->connection.connector, "http") != 0)
		parse_problem(parser, MANIFEST_WARNING, line, "write ready_state: on_load",
					  "ready_state %s works for http:// and https:// only", spec->ready_state);
	else if (spec->acceleration.refresh_sql != NULL)
		parse_problem(parser, MANIFEST_WARNING, line, "write ready_state: on_load",
					  "ready_state %s has no effect with refresh_sql", spec->ready_state);
	else if (missing != NULL)
		parse_problem(parser, MANIFEST_WARNING, line,
					  "declare columns, each with its type",
					  "ready_state %s has no effect without %s", spec->ready_state, missing);
}

static void
parse_ready_state(Parser *parser, const DocNode *entry, DatasetSpec *spec)
{
	const DocNode *node = valid_value(&keys_of_dataset, entry, "ready_state");
	const char *inner = spec->acceleration.ready_state;

	/* the older place wins in the original runtime too */
	if (inner != NULL)
		parse_problem(parser, MANIFEST_WARNING,
					  document_get(document_get(entry, "acceleration"), "ready_state")->line,
					  "move it one level up, to the dataset",
					  "acceleration.ready_state is an old place for ready_state");
	spec->ready_state = inner ? inner : node ? node->text : "on_load";
	if (strcmp(spec->ready_state, "on_load") != 0)
		check_registration(parser, spec, node ? node->line : entry->line);
}

static void
parse_schema_change(Parser *parser, const DocNode *entry, DatasetSpec *spec)
{
	const DocNode *node = valid_value(&keys_of_dataset, entry, "on_schema_change");

	spec->on_schema_change = node ? node->text : "block";
	if (strcmp(spec->on_schema_change, "block") == 0)
		return;
	if (!spec->acceleration.accelerated)
		parse_problem(parser, MANIFEST_WARNING, node->line,
					  "write acceleration: {enabled: true}, or take it out",
					  "on_schema_change %s has no effect without acceleration",
					  spec->on_schema_change);
	else if (strcmp(spec->on_schema_change, "drop_and_recreate") == 0)
		require_mode(parser, &spec->acceleration, "full",
					 "on_schema_change drop_and_recreate", node->line);
}

/* What is there for HTTP alone and stands under acceleration. */
static void
refuse_append_query(Parser *parser, const DocNode *entry, const DatasetSpec *spec)
{
	const DocNode *params;

	if (spec->acceleration.append_query == NULL || spec->connection.connector == NULL ||
		strcmp(spec->connection.connector, "http") == 0)
		return;
	params = document_get(document_get(entry, "acceleration"), "params");
	parse_problem(parser, MANIFEST_ERROR, key_line(params, "http_append_query"),
				  "take it out: the watermark goes to a database by itself",
				  "http_append_query has no meaning for the %s connector",
				  spec->connection.connector);
}

/* mysql_fdw would have to keep it in the catalog, for sessions to connect by. */
static void
refuse_live_password(Parser *parser, const DocNode *entry, const DatasetSpec *spec)
{
	const DocNode *params = document_get(entry, "params");

	if (spec->acceleration.accelerated || spec->connection.connector == NULL ||
		strcmp(spec->connection.connector, "mysql") != 0 || params == NULL ||
		given_value(params, "mysql_pass") == NULL)
		return;
	parse_problem(parser, MANIFEST_ERROR, key_line(params, "mysql_pass"),
				  "accelerate the dataset, or use an account without a password",
				  "a mysql dataset with mysql_pass cannot be read without acceleration");
}

void
refuse_ref(Parser *parser, const DocNode *ref)
{
	parse_problem(parser, MANIFEST_ERROR, ref->line,
				  "copy the dataset into this manifest", "ref is not supported yet");
}

void
dataset_parse(Parser *parser, const DocNode *entry, ManifestDataset *dataset)
{
	DatasetSpec spec = {0};
	const DocNode *name = document_get(entry, "name");

	check_mapping(parser, &keys_of_dataset, entry);
	if (!table_name_parse(parser, dataset->name, name->line,
						  &dataset->schema, &dataset->table))
	{
		dataset->schema = arena_strdup(parser->arena, "public");
		dataset->table = arena_strdup(parser->arena, "");
	}
	if (document_get(entry, "ref") != NULL)
	{
		refuse_ref(parser, document_get(entry, "ref"));
		return;
	}
	spec.description = valid_text(&keys_of_dataset, entry, "description", NULL);
	connection_parse(parser, entry, &spec.connection);
	acceleration_parse(parser, entry, &spec.acceleration);
	refuse_append_query(parser, entry, &spec);
	refuse_live_password(parser, entry, &spec);
	parse_columns(parser, entry, &spec);
	parse_time(parser, entry, &spec);
	parse_ready_state(parser, entry, &spec);
	parse_schema_change(parser, entry, &spec);
	changes_parse(parser, entry, dataset, &spec);
	if (parser->failed)
		return;
	dataset->changes = spec.acceleration.follows;
	if (spec.acceleration.refresh_sql != NULL)
	{
		dataset->refresh_sql = arena_strdup(parser->arena, spec.acceleration.refresh_sql);
		dataset->refresh_sql_line = spec.acceleration.refresh_sql_line;
	}
	if (spec.acceleration.retention.sql != NULL)
	{
		dataset->retention_sql = arena_strdup(parser->arena, spec.acceleration.retention.sql);
		dataset->retention_sql_line = spec.acceleration.retention.sql_line;
	}
	dataset->definition = definition_print(parser, dataset, &spec);
}
