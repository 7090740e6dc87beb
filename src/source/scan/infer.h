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
 * would tell the types, or no spool.  A column that has nothing but null has no
 * type.  Sets relation->records.
 */
extern List *infer_columns(const Dataset *dataset, Spool *spool, SourceRelation *relation);

/*
 * Returns the type of a column that is there with a type and now has to take the
 * values of the response, too: the same or a wider one.
 */
extern Oid	infer_wider_type(Oid present, const SourceColumn *column);

#endif
