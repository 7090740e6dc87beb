/*-------------------------------------------------------------------------
 *
 * vector_top.c
 *		The custom scan "SpiceColumnsTop": the first rows of an order.
 *
 * A heap keeps the best rows so far, the worst of them on top, by their keys and where
 * they are.  When it is full, a batch is first narrowed to rows whose first key is not
 * worse than that of the worst.  In the end the rows are fetched from the table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "executor/executor.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sortsupport.h"

#include "vector/vector_explain.h"
#include "vector/vector_rows.h"
#include "vector/vector_top.h"

typedef struct TopRow
{
	Datum	   *values;
	bool	   *nulls;
	ItemPointerData tid;
	bool		is_exact;		/* a tuple's, and not that of an index entry */
} TopRow;

typedef struct TopScan
{
	CustomScanState custom;		/* first */
	VectorRows	rows;
	List	   *columns;
	int			keys;
	VectorExpression **key;
	SortSupport sort;			/* of each key */
	bool		is_ascending;	/* the first key */
	int			most;
	int			count;
	TopRow	   *row;
	TopRow		candidate;
	MemoryContext memory;		/* of the keys' values */
	TupleTableSlot *slot;
	bool		is_collected;
	int			next;
} TopScan;

static Node *create_state(CustomScan *plan);

const CustomScanMethods top_scan_methods = {"SpiceColumnsTop", create_state};

/* ---------------------------------------------------------------- begin */

static void
make_row(TopScan *scan, TopRow *row)
{
	row->values = palloc0(scan->keys * sizeof(Datum));
	row->nulls = palloc0(scan->keys * sizeof(bool));
}

static void
prepare_sort(TopScan *scan, List *operators, List *nulls_first)
{
	scan->sort = palloc0(scan->keys * sizeof(SortSupportData));
	for (int i = 0; i < scan->keys; i++)
	{
		SortSupport sort = &scan->sort[i];

		sort->ssup_cxt = CurrentMemoryContext;
		sort->ssup_collation = expression_type(scan->key[i])->collation;
		sort->ssup_nulls_first = list_nth_int(nulls_first, i) != 0;
		PrepareSortSupportFromOrderingOp(list_nth_oid(operators, i), sort);
	}
	scan->is_ascending = !scan->sort[0].ssup_reverse;
}

static void
begin(CustomScanState *node, EState *estate, int flags pg_attribute_unused())
{
	TopScan    *scan = (TopScan *) node;
	const CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	List	   *counts = list_nth(plan->custom_private, 0);
	List	   *keys = list_copy_tail(plan->custom_exprs, linitial_int(counts));

	scan->columns = list_nth(plan->custom_private, 2);
	rows_open(&scan->rows, node, linitial_oid(list_nth(plan->custom_private, 1)), scan->columns,
			  list_truncate(list_copy(plan->custom_exprs), linitial_int(counts)));
	scan->keys = list_length(keys);
	scan->key = palloc(scan->keys * sizeof(VectorExpression *));
	for (int i = 0; i < scan->keys; i++)
		scan->key[i] = expression_compile(&scan->rows.context, list_nth(keys, i));
	prepare_sort(scan, list_nth(plan->custom_private, 3), list_nth(plan->custom_private, 4));
	scan->most = lsecond_int(counts);
	scan->row = palloc(scan->most * sizeof(TopRow));
	for (int i = 0; i < scan->most; i++)
		make_row(scan, &scan->row[i]);
	make_row(scan, &scan->candidate);
	scan->memory = AllocSetContextCreate(CurrentMemoryContext, "spice top rows",
										 ALLOCSET_DEFAULT_SIZES);
	scan->slot = ExecInitExtraTupleSlot(estate, RelationGetDescr(node->ss.ss_currentRelation),
										table_slot_callbacks(node->ss.ss_currentRelation));
}

/* ---------------------------------------------------------------- the heap */

static int
compare_rows(const TopScan *scan, const TopRow *a, const TopRow *b)
{
	for (int i = 0; i < scan->keys; i++)
	{
		int			order = ApplySortComparator(a->values[i], a->nulls[i], b->values[i],
												b->nulls[i], &scan->sort[i]);

		if (order != 0)
			return order;
	}
	return 0;
}

static void
swap_rows(TopScan *scan, int a, int b)
{
	TopRow		row = scan->row[a];

	scan->row[a] = scan->row[b];
	scan->row[b] = row;
}

