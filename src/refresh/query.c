/*-------------------------------------------------------------------------
 *
 * query.c
 *		The query that a refresh pours into storage.
 *
 * It is planned and run as the table's owner in a restricted security
 * context: a manifest can do no more than that role can by SELECT.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/heap.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalog/refresh_sql.h"
#include "catalog/rights.h"
#include "compat.h"
#include "refresh/query.h"
#include "source/scan/offer.h"
#include "table/guard.h"

/* Refuses result columns that cannot be columns of a table. */
static void
check_result(const Dataset *dataset, TupleDesc result)
{
	if (result->natts == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("the refresh of dataset \"%s\" produces no columns", dataset->name)));
	for (int i = 0; i < result->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(result, i)->attname);
		const char *problem = NULL;

		if (strcmp(name, "?column?") == 0)
			problem = "has no name";
		else if (SystemAttributeByName(name) != NULL)
			problem = "has the name of a system column";
		for (int j = 0; j < i && problem == NULL; j++)
		{
			if (strcmp(name, NameStr(TupleDescAttr(result, j)->attname)) == 0)
				problem = "has the name of another";
		}
		if (problem != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
					 errmsg("column %d (\"%s\") of refresh_sql of dataset \"%s\" %s",
							i + 1, name, dataset->name, problem),
					 errhint("Name it with AS.")));
	}
	CheckAttributeNamesTypes(result, RELKIND_RELATION, 0);
}

static bool
is_local_type(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		local = HeapTupleIsValid(tuple) &&
	((Form_pg_type) GETSTRUCT(tuple))->typtype == TYPTYPE_DOMAIN &&
	((Form_pg_type) GETSTRUCT(tuple))->typnamespace == get_namespace_oid(SPICE_SOURCE_SCHEMA, false);

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return local;
}

/*
 * Foreign columns may have a domain of spice's own, which keeps conditions from
 * being pushed down.  The table has the domain's base type.
 */
static void
use_base_types(TupleDesc result)
{
	for (int i = 0; i < result->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(result, i);
		int32		typmod = attribute->atttypmod;
		char	   *name = pstrdup(NameStr(attribute->attname));
		Oid			base;

		if (!is_local_type(attribute->atttypid))
			continue;
		base = getBaseTypeAndTypmod(attribute->atttypid, &typmod);
		TupleDescInitEntry(result, i + 1, name, base, typmod, 0);
	}
}

/* Do the same bytes of the source always give the same rows? */
static bool
is_repeatable(const Dataset *dataset, Query *query, const PlannedStmt *plan)
{
	ListCell   *cell;

	if (contain_mutable_functions((Node *) query))
		return false;
	foreach(cell, plan->relationOids)
	{
		if (lfirst_oid(cell) != dataset->source_relation)
			return false;
	}
	return true;
}

/*
 * May another process read the records while this one runs the query and writes?
 * Both are in parallel mode then, so no function of the query or of a CHECK
 * constraint may begin a command.
 */
static bool
may_run_beside_reader(const Dataset *dataset, Query *query)
{
	return max_parallel_hazard(query) != PROPARALLEL_UNSAFE &&
		!guard_has_checks(dataset->relation);
}

/*
 * SELECT * FROM (the refresh query) AS q WHERE condition.  The query is inserted
 * as a parse tree, because its text may end in a comment or a semicolon.
 */
static RawStmt *
restrict_query(RawStmt *query, const char *condition)
{
	List	   *statements = raw_parser(psprintf("SELECT q.* FROM (SELECT 1) AS q WHERE %s", condition),
										RAW_PARSE_DEFAULT);
	RawStmt    *outer = linitial_node(RawStmt, statements);
	SelectStmt *select = castNode(SelectStmt, outer->stmt);
	RangeSubselect *from = linitial_node(RangeSubselect, select->fromClause);

	from->subquery = query->stmt;
	return outer;
}

static Query *
analyze_query(const Dataset *dataset, const char *refresh_sql, const char *condition)
{
	RawStmt    *raw = refresh_sql_parse(refresh_sql, dataset->name, dataset->schema, dataset->table,
										get_namespace_name(get_rel_namespace(dataset->source_relation)),
										get_rel_name(dataset->source_relation));
	Query	   *query;

	if (condition != NULL)
		raw = restrict_query(raw, condition);
	query = parse_analyze_fixedparams(raw, refresh_sql, NULL, 0, NULL);
	return linitial_node(Query, QueryRewrite(query));
}

RefreshQuery *
query_plan(const Dataset *dataset, const char *refresh_sql, const char *condition)
{
	RefreshQuery *result = palloc0(sizeof(RefreshQuery));
	ErrorContextCallback callback = {error_context_stack, manifest_sql_position, NULL};
	CatalogRights rights;
	Query	   *query;

	if (refresh_sql == NULL)
		refresh_sql = psprintf("SELECT * FROM %s",
							   quote_qualified_identifier(dataset->schema, dataset->table));
	result->dataset = dataset;
	result->text = refresh_sql;
	catalog_enter_as_owner(dataset, &rights);
	callback.arg = (void *) refresh_sql;
	error_context_stack = &callback;
	PushActiveSnapshot(GetTransactionSnapshot());
	query = analyze_query(dataset, refresh_sql, condition);
	/* the planner modifies its input */
	result->plan = pg_plan_query(copyObject(query), refresh_sql, 0, NULL);
	result->result = ExecCleanTypeFromTL(result->plan->planTree->targetlist);
	use_base_types(result->result);
	check_result(dataset, result->result);
	result->repeatable = is_repeatable(dataset, query, result->plan);
	result->reader_allowed = may_run_beside_reader(dataset, query);
	PopActiveSnapshot();
	error_context_stack = callback.previous;
	catalog_leave(&rights);
	return result;
}

RefreshQuery *
query_plan_text(const Dataset *dataset, const char *text)
{
	RefreshQuery *result = palloc0(sizeof(RefreshQuery));
	CatalogRights rights;
	RawStmt    *raw = linitial_node(RawStmt, raw_parser(text, RAW_PARSE_DEFAULT));
	Query	   *query;

	result->dataset = dataset;
	result->text = text;
	catalog_enter_unfiltered(dataset, &rights);
	PushActiveSnapshot(GetTransactionSnapshot());
	query = linitial_node(Query, QueryRewrite(parse_analyze_fixedparams(raw, text, NULL, 0, NULL)));
	result->plan = pg_plan_query(query, text, 0, NULL);
	result->result = ExecCleanTypeFromTL(result->plan->planTree->targetlist);
	PopActiveSnapshot();
	catalog_leave(&rights);
	return result;
}

void
query_run(const RefreshQuery *query, DestReceiver *receiver)
{
	CatalogRights rights;
	QueryDesc  *desc;

	catalog_enter_as_owner(query->dataset, &rights);
	PushActiveSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	desc = CreateQueryDesc(query->plan, query->text, GetActiveSnapshot(), InvalidSnapshot,
						   receiver, NULL, NULL, 0);
	source_allow_reader(query->reader_allowed);
	ExecutorStart(desc, 0);
	compat_executor_run(desc);
	ExecutorFinish(desc);
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
	source_allow_reader(false);
	PopActiveSnapshot();
	catalog_leave(&rights);
	CommandCounterIncrement();
}
