/*-------------------------------------------------------------------------
 *
 * worker.c
 *		A background worker that does the refreshes it is handed.
 *
 * It stays for a while after each, because small datasets with short intervals
 * would otherwise cost a process each time; then it goes, and with it what its
 * caches hold.
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
#include "storage/latch.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/execute.h"
#include "catalog/extension.h"
#include "catalog/pinned.h"
#include "catalog/rights.h"
#include "refresh/follow/following.h"
#include "refresh/handover.h"
#include "refresh/refresh.h"
#include "refresh/registration.h"
#include "refresh/retention.h"
#include "refresh/step.h"
#include "refresh/worker.h"

#define IDLE_MS		2000		/* how long it waits for another order */
#define MAX_RUNS	1000		/* after so many its memory goes back to the system */

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
	catalog_execute("DELETE FROM spice_catalog.refresh_request r WHERE r.id ="
					" (SELECT min(id) FROM spice_catalog.refresh_request WHERE dataset = $1 AND retention = $2)"
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

/* false: there is nothing to do */
static bool
begin(Refresh *refresh, const WorkerOrder *order)
{
	bool		locked;

	step_begin();

	/*
	 * That it has begun is for others to see, and need not outlive a crash, after which it begins
	 * again: the disk is waited for once, at the end.
	 */
	catalog_pin_setting("synchronous_commit", "off");

	/*
	 * Who holds the lock is refreshing it, and may take its time: a request stays where it is,
	 * and the launcher comes back to it.
	 */
	locked = OidIsValid(catalog_extension()) && refresh_lock(order->dataset, false, true);
	if (locked)
	{
		if (order->request && take_request(refresh, order->dataset))
			refresh->trigger = "request";
		refresh_begin(refresh, order->dataset);
		if (!refresh->retention)
			registration_create_table(refresh);
	}
	step_commit();
	return locked;
}

/* the dataset may be gone from the catalog */
static void
release(const WorkerOrder *order)
{
	bool		locked;

	step_begin();
	locked = OidIsValid(catalog_extension()) && refresh_lock(order->dataset, false, true);
	step_commit();
	if (locked)
		following_release(order->dataset);
}

/* what the process is called while it does this */
static void
show(const Refresh *refresh, const char *phase)
{
	const char *what = refresh->retention ? "retention" : "refresh";

	pgstat_report_appname(psprintf("spice %s %s", what, refresh->dataset->name));
	pgstat_report_activity(STATE_RUNNING, psprintf("%s of %s%s", what, refresh->dataset->name, phase));
}

static void
run_refresh(const WorkerOrder *order)
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
		if (order->release)
			release(order);
		else if (!begin(refresh, order))
			;
		else if (refresh->retention)
		{
			show(refresh, "");
			retention_delete_rows(refresh);
		}
		else if (dataset_follows(refresh->dataset))
		{
			show(refresh, "");
			following_follow(refresh);
		}
		else
		{
			if (refresh->dataset->has_slot)
				following_leave(refresh);
			show(refresh, ": fetch");
			refresh_fetch(refresh);
			show(refresh, ": load");
			step_begin();
			refresh_apply(refresh);
			step_commit();
		}
	}
	PG_CATCH();
	{
		ErrorData  *error = step_rescue(context);

		/* a check has no row of history */
		if (refresh->history != 0 || (refresh->dataset != NULL && dataset_follows(refresh->dataset)))
		{
			step_begin();
			refresh_fail(refresh, error);
			step_commit();
		}
	}
	PG_END_TRY();
	/* and what refresh_sql has locked for the session: the next refresh is another one's */
	LockReleaseSession(USER_LOCKMETHOD);
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(context);
}

/* waits for the next order; false: it is time to go */
static bool
next_order(int place, int patience_ms, WorkerOrder *order)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), patience_ms);

	pgstat_report_appname("spice refresh");
	pgstat_report_activity(STATE_IDLE, NULL);
	CHECK_FOR_INTERRUPTS();
	while (!handover_take(place, order))
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);

		if (left <= 0 && handover_leave(place))
			return false;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

static void
reload_configuration(void)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
}

void
spice_worker_main(Datum arg)
{
	int			place = DatumGetInt32(arg);
	WorkerOrder order;
	Oid			database;

	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	handover_arrive(place);

	/* what a refresh waits for is bounded by its own settings */
	SetConfigOption("statement_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);

	/* a standby that is away shall not keep readers from a table that has been swapped */
	SetConfigOption("synchronous_commit", "local", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);

	/* to leave without asking would take an order along that comes just then */
	for (int runs = 0; next_order(place, runs < MAX_RUNS ? IDLE_MS : 0, &order); runs++)
	{
		reload_configuration();
		run_refresh(&order);
		pgstat_report_stat(true);
		handover_done(place);
	}
}
