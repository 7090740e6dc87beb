/*-------------------------------------------------------------------------
 *
 * postgres_columns.h
 *		The columns of a relation in another PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_POSTGRES_COLUMNS_H
#define SPICE_POSTGRES_COLUMNS_H

#include "catalog/dataset.h"
#include "source/source_column.h"

/* of SourceColumn *; the dataset's foreign server has to be there */
extern List *postgres_columns(const Dataset *dataset, SourceRelation *source);

#endif
