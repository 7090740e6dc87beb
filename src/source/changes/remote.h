/*-------------------------------------------------------------------------
 *
 * remote.h
 *		A connection of our own to a source's PostgreSQL, which may replicate.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REMOTE_H
#define SPICE_REMOTE_H

#include "catalog/dataset.h"

typedef struct Remote Remote;

/* an answer; NULL for null */
typedef struct RemoteRows
{
	int			n_rows;
	int			n_columns;
	char	  **values;			/* row by row */
} RemoteRows;

#define remote_value(rows, row, column) ((rows)->values[(row) * (rows)->n_columns + (column)])

/* what libpq is to know: names and values, the password apart from them */
typedef struct RemotePlace
{
	List	   *options;		/* of DefElem * */
	char	   *password;		/* or NULL */
	List	   *hosts;			/* of char * */
} RemotePlace;

/*
 * Connects, or raises an error with a hint.  The connection ends with the context,
 * and needs no transaction.
 */
extern Remote *remote_connect(const Dataset *dataset, const RemotePlace *place, MemoryContext context);

/*
 * Runs a statement, and raises what the source raises.  tolerated: SQLSTATEs in
 * one text, each of which makes it NULL instead; or NULL.
 */
extern RemoteRows *remote_query(Remote *remote, const char *statement, const char *tolerated);

/*
 * COPY ... TO STDOUT, in a transaction of the caller, for as long as it takes.
 * remote_copy_read() returns the next bytes, 0 at the end; they are valid until the
 * next call.
 */
extern void remote_copy_begin(Remote *remote, const char *statement);
extern int	remote_copy_read(Remote *remote, char **bytes);

extern const Dataset *remote_dataset(const Remote *remote);

#endif
