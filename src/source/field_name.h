/*-------------------------------------------------------------------------
 *
 * field_name.h
 *		The names that the fields of a response have as columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_FIELD_NAME_H
#define SPICE_FIELD_NAME_H

#include "catalog/dataset.h"
#include "source/source_column.h"

/* The option of a foreign table's column whose field has another name. */
#define FIELD_OPTION "field"

/*
 * Gives the columns of a response (SourceColumn *) their names: the manifest's, that
 * of the column that is there, the field's own, or one made from it.  Sets
 * dataset->renamed to a notice of the names that were made.
 */
extern void field_name_columns(Dataset *dataset, List *columns);

/* Returns the field that a column of a foreign table holds. */
extern char *field_name_of(Oid relation, AttrNumber number);

#endif
