/*-------------------------------------------------------------------------
 *
 * swap.c
 *		The table takes over the storage of the new heap and its indexes.
 *
 * Core's swap_relation_files is private to it, and finish_heap_swap rebuilds
 * the indexes under the lock.  So the few catalog changes that make up a swap
 * are spelt out here: file numbers, TOAST tables, counts, statistics.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/heap.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "table/alter.h"
#include "table/build.h"
#include "table/guard.h"
#include "table/index.h"
#include "table/standin.h"
#include "table/swap.h"
#include "table/swap_lock.h"
#include "table/toast.h"

#define SWAP(type, a, b) do { type swap_ = (a); (a) = (b); (b) = swap_; } while (0)

/* the new storage is known to be of this transaction, as far as WAL goes */
static void
swap_relcache(Oid table, Oid heap)
{
	Relation	a = relation_open(table, NoLock);
	Relation	b = relation_open(heap, NoLock);

	compat_swap_storage_subids(a, b);
	relation_close(a, NoLock);
	relation_close(b, NoLock);
}

/* of a heap or an index: the entries in pg_class */
static void
swap_entries(Relation pg_class, Oid a, Oid b, bool toast)
{
	HeapTuple	tuple_a = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(a));
	HeapTuple	tuple_b = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(b));
	Form_pg_class class_a,
				class_b;
	CatalogIndexState indexes;

	if (!HeapTupleIsValid(tuple_a) || !HeapTupleIsValid(tuple_b))
		elog(ERROR, "cache lookup failed for relation %u or %u", a, b);
	class_a = (Form_pg_class) GETSTRUCT(tuple_a);
	class_b = (Form_pg_class) GETSTRUCT(tuple_b);

	SWAP(Oid, class_a->relfilenode, class_b->relfilenode);
	SWAP(Oid, class_a->reltablespace, class_b->reltablespace);
	SWAP(char, class_a->relpersistence, class_b->relpersistence);
	if (toast)
		SWAP(Oid, class_a->reltoastrelid, class_b->reltoastrelid);
	SWAP(TransactionId, class_a->relfrozenxid, class_b->relfrozenxid);
	SWAP(MultiXactId, class_a->relminmxid, class_b->relminmxid);
	SWAP(int32, class_a->relpages, class_b->relpages);
	SWAP(float4, class_a->reltuples, class_b->reltuples);
	SWAP(int32, class_a->relallvisible, class_b->relallvisible);
	compat_swap_allfrozen(class_a, class_b);

	indexes = CatalogOpenIndexes(pg_class);
	CatalogTupleUpdateWithInfo(pg_class, &tuple_a->t_self, tuple_a, indexes);
	CatalogTupleUpdateWithInfo(pg_class, &tuple_b->t_self, tuple_b, indexes);
	CatalogCloseIndexes(indexes);
	heap_freetuple(tuple_a);
	heap_freetuple(tuple_b);
	swap_relcache(a, b);
}

/* what ANALYZE has found */
static void
hand_over_statistics(Oid to, Oid from)
{
	RemoveStatistics(to, 0);
	CommandCounterIncrement();
	CopyStatistics(from, to);
	CommandCounterIncrement();
}

/* the table's rows, TOAST table and statistics are the new heap's from here on */
static void
swap_heap(const TableBuild *build, Relation pg_class)
{
	bool		toast = OidIsValid(toast_of(build->heap));

	swap_entries(pg_class, build->table, build->heap, toast);
	CommandCounterIncrement();
	if (toast)
	{
		toast_hand_over(build->table, build->heap);
		CommandCounterIncrement();
	}
	if (build->analyzed)
		hand_over_statistics(build->table, build->heap);
}

/*
 * As TRUNCATE does: serializable transactions that have read the rows which go are in conflict
 * with this one.  As CLUSTER does: their predicate locks name rows and pages of storage that
 * changes hands, so they become locks on the whole.
 */
