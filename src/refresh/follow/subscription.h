/*-------------------------------------------------------------------------
 *
 * subscription.h
 *		The server's own subscription to a source's changes, of one dataset.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SUBSCRIPTION_H
#define SPICE_SUBSCRIPTION_H

#include "access/xlogdefs.h"

#include "catalog/dataset.h"

typedef struct SubscriptionState
{
	bool		exists;
	bool		enabled;
	char	   *conninfo;
	bool		has_table;		/* changes go to this very table */
	bool		running;		/* a process applies them */
	bool		no_room;		/* it does not run, and no more of its kind may */
	XLogRecPtr	applied;		/* up to here the process has everything */
} SubscriptionState;

/* the name it has, which is the slot's, unless the manifest names another */
extern char *subscription_name(const Dataset *dataset);

/*
 * Changes of the slot go to the table from the commit on.  Makes no connection;
 * nor does drop, which leaves the slot alone.
 */
extern Oid	subscription_create(const char *name, const char *publication, const char *conninfo, Oid table);
extern void subscription_drop(Oid subscription);

extern SubscriptionState subscription_look(Oid subscription, Oid table);
extern void subscription_connect(Oid subscription, const char *conninfo);
extern void subscription_enable(Oid subscription);

#endif
