/*-------------------------------------------------------------------------
 *
 * passfile.h
 *		Passwords for libpq, in files outside of every table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PASSFILE_H
#define SPICE_PASSFILE_H

#include "access/xact.h"
#include "nodes/pg_list.h"

/* where it is, relative to the data directory, for libpq's option passfile */
extern char *passfile_path(int dataset);

/* hosts: of char *, those which may see the password; user: NULL for any */
extern void passfile_write(int dataset, List *hosts, const char *user, const char *password);

/* when the transaction commits */
extern void passfile_remove(int dataset);
extern void passfile_at_end(XactEvent event);

/* removes those of this database whose dataset is not in the list, and those of none */
extern void passfile_sweep(List *datasets);

#endif
