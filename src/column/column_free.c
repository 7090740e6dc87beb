/*-------------------------------------------------------------------------
 *
 * column_free.c
 *		Pages that no extent of a column index has any more.
 *
 * The list has ranges of pages, in no order.  Neighbours that were freed
 * together become one range; others wait for different snapshots.  A list
 * that is full forgets the smallest range, whose pages are unused until REINDEX.
 *
 *-------------------------------------------------------------------------
 */
#include "column/column_free.h"

#include <stddef.h>

/* First page of the smallest range that is large enough; 0: there is none. */
uint32_t
column_free_find(const ColumnFreeList *list, uint32_t pages, ColumnFreeCheck is_unread, void *context)
{
	const ColumnFreeRange *best = NULL;

	for (uint32_t i = 0; i < list->count; i++)
	{
		const ColumnFreeRange *range = &list->ranges[i];

		if (range->pages >= pages && (best == NULL || range->pages < best->pages) &&
			is_unread(context, range->since))
			best = range;
	}
	return best ? best->first : 0;
}

static void
drop_range(ColumnFreeList *list, uint32_t i)
{
	list->ranges[i] = list->ranges[--list->count];
}

/* The first pages of the range that begins there. */
void
column_free_take(ColumnFreeList *list, uint32_t first, uint32_t pages)
{
	for (uint32_t i = 0; i < list->count; i++)
	{
		ColumnFreeRange *range = &list->ranges[i];

		if (range->first != first)
			continue;
		range->first += pages;
		range->pages -= pages;
		if (range->pages == 0)
			drop_range(list, i);
		return;
	}
}

static uint32_t
smallest_range(const ColumnFreeList *list)
{
	uint32_t	smallest = 0;

	for (uint32_t i = 1; i < list->count; i++)
	{
		if (list->ranges[i].pages < list->ranges[smallest].pages)
			smallest = i;
	}
	return smallest;
}

void
column_free_add(ColumnFreeList *list, uint32_t first, uint32_t pages, uint64_t since)
{
	ColumnFreeRange added = {since, first, pages};

	for (uint32_t i = 0; i < list->count;)
	{
		const ColumnFreeRange *range = &list->ranges[i];

		if (range->since != since ||
			(range->first + range->pages != added.first && added.first + added.pages != range->first))
		{
			i++;
			continue;
		}
		added.first = range->first < added.first ? range->first : added.first;
		added.pages += range->pages;
		drop_range(list, i);
	}
	if (list->count == COLUMN_FREE_RANGES)
	{
		uint32_t	smallest = smallest_range(list);

		if (list->ranges[smallest].pages >= added.pages)
			return;
		drop_range(list, smallest);
	}
	list->ranges[list->count++] = added;
}
