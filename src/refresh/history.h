/*-------------------------------------------------------------------------
 *
 * history.h
 *		Rows of spice.refreshes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HISTORY_H
#define SPICE_HISTORY_H

#include "refresh/refresh.h"

/* Inserts the row of a refresh that begins, and returns its id. */
extern int64 history_begin(const Refresh *refresh);

/* error: NULL unless the refresh has failed */
extern void history_end(const Refresh *refresh, const char *error);

/* Closes rows whose process is gone, and makes their datasets due. */
extern void history_close_interrupted(void);

/*
 * Deletes a batch of rows older than spice.history_retention, except those that
 * dataset_clock needs.  Returns true if more rows may be as old.
 */
extern bool history_expire(void);

#endif
