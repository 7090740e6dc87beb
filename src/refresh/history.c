/*-------------------------------------------------------------------------
 *
 * history.c
 *		Rows of spice.refreshes.
 *
 * A worker commits the row before it fetches, so that a refresh whose process
 * dies leaves a trace.  The launcher closes such rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "catalog/execute.h"
#include "refresh/history.h"
#include "refresh/schedule.h"
#include "secret/redact.h"
#include "settings.h"
#include "source/source.h"

#define EXPIRE_BATCH	5000	/* rows that one transaction deletes */

static void
add_ms(CatalogArguments *arguments, double value)
{
	catalog_add(arguments, FLOAT8OID, Float8GetDatum(value), value <= 0);
}

int64
history_begin(const Refresh *refresh)
{
	CatalogRows *rows;
	CatalogArguments arguments = {0};

	catalog_add_text(&arguments, refresh->dataset->name);
	catalog_add_text(&arguments, refresh->trigger);
	catalog_add_text(&arguments, refresh->retention ? "retention" : refresh->dataset->refresh_mode);
	catalog_add_int(&arguments, refresh->retention ? 1 : refresh->dataset->attempt + 1);
	catalog_add_int(&arguments, MyProcPid);
	catalog_add_int(&arguments, refresh->dataset->id);
	rows = catalog_query("INSERT INTO spice_catalog.refresh_history (dataset, started, trigger, mode, outcome, attempt, pid, was_due)"
						 " SELECT $1, clock_timestamp(), $2, $3, '" OUTCOME_RUNNING "', $4, $5, d.next_refresh"
						 " FROM spice_catalog.dataset d WHERE d.id = $6 RETURNING id", &arguments);
	return rows->n > 0 ? catalog_get_int(rows, 0, "id", 0) : 0;
}

/* counts that mean something for this outcome */
static void
add_counts(CatalogArguments *arguments, const Refresh *refresh)
{
	bool		whole = strcmp(refresh->outcome, OUTCOME_MERGED) == 0;
	bool		merged = whole || strcmp(refresh->outcome, OUTCOME_APPENDED) == 0 ||
	(strcmp(refresh->outcome, OUTCOME_LOADED) == 0 && dataset_appends(refresh->dataset));
	bool		retained = strcmp(refresh->outcome, OUTCOME_RETAINED) == 0;

	catalog_add(arguments, INT8OID, Int64GetDatum(refresh->counts.inserted), !merged);
	catalog_add(arguments, INT8OID, Int64GetDatum(refresh->counts.updated), !merged);
	catalog_add(arguments, INT8OID, Int64GetDatum(refresh->counts.unchanged), !merged);
	catalog_add(arguments, INT8OID, Int64GetDatum(refresh->counts.dropped), !merged);
	catalog_add(arguments, INT8OID, Int64GetDatum(refresh->counts.deleted), !retained && !whole);
}

void
history_end(const Refresh *refresh, const char *error)
{
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, refresh->history);
	catalog_add_text(&arguments, refresh->outcome);
	catalog_add_int(&arguments, refresh->rows);
	catalog_add(&arguments, INT8OID, Int64GetDatum(refresh->report.bytes), !source_fetches(refresh->dataset));
	catalog_add(&arguments, FLOAT8OID, Float8GetDatum(refresh->report.fetch_ms),
				refresh->report.status == 0 && refresh->report.fetch_ms == 0);
	add_ms(&arguments, refresh->load_ms);
	add_ms(&arguments, refresh->index_ms);
	add_ms(&arguments, refresh->swap_ms);
	catalog_add(&arguments, INT8OID, Int64GetDatum(refresh->report.status), refresh->report.status == 0);
	catalog_add_text(&arguments, error);
	catalog_add_text(&arguments, redact_text(refresh->notice));
	add_counts(&arguments, refresh);
	catalog_add_int(&arguments, refresh->moves_clock && refresh->dataset->in_manifest ?
					schedule_next_delay(refresh->dataset) : 0);
	(void) catalog_query("UPDATE spice_catalog.refresh_history SET finished = clock_timestamp(), outcome = $2, rows = $3,"
						 " bytes = $4, fetch_time = $5 * interval '1 ms', load_time = $6 * interval '1 ms',"
						 " index_time = $7 * interval '1 ms', swap_time = $8 * interval '1 ms',"
						 " http_status = $9, error = $10, notice = $11, inserted = $12, updated = $13,"
						 " unchanged = $14, dropped = $15, deleted = $16,"
						 " next_refresh = CASE WHEN $17 > 0 THEN clock_timestamp() + $17 * interval '1 ms' END"
						 " WHERE id = $1", &arguments);
}

void
history_close_interrupted(void)
{
	(void) catalog_query("SELECT spice_catalog.close_interrupted()", NULL);
}

bool
history_expire(void)
{
	CatalogRows *rows;
	CatalogArguments arguments = {0};

	catalog_add_int(&arguments, spice_history_retention);
	catalog_add_int(&arguments, EXPIRE_BATCH);
	rows = catalog_query("SELECT spice_catalog.expire_history($1, $2) AS n", &arguments);
	return catalog_get_int(rows, 0, "n", 0) == EXPIRE_BATCH;
}
