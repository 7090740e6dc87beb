/*-------------------------------------------------------------------------
 *
 * history.c
 *		What is written down about refreshes: a row of history each, and the
 *		state of the dataset.
 *
 * A worker commits the row before it fetches anything, so that even a refresh
 * that ends with its process has left a trace; the launcher closes such rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "catalog/execute.h"
#include "catalog/rights.h"
#include "refresh/refresh.h"
#include "source/source.h"
#include "settings.h"

/* tells an error of retention from one of a refresh, each cleared by its like */
#define RETENTION_ERROR "retention: "

#define MAX_ARGS 20

/*
 * What a refresh found out under a definition that has been replaced meanwhile
 * does not move the clock of the new one, which is due.  $1 is the dataset, $2
 * the definition that the refresh had.
 */
#define MOVED(clock, ms) \
	clock " = CASE WHEN definition::text <> $2 THEN " clock \
	" WHEN " ms " > 0 AND in_manifest THEN clock_timestamp() + " ms " * interval '1 ms' END"

/* the names are for a database that this one is restored or copied to */
#define NOTE_RELATIONS(relation, source) \
	" home = (SELECT h.home FROM spice.home h), relation = " relation ", relation_name = " relation "::text," \
	" source_relation = " source ", source_relation_name = " source "::text,"

/* arguments of one statement, in order */
typedef struct Arguments
{
	int			n;
	Oid			types[MAX_ARGS];
	Datum		values[MAX_ARGS];
	char		nulls[MAX_ARGS];
} Arguments;

static void
add_argument(Arguments *arguments, Oid type, Datum value, bool isnull)
{
	Assert(arguments->n < MAX_ARGS);
	arguments->types[arguments->n] = type;
	arguments->values[arguments->n] = value;
	arguments->nulls[arguments->n] = isnull ? 'n' : ' ';
	arguments->n++;
}

