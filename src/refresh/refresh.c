/*-------------------------------------------------------------------------
 *
 * refresh.c
 *		One refresh from start to end.
 *
 * The same three steps serve a worker, which runs each in a transaction of
 * its own or, for the fetch, in none, and spice_refresh(), which runs all of
 * them in its caller's.  Until the last one commits nothing of the table has
 * changed, and the last one takes the table's lock only for the swap.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "refresh/refresh.h"
#include "source/source.h"
#include "spice.h"
#include "table/table.h"

/*
 * A class of advisory locks of our own; those that SQL can take are 1 and 2.
 * It dies with its session and shows in pg_locks with objsubid 83.
 */
#define REFRESH_LOCK_CLASS	83

static double
elapsed_ms(instr_time start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return INSTR_TIME_GET_MILLISEC(now);
}

bool
refresh_lock(int dataset, bool wait, bool session_lock)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, (uint32) dataset, REFRESH_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, session_lock, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

void
refresh_begin(Refresh *refresh, int dataset)
{
	MemoryContext old = MemoryContextSwitchTo(refresh->context);

	refresh->dataset = catalog_dataset_by_id(dataset);
	MemoryContextSwitchTo(old);
	if (refresh->dataset == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("dataset number %d is no longer in the catalog", dataset)));
	refresh->extension = catalog_extension();
	refresh->outcome = OUTCOME_RUNNING;
	refresh->history = history_begin(refresh);

	/* rows that a crash took away must be fetched again, whatever the source says */
	if (refresh->dataset->loaded && refresh->dataset->accelerated &&
		table_lost_its_rows(refresh->dataset))
		refresh->dataset->loaded = false;
}

/* is what was loaded before still what a load would give, if the bytes are the same? */
static bool
may_be_unchanged(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;

	return dataset->loaded && !dataset->changed && refresh->refresh_sql == NULL &&
		OidIsValid(dataset->source_relation);
}

void
refresh_fetch(Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;

	memset(&http_report, 0, sizeof(http_report));
	memset(&source_report, 0, sizeof(source_report));
	if (!dataset->accelerated && !source_needs_response(dataset))
		return;
	refresh->response = source_fetch(dataset, may_be_unchanged(refresh), refresh->context);
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

static void
note_unknown_fields(Refresh *refresh)
{
	if (source_report.unknown_total > 0)
		refresh->notice = psprintf("%lld values of fields that are no column, the first \"%s\"",
								   (long long) source_report.unknown_total,
								   source_report.unknown_name);
}

/*
 * The response has come without any lock on anything.  What has happened to
 * the dataset meanwhile decides whether it is still wanted, and relations may
 * have been dropped or made.
 */
static void
look_again(Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;
	Dataset    *now = NULL;

	if (catalog_extension() == refresh->extension)
		now = catalog_dataset_by_id(dataset->id);
	if (now == NULL || strcmp(now->definition, dataset->definition) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the definition of dataset \"%s\" changed during the refresh", dataset->name)));
	dataset->relation = now->relation;
	dataset->source_relation = now->source_relation;
}

/* nobody drops or alters the foreign table while we read it */
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
	bool		prepared = source_prepare(refresh->dataset, spool, catalog_table_owner());

	CommandCounterIncrement();
	if (prepared)
		lock_source(refresh->dataset);
	return prepared;
}

static Oid
find_or_create_table(Dataset *dataset, TupleDesc result)
{
	Oid			table = table_find(dataset);

	if (!OidIsValid(table))
	{
		table = table_create(dataset, result, catalog_table_owner());
		/* made from the definition, so that nothing is left to change */
		dataset->changed = false;
	}
	else
		catalog_ensure_owner(table, catalog_table_owner());
	return table;
}

static void
check_override(const Refresh *refresh)
{
	if (refresh->refresh_sql != NULL && refresh->dataset->changed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dataset \"%s\" has not been loaded with its present definition",
						refresh->dataset->name),
				 errhint("Refresh it without refresh_sql first.")));
}

