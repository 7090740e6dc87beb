/*-------------------------------------------------------------------------
 *
 * launcher.c
 *		Watches the manifest and the clock, and assigns each refresh that is due
 *		to a worker.
 *
 * What the launcher must survive, and how:
 *
 *	- CREATE EXTENSION, later or again: it looks for the extension every second
 *	  while there is none, and compares its OID when there is one.
 *	- DROP EXTENSION at any time: the launcher holds nothing between transactions.
 *	  A step that fails is rolled back, and the catalog is read again.
 *	- DROP DATABASE: the session that drops the database has the launcher exit,
 *	  which terminates its workers.
 *	- A manifest that is missing, broken, or replaced by renaming a directory above
 *	  it: the file is known by its device, inode, size and time.  A manifest that
 *	  cannot be applied changes nothing.
 *	- The death of a worker, or of the server: rows of history whose process is
 *	  gone are closed, and their datasets are due again.
 *	- Sessions that hold locks: the launcher takes no lock on a table.  Its waits
 *	  for locks on the catalog are bounded.  A worker that waits for a lock does not
 *	  count as one of spice.max_refresh_workers.
 *	- A clock that was ahead and is set back: no time that it has shown is waited for.
 *
 * States:
 *
 *	WAITING		no extension in the database, or one of another version	-> SERVING
 *	SERVING		reads the manifest and starts refreshes	-> WAITING
 *
 * The launcher never uses the network.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>
#include <sys/stat.h>

#include "access/transam.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/execute.h"
#include "catalog/extension.h"
#include "catalog/reconcile.h"
#include "compat.h"
#include "refresh/dispatch.h"
#include "refresh/history.h"
#include "refresh/launcher.h"
#include "refresh/step.h"
#include "refresh/worker.h"
#include "settings.h"
#include "source/source.h"
#include "table/storage.h"

#define RESTART_SECONDS		5
#define WATCH_INTERVAL_MS	1000	/* of the manifest's file, and of the extension while there is
									 * none */
#define CATALOG_INTERVAL_MS 5000	/* of reading the catalog without being woken */
#define LOOK_INTERVAL_MS	20	/* shortest interval of reading the catalog */
#define LOOK_SHARE			4	/* reading takes at most one part in so many of the time */
#define EXPIRE_INTERVAL_MS	600000	/* of deleting old history */
#define RESPITE_MS			1000	/* between two starts of one dataset's refresh */
#define CLOCK_STEP_MS		1000	/* a step back that is worth a correction */

/* What tells that the manifest's file has changed. */
typedef struct FileIdentity
{
	bool		exists;
	dev_t		device;
	ino_t		inode;
	off_t		size;
	struct timespec modified;
	struct timespec changed;	/* also its owner and permissions */
} FileIdentity;

/* a dataset that has a next refresh */
typedef struct Due
{
	int			id;
	char	   *name;
	TimestampTz when;
	bool		request;		/* a session has requested it */
	bool		retention;		/* delete old rows instead of a refresh */
	bool		release;		/* drop replication slots instead of a refresh */
	const char *trigger;
} Due;

typedef struct Worker
{
	int			slot;			/* its index in shared memory */
	BackgroundWorkerHandle *handle;
} Worker;

/*
 * A refresh that was started.  The dataset is not started again before the
 * catalog has been read after the refresh's end.
 */
typedef struct Run
{
	int			dataset;		/* the key; must be first */
	TimestampTz started;
	int			slot;			/* of its worker; -1: it has ended */
	bool		known;			/* the catalog was read since */
} Run;

