/*-------------------------------------------------------------------------
 *
 * vector_server.h
 *		Aggregates by the server's transition functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_SERVER_H
#define SPICE_VECTOR_SERVER_H

#include "nodes/primnodes.h"

#include "vector/vector_expression.h"

typedef struct ServerAggregate ServerAggregate;

extern ServerAggregate *server_make(ExpressionContext *context, MemoryContext memory,
									const Aggref *node,
									const VectorExpression *argument);
extern void server_make_room(ServerAggregate *aggregate, uint32 old, uint32 groups);
extern void server_add(ServerAggregate *aggregate, const Vector *vector, const uint32 *groups,
					   int rows);
extern Datum server_result(ServerAggregate *aggregate, uint32 group, bool *is_null);

#endif
