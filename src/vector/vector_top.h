/*-------------------------------------------------------------------------
 *
 * vector_top.h
 *		The custom scan "SpiceColumnsTop": the first rows of an order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_TOP_H
#define SPICE_VECTOR_TOP_H

#include "nodes/extensible.h"
#include "nodes/pathnodes.h"

/* The most rows that are kept while the table is read. */
#define TOP_MOST 10000

extern const CustomScanMethods top_scan_methods;

extern void top_plan_paths(PlannerInfo *root, RelOptInfo *input, RelOptInfo *output);

/*
 * custom_exprs has the conditions, then the sort keys; custom_private, in this order,
 * lists of: conditions, rows; the index; columns; sort operators; 1 for NULLS FIRST.
 */

#endif
