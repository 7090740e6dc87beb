/*-------------------------------------------------------------------------
 *
 * retention_sql.h
 *		One DELETE on a dataset's table: checked, and taken apart.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RETENTION_SQL_H
#define SPICE_RETENTION_SQL_H

#include "nodes/parsenodes.h"

/*
 * The WHERE clause of retention_sql.  Raises an error with the reason unless
 * it is a single DELETE with WHERE, and nothing else, on the dataset's table.
 * In *alias the name under which the clause knows the table.
 */
extern Node *retention_sql_parse(const char *sql, const char *name, const char *schema,
								 const char *table, char **alias);

#endif
