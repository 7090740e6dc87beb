/*-------------------------------------------------------------------------
 *
 * vector_query.h
 *		What of a query over one table can be answered from columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_QUERY_H
#define SPICE_VECTOR_QUERY_H

#include "nodes/pathnodes.h"

/* what is known of a query while its path is made */
typedef struct VectorQuery
{
	PlannerInfo *root;
	RelOptInfo *table;
	List	   *keys;
	List	   *aggregates;
	List	   *conditions;
	List	   *having;
	Bitmapset  *columns;		/* that batches have; numbers as of pull_varattnos() */
	IndexOptInfo *index;
} VectorQuery;

extern bool query_table_is_taken(PlannerInfo *root, RelOptInfo *table);
extern bool query_take_expression(VectorQuery *query, Expr *expression);
extern bool query_take_conditions(VectorQuery *query);
extern bool query_find_index(VectorQuery *query);
extern List *query_columns(const VectorQuery *query);
extern Cost query_cost(const VectorQuery *query, int values);

#endif
