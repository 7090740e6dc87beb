/*-------------------------------------------------------------------------
 *
 * storage.h
 *		Keeps account of the files that a transaction makes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_STORAGE_H
#define SPICE_STORAGE_H

#include "access/xact.h"

/*
 * Draws numbers (and OIDs) for relations that are about to be made, and notes them,
 * so that no crash leaves their files for good.
 */
extern void storage_draw(Oid tablespace, char persistence, Oid *numbers, int n);

/* Notes the files of a table that a command has made, and of its TOAST table. */
extern void storage_note(Oid table);

/* Removes what a crash has left in this database; false: it has to be tried again. */
extern bool storage_sweep(void);
extern void storage_at_end(XactEvent event);
extern Size storage_shared_size(void);
extern void storage_shared_start(void *memory, bool initialize);

#endif
