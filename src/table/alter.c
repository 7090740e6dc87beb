/*-------------------------------------------------------------------------
 *
 * alter.c
 *		Changes of a table's columns that a new definition asks for.
 *
 * A swap alters the table in the instant in which the new storage appears.  A merge
 * alters it first, and what only the merged rows fulfil (NOT NULL, keys) after.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "table/alter.h"
#include "table/guard.h"
#include "table/index.h"
#include "table/standin.h"
#include "table/storage.h"
#include "table/swap_lock.h"
#include "table/toast.h"

char *
alter_column_definition(Form_pg_attribute attribute)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s %s", quote_identifier(NameStr(attribute->attname)),
					 format_type_extended(attribute->atttypid, attribute->atttypmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	if (OidIsValid(attribute->attcollation) &&
		attribute->attcollation != get_typcollation(attribute->atttypid))
		appendStringInfo(&text, " COLLATE %s", generate_collation_name(attribute->attcollation));
	return text.data;
}

void
alter_columns(const TableBuild *build, const char *name)
{
	Oid			toast = toast_of(build->table);
	ListCell   *cell;

	foreach(cell, build->drop_columns)
		catalog_run(psprintf("ALTER TABLE %s DROP COLUMN %s", name, quote_identifier(lfirst(cell))));
	CommandCounterIncrement();
	for (int i = build->table_desc->natts; i < build->desc->natts; i++)
	{
		catalog_run(psprintf("ALTER TABLE %s ADD COLUMN %s", name,
							 alter_column_definition(TupleDescAttr(build->desc, i))));
	}
	/* columns that are wide may have made one */
	if (toast_of(build->table) != toast)
		storage_note(build->table);
}

void
alter_not_null(const TableBuild *build, const char *name)
{
	Relation	table = table_open(build->table, NoLock);
	TupleDesc	desc = CreateTupleDescCopyConstr(RelationGetDescr(table));

	table_close(table, NoLock);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped || attribute->attnotnull == build->notnull[i])
			continue;
		catalog_run(psprintf("ALTER TABLE %s ALTER COLUMN %s %s NOT NULL", name,
							 quote_identifier(NameStr(attribute->attname)),
							 build->notnull[i] ? "SET" : "DROP"));
	}
}

/* for a merge: columns come and go before the news do; nobody alters it from here on */
void
alter_before_merge(TableBuild *build)
{
	if (build->same_shape && build->drop_indexes == NIL)
	{
		guard_check_table(build, RowExclusiveLock);
		return;
	}
	swap_lock_table(build->table, build->dataset->name);
	guard_check_table(build, NoLock);
	index_drop_planned(build);
	alter_columns(build, catalog_relation_name(build->table));
	CommandCounterIncrement();
}

static bool
has_new_primary_key(const TableBuild *build)
{
	ListCell   *cell;

	foreach(cell, build->indexes)
	{
		const IndexBuild *index = lfirst(cell);

		if (index->definition != NULL && index->definition->primary)
			return true;
	}
	return false;
}

static bool
changes_not_null(const TableBuild *build)
{
	for (int i = 0; i < build->desc->natts; i++)
	{
		bool		before = i < build->table_desc->natts && TupleDescAttr(build->table_desc, i)->attnotnull;

		if (!TupleDescAttr(build->desc, i)->attisdropped && before != build->notnull[i])
			return true;
	}
	return false;
}

/*
 * After a merge.  An index is built beside readers, who only wait where NOT
 * NULL, a primary key or the end of the source's standing in want the strong lock.
 */
void
alter_after_merge(TableBuild *build)
{
	bool		new_definition = build->dataset->changed;
	bool		stands_in = standin_exists(build->dataset);

	if (new_definition)
		index_create_planned(build, false, false);
	if (!stands_in && !(new_definition && (has_new_primary_key(build) || changes_not_null(build))))
		return;
	swap_lock_table(build->table, build->dataset->name);
	standin_end(build->dataset);
	if (new_definition)
	{
		alter_not_null(build, catalog_relation_name(build->table));
		index_create_planned(build, true, false);
	}
}
