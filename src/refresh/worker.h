/*-------------------------------------------------------------------------
 *
 * worker.h
 *		A background worker that refreshes datasets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_WORKER_H
#define SPICE_WORKER_H

/* arg: its slot (handover.h); bgw_extra: the database */
extern PGDLLEXPORT void spice_worker_main(Datum arg);

#endif
