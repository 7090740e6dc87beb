/*-------------------------------------------------------------------------
 *
 * swap.c
 *		The table takes over the storage of the new heap and its indexes.
 *
 * Core's swap_relation_files is private to it, and finish_heap_swap rebuilds
 * the indexes under the lock; so the few catalog changes that make up a swap
 * are spelt out here: file numbers, TOAST tables, counts, statistics.
 *
 * The strong lock is the one thing that readers can notice.  It is asked for
 * only when everything is built, without queueing at first: a request that
 * waits in the queue would hold up every reader that comes after it.  When a
 * table is never idle, short waits follow, each as long as a reader can be
 * made to wait, with pauses between them in which the readers catch up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/dataset.h"
#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/dependency.h"
#include "catalog/heap.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "commands/tablecmds.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "spice.h"
#include "table/table.h"

#define EAGER_TRIES		200		/* without queueing, one a millisecond */
#define QUEUE_TIME_MS	10		/* how long a reader may be held up */
#define PAUSE_TIME_MS	40		/* and then catch up */

static void
pause_ms(long ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* waits in the queue for a moment; false when the moment is over */
static bool
try_lock_queued(Oid table)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			lock_timeout = LockTimeout;
	bool		timed = get_timeout_active(STATEMENT_TIMEOUT);
	volatile bool locked = false;

	BeginInternalSubTransaction(NULL);
	LockTimeout = QUEUE_TIME_MS;
	PG_TRY();
	{
		LockRelationOid(table, AccessExclusiveLock);
		LockTimeout = lock_timeout;
		ReleaseCurrentSubTransaction();
		locked = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		LockTimeout = lock_timeout;
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			ReThrowError(error);
		FlushErrorState();
		FreeErrorData(error);
	}
	PG_END_TRY();
	/* of two timeouts at once the server tells the one that was due first, and forgets the other */
	if (!locked && timed && !get_timeout_active(STATEMENT_TIMEOUT))
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to statement timeout")));
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return locked;
}

static void
lock_table_for_swap(Oid table, const char *dataset)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), spice_swap_timeout);

	for (int attempt = 0;; attempt++)
	{
		if (attempt < EAGER_TRIES)
		{
			if (ConditionalLockRelationOid(table, AccessExclusiveLock))
				return;
			pause_ms(1);
		}
		else
		{
			if (try_lock_queued(table))
				return;
			pause_ms(PAUSE_TIME_MS);
		}
		if (GetCurrentTimestamp() >= deadline)
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("table of dataset \"%s\" was in use for all of spice.swap_timeout", dataset),
					 errdetail("A session has held a lock on table \"%s\" for %d ms.",
							   get_rel_name(table), spice_swap_timeout),
					 errhint("End the long transaction that reads the table (see pg_locks), or raise spice.swap_timeout.")));
	}
}

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

static Oid
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

/* after the old one is gone: names say which table a TOAST table serves */
static void
rename_toast(Oid table)
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
build_settle_toast(TableBuild *build)
{
	if (!OidIsValid(toast_of(build->heap)) && !toast_is_reusable(build))
		build_add_toast(build);
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
		attach_toast(toast_of(build->table), build->table);
		attach_toast(toast_of(build->heap), build->heap);
	}
	if (build->statistics != NULL)
		build_hand_over_statistics(build);
	else
		hand_over_statistics(build->table, build->heap);
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
		swap_entries(pg_class, index->old_index, index->new_index, false);
		CommandCounterIncrement();
		/* expressions have statistics, and are for ANALYZE */
		if (build->statistics == NULL)
			hand_over_statistics(index->old_index, index->new_index);
	}
}

/* has anybody changed the table since its successor was planned? */
void
build_check_table(const TableBuild *build, LOCKMODE lockmode)
{
	Relation	table = try_relation_open(build->table, lockmode);
	bool		changed;

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table of dataset \"%s\" was dropped during the refresh",
						build->dataset->name)));
	CheckTableNotInUse(table, "refresh");
	refuse_unswappable(table, build->dataset);
	changed = !equalTupleDescs(RelationGetDescr(table), build->table_desc) ||
		!equal(RelationGetIndexList(table), build->old_indexes);
	table_close(table, NoLock);
	if (changed)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table of dataset \"%s\" was altered during the refresh",
						build->dataset->name),
				 errhint("The next refresh works with the table as it is now.")));
}

