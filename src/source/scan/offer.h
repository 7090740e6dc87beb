/*-------------------------------------------------------------------------
 *
 * offer.h
 *		What a refresh hands to the foreign scans of its own process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_OFFER_H
#define SPICE_OFFER_H

#include "catalog/dataset.h"
#include "source/http/spool.h"

/* Where the newest scan of an offered spool found other fields than columns. */
typedef struct SourceReport
{
	int64		unknown_total;	/* fields that are no column */
	char		unknown_name[64];
	char		absent_name[NAMEDATALEN];	/* a column that no record had, or "" */
	char		wrapper_name[64];	/* of the only record, a field that holds records, or "" */
	int64		invalid_total;	/* values that did not fit their columns and were changed */
	int64		invalid_record; /* the record of the first, and its column */
	char		invalid_column[NAMEDATALEN];
} SourceReport;

/*
 * From now on the foreign table of this dataset reads this spool instead of
 * fetching by itself, in this process, until it is withdrawn or context is
 * deleted.  The scan leaves its report with the caller.
 */
extern void source_offer(const Dataset *dataset, Spool *spool, SourceReport *report,
						 MemoryContext context);
extern void source_withdraw(void);
extern Spool *source_offered(int dataset);	/* or NULL */
extern SourceReport *source_offered_report(void);	/* of an offered spool */
extern const Dataset *source_offered_for(Oid foreign_table);	/* or NULL */

/*
 * May another process scan the offered spool?  The refresh allows it for a query
 * that can run in parallel mode.
 */
extern void source_allow_reader(bool allowed);
extern bool source_reader_allowed(void);

#endif
