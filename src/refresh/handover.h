/*-------------------------------------------------------------------------
 *
 * handover.h
 *		What the launcher, its workers and sessions tell each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HANDOVER_H
#define SPICE_HANDOVER_H

#include "access/xact.h"

#define MAX_REFRESH_WORKERS 64	/* the most that spice.max_refresh_workers may be */

/* what a worker is to do next */
typedef struct WorkerOrder
{
	int			dataset;
	bool		request;		/* there may be a refresh_request */
	bool		retention;		/* instead of a refresh */
	bool		release;		/* the same: slots that are no longer wanted go */
	char		trigger[16];
} WorkerOrder;

/*
 * A worker's place in shared memory: what it does, and what it is told.
 *
 *		FREE	no process				-> ORDERED (launcher, which starts one)
 *		ORDERED	it has an order			-> BUSY (worker), FREE (launcher: it never came)
 *		BUSY	it refreshes			-> IDLE (worker)
 *		IDLE	it waits for an order	-> ORDERED (launcher), LEAVING (worker)
 *		LEAVING	it takes no more orders
 *
 * From every state -> FREE (launcher) when its process has ended.
 */
typedef enum WorkerState
{
	WORKER_FREE,
	WORKER_ORDERED,
	WORKER_BUSY,
	WORKER_IDLE,
	WORKER_LEAVING
} WorkerState;

extern Size handover_shared_size(void);
extern void handover_shared_start(void *memory, bool initialize);

/* the launcher: comes to a database, leaves; has anybody said that the catalog changed? */
extern void handover_announce(Oid database);
extern void handover_retire(void);
extern bool handover_catalog_changed(void);

/* the launcher's database, InvalidOid when there is no launcher; *pid: its process */
extern Oid	handover_launcher(pid_t *pid);

/* has the launcher look at the catalog: at once, or at commit of this transaction */
extern void handover_wake(void);
extern void handover_wake_at_commit(void);
extern void handover_at_end(XactEvent event);

/* the launcher and a worker's place; hire: a free one, -1 if there is none */
extern int	handover_hire(const WorkerOrder *order);
extern bool handover_order(int place, const WorkerOrder *order);	/* false: not idle */
extern WorkerState handover_state(int place);
extern void handover_dismiss(int place);

/* the worker in its place */
extern void handover_arrive(int place);
extern bool handover_take(int place, WorkerOrder *order);
extern void handover_done(int place);
extern bool handover_leave(int place);	/* false: there is an order */

#endif
