/*-------------------------------------------------------------------------
 *
 * worker.c
 *		A background worker that refreshes one dataset and ends.
 *
 * Transactions: one that commits the row of history, none while the response
 * is fetched, one for everything else.  If any step fails, what failed is
 * rolled back and one more transaction writes down why.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "refresh/launcher.h"
#include "refresh/refresh.h"

/*
 * Takes the oldest request for the dataset, with what it overrides.  False
 * when there is none.
 */
static bool
take_request(Refresh *refresh, int dataset)
{
	Oid			types[] = {INT4OID, BOOLOID};
	Datum		values[] = {Int32GetDatum(dataset), BoolGetDatum(refresh->retention)};
	CatalogRights rights;
	bool		found;

	catalog_enter(&rights);
	SPI_connect();
	catalog_execute("DELETE FROM spice.refresh_request r WHERE r.id ="
					" (SELECT min(id) FROM spice.refresh_request WHERE dataset = $1 AND retention = $2)"
					" RETURNING r.refresh_sql, r.refresh_mode", 2, types, values, NULL);
	found = SPI_processed > 0;
	if (found)
	{
		refresh->refresh_sql = catalog_text(0, 1, refresh->context);
		refresh->refresh_mode = catalog_text(0, 2, refresh->context);
	}
	SPI_finish();
	catalog_leave(&rights);
	return found;
}

static bool
begin(Refresh *refresh, int dataset, const WorkerOrder *order)
{
	bool		begun;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	/*
	 * Who holds the lock is refreshing it, and may take its time: a request
	 * stays where it is, and the launcher comes back to it.
	 */
	begun = OidIsValid(catalog_extension()) && refresh_lock(dataset, false, true);
	if (begun)
	{
		if (order->request && take_request(refresh, dataset))
			refresh->trigger = "request";
		refresh_begin(refresh, dataset);
		if (!refresh->retention)
			registration_run(refresh);
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(refresh->context);
	return begun;
}

static void
apply(Refresh *refresh)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	refresh_apply(refresh);
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(refresh->context);
}

static void
fail(const Refresh *refresh, const ErrorData *error)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	refresh_fail(refresh, error);
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(refresh->context);
}

static void
run_refresh(int dataset, const WorkerOrder *order)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "spice refresh",
												  ALLOCSET_DEFAULT_SIZES);
	Refresh    *refresh = MemoryContextAllocZero(context, sizeof(Refresh));

	refresh->context = context;
	refresh->trigger = order->trigger;
	refresh->retention = order->retention;
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (!begin(refresh, dataset, order))
			;
		else if (refresh->retention)
		{
			pgstat_report_activity(STATE_RUNNING, psprintf("retention of %s", refresh->dataset->name));
			refresh_retain(refresh);
		}
		else
		{
			pgstat_report_activity(STATE_RUNNING, psprintf("refresh of %s: fetch", refresh->dataset->name));
			refresh_fetch(refresh);
			pgstat_report_activity(STATE_RUNNING, psprintf("refresh of %s: load", refresh->dataset->name));
			apply(refresh);
		}
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		MemoryContextSwitchTo(context);
		if (refresh->history != 0)
			fail(refresh, error);
	}
	PG_END_TRY();
	MemoryContextDelete(context);
}

void
spice_worker_main(Datum arg)
{
	WorkerOrder order;

	memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof(order));
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(order.database, InvalidOid, 0);
	pgstat_report_appname(MyBgworkerEntry->bgw_name);

	/* what a refresh waits for is bounded by its own settings */
	SetConfigOption("statement_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);

	run_refresh(DatumGetInt32(arg), &order);
	pgstat_report_stat(true);
}
