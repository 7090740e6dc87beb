/*-------------------------------------------------------------------------
 *
 * column_free.h
 *		Pages that no extent of a column index has any more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_FREE_H
#define SPICE_COLUMN_FREE_H

#include "column/column_format.h"

/* Whether no snapshot is left that may read what was freed at this full transaction id. */
typedef bool (*ColumnFreeCheck) (void *context, uint64_t since);

extern uint32_t column_free_find(const ColumnFreeList *list, uint32_t pages, ColumnFreeCheck is_unread, void *context);
extern void column_free_take(ColumnFreeList *list, uint32_t first, uint32_t pages);
extern void column_free_add(ColumnFreeList *list, uint32_t first, uint32_t pages, uint64_t since);

#endif
