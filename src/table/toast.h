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

/*
 * Will the table have the TOAST table it needs: the new heap's, or its own if no value of the
 * heap has needed one and the table's is empty?  toast_settle() sees to it.
 */
extern bool toast_is_settled(const TableBuild *build);
extern void toast_settle(TableBuild *build);

/* Once table and heap have changed TOAST tables: each depends on its own. */
extern void toast_hand_over(Oid table, Oid heap);

/* What ALTER TABLE SET (toast....) has said of one is said of the next; either may be missing. */
extern void toast_keep_options(Oid from, Oid to);

/* Keeps autovacuum away from what the load has put into the table's TOAST table. */
extern void toast_forget_inserts(Oid table);

/* Names the TOAST table after the table, once the old one is gone. */
extern void toast_rename(Oid table);

#endif
