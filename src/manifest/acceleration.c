/*-------------------------------------------------------------------------
 *
 * acceleration.c
 *		How a dataset is accelerated: the block "acceleration".
 *
 * A setting that would leave a table standing still, or hold other rows than
 * its author expects, is an error while it is not supported: a warning would
 * be read after the stale rows were.  What merely does less than it could is
 * a warning, which the tables of keys.c give.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <string.h>

static const AccelerationSpec defaults = {
	.engine = "arrow",
	.mode = "memory",
	.refresh_mode = "full",
	.refresh_interval_ms = -1,
	.jitter_max_ms = -1,
	.data_window_ms = -1,
	.append_overlap_ms = -1,
	.min_rows = -1,
	.max_shrink = -1,
	.retention = {.period_ms = -1, .check_interval_ms = -1},
	.retry_enabled = true,
	.retry_max_attempts = -1,
	.refresh_on_startup = "auto",
};

static const char *
accelerated_text(const DocNode *block, const char *key, const char *otherwise)
{
	return valid_text(&keys_of_acceleration, block, key, otherwise);
}

/* Every engine is this server; what is left to decide is what a crash costs. */
static void
parse_storage(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *mode = valid_value(&keys_of_acceleration, block, "mode");

	spec->engine = accelerated_text(block, "engine", spec->engine);
	if (mode == NULL || strcmp(mode->text, "memory") == 0)
		return;
	if (strcmp(spec->engine, "arrow") == 0)
		parse_problem(parser, MANIFEST_ERROR, mode->line,
					  "write mode: memory, or name another engine such as duckdb",
					  "engine arrow has no mode %s", mode->text);
	else if (strcmp(mode->text, "file") != 0)
		parse_problem(parser, MANIFEST_WARNING, mode->line, "write mode: file",
					  "mode %s is treated as file", mode->text);
	spec->mode = "file";
}

static void
parse_mode(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *mode = given_value(block, "refresh_mode");

	if (mode == NULL)
		return;
	spec->refresh_mode = accelerated_text(block, "refresh_mode", NULL);
	if (spec->refresh_mode == NULL || word_in_list("full|append|changes", spec->refresh_mode))
		return;
	parse_problem(parser, MANIFEST_ERROR, mode->line,
				  "write refresh_mode: full, append or changes",
				  "refresh_mode %s is not supported yet", spec->refresh_mode);
	spec->refresh_mode = NULL;
}

static void
parse_refresh(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *attempts = valid_value(&keys_of_acceleration, block,
										  "refresh_retry_max_attempts");

	spec->refresh_sql = valid_statement(parser, block, "refresh_sql", "SELECT",
										&spec->refresh_sql_line);
	spec->retry_enabled = valid_boolean(&keys_of_acceleration, block,
										"refresh_retry_enabled", true);
	spec->retry_max_attempts = valid_count(&keys_of_acceleration, block,
										   "refresh_retry_max_attempts", -1);
	if (attempts != NULL && !spec->retry_enabled)
		parse_problem(parser, MANIFEST_WARNING, attempts->line,
					  "take one of the two out",
					  "refresh_retry_max_attempts has no effect since refresh_retry_enabled is false");
	spec->refresh_on_startup = accelerated_text(block, "refresh_on_startup",
												spec->refresh_on_startup);
}

/*
 * "50%" or "0.5" as the part of one that it is.  Both spellings of a part must
 * give the same number, hence whole numbers and one division.
 */
static bool
read_share(const char *text, double *share)
{
	double		number = 0;
	double		divisor = 1;
	int			digits = 0;
	bool		fraction = false;

	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !fraction); text++)
	{
		if (*text == '.')
		{
			fraction = true;
			continue;
		}
		if (++digits > 9)
			return false;
		number = number * 10 + (*text - '0');
		divisor *= fraction ? 10 : 1;
	}
	if (*text == '%')
	{
		divisor *= 100;
		text++;
	}
	*share = number / divisor;
	return digits > 0 && *text == '\0' && *share <= 1;
}

