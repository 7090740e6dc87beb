/*-------------------------------------------------------------------------
 *
 * source_column.h
 *		Columns that a source has, or that its relation shall have.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SOURCE_COLUMN_H
#define SPICE_SOURCE_COLUMN_H

#include "nodes/pg_list.h"

/*
 * A source's NOT NULL is not among it: the planner would conclude from it, and the
 * source may drop it at any time.
 */
typedef struct SourceColumn
{
	char	   *name;
	char	   *field;			/* its name in a response; NULL of other sources */
	int			position;		/* among the fields, from 1 */
	bool		unnamed;		/* the field has no name of its own */
	Oid			type;			/* InvalidOid: the response has nothing but null for it */
	int32		typmod;
	bool		declared;		/* the manifest has chosen the type */
	bool		local;			/* the source would read a condition on it differently */
	int			seen;			/* what infer.c has seen in a response */
	char	   *description;	/* or NULL */
} SourceColumn;

/* Describes the source as a whole. */
typedef struct SourceRelation
{
	int64		records;		/* of the response that the columns were inferred from */
	char	   *description;	/* or NULL */
} SourceRelation;

/* Returns the column of this name in a list of SourceColumn *, or NULL. */
extern SourceColumn *source_column_find(List *columns, const char *name);

#endif
