/*-------------------------------------------------------------------------
 *
 * vector_contain.h
 *		LIKE '%literal%': which strings contain some bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_CONTAIN_H
#define SPICE_VECTOR_CONTAIN_H

#include "nodes/primnodes.h"

#include "vector/vector_value.h"

typedef struct ContainTest
{
	ByteView	literal;
	bool		negated;		/* NOT LIKE */
} ContainTest;

extern bool contain_is_test(const Expr *node, ContainTest *test);
extern void contain_test(const ContainTest *test, int count, const ByteView *bytes,
						 const bool *nulls, int64 *out);

#endif
