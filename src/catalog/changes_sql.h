/*-------------------------------------------------------------------------
 *
 * changes_sql.h
 *		refresh_sql of a dataset that follows its source.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CHANGES_SQL_H
#define SPICE_CHANGES_SQL_H

#include "nodes/pg_list.h"

/* what of a table is published */
typedef struct ChangesQuery
{
	List	   *columns;		/* of char *; NIL: all of them */
	char	   *filter;			/* the condition as it is written, or NULL */
	List	   *filter_columns; /* of char *, those it names */
} ChangesQuery;

/* sql: NULL for all of the table.  Raises an error that names what cannot be published. */
extern ChangesQuery *changes_sql_parse(const char *sql, const char *name,
									   const char *schema, const char *table);

#endif
