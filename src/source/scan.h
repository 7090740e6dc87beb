/*-------------------------------------------------------------------------
 *
 * scan.h
 *		The records of a spool as tuples of a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SCAN_H
#define SPICE_SCAN_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

#include "manifest/catalog.h"
#include "source/source.h"
#include "source/spool.h"

typedef struct SourceScan SourceScan;

/*
 * used: attribute numbers of the columns that are asked for, 0: all of them;
 * the others are null.  The scan lives in a context below parent.
 */
extern SourceScan *scan_create(const Dataset *dataset, TupleDesc desc, List *used,
							   MemoryContext parent);
extern void scan_free(SourceScan *scan);

/* from the first record on; may be called again */
extern void scan_open(SourceScan *scan, Spool *spool);

/*
 * The next record's tuple, good until the next call, or NULL.  Raises an error
 * for what is no record of this table.
 */
extern HeapTuple scan_next(SourceScan *scan);

/* what it met, once scan_next() has returned NULL */
extern SourceReport scan_report(const SourceScan *scan);

#endif