static void
add_text(Arguments *arguments, const char *value)
{
	add_argument(arguments, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

static void
add_int(Arguments *arguments, int64 value)
{
	add_argument(arguments, INT8OID, Int64GetDatum(value), false);
}

static void
add_ms(Arguments *arguments, double value)
{
	add_argument(arguments, FLOAT8OID, Float8GetDatum(value), value <= 0);
}

/* $1 and $2 */
static void
add_dataset(Arguments *arguments, const Dataset *dataset)
{
	add_int(arguments, dataset->id);
	add_text(arguments, dataset->definition);
}

/* one constant statement on the catalog, with the rights to do so; returns row 0, column 1 */
static int64
run(const char *command, Arguments *arguments)
{
	CatalogRights rights;
	int64		result = 0;

	catalog_enter(&rights);
	SPI_connect();
	catalog_execute_saved(command, arguments->n, arguments->types, arguments->values, arguments->nulls);
	if (SPI_tuptable != NULL && SPI_processed > 0)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

		result = text ? strtoll(text, NULL, 10) : 0;
	}
	SPI_finish();
	catalog_leave(&rights);
	return result;
}

int64
history_begin(const Refresh *refresh)
{
	Arguments	arguments = {0};

	add_text(&arguments, refresh->dataset->name);
	add_text(&arguments, refresh->trigger);
	add_text(&arguments, refresh->retention ? "retention" : refresh->dataset->refresh_mode);
	add_int(&arguments, refresh->retention ? 1 : refresh->dataset->attempt + 1);
	add_int(&arguments, MyProcPid);
	add_int(&arguments, refresh->dataset->id);
	return run("INSERT INTO spice.refresh_history (dataset, started, trigger, mode, outcome, attempt, pid, was_due)"
			   " SELECT $1, clock_timestamp(), $2, $3, '" OUTCOME_RUNNING "', $4, $5, d.next_refresh"
			   " FROM spice.dataset d WHERE d.id = $6 RETURNING id", &arguments);
}

/* counts that mean something for this outcome */
static void
add_counts(Arguments *arguments, const Refresh *refresh)
{
	bool		whole = strcmp(refresh->outcome, OUTCOME_MERGED) == 0;
	bool		merged = whole || strcmp(refresh->outcome, OUTCOME_APPENDED) == 0 ||
	(strcmp(refresh->outcome, OUTCOME_LOADED) == 0 && refresh->dataset->append);
	bool		retained = strcmp(refresh->outcome, OUTCOME_RETAINED) == 0;

	add_argument(arguments, INT8OID, Int64GetDatum(refresh->counts.inserted), !merged);
	add_argument(arguments, INT8OID, Int64GetDatum(refresh->counts.updated), !merged);
	add_argument(arguments, INT8OID, Int64GetDatum(refresh->counts.unchanged), !merged);
	add_argument(arguments, INT8OID, Int64GetDatum(refresh->counts.dropped), !merged);
	add_argument(arguments, INT8OID, Int64GetDatum(refresh->counts.deleted), !retained && !whole);
}

void
history_end(const Refresh *refresh, const char *error)
{
	Arguments	arguments = {0};

	add_int(&arguments, refresh->history);
	add_text(&arguments, refresh->outcome);
	add_int(&arguments, refresh->rows);
	add_argument(&arguments, INT8OID, Int64GetDatum(refresh->report.bytes), !source_fetches(refresh->dataset));
	add_argument(&arguments, FLOAT8OID, Float8GetDatum(refresh->report.fetch_ms),
				 refresh->report.status == 0 && refresh->report.fetch_ms == 0);
	add_ms(&arguments, refresh->load_ms);
	add_ms(&arguments, refresh->index_ms);
	add_ms(&arguments, refresh->swap_ms);
	add_argument(&arguments, INT8OID, Int64GetDatum(refresh->report.status), refresh->report.status == 0);
	add_text(&arguments, error);
	add_text(&arguments, refresh->notice);
	add_counts(&arguments, refresh);
	add_int(&arguments, refresh->moves_clock && refresh->dataset->in_manifest ?
			schedule_next_delay(refresh->dataset) : 0);
	run("UPDATE spice.refresh_history SET finished = clock_timestamp(), outcome = $2, rows = $3,"
		" bytes = $4, fetch_time = $5 * interval '1 ms', load_time = $6 * interval '1 ms',"
		" index_time = $7 * interval '1 ms', swap_time = $8 * interval '1 ms',"
		" http_status = $9, error = $10, notice = $11, inserted = $12, updated = $13,"
		" unchanged = $14, dropped = $15, deleted = $16,"
		" next_refresh = CASE WHEN $17 > 0 THEN clock_timestamp() + $17 * interval '1 ms' END"
		" WHERE id = $1", &arguments);
}

/* rows whose process is gone; the dataset is due again at once */
void
history_close_orphans(void)
{
	Arguments	arguments = {0};

	run("WITH orphan AS (UPDATE spice.refresh_history h SET finished = clock_timestamp(),"
		" outcome = '" OUTCOME_INTERRUPTED "', error = 'the refreshing process ended'"
		" WHERE h.outcome = '" OUTCOME_RUNNING "' AND NOT EXISTS"
		" (SELECT 1 FROM pg_stat_get_activity(h.pid) a WHERE a.pid = h.pid"
		"  AND a.backend_start <= h.started) RETURNING h.dataset, h.mode)"
		" UPDATE spice.dataset d SET"
		" next_refresh = CASE WHEN EXISTS (SELECT 1 FROM orphan o WHERE o.dataset = d.name AND o.mode <> 'retention')"
		"  THEN now() + interval '1 s' ELSE next_refresh END,"
		" next_retention = CASE WHEN EXISTS (SELECT 1 FROM orphan o WHERE o.dataset = d.name AND o.mode = 'retention')"
		"  THEN now() + interval '1 s' ELSE next_retention END"
		" WHERE d.id IN (SELECT e.id FROM spice.dataset e WHERE e.name IN (SELECT o.dataset FROM orphan o)"
		"  AND e.in_manifest FOR UPDATE SKIP LOCKED)", &arguments);
}

/* but what moves a dataset's clock */
void
history_expire(void)
{
	Arguments	arguments = {0};

	add_int(&arguments, spice_history_retention);
	run("DELETE FROM spice.refresh_history h WHERE h.started < now() - $1 * interval '1 min'"
		" AND h.outcome <> '" OUTCOME_RUNNING "' AND (h.outcome <> '" OUTCOME_UNCHANGED "' OR EXISTS"
		" (SELECT 1 FROM spice.refresh_history n WHERE n.dataset = h.dataset"
		"  AND n.outcome = '" OUTCOME_UNCHANGED "' AND n.id > h.id))", &arguments);
}

/* rows the table has when the refresh is over */
static int64
table_rows(const Refresh *refresh)
{
	if (strcmp(refresh->outcome, OUTCOME_APPENDED) == 0)
		return refresh->dataset->rows + refresh->counts.inserted;
	if (strcmp(refresh->outcome, OUTCOME_MERGED) == 0)
		return refresh->rows + refresh->counts.unchanged;
	return refresh->rows;
}

/* of a dataset that was dropped meanwhile nobody would know the tables that are written down here */
static void
update_tables(const Dataset *dataset, const char *command, Arguments *arguments)
{
	if (run(command, arguments) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("dataset \"%s\" was dropped during the refresh", dataset->name)));
}

