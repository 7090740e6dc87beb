/*-------------------------------------------------------------------------
 *
 * toast.h
 *		TOAST tables of a new heap, and of the table that takes over its storage.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TOAST_H
#define SPICE_TOAST_H

#include "table/build.h"

/* The TOAST table of a relation, or InvalidOid. */
extern Oid	toast_of(Oid relation);

/*
 * Gives the new heap a TOAST table unless it has one.  In parallel mode nothing can be
 * made, so the caller calls this before.
 */
extern void toast_add(TableBuild *build);

/* No value needed one: the table keeps its own if that is empty, or takes over a new one. */
extern void toast_settle(TableBuild *build);

/* Makes the TOAST table depend on the relation; InvalidOid: nothing to do. */
extern void toast_attach(Oid toast, Oid relation);

/* Names the TOAST table after the table, once the old one is gone. */
extern void toast_rename(Oid table);

#endif
