/*-------------------------------------------------------------------------
 *
 * vector_numeric.h
 *		Sums of numeric values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_NUMERIC_H
#define SPICE_VECTOR_NUMERIC_H

#include "vector/vector_value.h"

typedef struct NumericSums NumericSums;

extern NumericSums *numeric_sums_make(MemoryContext context);
extern void numeric_sums_make_room(NumericSums *sums, uint32 old, uint32 groups);
extern void numeric_sums_add(NumericSums *sums, const Vector *vector, const uint32 *groups,
							 int rows);
extern Datum numeric_sums_total(const NumericSums *sums, uint32 group);

#endif
