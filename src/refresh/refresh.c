/*-------------------------------------------------------------------------
 *
 * refresh.c
 *		One refresh from start to end.
 *
 * A refresh has three steps: begin, fetch and apply.  A worker runs begin and
 * apply in a transaction each, and fetch in none.  spice_refresh() runs all of
 * them in its caller's transaction.  Only apply changes the table, and it locks
 * the table only for the swap.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "catalog/dataset_row.h"
#include "catalog/extension.h"
#include "catalog/pinned.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "refresh/apply.h"
#include "refresh/follow/slot_ledger.h"
#include "refresh/history.h"
#include "refresh/processors.h"
#include "refresh/refresh.h"
#include "refresh/refresh_lock.h"
#include "refresh/request.h"
#include "refresh/schedule.h"
#include "refresh/state.h"
#include "source/foreign_table.h"
#include "source/source.h"
#include "table/make.h"

#define LONGEST_CHECK_DELAY_MS	60000	/* while a source that is followed is away */

static void
set_mode(Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;

	if (refresh->refresh_mode == NULL)
		return;
	if (strcmp(refresh->refresh_mode, "append") == 0 && dataset->time_column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dataset \"%s\" cannot be refreshed in mode append", dataset->name),
				 errhint("Set time_column in the manifest.")));
	dataset->refresh_mode = MemoryContextStrdup(refresh->context, refresh->refresh_mode);
}

/* The request depends on the rows that the table has. */
static void
look_at_table(Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;

	/* lost rows are fetched even if the source says that it has not changed */
	if (dataset->loaded && dataset->accelerated && table_lost_its_rows(dataset))
		dataset->loaded = false;
	if (!dataset->loaded || !dataset_appends(dataset) || dataset->reload || !OidIsValid(dataset->relation))
		return;
	if (dataset->changed)
		refresh->rebuild = true;
	else
	{
		refresh->watermark = watermark_read(dataset, dataset->relation);
		refresh->source_query = watermark_query(dataset, refresh->watermark);
	}
}

bool
refresh_begin(Refresh *refresh, int dataset)
{
	MemoryContext old = MemoryContextSwitchTo(refresh->context);
	bool		begins;

	refresh->dataset = catalog_dataset_by_id(dataset);
	if (refresh->dataset == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("dataset number %d is no longer in the catalog", dataset)));
	set_mode(refresh);
	refresh->extension = catalog_extension();
	refresh->outcome = OUTCOME_RUNNING;
	begins = !refresh->background || refresh_try_table(refresh->dataset);
	/* a dataset that follows its source is only checked, as a rule */
	if (begins && !dataset_follows(refresh->dataset))
		refresh->history = history_begin(refresh);
	if (begins && !refresh->retention && !dataset_follows(refresh->dataset))
		look_at_table(refresh);
	MemoryContextSwitchTo(old);
	return begins;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Has the table lost its newest rows, which the same bytes would bring again? */
static bool
newest_rows_left(const Refresh *refresh)
{
	return refresh->watermark != NULL && !same_text(refresh->watermark->newest, refresh->dataset->watermark);
}

/* Would the same bytes give the same rows as they did? */
static bool
may_be_unchanged(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;

	return !refresh->force && dataset->loaded && !dataset->changed && dataset->same_rows && refresh->refresh_sql == NULL &&
		refresh->refresh_mode == NULL && !newest_rows_left(refresh) && OidIsValid(dataset->source_relation) &&
		same_text(refresh->source_query, dataset->fetched_query);
}

void
refresh_fetch(Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	ProcessorTime start;

	if (refresh->rebuild || !source_fetches(dataset) ||
		(!dataset->accelerated && !source_needs_response(dataset)))
		return;
	processors_read(&start);
	refresh->response = source_fetch(dataset, refresh->source_query,
									 refresh->watermark != NULL ? refresh->watermark->for_source : NULL,
									 may_be_unchanged(refresh), &refresh->report, refresh->context);
	refresh->alone = processors_short_since(&start);
}

