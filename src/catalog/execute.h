/*-------------------------------------------------------------------------
 *
 * execute.h
 *		SQL by SPI.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_EXECUTE_H
#define SPICE_EXECUTE_H

/* runs one statement by SPI within a connection that is already open */
extern void catalog_execute(const char *command, int nargs, Oid *types,
							Datum *values, const char *nulls);

/* the same, planned once in the life of the process: command is a constant */
extern void catalog_execute_saved(const char *command, int nargs, Oid *types,
								  Datum *values, const char *nulls);

/* runs one statement, DDL above all, in an SPI connection of its own */
extern void catalog_run(const char *command);

/* a column of the SPI result's row 0 as palloc'd text in context; NULL for NULL */
extern char *catalog_text(int row, int column, MemoryContext context);

extern Datum catalog_datum(int row, int column, bool *isnull);
extern bool catalog_bool(int row, int column);	/* false for NULL */

/* a column of row 0 as a number; absent for NULL */
extern int64 catalog_number(int column, int64 absent);

#endif