static struct
{
	MemoryContext turn_context; /* reset every turn */
	MemoryContext schedule_context; /* reset when the catalog is read */
	MemoryContext worker_context;	/* workers and runs */
	List	   *schedule;		/* of Due *, soonest first */
	List	   *workers;		/* of Worker *: processes */
	HTAB	   *runs;			/* of Run, by dataset: under way, or started a moment ago */
	bool		look;			/* a process has said that the catalog changed */
	Oid			extension;		/* InvalidOid: WAITING */
	TimestampTz serving_since;
	TimestampTz turn;			/* when the present turn began */
	TimestampTz catalog_read;
	long		read_ms;		/* how long that took */
	FullTransactionId written;	/* the next transaction when it was read; invalid: one that wrote
								 * was under way */
	TimestampTz history_expired;
	bool		history_remains;	/* its last batch was full */
	TimestampTz slots_warned;
	bool		outdated;		/* the extension is of another version than the library */
	bool		swept;			/* no file of a dropped extension is left */
	bool		storage_swept;	/* no file of a load that crashed is left */
	bool		slots_short;	/* the last start of a worker has failed */
	FileIdentity manifest;
	bool		retry;			/* what is in error is tried again at once */
	bool		manifest_stale;
	bool		manifest_incomplete;
} launcher;

/* ------- for the rest of the library ------- */

bool
launcher_is_here(void)
{
	pid_t		pid;

	return dispatch_launcher(&pid) == MyDatabaseId;
}

void
launcher_leave_database(const char *database)
{
	pid_t		pid;
	Oid			serving = dispatch_launcher(&pid);
	Oid			oid = get_database_oid(database, true);

	if (OidIsValid(oid) && oid == serving && compat_owns_database(oid))
		kill(pid, SIGTERM);
}

void
launcher_register(void)
{
	BackgroundWorker worker = {0};

	strlcpy(worker.bgw_name, "spice launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "spice launcher", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "spice", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "spice_launcher_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

/* ------- steps, each a transaction of its own ------- */

/* Runs a step; if it fails, rolls it back and reports the error. */
static bool
in_transaction(void (*step) (void))
{
	volatile bool done = false;

	PG_TRY();
	{
		step_begin();
		step();
		step_commit();
		done = true;
	}
	PG_CATCH();
	{
		(void) step_rescue(launcher.turn_context);
	}
	PG_END_TRY();
	pgstat_report_stat(true);
	return done;
}

static const char *
due_trigger(TimestampTz when, bool request, bool changed, int attempt)
{
	if (request)
		return "request";
	if (attempt > 0)
		return "retry";
	if (changed)
		return "manifest";
	return when <= launcher.serving_since ? "startup" : "schedule";
}

/*
 * Notes which transactions the schedule reflects.  While no later one has written
 * anything, the catalog is as it was read.
 */
static void
note_transactions(void)
{
	Snapshot	snapshot = GetTransactionSnapshot();
	FullTransactionId next = ReadNextFullTransactionId();

	launcher.written = InvalidFullTransactionId;
	if (snapshot->xcnt == 0 && XidFromFullTransactionId(next) == snapshot->xmax)
		launcher.written = next;
}

static bool
nothing_was_written(void)
{
	return FullTransactionIdIsValid(launcher.written) &&
		FullTransactionIdEquals(launcher.written, ReadNextFullTransactionId());
}

static void
read_schedule(void)
{
	CatalogRows *rows;
	MemoryContext old;

	MemoryContextReset(launcher.schedule_context);
	launcher.schedule = NIL;
	note_transactions();
	old = MemoryContextSwitchTo(launcher.schedule_context);
	rows = catalog_query("SELECT * FROM spice.due", NULL);
	for (uint64 row = 0; row < rows->n; row++)
	{
		Due		   *due = palloc(sizeof(Due));
		bool		isnull;

		due->id = (int) catalog_get_int(rows, row, "id", 0);
		due->name = catalog_get_text(rows, row, "name");
		due->when = DatumGetTimestampTz(catalog_get(rows, row, "due", &isnull));
		due->request = catalog_get_bool(rows, row, "request");
		due->trigger = due_trigger(due->when, due->request, catalog_get_bool(rows, row, "changed"),
								   (int) catalog_get_int(rows, row, "attempt", 0));
		due->retention = catalog_get_bool(rows, row, "retention");
		due->release = catalog_get_bool(rows, row, "release");
		launcher.schedule = lappend(launcher.schedule, due);
	}
	MemoryContextSwitchTo(old);
}

/* Prepares a database that the launcher has not served before. */
static void
prepare_serving(void)
{
	history_close_interrupted();
	(void) catalog_query("SELECT spice_catalog.correct_times()", NULL);
	(void) catalog_query("SELECT spice_catalog.forget_lost_rows()", NULL);
	(void) catalog_query("SELECT spice_catalog.schedule_start()", NULL);
	source_sweep(true);
	launcher.swept = false;
}

static void
retry_failed(void)
{
	(void) catalog_query("SELECT spice_catalog.retry_failed()", NULL);
}

static void
correct_times(void)
{
	(void) catalog_query("SELECT spice_catalog.correct_times()", NULL);
}

/* Warns once, not every second. */
static bool
versions_agree(void)
{
	bool		agree = extension_version_agrees(launcher.outdated ? 0 : WARNING);

	if (agree && launcher.outdated)
		ereport(LOG, (errmsg("extension spice and its library have the same version again")));
	launcher.outdated = !agree;
	return agree;
}

static void
find_extension(void)
{
	launcher.extension = catalog_extension();
	if (!OidIsValid(launcher.extension))
		launcher.outdated = false;
	else if (!versions_agree())
	{
		launcher.extension = InvalidOid;
		return;
	}
	/* DROP EXTENSION does not remove files */
	if (!OidIsValid(launcher.extension) && !launcher.swept)
	{
		source_sweep(false);
		launcher.swept = true;
	}
}

static void
sweep_storage(void)
{
	launcher.storage_swept = storage_sweep();
}

/* A batch that fails is tried again after EXPIRE_INTERVAL_MS. */
static void
expire_history(void)
{
	launcher.history_remains = false;
	launcher.history_remains = history_expire();
}

static void
reconcile(void)
{
	Reconciliation *result = reconcile_manifest(false);
	ListCell   *cell;

	launcher.manifest_incomplete = result->incomplete;
	if (result->error != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s", result->error),
				 errdetail("Nothing was changed; what was in force before still is.")));
	foreach(cell, result->actions)
	{
		ReconcileAction *action = lfirst(cell);
		bool		problem = strcmp(action->action, "error") == 0 || strcmp(action->action, "warning") == 0;

		if (strcmp(action->action, "removed") == 0)
			source_leave(action->dataset);
		if (problem)
			ereport(WARNING,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("manifest: %s%s%s", action->dataset ? action->dataset : "",
							action->dataset ? ": " : "", action->detail)));
		else if (strcmp(action->action, "unchanged") != 0 && strcmp(action->action, "locked") != 0)
			ereport(LOG, (errmsg("dataset \"%s\" %s", action->dataset, action->action)));
	}
}

