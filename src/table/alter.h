/*-------------------------------------------------------------------------
 *
 * alter.h
 *		Changes of a table's columns that a new definition asks for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ALTER_H
#define SPICE_ALTER_H

#include "catalog/pg_attribute.h"

#include "table/build.h"

/* Name, type and collation, as DDL spells them. */
extern char *alter_column_definition(Form_pg_attribute attribute);

/* The caller holds the lock of the swap.  A type may want the table's rows to be rewritten. */
extern void alter_columns(const TableBuild *build);

/* The same; the rows that the table is about to have fulfil NOT NULL, so nothing is scanned. */
extern void alter_not_null(const TableBuild *build);

/* Before a merge: columns come and go. */
extern void alter_before_merge(TableBuild *build);

/* After a merge: what had to wait for the rows that it is about. */
extern void alter_after_merge(TableBuild *build);

#endif
