/*-------------------------------------------------------------------------
 *
 * acceleration.c
 *		How a dataset is accelerated: the block "acceleration".
 *
 * A setting that is not supported is an error if a table without it would stand
 * still, or hold other rows than its author expects: a warning would be read
 * after the stale rows were.  A setting that only makes things better is a
 * warning, which follows from keys.def.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/acceleration.h"

#include <string.h>

#include "manifest/append.h"
#include "manifest/check.h"
#include "manifest/retention_keys.h"
#include "manifest/schedule_keys.h"

/* Every engine is this server; the mode decides whether a crash loses the rows. */
static void
parse_storage(Parser *parser, DatasetSpec *spec)
{
	Definition *definition = &spec->definition;
	int			line = document_line(spec->acceleration, "mode");

	if (strcmp(definition->mode, "memory") == 0)
		return;
	if (document_given(spec->acceleration, "engine") != NULL &&
		strcmp(definition->engine, "arrow") == 0)
		parse_problem(parser, MANIFEST_ERROR, line,
					  "write mode: memory, or name another engine such as duckdb",
					  "engine arrow has no mode %s", definition->mode);
	else if (strcmp(definition->mode, "file") != 0)
		parse_problem(parser, MANIFEST_WARNING, line, "write mode: file",
					  "mode %s is treated as file", definition->mode);
	definition->mode = "file";
}

static void
parse_mode(Parser *parser, DatasetSpec *spec)
{
	const DocNode *mode = document_given(spec->acceleration, "refresh_mode");
	Definition *definition = &spec->definition;

	if (mode == NULL)
		return;
	if (check_value(&keys_of_acceleration, spec->acceleration, "refresh_mode") == NULL)
		definition->refresh_mode = NULL;
	else if (!keys_value_in("full|append|changes", definition->refresh_mode))
	{
		parse_problem(parser, MANIFEST_ERROR, mode->line,
					  "write refresh_mode: full, append or changes",
					  "refresh_mode %s is not supported yet", definition->refresh_mode);
		definition->refresh_mode = NULL;
	}
	if (spec_has_mode(spec, "append"))
		spec_require_time_column(parser, spec, "refresh_mode append", mode->line);
}

/* Settings that contradict each other, or have no effect. */
static void
check_refresh(Parser *parser, DatasetSpec *spec)
{
	const DocNode *shrink = check_value(&keys_of_acceleration_params, spec->acceleration_params,
										"refresh_max_shrink");

	if (spec->definition.refresh_retry_max_attempts >= 0 && !spec->definition.refresh_retry_enabled)
		parse_problem(parser, MANIFEST_WARNING,
					  document_get(spec->acceleration, "refresh_retry_max_attempts")->line,
					  "take one of the two out",
					  "refresh_retry_max_attempts has no effect since refresh_retry_enabled is false");
	if (shrink != NULL && spec->definition.refresh_max_shrink == 1)
		parse_problem(parser, MANIFEST_WARNING, shrink->line, "write for instance 50% or 0.5",
					  "refresh_max_shrink \"%s\" lets every refresh pass and has no effect",
					  document_excerpt(parser->arena, shrink->text));
}

static bool
same_columns(const ColumnList *a, const ColumnList *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
	{
		if (strcmp(a->names[i], b->names[i]) != 0)
			return false;
	}
	return true;
}

static void
parse_index(Parser *parser, const DocPair *pair, DatasetSpec *spec)
{
	const DocNode *kind = pair->value;
	IndexSpec	index = {0};
	bool		good = names_parse_columns(parser, "index", pair->key, &index.columns);

	if (kind->kind != DOC_SCALAR || !keys_value_in("enabled|unique", kind->text))
	{
		parse_problem(parser, MANIFEST_ERROR, kind->line,
					  "valid values: enabled, unique",
					  "the kind of index \"%s\" is not valid",
					  document_excerpt(parser->arena, pair->key->text));
		return;
	}
	index.unique = strcmp(kind->text, "unique") == 0;
	for (size_t i = 0; good && i < spec->n_indexes; i++)
	{
		if (same_columns(&spec->indexes[i].columns, &index.columns))
			parse_problem(parser, MANIFEST_ERROR, pair->key->line, "keep one of the two",
						  "index \"%s\" is there twice",
						  document_excerpt(parser->arena, pair->key->text));
	}
	spec->indexes = arena_grow(parser->arena, spec->indexes, spec->n_indexes,
							   &spec->indexes_capacity, sizeof(IndexSpec));
	spec->indexes[spec->n_indexes++] = index;
}

