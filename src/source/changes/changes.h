/*-------------------------------------------------------------------------
 *
 * changes.h
 *		A source whose changes are followed: its publication, its replication
 *		slot, and a copy of the table as of the slot's beginning.
 *
 * A snapshot goes through these calls, in this order:
 *
 *		changes_open
 *		changes_publish			the publication is there, and fits
 *		changes_drop_slot		one that an earlier attempt has left
 *		changes_create_slot		begins a transaction on the source
 *		changes_copy_begin		a local transaction is open from here on
 *		changes_copy_next		row by row, to the end
 *
 * The connection, and with it the transaction on the source, ends with the
 * context that was given to changes_open.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CHANGES_H
#define SPICE_CHANGES_H

#include "access/xlogdefs.h"

#include "catalog/dataset.h"

typedef struct Remote ChangesSource;

/* what a publication gives of the dataset's table */
typedef struct PublishedTable
{
	char	   *publication;
	List	   *columns;		/* of char * */
	char	   *filter;			/* SQL as the source writes it, or NULL */
	List	   *key;			/* of char *: what tells rows apart; NIL: nothing does */
	bool		identity_full;	/* all columns together do */
	bool		changes_rows;	/* updates or deletes are published */
	bool		partitioned;
	char	   *shape;			/* all of this as a text: equal, nothing has changed */
} PublishedTable;

typedef struct SourceSlot
{
	bool		exists;
	char	   *lost;			/* why it is of no use any more, in the server's word; NULL: it is */
	XLogRecPtr	confirmed;		/* up to here the table is known to have it */
	XLogRecPtr	position;		/* of the source's log, now */
} SourceSlot;

/* how the server's subscription is to connect, without a password; writes the passfile */
extern char *changes_conninfo(const Dataset *dataset);

extern ChangesSource *changes_open(const Dataset *dataset, MemoryContext context);

/*
 * What the named publication, or else the one of our own, gives; with publish
 * it is made if need be, and an error is raised when that cannot be or would
 * not do.  Without, NULL says so.
 */
extern PublishedTable *changes_publish(ChangesSource *source);
extern PublishedTable *changes_look(ChangesSource *source);

extern SourceSlot changes_slot(ChangesSource *source, const char *slot);

/* nothing happens if it is not there */
extern void changes_drop_slot(ChangesSource *source, const char *slot);
extern void changes_create_slot(ChangesSource *source, const char *slot);

/*
 * Copies the table; values are laid out as those of relation, whose columns of
 * these names take them, and allocated in context.  False at the end.
 */
extern void changes_copy_begin(ChangesSource *source, const PublishedTable *table, Oid relation);
extern bool changes_copy_next(Datum *values, bool *nulls, MemoryContext context);
extern void changes_copy_end(void);

#endif
