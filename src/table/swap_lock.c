/*-------------------------------------------------------------------------
 *
 * swap_lock.c
 *		The lock under which a table changes its storage or its shape.
 *
 * The strong lock is the one thing that readers can notice.  It is asked for
 * without queueing at first, because a request that waits in the queue holds up
 * every reader that comes after it.  If the table is never idle, short waits
 * follow, each as long as a reader can be made to wait, with pauses in between in
 * which the readers catch up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "settings.h"
#include "table/swap_lock.h"

#define EAGER_TRIES		200		/* without queueing, one a millisecond */
#define QUEUE_TIME_MS	10		/* how long a reader may be held up */
#define PAUSE_TIME_MS	40		/* and then catch up */

static void
pause_ms(long ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* waits in the queue for a moment; false when the moment is over */
static bool
try_lock_queued(Oid table)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			lock_timeout = LockTimeout;
	bool		timed = get_timeout_active(STATEMENT_TIMEOUT);
	volatile bool locked = false;

	BeginInternalSubTransaction(NULL);
	LockTimeout = QUEUE_TIME_MS;
	PG_TRY();
	{
		LockRelationOid(table, AccessExclusiveLock);
		LockTimeout = lock_timeout;
		ReleaseCurrentSubTransaction();
		locked = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		LockTimeout = lock_timeout;
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			ReThrowError(error);
		FlushErrorState();
		FreeErrorData(error);
	}
	PG_END_TRY();
	/* of two timeouts at once the server tells the one that was due first, and forgets the other */
	if (!locked && timed && !get_timeout_active(STATEMENT_TIMEOUT))
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to statement timeout")));
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return locked;
}

void
swap_lock_table(Oid table, const char *dataset)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), spice_swap_timeout);

	for (int attempt = 0;; attempt++)
	{
		if (attempt < EAGER_TRIES)
		{
			if (ConditionalLockRelationOid(table, AccessExclusiveLock))
				return;
			pause_ms(1);
		}
		else
		{
			if (try_lock_queued(table))
				return;
			pause_ms(PAUSE_TIME_MS);
		}
		if (GetCurrentTimestamp() >= deadline)
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("table of dataset \"%s\" was in use for all of spice.swap_timeout", dataset),
					 errdetail("A session has held a lock on table \"%s\" for %d ms.",
							   get_rel_name(table), spice_swap_timeout),
					 errhint("End the long transaction that reads the table (see pg_locks), or raise spice.swap_timeout.")));
	}
}
