/*-------------------------------------------------------------------------
 *
 * vector_rows.h
 *		The rows of a table that pass a scan's conditions, as batches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_ROWS_H
#define SPICE_VECTOR_ROWS_H

#include "nodes/execnodes.h"

#include "vector/vector_expression.h"
#include "vector/vector_source.h"

typedef struct VectorRows
{
	ExpressionContext context;
	VectorSource *source;
	int			conditions;
	VectorExpression **condition;
} VectorRows;

extern void rows_open(VectorRows *rows, CustomScanState *scan, Oid index, List *columns,
					  List *conditions);
extern void rows_start(VectorRows *rows);
extern bool rows_next(VectorRows *rows);
extern void rows_close(VectorRows *rows);

#endif
