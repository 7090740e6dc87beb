/*-------------------------------------------------------------------------
 *
 * sync.h
 *		Syncs the storage of a new heap before the commit would have to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SYNC_H
#define SPICE_SYNC_H

/* Syncs what the commit would sync of a heap, its indexes and its TOAST table. */
extern void sync_storage(Oid heap);

#endif
