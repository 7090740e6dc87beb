/*-------------------------------------------------------------------------
 *
 * swap_lock.c
 *		The lock under which a table changes its storage or its shape.
 *
 * The strong lock is the one thing that readers can notice.  So a change of a
 * table is made in attempts, each a subtransaction from the first lock to the
 * last catalog change:
 *
 *	- The table is asked for without queueing at first, because a request that
 *	  waits in the queue holds up every reader that comes after it.  If the table
 *	  is never idle, short waits follow, each as long as a reader can be made to
 *	  wait, with pauses in between in which the readers catch up.
 *	- Then the indexes, the TOAST table and its index are asked for, never
 *	  queueing: sessions can hold them without holding the table.
 *	- What else the change may wait for is bounded by a lock timeout, above all a
 *	  transaction that has changed the same catalog rows without a lock on the
 *	  table, as GRANT does.
 *
 * An attempt that does not get what it wants is rolled back, which releases its
 * locks, and tried again until spice.swap_timeout has passed.
 *
 * Autovacuum holds its lock for as long as it takes, and core has it canceled by
 * the session that has waited for deadlock_timeout.  An attempt does not wait for
 * that long, so it does the same at once: the storage that is being vacuumed is
 * about to go.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/relation.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "settings.h"
#include "table/swap_lock.h"

#define EAGER_TRIES		200		/* without queueing, one a millisecond */
#define QUEUE_TIME_MS	10		/* how long a reader may be held up */
#define CHANGE_TIME_MS	5		/* the same, by a lock that is wanted under the table's */
#define PAUSE_TIME_MS	40		/* and then catch up */

typedef struct Attempt
{
	Oid			table;
	LOCKMODE	mode;
	const SwapChange *change;	/* NULL: only the lock is wanted */
	bool		queue;
	Oid			blocked;		/* relation whose lock was not to be had, or InvalidOid */
} Attempt;

void		(*swap_wait_hook) (const char *dataset);

static void
pause_ms(long ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* Sends autovacuum away if nothing else is in the way; one against wraparound stays. */
static void
cancel_autovacuum(Oid relation, LOCKMODE mode)
{
	LOCKTAG		tag;
	VirtualTransactionId *holders;
	int			n;
	int		   *pids;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relation);
	holders = GetLockConflicts(&tag, mode, &n);
	pids = palloc(sizeof(int) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		pids[i] = compat_autovacuum_pid(holders[i]);
		if (pids[i] == 0)
			return;
	}
	for (int i = 0; i < n; i++)
		(void) kill(pids[i], SIGINT);
}

static bool
lock_at_once(Attempt *attempt, Oid relation)
{
	if (ConditionalLockRelationOid(relation, attempt->mode))
		return true;
	attempt->blocked = relation;
	cancel_autovacuum(relation, attempt->mode);
	return false;
}

static bool
lock_queued(Attempt *attempt)
{
	attempt->blocked = attempt->table;
	cancel_autovacuum(attempt->table, attempt->mode);
	LockTimeout = QUEUE_TIME_MS;
	LockRelationOid(attempt->table, attempt->mode);
	attempt->blocked = InvalidOid;
	return true;
}

/* The relation's own lock is held, so the list of its indexes stays as it is. */
static bool
lock_parts(Attempt *attempt, Oid oid)
{
	Relation	relation = try_relation_open(oid, NoLock);
	List	   *indexes;
	Oid			toast;
	ListCell   *cell;

	/* the change itself tells that the table has gone */
	if (relation == NULL)
		return true;
	indexes = RelationGetIndexList(relation);
	toast = relation->rd_rel->reltoastrelid;
	relation_close(relation, NoLock);
	foreach(cell, indexes)
	{
		if (!lock_at_once(attempt, lfirst_oid(cell)))
			return false;
	}
	return !OidIsValid(toast) || (lock_at_once(attempt, toast) && lock_parts(attempt, toast));
}

static bool
lock_and_change(Attempt *attempt)
{
	attempt->blocked = InvalidOid;
	if (!(attempt->queue ? lock_queued(attempt) : lock_at_once(attempt, attempt->table)))
		return false;
	if (attempt->change == NULL)
		return true;
	LockTimeout = CHANGE_TIME_MS;
	return lock_parts(attempt, attempt->table) && attempt->change->change(attempt->change->arg);
}

/* Would the same attempt succeed once another transaction has ended? */
static bool
may_try_again(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
		error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED ||
		(error->sqlerrcode == ERRCODE_INTERNAL_ERROR && error->message_id != NULL &&
		 (strcmp(error->message_id, "tuple concurrently updated") == 0 ||
		  strcmp(error->message_id, "tuple concurrently deleted") == 0));
}

static bool
make_attempt(Attempt *attempt)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			lock_timeout = LockTimeout;
	bool		timed = get_timeout_active(STATEMENT_TIMEOUT);
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		done = lock_and_change(attempt);
		LockTimeout = lock_timeout;
		if (done)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		LockTimeout = lock_timeout;
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (!may_try_again(error))
			ReThrowError(error);
		FlushErrorState();
		FreeErrorData(error);
		done = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	/* If two timeouts are due at once, the server reports the earlier one and drops the other. */
	if (!done && timed && !get_timeout_active(STATEMENT_TIMEOUT))
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to statement timeout")));
	return done;
}

static void
give_up(const Attempt *attempt, const char *dataset)
{
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("table of dataset \"%s\" was in use for all of spice.swap_timeout", dataset),
			 OidIsValid(attempt->blocked) ?
			 errdetail("A session has held a lock on \"%s\" for %d ms.",
					   get_rel_name(attempt->blocked), spice_swap_timeout) :
			 errdetail("A transaction that has not ended has changed the catalog entries of table \"%s\".",
					   get_rel_name(attempt->table)),
			 errhint("End the long transaction that uses the table (see pg_locks), or raise spice.swap_timeout.")));
}

static void
try_until_done(Attempt *attempt, const char *dataset)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), spice_swap_timeout);

	for (int n = 0;; n++)
	{
		attempt->queue = n >= EAGER_TRIES;
		if (attempt->queue && swap_wait_hook != NULL)
			swap_wait_hook(dataset);
		if (attempt->change != NULL && attempt->change->prepare != NULL)
			attempt->change->prepare(attempt->change->arg);
		if (make_attempt(attempt))
			return;
		pause_ms(attempt->queue ? PAUSE_TIME_MS : 1);
		if (GetCurrentTimestamp() >= deadline)
			give_up(attempt, dataset);
	}
}

void
swap_lock_and_change(Oid table, const char *dataset, const SwapChange *change)
{
	Attempt		attempt = {.table = table, .mode = AccessExclusiveLock, .change = change};

	try_until_done(&attempt, dataset);
}

void
swap_lock_out_writers(Oid table, const char *dataset)
{
	Attempt		attempt = {.table = table, .mode = ShareRowExclusiveLock};

	try_until_done(&attempt, dataset);
}
