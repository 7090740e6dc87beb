/*-------------------------------------------------------------------------
 *
 * vector_rows.c
 *		The rows of a table that pass a scan's conditions, as batches.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "utils/rel.h"

#include "vector/vector_rows.h"
#include "vector/vector_skip.h"

/*
 * May a row of the row group pass the conditions?  Those are asked that stand before any
 * that might raise an error.
 */
static bool
may_pass(void *owner, int count)
{
	VectorRows *rows = owner;
	PlainCondition condition;

	for (int i = 0; i < rows->conditions &&
		 expression_is_plain(rows->condition[i], &condition); i++)
	{
		if (skip_chunk(source_chunk(rows->source, condition.column), count, &condition))
			return false;
	}
	return true;
}

/* The columns are attributes of the table. */
void
rows_open(VectorRows *rows, CustomScanState *scan, Oid index, List *columns, List *conditions)
{
	Relation	table = scan->ss.ss_currentRelation;
	EState	   *estate = scan->ss.ps.state;
	ExpressionContext *context = &rows->context;

	context->batch = vector_batch_make(RelationGetDescr(table), columns);
	context->slot = ExecInitExtraTupleSlot(estate, RelationGetDescr(table), &TTSOpsVirtual);
	ExecStoreAllNullTuple(context->slot);
	context->econtext = CreateExprContext(estate);
	context->econtext->ecxt_scantuple = context->slot;
	context->params = estate->es_param_list_info;
	context->memory = CurrentMemoryContext;
	rows->conditions = list_length(conditions);
	rows->condition = palloc((rows->conditions + 1) * sizeof(VectorExpression *));
	for (int i = 0; i < rows->conditions; i++)
		rows->condition[i] = expression_compile_condition(context, list_nth(conditions, i));
	rows->source = source_open(table, index, estate->es_snapshot, context->batch);
	source_set_filter(rows->source, may_pass, rows);
}

/* The first batch is next, with the parameters as they are now. */
void
rows_start(VectorRows *rows)
{
	rows->context.start++;
	source_start(rows->source);
}

static void
apply_conditions(VectorRows *rows)
{
	VectorBatch *batch = rows->context.batch;

	for (int i = 0; i < rows->conditions && batch->selection.count > 0; i++)
	{
		bool		keep[VECTOR_ROWS];

		expression_is_true(rows->condition[i], keep);
		vector_batch_select(batch, keep, batch->room);
	}
}

/* The next batch, of which at least one row is selected.  False: there is none. */
bool
rows_next(VectorRows *rows)
{
	while (source_next(rows->source))
	{
		apply_conditions(rows);
		if (rows->context.batch->selection.count > 0)
			return true;
	}
	return false;
}

void
rows_close(VectorRows *rows)
{
	source_close(rows->source);
}
