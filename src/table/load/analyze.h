/*-------------------------------------------------------------------------
 *
 * analyze.h
 *		The planner's statistics of a table whose storage is replaced.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ANALYZE_H
#define SPICE_ANALYZE_H

#include "utils/rel.h"

#include "table/build.h"

/* Decides, from the table as it is, which numbers of rows ask for an ANALYZE. */
extern void analyze_plan(TableBuild *build, Relation table);

/*
 * Sets the counts of the loaded heap, and analyzes it if need be.  The caller holds no
 * lock that readers of the table wait for.
 */
extern void analyze_heap(TableBuild *build);

/* Analyzes a relation that this transaction has filled. */
extern void analyze_relation(Oid relation);

#endif
