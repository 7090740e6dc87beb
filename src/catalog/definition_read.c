/*-------------------------------------------------------------------------
 *
 * definition_read.c
 *		Reads a dataset's definition from jsonb.
 *
 * manifest/keys.def says which keys a definition has, and which field holds the
 * value of each.  A key that is left out is not set; of the keys that every
 * definition has, this version or a person did not write it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "catalog/definition_read.h"

JsonbContainer *
definition_read_text(const char *text)
{
	if (text == NULL)
		return NULL;
	return &DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)))->root;
}

/* the value of a key; NULL also for a null */
static JsonbValue *
find_value(JsonbContainer * object, const char *key)
{
	JsonbValue *value;

	if (object == NULL || !JsonContainerIsObject(object))
		return NULL;
	value = getKeyJsonValueFromContainer(object, key, (int) strlen(key), NULL);
	return value == NULL || value->type == jbvNull ? NULL : value;
}

char *
definition_read_key(JsonbContainer * definition, const char *key)
{
	JsonbValue *value = find_value(definition, key);

	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static int
read_integer(JsonbContainer * object, const char *key)
{
	JsonbValue *value = find_value(object, key);

	return value == NULL || value->type != jbvNumeric ? 0 :
		DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(value->val.numeric)));
}

static bool
read_boolean(JsonbContainer * object, const char *key)
{
	JsonbValue *value = find_value(object, key);

	return value != NULL && value->type == jbvBool && value->val.boolean;
}

/* an array or object within another; NULL when there is none */
static JsonbContainer *
find_container(JsonbContainer * object, const char *key)
{
	JsonbValue *value = find_value(object, key);

	return value != NULL && value->type == jbvBinary ? value->val.binary.data : NULL;
}

static int
count_elements(JsonbContainer * array)
{
	return array != NULL && JsonContainerIsArray(array) ? (int) JsonContainerSize(array) : 0;
}

/* an object that is an element of an array */
static JsonbContainer *
find_element(JsonbContainer * array, int i)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	return value->type == jbvBinary ? value->val.binary.data : NULL;
}

/* an array of text as a list of char * */
static List *
read_names(JsonbContainer * object, const char *key)
{
	JsonbContainer *array = find_container(object, key);
	List	   *names = NIL;

	for (int i = 0; i < count_elements(array); i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);

		if (value->type == jbvString)
			names = lappend(names, pnstrdup(value->val.string.val, value->val.string.len));
	}
	return names;
}

List *
definition_read_columns(JsonbContainer * definition)
{
	JsonbContainer *array = find_container(definition, "columns");
	List	   *columns = NIL;

	for (int i = 0; i < count_elements(array); i++)
	{
		JsonbContainer *object = find_element(array, i);
		DatasetColumn *column = palloc0(sizeof(DatasetColumn));

		column->name = definition_read_key(object, "name");
		column->source = definition_read_key(object, "source");
		column->position = read_integer(object, "position");
		column->type = definition_read_key(object, "type");
		column->format = definition_read_key(object, "format");
		column->nullable = read_boolean(object, "nullable");
		column->description = definition_read_key(object, "description");
		columns = lappend(columns, column);
	}
	return columns;
}

static List *
add_index(List *indexes, List *columns, bool unique, bool primary)
{
	DatasetIndex *index = palloc0(sizeof(DatasetIndex));

	index->columns = columns;
	index->unique = unique;
	index->primary = primary;
	return lappend(indexes, index);
}

/* The primary key comes first, and last the index with which append finds the watermark. */
List *
definition_read_indexes(JsonbContainer * definition)
{
	JsonbContainer *array = find_container(definition, "indexes");
	List	   *key = read_names(definition, "primary_key");
	char	   *mode = definition_read_key(definition, "refresh_mode");
	char	   *time_column = definition_read_key(definition, "time_column");
	List	   *indexes = NIL;
	ListCell   *cell;

	if (key != NIL)
		indexes = add_index(indexes, key, true, true);
	for (int i = 0; i < count_elements(array); i++)
	{
		JsonbContainer *object = find_element(array, i);

		indexes = add_index(indexes, read_names(object, "columns"), read_boolean(object, "unique"),
							false);
	}
	if (time_column == NULL || mode == NULL || strcmp(mode, "append") != 0)
		return indexes;
	foreach(cell, indexes)
	{
		DatasetIndex *index = lfirst(cell);

		if (index->columns != NIL && strcmp(linitial(index->columns), time_column) == 0)
			return indexes;
	}
	return add_index(indexes, list_make1(time_column), false, false);
}