/* ------- the loop ------- */

static bool
same_file(const FileIdentity *a, const FileIdentity *b)
{
	return a->exists == b->exists && a->device == b->device && a->inode == b->inode &&
		a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
		a->modified.tv_nsec == b->modified.tv_nsec && a->changed.tv_sec == b->changed.tv_sec &&
		a->changed.tv_nsec == b->changed.tv_nsec;
}

static FileIdentity
identify_manifest(void)
{
	FileIdentity identity = {0};
	struct stat status;

	if (stat(manifest_path(), &status) == 0)
	{
		identity.exists = true;
		identity.device = status.st_dev;
		identity.inode = status.st_ino;
		identity.size = status.st_size;
		identity.modified = status.st_mtim;
		identity.changed = status.st_ctim;
	}
	return identity;
}

/* Reads the manifest if its file has changed. */
static void
watch_manifest(void)
{
	FileIdentity now = identify_manifest();

	if (!launcher.manifest_stale && same_file(&now, &launcher.manifest))
		return;
	if (!in_transaction(reconcile))
		return;
	/* a dataset that was locked receives its definition in a later turn */
	launcher.manifest = now;
	launcher.manifest_stale = launcher.manifest_incomplete;
	launcher.catalog_read = 0;
}

/* ------- runs ------- */

static Run *
find_run(int dataset)
{
	return hash_search(launcher.runs, &dataset, HASH_FIND, NULL);
}