/* validators are kept only if the same bytes would give the same rows */
void
state_loaded(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	const HttpResponse *response = refresh->response;
	bool		keep = refresh->repeatable && response != NULL && response->spool != NULL;
	Arguments	arguments = {0};
	bytea	   *digest = palloc(VARHDRSZ + SPOOL_DIGEST_LENGTH);

	SET_VARSIZE(digest, VARHDRSZ + SPOOL_DIGEST_LENGTH);
	if (keep)
		memcpy(VARDATA(digest), spool_digest(response->spool), SPOOL_DIGEST_LENGTH);

	add_dataset(&arguments, dataset);
	add_argument(&arguments, REGCLASSOID, ObjectIdGetDatum(dataset->relation), !OidIsValid(dataset->relation));
	add_argument(&arguments, REGCLASSOID, ObjectIdGetDatum(dataset->source_relation),
				 !OidIsValid(dataset->source_relation));
	/* rows that come and go without a refresh cannot be found missing */
	add_argument(&arguments, INT8OID, Int64GetDatum(table_rows(refresh)),
				 !dataset->accelerated || dataset->follows);
	add_text(&arguments, keep ? response->etag : NULL);
	add_text(&arguments, keep ? response->last_modified : NULL);
	add_argument(&arguments, BYTEAOID, PointerGetDatum(digest), !keep);
	/* what was rebuilt from its own rows has yet to hear of its source */
	add_int(&arguments, refresh->rebuild ? 1 : schedule_next_delay(dataset));
	add_text(&arguments, refresh->outcome);
	add_text(&arguments, keep ? refresh->source_query : NULL);
	add_text(&arguments, refresh->watermark ? refresh->watermark->newest : NULL);
	update_tables(dataset, "UPDATE spice.dataset SET applied = $2::jsonb, source_applied = $2::jsonb,"
				  NOTE_RELATIONS("$3", "$4")
				  " loaded = clock_timestamp(),"
				  " checked = clock_timestamp(), rows = $5, etag = $6, last_modified = $7, digest = $8,"
				  " failures = 0, attempt = 0, last_error = NULL, last_outcome = $10,"
				  " fetched_query = $11, watermark = $12, " MOVED("next_refresh", "$9")
				  " WHERE id = $1 RETURNING id", &arguments);
}

