/*-------------------------------------------------------------------------
 *
 * foreign_table.h
 *		A dataset's source relation: a foreign table or a view.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_FOREIGN_TABLE_H
#define SPICE_FOREIGN_TABLE_H

#include "catalog/dataset.h"
#include "source/http/spool.h"
#include "source/scan/offer.h"

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
 * Returns the names, of char *, of fields that are no column yet, because they have
 * had nothing but null in every response.
 */
extern List *source_null_fields(const Dataset *dataset);

/*
 * Makes the columns of the source relation those which the source has: new
 * ones are added; with sync_all_columns and drop, others go and types change;
 * with fail nothing happens.  A field that has had nothing but null becomes a column
 * in any case, with its first value.  False when nothing was to be changed.  Of a
 * database, report says how they differed.
 */
extern bool source_evolve(Dataset *dataset, Spool *spool, bool drop, SourceReport *report);

#endif
