/*-------------------------------------------------------------------------
 *
 * make.h
 *		Finds and creates the accelerated table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_MAKE_H
#define SPICE_MAKE_H

#include "access/tupdesc.h"

#include "catalog/dataset.h"

/* Refuses what is not spice's; InvalidOid when the name is free. */
extern Oid	table_find(const Dataset *dataset);
extern Oid	table_create(const Dataset *dataset, TupleDesc result, Oid owner);

/*
 * Makes the descriptions of the manifest comments.  Only a comment that differs is written,
 * which takes a lock on the relation that may have to be waited for.
 */
extern void table_comment(const Dataset *dataset, Oid relation);

/* The size of a relation's files, of all forks, without a lock on it; -1: there is no such relation. */
extern int64 table_bytes(Oid relation);

/* Are the rows that were loaded gone?  A crash empties unlogged tables. */
extern bool table_lost_its_rows(const Dataset *dataset);

#endif
