/*-------------------------------------------------------------------------
 *
 * slot.h
 *		A replication slot on a source, and a copy of the table as of the slot's start.
 *
 * A snapshot goes through these calls, in this order:
 *
 *		changes_open
 *		changes_publish			the publication exists and fits (publication.h)
 *		changes_drop_slot		one that an earlier attempt has left
 *		changes_create_slot		begins a transaction on the source
 *		changes_copy_begin		the caller has opened a local transaction
 *		changes_copy_next		row by row, to the end
 *
 * The connection, and with it the transaction on the source, ends with the
 * context that was given to changes_open.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SLOT_H
#define SPICE_SLOT_H

#include "access/xlogdefs.h"

#include "source/changes/publication.h"

typedef struct SourceSlot
{
	bool		exists;
	char	   *lost;			/* why it is of no use any more, in the server's word; NULL: it is */
	XLogRecPtr	confirmed;		/* up to here the table is known to have it */
	XLogRecPtr	position;		/* of the source's log, now */
} SourceSlot;

extern Remote *changes_open(const Dataset *dataset, MemoryContext context);

extern SourceSlot changes_slot(Remote *source, const char *slot);

/* nothing happens if it is not there */
extern void changes_drop_slot(Remote *source, const char *slot);
extern void changes_create_slot(Remote *source, const char *slot);

/*
 * Copies the table; values are laid out as those of relation, whose columns of
 * these names take them, and allocated in context.  False at the end.
 */
extern void changes_copy_begin(Remote *source, const PublishedTable *table, Oid relation);
extern bool changes_copy_next(Datum *values, bool *nulls, MemoryContext context);
extern void changes_copy_end(void);

#endif
