/*-------------------------------------------------------------------------
 *
 * source.h
 *		What a refresh asks of a source: fetch it, keep its foreign table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SOURCE_H
#define SPICE_SOURCE_H

#include "access/htup.h"

#include "catalog/dataset.h"
#include "source/http/http.h"

/* are the rows fetched beforehand, or does the refresh query reach for them? */
extern bool source_fetches(const Dataset *dataset);

/*
 * Fetches the dataset's source.  query: goes to the URL's end, or NULL.
 * conditional: with the validators of the
 * loaded response, so that response->spool may be NULL (status 304).  Needs
 * no transaction.  Raises what http_fetch() raises, and an error that names
 * a secret which is missing.
 */
extern HttpResponse *source_fetch(const Dataset *dataset, const char *query,
								  bool conditional, HttpReport *report,
								  MemoryContext context);

/*
 * From now on the foreign table of this dataset reads this spool instead of
 * fetching by itself, in this process, until it is withdrawn or context is
 * deleted.
 */
extern void source_offer(const Dataset *dataset, Spool *spool, MemoryContext context);
extern void source_withdraw(void);
extern Spool *source_offered(int dataset);	/* or NULL */
extern const Dataset *source_offered_for(Oid foreign_table);	/* or NULL */

/*
 * May a scan of the offered spool be left to another process?  Not until it is
 * allowed: whoever runs the scan's query is in parallel mode meanwhile.
 */
extern void source_allow_reader(bool allowed);
extern bool source_reader_allowed(void);

/* what the newest scan of an offered spool met */
typedef struct SourceReport
{
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
 * Makes the source relation, a foreign table or a view, agree with the
 * definition; spool may be NULL unless source_needs_response().  Updates
 * dataset->source_relation.  False when there is nothing to tell the columns
 * from: no record and no declaration.
 */
extern bool source_prepare(Dataset *dataset, Spool *spool, Oid owner);

/*
 * Makes the columns of the source relation those which the source has: new
 * ones are added; with sync_all_columns and drop, others go and types change;
 * with fail nothing happens.  False when nothing was to be changed.  Of a
 * database, source_report says how they differed.
 */
extern bool source_evolve(Dataset *dataset, Spool *spool, bool drop);

/* the refresh is over, also when it failed */
extern void source_finish(const Dataset *dataset);

/* the dataset is to go: what it has outside of its relations goes, too */
extern void source_forget(const Dataset *dataset);

/* the same for one that has left the manifest and keeps its relations */
extern void source_leave(const char *dataset);

/* takes away files of datasets that are gone; extension: there is one in this database */
extern void source_sweep(bool extension);

/* what to do about an error that a source's server has raised, or NULL */
extern const char *source_cure(const Dataset *dataset, const ErrorData *error);

/* is it one that may pass? */
extern bool source_error_is_transient(const Dataset *dataset, const ErrorData *error);

#endif
