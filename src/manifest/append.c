/*-------------------------------------------------------------------------
 *
 * append.c
 *		Which rows a refresh takes, and what becomes of a row that the table has.
 *
 * A conflict arises from a key, and a watermark needs a place in the query.  A
 * setting without them would lose rows or double them, hence errors and no
 * warnings.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/append.h"

#include <string.h>

#include "manifest/check.h"

#define WATERMARK		"{watermark}"
#define ACTIONS			"drop|upsert|upsert_dedup|upsert_dedup_by_row_id"

/* The fault of a template, or NULL.  Messages never quote it: it may hold a credential. */
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
check_template(Parser *parser, const DatasetSpec *spec)
{
	const char *template = spec->definition.http_append_query;
	const char *fault = template != NULL ? template_fault(template) : NULL;

	if (fault != NULL)
		parse_problem(parser, MANIFEST_ERROR,
					  document_get(spec->acceleration_params, "http_append_query")->line,
					  "write for instance http_append_query: since={watermark}, with other values percent-encoded",
					  "http_append_query %s", fault);
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

/* The same columns in any order; no list holds a column twice. */
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
find_key(const DatasetSpec *spec, const ColumnList *target)
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
has_key(const DatasetSpec *spec)
{
	for (size_t i = 0; i < spec->n_indexes; i++)
	{
		if (spec->indexes[i].unique)
			return true;
	}
	return spec->primary_key.count > 0;
}

static bool
target_is_taken(const DatasetSpec *spec, const ColumnList *columns)
{
	for (size_t i = 0; i < spec->n_conflicts; i++)
	{
		if (spec->conflicts[i].columns == columns)
			return true;
	}
	return false;
}

static void
add_conflict(Parser *parser, DatasetSpec *spec, ConflictSpec conflict)
{
	spec->conflicts = arena_grow(parser->arena, spec->conflicts, spec->n_conflicts,
								 &spec->conflicts_capacity, sizeof(ConflictSpec));
	spec->conflicts[spec->n_conflicts++] = conflict;
}

static void
parse_conflict(Parser *parser, const DocPair *pair, DatasetSpec *spec)
{
	const char *target = document_excerpt(parser->arena, pair->key->text);
	const DocNode *action = pair->value;
	ConflictSpec conflict = {0};
	ColumnList	columns = {0};

	if (action->kind == DOC_SCALAR && keys_value_in(ACTIONS, action->text))
		conflict.action = action->text;
	else
		parse_problem(parser, MANIFEST_ERROR, action->line,
					  "valid values: drop, upsert, upsert_dedup, upsert_dedup_by_row_id",
					  "the action for target \"%s\" of on_conflict is not valid", target);
	if (!names_parse_columns(parser, "target", pair->key, &columns))
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
		add_conflict(parser, spec, conflict);
}

/* Two keys may disagree about the row to replace; about dropping they cannot. */
static void
refuse_several(Parser *parser, int line, const DatasetSpec *spec)
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

/* A change of the source replaces its row, which is what the other actions ask for. */
static void
refuse_drop(Parser *parser, int line, const DatasetSpec *spec)
{
	for (size_t i = 0; i < spec->n_conflicts; i++)
	{
		if (strcmp(spec->conflicts[i].action, "drop") == 0)
			parse_problem(parser, MANIFEST_ERROR, line,
						  "write upsert, or take it out: the source's own key tells rows apart",
						  "the action drop of on_conflict does not apply to refresh_mode changes");
	}
}

/* A primary key alone keeps one row of each key, as on_conflict would say.  The source of changes does it itself. */
static void
imply_conflict(Parser *parser, DatasetSpec *spec)
{
	if (spec->primary_key.count > 0 && !spec_has_mode(spec, "changes"))
		add_conflict(parser, spec, (ConflictSpec) {&spec->primary_key, "upsert"});
}

static void
parse_conflicts(Parser *parser, DatasetSpec *spec)
{
	const DocNode *conflicts = check_value(&keys_of_acceleration, spec->acceleration,
										   "on_conflict");
	int			line;

	if (!spec->keys_valid)
		return;
	if (conflicts == NULL)
	{
		imply_conflict(parser, spec);
		return;
	}
	line = document_line(spec->acceleration, "on_conflict");
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
		if (spec_has_mode(spec, "changes"))
			refuse_drop(parser, line, spec);
	}
}

static void
check_future(Parser *parser, const DatasetSpec *spec)
{
	if (spec->definition.refresh_append_future_action != NULL && spec->definition.refresh_append_max_future_ms == 0)
		parse_problem(parser, MANIFEST_WARNING, document_line(spec->acceleration, "refresh_append_future_action"),
					  "write refresh_append_max_future, for instance 1d",
					  "refresh_append_future_action has no effect without refresh_append_max_future");
}

void
append_parse(Parser *parser, DatasetSpec *spec)
{
	check_future(parser, spec);
	check_template(parser, spec);
	parse_conflicts(parser, spec);
}
