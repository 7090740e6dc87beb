/*-------------------------------------------------------------------------
 *
 * definition_print.c
 *		A validated dataset as JSON.
 *
 * The catalog keeps the definition, and notices a change of the manifest by
 * comparing it with the one it has.  So the same meaning must give the same
 * bytes, however the YAML is laid out: defaults are filled in, keys are sorted,
 * and a key without a value (null, false, an empty list) is left out, which also
 * lets a new version know more keys without changing the definitions there are.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/definition_print.h"

#include "manifest/check.h"
#include "manifest/json_tree.h"

static void
put_field(Parser *parser, json_t *object, const KeyInfo *key, const Definition *definition)
{
	const void *field = (const char *) definition + key->field;
	int64_t		number = 0;

	switch (key->kind)
	{
		case KEY_BOOLEAN:
			if (*(const bool *) field)
				json_tree_put(parser, object, key->name, json_true());
			return;
		case KEY_SHARE:
			if (*(const double *) field < 1)
				json_tree_put(parser, object, key->name, json_real(*(const double *) field));
			return;
		case KEY_COUNT:
			number = *(const int *) field;
			if (number == 0)
				json_tree_put(parser, object, key->name, json_integer(0));
			break;
		case KEY_TIMEOUT:
		case KEY_PORT:
			number = *(const int *) field;
			break;
		case KEY_DURATION:
			number = *(const int64_t *) field;
			break;
		default:
			if (*(char *const *) field != NULL)
				json_tree_put_text(parser, object, key->name, *(char *const *) field);
			return;
	}
	if (number > 0)
		json_tree_put(parser, object, key->name, json_integer((json_int_t) number));
}

/* The params of the connector, as written. */
static void
put_params(Parser *parser, json_t *object, const DatasetSpec *spec)
{
	const KeyTable *table = spec->params_table;
	json_t	   *params;

	json_tree_put(parser, object, "params", json_tree_new_object());
	params = json_object_get(object, "params");
	for (size_t i = 0; table != NULL && i < table->count; i++)
	{
		const KeyInfo *key = &table->keys[i];
		const char *value = key->param ? check_text(table, spec->params, key->name, NULL) : NULL;

		if (value != NULL)
			json_tree_put_text(parser, params, key->name, value);
	}
}

static void
put_column_list(Parser *parser, json_t *object, const char *key, const ColumnList *columns)
{
	json_t	   *list = json_tree_put_list(parser, object, key);

	for (size_t i = 0; i < columns->count; i++)
		json_tree_add(parser, list, json_string(columns->names[i]));
}

static void
put_columns(Parser *parser, json_t *object, const DatasetSpec *spec)
{
	json_t	   *list = json_tree_put_list(parser, object, "columns");

	for (size_t i = 0; i < spec->n_columns; i++)
	{
		json_t	   *column = json_tree_add(parser, list, json_tree_new_object());

		json_tree_put_text(parser, column, "name", spec->columns[i].name);
		json_tree_put_text(parser, column, "type", spec->columns[i].type);
		if (spec->columns[i].source != NULL)
			json_tree_put_text(parser, column, "source", spec->columns[i].source);
		if (spec->columns[i].position > 0)
			json_tree_put(parser, column, "position", json_integer(spec->columns[i].position));
		if (spec->columns[i].format != NULL)
			json_tree_put_text(parser, column, "format", spec->columns[i].format);
		json_tree_put(parser, column, "nullable", json_boolean(spec->columns[i].nullable));
		json_tree_put_text(parser, column, "description", spec->columns[i].description);
	}
}

static void
put_indexes(Parser *parser, json_t *object, const DatasetSpec *spec)
{
	json_t	   *list = json_tree_put_list(parser, object, "indexes");

	for (size_t i = 0; i < spec->n_indexes; i++)
	{
		json_t	   *index = json_tree_add(parser, list, json_tree_new_object());

		put_column_list(parser, index, "columns", &spec->indexes[i].columns);
		json_tree_put(parser, index, "unique", json_boolean(spec->indexes[i].unique));
	}
}

static void
put_conflicts(Parser *parser, json_t *object, const DatasetSpec *spec)
{
	json_t	   *list = json_tree_put_list(parser, object, "on_conflict");

	for (size_t i = 0; i < spec->n_conflicts; i++)
	{
		json_t	   *conflict = json_tree_add(parser, list, json_tree_new_object());

		put_column_list(parser, conflict, "columns", spec->conflicts[i].columns);
		json_tree_put_text(parser, conflict, "action", spec->conflicts[i].action);
	}
}

char *
definition_print(Parser *parser, const DatasetSpec *spec)
{
	json_t	   *object = json_tree_begin(parser, json_tree_new_object());

	for (int i = 0; i < definition_n_keys; i++)
	{
		if (definition_keys[i].field >= 0)
			put_field(parser, object, &definition_keys[i], &spec->definition);
	}
	put_params(parser, object, spec);
	if (spec->n_columns > 0)
		put_columns(parser, object, spec);
	if (spec->n_indexes > 0)
		put_indexes(parser, object, spec);
	if (spec->primary_key.count > 0)
		put_column_list(parser, object, "primary_key", &spec->primary_key);
	if (spec->n_conflicts > 0)
		put_conflicts(parser, object, spec);
	return json_tree_finish(parser);
}
