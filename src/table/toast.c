/*-------------------------------------------------------------------------
 *
 * toast.c
 *		TOAST tables of a new heap, and of the table that takes over its storage.
 *
 * A TOAST table with its index costs more than a small heap does, so the heap gets
 * one when the first of its values needs it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/toasting.h"
#include "commands/tablecmds.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "catalog/rights.h"
#include "compat.h"
#include "table/storage.h"
#include "table/toast.h"

Oid
toast_of(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			toast;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	toast = ((Form_pg_class) GETSTRUCT(tuple))->reltoastrelid;
	ReleaseSysCache(tuple);
	return toast;
}

void
toast_attach(Oid toast, Oid relation)
{
	ObjectAddress dependent,
				referenced;

	if (!OidIsValid(toast))
		return;
	deleteDependencyRecordsFor(RelationRelationId, toast, false);
	ObjectAddressSet(dependent, RelationRelationId, toast);
	ObjectAddressSet(referenced, RelationRelationId, relation);
	recordDependencyOn(&dependent, &referenced, DEPENDENCY_INTERNAL);
}

/* after the old one is gone: names say which table a TOAST table serves */
void
toast_rename(Oid table)
{
	Oid			toast = toast_of(table);
	char		name[NAMEDATALEN];
	Relation	relation;
	Oid			index;

	snprintf(name, sizeof(name), "pg_toast_%u", table);
	if (!OidIsValid(toast) || strcmp(get_rel_name(toast), name) == 0)
		return;
	relation = table_open(toast, AccessExclusiveLock);
	index = linitial_oid(RelationGetIndexList(relation));
	table_close(relation, NoLock);
	RenameRelationInternal(toast, name, true, false);
	snprintf(name, sizeof(name), "pg_toast_%u_index", table);
	RenameRelationInternal(index, name, true, true);
	CommandCounterIncrement();
}

/*
 * Only the function that makes the TOAST tables of system catalogs can be told
 * which numbers to take.  It finds the heap by its name alone, which a search_path
 * cannot lead to in every schema ("$user"): there the server chooses.
 */
static void
create_toast(const TableBuild *build, Relation heap)
{
	char	   *name = pstrdup(RelationGetRelationName(heap));

	catalog_pin_setting("search_path", psprintf("%s, pg_temp",
												quote_identifier(get_namespace_name(RelationGetNamespace(heap)))));
	if (RelnameGetRelid(name) == build->heap)
		BootstrapToastTable(name, build->toast_number, build->toast_index_number);
	else
	{
		NewRelationCreateToastTable(build->heap, (Datum) 0);
		CommandCounterIncrement();
		storage_note(build->heap);
	}
}

void
toast_add(TableBuild *build)
{
	Relation	heap = table_open(build->heap, AccessExclusiveLock);
	CatalogRights rights;

	if (!OidIsValid(heap->rd_rel->reltoastrelid) && table_relation_needs_toast_table(heap))
	{
		catalog_enter(&rights);
		create_toast(build, heap);
		catalog_leave(&rights);
		CommandCounterIncrement();
	}
	table_close(heap, NoLock);
}

/* nothing in it, and of the kind that the new heap is of: the table may keep it */
static bool
toast_is_reusable(const TableBuild *build)
{
	Oid			toast = toast_of(build->table);
	Relation	relation;
	bool		empty;

	if (!OidIsValid(toast) ||
		get_rel_persistence(build->table) != get_rel_persistence(build->heap))
		return false;
	relation = table_open(toast, AccessShareLock);
	empty = RelationGetNumberOfBlocks(relation) == 0;
	table_close(relation, AccessShareLock);
	return empty;
}

/* if no value has needed one: the table keeps its own, or takes over an empty one */
void
toast_settle(TableBuild *build)
{
	if (!OidIsValid(toast_of(build->heap)) && !toast_is_reusable(build))
		toast_add(build);
}
