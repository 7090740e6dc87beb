/*-------------------------------------------------------------------------
 *
 * worker.c
 *		A background worker that runs the refreshes that the launcher hands to it.
 *
 * The worker waits for another task before it exits, because datasets with short
 * intervals would otherwise cost a process for each refresh.  Its exit frees the
 * memory of its caches.
 *
 * A refresh has one transaction that commits its row of history, none while it
 * fetches the response, and one for everything else.  If a step fails, its
 * transaction is rolled back and another one records the error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/extension.h"
#include "catalog/pinned.h"
#include "catalog/rights.h"
#include "column/column_access.h"
#include "refresh/dispatch.h"
#include "refresh/follow/following.h"
#include "refresh/refresh.h"
#include "refresh/refresh_lock.h"
#include "refresh/registration.h"
#include "refresh/request.h"
#include "refresh/retention.h"
#include "refresh/step.h"
#include "refresh/worker.h"
#include "secret/redact.h"
#include "settings.h"
#include "table/columns.h"
#include "table/swap_lock.h"

#define IDLE_MS		2000		/* how long it waits for another task */
#define MAX_RUNS	1000		/* after so many its memory goes back to the system */

/*
 * Another process may hold the dataset's lock, or a lock on its table.  Then the
 * task is left: a request stays, and the launcher comes back to it.
 */
static bool
begin_refresh(Refresh *refresh, const WorkerTask *task)
{
	bool		begun = false;

	step_begin();

	/*
	 * Other sessions see that the refresh has begun.  After a crash it begins again, so the disk
	 * is waited for only once, at its end.
	 */
	catalog_pin_setting("synchronous_commit", "off");
	if (OidIsValid(catalog_extension()) && refresh_lock_dataset(task->dataset, true))
	{
		if (task->request)
			request_start(refresh, task->dataset);
		begun = refresh_begin(refresh, task->dataset);
		if (begun && !refresh->retention)
			registration_create_table(refresh);
	}
	step_commit();
	return begun;
}

/* The dataset may be gone from the catalog. */
static void
release_slots(int dataset)
{
	bool		locked;

	step_begin();
	locked = OidIsValid(catalog_extension()) && refresh_lock_dataset(dataset, true);
	step_commit();
	if (locked)
		following_release(dataset);
}

static void
report_phase(const Refresh *refresh, const char *phase)
{
	const char *what = refresh->retention ? "retention" : "refresh";

	pgstat_report_appname(psprintf("spice %s %s", what, refresh->dataset->name));
	pgstat_report_activity(STATE_RUNNING, psprintf("%s of %s%s", what, refresh->dataset->name, phase));
}

static void
refresh_table(void *arg)
{
	Refresh    *refresh = arg;

	if (refresh->retention)
	{
		report_phase(refresh, "");
		retention_delete_rows(refresh);
	}
	else if (dataset_follows(refresh->dataset))
	{
		report_phase(refresh, "");
		following_follow(refresh);
	}
	else
	{
		if (refresh->dataset->has_slot)
			following_leave(refresh);
		report_phase(refresh, ": fetch");
		refresh_fetch(refresh);
		report_phase(refresh, ": load");
		step_begin();
		refresh_apply(refresh);
		refresh->written = GetTopTransactionIdIfAny();
		step_commit();
	}
}

static bool
settle_columns(const Refresh *refresh)
{
	bool		present;

	step_begin();
	present = catalog_extension() == refresh->extension && columns_settle(refresh->dataset);
	step_commit();
	return present;
}

static void
cover_columns(const Refresh *refresh)
{
	report_phase(refresh, ": columns");
	step_begin();
	if (catalog_extension() == refresh->extension)
		columns_cover(refresh->dataset, refresh->written);
	step_commit();
}

static void
keep_columns(const Refresh *refresh)
{
	MemoryContext context = CurrentMemoryContext;

	if (!refresh->dataset->accelerated || !OidIsValid(refresh->dataset->relation))
		return;
	PG_TRY();
	{
		if (settle_columns(refresh))
			cover_columns(refresh);
	}
	PG_CATCH();
	{
		/* the rows are loaded, and readers find them in the heap */
		(void) step_rescue(context);
	}
	PG_END_TRY();
}

static void
run_refresh(const WorkerTask *task)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "spice refresh",
												  ALLOCSET_DEFAULT_SIZES);
	Refresh    *refresh = MemoryContextAllocZero(context, sizeof(Refresh));

	refresh->context = context;
	refresh->trigger = task->trigger;
	refresh->retention = task->retention;
	refresh->background = true;
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (task->release)
			release_slots(task->dataset);
		else if (begin_refresh(refresh, task))
		{
			redact_call(refresh_table, refresh);
			keep_columns(refresh);
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
	refresh_unlock_all();
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(context);
}

/* Waits for the next task; returns false when it is time to exit. */
static bool
next_task(int patience_ms, WorkerTask *task)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), patience_ms);

	pgstat_report_appname("spice refresh");
	pgstat_report_activity(STATE_IDLE, NULL);
	CHECK_FOR_INTERRUPTS();
	while (!dispatch_receive(task))
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);

		if (left <= 0 && dispatch_exit())
			return false;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/* Called while the worker waits for its table. */
static void
park_worker(const char *dataset)
{
	if (!dispatch_park())
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("table of dataset \"%s\" is in use, and its worker is needed for other datasets", dataset),
				 errhint("End the long transaction that uses the table (see pg_locks), or raise max_worker_processes.")));
}

static void
read_configuration(void)
{
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	SetConfigOption("lock_timeout", psprintf("%dms", spice_swap_timeout), PGC_SUSET, PGC_S_OVERRIDE);
}

void
spice_worker_main(Datum arg pg_attribute_unused())
{
	WorkerArguments arguments;
	WorkerTask	task;

	memcpy(&arguments, MyBgworkerEntry->bgw_extra, sizeof(arguments));
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(arguments.database, InvalidOid, 0);
	dispatch_attach(arguments.slot);
	step_pin_settings();
	swap_wait_hook = park_worker;
	/* keep_columns() covers once the refresh has committed */
	column_build_empty = true;

	/* a worker that exits without asking could take a task along that has just arrived */
	for (int runs = 0; next_task(runs < MAX_RUNS ? IDLE_MS : 0, &task); runs++)
	{
		read_configuration();
		run_refresh(&task);
		pgstat_report_stat(true);
		dispatch_done();
	}
}
