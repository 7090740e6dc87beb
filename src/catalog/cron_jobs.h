/*-------------------------------------------------------------------------
 *
 * cron_jobs.h
 *		Jobs of pg_cron for refresh_cron and retention_cron.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CRON_JOBS_H
#define SPICE_CRON_JOBS_H

#include "nodes/pg_list.h"

/*
 * Makes the jobs named after datasets agree with the catalog: creates,
 * changes and removes.  Within an SPI connection, as the extension's owner.
 * Returns why it cannot be done, or NULL; in *datasets the names of those who
 * need it, in context.
 */
extern char *cron_reconcile(List **datasets, MemoryContext context);

#endif
