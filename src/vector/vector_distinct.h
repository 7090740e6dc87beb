/*-------------------------------------------------------------------------
 *
 * vector_distinct.h
 *		How many distinct values each group has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_DISTINCT_H
#define SPICE_VECTOR_DISTINCT_H

#include "vector/vector_expression.h"

typedef struct DistinctCounts DistinctCounts;

extern DistinctCounts *distinct_make(MemoryContext context, const VectorExpression *argument);
extern void distinct_make_room(DistinctCounts *counts, uint32 old, uint32 groups);
extern void distinct_add(DistinctCounts *counts, const Vector *vector, const uint32 *groups,
						 int rows);
extern int64 distinct_count(const DistinctCounts *counts, uint32 group);

#endif
