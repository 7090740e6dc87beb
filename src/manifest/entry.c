/*-------------------------------------------------------------------------
 *
 * entry.c
 *		One entry of "datasets".
 *
 * The parser looks at the whole entry before it refuses it, so that its author sees
 * every mistake at once instead of one per attempt.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/entry.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "manifest/acceleration.h"
#include "manifest/changes_keys.h"
#include "manifest/check.h"
#include "manifest/connection.h"
#include "manifest/definition_print.h"
#include "manifest/request_keys.h"
#include "manifest/spec.h"

/* of a table, by the server */
#define MAX_COLUMNS		1600

/* The name that the field of a column has in a response. */
static const char *
column_field(const ColumnSpec *column)
{
	return column->source != NULL ? column->source : column->name;
}

/* A number without quotes is a position in the lines of a CSV response. */
static void
set_source(Parser *parser, const DocNode *entry, const DatasetSpec *spec, ColumnSpec *column)
{
	const DocNode *source = check_value(&keys_of_column, entry, "source");

	if (source == NULL)
		return;
	column->source = source->text;
	if (!source->plain || spec->definition.csv_delimiter == NULL ||
		source->text[strspn(source->text, "0123456789")] != '\0')
		return;
	column->position = atoi(source->text);
	column->source = arena_printf(parser->arena, "column_%d", column->position);
	if (strlen(source->text) > 4 || column->position < 1 || column->position > MAX_COLUMNS)
		parse_problem(parser, MANIFEST_ERROR, source->line,
					  "write a position from 1, or the field's name in quotes",
					  "no line has a field %s", document_excerpt(parser->arena, source->text));
}

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
	name = check_value(&keys_of_column, entry, "name");
	if (name == NULL)
	{
		if (document_given(entry, "name") == NULL)
			parse_problem(parser, MANIFEST_ERROR, entry->line, "write - name: a_column",
						  "an entry of columns has no name");
		return;
	}
	names_check_column(parser, name->text, name->line);
	column.name = name->text;
	set_source(parser, entry, spec, &column);
	for (size_t i = 0; i < spec->n_columns; i++)
	{
		if (strcmp(spec->columns[i].name, name->text) == 0)
			parse_problem(parser, MANIFEST_ERROR, name->line, "keep one of the two",
						  "column \"%s\" is there twice",
						  document_excerpt(parser->arena, name->text));
		else if (strcmp(column_field(&spec->columns[i]), column_field(&column)) == 0)
			parse_problem(parser, MANIFEST_ERROR, entry->line, "keep one of the two, and copy it in refresh_sql",
						  "two columns have the source \"%s\"",
						  document_excerpt(parser->arena, column_field(&column)));
	}
	column.type = check_text(&keys_of_column, entry, "type", NULL);
	if (column.type != NULL && column.type[strspn(column.type, " \t\r\n")] == '\0')
		parse_problem(parser, MANIFEST_ERROR, document_get(entry, "type")->line,
					  "name a type, or take it out to have it inferred",
					  "the type of column \"%s\" is empty",
					  document_excerpt(parser->arena, name->text));
	column.format = check_text(&keys_of_column, entry, "format", NULL);
	if (column.format != NULL && column.type == NULL)
		parse_problem(parser, MANIFEST_ERROR, document_get(entry, "format")->line,
					  "write a type: date, timestamp, timestamptz or time",
					  "the format of column \"%s\" has no type",
					  document_excerpt(parser->arena, name->text));
	if (column.type != NULL)
		column.type = names_type(column.type);
	column.nullable = check_boolean(&keys_of_column, entry, "nullable", true);
	column.description = check_text(&keys_of_column, entry, "description", NULL);
	spec->columns = arena_grow(parser->arena, spec->columns, spec->n_columns,
							   &spec->columns_capacity, sizeof(ColumnSpec));
	spec->columns[spec->n_columns++] = column;
}

