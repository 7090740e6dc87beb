/*-------------------------------------------------------------------------
 *
 * vector_group.h
 *		Numbers of groups for the selected rows of a batch.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_GROUP_H
#define SPICE_VECTOR_GROUP_H

#include "vector/vector_expression.h"

#define GROUP_MAX_KEYS 32

typedef struct GroupTable GroupTable;

extern GroupTable *group_make(MemoryContext context, int keys, VectorExpression **expressions);
extern uint32 group_count(const GroupTable *table);
extern const uint32 *group_find(GroupTable *table, int rows);
extern Datum group_key(const GroupTable *table, uint32 group, int key, bool *is_null);

#endif
