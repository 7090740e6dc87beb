/*-------------------------------------------------------------------------
 *
 * foreign_table.c
 *		Creates a dataset's foreign table and keeps it in agreement with the
 *		definition.
 *
 * The foreign table is where a source's columns and their types are written
 * down: found once, over the whole of the first response, then fixed until
 * the part of the definition that describes the source changes.  It is
 * altered, never dropped, so that views upon it live on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "source/source.h"
#include "source/typing.h"

/* one column that the foreign table shall have */
typedef struct WantedColumn
{
	char	   *name;
	Oid			type;
	int32		typmod;
	bool		declared;		/* the type is the manifest's, whatever the response has */
} WantedColumn;

static char *
source_table_name(const Dataset *dataset)
{
	if (!dataset->accelerated || strcmp(dataset->schema, "public") == 0)
		return dataset->table;
	return psprintf("%s.%s", dataset->schema, dataset->table);
}

static const char *
source_schema_name(const Dataset *dataset)
{
	return dataset->accelerated ? SPICE_SOURCE_SCHEMA : dataset->schema;
}

static char *
source_relation_name(const Dataset *dataset)
{
	return quote_qualified_identifier(source_schema_name(dataset), source_table_name(dataset));
}

bool
source_columns_declared(const Dataset *dataset)
{
	ListCell   *cell;

	foreach(cell, dataset->columns)
	{
		if (((DatasetColumn *) lfirst(cell))->type == NULL)
			return false;
	}
	return dataset->columns != NIL;
}

bool
source_needs_response(const Dataset *dataset)
{
	if (OidIsValid(dataset->source_relation) && !dataset->source_changed)
		return false;
	/* what a live read returns is all that a declared foreign table needs */
	return dataset->accelerated || !source_columns_declared(dataset);
}

