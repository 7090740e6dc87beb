/*-------------------------------------------------------------------------
 *
 * vector_top_plan.c
 *		Paths and plans for ORDER BY with LIMIT over a column index.
 *
 * Only the columns of keys and conditions are read.  The rows that remain are fetched
 * from the heap, and have all others.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/tlist.h"

#include "vector/vector_query.h"
#include "vector/vector_top.h"

static bool
constant_count(Node *node, int64 *count)
{
	if (node == NULL)
		return true;
	if (!IsA(node, Const) || ((Const *) node)->constisnull)
		return false;
	*count = DatumGetInt64(((Const *) node)->constvalue);
	return *count >= 0;
}

/* how many rows LIMIT and OFFSET let through; 0: unknown, or too many */
static int
rows_wanted(const Query *parse)
{
	int64		limit = 0;
	int64		offset = 0;

	if (parse->limitCount == NULL || parse->limitOption != LIMIT_OPTION_COUNT ||
		!constant_count(parse->limitCount, &limit) ||
		!constant_count(parse->limitOffset, &offset) ||
		limit > TOP_MOST || offset > TOP_MOST - limit)
		return 0;
	return limit + offset;
}

/*
 * The server evaluates what is shown for each row before it sorts.  For the rows that
 * remain only columns, and keys, are known to raise no error that it would have raised.
 */
static bool
targets_are_taken(List *targets, List *keys)
{
	ListCell   *cell;

	foreach(cell, targets)
	{
		Node	   *node = lfirst(cell);

		if (!(IsA(node, Var) && ((Var *) node)->varattno > 0) && !list_member(keys, node))
			return false;
	}
	return true;
}

static bool
collect_sort_keys(VectorQuery *query)
{
	ListCell   *cell;

	foreach(cell, query->root->parse->sortClause)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, cell);
		Expr	   *key = (Expr *) get_sortgroupclause_expr(clause, query->root->processed_tlist);

		if (!query_take_expression(query, key))
			return false;
		query->keys = lappend(query->keys, key);
	}
	return query->keys != NIL;
}

static Plan *
make_plan(PlannerInfo *root pg_attribute_unused(), RelOptInfo *rel pg_attribute_unused(),
		  CustomPath *path,
		  List *targets, List *clauses pg_attribute_unused(), List *plans pg_attribute_unused())
{
	CustomScan *scan = makeNode(CustomScan);

	scan->scan.plan.targetlist = targets;
	scan->scan.scanrelid = linitial_int(linitial(path->custom_private));
	scan->custom_exprs = lsecond(path->custom_private);
	scan->custom_private = list_copy_tail(path->custom_private, 2);
	scan->methods = &top_scan_methods;
	return (Plan *) scan;
}

static const CustomPathMethods path_methods = {"SpiceColumnsTop",.PlanCustomPath = make_plan};

static List *
make_private(const VectorQuery *query, int rows)
{
	List	   *operators = NIL;
	List	   *nulls_first = NIL;
	List	   *private;
	ListCell   *cell;

	foreach(cell, query->root->parse->sortClause)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, cell);

		operators = lappend_oid(operators, clause->sortop);
		nulls_first = lappend_int(nulls_first, clause->nulls_first);
	}
	private = list_make2(list_make1_int(query->table->relid),
						 list_concat_copy(query->conditions, query->keys));
	private = lappend(private, list_make2_int(list_length(query->conditions), rows));
	private = lappend(private, list_make1_oid(query->index->indexoid));
	private = lappend(private, query_columns(query));
	private = lappend(private, operators);
	return lappend(private, nulls_first);
}

static void
add_top_path(VectorQuery *query, RelOptInfo *output, PathTarget *target, int rows)
{
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = output;
	path->path.pathtarget = target;
	path->path.pathkeys = query->root->sort_pathkeys;
	path->path.rows = Min(clamp_row_est(query->table->rows), rows);
	path->path.startup_cost = query_cost(query, bms_num_members(query->columns) + 1);
	path->path.total_cost = path->path.startup_cost + path->path.rows * random_page_cost;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->methods = &path_methods;
	path->custom_private = make_private(query, rows);
	add_path(output, (Path *) path);
}

/* The rows of the input have not been grouped, windowed or made distinct: it is the table. */
void
top_plan_paths(PlannerInfo *root, RelOptInfo *input, RelOptInfo *output)
{
	VectorQuery query = {.root = root, .table = input};
	PathTarget *target = root->upper_targets[UPPERREL_ORDERED];
	int			rows = rows_wanted(root->parse);

	if (rows == 0 || root->parse->hasTargetSRFs || target == NULL ||
		!query_table_is_taken(root, input))
		return;
	if (collect_sort_keys(&query) && targets_are_taken(target->exprs, query.keys) &&
		query_take_conditions(&query) && query_find_index(&query))
		add_top_path(&query, output, target, rows);
}
