/*-------------------------------------------------------------------------
 *
 * schedule.h
 *		Delays until the next refresh.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SCHEDULE_H
#define SPICE_SCHEDULE_H

#include "catalog/dataset.h"

/* In ms, after the n-th failure in a row; random is in [0, 1). */
extern int64 schedule_retry_delay(int attempt, double random);

/* In ms, until the next refresh by refresh_check_interval; 0: the dataset has none. */
extern int64 schedule_next_delay(const Dataset *dataset);

#endif
