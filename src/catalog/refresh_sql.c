/*-------------------------------------------------------------------------
 *
 * refresh_sql.c
 *		Checks refresh_sql and gives the dataset's name in it its meaning.
 *
 * In refresh_sql the dataset's name means its source; every other name means
 * what it means to any query.  A search_path cannot say that (it would turn
 * the names of other datasets into their sources, too), so the parsed
 * statement is walked and the name replaced where no WITH query hides it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "utils/elog.h"

#include "catalog/refresh_sql.h"

typedef struct BindContext
{
	const char *name;
	const char *schema;
	const char *table;
	const char *source_schema;
	const char *source_table;
	bool		hidden;			/* a WITH query of this name is in scope */
	int			bound;
} BindContext;

static void
refuse(const char *name, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("refresh_sql of dataset \"%s\" %s", name, reason),
			 errhint("refresh_sql is one SELECT that reads the dataset by its name.")));
}

bool
manifest_sql_names_dataset(const RangeVar *relation, const char *name,
						   const char *schema, const char *table)
{
	if (relation->catalogname != NULL)
		return false;
	if (relation->schemaname == NULL)
		return strcmp(relation->relname, name) == 0 || strcmp(relation->relname, table) == 0;
	return strcmp(relation->schemaname, schema) == 0 && strcmp(relation->relname, table) == 0;
}

static bool
names_dataset(const RangeVar *relation, const BindContext *context)
{
	return !(relation->schemaname == NULL && context->hidden) &&
		manifest_sql_names_dataset(relation, context->name, context->schema, context->table);
}

static void
bind_relation(RangeVar *relation, BindContext *context)
{
	/* columns are still qualified with the name as it was written */
	if (relation->alias == NULL)
		relation->alias = makeAlias(relation->relname, NIL);
	relation->schemaname = pstrdup(context->source_schema);
	relation->relname = pstrdup(context->source_table);
	context->bound++;
}

static bool bind_walker(Node *node, BindContext *context);

static bool
hides_dataset(const CommonTableExpr *query, const BindContext *context)
{
	return strcmp(query->ctename, context->name) == 0 ||
		strcmp(query->ctename, context->table) == 0;
}

/*
 * A WITH query hides the dataset from those after it and from the statement;
 * a recursive one from all of its siblings and itself.
 */
static void
bind_select(SelectStmt *select, BindContext *context)
{
	bool		hidden = context->hidden;
	WithClause *with = select->withClause;
	ListCell   *cell;

	if (select->intoClause != NULL)
		refuse(context->name, "must not have INTO");
	if (select->lockingClause != NIL)
		refuse(context->name, "must not have FOR UPDATE or FOR SHARE");
	if (with != NULL && with->recursive)
	{
		foreach(cell, with->ctes)
			context->hidden |= hides_dataset(lfirst(cell), context);
	}
	foreach(cell, with != NULL ? with->ctes : NIL)
	{
		CommonTableExpr *query = lfirst(cell);

		if (!IsA(query->ctequery, SelectStmt))
			refuse(context->name, "must not change data in a WITH query");
		bind_walker(query->ctequery, context);
		context->hidden |= hides_dataset(query, context);
	}
	select->withClause = NULL;
	(void) raw_expression_tree_walker((Node *) select, bind_walker, context);
	select->withClause = with;
	context->hidden = hidden;
}

static bool
bind_walker(Node *node, BindContext *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SelectStmt))
	{
		bind_select((SelectStmt *) node, context);
		return false;
	}
	if (IsA(node, RangeVar))
	{
		if (names_dataset((RangeVar *) node, context))
			bind_relation((RangeVar *) node, context);
		return false;
	}
	return raw_expression_tree_walker(node, bind_walker, context);
}

void
manifest_sql_position(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
}

List *
manifest_sql_parse(const char *sql)
{
	ErrorContextCallback callback = {error_context_stack, manifest_sql_position, (void *) sql};
	List	   *statements;

	error_context_stack = &callback;
	statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;
	return statements;
}

RawStmt *
refresh_sql_parse(const char *sql, const char *name, const char *schema,
				  const char *table, const char *source_schema, const char *source_table)
{
	BindContext context = {name, schema, table, source_schema, source_table, false, 0};
	List	   *statements = manifest_sql_parse(sql);
	RawStmt    *statement;

	if (list_length(statements) != 1)
		refuse(name, "must be a single statement");
	statement = linitial_node(RawStmt, statements);
	if (!IsA(statement->stmt, SelectStmt))
		refuse(name, "must be a SELECT");
	bind_walker(statement->stmt, &context);
	if (context.bound == 0)
		refuse(name, psprintf("does not read \"%s\"", table));
	return statement;
}
