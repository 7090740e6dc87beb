/*-------------------------------------------------------------------------
 *
 * column_cover.h
 *		Columns from the rows of the heap.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_COVER_H
#define SPICE_COLUMN_COVER_H

#include "utils/relcache.h"

#include "column/column_encode.h"

extern ColumnClass column_class(Oid type, bool by_value);

/*
 * Covers the row groups of which more than one block in twenty could be read from
 * columns and is not; returns their number.  The caller holds a lock on the table that
 * conflicts with itself and with VACUUM.
 */
extern int	column_cover(Relation heap, Relation index);

#endif
