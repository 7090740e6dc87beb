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

static bool
any_wanted(List **datasets, MemoryContext context)
{
	catalog_execute("SELECT DISTINCT w.dataset FROM spice_catalog.wanted_job w ORDER BY 1", 0, NULL, NULL, NULL);
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
	catalog_execute("SELECT cron.unschedule(j.jobid) FROM cron.job j"
					" WHERE (j.jobname LIKE 'spice refresh %' OR j.jobname LIKE 'spice retention %')"
					" AND j.database = current_database() AND j.username = current_user"
					" AND (NOT j.active OR NOT EXISTS (SELECT 1 FROM spice_catalog.wanted_job w WHERE w.jobname = j.jobname))",
					0, NULL, NULL, NULL);
	catalog_execute("SELECT cron.schedule(w.jobname, w.schedule, w.command) FROM spice_catalog.wanted_job w"
					" WHERE NOT EXISTS (SELECT 1 FROM cron.job j WHERE j.jobname = w.jobname"
					" AND j.schedule = w.schedule AND j.command = w.command"
					" AND j.database = current_database() AND j.username = current_user)",
					0, NULL, NULL, NULL);
	return NULL;
}
