/*-------------------------------------------------------------------------
 *
 * swap_lock.h
 *		The lock under which a table changes its storage or its shape.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SWAP_LOCK_H
#define SPICE_SWAP_LOCK_H

#include "storage/lockdefs.h"

/*
 * A change of a table.  prepare is called without the lock, before each attempt; NULL: there
 * is nothing to prepare.  change is called under the lock, and returns false if it found
 * something to prepare.  It scans nothing, rewrites nothing, and waits for nothing but locks,
 * which are bounded.
 */
typedef struct SwapChange
{
	void		(*prepare) (void *arg);
	bool		(*change) (void *arg);
	void	   *arg;
} SwapChange;

/*
 * A process that others wait for sets this.  It is called again and again while
 * the process waits for a dataset's table, and may raise an error.
 */
extern void (*swap_wait_hook) (const char *dataset);

/*
 * Makes the change in one subtransaction, under AccessExclusiveLock on the table, its indexes
 * and its TOAST table.  Raises an error that names the dataset after spice.swap_timeout.
 */
extern void swap_lock_and_change(Oid table, const char *dataset, const SwapChange *change);

/* Keeps writers away, but no reader, until the end of the transaction; the same error. */
extern void swap_lock_out_writers(Oid table, const char *dataset);

#endif
