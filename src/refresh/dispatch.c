/*-------------------------------------------------------------------------
 *
 * dispatch.c
 *		What the launcher, its workers and sessions tell each other.
 *
 * Starting a process costs more than the refresh of a small dataset, so a
 * worker stays for a while and is assigned one task after the other.  Slots in
 * shared memory hold the tasks; latches say that they have changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/spin.h"

#include "refresh/dispatch.h"

typedef struct WorkerSlot
{
	WorkerState state;
	uint32		generation;
	uint64		parked;			/* the worker that has been parked longest has the lowest */
	WorkerTask	task;
	Latch	   *latch;			/* of the worker's process; NULL before it has attached */
} WorkerSlot;

typedef struct DispatchShared
{
	slock_t		mutex;
	pid_t		launcher;		/* 0: none */
	Oid			database;
	bool		catalog_changed;
	uint64		parkings;
	WorkerSlot	slots[MAX_REFRESH_WORKERS + MAX_WAITING_WORKERS];
} DispatchShared;

static DispatchShared *shared;
static WorkerSlotId my_slot;
static bool wake_at_commit;

Size
dispatch_shared_size(void)
{
	return sizeof(DispatchShared);
}

void
dispatch_shared_start(void *memory, bool initialize)
{
	shared = memory;
	if (!initialize)
		return;
	memset(shared, 0, sizeof(*shared));
	SpinLockInit(&shared->mutex);
}

/* ------- the launcher and all other processes ------- */

/* The caller holds the mutex.  A worker that is still there no longer owns the slot. */
static void
reset_slot(WorkerSlot *slot)
{
	slot->state = WORKER_FREE;
	slot->generation++;
	slot->latch = NULL;
}

void
dispatch_announce(Oid database)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = MyProcPid;
	shared->database = database;
	for (size_t i = 0; i < lengthof(shared->slots); i++)
		reset_slot(&shared->slots[i]);
	SpinLockRelease(&shared->mutex);
}

void
dispatch_retire(void)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = 0;
	SpinLockRelease(&shared->mutex);
}

bool
dispatch_catalog_changed(void)
{
	bool		changed;

	SpinLockAcquire(&shared->mutex);
	changed = shared->catalog_changed;
	shared->catalog_changed = false;
	SpinLockRelease(&shared->mutex);
	return changed;
}

Oid
dispatch_launcher(pid_t *pid)
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
dispatch_wake(void)
{
	pid_t		pid;

	SpinLockAcquire(&shared->mutex);
	shared->catalog_changed = true;
	pid = shared->launcher;
	SpinLockRelease(&shared->mutex);
	/* the handler of this signal sets the latch in every process */
	if (pid != 0)
		kill(pid, SIGUSR1);
}

void
dispatch_wake_at_commit(void)
{
	wake_at_commit = true;
}

void
dispatch_at_end(XactEvent event)
{
	if (event == XACT_EVENT_COMMIT && wake_at_commit && shared != NULL)
		dispatch_wake();
	wake_at_commit = false;
}

/* ------- the launcher ------- */

bool
dispatch_claim(const WorkerTask *task, WorkerSlotId *id)
{
	bool		found = false;

	SpinLockAcquire(&shared->mutex);
	for (size_t i = 0; i < lengthof(shared->slots) && !found; i++)
	{
		WorkerSlot *slot = &shared->slots[i];

		if (slot->state != WORKER_FREE)
			continue;
		reset_slot(slot);
		slot->state = WORKER_ASSIGNED;
		slot->task = *task;
		id->index = (int) i;
		id->generation = slot->generation;
		found = true;
	}
	SpinLockRelease(&shared->mutex);
	return found;
}