/* descriptions become comments, once per definition */
static void
describe(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;

	if (dataset->described)
		return;
	table_comment(dataset, dataset->relation);
	if (dataset->source_relation != dataset->relation)
		table_comment(dataset, dataset->source_relation);
}

static void
load_and_swap(Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;
	RefreshQuery *query;
	TableBuild *build;
	CatalogRights rights;
	instr_time	start;

	check_override(refresh);
	source_offer(dataset->id, refresh->response->spool, refresh->context);
	query = query_plan(dataset, refresh->refresh_sql ? refresh->refresh_sql : dataset->refresh_sql);
	refresh->repeatable = query->repeatable && refresh->refresh_sql == NULL;

	catalog_enter(&rights);
	dataset->relation = find_or_create_table(dataset, query->result);
	build = build_begin(dataset, dataset->relation, query->result);
	catalog_leave(&rights);

	INSTR_TIME_SET_CURRENT(start);
	query_run(query, build_receiver(build));
	refresh->load_ms = elapsed_ms(start);
	source_withdraw();
	refresh->rows = build->rows;
	note_unknown_fields(refresh);

	catalog_enter(&rights);
	INSTR_TIME_SET_CURRENT(start);
	build_indexes(build);
	refresh->index_ms = elapsed_ms(start);

	/* before the lock: what this may wait for, readers need not wait for */
	refresh->outcome = OUTCOME_LOADED;
	state_loaded(refresh);

	INSTR_TIME_SET_CURRENT(start);
	build_swap(build);
	refresh->swap_ms = elapsed_ms(start);
	describe(refresh);
	catalog_leave(&rights);
}

static void
register_source(Refresh *refresh)
{
	CatalogRights rights;

	refresh->dataset->relation = refresh->dataset->source_relation;
	refresh->outcome = OUTCOME_REGISTERED;
	catalog_enter(&rights);
	describe(refresh);
	catalog_leave(&rights);
	state_loaded(refresh);
}

void
refresh_apply(Refresh *refresh)
{
	CatalogRights rights;
	bool		prepared;

	look_again(refresh);
	if (is_unchanged(refresh))
	{
		refresh->outcome = OUTCOME_UNCHANGED;
		catalog_enter(&rights);
		describe(refresh);
		catalog_leave(&rights);
		state_checked(refresh);
		history_end(refresh, NULL);
		return;
	}

	catalog_enter(&rights);
	prepared = prepare_source(refresh);
	catalog_leave(&rights);
	if (!prepared)
	{
		refresh->outcome = OUTCOME_EMPTY;
		refresh->notice = pstrdup("the response has no field and the manifest declares no columns: "
								  "there is nothing to tell the table's columns from");
		state_checked(refresh);
	}
	else if (refresh->dataset->accelerated)
		load_and_swap(refresh);
	else
		register_source(refresh);
	history_end(refresh, NULL);
}

/* may trying again help, without anybody changing anything? */
static bool
is_transient(const ErrorData *error)
{
	if (http_report.transient)
		return true;
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
			return true;
		case ERRCODE_INSUFFICIENT_RESOURCES:
			/* a limit that somebody set, temp_file_limit for instance, stays */
			return error->sqlerrcode != ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
		default:
			return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
				error->sqlerrcode == ERRCODE_QUERY_CANCELED;
	}
}

/* the error as people read it in spice.datasets, without its SQLSTATE */
static char *
error_text(const ErrorData *error)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, error->message);
	if (error->detail != NULL)
		appendStringInfo(&text, "; %s", error->detail);
	if (error->context != NULL)
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
	bool		retry = dataset->retry && is_transient(error) &&
		(dataset->retry_max_attempts < 0 || attempt <= dataset->retry_max_attempts);
	int64		delay = dataset->refresh_interval_ms;

	/* there may be another dataset of this number */
	if (catalog_extension() != refresh->extension)
		return;
	if (retry)
		delay = Max(schedule_retry_delay(attempt, pg_prng_double(&pg_global_prng_state)),
					(int64) http_report.retry_after_s * 1000);
	failed.outcome = OUTCOME_FAILED;
	failed.rows = 0;
	history_end(&failed, text);
	state_failed(&failed, text, delay, retry);
}
