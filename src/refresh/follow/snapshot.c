/*-------------------------------------------------------------------------
 *
 * snapshot.c
 *		A copy of a published table, and the subscription that begins at it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"

#include "catalog/rights.h"
#include "refresh/follow/snapshot.h"
#include "refresh/follow/subscription.h"
#include "source/changes/slot.h"
#include "source/postgres_connector.h"
#include "table/load/load.h"

void
snapshot_load(const SourceCopy *copy, TableBuild *build, TupleDesc result)
{
	DestReceiver *receiver = load_receiver(build);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(result, &TTSOpsVirtual);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "spice copied row",
													  ALLOCSET_DEFAULT_SIZES);
	Datum	   *values = palloc0(sizeof(Datum) * build->desc->natts);
	bool	   *nulls = palloc0(sizeof(bool) * build->desc->natts);
	CatalogRights rights;

	/* domains and CHECK constraints call functions that the table's owner has written */
	catalog_enter_as_owner(build->dataset, &rights);
	receiver->rStartup(receiver, CMD_SELECT, result);
	changes_copy_begin(copy->source, copy->table, build->heap);
	while (changes_copy_next(values, nulls, row_context))
	{
		ExecClearTuple(slot);
		for (int i = 0; i < result->natts; i++)
		{
			slot->tts_values[i] = values[build->attnums[i] - 1];
			slot->tts_isnull[i] = nulls[build->attnums[i] - 1];
		}
		ExecStoreVirtualTuple(slot);
		(void) receiver->receiveSlot(slot, receiver);
		MemoryContextReset(row_context);
	}
	changes_copy_end();
	receiver->rShutdown(receiver);
	receiver->rDestroy(receiver);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(row_context);
	catalog_leave(&rights);
	CommandCounterIncrement();
}

void
snapshot_subscribe(SourceCopy *copy, const Dataset *dataset)
{
	copy->subscription = subscription_create(copy->slot, copy->table->publication,
											 postgres_conninfo(dataset), dataset->relation);
}
