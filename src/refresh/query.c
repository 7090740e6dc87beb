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
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "manifest/refresh_sql.h"
#include "refresh/refresh.h"

typedef struct OwnerRights
{
	Oid			user;
	int			security;
	int			guc_level;
} OwnerRights;

static void
become_owner(const Dataset *dataset, OwnerRights *rights)
{
	StringInfoData path;

	initStringInfo(&path);
	if (strcmp(dataset->schema, "public") != 0)
		appendStringInfo(&path, "%s, ", quote_identifier(dataset->schema));
	appendStringInfoString(&path, "public, pg_temp");
	GetUserIdAndSecContext(&rights->user, &rights->security);
	SetUserIdAndSecContext(catalog_table_owner(),
						   rights->security | SECURITY_RESTRICTED_OPERATION);
	rights->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", path.data, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

static void
become_user(const OwnerRights *rights)
{
	AtEOXact_GUC(false, rights->guc_level);
	SetUserIdAndSecContext(rights->user, rights->security);
}

/* a result column that cannot be a column of a table, and why */
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

/* do the same bytes of the source always give the same rows? */
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

static Query *
analyze(const Dataset *dataset, const char *refresh_sql)
{
	RawStmt    *raw = refresh_sql_parse(refresh_sql, dataset->name, dataset->schema, dataset->table,
										get_namespace_name(get_rel_namespace(dataset->source_relation)),
										get_rel_name(dataset->source_relation));
	Query	   *query = parse_analyze_fixedparams(raw, refresh_sql, NULL, 0, NULL);

	return linitial_node(Query, QueryRewrite(query));
}

/* raised while the query is looked at or run: say whose query it is */
static void
query_callback(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(((const RefreshQuery *) arg)->text);
	}
}

RefreshQuery *
query_plan(const Dataset *dataset, const char *refresh_sql)
{
	RefreshQuery *result = palloc0(sizeof(RefreshQuery));
	ErrorContextCallback callback = {error_context_stack, query_callback, result};
	OwnerRights rights;
	Query	   *query;

	if (refresh_sql == NULL)
		refresh_sql = psprintf("SELECT * FROM %s",
							   quote_qualified_identifier(dataset->schema, dataset->table));
	result->dataset = dataset;
	result->text = refresh_sql;
	become_owner(dataset, &rights);
	error_context_stack = &callback;
	PushActiveSnapshot(GetTransactionSnapshot());
	query = analyze(dataset, refresh_sql);
	/* the planner scribbles on its input */
	result->plan = pg_plan_query(copyObject(query), refresh_sql, 0, NULL);
	result->result = ExecCleanTypeFromTL(result->plan->planTree->targetlist);
	check_result(dataset, result->result);
	result->repeatable = is_repeatable(dataset, query, result->plan);
	PopActiveSnapshot();
	error_context_stack = callback.previous;
	become_user(&rights);
	return result;
}

void
query_run(const RefreshQuery *query, DestReceiver *receiver)
{
	OwnerRights rights;
	QueryDesc  *desc;

	become_owner(query->dataset, &rights);
	PushActiveSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	desc = CreateQueryDesc(query->plan, query->text, GetActiveSnapshot(), InvalidSnapshot,
						   receiver, NULL, NULL, 0);
	ExecutorStart(desc, 0);
	compat_executor_run(desc);
	ExecutorFinish(desc);
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
	PopActiveSnapshot();
	become_user(&rights);
	CommandCounterIncrement();
}
