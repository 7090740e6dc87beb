/*-------------------------------------------------------------------------
 *
 * worker.h
 *		A background worker that refreshes datasets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_WORKER_H
#define SPICE_WORKER_H

#include "refresh/dispatch.h"

/* What the launcher hands to a worker at its start, in bgw_extra. */
typedef struct WorkerArguments
{
	Oid			database;
	WorkerSlotId slot;
} WorkerArguments;

extern PGDLLEXPORT void spice_worker_main(Datum arg);

#endif
