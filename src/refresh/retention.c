/*-------------------------------------------------------------------------
 *
 * retention.c
 *		Deletes what a dataset is not to keep any longer.
 *
 * Each batch is a transaction, so that vacuum can remove one batch while the next
 * is deleted.  If retention is interrupted, the next one does the rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "catalog/extension.h"
#include "catalog/relation.h"
#include "catalog/retention_sql.h"
#include "catalog/rights.h"
#include "compat.h"
#include "refresh/history.h"
#include "refresh/request.h"
#include "refresh/retention.h"
#include "refresh/state.h"
#include "refresh/step.h"

#define BATCH_ROWS	10000

/* DELETE FROM table WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY (SELECT ctid FROM table AS alias WHERE condition LIMIT n)) */
static RawStmt *
batch_statement(const Dataset *dataset, const char *alias, Node *condition)
{
	char	   *table = catalog_relation_name(dataset->relation);
	char	   *text = psprintf("DELETE FROM %s WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY (SELECT %s.ctid FROM %s AS %s"
								" WHERE true LIMIT %d))",
								table, quote_identifier(alias), table, quote_identifier(alias), BATCH_ROWS);
	RawStmt    *statement = linitial_node(RawStmt, raw_parser(text, RAW_PARSE_DEFAULT));
	A_Expr	   *any = castNode(A_Expr, castNode(DeleteStmt, statement->stmt)->whereClause);
	SubLink    *array = castNode(SubLink, any->rexpr);

	castNode(SelectStmt, array->subselect)->whereClause = condition;
	return statement;
}

static RawStmt *
period_statement(const Dataset *dataset)
{
	char	   *text = psprintf("SELECT 1 WHERE %s", retention_condition(dataset));
	RawStmt    *statement = linitial_node(RawStmt, raw_parser(text, RAW_PARSE_DEFAULT));

	return batch_statement(dataset, dataset->table,
						   castNode(SelectStmt, statement->stmt)->whereClause);
}

static RawStmt *
sql_statement(const Dataset *dataset)
{
	char	   *alias;
	Node	   *condition = retention_sql_parse(dataset->retention_sql, dataset->name,
												dataset->schema, dataset->table, &alias);

	return batch_statement(dataset, alias, condition);
}

/* one kind of retention */
typedef struct RetentionRule
{
	RawStmt    *(*make_statement) (const Dataset *dataset);
	void		(*enter) (const Dataset *dataset, CatalogRights *rights);
} RetentionRule;

/* the condition of retention_sql is the manifest's: policies apply to it as to its author */
static const RetentionRule period_rule = {period_statement, catalog_enter_unfiltered};
static const RetentionRule sql_rule = {sql_statement, catalog_enter_as_owner};

/* rows deleted */
static int64
run_rule(const Dataset *dataset, const RetentionRule *rule)
{
	const char *text = "retention";
	CatalogRights rights;
	Query	   *query;
	QueryDesc  *desc;
	int64		deleted;

	rule->enter(dataset, &rights);
	PushActiveSnapshot(GetTransactionSnapshot());
	query = linitial_node(Query, QueryRewrite(parse_analyze_fixedparams(rule->make_statement(dataset), text, NULL, 0, NULL)));
	desc = CreateQueryDesc(pg_plan_query(query, text, 0, NULL), text, GetActiveSnapshot(),
						   InvalidSnapshot, None_Receiver, NULL, NULL, 0);
	ExecutorStart(desc, 0);
	compat_executor_run(desc);
	ExecutorFinish(desc);
	deleted = (int64) desc->estate->es_processed;
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
	PopActiveSnapshot();
	catalog_leave(&rights);
	return deleted;
}

static int64
delete_batch(Refresh *refresh, const RetentionRule *rule)
{
	int64		deleted;

	step_begin();
	/* the extension is locked before the table, which DROP EXTENSION may have dropped */
	(void) catalog_extension();
	deleted = run_rule(refresh->dataset, rule);
	if (deleted > 0)
		refresh->written = GetTopTransactionId();
	step_commit();
	return deleted;
}

static void
delete_all(Refresh *refresh, const RetentionRule *rule)
{
	int64		deleted;

	do
	{
		deleted = delete_batch(refresh, rule);
		refresh->counts.deleted += deleted;
		CHECK_FOR_INTERRUPTS();
	} while (deleted > 0);
}

void
retention_delete_rows(Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;

	if (OidIsValid(dataset->relation) && dataset->accelerated)
	{
		if (dataset->retention_period_ms > 0)
			delete_all(refresh, &period_rule);
		if (dataset->retention_sql != NULL)
			delete_all(refresh, &sql_rule);
	}
	step_begin();
	refresh->outcome = OUTCOME_RETAINED;
	state_retained(refresh);
	history_end(refresh, NULL);
	request_end(refresh);
	step_commit();
}