static void
end_runs_of(int slot)
{
	HASH_SEQ_STATUS scan;
	Run		   *run;

	hash_seq_init(&scan, launcher.runs);
	while ((run = hash_seq_search(&scan)) != NULL)
	{
		if (run->slot == slot)
			run->slot = -1;
	}
}

/* The catalog has been read after the end of these. */
static void
note_known_runs(void)
{
	HASH_SEQ_STATUS scan;
	Run		   *run;

	hash_seq_init(&scan, launcher.runs);
	while ((run = hash_seq_search(&scan)) != NULL)
		run->known |= run->slot < 0;
}

/* A worker that is idle has done its task. */
static void
note_ended_runs(void)
{
	ListCell   *cell;

	foreach(cell, launcher.workers)
	{
		int			slot = ((Worker *) lfirst(cell))->slot;
		WorkerState state = dispatch_state(slot);

		if (state == WORKER_IDLE || state == WORKER_EXITING)
			end_runs_of(slot);
	}
}

/* Keeps a refresh that ends at once from being started in a loop. */
static TimestampTz
respite_end(const Run *run)
{
	return TimestampTzPlusMilliseconds(run->started, RESPITE_MS);
}

static void
forget_runs(TimestampTz now)
{
	HASH_SEQ_STATUS scan;
	Run		   *run;

	hash_seq_init(&scan, launcher.runs);
	while ((run = hash_seq_search(&scan)) != NULL)
	{
		if (run->known && respite_end(run) <= now)
			(void) hash_search(launcher.runs, &run->dataset, HASH_REMOVE, NULL);
	}
}

/* How long the catalog need not be read, in ms. */
static long
time_to_look(TimestampTz now)
{
	long		interval = CATALOG_INTERVAL_MS;

	/* many datasets take long to read, and what is due already need not wait for that */
	if (launcher.look)
		interval = Max(LOOK_INTERVAL_MS, launcher.read_ms * LOOK_SHARE);
	else if (!OidIsValid(launcher.extension))
		interval = WATCH_INTERVAL_MS;
	return TimestampDifferenceMilliseconds(now, TimestampTzPlusMilliseconds(launcher.catalog_read, interval));
}

static void
look_at_catalog(TimestampTz now)
{
	Oid			before = launcher.extension;

	launcher.look |= dispatch_catalog_changed();
	if (time_to_look(now) > 0)
		return;
	note_ended_runs();
	if (!launcher.look && launcher.catalog_read != 0 && OidIsValid(before) && nothing_was_written())
	{
		launcher.catalog_read = now;
		note_known_runs();
		return;
	}

	launcher.look = false;
	launcher.catalog_read = now;
	if (!in_transaction(find_extension))
		launcher.extension = InvalidOid;
	if (OidIsValid(launcher.extension) && launcher.extension != before)
	{
		if (in_transaction(prepare_serving))
		{
			launcher.serving_since = GetCurrentTimestamp();
			launcher.manifest_stale = true;
		}
		else
			launcher.extension = InvalidOid;
	}
	if (OidIsValid(launcher.extension) && !in_transaction(read_schedule))
		launcher.extension = InvalidOid;
	if (!OidIsValid(launcher.extension))
		launcher.schedule = NIL;
	launcher.read_ms = TimestampDifferenceMilliseconds(now, GetCurrentTimestamp());
	note_known_runs();
}

/* Forgets workers that have exited, and closes their rows of history. */
static void
reap_workers(void)
{
	bool		ended = false;
	ListCell   *cell;

	foreach(cell, launcher.workers)
	{
		Worker	   *worker = lfirst(cell);
		pid_t		pid;

		if (GetBackgroundWorkerPid(worker->handle, &pid) != BGWH_STOPPED)
			continue;
		end_runs_of(worker->slot);
		dispatch_free(worker->slot);
		launcher.workers = foreach_delete_current(launcher.workers, cell);
		pfree(worker->handle);
		pfree(worker);
		ended = true;
	}
	if (ended)
	{
		launcher.catalog_read = 0;
		if (OidIsValid(launcher.extension))
			in_transaction(history_close_interrupted);
	}
}

