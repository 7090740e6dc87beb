/*-------------------------------------------------------------------------
 *
 * column_functions.c
 *		SQL functions about column indexes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/visibilitymap.h"
#include "catalog/index.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "column/column_access.h"
#include "column/column_cover.h"
#include "column/column_marks.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(spice_cover_columns);
PG_FUNCTION_INFO_V1(spice_column_coverage);

/* Row groups that were covered, of all column indexes of the table, under the caller's lock. */
int64
column_cover_table(Relation table)
{
	List	   *indexes = RelationGetIndexList(table);
	ListCell   *cell;
	int64		covered = 0;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), RowExclusiveLock);

		if (column_index_is_valid(index))
			covered += column_cover(table, index);
		index_close(index, RowExclusiveLock);
	}
	list_free(indexes);
	return covered;
}

/*
 * spice_cover_columns(table regclass) returns bigint
 *
 * Covers what has become all visible since; the number of row groups.  The caller owns
 * the table.  The lock is VACUUM's.
 */
Datum
spice_cover_columns(PG_FUNCTION_ARGS)
{
	Oid			oid = PG_GETARG_OID(0);
	Relation	table;
	int64		covered;

	PreventCommandDuringRecovery("spice_cover_columns()");
	table = table_open(oid, ShareUpdateExclusiveLock);
	if (!compat_owns_relation(oid))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(table));
	if (!RELKIND_HAS_TABLE_AM(table->rd_rel->relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table that holds rows", RelationGetRelationName(table)),
				 errhint("Name the partitions, or a table.")));
	covered = column_cover_table(table);
	table_close(table, NoLock);
	PG_RETURN_INT64(covered);
}

/* Blocks that a query would read from columns now. */
static int64
count_vouched(Relation table, Relation index)
{
	BlockNumber end = RelationGetNumberOfBlocks(table);
	ColumnRoot *root = column_root_read(index);
	Buffer		map = InvalidBuffer;
	int64		count = 0;

	for (uint32 group = 0; group < root->groups; group++)
	{
		ColumnEntry entry;
		BlockNumber first = group * COLUMN_GROUP_BLOCKS;

		CHECK_FOR_INTERRUPTS();
		if (!column_entry_read(index, group, &entry) || entry.first == 0)
			continue;
		for (uint32 i = 0; i < entry.blocks && first + i < end; i++)
			count += !column_is_marked(&entry, i) && VM_ALL_VISIBLE(table, first + i, &map);
	}
	if (BufferIsValid(map))
		ReleaseBuffer(map);
	pfree(root);
	return count;
}

/*
 * column_coverage(index regclass, OUT blocks bigint, OUT covered bigint)
 *
 * Blocks of the table, and those of them that a query would read from columns.  Null if the
 * index has gone, is no column index, or another session has locked it or its table.
 */
Datum
spice_column_coverage(PG_FUNCTION_ARGS)
{
	Oid			oid = PG_GETARG_OID(0);
	Oid			table_oid = IndexGetRelation(oid, true);
	Relation	table;
	Relation	index;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!OidIsValid(table_oid) || !ConditionalLockRelationOid(table_oid, AccessShareLock))
		PG_RETURN_NULL();
	table = try_relation_open(table_oid, NoLock);
	if (table == NULL || !ConditionalLockRelationOid(oid, AccessShareLock))
	{
		if (table != NULL)
			relation_close(table, AccessShareLock);
		PG_RETURN_NULL();
	}
	index = try_relation_open(oid, NoLock);
	if (index == NULL || !column_index_is_valid(index))
	{
		if (index != NULL)
			relation_close(index, AccessShareLock);
		relation_close(table, AccessShareLock);
		PG_RETURN_NULL();
	}
	values[0] = Int64GetDatum(RelationGetNumberOfBlocks(table));
	values[1] = Int64GetDatum(count_vouched(table, index));
	relation_close(index, AccessShareLock);
	relation_close(table, AccessShareLock);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