static WantedColumn *
find_column(List *columns, const char *name)
{
	ListCell   *cell;

	foreach(cell, columns)
	{
		WantedColumn *column = lfirst(cell);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

static void
declared_type_callback(void *arg)
{
	const WantedColumn *column = arg;

	errcontext("type of column \"%s\" in the manifest", column->name);
}

static void
parse_declared_type(const Dataset *dataset, const DatasetColumn *declared, WantedColumn *column)
{
	ErrorContextCallback callback = {error_context_stack, declared_type_callback, column};

	error_context_stack = &callback;
	compat_parse_type(declared->type, &column->type, &column->typmod);
	error_context_stack = callback.previous;
	if (get_typtype(column->type) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("column \"%s\" of dataset \"%s\" cannot have type %s",
						column->name, dataset->name, declared->type)));
}

/* declared columns first, in their order, then what the response has besides */
static List *
wanted_columns(const Dataset *dataset, Spool *spool, int64 *records)
{
	List	   *wanted = NIL;
	List	   *inferred = NIL;
	ListCell   *cell;

	*records = 0;
	if (spool != NULL)
		inferred = infer_columns(spool, dataset, records);

	foreach(cell, dataset->columns)
	{
		DatasetColumn *declared = lfirst(cell);
		WantedColumn *column = palloc0(sizeof(WantedColumn));

		column->name = declared->name;
		column->type = TEXTOID;
		column->typmod = -1;
		column->declared = declared->type != NULL;
		if (column->declared)
			parse_declared_type(dataset, declared, column);
		wanted = lappend(wanted, column);
	}
	foreach(cell, inferred)
	{
		InferredColumn *found = lfirst(cell);
		WantedColumn *column = find_column(wanted, found->name);

		if (column == NULL)
		{
			column = palloc0(sizeof(WantedColumn));
			column->name = found->name;
			column->typmod = -1;
			wanted = lappend(wanted, column);
		}
		if (!column->declared)
			column->type = found->type;
	}
	return wanted;
}

static char *
column_definition(const WantedColumn *column)
{
	return psprintf("%s %s", quote_identifier(column->name),
					format_type_extended(column->type, column->typmod,
										 FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
}

static void
create_foreign_table(const Dataset *dataset, List *columns)
{
	StringInfoData command;
	ListCell   *cell;

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE FOREIGN TABLE %s (", source_relation_name(dataset));
	foreach(cell, columns)
		appendStringInfo(&command, "%s%s", cell == list_head(columns) ? "" : ", ",
						 column_definition(lfirst(cell)));
	appendStringInfo(&command, ") SERVER " SPICE_SERVER " OPTIONS (dataset %s)",
					 quote_literal_cstr(dataset->name));
	catalog_run(command.data);
}

/*
 * Adds columns until the foreign table has the wanted ones; drop: and drops
 * and retypes.  False when it had them.
 */
static bool
alter_foreign_table(const Dataset *dataset, List *columns, bool drop)
{
	bool		altered = false;
	Relation	relation = table_open(dataset->source_relation, AccessShareLock);
	TupleDesc	desc = CreateTupleDescCopy(RelationGetDescr(relation));
	char	   *name = source_relation_name(dataset);
	ListCell   *cell;

	table_close(relation, AccessShareLock);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		WantedColumn *column = find_column(columns, NameStr(attribute->attname));

		if (attribute->attisdropped || !drop ||
			(column != NULL && column->type == attribute->atttypid &&
			 column->typmod == attribute->atttypmod))
			continue;
		altered = true;
		if (column == NULL)
			catalog_run(psprintf("ALTER FOREIGN TABLE %s DROP COLUMN %s", name,
						 quote_identifier(NameStr(attribute->attname))));
		else
			catalog_run(psprintf("ALTER FOREIGN TABLE %s ALTER COLUMN %s TYPE %s", name,
						 quote_identifier(column->name),
						 format_type_extended(column->type, column->typmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY)));
	}
	foreach(cell, columns)
	{
		WantedColumn *column = lfirst(cell);

		if (get_attnum(dataset->source_relation, column->name) != InvalidAttrNumber)
			continue;
		altered = true;
		catalog_run(psprintf("ALTER FOREIGN TABLE %s ADD COLUMN %s", name, column_definition(column)));
	}
	return altered;
}

static Oid
existing_relation(const Dataset *dataset)
{
	Oid			namespace = get_namespace_oid(source_schema_name(dataset), true);

	return OidIsValid(namespace) ? get_relname_relid(source_table_name(dataset), namespace) : InvalidOid;
}

static void
refuse_relation(const Dataset *dataset)
{
	if (existing_relation(dataset) == dataset->relation)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("dataset \"%s\" is no longer accelerated, but its table is still there", dataset->name),
				 errhint("DROP TABLE %s to let the foreign table take its name.",
						 source_relation_name(dataset))));
	catalog_refuse_relation(dataset, existing_relation(dataset));
}

bool
source_prepare(Dataset *dataset, Spool *spool, Oid owner)
{
	List	   *columns;
	int64		records;

	if (OidIsValid(dataset->source_relation) && !dataset->source_changed)
	{
		catalog_ensure_owner(dataset->source_relation, owner);
		return true;
	}
	columns = wanted_columns(dataset, spool, &records);
	if (columns == NIL)
		return false;

	/* a dataset which used to be accelerated under the name, or the reverse */
	if (OidIsValid(dataset->source_relation) &&
		dataset->source_relation != existing_relation(dataset))
	{
		catalog_run(psprintf("DROP FOREIGN TABLE %s", catalog_relation_name(dataset->source_relation)));
		dataset->source_relation = InvalidOid;
	}
	if (!OidIsValid(dataset->source_relation) && OidIsValid(existing_relation(dataset)))
		refuse_relation(dataset);

	if (!OidIsValid(dataset->source_relation))
	{
		catalog_ensure_schema(source_schema_name(dataset), owner);
		create_foreign_table(dataset, columns);
		CommandCounterIncrement();
		dataset->source_relation = existing_relation(dataset);
		catalog_ensure_owner(dataset->source_relation, owner);
		catalog_grant_defaults(dataset->source_relation, owner);
	}
	else
	{
		(void) alter_foreign_table(dataset, columns, true);
		catalog_ensure_owner(dataset->source_relation, owner);
	}
	return true;
}

bool
source_evolve(const Dataset *dataset, Spool *spool, bool drop)
{
	int64		records;
	List	   *columns = wanted_columns(dataset, spool, &records);

	/* a response without records says nothing about fields */
	return records > 0 && columns != NIL && alter_foreign_table(dataset, columns, drop);
}
