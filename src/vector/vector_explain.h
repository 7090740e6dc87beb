/*-------------------------------------------------------------------------
 *
 * vector_explain.h
 *		What EXPLAIN says of a scan of columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_EXPLAIN_H
#define SPICE_VECTOR_EXPLAIN_H

#include "nodes/execnodes.h"

#include "compat.h"
#include "vector/vector_source.h"

extern void vector_explain_list(CustomScanState *node, List *ancestors, ExplainState *es,
								const char *label,
								List *expressions);
extern void vector_explain_conditions(CustomScanState *node, List *ancestors, ExplainState *es,
									  List *conditions);
extern void vector_explain_source(CustomScanState *node, ExplainState *es, List *columns,
								  const VectorSource *source);

#endif
