/*-------------------------------------------------------------------------
 *
 * retention_sql.c
 *		Checks retention_sql and takes its condition out.
 *
 * What retention needs of the statement is its condition: rows are deleted in
 * batches, by a statement of our own, so that no transaction gets long.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "parser/parser.h"

#include "catalog/refresh_sql.h"
#include "catalog/retention_sql.h"
#include "compat.h"

static void
refuse(const char *name, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("retention_sql of dataset \"%s\" %s", name, reason),
			 errhint("retention_sql is one DELETE FROM the dataset's table WHERE a condition holds.")));
}

Node *
retention_sql_parse(const char *sql, const char *name, const char *schema,
					const char *table, char **alias)
{
	List	   *statements = manifest_sql_parse(sql);
	RawStmt    *statement;
	DeleteStmt *delete;

	if (list_length(statements) != 1)
		refuse(name, "must be a single statement");
	statement = linitial_node(RawStmt, statements);
	if (!IsA(statement->stmt, DeleteStmt))
		refuse(name, "must be a DELETE");
	delete = (DeleteStmt *) statement->stmt;
	if (!manifest_sql_names_dataset(delete->relation, name, schema, table))
		refuse(name, psprintf("must delete from \"%s\"", table));
	if (delete->whereClause == NULL)
		refuse(name, "must have a WHERE");
	if (delete->usingClause != NIL || delete->withClause != NULL || compat_has_returning(delete))
		refuse(name, "must not have USING, WITH or RETURNING");
	*alias = delete->relation->alias ? delete->relation->alias->aliasname : delete->relation->relname;
	return delete->whereClause;
}
