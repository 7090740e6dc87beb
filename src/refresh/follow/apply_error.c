/*-------------------------------------------------------------------------
 *
 * apply_error.c
 *		Why a subscription does not get on.
 *
 * The process that applies changes is core's.  It fails, is started again, and
 * fails of the same change, and all that the catalogs say is how often.  What
 * it failed of goes to the server's log, and on its way there it is kept here,
 * in shared memory, for the check of the dataset to find.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "replication/worker_internal.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/elog.h"

#include "refresh/follow/subscription.h"

#define MAX_ERRORS	64			/* of different subscriptions; then the oldest goes */

typedef struct KeptError
{
	Oid			database;
	Oid			subscription;
	uint64		number;			/* the newest has the highest */
	ApplyError	error;
} KeptError;

typedef struct KeptErrors
{
	slock_t		mutex;
	uint64		numbers;
	KeptError	errors[MAX_ERRORS];
} KeptErrors;

static KeptErrors *kept;
static emit_log_hook_type previous_log_hook;

/* with the mutex held: the place of this subscription's error, else the oldest one's */
static KeptError *
find_place(Oid subscription)
{
	KeptError  *oldest = &kept->errors[0];

	for (int i = 0; i < MAX_ERRORS; i++)
	{
		KeptError  *place = &kept->errors[i];

		if (place->database == MyDatabaseId && place->subscription == subscription)
			return place;
		if (place->number < oldest->number)
			oldest = place;
	}
	return oldest;
}

/* nothing here may raise an error: one is just being reported */
static void
keep_error(Oid subscription, const ErrorData *error)
{
	ApplyError	fresh = {.sqlerrcode = error->sqlerrcode};
	KeptError  *place;

	snprintf(fresh.text, sizeof(fresh.text), "%s%s%s%s%s", error->message ? error->message : "",
			 error->detail ? "; " : "", error->detail ? error->detail : "",
			 error->context ? "; " : "", error->context ? error->context : "");
	SpinLockAcquire(&kept->mutex);
	place = find_place(subscription);
	place->database = MyDatabaseId;
	place->subscription = subscription;
	place->number = ++kept->numbers;
	place->error = fresh;
	SpinLockRelease(&kept->mutex);
}

static void
log_hook(ErrorData *error)
{
	if (error->elevel >= ERROR && IsLogicalWorker() && MyLogicalRepWorker != NULL && kept != NULL)
		keep_error(MyLogicalRepWorker->subid, error);
	if (previous_log_hook)
		previous_log_hook(error);
}

bool
apply_error_of(Oid subscription, ApplyError *error)
{
	bool		found;
	const KeptError *place;

	SpinLockAcquire(&kept->mutex);
	place = find_place(subscription);
	found = place->database == MyDatabaseId && place->subscription == subscription;
	if (found)
		*error = place->error;
	SpinLockRelease(&kept->mutex);
	return found;
}

bool
apply_error_stays(const ApplyError *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_CONNECTION_EXCEPTION:
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
			return false;
		default:
			return error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE;
	}
}

Size
apply_error_size(void)
{
	return MAXALIGN(sizeof(KeptErrors));
}

void
apply_error_start(void)
{
	bool		found;

	kept = ShmemInitStruct("spice apply errors", sizeof(KeptErrors), &found);
	if (!found)
	{
		memset(kept, 0, sizeof(*kept));
		SpinLockInit(&kept->mutex);
	}
}

void
apply_error_install(void)
{
	previous_log_hook = emit_log_hook;
	emit_log_hook = log_hook;
}
