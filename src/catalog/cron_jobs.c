/*-------------------------------------------------------------------------
 *
 * cron_jobs.c
 *		Jobs of pg_cron for refresh_cron and retention_cron.
 *
 * pg_cron keeps the clock and its own history; its jobs do no more than hand
 * a refresh to the launcher, so that one place decides what runs beside what.
 * A job belongs to a dataset by its name: "spice refresh NAME".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"

#include "catalog/cron_jobs.h"
#include "catalog/dataset.h"
#include "catalog/execute.h"

/* the jobs there should be */
#define WANTED_JOBS \
	"WITH home AS (SELECT e.extnamespace::regnamespace::text AS schema" \
	" FROM pg_extension e WHERE e.extname = 'spice')," \
	" wanted AS (SELECT 'spice refresh ' || d.name AS jobname," \
	" d.definition->>'refresh_cron' AS schedule," \
	" format('SELECT %s.spice_refresh(%L, wait => false)', h.schema, d.name) AS command, d.name" \
	" FROM spice_catalog.dataset d, home h WHERE d.in_manifest AND NOT d.paused" \
	" AND d.definition->>'refresh_cron' IS NOT NULL" \
	" UNION ALL SELECT 'spice retention ' || d.name, d.definition->>'retention_cron'," \
	" format('SELECT %s.spice_retain(%L)', h.schema, d.name), d.name" \
	" FROM spice_catalog.dataset d, home h WHERE d.in_manifest AND NOT d.paused" \
	" AND d.definition->>'retention_cron' IS NOT NULL) "

static bool
any_wanted(List **datasets, MemoryContext context)
{
	catalog_execute(WANTED_JOBS "SELECT DISTINCT w.name FROM wanted w ORDER BY 1", 0, NULL, NULL, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char	   *name = catalog_text(row, 1, context);
		MemoryContext old = MemoryContextSwitchTo(context);

		*datasets = lappend(*datasets, name);
		MemoryContextSwitchTo(old);
	}
	return SPI_processed > 0;
}

char *
cron_reconcile(List **datasets, MemoryContext context)
{
	bool		wanted = any_wanted(datasets, context);

	if (!OidIsValid(get_extension_oid("pg_cron", true)))
	{
		if (!wanted)
			return NULL;
		return MemoryContextStrdup(context,
								   psprintf("refresh_cron and retention_cron need extension pg_cron in this database "
											"(install postgresql-%d-cron, add pg_cron to shared_preload_libraries, "
											"set cron.database_name = '%s', restart, and run CREATE EXTENSION pg_cron "
											"and spice_reload())",
											PG_VERSION_NUM / 10000, get_database_name(MyDatabaseId)));
	}
	catalog_execute(WANTED_JOBS "SELECT cron.unschedule(j.jobid) FROM cron.job j"
					" WHERE (j.jobname LIKE 'spice refresh %' OR j.jobname LIKE 'spice retention %')"
					" AND j.database = current_database() AND j.username = current_user"
					" AND (NOT j.active OR NOT EXISTS (SELECT 1 FROM wanted w WHERE w.jobname = j.jobname))",
					0, NULL, NULL, NULL);
	catalog_execute(WANTED_JOBS "SELECT cron.schedule(w.jobname, w.schedule, w.command) FROM wanted w"
					" WHERE NOT EXISTS (SELECT 1 FROM cron.job j WHERE j.jobname = w.jobname"
					" AND j.schedule = w.schedule AND j.command = w.command"
					" AND j.database = current_database() AND j.username = current_user)",
					0, NULL, NULL, NULL);
	return NULL;
}
