/*-------------------------------------------------------------------------
 *
 * load.c
 *		A DestReceiver that writes rows into a new heap.
 *
 * Nobody else can see the heap before it is swapped, so rows are written
 * frozen and in batches: a page is logged once, not once a row, and the
 * visibility map is complete, which makes index-only scans work at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "table/table.h"

/* a batch ends with whichever comes first */
#define BATCH_ROWS	1000
#define BATCH_BYTES (256 * 1024)

typedef struct LoadReceiver
{
	DestReceiver receiver;
	TableBuild *build;
	Relation	heap;
	BulkInsertState bulk;
	TupleTableSlot *slots[BATCH_ROWS];	/* made when first needed */
	int			n_slots;
	Size		bytes;
	bool		same_layout;	/* a row of the query is one of the heap; no CHECK constraint */
	bool		any_not_null;
	Datum	   *values;			/* one row, laid out as the heap is */
	bool	   *nulls;
	ExprState **checks;			/* the table's CHECK constraints */
	EState	   *estate;			/* NULL: there are none */
	TupleTableSlot *check_slot;
	MemoryContext batch_context;	/* the tuples of a batch */
	MemoryContext insert_context;	/* what inserting a batch leaves behind */
} LoadReceiver;

/* the server's error about a row that fits no page knows neither table nor cure */
static void
batch_callback(void *arg)
{
	const LoadReceiver *load = arg;

	if (geterrcode() == ERRCODE_PROGRAM_LIMIT_EXCEEDED)
		errhint("The columns of a row must fit a page of %d kB. Leave some out with refresh_sql, or put them into one of type jsonb.",
				BLCKSZ / 1024);
	errcontext("loading dataset \"%s\"", load->build->dataset->name);
}

static void
flush_batch(LoadReceiver *load)
{
	ErrorContextCallback callback = {error_context_stack, batch_callback, load};
	MemoryContext old;

	if (load->n_slots == 0)
		return;
	error_context_stack = &callback;
	old = MemoryContextSwitchTo(load->insert_context);
	table_multi_insert(load->heap, load->slots, load->n_slots, GetCurrentCommandId(true),
					   TABLE_INSERT_FROZEN | TABLE_INSERT_SKIP_FSM, load->bulk);
	MemoryContextSwitchTo(old);
	error_context_stack = callback.previous;
	MemoryContextReset(load->insert_context);
	for (int i = 0; i < load->n_slots; i++)
		ExecClearTuple(load->slots[i]);
	MemoryContextReset(load->batch_context);
	load->n_slots = 0;
	load->bytes = 0;
}

/* CHECK constraints people put on the table hold for the rows we load, too */
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
					 errhint("The column is NOT NULL: by primary_key, nullable: false or time_column in the manifest, or by hand.")));
	}
}

static TupleTableSlot *
next_slot(LoadReceiver *load)
{
	if (load->slots[load->n_slots] == NULL)
		load->slots[load->n_slots] = MakeSingleTupleTableSlot(load->build->desc, &TTSOpsHeapTuple);
	return load->slots[load->n_slots];
}

/* does the row come as a tuple that is laid out as the heap's, with nothing to check? */
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
	/* one with fewer attributes takes the others from its own table's defaults */
	return HeapTupleHeaderGetNatts(header) == load->build->desc->natts &&
		(!load->any_not_null || (header->t_infomask & HEAP_HASNULL) == 0);
}

/* the row as it is, without what its header says of the type it was made as */
static HeapTuple
copy_tuple(TupleTableSlot *slot)
{
	HeapTuple	tuple = ExecCopySlotHeapTuple(slot);

	HeapTupleHeaderSetXmin(tuple->t_data, InvalidTransactionId);
	HeapTupleHeaderSetXmax(tuple->t_data, InvalidTransactionId);
	HeapTupleHeaderSetCmin(tuple->t_data, 0);
	ItemPointerSetInvalid(&tuple->t_data->t_ctid);
	return tuple;
}

/* values of a row to where they are in the heap */
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

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	LoadReceiver *load = (LoadReceiver *) self;
	TableBuild *build = load->build;
	MemoryContext old = MemoryContextSwitchTo(load->batch_context);
	HeapTuple	tuple = is_ready_made(load, slot) ? copy_tuple(slot) : form_tuple(load, slot);

	if (build->sampled)
		sample_add(build->sample, tuple);
	tuple->t_tableOid = build->heap;
	MemoryContextSwitchTo(old);
	ExecStoreHeapTuple(tuple, next_slot(load), false);
	load->n_slots++;
	load->bytes += tuple->t_len;
	build->rows++;
	if (load->n_slots == BATCH_ROWS || load->bytes >= BATCH_BYTES)
		flush_batch(load);
	return true;
}

static void
start_load(DestReceiver *self, int operation pg_attribute_unused(),
		   TupleDesc type pg_attribute_unused())
{
	LoadReceiver *load = (LoadReceiver *) self;
	int			natts = load->build->desc->natts;

	load->heap = table_open(load->build->heap, NoLock);
	load->bulk = GetBulkInsertState();
	load->values = palloc0(sizeof(Datum) * natts);
	load->nulls = palloc(sizeof(bool) * natts);
	memset(load->nulls, true, sizeof(bool) * natts);	/* dropped columns stay so */
	/* the first block is kept when the context is reset: it takes a batch with its headers */
	load->batch_context = AllocSetContextCreate(CurrentMemoryContext, "spice load batch",
												2 * BATCH_BYTES, 2 * BATCH_BYTES,
												ALLOCSET_DEFAULT_MAXSIZE);
	load->insert_context = AllocSetContextCreate(CurrentMemoryContext, "spice load insert",
												 ALLOCSET_DEFAULT_SIZES);
	prepare_checks(load);
	sample_free(load->build->sample);
	load->build->sample = load->build->sampled ? sample_begin(GetMemoryChunkContext(load->build)) : NULL;
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

	flush_batch(load);
	FreeBulkInsertState(load->bulk);
	table_finish_bulk_insert(load->heap, TABLE_INSERT_FROZEN | TABLE_INSERT_SKIP_FSM);
	for (int i = 0; i < BATCH_ROWS && load->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(load->slots[i]);
	if (load->estate != NULL)
	{
		ExecDropSingleTupleTableSlot(load->check_slot);
		FreeExecutorState(load->estate);
	}
	MemoryContextDelete(load->batch_context);
	MemoryContextDelete(load->insert_context);
	table_close(load->heap, NoLock);
}

static void
destroy_load(DestReceiver *self)
{
	pfree(self);
}

DestReceiver *
build_receiver(TableBuild *build)
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
