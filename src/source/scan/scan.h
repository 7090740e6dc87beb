/*-------------------------------------------------------------------------
 *
 * scan.h
 *		The records of a spool as tuples of a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SCAN_H
#define SPICE_SCAN_H

#include "access/htup.h"
#include "access/tupdesc.h"

#include "source/format/json_reader.h"
#include "source/http/spool.h"
#include "source/scan/offer.h"
#include "source/scan/record_reader.h"

typedef struct SourceScan SourceScan;

/*
 * fields: by column, the name of the field that it holds.
 * used: attribute numbers of the columns that are asked for, 0: all of them;
 * the others are null.  The scan lives in a context below parent; format, desc and fields
 * have to live as long.
 */
extern SourceScan *scan_create(const RecordFormat *format, TupleDesc desc, char **fields, List *used,
							   MemoryContext parent);
extern void scan_free(SourceScan *scan);

/* Before the scan is opened: documents for which wanted() is false are not read. */
extern void scan_set_filter(SourceScan *scan, bool (*wanted) (void *arg, const SpoolPart *part), void *arg);

/* Before the scan is opened: what cannot fulfil the bounds, of ColumnBound *, need not be read. */
extern void scan_set_bounds(SourceScan *scan, List *bounds);

/* from the first record on; may be called again */
extern void scan_open(SourceScan *scan, Spool *spool);

/*
 * The next record's tuple, good until the next call, or NULL.  Raises an error
 * for what is no record of this table.
 */
extern HeapTuple scan_next(SourceScan *scan);

/*
 * Returns the JSON reader of an open scan, by which two scans share a spool: see
 * json_reader_skip() and json_reader_go().  NULL when the format is another.
 */
extern JsonReader *scan_json(const SourceScan *scan);

/* over all records so far */
typedef struct ScanTotals
{
	int64		records;		/* of the spool, read by either process */
	int64		unknown_total;	/* values of fields that are no column */
	int64		unknown_record; /* where the first was */
	char		unknown_name[64];
	char		wrapper_name[64];	/* see SourceReport */
	int64		invalid_total;	/* values that did not fit their columns */
	int64		invalid_record; /* where the first was */
	char		invalid_column[NAMEDATALEN];
} ScanTotals;

/* what a scan has met, for another process */
typedef struct ScanFindings
{
	ScanTotals	totals;
	bool		met[FLEXIBLE_ARRAY_MEMBER]; /* by column: a record had it */
} ScanFindings;

extern Size scan_findings_size(TupleDesc desc);
extern void scan_findings(const SourceScan *scan, ScanFindings *findings);

/*
 * What the scan has met, once scan_next() has returned NULL, or, together with it, a
 * scan of the same columns in another process; findings may be NULL.
 */
extern SourceReport scan_report(const SourceScan *scan, const ScanFindings *findings);

#endif
