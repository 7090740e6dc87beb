/*-------------------------------------------------------------------------
 *
 * vector_expression.h
 *		Values of an expression for the selected rows of a batch.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_EXPRESSION_H
#define SPICE_VECTOR_EXPRESSION_H

#include "nodes/execnodes.h"

#include "vector/vector_batch.h"
#include "vector/vector_kernel.h"

/* what all expressions of a scan share */
typedef struct ExpressionContext
{
	VectorBatch *batch;
	TupleTableSlot *slot;		/* a row of the table, with the batch's columns */
	ExprContext *econtext;
	ParamListInfo params;
	MemoryContext memory;		/* lives as long as the scan */
	uint64		start;			/* counts the starts of the scan: parameters may differ */
} ExpressionContext;

typedef struct VectorExpression VectorExpression;

extern VectorExpression *expression_compile(ExpressionContext *context, Expr *node);
extern VectorExpression *expression_compile_condition(ExpressionContext *context, Expr *node);
extern const Vector *expression_values(VectorExpression *expression);
extern const ValueType *expression_type(const VectorExpression *expression);
extern bool expression_is_column(const VectorExpression *expression);
extern void expression_is_true(VectorExpression *expression, bool *out);

/* a condition on one column that raises no error */
typedef struct PlainCondition
{
	int			column;
	bool		is_null_test;
	bool		wants_null;
	KernelOperation operation;	/* column operation constant */
	bool		is_null;		/* the constant */
	ValueClass	class;
	int64		integer;
	double		number;
} PlainCondition;

extern bool expression_is_plain(VectorExpression *expression, PlainCondition *condition);

#endif