static void
check_serializable(Oid oid)
{
	Relation	table = table_open(oid, NoLock);
	ListCell   *cell;

	CheckTableForSerializableConflictIn(table);
	TransferPredicateLocksToHeapRelation(table);
	foreach(cell, RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(cell), NoLock);

		TransferPredicateLocksToHeapRelation(index);
		index_close(index, NoLock);
	}
	table_close(table, NoLock);
}

static void
swap_indexes(const TableBuild *build, Relation pg_class)
{
	ListCell   *cell;

	foreach(cell, build->indexes)
	{
		IndexBuild *index = lfirst(cell);

		/* an expression index may have gone with a column it used */
		if (get_rel_relkind(index->old_index) != RELKIND_INDEX)
			continue;
		/* ALTER INDEX SET TABLESPACE, since the copy was made */
		if (get_rel_tablespace(index->old_index) != get_rel_tablespace(index->new_index))
			guard_refuse_altered(build);
		swap_entries(pg_class, index->old_index, index->new_index, false);
		CommandCounterIncrement();
		/* those of its expressions */
		if (build->analyzed)
			hand_over_statistics(index->old_index, index->new_index);
	}
}

static bool
adds_columns(const TableBuild *build)
{
	return build->desc->natts > build->table_desc->natts;
}

/* Before each attempt: what makes storage that outlives it, or must have a new number. */
static void
prepare_swap(void *arg)
{
	TableBuild *build = arg;

	toast_settle(build);
	index_draw_numbers(build);
	if (adds_columns(build) && !OidIsValid(build->empty))
	{
		Relation	table = try_relation_open(build->table, AccessShareLock);

		/* the attempt tells that the table has gone */
		if (table == NULL)
			return;
		build->heaps++;
		build->empty = build_create_heap(build, table);
		relation_close(table, AccessShareLock);
	}
}

/*
 * ALTER TABLE rewrites the table if a new column's type is a domain with constraints.  The rows
 * of the new heap have the column already, and those of the old one are about to go.  So the
 * table is given an empty heap first, which takes no time to rewrite.
 */
static void
alter_empty_table(const TableBuild *build, Relation pg_class)
{
	if (adds_columns(build))
	{
		swap_entries(pg_class, build->table, build->empty, false);
		CommandCounterIncrement();
	}
	alter_columns(build);
}

static bool
swap_storage(void *arg)
{
	TableBuild *build = arg;
	bool		new_definition = build->dataset->changed;
	Oid			toast = toast_of(build->table);
	Relation	pg_class;

	guard_check_table(build, NoLock);
	guard_check_unpublished(build);
	/* a session may have put something in since it was looked at */
	if (!toast_is_settled(build))
		return false;
	check_serializable(build->table);
	standin_end(build->dataset);
	if (new_definition)
		index_drop_planned(build);
	pg_class = table_open(RelationRelationId, RowExclusiveLock);
	alter_empty_table(build, pg_class);
	swap_heap(build, pg_class);
	if (new_definition)
	{
		/* NOT NULL first: a primary key wants it, and only the new rows fulfil it */
		alter_not_null(build);
		index_create_planned(build);
	}
	swap_indexes(build, pg_class);
	table_close(pg_class, RowExclusiveLock);
	toast_keep_options(toast, toast_of(build->table));
	build_drop(build->heap);
	if (OidIsValid(build->empty))
		build_drop(build->empty);
	toast_rename(build->table);
	return true;
}

void
swap_table(TableBuild *build)
{
	SwapChange	change = {prepare_swap, swap_storage, build};
	Relation	table;

	swap_lock_and_change(build->table, build->dataset->name, &change);
	toast_forget_inserts(build->table);

	/* as after TRUNCATE and INSERT: autovacuum decides whether to analyze */
	table = table_open(build->table, NoLock);
	pgstat_count_truncate(table);
	pgstat_count_heap_insert(table, build->rows);
	table_close(table, NoLock);
}
