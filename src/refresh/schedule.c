/*-------------------------------------------------------------------------
 *
 * schedule.c
 *		Delays until the next refresh.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"

#include "refresh/schedule.h"

#define LONGEST_DELAY_MS	300000
#define SPREAD				0.3 /* of the delay, to either side */

/*
 * 1, 2, 3, 5, 8 ... seconds, at most 300, and up to 30 % more or less so that
 * many sidecars do not ask again in step.  random is in [0, 1).
 */
int64
schedule_retry_delay(int attempt, double random)
{
	int64		delay = 1000;
	int64		next = 2000;

	for (int i = 1; i < attempt && delay < LONGEST_DELAY_MS; i++)
	{
		int64		sum = delay + next;

		delay = next;
		next = sum;
	}
	delay = Min(delay, LONGEST_DELAY_MS);
	return (int64) (delay * (1.0 - SPREAD + 2.0 * SPREAD * random));
}

/* The jitter spreads the requests of many sidecars, too. */
int64
schedule_next_delay(const Dataset *dataset)
{
	double		jitter = dataset->refresh_jitter_max_ms * (2.0 * pg_prng_double(&pg_global_prng_state) - 1.0);

	if (dataset->refresh_check_interval_ms == 0)
		return 0;
	return Max(dataset->refresh_check_interval_ms + (int64) jitter, 1);
}