/* How a whole new version of the rows gets into the table. */
static void
parse_method(Parser *parser, const DocNode *params, AccelerationSpec *spec)
{
	const DocNode *method = given_value(params, "refresh_method");

	spec->refresh_method = valid_text(&params_of_acceleration, params, "refresh_method", NULL);
	if (method != NULL)
		require_mode(parser, spec, "full", "refresh_method", method->line);
}

/* The guard against a source that suddenly comes back short. */
static void
parse_guard(Parser *parser, const DocNode *params, AccelerationSpec *spec)
{
	const DocNode *rows = given_value(params, "refresh_min_rows");
	const DocNode *shrink = valid_value(&params_of_acceleration, params, "refresh_max_shrink");

	spec->min_rows = valid_count(&params_of_acceleration, params, "refresh_min_rows", -1);
	if (rows != NULL)
		require_mode(parser, spec, "full", "refresh_min_rows", rows->line);
	if (shrink == NULL)
		return;
	if (!read_share(shrink->text, &spec->max_shrink))
		parse_problem(parser, MANIFEST_ERROR, shrink->line, "write for instance 50% or 0.5",
					  "refresh_max_shrink \"%s\" is not a part from 0 to 100%%",
					  document_excerpt(parser->arena, shrink->text));
	else if (spec->max_shrink == 1)
		parse_problem(parser, MANIFEST_WARNING, shrink->line, "write for instance 50% or 0.5",
					  "refresh_max_shrink \"%s\" lets every refresh pass and has no effect",
					  document_excerpt(parser->arena, shrink->text));
	require_mode(parser, spec, "full", "refresh_max_shrink", shrink->line);
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
parse_index(Parser *parser, const DocPair *pair, AccelerationSpec *spec)
{
	const DocNode *kind = pair->value;
	IndexSpec	index = {0};
	bool		good = column_list_parse(parser, "index", pair->key, &index.columns);

	if (kind->kind != DOC_SCALAR || !word_in_list("enabled|unique", kind->text))
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
parse_keys(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *indexes = valid_value(&keys_of_acceleration, block, "indexes");
	const DocNode *key = valid_value(&keys_of_acceleration, block, "primary_key");
	const bool	failed = parser->failed;

	parser->failed = given_value(block, "indexes") != indexes ||
		given_value(block, "primary_key") != key;
	for (size_t i = 0; indexes != NULL && i < indexes->count; i++)
		parse_index(parser, &indexes->pairs[i], spec);
	if (key != NULL)
		column_list_parse(parser, "primary_key", key, &spec->primary_key);
	spec->keys_valid = !parser->failed;
	parser->failed = parser->failed || failed;
}

/* Names what is set although nothing is accelerated; misspelt keys stay errors. */
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
		if (key_find(&keys_of_acceleration, key->text) == NULL)
		{
			/* its own error, with a proposal, from the same check as always */
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
acceleration_parse(Parser *parser, const DocNode *dataset, AccelerationSpec *spec)
{
	static const DocNode no_params = {.kind = DOC_MAPPING};
	const DocNode *block = valid_value(&keys_of_dataset, dataset, "acceleration");
	const DocNode *params;

	*spec = defaults;
	spec->has_time_column = given_value(dataset, "time_column") != NULL;
	if (block == NULL)
		return;
	spec->accelerated = valid_boolean(&keys_of_acceleration, block, "enabled", true);
	if (!spec->accelerated)
	{
		discard_settings(parser, block);
		return;
	}
	check_mapping(parser, &keys_of_acceleration, block);
	params = valid_value(&keys_of_acceleration, block, "params");
	if (params == NULL)
		params = &no_params;
	check_mapping(parser, &params_of_acceleration, params);
	spec->ready_state = accelerated_text(block, "ready_state", NULL);
	parse_storage(parser, block, spec);
	parse_mode(parser, block, spec);
	parse_refresh(parser, block, spec);
	schedule_parse(parser, block, spec);
	parse_method(parser, params, spec);
	parse_guard(parser, params, spec);
	parse_keys(parser, block, spec);
	append_parse(parser, block, params, spec);
	retention_parse(parser, block, spec);
}
