/*-------------------------------------------------------------------------
 *
 * execute.h
 *		SQL on the catalog: statements with arguments, and their rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_EXECUTE_H
#define SPICE_EXECUTE_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "nodes/pg_list.h"

#define CATALOG_MAX_ARGUMENTS 24

/* arguments of one statement, in order; starts as {0} */
typedef struct CatalogArguments
{
	int			n;
	Oid			types[CATALOG_MAX_ARGUMENTS];
	Datum		values[CATALOG_MAX_ARGUMENTS];
	char		nulls[CATALOG_MAX_ARGUMENTS];
} CatalogArguments;

extern void catalog_add(CatalogArguments *arguments, Oid type, Datum value, bool isnull);
extern void catalog_add_text(CatalogArguments *arguments, const char *value);	/* NULL: null */
extern void catalog_add_int(CatalogArguments *arguments, int64 value);	/* bigint */
extern void catalog_add_oid(CatalogArguments *arguments, Oid value);	/* InvalidOid: null */
extern void catalog_add_bool(CatalogArguments *arguments, bool value);

/* what a statement has returned, in the context in which it was called */
typedef struct CatalogRows
{
	uint64		n;				/* also of a statement that returns no rows */
	HeapTuple  *tuples;
	TupleDesc	desc;
} CatalogRows;

/*
 * Runs one statement on the catalog with the rights of the extension's owner.
 * The plan is kept for the life of the process by the address of the text, so
 * command must be a constant.  arguments may be NULL.
 */
extern CatalogRows *catalog_query(const char *command, const CatalogArguments *arguments);

/* a column of a row, by its name; texts and by-reference values are copies or live as long as rows */
extern Datum catalog_get(const CatalogRows *rows, uint64 row, const char *column, bool *isnull);
extern char *catalog_get_text(const CatalogRows *rows, uint64 row, const char *column);
extern int64 catalog_get_int(const CatalogRows *rows, uint64 row, const char *column, int64 absent);
extern bool catalog_get_bool(const CatalogRows *rows, uint64 row, const char *column);
extern Oid	catalog_get_oid(const CatalogRows *rows, uint64 row, const char *column);

/* a column's texts, one a row, as a list of char * */
extern List *catalog_get_texts(const CatalogRows *rows, const char *column);

/* runs one statement by SPI within a connection that is already open */
extern void catalog_execute(const char *command, int nargs, Oid *types,
							Datum *values, const char *nulls);

/* runs one statement, DDL above all, in an SPI connection of its own */
extern void catalog_run(const char *command);

/* a column of the SPI result's row 0 as palloc'd text in context; NULL for NULL */
extern char *catalog_text(int row, int column, MemoryContext context);

#endif