static void
report_no_worker(TimestampTz now)
{
	if (TimestampDifferenceExceeds(launcher.slots_warned, now, 60000))
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no free background worker for a refresh"),
				 errhint("Raise max_worker_processes, or lower spice.max_refresh_workers.")));
	launcher.slots_warned = now;
}

static bool
start_worker(const WorkerTask *task, TimestampTz now, int *slot)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;
	Worker	   *entry;
	WorkerArguments arguments = {.database = MyDatabaseId};

	if (!dispatch_claim(task, &arguments.slot))
		return false;
	*slot = arguments.slot.index;
	strlcpy(worker.bgw_name, "spice refresh", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "spice refresh", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "spice", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "spice_worker_main", BGW_MAXLEN);
	worker.bgw_notify_pid = MyProcPid;
	memcpy(worker.bgw_extra, &arguments, sizeof(arguments));

	launcher.slots_short = !RegisterDynamicBackgroundWorker(&worker, &handle);
	if (launcher.slots_short)
	{
		dispatch_free(*slot);
		/* the parked worker fails its refresh, and then accepts this task */
		if (!dispatch_evict())
			report_no_worker(now);
		return false;
	}
	entry = palloc(sizeof(Worker));
	entry->slot = *slot;
	entry->handle = handle;
	launcher.workers = lappend(launcher.workers, entry);
	return true;
}

static int
count_workers(WorkerState state)
{
	int			n = 0;
	ListCell   *cell;

	foreach(cell, launcher.workers)
		n += dispatch_state(((Worker *) lfirst(cell))->slot) == state;
	return n;
}

static bool
waits_for_lock(const Worker *worker)
{
	pid_t		pid;
	PGPROC	   *process;

	if (GetBackgroundWorkerPid(worker->handle, &pid) != BGWH_STARTED)
		return false;
	process = BackendPidGetProc(pid);
	return process != NULL && process->waitLock != NULL;
}

/*
 * Workers that wait for a lock.  They keep no other dataset from its refresh:
 * the lock's holder may be an idle transaction.
 */
static int
count_waiting_workers(void)
{
	int			n = 0;
	ListCell   *cell;

	foreach(cell, launcher.workers)
	{
		WorkerState state = dispatch_state(((Worker *) lfirst(cell))->slot);

		n += state == WORKER_PARKED || state == WORKER_EVICTED ||
			(state == WORKER_BUSY && waits_for_lock(lfirst(cell)));
	}
	return Min(n, MAX_WAITING_WORKERS);
}

/*
 * May the launcher start or wake a worker?  spice.max_refresh_workers may have
 * been lowered since the workers were started.
 */
static bool
may_use_worker(void)
{
	int			idle = count_workers(WORKER_IDLE);
	int			n = list_length(launcher.workers) - count_waiting_workers();

	return idle > 0 ? n - idle < spice_max_refresh_workers : n < spice_max_refresh_workers;
}

/* Assigns the task to an idle worker or to a new one; returns false if there is neither. */
static bool
assign_task(const WorkerTask *task, TimestampTz now, int *slot)
{
	ListCell   *cell;

	if (!may_use_worker())
		return false;
	foreach(cell, launcher.workers)
	{
		*slot = ((Worker *) lfirst(cell))->slot;
		if (dispatch_assign(*slot, task))
		{
			/* its task before has ended, even if the catalog has not been read since */
			end_runs_of(*slot);
			return true;
		}
	}
	return start_worker(task, now, slot);
}

static bool
start_run(const Due *due, TimestampTz now)
{
	WorkerTask	task = {.dataset = due->id, .request = due->request, .retention = due->retention, .release = due->release};
	MemoryContext old = MemoryContextSwitchTo(launcher.worker_context);
	int			slot;
	bool		started;

	strlcpy(task.trigger, due->trigger, sizeof(task.trigger));
	started = assign_task(&task, now, &slot);
	if (started)
	{
		Run		   *run = hash_search(launcher.runs, &due->id, HASH_ENTER, NULL);

		run->started = now;
		run->slot = slot;
		run->known = false;
	}
	MemoryContextSwitchTo(old);
	return started;
}