static void
sift_up(TopScan *scan, int place)
{
	while (place > 0 && compare_rows(scan, &scan->row[place], &scan->row[(place - 1) / 2]) > 0)
	{
		swap_rows(scan, place, (place - 1) / 2);
		place = (place - 1) / 2;
	}
}

static void
sift_down(TopScan *scan, int place, int count)
{
	for (;;)
	{
		int			worst = place;

		for (int child = 2 * place + 1; child <= 2 * place + 2 && child < count; child++)
		{
			if (compare_rows(scan, &scan->row[child], &scan->row[worst]) > 0)
				worst = child;
		}
		if (worst == place)
			return;
		swap_rows(scan, place, worst);
		place = worst;
	}
}

static void
keep_candidate(TopScan *scan, TopRow *row)
{
	for (int i = 0; i < scan->keys; i++)
	{
		const ValueType *type = expression_type(scan->key[i]);
		MemoryContext old;

		if (!type->by_value && !row->nulls[i] && row->values[i] != (Datum) 0)
			pfree(DatumGetPointer(row->values[i]));
		old = MemoryContextSwitchTo(scan->memory);
		row->nulls[i] = scan->candidate.nulls[i];
		row->values[i] = row->nulls[i] ? (Datum) 0 :
			datumCopy(scan->candidate.values[i], type->by_value, type->length);
		MemoryContextSwitchTo(old);
	}
	row->tid = scan->candidate.tid;
	row->is_exact = scan->candidate.is_exact;
}

static void
add_candidate(TopScan *scan)
{
	if (scan->count < scan->most)
	{
		keep_candidate(scan, &scan->row[scan->count]);
		sift_up(scan, scan->count++);
	}
	else if (compare_rows(scan, &scan->candidate, &scan->row[0]) < 0)
	{
		keep_candidate(scan, &scan->row[0]);
		sift_down(scan, 0, scan->count);
	}
}

/* ---------------------------------------------------------------- collect */

/*
 * Which rows have a first key that is not worse than the worst of the heap?  False: it is
 * no number, or the worst is null.
 */
static bool
may_be_better(TopScan *scan, const Vector *first, bool *keep)
{
	const ValueType *type = expression_type(scan->key[0]);
	int			count = scan->rows.context.batch->selection.count;
	KernelOperation operation = scan->is_ascending ? KERNEL_LESS_EQUAL : KERNEL_GREATER_EQUAL;
	const TopRow *worst = &scan->row[0];

	if (worst->nulls[0])
		return false;
	if (first->kind == VECTOR_FLOAT)
		kernel_compare_float(operation, count, first->floats,
							 value_to_float(type, worst->values[0]), keep);
	else if (first->kind == VECTOR_INTEGER && value_order_is_of_integers(type))
		kernel_compare_integer(operation, count, first->integers,
							   value_to_integer(type, worst->values[0]), keep);
	else
		return false;
	for (int i = 0; first->nulls && i < count; i++)
		keep[i] |= first->nulls[i];
	return true;
}

/* Keys that are calculated are so for every row, as they might raise an error. */
static void
narrow(TopScan *scan, uint16 *room)
{
	bool		keep[VECTOR_ROWS];

	for (int i = 1; i < scan->keys; i++)
	{
		if (!expression_is_column(scan->key[i]))
			expression_values(scan->key[i]);
	}
	if (may_be_better(scan, expression_values(scan->key[0]), keep))
		vector_batch_select(scan->rows.context.batch, keep, room);
}

static void
add_batch(TopScan *scan)
{
	VectorBatch *batch = scan->rows.context.batch;
	ExprContext *econtext = scan->rows.context.econtext;
	const Vector **vectors = palloc(scan->keys * sizeof(Vector *));
	uint16		room[VECTOR_SELECTION_ROOM];
	MemoryContext old;

	if (scan->count == scan->most)
		narrow(scan, room);
	for (int i = 0; i < scan->keys && batch->selection.count > 0; i++)
		vectors[i] = expression_values(scan->key[i]);
	old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	for (int row = 0; row < batch->selection.count; row++)
	{
		ResetExprContext(econtext);
		for (int i = 0; i < scan->keys; i++)
		{
			scan->candidate.nulls[i] = vectors[i]->nulls && vectors[i]->nulls[row];
			scan->candidate.values[i] = scan->candidate.nulls[i] ? (Datum) 0 :
				vector_datum(expression_type(scan->key[i]), vectors[i], row);
		}
		source_tid(scan->rows.source, batch->selection.rows ? batch->selection.rows[row] : row,
				   &scan->candidate.tid, &scan->candidate.is_exact);
		add_candidate(scan);
	}
	MemoryContextSwitchTo(old);
	pfree(vectors);
}

