/*-------------------------------------------------------------------------
 *
 * diff.h
 *		Which rows of the table its new version does not have, and which the
 *		table lacks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DIFF_H
#define SPICE_DIFF_H

#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * What is told of each row that is not the same in both; old ones are rows of the
 * table, new ones of the news.  Every fresh row is told after all the others.
 */
typedef struct DiffReceiver
{
	void		(*gone) (void *arg, ItemPointer old_row);
	/* of the same key.  False: the old one is gone, and the new one is fresh */
	bool		(*changed) (void *arg, ItemPointer old_row, ItemPointer new_row);
	void		(*fresh) (void *arg, ItemPointer new_row);
	void	   *arg;
} DiffReceiver;

/* Which rows of a relation take part. */
typedef struct DiffRows
{
	Relation	relation;
	const char *places;			/* query for their ctid; NULL: all take part */
} DiffRows;

/*
 * Returns how many rows are the same in both, and whether the table has any that take part.
 * keyed: rows of the same key are one row that has changed; otherwise a row that is there
 * several times is several rows.  The caller has the rights that the queries want.
 */
extern int64 diff_run(const DiffRows *table, const DiffRows *news, bool keyed, Snapshot snapshot,
					  const DiffReceiver *receiver, bool *was_empty);

#endif
