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
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "catalog/pinned.h"
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

static void
attach_toast(Oid toast, Oid relation)
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

void
toast_keep_options(Oid from, Oid to)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(from));
	Relation	pg_class;
	Datum		values[Natts_pg_class] = {0};
	bool		nulls[Natts_pg_class] = {0};
	bool		replaces[Natts_pg_class] = {0};
	int			i = Anum_pg_class_reloptions - 1;

	/* one of them is missing, or they are the same */
	if (!HeapTupleIsValid(tuple))
		return;
	values[i] = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &nulls[i]);
	replaces[i] = true;
	if (!nulls[i] && OidIsValid(to) && from != to)
	{
		HeapTuple	changed;

		pg_class = table_open(RelationRelationId, RowExclusiveLock);
		changed = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(to));
		changed = heap_modify_tuple(changed, RelationGetDescr(pg_class), values, nulls, replaces);
		CatalogTupleUpdate(pg_class, &changed->t_self, changed);
		table_close(pg_class, RowExclusiveLock);
		CommandCounterIncrement();
	}
	ReleaseSysCache(tuple);
}

void
toast_hand_over(Oid table, Oid heap)
{
	attach_toast(toast_of(table), table);
	attach_toast(toast_of(heap), heap);
}

/*
 * Its rows are frozen, so autovacuum has nothing to do; but each of them has been counted as
 * inserted, and a vacuum after each refresh would be in the way of the next.
 */
void
toast_forget_inserts(Oid table)
{
	Oid			toast = toast_of(table);
	Relation	relation;
	PgStat_Counter inserted = 0;
	PgStat_TableXactStatus *level;

	if (!OidIsValid(toast))
		return;
	relation = table_open(toast, NoLock);
	pgstat_count_heap_insert(relation, 0);
	/* unless track_counts is off */
	if (relation->pgstat_info != NULL)
	{
		for (level = relation->pgstat_info->trans; level != NULL; level = level->upper)
			inserted += level->tuples_inserted;
		pgstat_count_heap_insert(relation, -inserted);
	}
	table_close(relation, NoLock);
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

bool
toast_is_settled(const TableBuild *build)
{
	Relation	heap;
	bool		settled = OidIsValid(toast_of(build->heap)) || toast_is_reusable(build);

	if (settled)
		return true;
	heap = table_open(build->heap, NoLock);
	settled = !table_relation_needs_toast_table(heap);
	table_close(heap, NoLock);
	return settled;
}

void
toast_settle(TableBuild *build)
{
	if (!toast_is_settled(build))
		toast_add(build);
}