static bool
is_unchanged(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	const HttpResponse *response = refresh->response;

	if (response == NULL || !may_be_unchanged(refresh))
		return false;
	if (response->spool == NULL)
		return true;
	return dataset->digest != NULL &&
		VARSIZE_ANY_EXHDR(dataset->digest) == SPOOL_DIGEST_LENGTH &&
		memcmp(VARDATA_ANY(dataset->digest), spool_digest(response->spool), SPOOL_DIGEST_LENGTH) == 0;
}

/* Does the table still hold the watermark that the source was asked for? */
static bool
same_watermark(const Refresh *refresh)
{
	Watermark  *now;

	if (!OidIsValid(refresh->dataset->relation) || table_lost_its_rows(refresh->dataset))
		return false;
	now = watermark_read(refresh->dataset, refresh->dataset->relation);
	return now != NULL && strcmp(now->floor, refresh->watermark->floor) == 0;
}

/*
 * The fetch held no lock but the dataset's.  Its response is of no use if the
 * definition has changed since; relations may have been dropped or created.
 */
static void
look_again(Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;

	if (catalog_extension() != refresh->extension || !catalog_dataset_again(dataset))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the definition of dataset \"%s\" changed during the refresh", dataset->name)));
	if (dataset->moved)
		catalog_adopt_relations(dataset);
	if (refresh->watermark != NULL && !same_watermark(refresh))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the table of dataset \"%s\" lost its newest rows during the refresh", dataset->name)));
}

/* Keeps other sessions from dropping or altering the foreign table during the load. */
static void
lock_source(const Dataset *dataset)
{
	LockRelationOid(dataset->source_relation, AccessShareLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(dataset->source_relation)))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the foreign table of dataset \"%s\" was dropped during the refresh",
						dataset->name)));
}

static bool
prepare_source(Refresh *refresh)
{
	Spool	   *spool = refresh->response ? refresh->response->spool : NULL;
	CatalogRights rights;
	bool		prepared;

	catalog_enter(&rights);
	prepared = source_prepare(refresh->dataset, spool, catalog_table_owner());
	catalog_leave(&rights);
	CommandCounterIncrement();
	if (prepared)
		lock_source(refresh->dataset);
	return prepared;
}

/* Has nothing of the dataset's row changed but the time of its check? */
static bool
only_clock_moves(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	const HttpResponse *response = refresh->response;

	if (!dataset->described || dataset->troubled)
		return false;
	return response->spool == NULL ||
		(same_text(response->etag, dataset->etag) && same_text(response->last_modified, dataset->last_modified) &&
		 (dataset->request == NULL ? response->etag == NULL && response->last_modified == NULL :
		  VARSIZE_ANY_EXHDR(dataset->request) == HTTP_IDENTITY_LENGTH &&
		  memcmp(VARDATA_ANY(dataset->request), response->identity, HTTP_IDENTITY_LENGTH) == 0));
}

static void
finish_unchanged(Refresh *refresh)
{
	CatalogRights rights;

	refresh->outcome = OUTCOME_UNCHANGED;
	refresh->moves_clock = only_clock_moves(refresh);
	if (refresh->moves_clock)
		return;
	catalog_enter(&rights);
	apply_descriptions(refresh);
	catalog_leave(&rights);
	state_checked(refresh);
}

static void
finish_empty(Refresh *refresh)
{
	refresh->outcome = OUTCOME_EMPTY;
	refresh->notice = pstrdup("the response has no value and the manifest declares no columns: "
							  "there is nothing to tell the table's columns from");
	state_checked(refresh);
}

static void
finish_registered(Refresh *refresh)
{
	CatalogRights rights;

	refresh->dataset->relation = refresh->dataset->source_relation;
	refresh->outcome = OUTCOME_REGISTERED;
	catalog_enter(&rights);
	apply_descriptions(refresh);
	catalog_leave(&rights);
	state_loaded(refresh);
}

