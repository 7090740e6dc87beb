/*-------------------------------------------------------------------------
 *
 * infer.h
 *		The columns of a response.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_INFER_H
#define SPICE_INFER_H

#include "catalog/dataset.h"
#include "source/http/spool.h"
#include "source/source_column.h"

/*
 * Reads the whole spool and returns its columns, of SourceColumn *, in the
 * order in which they first appear: none when there is no record, whose values
 * would tell the types, or no spool.  Sets relation->records.
 */
extern List *infer_columns(const Dataset *dataset, Spool *spool, SourceRelation *relation);

#endif
