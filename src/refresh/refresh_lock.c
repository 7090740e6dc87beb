/*-------------------------------------------------------------------------
 *
 * refresh_lock.c
 *		Locks of a refresh: the dataset's, and the table's.
 *
 * The dataset's lock is an advisory lock of spice's own class.  It ends with
 * its session, and pg_locks shows it with objsubid 83; the classes that SQL can
 * take are 1 and 2.
 *
 * A session does not wait for it in the lock's queue.  If the session has read
 * the table before, the worker that refreshes the dataset waits for the session,
 * and the server would find a deadlock and cancel either of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "refresh/refresh_lock.h"

#define REFRESH_LOCK_CLASS	83
#define POLL_MS				10

bool
refresh_lock_dataset(int dataset, bool session_lock)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, (uint32) dataset, REFRESH_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, session_lock, true) != LOCKACQUIRE_NOT_AVAIL;
}

static bool
holds_lock_on(Oid table)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, table);
	for (LOCKMODE mode = AccessShareLock; mode <= AccessExclusiveLock; mode++)
	{
		if (compat_lock_held(&tag, mode))
			return true;
	}
	return false;
}

void
refresh_wait_for_dataset(const Dataset *dataset)
{
	TimestampTz start = GetCurrentTimestamp();

	while (!refresh_lock_dataset(dataset->id, false))
	{
		TimestampTz now;

		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, POLL_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		now = GetCurrentTimestamp();
		if (TimestampDifferenceExceeds(start, now, DeadlockTimeout) && holds_lock_on(dataset->relation))
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("dataset \"%s\" is being refreshed by another process", dataset->name),
					 errdetail("That process cannot swap the table while this transaction holds a lock on it."),
					 errhint("End the transaction, and refresh the dataset in another one.")));
		if (LockTimeout > 0 && TimestampDifferenceExceeds(start, now, LockTimeout))
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("dataset \"%s\" is being refreshed by another process", dataset->name),
					 errdetail("It has been for all of lock_timeout.")));
	}
}

void
refresh_unlock_all(void)
{
	LockReleaseSession(USER_LOCKMETHOD);
}

bool
refresh_try_table(const Dataset *dataset)
{
	return !OidIsValid(dataset->relation) ||
		ConditionalLockRelationOid(dataset->relation, AccessShareLock);
}
