/*-------------------------------------------------------------------------
 *
 * origin_limit.c
 *		How often, and how many at once, all processes ask an origin.
 *
 * A slot in shared memory holds, for each origin, the time of the next request and the number
 * of those under way.  A process takes the time, sets the next one behind it, and sleeps until
 * its own.  So requests are spread evenly, and no burst exceeds a limit.
 *
 * A process has at most one request under way.  It gives its place back when the request is
 * over, when the session's memory goes, or when the process exits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/origin_limit.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "compat.h"

#define MAX_ORIGINS		128
#define POLL_MS			10

/* a request is on its way for a moment that differs from the next one's */
#define MARGIN			1.02

typedef struct OriginSlot
{
	uint64		origin;			/* 0: free */
	TimestampTz next;			/* when the next request may be sent */
	int			running;
} OriginSlot;

typedef struct OriginShared
{
	slock_t		mutex;
	OriginSlot	slots[MAX_ORIGINS];
} OriginShared;

static OriginShared *shared;
static OriginSlot *entered;		/* by a request of this process, or NULL */

Size
origin_limit_shared_size(void)
{
	return sizeof(OriginShared);
}

void
origin_limit_shared_start(void *memory, bool initialize)
{
	shared = memory;
	if (!initialize)
		return;
	memset(shared, 0, sizeof(*shared));
	SpinLockInit(&shared->mutex);
}

static uint64
hash_origin(const Url *origin)
{
	char		text[sizeof(origin->host) + 32];
	int			length = snprintf(text, sizeof(text), "%d:%d:%s", origin->secure, origin->port, origin->host);
	uint64		hash = hash_bytes_extended((const unsigned char *) text, length, 0);

	return hash != 0 ? hash : 1;
}

/* The caller holds the mutex.  The slot that has been unused longest makes room; NULL: all are used. */
static OriginSlot *
find_slot(uint64 origin)
{
	OriginSlot *unused = NULL;

	for (int i = 0; i < MAX_ORIGINS; i++)
	{
		OriginSlot *slot = &shared->slots[i];

		if (slot->origin == origin)
			return slot;
		if (slot->running == 0 && (unused == NULL || slot->next < unused->next))
			unused = slot;
	}
	if (unused != NULL)
	{
		unused->origin = origin;
		unused->next = 0;
	}
	return unused;
}

static void
leave_at_exit(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	origin_limit_leave();
}

static int64
interval_us(const HttpLimits *limits)
{
	double		second = limits->per_second > 0 ? USECS_PER_SEC / (double) limits->per_second : 0;
	double		minute = limits->per_minute > 0 ? USECS_PER_MINUTE / (double) limits->per_minute : 0;

	return (int64) (Max(second, minute) * MARGIN);
}

/* Takes a place and a time.  False: there is no place. */
static bool
take(uint64 origin, const HttpLimits *limits, TimestampTz *when)
{
	TimestampTz now = GetCurrentTimestamp();
	OriginSlot *slot;

	SpinLockAcquire(&shared->mutex);
	slot = find_slot(origin);
	if (slot != NULL && (limits->concurrent == 0 || slot->running < limits->concurrent))
	{
		*when = Max(now, slot->next);
		slot->next = *when + interval_us(limits);
		slot->running++;
		entered = slot;
	}
	SpinLockRelease(&shared->mutex);
	return entered != NULL;
}

static uint32
pause_wait_event(void)
{
	static uint32 event = 0;

	if (event == 0)
		event = spice_wait_event("SpicePause");
	return event;
}

void
origin_limit_wait(double ms)
{
	TimestampTz end = GetCurrentTimestamp() + (int64) (ms * 1000);
	TimestampTz now;

	while ((now = GetCurrentTimestamp()) < end)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | (IsUnderPostmaster ? WL_EXIT_ON_PM_DEATH : 0),
						 (long) ((end - now + 999) / 1000), pause_wait_event());
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

void
origin_limit_enter(const Url *origin, const HttpLimits *limits)
{
	static bool registered = false;
	uint64		hash = hash_origin(origin);
	TimestampTz when = 0;

	if (shared == NULL || (limits->per_second == 0 && limits->per_minute == 0 && limits->concurrent == 0))
		return;
	if (!registered)
		before_shmem_exit(leave_at_exit, (Datum) 0);
	registered = true;
	origin_limit_leave();
	while (!take(hash, limits, &when))
		origin_limit_wait(POLL_MS);
	origin_limit_wait((double) (when - GetCurrentTimestamp()) / 1000);
}

void
origin_limit_leave(void)
{
	if (entered == NULL)
		return;
	SpinLockAcquire(&shared->mutex);
	entered->running--;
	SpinLockRelease(&shared->mutex);
	entered = NULL;
}