/* subscribers who have come meanwhile would not see the swap */
static void
check_unpublished(const TableBuild *build)
{
	if (!build->published && table_is_published(build->table))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table of dataset \"%s\" became part of a publication during the refresh",
						build->dataset->name),
				 errhint("The next refresh changes rows, which subscribers see.")));
}

static void
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
							 column_definition(TupleDescAttr(build->desc, i))));
	}
	/* columns that are wide may have made one */
	if (toast_of(build->table) != toast)
		storage_note(build->table);
}

static void
drop_indexes(const TableBuild *build)
{
	ListCell   *cell;

	foreach(cell, build->drop_indexes)
	{
		Oid			index = lfirst_oid(cell);
		Oid			constraint = get_index_constraint(index);
		ObjectAddress object;

		/* gone already, with a column */
		if (get_rel_relkind(index) != RELKIND_INDEX)
			continue;
		if (OidIsValid(constraint))
			ObjectAddressSet(object, ConstraintRelationId, constraint);
		else
			ObjectAddressSet(object, RelationRelationId, index);
		performDeletion(&object, DROP_RESTRICT, 0);
		CommandCounterIncrement();
	}
}

static void
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

/*
 * Indexes that the manifest newly asks for, the primary key or the others.
 * skip_build: catalog entries without storage, which swap_indexes() then fills.
 */
static void
create_indexes(TableBuild *build, bool primary, bool skip_build)
{
	ListCell   *cell;

	foreach(cell, build->indexes)
	{
		IndexBuild *index = lfirst(cell);

		if (index->definition != NULL && index->definition->primary == primary)
			index_create_on_table(index, build->table, skip_build);
	}
}

/* for a merge: columns come and go before the news do; nobody alters it from here on */
void
build_alter(TableBuild *build)
{
	if (build->same_shape && build->drop_indexes == NIL)
	{
		build_check_table(build, RowExclusiveLock);
		return;
	}
	lock_table_for_swap(build->table, build->dataset->name);
	build_check_table(build, NoLock);
	drop_indexes(build);
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
build_settle(TableBuild *build)
{
	bool		new_definition = build->dataset->changed;
	bool		stands_in = table_has_stand_in(build->dataset);

	if (new_definition)
		create_indexes(build, false, false);
	if (!stands_in && !(new_definition && (has_new_primary_key(build) || changes_not_null(build))))
		return;
	lock_table_for_swap(build->table, build->dataset->name);
	table_stand_down(build->dataset);
	if (new_definition)
	{
		alter_not_null(build, catalog_relation_name(build->table));
		create_indexes(build, true, false);
	}
}

void
build_swap(TableBuild *build)
{
	char	   *name;
	bool		new_definition = build->dataset->changed;
	Relation	pg_class,
				table;

	lock_table_for_swap(build->table, build->dataset->name);
	build_check_table(build, NoLock);
	check_unpublished(build);
	name = catalog_relation_name(build->table);
	table_stand_down(build->dataset);
	if (new_definition)
		drop_indexes(build);
	alter_columns(build, name);
	/* somebody may have put something in since we looked */
	build_settle_toast(build);
	pg_class = table_open(RelationRelationId, RowExclusiveLock);
	swap_heap(build, pg_class);
	if (new_definition)
	{
		/* NOT NULL first: a primary key wants it, and only the new rows fulfil it */
		alter_not_null(build, name);
		create_indexes(build, true, true);
		create_indexes(build, false, true);
	}
	swap_indexes(build, pg_class);
	table_close(pg_class, RowExclusiveLock);
	build_drop(build->heap);
	rename_toast(build->table);

	/* autovacuum shall neither vacuum nor analyze what is frozen and analyzed */
	table = table_open(build->table, NoLock);
	if (RelationGetStatExtList(table) == NIL)
		compat_report_analyze(table, build->rows);
	else
		/* extended statistics hang on the table itself: leave them to autovacuum */
		pgstat_count_heap_insert(table, build->rows);
	table_close(table, NoLock);
}
