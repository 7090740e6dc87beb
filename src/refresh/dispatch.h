/*-------------------------------------------------------------------------
 *
 * dispatch.h
 *		What the launcher, its workers and sessions tell each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DISPATCH_H
#define SPICE_DISPATCH_H

#include "access/xact.h"

#define MAX_REFRESH_WORKERS 64	/* maximum of spice.max_refresh_workers */
#define MAX_WAITING_WORKERS 8	/* that wait for a lock */

/* What a worker does next. */
typedef struct WorkerTask
{
	int			dataset;
	bool		request;		/* there may be a row in spice_catalog.refresh_request */
	bool		retention;		/* delete old rows instead of a refresh */
	bool		release;		/* drop replication slots instead of a refresh */
	char		trigger[16];
} WorkerTask;

/* A slot in shared memory.  A slot that is used again has another generation. */
typedef struct WorkerSlotId
{
	int			index;
	uint32		generation;
} WorkerSlotId;

/*
 * States of a worker's slot, and who moves it to the next:
 *
 *		FREE		no process				-> ASSIGNED (launcher, which starts one)
 *		ASSIGNED	a task waits for it		-> BUSY (worker), FREE (launcher: it never came)
 *		BUSY		it refreshes			-> IDLE, PARKED (worker)
 *		PARKED		it waits for a lock on	-> IDLE (worker), EVICTED (launcher)
 *					its table, and does not
 *					count as a worker
 *		EVICTED		it is to stop waiting	-> IDLE (worker)
 *		IDLE		it waits for a task		-> ASSIGNED (launcher), EXITING (worker)
 *		EXITING		it accepts no task
 *
 * Any state -> FREE (launcher) once the process has exited.
 */
typedef enum WorkerState
{
	WORKER_FREE,
	WORKER_ASSIGNED,
	WORKER_BUSY,
	WORKER_PARKED,
	WORKER_EVICTED,
	WORKER_IDLE,
	WORKER_EXITING
} WorkerState;

extern Size dispatch_shared_size(void);
extern void dispatch_shared_start(void *memory, bool initialize);

/* The launcher starts to serve a database; it exits. */
extern void dispatch_announce(Oid database);
extern void dispatch_retire(void);

/* Returns true once after a process has called dispatch_wake(). */
extern bool dispatch_catalog_changed(void);

/* Returns the launcher's database, or InvalidOid if there is no launcher, and its process. */
extern Oid	dispatch_launcher(pid_t *pid);

/* Has the launcher read the catalog, at once or at commit. */
extern void dispatch_wake(void);
extern void dispatch_wake_at_commit(void);
extern void dispatch_at_end(XactEvent event);

/*
 * For the launcher.  claim: takes a free slot for a worker that is about to be
 * started; returns false if there is none.  assign: returns false unless the
 * worker is idle.  evict: has the worker that has been parked longest give up;
 * returns false if there is none.  free: the worker's process has exited.
 */
extern bool dispatch_claim(const WorkerTask *task, WorkerSlotId *id);
extern bool dispatch_assign(int index, const WorkerTask *task);
extern bool dispatch_evict(void);
extern WorkerState dispatch_state(int index);
extern void dispatch_free(int index);

/*
 * For the worker.  attach: once, at its start.  receive: returns false if no task
 * waits.  park: returns false if the worker must not wait for its table any
 * longer.  exit: returns false if a task has arrived.
 */
extern void dispatch_attach(WorkerSlotId id);
extern bool dispatch_receive(WorkerTask *task);
extern bool dispatch_park(void);
extern void dispatch_done(void);
extern bool dispatch_exit(void);

#endif
