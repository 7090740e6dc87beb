/*-------------------------------------------------------------------------
 *
 * apply_error.c
 *		The last error of each subscription's apply worker.
 *
 * Core's apply worker exits on an error, is restarted, and fails on the same
 * change again.  The catalogs only count those failures; their text goes to
 * the server's log.  emit_log_hook keeps a copy in shared memory, where the
 * dataset's check finds it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "replication/worker_internal.h"
#include "storage/spin.h"
#include "utils/elog.h"

#include "refresh/follow/apply_error.h"

#define MAX_ERRORS	64			/* the oldest is replaced */

typedef struct KeptError
{
	Oid			database;
	Oid			subscription;
	uint64		number;			/* in order of arrival */
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

/* The entry of the subscription, or else the oldest one.  The caller holds the mutex. */
static KeptError *
find_entry(Oid subscription)
{
	KeptError  *oldest = &kept->errors[0];

	for (int i = 0; i < MAX_ERRORS; i++)
	{
		KeptError  *entry = &kept->errors[i];

		if (entry->database == MyDatabaseId && entry->subscription == subscription)
			return entry;
		if (entry->number < oldest->number)
			oldest = entry;
	}
	return oldest;
}

/* Must not raise an error: it runs while one is being reported. */
static void
keep_error(Oid subscription, const ErrorData *error)
{
	ApplyError	fresh = {.sqlerrcode = error->sqlerrcode};
	KeptError  *entry;

	snprintf(fresh.text, sizeof(fresh.text), "%s%s%s%s%s", error->message ? error->message : "",
			 error->detail ? "; " : "", error->detail ? error->detail : "",
			 error->context ? "; " : "", error->context ? error->context : "");
	SpinLockAcquire(&kept->mutex);
	entry = find_entry(subscription);
	entry->database = MyDatabaseId;
	entry->subscription = subscription;
	entry->number = ++kept->numbers;
	entry->error = fresh;
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
	const KeptError *entry;

	SpinLockAcquire(&kept->mutex);
	entry = find_entry(subscription);
	found = entry->database == MyDatabaseId && entry->subscription == subscription;
	if (found)
		*error = entry->error;
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
apply_error_shared_size(void)
{
	return sizeof(KeptErrors);
}

void
apply_error_shared_start(void *memory, bool initialize)
{
	kept = memory;
	if (!initialize)
		return;
	memset(kept, 0, sizeof(*kept));
	SpinLockInit(&kept->mutex);
}

void
apply_error_install(void)
{
	previous_log_hook = emit_log_hook;
	emit_log_hook = log_hook;
}
