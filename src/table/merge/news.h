/*-------------------------------------------------------------------------
 *
 * news.h
 *		News of a source into the table that has the rest.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_NEWS_H
#define SPICE_NEWS_H

#include "table/build.h"
#include "table/merge/merge.h"

/*
 * Brings the rows of the new heap into the table, and drops the heap.  condition: on the
 * table's rows (alias q), those which the news may repeat.
 */
extern MergeCounts news_merge(TableBuild *build, const char *condition);

/*
 * Before indexes are built: if the heap has several rows of a key, a query for those that
 * win, whose rows belong into build_again(); else NULL.
 */
extern char *news_winners(const TableBuild *build, const DatasetConflict *conflict);

#endif
