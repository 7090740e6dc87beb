/*-------------------------------------------------------------------------
 *
 * vector_plan.c
 *		Which queries are taken: paths and plans over column indexes.
 *
 * A query that groups and aggregates the rows of one table gets a path when each of
 * its keys, arguments and conditions is known to have the server's value here.  Where
 * that is uncertain there is no path, and the server's own plan runs.
 *
 * The scan's tuple has the keys, the aggregates, and behind them the conditions, which
 * hold for every row that the scan returns.  They stand in custom_scan_tlist because
 * setrefs.c leaves its expressions over the table's columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_aggregate.h"
#include "executor/nodeHash.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "compat.h"
#include "vector/vector_aggregate.h"
#include "vector/vector_group.h"
#include "vector/vector_plan.h"
#include "vector/vector_query.h"
#include "vector/vector_scan.h"
#include "vector/vector_top.h"
#include "vector/vector_value.h"

/* of memory, about: a group without its keys; a string's number, or a distinct value */
#define GROUP_BYTES 36
#define INTERNED_BYTES 40

bool		vector_enable_columns = true;

static bool
key_is_taken(VectorQuery *query, const SortGroupClause *clause, Expr *key)
{
	return query_take_expression(query, key) &&
		value_equality_is_taken(exprType((Node *) key), exprTypmod((Node *) key),
								exprCollation((Node *) key), clause->eqop);
}

static bool
take_aggregate(VectorQuery *query, Aggref *aggregate)
{
	ListCell   *cell;

	if (aggregate->agglevelsup > 0 || aggregate->aggorder != NIL ||
		aggregate->aggdirectargs != NIL ||
		aggregate->aggkind != AGGKIND_NORMAL || aggregate->aggvariadic ||
		aggregate->aggsplit != AGGSPLIT_SIMPLE || !aggregate_is_taken(aggregate))
		return false;
	if (aggregate->aggfilter && !query_take_expression(query, aggregate->aggfilter))
		return false;
	foreach(cell, aggregate->args)
	{
		if (!query_take_expression(query, lfirst_node(TargetEntry, cell)->expr))
			return false;
	}
	return true;
}

/*
 * Collects aggregates.  True if there is a column outside of keys and aggregates, or an
 * aggregate that is not taken.
 */
static bool
collect_walker(Node *node, VectorQuery *query)
{
	if (node == NULL || list_member(query->keys, node))
		return false;
	if (IsA(node, Aggref))
	{
		if (!list_member(query->aggregates, node))
		{
			if (!take_aggregate(query, (Aggref *) node))
				return true;
			query->aggregates = lappend(query->aggregates, node);
		}
		return false;
	}
	if (IsA(node, Var) || IsA(node, PlaceHolderVar) || IsA(node, GroupingFunc))
		return true;
	return expression_tree_walker(node, collect_walker, query);
}

static bool
collect_keys(VectorQuery *query)
{
	List	   *clauses = query->root->parse->groupClause;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, cell);
		Expr	   *key = (Expr *) get_sortgroupclause_expr(clause, query->root->processed_tlist);

		if (!key_is_taken(query, clause, key))
			return false;
		query->keys = list_append_unique(query->keys, key);
	}
	return list_length(query->keys) <= GROUP_MAX_KEYS;
}

static double
number_of_groups(const VectorQuery *query)
{
	if (query->keys == NIL)
		return 1;
	return estimate_num_groups(query->root, query->keys, query->table->rows, NULL, NULL);
}

/* bytes that a group's values of keys take */
static double
key_width(const VectorQuery *query)
{
	double		width = 0;
	ListCell   *cell;

	foreach(cell, query->keys)
	{
		Node	   *key = lfirst(cell);

		width += 2 * sizeof(uint64);
		if (!get_typbyval(exprType(key)))
			width += INTERNED_BYTES + get_typavgwidth(exprType(key), exprTypmod(key));
	}
	return width;
}

/* bytes that all values of a count(DISTINCT) take */
static double
distinct_bytes(const VectorQuery *query, const Aggref *aggregate)
{
	Node	   *argument = (Node *) linitial_node(TargetEntry, aggregate->args)->expr;
	double		count = !IsA(argument, Var) ? 1 :
	estimate_num_groups(query->root, list_make1(argument), query->table->rows, NULL, NULL);

	return count * (INTERNED_BYTES + get_typavgwidth(exprType(argument), exprTypmod(argument)));
}

/* For calculated keys the planner has no estimate but that of the columns in them: too many. */
static double
groups_of_columns(const VectorQuery *query)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, query->keys)
	{
		if (IsA(lfirst(cell), Var))
			columns = lappend(columns, lfirst(cell));
	}
	if (columns == NIL)
		return 1;
	return estimate_num_groups(query->root, columns, query->table->rows, NULL, NULL);
}

/*
 * Groups are not spilled: when they are expected to need more memory than a hash table
 * may have, the server's plan runs.
 */
