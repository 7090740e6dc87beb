/*-------------------------------------------------------------------------
 *
 * column_access.c
 *		The index access method "spice_columns".
 *
 * The index answers no scan.  It is an index because the server tells an index of
 * every new row and, before a block can be all visible again, of every dead one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/index.h"
#include "commands/vacuum.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "optimizer/cost.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "column/column_access.h"
#include "column/column_cover.h"
#include "column/column_marks.h"
#include "column/column_pages.h"
#include "compat.h"

bool		column_build_empty = false;

PG_FUNCTION_INFO_V1(spice_columns_handler);

static IndexBuildResult *columns_build(Relation heap, Relation index, IndexInfo *info);

static void
refuse_definition(Relation index, IndexInfo *info)
{
	if (info->ii_Expressions != NIL || info->ii_Predicate != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("access method \"spice_columns\" does not support %s",
						info->ii_Predicate != NIL ? "partial indexes" : "expressions"),
				 errdetail("Index \"%s\" is to hold columns of its table, of all rows.",
						   RelationGetRelationName(index)),
				 errhint("Name columns, and no WHERE.")));
}

bool
column_index_is_valid(Relation index)
{
	return index->rd_indam != NULL && index->rd_indam->ambuild == columns_build && index->rd_index->indisvalid;
}

/* Beside writers, an index begins empty, and VACUUM covers. */
static IndexBuildResult *
columns_build(Relation heap, Relation index, IndexInfo *info)
{
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));

	refuse_definition(index, info);
	column_root_make(index, MAIN_FORKNUM);
	if (!info->ii_Concurrent && !column_build_empty)
		(void) column_cover(heap, index);
	result->heap_tuples = Max(heap->rd_rel->reltuples, 0);
	result->index_tuples = result->heap_tuples;
	return result;
}

static void
columns_build_empty(Relation index)
{
	column_root_make(index, INIT_FORKNUM);
}

static bool
columns_insert(Relation index, Datum *values, bool *nulls, ItemPointer tid, Relation heap,
			   IndexUniqueCheck unique, bool unchanged, IndexInfo *info)
{
	(void) values;
	(void) nulls;
	(void) heap;
	(void) unique;
	(void) unchanged;
	(void) info;
	column_mark(index, ItemPointerGetBlockNumber(tid));
	return false;
}

/* ------- VACUUM ------- */

static bool
any_is_dead(BlockNumber block, OffsetNumber last, IndexBulkDeleteCallback callback, void *state)
{
	ItemPointerData tid;

	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemPointerSet(&tid, block, offset);
		if (callback(&tid, state))
			return true;
	}
	return false;
}

/* Line pointers that a block got after it was covered belong to insertions, which have marked it. */
static void
mark_dead_rows(Relation index, uint32 group, const ColumnEntry *entry, IndexBulkDeleteCallback callback, void *state)
{
	ColumnStamp stamp = {COLUMN_MAGIC, group, entry->version, 0};
	uint64		offset = sizeof(ColumnHeader) +
	sizeof(ColumnChunk) * IndexRelationGetNumberOfKeyAttributes(index);
	ColumnBlock *blocks = palloc(sizeof(ColumnBlock) * entry->blocks);

	column_pages_copy(index, entry->first, &stamp, offset, sizeof(ColumnBlock) * entry->blocks,
					  (char *) blocks, NULL);
	for (uint32 i = 0; i < entry->blocks; i++)
	{
		BlockNumber block = group * COLUMN_GROUP_BLOCKS + i;

		if (!column_is_marked(entry, i) && any_is_dead(block, blocks[i].last_offset, callback, state))
			column_mark(index, block);
	}
	pfree(blocks);
}

static IndexBulkDeleteResult *
columns_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *result,
					IndexBulkDeleteCallback callback, void *state)
{
	ColumnRoot *root = column_root_read(info->index);
	ColumnEntry entry;

	if (result == NULL)
		result = palloc0(sizeof(IndexBulkDeleteResult));
	for (uint32 group = 0; group < root->groups; group++)
	{
		compat_vacuum_delay_point();
		if (column_entry_read(info->index, group, &entry) && entry.first != 0)
			mark_dead_rows(info->index, group, &entry, callback, state);
	}
	pfree(root);
	return result;
}

static IndexBulkDeleteResult *
columns_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *result)
{
	Relation	heap;

	if (info->analyze_only)
		return result;
	if (result == NULL)
		result = palloc0(sizeof(IndexBulkDeleteResult));
	/* VACUUM holds the table's lock, and has made visible what can be */
	heap = table_open(IndexGetRelation(RelationGetRelid(info->index), false), NoLock);
	(void) column_cover(heap, info->index);
	table_close(heap, NoLock);
	result->num_pages = RelationGetNumberOfBlocks(info->index);
	result->estimated_count = true;
	result->num_index_tuples = info->num_heap_tuples;
	return result;
}

/* ------- what the planner asks ------- */

/* No clause fits, as there is no operator, so no path is made. */
static void
columns_cost(struct PlannerInfo *root, struct IndexPath *path, double loops, Cost *startup, Cost *total,
			 Selectivity * selectivity, double *correlation, double *pages)
{
	(void) root;
	(void) path;
	(void) loops;
	*startup = disable_cost;
	*total = disable_cost;
	*selectivity = 1;
	*correlation = 0;
	*pages = 1;
}

static bytea *
columns_options(Datum options, bool validate)
{
	if (validate && DatumGetPointer(options) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("access method \"spice_columns\" has no storage parameters"),
				 errhint("Leave out WITH.")));
	return NULL;
}

static bool
columns_validate(Oid operator_class)
{
	(void) operator_class;
	return true;
}

static IndexScanDesc
columns_begin_scan(Relation index, int keys, int order_by)
{
	(void) keys;
	(void) order_by;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("access method \"spice_columns\" does not support index scans"),
			 errdetail("Index \"%s\" serves aggregates over its table.", RelationGetRelationName(index))));
}

static void
columns_rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey order_by, int n_order_by)
{
	(void) scan;
	(void) keys;
	(void) n_keys;
	(void) order_by;
	(void) n_order_by;
}

static void
columns_end_scan(IndexScanDesc scan)
{
	(void) scan;
}

Datum
spice_columns_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = makeNode(IndexAmRoutine);

	(void) fcinfo;
	routine->amcanmulticol = true;
	routine->amkeytype = InvalidOid;
	routine->amparallelvacuumoptions = VACUUM_OPTION_NO_PARALLEL;
	routine->ambuild = columns_build;
	routine->ambuildempty = columns_build_empty;
	routine->aminsert = columns_insert;
	routine->ambulkdelete = columns_bulk_delete;
	routine->amvacuumcleanup = columns_vacuum_cleanup;
	routine->amcostestimate = columns_cost;
	routine->amoptions = columns_options;
	routine->amvalidate = columns_validate;
	routine->ambeginscan = columns_begin_scan;
	routine->amrescan = columns_rescan;
	routine->amendscan = columns_end_scan;
	PG_RETURN_POINTER(routine);
}
