/*-------------------------------------------------------------------------
 *
 * sync.h
 *		Syncs the storage of a new heap before the commit would have to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SYNC_H
#define SPICE_SYNC_H

#include "utils/relcache.h"

/* Will the commit sync this storage to disk because it is not logged (wal_level minimal)? */
extern bool sync_is_due(Relation relation);

/* Syncs what is due of a heap, its indexes and its TOAST table. */
extern void sync_storage(Oid heap);

#endif