/* the table is there, and reads its source until it is loaded */
void
state_registered(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	Arguments	arguments = {0};

	add_dataset(&arguments, dataset);
	add_argument(&arguments, REGCLASSOID, ObjectIdGetDatum(dataset->relation), false);
	add_argument(&arguments, REGCLASSOID, ObjectIdGetDatum(dataset->source_relation), false);
	update_tables(dataset, "UPDATE spice.dataset SET " NOTE_RELATIONS("$3", "$4") " source_applied = $2::jsonb"
				  " WHERE id = $1 RETURNING id", &arguments);
}

/* the table is known to agree with its source; nothing of it was written */
void
state_checked(const Refresh *refresh)
{
	bool		same_bytes = strcmp(refresh->outcome, OUTCOME_UNCHANGED) == 0 &&
	refresh->response != NULL && refresh->response->spool != NULL;
	Arguments	arguments = {0};

	add_dataset(&arguments, refresh->dataset);
	add_int(&arguments, schedule_next_delay(refresh->dataset));
	add_text(&arguments, refresh->outcome);
	add_argument(&arguments, BOOLOID, BoolGetDatum(!refresh->dataset->changed), false);
	/* validators that came with the very bytes that were loaded: no need of bytes next time */
	add_text(&arguments, same_bytes ? refresh->response->etag : NULL);
	add_text(&arguments, same_bytes ? refresh->response->last_modified : NULL);
	run("UPDATE spice.dataset SET etag = coalesce($6, etag), last_modified = coalesce($7, last_modified),"
		" applied = CASE WHEN $5 THEN $2::jsonb ELSE applied END, checked = clock_timestamp(), failures = 0, attempt = 0,"
		" last_error = NULL, last_outcome = $4, " MOVED("next_refresh", "$3")
		" WHERE id = $1 AND definition::text = $2", &arguments);
}

/* what is wrong while it is being put right */
void
state_troubled(const Refresh *refresh, const char *trouble)
{
	Arguments	arguments = {0};

	add_int(&arguments, refresh->dataset->id);
	add_text(&arguments, trouble);
	run("UPDATE spice.dataset SET last_error = $2 WHERE id = $1", &arguments);
}

/* delay_ms: until the next try; 0: never by itself */
void
state_failed(const Refresh *refresh, const char *error, int64 delay_ms, bool retry)
{
	Arguments	arguments = {0};

	add_dataset(&arguments, refresh->dataset);
	add_text(&arguments, error);
	add_int(&arguments, delay_ms);
	add_int(&arguments, retry ? refresh->dataset->attempt + 1 : 0);
	run("UPDATE spice.dataset SET failures = failures + 1, attempt = $5, last_error = $3,"
		" last_outcome = '" OUTCOME_FAILED "', " MOVED("next_refresh", "$4")
		" WHERE id = $1 AND definition::text = $2", &arguments);
}

void
state_retained(const Refresh *refresh)
{
	Arguments	arguments = {0};

	add_dataset(&arguments, refresh->dataset);
	add_int(&arguments, refresh->counts.deleted);
	add_int(&arguments, refresh->dataset->retention_interval_ms);
	run("UPDATE spice.dataset SET rows = greatest(rows - $3, 0),"
		" last_error = CASE WHEN last_error NOT LIKE '" RETENTION_ERROR "%' THEN last_error END, "
		MOVED("next_retention", "$4") " WHERE id = $1", &arguments);
}

/* a retention that failed is tried again when it is due again */
void
state_retention_failed(const Refresh *refresh, const char *error)
{
	Arguments	arguments = {0};

	add_dataset(&arguments, refresh->dataset);
	add_int(&arguments, refresh->dataset->retention_interval_ms);
	add_text(&arguments, psprintf(RETENTION_ERROR "%s", error));
	run("UPDATE spice.dataset SET last_error = $4, " MOVED("next_retention", "$3")
		" WHERE id = $1 AND definition::text = $2", &arguments);
}
