/*-------------------------------------------------------------------------
 *
 * publication.h
 *		What a publication on a source gives of a dataset's table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PUBLICATION_H
#define SPICE_PUBLICATION_H

#include "source/changes/remote.h"

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

/*
 * What the named publication, or else the one of our own, gives; with publish
 * it is made if need be, and an error is raised when that cannot be or would
 * not do.  Without, NULL says so.
 */
extern PublishedTable *changes_publish(Remote *source);
extern PublishedTable *changes_look(Remote *source);

#endif
