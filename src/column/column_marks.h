/*-------------------------------------------------------------------------
 *
 * column_marks.h
 *		Which blocks of the heap the columns still speak for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_MARKS_H
#define SPICE_COLUMN_MARKS_H

#include "common/relpath.h"
#include "storage/block.h"
#include "utils/relcache.h"

#include "column/column_format.h"

extern void column_root_make(Relation index, ForkNumber fork);
extern ColumnRoot *column_root_read(Relation index);
extern bool column_entry_read(Relation index, uint32 group, ColumnEntry *entry);
extern void column_mark(Relation index, BlockNumber block);
extern bool column_is_marked(const ColumnEntry *entry, int block);
extern int	column_count_marks(const ColumnEntry *entry);

/* the caller holds a lock that keeps other processes from covering */
extern void column_cover_begin(Relation index, uint32 group);
extern uint32 column_cover_place(Relation index, Relation heap, uint32 pages);
extern void column_cover_publish(Relation index, uint32 group, const ColumnEntry *covered);

#endif