/* the best first */
static void
sort_rows(TopScan *scan)
{
	for (int count = scan->count - 1; count > 0; count--)
	{
		swap_rows(scan, 0, count);
		sift_down(scan, 0, count);
	}
}

static void
collect(TopScan *scan)
{
	for (int i = 0; i < scan->count; i++)
	{
		memset(scan->row[i].values, 0, scan->keys * sizeof(Datum));
		memset(scan->row[i].nulls, 0, scan->keys * sizeof(bool));
	}
	MemoryContextReset(scan->memory);
	scan->count = 0;
	rows_start(&scan->rows);
	while (rows_next(&scan->rows))
		add_batch(scan);
	sort_rows(scan);
	scan->is_collected = true;
}

/* ---------------------------------------------------------------- rows */

/* into the slot */
static void
fetch(TopScan *scan, TopRow *row)
{
	Relation	table = scan->custom.ss.ss_currentRelation;
	Snapshot	snapshot = scan->custom.ss.ps.state->es_snapshot;
	bool		found;

	if (row->is_exact)
		found = table_tuple_fetch_row_version(table, &row->tid, snapshot, scan->slot);
	else
	{
		IndexFetchTableData *index_fetch = table_index_fetch_begin(table);
		bool		again = false;

		found = table_index_fetch_tuple(index_fetch, &row->tid, snapshot, scan->slot, &again, NULL);
		if (found)
			ExecMaterializeSlot(scan->slot);
		table_index_fetch_end(index_fetch);
	}
	if (!found)
		ereport(ERROR,
				errcode(ERRCODE_INDEX_CORRUPTED),
				errmsg("row (%u,%u) of table \"%s\" is missing from the heap",
					   ItemPointerGetBlockNumber(&row->tid), ItemPointerGetOffsetNumber(&row->tid),
					   RelationGetRelationName(table)),
				errhint("Use REINDEX to make the column index anew."));
}

static TupleTableSlot *
next_row(ScanState *node)
{
	TopScan    *scan = (TopScan *) node;
	TupleTableSlot *slot = node->ss_ScanTupleSlot;

	if (!scan->is_collected)
		collect(scan);
	if (scan->next >= scan->count)
		return ExecClearTuple(slot);
	fetch(scan, &scan->row[scan->next++]);
	return ExecCopySlot(slot, scan->slot);
}

static bool
recheck(ScanState *node pg_attribute_unused(), TupleTableSlot *slot pg_attribute_unused())
{
	return true;
}

static TupleTableSlot *
execute(CustomScanState *node)
{
	return ExecScan(&node->ss, next_row, recheck);
}

static void
rescan(CustomScanState *node)
{
	TopScan    *scan = (TopScan *) node;

	if (node->ss.ps.chgParam != NULL)
		scan->is_collected = false;
	scan->next = 0;
	ExecScanReScan(&node->ss);
}

static void
end(CustomScanState *node)
{
	rows_close(&((TopScan *) node)->rows);
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	TopScan    *scan = (TopScan *) node;
	const CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	int			conditions = linitial_int(list_nth(plan->custom_private, 0));

	vector_explain_list(node, ancestors, es, "Sort Key",
						list_copy_tail(plan->custom_exprs, conditions));
	vector_explain_conditions(node, ancestors, es,
							  list_truncate(list_copy(plan->custom_exprs), conditions));
	vector_explain_source(node, es, scan->columns, scan->rows.source);
}

static const CustomExecMethods exec_methods = {
	.CustomName = "SpiceColumnsTop",
	.BeginCustomScan = begin,
	.ExecCustomScan = execute,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain,
};

static Node *
create_state(CustomScan *plan pg_attribute_unused())
{
	TopScan    *scan = (TopScan *) newNode(sizeof(TopScan), T_CustomScanState);

	scan->custom.methods = &exec_methods;
	return (Node *) scan;
}
