/*-------------------------------------------------------------------------
 *
 * vector_scan.c
 *		The custom scan "SpiceColumns": groups and aggregates, row by row.
 *
 * The first call reads the whole table, batch by batch: conditions narrow a batch, its
 * rows get numbers of groups, and their values are added to the aggregates.  Every call
 * returns the next group.  HAVING is the plan's condition, evaluated by ExecScan().
 *
 * States: the scan is begun or rescanned; collected, after the first call; at its end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "utils/memutils.h"

#include "compat.h"
#include "vector/vector_aggregate.h"
#include "vector/vector_explain.h"
#include "vector/vector_group.h"
#include "vector/vector_plan.h"
#include "vector/vector_rows.h"
#include "vector/vector_scan.h"

typedef struct VectorScan
{
	CustomScanState custom;		/* first */
	VectorPlan	plan;
	VectorRows	rows;
	VectorExpression **keys;
	AggregateSet *aggregates;
	GroupTable *groups;
	MemoryContext group_context;
	bool		is_collected;
	uint32		next_group;
} VectorScan;

static Node *create_state(CustomScan *plan);

const CustomScanMethods vector_scan_methods = {"SpiceColumns", create_state};

/* ---------------------------------------------------------------- begin */

/* Are rows only counted? */
static bool
counts_only(const VectorScan *scan, List *aggregates)
{
	ListCell   *cell;

	foreach(cell, aggregates)
	{
		const Aggref *aggregate = lfirst_node(Aggref, cell);

		if (aggregate->args != NIL || aggregate->aggfilter != NULL)
			return false;
	}
	return scan->plan.keys == 0 && scan->plan.conditions == 0;
}

/* some of what the scan's tuple has */
static List *
targets(const CustomScan *plan, int from, int count)
{
	List	   *expressions = NIL;

	for (int i = from; i < from + count; i++)
		expressions = lappend(expressions,
							  list_nth_node(TargetEntry, plan->custom_scan_tlist, i)->expr);
	return expressions;
}

static void
begin(CustomScanState *node, EState *estate pg_attribute_unused(), int flags pg_attribute_unused())
{
	VectorScan *scan = (VectorScan *) node;
	const CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	VectorPlan	counts = vector_plan_read(plan);
	List	   *keys = targets(plan, 0, counts.keys);
	List	   *aggregates = targets(plan, counts.keys, counts.aggregates);

	scan->plan = counts;
	rows_open(&scan->rows, node, counts.index, counts.columns,
			  targets(plan, counts.keys + counts.aggregates, counts.conditions));
	scan->keys = palloc((counts.keys + 1) * sizeof(VectorExpression *));
	for (int i = 0; i < counts.keys; i++)
		scan->keys[i] = expression_compile(&scan->rows.context, list_nth(keys, i));
	scan->aggregates = aggregate_make(&scan->rows.context, aggregates);
	scan->group_context = AllocSetContextCreate(CurrentMemoryContext, "spice groups",
												ALLOCSET_DEFAULT_SIZES);
	if (counts_only(scan, aggregates))
		scan->rows.context.batch->most_rows = PG_INT32_MAX;
}

/* ---------------------------------------------------------------- collect */

/* false: the scan has to start again */
static bool
collect_batches(VectorScan *scan)
{
	while (rows_next(&scan->rows))
	{
		const uint32 *groups = group_find(scan->groups, scan->rows.context.batch->selection.count);

		if (!aggregate_add(scan->aggregates, groups, group_count(scan->groups)))
			return false;
	}
	return true;
}

static void
start(VectorScan *scan)
{
	MemoryContextReset(scan->group_context);
	scan->groups = group_make(scan->group_context, scan->plan.keys, scan->keys);
	aggregate_start(scan->aggregates, scan->group_context);
	scan->next_group = 0;
	rows_start(&scan->rows);
}

static void
collect(VectorScan *scan)
{
	do
		start(scan);
	while (!collect_batches(scan));
	scan->is_collected = true;
}

/* ---------------------------------------------------------------- rows */

static TupleTableSlot *
next_row(ScanState *node)
{
	VectorScan *scan = (VectorScan *) node;
	TupleTableSlot *slot = node->ss_ScanTupleSlot;
	MemoryContext old;
	int			place = 0;

	if (!scan->is_collected)
		collect(scan);
	ExecClearTuple(slot);
	if (scan->next_group >= group_count(scan->groups))
		return slot;
	ResetExprContext(scan->rows.context.econtext);
	old = MemoryContextSwitchTo(scan->rows.context.econtext->ecxt_per_tuple_memory);
	for (int i = 0; i < scan->plan.keys; i++, place++)
		slot->tts_values[place] = group_key(scan->groups, scan->next_group, i,
											&slot->tts_isnull[place]);
	for (int i = 0; i < scan->plan.aggregates; i++, place++)
	{
		slot->tts_values[place] = aggregate_result(scan->aggregates, i, scan->next_group,
												   &slot->tts_isnull[place]);
	}
	for (int i = 0; i < scan->plan.conditions; i++, place++)
	{
		slot->tts_values[place] = BoolGetDatum(true);
		slot->tts_isnull[place] = false;
	}
	MemoryContextSwitchTo(old);
	scan->next_group++;
	return ExecStoreVirtualTuple(slot);
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
	VectorScan *scan = (VectorScan *) node;

	/* the same rows again unless a parameter has changed */
	if (node->ss.ps.chgParam != NULL)
		scan->is_collected = false;
	scan->next_group = 0;
	ExecScanReScan(&node->ss);
}

static void
end(CustomScanState *node)
{
	rows_close(&((VectorScan *) node)->rows);
}

/* ---------------------------------------------------------------- EXPLAIN */

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	VectorScan *scan = (VectorScan *) node;
	const CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	const VectorPlan *counts = &scan->plan;

	vector_explain_list(node, ancestors, es, "Group Key", targets(plan, 0, counts->keys));
	vector_explain_conditions(node, ancestors, es,
							  targets(plan, counts->keys + counts->aggregates, counts->conditions));
	vector_explain_source(node, es, counts->columns, scan->rows.source);
}

/* ---------------------------------------------------------------- methods */

static const CustomExecMethods exec_methods = {
	.CustomName = "SpiceColumns",
	.BeginCustomScan = begin,
	.ExecCustomScan = execute,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain,
};

static Node *
create_state(CustomScan *plan pg_attribute_unused())
{
	VectorScan *scan = (VectorScan *) newNode(sizeof(VectorScan), T_CustomScanState);

	scan->custom.methods = &exec_methods;
	return (Node *) scan;
}
