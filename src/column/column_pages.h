/*-------------------------------------------------------------------------
 *
 * column_pages.h
 *		Pages of a column index through the buffer manager, logged.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_PAGES_H
#define SPICE_COLUMN_PAGES_H

#include "access/genam.h"
#include "storage/bufmgr.h"
#include "utils/relcache.h"

#include "column/column_format.h"

extern Buffer column_pages_new(Relation index, BlockNumber block);
extern Buffer column_pages_extend(Relation index, ForkNumber fork);
extern void column_pages_write(Relation index, BlockNumber block, const ColumnStamp *stamp,
							   const void *contents, Size length);
extern Buffer column_pages_read(Relation index, BlockNumber block, const ColumnStamp *stamp,
								BufferAccessStrategy strategy);
extern void column_pages_copy(Relation index, BlockNumber first, const ColumnStamp *stamp,
							  uint64 offset, uint64 length, char *to, BufferAccessStrategy strategy);

/* an index's page, begun anew; the caller fills the contents before it finishes the record */
extern char *column_pages_init(Page page, const ColumnStamp *stamp, Size length);

#endif
