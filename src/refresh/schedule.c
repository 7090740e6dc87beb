/*-------------------------------------------------------------------------
 *
 * schedule.c
 *		How long to wait before trying again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "refresh/refresh.h"

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
