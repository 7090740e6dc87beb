/*-------------------------------------------------------------------------
 *
 * whole.c
 *		A whole new version of the table, by changes of its rows.
 *
 * A swap writes nothing that logical replication could send on, so a table
 * with subscribers gets its new version as ordinary changes of rows, in one
 * transaction: what left is deleted, what changed updated, what is new
 * inserted.  Rows that stay are not written, not even locked.  Readers keep what
 * their snapshots show and never wait.
 *
 * A version that is valid as a whole must never fail on the way there: two
 * rows may have exchanged values that are unique.  Therefore only rows whose
 * unique columns stay are updated in place; others are deleted, and inserted
 * when nothing else is left to do (diff.c tells fresh rows last).
 *
 * The rows are written through the table access method, as the workers of
 * logical replication do it, not by statements: those would have to be told
 * which rows, and would ask policies that are about readers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"

#include "catalog/relation.h"
#include "catalog/rights.h"
#include "compat.h"
#include "table/alter.h"
#include "table/load/analyze.h"
#include "table/merge/diff.h"
#include "table/merge/whole.h"
#include "table/published.h"

typedef struct Merge
{
	const TableBuild *build;
	Relation	table;
	Relation	news;
	Snapshot	snapshot;
	EState	   *estate;
	ResultRelInfo *result;		/* the table with its indexes */
	BulkInsertState bulk;
	TupleTableSlot *old_slot;
	TupleTableSlot *new_slot;
	TupleTableSlot *written;	/* the new row, with what it shares with the old one */
	Bitmapset  *unique_columns; /* of all unique indexes */
	bool		may_change;		/* subscribers can be told of rows that leave */
	int64		moved;			/* updated by deleting and inserting */
	MergeCounts counts;
} Merge;

/* once, before the first row is changed: a refresh that only adds needs none */
static void
require_identity(Merge *merge)
{
	if (merge->may_change)
		return;
	if (!published_has_identity(merge->table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rows have left table \"%s\" or changed, and its subscribers cannot be told which",
						RelationGetRelationName(merge->table)),
				 errdetail("The table of dataset \"%s\" is in a publication and has neither a primary key nor another replica identity.",
						   merge->build->dataset->name),
				 errhint("Set primary_key in the manifest, or ALTER TABLE %s REPLICA IDENTITY FULL.",
						 catalog_relation_name(merge->build->table))));
	/* conditions of publications may ask for columns that are not in it */
	CheckCmdReplicaIdentity(merge->table, CMD_UPDATE);
	CheckCmdReplicaIdentity(merge->table, CMD_DELETE);
	merge->may_change = true;
}

/* ------- rows ------- */

static void
check_written(const Merge *merge, TM_Result result)
{
	if (result != TM_Ok)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("rows of the table of dataset \"%s\" were changed by another session during the refresh",
						merge->build->dataset->name),
				 errhint("The next refresh works with the rows as they are now.")));
}

static void
fetch_row(const Merge *merge, Relation relation, ItemPointer place, TupleTableSlot *slot)
{
	if (!table_tuple_fetch_row_version(relation, place, merge->snapshot, slot))
		elog(ERROR, "a row of relation \"%s\" has gone", RelationGetRelationName(relation));
}

static void
delete_row(Merge *merge, ItemPointer place)
{
	TM_FailureData failure;

	require_identity(merge);
	check_written(merge, table_tuple_delete(merge->table, place, GetCurrentCommandId(true),
											merge->snapshot, InvalidSnapshot, true, &failure, false));
}

static void
index_row(Merge *merge, TupleTableSlot *slot, bool only_summarizing)
{
	if (merge->result->ri_NumIndices > 0)
		compat_insert_index_tuples(merge->result, slot, merge->estate, only_summarizing);
	ResetPerTupleExprContext(merge->estate);
}

static void
insert_row(void *arg, ItemPointer new_row)
{
	Merge	   *merge = arg;
	TupleTableSlot *slot = merge->new_slot;

	fetch_row(merge, merge->news, new_row, slot);
	table_tuple_insert(merge->table, slot, GetCurrentCommandId(true), 0, merge->bulk);
	index_row(merge, slot, false);
	merge->counts.inserted++;
}

static void
remove_row(void *arg, ItemPointer old_row)
{
	Merge	   *merge = arg;

	delete_row(merge, old_row);
	merge->counts.deleted++;
}

static bool
same_value(const Merge *merge, int i)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(merge->table), i);
	const TupleTableSlot *a = merge->old_slot;
	const TupleTableSlot *b = merge->new_slot;

	if (a->tts_isnull[i] || b->tts_isnull[i])
		return a->tts_isnull[i] && b->tts_isnull[i];
	return datum_image_eq(a->tts_values[i], b->tts_values[i], attribute->attbyval, attribute->attlen);
}

static bool
same_unique_values(const Merge *merge)
{
	int			member = -1;

	while ((member = bms_next_member(merge->unique_columns, member)) >= 0)
	{
		int			i = member + FirstLowInvalidHeapAttributeNumber - 1;

		/* of the row as a whole an index can ask for anything */
		if (i < 0 || !same_value(merge, i))
			return false;
	}
	return true;
}

