/*-------------------------------------------------------------------------
 *
 * merge.h
 *		What a merge did.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_MERGE_H
#define SPICE_MERGE_H

/* what became of the rows that were merged, and of the table's */
typedef struct MergeCounts
{
	int64		inserted;
	int64		updated;
	int64		unchanged;
	int64		dropped;		/* gave way to another row of the same key */
	int64		deleted;		/* the whole new version does not have them */
} MergeCounts;

#endif