bool
dispatch_assign(int index, const WorkerTask *task)
{
	WorkerSlot *slot = &shared->slots[index];
	Latch	   *latch = NULL;
	bool		idle;

	SpinLockAcquire(&shared->mutex);
	idle = slot->state == WORKER_IDLE;
	if (idle)
	{
		slot->state = WORKER_ASSIGNED;
		slot->task = *task;
		latch = slot->latch;
	}
	SpinLockRelease(&shared->mutex);
	if (latch != NULL)
		SetLatch(latch);
	return idle;
}

bool
dispatch_evict(void)
{
	WorkerSlot *longest = NULL;
	Latch	   *latch = NULL;

	SpinLockAcquire(&shared->mutex);
	for (size_t i = 0; i < lengthof(shared->slots); i++)
	{
		WorkerSlot *slot = &shared->slots[i];

		if (slot->state == WORKER_PARKED && (longest == NULL || slot->parked < longest->parked))
			longest = slot;
	}
	if (longest != NULL)
	{
		longest->state = WORKER_EVICTED;
		latch = longest->latch;
	}
	SpinLockRelease(&shared->mutex);
	if (latch != NULL)
		SetLatch(latch);
	return longest != NULL;
}

WorkerState
dispatch_state(int index)
{
	WorkerState state;

	SpinLockAcquire(&shared->mutex);
	state = shared->slots[index].state;
	SpinLockRelease(&shared->mutex);
	return state;
}

void
dispatch_free(int index)
{
	SpinLockAcquire(&shared->mutex);
	reset_slot(&shared->slots[index]);
	SpinLockRelease(&shared->mutex);
}

/* ------- a worker ------- */

/* This worker's slot, or NULL if a later launcher has taken it back.  The caller holds the mutex. */
static WorkerSlot *
owned_slot(void)
{
	WorkerSlot *slot = &shared->slots[my_slot.index];

	return slot->generation == my_slot.generation ? slot : NULL;
}

void
dispatch_attach(WorkerSlotId id)
{
	WorkerSlot *slot;

	my_slot = id;
	SpinLockAcquire(&shared->mutex);
	slot = owned_slot();
	if (slot != NULL)
		slot->latch = MyLatch;
	SpinLockRelease(&shared->mutex);
}

bool
dispatch_receive(WorkerTask *task)
{
	WorkerSlot *slot;
	bool		received;

	SpinLockAcquire(&shared->mutex);
	slot = owned_slot();
	received = slot != NULL && slot->state == WORKER_ASSIGNED;
	if (received)
	{
		slot->state = WORKER_BUSY;
		*task = slot->task;
	}
	SpinLockRelease(&shared->mutex);
	return received;
}

bool
dispatch_park(void)
{
	WorkerSlot *slot;
	int			n_parked = 0;
	bool		parked;
	bool		new = false;

	SpinLockAcquire(&shared->mutex);
	slot = owned_slot();
	for (size_t i = 0; i < lengthof(shared->slots); i++)
		n_parked += shared->slots[i].state == WORKER_PARKED;
	if (slot != NULL && slot->state == WORKER_BUSY && n_parked < MAX_WAITING_WORKERS)
	{
		slot->state = WORKER_PARKED;
		slot->parked = shared->parkings++;
		new = true;
	}
	parked = slot != NULL && slot->state == WORKER_PARKED;
	SpinLockRelease(&shared->mutex);
	if (new)
		dispatch_wake();
	return parked;
}

void
dispatch_done(void)
{
	WorkerSlot *slot;

	SpinLockAcquire(&shared->mutex);
	slot = owned_slot();
	if (slot != NULL)
		slot->state = WORKER_IDLE;
	SpinLockRelease(&shared->mutex);
	dispatch_wake();
}

bool
dispatch_exit(void)
{
	WorkerSlot *slot;
	bool		exits;

	SpinLockAcquire(&shared->mutex);
	slot = owned_slot();
	exits = slot == NULL || slot->state == WORKER_IDLE;
	if (exits && slot != NULL)
		slot->state = WORKER_EXITING;
	SpinLockRelease(&shared->mutex);
	return exits;
}