static void
apply_response(Refresh *refresh)
{
	/* refresh_sql may release all advisory locks of its session, but not of its transaction */
	if (refresh->background)
		(void) refresh_lock_dataset(refresh->dataset->id, false);
	look_again(refresh);
	if (is_unchanged(refresh))
		finish_unchanged(refresh);
	else if (refresh->rebuild)
		apply_rebuild(refresh);
	else if (!prepare_source(refresh))
		finish_empty(refresh);
	else if (!refresh->dataset->accelerated)
		finish_registered(refresh);
	else
		apply_source(refresh);
	history_end(refresh, NULL);
	request_end(refresh);
}

/* An error of the source's server gets a hint in terms of the manifest. */
void
refresh_apply(Refresh *refresh)
{
	MemoryContext context = CurrentMemoryContext;
	int			guc_level = NewGUCNestLevel();

	if (refresh->alone)
	{
		catalog_pin_setting("max_parallel_workers_per_gather", "0");
		catalog_pin_setting("max_parallel_maintenance_workers", "0");
	}
	PG_TRY();
	{
		apply_response(refresh);
	}
	PG_CATCH();
	{
		ErrorData  *error;
		const char *cure;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		cure = source_cure(refresh->dataset, error);
		if (cure == NULL)
			PG_RE_THROW();
		FlushErrorState();
		error->hint = pstrdup(cure);
		ReThrowError(error);
	}
	PG_END_TRY();
	AtEOXact_GUC(false, guc_level);
}

/* May a retry succeed without a change of anything? */
static bool
is_transient(const Refresh *refresh, const ErrorData *error)
{
	const Dataset *dataset = refresh->dataset;

	if (refresh->report.transient || source_error_is_transient(dataset, error))
		return true;
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
			return true;
		case ERRCODE_INSUFFICIENT_RESOURCES:
			/* a configured limit, as temp_file_limit, stays */
			return error->sqlerrcode != ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
		default:
			/* another session has written the key, which on_conflict finds the next time */
			return (error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && dataset->conflicts != NIL) ||
				error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
				error->sqlerrcode == ERRCODE_QUERY_CANCELED;
	}
}

/* The error as spice.datasets shows it. */
static char *
error_text(const ErrorData *error)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, error->message);
	if (error->detail != NULL)
		appendStringInfo(&text, "; %s", error->detail);
	/* of a value the detail has said it */
	if (error->context != NULL && strncmp(error->context, "dataset \"", 9) != 0)
		appendStringInfo(&text, "; %.*s", (int) strcspn(error->context, "\n"), error->context);
	if (error->hint != NULL)
		appendStringInfo(&text, " (%s)", error->hint);
	return text.data;
}

void
refresh_fail(const Refresh *refresh, const ErrorData *error)
{
	const Dataset *dataset = refresh->dataset;
	Refresh		failed = *refresh;
	char	   *text = error_text(error);
	int			attempt = dataset->attempt + 1;
	bool		retry = dataset->refresh_retry_enabled && is_transient(refresh, error) &&
	(dataset->refresh_retry_max_attempts < 0 || attempt <= dataset->refresh_retry_max_attempts);
	int64		delay = schedule_next_delay(dataset);

	/* the extension was created again, and the number may be another dataset's */
	if (catalog_extension() != refresh->extension)
		return;
	request_end(refresh);
	if (dataset_follows(dataset))
		(void) ledger_leave(dataset->id, true);
	if (refresh->history == 0)
	{
		/*
		 * The table follows its source again as soon as it can, which the next check finds. But
		 * checking a source that does not answer takes a worker's time.
		 */
		delay = Max(delay, schedule_retry_delay(attempt, pg_prng_double(&pg_global_prng_state)));
		delay = Min(delay, LONGEST_CHECK_DELAY_MS);
		state_failed(&failed, text, delay, true);
		return;
	}
	if (retry)
		delay = Max(schedule_retry_delay(attempt, pg_prng_double(&pg_global_prng_state)),
					(int64) refresh->report.retry_after_s * 1000);
	failed.outcome = OUTCOME_FAILED;
	failed.rows = 0;
	memset(&failed.counts, 0, sizeof(failed.counts));
	history_end(&failed, text);
	if (refresh->retention)
	{
		state_retention_failed(&failed, text);
		return;
	}
	state_failed(&failed, text, delay, retry);
}
