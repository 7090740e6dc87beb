/*-------------------------------------------------------------------------
 *
 * load.c
 *		A DestReceiver that puts the rows of a refresh into a new heap.
 *
 * The receiver checks NOT NULL and the CHECK constraints that users have put on
 * the table.  It takes a tuple as it comes if the tuple is laid out as the heap's
 * rows are and nothing has to be checked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "nodes/nodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "table/load/heap_writer.h"
#include "table/load/load.h"
#include "table/toast.h"

typedef struct LoadReceiver
{
	DestReceiver receiver;
	TableBuild *build;
	Relation	heap;
	HeapWriter *writer;
	bool		same_layout;	/* a row of the query is one of the heap; no CHECK constraint */
	bool		any_not_null;
	Datum	   *values;			/* one row, laid out as the heap is */
	bool	   *nulls;
	ExprState **checks;			/* the table's CHECK constraints */
	EState	   *estate;			/* NULL: there are none */
	TupleTableSlot *check_slot;
	MemoryContext row_context;	/* of a tuple that had to be made; reset for each */
} LoadReceiver;

static void
prepare_checks(LoadReceiver *load)
{
	TupleConstr *constr = load->build->table_desc->constr;

	if (constr == NULL || constr->num_check == 0)
		return;
	load->estate = CreateExecutorState();
	load->check_slot = MakeSingleTupleTableSlot(load->build->desc, &TTSOpsVirtual);
	load->checks = palloc0(sizeof(ExprState *) * constr->num_check);
	for (int i = 0; i < constr->num_check; i++)
	{
		if (compat_check_is_enforced(&constr->check[i]))
			load->checks[i] = ExecPrepareExpr(stringToNode(constr->check[i].ccbin), load->estate);
	}
}

static void
run_checks(LoadReceiver *load)
{
	TupleConstr *constr = load->build->table_desc->constr;
	ExprContext *context = GetPerTupleExprContext(load->estate);
	TupleTableSlot *slot = load->check_slot;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, load->values, sizeof(Datum) * load->build->desc->natts);
	memcpy(slot->tts_isnull, load->nulls, sizeof(bool) * load->build->desc->natts);
	ExecStoreVirtualTuple(slot);
	context->ecxt_scantuple = slot;
	for (int i = 0; i < constr->num_check; i++)
	{
		if (load->checks[i] != NULL && !ExecCheck(load->checks[i], context))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("row %lld of dataset \"%s\" violates check constraint \"%s\"",
							(long long) load->build->rows + 1, load->build->dataset->name,
							constr->check[i].ccname)));
	}
	ResetPerTupleExprContext(load->estate);
}

static void
check_not_null(const LoadReceiver *load)
{
	const TableBuild *build = load->build;

	for (int i = 0; i < build->desc->natts; i++)
	{
		if (build->notnull[i] && load->nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of dataset \"%s\"",
							NameStr(TupleDescAttr(build->desc, i)->attname), build->dataset->name),
					 errdetail("Row %lld of the refresh.", (long long) build->rows + 1),
					 errhint("The column is NOT NULL: by primary_key, nullable: false or time_column in the manifest, or by hand. refresh_sql leaves such rows out: SELECT ... WHERE %s IS NOT NULL.",
							 quote_identifier(NameStr(TupleDescAttr(build->desc, i)->attname)))));
	}
}

/* Whether the row comes as a tuple that is laid out as the heap's, with nothing to check. */
static bool
is_ready_made(const LoadReceiver *load, TupleTableSlot *slot)
{
	HeapTupleHeader header;

	if (!load->same_layout)
		return false;
	if (TTS_IS_HEAPTUPLE(slot) && ((HeapTupleTableSlot *) slot)->tuple != NULL)
		header = ((HeapTupleTableSlot *) slot)->tuple->t_data;
	else if (TTS_IS_MINIMALTUPLE(slot))
		header = ((MinimalTupleTableSlot *) slot)->minhdr.t_data;
	else
		return false;
	/* a tuple with fewer attributes takes the others from the defaults of its own table */
	return HeapTupleHeaderGetNatts(header) == load->build->desc->natts &&
		(!load->any_not_null || (header->t_infomask & HEAP_HASNULL) == 0);
}

