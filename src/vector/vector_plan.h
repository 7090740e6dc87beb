/*-------------------------------------------------------------------------
 *
 * vector_plan.h
 *		Which queries are taken: paths and plans over column indexes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_PLAN_H
#define SPICE_VECTOR_PLAN_H

#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"

/*
 * What custom_scan_tlist has, in this order: keys, aggregates, conditions.  The columns
 * are those of the table that any of them reads.
 */
typedef struct VectorPlan
{
	int			keys;
	int			aggregates;
	int			conditions;
	Oid			index;
	List	   *columns;		/* numbers of attributes */
} VectorPlan;

extern bool vector_enable_columns;

extern VectorPlan vector_plan_read(const CustomScan *scan);
extern void vector_plan_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
									RelOptInfo *output, void *extra);

#endif
