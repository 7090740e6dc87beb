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

/* Deletes rows older than spice.history_retention, except those that dataset_clock needs. */
extern void history_expire(void);

#endif
