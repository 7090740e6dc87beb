/*-------------------------------------------------------------------------
 *
 * source.h
 *		What a refresh asks of a source: fetch it, keep its foreign table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SOURCE_H
#define SPICE_SOURCE_H

#include "postgres.h"

#include "access/htup.h"

#include "manifest/catalog.h"
#include "source/http.h"

/*
 * Fetches the dataset's source.  query: goes to the URL's end, or NULL.
 * conditional: with the validators of the
 * loaded response, so that response->spool may be NULL (status 304).  Needs
 * no transaction.  Raises what http_fetch() raises, and an error that names
 * a secret which is missing.
 */
extern HttpResponse *source_fetch(const Dataset *dataset, const char *query,
								  bool conditional, MemoryContext context);

/*
 * From now on the foreign table of this dataset reads this spool instead of
 * fetching by itself, in this process, until it is withdrawn or context is
 * deleted.
 */
extern void source_offer(int dataset, Spool *spool, MemoryContext context);
extern void source_withdraw(void);
extern Spool *source_offered(int dataset);	/* or NULL */

/*
 * May a scan of the offered spool be left to another process?  Not until it is
 * allowed: whoever runs the scan's query is in parallel mode meanwhile.
 */
extern void source_allow_reader(bool allowed);
extern bool source_reader_allowed(void);

/*
 * Makes statistics of the foreign table from a sample of total rows, which have
 * its columns.
 */
extern void source_analyze(const Dataset *dataset, HeapTuple *rows, int n_rows, double total);

/* the sample, while that happens */
typedef struct SourceSample
{
	HeapTuple  *rows;
	int			n_rows;
	double		total;
} SourceSample;

extern const SourceSample *source_sample(Oid foreign_table);	/* or NULL */

/* what the newest scan of an offered spool met */
typedef struct SourceReport
{
	int64		records;
	int64		unknown_total;	/* fields that are no column */
	char		unknown_name[64];
	char		absent_name[NAMEDATALEN];	/* a column that no record had, or "" */
} SourceReport;

extern SourceReport source_report;

/* does the foreign table's shape have to be found out from a response? */
extern bool source_needs_response(const Dataset *dataset);

/* does the manifest declare every column that there is to be, with its type? */
extern bool source_columns_declared(const Dataset *dataset);

/*
 * Makes the foreign table agree with the definition; spool may be NULL unless
 * source_needs_response().  Updates dataset->source_relation.  False when
 * there is nothing to tell the columns from: no record and no declaration.
 */
extern bool source_prepare(Dataset *dataset, Spool *spool, Oid owner);

/*
 * Makes the columns of the foreign table those which the spool's records have.
 * drop: also takes away the columns they lack, and changes types.  False when
 * nothing was to be changed.
 */
extern bool source_evolve(const Dataset *dataset, Spool *spool, bool drop);

#endif
