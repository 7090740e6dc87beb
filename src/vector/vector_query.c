/*-------------------------------------------------------------------------
 *
 * vector_query.c
 *		What of a query over one table can be answered from columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "vector/vector_query.h"

/* Measured, in the planner's unit: a page of a sequential scan. */
#define COST_START 2.0
#define COST_COLUMN_VALUE 0.0001	/* one value of one column */
#define COST_HEAP_ROW 0.008		/* one row of a block that is read from the heap */

static bool
function_is_unfit(Oid function, void *context pg_attribute_unused())
{
	return get_func_retset(function);
}

/* Is there something in the expression that a batch of rows cannot have? */
static bool
unfit_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			return ((Var *) node)->varattno <= 0 || ((Var *) node)->varlevelsup > 0;
		case T_Aggref:
		case T_WindowFunc:
		case T_GroupingFunc:
		case T_SubLink:
		case T_SubPlan:
		case T_AlternativeSubPlan:
		case T_PlaceHolderVar:
		case T_CurrentOfExpr:
		case T_NextValueExpr:
			return true;
		default:
			break;
	}
	return check_functions_in_node(node, function_is_unfit, NULL) ||
		expression_tree_walker(node, unfit_walker, context);
}

bool
query_take_expression(VectorQuery *query, Expr *expression)
{
	if (unfit_walker((Node *) expression, NULL) || contain_volatile_functions((Node *) expression))
		return false;
	pull_varattnos((Node *) expression, query->table->relid, &query->columns);
	return true;
}

/* createplan.c has the cheap conditions evaluated first, and else in the order of the query */
static bool
cheaper(const RestrictInfo *a, const RestrictInfo *b)
{
	return a->eval_cost.per_tuple < b->eval_cost.per_tuple;
}

/* an insertion sort, which is stable */
static void
sort_by_cost(List *infos)
{
	for (int i = 1; i < list_length(infos); i++)
	{
		for (int j = i; j > 0 && cheaper(list_nth(infos, j), list_nth(infos, j - 1)); j--)
		{
			void	   *info = list_nth(infos, j);

			lfirst(list_nth_cell(infos, j)) = list_nth(infos, j - 1);
			lfirst(list_nth_cell(infos, j - 1)) = info;
		}
	}
}

bool
query_take_conditions(VectorQuery *query)
{
	List	   *infos = list_copy(query->table->baserestrictinfo);
	ListCell   *cell;

	sort_by_cost(infos);
	foreach(cell, infos)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, cell);

		if (info->pseudoconstant || info->security_level > 0 ||
			!query_take_expression(query, info->clause))
			return false;
		query->conditions = lappend(query->conditions, info->clause);
	}
	return true;
}

bool
query_find_index(VectorQuery *query)
{
	Oid			method = get_index_am_oid("spice_columns", true);
	ListCell   *cell;

	foreach(cell, query->table->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);
		Bitmapset  *kept = NULL;

		if (index->relam != method || index->indpred != NIL || index->indexprs != NIL)
			continue;
		for (int i = 0; i < index->ncolumns; i++)
			kept = bms_add_member(kept, index->indexkeys[i] - FirstLowInvalidHeapAttributeNumber);
		if (bms_is_subset(query->columns, kept))
		{
			query->index = index;
			return true;
		}
	}
	return false;
}

/* Is the query's one table read as it is, by this query and level alone? */
bool
query_table_is_taken(PlannerInfo *root, RelOptInfo *table)
{
	RangeTblEntry *entry;

	if (table->reloptkind != RELOPT_BASEREL || table->rtekind != RTE_RELATION ||
		table->indexlist == NIL)
		return false;
	entry = planner_rt_fetch(table->relid, root);
	return entry->relkind == RELKIND_RELATION && !entry->inh && entry->tablesample == NULL &&
		entry->securityQuals == NIL &&
		root->parse->rowMarks == NIL && root->parse->groupingSets == NIL &&
		root->parse->commandType == CMD_SELECT && bms_is_empty(table->lateral_relids);
}

/* the attributes that batches have */
List *
query_columns(const VectorQuery *query)
{
	List	   *numbers = NIL;
	int			i = -1;

	while ((i = bms_next_member(query->columns, i)) >= 0)
		numbers = lappend_int(numbers, i + FirstLowInvalidHeapAttributeNumber);
	return numbers;
}

/* of reading the table when so many values are looked at in each row */
Cost
query_cost(const VectorQuery *query, int values)
{
	const RelOptInfo *table = query->table;
	double		heap = 1 - table->allvisfrac;

	return COST_START + table->tuples * table->allvisfrac * values * COST_COLUMN_VALUE +
		heap * (table->pages * seq_page_cost + table->tuples * COST_HEAP_ROW);
}
