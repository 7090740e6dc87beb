/*-------------------------------------------------------------------------
 *
 * vector_skip.h
 *		Row groups of which no row passes the conditions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_SKIP_H
#define SPICE_VECTOR_SKIP_H

#include "column/column_format.h"
#include "vector/vector_expression.h"

extern bool skip_chunk(const ColumnChunk *chunk, int rows, const PlainCondition *condition);

#endif
