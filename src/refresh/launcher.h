/*-------------------------------------------------------------------------
 *
 * launcher.h
 *		The launcher, and how a session reaches it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_LAUNCHER_H
#define SPICE_LAUNCHER_H

/* Registers the launcher's process; called once, while the library is preloaded. */
extern void launcher_register(void);

/* Does a launcher serve this database? */
extern bool launcher_is_here(void);

/* Has the launcher and its workers exit if they are in a database that is about to be dropped. */
extern void launcher_leave_database(const char *database);

extern PGDLLEXPORT void spice_launcher_main(Datum arg);

#endif