static void
parse_keys(Parser *parser, DatasetSpec *spec)
{
	const DocNode *block = spec->acceleration;
	const DocNode *indexes = check_value(&keys_of_acceleration, block, "indexes");
	const DocNode *key = check_value(&keys_of_acceleration, block, "primary_key");
	const bool	failed = parser->failed;

	parser->failed = document_given(block, "indexes") != indexes ||
		document_given(block, "primary_key") != key;
	for (size_t i = 0; indexes != NULL && i < indexes->count; i++)
		parse_index(parser, &indexes->pairs[i], spec);
	if (key != NULL)
		names_parse_columns(parser, "primary_key", key, &spec->primary_key);
	spec->keys_valid = !parser->failed;
	parser->failed = parser->failed || failed;
}

/* Warns of the settings of a dataset that is not accelerated; an unknown key stays an error. */
static void
discard_settings(Parser *parser, const DocNode *block)
{
	const char *names = "";
	int			line = 0;

	for (size_t i = 0; i < block->count; i++)
	{
		const DocNode *key = block->pairs[i].key;

		if (strcmp(key->text, "enabled") == 0)
			continue;
		if (keys_find(&keys_of_acceleration, key->text) == NULL)
		{
			DocNode		alone = {.kind = DOC_MAPPING, .line = key->line};

			alone.pairs = &block->pairs[i];
			alone.count = 1;
			check_mapping(parser, &keys_of_acceleration, &alone);
			continue;
		}
		if (line == 0)
			line = key->line;
		names = arena_printf(parser->arena, "%s%s%s", names,
							 names[0] ? ", " : "", key->text);
	}
	if (line != 0)
		parse_problem(parser, MANIFEST_WARNING, line,
					  "set acceleration.enabled to true, or take them out",
					  "acceleration is not enabled, so these have no effect: %s", names);
}

void
acceleration_parse(Parser *parser, DatasetSpec *spec)
{
	static const DocNode none = {.kind = DOC_MAPPING};
	Definition *definition = &spec->definition;

	definition->accelerated =
		document_given(spec->entry, "acceleration") == spec->acceleration &&
		check_boolean(&keys_of_acceleration, spec->acceleration, "enabled", true);
	if (!definition->accelerated)
	{
		discard_settings(parser, spec->acceleration);
		spec->acceleration = spec->acceleration_params = &none;
	}
	check_mapping(parser, &keys_of_acceleration, spec->acceleration);
	check_mapping(parser, &keys_of_acceleration_params, spec->acceleration_params);
	check_fill(&keys_of_acceleration, spec->acceleration, definition);
	check_fill(&keys_of_acceleration_params, spec->acceleration_params, definition);
	parse_mode(parser, spec);
	spec_require_needs(parser, spec, &keys_of_acceleration, spec->acceleration);
	spec_require_needs(parser, spec, &keys_of_acceleration_params, spec->acceleration_params);
	parse_storage(parser, spec);
	definition->refresh_sql = spec_statement(parser, spec, "refresh_sql", "SELECT",
											 &spec->refresh_sql_line);
	definition->column_index = (char *) check_text(&keys_of_acceleration_params, spec->acceleration_params,
												   "columns", NULL);
	check_refresh(parser, spec);
	schedule_keys_parse(parser, spec);
	parse_keys(parser, spec);
	append_parse(parser, spec);
	retention_keys_parse(parser, spec);
}
