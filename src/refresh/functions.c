/*-------------------------------------------------------------------------
 *
 * functions.c
 *		The SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/cron_jobs.h"
#include "catalog/dataset_row.h"
#include "catalog/execute.h"
#include "catalog/reconcile.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "refresh/dispatch.h"
#include "refresh/launcher.h"
#include "refresh/refresh.h"
#include "refresh/refresh_lock.h"
#include "refresh/request.h"
#include "secret/redact.h"
#include "source/source.h"
#include "table/make.h"

PG_FUNCTION_INFO_V1(spice_refresh);
PG_FUNCTION_INFO_V1(spice_reload);
PG_FUNCTION_INFO_V1(spice_validate);
PG_FUNCTION_INFO_V1(spice_ready);
PG_FUNCTION_INFO_V1(spice_wait_ready);
PG_FUNCTION_INFO_V1(spice_pause);
PG_FUNCTION_INFO_V1(spice_resume);
PG_FUNCTION_INFO_V1(spice_retain);
PG_FUNCTION_INFO_V1(spice_drop);
PG_FUNCTION_INFO_V1(spice_reset);
PG_FUNCTION_INFO_V1(spice_relation_bytes);
PG_FUNCTION_INFO_V1(spice_launcher_is_missing);

#define READY_POLL_MS	100

/* One statement about one dataset; returns the number of rows. */
static uint64
execute_on_dataset(const char *command, const Dataset *dataset)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, dataset->id);
	return catalog_query(command, &arguments)->n;
}

/*
 * EXECUTE on spice_refresh() gives neither the right to run SQL as the tables'
 * owner, nor a say in what becomes of the table's rows.
 */
static void
check_override_rights(const Dataset *dataset)
{
	if (!has_privs_of_role(GetUserId(), catalog_table_owner()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to override how dataset \"%s\" is refreshed", dataset->name),
				 errdetail("Only members of role \"%s\", as which refresh_sql runs, may do so.",
						   GetUserNameFromId(catalog_table_owner(), false))));
}

static void
check_refresh_mode(const char *mode, const Dataset *dataset)
{
	if (mode != NULL && strcmp(mode, "full") != 0 && strcmp(mode, "append") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("refresh_mode \"%s\" is not supported for dataset \"%s\"", mode, dataset->name),
				 errhint("The supported modes are full and append.")));
}

static void
check_launcher(const char *task, const char *otherwise)
{
	if (!launcher_is_here())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no launcher in this database to hand the %s to", task),
				 errhint("Add spice to shared_preload_libraries and set spice.database%s.", otherwise)));
}

/* Only a worker touches a table that follows its source, or whose subscription is still there. */
static void
refuse_following(const Dataset *dataset)
{
	bool		subscribed = dataset->has_slot &&
	execute_on_dataset("SELECT 1 FROM spice_catalog.own_slot WHERE dataset = $1"
					   " AND subscription IS NOT NULL", dataset) > 0;

	if (dataset_follows(dataset) || subscribed)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("dataset \"%s\" cannot be refreshed in a session", dataset->name),
				 errdetail(dataset_follows(dataset) ? "Its table follows the source (refresh_mode changes)." :
						   "Its table has followed the source, and the subscription has not ended yet."),
				 errhint("SELECT spice_refresh(%s, wait => false) has the launcher do it.",
						 quote_literal_cstr(dataset->name))));
}

static void
refresh_table(void *arg)
{
	Refresh    *refresh = arg;

	refresh_fetch(refresh);
	refresh_apply(refresh);
}

static int64
refresh_here(const Dataset *dataset, const char *refresh_sql, const char *mode, bool force)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice refresh",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Refresh    *refresh = palloc0(sizeof(Refresh));
	int64		rows;

	refresh->context = context;
	refresh->trigger = "manual";
	refresh->refresh_sql = refresh_sql;
	refresh->refresh_mode = mode;
	refresh->force = force;
	refresh_wait_for_dataset(dataset);
	(void) refresh_begin(refresh, dataset->id);
	redact_call(refresh_table, refresh);
	rows = refresh->rows;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return rows;
}

/*
 * spice_refresh(dataset, refresh_sql, refresh_mode, wait, force): the rows written.
 */
