/*-------------------------------------------------------------------------
 *
 * vector_skip.c
 *		Row groups of which no row passes the conditions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "vector/vector_skip.h"

/* Is the condition false for each value from the least to the greatest? */
#define OUTSIDE(least, greatest, constant) \
	switch (operation) \
	{ \
		case KERNEL_EQUAL: \
			return (constant) < (least) || (constant) > (greatest); \
		case KERNEL_LESS: \
			return (least) >= (constant); \
		case KERNEL_LESS_EQUAL: \
			return (least) > (constant); \
		case KERNEL_GREATER: \
			return (greatest) <= (constant); \
		case KERNEL_GREATER_EQUAL: \
			return (greatest) < (constant); \
		default: \
			return false; \
	}

static bool
integers_are_outside(const ColumnChunk *chunk, KernelOperation operation, int64 constant)
{
	OUTSIDE(chunk->minimum.integer, chunk->maximum.integer, constant)
}

/* NaN is more than any other */
static bool
floats_are_outside(const ColumnChunk *chunk, KernelOperation operation, double constant)
{
	if (isnan(constant) || chunk->has_nan)
		return false;
	OUTSIDE(chunk->minimum.number, chunk->maximum.number, constant)
}

/* Is the condition true for none of the chunk's rows? */
bool
skip_chunk(const ColumnChunk *chunk, int rows, const PlainCondition *condition)
{
	if (condition->is_null_test)
		return chunk->nulls == (condition->wants_null ? 0 : (uint32) rows);
	if (condition->is_null || chunk->nulls == (uint32) rows)
		return true;
	if (!chunk->has_range)
		return false;
	if (condition->class == VALUE_FLOAT)
		return floats_are_outside(chunk, condition->operation, condition->number);
	return integers_are_outside(chunk, condition->operation, condition->integer);
}
