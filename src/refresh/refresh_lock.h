/*-------------------------------------------------------------------------
 *
 * refresh_lock.h
 *		Locks of a refresh: the dataset's, and the table's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REFRESH_LOCK_H
#define SPICE_REFRESH_LOCK_H

#include "catalog/dataset.h"

/*
 * One process at a time refreshes a dataset.  Returns false if another does.
 * session_lock: the lock lasts until the worker's task is done, else until the
 * transaction ends.
 */
extern bool refresh_lock_dataset(int dataset, bool session_lock);

/*
 * The same for a session, which waits.  Raises an error if the session holds a
 * lock on the table, because the other process may be waiting for that.
 */
extern void refresh_wait_for_dataset(const Dataset *dataset);

/* Releases all locks of the worker's task, also those that refresh_sql has taken. */
extern void refresh_unlock_all(void);

/* Locks the table for a reader, until the transaction ends; returns false instead of waiting. */
extern bool refresh_try_table(const Dataset *dataset);

#endif
