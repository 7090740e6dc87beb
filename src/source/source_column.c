/*-------------------------------------------------------------------------
 *
 * source_column.c
 *		Columns that a source has, or that its relation shall have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/source_column.h"

SourceColumn *
source_column_find(List *columns, const char *name)
{
	ListCell   *cell;

	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}
