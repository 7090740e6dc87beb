/*-------------------------------------------------------------------------
 *
 * handover.c
 *		What the launcher, its workers and sessions tell each other.
 *
 * Starting a process costs more than refreshing a small dataset, so a worker
 * stays for a while and is handed one refresh after the other.  All of that is
 * a few words in shared memory under a spinlock, and latches.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/spin.h"

#include "refresh/handover.h"

typedef struct WorkerPlace
{
	WorkerState state;
	WorkerOrder order;
	Latch	   *latch;			/* of the process; NULL before it has arrived */
} WorkerPlace;

typedef struct HandoverShared
{
	slock_t		mutex;
	pid_t		launcher;		/* 0: none */
	Oid			database;
	bool		catalog_changed;
	WorkerPlace places[MAX_REFRESH_WORKERS];
} HandoverShared;

static HandoverShared *shared;
static bool wake_at_commit;

Size
handover_shared_size(void)
{
	return sizeof(HandoverShared);
}

void
handover_shared_start(void *memory, bool initialize)
{
	shared = memory;
	if (!initialize)
		return;
	memset(shared, 0, sizeof(*shared));
	SpinLockInit(&shared->mutex);
}

/* ------- the launcher and everybody else ------- */

void
handover_announce(Oid database)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = MyProcPid;
	shared->database = database;
	/* what a launcher before this one knew of, is gone with it */
	for (int place = 0; place < MAX_REFRESH_WORKERS; place++)
		shared->places[place].state = WORKER_FREE;
	SpinLockRelease(&shared->mutex);
}

void
handover_retire(void)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = 0;
	SpinLockRelease(&shared->mutex);
}

bool
handover_catalog_changed(void)
{
	bool		changed;

	SpinLockAcquire(&shared->mutex);
	changed = shared->catalog_changed;
	shared->catalog_changed = false;
	SpinLockRelease(&shared->mutex);
	return changed;
}

Oid
handover_launcher(pid_t *pid)
{
	Oid			database = InvalidOid;

	*pid = 0;
	if (shared == NULL)
		return InvalidOid;
	SpinLockAcquire(&shared->mutex);
	*pid = shared->launcher;
	if (shared->launcher != 0)
		database = shared->database;
	SpinLockRelease(&shared->mutex);
	return database;
}

void
handover_wake(void)
{
	pid_t		pid;

	SpinLockAcquire(&shared->mutex);
	shared->catalog_changed = true;
	pid = shared->launcher;
	SpinLockRelease(&shared->mutex);
	/* the handler every process has for this signal sets its latch */
	if (pid != 0)
		kill(pid, SIGUSR1);
}

void
handover_wake_at_commit(void)
{
	wake_at_commit = true;
}

void
handover_at_end(XactEvent event)
{
	if (event == XACT_EVENT_COMMIT && wake_at_commit && shared != NULL)
		handover_wake();
	wake_at_commit = false;
}

/* ------- the launcher and a worker ------- */

/* from one state to another, with an order if there is one; false: it was in another */
static bool
change_state(int place, WorkerState from, WorkerState to, const WorkerOrder *order)
{
	WorkerPlace *entry = &shared->places[place];
	Latch	   *latch = NULL;
	bool		changed;

	SpinLockAcquire(&shared->mutex);
	changed = entry->state == from;
	if (changed)
	{
		entry->state = to;
		if (order != NULL)
		{
			entry->order = *order;
			latch = entry->latch;
		}
	}
	SpinLockRelease(&shared->mutex);
	if (latch != NULL)
		SetLatch(latch);
	return changed;
}

int
handover_hire(const WorkerOrder *order)
{
	for (int place = 0; place < MAX_REFRESH_WORKERS; place++)
	{
		if (handover_state(place) != WORKER_FREE)
			continue;
		/* only the launcher takes places, so nobody else has */
		shared->places[place].latch = NULL;
		(void) change_state(place, WORKER_FREE, WORKER_ORDERED, order);
		return place;
	}
	return -1;
}

bool
handover_order(int place, const WorkerOrder *order)
{
	return change_state(place, WORKER_IDLE, WORKER_ORDERED, order);
}

WorkerState
handover_state(int place)
{
	WorkerState state;

	SpinLockAcquire(&shared->mutex);
	state = shared->places[place].state;
	SpinLockRelease(&shared->mutex);
	return state;
}

void
handover_dismiss(int place)
{
	SpinLockAcquire(&shared->mutex);
	shared->places[place].state = WORKER_FREE;
	shared->places[place].latch = NULL;
	SpinLockRelease(&shared->mutex);
}

void
handover_arrive(int place)
{
	SpinLockAcquire(&shared->mutex);
	shared->places[place].latch = MyLatch;
	SpinLockRelease(&shared->mutex);
}

bool
handover_take(int place, WorkerOrder *order)
{
	if (!change_state(place, WORKER_ORDERED, WORKER_BUSY, NULL))
		return false;
	/* the launcher does not touch the order of a worker that is busy */
	*order = shared->places[place].order;
	return true;
}

void
handover_done(int place)
{
	(void) change_state(place, WORKER_BUSY, WORKER_IDLE, NULL);
	handover_wake();
}

bool
handover_leave(int place)
{
	return change_state(place, WORKER_IDLE, WORKER_LEAVING, NULL);
}
