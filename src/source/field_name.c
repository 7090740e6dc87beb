/*-------------------------------------------------------------------------
 *
 * field_name.c
 *		The names that the fields of a response have as columns.
 *
 * Most fields have a name that a column can have, too.  For each of the others a name
 * is made, and the column's option "field" keeps the field's name: the next response
 * finds its column by it, whatever other fields it has.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/heap.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "source/field_name.h"
#include "source/foreign_option.h"

#define MAX_NAMES_IN_NOTICE 5

char *
field_name_of(Oid relation, AttrNumber number)
{
	DefElem    *option = foreign_option_find(GetForeignColumnOptions(relation, number), FIELD_OPTION);

	return option != NULL ? defGetString(option) : get_attname(relation, number, false);
}

/* What user_id is to userId: words of small letters and digits with _ between them. */
static char *
snake_case(const char *name)
{
	StringInfoData snake;

	initStringInfo(&snake);
	for (const char *p = name; *p != '\0'; p++)
	{
		bool		upper = *p >= 'A' && *p <= 'Z';
		bool		word = IS_HIGHBIT_SET(*p) || upper || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
		bool		after_upper = p > name && p[-1] >= 'A' && p[-1] <= 'Z';
		bool		begins = upper && (!after_upper || (p[1] >= 'a' && p[1] <= 'z'));

		if ((!word || begins) && snake.len > 0 && snake.data[snake.len - 1] != '_')
			appendStringInfoChar(&snake, '_');
		if (word)
			appendStringInfoChar(&snake, pg_ascii_tolower((unsigned char) *p));
	}
	if (snake.len > 0 && snake.data[snake.len - 1] == '_')
		snake.data[--snake.len] = '\0';
	return snake.data;
}

static bool
can_be_column(const char *name)
{
	return name[0] != '\0' && strlen(name) < NAMEDATALEN && SystemAttributeByName(name) == NULL &&
		strcmp(name, "?column?") != 0;	/* of a query's column without a name */
}

/* The name that the definition makes of a field's. */
static char *
wanted_name(const Dataset *dataset, char *field)
{
	return dataset->column_names != NULL && strcmp(dataset->column_names, "snake_case") == 0 ?
		snake_case(field) : field;
}

static SourceColumn *
find_by_field(const Dataset *dataset, List *columns, const DatasetColumn *declared)
{
	const char *field = declared->source ? declared->source : declared->name;
	ListCell   *cell;

	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (strcmp(column->field, field) == 0)
			return column;
	}
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (column->name != NULL)
			continue;
		if (declared->position > 0 ? column->position == declared->position :
			declared->source == NULL && strcmp(wanted_name(dataset, column->field), field) == 0)
			return column;
	}
	return NULL;
}

/* The columns that the foreign table has, as SourceColumn * with their fields. */
static List *
present_columns(const Dataset *dataset)
{
	List	   *present = NIL;
	Relation	relation;

	if (!OidIsValid(dataset->source_relation) || dataset->source_changed)
		return NIL;
	relation = table_open(dataset->source_relation, AccessShareLock);
	for (int i = 0; i < RelationGetNumberOfAttributes(relation); i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);
		SourceColumn *column;

		if (attribute->attisdropped)
			continue;
		column = palloc0(sizeof(SourceColumn));
		column->name = pstrdup(NameStr(attribute->attname));
		column->field = field_name_of(dataset->source_relation, attribute->attnum);
		present = lappend(present, column);
	}
	table_close(relation, AccessShareLock);
	return present;
}

static bool
is_taken(const Dataset *dataset, List *columns, List *present, const char *name)
{
	ListCell   *cell;

	if (dataset_find_column(dataset->columns, name) != NULL || source_column_find(present, name) != NULL)
		return true;
	foreach(cell, columns)
	{
		const SourceColumn *column = lfirst(cell);

		if (column->name != NULL && strcmp(column->name, name) == 0)
			return true;
	}
	return false;
}

/* Makes a name that a column can have, cut between characters, and numbered if it is taken. */
static char *
make_name(const Dataset *dataset, List *columns, List *present, const SourceColumn *column)
{
	char	   *base = wanted_name(dataset, column->field);
	char	   *name;

	if (base[0] == '\0' || strcmp(base, "?column?") == 0)
		base = psprintf("column_%d", column->position);
	else if (SystemAttributeByName(base) != NULL)
		base = psprintf("%s_", base);
	name = pnstrdup(base, pg_mbcliplen(base, (int) strlen(base), NAMEDATALEN - 1));
	for (int i = 2; is_taken(dataset, columns, present, name); i++)
	{
		char	   *number = psprintf("_%d", i);
		int			room = NAMEDATALEN - 1 - (int) strlen(number);

		name = psprintf("%.*s%s", pg_mbcliplen(base, (int) strlen(base), room), base, number);
	}
	return name;
}

/* What the notice says of the columns whose names were made. */
static char *
describe_made(List *made)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, made)
	{
		const SourceColumn *column = lfirst(cell);

		if (foreach_current_index(cell) == MAX_NAMES_IN_NOTICE)
		{
			appendStringInfo(&text, " and %d more", list_length(made) - MAX_NAMES_IN_NOTICE);
			break;
		}
		appendStringInfo(&text, "%s", text.len ? ", " : "fields that have other names as columns: ");
		if (column->unnamed)
			appendStringInfo(&text, "field %d is column \"%s\"", column->position, column->name);
		else
			appendStringInfo(&text, "\"%.*s\" is column \"%s\"",
							 pg_mbcliplen(column->field, (int) strlen(column->field), 100), column->field,
							 column->name);
	}
	return text.data;
}

void
field_name_columns(Dataset *dataset, List *columns)
{
	List	   *present = present_columns(dataset);
	List	   *made = NIL;
	ListCell   *cell;

	foreach(cell, columns)
		((SourceColumn *) lfirst(cell))->name = NULL;
	foreach(cell, dataset->columns)
	{
		DatasetColumn *declared = lfirst(cell);
		SourceColumn *column = find_by_field(dataset, columns, declared);

		if (column != NULL)
			column->name = declared->name;
	}
	foreach(cell, present)
	{
		SourceColumn *before = lfirst(cell);
		ListCell   *other;

		foreach(other, columns)
		{
			SourceColumn *column = lfirst(other);

			if (column->name == NULL && strcmp(column->field, before->field) == 0 &&
				dataset_find_column(dataset->columns, before->name) == NULL)
				column->name = before->name;
		}
	}
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);
		char	   *name = wanted_name(dataset, column->field);

		if (column->name != NULL || !can_be_column(name) || is_taken(dataset, columns, present, name))
			continue;
		column->name = name;
		if (column->unnamed)
			made = lappend(made, column);
	}
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (column->name != NULL)
			continue;
		column->name = make_name(dataset, columns, present, column);
		made = lappend(made, column);
	}
	if (made != NIL)
		dataset->renamed = describe_made(made);
}
