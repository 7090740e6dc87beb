/*-------------------------------------------------------------------------
 *
 * extension.h
 *		The extension itself: whether it is there, whether it stays, and
 *		whether its objects are of this library's version.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_EXTENSION_H
#define SPICE_EXTENSION_H

#include "storage/lockdefs.h"

/*
 * The extension in this database, InvalidOid when there is none; another one when
 * made again.  It stays until the end of the transaction.
 */
extern Oid	catalog_extension(void);

/* until the end of the transaction; InvalidOid when there is none */
extern Oid	extension_lock(LOCKMODE lockmode);

/* are the objects in this database of the library's version?  Otherwise says so at that level, 0: not at all */
extern bool extension_version_agrees(int level);

/* raises the error of DROP EXTENSION for a role, or a transaction, that may not do so */
extern void extension_check_droppable(void);

/* raises an error if they are of another */
extern void extension_check_version(void);

#endif
