/*-------------------------------------------------------------------------
 *
 * append.c
 *		Which rows a refresh takes from its source, and what becomes of one
 *		that is there already.
 *
 * These settings only mean something together: a window and a watermark need
 * a time column, a conflict needs a key to arise from.  One that hangs in the
 * air would let rows be lost or doubled, hence errors and no warnings.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <string.h>

#define WATERMARK		"{watermark}"
#define ACTIONS			"drop|upsert|upsert_dedup|upsert_dedup_by_row_id"

static void
parse_reach(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *window = given_value(block, "refresh_data_window");
	const DocNode *overlap = given_value(block, "refresh_append_overlap");

	if (spec->refresh_mode != NULL && strcmp(spec->refresh_mode, "append") == 0)
		require_time_column(parser, spec, "refresh_mode append",
							document_get(block, "refresh_mode")->line);
	spec->data_window_ms = valid_duration(&keys_of_acceleration, block,
										  "refresh_data_window", -1);
	require_positive(parser, block, "refresh_data_window", spec->data_window_ms);
	if (window != NULL)
		require_time_column(parser, spec, "refresh_data_window", window->line);
	spec->append_overlap_ms = valid_duration(&keys_of_acceleration, block,
											 "refresh_append_overlap", -1);
	if (overlap != NULL)
		require_mode(parser, spec, "append", "refresh_append_overlap", overlap->line);
}

/* What is wrong with a template, or NULL.  Its text may hold a key: unquoted. */
static const char *
template_fault(const char *template)
{
	const char *place = strstr(template, WATERMARK);
	const char *rest;

	if (place == NULL)
		return "does not hold " WATERMARK;
	rest = place + strlen(WATERMARK);
	if (strstr(rest, WATERMARK) != NULL)
		return "holds " WATERMARK " more than once";
	if (strcspn(template, "{}") < (size_t) (place - template) || strpbrk(rest, "{}") != NULL)
		return "holds other braces than those of " WATERMARK;
	if (template[0] == '?' || template[0] == '&')
		return "begins with ? or &, which is put there without being asked";
	for (const char *p = template; *p != '\0'; p++)
	{
		if ((unsigned char) *p <= ' ' || *p == '#' || *p == 0x7f)
			return "holds a blank or another character that cannot stand in a query";
	}
	return NULL;
}

static void
parse_template(Parser *parser, const DocNode *params, AccelerationSpec *spec)
{
	const DocNode *template = valid_value(&params_of_acceleration, params, "http_append_query");
	const char *fault;

	if (template == NULL)
		return;
	spec->append_query = template->text;
	fault = template_fault(template->text);
	if (fault != NULL)
		parse_problem(parser, MANIFEST_ERROR, template->line,
					  "write for instance http_append_query: since={watermark}, with other values percent-encoded",
					  "http_append_query %s", fault);
	require_mode(parser, spec, "append", "http_append_query", template->line);
}

static bool
has_column(const ColumnList *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
	{
		if (strcmp(list->names[i], name) == 0)
			return true;
	}
	return false;
}

/* The same columns in any order; no list holds one twice. */
static bool
same_set(const ColumnList *a, const ColumnList *b)
{
	for (size_t i = 0; i < a->count; i++)
	{
		if (!has_column(b, a->names[i]))
			return false;
	}
	return a->count == b->count;
}

/* The primary key or unique index that a target means, or NULL. */
static const ColumnList *
find_key(const AccelerationSpec *spec, const ColumnList *target)
{
	if (same_set(&spec->primary_key, target))
		return &spec->primary_key;
	for (size_t i = 0; i < spec->n_indexes; i++)
	{
		if (spec->indexes[i].unique && same_set(&spec->indexes[i].columns, target))
			return &spec->indexes[i].columns;
	}
	return NULL;
}

static bool
has_key(const AccelerationSpec *spec)
{
	for (size_t i = 0; i < spec->n_indexes; i++)
	{
		if (spec->indexes[i].unique)
			return true;
	}
	return spec->primary_key.count > 0;
}

static bool
target_is_taken(const AccelerationSpec *spec, const ColumnList *columns)
{
	for (size_t i = 0; i < spec->n_conflicts; i++)
	{
		if (spec->conflicts[i].columns == columns)
			return true;
	}
	return false;
}

static void
parse_conflict(Parser *parser, const DocPair *pair, AccelerationSpec *spec)
{
	const char *target = document_excerpt(parser->arena, pair->key->text);
	const DocNode *action = pair->value;
	ConflictSpec conflict = {0};
	ColumnList	columns = {0};

	if (action->kind == DOC_SCALAR && word_in_list(ACTIONS, action->text))
		conflict.action = action->text;
	else
		parse_problem(parser, MANIFEST_ERROR, action->line,
					  "valid values: drop, upsert, upsert_dedup, upsert_dedup_by_row_id",
					  "the action for target \"%s\" of on_conflict is not valid", target);
	if (!column_list_parse(parser, "target", pair->key, &columns))
		return;
	conflict.columns = find_key(spec, &columns);
	if (conflict.columns == NULL)
		parse_problem(parser, MANIFEST_ERROR, pair->key->line,
					  "name the columns of primary_key or of an index that is unique",
					  "target \"%s\" of on_conflict is neither the primary_key nor a unique index",
					  target);
	else if (target_is_taken(spec, conflict.columns))
		parse_problem(parser, MANIFEST_ERROR, pair->key->line, "keep one of the two",
					  "target \"%s\" of on_conflict is there twice", target);
	else if (conflict.action != NULL)
	{
		spec->conflicts = arena_grow(parser->arena, spec->conflicts, spec->n_conflicts,
									 &spec->conflicts_capacity, sizeof(ConflictSpec));
		spec->conflicts[spec->n_conflicts++] = conflict;
	}
}

/* Two keys may disagree about which row to replace; about dropping they cannot. */
static void
refuse_several(Parser *parser, int line, const AccelerationSpec *spec)
{
	for (size_t i = 0; spec->n_conflicts > 1 && i < spec->n_conflicts; i++)
	{
		if (strcmp(spec->conflicts[i].action, "drop") != 0)
		{
			parse_problem(parser, MANIFEST_ERROR, line,
						  "keep one target, or write drop for each",
						  "on_conflict has several targets, and not all of them are drop");
			return;
		}
	}
}

static void
parse_conflicts(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *conflicts = valid_value(&keys_of_acceleration, block, "on_conflict");

	int			line;

	if (conflicts == NULL || !spec->keys_valid)
		return;
	line = key_line(block, "on_conflict");
	if (conflicts->count == 0)
		parse_problem(parser, MANIFEST_WARNING, line,
					  "write a key and what to do, for instance id: upsert",
					  "on_conflict is empty and has no effect");
	else if (!has_key(spec))
		parse_problem(parser, MANIFEST_ERROR, line,
					  "write primary_key: and its columns",
					  "on_conflict needs a primary_key or a unique index");
	else
	{
		for (size_t i = 0; i < conflicts->count; i++)
			parse_conflict(parser, &conflicts->pairs[i], spec);
		refuse_several(parser, line, spec);
		if (spec->refresh_mode != NULL && strcmp(spec->refresh_mode, "full") == 0)
			parse_problem(parser, MANIFEST_WARNING, line,
						  "take it out, or write refresh_mode: append",
						  "on_conflict has no effect in refresh_mode full");
	}
}

void
append_parse(Parser *parser, const DocNode *block, const DocNode *params,
			 AccelerationSpec *spec)
{
	parse_reach(parser, block, spec);
	parse_template(parser, params, spec);
	parse_conflicts(parser, block, spec);
}
