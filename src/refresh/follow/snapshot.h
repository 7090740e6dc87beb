/*-------------------------------------------------------------------------
 *
 * snapshot.h
 *		A copy of a published table, and the subscription that begins at it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SNAPSHOT_H
#define SPICE_SNAPSHOT_H

#include "access/tupdesc.h"

#include "source/changes/publication.h"
#include "table/build.h"

typedef struct SourceCopy
{
	Remote	   *source;
	PublishedTable *table;
	const char *slot;
	int			entry;			/* its row of spice.slot */
	Oid			subscription;
} SourceCopy;

/* Loads the copy's rows into the new heap. */
extern void snapshot_load(const SourceCopy *copy, TableBuild *build, TupleDesc result);

/*
 * Creates the subscription.  The caller does this last before the swap, because
 * other sessions cannot drop a subscription until the transaction ends.
 */
extern void snapshot_subscribe(SourceCopy *copy, const Dataset *dataset);

#endif