static List *
read_conflicts(JsonbContainer * definition)
{
	JsonbContainer *array = find_container(definition, "on_conflict");
	List	   *conflicts = NIL;

	for (int i = 0; i < count_elements(array); i++)
	{
		JsonbContainer *object = find_element(array, i);
		DatasetConflict *conflict = palloc0(sizeof(DatasetConflict));
		char	   *action = definition_read_key(object, "action");

		conflict->columns = read_names(object, "columns");
		conflict->action = CONFLICT_UPSERT;
		if (action != NULL && strcmp(action, "drop") == 0)
			conflict->action = CONFLICT_DROP;
		else if (action != NULL && strcmp(action, "upsert_dedup_by_row_id") == 0)
			conflict->action = CONFLICT_UPSERT_LAST;
		conflicts = lappend(conflicts, conflict);
	}
	return conflicts;
}

pg_noreturn static void
refuse_definition(const char *dataset, const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the definition of dataset \"%s\" has no %s", dataset, key),
			 errhint("SELECT spice_reload() writes it anew from the manifest.")));
}

/* the type that a key of this kind has in jsonb */
static enum jbvType
value_type(KeyKind kind)
{
	switch (kind)
	{
		case KEY_BOOLEAN:
			return jbvBool;
		case KEY_COUNT:
		case KEY_DURATION:
		case KEY_TIMEOUT:
		case KEY_PORT:
		case KEY_SHARE:
			return jbvNumeric;
		default:
			return jbvString;
	}
}

static void
set_field(void *field, KeyKind kind, const JsonbValue * value)
{
	switch (kind)
	{
		case KEY_BOOLEAN:
			*(bool *) field = value->val.boolean;
			break;
		case KEY_COUNT:
		case KEY_TIMEOUT:
		case KEY_PORT:
			*(int *) field = DatumGetInt32(DirectFunctionCall1(numeric_int4,
															   NumericGetDatum(value->val.numeric)));
			break;
		case KEY_DURATION:
			*(int64 *) field = DatumGetInt64(DirectFunctionCall1(numeric_int8,
																 NumericGetDatum(value->val.numeric)));
			break;
		case KEY_SHARE:
			*(double *) field = DatumGetFloat8(DirectFunctionCall1(numeric_float8,
																   NumericGetDatum(value->val.numeric)));
			break;
		default:
			*(char **) field = pnstrdup(value->val.string.val, value->val.string.len);
	}
}

void
definition_read(Dataset *dataset, JsonbContainer * definition)
{
	char	   *name = dataset->name;

	definition_clear(&dataset->keys);
	for (int i = 0; i < definition_n_keys; i++)
	{
		const KeyInfo *key = &definition_keys[i];
		JsonbValue *value;

		if (key->field < 0)
			continue;
		value = find_value(definition, key->name);
		if (value == NULL ? key->needed || (key->otherwise != NULL && value_type(key->kind) == jbvString) :
			value->type != value_type(key->kind))
			refuse_definition(name, key->name);
		if (value != NULL)
			set_field((char *) &dataset->keys + key->field, key->kind, value);
	}
	dataset->name = name;
	dataset->params = find_container(definition, "params");
	dataset->columns = definition_read_columns(definition);
	dataset->indexes = definition_read_indexes(definition);
	dataset->conflicts = read_conflicts(definition);
}

static bool
values_differ(JsonbValue * one, JsonbValue * other)
{
	if (one == NULL || other == NULL)
		return one != other;
	return compareJsonbContainers(&JsonbValueToJsonb(one)->root, &JsonbValueToJsonb(other)->root) != 0;
}

bool
definition_differs(JsonbContainer * one, JsonbContainer * other, KeyParts parts)
{
	JsonbContainer *params = find_container(one, "params");
	JsonbContainer *other_params = find_container(other, "params");

	for (int i = 0; i < definition_n_keys; i++)
	{
		const KeyInfo *key = &definition_keys[i];

		if ((key->parts & parts) != 0 &&
			values_differ(find_value(key->param ? params : one, key->name),
						  find_value(key->param ? other_params : other, key->name)))
			return true;
	}
	return false;
}
