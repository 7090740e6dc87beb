/*-------------------------------------------------------------------------
 *
 * changes_sql.c
 *		refresh_sql of a dataset that follows its source, as the columns and the
 *		row filter of a publication.
 *
 * The source filters its changes by these two and by nothing else, so that a
 * SELECT which asks for more would be right for the first copy and wrong from
 * the first change on.  What else there is in one is therefore refused by its
 * name.  The condition goes to the source as it is written: it knows its types
 * and functions, and says which of them a row filter may have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/keywords.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "parser/scanner.h"

#include "catalog/changes_sql.h"
#include "catalog/refresh_sql.h"

static void
refuse(const char *name, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("refresh_sql of dataset \"%s\" has %s, which refresh_mode changes cannot follow", name, what),
			 errhint("Write SELECT * or columns FROM the dataset, with a WHERE on its rows if need be.")));
}

/* what there is besides columns, the relation and WHERE */
static const char *
surplus(const SelectStmt *select)
{
	if (select->op != SETOP_NONE)
		return "a set operation";
	if (select->withClause != NULL)
		return "WITH";
	if (select->valuesLists != NIL)
		return "VALUES";
	if (select->distinctClause != NIL)
		return "DISTINCT";
	if (select->groupClause != NIL)
		return "GROUP BY";
	if (select->havingClause != NULL)
		return "HAVING";
	if (select->windowClause != NIL)
		return "WINDOW";
	if (select->sortClause != NIL)
		return "ORDER BY";
	if (select->limitCount != NULL || select->limitOffset != NULL)
		return "LIMIT or OFFSET";
	if (list_length(select->fromClause) != 1 || !IsA(linitial(select->fromClause), RangeVar))
		return "more than one relation";
	if (linitial_node(RangeVar, select->fromClause)->alias != NULL)
		return "an alias of the relation";
	return NULL;
}

/* the column that a reference names, "*" for all; NULL: it is none */
static char *
column_of(const Node *node)
{
	const ColumnRef *reference = (const ColumnRef *) node;

	if (!IsA(node, ColumnRef))
		return NULL;
	return IsA(llast(reference->fields), A_Star) ? "*" : strVal(llast(reference->fields));
}

static List *
selected_columns(const SelectStmt *select, const char *name)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, select->targetList)
	{
		ResTarget  *target = lfirst_node(ResTarget, cell);
		char	   *column = column_of(target->val);

		if (column == NULL)
			refuse(name, "a result column that is no column of the source");
		if (target->name != NULL)
			refuse(name, "a column under another name");
		if (strcmp(column, "*") == 0 && list_length(select->targetList) > 1)
			refuse(name, "columns beside *");
		columns = lappend(columns, column);
	}
	if (columns == NIL)
		refuse(name, "no columns");
	return strcmp(linitial(columns), "*") == 0 ? NIL : columns;
}

typedef struct FilterContext
{
	const char *name;
	List	   *columns;
} FilterContext;

static bool
filter_walker(Node *node, FilterContext *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink))
		refuse(context->name, "a sub-query");
	if (IsA(node, ColumnRef))
	{
		context->columns = lappend(context->columns, column_of(node));
		return false;
	}
	return raw_expression_tree_walker(node, filter_walker, context);
}

/*
 * The text of the condition: all that follows the one WHERE there is, as far as
 * a semicolon.  A comment at its end may go on to the line's end.
 */
static char *
filter_text(const char *sql)
{
	const int	where = ScanKeywordTokens[ScanKeywordLookup("where", &ScanKeywords)];
	core_yy_extra_type extra;
	core_YYSTYPE value;
	YYLTYPE		location = 0;
	core_yyscan_t scanner = scanner_init(sql, &extra, &ScanKeywords, ScanKeywordTokens);
	int			begin = -1;
	int			end = (int) strlen(sql);
	int			token;

	while ((token = core_yylex(&value, &location, scanner)) != 0)
	{
		if (token == where && begin < 0)
			begin = location + (int) strlen("where");
		if (token == ';')
			end = Min(end, location);
	}
	scanner_finish(scanner);
	return pnstrdup(sql + begin, end - begin);
}

ChangesQuery *
changes_sql_parse(const char *sql, const char *name, const char *schema, const char *table)
{
	ChangesQuery *query = palloc0(sizeof(ChangesQuery));
	FilterContext context = {.name = name};
	const SelectStmt *select;
	const char *what;

	if (sql == NULL)
		return query;
	/* what is wrong in every mode is said in the words of every mode */
	(void) refresh_sql_parse(sql, name, schema, table, schema, table);
	select = castNode(SelectStmt, linitial_node(RawStmt, manifest_sql_parse(sql))->stmt);
	what = surplus(select);
	if (what != NULL)
		refuse(name, what);
	query->columns = selected_columns(select, name);
	if (select->whereClause == NULL)
		return query;
	(void) filter_walker(select->whereClause, &context);
	query->filter = filter_text(sql);
	query->filter_columns = context.columns;
	return query;
}
