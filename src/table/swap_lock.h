/*-------------------------------------------------------------------------
 *
 * swap_lock.h
 *		The lock under which a table changes its storage or its shape.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SWAP_LOCK_H
#define SPICE_SWAP_LOCK_H

/* Takes the table's AccessExclusiveLock within spice.swap_timeout; an error names the dataset. */
extern void swap_lock_table(Oid table, const char *dataset);

#endif
