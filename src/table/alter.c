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

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "compat.h"
#include "table/abort.h"
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

/* as the owner, because a domain of the owner may be evaluated */
void
alter_columns(const TableBuild *build)
{
	char	   *name = catalog_relation_name(build->table);
	Oid			toast = toast_of(build->table);
	CatalogRights rights;
	ListCell   *cell;

	if (build->same_shape)
		return;
	abort_durably();
	catalog_enter_as_owner(build->dataset, &rights);
	foreach(cell, build->drop_columns)
		catalog_run(psprintf("ALTER TABLE %s DROP COLUMN %s", name, quote_identifier(lfirst(cell))));
	CommandCounterIncrement();
	for (int i = build->table_desc->natts; i < build->desc->natts; i++)
		catalog_run(psprintf("ALTER TABLE %s ADD COLUMN %s", name,
							 alter_column_definition(TupleDescAttr(build->desc, i))));
	catalog_leave(&rights);
	CommandCounterIncrement();
	/* columns that are wide may have made one */
	if (toast_of(build->table) != toast)
		storage_note(build->table);
}

/* ------- NOT NULL ------- */

/* ALTER TABLE SET NOT NULL scans the table.  The rows of the new heap have been checked. */
static void
set_not_null(Oid table, Form_pg_attribute column)
{
	Relation	pg_attribute = table_open(AttributeRelationId, RowExclusiveLock);
	HeapTuple	tuple;

	compat_add_not_null(table, NameStr(column->attname));
	tuple = SearchSysCacheCopyAttNum(table, column->attnum);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for attribute %d of relation %u", column->attnum, table);
	((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull = true;
	CatalogTupleUpdate(pg_attribute, &tuple->t_self, tuple);
	heap_freetuple(tuple);
	table_close(pg_attribute, RowExclusiveLock);
	CommandCounterIncrement();
}

static TupleDesc
copy_descriptor(Oid oid)
{
	Relation	table = table_open(oid, NoLock);
	TupleDesc	desc = CreateTupleDescCopyConstr(RelationGetDescr(table));

	table_close(table, NoLock);
	return desc;
}

void
alter_not_null(const TableBuild *build)
{
	TupleDesc	desc = copy_descriptor(build->table);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped || attribute->attnotnull == build->notnull[i])
			continue;
		if (build->notnull[i])
			set_not_null(build->table, attribute);
		else
			catalog_alter(build->table, psprintf("ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL",
												 catalog_relation_name(build->table),
												 quote_identifier(NameStr(attribute->attname))));
	}
}

/* ------- around a merge ------- */

static bool
change_before_merge(void *arg)
{
	TableBuild *build = arg;

	guard_check_table(build, NoLock);
	index_drop_planned(build);
	alter_columns(build);
	return true;
}

void
alter_before_merge(TableBuild *build)
{
	SwapChange	change = {NULL, change_before_merge, build};

	if (build->same_shape && build->drop_indexes == NIL)
		guard_check_table(build, RowExclusiveLock);
	else
		swap_lock_and_change(build->table, build->dataset->name, &change);
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

/* Writers are locked out; a row that one of them wrote during the merge may have a null. */
static void
refuse_nulls(const TableBuild *build)
{
	StringInfoData condition;
	CatalogRights rights;

	initStringInfo(&condition);
	for (int i = 0; i < build->desc->natts; i++)
	{
		if (build->notnull[i])
			appendStringInfo(&condition, "%s%s IS NULL", condition.len ? " OR " : "",
							 quote_identifier(NameStr(TupleDescAttr(build->desc, i)->attname)));
	}
	if (condition.len == 0)
		return;
	catalog_enter_unfiltered(build->dataset, &rights);
	SPI_connect();
	catalog_execute(psprintf("SELECT FROM %s WHERE %s LIMIT 1", catalog_relation_name(build->table),
							 condition.data), 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("a row with a null was written to the table of dataset \"%s\" during the refresh",
						build->dataset->name),
				 errhint("The next refresh works with the rows as they are now.")));
	SPI_finish();
	catalog_leave(&rights);
}

static bool
change_after_merge(void *arg)
{
	TableBuild *build = arg;

	standin_end(build->dataset);
	if (build->dataset->changed)
	{
		alter_not_null(build);
		index_promote_primary(build);
	}
	return true;
}

/* What is built and checked is so beside readers; only catalog entries change under the lock. */
void
alter_after_merge(TableBuild *build)
{
	SwapChange	change = {NULL, change_after_merge, build};
	bool		not_null = build->dataset->changed && changes_not_null(build);

	if (build->dataset->changed)
		index_build_on_table(build);
	if (not_null)
	{
		swap_lock_out_writers(build->table, build->dataset->name);
		refuse_nulls(build);
	}
	if (not_null || index_has_new_primary(build) || standin_exists(build->dataset))
		swap_lock_and_change(build->table, build->dataset->name, &change);
}