/* long values that have not changed stay where they are, in the table's TOAST table */
static void
share_toasted(const Merge *merge)
{
	TupleDesc	desc = RelationGetDescr(merge->table);
	TupleTableSlot *written = merge->written;

	ExecClearTuple(written);
	for (int i = 0; i < desc->natts; i++)
	{
		bool		shared = TupleDescAttr(desc, i)->attlen == -1 && !merge->old_slot->tts_isnull[i] &&
		VARATT_IS_EXTERNAL(DatumGetPointer(merge->old_slot->tts_values[i])) && same_value(merge, i);

		written->tts_values[i] = (shared ? merge->old_slot : merge->new_slot)->tts_values[i];
		written->tts_isnull[i] = merge->new_slot->tts_isnull[i];
	}
	ExecStoreVirtualTuple(written);
}

static bool
change_row(void *arg, ItemPointer old_row, ItemPointer new_row)
{
	Merge	   *merge = arg;
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(merge->estate));
	bool		in_place;

	fetch_row(merge, merge->table, old_row, merge->old_slot);
	fetch_row(merge, merge->news, new_row, merge->new_slot);
	slot_getallattrs(merge->old_slot);
	slot_getallattrs(merge->new_slot);
	in_place = same_unique_values(merge);
	if (in_place)
	{
		bool		any_index;
		bool		only_summarizing;

		require_identity(merge);
		share_toasted(merge);
		check_written(merge, compat_tuple_update(merge->table, old_row, merge->written, merge->snapshot,
												 &any_index, &only_summarizing));
		MemoryContextSwitchTo(old);
		if (any_index)
			index_row(merge, merge->written, only_summarizing);
	}
	else
	{
		MemoryContextSwitchTo(old);
		delete_row(merge, old_row);
		merge->moved++;
	}
	ResetPerTupleExprContext(merge->estate);
	merge->counts.updated++;
	return in_place;
}

/* ------- the whole ------- */

/* columns that decide whether a row is in conflict with another */
static Bitmapset *
find_unique_columns(const ResultRelInfo *result)
{
	Bitmapset  *columns = NULL;

	for (int i = 0; i < result->ri_NumIndices; i++)
	{
		const IndexInfo *index = result->ri_IndexRelationInfo[i];

		if (!index->ii_Unique)
			continue;
		for (int j = 0; j < index->ii_NumIndexKeyAttrs; j++)
		{
			if (index->ii_IndexAttrNumbers[j] != 0)
				columns = bms_add_member(columns, index->ii_IndexAttrNumbers[j] - FirstLowInvalidHeapAttributeNumber);
		}
		pull_varattnos((Node *) index->ii_Expressions, 1, &columns);
		pull_varattnos((Node *) index->ii_Predicate, 1, &columns);
	}
	return columns;
}

static void
begin_merge(Merge *merge, const TableBuild *build)
{
	merge->build = build;
	merge->table = table_open(build->table, RowExclusiveLock);
	merge->news = table_open(build->heap, NoLock);
	PushActiveSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	merge->snapshot = GetActiveSnapshot();
	merge->estate = CreateExecutorState();
	merge->result = makeNode(ResultRelInfo);
	InitResultRelInfo(merge->result, merge->table, 0, NULL, 0);
	ExecOpenIndices(merge->result, false);
	merge->unique_columns = find_unique_columns(merge->result);
	merge->bulk = GetBulkInsertState();
	merge->old_slot = table_slot_create(merge->table, NULL);
	merge->new_slot = table_slot_create(merge->news, NULL);
	merge->written = MakeSingleTupleTableSlot(RelationGetDescr(merge->table), &TTSOpsVirtual);
}

static void
end_merge(Merge *merge)
{
	FreeBulkInsertState(merge->bulk);
	ExecDropSingleTupleTableSlot(merge->written);
	ExecDropSingleTupleTableSlot(merge->new_slot);
	ExecDropSingleTupleTableSlot(merge->old_slot);
	ExecCloseIndices(merge->result);
	FreeExecutorState(merge->estate);
	PopActiveSnapshot();
	table_close(merge->news, NoLock);
	table_close(merge->table, NoLock);
	CommandCounterIncrement();
}

static MergeCounts
merge_rows(const TableBuild *build, bool *was_empty)
{
	Merge		merge = {0};
	DiffReceiver receiver = {remove_row, change_row, insert_row, &merge};
	DiffRows	table = {0};
	DiffRows	news = {0};

	begin_merge(&merge, build);
	table.relation = merge.table;
	news.relation = merge.news;
	merge.counts.unchanged = diff_run(&table, &news, true, merge.snapshot, &receiver, was_empty);
	merge.counts.inserted -= merge.moved;
	end_merge(&merge);
	return merge.counts;
}

MergeCounts
whole_merge(TableBuild *build)
{
	CatalogRights rights;
	MergeCounts counts;
	bool		was_empty;

	alter_before_merge(build);
	catalog_enter_unfiltered(build->dataset, &rights);
	counts = merge_rows(build, &was_empty);
	catalog_leave(&rights);
	alter_after_merge(build);
	build_drop(build->heap);

	/*
	 * of a table that changes bit by bit autovacuum knows; one that has just been filled is asked
	 * at once
	 */
	if (was_empty && counts.inserted > 0)
		analyze_relation(build->table);
	return counts;
}
