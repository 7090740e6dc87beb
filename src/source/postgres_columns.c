/*-------------------------------------------------------------------------
 *
 * postgres_columns.c
 *		The columns of a relation in another PostgreSQL.
 *
 * Asked of its catalogs, through the wrapper: each question is one condition
 * on one catalog, so that the source answers it and no catalog travels whole.
 *
 * A type below FirstGenbkiObjectId has the same number in every PostgreSQL.
 * Others are followed to one that has: domains to their base, arrays to their
 * elements.  What remains, enums and the types of extensions, is read as text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "source/foreign_option.h"
#include "source/foreign_server.h"
#include "source/postgres_columns.h"
#include "source/source_name.h"

#define MAX_DEPTH	32			/* of domains over arrays over domains ... */

/* a catalog as far as we read it */
static const char *const catalogs[][2] = {
	{"pg_namespace", "oid oid, nspname name"},
	{"pg_class", "oid oid, relname name, relnamespace oid, relkind \"char\""},
	{"pg_attribute", "attrelid oid, attname name, atttypid oid, atttypmod int4, attnum int2,"
	" attnotnull bool, attisdropped bool, attcollation oid"},
	{"pg_type", "oid oid, typtype \"char\", typcategory \"char\", typelem oid, typbasetype oid, typtypmod int4"},
	{"pg_description", "objoid oid, classoid oid, objsubid int4, description text"}
};

/* a type whose number is the source's own */
typedef struct RemoteType
{
	Oid			oid;
	char		kind;			/* typtype */
	char		category;
	Oid			element;
	Oid			base;
	int32		typmod;
} RemoteType;

typedef struct RemoteColumn
{
	SourceColumn *column;
	AttrNumber	number;
	Oid			type;
	int32		typmod;
	Oid			collation;
} RemoteColumn;

typedef struct Reading
{
	const Dataset *dataset;
	const char *schema;			/* of the foreign tables over the catalogs */
	MemoryContext context;		/* of what is read */
	List	   *types;			/* of RemoteType * */
} Reading;

/* one question: result in SPI_tuptable; what stands between SELECT and FROM, and the condition */
static void
ask(const Reading *reading, const char *columns, const char *catalog, const char *condition,
	int nargs, Oid *types, Datum *values)
{
	catalog_execute(psprintf("SELECT %s FROM %s c WHERE %s", columns,
							 quote_qualified_identifier(reading->schema, catalog), condition),
					nargs, types, values, NULL);
}

static Datum
answer(uint64 row, int column)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
}

static Oid
find_relation(const Reading *reading)
{
	Oid			types[] = {NAMEOID, OIDOID};
	Datum		values[] = {
	DirectFunctionCall1(namein, CStringGetDatum(reading->dataset->remote_schema)), 0};

	ask(reading, "c.oid", "pg_namespace", "c.nspname = $1", 1, types, values);
	if (SPI_processed == 0)
		return InvalidOid;
	values[1] = answer(0, 1);
	values[0] = DirectFunctionCall1(namein, CStringGetDatum(reading->dataset->remote_table));
	ask(reading, "c.oid", "pg_class", "c.relname = $1 AND c.relnamespace = $2"
		" AND c.relkind IN ('r', 'p', 'v', 'm', 'f')", 2, types, values);
	return SPI_processed == 0 ? InvalidOid : DatumGetObjectId(answer(0, 1));
}

static List *
read_attributes(const Reading *reading, Oid relation)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relation)};
	List	   *columns = NIL;

	ask(reading, "c.attname, c.attnum, c.atttypid, c.atttypmod, c.attcollation", "pg_attribute",
		"c.attrelid = $1 AND c.attnum > 0 AND NOT c.attisdropped ORDER BY c.attnum", 1, types, values);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(reading->context);
		RemoteColumn *column = palloc0(sizeof(RemoteColumn));

		column->column = palloc0(sizeof(SourceColumn));
		column->column->name = catalog_text(row, 1, reading->context);
		column->number = DatumGetInt16(answer(row, 2));
		column->type = DatumGetObjectId(answer(row, 3));
		column->typmod = DatumGetInt32(answer(row, 4));
		column->collation = DatumGetObjectId(answer(row, 5));
		columns = lappend(columns, column);
		MemoryContextSwitchTo(old);
	}
	return columns;
}

static void
read_descriptions(const Reading *reading, Oid relation, List *columns, SourceRelation *source)
{
	Oid			types[] = {OIDOID, OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relation), ObjectIdGetDatum(RelationRelationId)};

	ask(reading, "c.objsubid, c.description", "pg_description", "c.objoid = $1 AND c.classoid = $2",
		2, types, values);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int32		number = DatumGetInt32(answer(row, 1));
		ListCell   *cell;

		if (number == 0)
			source->description = catalog_text(row, 2, reading->context);
		foreach(cell, columns)
		{
			RemoteColumn *column = lfirst(cell);

			if (column->number == number)
				column->column->description = catalog_text(row, 2, reading->context);
		}
	}
}

static bool
is_everywhere(Oid type)
{
	return type < FirstGenbkiObjectId;
}

static RemoteType *
find_type(const Reading *reading, Oid oid)
{
	ListCell   *cell;

	foreach(cell, reading->types)
	{
		RemoteType *type = lfirst(cell);

		if (type->oid == oid)
			return type;
	}
	return NULL;
}

static List *
add_unknown(const Reading *reading, List *unknown, Oid type)
{
	if (OidIsValid(type) && !is_everywhere(type) && find_type(reading, type) == NULL)
		unknown = list_append_unique_oid(unknown, type);
	return unknown;
}

