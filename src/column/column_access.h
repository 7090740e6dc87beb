/*-------------------------------------------------------------------------
 *
 * column_access.h
 *		The index access method "spice_columns".
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_ACCESS_H
#define SPICE_COLUMN_ACCESS_H

#include "utils/relcache.h"

/* this process covers later what it builds now */
extern bool column_build_empty;

/* a column index, complete, of a table with a heap */
extern bool column_index_is_valid(Relation index);

/* the caller holds ShareUpdateExclusiveLock on the table; returns row groups covered */
extern int64 column_cover_table(Relation table);

#endif
