/*-------------------------------------------------------------------------
 *
 * plan.h
 *		Plans the shape of a new heap, and what changes of the table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PLAN_H
#define SPICE_PLAN_H

#include "table/build.h"

/*
 * Plans and makes the new heap.  Without may_alter another shape is refused.  apart: its rows
 * will be merged, and need not outlive a crash or be sent to standbys.
 */
extern TableBuild *plan_build(const Dataset *dataset, Oid table, TupleDesc result, bool may_alter,
							  bool apart);

/* Refuses a key or an index over a column that the refresh does not produce. */
extern void plan_check_index_columns(const Dataset *dataset, TupleDesc result);
extern bool plan_wants_not_null(const Dataset *dataset, const char *column);

#endif