static bool
groups_fit(const VectorQuery *query)
{
	Size		states = list_length(query->aggregates) * sizeof(int128);
	double		bytes = groups_of_columns(query) * (GROUP_BYTES + key_width(query) + states);
	ListCell   *cell;

	foreach(cell, query->aggregates)
	{
		const Aggref *aggregate = lfirst_node(Aggref, cell);

		if (aggregate->aggdistinct != NIL)
			bytes += distinct_bytes(query, aggregate);
	}
	return bytes <= get_hash_memory_limit();
}

static void
set_cost(CustomPath *path, const VectorQuery *query)
{
	double		groups = number_of_groups(query);

	path->path.rows = groups;
	if (query->having != NIL)
	{
		path->path.rows = clamp_row_est(groups * clauselist_selectivity(query->root,
																		query->having, 0,
																		JOIN_INNER, NULL));
	}
	path->path.startup_cost = query_cost(query, bms_num_members(query->columns) +
										 list_length(query->aggregates) + 1);
	path->path.total_cost = path->path.startup_cost + groups * cpu_tuple_cost;
}

/* ---------------------------------------------------------------- from path to plan */

static List *
append_targets(List *targets, List *expressions)
{
	ListCell   *cell;

	foreach(cell, expressions)
		targets = lappend(targets,
						  makeTargetEntry(lfirst(cell), list_length(targets) + 1, NULL, false));
	return targets;
}

static bool
collect_params(Node *node, List **params)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		*params = list_append_unique(*params, node);
	return expression_tree_walker(node, collect_params, params);
}

static Plan *
make_plan(PlannerInfo *root pg_attribute_unused(), RelOptInfo *rel pg_attribute_unused(),
		  CustomPath *path,
		  List *targets, List *clauses pg_attribute_unused(), List *plans pg_attribute_unused())
{
	CustomScan *scan = makeNode(CustomScan);
	List	   *keys = list_nth(path->custom_private, 0);
	List	   *aggregates = list_nth(path->custom_private, 1);
	List	   *conditions = list_nth(path->custom_private, 2);

	scan->custom_scan_tlist = append_targets(NIL, keys);
	scan->custom_scan_tlist = append_targets(scan->custom_scan_tlist, aggregates);
	scan->custom_scan_tlist = append_targets(scan->custom_scan_tlist, conditions);
	/* the planner looks for parameters here, and not in custom_scan_tlist */
	collect_params((Node *) scan->custom_scan_tlist, &scan->custom_exprs);
	scan->scan.plan.targetlist = targets;
	scan->scan.plan.qual = list_nth(path->custom_private, 3);
	scan->scan.scanrelid = linitial_int(list_nth(path->custom_private, 4));
	scan->custom_private = list_make3(list_make3_int(list_length(keys), list_length(aggregates),
													 list_length(conditions)),
									  list_nth(path->custom_private, 5),
									  list_nth(path->custom_private, 6));
	scan->methods = &vector_scan_methods;
	return (Plan *) scan;
}

VectorPlan
vector_plan_read(const CustomScan *scan)
{
	List	   *counts = list_nth(scan->custom_private, 0);
	VectorPlan	plan = {
		.keys = list_nth_int(counts, 0),
		.aggregates = list_nth_int(counts, 1),
		.conditions = list_nth_int(counts, 2),
		.index = linitial_oid(list_nth(scan->custom_private, 1)),
		.columns = list_nth(scan->custom_private, 2),
	};

	return plan;
}

static const CustomPathMethods path_methods = {"SpiceColumns",.PlanCustomPath = make_plan};

static void
add_group_path(VectorQuery *query, RelOptInfo *output)
{
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = output;
	path->path.pathtarget = output->reltarget;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->methods = &path_methods;
	path->custom_private = list_make4(query->keys, query->aggregates, query->conditions,
									  query->having);
	path->custom_private = lappend(path->custom_private, list_make1_int(query->table->relid));
	path->custom_private = lappend(path->custom_private, list_make1_oid(query->index->indexoid));
	path->custom_private = lappend(path->custom_private, query_columns(query));
	set_cost(path, query);
	add_path(output, (Path *) path);
}

static void
group_paths(PlannerInfo *root, RelOptInfo *input, RelOptInfo *output,
			const GroupPathExtraData *extra)
{
	VectorQuery query = {.root = root, .table = input};

	if (!query_table_is_taken(root, input))
		return;
	query.having = castNode(List, extra->havingQual);
	if (collect_keys(&query) && query_take_conditions(&query) &&
		!collect_walker((Node *) output->reltarget->exprs, &query) &&
		!collect_walker((Node *) query.having, &query) && query_find_index(&query) &&
		groups_fit(&query))
		add_group_path(&query, output);
}

/* hook: more paths for a step above the scans and joins */
void
vector_plan_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
						RelOptInfo *output, void *extra)
{
	if (!vector_enable_columns)
		return;
	if (stage == UPPERREL_GROUP_AGG)
		group_paths(root, input, output, extra);
	else if (stage == UPPERREL_ORDERED)
		top_plan_paths(root, input, output);
}
