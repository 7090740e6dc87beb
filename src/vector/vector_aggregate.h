/*-------------------------------------------------------------------------
 *
 * vector_aggregate.h
 *		Aggregates of the selected rows, group by group.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_AGGREGATE_H
#define SPICE_VECTOR_AGGREGATE_H

#include "nodes/primnodes.h"

#include "vector/vector_expression.h"

typedef struct AggregateSet AggregateSet;

extern bool aggregate_is_taken(const Aggref *aggregate);
extern AggregateSet *aggregate_make(ExpressionContext *context, List *aggregates);
extern void aggregate_start(AggregateSet *set, MemoryContext context);
extern bool aggregate_add(AggregateSet *set, const uint32 *groups, uint32 group_count);
extern Datum aggregate_result(AggregateSet *set, int number, uint32 group, bool *is_null);

#endif
