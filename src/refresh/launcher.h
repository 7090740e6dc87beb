/*-------------------------------------------------------------------------
 *
 * launcher.h
 *		The launcher, its workers, and how a session reaches them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_LAUNCHER_H
#define SPICE_LAUNCHER_H

#include "postgres.h"

/* when the library is preloaded: shared memory and the static worker */
extern void launcher_install(void);

/* is there a launcher, and does it serve this database? */
extern bool launcher_is_here(void);

/* at commit of this transaction, has the launcher look at the catalog */
extern void launcher_wake_at_commit(void);

/* makes the launcher and its workers leave a database that is to be dropped */
extern void launcher_leave_database(const char *database);

/* what a worker is told, in bgw_extra */
typedef struct WorkerOrder
{
	Oid			database;
	bool		request;		/* there may be a refresh_request */
	bool		retention;		/* instead of a refresh */
	char		trigger[16];
} WorkerOrder;

extern PGDLLEXPORT void spice_launcher_main(Datum arg);
extern PGDLLEXPORT void spice_worker_main(Datum arg);

#endif
