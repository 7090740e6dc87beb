/*-------------------------------------------------------------------------
 *
 * guard.h
 *		What a swap must not pass over.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_GUARD_H
#define SPICE_GUARD_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "compat.h"
#include "table/build.h"

/* Refuses a table with triggers, rules, children and the like. */
extern void guard_refuse_unswappable(Relation table, const Dataset *dataset);

/* Raises an error if the table was dropped or altered since the build began; keeps the lock. */
extern void guard_check_table(const TableBuild *build, LOCKMODE lockmode);

pg_noreturn extern void guard_refuse_altered(const TableBuild *build);

/* Raises an error if the table became part of a publication since the build began. */
extern void guard_check_unpublished(const TableBuild *build);

/* Does the table have CHECK constraints?  InvalidOid: no */
extern bool guard_has_checks(Oid table);

#endif