Datum
spice_refresh(PG_FUNCTION_ARGS)
{
	Dataset    *dataset;
	char	   *refresh_sql = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *mode = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool		wait = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
	bool		force = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("dataset must not be null")));
	PreventCommandDuringRecovery("spice_refresh()");
	PreventCommandIfReadOnly("spice_refresh()");

	dataset = catalog_dataset_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	if (!dataset->in_manifest)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dataset \"%s\" has left the manifest", dataset->name),
				 OidIsValid(dataset->relation) ? errdetail("Its table serves the rows it had then.") : 0));
	check_refresh_mode(mode, dataset);
	if (refresh_sql != NULL || mode != NULL)
		check_override_rights(dataset);
	if (dataset_follows(dataset) && (refresh_sql != NULL || mode != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the refresh of dataset \"%s\" cannot be overridden", dataset->name),
				 errdetail("Its table follows the source (refresh_mode changes).")));

	dispatch_wake_at_commit();
	if (!wait)
	{
		check_launcher("refresh", ", or call spice_refresh() with wait => true");
		request_add(dataset, refresh_sql, mode, false, force);
		PG_RETURN_NULL();
	}
	refuse_following(dataset);
	PG_RETURN_INT64(refresh_here(dataset, refresh_sql, mode, force));
}

static void
put_row(ReturnSetInfo *set, Datum *values, bool *nulls)
{
	tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
}

static Datum
text_or_null(const char *value, bool *isnull)
{
	*isnull = value == NULL;
	return value ? CStringGetTextDatum(value) : (Datum) 0;
}

Datum
spice_reload(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	Reconciliation *result;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	PreventCommandIfReadOnly("spice_reload()");
	result = reconcile_manifest(true);
	if (result->error != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s", result->error),
				 errdetail("Nothing was changed."),
				 result->unread ?
				 errhint("spice.spicepod names the file; the server reads it as the user that it runs as.") :
				 errhint("SELECT * FROM spice_validate(text) shows every problem of a manifest.")));
	(void) catalog_query("SELECT spice_catalog.retry_failed()", NULL);
	dispatch_wake_at_commit();
	foreach(cell, result->actions)
	{
		ReconcileAction *action = lfirst(cell);
		Datum		values[3];
		bool		nulls[3];

		if (strcmp(action->action, "removed") == 0)
			source_leave(action->dataset);
		values[0] = text_or_null(action->dataset, &nulls[0]);
		values[1] = text_or_null(action->action, &nulls[1]);
		values[2] = text_or_null(action->detail, &nulls[2]);
		put_row(set, values, nulls);
	}
	return (Datum) 0;
}

Datum
spice_validate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	text	   *manifest = PG_GETARG_TEXT_PP(0);
	List	   *problems;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	problems = validate_manifest(VARDATA_ANY(manifest), VARSIZE_ANY_EXHDR(manifest));
	foreach(cell, problems)
	{
		ValidationProblem *problem = lfirst(cell);
		Datum		values[4];
		bool		nulls[4];

		nulls[0] = problem->line == 0;
		values[0] = Int32GetDatum(problem->line);
		values[1] = text_or_null(problem->dataset, &nulls[1]);
		values[2] = text_or_null(problem->severity, &nulls[2]);
		values[3] = text_or_null(problem->message, &nulls[3]);
		put_row(set, values, nulls);
	}
	return (Datum) 0;
}

static bool
is_ready(void)
{
	return catalog_query("SELECT 1 FROM spice_catalog.missing LIMIT 1", NULL)->n == 0;
}

/* A standby needs none. */
static bool
launcher_is_missing(void)
{
	return !RecoveryInProgress() && !launcher_is_here();
}

/* Tells the caller what spice_ready() waits for. */
static void
report_missing(void)
{
	CatalogRows *rows = catalog_query("SELECT reason FROM spice_catalog.missing ORDER BY id LIMIT 11", NULL);
	StringInfoData reasons;

	initStringInfo(&reasons);
	for (uint64 row = 0; row < rows->n; row++)
		appendStringInfo(&reasons, "%s%s", row > 0 ? "\n" : "",
						 row == 10 ? "..." : catalog_get_text(rows, row, "reason"));
	ereport(NOTICE,
			(errmsg("spice is not ready"),
			 errdetail("%s", reasons.data),
			 RecoveryInProgress() ?
			 errhint("A standby has what its primary logs; unlogged tables are loaded after a promotion.") :
			 launcher_is_missing() ?
			 errhint("No launcher serves this database: add spice to shared_preload_libraries and set spice.database.") : 0));
}

static bool
tell_ready(void)
{
	bool		ready = is_ready();

	if (!ready)
		report_missing();
	return ready;
}

Datum
spice_ready(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(tell_ready());
}

Datum
spice_launcher_is_missing(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(launcher_is_missing());
}

static TimestampTz
wait_deadline(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		return DT_NOEND;
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(GetCurrentTimestamp()),
												   PG_GETARG_DATUM(0)));
}

/*
 * spice_wait_ready(timeout): true as soon as spice_ready() is, false when the
 * timeout (null: none) has passed.
 */
Datum
spice_wait_ready(PG_FUNCTION_ARGS)
{
	TimestampTz deadline = wait_deadline(fcinfo);

	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("spice_wait_ready() cannot see what happens in a transaction of this isolation level"),
				 errhint("Call it in a READ COMMITTED transaction.")));
	while (!is_ready())
	{
		if (GetCurrentTimestamp() >= deadline)
			PG_RETURN_BOOL(tell_ready());
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, READY_POLL_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_BOOL(true);
}