static void
parse_columns(Parser *parser, DatasetSpec *spec)
{
	const DocNode *columns = check_value(&keys_of_dataset, spec->entry, "columns");

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

/* Does the template have one of the patterns, which | separates, outside of quotes? */
static bool
template_has(const char *template, const char *patterns)
{
	bool		quoted = false;

	for (const char *p = template; *p != '\0'; p++)
	{
		if (*p == '"')
			quoted = !quoted;
		for (const char *pattern = patterns; !quoted && *pattern != '\0';)
		{
			size_t		length = strcspn(pattern, "|");

			if (ascii_same(p, pattern, length))
				return true;
			pattern += length;
			pattern += *pattern == '|';
		}
	}
	return false;
}

/* The type that holds all that a template of to_timestamp() reads. */
static const char *
template_type(const char *template)
{
	return template_has(template, "TZ|OF") ? "timestamptz" :
		template_has(template, "HH|MI|SS|MS|US|FF") ? "timestamp" : "date";
}

/* A time_format that is a template stands for the format of the time_column. */
static void
apply_time_template(Parser *parser, DatasetSpec *spec, int line)
{
	Definition *definition = &spec->definition;
	ColumnSpec *column = NULL;

	if (definition->format == NULL)
		parse_problem(parser, MANIFEST_ERROR, line, "take it out, or convert the column in refresh_sql",
					  "a template as time_format has no meaning for this connector");
	for (size_t i = 0; i < spec->n_columns; i++)
	{
		if (strcmp(spec->columns[i].name, definition->time_column) == 0)
			column = &spec->columns[i];
	}
	if (column == NULL)
	{
		spec->columns = arena_grow(parser->arena, spec->columns, spec->n_columns,
								   &spec->columns_capacity, sizeof(ColumnSpec));
		column = &spec->columns[spec->n_columns++];
		*column = (ColumnSpec) {.name = definition->time_column, .nullable = true};
	}
	if (column->format != NULL && strcmp(column->format, definition->time_format) != 0)
		parse_problem(parser, MANIFEST_ERROR, line, "keep one of the two",
					  "time_format contradicts the format of column \"%s\"",
					  document_excerpt(parser->arena, column->name));
	column->format = definition->time_format;
	if (column->type == NULL)
		column->type = template_type(definition->time_format);
	definition->time_format = NULL;
}

static void
check_time_format(Parser *parser, DatasetSpec *spec)
{
	static const char words[] = "timestamp|timestamptz|unix_seconds|unix_millis|ISO8601|date";
	Definition *definition = &spec->definition;
	int			line = document_line(spec->entry, "time_format");
	size_t		length;
	const char *word = keys_value_spelled(words, definition->time_format, &length);

	if (word != NULL)
		definition->time_format = arena_strndup(parser->arena, word, length);
	else if (!template_has(definition->time_format, "YY"))
		parse_problem(parser, MANIFEST_ERROR, line,
					  "write timestamp, timestamptz, unix_seconds, unix_millis, ISO8601, date, or how the source writes it, such as DD/MM/YYYY HH24:MI",
					  "time_format \"%s\" is not a valid value",
					  document_excerpt(parser->arena, definition->time_format));
	else if (definition->time_column != NULL)
		apply_time_template(parser, spec, line);
}

static void
check_time(Parser *parser, DatasetSpec *spec)
{
	const Definition *definition = &spec->definition;

	if (definition->time_column != NULL)
		names_check_column(parser, definition->time_column,
						   document_get(spec->entry, "time_column")->line);
	if (definition->time_format != NULL && document_get(spec->entry, "time_column") == NULL)
		parse_problem(parser, MANIFEST_WARNING, document_get(spec->entry, "time_format")->line,
					  "name the time_column", "time_format has no effect without time_column");
	if (definition->time_format != NULL)
		check_time_format(parser, spec);
}

/* Warns if the table cannot be made before its first load. */
static void
check_registration(Parser *parser, const DatasetSpec *spec, int line)
{
	const char *state = spec->definition.ready_state;
	const char *missing = spec->n_columns == 0 ? "columns" : NULL;

	for (size_t i = 0; i < spec->n_columns; i++)
	{
		if (spec->columns[i].type == NULL)
			missing = "a type of every column";
	}
	if (!spec->definition.accelerated)
		parse_problem(parser, MANIFEST_WARNING, line, "write ready_state: on_load",
					  "ready_state %s has no effect without acceleration", state);
	else if (!spec_has_connector(spec, "http") && !spec_has_connector(spec, "file") &&
			 !spec_has_connector(spec, "s3"))
		parse_problem(parser, MANIFEST_WARNING, line, "write ready_state: on_load",
					  "ready_state %s works for http://, https://, file: and s3:// only", state);
	else if (spec->definition.refresh_sql != NULL)
		parse_problem(parser, MANIFEST_WARNING, line, "write ready_state: on_load",
					  "ready_state %s has no effect with refresh_sql", state);
	else if (missing != NULL)
		parse_problem(parser, MANIFEST_WARNING, line,
					  "declare columns, each with its type",
					  "ready_state %s has no effect without %s", state, missing);
}

static void
parse_ready_state(Parser *parser, DatasetSpec *spec)
{
	const DocNode *outer = check_value(&keys_of_dataset, spec->entry, "ready_state");
	const DocNode *inner = check_value(&keys_of_acceleration, spec->acceleration, "ready_state");

	/* the older place wins in the original runtime too */
	if (inner != NULL)
	{
		parse_problem(parser, MANIFEST_WARNING, inner->line,
					  "move it one level up, to the dataset",
					  "acceleration.ready_state is an old place for ready_state");
		spec->definition.ready_state = (char *) inner->text;
	}
	if (strcmp(spec->definition.ready_state, "on_load") != 0)
		check_registration(parser, spec, outer ? outer->line : spec->entry->line);
}

static void
check_schema_change(Parser *parser, const DatasetSpec *spec)
{
	const char *change = spec->definition.on_schema_change;
	int			line = document_line(spec->entry, "on_schema_change");

	if (strcmp(change, "block") == 0)
		return;
	if (!spec->definition.accelerated)
		parse_problem(parser, MANIFEST_WARNING, line,
					  "write acceleration: {enabled: true}, or take it out",
					  "on_schema_change %s has no effect without acceleration", change);
	else if (strcmp(change, "drop_and_recreate") == 0)
		spec_require_mode(parser, spec, "full", "on_schema_change drop_and_recreate", line);
}

/* Databases have names that columns can have; refresh_sql gives others. */
static void
check_names(Parser *parser, const DatasetSpec *spec)
{
	const char *key = spec->definition.column_names != NULL ? "column_names" : NULL;
	const DocNode *place = spec->entry;

	for (size_t i = 0; i < spec->n_columns && key == NULL; i++)
	{
		if (spec->columns[i].source == NULL)
			continue;
		key = "source";
		place = document_get(spec->entry, "columns")->items[i];
	}
	if (key != NULL && spec->definition.connector != NULL && spec->definition.format == NULL)
		parse_problem(parser, MANIFEST_ERROR, document_line(place, key), "rename columns in refresh_sql",
					  "%s has no meaning for the %s connector", key, spec->definition.connector);
}

/* Settings that one connector has and the dataset's own has not. */
static void
check_connector(Parser *parser, const DatasetSpec *spec)
{
	if (spec->definition.connector == NULL)
		return;
	if (spec->definition.http_append_query != NULL && !spec_has_connector(spec, "http"))
		parse_problem(parser, MANIFEST_ERROR,
					  document_line(spec->acceleration_params, "http_append_query"),
					  "take it out: the watermark goes to a database by itself",
					  "http_append_query has no meaning for the %s connector",
					  spec->definition.connector);

	/* mysql_fdw would have to keep the password in the catalog, for sessions to connect by */
	if (!spec->definition.accelerated && spec_has_connector(spec, "mysql") &&
		document_given(spec->params, "mysql_pass") != NULL)
		parse_problem(parser, MANIFEST_ERROR, document_line(spec->params, "mysql_pass"),
					  "accelerate the dataset, or use an account without a password",
					  "a mysql dataset with mysql_pass cannot be read without acceleration");
}

void
entry_refuse_ref(Parser *parser, const DocNode *ref)
{
	parse_problem(parser, MANIFEST_ERROR, ref->line,
				  "copy the dataset into this manifest", "ref is not supported yet");
}

void
entry_parse(Parser *parser, const DocNode *entry, ManifestDataset *dataset)
{
	DatasetSpec spec;
	Definition *definition = &spec.definition;

	check_mapping(parser, &keys_of_dataset, entry);
	if (!names_parse_table(parser, dataset->name, document_get(entry, "name")->line,
						   &dataset->schema, &dataset->table))
	{
		dataset->schema = arena_strdup(parser->arena, "public");
		dataset->table = arena_strdup(parser->arena, "");
	}
	if (document_get(entry, "ref") != NULL)
	{
		entry_refuse_ref(parser, document_get(entry, "ref"));
		return;
	}
	spec_begin(&spec, entry);
	check_fill(&keys_of_dataset, entry, definition);
	definition->schema = dataset->schema;
	definition->table = dataset->table;
	connection_parse(parser, &spec);
	acceleration_parse(parser, &spec);
	if (spec_has_connector(&spec, "http") && definition->from != NULL)
		request_keys_check(parser, &spec);
	check_connector(parser, &spec);
	parse_columns(parser, &spec);
	check_names(parser, &spec);
	check_time(parser, &spec);
	parse_ready_state(parser, &spec);
	check_schema_change(parser, &spec);
	changes_keys_parse(parser, &spec);
	if (parser->failed)
		return;
	dataset->changes = spec_has_mode(&spec, "changes");
	dataset->refresh_sql = definition->refresh_sql;
	dataset->refresh_sql_line = spec.refresh_sql_line;
	dataset->retention_sql = definition->retention_sql;
	dataset->retention_sql_line = spec.retention_sql_line;
	dataset->definition = definition_print(parser, &spec);
}