/* Moves the values of a row to their attributes of the heap. */
static HeapTuple
form_tuple(LoadReceiver *load, TupleTableSlot *slot)
{
	const TableBuild *build = load->build;

	slot_getallattrs(slot);
	for (int i = 0; i < build->n_result; i++)
	{
		load->values[build->attnums[i] - 1] = slot->tts_values[i];
		load->nulls[build->attnums[i] - 1] = slot->tts_isnull[i];
	}
	check_not_null(load);
	if (load->estate != NULL)
		run_checks(load);

	return heap_form_tuple(build->desc, load->values, load->nulls);
}

static HeapTuple
make_tuple(LoadReceiver *load, TupleTableSlot *slot)
{
	bool		is_copy;

	return is_ready_made(load, slot) ? ExecFetchSlotHeapTuple(slot, false, &is_copy) : form_tuple(load, slot);
}

/* Names the dataset in the context of an error. */
static void
load_callback(void *arg)
{
	const LoadReceiver *load = arg;

	errcontext("loading dataset \"%s\"", load->build->dataset->name);
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	LoadReceiver *load = (LoadReceiver *) self;
	TableBuild *build = load->build;
	ErrorContextCallback callback = {error_context_stack, load_callback, load};
	MemoryContext old = MemoryContextSwitchTo(load->row_context);
	HeapTuple	tuple = make_tuple(load, slot);

	error_context_stack = &callback;
	if (heap_tuple_wants_toast(tuple) && !OidIsValid(load->heap->rd_rel->reltoastrelid))
		toast_add(build);
	heap_writer_add(load->writer, tuple);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(old);
	MemoryContextReset(load->row_context);
	build->rows++;
	return true;
}

static void
start_load(DestReceiver *self, int operation pg_attribute_unused(),
		   TupleDesc type pg_attribute_unused())
{
	LoadReceiver *load = (LoadReceiver *) self;
	int			natts = load->build->desc->natts;

	load->heap = table_open(load->build->heap, NoLock);
	load->writer = heap_writer_begin(load->heap);
	load->values = palloc0(sizeof(Datum) * natts);
	load->nulls = palloc(sizeof(bool) * natts);
	memset(load->nulls, true, sizeof(bool) * natts);	/* dropped columns stay so */
	load->row_context = AllocSetContextCreate(CurrentMemoryContext, "spice loaded row",
											  ALLOCSET_DEFAULT_SIZES);
	prepare_checks(load);
	load->same_layout = load->estate == NULL && load->build->n_result == natts;
	for (int i = 0; i < natts; i++)
	{
		load->same_layout &= i < load->build->n_result && load->build->attnums[i] == i + 1;
		load->any_not_null |= load->build->notnull[i];
	}
}

static void
end_load(DestReceiver *self)
{
	LoadReceiver *load = (LoadReceiver *) self;

	heap_writer_end(load->writer);
	if (load->estate != NULL)
	{
		ExecDropSingleTupleTableSlot(load->check_slot);
		FreeExecutorState(load->estate);
	}
	MemoryContextDelete(load->row_context);
	table_close(load->heap, NoLock);
}

static void
destroy_load(DestReceiver *self)
{
	pfree(self);
}

DestReceiver *
load_receiver(TableBuild *build)
{
	LoadReceiver *load = palloc0(sizeof(LoadReceiver));

	load->receiver.receiveSlot = receive_row;
	load->receiver.rStartup = start_load;
	load->receiver.rShutdown = end_load;
	load->receiver.rDestroy = destroy_load;
	load->receiver.mydest = DestNone;
	load->build = build;
	return (DestReceiver *) load;
}
