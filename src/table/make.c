/*-------------------------------------------------------------------------
 *
 * make.c
 *		Finds and creates the accelerated table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "storage/smgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "compat.h"
#include "table/abort.h"
#include "table/alter.h"
#include "table/index.h"
#include "table/make.h"
#include "table/plan.h"
#include "table/storage.h"

static char *
table_name(const Dataset *dataset)
{
	return quote_qualified_identifier(dataset->schema, dataset->table);
}

static Oid
relation_of_that_name(const Dataset *dataset)
{
	Oid			namespace = get_namespace_oid(dataset->schema, true);

	return OidIsValid(namespace) ? get_relname_relid(dataset->table, namespace) : InvalidOid;
}

Oid
table_find(const Dataset *dataset)
{
	Oid			found = relation_of_that_name(dataset);

	/* renamed or moved by hand, it is still the dataset's table */
	if (OidIsValid(dataset->relation) && get_rel_relkind(dataset->relation) == RELKIND_RELATION)
		return dataset->relation;
	if (OidIsValid(found))
		catalog_refuse_relation(dataset, found);
	return InvalidOid;
}

Oid
table_create(const Dataset *dataset, TupleDesc result, Oid owner)
{
	StringInfoData command;
	Oid			table;
	ListCell   *cell;

	plan_check_index_columns(dataset, result);
	catalog_ensure_schema(dataset->schema, owner);
	abort_durably();
	initStringInfo(&command);
	appendStringInfo(&command, "CREATE %sTABLE %s (", dataset_is_unlogged(dataset) ? "UNLOGGED " : "",
					 table_name(dataset));
	for (int i = 0; i < result->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(result, i);

		appendStringInfo(&command, "%s%s%s", i == 0 ? "" : ", ", alter_column_definition(attribute),
						 plan_wants_not_null(dataset, NameStr(attribute->attname)) ? " NOT NULL" : "");
	}
	appendStringInfoString(&command, ") USING heap");
	catalog_run(command.data);
	CommandCounterIncrement();
	table = relation_of_that_name(dataset);
	storage_note(table);
	catalog_ensure_owner(table, owner);
	catalog_grant_defaults(table, owner);
	/* so that DROP EXTENSION says which tables would stay without their keeper */
	catalog_depend_on_extension(RelationRelationId, table);
	CommandCounterIncrement();
	foreach(cell, dataset->indexes)
	{
		IndexBuild	index = {.definition = lfirst(cell)};

		storage_draw(InvalidOid, get_rel_persistence(table), &index.table_number, 1);
		index_create_on_table(&index, table, false);
	}
	return table;
}

/* column 0: of the relation itself; an empty comment is none */
static bool
has_comment(Oid relation, AttrNumber column, const char *wanted)
{
	char	   *present = GetComment(relation, RelationRelationId, column);

	return strcmp(present ? present : "", wanted ? wanted : "") == 0;
}

void
table_comment(const Dataset *dataset, Oid relation)
{
	const char *kind = catalog_relation_kind(relation);
	char	   *name = catalog_relation_name(relation);
	ListCell   *cell;

	if (!has_comment(relation, 0, dataset->description))
		catalog_alter(relation, psprintf("COMMENT ON %s %s IS %s", kind, name,
										 dataset->description ? quote_literal_cstr(dataset->description) : "NULL"));
	foreach(cell, dataset->columns)
	{
		DatasetColumn *column = lfirst(cell);
		AttrNumber	number = get_attnum(relation, column->name);

		if (number == InvalidAttrNumber || has_comment(relation, number, column->description))
			continue;
		catalog_alter(relation, psprintf("COMMENT ON COLUMN %s.%s IS %s", name, quote_identifier(column->name),
										 column->description ? quote_literal_cstr(column->description) : "NULL"));
	}
}

/* A swap may remove a file at any time, so each is opened before it is measured. */
int64
table_bytes(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	int64		blocks = 0;
	Form_pg_class class;

	if (!HeapTupleIsValid(tuple))
		return -1;
	class = (Form_pg_class) GETSTRUCT(tuple);
	if (OidIsValid(class->relfilenode))
	{
		SMgrRelation storage = compat_smgr_open(class->reltablespace ? class->reltablespace : MyDatabaseTableSpace,
												MyDatabaseId, class->relfilenode);

		for (ForkNumber fork = 0; fork <= MAX_FORKNUM; fork++)
			blocks += smgrexists(storage, fork) ? smgrnblocks(storage, fork) : 0;
	}
	ReleaseSysCache(tuple);
	return blocks * BLCKSZ;
}

bool
table_lost_its_rows(const Dataset *dataset)
{
	if (!OidIsValid(dataset->relation))
		return dataset->loaded;
	return get_rel_relkind(dataset->relation) == '\0' ||
		(get_rel_relkind(dataset->relation) == RELKIND_RELATION && dataset->rows > 0 &&
		 table_bytes(dataset->relation) == 0);
}
