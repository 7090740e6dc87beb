/*-------------------------------------------------------------------------
 *
 * offer.c
 *		What a refresh hands to the foreign scans of its own process.
 *
 * A foreign data wrapper has no argument for the spool that a scan is to read,
 * so the refresh leaves it in a variable of the process before it runs the
 * refresh query, and the scan finds there where to leave its report.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "source/scan/offer.h"

/* the spool that this process's foreign scans read, and whose it is */
static struct
{
	const Dataset *dataset;
	Spool	   *spool;
	SourceReport *report;
	bool		reader_allowed; /* another process may read it */
} offered;

static void
withdraw_callback(void *arg)
{
	/* a newer offer may have taken its place */
	if (offered.spool == arg)
		source_withdraw();
}

void
source_offer(const Dataset *dataset, Spool *spool, SourceReport *report, MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));

	callback->func = withdraw_callback;
	callback->arg = spool;
	MemoryContextRegisterResetCallback(context, callback);
	offered.dataset = dataset;
	offered.spool = spool;
	offered.report = report;
}

void
source_withdraw(void)
{
	memset(&offered, 0, sizeof(offered));
}

Spool *
source_offered(int dataset)
{
	return offered.dataset != NULL && offered.dataset->id == dataset ? offered.spool : NULL;
}

SourceReport *
source_offered_report(void)
{
	return offered.report;
}

const Dataset *
source_offered_for(Oid foreign_table)
{
	return offered.dataset != NULL && offered.dataset->source_relation == foreign_table ?
		offered.dataset : NULL;
}

void
source_allow_reader(bool allowed)
{
	offered.reader_allowed = allowed;
}

bool
source_reader_allowed(void)
{
	return offered.reader_allowed;
}