static void
ask_types(Reading *reading, List *oids)
{
	Datum	   *elements = palloc(sizeof(Datum) * list_length(oids));
	Oid			types[] = {OIDARRAYOID};
	Datum		values[1];
	ListCell   *cell;

	foreach(cell, oids)
		elements[foreach_current_index(cell)] = ObjectIdGetDatum(lfirst_oid(cell));
	values[0] = PointerGetDatum(construct_array(elements, list_length(oids), OIDOID, sizeof(Oid), true,
												TYPALIGN_INT));
	ask(reading, "c.oid, c.typtype, c.typcategory, c.typelem, c.typbasetype, c.typtypmod", "pg_type",
		"c.oid = ANY ($1)", 1, types, values);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(reading->context);
		RemoteType *type = palloc(sizeof(RemoteType));

		type->oid = DatumGetObjectId(answer(row, 1));
		type->kind = DatumGetChar(answer(row, 2));
		type->category = DatumGetChar(answer(row, 3));
		type->element = DatumGetObjectId(answer(row, 4));
		type->base = DatumGetObjectId(answer(row, 5));
		type->typmod = DatumGetInt32(answer(row, 6));
		reading->types = lappend(reading->types, type);
		MemoryContextSwitchTo(old);
	}
}

/* every type that the columns lead to */
static void
read_types(Reading *reading, List *columns)
{
	List	   *unknown = NIL;
	ListCell   *cell;

	foreach(cell, columns)
		unknown = add_unknown(reading, unknown, ((RemoteColumn *) lfirst(cell))->type);
	for (int depth = 0; unknown != NIL && depth < MAX_DEPTH; depth++)
	{
		ask_types(reading, unknown);
		unknown = NIL;
		foreach(cell, reading->types)
		{
			RemoteType *type = lfirst(cell);

			unknown = add_unknown(reading, unknown, type->base);
			unknown = add_unknown(reading, unknown, type->element);
		}
	}
}

static void
map_to_text(SourceColumn *column)
{
	column->type = TEXTOID;
	column->typmod = -1;
	column->local = true;
}

/* do its texts say the same here as there? */
static bool
is_portable(Oid type)
{
	char		category;
	bool		preferred;

	switch (type)
	{
		case CHAROID:
			return true;
			/* names of things which are there and not here */
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGCOLLATIONOID:
		case REGTYPEOID:
		case REGROLEOID:
		case REGNAMESPACEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
		case ACLITEMOID:
			/* as its server's locale writes it */
		case MONEYOID:
			return false;
	}
	if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type)) || get_typtype(type) == TYPTYPE_PSEUDO)
		return false;
	/* internal ones, which cannot be read */
	get_type_category_preferred(type, &category, &preferred);
	return category != 'Z';
}

static void map_type(const Reading *reading, Oid type, int32 typmod, int depth, SourceColumn *column);

/* an array of whatever the elements become */
static void
map_array(const Reading *reading, Oid element, int32 typmod, int depth, SourceColumn *column)
{
	map_type(reading, element, typmod, depth + 1, column);
	column->type = get_array_type(column->type);
	if (!OidIsValid(column->type))
		map_to_text(column);
}

static void
map_type(const Reading *reading, Oid type, int32 typmod, int depth, SourceColumn *column)
{
	RemoteType *remote = find_type(reading, type);

	column->type = type;
	column->typmod = typmod;
	if (depth > MAX_DEPTH)
		map_to_text(column);
	else if (is_everywhere(type))
	{
		/* the two vectors look like arrays and are not written like them */
		Oid			element = type == INT2VECTOROID || type == OIDVECTOROID ? InvalidOid :
		get_element_type(type);

		if (!is_portable(OidIsValid(element) ? element : type))
		{
			map_to_text(column);
			column->type = OidIsValid(element) ? TEXTARRAYOID : TEXTOID;
		}
	}
	else if (remote == NULL)
		map_to_text(column);
	else if (remote->kind == TYPTYPE_DOMAIN)
		map_type(reading, remote->base, remote->typmod >= 0 ? remote->typmod : typmod, depth + 1, column);
	else if (remote->category == TYPCATEGORY_ARRAY)
	{
		map_array(reading, remote->element, typmod, depth, column);
		/* over there its operators take such arrays only */
		column->local = true;
	}
	else
		map_to_text(column);
}

static List *
map_columns(const Reading *reading, List *columns)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, columns)
	{
		RemoteColumn *remote = lfirst(cell);
		SourceColumn *column = remote->column;

		map_type(reading, remote->type, remote->typmod, 0, column);
		/* what is equal, and what comes first, is decided by the column's own collation */
		if (OidIsValid(remote->collation) && remote->collation != DEFAULT_COLLATION_OID &&
			remote->collation != get_typcollation(column->type))
			column->local = true;
		result = lappend(result, column);
	}
	return result;
}

List *
postgres_columns(const Dataset *dataset, SourceRelation *source)
{
	Reading		reading = {.dataset = dataset, .context = CurrentMemoryContext};
	const char *server = foreign_server_name(dataset);
	List	   *columns;
	Oid			relation;

	reading.schema = foreign_server_begin_schema();
	for (size_t i = 0; i < lengthof(catalogs); i++)
		foreign_server_add_table(reading.schema, catalogs[i][0], catalogs[i][1], server,
								 list_make1(foreign_option_make("schema_name", "pg_catalog")));
	SPI_connect();
	relation = find_relation(&reading);
	if (!OidIsValid(relation))
		source_refuse_missing_relation(dataset);
	columns = read_attributes(&reading, relation);
	read_descriptions(&reading, relation, columns, source);
	read_types(&reading, columns);
	SPI_finish();
	foreign_server_end_schema(reading.schema);
	return map_columns(&reading, columns);
}
