/*-------------------------------------------------------------------------
 *
 * refresh_sql.h
 *		One SELECT over a dataset: checked, and bound to its foreign table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REFRESH_SQL_H
#define SPICE_REFRESH_SQL_H

#include "nodes/parsenodes.h"

/*
 * Parses refresh_sql and raises an error with the reason unless it is a
 * single SELECT that reads the dataset (schema.table, in this spelling or as
 * name).  Every reference to the dataset, in the scope of SQL's own rules,
 * becomes one to source_schema.source_table.
 */
extern RawStmt *refresh_sql_parse(const char *sql, const char *name, const char *schema,
								  const char *table, const char *source_schema,
								  const char *source_table);

/* raw_parser, with positions that mean the text and not the client's statement */
extern List *manifest_sql_parse(const char *sql);

/*
 * Error context callback whose argument is such a text: a position in it is
 * not one in the statement that the client sent.
 */
extern void manifest_sql_position(void *arg);

/* does a name in such a text stand for the dataset? */
extern bool manifest_sql_names_dataset(const RangeVar *relation, const char *name,
									   const char *schema, const char *table);

#endif