/* A dataset that is paused has no jobs. */
static void
update_cron_jobs(void)
{
	List	   *datasets = NIL;
	CatalogRights rights;

	catalog_enter(&rights);
	SPI_connect();
	(void) cron_reconcile(&datasets, CurrentMemoryContext);
	SPI_finish();
	catalog_leave(&rights);
}

Datum
spice_pause(PG_FUNCTION_ARGS)
{
	Dataset    *dataset = catalog_dataset_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);

	(void) execute_on_dataset("UPDATE spice_catalog.dataset SET paused = true WHERE id = $1", dataset);
	update_cron_jobs();
	dispatch_wake_at_commit();
	PG_RETURN_VOID();
}

Datum
spice_resume(PG_FUNCTION_ARGS)
{
	Dataset    *dataset = catalog_dataset_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);

	(void) execute_on_dataset("UPDATE spice_catalog.dataset SET paused = false, attempt = 0,"
							  " next_refresh = CASE WHEN in_manifest THEN clock_timestamp() END WHERE id = $1",
							  dataset);
	update_cron_jobs();
	dispatch_wake_at_commit();
	PG_RETURN_VOID();
}

Datum
spice_retain(PG_FUNCTION_ARGS)
{
	Dataset    *dataset = catalog_dataset_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);

	if (dataset->retention_period_ms == 0 && dataset->retention_sql == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dataset \"%s\" has no retention", dataset->name),
				 errhint("Set retention_check_enabled and retention_period or retention_sql in the manifest.")));
	check_launcher("retention", "");
	request_add(dataset, NULL, NULL, true, false);
	dispatch_wake_at_commit();
	PG_RETURN_VOID();
}

/* What was applied came from another place, so the next refresh finds columns and rows anew. */
Datum
spice_reset(PG_FUNCTION_ARGS)
{
	Dataset    *dataset = catalog_dataset_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);

	(void) execute_on_dataset("UPDATE spice_catalog.dataset SET"
							  " applied = applied OPERATOR(pg_catalog.-) 'from'::pg_catalog.text,"
							  " source_applied = source_applied OPERATOR(pg_catalog.-) 'from'::pg_catalog.text,"
							  " attempt = 0, next_refresh = CASE WHEN in_manifest AND NOT paused THEN clock_timestamp() END"
							  " WHERE id = $1", dataset);
	dispatch_wake_at_commit();
	PG_RETURN_VOID();
}

static void
drop_relation(Oid relation)
{
	if (get_rel_relkind(relation) != '\0')
		catalog_run(psprintf("DROP %s %s", catalog_relation_kind(relation),
							 catalog_relation_name(relation)));
}

/* Before the first load the source may be a child of the table. */
static void
drop_relations(const Dataset *dataset)
{
	drop_relation(dataset->source_relation);
	drop_relation(dataset->relation);
}

/* Reads the dataset again, under a lock of its row. */
static void
lock_leaving(Dataset *dataset)
{
	if (execute_on_dataset("SELECT 1 FROM spice_catalog.dataset WHERE id = $1 AND NOT in_manifest FOR UPDATE", dataset) == 0 ||
		!catalog_dataset_again(dataset))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("dataset \"%s\" has come back or was dropped by another", dataset->name)));
}

Datum
spice_drop(PG_FUNCTION_ARGS)
{
	Dataset    *dataset = catalog_dataset_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	CatalogRights rights;

	if (dataset->in_manifest)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dataset \"%s\" is in the manifest", dataset->name),
				 errhint("Take it out of the manifest and run spice_reload() first.")));
	catalog_enter(&rights);

	/*
	 * Dropping waits for a refresh of these relations.  The lock keeps another one from
	 * beginning, and what the refresh has created before is dropped afterwards.
	 */
	drop_relations(dataset);
	lock_leaving(dataset);
	drop_relations(dataset);
	source_forget(dataset);
	catalog_leave(&rights);
	if (dataset->has_slot)
		ereport(WARNING,
				(errmsg("a replication slot of dataset \"%s\" is still on its source", dataset->name),
				 errdetail("Its server keeps its log until the slot is dropped."),
				 errhint("The launcher drops it as soon as the source can be reached; spice.slot shows it until then.")));
	(void) execute_on_dataset("DELETE FROM spice_catalog.dataset WHERE id = $1", dataset);
	dispatch_wake_at_commit();
	PG_RETURN_VOID();
}

Datum
spice_relation_bytes(PG_FUNCTION_ARGS)
{
	int64		bytes = table_bytes(PG_GETARG_OID(0));

	if (bytes < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(bytes);
}
