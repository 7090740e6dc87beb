/*-------------------------------------------------------------------------
 *
 * analyze.c
 *		ANALYZE of a relation that a refresh has filled.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "catalog/dataset.h"
#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "table/load/analyze.h"

void
analyze_relation(Oid relation)
{
	/* what was written just now need not be prefetched; the caller's settings come back soon */
	catalog_pin_setting("maintenance_io_concurrency", "0");
	catalog_run(psprintf("ANALYZE %s", catalog_relation_name(relation)));
	CommandCounterIncrement();
}
