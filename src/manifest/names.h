/*-------------------------------------------------------------------------
 *
 * names.h
 *		Names of datasets, tables and columns.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_NAMES_H
#define SPICE_NAMES_H

#include "manifest/document.h"
#include "manifest/parse.h"

/* columns of one index or key */
typedef struct ColumnList
{
	const char **names;
	size_t		count;
	size_t		capacity;
} ColumnList;

/* false: refused, with a problem */
extern bool names_parse_table(Parser *parser, const char *name, int line,
							  char **schema, char **table);
extern void names_check_column(Parser *parser, const char *name, int line);

/* "a", "a, b" or "(a, b)"; false: refused, with a problem */
extern bool names_parse_columns(Parser *parser, const char *setting, const DocNode *node,
								ColumnList *list);

/* bytes of an identifier of an unmodified server */
#define NAMES_MAX_IDENTIFIER	63

/* The server's name of a type that Arrow or another system calls otherwise; else type. */
extern const char *names_type(const char *type);

#endif