static void
start_due(TimestampTz now)
{
	ListCell   *cell;

	launcher.slots_short = false;
	foreach(cell, launcher.schedule)
	{
		Due		   *due = lfirst(cell);

		if (due->when > now)
			break;
		if (find_run(due->id) == NULL && !start_run(due, now))
			break;
	}
}

/* How long the launcher has nothing to do unless it is woken. */
static long
time_to_sleep(TimestampTz now)
{
	long		sleep = Min(WATCH_INTERVAL_MS, time_to_look(now));
	ListCell   *cell;

	if (launcher.slots_short || !may_use_worker())
		return Max(sleep, 1);
	foreach(cell, launcher.schedule)
	{
		Due		   *due = lfirst(cell);
		Run		   *run = find_run(due->id);

		if (run == NULL)
			sleep = Min(sleep, TimestampDifferenceMilliseconds(now, due->when));
		else if (run->known)
			sleep = Min(sleep, TimestampDifferenceMilliseconds(now, Max(due->when, respite_end(run))));
	}
	return Max(sleep, 1);
}

/* The clock was ahead and has been set back: no time that it has shown is waited for. */
static void
start_times_anew(TimestampTz now)
{
	HASH_SEQ_STATUS scan;
	Run		   *run;

	launcher.catalog_read = 0;
	launcher.history_expired = now;
	launcher.slots_warned = 0;
	hash_seq_init(&scan, launcher.runs);
	while ((run = hash_seq_search(&scan)) != NULL)
		run->started = now;
	if (OidIsValid(launcher.extension))
		in_transaction(correct_times);
}

static void
do_turn(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (TimestampDifferenceExceeds(now, launcher.turn, CLOCK_STEP_MS))
		start_times_anew(now);
	launcher.turn = now;
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		launcher.manifest_stale = true;
		launcher.retry = true;
	}
	reap_workers();
	if (!launcher.storage_swept && !in_transaction(sweep_storage))
		launcher.storage_swept = false;
	look_at_catalog(now);
	if (OidIsValid(launcher.extension))
	{
		watch_manifest();
		if (launcher.retry && in_transaction(retry_failed))
		{
			launcher.retry = false;
			launcher.catalog_read = 0;
		}
		look_at_catalog(now);
		forget_runs(now);
		start_due(now);
		if (TimestampDifferenceExceeds(launcher.history_expired, now,
									   launcher.history_remains ? WATCH_INTERVAL_MS : EXPIRE_INTERVAL_MS))
		{
			in_transaction(expire_history);
			launcher.history_expired = now;
		}
	}
}

/* Workers do not outlive the launcher, nor keep a database from being dropped. */
static void
leave(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	ListCell   *cell;

	dispatch_retire();
	foreach(cell, launcher.workers)
		TerminateBackgroundWorker(((Worker *) lfirst(cell))->handle);
}

static void
enter(void)
{
	HASHCTL		control = {.keysize = sizeof(int), .entrysize = sizeof(Run)};

	launcher.turn_context = AllocSetContextCreate(TopMemoryContext, "spice launcher turn",
												  ALLOCSET_DEFAULT_SIZES);
	launcher.schedule_context = AllocSetContextCreate(TopMemoryContext, "spice launcher schedule",
													  ALLOCSET_DEFAULT_SIZES);
	launcher.worker_context = AllocSetContextCreate(TopMemoryContext, "spice launcher workers",
													ALLOCSET_DEFAULT_SIZES);
	control.hcxt = launcher.worker_context;
	launcher.runs = hash_create("spice launcher runs", 64, &control,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	before_shmem_exit(leave, (Datum) 0);
	dispatch_announce(MyDatabaseId);
}

void
spice_launcher_main(Datum arg pg_attribute_unused())
{
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(spice_database, NULL, 0);
	pgstat_report_appname("spice launcher");
	step_pin_settings();
	SetConfigOption("lock_timeout", "2s", PGC_SUSET, PGC_S_OVERRIDE);
	enter();

	for (;;)
	{
		MemoryContextReset(launcher.turn_context);
		MemoryContextSwitchTo(launcher.turn_context);
		do_turn();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 time_to_sleep(GetCurrentTimestamp()), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}
